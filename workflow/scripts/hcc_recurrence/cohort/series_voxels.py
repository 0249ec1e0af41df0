"""The voxels of a series, in Hounsfield units for CT and as stored for MR."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hcc_recurrence.cohort.dicom_headers import HEADER_FACTS_VERSION, rescaled
from hcc_recurrence.cohort.dicom_series import SeriesError, Stack, check_hounsfield, find_stack
from hcc_recurrence.cohort.stack_parts import Slice
from hcc_recurrence.problems import last_line
from hcc_recurrence.provenance import FileCache

if TYPE_CHECKING:
    import SimpleITK as sitk

# What scanners write outside their field of view stands for air.
AIR_HU = -1024
UNCOMPRESSED_EXPORT = "export it again uncompressed"


def read_series(
    path: Path,
    series_uid: str = "",
    part: str = "",
    interpolate: bool = False,
    modality: str = "",
    only: Sequence[str] = (),
) -> sitk.Image:
    """Read one series as an image: int16 where the values fit, as they do in CT.

    Args:
        see `find_stack`. modality: of the cohort, for files that do not say theirs.

    Raises: SeriesError where the stack cannot be trusted or the voxels do not match the headers.
    """
    import SimpleITK as sitk

    stack = find_stack(path, series_uid, part, interpolate, FileCache(None, HEADER_FACTS_VERSION), only=only)
    if stack.image:
        image = _as_integers(sitk.ReadImage(str(stack.image)))
        if modality == "CT":
            check_hounsfield(float(sitk.GetArrayViewFromImage(image).min()))
        return image
    voxels = _frames(stack.slices) if stack.slices[0].frame >= 0 else _files(stack.slices)
    if stack.modality == "CT":
        voxels = _without_padding(voxels, stack.slices)
    if stack.gap:
        between = voxels[stack.gap - 1 : stack.gap + 1].mean(axis=0, dtype=np.float64)
        if np.issubdtype(voxels.dtype, np.integer):
            between = np.rint(between)
        voxels = np.insert(voxels, stack.gap, between.astype(voxels.dtype), axis=0)
        print(f"slice {stack.gap + 1} of {len(voxels)} was missing: the mean of its neighbours stands for it")
    image = sitk.GetImageFromArray(voxels)
    geometry = stack.geometry
    if list(image.GetSize()) != geometry["size"]:
        raise SeriesError("voxels and headers differ in size", "export the series again")
    # The headers' own geometry: the library takes the slice spacing from two slices only.
    image.SetSpacing(geometry["spacing"])
    image.SetOrigin(geometry["origin"])
    image.SetDirection(geometry["direction"])
    return _as_integers(image)


def check_decoding(stack: Stack, cache: FileCache) -> None:
    """Raise SeriesError where nobody here can decode the middle image of a series.

    The others of its kind are read by the job that converts it.
    """
    if not stack.image:
        middle = stack.slices[len(stack.slices) // 2]
        reason = cache.get(middle.file, frame_decoding if middle.frame >= 0 else file_decoding)
        if reason:
            raise SeriesError(f"cannot be decoded ({reason})", UNCOMPRESSED_EXPORT)


def file_decoding(file: Path) -> str:
    """Why GDCM cannot decode a file; empty where it can."""
    import SimpleITK as sitk

    try:
        sitk.ReadImage(str(file), imageIO="GDCMImageIO")
    except RuntimeError as error:
        return _reason(error)
    return ""


def frame_decoding(file: Path) -> str:
    """Why the first frame of an enhanced object cannot be decoded; empty where it can."""
    from pydicom.pixels import pixel_array

    try:
        pixel_array(file, index=0)
    except Exception as error:
        return _reason(error)
    return ""


def _reason(error: Exception) -> str:
    return last_line(error)[:200] or "no reason given"


def _undecodable(error: Exception) -> SeriesError:
    return SeriesError(f"cannot be decoded ({_reason(error)})", UNCOMPRESSED_EXPORT)


def _files(slices: list[Slice]) -> np.ndarray:
    """A file a slice, (z, y, x), by GDCM, which rescales each."""
    import SimpleITK as sitk

    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(one.file) for one in slices])
    try:
        return sitk.GetArrayFromImage(reader.Execute())
    except RuntimeError as error:
        raise _undecodable(error) from error


def _frames(slices: list[Slice]) -> np.ndarray:
    """Frames of enhanced objects, (z, y, x), each by its own slope and intercept."""
    from pydicom.pixels import pixel_array

    planes = []
    for one in slices:
        try:
            stored = pixel_array(one.file, index=one.frame)
        except Exception as error:
            raise _undecodable(error) from error
        planes.append(rescaled(one.header, stored.astype(np.float64)))
    voxels = np.stack(planes)
    whole = np.array_equal(voxels, np.rint(voxels))
    return voxels.astype(np.int32 if whole else np.float32)


def _without_padding(voxels: np.ndarray, slices: list[Slice]) -> np.ndarray:
    """Voxels outside the scanner's field of view as air, where the header says which value they have."""
    padded = np.array([rescaled(one.header, one.header.get("PixelPaddingValue", np.nan)) for one in slices])
    outside = voxels == padded[:, None, None]
    return np.where(outside, np.array(AIR_HU, voxels.dtype), voxels) if outside.any() else voxels


def _as_integers(image: sitk.Image) -> sitk.Image:
    import SimpleITK as sitk

    kind = image.GetPixelIDTypeAsString()
    if kind.endswith("float"):
        return sitk.Cast(image, sitk.sitkFloat32)
    values = sitk.MinimumMaximumImageFilter()
    values.Execute(image)
    fits = values.GetMinimum() >= -32768 and values.GetMaximum() <= 32767
    return sitk.Cast(image, sitk.sitkInt16 if fits else sitk.sitkInt32)
