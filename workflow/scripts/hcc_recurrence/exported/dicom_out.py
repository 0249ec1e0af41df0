"""The result of applied models as DICOM: the segmentation that was used, a structured report, a PDF page.

Everything says "research use only". Of the source images no name, date of birth, date or number of the hospital is
taken over: the patient is called as in the patients sheet. The UIDs of study, series and images stay, for a
segmentation without them belongs to no image. UIDs of what is written follow from its content: equal content has equal
UIDs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import SimpleITK as sitk
    from pydicom import Dataset

    from hcc_recurrence.exported.pages import AppliedModel

RESEARCH_USE = "RESEARCH USE ONLY"
MANUFACTURER, MODEL_NAME = "hcc-recurrence", "applied models"
# Our own codes; a scheme that begins with 99 is private (DICOM PS3.16, 8).
SCHEME = "99HCCREC"
# What a source image gives to what is written about it; everything else that could name a person is left empty.
KEPT = (
    *("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"),
    *("Modality", "Rows", "Columns", "PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient"),
    *("SliceThickness", "NumberOfFrames", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
    *("DimensionOrganizationSequence", "DimensionIndexSequence", "SpacingBetweenSlices"),
)
EMPTY = ("PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "AccessionNumber", "StudyID")
# Series numbers of what is written, far from those of a scanner.
SEG_SERIES, SR_SERIES, PDF_SERIES = 9101, 9201, 9301
ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"


def source_headers(files: Sequence[Path], patient: str) -> list[Dataset]:
    """Headers of source images with what a reference to them needs, and with the patient's pseudonym.

    Args: files: of one series.
    """
    from pydicom import Dataset, dcmread

    found = []
    for file in files:
        header, kept = dcmread(file, stop_before_pixels=True), Dataset()
        for keyword in KEPT:
            if keyword in header:
                kept[keyword] = header[keyword]
        for keyword in EMPTY:
            setattr(kept, keyword, "")
        kept.PatientName, kept.PatientID, kept.ReferringPhysicianName = person_name(patient), patient, ""
        # Without a frame of reference, which old scanners leave out, images of one series share one.
        if not kept.get("FrameOfReferenceUID"):
            kept.FrameOfReferenceUID = uid_of(str(header.SeriesInstanceUID), "frame of reference")
        kept.file_meta = header.file_meta
        found.append(kept)
    return found


def person_name(patient: str) -> str:
    """A pseudonym as a name in DICOM: one of a single part ends in a caret."""
    return f"{patient}^"


def uid_of(*parts: str | bytes) -> str:
    """A UID that follows from the parts."""
    from pydicom.uid import generate_uid

    digest = hashlib.sha256(b"\0".join(part.encode() if isinstance(part, str) else part for part in parts))
    return str(generate_uid(entropy_srcs=[digest.hexdigest()]))


def segmentation(mask: sitk.Image, sources: Sequence[Dataset], phase: str, reader: str, version: str) -> Dataset:
    """A mask as a binary DICOM SEG with the mask's own geometry, its frames those that hold the tumour.

    Args:
        mask: 0/1, on the grid of the series. sources: of `source_headers`, of that series. reader: who drew it; `unet`
            is a network. version: of this software.

    Raises: ValueError for an empty mask.
    """
    import highdicom as hd
    import SimpleITK as sitk
    from pydicom.sr.codedict import codes

    voxels = sitk.GetArrayFromImage(mask) > 0
    if not voxels.any():
        raise ValueError(f"the mask of {phase} is empty. What to do: look at it on the quality page")
    # Only slices with the tumour, and one on each side, as far as there are any.
    used = np.flatnonzero(voxels.any(axis=(1, 2)))
    first, last = max(int(used[0]) - 1, 0), min(int(used[-1]) + 2, len(voxels))
    volume = hd.Volume(
        voxels[first:last].astype(np.uint8),
        affine_of(mask, first),
        coordinate_system="PATIENT",
        frame_of_reference_uid=sources[0].FrameOfReferenceUID,
    )
    automatic = reader == "unet"
    about: dict[str, Any] = {}
    if automatic:
        about["algorithm_identification"] = hd.AlgorithmIdentificationSequence(
            name="segmentation network", family=codes.DCM.ArtificialIntelligence, version=version
        )
    kinds = hd.seg.SegmentAlgorithmTypeValues
    description = hd.seg.SegmentDescription(
        segment_number=1,
        segment_label=f"Tumour, {phase}",
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Neoplasm,
        algorithm_type=kinds.AUTOMATIC if automatic else kinds.MANUAL,
        tracking_id=f"tumour {phase}",
        tracking_uid=uid_of(sources[0].SeriesInstanceUID, "tumour", phase),
        **about,
    )
    key = (sources[0].SeriesInstanceUID, phase, reader, volume.array.tobytes())
    seg = hd.seg.Segmentation(
        source_images=list(sources),
        pixel_array=volume,
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[description],
        series_instance_uid=uid_of("series", *key),
        series_number=SEG_SERIES,
        sop_instance_uid=uid_of("instance", *key),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MODEL_NAME,
        software_versions=version,
        device_serial_number="1",
        content_description=RESEARCH_USE,
    )
    seg.SeriesDescription = f"Tumour {phase}, {RESEARCH_USE}"
    return seg


def affine_of(image: sitk.Image, first: int = 0) -> np.ndarray:
    """From indices (slice, row, column) of an image's array to mm, LPS, (4, 4); slices counted from `first`."""
    direction = np.array(image.GetDirection()).reshape(3, 3)
    spacing = np.array(image.GetSpacing())
    # Columns of the array's axes: slices run along z of the image, rows along y, columns along x.
    axes = (direction * spacing)[:, ::-1]
    affine = np.eye(4)
    affine[:3, :3] = axes
    affine[:3, 3] = np.array(image.GetOrigin()) + first * axes[:, 0]
    return affine


def structured_report(
    patient: str,
    models: Sequence[AppliedModel],
    segmentations: Mapping[str, Dataset],
    sources: Sequence[Dataset],
    volumes_ml: Mapping[str, float],
    version: str,
) -> Dataset:
    """The result as a measurement report (TID 1500): a group a model with its probability, and one an outline.

    Args:
        segmentations: by phase, all of one study. sources: of all their series. volumes_ml: of the outlines, by phase.
    """
    import highdicom as hd
    from pydicom.sr.codedict import codes

    from hcc_recurrence.exported.pages import about_words, endpoint_of, named_inputs, scores, seen_words

    def code(value: str, meaning: str) -> hd.sr.CodedConcept:
        return hd.sr.CodedConcept(value, SCHEME, meaning)

    liver = hd.sr.FindingSite(codes.SCT.Liver)
    research = hd.sr.QualitativeEvaluation(code("USE", "Intended use"), code("RESEARCH", "Research use only"))
    groups: list[Any] = []
    for phase, seg in segmentations.items():
        volume = hd.sr.Measurement(codes.SCT.Volume, volumes_ml[phase], hd.sr.CodedConcept("mL", "UCUM", "mL"))
        groups.append(
            hd.sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
                tracking_identifier=hd.sr.TrackingIdentifier(
                    uid=seg.SegmentSequence[0].TrackingUID, identifier=f"tumour {phase}"
                ),
                referenced_segment=hd.sr.ReferencedSegment(
                    seg.SOPClassUID,
                    seg.SOPInstanceUID,
                    segment_number=1,
                    source_series=hd.sr.SourceSeriesForSegmentation(seg.ReferencedSeriesSequence[0].SeriesInstanceUID),
                ),
                finding_type=codes.SCT.Neoplasm,
                finding_sites=[liver],
                measurements=[volume],
                qualitative_evaluations=[research],
            )
        )
    for model in models:
        outside = len(named_inputs([model], patient, "outside"))
        for score in scores(model, patient):
            if score["place"] is None:
                continue
            numbers = {"PROBABILITY": (f"Probability of {endpoint_of(model.about).name}"[:64], score["probability"])}
            if score["cutoff_place"] is not None:
                numbers["CUTOFF"] = ("Cut-off of the probability", float(score["cutoff_value"]))
            numbers["OUTSIDE"] = ("Inputs outside the training patients", float(outside))
            found = [
                hd.sr.Measurement(code(key, words), value, codes.UCUM.NoUnits)
                for key, (words, value) in numbers.items()
            ]
            judged = [research]
            if seen_words([model], patient):
                seen = code("TRAINING", "The model learned from this patient")
                judged.append(hd.sr.QualitativeEvaluation(code("SEEN", "Training patient"), seen))
            if score["group"]:
                group = code(score["group"].upper(), f"{score['group']} risk")
                judged.append(hd.sr.QualitativeEvaluation(code("GROUP", "Risk group"), group))
            name = f"{model.name} {score['model']}"
            groups.append(
                hd.sr.MeasurementsAndQualitativeEvaluations(
                    tracking_identifier=hd.sr.TrackingIdentifier(uid=uid_of(patient, name), identifier=name),
                    algorithm_id=hd.sr.AlgorithmIdentification(name, about_words(model.about)["made"]),
                    finding_sites=[liver],
                    measurements=found,
                    qualitative_evaluations=judged,
                )
            )
    device = hd.sr.DeviceObserverIdentifyingAttributes(
        uid=uid_of(MANUFACTURER, version), manufacturer_name=MANUFACTURER, model_name=MODEL_NAME
    )
    report = hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(
            observer_device_context=hd.sr.ObserverContext(codes.DCM.Device, device)
        ),
        procedure_reported=codes.SCT.ImagingProcedure,
        imaging_measurements=groups,
        title=codes.DCM.ImagingMeasurementReport,
    )
    content = str([(m.name, scores(m, patient)) for m in models])
    key = (patient, content, *(seg.SOPInstanceUID for seg in segmentations.values()))
    result = hd.sr.Comprehensive3DSR(
        evidence=[*segmentations.values(), *sources],
        content=report,
        series_instance_uid=uid_of("report series", *key),
        series_number=SR_SERIES,
        sop_instance_uid=uid_of("report", *key),
        instance_number=1,
        manufacturer=MANUFACTURER,
        # Nobody has read it, and nobody may sign it.
        is_complete=True,
        is_final=False,
        is_verified=False,
    )
    result.SeriesDescription = f"Predicted risk, {RESEARCH_USE}"
    return result


def encapsulated_pdf(pdf: bytes, source: Dataset, patient: str, title: str) -> Dataset:
    """A PDF page as a DICOM object of the study of a source image (PS3.3, A.45.1)."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    result = Dataset()
    result.SOPClassUID = ENCAPSULATED_PDF
    result.SOPInstanceUID = uid_of("pdf", patient, pdf)
    result.StudyInstanceUID = source.StudyInstanceUID
    result.SeriesInstanceUID = uid_of("pdf series", patient, pdf)
    result.PatientName, result.PatientID = person_name(patient), patient
    for keyword in (*EMPTY, "ReferringPhysicianName", "ContentDate", "ContentTime", "AcquisitionDateTime"):
        setattr(result, keyword, "")
    result.Modality, result.ConversionType = "DOC", "WSD"
    result.Manufacturer, result.ManufacturerModelName = MANUFACTURER, MODEL_NAME
    result.SeriesNumber, result.InstanceNumber = PDF_SERIES, 1
    result.SeriesDescription = f"Predicted risk, {RESEARCH_USE}"
    result.BurnedInAnnotation, result.DocumentTitle = "NO", f"{title}, {RESEARCH_USE}"
    result.MIMETypeOfEncapsulatedDocument = "application/pdf"
    # DICOM values have an even length; the length of the document itself stands beside it.
    result.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    result.EncapsulatedDocumentLength = len(pdf)
    result.ConceptNameCodeSequence = []
    result.file_meta = FileMetaDataset()
    result.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    result.file_meta.MediaStorageSOPClassUID = result.SOPClassUID
    result.file_meta.MediaStorageSOPInstanceUID = result.SOPInstanceUID
    return result
