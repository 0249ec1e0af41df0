"""The voxels of a series, in Hounsfield units for CT and as stored for MR."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hcc_recurrence.cohort.dicom_headers import HEADER_FACTS_VERSION, facts_without_hash, file_facts
from hcc_recurrence.cohort.dicom_series import SeriesError, Stack, find_stack
from hcc_recurrence.cohort.exchanged_sides import check_sides
from hcc_recurrence.cohort.hounsfield import Counts, add_counts, check_hounsfield, check_neighbours, count_values, doubt
from hcc_recurrence.cohort.lost_signs import check_sign
from hcc_recurrence.cohort.slice_pixels import slice_values
from hcc_recurrence.cohort.stack_parts import Slice
from hcc_recurrence.cohort.volume_values import check_no_ct, check_numbers, doubt_of_volume
from hcc_recurrence.provenance import FileCache

if TYPE_CHECKING:
    import SimpleITK as sitk


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
    return image_of_stack(find_series(path, series_uid, part, interpolate, only), modality)


def find_series(
    path: Path, series_uid: str = "", part: str = "", interpolate: bool = False, only: Sequence[str] = ()
) -> Stack:
    """`find_stack` for a series that is about to be read: its fingerprint is not taken."""
    facts = FileCache(None, HEADER_FACTS_VERSION)
    return find_stack(path, series_uid, part, interpolate, facts, only=only, look=facts_without_hash)


def image_of_stack(stack: Stack, modality: str = "") -> sitk.Image:
    """The voxels of a series with the geometry of its headers; see `read_series`."""
    import SimpleITK as sitk

    if stack.image:
        image = _as_integers(sitk.ReadImage(str(stack.image)))
        check_numbers(stack.facts, stack.image)
        if modality == "CT":
            check_hounsfield(stack.facts["doubt"])
            check_neighbours(sitk.GetArrayViewFromImage(image))
        elif modality:
            check_no_ct(stack.facts)
        return image
    voxels = _volume(stack)
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


def _volume(stack: Stack) -> np.ndarray:
    """The slices of a stack, (z, y, x), each decoded and rescaled by its own header.

    Raises: SeriesError where one cannot be decoded, or a CT is not in Hounsfield units.
    """
    voxels, paddings = _stacked(stack.slices)
    if stack.modality != "CT":
        return voxels
    padding = None
    if any(own is not None for own in paddings):
        nowhere = np.zeros(voxels.shape[1:], bool)
        padding = np.stack([nowhere if own is None else own for own in paddings])
    for intercept, numbers in _writers(stack.slices).items():
        part = slice(None) if len(numbers) == len(voxels) else numbers
        reason = doubt_of_volume(voxels[part], None if padding is None else padding[part], intercept)
        check_hounsfield(reason, _which(numbers, stack.slices))
    check_neighbours(voxels)
    return voxels


def _stacked(slices: Sequence[Slice]) -> tuple[np.ndarray, list[np.ndarray | None]]:
    """Values of all slices, (z, y, x), of the narrowest kind that holds those of each, and where each has padding.

    Raises: SeriesError where slices differ in size, which their headers do not, or the sign of one is wrong.
    """
    voxels, paddings = None, []
    for number, one in enumerate(slices):
        values, padding = slice_values(one)
        check_sign(values, one.header, one.file.name)
        paddings.append(padding)
        if voxels is None:
            voxels = np.empty((len(slices), *values.shape), values.dtype)
        if values.shape != voxels.shape[1:]:
            raise SeriesError("voxels and headers differ in size", "export the series again")
        if (kind := np.result_type(voxels, values)) != voxels.dtype:
            voxels = voxels.astype(kind)
        voxels[number] = values
    return voxels, paddings


def _writers(slices: Sequence[Slice]) -> dict[float, list[int]]:
    """Numbers of the slices by rescale intercept: where that differs, one writer may have kept the offset that another
    has lost."""
    numbers: dict[float, list[int]] = defaultdict(list)
    for number, one in enumerate(slices):
        numbers[_intercept(one.header)].append(number)
    return numbers


def _intercept(header: Mapping[str, Any]) -> float:
    return float(header.get("RescaleIntercept", 0))


def _which(numbers: Sequence[int], slices: Sequence[Slice]) -> str:
    """Some slices of a series in words; empty where they are all."""
    if len(numbers) == len(slices):
        return ""
    return f"{len(numbers)} of {len(slices)} slices, such as {slices[numbers[0]].file.name}: "


def check_decoding(stack: Stack, cache: FileCache) -> None:
    """Raise SeriesError where the middle image of a series cannot be decoded, has the wrong sign or exchanged sides, or
    a CT is not in Hounsfield units.

    The other images are looked at where values of the middle one are in doubt or intercepts differ, and by the job that
    converts them.
    """
    if stack.image:
        return
    slices = stack.slices
    middle = cache.get(slices[len(slices) // 2].file, middle_counts)
    if "reason" in middle:
        raise SeriesError(middle["reason"], middle["remedy"])
    if stack.modality != "CT":
        return
    writers = _writers(slices)
    if len(writers) == 1 and not doubt(middle, next(iter(writers))):
        return
    counts: dict[float, list[Counts]] = defaultdict(list)
    for file in sorted({one.file for one in slices}):
        facts = cache.get(file, all_counts)
        if "reason" in facts:
            raise SeriesError(facts["reason"], facts["remedy"])
        for intercept, own in facts["by_intercept"]:
            counts[intercept].append(own)
    for intercept, numbers in writers.items():
        check_hounsfield(doubt(add_counts(counts[intercept]), intercept), _which(numbers, slices))


def middle_counts(file: Path) -> dict[str, Any]:
    """`count_values` of an image, of an enhanced object of its middle frame; `reason` and `remedy` where it cannot be
    decoded."""
    headers = file_facts(file)["headers"]
    try:
        return _counts(file, headers, len(headers) // 2)
    except SeriesError as error:
        return {"reason": error.what, "remedy": error.remedy}


def all_counts(file: Path) -> dict[str, Any]:
    """`by_intercept`: rescale intercept and `count_values` of each image of a file; or `reason` and `remedy` where one
    cannot be decoded."""
    headers = file_facts(file)["headers"]
    try:
        return {"by_intercept": [(_intercept(h), _counts(file, headers, n)) for n, h in enumerate(headers)]}
    except SeriesError as error:
        return {"reason": error.what, "remedy": error.remedy}


def _counts(file: Path, headers: Sequence[dict[str, Any]], number: int) -> Counts:
    values, padding = slice_values(Slice(file, "", number if len(headers) > 1 else -1, headers[number]))
    check_sign(values, headers[number], file.name)
    check_sides(values, file.name)
    return count_values(values if padding is None else values[~padding])


def _as_integers(image: sitk.Image) -> sitk.Image:
    import SimpleITK as sitk

    if image.GetPixelID() == sitk.sitkInt16:
        return image
    kind = image.GetPixelIDTypeAsString()
    if kind.endswith("float"):
        return sitk.Cast(image, sitk.sitkFloat32)
    values = sitk.MinimumMaximumImageFilter()
    values.Execute(image)
    if values.GetMinimum() < -(2**31) or values.GetMaximum() >= 2**31:
        raise SeriesError("has values beyond 2147483647, which no scanner measures", "export the series again")
    fits = values.GetMinimum() >= -32768 and values.GetMaximum() <= 32767
    return sitk.Cast(image, sitk.sitkInt16 if fits else sitk.sitkInt32)
