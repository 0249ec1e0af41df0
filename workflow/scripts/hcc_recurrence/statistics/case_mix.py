"""Who differs in what: patients at hand against those that a model learned from, of whom summaries alone are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

# Below it groups are called alike, from the second on far apart (Austin, Stat Med 2009;28:3083; Cohen's large effect).
ALIKE, FAR = 0.1, 0.8


def standardised_difference(values: np.ndarray, mean: float, sd: float) -> float:
    """Mean here less mean there, over the root of the mean of both variances (Austin 2009).

    Args:
        values: (n,), missing ones left out; mean, sd: of the other patients.

    Returns: NaN of fewer than two values, and where neither group varies; infinite numbers do not come out.
    """
    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    if len(known) < 2 or not np.isfinite([mean, sd]).all():
        return float("nan")
    spread = np.sqrt((known.var(ddof=1) + sd**2) / 2)
    return float((known.mean() - mean) / spread) if spread > 1e-12 else float("nan")


def standardised_difference_of_levels(here: Mapping[str, float], there: Mapping[str, float]) -> float:
    """Distance of two distributions over levels, never negative (Yang and Dalton, SAS Global Forum 2012, paper 335).

    Mahalanobis' distance of the fractions of all levels but one, with the mean of both multinomial covariances. Of two
    levels it is the absolute value of the usual difference of two proportions.

    Args:
        here, there: level -> fraction, of sum 1.
    """
    levels: Sequence[str] = sorted(set(here) | set(there))[1:]
    first, second = (np.array([group.get(level, 0.0) for level in levels], float) for group in (here, there))
    if not levels:
        return 0.0
    covariance = sum((np.diag(p) - np.outer(p, p)) / 2 for p in (first, second))
    gap = first - second
    if np.allclose(gap, 0):
        return 0.0
    # A level that neither group has adds nothing.
    return float(np.sqrt(max(gap @ np.linalg.pinv(covariance) @ gap, 0.0)))


def mean_and_sd_of_quartiles(q1: float, median: float, q3: float) -> tuple[float, float]:
    """Mean and standard deviation where quartiles alone are known (Wan et al., BMC Med Res Methodol 2014;14:135).

    For many patients: (q1 + median + q3) / 3 and (q3 - q1) / 1.349, the distance of a normal distribution's quartiles.
    """
    from scipy.stats import norm

    return (q1 + median + q3) / 3, (q3 - q1) / float(2 * norm.ppf(0.75))


def difference_words(difference: float) -> str:
    """How far apart two groups are: alike, differ, or far apart; empty where it is unknown."""
    if np.isnan(difference):
        return ""
    size = abs(difference)
    return "alike" if size < ALIKE else "far apart" if size >= FAR else "differ"
