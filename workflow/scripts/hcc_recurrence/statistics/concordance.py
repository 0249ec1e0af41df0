"""AUC, Harrell's C and time-dependent AUC as one thing: a weighted share of patient pairs in the right order.

Own code because a bootstrap over patients needs thousands of values: with the pairs written as a matrix, all
resamples are two matrix products. With every weight at 1 the values equal scikit-learn's and scikit-survival's (tests).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hcc_recurrence.statistics.degenerate import LEAST_VARIANCE


@dataclass(frozen=True)
class Pairs:
    """Which pairs count: weight[i, j] > 0 where patient i should have the higher score. Shape (n, n)."""

    weight: np.ndarray


def outcome_pairs(y: np.ndarray) -> Pairs:
    """A patient with the outcome above one without: the share of them is the AUC."""
    y = np.asarray(y).astype(bool)
    return Pairs(np.outer(y, ~y).astype(float))


def survival_pairs(time: np.ndarray, event: np.ndarray) -> Pairs:
    """Harrell's pairs: who recurred earlier above who was free for longer.

    Harrell, Lee and Mark, Stat Med 1996;15:361. A recurrence and a censoring at the same time count as a pair;
    two recurrences at the same time do not (as in scikit-survival).
    """
    time, event = np.asarray(time, float), np.asarray(event).astype(bool)
    later = (time[None, :] > time[:, None]) | ((time[None, :] == time[:, None]) & ~event[None, :])
    np.fill_diagonal(later, False)
    return Pairs(later * event[:, None].astype(float))


def dynamic_pairs(time: np.ndarray, event: np.ndarray, horizon: float) -> Pairs:
    """Cumulative cases (recurrence until the horizon) above dynamic controls (free beyond it).

    Cases carry 1 / P(not censored until their time), by Kaplan-Meier on the same patients: Uno et al., J Am Stat
    Assoc 2007;102:527; Hung and Chiang, Can J Stat 2010;38:8.

    Raises: ValueError where no patient is a case or none is a control.
    """
    from sksurv.nonparametric import CensoringDistributionEstimator
    from sksurv.util import Surv

    time, event = np.asarray(time, float), np.asarray(event).astype(bool)
    case, control = event & (time <= horizon), time > horizon
    if not case.any() or not control.any():
        raise ValueError(f"no case or no control at {horizon:g}: {int(case.sum())} and {int(control.sum())}")
    # What comes after the horizon has no part in the weights. Left in, a recurrence on the last day of a patient who is
    # censored that day would have no weight at all, and scikit-survival would stop.
    beyond = time > horizon
    survival = Surv.from_arrays(event & ~beyond, np.where(beyond, horizon + 1, time))
    inverse = CensoringDistributionEstimator().fit(survival).predict_ipcw(survival)
    return Pairs(np.outer(case * inverse, control))


def concordance(pairs: Sequence[Pairs], scores: Sequence[np.ndarray], weights: Sequence[np.ndarray]) -> np.ndarray:
    """Share of the weighted pairs in the right order, ties half; the mean over the groups (folds) that have a pair.

    Args:
        pairs, scores: one a group: (n_g, n_g) and (n_g,). weights: one a group, (resamples, n_g), how often each
            patient was drawn.

    Returns: (resamples,); NaN where no group of that resample has a pair.
    """
    total = []
    for group, score, weight in zip(pairs, scores, weights, strict=True):
        right = (score[:, None] > score[None, :]) + 0.5 * (score[:, None] == score[None, :])
        numerator = ((weight @ (group.weight * right)) * weight).sum(axis=1)
        denominator = ((weight @ group.weight) * weight).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            total.append(numerator / denominator)
    known = np.isfinite(total)
    with np.errstate(invalid="ignore"):
        return np.where(known, total, 0).sum(axis=0) / known.sum(axis=0)


def resample_counts(patients: int, resamples: int, seed: int) -> np.ndarray:
    """How often each patient is drawn in each bootstrap resample: (resamples, patients)."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(patients, np.full(patients, 1 / patients), size=resamples).astype(float)


def variance_of(values: np.ndarray) -> float:
    """Variance over the resamples that have a value; NaN of fewer than half of them, or of none."""
    known = values[np.isfinite(values)]
    return float(np.var(known)) if len(known) and 2 * len(known) >= len(values) else float("nan")


def percentile_interval(values: np.ndarray) -> tuple[float, float]:
    """2.5th and 97.5th percentile of the resamples that have a value.

    None where fewer than half of them have one, nor where all have the same: limits of 1e-16 either side are the
    rounding of sums (`degenerate`).
    """
    if not variance_of(values) > LEAST_VARIANCE:
        return float("nan"), float("nan")
    low, high = np.percentile(values[np.isfinite(values)], [2.5, 97.5])
    return float(low), float(high)


def bootstrap_p(differences: np.ndarray) -> float:
    """Two-sided P of no difference: twice the smaller share of resamples on one side of 0 (at most 1).

    NaN where there is no interval.
    """
    if not variance_of(differences) > LEAST_VARIANCE:
        return float("nan")
    differences = differences[np.isfinite(differences)]
    below = (np.sum(differences < 0) + 0.5 * np.sum(differences == 0)) / len(differences)
    return float(min(1.0, max(2 * min(below, 1 - below), 1 / len(differences))))
