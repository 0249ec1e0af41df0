"""Tests of a variable between two groups of patients, by the rule that a study states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hcc_recurrence.statistics.proportions import chi_square_or_fisher

# Rules for a continuous variable; `shapiro`: Student's t test where every group passes Shapiro-Wilk, else Mann-Whitney.
CONTINUOUS_RULES = ("student", "mann_whitney", "shapiro")
NORMALITY_ALPHA = 0.05


def continuous_rule(variable: str, rules: Mapping[str, str]) -> str:
    """The rule of one variable: its own entry, else `default`.

    Raises: ValueError for a rule that is not in CONTINUOUS_RULES.
    """
    rule = rules.get(variable, rules["default"])
    if rule not in CONTINUOUS_RULES:
        raise ValueError(f"baseline_continuous of {variable}: {rule!r} is none of {', '.join(CONTINUOUS_RULES)}")
    return rule


def is_skewed(groups: Sequence[np.ndarray], rule: str) -> bool:
    """Whether a variable is shown as median (IQR) and tested by Mann-Whitney, rather than mean (SD) and Student.

    Args:
        groups: known values of each group, in the variable's unit. Groups of fewer than three, and constant ones, tell
            nothing of their distribution and are left out of Shapiro-Wilk; where none is left the values are skewed.
    """
    from scipy.stats import shapiro

    if rule != "shapiro":
        return rule == "mann_whitney"
    tested = [g for g in groups if len(g) >= 3 and np.ptp(g) > 0]
    return not tested or any(float(shapiro(g).pvalue) < NORMALITY_ALPHA for g in tested)


def continuous_test(first: np.ndarray, second: np.ndarray, skewed: bool) -> tuple[float, str]:
    """Two-sided P and name of the Mann-Whitney U test, or of Student's t test with equal variances.

    NaN and no name where a group has fewer than two values, or no value differs from another.
    """
    from scipy.stats import mannwhitneyu, ttest_ind

    if min(len(first), len(second)) < 2 or np.ptp(np.concatenate([first, second])) == 0:
        return float("nan"), ""
    if skewed:
        return float(mannwhitneyu(first, second, alternative="two-sided").pvalue), "Mann-Whitney U"
    return float(ttest_ind(first, second, equal_var=True).pvalue), "Student's t"


def categorical_test(counts: np.ndarray, tests: Mapping[str, Any]) -> tuple[float, str]:
    """Two-sided P and name of the test of a 2 x k table of counts; NaN and no name for one group or level alone.

    Args:
        tests: yates (continuity correction of 2 x 2 tables); fisher_below (Fisher's exact test where a 2 x 2 table
            expects fewer patients than that in a cell; 0: never).
    """
    counts = np.asarray(counts, float)
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    if min(counts.shape) < 2:
        return float("nan"), ""
    return chi_square_or_fisher(counts, tests["yates"], tests["fisher_below"])
