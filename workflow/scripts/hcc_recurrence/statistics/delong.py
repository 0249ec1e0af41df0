"""DeLong's tests: paired for models on the same patients, unpaired for one model on two groups of patients.

Own code because neither scipy, scikit-learn nor statsmodels has it (docs/methods.md 7); tested against MLstatkit and
pROC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from hcc_recurrence.statistics.auc import delong_covariance
from hcc_recurrence.statistics.degenerate import LEAST_VARIANCE, why_none

PAIR = ["model", "other", "auc", "other_auc", "difference", "low", "high", "z", "p", "p_holm"]


@dataclass(frozen=True)
class Difference:
    """Difference of two AUCs with its 95 % interval, z and two-sided P."""

    difference: float
    low: float
    high: float
    z: float
    p: float


def _difference(value: float, variance: float) -> Difference:
    if not variance > LEAST_VARIANCE:
        # NaN, or 0: two models that put every pair in the same order have a difference, and nothing that varies.
        return Difference(value, *[float("nan")] * 4)
    error = float(np.sqrt(variance))
    half, z = float(norm.ppf(0.975)) * error, value / error
    return Difference(value, value - half, value + half, z, float(2 * norm.sf(abs(z))))


def paired_test(y: np.ndarray, first: np.ndarray, second: np.ndarray) -> Difference:
    """AUC of `first` less that of `second` on the same patients."""
    return Difference(*paired_table(y, {"first": first, "second": second}).loc[0, [*Difference.__annotations__]])


def unpaired_test(auc: float, variance: float, other_auc: float, other_variance: float) -> Difference:
    """Two AUCs on different patients: z = difference / sqrt(v1 + v2) (docs/methods.md 7).

    No interval and no P where one of the variances is 0 or NaN (`AucResult.test_variance`).
    """
    known = variance > LEAST_VARIANCE and other_variance > LEAST_VARIANCE
    return _difference(auc - other_auc, variance + other_variance if known else float("nan"))


def variance_of_interval(low: float, high: float) -> float:
    """Variance of an estimate whose symmetric 95 % interval was printed."""
    return ((high - low) / (2 * norm.ppf(0.975))) ** 2


def holm(p: pd.Series) -> pd.Series:
    """P corrected over those of the series that are not NaN (Holm, Scand J Stat 1979;6:65), by statsmodels."""
    from statsmodels.stats.multitest import multipletests

    corrected = p.astype(float)
    tested = corrected.notna()
    # A single P is its own correction; multipletests collects all garbage of the process, 50 ms a call.
    if tested.sum() > 1:
        corrected[tested] = multipletests(corrected[tested], method="holm")[1]
    return corrected


def paired_table(
    y: np.ndarray, scores: Mapping[str, np.ndarray], fold: np.ndarray | None = None, repeat: np.ndarray | None = None
) -> pd.DataFrame:
    """Every pair of models on the same patients; P also corrected by Holm over the pairs.

    No interval and no P where one of the two has none of its own (`degenerate`).

    Args as in `delong_covariance`.

    Returns: model, other, auc, other_auc, difference, low, high, z, p, p_holm; one row a pair.
    """
    table = pd.DataFrame(paired_rows(y, scores, fold, repeat), columns=PAIR)
    return table.assign(p_holm=holm(table["p"]))


def paired_rows(
    y: np.ndarray, scores: Mapping[str, np.ndarray], fold: np.ndarray | None = None, repeat: np.ndarray | None = None
) -> list[dict[str, Any]]:
    """The rows of `paired_table`, without the correction: what many pairs are tested by, one after the other."""
    names = list(scores)
    auc, covariance = delong_covariance(y, np.stack([scores[m] for m in names]), fold, repeat)
    one = np.zeros(len(y), int)
    fold, repeat = one if fold is None else fold, one if repeat is None else repeat
    tested = [not why_none(y, scores[model], fold, repeat) for model in names]
    known = [good and covariance[i, i] > LEAST_VARIANCE for i, good in enumerate(tested)]
    rows = []
    for i, model in enumerate(names):
        for j in range(i + 1, len(names)):
            variance = covariance[i, i] + covariance[j, j] - 2 * covariance[i, j]
            variance = variance if known[i] and known[j] else np.nan
            found = _difference(float(auc[i] - auc[j]), float(variance))
            rows.append(
                {"model": model, "other": names[j], "auc": auc[i], "other_auc": auc[j], **found.__dict__},
            )
    return rows
