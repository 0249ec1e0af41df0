"""DICOM RTSTRUCT: outlines with names, in millimetres; `outlines` says what counts as inside."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hcc_recurrence.cohort.mask_formats.base import MaskFile, MaskFormat, geometry_of
from hcc_recurrence.cohort.mask_formats.dicom import drawn_on
from hcc_recurrence.cohort.masks import matching_labels
from hcc_recurrence.cohort.outline_planes import check_outlines
from hcc_recurrence.cohort.outlines import XOR, has_area, join_outlines, rois_of, summarise_roi

if TYPE_CHECKING:
    import SimpleITK as sitk

RTSTRUCT_STORAGE = "1.2.840.10008.5.1.4.1.1.481.3"


class RtStruct(MaskFormat):
    """Outlines on the slices of a series."""

    kind = "rtstruct"

    def matches(self, file: MaskFile) -> bool:
        return file.is_of(RTSTRUCT_STORAGE)

    def facts(self, file: MaskFile) -> dict[str, Any]:
        data = file.dicom
        series = sorted(set().union(*_series_by_frame(data).values()))
        labels = [str(roi.get("ROIName", "")) for roi in data.StructureSetROISequence]
        # One file may hold the ROIs of several series.
        own = {"drawn": _drawn_by_name(data)} if len(series) > 1 else {}
        return {**drawn_on(data, series), "labels": labels, **own}

    def contents(self, file: MaskFile) -> dict[str, Any]:
        rois = [summarise_roi(roi) for roi in rois_of(file.dicom)]
        areas: dict[str, float] = defaultdict(float)
        for roi in rois:
            areas[roi["name"]] += roi["area_mm2"]
        return {"area_mm2": dict(areas), "rois": rois}

    def source_images(self, file: MaskFile) -> set[str]:
        return set().union(*map(_images_of, file.dicom.get("ROIContourSequence") or []))

    def read(self, path: Path, label: str, image: sitk.Image) -> sitk.Image:
        """Fill the outlines of the ROIs meant, each ROI by itself; see `outlines`."""
        import pydicom
        import SimpleITK as sitk

        rois = rois_of(pydicom.dcmread(path, force=True))
        names = matching_labels([roi.name for roi in rois], label)
        columns, rows, depth = image.GetSize()
        whole = np.zeros((depth, rows, columns), bool)
        place = geometry_of(image)
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


def _series_by_frame(data: Any) -> dict[str, set[str]]:
    """Series that a structure set names, by their frame of reference."""
    found: dict[str, set[str]] = defaultdict(set)
    for frame in data.get("ReferencedFrameOfReferenceSequence") or []:
        for study in frame.get("RTReferencedStudySequence") or []:
            for series in study.get("RTReferencedSeriesSequence") or []:
                found[str(frame.get("FrameOfReferenceUID", ""))].add(str(series.SeriesInstanceUID))
    return found


def _images_of(roi: Any) -> set[str]:
    """SOP instances that the contours of an item of the ROI contour sequence name."""
    contours = roi.get("ContourSequence") or []
    return {str(i.ReferencedSOPInstanceUID) for c in contours for i in c.get("ContourImageSequence") or []}


def _drawn_by_name(data: Any) -> dict[str, dict[str, list[str]]]:
    """What each ROI says that it was drawn on, by its name: `series`, of its frame of reference, and `images`."""
    by_frame, contours = _series_by_frame(data), data.get("ROIContourSequence") or []
    images: dict[int, set[str]] = defaultdict(set)
    for roi in contours:
        images[int(roi.ReferencedROINumber)] |= _images_of(roi)
    found: dict[str, dict[str, set[str]]] = {}
    for roi in data.StructureSetROISequence:
        own = found.setdefault(str(roi.get("ROIName", "")), {"series": set(), "images": set()})
        own["series"] |= by_frame.get(str(roi.get("ReferencedFrameOfReferenceUID", "")), set())
        own["images"] |= images[int(roi.ROINumber)]
    return {name: {what: sorted(uids) for what, uids in own.items()} for name, own in found.items()}
