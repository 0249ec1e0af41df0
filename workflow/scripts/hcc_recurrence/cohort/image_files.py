"""What an image file that is no DICOM (NIfTI, NRRD, MetaImage) tells before its voxels are read."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path
from typing import Any, NamedTuple

CHUNK_BYTES = 2**20


class ImageInformation(NamedTuple):
    """Geometry: size, spacing, origin (x, y, z; mm), direction (row major); and how many values a voxel has."""

    geometry: dict[str, Any]
    components: int


def image_information(path: Path) -> ImageInformation:
    """The header of an image file.

    Raises: RuntimeError, SimpleITK's where the file cannot be read; and where it ends before its voxels do.
    """
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    geometry = {
        "size": list(reader.GetSize()),
        "spacing": list(reader.GetSpacing()),
        "origin": list(reader.GetOrigin()),
        "direction": list(reader.GetDirection()),
    }
    if path.name.lower().endswith((".nii", ".nii.gz")):
        check_nifti_is_whole(path)
    return ImageInformation(geometry, reader.GetNumberOfComponents())


def check_nifti_is_whole(path: Path) -> None:
    """Raise RuntimeError where a NIfTI was cut off or broken in transfer.

    SimpleITK's reader of NIfTI, and of no other format, puts zeros in place of the voxels that lack, and says so on the
    console alone.

    Source of the offsets: nifti1.h and nifti2.h of the NIfTI Data Format Working Group.
    """
    try:
        with open(path, "rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else open(path, "rb") as stream:
            head = stream.read(540)
            expected = _bytes_of_nifti(head)
            there = len(head)
            # The checksum of a packed file stands at its end.
            while more := len(stream.read(CHUNK_BYTES)) if packed else 0:
                there += more
        if not packed:
            there = path.stat().st_size
    except (EOFError, zlib.error, gzip.BadGzipFile, struct.error) as error:
        raise RuntimeError(f"it was cut off or broken in transfer: {error}") from error
    if there < expected:
        raise RuntimeError(f"it ends before its voxels do: it has {there} of {expected} bytes")


def _bytes_of_nifti(head: bytes) -> int:
    """How many bytes a NIfTI has, by its header."""
    order = "<" if struct.unpack_from("<i", head)[0] in (348, 540) else ">"
    if struct.unpack_from(f"{order}i", head)[0] == 540:
        dimensions, bits = struct.unpack_from(f"{order}8q", head, 16), struct.unpack_from(f"{order}h", head, 14)[0]
        start = struct.unpack_from(f"{order}q", head, 168)[0]
    else:
        dimensions, bits = struct.unpack_from(f"{order}8h", head, 40), struct.unpack_from(f"{order}h", head, 72)[0]
        start = int(struct.unpack_from(f"{order}f", head, 108)[0])
    voxels = 1
    for size in dimensions[1 : 1 + dimensions[0]]:
        voxels *= max(size, 1)
    return start + voxels * bits // 8
