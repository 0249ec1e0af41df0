"""Whether every other slice of a stack is of another image, by its voxels: two phases half a step apart.

Headers that were lost, or slices that were numbered anew, tell nothing of it. In one acquisition neighbours are more
alike than slices two apart; where two phases take turns, slices two apart are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hcc_recurrence.cohort.dicom_headers import facts_without_hash
from hcc_recurrence.cohort.hounsfield import SOFT_TISSUE_HU
from hcc_recurrence.cohort.slice_pixels import slice_values
from hcc_recurrence.cohort.stack_parts import SeriesError, Slice

# Slices in the middle of a stack that are looked at; of fewer than the least chance decides.
LOOKED_AT, LEAST = 15, 9
# Blocks along each side of a slice: their means hold little noise.
BLOCKS = 24
# Neighbours differ so many times as much as slices two apart. Of 52 real series (a CT of 5 mm, 51 T1-weighted MR) it is
# 0.50 to 0.67 in any 15 slices, and 0.71 at most where two of three slices are left out; of noise alone 0.95 to 1.05.
# Where odd slices of that CT are unenhanced (2.5 mm apart or 5) it is 1.4 and more, and 1.1 and more where they moved
# by 5 mm besides; arterial and portal phases of a weak contrast, in one place, lie below and stay unseen. Of the MR,
# odd slices that are a fifth brighter give 1.6, and a twentieth, as slices that disturb each other do, 0.69.
MUCH = 1.1
REMEDY = (
    "look at it from the side: where two phases take turns, export each as a series of its own, or name one in the "
    "column part; slices of one acquisition that were taken in turns, every other one first, may look so when the "
    "patient moved or breathed between"
)


def neighbours_to_next(slices: Sequence[np.ndarray], is_ct: bool) -> float:
    """How much neighbours differ, in mean absolute difference, for what slices two apart do: the median over slices.

    Args:
        slices: of `block_means`, in order. is_ct: values are HU, of which those of soft tissue count.

    Returns: 0 where there are too few slices, or all are alike.
    """
    if len(slices) < LEAST:
        return 0.0
    means = np.stack(slices).astype(float)
    if is_ct:
        means = np.clip(means, *SOFT_TISSUE_HU)
    near, two_apart = (np.abs(means[n:] - means[:-n]).mean(axis=(1, 2)) for n in (1, 2))
    beside = (near[1:] + near[:-1]) / 2
    # Slices that are copies of each other, as of a phantom, do not count.
    some = two_apart > 0
    return round(float(np.median(beside[some] / two_apart[some])), 3) if some.any() else 0.0


def block_means(values: np.ndarray) -> np.ndarray:
    """Means of blocks of a slice (rows, columns); the slice itself where it is smaller."""
    rows, columns = (max(1, n // BLOCKS) for n in values.shape)
    height, width = (n // step for n, step in zip(values.shape, (rows, columns), strict=True))
    whole = values[: height * rows, : width * columns].astype(np.float32)
    return whole.reshape(height, rows, width, columns).mean(axis=(1, 3))


def middle_slices(number: int) -> range:
    """Which of so many slices are looked at."""
    first = max(0, (number - LOOKED_AT) // 2)
    return range(first, min(number, first + LOOKED_AT))


def means_of_file(file: Path) -> np.ndarray | None:
    """`block_means` of the one image of a DICOM file; None where it cannot be decoded."""
    headers = facts_without_hash(file)["headers"]
    return means_of_slice(Slice(file, "", -1, headers[0])) if headers else None


def means_of_slice(one: Slice) -> np.ndarray | None:
    """`block_means` of an image of a series; None where it cannot be decoded, which whoever reads it says."""
    try:
        return block_means(slice_values(one)[0])
    except SeriesError:
        return None


def alternation_of_volume(voxels: np.ndarray, is_ct: bool) -> float:
    """`neighbours_to_next` of an image of axial slices, (z, y, x)."""
    return neighbours_to_next([block_means(voxels[k]) for k in middle_slices(len(voxels))], is_ct)


def said_of(ratio: float) -> str:
    """What `neighbours_to_next` tells; empty where slices follow each other as they should."""
    if ratio <= MUCH:
        return ""
    return (
        f"every other slice differs from those between: neighbours differ {ratio:.1f} times as much as slices two "
        "apart (0.5 to 0.7 in one acquisition), as where slices of two phases take turns"
    )
