"""How far predicted probabilities can be believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Calibration:
    """Intercept (calibration in the large, slope fixed at 1), slope, and Brier score."""

    intercept: float
    slope: float
    brier: float


def calibration_measures(y: np.ndarray, probability: np.ndarray) -> Calibration:
    """Calibration intercept and slope by logistic regression on the logit, and the Brier score.

    NaN where the fit is impossible (probabilities constant, or separating the outcome).
    """
    import statsmodels.api as sm
    from statsmodels.tools.sm_exceptions import PerfectSeparationError

    y, p = np.asarray(y, float), np.clip(np.asarray(probability, float), 1e-6, 1 - 1e-6)
    logit = np.log(p / (1 - p))
    family = sm.families.Binomial()
    try:
        large = sm.GLM(y, np.ones((len(y), 1)), family=family, offset=logit).fit()
        intercept = float(large.params[0])
        slope = float("nan")
        if np.ptp(logit) > 1e-9:
            slope = float(sm.GLM(y, sm.add_constant(logit), family=family).fit().params[1])
    except (PerfectSeparationError, np.linalg.LinAlgError):
        intercept = slope = float("nan")
    return Calibration(intercept, slope, float(np.mean((p - y) ** 2)))


def calibration_bins(y: np.ndarray, probability: np.ndarray, bins: int) -> pd.DataFrame:
    """Observed against predicted by quantile groups, with Wilson 95 % intervals.

    Args:
        bins: groups of about equal size; tied probabilities stay together, so there may be fewer.

    Returns: predicted, observed, low, high, n; one row a group.
    """
    from statsmodels.stats.proportion import proportion_confint

    frame = pd.DataFrame({"y": np.asarray(y, float), "p": np.asarray(probability, float)})
    frame["group"] = pd.qcut(frame["p"], bins, labels=False, duplicates="drop")
    frame["group"] = frame["group"].fillna(0)
    grouped = frame.groupby("group").agg(predicted=("p", "mean"), events=("y", "sum"), n=("y", "size"))
    low, high = proportion_confint(grouped["events"], grouped["n"], method="wilson")
    grouped["observed"] = grouped["events"] / grouped["n"]
    grouped["low"], grouped["high"] = low, high
    return grouped[["predicted", "observed", "low", "high", "n"]].reset_index(drop=True)
