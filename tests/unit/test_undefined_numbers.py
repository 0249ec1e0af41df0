"""What has no value is blank and says why: certain risks, no event, no AUC, other patients, an end of follow-up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.special import logit

from hcc_recurrence.learning.risk_factors import logistic_optimism
from hcc_recurrence.statistics.calibration import calibration_measures, hosmer_lemeshow
from hcc_recurrence.statistics.comparisons import optimism_table, strata_table
from hcc_recurrence.statistics.measures import calibration_table, survival_tables
from hcc_recurrence.statistics.null_control import summarise_null_control
from hcc_recurrence.statistics.recalibration import UPDATES, observed_expected_interval, recalibration_table
from hcc_recurrence.statistics.survival import log_rank_p, survival_at, survival_calibration

GENERATOR = np.random.default_rng(1)
Y = np.repeat([1, 0], [20, 30])
RISK = np.clip(0.3 + 0.3 * Y + GENERATOR.normal(0, 0.25, 50), 0.02, 0.98).round(3)


def rows(y: np.ndarray, probability: np.ndarray, **other: object) -> pd.DataFrame:
    """A strict predictions table of one model on held-out patients, with a cut-off that came with it."""
    n = len(y)
    table = {"patient_id": [f"p{i:02d}" for i in range(n)], "model": "A", "protocol": "strict", "split": "validation"}
    table |= {"estimate": "held_out", "repeat": 1, "fold": 0, "seed": 1, "y": y, "probability": probability}
    table |= {"rfs_months": np.where(y == 1, 12.0, 30.0), "rfs_event": y, "cutoff": 0.5}
    return pd.DataFrame(table | other)


def slope_of(y: np.ndarray, p: np.ndarray) -> float:
    """The slope of R's glm, and of val.prob, which leaves risks of 0 and 1 out."""
    return float(sm.GLM(y, sm.add_constant(logit(p)), family=sm.families.Binomial()).fit().params[1])


def test_certain_risks_that_were_right_have_no_part_in_the_slope_and_wrong_ones_leave_none():
    right = RISK.copy()
    right[:4], right[20:26] = 1, 0
    inside = (right > 0) & (right < 1)
    found = calibration_measures(Y, right)
    assert found.slope == pytest.approx(slope_of(Y[inside], right[inside]), abs=1e-7)
    assert found.brier == pytest.approx(np.mean((right - Y) ** 2))
    shifted = 1 / (1 + np.exp(-(found.intercept + logit(right[inside]))))
    assert shifted.mean() == pytest.approx(Y[inside].mean(), abs=1e-9)
    line = calibration_table(rows(Y, right)).iloc[0]
    assert line["slope"] == found.slope and line["remark"].endswith("without 10 risks of exactly 0 or 1")
    # A risk of 0 and a recurrence: no intercept and slope make that likely. It was 0.14 for a distance of 1e-6 from 0.
    wrong = np.where(RISK < 0.3, 0, np.where(RISK > 0.7, 1, RISK.round(1)))
    line = calibration_table(rows(Y, wrong)).iloc[0]
    mistakes = int(((wrong == 0) & (Y == 1)).sum() + ((wrong == 1) & (Y == 0)).sum())
    assert mistakes and line[["intercept", "slope"]].isna().all() and line["brier"] == np.mean((wrong - Y) ** 2)
    assert f"a risk of exactly 0 or 1 was wrong {mistakes} times" in line["remark"]
    # Its chi-square was 5e11: a group of risk 0 has none.
    assert np.isnan(hosmer_lemeshow(Y, wrong, 5).chi_square) and line[["hl_chi_square", "hl_p"]].isna().all()
    assert "a group of risk 0 or 1" in line["remark"]


def test_a_recalibration_leaves_certain_risks_where_they_are():
    right = RISK.copy()
    right[:4], right[20:26] = 1, 0
    inside = (right > 0) & (right < 1)
    table = recalibration_table(Y, right, 30, 0).set_index("update")
    assert table.loc[UPDATES[2], "slope"] == pytest.approx(slope_of(Y[inside], right[inside]), abs=1e-7)
    assert table["remark"].str.contains("without 10 risks of exactly 0 or 1").all()
    wrong = np.where(RISK < 0.3, 0, RISK)
    table = recalibration_table(Y, wrong, 30, 0).set_index("update")
    assert table.loc[list(UPDATES[1:]), ["intercept", "slope", "brier"]].isna().all(axis=None)
    assert table["remark"].str.contains("a risk of exactly 0 or 1 was wrong").all() and not table["chosen"].any()
    assert np.isnan(observed_expected_interval(Y, np.zeros(50))).all()


def test_a_null_control_without_a_real_auc_has_no_p():
    keys = {"model": "A", "protocol": "strict", "split": "external", "estimate": "held_out"}
    aucs = pd.DataFrame([{**keys, "permutation": k, "auc": v} for k, v in enumerate([0.4, 0.5, 0.6, np.nan])])
    row = summarise_null_control(aucs, pd.DataFrame([{**keys, "auc": 0.55}])).iloc[0]
    # By hand: of three permutations that have an AUC one is as high.
    assert (row["permutation_p"], row["mean"], row["permutations"]) == (pytest.approx(2 / 4), pytest.approx(0.5), 3)
    assert row["remark"].startswith("1 of 4 permutations without an AUC")
    # It was 1 / 4, the smallest P that three permutations can give.
    row = summarise_null_control(aucs, pd.DataFrame([{**keys, "auc": np.nan}])).iloc[0]
    assert np.isnan(row["permutation_p"]) and "the real outcomes have no AUC" in row["remark"]


def test_an_optimism_is_of_the_same_patients():
    published = rows(Y, RISK, protocol="as_published")
    strict = rows(Y, RISK).iloc[::2]
    line = optimism_table(pd.concat([published, strict], ignore_index=True), 20, 0).iloc[0]
    assert line["n"] == 25 and line["optimism"] == 0 and line["strict"] == line["as_published"]


@pytest.mark.parametrize(
    ("first", "words"), [([0, 1, 2], "compared with 3T"), ([0, 1, 20, 21], "no test: 1.5T has no interval")]
)
def test_groups_say_what_they_are_compared_with(first, words):
    field = np.where(np.isin(np.arange(50), first), "1.5T", np.where(np.arange(50) % 2, "3T", "7T"))
    table = rows(Y, RISK)
    found = strata_table(table, pd.DataFrame({"field": field}, index=table["patient_id"])).set_index("level")
    assert found.loc["7T", "remark"] == words and np.isnan(found.loc["7T", "p"]) == words.startswith("no test")


def test_without_an_event_there_is_no_log_rank_test():
    """R's survdiff has NaN; lifelines prints a P of 1."""
    assert np.isnan(log_rank_p(np.arange(10) + 1.0, np.zeros(10), np.arange(10) % 2))
    table = rows(Y, RISK, rfs_months=30.0, rfs_event=0)
    line = survival_tables(table, ["A"], 24.0, 10, 0)[0].iloc[0]
    assert np.isnan(line["log_rank_p"]) and "log-rank test: no recurrence" in line["remark"]


def test_nobody_is_free_at_a_time_that_nobody_was_followed_to():
    """As R's summary(survfit(...), times = 24), which has no row there, unless nobody is left free."""
    months, event = np.repeat([12.0, 30.0], 10), np.repeat([1, 0, 1, 0], [2, 8, 3, 7])
    assert np.isnan(survival_at(months[:10], event[:10], 24)).all()
    assert survival_at(months[:10], np.ones(10, int), 24)[0] == 0 and survival_at(months, event, 24)[0] == 0.9
    found = survival_calibration(months, event, np.repeat([0.1, 0.6], 10) + np.arange(20) / 100, 24, 2, 20, 0)
    assert found.loc[0, ["observed", "low", "high"]].isna().all() and found.loc[1, "observed"] == 1


@pytest.mark.parametrize(("middle", "known"), [([1, 0], False), ([1, 0, 1, 0, 1, 0], True)])
def test_a_slope_is_not_corrected_by_the_few_resamples_that_have_one(middle, known):
    """In resamples that one variable separates the slope is infinite; the others are no sample of all."""
    y = np.array([0, 0, 0, 0, *middle, 1, 1, 1, 1])
    x = np.arange(len(y), dtype=float)
    generator, several = np.random.default_rng(0), 0
    for _ in range(60):
        drawn = generator.integers(0, len(y), len(y))
        with_it, without = x[drawn][y[drawn] == 1], x[drawn][y[drawn] == 0]
        several += len(with_it) > 0 and len(without) > 0 and with_it.min() < without.max()
    assert (2 * several >= 60) == known
    table, _ = logistic_optimism(pd.DataFrame({"x": x}), y, 60, 0, firth=True)
    found = table.set_index("measure")
    assert np.isfinite(found.loc["slope", "corrected"]) == known and np.isfinite(found.loc["auc", "corrected"])
