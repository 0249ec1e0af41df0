"""How much of each label a mask holds, before any image is read: what is empty or too small is refused at once."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hcc_recurrence.cohort.mask_labels import wanted_values
from hcc_recurrence.cohort.mask_shapes import shape_of
from hcc_recurrence.cohort.masks import GRID_TOLERANCE_VOXELS, KINDS, MaskError, is_dicom, matching_labels
from hcc_recurrence.cohort.outline_planes import check_outlines
from hcc_recurrence.cohort.outlines import rois_of, summarise_roi
from hcc_recurrence.cohort.seg_contents import check_planes, seg_contents
from hcc_recurrence.cohort.slice_hashes import hash_of_mask
from hcc_recurrence.cohort.slicer_segments import segments_of, voxels_of
from hcc_recurrence.problems import last_line

if TYPE_CHECKING:
    from pydicom import Dataset

# An image with more values than this is no mask of labels.
MOST_VALUES = 256
# The boxes of all labels of an image together are looked at up to so many times its voxels.
MOST_LOOKED_AT = 3
REDRAW = "save or export the mask again"
# A tumour that fills more of its image than this fraction is what lies around it.
MOST_OF_IMAGE = 0.5
# Whole organs: the one segment of a mask that is called so is taken for the tumour only when someone says so.
ORGANS = re.compile(
    r"[\s_-]*(whole[\s_-]*)?(liver|hepar|leber|foie|fegato|h[ií]gado|spleen|kidneys?|body|patient|torso|external|skin|aorta|"
    r"portal[\s_-]*veins?|肝|肝脏|脾|脾脏)([\s_-]*(seg(mentation)?|mask|roi|contour|\d+))?[\s_-]*",
    re.IGNORECASE,
)


def mask_contents(path: Path) -> dict[str, Any]:
    """How much of each label: of images `values`, [value, voxels]; of RTSTRUCT `area_mm2` by ROI, holes included, and
    `rois`, of `summarise_roi`; of SEG, and of NRRD that names its segments, `voxels` by label. Of images and SEG also
    `shapes` (`shape_of`) by label, or by value as text. `content` of images and SEG: of `hash_of_mask`.

    Raises: nothing; `unreadable` is the reason where the voxels cannot be read.
    """
    try:
        if not is_dicom(path):
            return _image_contents(path)
        import pydicom

        data = pydicom.dcmread(path, force=True)
        kind = KINDS.get(str(data.SOPClassUID))
        if kind != "seg":
            return _rtstruct_contents(data)
        pixels = data.pixel_array.reshape(-1, data.Rows, data.Columns)
        return {**seg_contents(data), "content": hash_of_mask(pixels)}
    # Whatever a broken file makes a library raise, the file is refused with what it said.
    except Exception as error:
        return {"unreadable": last_line(error)[:160] or type(error).__name__}


def _image_contents(path: Path) -> dict[str, Any]:
    import SimpleITK as sitk

    # The array is a view of the image, which has to live as long.
    image = sitk.ReadImage(str(path))
    array, named = sitk.GetArrayViewFromImage(image), segments_of(image)
    if image.GetDimension() != 3:
        size = " x ".join(map(str, image.GetSize()))
        raise ValueError(f"it has {image.GetDimension()} dimensions, {size}: a mask has three")
    if array.ndim > 3 and not named:
        raise ValueError(f"it has {array.shape[-1]} values a voxel, and no names of segments")
    spacing = image.GetSpacing()[::-1]
    contents: dict[str, Any] = {"shapes": {}}
    filled, first = _filled_box(array)
    if named:
        contents["voxels"] = {}
        for name in dict.fromkeys(segment.name for segment in named):
            inside = voxels_of(filled, [s for s in named if s.name == name])
            contents["voxels"][name] = int(inside.sum())
            if inside.any():
                contents["shapes"][name] = shape_of(inside, spacing, first)
    if array.ndim == 3:
        contents["content"] = hash_of_mask(array)
        contents["values"] = []
        for part in _parts_of(filled):
            contents["values"].append([part.value, part.voxels])
            if part.inside is not None:
                contents["shapes"][repr(part.value)] = shape_of(part.inside, spacing, np.add(first, part.first))
    return contents


def _filled_box(array: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """The box of (z, y, x) or (z, y, x, layer) around all voxels other than 0, and the index of its first voxel."""
    inside = array != 0
    if array.ndim > 3:
        inside = inside.any(axis=-1)
    spans = []
    # Planes first: they are read in the order in which they lie in memory.
    for axis in range(3):
        spans.append(np.flatnonzero(inside.any(axis=tuple(a for a in range(3) if a != axis))))
        if not len(spans[-1]):
            return array[:0], [0, 0, 0]
    box = tuple(slice(int(span[0]), int(span[-1]) + 1) for span in spans)
    return array[box], [part.start for part in box]


class _Part(NamedTuple):
    """A value of an image of labels: its voxels, and where they are; inside: None where that was not looked at."""

    value: float
    voxels: int
    inside: np.ndarray | None
    first: list[int]


def _parts_of(array: np.ndarray) -> list[_Part]:
    """Each value other than 0 with its voxels in their own box, and the index of the first voxel of the box."""
    from scipy.ndimage import find_objects

    if not array.size:
        return []
    # An image of grey values is known by its middle slice: sorting all of it takes long.
    if len(np.unique(array[len(array) // 2])) > MOST_VALUES + 1:
        raise ValueError(f"it has more than {MOST_VALUES} values, as an image has, not a mask")
    if array.dtype.kind == "f" and np.isfinite(array).all() and (np.abs(array) < 2**31).all():
        whole = array.astype(np.int32)
        array = whole if (whole == array).all() else array
    if array.dtype.kind in "iu" and array.min() >= 0 and array.max() < 2**16:
        codes, values = array, np.arange(int(array.max()) + 1)
    else:
        values, codes = np.unique(array, return_inverse=True)
        if len(values) > MOST_VALUES + 1:
            raise ValueError(f"it has {len(values)} values, as an image has, not a mask")
        # 0 is not a part, and objects count from 1.
        codes, values = codes.reshape(array.shape) + 1, np.concatenate([[0], values])
    boxes = [(code, box) for code, box in enumerate(find_objects(codes), 1) if box is not None and values[code] != 0]
    if len(boxes) > MOST_VALUES:
        raise ValueError(f"it has {len(boxes)} values, as an image has, not a mask")
    # Labels that are scattered all over a volume are counted together, and no tumours.
    most = MOST_LOOKED_AT * array.size
    scattered = sum(codes[box].size for _, box in boxes) > most
    counts = np.bincount(codes.ravel()) if scattered else None
    parts = []
    for code, box in boxes:
        first, inside = [part.start for part in box], None
        if counts is None or codes[box].size <= most / len(boxes):
            inside = codes[box] == code
        voxels = int(inside.sum()) if inside is not None else int(counts[code])
        parts.append(_Part(float(values[code]), voxels, inside, first))
    return parts


def _rtstruct_contents(data: Dataset) -> dict[str, Any]:
    rois = [summarise_roi(roi) for roi in rois_of(data)]
    areas: dict[str, float] = defaultdict(float)
    for roi in rois:
        areas[roi["name"]] += roi["area_mm2"]
    return {"area_mm2": dict(areas), "rois": rois}


def chosen_shapes(contents: Mapping[str, Any], label: str) -> list[dict[str, Any]]:
    """Shapes of the parts of a mask that a cell of the masks sheet means, where they are known."""
    by_name = contents.get("voxels") or contents.get("area_mm2") or {}
    names = matching_labels(list(by_name), label)
    if "rois" in contents:
        drawn = [np.array(roi["outlines"]) for roi in contents["rois"] if roi["name"] in names and roi["outlines"]]
        return [_roi_shape(rows) for rows in drawn]
    if not names and "values" in contents:
        names = [repr(v) for v in wanted_values([v for v, _ in contents["values"]], label, list(by_name))]
    return [contents["shapes"][name] for name in names if name in contents["shapes"]]


def _roi_shape(rows: np.ndarray) -> dict[str, Any]:
    low, high = rows[:, [0, 2, 4]].min(axis=0), rows[:, [0, 3, 5]].max(axis=0)
    run = max((rows[:, 3] - rows[:, 2]).max(), (rows[:, 5] - rows[:, 4]).max())
    return {"box": np.column_stack([low, high]).ravel().tolist(), "run": float(run), "every": 1}


def check_contents(
    contents: Mapping[str, Any],
    label: str,
    image: Mapping[str, Any],
    smallest_ml: float,
    tolerance: float = GRID_TOLERANCE_VOXELS,
) -> None:
    """Raise MaskError where a mask cannot be read, is empty, has slices left out, or holds too little or too much.

    What is kept of it in the end (the largest lesion, what lies inside the image) may be less: the job that converts it
    checks that again.

    Args:
        contents: of `mask_contents`. image: geometry of the image it lies on. smallest_ml: less is refused.
        tolerance: the cohort's mask_tolerance_voxels.
    """
    if "unreadable" in contents:
        raise MaskError(f"cannot be read ({contents['unreadable']})", REDRAW)
    spacing = image["spacing"]
    by_name = contents.get("voxels") or contents.get("area_mm2") or {}
    names = matching_labels(list(by_name), label)
    if not names and "values" not in contents:
        raise MaskError(f"has no segment called {label!r}; it has {list(by_name)}", "correct the label")
    if names and not label and ORGANS.fullmatch(names[0]):
        raise MaskError(
            f"has one segment or ROI, and it is called {names[0]!r}",
            "write its name in the column label if it is the tumour",
        )
    if names:
        chosen = sum(by_name[name] for name in names)
        kept = chosen * (np.prod(spacing) if "voxels" in contents else spacing[2])
    else:
        counts = dict(contents["values"])
        kept = sum(counts[v] for v in wanted_values(list(counts), label, list(by_name))) * np.prod(spacing)
    if kept == 0 and not any(roi["kinds"] for roi in contents.get("rois", []) if roi["name"] in names):
        raise MaskError(
            f"is empty{f' under the label {label!r}' if label else ''}", "check that the right file was saved"
        )
    for roi in contents.get("rois", []):
        # One of several ROIs may be empty.
        if roi["name"] in names and (roi["kinds"] or len(names) == 1):
            check_outlines(roi, image)
    if contents.get("planes"):
        check_planes(contents["planes"], image, tolerance)
    for shape in chosen_shapes(contents, label):
        check_slices(shape, image)
    check_volume(float(kept) / 1000, smallest_ml)
    check_fraction(float(kept) / float(np.prod(spacing)) / float(np.prod(image["size"])))


def check_slices(shape: Mapping[str, Any], image: Mapping[str, Any]) -> None:
    """Raise MaskError where a part of a mask has voxels on every second or third slice only."""
    every = max(shape["every"], round(shape.get("step", 0.0) / image["spacing"][2]))
    if every > 1:
        raise MaskError(
            f"is drawn on every {every} slices only, with empty slices between",
            "interpolate the slices between in the program that drew it, and save it again",
        )


def check_fraction(fraction: float) -> None:
    """Raise MaskError where a mask fills most of its image, as one does whose 0 and 1 were exchanged."""
    if fraction > MOST_OF_IMAGE:
        raise MaskError(
            f"fills most of the image ({100 * fraction:.0f} %): it holds what lies around the tumour",
            "exchange inside and outside, or correct the label",
        )


def check_volume(volume_ml: float, smallest_ml: float) -> None:
    """Raise MaskError where a mask holds less than the cohort's smallest volume."""
    if volume_ml < smallest_ml:
        raise MaskError(
            f"holds {volume_ml:.3f} ml, less than smallest_mask_ml: {smallest_ml:g}",
            "check the mask, or lower smallest_mask_ml of the cohort",
        )
