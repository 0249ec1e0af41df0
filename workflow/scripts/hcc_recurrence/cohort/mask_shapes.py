"""How far the tumour of a mask reaches, before any image is read: to compare with the diameter in the patients sheet.

Two bounds of the largest lesion's diameter cost next to nothing: it is at least the longest row of voxels without a gap
in the largest slice, and at most the diagonal of the box around all that is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from hcc_recurrence.cohort.masks import MaskError

# A diameter this many times beyond the bounds is another unit or another patient's: measures of one lesion on other
# phases, in other planes or in the specimen differ by less.
DIAMETER_RATIO = 3.0
# So many slices are a pattern and no chance.
FEWEST_SLICES = 3
# Sections of two slices are of one lesion where their boxes share this fraction of the smaller one.
SAME_LESION = 0.5
# Slices are thicker than pixels are wide by more than this factor, or nothing tells which axis runs through them.
CLEARLY_LARGER = 1.2


def shape_of(region: np.ndarray, spacing: Sequence[float], first: Sequence[int] = (0, 0, 0)) -> dict[str, Any]:
    """Extents of a part of a mask.

    Args:
        region: (z, y, x) bool, not empty. spacing: mm along z, y, x. first: index of its first voxel in the mask.

    Returns: `box`, mm along the mask's own axes, [first, last] for z, y, x; `run`, mm, the longest row of voxels in its
        largest slice; `every`, n where along some axis it has voxels on every n-th slice only, 1 otherwise; `gaps`, the
        indices of slices that `slices_left_out` finds.
    """
    box, every, gaps = [], 1, []
    across = slice_axis(spacing)
    for axis, (step, start) in enumerate(zip(spacing, first, strict=True)):
        filled = np.flatnonzero(region.any(axis=tuple(a for a in range(3) if a != axis)))
        if axis == across and (np.diff(filled) == 2).any():
            sections = [box_of(np.take(region, place, axis)) for place in filled]
            gaps = [int(place + start) for place in slices_left_out(filled, sections)]
        box += [float((filled[0] + start) * step), float((filled[-1] + 1 + start) * step)]
        every = max(every, regular_step(filled))
    plane = region[int(np.argmax(region.sum(axis=(1, 2))))]
    run = max(longest_run(plane.T) * spacing[1], longest_run(plane) * spacing[2])
    return {"box": [round(edge, 3) for edge in box], "run": round(float(run), 3), "every": every, "gaps": gaps}


def slice_axis(spacing: Sequence[float]) -> int:
    """Which of z, y, x runs through the slices: the one with clearly larger steps, else z, as programs save it."""
    order = np.argsort(spacing)
    return int(order[-1]) if spacing[order[-1]] > CLEARLY_LARGER * spacing[order[-2]] else 0


def box_of(section: np.ndarray) -> list[int]:
    """First and last-plus-one row and column of what a section (bool, not empty) holds."""
    rows, columns = np.flatnonzero(section.any(axis=1)), np.flatnonzero(section.any(axis=0))
    return [int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1]


def slices_left_out(filled: Sequence[int], sections: Sequence[Sequence[int]]) -> list[int]:
    """Single empty slices between two that hold the same lesion: their boxes share half of the smaller one.

    Of a lesion cut in two so the larger half alone would be taken for the tumour. Two and more empty slices are taken
    for two lesions.

    Args:
        filled: indices of the slices that hold anything, rising. sections: `box_of` each.
    """
    found = []
    for (below, one), (above, other) in pairwise(zip(filled, sections, strict=True)):
        shared = [min(one[k + 1], other[k + 1]) - max(one[k], other[k]) for k in (0, 2)]
        smaller = min((box[1] - box[0]) * (box[3] - box[2]) for box in (one, other))
        if above - below == 2 and min(shared) > 0 and shared[0] * shared[1] >= SAME_LESION * smaller:
            found.append(int(below) + 1)
    return found


def regular_step(places: np.ndarray) -> int:
    """The distance between whole numbers in rising order, where it is the same throughout; 1 where not."""
    steps = np.diff(places)
    regular = len(places) >= FEWEST_SLICES and (steps == steps[0]).all()
    return int(steps[0]) if regular else 1


def longest_run(plane: np.ndarray) -> int:
    """Most True values in a row, along the last axis of (y, x)."""
    padded = np.pad(plane, ((0, 0), (1, 1))).ravel().astype(np.int8)
    edges = np.diff(padded)
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return int((ends - starts).max(initial=0))


def bounds_of_diameter(shapes: Iterable[Mapping[str, Any]]) -> tuple[float, float]:
    """Least and greatest diameter in mm that the largest lesion of some parts of a mask, taken together, can have."""
    parts = list(shapes)
    boxes = np.array([part["box"] for part in parts])
    extent = boxes[:, 1::2].max(axis=0) - boxes[:, ::2].min(axis=0)
    return max(part["run"] for part in parts), float(np.linalg.norm(extent))


def check_diameter(shapes: Iterable[Mapping[str, Any]], diameter_mm: float, cell: str) -> None:
    """Raise MaskError where the diameter of the sheet cannot be that of the tumour in the mask.

    Args:
        shapes: of the parts of the mask that are the tumour. cell: where the diameter stands, with what it says.
    """
    least, most = bounds_of_diameter(shapes)
    if least / DIAMETER_RATIO <= diameter_mm <= most * DIAMETER_RATIO:
        return
    raise MaskError(
        "holds a tumour of another size than the patients sheet says "
        f"({least:.0f} to {most:.0f} mm in the mask, {diameter_mm:g} mm in the sheet, {cell})",
        "correct the cell, the unit of the variable in the config (mm or cm), or the mask's path or label",
    )
