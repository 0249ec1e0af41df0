"""Recalibration of a model on other patients, the closed test, and a cut-off chosen anew."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit
from scipy.stats import chi2

from hcc_recurrence.statistics.recalibration import (
    BOTH,
    IN_THE_LARGE,
    UNTOUCHED,
    UPDATES,
    closed_test,
    cutoff_table,
    fit_update,
    intercept_and_slope,
    recalibration_table,
)


def drawn(intercept: float, slope: float, n: int = 400, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Risks of a model, and outcomes that follow expit(intercept + slope logit(risk))."""
    generator = np.random.default_rng(seed)
    p = expit(generator.normal(-0.3, 1.0, n))
    return (generator.uniform(size=n) < expit(intercept + slope * logit(p))).astype(int), p


def test_the_fits_are_those_of_statsmodels():
    y, p = drawn(0.7, 0.6)
    both = fit_update(BOTH, y, p)
    glm = sm.Logit(y, sm.add_constant(logit(p))).fit(disp=0)
    assert (both.intercept, both.slope) == pytest.approx(tuple(glm.params), abs=1e-8)
    assert both.slope_interval == pytest.approx(tuple(glm.conf_int()[1]), abs=1e-6)
    assert both.deviance == pytest.approx(-2 * glm.llf)
    assert intercept_and_slope(y, logit(p)) == pytest.approx(tuple(glm.params), abs=1e-8)
    # A maximum that is not there is not printed.
    assert np.isnan(intercept_and_slope(np.array([0, 0, 1, 1]), np.array([0.0, 1.0, 2.0, 3.0]))).all()
    large = fit_update(IN_THE_LARGE, y, p)
    # The maximum of the likelihood: the mean risk is the observed rate.
    assert large.risk(p).mean() == pytest.approx(y.mean(), abs=1e-9) and large.slope == 1
    glm = sm.GLM(y, np.ones(len(y)), family=sm.families.Binomial(), offset=logit(p)).fit()
    assert large.intercept_interval == pytest.approx(tuple(glm.conf_int()[0]), abs=1e-6)
    assert np.array_equal(fit_update(UNTOUCHED, y, p).risk(p), p)


@pytest.mark.parametrize(("truth", "chosen"), [((0, 1), UNTOUCHED), ((1.2, 1), IN_THE_LARGE), ((0.2, 0.3), BOTH)])
def test_the_closed_test_finds_what_was_built_in(truth, chosen):
    y, p = drawn(*truth)
    test = closed_test(y, p)
    assert test.chosen == chosen
    full = sm.Logit(y, sm.add_constant(logit(p))).fit(disp=0).llf
    own = float(np.sum(np.where(y == 1, np.log(p), np.log1p(-p))))
    assert test.p_untouched == pytest.approx(chi2.sf(2 * (full - own), 2), rel=1e-6)


def test_the_level_of_the_closed_test_holds():
    """Where the model is right it is kept in about 95 of 100 sets."""
    kept = sum(closed_test(*drawn(0, 1, 200, seed)).chosen == UNTOUCHED for seed in range(100))
    assert 0.88 < kept / 100 <= 1


def test_the_untouched_model_stands_beside_every_recalibration():
    y, p = drawn(0.9, 0.5, 50)
    table = recalibration_table(y, p, 100, 7).set_index("update")
    assert list(table.index) == list(UPDATES) and table["chosen"].sum() == 1
    untouched, large, both = (table.loc[name] for name in UPDATES)
    assert untouched["corrected_slope"] == untouched["calibration_slope"]
    assert untouched["observed_expected"] == pytest.approx(y.sum() / p.sum())
    assert large["observed_expected"] == pytest.approx(1) and both["observed_expected"] == pytest.approx(1)
    assert both["calibration_slope"] == pytest.approx(1, abs=1e-6) and both["calibration_intercept"] == pytest.approx(0)
    # What was fitted on these patients flatters itself.
    assert both["corrected_slope"] < 1 and both["corrected_brier"] > both["brier"]
    assert table.equals(recalibration_table(y, p, 100, 7).set_index("update"))


def test_a_handful_one_outcome_and_one_risk_have_reasons():
    few = recalibration_table(np.array([0, 1, 0, 1, 0, 1]), np.array([0.2, 0.3, 0.5, 0.6, 0.4, 0.7]), 20, 0)
    assert few["remark"].str.startswith("fewer than 5").all() and few["intercept_low"].isna().all()
    assert not few["chosen"].any()
    one = recalibration_table(np.ones(20, int), np.linspace(0.1, 0.9, 20), 20, 0)
    assert one["intercept"].isna().sum() == 2 and one["remark"].str.contains("one outcome").all()
    alike = recalibration_table(np.arange(20) % 2, np.full(20, 0.3), 20, 0).set_index("update")
    assert np.isnan(alike.loc[BOTH, "slope"]) and alike.loc[IN_THE_LARGE, "observed_expected"] == pytest.approx(1)


def test_the_carried_cutoff_stands_beside_one_of_these_patients():
    y = np.array([0, 0, 0, 1, 0, 1, 1, 1])
    p = np.array([0.1, 0.2, 0.3, 0.35, 0.4, 0.6, 0.7, 0.8])
    table = cutoff_table(y, p, 0.65, 30, 2).set_index("cutoff_from")
    carried, own = table.loc["carried"], table.loc["these patients"]
    # By hand: 0.7 and 0.8 are called high, both recurred.
    assert list(carried[["tp", "fn", "tn", "fp"]]) == [2, 2, 4, 0] and carried["sensitivity"] == 0.5
    assert carried["corrected_sensitivity"] == 0.5
    # Youden by hand: 0.35 has 4/4 + 3/4 - 1 = 0.75, as has 0.6 with 3/4 + 4/4 - 1.
    assert own["sensitivity"] + own["specificity"] - 1 == pytest.approx(0.75)
    assert own["corrected_sensitivity"] + own["corrected_specificity"] < own["sensitivity"] + own["specificity"]
    none = cutoff_table(y, p, float("nan"), 5, 0)
    assert none["remark"][0] == "the model came without a cut-off"
