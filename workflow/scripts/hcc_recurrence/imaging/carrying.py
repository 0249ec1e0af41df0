"""Masks that were drawn on one phase of an examination, carried to the phases that have none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import SimpleITK as sitk

from hcc_recurrence.imaging.registration import Registration, apply_transform, register_rigid
from hcc_recurrence.problems import Refused

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("phase", "reader", "from_phase", "by", "shift_mm", "angle_deg", "failed")


def carry_masks(
    images: Mapping[str, sitk.Image], masks: dict[str, sitk.Image], reader: str, by: str, modality: str
) -> pd.DataFrame:
    """Add the reader's mask to every phase that has none of the reader, from the first phase that has one.

    Args:
        images: phase -> image as acquired, in the order of PHASES. masks: `phase.reader` -> mask on the grid
            of its image; those carried are added.
        by: `registration`: as the phases lie after rigid registration near the tumour; where it failed the mask is
            carried as it lies, and the row says so. `physical_space`: as it lies.
        modality: MR or CT.

    Returns: a row a mask carried: phase, reader, from_phase, by, shift_mm, angle_deg, failed.

    Raises: Refused where no phase has the reader's mask, or nothing of it lies inside the other phase's image.
    """
    import pandas as pd

    lacking = [phase for phase in images if f"{phase}.{reader}" not in masks]
    drawn = [phase for phase in images if phase not in lacking]
    if lacking and not drawn:
        raise Refused(f"no phase has a mask of reader {reader} to carry to the others", "correct the masks sheet")
    rows = []
    for phase in lacking:
        source = drawn[0]
        mask = masks[f"{source}.{reader}"]
        found = _identity()
        if by == "registration":
            found = register_rigid(images[source], images[phase], mask, None, modality)
        carried = apply_transform(mask, images[phase], found.transform.GetInverse(), is_mask=True)
        if not sitk.GetArrayViewFromImage(carried).any():
            raise Refused(
                f"the mask of {reader}, propagated from the {source} to the {phase} phase, lies outside that image",
                "draw one on that phase, or leave the patient out",
            )
        masks[f"{phase}.{reader}"] = carried
        moved = (round(found.shift_mm, 3), round(found.angle_deg, 3), found.failed)
        rows.append(dict(zip(COLUMNS, (phase, reader, source, by, *moved), strict=True)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _identity() -> Registration:
    return Registration(sitk.Euler3DTransform(), 0.0, 0.0, *[float("nan")] * 4)
