"""Recurrence-free survival: Kaplan-Meier, log-rank, Harrell's C, time-dependent AUC, calibration at a horizon."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hcc_recurrence.statistics.concordance import percentile_interval
from hcc_recurrence.statistics.degenerate import LEAST_PATIENTS


def kaplan_meier(time: np.ndarray, event: np.ndarray) -> pd.DataFrame:
    """Kaplan-Meier estimate with its 95 % log(-log) interval, by lifelines.

    Before the first recurrence (survival 1) and where nobody is left (0) nothing varies: there is no interval.

    Args:
        time: (n,) months. event: (n,) 0/1.

    Returns: time, survival, low, high; starts at time 0.
    """
    from lifelines import KaplanMeierFitter

    fitter = KaplanMeierFitter().fit(np.asarray(time, float), np.asarray(event, int))
    interval = fitter.confidence_interval_survival_function_
    survival = fitter.survival_function_.iloc[:, 0].to_numpy()
    certain = (survival > 1 - 1e-12) | (survival < 1e-12)
    low, high = (np.where(certain, np.nan, interval.iloc[:, i].to_numpy()) for i in (0, 1))
    times = fitter.survival_function_.index.to_numpy()
    return pd.DataFrame({"time": times, "survival": survival, "low": low, "high": high})


def survival_at(time: np.ndarray, event: np.ndarray, horizon: float) -> tuple[float, float, float]:
    """Kaplan-Meier survival at a horizon with its interval; NaN where nobody was followed until then."""
    return on_curve(kaplan_meier(time, event), horizon)


def on_curve(curve: pd.DataFrame, horizon: float) -> tuple[float, float, float]:
    """`survival_at` of a curve of `kaplan_meier`: NaN beyond its end, as R, unless nobody is left free."""
    if curve["time"].iloc[-1] < horizon and curve["survival"].iloc[-1] > 1e-12:
        return (float("nan"),) * 3
    row = curve[curve["time"] <= horizon].iloc[-1]
    return float(row["survival"]), float(row["low"]), float(row["high"])


def free_at(time: np.ndarray, event: np.ndarray, horizon: float) -> float:
    """Kaplan-Meier survival at the horizon, without its interval; the curve goes on level beyond its end.

    lifelines takes 5 ms for it, a bootstrap or a decision curve needs thousands.

    Args:
        time: (n,) months. event: (n,) 0/1.
    """
    times = np.unique(time[(event == 1) & (time <= horizon)])
    risk = (time[None, :] >= times[:, None]).sum(axis=1)
    events = ((time[None, :] == times[:, None]) & (event == 1)).sum(axis=1)
    return float(np.prod(1 - events / risk))


def median_survival(time: np.ndarray, event: np.ndarray) -> float:
    """First time at which survival is 0.5 or less; infinite where that is not reached.

    R takes the middle of the stretch where a curve lies at exactly 0.5.
    """
    return median_of_curve(kaplan_meier(time, event))


def median_of_curve(curve: pd.DataFrame) -> float:
    """`median_survival` of a curve of `kaplan_meier`."""
    # Sums of products end a little off 0.5: three of six patients are half of them.
    below = curve.loc[curve["survival"] <= 0.5 + 1e-12, "time"]
    return float(below.iloc[0]) if len(below) else float("inf")


def median_survival_se(time: np.ndarray, event: np.ndarray, step: float = 0.05) -> float:
    """Standard error of the median survival time; NaN where the median or what the formula needs is not reached.

    Greenwood's standard error of the survival at the median, divided by the density there: the slope of the curve
    between the last time at which survival is at least 0.5 + `step` and the first at which it is at most 0.5 - `step`
    (Collett, Modelling Survival Data in Medical Research, section 2.4).

    Args:
        time: (n,) months. event: (n,) 0/1.
    """
    time, event = np.asarray(time, float), np.asarray(event, int)
    times = np.unique(time[event == 1])
    risk = (time[None, :] >= times[:, None]).sum(axis=1)
    events = ((time[None, :] == times[:, None]) & (event == 1)).sum(axis=1)
    survival = np.cumprod(1 - events / risk)
    # Sums of products end a little off 0.5 and 0.45.
    reached = np.flatnonzero(survival <= 0.5 + 1e-12)
    before = np.flatnonzero(survival >= 0.5 + step - 1e-12)
    after = np.flatnonzero(survival <= 0.5 - step + 1e-12)
    if not (len(reached) and len(before) and len(after)) or survival[reached[0]] <= 0:
        return float("nan")
    median = reached[0]
    spread = np.sqrt(np.sum(events[: median + 1] / (risk[: median + 1] * (risk[: median + 1] - events[: median + 1]))))
    density = (survival[before[-1]] - survival[after[0]]) / (times[after[0]] - times[before[-1]])
    return float(survival[median] * spread / density)


def at_risk(time: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Patients still under observation just before each of `times`."""
    return (np.asarray(time, float)[None, :] >= np.asarray(times, float)[:, None]).sum(axis=1)


def log_rank_p(time: np.ndarray, event: np.ndarray, group: np.ndarray) -> float:
    """Two-sided log-rank P of two or more groups; NaN where there is one group only, or no event (lifelines has 1)."""
    from lifelines.statistics import multivariate_logrank_test

    if len(np.unique(group)) < 2 or not np.any(np.asarray(event, int)):
        return float("nan")
    return float(multivariate_logrank_test(np.asarray(time, float), np.asarray(group), np.asarray(event, int)).p_value)


def censor_at(time: np.ndarray, event: np.ndarray, horizon: float) -> tuple[np.ndarray, np.ndarray]:
    """Times and events with everyone still free at the horizon censored there (Wang 2022, docs/methods.md 2.1)."""
    time, event = np.asarray(time, float), np.asarray(event, int)
    beyond = time > horizon
    return np.where(beyond, horizon, time), np.where(beyond, 0, event)


def harrell_c(time: np.ndarray, event: np.ndarray, score: np.ndarray) -> float:
    """Harrell's C, by scikit-survival; higher scores mean earlier recurrence; NaN without a comparable pair."""
    from sksurv.exceptions import NoComparablePairException
    from sksurv.metrics import concordance_index_censored

    try:
        return float(
            concordance_index_censored(
                np.asarray(event).astype(bool), np.asarray(time, float), np.asarray(score, float)
            )[0]
        )
    except (NoComparablePairException, ValueError):
        return float("nan")


def dynamic_auc(time: np.ndarray, event: np.ndarray, score: np.ndarray, horizon: float) -> float:
    """Cumulative/dynamic AUC at the horizon with inverse probability of censoring weights, by scikit-survival.

    The weights come from the same patients. NaN where nobody recurred before the horizon or nobody is free beyond it.
    """
    from sksurv.metrics import cumulative_dynamic_auc
    from sksurv.util import Surv

    time, event = np.asarray(time, float), np.asarray(event).astype(bool)
    if not (event & (time <= horizon)).any() or not (time > horizon).any():
        return float("nan")
    survival = Surv.from_arrays(event, time)
    return float(cumulative_dynamic_auc(survival, survival, np.asarray(score, float), horizon)[0][0])


def survival_calibration(
    time: np.ndarray, event: np.ndarray, predicted: np.ndarray, horizon: float, groups: int, resamples: int, seed: int
) -> pd.DataFrame:
    """Kaplan-Meier survival at the horizon against the predicted one in quantile groups of the predictions.

    The model stays as it was fitted and the groups stay as they are: the interval is that of each group's estimate. R's
    rms `calibrate` refits the model in each resample and subtracts optimism, which patients whom the model has never
    seen do not need; on training patients the points here are apparent ones.

    Args:
        predicted: (n,) probability of being free of recurrence at the horizon.
        resamples: bootstrap resamples of the patients of each group, for the interval, which groups of fewer than
            `LEAST_PATIENTS` do not have, nor those of whom nobody was followed until the horizon (no estimate either).

    Returns: predicted, observed, low, high, n; one row a group.
    """
    frame = pd.DataFrame({"time": time, "event": event, "predicted": np.asarray(predicted, float)})
    frame["group"] = pd.qcut(frame["predicted"], groups, labels=False, duplicates="drop")
    frame["group"] = frame["group"].fillna(0)
    generator = np.random.default_rng(seed)
    rows = []
    for _, part in frame.groupby("group"):
        observed = survival_at(part["time"], part["event"], horizon)[0]
        enough = len(part) >= LEAST_PATIENTS and np.isfinite(observed)
        drawn = generator.integers(0, len(part), (resamples if enough else 0, len(part)))
        values = [free_at(part["time"].to_numpy()[d], part["event"].to_numpy()[d], horizon) for d in drawn]
        low, high = percentile_interval(np.array(values))
        rows.append((part["predicted"].mean(), observed, low, high, len(part)))
    return pd.DataFrame(rows, columns=["predicted", "observed", "low", "high", "n"])
