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
# A centre nearer to an outline than this lies on it: coordinates in mm have two or three decimals.
ON_OUTLINE_PIXELS = 0.02


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
            # Outlines of a number without a name belong to no ROI that a sheet could mean.
            if int(roi.ReferencedROINumber) in outlines:
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
        planes; `outlines`, one row each, in mm: place along the normal, thickness along it, the box in the plane's
        axes (`plane_axes`), and the area in mm2.
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
    for points, area in zip(drawn, np.linalg.norm(vectors, axis=1), strict=True):
        heights, u, v = points @ normal, points @ along, points @ across
        row = [heights.mean(), np.ptp(heights), u.min(), u.max(), v.min(), v.max(), area]
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


class Filled(NamedTuple):
    """Pixels (y, x) whose centres are inside a closed outline, and those whose centres it passes through; bool."""

    inside: np.ndarray
    passed: np.ndarray

    @property
    def closed(self) -> np.ndarray:
        """Inside, and on the outline."""
        return self.inside | self.passed

    @property
    def open(self) -> np.ndarray:
        """Inside, and not on the outline."""
        return self.inside & ~self.passed


def fill_outline(points: np.ndarray, shape: tuple[int, int]) -> Filled:
    """Fill one closed outline, (point, 2) as x, y in pixels.

    Inside is where the outline winds round (winding number not 0): the overlap of an outline that runs past its own
    beginning is no hole, and a hole that a narrow channel joins to the outer outline (keyhole) winds back to 0. Where
    the channel is one line, passed there and back, rings that run the same way are told by even and odd.

    Programs that trace a mask draw through the centres of its outermost voxels, or around them; those on an outline
    are told apart, so that both come back as they were.
    """
    rows, columns = shape
    start, end = points, np.roll(points, -1, axis=0)
    first = np.clip(np.ceil(np.minimum(start[:, 1], end[:, 1])), 0, rows).astype(int)
    stop = np.clip(np.ceil(np.maximum(start[:, 1], end[:, 1])), 0, rows).astype(int)
    edge, row = _lines(first, stop)
    (x0, y0), (x1, y1) = start[edge].T, end[edge].T
    column = np.clip(np.ceil(x0 + (row - y0) * (x1 - x0) / (y1 - y0)), 0, columns).astype(int)
    turns = np.zeros((rows, columns + 1), np.int32)
    bridged = _is_bridged(points)
    np.add.at(turns, (row, column), 1 if bridged else np.where(y1 > y0, 1, -1))
    winding = np.cumsum(turns, axis=1)[:, :-1]
    return Filled(winding % 2 == 1 if bridged else winding != 0, _passed(points, shape))


def _lines(first: np.ndarray, stop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The whole numbers from `first` to before `stop` of each edge: the edges' numbers, and the numbers themselves."""
    count = np.maximum(stop - first, 0)
    edge = np.repeat(np.arange(len(first)), count)
    return edge, np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[edge]


def _passed(points: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Pixels (y, x) whose centres a closed outline passes through."""
    passed = np.zeros(shape, bool)
    step = np.roll(points, -1, axis=0) - points
    for axis in (0, 1):
        # Along the steeper axis each edge is met at whole numbers.
        steep = (np.abs(step[:, axis]) > np.abs(step[:, 1 - axis])) | (
            (axis == 0) & (np.abs(step[:, 0]) == np.abs(step[:, 1]))
        )
        start, own = points[steep], step[steep]
        low = np.minimum(start[:, axis], start[:, axis] + own[:, axis])
        high = np.maximum(start[:, axis], start[:, axis] + own[:, axis])
        edge, line = _lines(
            np.ceil(low - ON_OUTLINE_PIXELS).astype(int), np.floor(high + ON_OUTLINE_PIXELS).astype(int) + 1
        )
        length = own[edge, axis]
        along = np.clip((line - start[edge, axis]) / np.where(length == 0, 1, length), 0, 1)
        across = start[edge, 1 - axis] + along * own[edge, 1 - axis]
        near = np.rint(across).astype(int)
        met = np.abs(across - near) <= ON_OUTLINE_PIXELS
        x, y = (line, near) if axis == 0 else (near, line)
        met &= (x >= 0) & (x < shape[1]) & (y >= 0) & (y < shape[0])
        passed[y[met], x[met]] = True
    return passed


def _is_bridged(points: np.ndarray) -> bool:
    """Whether a closed outline passes one of its edges in both directions, as the channel of a keyhole is."""
    places = [tuple(p) for p in points.round(4).tolist()]
    edges = {(a, b) for a, b in zip(places, [*places[1:], places[0]], strict=True) if a != b}
    return any((b, a) in edges for a, b in edges)


def join_outlines(outlines: Sequence[np.ndarray], shape: tuple[int, int], xor: bool = False) -> np.ndarray:
    """Pixels (y, x) of all closed outlines of one slice, by the rules at the head of this module; bool.

    A centre on an outline is inside: on that of a hole it belongs to what is around the hole.

    Args:
        outlines: (point, 2) as x, y in pixels. xor: they are CLOSEDPLANAR_XOR.
    """
    inside = np.zeros(shape, bool)
    if xor:
        drawn = [fill_outline(points, shape) for points in outlines]
        for one in drawn:
            inside ^= one.inside
        return np.logical_or.reduce([inside, *(one.passed for one in drawn)])
    levels: list[tuple[np.ndarray, np.ndarray, list[np.ndarray]]] = []
    # From the largest: what lies inside another comes after it.
    for points in sorted(_without_copies(outlines), key=_area, reverse=True):
        drawn, level = fill_outline(points, shape), 0
        while (
            level < len(levels) and not (drawn.closed & ~levels[level][0]).any() and _lies_in(points, levels[level][2])
        ):
            level += 1
        if level == len(levels):
            levels.append((np.zeros(shape, bool), np.zeros(shape, bool), []))
        levels[level][0][:] |= drawn.closed
        levels[level][1][:] |= drawn.open
        levels[level][2].append(points)
    for level, (closed, interior, _) in enumerate(levels):
        inside = inside & ~interior if level % 2 else inside | closed
    return inside


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
