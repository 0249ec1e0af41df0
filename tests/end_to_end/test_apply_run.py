"""An exported model leaves its study: the same predictions there, and new patients without outcomes elsewhere."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest
import yaml
from tiny_cohort import CONFIG
from workflow_runner import Workspace, copy_workflow

from hcc_recurrence.files import read_csv
from hcc_recurrence.simulation.patient import SimulatedPatient, simulate_patient
from hcc_recurrence.simulation.risk import RiskModel
from hcc_recurrence.simulation.sheets import CohortPlan, draw_sheets

STUDY, NAME = "zhao2024:tiny", "zhao2024.tiny"
ZIP = f"results/tiny/zhao2024/export/{NAME}.zip"
TABLES = ("predictions", "outside")
COHORT = {k: v for k, v in CONFIG["cohorts"]["tiny"].items() if k not in ("thresholds", "strata")}
NEW = CohortPlan("N", 99, {"Z": (3, ("mr_15",))}, ("arterial", "portal"), 0, risk=RiskModel())


@pytest.fixture(scope="module")
def exported(tiny_run, tmp_path_factory) -> Workspace:
    workspace = tiny_run.copy_to(tmp_path_factory.mktemp("exported") / "study")
    workspace.run("export", "--config", f"study={STUDY}")
    return workspace


def apply(workspace: Workspace, config: dict, cohort: str, folder: str = "results") -> dict[str, pd.DataFrame]:
    """Write the config, make both tables, and read them."""
    (workspace.folder / "tiny.yaml").write_text(yaml.safe_dump(config))
    paths = {table: f"{folder}/{cohort}/applied/{NAME}/{table}.csv" for table in TABLES}
    said = workspace.run(*paths.values())
    assert "fit_method" not in said and "train_" not in said
    return {table: read_csv(workspace.folder / path) for table, path in paths.items()}


def test_the_patients_of_the_study_get_the_stored_predictions(exported):
    stored = read_csv(exported.folder / "results/tiny/zhao2024/predictions.csv")
    stored = stored[(stored["protocol"] == "strict") & (stored["estimate"] == "held_out") & (stored["repeat"] == 1)]
    config = {"models": [ZIP], "cohorts": {"tiny": COHORT}}
    (exported.folder / "tiny.yaml").write_text(yaml.safe_dump(config))
    # What the study has made of images serves the model as well.
    remade = {"convert_patient", "resample_patient", "extract_radiomics", "crop_patient", "register_phase"}
    assert not remade & set(exported.jobs(target=f"results/tiny/applied/{NAME}/predictions.csv"))
    found = apply(exported, config, "tiny")["predictions"]
    both = found.merge(stored, on=["patient_id", "model"], suffixes=("", "_stored"))
    # Seven models without and four with a network, of the six patients outside training.
    assert len(both) == len(stored[stored["model"].isin(found["model"])]) and both["model"].nunique() >= 11
    assert (both["probability"] == both["probability_stored"]).all()
    assert ((found["probability"] >= found["cutoff"]) == (found["risk_group"] == "high")).all()


def test_three_new_patients_without_outcomes_on_another_machine(exported, tmp_path):
    """The zip alone, another folder of results, DICOM of patients whom nobody has seen; one has his phases swapped."""
    workspace = Workspace(tmp_path / "elsewhere")
    workspace.folder.mkdir()
    copy_workflow(workspace.folder)
    shutil.copy(exported.folder / ZIP, workspace.folder)
    sheets = draw_sheets(NEW)
    for row in sheets["simulation"].astype(str).to_dict("records"):
        patient = SimulatedPatient.from_row(row)
        simulate_patient(patient, list(NEW.phases), workspace.folder / "hospital" / patient.patient_id)
    outcome = ["resection_date", "recurrence_date", "last_follow_up_date"]
    sheets["patients"] = sheets["patients"].drop(columns=outcome)
    for sheet in ("series", "masks"):
        last = sheets[sheet]["patient_id"] == "N003"
        swapped = sheets[sheet]["phase"].map({"arterial": "portal", "portal": "arterial"})
        sheets[sheet]["phase"] = sheets[sheet]["phase"].where(~last, swapped)
    clinical = {v: {k: x for k, x in own.items() if k != "readings"} for v, own in COHORT["clinical"].items()}
    (workspace.folder / "sheets").mkdir()
    for sheet in ("patients", "series", "masks"):
        sheets[sheet].to_csv(workspace.folder / f"sheets/{sheet}.csv", index=False)
    config = {"models": [f"{NAME}.zip"], "cohorts": {"new": {**COHORT, "clinical": clinical}}}
    found = apply(workspace, {**config, "pathvars": {"results": "other"}}, "new", "other")
    predictions, outside = found["predictions"], found["outside"]
    assert set(predictions["patient_id"]) == {"N001", "N002", "N003"}
    assert predictions["probability"].between(0, 1).all()
    # A model that gives everyone one probability has no cut-off, and nobody a group by it.
    assert predictions.loc[predictions["cutoff"].notna(), "risk_group"].isin(["low", "high"]).all()
    assert predictions.loc[predictions["cutoff"].isna(), "risk_group"].isna().all()
    order = outside[outside["item"] == "arterial before portal"].set_index("patient_id")
    assert order["verdict"].to_dict() == {"N001": "inside", "N002": "inside", "N003": "outside"}
    assert order.at["N003", "words"].startswith("the phases may be swapped: by the headers arterial was taken")
