"""What an image file that is no DICOM (NIfTI, NRRD, MetaImage) tells before its voxels are looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hcc_recurrence.cohort.nifti_files import NiftiFile, is_nifti, read_nifti


class ImageInformation(NamedTuple):
    """Geometry: size, spacing, origin (x, y, z; mm), direction (row major); how many values a voxel has; and a NIfTI as
    it stands in the file, None of another format."""

    geometry: dict[str, Any]
    components: int
    nifti: NiftiFile | None


def image_information(path: Path) -> ImageInformation:
    """The header of an image file.

    Raises: RuntimeError, SimpleITK's where the file cannot be read; and where a NIfTI ends before its voxels do.
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
    nifti = read_nifti(path) if is_nifti(path) else None
    return ImageInformation(geometry, reader.GetNumberOfComponents(), nifti)


def image_values(path: Path, information: ImageInformation) -> np.ndarray:
    """The voxels of an image as SimpleITK reads them, (z, y, x) of a volume; a NIfTI that was unpacked is not read
    again where its numbers are not scaled.

    Raises: RuntimeError, SimpleITK's.
    """
    import SimpleITK as sitk

    nifti = information.nifti
    if nifti is not None and nifti.header is not None and not nifti.header.is_analyze:
        slope, intercept = nifti.header.scaling
        stored = nifti.stored() if slope in (0, 1) and intercept == 0 and information.components == 1 else None
        if stored is not None and list(stored.shape[::-1]) == information.geometry["size"]:
            native = stored.astype(stored.dtype.newbyteorder("="), copy=False)
            return native if native.dtype.kind != "f" else np.where(np.isfinite(native), native, native.dtype.type(0))
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
