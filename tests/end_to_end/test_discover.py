"""From one folder with everything in it to images, with the drafted sheets as they are; no identifier goes along."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
import yaml
from exports import PHASES, SHAPE, deliver, voxels

# What the headers hold of persons, and what a search must not find.
# Variables of the paper, which these patients do not have.
CUI_CLINICAL = [
    *("age", "sex", "hepatitis", "child_pugh", "cirrhosis", "diameter", "differentiation_poor", "alt", "ast", "afp"),
]
IDENTIFIERS = ("MRN0", "MRN1", "MRN2", "M\u00fcller", "J\u00f6rg", "Mller")


@pytest.fixture(scope="module")
def discovered(tiny_inputs, tmp_path_factory):
    from workflow_runner import Workspace

    workspace = Workspace(tiny_inputs).copy_to(tmp_path_factory.mktemp("discover") / "run", results=False)
    deliver(workspace.folder / "export")
    printed = workspace.run("discover", "--config", "dicom_root=export")
    return workspace, printed


def test_the_sheets_are_drafted_with_progress_and_kept(discovered):
    workspace, printed = discovered
    assert "headers [" in printed and "of 67" in printed
    series = pd.read_csv(workspace.folder / "discovered/series.csv")
    assert len(series) == 9 and series["phase"].value_counts().to_dict() == dict.fromkeys(PHASES, 3)
    assert "looks wrong" in (workspace.folder / "discovered/summary.html").read_text()
    assert workspace.jobs("--config", "dicom_root=export", "--", target="discover") == {}
    (workspace.folder / "export/another").write_text("a file more")
    assert workspace.jobs("--config", "dicom_root=export", "--", target="discover") == {"discover": 1}
    (workspace.folder / "export/another").unlink()


def test_the_drafted_sheets_run_unchanged(discovered):
    workspace, _ = discovered
    folder = workspace.folder
    patients = pd.read_csv(folder / "discovered/patients.csv", dtype=str)
    patients = patients.assign(centre="A", resection_date="2020-02-01", last_follow_up_date="2023-01-01")
    patients.to_csv(folder / "sheets/outcomes.csv", index=False)
    config = yaml.safe_load((folder / "tiny.yaml").read_text())
    config["cohorts"]["tiny"].update(
        modality="CT",
        data_root="export",
        patients="sheets/outcomes.csv",
        series="discovered/series.csv",
        masks="discovered/masks.csv",
        strata={},
        clinical={},
    )
    config["studies"] = [{"paper": "cui2022", "cohort": "tiny", "without": CUI_CLINICAL}]
    config["overrides"] = {}
    (folder / "tiny.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    names = sorted(patients["patient_id"])
    workspace.run(*(f"results/tiny/{kind}/native/{name}" for name in names for kind in ("images", "masks")))
    key = pd.read_csv(folder / "discovered/key_private.csv", dtype=str).set_index("PatientID")["patient_id"]
    for number in range(3):
        for k, phase in enumerate(PHASES):
            image = sitk.ReadImage(str(folder / f"results/tiny/images/native/{key[f'MRN{number}']}/{phase}.nii.gz"))
            np.testing.assert_array_equal(sitk.GetArrayFromImage(image), voxels(10 * number + k))
        mask = sitk.ReadImage(str(folder / f"results/tiny/masks/native/{key[f'MRN{number}']}/arterial.R1.nii.gz"))
        assert mask.GetSize() == SHAPE[::-1] and sitk.GetArrayFromImage(mask).sum() == 2 * 5 * 5


def test_no_identifier_is_in_results_or_logs(discovered):
    folder = discovered[0].folder
    files = [f for kind in ("results", "logs", "benchmarks") for f in (folder / kind).rglob("*") if f.is_file()]
    assert len(files) > 10
    for file in files:
        content = file.read_bytes()
        for identifier in IDENTIFIERS:
            assert identifier.encode() not in content and identifier.encode("latin-1") not in content, file
    assert "MRN" in (folder / "discovered/key_private.csv").read_text(), "the search finds what is there"
