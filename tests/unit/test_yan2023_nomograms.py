"""Nomograms of Yan 2023: what they may take, separation, and that drawing and predicting agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from rows_of_fits import rows_of_fits

from hcc_recurrence.learning.clinical import by_category
from hcc_recurrence.learning.predictions import check_predictions
from hcc_recurrence.learning.regressions import regression_table
from hcc_recurrence.methods.yan2023.nomograms import draw_nomograms, fit_nomograms_of, models_of
from hcc_recurrence.statistics.logistic import (
    fit_logistic,
    forward_likelihood_ratio,
    logistic_table,
    univariable_table,
)
from hcc_recurrence.statistics.nomogram import NomogramModel

DEFINITIONS = {
    "ast": {"kind": "continuous", "unit": "U/L", "levels": [], "timing": "pre"},
    "age": {"kind": "continuous", "unit": "years", "levels": [], "timing": "pre"},
    "mvi": {"kind": "binary", "unit": "", "levels": [], "timing": "post"},
}
SETTINGS = {
    "clinical": {"ast": 40, "age": None, "mvi": None},
    "nominal": [],
    "clinical_p": 0.05,
    "entry_p": 0.05,
    "removal_p": 0.10,
}


def study(separated=False, n=120):
    """Clinical values, labels, a split, and signatures of one repeat in both protocols."""
    generator = np.random.default_rng(8)
    names = [f"P{i:03d}" for i in range(n)]
    y = np.tile([0, 1, 1, 0], n // 4)
    clinical = pd.DataFrame(
        {
            "ast": 40 + 12 * (y - 0.5) + generator.normal(0, 10, n),
            "age": generator.normal(55, 9, n).round(),
            "mvi": (generator.random(n) < 0.3 + 0.4 * y).astype(float),
        },
        index=pd.Index(names, name="patient_id"),
    )
    clinical.iloc[3, 0] = np.nan
    labels = pd.DataFrame({"patient_id": names, "er": y, "rfs_months": np.where(y, 9.0, 40.0), "rfs_event": y})
    split = pd.DataFrame({"patient_id": names, "split": ["train"] * (n - 40) + ["validation"] * 40})
    split["fold_1"] = pd.array([i // 4 % 2 + 1 if i < n - 40 else pd.NA for i in range(n)], dtype="Int64")
    parts = []
    for protocol, folds in (("strict", (1, 2, 0)), ("as_published", (0,))):
        for fold in folds:
            train = split["split"] == "train"
            learned = train & (split["fold_1"] != fold).fillna(True) if fold else train
            unseen = (train & (split["fold_1"] == fold).fillna(False)) if fold else ~train
            for part, rows in (("learned", learned), ("unseen", unseen)):
                truth = y[rows.to_numpy()]
                value = 0.4 + 0.05 * (truth - 0.5) + generator.normal(0, 0.04, rows.sum())
                if separated and protocol == "as_published" and part == "learned":
                    value = 0.2 + 0.5 * truth + generator.random(rows.sum()) * 0.1
                ids = split.loc[rows, "patient_id"]
                about = {"protocol": protocol, "repeat": 1, "fold": fold, "part": part}
                parts.append(pd.DataFrame({"patient_id": ids, "mp-MR": value, **about}))
    return pd.concat(parts, ignore_index=True), clinical, labels, split


@dataclass
class Nomograms:
    """Those of all fits, as the rules gather them."""

    models: list[str]
    probabilities: pd.DataFrame
    regressions: pd.DataFrame
    drawn: list[dict]


def fit_nomograms(fused, clinical, definitions, labels, settings, resamples, seed):
    outcome = labels.set_index("patient_id")["er"]
    probabilities, regressions, drawn = [], [], []
    for (protocol, repeat, fold), own in fused.groupby(["protocol", "repeat", "fold"], sort=False):
        about = {"protocol": protocol, "repeat": repeat, "fold": fold}
        parts = {name: rows.set_index("patient_id")["mp-MR"] for name, rows in own.groupby("part")}
        fitted, table = fit_nomograms_of(parts["learned"], clinical, definitions, outcome, settings)
        regressions.append(table.assign(**about))
        for part, signature in parts.items():
            found = fitted.predict(clinical, signature).rename_axis("patient_id").reset_index()
            probabilities.append(found.assign(part=part, **about))
        if fold == 0:
            figures, _ = draw_nomograms(
                fitted, table, parts["learned"], clinical, definitions, outcome, resamples, seed
            )
            drawn += [{**d, "protocol": protocol} for d in figures]
    return Nomograms(list(fitted.models), pd.concat(probabilities), pd.concat(regressions), drawn)


def test_preoperative_models_have_no_postoperative_candidate():
    wanted = models_of(DEFINITIONS)
    assert set(wanted) == {
        "Clinical-nomogram",
        "DL-nomogram",
        "Clinical-nomogram preoperative",
        "DL-nomogram preoperative",
    }
    assert wanted["DL-nomogram preoperative"] == (["ast", "age"], True)
    before = {v: d for v, d in DEFINITIONS.items() if d["timing"] == "pre"}
    assert set(models_of(before)) == {"Clinical-nomogram", "DL-nomogram"}


def test_nomograms_predict_every_patient_in_both_protocols():
    fused, clinical, labels, split = study()
    found = fit_nomograms(fused, clinical, DEFINITIONS, labels, SETTINGS, 20, 1)
    predictions = rows_of_fits(found.probabilities, found.models, labels, split, 5)
    check_predictions(predictions, split)
    table = regression_table(found.regressions, {"mp-MR": "mp-MR (per 0.1)"})
    chosen = table[(table["step"] == "multivariable") & table["odds_ratio"].notna()]
    assert "Microvascular invasion (post-op)" in set(chosen.loc[chosen["model"] == "Clinical-nomogram", "variable"])
    assert not chosen.loc[chosen["model"].str.endswith("preoperative"), "variable"].str.contains("mvi").any()
    assert "mp-MR (per 0.1)" in set(chosen.loc[chosen["model"] == "DL-nomogram", "variable"])
    assert not chosen.loc[chosen["model"].str.startswith("Clinical"), "variable"].str.contains("mp-MR").any()
    assert table["fits"].dropna().between(0, 1).all() and {
        "AST > 40 U/L",
        "Age, years",
        "Microvascular invasion (post-op)",
    } <= set(table["variable"])
    flagged = table[table["vif"].notna()]
    assert (flagged["tolerance"] * flagged["vif"]).to_numpy(float) == pytest.approx(1.0)


def test_the_nomogram_that_is_drawn_gives_the_risk_that_is_predicted():
    fused, clinical, labels, _ = study()
    found = fit_nomograms(fused, clinical, DEFINITIONS, labels, SETTINGS, 5, 1)
    drawn = next(d for d in found.drawn if d["model"] == "DL-nomogram" and d["protocol"] == "strict")
    nomogram = NomogramModel.from_dict(drawn["nomogram"])
    rows = found.probabilities[(found.probabilities["protocol"] == "strict") & (found.probabilities["fold"] == 0)]
    predicted = rows.set_index("patient_id").loc[drawn["patient"], "DL-nomogram"]
    assert nomogram.risk(drawn["values"]) == pytest.approx(predicted, abs=1e-9)
    signature = next(axis for axis in nomogram.axes if axis.name == "mp-MR")
    assert 0.2 < signature.low < signature.high < 0.6


def test_a_fit_learns_from_its_own_rows_alone():
    fused, clinical, labels, split = study()
    before = fit_nomograms(fused, clinical, DEFINITIONS, labels, SETTINGS, 2, 1).probabilities
    changed = labels.copy()
    changed.loc[2, "er"] = 1 - changed.loc[2, "er"]
    after = fit_nomograms(fused, clinical, DEFINITIONS, changed, SETTINGS, 2, 1).probabilities
    held = int(split.loc[2, "fold_1"])
    for fold in (0, 1, 2):
        own = ((before["fold"] == fold) & (before["protocol"] == "strict")).to_numpy()
        same = np.array_equal(before.loc[own, "DL-nomogram"], after.loc[own, "DL-nomogram"])
        assert same == (fold == held)


def test_a_signature_that_separates_the_outcome_is_fitted_by_firth():
    fused, clinical, labels, split = study(separated=True)
    found = fit_nomograms(fused, clinical, DEFINITIONS, labels, SETTINGS, 10, 1)
    table = regression_table(found.regressions, {"mp-MR": "mp-MR (per 0.1)"})
    own = table[(table["protocol"] == "as_published") & (table["model"] == "DL-nomogram")]
    signature = own[(own["step"] == "multivariable") & (own["variable"] == "mp-MR (per 0.1)")].iloc[0]
    assert signature["method"] == "Firth" and 1 < signature["low"] < signature["high"]
    apparent = rows_of_fits(found.probabilities, ["DL-nomogram"], labels, split, 5)
    apparent = apparent[apparent["estimate"] == "apparent"]
    assert apparent.loc[apparent["y"] == 1, "probability"].min() > apparent.loc[apparent["y"] == 0, "probability"].max()


def test_the_unit_of_a_variable_does_not_decide_whether_an_estimate_exists():
    generator = np.random.default_rng(2)
    y = np.tile([0.0, 1.0], 60)
    wide = generator.normal(size=120) + 0.8 * y
    for scale in (1.0, 1e-4, 1e5):
        x = pd.DataFrame({"v": wide * scale})
        assert univariable_table(y, x)["method"].tolist() == ["Wald"]
        assert univariable_table(y, x)["p"].iloc[0] == pytest.approx(
            logistic_table(y, x / scale)["p"].iloc[0], rel=1e-5
        )


def test_forward_selection_takes_a_separating_variable_only_with_firth():
    generator = np.random.default_rng(3)
    y = np.tile([0.0, 1.0], 40)
    x = pd.DataFrame({"noise": generator.normal(size=80), "perfect": y + 0.1 * generator.random(80)})
    assert forward_likelihood_ratio(y, x) == []
    assert forward_likelihood_ratio(y, x, firth=True) == ["perfect"]
    model = fit_logistic(y, x[["perfect"]])
    assert model.method == "Firth" and model.predict(x)[y == 1].min() > 0.5
    assert fit_logistic(y, x[["perfect"]], firth=False).method == "none"


def test_without_a_variable_the_risk_is_the_prevalence():
    y = np.array([0.0, 1.0, 1.0, 1.0])
    model = fit_logistic(y, pd.DataFrame(index=range(4)))
    assert model.predict(pd.DataFrame({"other": [1.0, 2.0]})) == pytest.approx([0.75, 0.75])


def test_categories_without_an_order_enter_one_by_one():
    fused, clinical, labels, _ = study()
    y = labels.set_index("patient_id")["er"]
    # Of three types the middle one carries the outcome: in an order it would be lost.
    kind = np.where(y.to_numpy() == 1, 1, np.arange(len(y)) // 2 % 2 * 2).astype(float)
    kind[::5] = np.arange(len(kind[::5])) % 3
    clinical = clinical.assign(enhancement_type=kind)
    clinical.iloc[4, -1] = np.nan
    own = {"kind": "categorical", "unit": "", "levels": ["1", "2", "3"], "timing": "pre"}
    definitions = {**DEFINITIONS, "enhancement_type": own}
    settings = {**SETTINGS, "clinical": {**SETTINGS["clinical"], "enhancement_type": None}}
    signature = fused.query("protocol == 'strict' and fold == 0 and part == 'learned'").set_index("patient_id")["mp-MR"]
    apart, table = fit_nomograms_of(signature, clinical, definitions, y, {**settings, "nominal": ["enhancement_type"]})
    names = [f"Arterial enhancement type: {level}" for level in "123"]
    x = apart.inputs(clinical, signature)
    assert (
        list(x.columns[3:6]) == names and (x.loc[clinical.loc[x.index, "enhancement_type"] == 1, names[1]] == 1).all()
    )
    assert (x[names].sum(axis=1) == 1).sum() >= len(x) - 1
    chosen = table[(table["model"] == "Clinical-nomogram") & (table["step"] == "multivariable")]
    assert names[1] in set(chosen["variable"])
    together, ordered = fit_nomograms_of(signature, clinical, definitions, y, {**settings, "nominal": []})
    p = ordered[(ordered["variable"] == "Arterial enhancement type") & (ordered["step"] == "univariable")]["p"]
    assert len(together.variables) == 4 and (p > 0.05).all()
    by_hand = univariable_table(y.loc[x.index].to_numpy(), x[[names[1]]], firth=True)["odds_ratio"][0]
    assert (
        table.loc[(table["variable"] == names[1]) & (table["step"] == "univariable"), "odds_ratio"].iloc[0] == by_hand
    )


def test_the_table_of_risk_factors_codes_categories_as_the_nomograms_do():
    clinical = pd.DataFrame({"a": [0.0, 1, 2, np.nan], "b": [1.0, 2, 3, 4]})
    definitions = {"a": {"kind": "categorical", "levels": ["x", "y", "z"]}, "b": {"kind": "continuous", "levels": []}}
    values, found = by_category(clinical, definitions, ["a"])
    assert list(values) == list(found) == ["a=x", "a=y", "a=z", "b"] and found["a=y"]["kind"] == "binary"
    assert values["a=y"].tolist()[:3] == [0, 1, 0] and values.loc[3, ["a=x", "a=y", "a=z"]].isna().all()
    same, _ = by_category(clinical, definitions, [])
    assert same.equals(clinical)
