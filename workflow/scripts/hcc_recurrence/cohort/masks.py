"""Tumour masks as readers export them (NIfTI, NRRD, DICOM SEG, RTSTRUCT), placed on an image's grid.

Physical space decides. A mask that was drawn on another image is refused, not resampled.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hcc_recurrence.provenance import content_hash

if TYPE_CHECKING:
    import SimpleITK as sitk

SEG_STORAGE = "1.2.840.10008.5.1.4.1.1.66.4"
RTSTRUCT_STORAGE = "1.2.840.10008.5.1.4.1.1.481.3"
# ITK-SNAP and 3D Slicer write single precision: two grids are one below a hundredth of a voxel.
GRID_TOLERANCE_VOXELS = 0.01


class MaskError(ValueError):
    """The mask cannot be used. Carries (what is wrong, what to do)."""

    def __init__(self, what: str, remedy: str):
        super().__init__(f"{what}. What to do: {remedy}.")
        self.what = what
        self.remedy = remedy


def is_dicom(path: Path) -> bool:
    """True where the file carries the DICOM preamble."""
    with open(path, "rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def mask_facts(path: Path) -> dict[str, Any]:
    """Content hash, kind, what the mask was drawn on, and its labels; no identifier of a person.

    Raises: nothing; `kind` is "unreadable" where the file is neither DICOM nor a readable image.
    """
    facts: dict[str, Any] = {"hash": content_hash(path), "kind": "unreadable"}
    if is_dicom(path):
        import pydicom

        data = pydicom.dcmread(path, stop_before_pixels=True)
        kind = {SEG_STORAGE: "seg", RTSTRUCT_STORAGE: "rtstruct"}.get(str(data.SOPClassUID))
        if kind is None:
            return facts
        facts.update(kind=kind, study=str(data.get("StudyInstanceUID", "")))
        if kind == "seg":
            series = [s.SeriesInstanceUID for s in data.get("ReferencedSeriesSequence", [])]
            labels = [str(s.get("SegmentLabel", "")) for s in data.SegmentSequence]
        else:
            series = [
                s.SeriesInstanceUID
                for frame in data.get("ReferencedFrameOfReferenceSequence", [])
                for study in frame.get("RTReferencedStudySequence", [])
                for s in study.get("RTReferencedSeriesSequence", [])
            ]
            labels = [str(r.get("ROIName", "")) for r in data.StructureSetROISequence]
        facts.update(series=sorted(map(str, series)), labels=labels)
        return facts

    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        return facts
    facts.update(
        kind="image",
        geometry={
            "size": list(reader.GetSize()),
            "spacing": list(reader.GetSpacing()),
            "origin": list(reader.GetOrigin()),
            "direction": list(reader.GetDirection()),
        },
    )
    return facts


def grid_difference(mask: dict[str, Any], image: dict[str, Any]) -> float:
    """How far the mask's voxels lie from the image's, in voxels, however its axes are ordered.

    0 means the same set of voxel centres. Infinite where size or dimension differ. Both arguments
    are geometries as `stack_geometry` gives them.
    """
    if len(mask["size"]) != 3 or sorted(mask["size"]) != sorted(image["size"]):
        return float("inf")

    def corners(g: dict[str, Any]) -> np.ndarray:
        direction = np.array(g["direction"]).reshape(3, 3) * np.array(g["spacing"])
        ends = np.array(np.meshgrid(*[[0, n - 1] for n in g["size"]])).reshape(3, -1)
        return (direction @ ends).T + np.array(g["origin"])

    a, b = corners(mask), corners(image)
    distance = np.linalg.norm(a[:, None, :] - b[None, :, :], axis=2)
    # Each corner of one box must be a corner of the other.
    return float(max(distance.min(axis=1).max(), distance.min(axis=0).max()) / min(image["spacing"]))


def describe_grid(geometry: dict[str, Any]) -> str:
    """A grid in one line for a message."""
    size = " x ".join(str(n) for n in geometry["size"])
    spacing = " x ".join(f"{s:.3f}" for s in geometry["spacing"])
    origin = ", ".join(f"{o:.1f}" for o in geometry["origin"])
    return f"{size} voxels of {spacing} mm at ({origin})"


def check_mask(facts: dict[str, Any], image: dict[str, Any], label: str) -> None:
    """Raise MaskError unless the mask belongs to the image and holds the wanted label.

    Args:
        facts: from `mask_facts`.
        image: geometry of the image with `series_uid` and `study_uid` ("" where unknown).
        label: segment label or ROI name; for images a number or "" (checked when voxels are read).
    """
    if facts["kind"] == "unreadable":
        raise MaskError("is neither NIfTI, NRRD, DICOM SEG nor RTSTRUCT", "correct the path in the masks sheet")
    if facts["kind"] == "image":
        if grid_difference(facts["geometry"], image) > GRID_TOLERANCE_VOXELS:
            raise MaskError(
                "lies on another grid than the image, so it was drawn on another image (another "
                f"patient or phase): mask {describe_grid(facts['geometry'])}; "
                f"image {describe_grid(image)}",
                "correct the path in the masks sheet, or save the mask on the image's own grid",
            )
        return
    if image["study_uid"] and facts["study"] and facts["study"] != image["study_uid"]:
        raise MaskError(
            "was drawn on another study than the image (another patient, or another examination)",
            "correct the path in the masks sheet",
        )
    if image["series_uid"] and facts["series"] and image["series_uid"] not in facts["series"]:
        raise MaskError(
            "was drawn on another series of the same study (another phase)",
            "correct the phase in the masks sheet",
        )
    if label and label not in facts["labels"]:
        raise MaskError(
            f"has no segment or ROI called {label!r}; it has {facts['labels']}",
            "correct the column label in the masks sheet",
        )
    if not label and len(facts["labels"]) > 1:
        raise MaskError(
            f"has several segments or ROIs: {facts['labels']}",
            "name one in the column label of the masks sheet",
        )


def read_mask(path: Path, label: str, image: sitk.Image) -> sitk.Image:
    """Read a mask and place it on the image's grid: 0/1, uint8.

    Args:
        label: segment label, ROI name, or voxel value; "" takes the only one there is.

    Raises: MaskError where the label is missing, or nothing of the mask lies inside the image.
    """
    import SimpleITK as sitk

    kind = mask_facts(path)["kind"]
    if kind == "seg":
        own = _read_seg(path, label)
    elif kind == "rtstruct":
        return _not_empty(_rasterise_rtstruct(path, label, image))
    elif kind == "image":
        own = _read_label_image(path, label)
    else:
        raise MaskError("cannot be read", "correct the path in the masks sheet")
    placed = sitk.Resample(own, image, sitk.Transform(), sitk.sitkNearestNeighbor, 0, sitk.sitkUInt8)
    return _not_empty(placed)


def _not_empty(mask: sitk.Image) -> sitk.Image:
    import SimpleITK as sitk

    if not sitk.GetArrayViewFromImage(mask).any():
        raise MaskError("is empty on the image's grid", "check that the mask was drawn on this image")
    return mask


def _read_label_image(path: Path, label: str) -> sitk.Image:
    import SimpleITK as sitk

    image = sitk.ReadImage(str(path))
    array = sitk.GetArrayViewFromImage(image)
    values = [float(v) for v in np.unique(array) if v != 0]
    if label:
        try:
            wanted = float(label)
        except ValueError:
            raise MaskError(f"label {label!r} is not a number", f"name one of the mask's values {values}") from None
        if wanted not in values:
            raise MaskError(f"has no voxel of value {label}; it has {values}", "correct the label")
    elif len(values) == 1:
        wanted = values[0]
    else:
        raise MaskError(f"has the values {values}", "name one in the column label")
    chosen = sitk.GetImageFromArray((array == wanted).astype(np.uint8))
    chosen.CopyInformation(image)
    return chosen


def _read_seg(path: Path, label: str) -> sitk.Image:
    import highdicom as hd
    import SimpleITK as sitk

    seg = hd.seg.segread(path)
    labels = {s.segment_label: s.segment_number for s in map(seg.get_segment_description, seg.segment_numbers)}
    number = labels[label] if label else next(iter(labels.values()))
    volume = seg.get_volume(segment_numbers=[number], combine_segments=True, relabel=True)
    affine = np.asarray(volume.affine)  # array index (slice, row, column) -> LPS mm
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    image = sitk.GetImageFromArray(np.asarray(volume.array).astype(np.uint8))
    image.SetOrigin(affine[:3, 3].tolist())
    image.SetSpacing(spacing[::-1].tolist())
    image.SetDirection((affine[:3, :3] / spacing)[:, ::-1].ravel().tolist())
    return image


def _rasterise_rtstruct(path: Path, label: str, image: sitk.Image) -> sitk.Image:
    """Fill the contours of one ROI: a voxel is inside where its centre is inside an odd number."""
    import pydicom
    import SimpleITK as sitk
    from matplotlib.path import Path as Outline

    data = pydicom.dcmread(path)
    numbers = {str(r.ROIName): int(r.ROINumber) for r in data.StructureSetROISequence}
    number = numbers[label] if label else next(iter(numbers.values()))
    columns, rows, depth = image.GetSize()
    mask = np.zeros((depth, rows, columns), bool)
    for roi in data.ROIContourSequence:
        if int(roi.ReferencedROINumber) != number:
            continue
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
    placed = sitk.GetImageFromArray(mask.astype(np.uint8))
    placed.CopyInformation(image)
    return placed
