"""Clinical scores: worked patients, edges of the stages, units, missing inputs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcc_recurrence.cohort import clinical_scores as clinical_scores_module
from hcc_recurrence.cohort.clinical_scores import (
    BCLC_STAGES,
    CNLC_STAGES,
    albi_grade,
    albi_score,
    bclc_stage,
    child_pugh_class,
    clinical_scores,
    cnlc_stage,
)
from hcc_recurrence.learning.comparators import centre_columns, one_score_models
from hcc_recurrence.statistics.classification import metrics_table


def test_albi_of_a_worked_patient():
    """Bilirubin 10 umol/L, albumin 40 g/L: 0.66 - 3.408 = -2.748, grade 1."""
    assert albi_score(np.array([10.0]), np.array([40.0]))[0] == pytest.approx(-2.748)
    assert albi_grade(np.array([-2.60, -2.59, -1.39, -1.38, np.nan]))[:4].tolist() == [1, 2, 2, 3]
    assert np.isnan(albi_grade(np.array([np.nan]))[0])


@pytest.mark.parametrize(
    ("patient", "expected"),
    [
        ((33.9, 35.1, 1.69, 0, 0), (5, "A")),
        ((34, 35, 1.7, 0, 0), (8, "B")),
        ((51, 28, 2.3, 1, 0), (9, "B")),
        ((52, 27, 2.4, 2, 2), (15, "C")),
    ],
)
def test_child_pugh_at_its_edges(patient, expected):
    assert child_pugh_class(*patient) == expected
    with pytest.raises(ValueError, match="missing"):
        child_pugh_class(float("nan"), *patient[1:])


# tumour number, diameter mm, macrovascular invasion, spread, ECOG PS, Child-Pugh index
@pytest.mark.parametrize(
    ("patient", "bclc", "cnlc"),
    [
        ((1, 20, 0, 0, 0, 0), "0", "Ia"),
        ((1, 20.1, 0, 0, 0, 0), "A", "Ia"),
        ((1, 50, 0, 0, 0, 0), "A", "Ia"),
        ((1, 120, 0, 0, 0, 1), "A", "Ib"),
        ((3, 30, 0, 0, 0, 0), "A", "Ib"),
        ((2, 31, 0, 0, 0, 0), "B", "IIa"),
        ((4, 10, 0, 0, 0, 0), "B", "IIb"),
        ((1, 30, 1, 0, 0, 0), "C", "IIIa"),
        ((1, 30, 1, 1, 0, 0), "C", "IIIb"),
        ((1, 30, 0, 0, 1, 0), "C", "Ia"),
        ((1, 30, 0, 0, 3, 0), "D", "IV"),
        ((1, 30, 1, 1, 0, 2), "D", "IV"),
    ],
)
def test_stages(patient, bclc, cnlc):
    assert BCLC_STAGES[int(bclc_stage(*map(float, patient)))] == bclc
    assert CNLC_STAGES[int(cnlc_stage(*map(float, patient)))] == cnlc
    for position in range(6):
        broken = [float(v) for v in patient]
        broken[position] = float("nan")
        assert np.isnan(bclc_stage(*broken)) and np.isnan(cnlc_stage(*broken))


def test_scores_convert_units_and_say_what_they_lack():
    clinical = pd.DataFrame(
        {"bilirubin": [0.5848, 1.0], "albumin": [4.0, np.nan], "neutrophils": [4.0, 3], "lymphocytes": [2.0, 0]},
        index=["a", "b"],
    )
    units = {"bilirubin": "mg/dL", "albumin": "g/dL", "neutrophils": "1e9/L", "lymphocytes": "1e9/L"}
    scores, skipped = clinical_scores(clinical, units, {})
    assert scores.loc["a", "ALBI"] == pytest.approx(-2.748, abs=1e-3) and np.isnan(scores.loc["b", "ALBI"])
    assert scores.loc["a", "NLR"] == 2 and np.isnan(scores.loc["b", "NLR"])
    assert skipped["LMR"] == "needs monocytes" and "BCLC" in skipped
    assert (
        "cannot convert bilirubin in furlongs"
        in clinical_scores(clinical, {**units, "bilirubin": "furlongs"}, {})[1]["ALBI"]
    )


def test_a_score_without_a_formula_is_an_error_and_not_another_scores_numbers(monkeypatch):
    assert set(clinical_scores_module.SCORES) == set(clinical_scores_module.INPUTS)
    monkeypatch.setitem(clinical_scores_module.INPUTS, "New", ("sex",))
    with pytest.raises(KeyError, match="New"):
        clinical_scores(pd.DataFrame({"sex": [1.0]}, ["a"]), {}, {})


def test_the_unverified_score_never_carries_the_published_name():
    clinical = pd.DataFrame(
        {
            "sex": [1.0],
            "bilirubin": [30.0],
            "albumin": [35.0],
            "afp": [np.e**2],
            "diameter": [10 * np.e],
            "tumour_number": [2.0],
        },
        index=["a"],
    )
    units = {"bilirubin": "umol/L", "albumin": "g/L", "afp": "ng/mL", "diameter": "mm"}
    scores, _ = clinical_scores(clinical, units, {})
    assert "ERASL-pre" not in scores and "ERASL-like (unverified)" in scores
    # male 0.818 + ALBI grade 2 0.447 + 0.1 * 2 + 0.58 * 1 + two nodules 0.492
    assert scores.iloc[0]["ERASL-like (unverified)"] == pytest.approx(2.537)


def test_one_score_models_take_their_direction_from_training_rows():
    patients = [f"p{i:02d}" for i in range(40)]
    y = np.tile([0, 1], 20)
    labels = pd.DataFrame(
        {"patient_id": patients, "centre": ["A", "B"] * 20, "er": y, "rfs_months": 20.0, "rfs_event": y}
    )
    split = pd.DataFrame({"patient_id": patients, "split": ["train"] * 24 + ["validation"] * 16})
    split["fold_1"] = [i // 2 % 3 + 1 if i < 24 else pd.NA for i in range(40)]
    generator = np.random.default_rng(0)
    good = pd.DataFrame({"x": -3.0 * y + generator.normal(size=40)}, index=patients)
    holes = good.copy()
    holes.iloc[[0, 30]] = np.nan
    constant = pd.DataFrame({"x": 1.0}, index=patients)
    found = one_score_models(
        {"good": good, "holes": holes, "constant": constant, "Centre": centre_columns(labels)}, labels, split, 1, 5
    )
    metrics = metrics_table(found).set_index(["model", "protocol", "split", "estimate"])
    assert metrics.loc[("good", "strict", "train", "out_of_fold"), "auc"] > 0.9
    assert metrics.loc[("good", "strict", "validation", "held_out"), "auc"] > 0.9
    assert metrics.loc[("constant", "strict", "train", "out_of_fold"), "auc"] == 0.5
    assert metrics.loc[("Centre", "as_published", "train", "apparent"), "auc"] == 1.0
    assert metrics.loc[("holes", "strict", "validation", "held_out"), "n"] == 15
    # Turning the outcome of the validation patients round changes nothing that was predicted for them.
    turned = labels.assign(er=[v if i < 24 else 1 - v for i, v in enumerate(y)])
    again = one_score_models({"good": good}, turned, split, 1, 5)
    same = found[found["model"] == "good"].reset_index(drop=True)
    assert (again["probability"] == same["probability"]).all()
