"""Values of a whole volume: voxels that are no numbers, and whether a CT is in Hounsfield units."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hcc_recurrence.cohort.alternation import alternation_of_volume
from hcc_recurrence.cohort.hounsfield import SOFT_TISSUE_HU, count_values, doubt
from hcc_recurrence.cohort.lost_signs import REMEDY_OF_FILE, sign_doubt_of_volume
from hcc_recurrence.cohort.nifti_files import is_nifti, read_nifti
from hcc_recurrence.cohort.stack_parts import SeriesError

# Every so many rows and columns are enough to see that values are right; only where they look wrong all are counted.
STEP = 4
# Of slices with fewer pixels a side all are looked at.
SMALL = 64
BEYOND_ALL = 1e9
# Air in a CT; no MR has values there. Of a CT at least these fractions are air and soft tissue: beside a body is more
# air, and in one of the lungs.
AIR_HU, LEAST_AIR, LEAST_SOFT = (-1100, -850), 0.01, 0.02
SAVE_AGAIN = (
    "save the image again with the value of its background, as -1024 HU of a CT or 0 of an MR, in place of them"
)


def value_facts(values: np.ndarray, stored: np.ndarray | None = None) -> dict[str, Any]:
    """Of an image file that is no DICOM: `doubt`, why it is no CT in Hounsfield units; `ct`, how much of it is air and
    soft tissue of one (`signs_of_ct`); `alternation`, of `alternation_of_volume`; where there are any, `sign`, why
    its values have the wrong sign, and `no_numbers`: how many voxels are NaN, infinite or beyond all that is measured.

    Args:
        values: (z, y, x), as SimpleITK reads the file. stored: as they stand in the file, where they are floats and
            SimpleITK puts 0 in place of some.
    """
    stored = values if stored is None or values.dtype.kind != "f" else stored
    count = int(no_numbers(stored).sum()) if stored.dtype.kind == "f" else 0
    if count:
        return {"doubt": "", "no_numbers": count}
    signs = signs_of_ct(values)
    facts = {"doubt": doubt_of_volume(values), "ct": signs, "alternation": alternation_of_volume(values, bool(signs))}
    return {**facts, "sign": sign} if (sign := sign_doubt_of_volume(values)) else facts


def signs_of_ct(values: np.ndarray) -> list[float]:
    """Fractions of a volume (z, y, x) with values of air and of soft tissue in a CT; empty where it is none."""
    step = STEP if min(values.shape[1:]) >= SMALL else 1
    some = values[:, ::step, ::step]
    air, soft = (float(((some >= low) & (some <= high)).mean()) for low, high in (AIR_HU, SOFT_TISSUE_HU))
    return [round(air, 4), round(soft, 4)] if air >= LEAST_AIR and soft >= LEAST_SOFT else []


def check_no_ct(facts: dict[str, Any]) -> None:
    """Raise SeriesError where an image file of an MR cohort, which says nothing of how it was made, holds a CT.

    Args:
        facts: of `value_facts`.
    """
    if signs := facts.get("ct"):
        air, soft = signs
        raise SeriesError(
            f"is no MR: {air:.0%} of the voxels lie from {AIR_HU[0]} to {AIR_HU[1]}, where air is in a CT, and "
            f"{soft:.0%} from {SOFT_TISSUE_HU[0]} to {SOFT_TISSUE_HU[1]}, where its soft tissue is",
            "correct the path, or the cohort's modality; if it is an MR whose background was filled with -1000 or "
            "-1024, save it with 0 there",
        )


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
    """Raise SeriesError where voxels of an image have the wrong sign, or are NaN, infinite or beyond 1e9, with how many
    of those lie in its masks.

    Args:
        facts: of `value_facts`. masks: reader, file and label of each mask that was drawn on the image.
    """
    if facts.get("sign"):
        raise SeriesError(facts["sign"], REMEDY_OF_FILE)
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
