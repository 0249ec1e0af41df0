"""Masks that are images themselves: NIfTI, NRRD and whatever else SimpleITK reads; numbers or named segments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hcc_recurrence.cohort.header_geometry import geometry_doubt
from hcc_recurrence.cohort.image_files import image_information
from hcc_recurrence.cohort.mask_formats.base import MaskFile, MaskFormat
from hcc_recurrence.cohort.mask_labels import wanted_values
from hcc_recurrence.cohort.mask_shapes import shape_of
from hcc_recurrence.cohort.masks import MaskError, matching_labels
from hcc_recurrence.cohort.slice_hashes import hash_of_mask
from hcc_recurrence.cohort.slicer_segments import segments_of, voxels_of

if TYPE_CHECKING:
    import SimpleITK as sitk

# An image with more values than this is no mask of labels.
MOST_VALUES = 256
# The boxes of all labels of an image together are looked at up to so many times its voxels.
MOST_LOOKED_AT = 3


class LabelImage(MaskFormat):
    """An image of labels on a grid of its own."""

    kind = "image"

    def matches(self, file: MaskFile) -> bool:
        """Whatever is no DICOM: its reader says what it cannot read."""
        return not file.is_dicom

    def facts(self, file: MaskFile) -> dict[str, Any]:
        own = image_information(file.path).geometry
        doubt = geometry_doubt(file.path, own)
        return {"geometry": own, **({"doubt": list(doubt)} if doubt else {})}

    def contents(self, file: MaskFile) -> dict[str, Any]:
        import SimpleITK as sitk

        # The array is a view of the image, which has to live as long.
        image = sitk.ReadImage(str(file.path))
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

    def read(self, path: Path, label: str, image: sitk.Image) -> sitk.Image:
        import SimpleITK as sitk

        own = _chosen_voxels(path, label)
        placed = sitk.Resample(own, image, sitk.Transform(), sitk.sitkNearestNeighbor, 0, sitk.sitkUInt8)
        _check_whole(own, placed)
        return placed


def _chosen_voxels(path: Path, label: str) -> sitk.Image:
    import SimpleITK as sitk

    image = sitk.ReadImage(str(path))
    array = sitk.GetArrayViewFromImage(image)
    segments = segments_of(image)
    names = matching_labels([segment.name for segment in segments], label)
    if names:
        inside = voxels_of(array, [segment for segment in segments if segment.name in names])
    elif array.ndim > 3:
        raise MaskError(f"has no segment called {label!r}; it has {[s.name for s in segments]}", "correct the label")
    else:
        wanted = wanted_values([float(v) for v in np.unique(array) if v != 0], label, [s.name for s in segments])
        inside = np.isin(array, wanted)
    chosen = sitk.GetImageFromArray(inside.astype(np.uint8))
    chosen.CopyInformation(image)
    return chosen


def _check_whole(own: sitk.Image, placed: sitk.Image) -> None:
    """Raise MaskError where voxels of a mask were lost or doubled on the way to the image's grid."""
    import SimpleITK as sitk

    drawn, kept = (int(np.count_nonzero(sitk.GetArrayViewFromImage(mask))) for mask in (own, placed))
    if drawn != kept:
        raise MaskError(
            f"does not lie on the image's grid ({kept} of its {drawn} voxels are voxels of the image)",
            "save the mask on the image's own grid",
        )


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
