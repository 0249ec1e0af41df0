"""Write simulated volumes and masks as a hospital exports them: DICOM series, SEG, RTSTRUCT, NIfTI."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid

RTSTRUCT_STORAGE = "1.2.840.10008.5.1.4.1.1.481.3"
PHASE_TEXT = {
    "precontrast": "Abdomen non contrast",
    "arterial": "Abdomen arterial",
    "portal": "Abdomen portal venous",
    "delayed": "Abdomen delayed",
    "hepatobiliary": "Abdomen hepatobiliary 20 min",
}
PHASE_SECONDS = {
    "precontrast": -60,
    "arterial": 35,
    "portal": 70,
    "delayed": 180,
    "hepatobiliary": 1200,
}


@dataclass(frozen=True)
class SeriesHeader:
    """What the tags of one series need besides its voxels.

    spacing is (z, y, x) mm, origin the centre of the first (lowest) voxel as (x, y, z) mm in LPS.
    """

    patient: str
    phase: str
    modality: str
    manufacturer: str
    model: str
    field_t: float | None
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]
    study_date: str
    birth_year: int
    sex: str

    def uid(self, *parts: object) -> str:
        """A UID that is the same whenever the same thing is simulated."""
        return generate_uid(entropy_srcs=["hcc demo", self.patient, *map(str, parts)])

    @property
    def series_uid(self) -> str:
        return self.uid("series", self.phase)


def _clock(seconds: float) -> str:
    total = 10 * 3600 + seconds
    return f"{int(total // 3600):02d}{int(total % 3600 // 60):02d}{total % 60:06.3f}"


def _new_file(sop_class: str, sop_instance: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = sop_instance
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = generate_uid(entropy_srcs=["hcc demo writer"])
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID = sop_class
    data.SOPInstanceUID = sop_instance
    return data


def _patient_and_study(data: Dataset, header: SeriesHeader) -> None:
    data.SpecificCharacterSet = "ISO_IR 192"
    data.PatientName = f"Simulated^{header.patient}"
    data.PatientID = header.patient
    data.PatientBirthDate = f"{header.birth_year}0701"
    data.PatientSex = header.sex
    data.StudyInstanceUID = header.uid("study")
    data.StudyID = "1"
    data.StudyDate = header.study_date
    data.StudyTime = _clock(0)
    data.AccessionNumber = ""
    data.ReferringPhysicianName = ""
    data.Manufacturer = header.manufacturer
    data.ManufacturerModelName = header.model
    data.FrameOfReferenceUID = header.uid("frame")
    data.PositionReferenceIndicator = ""


def write_series(volume: np.ndarray, header: SeriesHeader, folder: Path) -> list[FileDataset]:
    """Write one series, a file a slice, names in no anatomical order.

    Args:
        volume: (z, y, x) in HU or signal, first slice the lowest.
        folder: made if need be.

    Returns: the datasets, lowest slice first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    is_ct = header.modality == "CT"
    offset = -1024 if is_ct else 0
    stored = np.clip(np.rint(volume) - offset, 0, 32767).astype(np.uint16)
    order = np.random.default_rng(len(header.patient) + stored.shape[0]).permutation(len(stored))
    seconds = PHASE_SECONDS[header.phase]
    number = list(PHASE_SECONDS).index(header.phase) + 2
    common = Dataset()
    _patient_and_study(common, header)
    common.Modality = header.modality
    common.SeriesInstanceUID = header.series_uid
    common.SeriesNumber = number
    common.SeriesDescription = PHASE_TEXT[header.phase]
    common.ProtocolName = "Liver multiphase" if is_ct else "LAVA multiphase"
    common.SeriesDate = common.AcquisitionDate = common.ContentDate = header.study_date
    common.SeriesTime = common.AcquisitionTime = _clock(300 + seconds)
    common.AcquisitionNumber = number
    if seconds > 0:
        common.ContrastBolusAgent = "Iohexol 350" if is_ct else "Gd-EOB-DTPA"
        common.ContrastBolusStartTime = _clock(300)
    common.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL" if is_ct else "OTHER"]
    common.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    common.SliceThickness = header.spacing[0]
    common.PixelSpacing = [header.spacing[1], header.spacing[2]]
    if is_ct:
        common.KVP = 120
        common.ConvolutionKernel = "B30f"
        common.RescaleIntercept = offset
        common.RescaleSlope = 1
        common.RescaleType = "HU"
        common.WindowCenter, common.WindowWidth = 50, 350
        common.GantryDetectorTilt = 0
    else:
        common.SpacingBetweenSlices = header.spacing[0]
        common.MagneticFieldStrength = header.field_t
        common.ScanningSequence, common.SequenceVariant = "GR", "SK"
        common.ScanOptions, common.MRAcquisitionType = "FS", "3D"
        common.RepetitionTime, common.EchoTime, common.EchoTrainLength = 3.8, 1.8, 1
        common.FlipAngle = 12
        common.WindowCenter, common.WindowWidth = 500, 1000
    common.SamplesPerPixel = 1
    common.PhotometricInterpretation = "MONOCHROME2"
    common.Rows, common.Columns = stored.shape[1:]
    common.BitsAllocated, common.BitsStored, common.HighBit = 16, 16, 15
    common.PixelRepresentation = 0
    written = []
    for index, pixels in enumerate(stored):
        data = _new_file(CTImageStorage if is_ct else MRImageStorage, header.uid("slice", header.phase, index))
        # What all slices of a series have is made once: pydicom checks each value.
        data.update({element.tag: element for element in common})
        data.ContentTime = _clock(300 + seconds + 0.1 * index)
        data.InstanceNumber = len(stored) - index
        data.ImagePositionPatient = [
            round(header.origin[0], 4),
            round(header.origin[1], 4),
            round(header.origin[2] + index * header.spacing[0], 4),
        ]
        data.SliceLocation = data.ImagePositionPatient[2]
        data.PixelData = pixels.tobytes()
        data.save_as(folder / f"IM{order[index]:04d}.dcm", enforce_file_format=True)
        written.append(data)
    return written


def write_seg(mask: np.ndarray, slices: list[FileDataset], label: str, path: Path) -> None:
    """Write a mask (z, y, x) as a binary DICOM SEG with one segment, on the slices it needs."""
    import highdicom as hd
    from pydicom.sr.codedict import codes

    used = np.flatnonzero(mask.any(axis=(1, 2)))
    first, last = max(used[0] - 1, 0), min(used[-1] + 2, len(mask))
    description = hd.seg.SegmentDescription(
        segment_number=1,
        segment_label=label,
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Neoplasm,
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
    )
    reference = slices[0]
    seg = hd.seg.Segmentation(
        source_images=slices[first:last],
        pixel_array=mask[first:last].astype(bool),
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[description],
        series_instance_uid=generate_uid(entropy_srcs=[reference.SeriesInstanceUID, path.name, "s"]),
        series_number=90,
        sop_instance_uid=generate_uid(entropy_srcs=[reference.SeriesInstanceUID, path.name, "i"]),
        instance_number=1,
        manufacturer="HCC demo",
        manufacturer_model_name="simulator",
        software_versions="1",
        device_serial_number="1",
        series_description="Segmentation",
    )
    for when in ("ContentDate", "SeriesDate", "InstanceCreationDate"):
        if when in seg:
            setattr(seg, when, reference.StudyDate)
    for when in ("ContentTime", "SeriesTime", "InstanceCreationTime"):
        if when in seg:
            setattr(seg, when, reference.StudyTime)
    seg.save_as(path)


def write_rtstruct(mask: np.ndarray, slices: list[FileDataset], label: str, path: Path) -> None:
    """Write a mask (z, y, x) as closed planar contours of one ROI."""
    import contourpy

    reference = slices[0]
    data = _new_file(RTSTRUCT_STORAGE, generate_uid(entropy_srcs=[reference.SeriesInstanceUID, path.name]))
    for keyword in [
        "SpecificCharacterSet",
        "PatientName",
        "PatientID",
        "PatientBirthDate",
        "PatientSex",
        "StudyInstanceUID",
        "StudyID",
        "StudyDate",
        "StudyTime",
        "AccessionNumber",
        "ReferringPhysicianName",
        "FrameOfReferenceUID",
    ]:
        setattr(data, keyword, getattr(reference, keyword))
    data.Modality = "RTSTRUCT"
    data.Manufacturer = "HCC demo"
    data.SeriesInstanceUID = generate_uid(entropy_srcs=[reference.SeriesInstanceUID, path.name, "series"])
    data.SeriesNumber = 91
    data.StructureSetLabel = "Tumour"
    data.StructureSetDate, data.StructureSetTime = reference.StudyDate, reference.StudyTime

    referenced_series = Dataset()
    referenced_series.SeriesInstanceUID = reference.SeriesInstanceUID
    referenced_series.ContourImageSequence = []
    for image in slices:
        item = Dataset()
        item.ReferencedSOPClassUID = image.SOPClassUID
        item.ReferencedSOPInstanceUID = image.SOPInstanceUID
        referenced_series.ContourImageSequence.append(item)
    study = Dataset()
    study.ReferencedSOPClassUID = "1.2.840.10008.3.1.2.3.1"
    study.ReferencedSOPInstanceUID = reference.StudyInstanceUID
    study.RTReferencedSeriesSequence = [referenced_series]
    frame = Dataset()
    frame.FrameOfReferenceUID = reference.FrameOfReferenceUID
    frame.RTReferencedStudySequence = [study]
    data.ReferencedFrameOfReferenceSequence = [frame]

    roi = Dataset()
    roi.ROINumber = 1
    roi.ReferencedFrameOfReferenceUID = reference.FrameOfReferenceUID
    roi.ROIName = label
    roi.ROIGenerationAlgorithm = "MANUAL"
    data.StructureSetROISequence = [roi]
    contours = Dataset()
    contours.ReferencedROINumber = 1
    contours.ROIDisplayColor = [255, 0, 0]
    contours.ContourSequence = []
    for index in np.flatnonzero(mask.any(axis=(1, 2))):
        position = np.array(slices[index].ImagePositionPatient, float)
        row, column = (float(v) for v in slices[index].PixelSpacing)
        along = np.array(slices[index].ImageOrientationPatient, float).reshape(2, 3)
        padded = np.pad(mask[index].astype(float), 1)
        for line in contourpy.contour_generator(z=padded).lines(0.5):
            steps = (line[:-1] - 1) * [column, row]
            item = Dataset()
            item.ContourGeometricType = "CLOSED_PLANAR"
            item.NumberOfContourPoints = len(steps)
            points = (position + steps @ along).round(3)
            item.ContourData = [f"{v:.10g}" for v in points.ravel()]
            image = Dataset()
            image.ReferencedSOPClassUID = slices[index].SOPClassUID
            image.ReferencedSOPInstanceUID = slices[index].SOPInstanceUID
            item.ContourImageSequence = [image]
            contours.ContourSequence.append(item)
    data.ROIContourSequence = [contours]
    observation = Dataset()
    observation.ObservationNumber = 1
    observation.ReferencedROINumber = 1
    observation.RTROIInterpretedType = "GTV"
    observation.ROIInterpreter = ""
    data.RTROIObservationsSequence = [observation]
    pydicom.dcmwrite(path, data, enforce_file_format=True)


def write_nifti(mask: np.ndarray, header: SeriesHeader, label_value: int, path: Path) -> None:
    """Write a mask (z, y, x) as NIfTI on the series' grid, as ITK-SNAP saves it."""
    import SimpleITK as sitk

    image = sitk.GetImageFromArray((mask * label_value).astype(np.uint8))
    image.SetSpacing(tuple(float(s) for s in header.spacing[::-1]))
    image.SetOrigin(tuple(round(float(o), 4) for o in header.origin))
    sitk.WriteImage(image, str(path), True)
