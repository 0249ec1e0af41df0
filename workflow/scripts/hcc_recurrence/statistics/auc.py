"""Area under the ROC curve with DeLong's variance, and the Youden cut-off.

Own code because neither scipy, scikit-learn nor statsmodels has DeLong (docs/methods.md 7).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, rankdata

from hcc_recurrence.statistics.degenerate import kept, nothing_learned, outcome_numbers, why_no_interval, why_none


@dataclass(frozen=True)
class AucResult:
    """AUC with a two-sided interval, or why it has none (`degenerate`); the variance is DeLong's."""

    auc: float
    low: float
    high: float
    variance: float
    why: str = ""

    @property
    def test_variance(self) -> float:
        """The variance for a test; NaN where there is no interval, and therefore no test."""
        return self.variance if np.isfinite(self.low) else float("nan")


def _check(y: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    y, score = np.asarray(y), np.asarray(score, dtype=float)
    if y.shape != score.shape or y.ndim != 1:
        raise ValueError(f"y {y.shape} and score {score.shape} must be vectors of one length")
    if not np.isfinite(score).all():
        raise ValueError("scores must be finite")
    if set(np.unique(y)) != {0, 1}:
        raise ValueError(f"both outcomes 0 and 1 are needed, found {sorted(set(y.tolist()))}")
    return y.astype(bool), score


def delong_components(y: np.ndarray, score: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """AUC and its structural components over positives (m,) and negatives (n,).

    Midrank algorithm of Sun and Xu, IEEE Signal Processing Letters 2014;21:1389.

    Raises: ValueError unless both outcomes are present and the scores are finite.
    """
    positive, score = _check(y, score)
    m, n = int(positive.sum()), int((~positive).sum())
    rank = rankdata(score)
    own_positive = rankdata(score[positive])
    own_negative = rankdata(score[~positive])
    over_positive = (rank[positive] - own_positive) / n
    over_negative = 1.0 - (rank[~positive] - own_negative) / m
    return float(over_positive.mean()), over_positive, over_negative


def _with_interval(auc: float, variance: float, confidence: float, why: str) -> AucResult:
    """DeLong's interval, clipped to [0, 1]; none where `why` says so."""
    half = 0.0 if why else float(norm.ppf(0.5 + confidence / 2) * np.sqrt(variance))
    return AucResult(auc, *kept(max(0.0, auc - half), min(1.0, auc + half), why), variance, why)


def auc_delong(y: np.ndarray, score: np.ndarray, confidence: float = 0.95) -> AucResult:
    """AUC with DeLong's interval, clipped to [0, 1].

    DeLong, DeLong and Clarke-Pearson, Biometrics 1988;44:837. Where the variance is 0 (all pairs in the right order, or
    one probability for everyone) there is no interval: "1.000 to 1.000" would say that nothing is uncertain. Nor is
    there one of a handful of patients (`degenerate`).

    Args:
        y: (n,) 0/1. score: (n,), higher means more likely 1.

    Raises: ValueError unless both outcomes are present. With one patient of a class the variance is NaN.
    """
    auc, over_positive, over_negative = delong_components(y, score)
    m, n = len(over_positive), len(over_negative)
    if min(m, n) < 2:
        return AucResult(auc, *[float("nan")] * 3, why_no_interval((m, n)))
    variance = float(over_positive.var(ddof=1) / m + over_negative.var(ddof=1) / n)
    return _with_interval(auc, variance, confidence, why_no_interval((m, n), variance))


def delong_covariance(
    y: np.ndarray, scores: np.ndarray, fold: np.ndarray | None = None, repeat: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """AUCs of several models on the same patients, and their covariance.

    DeLong, DeLong and Clarke-Pearson, Biometrics 1988;44:837. With folds the AUC of a model is the mean over its
    folds, and only scores of one fold are compared with one another; with repeats the mean of their
    covariances is used, which is on the safe side (see `auc_cross_validated`).

    Args:
        y: (n,) 0/1. scores: (models, n). fold, repeat: (n,), one row a patient and repeat; None for one group.

    Returns: AUCs (models,), covariance (models, models); the covariance is NaN where a class has one patient.

    Raises: ValueError where a fold lacks one of the two outcomes.
    """
    y, scores = np.asarray(y), np.atleast_2d(np.asarray(scores, float))
    fold = np.zeros(len(y), int) if fold is None else np.asarray(fold)
    repeat = np.zeros(len(y), int) if repeat is None else np.asarray(repeat)
    areas, covariances = [], []
    for one in np.unique(repeat):
        within, positive, negative = [], [], []
        for number in np.unique(fold[repeat == one]):
            rows = (repeat == one) & (fold == number)
            parts = [delong_components(y[rows], score[rows]) for score in scores]
            within.append([auc for auc, _, _ in parts])
            positive.append(np.stack([p for _, p, _ in parts]))
            negative.append(np.stack([n for _, _, n in parts]))
        areas.append(np.mean(within, axis=0))
        total = np.zeros((len(scores), len(scores)))
        for joined in (np.concatenate(positive, axis=1), np.concatenate(negative, axis=1)):
            count = joined.shape[1]
            total += np.atleast_2d(np.cov(joined)) / count if count > 1 else np.nan
        covariances.append(total)
    return np.mean(areas, axis=0), np.mean(covariances, axis=0)


def auc_cross_validated(
    y: np.ndarray, score: np.ndarray, fold: np.ndarray, repeat: np.ndarray, confidence: float = 0.95
) -> AucResult:
    """AUC of out-of-fold scores: the mean of the folds' own AUCs, over all folds and repeats.

    Scores of two folds come from two models and are not compared with one another. Pooling them puts the
    AUC below 0.5 where nothing can be predicted, because a fold with more events leaves fewer in its training
    part (docs/methods.md 0.3 asks for an honest estimate).

    The mean over the folds is the estimate of LeDell, Petersen and van der Laan, Electron J Stat 2015;9:1583; the
    variance is not their influence-curve formula but DeLong's (Biometrics 1988;44:837): each patient's structural
    component is the share of the patients of the other outcome *in the same fold* that are in the right order, and the
    variance is var(components of m patients with the outcome) / m + var(components of the n others) / n, over all
    folds together. How often its 95 % intervals hold the truth was measured (docs/evaluation.md, and
    `test_coverage_of_the_out_of_fold_interval`). As repeats share their patients, the mean of the repeats' variances is
    used, which is on the safe side. There is no interval where half of the
    fits or more give everyone the same score, nor of a handful of patients (`degenerate`).

    Args:
        y, score, fold, repeat: (n,), one row a patient and repeat.

    Raises: ValueError where a fold lacks one of the two outcomes.
    """
    areas, covariance = delong_covariance(y, score, fold, repeat)
    variance = float(covariance[0, 0])
    why = why_none(y, score, fold, repeat) or why_no_interval(outcome_numbers(y, repeat), variance)
    return _with_interval(float(areas[0]), variance, confidence, why)


def auc_clustered(
    y: np.ndarray,
    score: np.ndarray,
    cluster: np.ndarray,
    fold: np.ndarray | None = None,
    repeat: np.ndarray | None = None,
    confidence: float = 0.95,
) -> AucResult:
    """AUC of examples of which several belong together, such as images of a patient, with an interval that knows it.

    The structural components of a cluster are summed before their variance is taken: Obuchowski, Biometrics
    1997;53:567, for clusters of one outcome each, whose cross term is 0. Folds and repeats as in `auc_cross_validated`.

    Args:
        y, score, cluster, fold, repeat: (n,), one row an example and repeat.

    Raises: ValueError where a cluster has both outcomes, or a fold lacks one.
    """
    y, score, cluster = np.asarray(y), np.asarray(score, float), np.asarray(cluster)
    fold = np.zeros(len(y), int) if fold is None else np.asarray(fold)
    repeat = np.zeros(len(y), int) if repeat is None else np.asarray(repeat)
    if len(np.unique(cluster)) != len({*zip(cluster.tolist(), y.tolist(), strict=True)}):
        raise ValueError("a cluster has both outcomes")
    areas, variances = [], []
    for one in np.unique(repeat):
        within, parts = [], {1: ([], []), 0: ([], [])}
        for number in np.unique(fold[repeat == one]):
            rows = (repeat == one) & (fold == number)
            auc, over_positive, over_negative = delong_components(y[rows], score[rows])
            within.append(auc)
            for outcome, components in ((1, over_positive), (0, over_negative)):
                parts[outcome][0].append(components)
                parts[outcome][1].append(cluster[rows][y[rows] == outcome])
        areas.append(np.mean(within))
        total = 0.0
        for components, members in parts.values():
            values, names = np.concatenate(components), np.concatenate(members)
            _, place = np.unique(names, return_inverse=True)
            sums = np.bincount(place, values - values.mean())
            clusters = len(sums)
            # sum over clusters of (sum of components - size * mean) squared, over the squared number of examples.
            total += clusters / (clusters - 1) * float(np.sum(sums**2)) / len(values) ** 2 if clusters > 1 else np.nan
        variances.append(total)
    first = np.unique(cluster, return_index=True)[1]
    variance = float(np.mean(variances))
    numbers = np.bincount(y[first].astype(int), minlength=2)
    why = why_no_interval(numbers, variance, nothing_learned(score, fold, repeat))
    return _with_interval(float(np.mean(areas)), variance, confidence, why)


def auc_interval(
    y: np.ndarray, score: np.ndarray, method: str = "delong", resamples: int = 2000, seed: int = 0
) -> AucResult:
    """AUC with a 95 % interval of a named kind.

    Args:
        method: `delong`; `logit` (DeLong's variance on the logit scale, stays within 0 and 1); `bootstrap`
            (percentiles over patients); `clopper_pearson_on_auc` (exact binomial with k = AUC x n, not a whole
            number: what Wang 2022 prints, docs/methods.md 2.1; it treats patients as pairs, so it is not right).

    Raises: ValueError for an unknown method.
    """
    found = auc_delong(y, score)
    auc, n = found.auc, len(np.asarray(y))
    if method == "delong" or np.isnan(found.low):
        # Where DeLong's rule finds no interval, no other method has a better one.
        return found
    if method == "logit":
        half = norm.ppf(0.975) * np.sqrt(found.variance) / (auc * (1 - auc))
        centre = np.log(auc / (1 - auc))
        low, high = (float(1 / (1 + np.exp(-(centre + side * half)))) for side in (-1, 1))
    elif method == "bootstrap":
        from hcc_recurrence.statistics.concordance import (
            concordance,
            outcome_pairs,
            percentile_interval,
            resample_counts,
        )

        drawn = resample_counts(n, resamples, seed)
        low, high = percentile_interval(concordance([outcome_pairs(y)], [np.asarray(score, float)], [drawn]))
    elif method == "clopper_pearson_on_auc":
        low, high = clopper_pearson_on_auc(auc, n)
    else:
        raise ValueError(f"interval {method!r} is unknown")
    return AucResult(auc, low, high, found.variance)


def clopper_pearson_on_auc(auc: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact binomial interval with k = AUC x n, where k need not be whole (Wang 2022, Table 2)."""
    from scipy.stats import beta

    k, tail = auc * n, (1 - confidence) / 2
    low = float(beta.ppf(tail, k, n - k + 1)) if k > 0 else 0.0
    high = float(beta.ppf(1 - tail, k + 1, n - k)) if k < n else 1.0
    return low, high


def youden_threshold(y: np.ndarray, score: np.ndarray) -> float:
    """The cut-off with the largest sensitivity + specificity - 1; predict 1 where score >= cut-off.

    Of equally good cut-offs the highest is taken. Every score in the data is a candidate.
    """
    from sklearn.metrics import roc_curve

    _check(y, score)
    false_positive, true_positive, thresholds = roc_curve(y, score, drop_intermediate=False)
    gain = true_positive - false_positive
    # roc_curve goes from the highest threshold down and starts with infinity (nobody predicted 1).
    best = np.flatnonzero(gain[1:] >= gain[1:].max() - 1e-12)[0] + 1
    return float(thresholds[best])
