"""What an image file that is no DICOM (NIfTI, NRRD, MetaImage) tells before its voxels are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple


class ImageInformation(NamedTuple):
    """Geometry: size, spacing, origin (x, y, z; mm), direction (row major); and how many values a voxel has."""

    geometry: dict[str, Any]
    components: int


def image_information(path: Path) -> ImageInformation:
    """The header of an image file.

    Raises: RuntimeError, SimpleITK's, where the file cannot be read.
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
    return ImageInformation(geometry, reader.GetNumberOfComponents())
