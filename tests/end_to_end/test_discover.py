"""From one folder with everything in it to images, with the drafted sheets as they are; no identifier goes along."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
import yaml
from exports import PHASES, SHAPE, deliver, describe, make_series, save_series, voxels

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


def contents(folder):
    return {file.name: file.read_bytes() for file in sorted(folder.glob("discovered/*")) if file.is_file()}


def test_the_sheets_are_drafted_with_progress_and_kept(discovered):
    workspace, printed = discovered
    assert "headers: 67 read" in printed and "67 files, 3 patients, 21 series" in printed
    series = pd.read_csv(workspace.folder / "discovered/series.csv")
    assert len(series) == 9 and series["phase"].value_counts().to_dict() == dict.fromkeys(PHASES, 3)
    assert series["evidence"].str.contains("description says").all()
    assert "looks wrong" in (workspace.folder / "discovered/summary.html").read_text()
    assert workspace.jobs("--config", "dicom_root=export", "--", target="discover") == {}
    (workspace.folder / "export/another").write_text("a file more")
    assert workspace.jobs("--config", "dicom_root=export", "--", target="discover") == {"discover": 1}
    (workspace.folder / "export/another").unlink()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ((), "dicom_root names no folder"),
        (("--config", "dicom_root=exprot"), "dicom_root exprot does not exist"),
        (("--config", "dicom_root=."), "is or holds the folder that the workflow runs in"),
        (("--config", "dicom_root=sheets/patients.csv"), "is no folder"),
    ],
)
def test_a_folder_that_is_none_is_refused_before_anything_is_touched(discovered, asked, words):
    workspace, _ = discovered
    kept = contents(workspace.folder)
    result = workspace.snakemake("--cores", "1", "discover", *asked)
    text = result.stdout + result.stderr
    assert result.returncode != 0 and words in text and "Nothing was changed" in text and "Traceback" not in text
    assert contents(workspace.folder) == kept


def test_sheets_are_drafted_before_those_of_the_config_are_there(discovered, tmp_path):
    workspace = discovered[0].copy_to(tmp_path / "copy", results=False)
    shutil.rmtree(workspace.folder / "discovered")
    for file in (workspace.folder / "sheets").glob("*.csv"):
        file.unlink()
    workspace.config(dicom_root="export")
    assert "does not exist" in workspace.refuse()
    workspace.run("discover")
    assert len(pd.read_csv(workspace.folder / "discovered/series.csv")) == 9


def test_a_sheet_that_a_person_filled_in_is_left_as_it_is(discovered, tmp_path):
    first, _ = discovered
    workspace = first.copy_to(tmp_path / "copy")
    file = workspace.folder / "discovered/patients.csv"
    file.write_text(file.read_text().replace(",,", ",Milan,", 1))
    kept = contents(workspace.folder)
    # A fourth patient comes.
    slices = make_series(voxels(77), describe(phase="arterial", patient="MRN7"), tmp_path / "unused")
    save_series(slices, workspace.folder / "export", names=[f"N{k}" for k in range(len(slices))])
    printed = workspace.run("discover", "--config", "dicom_root=export")
    assert "discovered/patients.csv: changed since drafted" in printed and "drafted in discovered/new_1" in printed
    now = contents(workspace.folder)
    for name in ("patients.csv", "series.csv", "masks.csv"):
        assert now[name] == kept[name]
    new = pd.read_csv(workspace.folder / "discovered/new_1/series.csv")
    key = pd.read_csv(workspace.folder / "discovered/key_private.csv", dtype=str).set_index("PatientID")["patient_id"]
    assert list(new["patient_id"]) == [key["MRN7"]] and len(key) == 4
    # Broken off, by an export that cannot be used: nothing else is touched either.
    shutil.rmtree(workspace.folder / "export")
    (workspace.folder / "export").mkdir()
    (workspace.folder / "export/notes").write_text("no DICOM")
    result = workspace.snakemake("--cores", "1", "discover", "--config", "dicom_root=export")
    text = result.stdout + result.stderr
    assert result.returncode != 0 and "holds 1 file and no DICOM series" in text and "Traceback" not in text
    left = contents(workspace.folder)
    assert {n: c for n, c in left.items() if n != "last_run.txt"} == {
        n: c for n, c in now.items() if n != "last_run.txt"
    }


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


def test_no_identifier_is_in_results_logs_or_caches(discovered):
    folder = discovered[0].folder
    files = [f for kind in ("results", "logs", "benchmarks") for f in (folder / kind).rglob("*") if f.is_file()]
    files += (folder / ".snakemake").glob("hcc_*.json")
    files += [f for f in (folder / "discovered").iterdir() if f.name != "key_private.csv"]
    names = {file.name for file in files}
    assert len(files) > 20 and names >= {"hcc_discovery.json", "hcc_headers.json", "hcc_samples.json", "series.csv"}
    for file in files:
        content = file.read_bytes()
        for identifier in IDENTIFIERS:
            assert identifier.encode() not in content and identifier.encode("latin-1") not in content, file
    assert "MRN" in (folder / "discovered/key_private.csv").read_text(), "the search finds what is there"
