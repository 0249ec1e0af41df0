"""Real sarcomas in the folders that the archive's own download program (NBIA Data Retriever) makes, with the other
scans of the two studies that a patient has there."""

from __future__ import annotations

import copy
import shutil
import tarfile
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import generate_uid

from hcc_recurrence.cohort.crawl import crawl
from hcc_recurrence.cohort.dicom_folders import list_delivery
from hcc_recurrence.cohort.public_collections import COLLECTIONS, build_sheets, read_clinical

# Of the smallest tumours.
PATIENTS = ("STS_008", "STS_019")
# Study, modality and description of a scan; PET, CT and fat-suppressed T2 have contours of their own.
SCANS = (
    ("MR LOWER EXTREMITY", "MR", "AXIAL T1"),
    ("MR LOWER EXTREMITY", "MR", "AXIAL T2 FS"),
    ("PET CT", "PT", "PET AC"),
    ("PET CT", "CT", "CT IMAGES - RESEARCH"),
)


def lay_out(published: Path, root: Path, patient: str) -> dict[str, str]:
    """Scans of a patient, made of the published T1, and an RTSTRUCT of each with tumour and oedema.

    Returns: folders by description, from `root` on.
    """
    images = [pydicom.dcmread(file) for file in sorted((published / "image").iterdir())]
    contours = pydicom.dcmread(next((published / "mask").iterdir()))
    day, folders = images[0].StudyDate, {}
    studies = {study: images[0].StudyInstanceUID if "MR" in study else generate_uid() for study, _, _ in SCANS}
    for number, (study, modality, description) in enumerate(SCANS, 1):
        uid = images[0].SeriesInstanceUID if number == 1 else generate_uid()
        place = f"{patient}/{day[4:6]}-{day[6:]}-{day[:4]}-NA-{study}-{studies[study][-5:]}"
        folders[description] = f"{place}/{number}.000000-{description}-{uid[-5:]}"
        (root / folders[description]).mkdir(parents=True)
        # Of the others a few slices are enough.
        for slice_number, data in enumerate(images if number == 1 else images[:4], 1):
            own = copy.deepcopy(data)
            own.StudyInstanceUID, own.SeriesInstanceUID = studies[study], uid
            own.Modality, own.SeriesDescription, own.StudyDescription = modality, description, study
            if number > 1:
                own.SOPInstanceUID = own.file_meta.MediaStorageSOPInstanceUID = generate_uid()
            own.save_as(root / folders[description] / f"1-{slice_number:02d}.dcm")
        drawn = outlined(contours, studies[study], uid)
        folders[f"RTstruct {description}"] = f"{place}/1.000000-RTstruct{description}-{drawn.SeriesInstanceUID[-5:]}"
        folder = root / folders[f"RTstruct {description}"]
        folder.mkdir()
        drawn.save_as(folder / "1-1.dcm")
    return folders


def outlined(contours: pydicom.Dataset, study: str, series: str) -> pydicom.Dataset:
    """The published contours as those of a scan, with an oedema beside the tumour."""
    own = copy.deepcopy(contours)
    own.StudyInstanceUID, own.SeriesInstanceUID, own.SOPInstanceUID = study, generate_uid(), generate_uid()
    own.file_meta.MediaStorageSOPInstanceUID = own.SOPInstanceUID
    (frame,) = own.ReferencedFrameOfReferenceSequence
    frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence[0].SeriesInstanceUID = series
    # Those published name images that were not published.
    for contour in own.ROIContourSequence[0].ContourSequence:
        del contour.ContourImageSequence
    roi, outlines = copy.deepcopy(own.StructureSetROISequence[0]), copy.deepcopy(own.ROIContourSequence[0])
    own.StructureSetROISequence[0].ROIName, roi.ROIName = "GTV_Mass", "GTV_Edema"
    roi.ROINumber = outlines.ReferencedROINumber = 7
    own.StructureSetROISequence.append(roi)
    own.ROIContourSequence.append(outlines)
    return own


@pytest.mark.shared_data
def test_the_archives_own_folders_are_read_as_they_are(shared_data, tmp_path):
    with tarfile.open(shared_data / "sts/mr_t1.tar.gz") as archive:
        inside = [m for m in archive if any(f"/{patient}/" in m.name for patient in PATIENTS)]
        archive.extractall(tmp_path, inside, filter="data")
    manifest = tmp_path / "manifest-1700000000000"
    root = manifest / "Soft-tissue-Sarcoma"
    made = {p: lay_out(next(tmp_path.rglob(f"{p}/MR_T1")), root, p) for p in PATIENTS}
    # What the program leaves beside the images.
    (root / "LICENSE").write_text("Creative Commons Attribution 3.0\n")
    (manifest / "metadata.csv").write_text("Series UID,Collection,File Location\n")
    shutil.rmtree(root / made["STS_019"]["RTstruct AXIAL T1"])

    found, _ = crawl(list_delivery(manifest).files, tmp_path / "cache.json", 1)
    assert len(found) == len(PATIENTS) * 2 * len(SCANS) - 1
    clinical = read_clinical(shared_data / "sts/outcome.csv")
    sheets, left_out = build_sheets(found, manifest, clinical, COLLECTIONS["soft_tissue_sarcoma"])
    place = f"Soft-tissue-Sarcoma/{made['STS_008']['AXIAL T1']}"
    (series,), (mask,) = (sheets[kind].to_dict("records") for kind in ("series", "masks"))
    assert (series["patient_id"], series["phase"], series["path"]) == ("STS_008", "precontrast", place)
    contours = f"Soft-tissue-Sarcoma/{made['STS_008']['RTstruct AXIAL T1']}"
    assert mask["path"] in (contours, f"{contours}/1-1.dcm") and mask["label"] == "GTV_Mass*"
    reasons = dict(left_out.to_numpy())
    assert reasons["STS_019"].startswith("has 0 contours of the tumour on a series of the kind that is taken (of 3")
    assert reasons["STS_001"] == "has no images in the folder" and len(reasons) == 50
