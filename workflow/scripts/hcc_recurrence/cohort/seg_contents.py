"""How much of each segment a DICOM SEG holds, and whether its frames lie on the slices of an image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hcc_recurrence.cohort.mask_shapes import box_of, shape_of, slices_left_out
from hcc_recurrence.cohort.masks import (
    BETWEEN_VOXELS,
    GRID_TOLERANCE_VOXELS,
    MaskError,
    check_grid,
    tolerance_on,
)

if TYPE_CHECKING:
    from pydicom import Dataset

# Segmentations whose frames hold the segments' numbers.
LABEL_MAP_STORAGE = "1.2.840.10008.5.1.4.1.1.66.7"
# Cosines of two digits are no unit vectors by more than this, and off by no more than that.
SEEN_ROUNDING, ROUNDED_COSINES = 1e-4, 0.01


class Frame(NamedTuple):
    """Where a frame of a SEG lies: position, axes (x, y), place along its normal, spacing (z, y, x); mm."""

    position: np.ndarray
    axes: np.ndarray
    height: float
    spacing: list[float]


class Part:
    """A segment, frame by frame: its voxels, its frames, what any of them holds, and its largest section."""

    def __init__(self) -> None:
        self.voxels, self.largest_voxels = 0, 0
        self.frames: list[Frame | None] = []
        self.boxes: list[list[int]] = []
        self.drawn: np.ndarray | None = None
        self.largest: np.ndarray | None = None

    def add(self, frame: Frame | None, inside: np.ndarray) -> None:
        """A frame with the segment's pixels, bool; one that holds none is nothing."""
        voxels = int(np.count_nonzero(inside))
        if not voxels:
            return
        self.voxels += voxels
        self.frames.append(frame)
        self.boxes.append(box_of(inside))
        self.drawn = inside.copy() if self.drawn is None else np.logical_or(self.drawn, inside, out=self.drawn)
        if voxels > self.largest_voxels:
            self.largest_voxels, self.largest = voxels, inside

    def shape(self) -> dict[str, Any]:
        """As of `mask_shapes.shape_of`, with `step`, mm, where three or more frames lie at one distance."""
        drawn = [(round(frame.height, 3), box) for frame, box in zip(self.frames, self.boxes, strict=True)]
        sections = dict(sorted(drawn))
        heights = np.array(list(sections))
        spacing = self.frames[0].spacing
        steps = np.diff(heights)
        regular = len(steps) > 1 and float(np.ptp(steps)) < 0.02 * float(steps[0])
        # In steps of the smallest one: where all are larger, `step` tells.
        places = np.rint((heights - heights[0]) / steps.min(initial=np.inf)).astype(int)
        return {
            "box": [
                float(heights[0]),
                float(heights[-1] + spacing[0]),
                *shape_of(self.drawn[None], spacing)["box"][2:],
            ],
            "run": shape_of(self.largest[None], spacing)["run"],
            "every": 1,
            "step": float(steps[0]) if regular else 0.0,
            "gaps": slices_left_out(places, list(sections.values())),
        }


def seg_contents(data: Dataset) -> dict[str, Any]:
    """What a SEG holds, by the labels of its segments.

    Returns: `voxels` by label; where it is not empty also `shapes` by label (`Part.shape`), and `planes`, where the
        frames that hold anything lie (for `check_planes`).

    Raises: ValueError where frames and their descriptions differ in number, or a frame does not say where it lies.
    """
    parts = {name: Part() for name in _names(data).values()}
    for name, frame, inside in _sections(data):
        parts[name].add(frame, inside)
    contents: dict[str, Any] = {"voxels": {name: part.voxels for name, part in parts.items()}}
    drawn = [frame for part in parts.values() for frame in part.frames]
    if None in drawn:
        raise ValueError(f"{sum(f is None for f in drawn)} of its frames do not say where they lie")
    if drawn:
        contents["shapes"] = {name: part.shape() for name, part in parts.items() if part.frames}
        contents["planes"] = _planes(drawn, [int(data.Columns), int(data.Rows)])
    return contents


def seg_voxels(data: Dataset, names: Sequence[str], image: Mapping[str, Any]) -> np.ndarray:
    """The union of some segments on an image's own slices, (z, y, x), bool; of fractional ones at least one half.

    Each frame is laid on the slice that it lies nearest to, wherever the frames beside it lie: positions that a scanner
    or an archive rounded are no regular stack.

    Args:
        names: labels of segments. image: geometry.

    Raises: MaskError where a frame does not say where it lies, or lies between or beyond the slices.
    """
    size = np.array(image["size"])
    whole = np.zeros(size[::-1], bool)
    to_index = np.linalg.inv(np.array(image["direction"]).reshape(3, 3) * image["spacing"])
    for name, frame, inside in _sections(data):
        if name not in names or not inside.any():
            continue
        if frame is None:
            raise MaskError("has frames that do not say where they lie", "export it again with the place of each frame")
        rows, columns = np.nonzero(inside)
        along, down = _unrounded(frame.axes, image) * np.array([[frame.spacing[2]], [frame.spacing[1]]])
        first = to_index @ (frame.position - image["origin"])
        place = first + np.outer(columns, to_index @ along) + np.outer(rows, to_index @ down)
        index = np.rint(place).astype(int)
        if np.abs(place - index).max() > BETWEEN_VOXELS or (index < 0).any() or (index >= size).any():
            raise MaskError(
                "has frames between the image's voxels, or beyond them", "correct the path in the masks sheet"
            )
        whole[tuple(index.T[::-1])] = True
    return whole


def _names(data: Dataset) -> dict[int, str]:
    """Labels of the segments by their numbers, without the background of a label map, which is segment 0."""
    numbered = {int(s.SegmentNumber): str(s.get("SegmentLabel", "")) for s in data.SegmentSequence}
    return {number: name for number, name in numbered.items() if number}


def _sections(data: Dataset) -> Iterator[tuple[str, Frame | None, np.ndarray]]:
    """Each section of a segment: its label, where it lies, and which pixels (y, x) are inside.

    Raises: ValueError where frames and their descriptions differ in number.
    """
    names = _names(data)
    pixels, groups = data.pixel_array.reshape(-1, data.Rows, data.Columns), data.PerFrameFunctionalGroupsSequence
    if len(groups) != len(pixels):
        raise ValueError(f"it holds {len(pixels)} frames and describes {len(groups)}")
    shared = (data.get("SharedFunctionalGroupsSequence") or [{}])[0]
    label_map = data.SOPClassUID == LABEL_MAP_STORAGE or data.get("SegmentationType") == "LABELMAP"
    half = 0.5 * float(data.get("MaximumFractionalValue") or 1)
    for plane, frame, group in zip(pixels, _frames(groups, shared), groups, strict=True):
        if label_map:
            for number in np.flatnonzero(np.bincount(plane.ravel())).tolist():
                if number in names:
                    yield names[number], frame, plane == number
        else:
            about = group.get("SegmentIdentificationSequence") or shared.SegmentIdentificationSequence
            yield names[int(about[0].ReferencedSegmentNumber)], frame, plane >= half


def _frames(groups: Sequence[Any], shared: Any) -> list[Frame | None]:
    """Where the frames lie, from their own and the shared functional groups; None where they do not say, or have no
    pixel spacing."""

    def of(group: Any, tag: str) -> Any:
        return (group.get(tag) or shared.get(tag) or [{}])[0]

    found: list[Frame | None] = []
    known: dict[tuple[float, ...], tuple[np.ndarray, np.ndarray]] = {}
    for group in groups:
        position, plane = of(group, "PlanePositionSequence"), of(group, "PlaneOrientationSequence")
        measures = of(group, "PixelMeasuresSequence")
        numbers = (position.get("ImagePositionPatient"), plane.get("ImageOrientationPatient"))
        if [len(n or []) for n in (*numbers, measures.get("PixelSpacing"))] != [3, 6, 2]:
            found.append(None)
            continue
        cosines = tuple(map(float, plane.ImageOrientationPatient))
        if cosines not in known:
            axes = np.array(cosines).reshape(2, 3)
            known[cosines] = axes, np.cross(*axes)
        axes, normal = known[cosines]
        place = np.array(position.ImagePositionPatient, float)
        rows, columns = measures.PixelSpacing
        spacing = [float(measures.get("SliceThickness") or 1.0), float(rows), float(columns)]
        found.append(Frame(place, axes, float(normal @ place), spacing))
    return found


def _planes(frames: Sequence[Frame], size: list[int]) -> dict[str, Any]:
    """Size, spacing and axes of the frames (x, y), the positions of the lowest and the highest, and all heights, mm."""
    ends = [min(frames, key=lambda f: f.height), max(frames, key=lambda f: f.height)]
    return {
        "size": size,
        "spacing": ends[0].spacing[:0:-1],
        "axes": ends[0].axes.ravel().tolist(),
        "ends": [end.position.tolist() for end in ends],
        "heights": sorted({round(frame.height, 4) for frame in frames}),
    }


def _unrounded(axes: np.ndarray, image: Mapping[str, Any]) -> np.ndarray:
    """Axes of frames, (2, 3); those of the image where they are the same and were rounded to a few digits."""
    own = np.array(image["direction"]).reshape(3, 3)[:, :2].T
    was_rounded = np.abs(axes @ axes.T - np.eye(2)).max() > SEEN_ROUNDING
    return own if was_rounded and np.abs(axes - own).max() < ROUNDED_COSINES else axes


def check_planes(planes: Mapping[str, Any], image: Mapping[str, Any], tolerance: float = GRID_TOLERANCE_VOXELS) -> None:
    """Raise MaskError unless the frames of a SEG lie on slices of the image, pixel on pixel.

    Args:
        planes: of `seg_contents`. image: geometry. tolerance: by how much of a voxel they may be off; where positions
            of the image are rounded, those of the frames are as well, and may be off by as much more.
    """
    along, down = _unrounded(np.array(planes["axes"]).reshape(2, 3), image)
    normal = np.cross(along, down)
    own = np.array(image["direction"]).reshape(3, 3)
    thickness = image["spacing"][int(np.argmax(np.abs(own.T @ normal)))]
    tolerance = tolerance_on(dict(image), tolerance)
    lowest, highest = np.array(planes["ends"])
    steps = (np.array(planes["heights"]) - planes["heights"][0]) / thickness
    grid = {
        "size": [*planes["size"], round(float(steps[-1])) + 1],
        "spacing": [*planes["spacing"], thickness],
        "origin": lowest.tolist(),
        "direction": np.column_stack([along, down, normal]).ravel().tolist(),
    }
    check_grid(grid, dict(image), tolerance)
    # Between the slices, or each frame a little aside from the one below.
    aside = highest - lowest - normal * steps[-1] * thickness
    off = max(float(np.abs(steps - np.rint(steps)).max()), float(np.sqrt(aside @ aside)) / min(planes["spacing"]))
    if off > tolerance:
        raise MaskError(
            f"has frames between the image's slices or aside of them (off by up to {off:.3g} of a voxel)",
            "correct the path in the masks sheet, or draw on this series",
        )
