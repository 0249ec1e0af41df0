"""Each line of the table "what runs again": the exact rules and numbers of jobs.

24 patients, 2 phases; one fit a protocol. A dry run on a copy of the finished run says what
would be done.
"""

from __future__ import annotations

import os
import shutil
import time

import numpy as np
import pandas as pd
import pydicom
import pytest

PATIENTS, PHASES = 24, 2
# What the fits without networks leave besides predictions.
OF_THE_FITS = {"gather_zhao2024": 1, "plot_coefficients": 2}
# What a predictions table is made into, for the study and for the comparison that it joins.
OF_THE_STUDY = {
    "gather_predictions": 1,
    "plot_roc": 1,
    "plot_calibration": 1,
    "plot_risk_groups": 1,
    "compare_strata": 1,
    "fill_checklists": 1,
    "write_ablation": 1,
}
OF_BOTH = {
    "compute_metrics": 2,
    "check_metrics_table": 2,
    "compare_models": 2,
    "measure_calibration": 2,
    "measure_survival": 2,
    "plot_comparison": 2,
    "plot_decision_curve": 2,
}
REPORT = {"write_start_page": 1, "report": 1}
EVALUATED = {**OF_THE_STUDY, "gather_comparison": 1, **OF_BOTH, **REPORT}
# The fusion takes the selected features and clinical variables of both protocols; one fit is as published.
FUSION = {"train_zhao2024_fusion": 4, "gather_zhao2024_networks": 1}
# Two networks, two folds and all training patients.
NETWORKS = {"train_network": 6, "plot_training": 1, "plot_score_cam": 1}
FROM_TABLES = {"fit_zhao2024": 2, **OF_THE_FITS, **FUSION, **EVALUATED}
LEARNING = {**NETWORKS, **FROM_TABLES}
# A change of images or masks also measures the tumours again, whose volume is a model of the comparison.
MEASURED = {"measure_tumours": 1, "fit_comparators": 1}
READERS = {"measure_reproducibility": 1}
# What of images and masks all patients together make: features by phase, slices for networks, registration.
COLLECTED = {"collect_radiomics": PHASES, "collect_crops": 1, "collect_registration": 1}
RISK_FACTORS = {"fit_risk_factors": 1, "plot_risk_factors": 1}
# Two grids: that of the radiomics, and the registered one.
OWN_STEPS = {"convert_patient": 1, "resample_patient": 2, "extract_radiomics": PHASES, "crop_patient": 1}
LABELS = {
    "write_labels": 1,
    "write_splits": 1,
    "write_baseline_table": 1,
    "plot_flow_chart": 1,
    "fit_comparators": 1,
    **RISK_FACTORS,
}


def patients_sheet(workspace):
    return workspace.folder / "sheets" / "patients.csv"


def change_cell(workspace, patient, column, value):
    sheet = pd.read_csv(patients_sheet(workspace), dtype=str, keep_default_na=False)
    assert (sheet.loc[sheet["patient_id"] == patient, column] != value).all()
    sheet.loc[sheet["patient_id"] == patient, column] = value
    sheet.to_csv(patients_sheet(workspace), index=False)


def remove_patient(workspace, patient):
    for name in ("patients", "series", "masks"):
        path = workspace.folder / "sheets" / f"{name}.csv"
        sheet = pd.read_csv(path, dtype=str, keep_default_na=False)
        sheet[sheet["patient_id"] != patient].to_csv(path, index=False)


def test_nothing_changed_runs_nothing(tiny_copy):
    result = tiny_copy.snakemake("--cores", "2", "all")
    assert result.returncode == 0
    assert "Nothing to be done" in result.stdout + result.stderr


def test_bytes_of_one_dicom_file(tiny_copy):
    file = next(iter(sorted((tiny_copy.folder / "hospital/T003/portal").iterdir())))
    data = pydicom.dcmread(file)
    pixels = data.pixel_array.copy()
    pixels[0, 0] += 1
    data.PixelData = pixels.astype(np.uint16).tobytes()
    data.save_as(file)
    assert tiny_copy.jobs() == {**OWN_STEPS, **MEASURED, **COLLECTED, **READERS, **LEARNING}


def test_bytes_of_one_mask(tiny_copy):
    """T003's masks are NIfTI: a second level of compression changes bytes, an honest reason to run again."""
    file = tiny_copy.folder / "hospital/T003/masks/arterial.R1.nii.gz"
    import SimpleITK as sitk

    mask = sitk.ReadImage(str(file))
    array = sitk.GetArrayFromImage(mask)
    array[tuple(np.argwhere(array)[0])] = 0
    changed = sitk.GetImageFromArray(array)
    changed.CopyInformation(mask)
    sitk.WriteImage(changed, str(file), True)
    assert tiny_copy.jobs() == {**OWN_STEPS, **MEASURED, **COLLECTED, **READERS, **LEARNING}


def test_dicom_touched_renamed_or_copied_runs_nothing(tiny_copy):
    hospital = tiny_copy.folder / "hospital"
    for file in hospital.rglob("*.dcm"):
        os.utime(file, (time.time() + 5, time.time() + 5))
    folder = hospital / "T004/arterial"
    for number, file in enumerate(sorted(folder.iterdir())):
        file.rename(folder / f"renamed_{number}")
    first = sorted((hospital / "T005/portal").iterdir())[0]
    shutil.copy2(first, first.with_name("copy of a slice.dcm"))
    assert tiny_copy.jobs() == {}
    shutil.move(hospital, tiny_copy.folder / "archive")
    tiny_copy.cohort(data_root="archive")
    assert tiny_copy.jobs() == {}


def test_one_patient_removed(tiny_copy):
    remove_patient(tiny_copy, "T018")
    assert tiny_copy.jobs() == {**LABELS, **MEASURED, **COLLECTED, **READERS, **LEARNING}


def test_one_patient_added(tiny_inputs, tiny_run, tmp_path):
    """A copy run without T018, to which T018 is added: its own steps, and what is learned."""
    copy = tiny_run.copy_to(tmp_path / "added")
    original = {n: (copy.folder / f"sheets/{n}.csv").read_text() for n in ("patients", "series", "masks")}
    remove_patient(copy, "T018")
    for kind in ("images", "masks", "radiomics"):
        for place in (copy.folder / "results/tiny" / kind).glob("*/T018*"):
            shutil.rmtree(place)
    for place in (copy.folder / "results/tiny/crops").glob("*/T018*"):
        place.unlink()
    copy.run("all", cores=2)
    for name, text in original.items():
        (copy.folder / f"sheets/{name}.csv").write_text(text)
    assert copy.jobs() == {**OWN_STEPS, **LABELS, **MEASURED, **COLLECTED, **READERS, **LEARNING}


def test_one_value_of_a_clinical_column_that_is_used(tiny_copy):
    change_cell(tiny_copy, "T002", "ast_u_l", "99.5")
    assert tiny_copy.jobs() == {"write_baseline_table": 1, **RISK_FACTORS, **FROM_TABLES}


def test_one_value_of_a_clinical_column_that_is_not_used(tiny_copy):
    change_cell(tiny_copy, "T002", "mvi", "7")
    tiny_copy.edit("tiny.yaml", "kind: binary", "kind: continuous")
    assert tiny_copy.jobs() == {}


def test_one_outcome(tiny_copy):
    sheet = pd.read_csv(patients_sheet(tiny_copy), dtype=str, keep_default_na=False)
    patient = sheet.loc[sheet["recurrence_date"] != "", "patient_id"].iloc[0]
    change_cell(tiny_copy, patient, "recurrence_date", "")
    assert tiny_copy.jobs() == {**LABELS, **LEARNING}


def test_the_sheet_saved_again_runs_nothing(tiny_copy):
    os.utime(patients_sheet(tiny_copy))
    assert tiny_copy.jobs() == {}


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("univariable_p", 0.04, FROM_TABLES),
        # No feature is selected anew where a network is trained for longer.
        ("epochs", 4, {**NETWORKS, **FUSION, **EVALUATED}),
        (
            "radiomics",
            "changed",
            {"extract_radiomics": PATIENTS * PHASES, "collect_radiomics": PHASES, **READERS, **FROM_TABLES},
        ),
    ],
)
def test_one_parameter_of_one_paper(tiny_copy, key, value, expected):
    if key == "radiomics":
        entry = {
            "grid": "iso2",
            "bin_width": 6,
            "expected_features": 1037,
            "log_sigma_mm": [1, 3],
            "wavelet": "coif1",
        }
        tiny_copy.config(radiomics={value: entry})
    import yaml

    overrides = yaml.safe_load((tiny_copy.folder / "tiny.yaml").read_text())["overrides"]
    overrides["zhao2024"][key] = value
    tiny_copy.config(overrides=overrides)
    assert tiny_copy.jobs() == expected


def test_the_number_of_resamples(tiny_copy):
    """Only what is bootstrapped, and what shows it: no model is fitted again."""
    tiny_copy.config(evaluation={"resamples": 60})
    bootstrapped = {"compare_models": 2, "measure_survival": 2, "plot_comparison": 2, "plot_calibration": 1}
    # The ablation reads the DeLong tests, which come from the same job as the bootstraps.
    shown = {"fill_checklists": 1, "write_ablation": 1, "report": 1}
    assert tiny_copy.jobs() == {**bootstrapped, **RISK_FACTORS, **shown}


def test_the_null_control_learns_everything_again_and_touches_no_image(tiny_copy):
    tiny_copy.config(null_control={"permutations": 3})
    assert tiny_copy.jobs() == {}, "not a part of all"
    learned = {"permute_labels": 3, "write_splits": 3, "fit_zhao2024": 6, "gather_predictions": 3}
    assert tiny_copy.jobs(target="null_control") == {**learned, "summarise_null_control": 1, "null_control": 1}
    tiny_copy.config(null_control={"permutations": 3, "in_all": True})
    assert tiny_copy.jobs() == {**learned, "summarise_null_control": 1, "report": 1}
    tiny_copy.config(null_control={"permutations": 3, "networks": True})
    networks = {"train_network": 18, "train_zhao2024_fusion": 12, "gather_zhao2024_networks": 3}
    everything = {**learned, **networks, "summarise_null_control": 1, "null_control": 1}
    assert tiny_copy.jobs(target="null_control") == everything


def test_one_module_changes_what_it_does(tiny_copy):
    package = "workflow/scripts/hcc_recurrence"
    tiny_copy.edit(f"{package}/radiomics/extraction.py", "MARGIN_SIGMAS = 12", "MARGIN_SIGMAS = 13")
    expected = {"extract_radiomics": PATIENTS * PHASES, "collect_radiomics": PHASES, **READERS, **FROM_TABLES}
    assert tiny_copy.jobs() == expected


def test_one_figure_module_changes(tiny_copy):
    package = "workflow/scripts/hcc_recurrence"
    tiny_copy.edit(f"{package}/figures/coefficients.py", "most: int = 20", "most: int = 21")
    assert tiny_copy.jobs() == {"plot_coefficients": 2, "report": 1}


def test_a_script_changes(tiny_copy):
    tiny_copy.edit("workflow/scripts/plot_roc.py", '("strict", "as_published")', '("as_published", "strict")')
    assert tiny_copy.jobs() == {"plot_roc": 1, "report": 1}


def test_comments_docstrings_formatting_and_checkouts_run_nothing(tiny_copy):
    package = tiny_copy.folder / "workflow/scripts/hcc_recurrence"
    for file in (package / "radiomics/extraction.py", package / "papers/zhao2024.py"):
        text = file.read_text()
        assert text.startswith('"""')
        text = text.replace('"""', '"""Another docstring. ', 1) + "\n\n# a comment at the end\n"
        file.write_text(
            text.replace("    for reader, mask in masks.items():", "    for (reader, mask) in masks.items( ):")
        )
    for file in (tiny_copy.folder / "workflow").rglob("*"):
        os.utime(file)
    for file in (tiny_copy.folder / "Snakefile", tiny_copy.folder / "tiny.yaml"):
        os.utime(file)
    assert tiny_copy.jobs() == {}


def test_the_published_preset_repeats_what_depends_on_sizes(tiny_copy):
    """From the demo's 2 mm grid to the published 1 mm grid; nothing is converted again."""
    tiny_copy.config(preset="published")
    image = {
        "resample_patient": 2 * PATIENTS,
        "crop_patient": PATIENTS,
        "extract_radiomics": PATIENTS * PHASES,
        **COLLECTED,
    }
    # Three networks, with as many seeds as the split has repeats: here two.
    twice = {"train_network": 18, "train_zhao2024_fusion": 7}
    assert tiny_copy.jobs() == {**image, **READERS, **LEARNING, **twice}
