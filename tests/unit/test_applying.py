"""An exported model's inputs read from the files of the steps, and its probabilities beside the cut-off it carries."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from made_bundle import about_of
from zhao_cohort import SETTINGS, make_data

from hcc_recurrence.cohort.fit import Fit
from hcc_recurrence.exported.applying import predict_rows, risk_table
from hcc_recurrence.exported.inputs import CROPS, DEEP, NOTHING, RADIOMICS, read_rows, source_of_features
from hcc_recurrence.methods.exporting import Rows
from hcc_recurrence.methods.zhao2024.fit import fit
from hcc_recurrence.problems import Refused
from hcc_recurrence.statistics.auc import youden_threshold
from hcc_recurrence.statistics.classification import count

IDS = ["P1", "P2", "P3"]


def scores(*values):
    return pd.Series(values, index=pd.Index(IDS, name="patient_id"))


def test_high_is_from_the_cut_off_on_as_the_table_is_written():
    about = {"models": {"A": {"cutoff": 0.5}, "B": {"cutoff": None}, "C": {"cutoff": 0.1}}}
    # Ten digits are written: the first is 0.5 in the table, and stands on the side that the table shows.
    found = risk_table(about, {"B": scores(0.3, 0.3, 0.3), "A": scores(0.49999999999999, 0.5, 0.4999999)})
    assert list(found["model"]) == ["A"] * 3 + ["B"] * 3 and list(found["patient_id"]) == IDS * 2
    assert list(found["risk_group"]) == ["high", "high", "low", "", "", ""]
    assert list(found["cutoff"][:3]) == [0.5] * 3 and found["cutoff"][3:].isna().all()


def test_a_risk_at_a_small_cut_off_is_high_as_it_is_in_the_counts():
    """2 of 30 trees: 0.0666666666... is written as 0.06666666667, and the cut-off of the tables is 0.0666666667."""
    risk = np.array([1 / 30, 2 / 30, 3 / 30])
    cut = youden_threshold(np.array([0, 1, 1]), risk.round(10))
    counted = count(np.array([0, 1, 1]), risk.round(10), cut)
    found = risk_table({"models": {"A": {"cutoff": cut}}}, {"A": scores(*risk)})
    assert list(found["risk_group"]) == ["low", "high", "high"] and counted.tp == 2 and counted.tn == 1


@pytest.fixture(scope="module")
def fitted():
    data = make_data()
    model, _ = fit(data, Fit(), SETTINGS, 1)
    return data, model


def zhao_bundle(model):
    models = {name: {"cutoff": 0.5} for name in ("Radiomics LR", "Radiomics KNN", "Radiomics", "CR", "RCR")}
    about = about_of(models=models, phases=["a"])
    return SimpleNamespace(about=about, name="zhao2024.mine", method="zhao2024", parts=lambda: {"models": model})


def test_a_patient_has_the_probability_that_the_fit_gives_him_whoever_else_is_there(fitted):
    data, model = fitted
    external = [f"p{n}" for n in range(54, 60)]
    stored = model.predict(data, external)
    rows = Rows(data.radiomics.values.loc[external], data.clinical.loc[external])
    found = predict_rows(zhao_bundle(model), rows).pivot(index="patient_id", columns="model", values="probability")
    assert set(found.columns) == set(stored.columns)
    np.testing.assert_allclose(found[stored.columns], stored, rtol=0, atol=1e-10)
    alone = predict_rows(zhao_bundle(model), Rows(rows.features.iloc[:1], rows.clinical.iloc[:1]))
    np.testing.assert_allclose(alone["probability"], found.loc[external[0], list(alone["model"])], rtol=0, atol=1e-10)


def test_a_missing_variable_is_the_median_of_those_who_learned(fitted):
    data, model = fitted
    patient = ["p55"]
    gap = data.clinical.loc[patient].assign(**{name: np.nan for name in data.clinical})
    learned = data.clinical.loc[[f"p{n:02d}" for n in range(44)]]
    # Of a dichotomised variable the median of its codes.
    middle = gap.assign(age=learned["age"].median(), afp=900.0 if (learned["afp"] > 400).median() else 10.0)
    features = data.radiomics.values.loc[patient]
    one, other = (predict_rows(zhao_bundle(model), Rows(features, own))["probability"] for own in (gap, middle))
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-10)


def test_where_features_come_from_is_told_by_the_settings():
    about = about_of()
    assert source_of_features(about) == RADIOMICS
    assert source_of_features({**about, "reads": {**about["reads"], "features": []}}) == NOTHING
    for settings, kind in (({"unet": "net"}, DEEP), ({"crops": "box"}, CROPS)):
        assert source_of_features({**about, "config": {"settings": settings}}) == kind


def test_features_bear_the_models_names_of_phases_and_no_patients_column_is_a_gap(tmp_path):
    """The portal phase in the place of the arterial one: its features are read where the other is looked for."""
    table = pd.DataFrame({"patient_id": IDS, "phase": "portal", "reader": "R1", "a": [1.0, 2.0, 3.0]})
    table.to_parquet(tmp_path / "portal.parquet")
    about = about_of(phases=["arterial"], reads={"features": ["arterial__a"], "clinical": ["afp", "sex"], "images": []})
    bundle = SimpleNamespace(about=about, method="zhao2024")
    clinical = pd.DataFrame({"afp": [1.0, 2.0, 3.0]}, index=pd.Index(IDS, name="patient_id"))
    rows = read_rows(bundle, {"features": [str(tmp_path / "portal.parquet")]}, {}, ["portal"], "R1", clinical)
    assert list(rows.features.columns) == ["arterial__a"] and rows.features["arterial__a"].tolist() == [1.0, 2.0, 3.0]
    assert list(rows.clinical.columns) == ["afp", "sex"] and rows.clinical["sex"].isna().all()


def test_crops_of_another_shape_are_refused_and_phases_are_those_that_stand_in(tmp_path):
    images = np.arange(2 * 2 * 1 * 3 * 3, dtype=np.float32).reshape(2, 2, 1, 3, 3)
    masks = np.zeros((2, 1, 3, 3), np.uint8)
    np.savez(tmp_path / "box.npz", image=images, mask=masks, patients=["P1", "P2"], phases=["arterial", "portal"])
    image = {"name": "SS", "crops": "box", "shape": [1, 1, 3, 3]}
    about = about_of(phases=["arterial"], reads={"features": [], "clinical": [], "images": [image]})
    bundle = SimpleNamespace(about=about, method="cui2022")
    clinical = pd.DataFrame(index=pd.Index(["P2"], name="patient_id"))
    crops = {"SS": str(tmp_path / "box.npz")}
    rows = read_rows(bundle, {}, crops, ["portal"], "R1", clinical)
    np.testing.assert_array_equal(rows.images["SS"], images[1:, 1:])
    image["shape"] = [1, 5, 40, 40]
    with pytest.raises(Refused, match=r"SS: crops of phases, z, y, x \(1, 1, 3, 3\), and the model takes \(1, 5, 40"):
        read_rows(bundle, {}, crops, ["portal"], "R1", clinical)
