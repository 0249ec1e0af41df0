"""How much of each label a mask holds, before any image is read: what is empty or too small is refused at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hcc_recurrence.cohort.masks import KINDS, LABEL_MAP_STORAGE, MaskError, is_dicom, matching_labels
from hcc_recurrence.cohort.slice_hashes import hash_of_mask
from hcc_recurrence.cohort.slicer_segments import segments_of, voxels_of
from hcc_recurrence.problems import last_line

if TYPE_CHECKING:
    from pydicom import Dataset

# Values of a mask that went through a float or a scaling, such as 0.0039 for 1/255, are the one asked for within this.
VALUE_TOLERANCE = 0.02
# An image with more values than this is no mask of labels.
MOST_VALUES = 256
REDRAW = "save or export the mask again"


def mask_contents(path: Path) -> dict[str, Any]:
    """How much of each label: of images `values`, [value, voxels]; of RTSTRUCT `area_mm2` by ROI, holes included; of
    SEG, and of NRRD that names its segments, `voxels` by label. `content` of images and SEG: of `hash_of_mask`.

    Raises: nothing; `unreadable` is the reason where the voxels cannot be read.
    """
    try:
        if not is_dicom(path):
            return _image_contents(path)
        import pydicom

        data = pydicom.dcmread(path)
        kind = KINDS.get(str(data.SOPClassUID))
        if kind != "seg":
            return {"area_mm2": _areas_of(data)}
        return {
            "voxels": _segments_of(data),
            "content": hash_of_mask(data.pixel_array.reshape(-1, data.Rows, data.Columns)),
        }
    # Whatever a broken file makes a library raise, the file is refused with what it said.
    except Exception as error:
        return {"unreadable": last_line(error)[:160] or type(error).__name__}


def _image_contents(path: Path) -> dict[str, Any]:
    import SimpleITK as sitk

    # The array is a view of the image, which has to live as long.
    image = sitk.ReadImage(str(path))
    array, named = sitk.GetArrayViewFromImage(image), segments_of(image)
    contents: dict[str, Any] = {}
    if named:
        names = dict.fromkeys(segment.name for segment in named)
        contents["voxels"] = {n: int(voxels_of(array, [s for s in named if s.name == n]).sum()) for n in names}
    if array.ndim == 3:
        contents["values"] = _values_of(array)
        contents["content"] = hash_of_mask(array)
    elif not named:
        raise ValueError(f"it has {array.shape[-1]} values a voxel, and no names of segments")
    return contents


def _values_of(array: np.ndarray) -> list[list[float]]:
    if array.dtype.itemsize == 1 and array.dtype.kind == "u":
        counts = np.bincount(array.ravel(), minlength=256)
        values = np.flatnonzero(counts)
        counts = counts[values]
    else:
        inside = array[array != 0]
        values, counts = np.unique(inside, return_counts=True)
    found = [[float(v), int(n)] for v, n in zip(values, counts, strict=True) if v != 0]
    if len(found) > MOST_VALUES:
        raise ValueError(f"it has {len(found)} values, as an image has, not a mask")
    return found


def _segments_of(data: Dataset) -> dict[str, int]:
    names = {int(s.SegmentNumber): str(s.get("SegmentLabel", "")) for s in data.SegmentSequence}
    # The background of a label map.
    names.pop(0, None)
    frames = data.pixel_array.reshape(-1, data.Rows, data.Columns)
    voxels: dict[str, int] = defaultdict(int)
    if data.SOPClassUID == LABEL_MAP_STORAGE or data.get("SegmentationType") == "LABELMAP":
        counts = np.bincount(frames.ravel().astype(np.int64))
        for number, name in names.items():
            voxels[name] += int(counts[number]) if number < len(counts) else 0
        return dict(voxels)
    half = 0.5 * float(data.get("MaximumFractionalValue") or 1)
    shared = (data.get("SharedFunctionalGroupsSequence") or [None])[0]
    voxels.update(dict.fromkeys(names.values(), 0))
    for frame, group in zip(frames, data.PerFrameFunctionalGroupsSequence, strict=True):
        about = group.get("SegmentIdentificationSequence") or shared.SegmentIdentificationSequence
        voxels[names[int(about[0].ReferencedSegmentNumber)]] += int((frame >= half).sum())
    return dict(voxels)


def _areas_of(data: Dataset) -> dict[str, float]:
    names = {int(r.ROINumber): str(r.get("ROIName", "")) for r in data.StructureSetROISequence}
    areas = dict.fromkeys(names.values(), 0.0)
    for roi in data.get("ROIContourSequence", []):
        for contour in roi.get("ContourSequence", []):
            if contour.ContourGeometricType == "CLOSED_PLANAR":
                points = np.array(contour.ContourData, float).reshape(-1, 3)
                turned = np.cross(points, np.roll(points, -1, axis=0)).sum(axis=0)
                areas[names[int(roi.ReferencedROINumber)]] += float(np.linalg.norm(turned) / 2)
    return areas


def wanted_values(values: Sequence[float], label: str, names: Sequence[str] = ()) -> list[float]:
    """The values of an image of labels that a cell of the masks sheet means; the empty cell means the only one.

    Args:
        names: of segments, where the image has them, for the message.

    Raises: MaskError where none is meant, or several could be.
    """
    shown = ", ".join([*names, *(f"{v:.4g}" for v in values[:12])]) or "nothing but 0"
    if label:
        try:
            asked = [float(part) for part in label.split("+")]
        except ValueError:
            raise MaskError(
                f"label {label!r} is no number", f"name one of the mask's values: {shown}; 1+2 takes two together"
            ) from None
        wanted = [v for v in values if any(abs(v - a) <= VALUE_TOLERANCE * abs(a) for a in asked)]
        if not wanted:
            raise MaskError(f"has no voxel of value {label}; it has {shown}", "correct the label")
        return wanted
    if not values:
        raise MaskError("is empty", "check that the right file was saved")
    if len(values) > 1:
        raise MaskError(f"has the values {shown}", "name one in the column label; 1+2 takes two together")
    return list(values)


def check_contents(contents: Mapping[str, Any], label: str, image: Mapping[str, Any], smallest_ml: float) -> None:
    """Raise MaskError where a mask cannot be read, is empty, or surely holds less than the smallest volume.

    What is kept of it in the end (the largest lesion, what lies inside the image) may be less: the job that converts it
    checks that again.

    Args:
        contents: of `mask_contents`. image: geometry of the image it lies on.
    """
    if "unreadable" in contents:
        raise MaskError(f"cannot be read ({contents['unreadable']})", REDRAW)
    spacing = image["spacing"]
    by_name = contents.get("voxels") or contents.get("area_mm2") or {}
    names = matching_labels(list(by_name), label)
    if not names and "values" not in contents:
        raise MaskError(f"has no segment called {label!r}; it has {list(by_name)}", "correct the label")
    if names:
        chosen = sum(by_name[name] for name in names)
        kept = chosen * (np.prod(spacing) if "voxels" in contents else spacing[2])
    else:
        counts = dict(contents["values"])
        kept = sum(counts[v] for v in wanted_values(list(counts), label, list(by_name))) * np.prod(spacing)
    if kept == 0:
        raise MaskError(
            f"is empty{f' under the label {label!r}' if label else ''}", "check that the right file was saved"
        )
    check_volume(float(kept) / 1000, smallest_ml)


def check_volume(volume_ml: float, smallest_ml: float) -> None:
    """Raise MaskError where a mask holds less than the cohort's smallest volume."""
    if volume_ml < smallest_ml:
        raise MaskError(
            f"holds {volume_ml:.3f} ml, less than smallest_mask_ml: {smallest_ml:g}",
            "check the mask, or lower smallest_mask_ml of the cohort",
        )
