"""The voxels of tumour masks: NIfTI, NRRD, DICOM SEG and RTSTRUCT, placed on an image's grid."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hcc_recurrence.cohort.mask_contents import check_volume, wanted_values
from hcc_recurrence.cohort.masks import MaskError, mask_facts, matching_labels
from hcc_recurrence.cohort.slicer_segments import segments_of, voxels_of
from hcc_recurrence.imaging.crops import largest_nodule

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

    kind = mask_facts(path)["kind"]
    if kind == "rtstruct":
        placed = _rasterise_rtstruct(path, label, image)
    elif kind in ("seg", "image"):
        own = _read_seg(path, label) if kind == "seg" else _read_label_image(path, label)
        placed = sitk.Resample(own, image, sitk.Transform(), sitk.sitkNearestNeighbor, 0, sitk.sitkUInt8)
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


def _read_seg(path: Path, label: str) -> sitk.Image:
    """Union of the segments meant; of fractional ones the voxels with at least one half."""
    import highdicom as hd
    import SimpleITK as sitk

    seg = hd.seg.segread(path)
    labels = {number: seg.get_segment_description(number).segment_label for number in seg.segment_numbers}
    names = matching_labels(list(labels.values()), label)
    numbers = [number for number, name in labels.items() if name in names]
    # A channel a segment: segments may overlap.
    volume = seg.get_volume(segment_numbers=numbers, combine_segments=False)
    array = (np.asarray(volume.array) >= 0.5).any(axis=-1)
    affine = np.asarray(volume.affine)  # array index (slice, row, column) -> LPS mm
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    image = sitk.GetImageFromArray(array.astype(np.uint8))
    image.SetOrigin(affine[:3, 3].tolist())
    image.SetSpacing(spacing[::-1].tolist())
    image.SetDirection((affine[:3, :3] / spacing)[:, ::-1].ravel().tolist())
    return image


def _rasterise_rtstruct(path: Path, label: str, image: sitk.Image) -> sitk.Image:
    """Fill the contours of ROIs: a voxel is inside an ROI where its centre is inside an odd number of its contours."""
    import pydicom
    import SimpleITK as sitk
    from matplotlib.path import Path as Outline

    data = pydicom.dcmread(path)
    names = matching_labels([str(r.ROIName) for r in data.StructureSetROISequence], label)
    numbers = [int(r.ROINumber) for r in data.StructureSetROISequence if str(r.ROIName) in names]
    columns, rows, depth = image.GetSize()
    whole = np.zeros((depth, rows, columns), bool)
    for roi in data.get("ROIContourSequence", []):
        if int(roi.ReferencedROINumber) not in numbers:
            continue
        mask = np.zeros_like(whole)
        for contour in roi.get("ContourSequence", []):
            if contour.ContourGeometricType != "CLOSED_PLANAR":
                continue
            points = np.array(contour.ContourData, float).reshape(-1, 3)
            index = np.array([image.TransformPhysicalPointToContinuousIndex(p.tolist()) for p in points])
            if np.ptp(index[:, 2]) > 0.1:
                raise MaskError(
                    "has contours that are not parallel to the image's slices",
                    "draw or export the contours on this series",
                )
            k = round(float(index[:, 2].mean()))
            if not 0 <= k < depth:
                continue
            low = np.clip(np.floor(index[:, :2].min(0)).astype(int), 0, None)
            high = np.clip(np.ceil(index[:, :2].max(0)).astype(int) + 1, None, [columns, rows])
            x, y = np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1]))
            if x.size == 0:
                continue
            inside = Outline(index[:, :2]).contains_points(np.column_stack([x.ravel(), y.ravel()]))
            mask[k, low[1] : high[1], low[0] : high[0]] ^= inside.reshape(x.shape)
        whole |= mask
    placed = sitk.GetImageFromArray(whole.astype(np.uint8))
    placed.CopyInformation(image)
    return placed
