"""Wrong input stops before the first job, says what to do, and lists every problem at once."""

from __future__ import annotations

import shutil

import pandas as pd
import yaml


def edit_sheet(workspace, name, row, column, value):
    path = workspace.folder / "sheets" / f"{name}.csv"
    sheet = pd.read_csv(path, dtype=str, keep_default_na=False)
    sheet.loc[row, column] = value
    sheet.to_csv(path, index=False)


def middle_slice(workspace, patient, phase):
    import pydicom

    files = list((workspace.folder / "hospital" / patient / phase).iterdir())
    files.sort(key=lambda f: float(pydicom.dcmread(f, stop_before_pixels=True).ImagePositionPatient[2]))
    return files[len(files) // 2]


def test_a_missing_slice(fresh_copy):
    middle_slice(fresh_copy, "T003", "portal").unlink()
    text = fresh_copy.refuse()
    assert "1 problem in the input" in text
    assert "patient T003, portal series T003/portal" in text
    assert "slice is probably missing" in text
    assert "8.00 mm between" in text


def test_an_unknown_config_key(fresh_copy):
    fresh_copy.cohort(patient="x.csv")
    text = fresh_copy.refuse()
    assert "unknown key 'patient' in cohorts.tiny" in text
    assert "did you mean 'patients'?" in text


def test_a_stratum_that_the_sheet_does_not_have(fresh_copy):
    fresh_copy.cohort(strata={"scanner": "scanner_model"})
    text = fresh_copy.refuse()
    assert "strata: 'scanner' names the column 'scanner_model', which the sheet does not have" in text


def test_readings_that_the_sheet_does_not_have_or_that_are_no_level(fresh_copy):
    edit_sheet(fresh_copy, "patients", 4, "necrosis_r3", "maybe")
    text = fresh_copy.refuse()
    assert "patient T005, sheets/patients.csv: column necrosis_r3: 'maybe' is not 0 or 1" in text
    fresh_copy.edit("tiny.yaml", "diameter_r2", "diameter_reader_2")
    text = fresh_copy.refuse()
    assert "has no column 'diameter_reader_2' for the clinical variable diameter" in text
    assert "correct cohorts.tiny.clinical.diameter.readings" in text


def test_an_unknown_setting_of_a_paper(fresh_copy):
    fresh_copy.config(overrides={"zhao2024": {"split": "tiny", "icc_treshold": 0.8}})
    text = fresh_copy.refuse()
    assert "unknown key 'icc_treshold' in overrides.zhao2024" in text
    assert "did you mean 'icc_threshold'?" in text


def test_a_clinical_value_that_is_no_number(fresh_copy):
    edit_sheet(fresh_copy, "patients", 4, "ast_u_l", "n/a")
    text = fresh_copy.refuse()
    assert "patient T005, sheets/patients.csv: column ast_u_l: 'n/a' is not a number" in text
    assert "missing_codes" in text
    fresh_copy.cohort(missing_codes=["n/a"])
    assert fresh_copy.jobs()["convert_patient"] == 24


def test_masks_of_another_patient(fresh_copy):
    """T001 has DICOM SEG, T002 RTSTRUCT, T003 NIfTI; each gets the mask of another patient."""
    sheet = pd.read_csv(fresh_copy.folder / "sheets/masks.csv", dtype=str)
    arterial = sheet[(sheet["phase"] == "arterial") & (sheet["reader"] == "R1")].set_index("patient_id")
    for patient, other in (("T001", "T007"), ("T002", "T008"), ("T003", "T006")):
        row = sheet.index[(sheet["path"] == arterial.loc[patient, "path"])][0]
        edit_sheet(fresh_copy, "masks", row, "path", arterial.loc[other, "path"])
    text = fresh_copy.refuse()
    assert "patient T001, arterial mask of R1 T007/masks/arterial.R1.seg.dcm: was drawn on another study" in text
    assert "patient T002, arterial mask of R1 T008/masks/arterial.R1.rtstruct.dcm: was drawn on another" in text
    assert "patient T003, arterial mask of R1 T006/masks/arterial.R1.nii.gz: lies on another grid" in text
    assert "byte for byte the same as a file of patient" in text


def test_a_mask_of_another_phase(fresh_copy):
    sheet = pd.read_csv(fresh_copy.folder / "sheets/masks.csv", dtype=str)
    row = sheet.index[(sheet["path"] == "T001/masks/arterial.R1.seg.dcm")][0]
    edit_sheet(fresh_copy, "masks", row, "path", "T001/masks/portal.R1.seg.dcm")
    assert "drawn on another series of the same study (another phase)" in fresh_copy.refuse()


def test_all_problems_at_once(fresh_copy):
    middle_slice(fresh_copy, "T003", "portal").unlink()
    shutil.rmtree(fresh_copy.folder / "hospital/T007/arterial")
    (fresh_copy.folder / "hospital/T008/masks/portal.R1.rtstruct.dcm").write_bytes(b"not a mask")
    edit_sheet(fresh_copy, "masks", 0, "label", "Tumor")
    text = fresh_copy.refuse()
    assert "4 problems in the input" in text
    for words in ("T003", "T007/arterial: does not exist", "T008", "has no segment or ROI called 'Tumor'"):
        assert words in text


def test_problems_of_the_sheets(fresh_copy):
    edit_sheet(fresh_copy, "patients", 0, "resection_date", "3.5.2019")
    edit_sheet(fresh_copy, "patients", 1, "sex", "male")
    edit_sheet(fresh_copy, "patients", 2, "patient_id", "T001")
    text = fresh_copy.refuse()
    assert "patient_id stands twice" in text
    edit_sheet(fresh_copy, "patients", 2, "patient_id", "T003")
    text = fresh_copy.refuse()
    assert "2 problems in the input" in text
    assert "column resection_date: '3.5.2019' is not a date" in text
    assert "column sex: 'male' is not one of F, M" in text


def test_keep_going_leaves_patients_out_and_counts_them(fresh_copy):
    middle_slice(fresh_copy, "T003", "portal").unlink()
    edit_sheet(fresh_copy, "patients", 4, "ast_u_l", "n/a")
    edit_sheet(fresh_copy, "patients", 6, "last_follow_up_date", "unknown")
    fresh_copy.config(keep_going=True)
    jobs = fresh_copy.jobs()
    assert jobs["convert_patient"] == 21
    fresh_copy.run("results/tiny/labels.csv")
    labels = pd.read_csv(fresh_copy.folder / "results/tiny/labels.csv").set_index("patient_id")
    reasons = labels["excluded_because"].dropna()
    assert list(reasons.index) == ["T003", "T005", "T007"]
    assert "missing" in reasons["T003"] and "n/a" in reasons["T005"] and "'unknown' is not a date" in reasons["T007"]
    assert labels.loc["T007", ["er", "rfs_months", "rfs_event"]].isna().all()
    assert "T003" in (fresh_copy.folder / "results/tiny/labels.html").read_text() or (
        "slice is probably missing" in (fresh_copy.folder / "results/tiny/labels.html").read_text()
    )


def problem_table(workspace):
    page = (workspace.folder / "results/preflight/problems.html").read_text()
    return pd.read_csv(workspace.folder / "results/preflight/problems.csv", dtype=str, keep_default_na=False), page


def test_preflight_writes_every_problem_as_a_table(fresh_copy):
    middle_slice(fresh_copy, "T003", "portal").unlink()
    sheet = pd.read_csv(fresh_copy.folder / "sheets/masks.csv", dtype=str)
    row = sheet.index[sheet["path"] == "T006/masks/arterial.R1.nii.gz"][0]
    edit_sheet(fresh_copy, "masks", row, "label", "7")
    assert "As a table: snakemake --cores 1 preflight" in fresh_copy.refuse()
    result = fresh_copy.snakemake("--cores", "1", "preflight")
    text = result.stdout + result.stderr
    assert result.returncode != 0 and "preflight: 2 problems in the input" in text and "Traceback" not in text
    table, page = problem_table(fresh_copy)
    assert list(table["patient"]) == ["T003", "T006"] and "slices are not evenly spaced" in page
    assert table["what is wrong"][1] == "has no voxel of value 7; it has 1"

    fresh_copy.config(keep_going=True)
    text = fresh_copy.run("preflight", cores=1)
    assert "T006 left out: has no voxel of value 7" in text
    assert "2 problems of 2 patients, who are left out" in problem_table(fresh_copy)[1]
    assert fresh_copy.jobs()["convert_patient"] == 22


def test_what_only_a_person_can_tell_is_named_and_stops_nothing(fresh_copy):
    import pydicom

    for file in (fresh_copy.folder / "hospital/T002").rglob("*.dcm"):
        data = pydicom.dcmread(file)
        data.PatientID, data.PatientSex = "T001", ""
        data.save_as(file)
    text = fresh_copy.run("preflight", cores=1)
    what = "has the PatientID of patient T001 in its headers: probably one person under two names"
    assert (
        "2 to look at in the input; nothing is stopped" in text
        and f"patient T002, arterial series T002/arterial: {what}" in text
    )
    named = pd.read_csv(fresh_copy.folder / "results/preflight/notices.csv", dtype=str)
    assert list(named["patient"]) == ["T001", "T002"] and named["what is wrong"][1] == what
    assert what in (fresh_copy.folder / "results/preflight/notices.html").read_text()
    assert problem_table(fresh_copy)[0].empty
    # They are told as well where something else is refused.
    edit_sheet(fresh_copy, "masks", 0, "label", "Tumor")
    text = fresh_copy.refuse()
    assert "1 problem in the input" in text and what in text


def test_preflight_of_input_without_problems(fresh_copy):
    fresh_copy.run("preflight", cores=1)
    table, page = problem_table(fresh_copy)
    assert table.empty and "Nothing is wrong" in page


def test_a_config_that_cannot_be_read_is_in_the_table_as_well(fresh_copy):
    fresh_copy.cohort(patient="x.csv")
    assert fresh_copy.snakemake("--cores", "1", "preflight").returncode != 0
    assert "unknown key 'patient' in cohorts.tiny" in problem_table(fresh_copy)[0]["what is wrong"][0]


def test_a_mask_of_one_phase_is_carried_to_the_others(fresh_copy):
    for name in ("patients", "series", "masks"):
        path = fresh_copy.folder / f"sheets/{name}.csv"
        sheet = pd.read_csv(path, dtype=str)
        sheet = sheet[sheet["patient_id"].isin(["T001", "T002", "T003", "T004"])]
        sheet.to_csv(path, index=False)
    sheet[~((sheet["patient_id"] == "T003") & (sheet["phase"] == "arterial"))].to_csv(path, index=False)
    assert "T003, sheets/masks.csv: has no mask of reader R1 on the arterial phase" in fresh_copy.refuse()
    fresh_copy.cohort(carry_masks="registration")
    masks = "results/tiny/masks/native/T003"
    fresh_copy.run(masks, "results/tiny/masks/native/T004", "results/tiny/quality/all_patients.html")
    assert (fresh_copy.folder / masks / "arterial.R1.nii.gz").is_file()
    carried = pd.read_csv(fresh_copy.folder / masks / "carried.csv")
    assert carried[["phase", "reader", "from_phase", "by"]].to_numpy().tolist() == [
        ["arterial", "R1", "portal", "registration"]
    ]
    assert pd.read_csv(fresh_copy.folder / "results/tiny/masks/native/T004/carried.csv").empty
    page = (fresh_copy.folder / "results/tiny/quality/all_patients.html").read_text()
    assert page.count("<img") == 8 and page.count("mask propagated from portal") == 1


def test_a_postoperative_variable_in_a_preoperative_model(fresh_copy):
    config = yaml.safe_load((fresh_copy.folder / "tiny.yaml").read_text())
    config["cohorts"]["tiny"]["clinical"]["ast"]["timing"] = "post"
    fresh_copy.config(cohorts=config["cohorts"])
    assert "'ast' is known only after the operation" in fresh_copy.refuse()


def test_a_missing_phase(fresh_copy):
    path = fresh_copy.folder / "sheets/series.csv"
    sheet = pd.read_csv(path, dtype=str)
    sheet[~((sheet["patient_id"] == "T009") & (sheet["phase"] == "portal"))].to_csv(path, index=False)
    assert "patient T009, sheets/series.csv: has no portal series" in fresh_copy.refuse()


def test_a_split_that_the_sheet_cannot_give(fresh_copy):
    fresh_copy.config(splits={"tiny": {"kind": "column", "folds": 3}})
    assert "sheets/patients.csv: has no column split" in fresh_copy.refuse()
    path = fresh_copy.folder / "sheets/patients.csv"
    sheet = pd.read_csv(path, dtype=str, keep_default_na=False).assign(split="train")
    sheet.loc[3, "split"] = "test"
    sheet.to_csv(path, index=False)
    assert "patient T004, sheets/patients.csv: column split: 'test' is unknown" in fresh_copy.refuse()
    fresh_copy.config(splits={"tiny": {"kind": "temporal", "folds": 3}})
    assert "split tiny is temporal without resection_date or validation_from" in fresh_copy.refuse()
