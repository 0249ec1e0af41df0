"""Outlines of an RTSTRUCT: filled slice by slice, joined as DICOM means them, and checked against the image's slices.

A voxel is inside a closed outline where its centre is, by the outline's winding number; the polygons of scikit-image
know even and odd alone, and those of shapely take no outline that crosses itself. Several closed outlines of one slice
are (DICOM PS3.3, C.8.8.6):

- CLOSEDPLANAR_XOR: a voxel is inside where it is inside an odd number of them;
- CLOSED_PLANAR: outlines of their own, joined; one that lies wholly inside another is a hole in it, one wholly inside
  the hole an island, and so on. Readers write it so, though the standard leaves it open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from pydicom import Dataset

CLOSED, XOR = "CLOSED_PLANAR", "CLOSEDPLANAR_XOR"
# Two outlines nowhere farther from each other than this, in pixels, are one that was stored twice.
COPY_PIXELS = 0.5
# An outline that leaves another by less than this, in pixels, lies inside it: coordinates are rounded.
TOUCH_PIXELS = 0.1


class Outline(NamedTuple):
    """One contour: its ContourGeometricType, and its points in LPS mm, (point, 3)."""

    kind: str
    points: np.ndarray


class Roi(NamedTuple):
    """One ROI of a structure set."""

    name: str
    outlines: list[Outline]


def rois_of(data: Dataset) -> list[Roi]:
    """The ROIs of a structure set, in its order; two of one name stay two."""
    names = {int(r.ROINumber): str(r.get("ROIName", "")) for r in data.StructureSetROISequence}
    outlines: dict[int, list[Outline]] = {number: [] for number in names}
    for roi in data.get("ROIContourSequence") or []:
        for contour in roi.get("ContourSequence") or []:
            points = np.array(contour.get("ContourData") or [], float).reshape(-1, 3)
            outlines[int(roi.ReferencedROINumber)].append(Outline(str(contour.ContourGeometricType), points))
    return [Roi(names[number], own) for number, own in outlines.items()]


def area_vector(points: np.ndarray) -> np.ndarray:
    """Normal of a closed outline, as long as its area in mm2; 0 for a point or a line."""
    return np.cross(points - points[:1], np.roll(points, -1, axis=0) - points[:1]).sum(axis=0) / 2


def has_area(outline: Outline) -> bool:
    """Whether an outline is closed and holds anything: a closed one of one or two points does not."""
    closed = outline.kind in (CLOSED, XOR) and len(outline.points) > 2
    return closed and float(np.linalg.norm(area_vector(outline.points))) > 1e-3


def summarise_roi(roi: Roi) -> dict[str, Any]:
    """What can be said of an ROI before its image is known, short enough for the cache of facts.

    Returns: `name`; `kinds`, how many contours of each; `area_mm2`, of all outlines, holes included; `normal` of their
        planes; `outlines`, one row each, in mm: place along the normal, thickness along it, and the box in the
        plane's axes (`plane_axes`).
    """
    kinds: dict[str, int] = defaultdict(int)
    for outline in roi.outlines:
        kinds[outline.kind] += 1
    drawn = [outline.points for outline in roi.outlines if has_area(outline)]
    summary = {"name": roi.name, "kinds": dict(kinds), "area_mm2": 0.0, "normal": [0.0, 0.0, 1.0], "outlines": []}
    if not drawn:
        return summary
    vectors = np.array([area_vector(points) for points in drawn])
    first = vectors[np.argmax(np.linalg.norm(vectors, axis=1))]
    # Outlines may run either way round.
    total = (vectors * np.where(vectors @ first < 0, -1, 1)[:, None]).sum(axis=0)
    normal = total / np.linalg.norm(total)
    along, across = plane_axes(normal)
    for points in drawn:
        heights, u, v = points @ normal, points @ along, points @ across
        row = [heights.mean(), np.ptp(heights), u.min(), u.max(), v.min(), v.max()]
        summary["outlines"].append([round(float(value), 4) for value in row])
    summary["normal"] = [float(n) for n in normal]
    summary["area_mm2"] = float(np.linalg.norm(vectors, axis=1).sum())
    return summary


def plane_axes(normal: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Two unit vectors in the plane of a normal, the same for the same normal."""
    normal = np.asarray(normal, float)
    along = np.cross(np.eye(3)[np.argmin(np.abs(normal))], normal)
    along /= np.linalg.norm(along)
    return along, np.cross(normal, along)


def fill_outline(points: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Pixels (y, x) whose centres are inside one closed outline; bool.

    Inside is where the outline winds round (winding number not 0): the overlap of an outline that runs past its own
    beginning is no hole, and a hole that a narrow channel joins to the outer outline (keyhole) winds back to 0. Where
    the channel is one line, passed there and back, rings that run the same way are told by even and odd.

    Args:
        points: (point, 2) as x, y in pixels. A centre on the outline counts on the left and upper side only, so that
            areas are right on average.
    """
    rows, columns = shape
    start, end = points, np.roll(points, -1, axis=0)
    first = np.clip(np.ceil(np.minimum(start[:, 1], end[:, 1])), 0, rows).astype(int)
    stop = np.clip(np.ceil(np.maximum(start[:, 1], end[:, 1])), 0, rows).astype(int)
    count = stop - first
    edge = np.repeat(np.arange(len(points)), count)
    row = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    (x0, y0), (x1, y1) = start[edge].T, end[edge].T
    column = np.clip(np.ceil(x0 + (row - y0) * (x1 - x0) / (y1 - y0)), 0, columns).astype(int)
    turns = np.zeros((rows, columns + 1), np.int32)
    np.add.at(turns, (row, column), 1 if _is_bridged(points) else np.where(y1 > y0, 1, -1))
    winding = np.cumsum(turns, axis=1)[:, :-1]
    return winding % 2 == 1 if _is_bridged(points) else winding != 0


def _is_bridged(points: np.ndarray) -> bool:
    """Whether a closed outline passes one of its edges in both directions, as the channel of a keyhole is."""
    places = [tuple(p) for p in points.round(4).tolist()]
    edges = {(a, b) for a, b in zip(places, [*places[1:], places[0]], strict=True) if a != b}
    return any((b, a) in edges for a, b in edges)


def join_outlines(outlines: Sequence[np.ndarray], shape: tuple[int, int], xor: bool = False) -> np.ndarray:
    """Pixels (y, x) of all closed outlines of one slice, by the rules at the head of this module; bool.

    Args:
        outlines: (point, 2) as x, y in pixels. xor: they are CLOSEDPLANAR_XOR.
    """
    if xor:
        return np.logical_xor.reduce([np.zeros(shape, bool), *(fill_outline(points, shape) for points in outlines)])
    levels: list[np.ndarray] = []
    members: list[list[np.ndarray]] = []
    # From the largest: what lies inside another comes after it.
    for points in sorted(_without_copies(outlines), key=_area, reverse=True):
        filled, level = fill_outline(points, shape), 0
        while level < len(levels) and not (filled & ~levels[level]).any() and _lies_in(points, members[level]):
            level += 1
        if level == len(levels):
            levels.append(np.zeros(shape, bool))
            members.append([])
        levels[level] |= filled
        members[level].append(points)
    inside = np.zeros(shape, bool)
    for level, filled in enumerate(levels):
        inside = inside & ~filled if level % 2 else inside | filled
    return inside


def has_copies(outlines: Sequence[np.ndarray]) -> bool:
    """Whether one of the outlines of a slice stands twice."""
    return len(_without_copies(outlines)) < len(outlines)


def _area(points: np.ndarray) -> float:
    x, y = points.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def _without_copies(outlines: Sequence[np.ndarray]) -> list[np.ndarray]:
    kept: list[np.ndarray] = []
    for points in outlines:
        if not any(_are_copies(points, other) for other in kept):
            kept.append(points)
    return kept


def _are_copies(points: np.ndarray, other: np.ndarray) -> bool:
    corners = (np.concatenate([p.min(axis=0), p.max(axis=0)]) for p in (points, other))
    if np.abs(np.subtract(*corners)).max() > COPY_PIXELS:
        return False
    return max(distances_to(points, other).max(), distances_to(other, points).max()) <= COPY_PIXELS


def distances_to(points: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """How far each point is from the nearest edge of a closed outline; all in pixels, (point, 2)."""
    step = np.roll(outline, -1, axis=0) - outline
    length = np.maximum((step**2).sum(axis=1), 1e-12)
    offset = points[:, None] - outline[None]
    fraction = np.clip((offset * step).sum(axis=2) / length, 0, 1)
    return np.sqrt(((offset - fraction[..., None] * step) ** 2).sum(axis=2)).min(axis=1)


def _lies_in(points: np.ndarray, outlines: Sequence[np.ndarray]) -> bool:
    """Whether every point is inside one of some outlines, or as good as on it."""
    inside = np.zeros(len(points), bool)
    for outline in outlines:
        (x0, y0), (x1, y1) = outline.T, np.roll(outline, -1, axis=0).T
        x, y = points[:, :1], points[:, 1:]
        passes = (y0 <= y) != (y1 <= y)
        with np.errstate(divide="ignore", invalid="ignore"):
            right = x < x0 + (y - y0) * (x1 - x0) / (y1 - y0)
        inside |= (passes & right).sum(axis=1) % 2 == 1
        inside |= distances_to(points, outline) <= TOUCH_PIXELS
    return bool(inside.all())
