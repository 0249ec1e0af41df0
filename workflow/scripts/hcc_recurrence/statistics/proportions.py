"""Intervals and tests of proportions and of tables of counts."""

from __future__ import annotations

import numpy as np

from hcc_recurrence.statistics.degenerate import LEAST_PATIENTS


def proportion_interval(k: float, n: int, method: str = "wilson") -> tuple[float, float]:
    """95 % interval of k / n: `wilson` or `exact` (Clopper-Pearson), which small groups always get; NaN for n = 0.

    k may be the mean of several models' counts on the same n patients: both formulas hold between whole numbers.
    """
    from scipy.stats import beta, binomtest, norm

    if n == 0:
        return float("nan"), float("nan")
    method = "exact" if n < LEAST_PATIENTS else method
    if float(k).is_integer() and float(n).is_integer():
        found = binomtest(int(k), int(n)).proportion_ci(0.95, method=method)
        return float(found.low), float(found.high)
    if method == "exact":
        low = float(beta.ppf(0.025, k, n - k + 1)) if k > 0 else 0.0
        return low, float(beta.ppf(0.975, k + 1, n - k)) if k < n else 1.0
    z = norm.ppf(0.975)
    centre = (k + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * np.sqrt(k * (n - k) / n + z**2 / 4)
    return float(centre - half), float(centre + half)


def no_information_test(correct: float, n_pos: float, n_neg: float) -> tuple[float, float]:
    """No-information rate (share of the larger class) and one-sided exact P that the accuracy exceeds it.

    As R caret's confusionMatrix, which Cui 2022 used (docs/methods.md 1.6). A mean of several models' counts is rounded
    down, which is on the safe side.
    """
    from scipy.stats import binomtest

    n = round(n_pos + n_neg)
    rate = max(n_pos, n_neg) / n
    return rate, float(binomtest(int(correct + 1e-9), n, rate, alternative="greater").pvalue)


def chi_square_p(table: np.ndarray, yates: bool = False) -> float:
    """Pearson's chi-square P of an r x c table of counts; Yates' correction touches 2 x 2 tables only.

    Rows and columns without a patient are left out; NaN where fewer than two remain.
    """
    from scipy.stats import chi2_contingency

    table = np.asarray(table, float)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if min(table.shape) < 2:
        return float("nan")
    return float(chi2_contingency(table, correction=yates)[1])


def fisher_p(table: np.ndarray) -> float:
    """Two-sided exact P of a 2 x 2 table of counts."""
    from scipy.stats import fisher_exact

    return float(fisher_exact(np.asarray(table, int))[1])


def chi_square_or_fisher(table: np.ndarray, yates: bool, fisher_below: float = 5) -> tuple[float, str]:
    """Fisher's exact test where a 2 x 2 table expects fewer patients than `fisher_below` in a cell, else chi-square.

    Returns: P and the name of the test.
    """
    table = np.asarray(table, float)
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / max(table.sum(), 1)
    if table.shape == (2, 2) and (expected < fisher_below).any():
        return fisher_p(table), "Fisher's exact"
    return chi_square_p(table, yates), "Chi-squared" + (", Yates" if yates and table.shape == (2, 2) else "")
