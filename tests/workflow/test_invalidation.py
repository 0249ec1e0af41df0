"""Each line of the table "what runs again": the exact rules and numbers of jobs.

24 patients, 2 phases; one fit a protocol. A dry run on a copy of the finished run says what
would be done.
"""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter

import numpy as np
import pandas as pd
import pydicom
import pytest
from finished_cohort import finish

PATIENTS, PHASES = 24, 2
STUDIES = 3
# What the fits of Zhao without networks leave besides predictions.
OF_THE_FITS = {"gather_method": 2, "summarise_selection": 1, "plot_coefficients": 2}
REPORT = {"list_report": 1, "write_provenance": 1, "report": 1}


def evaluated(*papers):
    """What the predictions of papers are made into, for their studies and for the comparison that they join."""
    once = (
        *("gather_predictions", "plot_calibration", "plot_risk_groups", "compare_strata"),
        *("measure_time_auc", "fill_checklists"),
    )
    compared = (
        *("compute_metrics", "check_metrics_table", "compare_models", "measure_calibration", "measure_survival"),
        *("plot_comparison", "plot_decision_curve", "plot_roc"),
    )
    own = {
        "zhao2024": {"write_ablation": 1},
        "yan2023": {"plot_yan2023_grid": 1},
        "zhang2025": {"write_zhang2025_inflation": 1},
    }
    return {
        **dict.fromkeys(once, len(papers)),
        **dict.fromkeys(compared, len(papers) + 1),
        "gather_comparison": 1,
        **{rule: n for paper in papers for rule, n in own[paper].items()},
        **REPORT,
    }


def added(*counts):
    """Jobs of several parts of a run, the same rule in two of them counted twice."""
    total = Counter()
    for part in counts:
        total.update(part)
    return dict(total)


# Zhao's fusion takes the selected features and clinical variables of both protocols; one fit is as published.
FUSION = {"train_zhao2024_fusion": 5, "gather_zhao2024_networks": 1, "keep_zhao2024_networks": 2, "gather_machines": 1}
# Two networks, three folds and all training patients.
NETWORKS = {"train_network": 8, "plot_training": 1, "plot_score_cam": 1, "gather_machines": 1}
# In each of two repeats one fit a fold and one of all training patients; one as published.
ZHAO_FROM_TABLES = {"fit_method": 9, **OF_THE_FITS, **FUSION}
FROM_TABLES = {**ZHAO_FROM_TABLES, **evaluated("zhao2024")}
# Yan's grid: two rankings by two classifiers in each phase, then the choice; of one repeat a fit a fold and one of all
# training patients, one as published; and their nomograms.
NOMOGRAMS = {"fit_method": 5, "write_yan2023_nomograms": 1, "plot_yan2023_nomograms": 1}
CHOICE = {"choose_yan2023_signatures": 1, **NOMOGRAMS}
GRID = {"rank_yan2023_features": 2 * PHASES, "fit_yan2023_cells": 2 * PHASES, **CHOICE}
# Zhang: two networks of images and one of volumes, each without a fold, without none, and by the validation patients;
# those of images also without each pair of folds.
ZHANG_NETWORKS = {"train_network": 15, "train_scoring_network": 6, "plot_training": 1, "gather_zhang2025_networks": 1}
ZHANG_NETWORKS |= {"gather_machines": 1}
# A fit a fold, one of all training patients, one as published; each holds signature, clinical and combined models.
ZHANG_FITS = {
    **{"fit_method": 5, "gather_zhang2025_fusion": 1, "gather_zhang2025_models": 1},
    **{"plot_zhang2025_nomograms": 1, "plot_grad_cam": 1},
}
ALL = ("zhao2024", "yan2023", "zhang2025")


PLOTS = added(ZHAO_FROM_TABLES, GRID, ZHANG_FITS)
# What networks were trained on is one table of the run.
LEARNING = {**added(NETWORKS, ZHANG_NETWORKS), "gather_machines": 1, **PLOTS, **evaluated(*ALL)}
# A change of images or masks also measures the tumours again, whose volume is a model of the comparison, and reads how
# the images were acquired.
MEASURED = {"measure_tumours": 1, "fit_comparators": 1, "report_changes": 1, "collect_acquisition": 1}
READERS = {"measure_reproducibility": 1}
# What of images and masks all patients together make: features by phase, slices for networks, registration.
# Contact sheets of Zhang have ten patients a page.
DEEP_INPUT = {"collect_crops": 4, "extract_deep_features": PHASES, "plot_crops": 4}
PICTURES = {"picture_patients": 1, "write_quality_page": 1}
COLLECTED = {"collect_radiomics": PHASES, "collect_registration": 1, **PICTURES, **DEEP_INPUT}
RISK_FACTORS = {"fit_risk_factors": STUDIES, "plot_risk_factors": STUDIES}
# Three grids: that of the radiomics, the registered one of Zhao's networks, Yan's as acquired. One of the two phases is
# registered to the other.
OWN_STEPS = {"convert_patient": 1, "register_phase": 1, "resample_patient": 3}
OWN_STEPS |= {"extract_radiomics": 1, "crop_patient": 4}
LABELS = {
    "write_labels": 1,
    "write_splits": 1,
    "report_changes": 1,
    "write_baseline_table": STUDIES,
    "plot_flow_chart": STUDIES,
    "fit_comparators": 1,
    **RISK_FACTORS,
}
# Other patients are other readings; another outcome is none.
READINGS = {"measure_readings": STUDIES}


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


def test_images_and_networks_removed_for_their_space_run_nothing(tiny_copy):
    results = tiny_copy.folder / "results"
    removed = [*results.glob("*/images"), *results.glob("*/*/networks")]
    assert {folder.name for folder in removed} == {"images", "networks"}
    for folder in removed:
        shutil.rmtree(folder)
    assert tiny_copy.jobs() == {}


def test_one_patient_removed(tiny_copy):
    remove_patient(tiny_copy, "T018")
    # The first batch of pictures gains the first patient of the second.
    pictures = {"picture_patients": 2}
    changed = {**LABELS, **MEASURED, **COLLECTED, **READERS, **READINGS, **LEARNING}
    assert tiny_copy.jobs() == {**changed, **pictures}


def test_one_patient_added(fresh_copy):
    """A run without T018, pretended, to which T018 is added: its own steps, and what is learned."""
    original = {n: (fresh_copy.folder / f"sheets/{n}.csv").read_text() for n in ("patients", "series", "masks")}
    remove_patient(fresh_copy, "T018")
    finish(fresh_copy, whole=True)
    assert fresh_copy.jobs() == {}
    for name, text in original.items():
        (fresh_copy.folder / f"sheets/{name}.csv").write_text(text)
    # The first batch of pictures loses its last patient to the second.
    pictures = {"picture_patients": 2}
    changed = {**OWN_STEPS, **LABELS, **MEASURED, **COLLECTED, **READERS, **READINGS, **LEARNING}
    assert fresh_copy.jobs() == {**changed, **pictures}


def test_one_value_of_a_clinical_column_that_is_used(tiny_copy):
    change_cell(tiny_copy, "T002", "ast_u_l", "99.5")
    of_all = {"report_changes": 1, "write_baseline_table": STUDIES, **RISK_FACTORS, **evaluated(*ALL)}
    assert tiny_copy.jobs() == {**of_all, **added(ZHAO_FROM_TABLES, NOMOGRAMS, ZHANG_FITS)}


def test_one_value_of_a_clinical_column_that_two_papers_use(tiny_copy):
    change_cell(tiny_copy, "T002", "mvi", "")
    own = {"report_changes": 1, "write_baseline_table": 2, "fit_risk_factors": 2, "plot_risk_factors": 2}
    assert tiny_copy.jobs() == {**own, **added(NOMOGRAMS, ZHANG_FITS), **evaluated("yan2023", "zhang2025")}


def test_one_reading_of_a_finding(tiny_copy):
    change_cell(tiny_copy, "T002", "necrosis_r2", "")
    assert tiny_copy.jobs() == {"measure_readings": 2, **REPORT}


def test_one_value_of_a_clinical_column_that_is_not_used(tiny_copy):
    change_cell(tiny_copy, "T002", "haemorrhage", "7")
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
    ("paper", "key", "value", "expected"),
    [
        ("zhao2024", "univariable_p", 0.04, FROM_TABLES),
        # No feature is selected anew where a network is trained for longer.
        ("zhao2024", "epochs", 4, {**NETWORKS, **FUSION, **evaluated("zhao2024")}),
        (
            "zhao2024",
            "radiomics",
            "changed",
            {"extract_radiomics": PATIENTS, "collect_radiomics": PHASES, **READERS, **FROM_TABLES},
        ),
        # One classifier's settings: its cells alone, one a ranking and phase.
        (
            "yan2023",
            "classifiers",
            {"LASSO": {"penalties": 5, "folds": 2}, "GP": {}},
            {"fit_yan2023_cells": 2 * PHASES, **CHOICE, **evaluated("yan2023")},
        ),
        ("yan2023", "redundancy_r", 0.8, {**GRID, **evaluated("yan2023")}),
        ("yan2023", "fusion", "logistic", {**CHOICE, **evaluated("yan2023")}),
        ("yan2023", "pool", "max", {"extract_deep_features": PHASES, **GRID, **evaluated("yan2023")}),
        # No network is trained again where its scores are counted in other bins.
        ("zhang2025", "decimals", 1, {**ZHANG_FITS, **evaluated("zhang2025")}),
        ("zhang2025", "epochs", 2, {**ZHANG_NETWORKS, **ZHANG_FITS, **evaluated("zhang2025")}),
        (
            "zhang2025",
            "clinical_p",
            0.04,
            {**ZHANG_FITS, "fit_risk_factors": 1, "plot_risk_factors": 1, **evaluated("zhang2025")},
        ),
        ("zhang2025", "confident", 0.9, {"plot_grad_cam": 1, "fill_checklists": 1, **REPORT}),
    ],
)
def test_one_parameter_of_one_paper(tiny_copy, paper, key, value, expected):
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
    overrides[paper][key] = value
    tiny_copy.config(overrides=overrides)
    assert tiny_copy.jobs() == expected


def test_other_kernels_of_the_libraries(tiny_copy):
    """What networks make, and what hangs on it; no image, crop, feature of a tumour or table without a network."""
    tiny_copy.config(numerics="native")
    networks = added(NETWORKS, ZHANG_NETWORKS, FUSION, ZHANG_FITS, {"extract_deep_features": PHASES}, GRID)
    assert tiny_copy.jobs() == {**networks, "gather_machines": 1, **evaluated(*ALL)}
    assert networks["fit_method"] == 5 + 5, "none of Zhao 2024, whose fits have no network"
    tiny_copy.config(numerics="portable")
    assert tiny_copy.jobs() == {}
    # Each network of one fit by other kernels and from another seed: two of Zhao with the fusion, three of Zhang.
    again = {"train_network_again": 2 * (2 + 3), "train_zhao2024_fusion_again": 2}
    measured = {"measure_movement": 2, "compare_movement": 1, "numerics": 1}
    assert tiny_copy.jobs(target="numerics") == {**again, **measured}


def test_the_number_of_resamples(tiny_copy):
    """Only what is bootstrapped, and what shows it: no model is fitted again."""
    tiny_copy.config(evaluation={"resamples": 60})
    both = STUDIES + 1
    bootstrapped = {
        "compare_models": both,
        "measure_survival": both,
        "measure_time_auc": STUDIES,
        "plot_comparison": both,
        "plot_calibration": STUDIES,
    }
    # The ablation reads the DeLong tests, which come from the same job as the bootstraps.
    shown = {"fill_checklists": STUDIES, "write_ablation": 1, **REPORT}
    assert tiny_copy.jobs() == {**bootstrapped, **RISK_FACTORS, **shown}


def test_the_null_control_learns_everything_again_and_touches_no_image(tiny_copy):
    tiny_copy.config(null_control={"permutations": 3})
    assert tiny_copy.jobs() == {}, "not a part of all"
    learned = {"permute_labels": 3, "write_splits": 3, "fit_method": 45, "gather_predictions": 3 * STUDIES}
    grid = {"rank_yan2023_features": 4, "fit_yan2023_cells": 4, "choose_yan2023_signatures": 1}
    learned |= {rule: 3 * n for rule, n in grid.items()}
    assert tiny_copy.jobs(target="null_control") == {**learned, "summarise_null_control": STUDIES, "null_control": 1}
    tiny_copy.config(null_control={"permutations": 3, "in_all": True})
    assert tiny_copy.jobs() == {**learned, "summarise_null_control": STUDIES, **REPORT}
    tiny_copy.config(null_control={"permutations": 3, "networks": True})
    networks = {"train_network": 23, "train_scoring_network": 6, "train_zhao2024_fusion": 5}
    networks |= {"gather_zhao2024_networks": 1, "gather_zhang2025_networks": 1}
    networks = {rule: 3 * n for rule, n in networks.items()}
    everything = {**learned, **networks, "summarise_null_control": STUDIES, "null_control": 1}
    assert tiny_copy.jobs(target="null_control") == everything


def test_one_module_changes_what_it_does(tiny_copy):
    package = "workflow/scripts/hcc_recurrence"
    tiny_copy.edit(f"{package}/radiomics/filters.py", "MARGIN_SIGMAS = 12", "MARGIN_SIGMAS = 13")
    measured = {"extract_radiomics": PATIENTS, "collect_radiomics": PHASES, **READERS}
    learned = {**added(ZHAO_FROM_TABLES, ZHANG_FITS), **evaluated("zhao2024", "zhang2025")}
    assert tiny_copy.jobs() == {**measured, **learned}


def test_one_figure_module_changes(tiny_copy):
    package = "workflow/scripts/hcc_recurrence"
    tiny_copy.edit(f"{package}/figures/coefficients.py", "most: int = 20", "most: int = 21")
    assert tiny_copy.jobs() == {"plot_coefficients": 2, **REPORT}


def test_a_script_changes(tiny_copy):
    tiny_copy.edit("workflow/scripts/figures/plot_roc.py", '("strict", "as_published")', '("as_published", "strict")')
    assert tiny_copy.jobs() == {"plot_roc": STUDIES + 1, **REPORT}


def test_comments_docstrings_formatting_and_checkouts_run_nothing(tiny_copy):
    package = tiny_copy.folder / "workflow/scripts/hcc_recurrence"
    for file in (package / "radiomics/extraction.py", package / "methods/zhao2024/fit.py"):
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
    """From the demo's 2 mm grid to the published 1 mm grid; nothing is converted or registered again."""
    import yaml

    overrides = yaml.safe_load((tiny_copy.folder / "tiny.yaml").read_text())["overrides"]
    del overrides["zhang2025"]["radiomics"]
    tiny_copy.config(preset="published", overrides=overrides)
    image = {
        # Of Zhang the tiny config names crops of its own; its radiomics have a grid of their own.
        "resample_patient": 3 * PATIENTS,
        "crop_patient": 2 * PATIENTS,
        "extract_radiomics": 2 * PATIENTS,
        **COLLECTED,
        "collect_radiomics": 2 * PHASES,
        "collect_crops": 2,
        "plot_crops": 1,
    }
    # Zhao's three networks without each of three folds and of all, and Zhang's; one repeat of each.
    twice = {"train_network": 3 * 4 + 15, "train_scoring_network": 6, "train_zhao2024_fusion": 5}
    # Every table and figure no longer says that the demo preset is not for patients who are not simulated.
    marked = {"write_baseline_table": STUDIES, "plot_flow_chart": STUDIES, **READINGS, **RISK_FACTORS}
    # Pictures and registrations are of the images as acquired.
    everything = {**image, **READERS, **LEARNING, **twice, **marked}
    of_native = {*PICTURES, "collect_registration"}
    assert tiny_copy.jobs() == {rule: n for rule, n in everything.items() if rule not in of_native}
