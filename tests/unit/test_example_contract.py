"""The example of docs/adding_a_method.md holds the contract of methods."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from example_method import EXAMPLE, NAME

import hcc_recurrence.methods
from hcc_recurrence.methods.check import check_method, other_values
from hcc_recurrence.methods.run import main_fits


@pytest.fixture
def example(monkeypatch):
    """Its module, where it lies in the docs."""
    from importlib import import_module

    own = str(EXAMPLE / "workflow/scripts/hcc_recurrence/methods")
    monkeypatch.setattr(hcc_recurrence.methods, "__path__", [*hcc_recurrence.methods.__path__, own])
    return import_module(f"hcc_recurrence.methods.{NAME}.declare")


@pytest.fixture
def cohort():
    """60 patients of which larger tumours recur; 44 train in four folds."""
    generator, n = np.random.default_rng(0), 60
    ids = [f"p{i:02d}" for i in range(n)]
    y = np.tile([0, 1], n // 2)
    labels = pd.DataFrame({"patient_id": ids, "er": y.astype(float), "rfs_months": 30.0, "rfs_event": 0})
    folds = pd.array([i // 2 % 4 + 1 for i in range(44)] + [pd.NA] * 16, dtype="Int64")
    parts = ["train"] * 44 + ["validation"] * 10 + ["external"] * 6
    split = pd.DataFrame({"patient_id": ids, "split": parts, "fold_1": folds})
    index = pd.Index(ids, name="patient_id")
    volume = pd.Series(4 + 0.5 * y + generator.normal(0, 0.3, n), index)
    clinical = pd.DataFrame({"age": generator.normal(60, 9, n), "afp": generator.lognormal(3, 2, n)}, index)
    clinical.loc[ids[3], "afp"] = np.nan
    return labels, split, volume, clinical


SETTINGS = {"strength": 1.0, "clinical": {"age": None, "afp": None}}


def test_it_holds_the_contract(example, cohort, tmp_path):
    labels, split, volume, clinical = cohort
    runs = check_method(
        example.METHOD,
        example.fit,
        lambda own, changed: example.Data(
            other_values(volume.to_frame(), changed).iloc[:, 0], other_values(clinical, changed), own, split
        ),
        labels,
        split,
        SETTINGS,
        main_fits(4, 1),
        tmp_path,
    )
    assert len(runs) == 6 and set(runs[0].predictions["model"]) == {"Volume", "Volume-clinical"}


def test_the_model_of_the_volume_is_the_logistic_regression_of_its_z_score(example, cohort):
    """Against scikit-learn's own pipeline on the 44 training patients."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    labels, split, volume, clinical = cohort
    data = example.Data(volume, clinical, labels, split)
    fitted, tables = example.fit(data, main_fits(4, 1)[4], SETTINGS, 0)
    ids = list(split["patient_id"])
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    pipeline.fit(volume.to_numpy()[:44, None], labels["er"][:44].astype(int))
    expected = pipeline.predict_proba(volume.to_numpy()[:, None])[:, 1]
    assert fitted.predict(data, ids)["Volume"].to_numpy() == pytest.approx(expected, abs=1e-8)
    rows = tables["coefficients"]
    assert rows[rows["model"] == "Volume"]["coefficient"].iloc[0] == pytest.approx(pipeline[-1].coef_[0, 0], abs=1e-8)
    assert list(rows[rows["model"] == "Volume-clinical"]["variable"]) == ["log10 volume", "age", "afp"]
