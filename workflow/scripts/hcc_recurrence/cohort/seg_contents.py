"""How much of each segment a DICOM SEG holds, and whether its frames lie on the slices of an image."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hcc_recurrence.cohort.mask_shapes import shape_of
from hcc_recurrence.cohort.masks import GRID_TOLERANCE_VOXELS, LABEL_MAP_STORAGE, MaskError, check_grid

if TYPE_CHECKING:
    from pydicom import Dataset


class Frame:
    """Where a frame of a SEG lies, from its own and the shared functional groups; None or 1 where it does not say."""

    def __init__(self, group: Any, shared: Any):
        def of(tag: str) -> Any:
            return (group.get(tag) or shared.get(tag) or [{}])[0]

        position, orientation = of("PlanePositionSequence"), of("PlaneOrientationSequence")
        measures = of("PixelMeasuresSequence")
        rows, columns = measures.get("PixelSpacing") or (1.0, 1.0)
        self.spacing = [float(measures.get("SliceThickness") or 1.0), float(rows), float(columns)]
        self.position: np.ndarray | None = None
        if "ImagePositionPatient" in position and "ImageOrientationPatient" in orientation:
            self.position = np.array(position.ImagePositionPatient, float)
            self.axes = np.array(orientation.ImageOrientationPatient, float).reshape(2, 3)
            self.height = float(np.cross(*self.axes) @ self.position)


def seg_contents(data: Dataset) -> dict[str, Any]:
    """What a SEG holds, by the labels of its segments.

    Returns: `voxels` by label; `shapes` by label, as of `mask_shapes.shape_of`, with `step`, mm, where three or more
        planes lie at one distance; `planes`, where the frames that hold anything lie (for `check_planes`).
    """
    names = {int(s.SegmentNumber): str(s.get("SegmentLabel", "")) for s in data.SegmentSequence}
    # The background of a label map.
    names.pop(0, None)
    frames = data.pixel_array.reshape(-1, data.Rows, data.Columns)
    shared = (data.get("SharedFunctionalGroupsSequence") or [{}])[0]
    label_map = data.SOPClassUID == LABEL_MAP_STORAGE or data.get("SegmentationType") == "LABELMAP"
    half = 0.5 * float(data.get("MaximumFractionalValue") or 1)
    parts: dict[str, list[tuple[Frame, np.ndarray]]] = defaultdict(list)
    groups = data.PerFrameFunctionalGroupsSequence
    if len(groups) != len(frames):
        raise ValueError(f"it holds {len(frames)} frames and describes {len(groups)}")
    for pixels, group in zip(frames, groups, strict=True):
        place = Frame(group, shared)
        if label_map:
            for number in np.unique(pixels):
                if int(number) in names:
                    parts[names[int(number)]].append((place, pixels == number))
        else:
            about = group.get("SegmentIdentificationSequence") or shared.SegmentIdentificationSequence
            inside = pixels >= half
            if inside.any():
                parts[names[int(about[0].ReferencedSegmentNumber)]].append((place, inside))
    contents: dict[str, Any] = {
        "voxels": {name: sum(int(inside.sum()) for _, inside in parts[name]) for name in names.values()}
    }
    drawn = [place for own in parts.values() for place, _ in own]
    if drawn and all(place.position is not None for place in drawn):
        contents["shapes"] = {name: _shape(own) for name, own in parts.items() if own}
        contents["planes"] = _planes(drawn, [int(data.Columns), int(data.Rows)])
    return contents


def _shape(planes: Sequence[tuple[Frame, np.ndarray]]) -> dict[str, Any]:
    heights = np.unique(np.round([place.height for place, _ in planes], 3))
    spacing = planes[0][0].spacing
    outline = shape_of(np.logical_or.reduce([inside for _, inside in planes])[None], spacing)["box"]
    steps = np.diff(heights)
    regular = len(steps) > 1 and float(np.ptp(steps)) < 0.02 * float(steps[0])
    return {
        "box": [float(heights[0]), float(heights[-1] + spacing[0]), *outline[2:]],
        "run": shape_of(max((inside for _, inside in planes), key=np.sum)[None], spacing)["run"],
        "every": 1,
        "step": float(steps[0]) if regular else 0.0,
    }


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


def check_planes(planes: Mapping[str, Any], image: Mapping[str, Any], tolerance: float = GRID_TOLERANCE_VOXELS) -> None:
    """Raise MaskError unless the frames of a SEG lie on slices of the image, pixel on pixel.

    Args:
        planes: of `seg_contents`. image: geometry. tolerance: by how much of a voxel they may be off.
    """
    along, down = np.array(planes["axes"]).reshape(2, 3)
    normal = np.cross(along, down)
    own = np.array(image["direction"]).reshape(3, 3)
    thickness = image["spacing"][int(np.argmax(np.abs(own.T @ normal)))]
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
