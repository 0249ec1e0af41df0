"""Standardised differences of two groups, by hand and by their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from hcc_recurrence.statistics.case_mix import (
    difference_words,
    mean_and_sd_of_quartiles,
    standardised_difference,
    standardised_difference_of_levels,
)


def test_a_difference_of_means_by_hand():
    # Mean 4, variance 4; the others have 2 and 2 squared: a difference of 2 over a spread of 2.
    assert standardised_difference(np.array([2.0, 4.0, 6.0, np.nan]), 2.0, 2.0) == pytest.approx(1.0)
    assert np.isnan(standardised_difference(np.array([3.0]), 2.0, 2.0))
    assert np.isnan(standardised_difference(np.array([3.0, 3.0]), 2.0, 0.0))


def test_two_levels_are_the_difference_of_two_proportions():
    p, q = 0.3, 0.5
    expected = abs(p - q) / np.sqrt((p * (1 - p) + q * (1 - q)) / 2)
    found = standardised_difference_of_levels({"yes": p, "no": 1 - p}, {"yes": q, "no": 1 - q})
    assert found == pytest.approx(expected)


def test_the_distance_of_levels_is_symmetric_and_knows_no_order():
    here, there = {"A": 0.2, "B": 0.3, "C": 0.5}, {"A": 0.4, "B": 0.4, "C": 0.2}
    first = standardised_difference_of_levels(here, there)
    assert first == pytest.approx(standardised_difference_of_levels(there, here))
    # Another level is left out when they are called otherwise.
    renamed = [{{"A": "z", "B": "y", "C": "x"}[k]: v for k, v in g.items()} for g in (here, there)]
    assert first == pytest.approx(standardised_difference_of_levels(*renamed))
    assert standardised_difference_of_levels(here, {**here, "D": 0.0}) == 0
    assert standardised_difference_of_levels({"A": 1.0}, {"B": 1.0}) >= 0


def test_quartiles_of_a_normal_distribution_give_its_mean_and_sd():
    assert mean_and_sd_of_quartiles(-0.6744898, 0.0, 0.6744898) == pytest.approx((0.0, 1.0), abs=1e-6)


@pytest.mark.parametrize(("value", "words"), [(0.05, "alike"), (-0.5, "differ"), (-0.9, "far apart"), (np.nan, "")])
def test_words(value, words):
    assert difference_words(value) == words
