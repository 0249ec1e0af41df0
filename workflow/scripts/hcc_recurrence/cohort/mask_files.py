"""The voxels of tumour masks: NIfTI, NRRD, DICOM SEG and RTSTRUCT, placed on an image's grid."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hcc_recurrence.cohort.mask_contents import REDRAW, check_volume
from hcc_recurrence.cohort.mask_labels import wanted_values
from hcc_recurrence.cohort.masks import MaskError, check_certain, mask_facts, matching_labels
from hcc_recurrence.cohort.outline_planes import check_outlines
from hcc_recurrence.cohort.outlines import XOR, has_area, join_outlines, rois_of, summarise_roi
from hcc_recurrence.cohort.seg_contents import seg_voxels
from hcc_recurrence.cohort.slicer_segments import segments_of, voxels_of
from hcc_recurrence.imaging.crops import largest_nodule
from hcc_recurrence.problems import last_line

if TYPE_CHECKING:
    import SimpleITK as sitk


class TumourMask(NamedTuple):
    """A mask on an image's grid (0/1, uint8), and how many separate lesions the file holds, whichever were kept."""

    image: sitk.Image
    lesions: int
    volume_ml: float


def read_mask(path: Path, label: str, image: sitk.Image, lesions: str = "all", smallest_ml: float = 0.0) -> TumourMask:
    """Read a mask and place it on the image's grid.

    Args:
        label: segment label, ROI name, or voxel value; a pattern (`Tumor_*`) takes all that match, together; "" takes
            the only one there is.
        lesions: `largest` keeps the largest of several separate lesions, `all` keeps all (touching by a corner is one).
        smallest_ml: a mask of less is refused.

    Raises: MaskError where the label is missing, or too little of the mask lies inside the image.
    """
    import SimpleITK as sitk
    from scipy.ndimage import label as connected

    facts = mask_facts(path)
    check_certain(facts)
    kind = facts["kind"]
    if kind == "rtstruct":
        placed = _rasterise_rtstruct(path, label, image)
    elif kind == "seg":
        placed = _read_seg(path, label, image)
    elif kind == "image":
        own = _read_label_image(path, label)
        placed = sitk.Resample(own, image, sitk.Transform(), sitk.sitkNearestNeighbor, 0, sitk.sitkUInt8)
        _check_whole(own, placed)
    else:
        raise MaskError("cannot be read", "correct the path in the masks sheet")
    array = sitk.GetArrayFromImage(placed)
    if not array.any():
        raise MaskError("is empty on the image's grid", "check that the mask was drawn on this image")
    number = int(connected(array, structure=np.ones((3, 3, 3)))[1])
    if lesions == "largest" and number > 1:
        array = largest_nodule(array)
    volume = float(array.sum() * np.prod(image.GetSpacing()) / 1000)
    check_volume(volume, smallest_ml)
    kept = sitk.GetImageFromArray(array.astype(np.uint8))
    kept.CopyInformation(image)
    return TumourMask(kept, number, volume)


def _check_whole(own: sitk.Image, placed: sitk.Image) -> None:
    """Raise MaskError where voxels of a mask were lost or doubled on the way to the image's grid."""
    import SimpleITK as sitk

    drawn, kept = (int(np.count_nonzero(sitk.GetArrayViewFromImage(mask))) for mask in (own, placed))
    if drawn != kept:
        raise MaskError(
            f"does not lie on the image's grid ({kept} of its {drawn} voxels are voxels of the image)",
            "save the mask on the image's own grid",
        )


def _read_label_image(path: Path, label: str) -> sitk.Image:
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


def _read_seg(path: Path, label: str, image: sitk.Image) -> sitk.Image:
    """Union of the segments meant; of fractional ones the voxels with at least one half."""
    import pydicom
    import SimpleITK as sitk

    try:
        data = pydicom.dcmread(path, force=True)
        names = matching_labels(
            [str(s.get("SegmentLabel", "")) for s in data.SegmentSequence if s.SegmentNumber], label
        )
        inside = seg_voxels(data, names, _geometry_of(image))
    except MaskError:
        raise
    # What a broken file makes pydicom raise is not foreseeable.
    except Exception as error:
        raise MaskError(f"cannot be read as a SEG ({last_line(error)[:160]})", REDRAW) from error
    placed = sitk.GetImageFromArray(inside.astype(np.uint8))
    placed.CopyInformation(image)
    return placed


def _geometry_of(image: sitk.Image) -> dict[str, list]:
    return {
        name: list(getattr(image, f"Get{name.capitalize()}")()) for name in ("size", "spacing", "origin", "direction")
    }


def _rasterise_rtstruct(path: Path, label: str, image: sitk.Image) -> sitk.Image:
    """Fill the outlines of the ROIs meant, each ROI by itself; see `outlines` for what counts as inside."""
    import pydicom
    import SimpleITK as sitk

    rois = rois_of(pydicom.dcmread(path, force=True))
    names = matching_labels([roi.name for roi in rois], label)
    columns, rows, depth = image.GetSize()
    whole = np.zeros((depth, rows, columns), bool)
    place = _geometry_of(image)
    # Voxel indices of points in LPS mm.
    to_index = np.linalg.inv(np.array(place["direction"]).reshape(3, 3) * place["spacing"])
    for roi in rois:
        if roi.name not in names or (len(names) > 1 and not roi.outlines):
            continue
        check_outlines(summarise_roi(roi), place)
        by_slice: dict[int, list[np.ndarray]] = defaultdict(list)
        for outline in filter(has_area, roi.outlines):
            index = (outline.points - place["origin"]) @ to_index.T
            by_slice[round(float(index[:, 2].mean()))].append(index[:, :2])
        xor = XOR in {outline.kind for outline in roi.outlines}
        for k, drawn in by_slice.items():
            whole[k] |= join_outlines(drawn, (rows, columns), xor)
    placed = sitk.GetImageFromArray(whole.astype(np.uint8))
    placed.CopyInformation(image)
    return placed
