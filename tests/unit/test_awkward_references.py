"""Statistics against R on awkward data: 40 patients, ties, probabilities 0 and 1, a fold of one outcome, half known."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from hcc_recurrence.statistics.auc import auc_cross_validated, auc_delong
from hcc_recurrence.statistics.baseline import _median_survival
from hcc_recurrence.statistics.calibration import (
    calibration_measures,
    hosmer_lemeshow,
    integrated_calibration_index,
    lowess_calibration,
    optimism_corrected,
    smooth_calibration,
)
from hcc_recurrence.statistics.classification import metrics_table
from hcc_recurrence.statistics.comparisons import delong_pairs
from hcc_recurrence.statistics.concordance import concordance, dynamic_pairs, resample_counts, survival_pairs
from hcc_recurrence.statistics.cox import fit_cox
from hcc_recurrence.statistics.delong import paired_test, unpaired_test
from hcc_recurrence.statistics.loess import loess
from hcc_recurrence.statistics.measures import survival_tables
from hcc_recurrence.statistics.survival import (
    at_risk,
    censor_at,
    dynamic_auc,
    harrell_c,
    kaplan_meier,
    log_rank_p,
    median_survival,
    survival_at,
)

FOLDER = Path(__file__).parents[1] / "references" / "R"


@pytest.fixture(scope="module")
def patients():
    return pd.read_csv(FOLDER / "awkward.csv")


@pytest.fixture(scope="module")
def r():
    return pd.read_csv(FOLDER / "awkward_values.csv").set_index("name")["value"]


def of_models(patients: pd.DataFrame, **probabilities: pd.Series) -> pd.DataFrame:
    """A strict predictions table: the same patients out of fold (training) and once more as held out (validation)."""
    parts = []
    for model, p in probabilities.items():
        own = patients[p.notna()]
        about = {"model": model, "protocol": "strict", "repeat": 1, "seed": 1, "probability": p[p.notna()]}
        rows = own.rename(columns={"months": "rfs_months", "event": "rfs_event"}).assign(**about)
        parts.append(rows.assign(split="train", estimate="out_of_fold"))
        parts.append(rows.assign(split="validation", estimate="held_out", fold=0, patient_id="v" + rows["patient_id"]))
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("score", ["first", "second", "smooth", "half"])
def test_auc_and_its_interval(patients, r, score):
    known = patients.dropna(subset=[score])
    found = auc_delong(known["y"], known[score])
    expected = [r[f"{score}_{what}"] for what in ("auc", "low", "high", "variance")]
    assert [found.auc, found.low, found.high, found.variance] == pytest.approx(expected, abs=1e-12)


def test_delongs_tests(patients, r):
    y = patients["y"].to_numpy()
    whole = paired_test(y, patients["first"], patients["second"])
    known = patients.dropna(subset=["half"])
    half = paired_test(known["y"], known["first"], known["half"])
    for found, name in ((whole, "first_second"), (half, "first_half")):
        expected = [r[f"{name}_{what}"] for what in ("z", "p", "gap_low", "gap_high")]
        assert [found.z, found.p, found.low, found.high] == pytest.approx(expected, abs=1e-9)
    parts = [auc_delong(y[s], patients["first"].to_numpy()[s]) for s in (slice(0, 20), slice(20, 40))]
    gap = unpaired_test(parts[0].auc, parts[0].variance, parts[1].auc, parts[1].variance)
    assert gap.z == pytest.approx(r["unpaired_d"], abs=1e-9)


def test_a_score_known_in_half_is_compared_on_that_half(patients, r):
    """The table of the workflow, from the predictions of both models, gives pROC's P of the twenty patients."""
    risk = 1 / (1 + np.exp(-patients["half"]))
    table = delong_pairs(of_models(patients, first=patients["first"], half=risk), ["first", "half"])
    held = table[table["split"] == "validation"].iloc[0]
    assert held["n"] == r["half_n"] == 20 and held["p"] == pytest.approx(r["first_half_p"], abs=1e-9)
    assert held["other_auc"] == pytest.approx(r["half_auc"], abs=1e-12)


def test_a_fold_of_one_outcome_is_left_out_of_the_mean(patients, r):
    table = metrics_table(of_models(patients, first=patients["first"])).set_index("split")
    expected = np.mean([r[f"fold{f}_auc"] for f in range(1, 5)])
    assert table.loc["train", "auc"] == pytest.approx(expected, abs=1e-12)
    assert table.loc["train", "remark"] == "1 of 5 folds left out: patients of one outcome only"
    assert table.loc["validation", "auc"] == pytest.approx(r["first_auc"], abs=1e-12)


@pytest.mark.parametrize("score", ["first", "smooth"])
def test_calibration_at_probabilities_of_0_and_1(patients, r, score):
    found = calibration_measures(patients["y"], patients[score])
    assert found.intercept == pytest.approx(r[f"{score}_intercept"], abs=1e-9)
    assert found.slope == pytest.approx(r[f"{score}_slope"], abs=1e-6)
    assert found.brier == pytest.approx(r[f"{score}_brier"], abs=1e-12)


def test_calibration_equals_glm_and_val_prob(patients, r):
    found = calibration_measures(patients["y"], patients["smooth"])
    assert found.intercept == pytest.approx(r["smooth_intercept_glm"], abs=1e-9)
    # val.prob stops its iterations at 1e-9 or so.
    assert (found.slope, found.brier) == pytest.approx((r["val_prob_slope"], r["val_prob_brier"]), abs=1e-8)


def test_loess_is_rs_of_degree_2(patients, r):
    y = patients["y"]
    at = np.arange(1, 10) / 10
    expected = [r[f"loess_{x:.1f}"] for x in at]
    assert loess(patients["smooth"], y, at) == pytest.approx(expected, abs=1e-10)
    tied = np.arange(11) / 10
    expected = [r[f"loess_tied_{x:.1f}"] for x in tied]
    assert loess(patients["first"], y, tied) == pytest.approx(expected, abs=1e-10)
    assert np.isnan(loess(patients["smooth"], y, np.array([0.0, 1.0]))).all()
    # A quadratic is reproduced; of one x there is a mean; of two x the line through their means.
    x = np.linspace(0, 1, 30)
    assert loess(x, 1 - x + 3 * x**2, np.array([0.31, 0.9])) == pytest.approx([0.9783, 2.53], abs=1e-12)
    assert loess(np.full(6, 0.2), np.arange(6), np.array([0.2])) == pytest.approx([2.5])
    # Half of the patients of either risk recurred, as a regression of one finding predicts: the line through the two.
    two = loess(np.repeat([0.4, 0.6], 10), np.tile([0, 1], 10), np.array([0.4, 0.45, 0.5, 0.6]))
    assert two == pytest.approx([0.5] * 4, abs=1e-12)
    sloped = loess(np.repeat([0.0, 1.0], 5), np.r_[np.zeros(5), 0, 0, 0, 1, 1], np.array([0.0, 0.5, 1.0]))
    assert sloped == pytest.approx([0, 0.2, 0.4], abs=1e-12)


def test_ici_is_that_of_rs_loess(patients, r):
    found = integrated_calibration_index(patients["y"], patients["smooth"])
    assert found == pytest.approx(r["ici_direct"], abs=1e-10)
    # What R gives when it interpolates, its default, is near.
    assert found == pytest.approx(r["ici_interpolated"], abs=0.004)
    assert integrated_calibration_index(patients["y"], patients["first"]) == pytest.approx(r["ici_tied"], abs=1e-10)
    whole = pd.read_csv(FOLDER.parent / "patients.csv")
    found = integrated_calibration_index(whole["y"], whole["first"])
    assert found == pytest.approx(r["ici_160_direct"], abs=1e-10)
    assert found == pytest.approx(r["ici_160_interpolated"], abs=5e-4)
    # A curve for the eye stays between 0 and 1.
    assert smooth_calibration(patients["y"], patients["smooth"], np.array([0.9]))[0] == 1 < r["loess_0.9"]


@pytest.mark.parametrize("score", ["first", "second", "smooth"])
def test_hosmer_lemeshow_with_ties(patients, r, score):
    found = hosmer_lemeshow(patients["y"], patients[score], 5)
    expected = (r[f"{score}_hl"], r[f"{score}_hl_df"], r[f"{score}_hl_p"])
    assert (found.chi_square, found.df, found.p) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("score", ["first", "second"])
def test_c_and_its_standard_error(patients, r, score):
    months, event, risk = (patients[c].to_numpy() for c in ("months", "event", score))
    assert harrell_c(months, event, risk) == pytest.approx(r[f"{score}_c"], abs=1e-12)
    until = censor_at(months, event, 24)
    assert harrell_c(*until, risk) == pytest.approx(r[f"{score}_24_c"], abs=1e-12)
    drawn = resample_counts(40, 2000, 1)
    spread = concordance([survival_pairs(months, event)], [risk], [drawn]).std()
    # The bootstrap of patients and R's infinitesimal jackknife are two estimates of one standard error.
    assert spread == pytest.approx(r[f"{score}_c_se"], rel=0.15)


def test_log_rank_and_kaplan_meier(patients, r):
    months, event = patients["months"].to_numpy(), patients["event"].to_numpy()
    high = (patients["first"] >= 0.5).to_numpy()
    until, recurred = censor_at(months, event, 24)
    assert log_rank_p(months, event, high) == pytest.approx(r["log_rank_p"], abs=1e-9)
    assert log_rank_p(until, recurred, high) == pytest.approx(r["log_rank_24_p"], abs=1e-9)
    groups = {
        "km_all": (np.full(40, True), months, event),
        "km_high": (high, months, event),
        "km_low": (~high, months, event),
        "km_low_24": (~high, until, recurred),
    }
    for name, (members, time, events) in groups.items():
        own = time[members], events[members]
        median = r[f"{name}_median"]
        assert median_survival(*own) == (np.inf if np.isnan(median) else median)
        for t in (12, 18, 24):
            expected = [r[f"{name}_{t}{end}"] for end in ("", "_low", "_high")]
            assert survival_at(*own, t) == pytest.approx(expected, abs=1e-9)
            assert at_risk(own[0], np.array([t]))[0] == r[f"{name}_risk_{t}"]


def test_survival_of_1_and_of_0_has_no_interval(r):
    """R prints 1 to 1 before the first recurrence, and NA at 0: nothing varies in either."""
    curve = kaplan_meier(np.array([20, 21, 22, 23, 24, 30, 31, 32, 33, 34]), np.ones(10, int))
    assert curve["survival"].iloc[[0, -1]].tolist() == [r["certain_surv"], r["none_left_surv"]] == [1, 0]
    assert curve[["low", "high"]].iloc[[0, -1]].isna().all(axis=None)
    assert curve[["low", "high"]].iloc[1:-1].notna().all(axis=None)
    assert r["certain_low"] == 1 and np.isnan(r["none_left_low"])


def test_cox_with_tied_times_is_efrons(patients, r):
    model = fit_cox(patients["months"], patients["event"], patients[["size", "afp"]])
    table = model.summary
    for name in ("size", "afp"):
        # lifelines stops its steps a little before R does.
        assert table.loc[name, "coef"] == pytest.approx(r[f"cox_efron_{name}"], abs=1e-5)
        assert table.loc[name, "se(coef)"] == pytest.approx(r[f"cox_efron_se_{name}"], abs=1e-5)
        assert abs(table.loc[name, "coef"] - r[f"cox_breslow_{name}"]) > 1e-4


def test_time_dependent_auc_with_tied_times(patients, r):
    months, event, risk = (patients[c].to_numpy() for c in ("months", "event", "first"))
    for t in (12, 18, 24):
        found = concordance([dynamic_pairs(months, event, float(t))], [risk], [np.ones((1, 40))])[0]
        assert found == pytest.approx(r[f"auc_t_{t}"], abs=1e-9)
        assert found == pytest.approx(dynamic_auc(months, event, risk, float(t)), abs=1e-9)
        # Weights read just before a tie, as the formula has it, move it in the third digit.
        assert found == pytest.approx(r[f"auc_t_before_{t}"], abs=0.005)


def test_a_tie_on_the_last_day_does_not_stop_the_weights():
    """A recurrence and a censoring in the last month leave scikit-survival a weight of 1 / 0 there."""
    months, event = np.array([3.0, 8, 12, 20, 20]), np.array([1, 0, 1, 1, 0])
    pairs = dynamic_pairs(months, event, 10.0).weight
    # One case (month 3, before any censoring: weight 1) against the three who are followed beyond month 10.
    expected = np.zeros((5, 5))
    expected[0, 2:] = 1
    assert np.array_equal(pairs, expected)


def test_survival_until_the_horizon_as_wang_2022(patients, r):
    """The table of the workflow: C, log-rank P and medians of times censored at 24 months, as R has them."""
    rows = of_models(patients, first=patients["first"])
    table, _ = survival_tables(rows, ["first"], 24.0, 20, 0, censored=True)
    whole, _ = survival_tables(rows, ["first"], 24.0, 20, 0)
    held, before = (t[t["split"] == "validation"].iloc[0] for t in (table, whole))
    assert (held["c"], before["c"]) == pytest.approx((r["first_24_c"], r["first_c"]), abs=1e-12)
    assert held["events"] == 24 and before["events"] == 30
    # The AUC at the horizon knows nothing of later times in either.
    assert held["auc_t"] == before["auc_t"] == pytest.approx(r["auc_t_24"], abs=1e-9)
    assert held["free_low"] == before["free_low"]


def test_optimism_of_given_resamples(patients, r):
    """Harrell's bootstrap with lrm and pROC on the same resamples (draws.csv)."""
    x, y = patients[["size", "afp"]].to_numpy(float), patients["y"].to_numpy()
    draws = pd.read_csv(FOLDER / "draws.csv", header=None).to_numpy()
    generator = np.random.default_rng(3)
    assert (draws == [generator.integers(0, 40, 40) for _ in draws]).all()

    separated = []

    def fit(a, b):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = sm.Logit(b, sm.add_constant(a, has_constant="add")).fit(disp=0, tol=1e-12)
        if np.abs(found.params).max() > 20:
            separated.append(a)
            raise ValueError("separation")
        return lambda new: found.predict(sm.add_constant(new, has_constant="add"))

    measures, _ = optimism_corrected(x, y, fit, np.array([0.5]), len(draws), seed=3)
    assert len(separated) == r["optimism_left_out"] == 1
    for name, found in measures.items():
        assert found.apparent == pytest.approx(r[f"apparent_{name}"], abs=1e-5)
        assert found.optimism == pytest.approx(r[f"optimism_{name}"], abs=1e-5)


def test_coverage_of_the_out_of_fold_interval():
    """95 % intervals of the mean AUC of five folds hold the true AUC of the score in about 95 % of cohorts."""
    from scipy.stats import norm

    generator = np.random.default_rng(8)
    for n, shift in ((50, 0.8), (100, 0.0), (100, 1.2)):
        truth, covered, number = norm.cdf(shift / np.sqrt(2)), 0, 400
        for _ in range(number):
            y = generator.permutation(np.tile([0, 1], n // 2))
            fold = np.empty(n, int)
            for outcome in (0, 1):
                fold[y == outcome] = np.arange(n // 2) % 5
            # Each fold's model has a level of its own, as fitted models have.
            score = generator.normal(size=n) + shift * y + generator.normal(size=5)[fold]
            found = auc_cross_validated(y, score, fold, np.ones(n))
            covered += found.low <= truth <= found.high
        print(f"n = {n}, AUC {truth:.3f}: {100 * covered / number:.1f} %")
        # Three standard errors of 400 draws.
        assert 0.95 - 0.033 <= covered / number <= 0.95 + 0.033


@pytest.mark.parametrize("score", ["smooth", "first", "binary"])
def test_the_curve_of_a_nomogram_is_the_one_of_rms_calibrate(patients, r, score):
    """Also of two different predictions, which no local quadratic can be laid through."""
    x = patients.assign(binary=(patients["smooth"] > 0.5).astype(float))[score]
    y = patients["y"].to_numpy(float)
    model = sm.Logit(y, sm.add_constant(x.to_numpy())).fit(disp=0, method="newton", tol=1e-12)
    at = np.arange(1, 10) / 10
    expected = [r[f"calibrate_{score}_{place:.1f}"] for place in at]
    np.testing.assert_allclose(lowess_calibration(y, model.predict(), at), expected, atol=1e-6)
    assert np.isfinite(expected).sum() >= 5


def test_the_interval_of_a_median_is_rs(patients, r):
    """Of times with ties and censoring, by Brookmeyer and Crowley with log(-log) limits, as `survfit` is told."""
    own = pd.DataFrame({"rfs_months": patients["months"].astype(float), "rfs_event": patients["event"]})
    expected = [r[f"km_all_median{end}"] for end in ("", "_low", "_high")]
    low = f"{expected[0]:.1f} ({expected[1]:.1f}-{expected[2]:.1f})"
    assert _median_survival(own, "interval") == low
