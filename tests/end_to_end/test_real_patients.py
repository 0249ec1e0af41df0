"""Three real patients with soft-tissue sarcoma, from the download to labels, masks and features."""

from __future__ import annotations

import tarfile

import numpy as np
import pandas as pd
import pydicom
import pytest
import SimpleITK as sitk
from matplotlib.path import Path as Polygon
from pyradiomics_reference import whole_volume_features
from workflow_runner import REPOSITORY, Workspace, copy_workflow

# The smallest tumours: two without and one with a lung metastasis.
PATIENTS = ("STS_008", "STS_019", "STS_032")
PLACE = "public/soft_tissue_sarcoma"


@pytest.fixture(scope="module")
def patients(shared_data, tmp_path_factory):
    """A run of the collection's own config on three of its patients, as far as their number goes."""
    folder = tmp_path_factory.mktemp("sarcoma")
    copy_workflow(folder)
    with tarfile.open(shared_data / "sts/mr_t1.tar.gz") as archive:
        inside = [m for m in archive if any(f"/{patient}/" in m.name for patient in PATIENTS)]
        archive.extractall(folder / PLACE / "dicom", inside, filter="data")
    outcome = pd.read_csv(shared_data / "sts/outcome.csv", dtype=str)
    outcome[outcome["patient"].isin(PATIENTS)].to_csv(folder / PLACE / "outcome.csv", index=False)
    (folder / "tiny.yaml").write_text("{}\n")
    workspace = Workspace(folder)
    asked = ("--config", f"dicom_root={PLACE}/dicom", f"clinical_table={PLACE}/outcome.csv")
    workspace.run(f"{PLACE}/patients.csv", *asked)
    (folder / "tiny.yaml").write_text((REPOSITORY / "config/public/soft_tissue_sarcoma.yaml").read_text())
    masks = [f"results/sts/masks/native/{patient}" for patient in PATIENTS]
    workspace.run("results/sts/labels.csv", *masks, "results/sts/radiomics/zhao2024/STS_019")
    return workspace


@pytest.mark.shared_data
def test_the_sheets_and_labels_have_the_outcome_of_the_collection(patients):
    place = patients.folder / PLACE
    assert list(pd.read_csv(place / "patients.csv")["lung_metastasis"]) == [0, 0, 1]
    assert set(pd.read_csv(place / "masks.csv")["label"]) == {"GTV_Mass*"}
    labels = pd.read_csv(patients.folder / "results/sts/labels.csv")
    assert list(labels["er"]) == [0, 0, 1] and labels[["rfs_months", "rfs_event"]].isna().all(axis=None)
    page = (patients.folder / "results/sts/labels.html").read_text()
    assert "used, lung metastasis" in page and "recurrence" not in page


@pytest.mark.shared_data
def test_the_contours_fill_the_pixels_whose_centres_they_hold(patients):
    """As matplotlib finds points in polygons."""
    for patient in PATIENTS:
        file = patients.folder / f"results/sts/masks/native/{patient}/precontrast.McGill.nii.gz"
        mask = sitk.ReadImage(str(file))
        (structure,) = (patients.folder / PLACE / "dicom").rglob(f"{patient}/MR_T1/mask/*.dcm")
        width, height, depth = mask.GetSize()
        centres = np.column_stack([a.ravel() for a in np.meshgrid(np.arange(width), np.arange(height))])
        expected = np.zeros((depth, height, width), bool)
        for contour in pydicom.dcmread(structure).ROIContourSequence[0].ContourSequence:
            points = np.asarray(contour.ContourData, float).reshape(-1, 3)
            index = np.array([mask.TransformPhysicalPointToContinuousIndex(p.tolist()) for p in points])
            inside = Polygon(index[:, :2]).contains_points(centres).reshape(height, width)
            expected[round(index[:, 2].mean())] ^= inside
        found = sitk.GetArrayFromImage(mask) > 0
        assert 2 * (found & expected).sum() / (found.sum() + expected.sum()) > 0.999, patient


@pytest.mark.shared_data
def test_the_features_are_pyradiomics_own(patients):
    """Within 1e-4 relative of PyRadiomics, called directly on the same whole 1 mm volume."""
    results = patients.folder / "results/sts"
    row = pd.read_feather(results / "radiomics/zhao2024/STS_019/precontrast.feather").iloc[0]
    image, mask = (
        sitk.ReadImage(str(results / f"{kind}/iso1/STS_019/precontrast{reader}.nii.gz"))
        for kind, reader in (("images", ""), ("masks", ".McGill"))
    )
    reference = whole_volume_features(image, mask)
    worst = max(abs(row[name] - value) / max(abs(value), 1e-9) for name, value in reference.items())
    assert len(reference) == 1037 and worst < 1e-4


@pytest.mark.shared_data
def test_too_few_patients_for_the_folds_are_said_in_the_words_of_the_outcome(patients):
    said = patients.refuse()
    assert "with lung metastasis and" in said and "early recurrence" not in said
