"""Compressed NIfTI, written in a quarter of the time: SimpleITK's writer has one level of compression, a slow one."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import SimpleITK as sitk

# Of 512 x 512 x 200 voxels of a CT level 1 takes 1.0 s for 44 MB, level 6, SimpleITK's, 3.9 s for 41 MB.
LEVEL = 1
GZIP = 16 + zlib.MAX_WBITS


def write_image(image: sitk.Image, path: Path) -> None:
    """Write an image as `.nii.gz`: the same image gives the same bytes, without a time or a name in them."""
    import SimpleITK as sitk

    plain = path.with_name(path.name.removesuffix(".gz"))
    sitk.WriteImage(image, str(plain))
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
    data = plain.read_bytes()
    path.write_bytes(packer.compress(data) + packer.flush())
    plain.unlink()
