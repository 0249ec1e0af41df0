"""Whether the outlines of an RTSTRUCT are whole and lie on the slices of an image, from their summaries alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from hcc_recurrence.cohort.mask_shapes import SAME_LESION
from hcc_recurrence.cohort.masks import MaskError
from hcc_recurrence.cohort.outlines import CLOSED, XOR, plane_axes

# An outline may rise through its slice by this fraction of a slice, lie this far from the middle of it, and this far
# from others of the slice: positions are rounded to 0.1 mm.
TILT_SLICES = OFF_SLICES = HEIGHT_SLICES = 0.25
# Two XOR outlines whose boxes and areas differ by less are one that stands twice.
SAME_BOX_MM, SAME_AREA = 0.25, 0.02
# Cosine from which on two axes are parallel.
ALONG_AXES = 0.999
REDRAW = "draw or export the outlines on this series"


def check_outlines(roi: Mapping[str, Any], image: Mapping[str, Any]) -> None:
    """Raise MaskError unless the outlines of an ROI are closed and lie on slices of the image, without one missing.

    Args:
        roi: of `summarise_roi`. image: geometry.

    A slice without outline between two that hold outlines of the same lesion is refused: what the reader meant between
    them nobody knows. Two lesions above each other are told by their boxes.
    """
    _check_kinds(roi)
    heights = _places_of(roi, image)
    slices, depth = np.rint(heights).astype(int), image["size"][2]
    beyond = int(((slices < 0) | (slices >= depth)).sum())
    if beyond:
        raise MaskError(
            f"ROI {roi['name']!r} reaches beyond the image ({beyond} of {len(slices)} outlines lie above or below its "
            f"{depth} slices)",
            "correct the path in the series or masks sheet, or export the whole series",
        )
    off = heights - slices
    # Of outlines in the order of their heights: neighbours in one slice that lie apart.
    order = np.argsort(heights)
    apart = np.diff(heights[order])[np.diff(slices[order]) == 0]
    if max(off.max(), -off.min()) > OFF_SLICES:
        _refuse_heights(roi, f"by up to {np.abs(off).max():.2f} of a slice")
    if len(apart) and apart.max() > HEIGHT_SLICES:
        _refuse_heights(roi, f"several heights, {apart.max():.2f} of a slice apart")
    by_slice: dict[int, list[int]] = defaultdict(list)
    for number, place in enumerate(slices.tolist()):
        by_slice[place].append(number)
    if XOR in roi["kinds"]:
        _check_cancelled(roi, by_slice)
    _check_gaps(roi, by_slice)


def _refuse_heights(roi: Mapping[str, Any], how: str) -> None:
    raise MaskError(f"ROI {roi['name']!r} has outlines between the image's slices ({how})", REDRAW)


def _check_cancelled(roi: Mapping[str, Any], by_slice: Mapping[int, Sequence[int]]) -> None:
    for place, numbers in sorted(by_slice.items()):
        for first, second in combinations([roi["outlines"][number] for number in numbers], 2):
            same_box = np.abs(np.subtract(first, second))[2:6].max() < SAME_BOX_MM
            if same_box and abs(first[6] - second[6]) < SAME_AREA * first[6]:
                raise MaskError(
                    f"ROI {roi['name']!r} has an {XOR} outline twice, which cancel each other out (slice {place + 1})",
                    "delete one of them, and export it again",
                )


def _check_kinds(roi: Mapping[str, Any]) -> None:
    kinds = {kind: number for kind, number in roi["kinds"].items() if kind != "POINT"}
    unknown = {kind: number for kind, number in kinds.items() if kind not in (CLOSED, XOR)}
    if unknown:
        found = ", ".join(f"{number} {kind}" for kind, number in sorted(unknown.items()))
        raise MaskError(f"ROI {roi['name']!r} has outlines that are not closed ({found})", "close them, or delete them")
    if len(kinds) > 1:
        raise MaskError(
            f"ROI {roi['name']!r} has outlines of the kinds {CLOSED} and {XOR}, whose sum is not defined",
            "export it again with one kind",
        )
    if not roi["outlines"]:
        what = "nothing but points" if roi["kinds"] else "no outline"
        raise MaskError(f"ROI {roi['name']!r} is empty: it has {what}", "check that the right file was saved")


def _places_of(roi: Mapping[str, Any], image: Mapping[str, Any]) -> np.ndarray:
    """Where the outlines lie, in slices of the image, the first being 0; refuses those that leave their slice."""
    rows, normal = np.array(roi["outlines"]), np.array(roi["normal"])
    own, thickness = np.array(image["direction"]).reshape(3, 3), image["spacing"][2]
    along = float(normal @ own[:, 2])
    tilt = np.sqrt(max(0.0, 1 - along * along))
    extent = np.hypot(rows[:, 3] - rows[:, 2], rows[:, 5] - rows[:, 4])
    if (rows[:, 1] + tilt * extent).max() > TILT_SLICES * thickness:
        raise MaskError(f"ROI {roi['name']!r} has outlines that are not parallel to the image's slices", REDRAW)
    u, v = plane_axes(normal)
    # Directions of the ROI, in voxels of the image: along the normal, and the two in its plane.
    turned = (np.array([normal, u, v]) @ own) / image["spacing"]
    first = (np.array(image["origin"]) @ own) / image["spacing"]
    middle = np.column_stack([rows[:, 0], (rows[:, 2] + rows[:, 3]) / 2, (rows[:, 4] + rows[:, 5]) / 2])
    index = middle @ turned - first
    # Boxes that stand askew to the slices reach farther than the outlines.
    if np.abs(own[:, :2].T @ u).max() > ALONG_AXES:
        half = np.column_stack([rows[:, 3] - rows[:, 2], rows[:, 5] - rows[:, 4]]) / 2 @ np.abs(turned[1:, :2])
        if (index[:, :2] - half).min() < -1 or (index[:, :2] + half - image["size"][:2]).max() > 0:
            raise MaskError(
                f"ROI {roi['name']!r} reaches beyond the sides of the image's slices",
                "correct the path in the series or masks sheet, or export the series with its whole field of view",
            )
    return index[:, 2]


def _check_gaps(roi: Mapping[str, Any], by_slice: Mapping[int, Sequence[int]]) -> None:
    rows, places = roi["outlines"], sorted(by_slice)
    empty: list[int] = []
    for below, above in pairwise(places):
        if above - below > 1 and any(
            _of_one_lesion(rows[i], rows[j]) for i in by_slice[below] for j in by_slice[above]
        ):
            empty += range(below + 1, above)
    if not empty:
        return
    steps = set(np.diff(places))
    pattern = f"; it has one on every {places[1] - places[0]} slices only" if len(steps) == 1 else ""
    shown = ", ".join(str(k + 1) for k in empty[:8]) + (", ..." if len(empty) > 8 else "")
    raise MaskError(
        f"ROI {roi['name']!r} has slices without outline between outlines of the same lesion "
        f"({len(empty)}: {shown}, counted from the first position{pattern})",
        "draw or interpolate the outlines of these slices in the program that drew the others and export again; two "
        "separate lesions one above the other are an ROI each, joined by a pattern in the column label",
    )


def _of_one_lesion(first: Sequence[float], second: Sequence[float]) -> bool:
    sides = [(min(first[k + 1], second[k + 1]) - max(first[k], second[k])) for k in (2, 4)]
    smaller = min((row[3] - row[2]) * (row[5] - row[4]) for row in (first, second))
    return min(sides) > 0 and sides[0] * sides[1] >= SAME_LESION * smaller
