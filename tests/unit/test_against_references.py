"""Statistics against R (tests/references), and against a second library or a definition written out."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from hcc_recurrence.statistics.auc import auc_delong, auc_interval
from hcc_recurrence.statistics.calibration import (
    calibration_band,
    calibration_measures,
    hosmer_lemeshow,
    integrated_calibration_index,
    optimism_corrected,
    smooth_calibration,
)
from hcc_recurrence.statistics.concordance import (
    bootstrap_p,
    concordance,
    dynamic_pairs,
    outcome_pairs,
    percentile_interval,
    resample_counts,
    survival_pairs,
)
from hcc_recurrence.statistics.cox import (
    baseline_survival,
    cox_table,
    fit_cox,
    proportional_hazards_p,
    stepwise_aic,
    univariable_cox,
)
from hcc_recurrence.statistics.decision_curve import THRESHOLDS, decision_curve, survival_decision_curve
from hcc_recurrence.statistics.delong import (
    delong_covariance,
    paired_table,
    paired_test,
    unpaired_test,
    variance_of_interval,
)
from hcc_recurrence.statistics.logistic import (
    collinearity,
    forward_likelihood_ratio,
    logistic_table,
    univariable_table,
)
from hcc_recurrence.statistics.reliability import (
    cohen_kappa,
    fleiss_kappa,
    intraclass_correlation,
    kappa_word,
    readers_table,
    readings_table,
    words_of,
)
from hcc_recurrence.statistics.survival import (
    at_risk,
    censor_at,
    dynamic_auc,
    harrell_c,
    kaplan_meier,
    log_rank_p,
    median_survival,
    survival_at,
    survival_calibration,
)

REFERENCES = Path(__file__).parents[1] / "references"


@pytest.fixture(scope="module")
def patients():
    return pd.read_csv(REFERENCES / "patients.csv")


@pytest.fixture(scope="module")
def r():
    return pd.read_csv(REFERENCES / "r_values.csv").set_index("name")["value"]


def test_auc_and_delong_equal_proc(patients, r):
    y, first, second = (patients[c].to_numpy() for c in ("y", "first", "second"))
    found = auc_delong(y, first)
    assert (found.auc, found.low, found.high) == pytest.approx((r["auc"], r["auc_low"], r["auc_high"]), abs=1e-12)
    paired = paired_test(y, first, second)
    assert (paired.z, paired.p) == pytest.approx((r["paired_z"], r["paired_p"]), abs=1e-12)
    parts = [auc_delong(y[s], first[s]) for s in (slice(0, 80), slice(80, 160))]
    unpaired = unpaired_test(parts[0].auc, parts[0].variance, parts[1].auc, parts[1].variance)
    assert unpaired.z == pytest.approx(r["unpaired_z"], abs=1e-12)


def test_paired_delong_equals_mlstatkit_on_1000_random_cases_with_ties():
    from MLstatkit import Delong_test

    generator = np.random.default_rng(0)
    worst = 0.0
    for _ in range(1000):
        n = int(generator.integers(8, 60))
        y = np.r_[0, 0, 1, 1, generator.integers(0, 2, n - 4)]
        first, second = generator.integers(0, 9, (2, n)) / 8
        ours = paired_test(y, first, second)
        with np.errstate(invalid="ignore", divide="ignore"):
            z, p, *_ = Delong_test(y, first, second, return_ci=False, return_auc=False)
        if math.isfinite(ours.z) and math.isfinite(z):
            worst = max(worst, abs(abs(ours.z) - abs(z)), abs(ours.p - p))
    assert worst < 1e-10


def test_delong_of_100000_patients_is_quick_and_right():
    """No time is asserted (benchmarks do that): the slow definition would need 20 GB here and could not finish."""
    generator = np.random.default_rng(1)
    y = generator.integers(0, 2, 100_000)
    score = generator.normal(size=100_000) + y
    start = time.perf_counter()
    found = auc_delong(y, score)
    print(f"n = 100,000: {time.perf_counter() - start:.3f} s")
    assert found.auc == pytest.approx(0.5 + 0.2602, abs=0.005)


def test_covariance_within_folds():
    """Two repeats of the same folds give what one gives; a shift between folds changes nothing."""
    generator = np.random.default_rng(2)
    y = np.tile([0, 1], 30)
    scores = generator.normal(size=(3, 60)) + y
    fold = np.repeat([1, 2, 3], 20)
    auc, covariance = delong_covariance(y, scores, fold, np.ones(60))
    shifted, same = delong_covariance(y, scores + 50 * fold, fold, np.ones(60))
    assert np.allclose(auc, shifted) and np.allclose(covariance, same)
    twice = delong_covariance(np.tile(y, 2), np.tile(scores, 2), np.tile(fold, 2), np.repeat([1, 2], 60))
    assert np.allclose(auc, twice[0]) and np.allclose(covariance, twice[1])
    whole = delong_covariance(y, scores)
    assert whole[1][0, 0] == pytest.approx(auc_delong(y, scores[0]).variance)


def test_the_difference_of_equal_and_of_opposed_rankings():
    y, ranks = np.tile([0, 1], 10), np.arange(20) % 7
    same = paired_test(y, ranks, 2.0 * ranks)
    assert same.difference == 0 and np.isnan([same.low, same.high, same.z, same.p]).all()
    # Whether every pair is in the right order or in the wrong one: nothing varies, and nothing can be tested.
    assert math.isnan(paired_test(y, y + 0.0, 2.0 * y).p) and math.isnan(paired_test(y, y + 0.0, -1.0 * y).p)
    table = paired_table(y, {"a": ranks, "b": -ranks, "c": np.arange(20) % 6})
    assert len(table) == 3 and (table["p_holm"] >= table["p"]).all()


@pytest.mark.parametrize(
    ("tc", "vc", "printed"),
    [
        ((0.662, 0.574, 0.749), (0.752, 0.593, 0.911), 0.334),
        ((0.839, 0.772, 0.906), (0.804, 0.650, 0.957), 0.681),
        ((0.870, 0.806, 0.934), (0.826, 0.682, 0.970), 0.584),
        ((0.841, 0.774, 0.908), (0.811, 0.661, 0.962), 0.722),
        ((0.917, 0.862, 0.972), (0.844, 0.702, 0.987), 0.355),
    ],
)
def test_zhaos_p_values_follow_from_the_printed_intervals(tc, vc, printed):
    """docs/methods.md 4.5: unpaired DeLong from the intervals; DLRCR's lower limit as its symmetry demands (4.7)."""
    found = unpaired_test(tc[0], variance_of_interval(*tc[1:]), vc[0], variance_of_interval(*vc[1:]))
    assert found.p == pytest.approx(printed, abs=0.012)


def test_intervals_of_the_auc():
    generator = np.random.default_rng(3)
    y = generator.integers(0, 2, 90)
    score = generator.normal(size=90) + y
    by_name = {m: auc_interval(y, score, m) for m in ("delong", "logit", "bootstrap", "clopper_pearson_on_auc")}
    assert all(v.low < v.auc < v.high for v in by_name.values())
    assert by_name["bootstrap"].low == pytest.approx(by_name["delong"].low, abs=0.02)
    assert by_name["bootstrap"].high == pytest.approx(by_name["delong"].high, abs=0.02)
    # Logit: symmetric on its own scale, and inside 0 to 1.
    logit = by_name["logit"]
    scale = [math.log(v / (1 - v)) for v in (logit.low, logit.auc, logit.high)]
    assert scale[1] - scale[0] == pytest.approx(scale[2] - scale[1])
    with pytest.raises(ValueError, match="unknown"):
        auc_interval(y, score, "wald")


@pytest.mark.parametrize(
    ("auc", "n", "low", "high"),
    [
        (0.740, 120, 0.652, 0.816),
        (0.782, 120, 0.698, 0.853),
        (0.657, 120, 0.565, 0.742),
        (0.717, 28, 0.516, 0.869),
        (0.744, 28, 0.545, 0.889),
        (0.583, 28, 0.383, 0.765),
    ],
)
def test_wangs_intervals_are_exact_binomial_on_auc_times_n(auc, n, low, high):
    from hcc_recurrence.statistics.auc import clopper_pearson_on_auc

    assert clopper_pearson_on_auc(auc, n) == pytest.approx((low, high), abs=0.0015)
    if n == 120:
        assert clopper_pearson_on_auc(auc, 180)[0] != pytest.approx(low, abs=0.005)


def test_pairs_give_auc_harrells_c_and_dynamic_auc(patients):
    y, score = patients["y"].to_numpy(), patients["first"].to_numpy()
    months, event = patients["time"].to_numpy(), patients["event"].to_numpy()
    ones = [np.ones((1, len(y)))]
    assert concordance([outcome_pairs(y)], [score], ones)[0] == pytest.approx(auc_delong(y, score).auc, abs=1e-12)
    assert concordance([survival_pairs(months, event)], [score], ones)[0] == pytest.approx(
        harrell_c(months, event, score), abs=1e-12
    )
    for horizon in (12.0, 24.0):
        assert concordance([dynamic_pairs(months, event, horizon)], [score], ones)[0] == pytest.approx(
            dynamic_auc(months, event, score, horizon), abs=1e-9
        )


def test_a_resample_counts_patients_as_often_as_they_were_drawn(patients):
    """The matrix product equals the plain way: repeat the drawn rows and compute the AUC."""
    y, score = patients["y"].to_numpy()[:40], patients["first"].to_numpy()[:40]
    drawn = resample_counts(40, 20, 7)
    assert (drawn.sum(axis=1) == 40).all()
    found = concordance([outcome_pairs(y)], [score], [drawn])
    for row, value in zip(drawn.astype(int), found, strict=True):
        assert value == pytest.approx(auc_delong(np.repeat(y, row), np.repeat(score, row)).auc)
    low, high = percentile_interval(np.r_[found, np.nan])
    assert low < auc_delong(y, score).auc < high
    assert bootstrap_p(np.array([-1.0, 1.0])) == 1.0 and bootstrap_p(np.linspace(0.1, 0.5, 100)) == 0.01
    # Resamples that are all the same have no interval, and no P.
    assert np.isnan(bootstrap_p(np.full(100, 0.3)))


def test_calibration_equals_rms(patients, r):
    found = calibration_measures(patients["y"], patients["first"])
    expected = (r["calibration_intercept"], r["calibration_slope"], r["brier"])
    assert (found.intercept, found.slope, found.brier) == pytest.approx(expected, abs=1e-6)


def test_logistic_regression_equals_rs(patients, r):
    x = patients[["size", "afp", "ast"]]
    table = logistic_table(patients["y"], x).set_index("variable")
    for name, row in table.iterrows():
        assert row["method"] == "Wald"
        assert row["coefficient"] == pytest.approx(r[f"logistic_{name}"], abs=1e-6)
        assert row["p"] == pytest.approx(r[f"logistic_p_{name}"], rel=1e-4)
        assert (row["low"], row["high"]) == pytest.approx(
            (r[f"logistic_low_{name}"], r[f"logistic_high_{name}"]), rel=1e-5
        )
    factors = collinearity(patients[["size", "afp", "ast", "age"]]).set_index("variable")
    for name, row in factors.iterrows():
        assert row["vif"] == pytest.approx(r[f"vif_{name}"], rel=1e-9)
        assert row["tolerance"] == pytest.approx(1 / row["vif"]) and not row["flag"]
    twin = collinearity(patients[["size", "age"]].assign(copy=patients["size"] + 0.01 * patients["noise"]))
    assert twin.set_index("variable")["flag"].to_dict() == {"size": True, "age": False, "copy": True}


def test_forward_selection_enters_what_rs_add1_would(patients, r):
    variables = ["size", "afp", "ast", "age", "noise"]
    entry = {v: r[f"entry_p_{v}"] for v in variables}
    assert min(entry, key=entry.get) == "size"
    assert forward_likelihood_ratio(patients["y"], patients[variables]) == ["size"]
    # With size out of reach, ast enters (P .043), and a stricter entry keeps it out.
    assert forward_likelihood_ratio(patients["y"], patients[variables[1:]]) == ["ast"]
    assert forward_likelihood_ratio(patients["y"], patients[variables[1:]], entry=0.04) == []


def test_firth_equals_the_maximum_of_its_penalised_likelihood():
    """Separated data: no maximum likelihood estimate, but a penalised one; found here by scipy from the definition."""
    x = np.r_[np.linspace(-2, -0.5, 12), np.linspace(0.2, 2, 13)]
    y = (x > 0).astype(float)
    assert logistic_table(y, pd.DataFrame({"x": x}))["method"].tolist() == ["none"]
    row = logistic_table(y, pd.DataFrame({"x": x}), firth=True).iloc[0]

    def penalised(beta):
        design = np.column_stack([np.ones_like(x), x])
        eta = design @ beta
        p = 1 / (1 + np.exp(-eta))
        likelihood = np.sum(y * eta - np.logaddexp(0, eta))
        information = design.T @ (design * (p * (1 - p))[:, None])
        return -(likelihood + 0.5 * np.linalg.slogdet(information)[1])

    best = minimize(penalised, [0.0, 0.5], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12})
    assert row["method"] == "Firth"
    assert row["coefficient"] == pytest.approx(best.x[1], abs=1e-3)
    assert 0 < row["p"] < 0.001 and 1 < row["low"] < row["odds_ratio"] < row["high"]


def test_univariable_table_is_each_model_alone(patients):
    table = univariable_table(patients["y"], patients[["size", "ast"]])
    alone = logistic_table(patients["y"], patients[["ast"]])
    pd.testing.assert_frame_equal(table.iloc[[1]].reset_index(drop=True), alone)


def test_hosmer_lemeshow_equals_r(patients, r):
    import statsmodels.api as sm

    x = sm.add_constant(patients[["size", "afp", "ast"]])
    p = sm.Logit(patients["y"], x).fit(disp=0).predict(x)
    found = hosmer_lemeshow(patients["y"], p, fitted_here=True)
    assert found.df == 8 and found.groups == 10
    assert (found.chi_square, found.p) == pytest.approx((r["hl_chi_square"], r["hl_p"]), rel=1e-5)
    assert hosmer_lemeshow(patients["y"], p).df == 10
    assert math.isnan(hosmer_lemeshow(patients["y"], np.full(len(patients), 0.4)).p)


def test_cox_equals_rs_survival(patients, r):
    months, event, x = patients["time"], patients["event"], patients[["size", "afp", "ast"]]
    table = cox_table(months, event, x).set_index("variable")
    for name, row in table.iterrows():
        assert row["coefficient"] == pytest.approx(r[f"cox_{name}"], abs=1e-5)
        half = np.log(row["high"] / row["low"]) / 2 / 1.959964
        assert half == pytest.approx(r[f"cox_se_{name}"], rel=1e-4)
    ph = proportional_hazards_p(months, event, x).set_index("variable")["p"]
    for name in x:
        # lifelines takes the variance of the residuals as constant over time, R does not: near, not equal
        # (worst here: 0.98 against 0.90).
        assert ph[name] == pytest.approx(r[f"ph_p_{name}"], abs=0.1)
    everything = patients[["size", "afp", "ast", "age", "noise"]]
    kept = stepwise_aic(months, event, everything)
    assert kept == [v for v in everything if r[f"step_keeps_{v}"] == 1]
    assert fit_cox(months, event, everything[kept]).AIC_partial_ == pytest.approx(r["step_aic"], abs=1e-3)


def test_cox_says_nan_where_no_estimate_exists():
    months, event = np.r_[np.arange(1, 11.0), np.full(10, 50.0)], np.r_[np.ones(10), np.zeros(10)]
    x = pd.DataFrame({"separating": event, "constant": 1.0})
    assert univariable_cox(months, event, x)["hazard_ratio"].isna().all()
    assert stepwise_aic(months, event, x) == []
    assert proportional_hazards_p(months, event, x)["p"].isna().all()


def test_kaplan_meier_log_rank_and_c_equal_rs_survival(patients, r):
    months, event, score = (patients[c].to_numpy() for c in ("time", "event", "first"))
    high = score >= 0.5
    found = survival_at(months[high], event[high], 24)
    assert found == pytest.approx((r["km_24"], r["km_24_low"], r["km_24_high"]), abs=1e-9)
    assert log_rank_p(months, event, high) == pytest.approx(r["log_rank_p"], rel=1e-6)
    assert math.isnan(log_rank_p(months, event, np.zeros(len(months))))
    assert harrell_c(months, event, score) == pytest.approx(r["harrell_c"], abs=1e-9)
    curve = kaplan_meier(months, event)
    assert curve["survival"].iloc[0] == 1 and curve["survival"].is_monotonic_decreasing
    assert median_survival(months[high], event[high]) < median_survival(months[~high], event[~high])
    assert median_survival(np.array([5.0, 6.0]), np.array([0, 0])) == math.inf
    assert at_risk(np.array([1, 2, 2, 3]), np.array([0, 2, 3.5])).tolist() == [4, 3, 0]
    assert [a.tolist() for a in censor_at(np.array([10, 24, 30.0]), np.array([1, 1, 1]), 24)] == [
        [10, 24, 24],
        [1, 1, 0],
    ]


def test_dynamic_auc_without_cases_or_controls_is_nan():
    months, event = np.array([5.0, 10.0, 30.0, 40.0]), np.array([1, 1, 0, 0])
    assert math.isnan(dynamic_auc(months, event, np.arange(4), 2))
    assert math.isnan(dynamic_auc(months[:2], event[:2], np.arange(2), 24))
    with pytest.raises(ValueError, match="no case or no control"):
        dynamic_pairs(months, event, 2)
    assert math.isnan(harrell_c(months, np.zeros(4), np.arange(4)))


def test_survival_calibration_and_decision_curve(patients):
    months, event = patients["time"].to_numpy(), patients["event"].to_numpy()
    fit = fit_cox(months, event, patients[["size"]])
    predicted = fit.predict_survival_function(patients[["size"]], times=[24]).iloc[0].to_numpy()
    table = survival_calibration(months, event, predicted, 24, 4, 200, 1)
    assert table["n"].sum() == len(patients) and (table["low"] <= table["observed"]).all()
    assert table["observed"].is_monotonic_increasing and table["predicted"].is_monotonic_increasing
    group = pd.qcut(predicted, 4, labels=False, duplicates="drop") == 0
    assert table["observed"][0] == pytest.approx(survival_at(months[group], event[group], 24)[0])
    mean = patients["size"].mean()
    at_mean = fit.predict_survival_function(pd.DataFrame({"size": [mean]}), times=[24]).iloc[0, 0]
    assert baseline_survival(fit, 24) == pytest.approx(at_mean, abs=1e-6)
    curve = survival_decision_curve(months, event, {"Cox": 1 - predicted}, 24, np.array([0.3, 0.5]))
    all_treated = curve[(curve["model"] == "all") & (curve["threshold"] == 0.3)]["net_benefit"].iloc[0]
    risk = 1 - survival_at(months, event, 24)[0]
    assert all_treated == pytest.approx(risk - (1 - risk) * 0.3 / 0.7, abs=1e-6)
    # A model's net benefit from Kaplan-Meier among those it calls (Vickers 2008).
    called = (1 - predicted) >= 0.3
    among = 1 - survival_at(months[called], event[called], 24)[0]
    expected = called.mean() * (among - (1 - among) * 0.3 / 0.7)
    found = curve[(curve["model"] == "Cox") & (curve["threshold"] == 0.3)]["net_benefit"].iloc[0]
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("n", "seed"), [(6, 1), (24, 2), (120, 3)])
def test_decision_curve_has_the_bytes_of_dcurves(n, seed):
    """With risks of 0, of 1 and of a threshold itself."""
    import dcurves

    generator = np.random.default_rng(seed)
    y = np.append(generator.integers(0, 2, n), [0, 1])
    risk = {"A": generator.random(n + 2).round(2), "B": np.append(generator.integers(0, 2, n), [0, 1]).astype(float)}
    frame = pd.DataFrame({"outcome": y, **risk})
    expected = dcurves.dca(data=frame, outcome="outcome", modelnames=list(risk), thresholds=THRESHOLDS)
    found = decision_curve(y, risk, THRESHOLDS)
    assert found["model"].tolist() == expected["model"].tolist()
    for column in ("threshold", "net_benefit"):
        assert found[column].to_numpy().tobytes() == expected[column].to_numpy(float).tobytes()


@pytest.mark.parametrize(("n", "seed"), [(6, 1), (24, 2), (120, 3)])
def test_survival_decision_curve_equals_dcurves(n, seed):
    """With tied times and risks, thresholds that nobody reaches, called patients who all left before the horizon."""
    import dcurves

    generator = np.random.default_rng(seed)
    months, event = generator.integers(2, 40, n).astype(float), generator.integers(0, 2, n)
    months, event = censor_at(np.append(months, 30.0), np.append(event, 0), 24)
    risk = {"A": generator.random(n + 1).round(2), "B": np.append(generator.integers(0, 2, n), 0).astype(float)}
    thresholds = np.arange(0.05, 0.951, 0.01)
    expected = dcurves.dca(
        data=pd.DataFrame({"outcome": event, "time": months, **risk}),
        outcome="outcome",
        modelnames=list(risk),
        thresholds=thresholds,
        time=24,
        time_to_outcome_col="time",
    )
    found = survival_decision_curve(months, event, risk, 24, thresholds)
    assert found["model"].tolist() == expected["model"].tolist()
    # dcurves knows nothing where no called patient was followed to the horizon. Where those who were followed longest
    # recurred, nobody is left free: the risk is 1, and the net benefit the fraction that is called.
    wanted = expected["net_benefit"].to_numpy().copy()
    scores = {**risk, "all": np.ones(n + 1), "none": np.zeros(n + 1)}
    called = [scores[m] >= t for m, t in zip(found["model"], found["threshold"], strict=True)]
    for row in np.flatnonzero(np.isnan(wanted)):
        last = months[called[row]] == months[called[row]].max()
        if event[called[row]][last].all():
            wanted[row] = called[row].mean()
    assert found["net_benefit"].to_numpy() == pytest.approx(wanted, abs=1e-9, nan_ok=True)


def test_smooth_calibration_of_a_true_and_of_a_shifted_model():
    generator = np.random.default_rng(4)
    p = generator.uniform(0.05, 0.95, 3000)
    y = (generator.random(3000) < p).astype(int)
    at = np.array([0.01, 0.2, 0.5, 0.8])
    curve = smooth_calibration(y, p, at)
    assert np.isnan(curve[0]) and curve[1:] == pytest.approx(at[1:], abs=0.05)
    assert integrated_calibration_index(y, p) < 0.02
    assert integrated_calibration_index(y, np.clip(p - 0.2, 0.01, 1)) == pytest.approx(0.2, abs=0.03)
    assert integrated_calibration_index(y, np.full(3000, 0.3)) == pytest.approx(abs(y.mean() - 0.3))
    curve, low, high = calibration_band(y[:200], p[:200], np.array([0.2, 0.5, 0.8]), 100, 1)
    assert (low <= curve).all() and (curve <= high).all() and (high - low > 0.02).all()


def test_optimism_equals_rms_validate(patients, r):
    """Both are bootstraps with other random numbers: they agree within their own error."""
    import statsmodels.api as sm

    def fit(x, y):
        model = sm.GLM(y, sm.add_constant(x, has_constant="add"), family=sm.families.Binomial()).fit()
        return lambda new: model.predict(sm.add_constant(new, has_constant="add"))

    x, y = patients[["size", "afp", "ast"]].to_numpy(float), patients["y"].to_numpy()
    measures, curve = optimism_corrected(x, y, fit, np.array([0.2, 0.5, 0.7]), resamples=600, seed=3)
    assert measures["auc"].optimism == pytest.approx(r["optimism_auc"], abs=0.006)
    assert measures["slope"].optimism == pytest.approx(r["optimism_slope"], abs=0.03)
    assert measures["brier"].optimism == pytest.approx(r["optimism_brier"], abs=0.003)
    assert measures["slope"].apparent == pytest.approx(1, abs=1e-4)
    assert curve["corrected"].between(0, 1).all()


def test_readings_are_compared_by_what_they_are():
    """The same reader twice and all readers, kappas of findings, ICC of numbers; missing readings are left out."""
    generator = np.random.default_rng(6)
    size = generator.normal(40, 12, 30)
    first = np.arange(30) % 2.0
    capsule = pd.DataFrame({"first": first, "again": first, "R2": first, "R3": 1 - first})
    capsule.iloc[:4, 2] = np.nan
    sizes = pd.DataFrame({"first": size, "R2": size + generator.normal(1, 1, 30)})
    found = readings_table({"capsule": capsule, "size": sizes}, {"capsule": "binary", "size": "continuous"})
    rows = found.set_index(["variable", "compared"])
    assert len(rows) == 3 and rows.loc[("capsule", "same reader twice"), "value"] == 1
    three = rows.loc[("capsule", "all readers")]
    assert three["n"] == 26 and three["readers"] == 3 and three["measure"] == "Fleiss' kappa"
    assert three["value"] == pytest.approx(fleiss_kappa(capsule.dropna()[["first", "R2", "R3"]].to_numpy()))
    assert three["agreement"] == "poor"
    nearly = pd.DataFrame({"first": first, "again": np.where(np.arange(30) == 3, 1 - first, first)})
    own = readings_table({"c": nearly}, {"c": "binary"}).iloc[0]
    assert own["value"] < own["high"] == 1.0 < cohen_kappa(nearly["first"].to_numpy(), nearly["again"].to_numpy()).high
    icc = rows.loc[("size", "two readers")]
    absolute, _ = intraclass_correlation(sizes.to_numpy()[:, :, None])
    assert icc["value"] == pytest.approx(absolute[0], abs=1e-9) and icc["low"] < icc["value"] < icc["high"]
    constant = pd.DataFrame({"first": [1.0] * 5, "again": [1.0] * 5})
    undefined = readings_table({"c": constant, "d": constant}, {"c": "binary", "d": "continuous"})
    assert (undefined["agreement"] == "undefined: one level only").all()
    assert readings_table({}, {}).empty


def test_two_readers_have_cohens_kappa_with_an_interval_and_the_words_of_the_paper():
    """20 yes by both, 5 by the first alone, 10 by the second alone, 15 no by both (Cohen 1960): kappa 0.4."""
    first = np.repeat([1.0, 1.0, 0.0, 0.0], [20, 5, 10, 15])
    second = np.repeat([1.0, 0.0, 1.0, 0.0], [20, 5, 10, 15])
    table = {"halo": pd.DataFrame({"first": first, "R2": second})}
    five = readings_table(table, {"halo": "binary"}).iloc[0]
    assert five["compared"] == "two readers" and five["measure"] == "Cohen's kappa" and five["readers"] == 2
    assert five["value"] == pytest.approx(0.4) and five["agreement"] == "fair"
    # The standard error of this table by the formula of Fleiss, Cohen and Everitt (Psychol Bull 1969;72:323), by hand.
    assert five["low"] == pytest.approx(0.4 - 1.95996 * 0.126996, abs=1e-5)
    assert five["high"] == pytest.approx(0.4 + 1.95996 * 0.126996, abs=1e-5)
    assert readings_table(table, {"halo": "binary"}, "four_words").iloc[0]["agreement"] == "poor"
    assert words_of("five_words").startswith("0.00-0.20 poor, 0.21-0.40 fair") and "0.81-1.00 exc" in words_of(
        "five_words"
    )
    assert words_of("four_words") == "above 0.80 excellent, above 0.60 substantial, above 0.40 moderate, otherwise poor"


def test_what_each_reader_found_is_counted():
    halo = pd.DataFrame({"first": [1.0, 1, 0, 0], "again": [1.0, 0, 0, np.nan]})
    capsule = pd.DataFrame({"first": [0.0, 1, 2, 2], "R2": [0.0, 0, 0, 1]})
    size = pd.DataFrame({"first": [10.0, 20, 30, 40], "R2": [np.nan] * 4})
    definitions = {
        "halo": {"kind": "binary", "levels": []},
        "capsule": {"kind": "categorical", "levels": ["absent", "incomplete", "complete"]},
        "size": {"kind": "continuous", "levels": []},
    }
    names = {"first": "reader 1", "again": "reader 1 again"}
    found = readers_table({"halo": halo, "capsule": capsule, "size": size}, definitions, names)
    rows = found.set_index(["variable", "level"])
    assert rows.loc[("halo", "yes"), ["reader 1", "reader 1 again"]].tolist() == ["2 (50.0 %)", "1 (33.3 %)"]
    assert rows.loc["capsule", "reader 1"].tolist() == ["1 (25.0 %)", "1 (25.0 %)", "2 (50.0 %)"]
    assert rows.loc["capsule", "R2"].tolist() == ["3 (75.0 %)", "1 (25.0 %)", "0 (0.0 %)"]
    assert rows.loc[("size", "median (IQR)"), "reader 1"] == "25 (17.5-32.5)"
    assert rows.loc[("size", "median (IQR)"), "R2"] == "-"


def test_kappas_equal_their_definition():
    from sklearn.metrics import cohen_kappa_score

    generator = np.random.default_rng(5)
    first = generator.integers(0, 3, 60)
    second = np.where(generator.random(60) < 0.7, first, generator.integers(0, 3, 60))
    found = cohen_kappa(first, second)
    assert found.kappa == pytest.approx(cohen_kappa_score(first, second)) and found.low < found.kappa < found.high
    assert math.isnan(cohen_kappa(np.ones(5), np.ones(5)).kappa)
    # Fleiss 1971 by hand for two readers: chance agreement from the pooled shares.
    shares = np.bincount(np.r_[first, second], minlength=3) / 120
    chance, agreed = (shares**2).sum(), (first == second).mean()
    assert fleiss_kappa(np.column_stack([first, second])) == pytest.approx((agreed - chance) / (1 - chance))
    assert [kappa_word(k, "five_words") for k in (0.9, 0.8, 0.5, 0.3, 0.1)] == [
        "excellent",
        "good",
        "moderate",
        "fair",
        "poor",
    ]
    assert [kappa_word(k, "four_words") for k in (0.834, 0.8, 0.6, 0.4, -0.2)] == [
        "excellent",
        "substantial",
        "moderate",
        "poor",
        "poor",
    ]
