"""Small made-up exported models and what applying them leaves, for tests of pages and of external validation."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from hcc_recurrence.endpoint import EARLY_RECURRENCE


def about_model(name: str = "zhao2024.there", models: tuple[str, ...] = ("CR", "RCR")) -> dict:
    """model.json of an exported model, as far as pages read it."""
    paper, cohort = name.split(".")
    own = {
        model: {
            "role": "main",
            "family": "combined",
            "published_name": f"{model} of the paper",
            "colour": "",
            "cutoff": 0.4,
            "main": True,
        }
        for model in models
    }
    return {
        "schema_version": 1,
        "name": name,
        "method": paper,
        "study": {"paper": paper, "cohort": cohort},
        "title": f"{cohort} (simulated)",
        "config": {"paper": {"title": paper.capitalize()}},
        "fit": "strict.1.0",
        "protocol": "strict",
        "endpoint": {"name": "early recurrence", "horizon_months": 24, "words": asdict(EARLY_RECURRENCE)},
        "modality": "MR",
        "phases": ["arterial", "portal"],
        "models": own,
        "marks": ["SIMULATED training patients", "VGG19 has random weights"],
        "created_by": {"workflow": "hcc-recurrence", "commit": "abcdef0"},
    }


def distribution_of_training() -> dict:
    """training_distribution.json with an input of each kind."""

    def numeric(item: str, group: str, unit: str, middle: float, sd: float) -> dict:
        quantiles = {"2.5": middle - 2 * sd, "25": middle - 0.674 * sd, "50": middle, "75": middle + 0.674 * sd}
        quantiles["97.5"] = middle + 2 * sd
        about = {"item": item, "group": group, "kind": "numeric", "unit": unit, "n": 80, "missing": 0.0}
        return {**about, "quantiles": quantiles, "mean": middle, "sd": sd}

    sex = {"item": "sex", "group": "clinical", "kind": "categorical", "unit": "", "n": 80, "missing": 0.0}
    inputs = [
        numeric("arterial__thickness_mm", "acquisition", "mm", 3.0, 0.5),
        numeric("arterial__volume_ml", "tumour", "mL", 30.0, 10.0),
        numeric("age", "clinical", "years", 58.0, 9.0),
        {**sex, "levels": ["F", "M"], "fractions": {"F": 0.25, "M": 0.75}},
        numeric("arterial__wavelet-LHL_glcm_Idmn", "features", "", 0.9, 0.02),
    ]
    mix = {"patients": 80, "early_recurrence": 30, "none": 50}
    return {"schema_version": 1, "smallest_cell": 5, "case_mix": mix, "inputs": inputs}


def applied_tables(about: dict, distribution: dict, patients: list[str], seed: int = 0) -> tuple[pd.DataFrame, ...]:
    """predictions.csv and outside.csv; the first patient's slices are thick, the second has no age."""
    generator = np.random.default_rng(seed)
    scores, inputs = [], []
    for number, patient in enumerate(patients):
        for model, own in about["models"].items():
            p = round(float(generator.uniform(0.02, 0.98)), 6)
            cutoff = own["cutoff"]
            group = "high" if p >= cutoff else "low"
            scores.append((patient, model, p, cutoff, group))
        for item in distribution["inputs"]:
            row = {"patient_id": patient, "item": item["item"], "group": item["group"], "unit": item["unit"]}
            if item["kind"] == "categorical":
                value = "M" if generator.uniform() < 0.6 else "F"
                row |= {"value": value, "low": np.nan, "high": np.nan, "verdict": "inside", "words": ""}
            else:
                low, high = item["quantiles"]["2.5"], item["quantiles"]["97.5"]
                value, verdict, words = float(generator.uniform(low, high)), "inside", ""
                if number == 0 and "thickness" in item["item"]:
                    value, verdict, words = 7.5, "outside", "thicker than any slice in training"
                if number == 1 and item["item"] == "age":
                    value, verdict, words = np.nan, "missing", "the median of training takes its place"
                row |= {"value": value, "low": low, "high": high, "verdict": verdict, "words": words}
            inputs.append(row)
    columns = ["patient_id", "item", "group", "value", "unit", "low", "high", "verdict", "words"]
    predictions = pd.DataFrame(scores, columns=["patient_id", "model", "probability", "cutoff", "risk_group"])
    return predictions, pd.DataFrame(inputs)[columns]


def write_model(folder: Path, about: dict, distribution: dict) -> Path:
    """The two files of an exported model that pages read."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.json").write_text(json.dumps(about))
    (folder / "training_distribution.json").write_text(json.dumps(distribution))
    return folder
