"""Net benefit over threshold probabilities, of an outcome and at a horizon, as the dcurves package reckons them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hcc_recurrence.statistics.survival import free_at

# Threshold probabilities of decision curves, 5 to 95 %. Sums of steps of 0.01 end a little above most of them, so that
# whoever has exactly 0.06 (a forest, neighbours, a bound of a score) would not be treated at 0.06.
THRESHOLDS = np.arange(5, 96) / 100


def decision_curve(y: np.ndarray, probabilities: dict[str, np.ndarray], thresholds: np.ndarray) -> pd.DataFrame:
    """Net benefit = TP/n - FP/n * t/(1 - t) of each model, of treating all and of treating none.

    Vickers and Elkin, Med Decis Making 2006;26:565. The same bytes as dcurves (a test), which counts with a table for
    each model and threshold: half of the time that a figure of decision curves took.

    Args:
        y: (n,) 0/1, both present. probabilities: model -> (n,). thresholds: in (0, 1).

    Returns: model, threshold, net_benefit; `all` and `none` are the two reference strategies.
    """
    y, thresholds = np.asarray(y).astype(bool), np.asarray(thresholds, float)
    prevalence = int(y.sum()) / len(y)
    strategies = {**probabilities, "all": np.ones(len(y)), "none": np.zeros(len(y))}
    parts = []
    for model, values in strategies.items():
        called = np.asarray(values, float)[None, :] >= thresholds[:, None]
        true = called[:, y].sum(axis=1) / y.sum() * prevalence
        false = called[:, ~y].sum(axis=1) / (~y).sum() * (1 - prevalence)
        benefit = true - thresholds / (1 - thresholds) * false
        parts.append(pd.DataFrame({"model": model, "threshold": thresholds, "net_benefit": benefit}))
    return pd.concat(parts, ignore_index=True)


def survival_decision_curve(
    time: np.ndarray, event: np.ndarray, risk: dict[str, np.ndarray], horizon: float, thresholds: np.ndarray
) -> pd.DataFrame:
    """The same at a horizon with censored times (Vickers et al., BMC Med Inform Decis Mak 2008;8:53).

    TP/n is the share of patients at or above the threshold times their Kaplan-Meier risk, FP/n is the share's rest.
    The same values as dcurves, which fits lifelines' curve twice for each model and threshold, 25 s for one study.

    Args:
        time, event: (n,). risk: model -> (n,) probability of recurrence within the horizon. thresholds: in (0, 1).

    Returns: as `decision_curve`; NaN where nobody at or above the threshold was followed to the horizon and the
        last of them is censored; where all of them recurred their risk is 1.
    """
    time, event = np.asarray(time, float), np.asarray(event, int)
    thresholds = np.asarray(thresholds, float)
    strategies = {**risk, "all": np.ones(len(time)), "none": np.zeros(len(time))}
    parts = []
    for model, values in strategies.items():
        called = np.asarray(values, float)[None, :] >= thresholds[:, None]
        recurring = np.array([_risk_among(time[c], event[c], horizon) for c in called])
        benefit = called.mean(axis=1) * (recurring - (1 - recurring) * thresholds / (1 - thresholds))
        parts.append(pd.DataFrame({"model": model, "threshold": thresholds, "net_benefit": benefit}))
    return pd.concat(parts, ignore_index=True)


def _risk_among(time: np.ndarray, event: np.ndarray, horizon: float) -> float:
    if len(time) == 0:
        return 0.0
    if time.max() >= horizon:
        return 1 - free_at(time, event, horizon)
    # Where all who were followed longest recurred, nobody is left free, at the horizon neither.
    return 1.0 if event[time == time.max()].all() else float("nan")
