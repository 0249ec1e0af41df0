"""The grid of rankings and classifiers: its steps against references, what it may see, and what choosing does."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows_of_fits import rows_of_fits
from scipy.stats import spearmanr

from hcc_recurrence.learning.estimators import fit_predict
from hcc_recurrence.learning.folds import inner_splits, outer_fits
from hcc_recurrence.learning.predictions import check_predictions
from hcc_recurrence.learning.scaling import MinMax
from hcc_recurrence.learning.selection import RANKINGS, drop_redundant, rank_correlation, rank_features
from hcc_recurrence.learning.signature_grid import choose_cells, fit_cell, rank_fits, rank_rows
from hcc_recurrence.methods.yan2023.signatures import (
    choices_table,
    choose_signatures,
    fuse,
    grid_table,
    signature_table,
    signatures_of,
)
from hcc_recurrence.statistics.auc import auc_delong

SETTINGS = {
    "selectors": {"ANOVA": {}, "Relief": {"neighbours": 5}},
    "classifiers": {"SVM": {}, "GP": {}},
    "inner_classifiers": {},
    "feature_numbers": [3, 8],
    "spearman_p": 0.05,
    "redundancy_r": 0.9,
    "inner_folds": 3,
    "inner_repeats": 2,
    "fusion": "mean",
}


def cohort(n=60, features=80, effect=1.0, seed=0, validation=15):
    """Features of which the first five carry the outcome, labels, and a split with two cuts of the folds."""
    generator = np.random.default_rng(seed)
    names = [f"P{i:03d}" for i in range(n)]
    y = np.tile([0, 1], n // 2)
    x = generator.normal(size=(n, features))
    x[:, :5] += effect * y[:, None]
    table = pd.DataFrame(x, index=names, columns=[f"f{i:02d}" for i in range(features)])
    labels = pd.DataFrame({"patient_id": names, "er": y, "rfs_months": np.where(y, 9.0, 40.0), "rfs_event": y})
    split = pd.DataFrame({"patient_id": names, "split": ["train"] * (n - validation) + ["validation"] * validation})
    for repeat in (1, 2):
        folds = [(i // 2 + repeat * (i % 4)) % 3 + 1 if i < n - validation else pd.NA for i in range(n)]
        split[f"fold_{repeat}"] = pd.array(folds, dtype="Int64")
    return table, labels, split


def run_grid(table, labels, split, config=SETTINGS, repeats=1, seed=3, phase="arterial"):
    outcome = labels.set_index("patient_id")["er"]
    scores, choices, steps = [], [], []
    for selector in config["selectors"]:
        ranks, left = rank_fits(table, outcome, split, selector, config, repeats, seed)
        steps.append(left.assign(phase=phase))
        for classifier in config["classifiers"]:
            found = fit_cell(table, outcome, split, ranks, classifier, config, repeats, seed)
            cell = {"phase": phase, "selector": selector, "classifier": classifier}
            scores.append(found[0].assign(**cell))
            choices.append(found[1].assign(**cell))
    return pd.concat(scores, ignore_index=True), pd.concat(choices, ignore_index=True), pd.concat(steps)


def test_rank_correlation_is_scipys():
    generator = np.random.default_rng(4)
    x, y = generator.normal(size=(30, 6)).round(1), np.tile([0, 1, 1], 10)
    x[:, 3] = 2.0
    rho, p = rank_correlation(x, y)
    for column in (0, 1, 2, 4, 5):
        found = spearmanr(x[:, column], y)
        assert rho[column] == pytest.approx(found.statistic, abs=1e-12)
        assert p[column] == pytest.approx(found.pvalue, rel=1e-6)
    assert rho[3] == 0 and p[3] == 1


def test_of_a_redundant_pair_the_weaker_goes():
    generator = np.random.default_rng(1)
    a, b = generator.normal(size=(2, 200))
    x = np.column_stack([a, a + 0.1 * b, b, -a])
    assert drop_redundant(x, np.array([0.2, 0.5, 0.1, 0.3]), 0.9).tolist() == [1, 2]
    # Of equal strength the later one goes.
    assert drop_redundant(x[:, [0, 3]], np.array([0.2, 0.2]), 0.9).tolist() == [0]
    assert drop_redundant(x[:, :1], np.array([0.2]), 0.9).tolist() == [0]


@given(st.integers(0, 10_000), st.integers(2, 12), st.floats(0.3, 0.95))
def test_no_redundant_pair_is_left_and_every_dropped_feature_has_a_stronger_one(seed, number, limit):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(12, 4)) @ generator.normal(size=(4, number))
    strength = generator.random(number).round(1)
    kept = drop_redundant(x, strength, limit)
    r = np.abs(np.corrcoef(x, rowvar=False))
    assert all(r[i, j] <= limit for i in kept for j in kept if i != j)
    assert len(kept) and all(strength[i] <= strength[r[i] > limit].max() for i in set(range(number)) - set(kept))


@pytest.mark.parametrize("name", RANKINGS)
def test_rankings_put_what_carries_the_outcome_first(name):
    table, labels, _ = cohort(effect=2.0)
    x = MinMax(table.to_numpy())(table.to_numpy())
    order = rank_features(name, x, labels["er"].to_numpy(), SETTINGS["selectors"].get(name, {}))
    assert sorted(order.tolist()) == list(range(80))
    # An elimination may drop a feature that repeats the others' news.
    assert len(set(order[:8].tolist()) & set(range(5))) >= 3
    assert rank_features(name, x[:, :1], labels["er"].to_numpy(), {}).tolist() == [0]


@pytest.mark.parametrize("name", ["RF", "SVM", "LASSO", "AdaBoost", "GP"])
def test_classifiers_of_the_grid_learn_and_take_their_settings(name):
    table, labels, _ = cohort(n=90, effect=1.5)
    own = {"RF": {"n_estimators": 20}, "LASSO": {"penalties": 5, "folds": 3}, "AdaBoost": {"n_estimators": 10}}
    own = own.get(name, {})
    x, y = table.to_numpy()[:, :10], labels["er"].to_numpy()
    found = fit_predict(name, x[:60], y[:60], [x[60:]], 1, **own)[0]
    assert auc_delong(y[60:], found).auc > 0.75 and ((found >= 0) & (found <= 1)).all()
    again = fit_predict(name, x[:60], y[:60], [x[60:]], 1, **own)[0]
    assert np.array_equal(found, again)
    with pytest.raises(ValueError, match=f"{name} takes"):
        fit_predict(name, x, y, [x], 1, nonsense=3)


def test_min_max_clips_what_lies_beyond_the_rows_it_was_fitted_on():
    scale = MinMax(np.array([[1.0, 5.0], [3.0, 5.0]]))
    # The second column is constant in those rows: it says nothing, whatever it is elsewhere.
    found = scale(np.array([[2.0, 9.0], [0.0, 5.0], [7.0, 1.0]]))
    assert found.tolist() == [[0.5, 0.0], [0.0, 0.0], [1.0, 0.0]]


def test_outer_fits_hold_every_training_patient_once_a_repeat():
    _, _, split = cohort()
    train = set(split.loc[split["split"] == "train", "patient_id"])
    for repeat in (1, 2):
        fits = [f for f in outer_fits(split, 2) if f.repeat == repeat]
        held = [p for f in fits if f.fold for p in f.unseen]
        assert sorted(held) == sorted(train) and [f.fold for f in fits] == [1, 2, 3, 0]
        assert all(not set(f.rows) & set(f.unseen) for f in fits)
    assert set(fits[-1].rows) == train and len(fits[-1].unseen) == 15


def test_inner_splits_hold_each_row_once_a_repeat():
    y = np.tile([0, 1, 0], 10)
    splits = inner_splits(y, 5, 2, 7)
    assert len(splits) == 10
    for repeat in (splits[:5], splits[5:]):
        assert sorted(np.concatenate([held for _, held in repeat]).tolist()) == list(range(30))


def test_steps_of_the_filter_are_counted():
    table, labels, _ = cohort(effect=2.0)
    x = np.hstack([table.to_numpy(), table.to_numpy()[:, :2] * 3])
    order, left = rank_rows(x, labels["er"].to_numpy(), "ANOVA", {}, SETTINGS)
    _, p = rank_correlation(x, labels["er"].to_numpy())
    assert left["extracted"] == 82 and left["related"] == (p < 0.05).sum()
    # The two copies are redundant, and the originals, of equal strength, stay.
    assert left["not redundant"] <= left["related"] - 2 and not set(order.tolist()) & {80, 81}
    assert len(order) == left["not redundant"]


def test_a_patients_label_reaches_every_fit_but_those_that_hold_the_patient():
    table, labels, split = cohort()
    config = {**SETTINGS, "selectors": {"ANOVA": {}}, "inner_repeats": 1}
    before = run_grid(table, labels, split, config)[0]
    changed = labels.copy()
    changed.loc[10, "er"] = 1 - changed.loc[10, "er"]
    after = run_grid(table, changed, split, config)[0]
    held = int(split.loc[10, "fold_1"])
    assert before[["fold", "part", "patient_id"]].equals(after[["fold", "part", "patient_id"]])
    own = (before["fold"] == held).to_numpy()
    assert np.array_equal(before.loc[own, "probability"], after.loc[own, "probability"])
    for fold in {0, 1, 2, 3} - {held}:
        rows = ((before["fold"] == fold) & (before["part"] == "unseen")).to_numpy()
        assert not np.array_equal(before.loc[rows, "probability"], after.loc[rows, "probability"])


def test_inner_probabilities_do_not_know_the_patients_own_label():
    """Without any link to the outcome those of the fit itself separate it, those of inner cross-validation do not."""
    table, labels, split = cohort(effect=0.0, seed=5)
    scores = run_grid(table, labels, split, {**SETTINGS, "classifiers": {"GP": {}}})[0]
    outcome = labels.set_index("patient_id")["er"]
    areas = {}
    for part in ("inner", "fitted"):
        own = scores[(scores["part"] == part) & (scores["fold"] == 0)]
        y = outcome.loc[own["patient_id"]].to_numpy()
        areas[part] = auc_delong(y, own["probability"].to_numpy()).auc
    assert areas["fitted"] > 0.85 > 0.7 > areas["inner"]


def test_more_features_than_the_filters_left_are_the_same_features():
    table, labels, split = cohort()
    config = {**SETTINGS, "feature_numbers": [3, 500, 1000], "inner_repeats": 1}
    choices = run_grid(table, labels, split, config)[1]
    wide = choices.pivot_table(index=["fold", "selector", "classifier"], columns="k", values="inner_auc")
    assert np.array_equal(wide[500], wide[1000])
    assert (choices.loc[choices["k"] == 1000, "features"] < 80).all()
    # Of equal ones the smaller number is chosen.
    assert not choices.loc[choices["chosen"], "k"].eq(1000).any()


def test_without_a_related_feature_every_risk_is_the_prevalence():
    table, labels, split = cohort()
    config = {**SETTINGS, "spearman_p": 0.0}
    scores, choices, _ = run_grid(table, labels, split, config)
    whole = scores[(scores["fold"] == 0) & (scores["part"] == "unseen")]
    train = labels.loc[:44, "er"].mean()
    assert whole["probability"].to_numpy() == pytest.approx(train) and (choices["inner_auc"] == 0.5).all()


def test_cells_are_chosen_by_inner_cross_validation_and_ties_by_the_order_of_the_config():
    order = [("A", "x"), ("A", "y"), ("B", "x")]
    rows = [(1, 0, "A", "x", 0.7), (1, 0, "A", "y", 0.8), (1, 0, "B", "x", 0.8), (1, 1, "B", "x", 0.6)]
    choices = pd.DataFrame(rows, columns=["repeat", "fold", "selector", "classifier", "inner_auc"])
    choices = choices.assign(k=10, features=9, chosen=True)
    worse = choices.assign(inner_auc=0.99, chosen=False)
    found = choose_cells(pd.concat([worse, choices]), order)
    assert found[["fold", "selector", "classifier"]].to_numpy().tolist() == [[0, "A", "y"], [1, "B", "x"]]


def three_phases(effect, seed, config=SETTINGS, repeats=1):
    """The grid of three phases with features of their own."""
    parts = []
    for number, phase in enumerate(("arterial", "portal", "hepatobiliary")):
        table, labels, split = cohort(effect=effect, seed=seed * 10 + number, validation=20)
        parts.append(run_grid(table, labels, split, config, repeats, phase=phase))
    return (*(pd.concat([p[i] for p in parts], ignore_index=True) for i in range(3)), labels, split)


@pytest.fixture(scope="module")
def moderate():
    return three_phases(0.7, 1, {**SETTINGS, "inner_repeats": 1}, repeats=2)


def test_signatures_become_a_valid_predictions_table_in_both_protocols(moderate):
    scores, choices, steps, labels, split = moderate
    chosen = choose_signatures(scores, choices, labels, split, SETTINGS)
    fits = chosen.groupby(["protocol", "phase"]).size()
    assert (fits["strict"] == 8).all() and (fits["as_published"] == 1).all()
    fused = fuse(scores, chosen, labels, SETTINGS)
    names = signatures_of(fused)
    assert names == ["AP", "PVP", "HBP", "mp-MR"]
    assert fused["mp-MR"].to_numpy() == pytest.approx(fused[names[:3]].mean(axis=1).to_numpy())
    predictions = rows_of_fits(fused, names, labels, split, 5)
    check_predictions(predictions, split)
    assert set(predictions.loc[predictions["protocol"] == "strict", "estimate"]) == {"out_of_fold", "held_out"}
    # As published is the cell that is best on the validation patients.
    outcome = labels.set_index("patient_id")["er"]
    for phase, name in (("arterial", "AP"), ("hepatobiliary", "HBP")):
        whole = scores[(scores["phase"] == phase) & (scores["fold"] == 0) & (scores["repeat"] == 1)]
        areas = [
            auc_delong(outcome.loc[own["patient_id"]].to_numpy(), own["probability"].to_numpy()).auc
            for _, own in whole[whole["part"] == "unseen"].groupby(["selector", "classifier"])
        ]
        mine = predictions[(predictions["model"] == name) & (predictions["protocol"] == "as_published")]
        mine = mine[mine["split"] == "validation"]
        assert auc_delong(mine["y"].to_numpy(), mine["probability"].to_numpy()).auc == pytest.approx(max(areas))
    table = grid_table(scores, choices, chosen, labels, split)
    assert len(table) == 3 * 4 * 3 and table.groupby("phase")["chosen_as_published"].sum().tolist() == [3, 3, 3]
    shares = table.drop_duplicates(["phase", "selector", "classifier"]).groupby("phase")["chosen_strict"].sum()
    assert shares.to_numpy() == pytest.approx(1.0)
    named = choices_table(chosen, steps)
    assert (named["extracted"] == 80).all() and (named["related"] >= named["not redundant"]).all()


def test_without_patients_outside_training_inner_cross_validation_chooses_for_both_protocols():
    table, labels, split = cohort(validation=0)
    scores, choices, steps = run_grid(table, labels, split, {**SETTINGS, "inner_repeats": 1})
    chosen = choose_signatures(scores, choices, labels, split, SETTINGS)
    whole = chosen[chosen["fold"] == 0].set_index("protocol")
    assert whole.loc["strict", "inner_auc"] == whole.loc["as_published", "inner_auc"]
    for fusion in ("mean", "logistic"):
        fused = fuse(scores, chosen, labels, {"fusion": fusion})
        predictions = rows_of_fits(fused, signatures_of(fused), labels, split, 5)
        check_predictions(predictions, split)
        assert set(predictions["estimate"]) == {"out_of_fold", "apparent"}
    assert set(grid_table(scores, choices, chosen, labels, split)["estimate"]) == {"out_of_fold", "apparent"}
    assert len(choices_table(chosen, steps)) == 2


def test_printed_medians_of_yan_are_those_of_the_mean():
    """Table 1: 0.450, 0.390, 0.434 with early recurrence give 0.425; 0.297, 0.270, 0.304 without give 0.290."""
    labels = pd.DataFrame({"patient_id": ["a", "b"], "er": [1, 0], "rfs_months": [9.0, 40.0], "rfs_event": [1, 0]})
    rows = [
        ("arterial", "a", 0.450), ("portal", "a", 0.390), ("hepatobiliary", "a", 0.434),
        ("arterial", "b", 0.297), ("portal", "b", 0.270), ("hepatobiliary", "b", 0.304),
    ]  # fmt: skip
    scores = pd.DataFrame(rows, columns=["phase", "patient_id", "probability"])
    scores = scores.assign(repeat=1, fold=0, selector="RFE", classifier="GP", part="inner")
    chosen = scores.drop_duplicates("phase").assign(protocol="strict")
    found = fuse(pd.concat([scores, scores.assign(part="unseen")]), chosen, labels, {"fusion": "mean"})
    assert found.loc[found["part"] == "learned", "mp-MR"].round(3).tolist() == [0.425, 0.290]


def test_logistic_fusion_weighs_the_phases(moderate):
    scores, choices, _, labels, split = moderate
    config = {**SETTINGS, "fusion": "logistic"}
    chosen = choose_signatures(scores, choices, labels, split, config)
    fused = fuse(scores, chosen, labels, config)
    assert not np.allclose(fused["mp-MR"], fused[["AP", "PVP", "HBP"]].mean(axis=1))
    assert fused["mp-MR"].between(0, 1).all()


def test_odds_ratio_of_a_signature_is_given_per_tenth(moderate):
    scores, choices, _, labels, split = moderate
    fused = fuse(scores, choose_signatures(scores, choices, labels, split, SETTINGS), labels, SETTINGS)
    table = signature_table(fused, labels).set_index(["protocol", "signature"])
    assert len(table) == 8 and (table["n"] == 40).all()
    strict = table.loc[("strict", "mp-MR")]
    assert strict["odds_ratio"] ** 10 == pytest.approx(strict["odds_ratio_unit"], rel=1e-6)
    # Signatures of models that saw the patients look far better on them.
    assert table.loc[("as_published", "mp-MR"), "p"] < strict["p"]


def test_choosing_on_the_validation_patients_is_seen_where_nothing_can_be_predicted():
    """Fifteen cells that guess: the chosen validation AUC is far above one half, the strict out-of-fold AUC is not."""
    config = {"selectors": {s: {} for s in "ABC"}, "classifiers": {c: {} for c in "vwxyz"}, "fusion": "mean"}
    published, strict = [], []
    for seed in range(12):
        _, labels, split = cohort(seed=seed, validation=20)
        generator = np.random.default_rng(seed)
        scores, choices = [], []
        for selector in config["selectors"]:
            for classifier in config["classifiers"]:
                cell = {"phase": "arterial", "selector": selector, "classifier": classifier}
                for fit in outer_fits(split, 1):
                    about = {"repeat": fit.repeat, "fold": fit.fold, **cell}
                    for part, patients in (("inner", fit.rows), ("fitted", fit.rows), ("unseen", fit.unseen)):
                        guess = {"probability": generator.random(len(patients)), "patient_id": patients, "part": part}
                        scores.append(pd.DataFrame({**guess, **about}))
                    inner = {"k": 10, "features": 10, "inner_auc": generator.random(), "chosen": True}
                    choices.append({**about, **inner})
        scores, choices = pd.concat(scores), pd.DataFrame(choices)
        chosen = choose_signatures(scores, choices, labels, split, config)
        predictions = rows_of_fits(fuse(scores, chosen, labels, config), ["AP"], labels, split, 5)
        for (protocol, estimate), own in predictions.groupby(["protocol", "estimate"]):
            areas = [auc_delong(p["y"].to_numpy(), p["probability"].to_numpy()).auc for _, p in own.groupby("fold")]
            if (protocol, estimate) == ("as_published", "held_out"):
                published.append(np.mean(areas))
            elif (protocol, estimate) == ("strict", "out_of_fold"):
                strict.append(np.mean(areas))
    assert abs(np.mean(strict) - 0.5) < 3 * np.std(strict) / np.sqrt(12)
    # The largest of fifteen AUCs of 20 patients lies 1.7 standard errors of 0.13 above one half.
    assert 0.64 < np.mean(published) < 0.78


def test_the_inner_cross_validation_may_have_smaller_classifiers_than_the_cell_that_is_kept():
    table, labels, split = cohort(effect=0.7)
    outcome = labels.set_index("patient_id")["er"]
    ranks, _ = rank_fits(table, outcome, split, "ANOVA", SETTINGS, 1, 3)

    def scores(trees, inner):
        config = {**SETTINGS, "inner_repeats": 1, "feature_numbers": [3]}
        config |= {"classifiers": {"RF": {"n_estimators": trees}}, "inner_classifiers": inner}
        found, _ = fit_cell(table, outcome, split, ranks, "RF", config, 1, 3)
        return {part: rows["probability"].to_numpy() for part, rows in found.groupby("part")}

    small, large = scores(4, {}), scores(20, {})
    both = scores(20, {"RF": {"n_estimators": 4}})
    assert np.array_equal(both["inner"], small["inner"]) and not np.array_equal(both["inner"], large["inner"])
    assert np.array_equal(both["unseen"], large["unseen"]) and np.array_equal(both["fitted"], large["fitted"])
