"""Statistics against formulas, second implementations and the papers' printed tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from hcc_recurrence.statistics.auc import auc_cross_validated, auc_delong, delong_components, youden_threshold
from hcc_recurrence.statistics.calibration import calibration_bins, calibration_measures
from hcc_recurrence.statistics.classification import Confusion, count, metrics_table
from hcc_recurrence.statistics.decision_curve import decision_curve
from hcc_recurrence.statistics.logistic import logistic_table, two_by_two_odds_ratio, univariable_table
from hcc_recurrence.statistics.reliability import intraclass_correlation
from hcc_recurrence.statistics.single_models import rounded


def slow_delong(y, score):
    """DeLong's variance by its definition: every pair of a positive and a negative patient."""
    positive, negative = score[y == 1], score[y == 0]
    wins = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    variance = wins.mean(1).var(ddof=1) / len(positive) + wins.mean(0).var(ddof=1) / len(negative)
    return wins.mean(), variance


@given(st.integers(2, 30), st.integers(2, 30), st.integers(1, 8), st.integers(0, 10**6))
def test_delong_equals_its_definition_with_ties(m, n, levels, seed):
    generator = np.random.default_rng(seed)
    y = np.r_[np.ones(m, int), np.zeros(n, int)]
    score = generator.integers(0, levels, m + n) / levels
    found = auc_delong(y, score)
    auc, variance = slow_delong(y, score)
    assert found.auc == pytest.approx(auc, abs=1e-12)
    assert found.auc == pytest.approx(roc_auc_score(y, score), abs=1e-12)
    assert found.variance == pytest.approx(variance, abs=1e-12)
    if found.variance > 1e-15 and min(m, n) >= 5:
        assert 0 <= found.low <= found.auc <= found.high <= 1
    else:
        assert np.isnan(found.low) and np.isnan(found.high), "no interval where nothing varies, or of a handful"


def test_auc_refuses_one_class_and_missing_scores():
    with pytest.raises(ValueError, match="both outcomes"):
        auc_delong(np.ones(4), np.arange(4))
    with pytest.raises(ValueError, match="finite"):
        auc_delong(np.array([0, 1]), np.array([0.1, np.nan]))


def test_cross_validated_auc_is_the_mean_over_folds_and_ignores_shifts_between_folds():
    generator = np.random.default_rng(1)
    y = np.tile([0, 1], 40)
    score = generator.normal(size=80) + y
    fold = np.repeat([1, 2, 3, 4], 20)
    repeat = np.ones(80, int)
    expected = np.mean([roc_auc_score(y[fold == f], score[fold == f]) for f in range(1, 5)])
    found = auc_cross_validated(y, score, fold, repeat)
    assert found.auc == pytest.approx(expected)
    shifted = auc_cross_validated(y, score + 100 * fold, fold, repeat)
    assert (shifted.auc, shifted.low, shifted.high) == (found.auc, found.low, found.high)
    one = auc_cross_validated(y, score, np.ones(80), repeat)
    assert one.auc == auc_delong(y, score).auc
    assert one.variance == pytest.approx(auc_delong(y, score).variance)


def test_cross_validated_auc_covers_one_half_on_noise():
    """Independent scores: the 95 % interval holds 0.5 in about 95 % of 400 draws."""
    generator = np.random.default_rng(2)
    fold = np.repeat(np.arange(5), 16)
    covered = 0
    for _ in range(400):
        y = np.concatenate([generator.permutation(np.tile([0, 1], 8)) for _ in range(5)])
        found = auc_cross_validated(y, generator.normal(size=80), fold, np.ones(80))
        covered += found.low <= 0.5 <= found.high
    assert 0.91 < covered / 400 < 0.985


def test_a_constant_prediction_has_an_auc_of_one_half():
    y = np.tile([0, 1], 10)
    fold = np.repeat([1, 2], 10)
    assert auc_cross_validated(y, np.where(fold == 1, 0.4, 0.6), fold, np.ones(20)).auc == 0.5


def test_components_average_to_the_auc():
    y, score = np.array([0, 0, 1, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8, 0.4])
    auc, over_positive, over_negative = delong_components(y, score)
    assert auc == pytest.approx(over_positive.mean()) == pytest.approx(over_negative.mean())


def test_youden_takes_the_highest_of_equal_cut_offs():
    y = np.array([0, 1, 0, 1])
    score = np.array([0.1, 0.2, 0.3, 0.4])
    assert youden_threshold(y, score) == 0.4
    assert youden_threshold(np.array([0, 0, 1, 1]), score) == 0.3


@given(st.integers(0, 10**6), st.integers(4, 40))
def test_no_cut_off_is_better_than_youdens(seed, n):
    generator = np.random.default_rng(seed)
    y = np.r_[0, 1, generator.integers(0, 2, n)]
    score = generator.integers(0, 6, n + 2) / 5
    best = count(y, score, youden_threshold(y, score))
    for cut in np.unique(score):
        other = count(y, score, cut)
        assert other.sensitivity + other.specificity <= best.sensitivity + best.specificity + 1e-12


# docs/methods.md 4.6, Zhao 2024 Table 2: printed ACC, SEN, SPE and the counts that give them.
ZHAO_TABLE_2 = {
    "LR TC": ((69, 9, 34, 20), (0.780, 0.885, 0.630)),
    "LR VC": ((15, 3, 9, 6), (0.727, 0.833, 0.600)),
    "SVM TC": ((77, 1, 46, 8), (0.932, 0.987, 0.852)),
    "SVM VC": ((16, 2, 5, 10), (0.636, 0.889, 0.333)),
    "KNN TC": ((64, 14, 42, 12), (0.803, 0.821, 0.778)),
    "KNN VC": ((9, 9, 8, 7), (0.515, 0.500, 0.533)),
    "XGB TC": ((66, 12, 49, 5), (0.871, 0.846, 0.907)),
    "XGB VC": ((10, 8, 12, 3), (0.667, 0.556, 0.800)),
    "MLP TC": ((78, 0, 54, 0), (1, 1, 1)),
    "MLP VC": ((12, 6, 8, 7), (0.606, 0.667, 0.533)),
    "CR TC": ((51, 27, 35, 19), (0.652, 0.654, 0.648)),
    "CR VC": ((12, 6, 12, 3), (0.727, 0.667, 0.800)),
    "RCR TC": ((68, 10, 34, 20), (0.773, 0.872, 0.630)),
    "RCR VC": ((15, 3, 9, 6), (0.727, 0.833, 0.600)),
}


@pytest.mark.parametrize("name", ZHAO_TABLE_2)
def test_counts_give_the_printed_rates_of_zhao(name):
    counts, printed = ZHAO_TABLE_2[name]
    c = Confusion(*counts)
    assert np.round([c.accuracy, c.sensitivity, c.specificity], 3) == pytest.approx(printed)


def test_printed_sensitivity_of_zhaos_deep_models_is_their_ppv():
    """docs/methods.md 4.6: the DL and DLRCR rows print PPV and NPV as sensitivity and specificity."""
    deep, fused = Confusion(62, 16, 44, 10), Confusion(72, 6, 45, 9)
    assert (round(deep.ppv, 3), round(deep.npv, 3)) == (0.861, 0.733)
    assert (round(fused.ppv, 3), round(fused.npv, 3)) == (0.889, 0.882)
    assert (round(fused.sensitivity, 3), round(fused.specificity, 3)) == (0.923, 0.833)


# docs/methods.md 4.6, Zhao 2024 Tables 1 and 3: exposed with ER, exposed without, of 78 and 54; printed OR (CI).
ZHAO_TABLE_3 = {
    "gender": (68, 43, 1.74, 0.68, 4.44),
    "hepatitis": (61, 40, 1.26, 0.56, 2.83),
    "AFP": (21, 6, 2.95, 1.10, 7.89),
    "ALT": (26, 12, 1.75, 0.79, 3.88),
    "AST": (36, 13, 2.70, 1.26, 5.82),
    "GGT": (42, 20, 1.98, 0.98, 4.03),
    "TBIL": (25, 13, 1.49, 0.68, 3.26),
    "ALB": (49, 37, 0.78, 0.37, 1.62),
    "Child": (7, 5, 0.97, 0.29, 3.22),
    "diameter": (30, 10, 2.75, 1.21, 6.27),
    "number": (12, 5, 1.78, 0.59, 5.39),
    "margin": (34, 20, 1.31, 0.65, 2.67),
}


@pytest.mark.parametrize("name", ZHAO_TABLE_3)
def test_odds_ratios_of_zhao_follow_from_the_counts(name):
    a, b, *printed = ZHAO_TABLE_3[name]
    assert two_by_two_odds_ratio(a, b, 78 - a, 54 - b) == pytest.approx(printed, abs=0.011)
    y = np.r_[np.ones(78), np.zeros(54)]
    exposed = np.r_[np.arange(78) < a, np.arange(54) < b].astype(float)
    row = univariable_table(y, pd.DataFrame({name: exposed})).iloc[0]
    assert (row["odds_ratio"], row["low"], row["high"]) == pytest.approx(printed, abs=0.011)


def test_logistic_table_says_nan_on_separation():
    y = np.r_[np.zeros(10), np.ones(10)]
    table = logistic_table(y, pd.DataFrame({"x": y * 2 + np.linspace(0, 0.1, 20)}))
    assert table[["odds_ratio", "p"]].isna().all(axis=None)


def test_icc_equals_pingouin():
    import pingouin

    generator = np.random.default_rng(3)
    subject = generator.normal(size=(12, 1, 5))
    ratings = subject + generator.normal(0, [0.1, 0.5, 1, 2, 5], (12, 3, 5)) + [[[0.3]], [[0]], [[1]]][0]
    absolute, consistency = intraclass_correlation(ratings)
    for feature in range(5):
        long = pd.DataFrame(
            [{"target": i, "rater": j, "score": ratings[i, j, feature]} for i in range(12) for j in range(3)]
        )
        table = pingouin.intraclass_corr(long, "target", "rater", "score")
        values = table.set_index(table["Type"].str.replace(r"[(),]", "", regex=True))["ICC"]
        pair = (
            [v for k, v in values.items() if k in ("ICC2", "ICCA1")],
            [v for k, v in values.items() if k in ("ICC3", "ICCC1")],
        )
        assert absolute[feature] == pytest.approx(pair[0][0], abs=1e-6)
        assert consistency[feature] == pytest.approx(pair[1][0], abs=1e-6)


def test_icc_of_identical_readers_is_one_and_of_a_constant_nan():
    x = np.random.default_rng(4).normal(size=(8, 1, 2)).repeat(2, axis=1)
    x[:, :, 1] = 3.0
    absolute, _ = intraclass_correlation(x)
    assert absolute[0] == pytest.approx(1) and np.isnan(absolute[1])


def test_net_benefit_equals_its_formula():
    generator = np.random.default_rng(5)
    y, p = generator.integers(0, 2, 50), generator.random(50)
    curve = decision_curve(y, {"a model": p}, np.array([0.2, 0.5])).set_index(["model", "threshold"])["net_benefit"]
    for t in (0.2, 0.5):
        called = p >= t
        expected = (called & (y == 1)).sum() / 50 - (called & (y == 0)).sum() / 50 * t / (1 - t)
        assert curve["a model", t] == pytest.approx(expected)
        assert curve["all", t] == pytest.approx(y.mean() - (1 - y.mean()) * t / (1 - t))
        assert curve["none", t] == 0


def test_calibration_of_a_true_model():
    generator = np.random.default_rng(6)
    p = generator.uniform(0.05, 0.95, 20000)
    y = (generator.random(20000) < p).astype(int)
    found = calibration_measures(y, p)
    assert found.slope == pytest.approx(1, abs=0.05) and found.intercept == pytest.approx(0, abs=0.05)
    logit = np.log(p / (1 - p))
    assert calibration_measures(y, 1 / (1 + np.exp(-2 * logit))).slope == pytest.approx(0.5, abs=0.03)
    groups = calibration_bins(y, p, 10)
    assert len(groups) == 10 and groups["n"].sum() == 20000
    assert (groups["low"] <= groups["observed"]).all() and (groups["observed"] <= groups["high"]).all()


def test_calibration_of_a_constant_prediction_is_nan_not_a_crash():
    y = np.tile([0, 1], 20)
    found = calibration_measures(y, np.full(40, 0.5))
    assert np.isnan(found.slope) and found.intercept == pytest.approx(0, abs=1e-6)
    assert len(calibration_bins(y, np.full(40, 0.5), 5)) == 1


def test_calibration_slope_of_a_separating_prediction_is_nan():
    """All pairs in the right order: the slope is infinite; whatever a fit prints for it is not a number to publish."""
    y = np.repeat([0, 1], 15)
    found = calibration_measures(y, np.linspace(0.3, 0.7, 30))
    assert np.isnan(found.slope) and np.isfinite(found.brier)


def test_the_calibration_intercept_is_right_where_most_probabilities_are_0_or_1():
    """As of overfitted networks: statsmodels' IRLS with an offset ends near -1e15 in most such cohorts."""
    from scipy.special import expit, logit

    for seed in range(40):
        generator = np.random.default_rng(seed)
        y = (generator.random(40) < 0.3).astype(int)
        p = generator.choice([1e-6, 1 - 1e-6], 40)
        found = calibration_measures(y, p).intercept
        shifted = expit(found + logit(p))
        assert abs(found) < 20 and shifted.mean() == pytest.approx(y.mean(), abs=1e-9)


def test_equal_probabilities_stay_equal():
    """(0.4 + 0.8) / 2 and (0.6 + 0.6) / 2 differ in the last bit; as patients they are one risk."""
    assert (0.4 + 0.8) / 2 != (0.6 + 0.6) / 2
    frame = pd.DataFrame({"patient_id": ["a", "b"], "probability": [(0.4 + 0.8) / 2, (0.6 + 0.6) / 2]})
    assert rounded(frame)["probability"].nunique() == 1


def test_metrics_carry_the_training_cut_off_over():
    patients = [f"p{i}" for i in range(8)]
    frame = pd.DataFrame(
        {
            "patient_id": patients,
            "model": "m",
            "protocol": "strict",
            "split": ["train"] * 4 + ["validation"] * 4,
            "estimate": ["out_of_fold"] * 4 + ["held_out"] * 4,
            "fold": [1] * 4 + [0] * 4,
            "repeat": 1,
            "seed": 1,
            "y": [0, 0, 1, 1, 0, 1, 0, 1],
            "probability": [0.1, 0.2, 0.6, 0.9, 0.7, 0.5, 0.1, 0.8],
            "rfs_months": 30.0,
            "rfs_event": 0,
        }
    )
    table = metrics_table(frame).set_index("split")
    assert (table["threshold"] == 0.6).all()
    assert table.loc["validation", ["tp", "fn", "tn", "fp"]].tolist() == [1, 1, 1, 1]
    with pytest.raises(ValueError, match="take a cut-off from"):
        metrics_table(frame[frame["split"] == "validation"])


def test_an_interval_that_is_not_reached_does_not_take_the_odds_ratio_with_it():
    """The profile of the intercept has no lower limit here; the variables were left without odds ratios for it."""
    y = np.repeat([0.0, 1.0], 30)
    late = np.where(np.random.default_rng(0).random(60) < 0.85, y, 1 - y)
    x = pd.DataFrame({"signature": np.where(y == 1, 10.0, 0.0), "late": late})
    x.loc[4, "signature"] = 4.5
    table = logistic_table(y, x, firth=True).set_index("variable")
    assert (table["method"] == "Firth").all()
    assert table.loc["signature", "odds_ratio"] > 1.5 and table.loc["signature", "p"] < 1e-6
    assert table.loc["signature", "low"] > 1
