"""Whether the values of a CT can be Hounsfield units, by where air and soft tissue lie among them.

A lost offset, a window or another scale leaves a picture that looks right and numbers that are wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from hcc_recurrence.cohort.stack_parts import SeriesError

# A CT of a body holds air or fat below this; an image without is no image in Hounsfield units.
LOWEST_MUST_BE_BELOW_HU = -50
# Below it lies padding that no header declares, -2000 or -3024, and above it the noise of air.
PADDING_BELOW_HU = -1500
# Fat, water, blood, organs, all with contrast medium.
SOFT_TISSUE_HU = (-200, 300)
# The same, less fat, 1024 too high.
SHIFTED_HU = (850, 1300)
# Of all voxels at least this fraction is soft tissue, in any slice of an abdomen ten times as many.
FEWEST_SOFT = 0.02
# An offset was lost where so many of all voxels, and of those above soft tissue, lie 1024 too high; bone is neither.
MANY_SHIFTED, MOST_SHIFTED = 0.05, 0.6
# Air ends in noise, not in one value: where more voxels than this have exactly the lowest one, a window cut them off.
MANY_AT_LOWEST, WINDOW_ABOVE_HU = 0.02, -850
# The extended CT scale for metal ends at 30,710; what lies beyond 16 bits with a sign was negative, read without it.
HIGHEST_HU = 32767
# A phantom without noise, of fewer values than this, may end in one value.
FEWEST_VALUES, LOOKED_AT = 10, 4096
# Of what was cut out within the body soft tissue is at least half. Its offset stands in the header, or its noise
# reaches below water, which no window of 0 to 255 does, and is wider than a scale of -1 to 1 or standard deviations.
MOST_SOFT, HEADER_OFFSET_HU, NARROWEST_HU = 0.5, -900, 60
# Where a slice lost or doubled its offset, nearly all of its pixels lie so far from those of its neighbour: the median,
# and all but a tenth at either end. Lung beside liver is 900 apart, and air beside a body so in a few pixels alone.
OFFSET_HU, OFF_IN_THE_MIDDLE, OFF_AT_THE_ENDS = 1024, 60, 300
# Of the pixels, so many must have changed; padding has not.
MOST_EQUAL = 0.75
# A slice with so much soft tissue, on both sides of one with less than `FEWEST_SOFT`.
MUCH_SOFT = 0.1
# Of a slice of so many pixels along a side every fourth is enough.
LARGE_SLICE, EVERY_PIXEL = 64, 4
REMEDY = "export the series as acquired, in Hounsfield units"

# Counts of voxels, and their lowest value; see `count_values`.
Counts = dict[str, float]


def count_values(values: np.ndarray) -> Counts:
    """What decides about Hounsfield units: numbers of voxels, and the lowest value; padding is left out.

    Args:
        values: of any shape, HU if they are what they should be; without declared padding.
    """
    measured = values[values > PADDING_BELOW_HU]
    if not measured.size:
        return {"voxels": 0}
    lowest = float(measured.min())
    return {
        "voxels": int(measured.size),
        "lowest": lowest,
        "at_lowest": int((measured == lowest).sum()),
        "highest": float(measured.max()),
        "different": int(np.unique(measured[:: max(1, measured.size // LOOKED_AT)]).size),
        "soft": _between(measured, SOFT_TISSUE_HU),
        "shifted": _between(measured, SHIFTED_HU),
        "above": int((measured > SOFT_TISSUE_HU[1]).sum()),
    }


def _between(values: np.ndarray, limits: tuple[int, int]) -> int:
    return int(((values >= limits[0]) & (values <= limits[1])).sum())


def add_counts(parts: Sequence[Mapping[str, float]]) -> Counts:
    """The counts of several images together; those at the lowest value are counted where it is the lowest of all."""
    parts = [part for part in parts if part["voxels"]]
    if not parts:
        return {"voxels": 0}
    lowest = min(part["lowest"] for part in parts)
    total: Counts = {"lowest": lowest}
    for name in ("voxels", "soft", "shifted", "above"):
        total[name] = sum(part[name] for part in parts)
    total["at_lowest"] = sum(part["at_lowest"] for part in parts if part["lowest"] == lowest)
    total["highest"] = max(part["highest"] for part in parts)
    total["different"] = max(part["different"] for part in parts)
    return total


def doubt(counts: Mapping[str, float], intercept: float = 0.0) -> str:
    """Why values cannot be Hounsfield units; empty where they can.

    Args:
        counts: of `count_values`. intercept: the highest rescale intercept of the headers.
    """
    voxels = counts["voxels"]
    if not voxels:
        return f"no voxel lies above {PADDING_BELOW_HU}"
    if counts["highest"] > HIGHEST_HU:
        return f"values reach {counts['highest']:.0f}, beyond what any scanner writes: negative ones lost their sign"
    lowest, at_lowest = counts["lowest"], counts["at_lowest"]
    is_cut_off = at_lowest > MANY_AT_LOWEST * voxels and counts["different"] >= FEWEST_VALUES
    if counts["shifted"] > max(MANY_SHIFTED * voxels, MOST_SHIFTED * counts["above"]):
        part = counts["shifted"] / voxels
        low, high = SHIFTED_HU
        return f"{part:.0%} of the voxels lie from {low} to {high}, where soft tissue is when the offset -1024 is lost"
    if lowest >= LOWEST_MUST_BE_BELOW_HU:
        # The offset was applied, and air and fat may be outside of what was cut out.
        is_measured = lowest < 0 and counts["highest"] - lowest >= NARROWEST_HU
        has_offset = intercept <= HEADER_OFFSET_HU
        if (has_offset or is_measured) and counts["soft"] >= MOST_SOFT * voxels and not is_cut_off:
            return ""
        return f"no voxel lies below {LOWEST_MUST_BE_BELOW_HU} (windowed or scaled before?)"
    if lowest > WINDOW_ABOVE_HU and is_cut_off:
        part = at_lowest / voxels
        return f"{part:.0%} of the voxels have exactly the lowest value, {lowest:g}: a window cut off the rest"
    if counts["soft"] < FEWEST_SOFT * voxels:
        low, high = SOFT_TISSUE_HU
        return f"only {counts['soft'] / voxels:.1%} of the voxels lie from {low} to {high}, where soft tissue is"
    return ""


def check_neighbours(voxels: np.ndarray) -> None:
    """Raise SeriesError where a slice of a CT, (z, y, x), lies as far from the next one as an offset that was lost, or
    holds no soft tissue where slices on both sides of it do.

    Slices of one value, which hold nothing but padding, are no neighbours.
    """
    if min(voxels.shape[1:]) >= LARGE_SLICE:
        voxels = voxels[:, ::EVERY_PIXEL, ::EVERY_PIXEL]
    wide = np.int32 if voxels.dtype == np.int16 else np.float64
    for number, (below, above) in enumerate(pairwise(voxels), 1):
        # Half of the jumps are as far as the one in the middle; most slices are done with here.
        far = np.abs(np.subtract(above, below, dtype=wide)) >= OFFSET_HU - OFF_IN_THE_MIDDLE
        if 2 * np.count_nonzero(far) < (1 - MOST_EQUAL) * below.size - 1:
            continue
        if below.min() == below.max() or above.min() == above.max():
            continue
        jumps = above.astype(np.float64) - below
        jumps = jumps[jumps != 0]
        if jumps.size < (1 - MOST_EQUAL) * below.size:
            continue
        low, middle, high = np.abs(np.percentile(jumps, [10, 50, 90]))
        off = np.abs(np.array([low, middle, high]) - OFFSET_HU)
        if off[1] < OFF_IN_THE_MIDDLE and off.max() < OFF_AT_THE_ENDS:
            raise SeriesError(
                f"is no CT in Hounsfield units throughout: slice {number + 1} lies {middle:.0f} "
                f"{'above' if np.median(jumps) > 0 else 'below'} slice {number} nearly everywhere, as where the offset "
                "of one of them was lost or applied twice",
                REMEDY,
            )
    soft = ((voxels >= SOFT_TISSUE_HU[0]) & (voxels <= SOFT_TISSUE_HU[1])).mean(axis=(1, 2))
    inside = np.flatnonzero(soft > MUCH_SOFT)
    empty = [k for k in np.flatnonzero(soft < FEWEST_SOFT) if len(inside) and inside[0] < k < inside[-1]]
    if empty:
        raise SeriesError(
            f"is no CT in Hounsfield units throughout: slice {empty[0] + 1} of {len(voxels)} holds no soft tissue, and "
            "slices on both sides of it do",
            REMEDY,
        )


def check_hounsfield(reason: str, of_slices: str = "") -> None:
    """Raise SeriesError where there is a reason, of `doubt`, that a CT is not in Hounsfield units.

    Args:
        of_slices: which slices of a series it is true of; empty for all.
    """
    if reason:
        raise SeriesError(f"{of_slices}is no CT in Hounsfield units: {reason}", REMEDY)
