"""The nomogram on a patient's page: values of axes, and none that says another risk than the model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from applied_models import about_model

from hcc_recurrence.exported.nomograms import axis_values, drawn_nomograms
from hcc_recurrence.exported.pages import AppliedModel
from hcc_recurrence.statistics.nomogram import Axis, NomogramModel

INPUTS = {
    "GGT > 60 U/L": {"variable": "ggt", "cut": 60, "code": None},
    "AST ≥ 40 U/L": {"variable": "ast", "cut": {"at_least": 40}, "code": None},
    "Type: 1": {"variable": "type", "cut": None, "code": 0},
    "Age, years": {"variable": "age", "cut": None, "code": None},
    "mp-MR": {"model": "mp-MR"},
}


def test_values_of_axes():
    found = axis_values(INPUTS, {"ggt": 60.0, "ast": 40.0, "type": 0.0, "age": 61.0}, {"mp-MR": 0.3})
    assert list(found.values()) == [0.0, 1.0, 1.0, 61.0, 0.3]
    missing = axis_values(INPUTS, {"ggt": np.nan, "ast": 39.0, "type": 2.0}, {})
    assert np.isnan([missing[k] for k in ("GGT > 60 U/L", "Age, years", "mp-MR")]).all()
    assert missing["AST ≥ 40 U/L"] == missing["Type: 1"] == 0


@pytest.fixture
def model():
    axes = (Axis("Age, years", 0.05, 30, 80), Axis("mp-MR", 2.0, 0, 1))
    nomogram = NomogramModel("logistic", axes, -4.0)
    about = about_model("yan2023.there", ("mp-MR", "DL-nomogram"))
    inputs = {axis.name: INPUTS[axis.name] for axis in axes}
    about["models"]["DL-nomogram"] |= {"nomogram": nomogram.to_dict(), "axis_inputs": inputs}
    # By hand: 60 years and 0.5 are -4 + 3 + 1 = 0.
    rows = [("P1", "mp-MR", 0.5), ("P1", "DL-nomogram", 0.5), ("P2", "mp-MR", 0.5), ("P2", "DL-nomogram", 0.6)]
    predictions = pd.DataFrame(rows, columns=["patient_id", "model", "probability"])
    return AppliedModel(about, {}, predictions, pd.DataFrame())


def test_it_is_drawn_where_it_says_what_the_model_says(model, capsys):
    clinical = pd.DataFrame({"age": [60.0, 60.0]}, index=["P1", "P2"])
    (picture,) = drawn_nomograms(model, "P1", clinical)
    assert picture.title == "Nomogram, DL-nomogram" and picture.content.startswith(b"\x89PNG")
    assert drawn_nomograms(model, "P2", clinical) == []
    assert "the nomogram gives 0.500000, the model 0.600000" in capsys.readouterr().out
    assert drawn_nomograms(model, "P1", clinical * np.nan) == []
    assert "Age, years is missing" in capsys.readouterr().out
