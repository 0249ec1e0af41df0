"""Models that tell nobody apart, and groups of a few patients: no interval, no test, and the reason in words."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from figure_checks import shown_text, unreadable
from scipy.stats import beta

from hcc_recurrence.figures.classification import plot_confusion, plot_waterfall
from hcc_recurrence.figures.comparison import plot_aucs, plot_delong, plot_seeds
from hcc_recurrence.figures.html import metrics_for_readers
from hcc_recurrence.figures.performance import plot_calibration, plot_decision_curve, plot_roc
from hcc_recurrence.figures.survival import plot_kaplan_meier, plot_survival_calibration, plot_survival_decision_curve
from hcc_recurrence.report.overview import comparison_table
from hcc_recurrence.statistics.auc import auc_cross_validated, auc_delong, delong_covariance
from hcc_recurrence.statistics.classification import Confusion, metrics_table, rates_with_intervals
from hcc_recurrence.statistics.comparisons import (
    agreement_table,
    auc_by_seed,
    delong_pairs,
    optimism_table,
    strata_table,
    training_against_others,
)
from hcc_recurrence.statistics.count_solver import check_printed_table
from hcc_recurrence.statistics.degenerate import (
    FEW,
    NOTHING,
    NOTHING_VARIES,
    ONE_OUTCOME,
    constant_fits,
    nothing_learned,
    why_none,
)
from hcc_recurrence.statistics.measures import calibration_table, survival_tables
from hcc_recurrence.statistics.proportions import proportion_interval


def study(constant_folds=(1, 2, 3, 4, 5), constant_whole=True, validation=16):
    """Model `none` gives everyone of a fit the prevalence of its own rows, `some` a score that says something."""
    generator = np.random.default_rng(4)
    n = 60 + validation
    y = np.tile([0, 1], n // 2)
    months = np.where(y == 1, generator.uniform(1, 23, n), generator.uniform(25, 60, n)).round(1)
    signal = 1 / (1 + np.exp(-(0.7 * (2 * y - 1) + generator.normal(size=n))))
    rows = []
    for i in range(n):
        train, fold = i < 60, i // 2 % 5 + 1
        about = {"patient_id": f"p{i:02d}", "y": y[i], "rfs_months": months[i], "rfs_event": y[i]}
        about |= {"repeat": 1, "seed": 1}
        about["split"] = "train" if train else "validation"
        for protocol, estimate in (("strict", "out_of_fold"), ("as_published", "apparent")):
            kind = {"protocol": protocol, "estimate": estimate if train else "held_out"}
            kind["fold"] = fold if train and protocol == "strict" else 0
            silent = kind["fold"] in constant_folds if kind["fold"] else constant_whole
            # Folds with more events leave fewer among the rows that learn: constants that differ by fold.
            constant = 0.5 + (0.01 * kind["fold"])
            rows.append({**about, **kind, "model": "none", "probability": constant if silent else float(signal[i])})
            rows.append({**about, **kind, "model": "some", "probability": float(signal[i])})
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def predictions():
    return study()


@pytest.fixture(scope="module")
def metrics(predictions):
    return metrics_table(predictions)


def test_a_model_without_a_variable_has_no_interval_cut_off_or_counts(metrics):
    own = metrics[metrics["model"] == "none"]
    assert len(own) == 4 and (own["remark"] == NOTHING).all()
    # The AUC of one score for everyone is a half; a null control counts it as such.
    assert (own["auc"] == 0.5).all()
    assert own["auc_sd_over_repeats"].isna().all()
    empty = ["auc_low", "auc_high", "auc_variance", "threshold", "tp", "fn", "tn", "fp", "sensitivity", "accuracy_p"]
    assert own[empty].isna().all(axis=None)
    other = metrics[metrics["model"] == "some"]
    assert other[empty].notna().all(axis=None) and (other["remark"] == "").all()


def test_the_printed_table_says_so_and_is_still_checked(metrics):
    table, note = metrics_for_readers(metrics, None)
    own = table[table["model"] == "none"]
    assert (own["AUC (95% CI)"] == NOTHING).all()
    assert (own[["cut-off", "TP", "FN", "TN", "FP", "accuracy", "P (accuracy > no information)"]] == "").all(axis=None)
    assert NOTHING.capitalize() in note
    checked = check_printed_table(table.astype(str))
    assert checked.loc[checked["model"] == "none", "solutions"].eq(0).all()
    assert checked.loc[checked["model"] == "some", "solutions"].ge(1).all()
    page = comparison_table(metrics.assign(model="paper2024:" + metrics["model"]), {"paper2024": "Paper"})
    assert (page.loc[page["model"] == "none"].drop(columns=["method", "model"]) == NOTHING).all(axis=None)


def test_nothing_is_tested_against_it(predictions, metrics):
    pairs = delong_pairs(predictions, ["none", "some"])
    assert len(pairs) == 4 and pairs[["auc", "difference", "low", "p", "p_holm"]].isna().all(axis=None)
    assert (pairs["remark"] == f"none: {NOTHING}").all()
    against = training_against_others(metrics, predictions).set_index("model")
    assert against.loc["none", ["difference", "p"]].isna().all(axis=None)
    assert (against.loc["none", "remark"] == NOTHING).all() and against.loc["some", "p"].notna().all()
    optimism = optimism_table(predictions, 50, 0).set_index("model")
    assert optimism.loc["none", ["optimism", "low"]].isna().all(axis=None)
    assert agreement_table(predictions, ["none", "some"])[["spearman", "kappa"]].isna().all(axis=None)
    strata = pd.DataFrame({"centre": "A"}, index=sorted(predictions["patient_id"].unique()))
    rows = strata_table(predictions, strata).set_index("model")
    assert rows.loc["none", "auc"].isna().all() and (rows.loc["none", "remark"] == NOTHING).all()
    assert rows.loc["some", "auc"].notna().all()


def test_it_has_no_calibration_and_no_survival_measure_either(predictions, metrics):
    calibration = calibration_table(predictions).set_index("model")
    assert calibration.loc["none", ["intercept", "slope", "ici", "hl_p"]].isna().all(axis=None)
    assert calibration.loc["none", "brier"].notna().all() and calibration.loc["some", "hl_p"].notna().all()
    table, pairs = survival_tables(predictions, ["none", "some"], 24.0, 50, 0)
    own = table.set_index("model").loc["none"]
    assert own[["c", "c_low", "auc_t", "log_rank_p", "n_high", "free_low"]].isna().all(axis=None)
    assert (own["remark"] == NOTHING).all() and pairs[["difference", "p"]].isna().all(axis=None)


@pytest.mark.parametrize("protocol", ["strict", "as_published"])
def test_every_figure_says_so_in_its_place(predictions, metrics, protocol):
    models = ["none", "some"]
    figures = [
        plot_roc(predictions, metrics, protocol, None, models),
        plot_calibration(predictions, protocol, models, 20, 0),
        plot_decision_curve(predictions, protocol, models),
        plot_confusion(predictions, protocol, models),
        plot_waterfall(predictions, protocol, models),
        plot_kaplan_meier(predictions, protocol, models),
        plot_survival_calibration(predictions, protocol, models, 24.0, 20, 0),
        plot_survival_decision_curve(predictions, protocol, models, 24.0),
        plot_aucs(metrics.assign(published=np.nan), protocol, "cohort", None),
    ]
    for figure in figures:
        assert shown_text(figure).count(NOTHING) == 2, "once a panel"
        assert unreadable(figure) == []
    assert "diamonds" not in shown_text(figures[-1]), "the paper's AUCs are not there"
    beside = plot_aucs(metrics.assign(published=0.7), protocol, "cohort", None)
    assert "Open diamonds: AUC printed in the paper" in shown_text(beside)
    plt.close(beside)
    assert unreadable(plot_delong(delong_pairs(predictions, models), protocol)) == []
    seeds = plot_seeds(auc_by_seed(predictions), "cohort")
    assert shown_text(seeds).count(NOTHING) == 2 and unreadable(seeds) == []


def test_constants_that_differ_between_folds_are_no_scores(predictions):
    """Pooled over folds they have an AUC other than a half: what a fold's events leave to the others."""
    rows = predictions[(predictions["model"] == "none") & (predictions["estimate"] == "out_of_fold")]
    columns = [rows[c].to_numpy() for c in ("y", "probability", "fold", "repeat")]
    assert constant_fits(*columns[1:]) == (5, 5) and nothing_learned(*columns[1:]) == NOTHING
    area = auc_cross_validated(*columns)
    assert area.auc == 0.5 and np.isnan([area.low, area.high, area.test_variance]).all()


def test_half_of_the_fits_without_a_variable_are_enough():
    three = metrics_table(study((1, 2, 3), constant_whole=False)).set_index(["model", "protocol", "split"])
    row = three.loc[("none", "strict", "train")]
    assert row["remark"] == f"{NOTHING} in 3 of 5 fits" and np.isnan(row["auc_low"]) and np.isnan(row["tp"])
    held = three.loc[("none", "strict", "validation")]
    # The model of all training patients has variables, but there is no cut-off for it.
    assert held["auc_low"] < held["auc"] and np.isnan(held["tp"]) and held["remark"].startswith("no cut-off")
    two = metrics_table(study((1, 2), constant_whole=False)).set_index(["model", "protocol", "split"])
    assert np.isfinite(two.loc[("none", "strict", "train"), "auc_low"])
    assert np.isfinite(two.loc[("none", "strict", "validation"), "tp"])
    # A final model without a variable calls nobody high or low, whatever cut-off the folds gave.
    final = metrics_table(study((), constant_whole=True)).set_index(["model", "protocol", "split"])
    assert np.isnan(final.loc[("none", "strict", "validation"), "tp"])
    assert final.loc[("none", "strict", "validation"), "remark"] == NOTHING


def test_six_patients_have_exact_intervals_or_none():
    table = metrics_table(study(validation=6))
    row = table[(table["model"] == "some") & (table["split"] == "validation")].iloc[0]
    assert row["n"] == 6 and np.isnan(row["auc_low"]) and row["remark"] == FEW and np.isfinite(row["auc"])
    correct = int(row["tp"] + row["tn"])
    exact = (beta.ppf(0.025, correct, 7 - correct), beta.ppf(0.975, correct + 1, 6 - correct))
    assert (row["accuracy_low"], row["accuracy_high"]) == pytest.approx(exact)
    printed, _ = metrics_for_readers(table, None)
    cell = printed.loc[printed["remark"] == FEW, "AUC (95% CI)"].iloc[-1]
    assert cell == f"{row['auc']:.3f} (-)"
    survival, pairs = survival_tables(study(validation=6), ["some", "none"], 24.0, 50, 0)
    few = survival[(survival["split"] == "validation") & (survival["model"] == "some")]
    assert few[["c_low", "auc_t_low", "log_rank_p"]].isna().all(axis=None) and few["c"].notna().all()
    assert pairs.loc[pairs["split"] == "validation", "p"].isna().all()


def test_rates_of_small_groups_are_exact_and_of_others_wilsons():
    from statsmodels.stats.proportion import proportion_confint

    for k, n in ((0, 3), (3, 3), (2, 6), (9, 9)):
        assert proportion_interval(k, n) == pytest.approx(proportion_confint(k, n, method="beta"), abs=1e-12)
    for k, n in ((3, 10), (20, 40)):
        assert proportion_interval(k, n) == pytest.approx(proportion_confint(k, n, method="wilson"), abs=1e-12)
    found = rates_with_intervals(Confusion(tp=3, fn=0, tn=2, fp=1))
    # 3 of 3: the lower limit is 0.025^(1/3).
    assert found["sensitivity_low"] == pytest.approx(0.025 ** (1 / 3)) and found["sensitivity_high"] == 1


def test_the_least_numbers_of_an_interval():
    score = np.array([0.1, 0.4, 0.3, 0.6, 0.5, 0.2, 0.55, 0.35, 0.7, 0.8])
    y = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    assert np.isfinite(auc_delong(y, score).low)
    assert np.isnan(auc_delong(y[1:], score[1:]).low) and np.isfinite(auc_delong(y[1:], score[1:]).variance)
    one = np.zeros(9, int)
    assert why_none(y[1:], score[1:], one, one) == FEW
    assert why_none(np.ones(9), score[1:], one, one) == ONE_OUTCOME


def test_patients_of_one_outcome_have_no_auc_and_stop_nothing():
    rows = study()
    rows = rows[(rows["split"] == "train") | (rows["y"] == 1)]
    table = metrics_table(rows).set_index(["model", "protocol", "split"])
    row = table.loc[("some", "strict", "validation")]
    assert np.isnan(row["auc"]) and row["remark"] == ONE_OUTCOME and np.isfinite(row["sensitivity"])
    assert metrics_for_readers(table.reset_index(), None)[0]["AUC (95% CI)"].str.contains(ONE_OUTCOME).any()
    assert len(delong_pairs(rows, ["none", "some"])) and len(calibration_table(rows))


def test_every_pair_in_the_right_order_is_said():
    rows = study()
    perfect = rows["model"].eq("some") & rows["estimate"].eq("apparent")
    rows.loc[perfect, "probability"] = rows.loc[perfect, "y"] * 0.9
    table = metrics_table(rows)
    row = table[(table["model"] == "some") & (table["estimate"] == "apparent")].iloc[0]
    assert row["remark"] == NOTHING_VARIES and row["auc"] == 1 and np.isnan(row["auc_low"]) and row["tp"] == 30


def test_a_repeat_with_one_pair_of_patients_leaves_the_auc_without_an_interval():
    """Of a small group one repeat's folds may hold one patient of each outcome together, and another's more."""
    y = np.array([1, 0, 1, 0, 1, 0, 1, 1, 0, 0])
    score = np.array([0.9, 0.2, 0.8, 0.3, 0.4, 0.6, 0.9, 0.1, 0.2, 0.3])
    fold, repeat = np.array([1, 1, 1, 1, 2, 2, 1, 2, 1, 3]), np.array([1, 1, 1, 1, 1, 1, 2, 2, 2, 2])
    # Of the second repeat only the first fold has both outcomes.
    usable = np.array([True] * 6 + [True, False, True, False])
    areas, covariance = delong_covariance(
        y[usable], np.stack([score, 1 - score])[:, usable], fold[usable], repeat[usable]
    )
    assert areas == pytest.approx([(0.5 * (1 + 0) + 1) / 2, 1 - (0.5 * (1 + 0) + 1) / 2])
    assert covariance.shape == (2, 2) and np.isnan(covariance).all()
    area = auc_cross_validated(y[usable], score[usable], fold[usable], repeat[usable])
    assert area.auc == pytest.approx(0.75) and np.isnan(area.low) and np.isnan(area.high)
