"""A small cohort of numbers for Zhao 2024: features of which two tell the outcomes apart, and clinical variables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hcc_recurrence.methods.run import main_fits, run_method
from hcc_recurrence.methods.zhao2024.fit import fit
from hcc_recurrence.methods.zhao2024.variables import Data
from hcc_recurrence.radiomics.tables import RadiomicsTable

SETTINGS = {
    "icc_threshold": 0.9,
    "icc_minimum_patients": 5,
    "normality_alpha": 0.05,
    "univariable_p": 0.05,
    "lasso_folds": 3,
    "l1_penalties": 6,
    "classifiers": ["LR", "KNN"],
    "combined_classifier": "best",
    "classifier_settings": {"LR": {"C": 1.0}},
    "choice_folds": 3,
    "clinical_p": 0.05,
    "none_significant": "no_variable",
    "clinical": {"afp": 400, "age": None},
}


def make_data(seed: int = 0, n: int = 60, signal: float = 1.5) -> Data:
    """44 training patients in four folds, 10 for validation, the others external."""
    generator = np.random.default_rng(seed)
    ids = [f"p{i:02d}" for i in range(n)]
    y = np.tile([0, 1], n // 2)
    values = pd.DataFrame(
        generator.normal(size=(n, 30)),
        index=pd.Index(ids, name="patient_id"),
        columns=[f"a__f{i}" for i in range(30)],
    )
    values["a__f0"] += signal * y
    values["a__f1"] += signal * y  # read differently by the second reader
    again = values.iloc[:20].copy()
    again["a__f1"] = generator.normal(size=20)
    clinical = pd.DataFrame(
        {
            "afp": np.where(generator.random(n) < 0.3 + 0.4 * y, 900.0, 10.0),
            "age": generator.normal(60, 9, n),
        },
        index=values.index,
    )
    labels = pd.DataFrame(
        {"patient_id": ids, "er": y.astype(float), "rfs_months": 30.0, "rfs_event": 0, "excluded_because": ""}
    )
    split = pd.DataFrame(
        {
            "patient_id": ids,
            "split": ["train"] * 44 + ["validation"] * 10 + ["external"] * 6,
            "fold_1": pd.array([i // 2 % 4 + 1 for i in range(44)] + [pd.NA] * 16, dtype="Int64"),
        }
    )
    return Data(RadiomicsTable(values, {"R2": again}), clinical, labels, split)


def run_protocol(data: Data, settings: dict, protocol: str) -> dict[str, pd.DataFrame]:
    """All fits of one protocol: predictions, coefficients, selection, inputs."""
    fits = [f for f in main_fits(4, 1, "validation") if f.protocol == protocol]
    runs = [run_method(fit, data, f, settings, 0, data.split, data.labels) for f in fits]
    tables = {name: pd.concat([r.tables[name] for r in runs], ignore_index=True) for name in runs[0].tables}
    return {"predictions": pd.concat([r.predictions for r in runs], ignore_index=True), **tables}
