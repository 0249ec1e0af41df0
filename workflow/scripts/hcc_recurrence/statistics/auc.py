"""Area under the ROC curve with DeLong's variance, and the Youden cut-off.

Own code because neither scipy, scikit-learn nor statsmodels has DeLong (METHODS.md 7).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, rankdata


@dataclass(frozen=True)
class AucResult:
    """AUC with a two-sided interval; the variance is DeLong's."""

    auc: float
    low: float
    high: float
    variance: float


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


def auc_delong(y: np.ndarray, score: np.ndarray, confidence: float = 0.95) -> AucResult:
    """AUC with DeLong's interval, clipped to [0, 1].

    DeLong, DeLong and Clarke-Pearson, Biometrics 1988;44:837.

    Args:
        y: (n,) 0/1. score: (n,), higher means more likely 1.

    Raises: ValueError unless both outcomes are present. With one patient of a class the variance is NaN.
    """
    auc, over_positive, over_negative = delong_components(y, score)
    m, n = len(over_positive), len(over_negative)
    if min(m, n) < 2:
        return AucResult(auc, float("nan"), float("nan"), float("nan"))
    variance = float(over_positive.var(ddof=1) / m + over_negative.var(ddof=1) / n)
    half = float(norm.ppf(0.5 + confidence / 2) * np.sqrt(variance))
    return AucResult(auc, max(0.0, auc - half), min(1.0, auc + half), variance)


def auc_cross_validated(
    y: np.ndarray, score: np.ndarray, fold: np.ndarray, repeat: np.ndarray, confidence: float = 0.95
) -> AucResult:
    """AUC of out-of-fold scores: the mean of the folds' own AUCs, over all folds and repeats.

    Scores of two folds come from two models and are not compared with one another. Pooling them puts the
    AUC below 0.5 where nothing can be predicted, because a fold with more events leaves fewer in its training
    part (METHODS.md 0.3 asks for an honest estimate; LeDell, Petersen and van der Laan, Electron J Stat
    2015;9:1583). The variance is DeLong's from comparisons within folds; as repeats share their patients,
    the mean of the repeats' variances is used, which is on the safe side.

    Args:
        y, score, fold, repeat: (n,), one row a patient and repeat.

    Raises: ValueError where a fold lacks one of the two outcomes.
    """
    y, score, fold, repeat = (np.asarray(a) for a in (y, score, fold, repeat))
    areas, variances = [], []
    for one in np.unique(repeat):
        within, positive, negative = [], [], []
        for number in np.unique(fold[repeat == one]):
            rows = (repeat == one) & (fold == number)
            area, over_positive, over_negative = delong_components(y[rows], score[rows])
            within.append(area)
            positive.append(over_positive)
            negative.append(over_negative)
        areas.append(float(np.mean(within)))
        joined = [np.concatenate(parts) for parts in (positive, negative)]
        variances.append(sum(part.var(ddof=1) / len(part) for part in joined))
    auc, variance = float(np.mean(areas)), float(np.mean(variances))
    half = float(norm.ppf(0.5 + confidence / 2) * np.sqrt(variance))
    return AucResult(auc, max(0.0, auc - half), min(1.0, auc + half), variance)


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
