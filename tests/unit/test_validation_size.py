"""Riley's sample sizes for external validation, against numbers that the authors print."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit
from scipy.stats import norm

from hcc_recurrence.statistics.validation_size import (
    Z,
    patients_for_c,
    patients_for_ratio,
    patients_for_slope,
    ratio_width,
    se_of_c,
    se_of_ratio,
    size_table,
)

WIDTHS = {"observed_expected": 0.2, "slope": 0.2, "c": 0.1}


@pytest.mark.parametrize(("prevalence", "se", "n"), [(0.5, 0.051, 384), (0.1, 0.051, 3460), (0.1, 0.175, 294)])
def test_observed_over_expected_as_in_section_3_1(prevalence, se, n):
    """Riley 2021, section 3.1.1, as their own code prints them (round)."""
    assert round(patients_for_ratio(prevalence, se)) == n


def test_the_worked_example_of_pmvalsampsize():
    """Mechanical heart valve failure: prevalence 0.018, C 0.8, linear predictor N(-5, 2.5), width of O/E 1.

    pmvalsampsize (R, Stata, Python; documentation of each) prints 905, 4544 and 4252. Its standard error of ln(O/E)
    climbs in steps of 0.0001 to 0.2456; its linear predictors are drawn.
    """
    assert np.ceil(patients_for_ratio(0.018, 0.2456)) == 905
    assert se_of_ratio(1.0) == pytest.approx(0.2456, abs=1e-4)
    assert np.ceil(patients_for_c(0.8, 0.018, 0.1 / (2 * 1.96))) == 4252
    quantiles = norm.ppf((np.arange(1_000_000) + 0.5) / 1_000_000, -5, 2.5)
    assert patients_for_slope(quantiles, 0.2 / (2 * 1.96)) == pytest.approx(4544, rel=0.005)


def test_the_information_is_that_of_a_logistic_regression():
    logit = np.random.default_rng(3).normal(-0.4, 1.1, 40_000)
    y = (np.random.default_rng(4).uniform(size=len(logit)) < expit(logit)).astype(float)
    se = sm.GLM(y, sm.add_constant(logit), family=sm.families.Binomial()).fit().bse[1]
    assert patients_for_slope(logit, se) == pytest.approx(len(logit), rel=0.03)


def test_the_table_turns_round():
    """A set as large as a criterion asks for reaches the width, and one patient fewer does not."""
    y = np.repeat([1, 0], [30, 70])
    p = np.linspace(0.05, 0.9, 100)
    table = size_table(y, p, 0.75, WIDTHS).set_index("criterion")
    ratio, slope, area = (table.loc[name] for name in table.index)
    assert not table["enough"].any() and (table["events"] == 30).all()
    assert ratio_width(0.3, int(ratio["patients_needed"])) <= 0.2 < ratio_width(0.3, int(ratio["patients_needed"]) - 1)
    needed = area["patients_needed"]
    assert 2 * Z * se_of_c(0.75, 0.3, needed) <= 0.1 < 2 * Z * se_of_c(0.75, 0.3, needed - 1)
    # Widths of intervals fall with the root of the number.
    assert slope["width_reached"] / 0.2 == pytest.approx(np.sqrt(slope["patients_needed"] / 100), rel=1e-3)
    assert ratio["events_needed"] == np.ceil(0.3 * ratio["patients_needed"])


def test_nothing_is_enough_for_a_slope_of_one_risk_or_for_one_outcome():
    table = size_table(np.array([0, 1, 1]), np.full(3, 0.4), 0.5, WIDTHS)
    assert np.isnan(table["patients_needed"][1]) and not table["enough"][1]
    table = size_table(np.ones(5), np.linspace(0.1, 0.9, 5), float("nan"), WIDTHS)
    assert table["patients_needed"].isna().all() and not table["enough"].any()
