"""What speaks against the phases that the series sheet of a patient says: delays, and how bright the liver is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from hcc_recurrence.cohort.phases import phase_of_delay
from hcc_recurrence.cohort.sheets import PHASES
from hcc_recurrence.exported.outside import INSIDE, MISSING, OUTSIDE, Row

# Air in a CT ends in noise about -1000 HU; a lost offset puts it at 0 or above.
AIR_HU = (-1100.0, -850.0)
AIR_PERCENT = 0.5
# The liver takes up its contrast medium by the portal vein: a CT of the portal phase whose liver is darker than that of
# the arterial phase by more than noise has another place in the sheet.
DARKER_HU = 5.0
# Between two phases of one examination at least so many seconds pass.
LEAST_SECONDS = 5.0


def around(mask: np.ndarray, spacing: Sequence[float], inner_mm: float = 4.0, outer_mm: float = 14.0) -> np.ndarray:
    """A shell about a tumour, mostly liver.

    Args:
        mask: (z, y, x). spacing: of its axes, mm.
    """
    from scipy.ndimage import distance_transform_edt

    away = distance_transform_edt(mask == 0, sampling=spacing)
    return (away >= inner_mm) & (away <= outer_mm)


def liver_level(image: np.ndarray, mask: np.ndarray, spacing: Sequence[float]) -> float:
    """Median about the tumour, in the image's unit; NaN where the mask is empty."""
    if not (mask > 0).any():
        return float("nan")
    values = image[around(mask, spacing)]
    return float(np.median(values)) if values.size else float("nan")


def air_level(image: np.ndarray) -> float:
    """A low percentile of all voxels: in a CT of air about the body, HU."""
    return float(np.percentile(image, AIR_PERCENT))


def phase_rows(
    phases: Mapping[str, str],
    delays: Mapping[str, float],
    liver: Mapping[str, float],
    air: Mapping[str, float],
    modality: str,
) -> list[Row]:
    """What is known of the phases of a patient beside what the sheet says.

    Args:
        phases: of the model -> of the cohort. delays: of the cohort's phases, seconds after the injection. liver: of
            the cohort's phases, HU about the tumour (CT). air: `air_level` of the cohort's phases.
    """
    rows = []
    for model, own in phases.items():
        if model != own:
            words = f"the config gives images of the {own} phase in place of those of the {model} phase"
            rows.append(Row(f"{model}__phase", "phases", own, "", "", "", OUTSIDE, words))
        delay = delays.get(own, float("nan"))
        if not np.isnan(delay):
            found = phase_of_delay(delay, modality)
            if found != own:
                what = f"as of the {found} phase" if found else "between two phases"
                words = f"the sheet says {own}, and the headers say {delay:.0f} s after the injection, {what}"
                rows.append(Row(f"{own}__phase", "phases", round(delay), "s", "", "", OUTSIDE, words))
    rows += _order(list(dict.fromkeys(phases.values())), delays, liver, modality)
    for phase, level in air.items():
        low, high = AIR_HU
        inside = low <= level <= high
        if modality != "CT":
            # A file without headers does not say what it is.
            if inside:
                words = f"the lowest values are at {level:.0f}, where air is in a CT: a CT in place of an MR?"
                rows.append(Row(f"{phase}__lowest_value", "acquisition", round(level, 1), "", "", "", OUTSIDE, words))
            continue
        words = "" if inside else f"air is not near -1000 HU but at {level:.0f}: a lost offset, a window, or no air"
        row = Row(
            f"{phase}__air_hu", "acquisition", round(level, 1), "HU", low, high, INSIDE if inside else OUTSIDE, words
        )
        rows.append(row)
    return rows


def _order(phases: Sequence[str], delays: Mapping[str, float], liver: Mapping[str, float], modality: str) -> list[Row]:
    """Whether each phase comes after those before it."""
    rows = []
    for first, second in combinations(sorted(phases, key=PHASES.index), 2):
        item = f"{first} before {second}"
        against = []
        one, other = delays.get(first, float("nan")), delays.get(second, float("nan"))
        if other - one < LEAST_SECONDS:
            against.append(
                f"by the headers {first} was taken {one:.0f} s and {second} {other:.0f} s after the injection"
            )
        known = not np.isnan(other - one)
        dark, bright = liver.get(first, float("nan")), liver.get(second, float("nan"))
        if modality == "CT" and second == "portal":
            known |= not np.isnan(dark - bright)
            if dark - bright > DARKER_HU:
                against.append(f"about the tumour {first} has {dark:.0f} HU and {second} {bright:.0f} HU")
        verdict = OUTSIDE if against else INSIDE if known else MISSING
        words = f"the phases may be swapped: {'; '.join(against)}" if against else ""
        if verdict == MISSING:
            words = "unknown: no header says when after the injection the series were taken"
        rows.append(Row(item, "phases", "", "", "", "", verdict, words))
    return rows
