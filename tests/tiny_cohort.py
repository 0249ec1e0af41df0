"""The tiny cohort: 24 simulated MR patients in two phases, delivered as a hospital would."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import yaml

from hcc_recurrence.simulation.anatomy import SCANNERS
from hcc_recurrence.simulation.patient import SimulatedPatient, simulate_patient
from hcc_recurrence.simulation.risk import RiskModel
from hcc_recurrence.simulation.sheets import CohortPlan, draw_sheets

PLAN = CohortPlan(
    prefix="T",
    seed=77,
    centres={"A": (16, ("mr_15",)), "B": (8, ("mr_30",))},
    phases=("arterial", "portal"),
    second_reader=10,
    risk=RiskModel(),
)
CLINICAL = {
    "age": {"column": "age_years", "unit": "years", "timing": "pre", "kind": "continuous"},
    "sex": {"column": "sex", "timing": "pre", "kind": "categorical", "levels": ["F", "M"]},
    "afp": {"column": "afp_ng_ml", "unit": "ng/mL", "timing": "pre", "kind": "continuous"},
    "ast": {"column": "ast_u_l", "unit": "U/L", "timing": "pre", "kind": "continuous"},
    # No study uses it.
    "haemorrhage": {"column": "haemorrhage", "timing": "pre", "kind": "binary"},
    "diameter": {
        "column": "diameter_mm",
        "unit": "mm",
        "timing": "pre",
        "kind": "continuous",
        "readings": {"again": "diameter_again", "R2": "diameter_r2"},
    },
    "necrosis": {
        "column": "necrosis",
        "timing": "pre",
        "kind": "binary",
        "readings": {"R2": "necrosis_r2", "R3": "necrosis_r3"},
    },
    "mvi": {"column": "mvi", "timing": "post", "kind": "binary"},
}
WITHOUT = [
    "hepatitis",
    "alt",
    "ggt",
    "bilirubin",
    "albumin",
    "child_pugh",
    "tumour_number",
    "margin_nonsmooth",
    "necrosis",
    "haemorrhage",
    "capsule",
    "peritumoral_enhancement",
    "cirrhosis",
]
# Of Yan 2023; the tiny cohort has its other variables.
YAN_WITHOUT = [
    "bclc",
    "hepatitis",
    "hbv_dna",
    "neutrophils",
    "alt",
    "ggt",
    "tumour_number",
    "enhancement_type",
    "capsule_type",
    "halo",
    "satellite_nodules",
    "peritumoral_hypointensity",
    "differentiation_poor",
]
# Of Zhang 2025; age, sex, afp, ast, diameter, necrosis and mvi are there.
ZHANG_WITHOUT = [
    *("hepatitis", "hbv_dna", "cirrhosis", "child_pugh", "albi_grade", "platelets", "albumin", "alt", "bilirubin"),
    *("tumour_number", "margin_nonsmooth", "near_vessels", "differentiation_poor", "ki67_high"),
]
CONFIG = {
    "preset": "demo",
    "seed": 5,
    # Read by tests, not by people: a PNG of a ninth of the pixels.
    "figures": {"dpi": 100},
    "studies": [
        {
            "paper": "zhao2024",
            "cohort": "tiny",
            "phases": {"arterial": "arterial", "portal": "portal"},
            "without": WITHOUT,
        },
        {
            "paper": "yan2023",
            "cohort": "tiny",
            "phases": {"arterial": "arterial", "portal": "portal"},
            "without": YAN_WITHOUT,
        },
        # Two of the three colours are the same phase here.
        {
            "paper": "zhang2025",
            "cohort": "tiny",
            "phases": {"arterial": "arterial", "precontrast": "portal", "portal": "portal"},
            "without": ZHANG_WITHOUT,
        },
    ],
    # The default of 1000 is for people; 40 run through the same code.
    "evaluation": {"resamples": 40},
    "overrides": {
        "zhao2024": {
            "split": "tiny",
            "icc_minimum_patients": 3,
            "l1_penalties": 5,
            "epochs": 3,
        },
        # Four cells a phase instead of fifteen: each is a job.
        "yan2023": {
            "split": "tiny",
            "selectors": {"ANOVA": {}, "Relief": {"neighbours": 3}},
            "classifiers": {"LASSO": {"penalties": 4, "folds": 2}, "GP": {}},
            # Those of the published preset name classifiers that are not here.
            "inner_classifiers": {},
            "permuted_grid": {},
            "feature_numbers": [3, 6],
            "inner_folds": 2,
            "calibration_resamples": 20,
            "grid_repeats": 1,
        },
        # On MR the values are those of the registered grid, not a window in HU.
        # The features of Zhao 2024 as well, so that they are measured once.
        "zhang2025": {
            "split": "tiny",
            "radiomics": "zhao2024_demo",
            "crops": "tiny_views",
            "networks": {
                # Twice the fastest of the paper's four: ResNet50 takes twice as long, in files four times as large.
                "DenseNet121": {"architecture": "densenet121"},
                "DenseNet121-16": {"architecture": "densenet121", "batch": 16},
                "3D-DenseNet121": {"architecture": "densenet121_3d", "crops": "tiny_box", "batch": 8},
            },
            "epochs": 1,
            "lasso_penalties": [-3, 0, 4],
            "lasso_folds": 2,
            "learner_folds": 2,
            "learners": {"LR": {"C": [0.1, 1]}, "ExtraTrees": {"n_estimators": [10], "max_depth": [2]}},
            "univariable_p": 0.3,
            "confident": 0.55,
            "calibration_resamples": 20,
        },
    },
    # N4 of 48 images would take a tenth of the run; one test asks for it.
    "grids": {"yan2023": {"bias_correction": "none"}},
    "crops": {
        "tiny_views": {
            "grid": "iso2_to_arterial",
            "fit": "views",
            "views": [-1, 0, 1, "sagittal", "coronal"],
            "size_voxels": [5, 32, 32],
            "resize": "nearest",
            "margin": 0,
        },
        "tiny_box": {"grid": "iso2_to_arterial", "size_voxels": [32, 32, 32]},
    },
    "splits": {
        "tiny": {"kind": "random", "validation_fraction": 0.25, "folds": 3, "repeats": 2},
    },
    "cohorts": {
        "tiny": {
            "title": "tiny (simulated, for tests)",
            "modality": "MR",
            "data_root": "hospital",
            "patients": "sheets/patients.csv",
            "series": "sheets/series.csv",
            "masks": "sheets/masks.csv",
            "strata": {"centre": "centre"},
            "thresholds": {"diameter": 25},
            "clinical": CLINICAL,
        }
    },
}


# What a hospital's headers and file names hold of persons; no file of the results may.
NAME, BIRTH, NUMBER, HOSPITAL = "Müller^Jörg=王^小明", "19611104", "ACC-7741-Q", "Klinikum Sankt Ödön"
PRIVATE, FILE_NAME = "Jörg aus Ödenwald", "Mueller_Joerg_19611104"


def plant_identifiers(hospital: Path) -> None:
    """Identifiers of a person in every DICOM header, also in a private tag, and in the names of the images' files."""
    import pydicom

    for number, file in enumerate(sorted(f for f in hospital.rglob("*") if f.is_file())):
        with open(file, "rb") as stream:
            if stream.read(132)[128:] != b"DICM":
                continue
        data = pydicom.dcmread(file)
        data.SpecificCharacterSet = "ISO_IR 192"
        data.PatientName, data.PatientBirthDate, data.AccessionNumber = NAME, BIRTH, NUMBER
        data.InstitutionName, data.PatientComments = HOSPITAL, NAME
        data.private_block(0x0099, "HOSPITAL", create=True).add_new(0x01, "LO", PRIVATE)
        data.save_as(file)
        if file.parent.name != "masks":
            file.rename(file.with_name(f"{FILE_NAME}_{number:05d}.dcm"))


def build_tiny_cohort(folder: Path) -> None:
    """Write `hospital/` (DICOM and masks), `sheets/` and `tiny.yaml` into a folder.

    The outcome is written so that every patient has a label and both outcomes are there 12 times.
    """
    assert set(SCANNERS) >= {"mr_15", "mr_30"}
    sheets = draw_sheets(PLAN)
    for row in sheets["simulation"].astype(str).to_dict("records"):
        patient = SimulatedPatient.from_row(row)
        simulate_patient(patient, list(PLAN.phases), folder / "hospital" / patient.patient_id)
    plant_identifiers(folder / "hospital")
    patients = sheets["patients"]
    early = sheets["simulation"]["latent_risk"].rank() > len(patients) / 2
    resection = pd.to_datetime(patients["resection_date"])
    patients["recurrence_date"] = (resection + pd.Timedelta(days=200)).dt.strftime("%Y-%m-%d").where(early, "")
    patients["last_follow_up_date"] = (resection + pd.Timedelta(days=1200)).dt.strftime("%Y-%m-%d")
    # Readers differ by some millimetres, and in one finding of eight.
    diameter = patients["diameter_mm"].to_numpy()
    step = pd.Series(range(len(patients))).to_numpy()
    patients["diameter_again"], patients["diameter_r2"] = diameter + step % 2, diameter + step % 3 - 1
    for reader in (2, 3):
        other = (step % 8 == reader).astype(int)
        patients[f"necrosis_r{reader}"] = (patients["necrosis"].to_numpy() + other) % 2
    (folder / "sheets").mkdir()
    for name in ("patients", "series", "masks"):
        sheets[name].to_csv(folder / "sheets" / f"{name}.csv", index=False)
    (folder / "tiny.yaml").write_text(yaml.safe_dump(CONFIG, sort_keys=False))
