"""Values of a whole volume: voxels that are no numbers, and whether a CT is in Hounsfield units."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hcc_recurrence.cohort.hounsfield import count_values, doubt
from hcc_recurrence.cohort.nifti_files import is_nifti, read_nifti
from hcc_recurrence.cohort.stack_parts import SeriesError

# Every so many rows and columns are enough to see that values are right; only where they look wrong all are counted.
STEP = 4
BEYOND_ALL = 1e9
SAVE_AGAIN = (
    "save the image again with the value of its background, as -1024 HU of a CT or 0 of an MR, in place of them"
)


def value_facts(values: np.ndarray, stored: np.ndarray | None = None) -> dict[str, Any]:
    """Of an image file that is no DICOM: `doubt`, why it is no CT in Hounsfield units; where there are any,
    `no_numbers`: how many voxels are NaN, infinite or beyond all that is measured.

    Args:
        values: (z, y, x), as SimpleITK reads the file. stored: as they stand in the file, where they are floats and
            SimpleITK puts 0 in place of some.
    """
    stored = values if stored is None or values.dtype.kind != "f" else stored
    count = int(no_numbers(stored).sum()) if stored.dtype.kind == "f" else 0
    return {"doubt": "", "no_numbers": count} if count else {"doubt": doubt_of_volume(values)}


def no_numbers(values: np.ndarray) -> np.ndarray:
    """Where floats are NaN, infinite, or so large that they stand for nothing measured, as -3.4e38 does."""
    # A comparison with NaN is false.
    return ~(np.abs(values) < BEYOND_ALL)


def doubt_of_volume(values: np.ndarray, padding: np.ndarray | None = None, intercept: float = 0.0) -> str:
    """Why a volume (z, y, x) is no CT in Hounsfield units; empty where it may be one.

    Args:
        padding: where it is padding, which does not count. intercept: the highest rescale intercept of its headers.
    """
    some = (slice(None), slice(None, None, STEP), slice(None, None, STEP))
    for part in (some, (slice(None),) * 3):
        measured = values[part] if padding is None else values[part][~padding[part]]
        reason = doubt(count_values(measured), intercept)
        if not reason:
            return ""
    return reason


def check_numbers(facts: dict[str, Any], image: Path, masks: Sequence[tuple[str, Path, str]] = ()) -> None:
    """Raise SeriesError where voxels of an image are NaN, infinite or beyond 1e9, with how many lie in its masks.

    Args:
        facts: of `value_facts`. masks: reader, file and label of each mask that was drawn on the image.
    """
    if not facts.get("no_numbers"):
        return
    inside = "; ".join(_inside(image, *mask) for mask in masks)
    count = facts["no_numbers"]
    what = "1 voxel that is no number" if count == 1 else f"{count} voxels that are no numbers"
    raise SeriesError(f"has {what} (NaN, infinite or beyond 1e9)" + (f"; {inside}" if inside else ""), SAVE_AGAIN)


def _inside(image: Path, reader: str, mask: Path, label: str) -> str:
    import SimpleITK as sitk

    from hcc_recurrence.cohort.mask_files import read_mask
    from hcc_recurrence.cohort.masks import MaskError

    try:
        whole = sitk.ReadImage(str(image))
        drawn = sitk.GetArrayFromImage(read_mask(mask, label, whole).image) > 0
    except (MaskError, RuntimeError, OSError):
        # What is wrong with the mask is a problem of its own.
        return f"the mask of {reader} cannot be laid over it"
    stored = read_nifti(image).stored_floats() if is_nifti(image) else None
    values = sitk.GetArrayViewFromImage(whole) if stored is None else stored
    count = int(no_numbers(values[drawn]).sum())
    return f"{count} of them in the mask of {reader}" if count else f"none of them in the mask of {reader}"
