"""The pixels of one image of a series, decoded and rescaled by its own header, with padding as air."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hcc_recurrence.cohort.dicom_files import add_transfer_syntax
from hcc_recurrence.cohort.dicom_headers import rescaled
from hcc_recurrence.cohort.stack_parts import SeriesError, Slice
from hcc_recurrence.problems import last_line

# What scanners write outside their field of view stands for air.
AIR_HU = -1024
# No tissue lies above; most scanners write nothing above 3071.
HIGHEST_HU = 3071
_INT16 = np.iinfo(np.int16)
# So many pixels of exactly one value, side by side up to the border, are no noise.
SMALLEST_PADDING = 12
UNCOMPRESSED_EXPORT = "export it again uncompressed"


def slice_values(one: Slice) -> tuple[np.ndarray, np.ndarray | None]:
    """One image as (rows, columns), HU for CT: int16 or int32 where slope and intercept are whole, float32 otherwise.

    Each image by its own sign, bits, slope and intercept: in one series they may differ. The photometric
    interpretation MONOCHROME1 changes how values are shown, not what they are.

    Returns: the values, for CT with padding as -1024 HU; and where padding was, None where there is none.

    Raises: SeriesError where it cannot be decoded, or values are no numbers.
    """
    try:
        if (stored := _as_they_stand(one)) is not None:
            values = rescale(stored, one.header)
        else:
            values = _by_gdcm(one) if one.header.get("Compressed") and one.frame < 0 else _by_pydicom(one)
    except Exception as error:
        reason = last_line(error)[:200] or "no reason given"
        raise SeriesError(f"cannot be decoded ({reason})", UNCOMPRESSED_EXPORT) from error
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        count = int((~np.isfinite(values)).sum())
        raise SeriesError(f"has {count} voxels that are no numbers (NaN or infinite)", "export the series again")
    if one.header.get("Modality") != "CT" or "PixelPaddingValue" not in one.header:
        return values, None
    padding = padding_of(values, one.header)
    if not padding.any():
        return values, None
    return np.where(padding, np.array(AIR_HU, values.dtype), values), padding


def _as_they_stand(one: Slice) -> np.ndarray | None:
    """Stored pixels that need no decoder, read from where the header says that they start; None where they need one.

    As pydicom reads them: bits above those stored may hold an overlay, and are dropped.
    """
    if "Pixels" not in one.header:
        return None
    start, used = one.header["Pixels"]
    shape = one.header["Rows"], one.header["Columns"]
    kind = np.dtype("<i2" if one.header["PixelRepresentation"] == 1 else "<u2")
    number = shape[0] * shape[1]
    stored = np.fromfile(one.file, kind, number, offset=start + max(one.frame, 0) * number * kind.itemsize)
    # A file that has become shorter since is for the decoder to refuse.
    if stored.size != number:
        return None
    if used < 16:
        np.left_shift(stored, 16 - used, out=stored)
        np.right_shift(stored, 16 - used, out=stored)
    return stored.reshape(shape)


def _by_pydicom(one: Slice) -> np.ndarray:
    from pydicom import dcmread
    from pydicom.pixels import pixel_array

    index = max(one.frame, 0)
    if not one.header.get("Packed"):
        return rescale(pixel_array(one.file, index=index), one.header)
    data = dcmread(one.file, force=True)
    add_transfer_syntax(data)
    return rescale(pixel_array(data, index=index), one.header)


def _by_gdcm(one: Slice) -> np.ndarray:
    """By GDCM, which knows all compressions, and rescales by the slope and intercept of the file itself."""
    if not one.header.get("Inverted"):
        return _narrow(_read_by_gdcm(one.file))
    import pydicom

    # It would turn values of MONOCHROME1 upside down.
    data = pydicom.dcmread(one.file)
    data.PhotometricInterpretation = "MONOCHROME2"
    with tempfile.TemporaryDirectory() as folder:
        data.save_as(Path(folder) / "image")
        return _narrow(_read_by_gdcm(Path(folder) / "image"))


def _read_by_gdcm(file: Path) -> np.ndarray:
    import SimpleITK as sitk

    return sitk.GetArrayFromImage(sitk.ReadImage(str(file), imageIO="GDCMImageIO"))[0]


def rescale(stored: np.ndarray, header: Mapping[str, Any]) -> np.ndarray:
    """Stored values times the slope plus the intercept of their own header, without overflow."""
    slope, intercept = float(header.get("RescaleSlope", 1)), float(header.get("RescaleIntercept", 0))
    if stored.dtype.kind == "f" or not (slope.is_integer() and intercept.is_integer()):
        return rescaled(header, stored.astype(np.float64)).astype(np.float32)
    if stored.dtype.kind + str(stored.dtype.itemsize) in ("i2", "u2"):
        ends = [int(end) * int(slope) + int(intercept) for end in (stored.min(), stored.max())]
        if _INT16.min <= min(ends) and max(ends) <= _INT16.max:
            # Modulo 65536, in which each value ends where it belongs, for it fits.
            return stored.astype(np.int16) * _wrapped(slope) + _wrapped(intercept)
    is_narrow = stored.dtype.itemsize <= 2 and abs(slope) * 2**16 + abs(intercept) < 2**31
    return _narrow(stored.astype(np.int32 if is_narrow else np.int64) * int(slope) + int(intercept))


def _wrapped(number: float) -> np.int16:
    """A whole number modulo 65536."""
    return np.int16((int(number) + 2**15) % 2**16 - 2**15)


def _narrow(values: np.ndarray) -> np.ndarray:
    """Whole numbers in the smallest of int16, int32 and int64 that holds them; others as float32."""
    if values.dtype.kind == "f":
        return values.astype(np.float32)
    lowest, highest = int(values.min()), int(values.max())
    for kind in (np.int16, np.int32):
        if np.iinfo(kind).min <= lowest and highest <= np.iinfo(kind).max:
            return values.astype(kind)
    return values.astype(np.int64)


def padding_of(values: np.ndarray, header: Mapping[str, Any]) -> np.ndarray:
    """Where pixels of a CT, (rows, columns), are what the scanner writes outside its field of view.

    Values from PixelPaddingValue to PixelPaddingRangeLimit, where no tissue has them. Where tissue may have them, as 0
    of a CT in HU, only pixels of exactly the padding value that lie side by side up to the border.
    """
    first = _signed(header["PixelPaddingValue"], header)
    last = _signed(header.get("PixelPaddingRangeLimit", first), header)
    value = rescaled(header, first)
    lowest, highest = sorted((value, rescaled(header, last)))
    padding = (values >= lowest) & (values <= highest) & ((values < AIR_HU) | (values > HIGHEST_HU))
    if AIR_HU <= value <= HIGHEST_HU:
        padding |= _flat_to_the_border(values == value)
    return padding


def _signed(stored: int, header: Mapping[str, Any]) -> int:
    # Some writers give -2000 as 63536 beside signed pixels, or the other way round.
    if header.get("PixelRepresentation") == 1:
        return stored - 2**16 if stored >= 2**15 else stored
    return stored + 2**16 if stored < 0 else stored


def _flat_to_the_border(equal: np.ndarray) -> np.ndarray:
    edges = [equal[0], equal[-1], equal[:, 0], equal[:, -1]]
    if not any(edge.any() for edge in edges):
        return np.zeros_like(equal)
    from scipy import ndimage

    regions, _ = ndimage.label(equal)
    sizes = np.bincount(regions.ravel())
    at_border = np.unique(np.concatenate([regions[0], regions[-1], regions[:, 0], regions[:, -1]]))
    padding = [region for region in at_border if region and sizes[region] >= SMALLEST_PADDING]
    return np.isin(regions, padding)
