"""Tiny series as hospitals export them: any geometry, order, names, transfer syntax and format, for tests."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

from hcc_recurrence.simulation.dicom_writer import SeriesHeader, write_rtstruct, write_seg, write_series

# By pydicom, or, where it has no encoder, by GDCM as SimpleITK calls it.
SYNTAXES = {
    "explicit": ExplicitVRLittleEndian,
    "implicit": ImplicitVRLittleEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
    "rle": RLELossless,
    "jpeg-ls": JPEGLSLossless,
    "jpeg 2000": "JPEG2000",
    "jpeg lossless": "JPEG",
}
SHAPE = (6, 14, 12)
PHASES = ("precontrast", "arterial", "portal")
STORAGE = {"CT": "1.2.840.10008.5.1.4.1.1.2.1", "MR": "1.2.840.10008.5.1.4.1.1.4.1"}


def describe(
    modality: str = "CT", phase: str = "portal", spacing=(3.0, 1.5, 1.25), patient: str = "X1"
) -> SeriesHeader:
    return SeriesHeader(patient, phase, modality, "M", "m", 1.5, spacing, (-20.0, 10.0, 5.0), "20200101", 1960, "F")


def make_series(
    voxels: np.ndarray, header: SeriesHeader, folder: Path, direction: np.ndarray | None = None
) -> list[FileDataset]:
    """A series of (z, y, x) voxels; columns of `direction` are the directions of x, y and z."""
    # A copy each: slices that were written together share their elements, and tests change single ones.
    slices = [copy.deepcopy(data) for data in write_series(voxels, header, folder)]
    for file in folder.iterdir():
        file.unlink()
    if direction is not None:
        for k, data in enumerate(slices):
            place = np.array(header.origin) + k * header.spacing[0] * direction[:, 2]
            data.ImagePositionPatient = [f"{v:.8g}" for v in place]
            data.ImageOrientationPatient = [f"{v:.8g}" for v in direction[:, :2].T.ravel()]
    return slices


def save_series(slices: list[FileDataset], folder: Path, syntax: str = "explicit", names=None) -> list[Path]:
    """Write the slices under names that say nothing, in a transfer syntax."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for k, data in enumerate(slices):
        file = folder / (names[k] if names else f"{k:04d}")
        encoded(data, syntax).save_as(file, enforce_file_format=True)
        files.append(file)
    return files


def encoded(data: FileDataset, syntax: str) -> FileDataset:
    """A copy in a transfer syntax."""
    data, uid = copy.deepcopy(data), SYNTAXES[syntax]
    if uid in (RLELossless, JPEGLSLossless):
        data.compress(uid, generate_instance_uid=False)
    elif uid in ("JPEG2000", "JPEG"):
        other = _by_gdcm(data, uid)
        data.PixelData, data["PixelData"].is_undefined_length = other.PixelData, True
        data.file_meta.TransferSyntaxUID = other.file_meta.TransferSyntaxUID
    else:
        data.file_meta.TransferSyntaxUID = uid
    return data


def _by_gdcm(data: FileDataset, compressor: str) -> FileDataset:
    with tempfile.TemporaryDirectory() as folder:
        image = sitk.GetImageFromArray(data.pixel_array[None])
        writer = sitk.ImageFileWriter()
        writer.SetImageIO("GDCMImageIO")
        writer.UseCompressionOn()
        writer.SetCompressor(compressor)
        writer.SetFileName(f"{folder}/a.dcm")
        writer.Execute(image)
        written = pydicom.dcmread(f"{folder}/a.dcm")
        assert written.file_meta.TransferSyntaxUID.is_compressed
        written.PixelData  # noqa: B018 - read before the folder is gone
        return written


def save_enhanced(slices: list[FileDataset], file: Path, order=None) -> None:
    """The same slices as one enhanced multi-frame object, frames in any order."""
    first = slices[0]
    data = copy.deepcopy(first)
    for tag in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope", "RescaleIntercept"):
        if tag in data:
            delattr(data, tag)
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = STORAGE[str(first.Modality)]
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[str(file.name)])
    shared = Dataset()
    measures = Dataset()
    measures.PixelSpacing = first.PixelSpacing
    shared.PixelMeasuresSequence = [measures]
    plane = Dataset()
    plane.ImageOrientationPatient = first.ImageOrientationPatient
    shared.PlaneOrientationSequence = [plane]
    data.SharedFunctionalGroupsSequence = [shared]
    order = range(len(slices)) if order is None else order
    frames = []
    for k in order:
        frame, place, value, content = (Dataset() for _ in range(4))
        place.ImagePositionPatient = slices[k].ImagePositionPatient
        frame.PlanePositionSequence = [place]
        if "RescaleSlope" in slices[k]:
            value.RescaleSlope, value.RescaleIntercept = slices[k].RescaleSlope, slices[k].RescaleIntercept
            frame.PixelValueTransformationSequence = [value]
        content.FrameAcquisitionNumber = slices[k].AcquisitionNumber
        frame.FrameContentSequence = [content]
        frames.append(frame)
    data.PerFrameFunctionalGroupsSequence = frames
    data.NumberOfFrames = len(frames)
    data.PixelData = b"".join(slices[k].PixelData for k in order)
    file.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(file, enforce_file_format=True)


def voxels(seed):
    return np.random.default_rng(seed).integers(-900, 1000, SHAPE).astype(np.float32)


def deliver(root, flat=True):
    """Three studies of three phases, a scout, a report, a SEG and an RTSTRUCT; names shuffled in one folder."""
    mask = np.zeros(SHAPE, bool)
    mask[2:4, 4:9, 3:8] = True
    datasets = []
    for number in range(3):
        phases = {}
        for k, phase in enumerate(PHASES):
            described = describe(phase=phase, patient=f"MRN{number}")
            slices = make_series(voxels(10 * number + k), described, root / "unused")
            for data in slices:
                data.PatientID, data.PatientName = f"MRN{number}", "Müller^Jörg"
            phases[phase] = slices
            datasets += slices
        scout = copy.deepcopy(phases["arterial"][0])
        scout.SeriesInstanceUID, scout.SOPInstanceUID = generate_uid(), generate_uid()
        scout.SeriesDescription, scout.SeriesNumber = "Scout", 1
        for tag in ("ImagePositionPatient", "ImageOrientationPatient"):
            delattr(scout, tag)
        report = copy.deepcopy(scout)
        report.SeriesInstanceUID, report.SOPInstanceUID = generate_uid(), generate_uid()
        report.Modality, report.SeriesDescription = "SR", "Dose"
        for tag in ("Rows", "Columns", "PixelData"):
            delattr(report, tag)
        datasets += [scout, report]
        folder = root if flat else root / f"MRN{number}"
        folder.mkdir(parents=True, exist_ok=True)
        write_seg(mask, phases["arterial"], "Tumour", folder / f"x{7 * number}")
        write_rtstruct(mask, phases["portal"], "GTV", folder / f"y{5 * number}")
    (root / "unused").rmdir()
    order = np.random.default_rng(0).permutation(len(datasets))
    if flat:
        save_series([datasets[k] for k in order], root, names=[f"IM{k}" for k in range(len(datasets))])
    else:
        for k in order:
            data = datasets[k]
            save_series([data], root / data.PatientID / str(data.SeriesInstanceUID)[-8:], names=[f"IM{k}"])
    (root / "notes.txt").write_text("not DICOM")


def seg_of(masks, slices, path, kind="BINARY", description=None):
    """A SEG of several segments, which may overlap."""
    import highdicom as hd
    from pydicom.sr.codedict import codes

    descriptions = [
        hd.seg.SegmentDescription(
            segment_number=k,
            segment_label=name,
            segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
            segmented_property_type=codes.SCT.Neoplasm,
            algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
        )
        for k, name in enumerate(masks, 1)
    ]
    stack = np.stack(list(masks.values()), axis=-1)
    if kind == "LABELMAP":
        stack = (stack * np.arange(1, len(masks) + 1)).max(axis=-1).astype(np.uint8)
    seg = hd.seg.Segmentation(
        source_images=slices,
        pixel_array=stack if kind == "LABELMAP" else stack.astype(float if kind == "FRACTIONAL" else bool),
        segmentation_type=kind,
        segment_descriptions=descriptions,
        series_instance_uid=generate_uid(),
        series_number=1,
        series_description=description,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="M",
        manufacturer_model_name="m",
        software_versions="1",
        device_serial_number="1",
    )
    seg.save_as(path)
    return path


def rtstruct_of(rois, slices, path):
    """An RTSTRUCT drawn on a series: {name: [(ContourGeometricType, points in LPS mm, (point, 3)), ...]}."""
    series, study, frame = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = slices[0].SeriesInstanceUID
    study.ReferencedSOPClassUID, study.ReferencedSOPInstanceUID = "1.2.840.10008.3.1.2.3.1", slices[0].StudyInstanceUID
    study.RTReferencedSeriesSequence = [series]
    frame.FrameOfReferenceUID, frame.RTReferencedStudySequence = slices[0].FrameOfReferenceUID, [study]
    meta = copy.deepcopy(slices[0].file_meta)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.481.3", generate_uid()
    data = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID, data.Modality = meta.MediaStorageSOPClassUID, generate_uid(), "RTSTRUCT"
    data.StudyInstanceUID, data.SeriesInstanceUID = slices[0].StudyInstanceUID, generate_uid()
    data.ReferencedFrameOfReferenceSequence = [frame]
    data.StructureSetROISequence, data.ROIContourSequence = [], []
    for number, (name, contours) in enumerate(rois.items(), 1):
        roi, drawn = Dataset(), Dataset()
        roi.ROINumber, roi.ROIName, drawn.ReferencedROINumber = number, name.strip(), number
        drawn.ContourSequence = []
        for kind, points in contours:
            contour = Dataset()
            contour.ContourGeometricType, contour.NumberOfContourPoints = kind, len(points)
            contour.ContourData = [f"{value:.3f}" for value in np.ravel(points)]
            drawn.ContourSequence.append(contour)
        data.StructureSetROISequence.append(roi)
        data.ROIContourSequence.append(drawn)
    data.save_as(path, enforce_file_format=True)
    return path
