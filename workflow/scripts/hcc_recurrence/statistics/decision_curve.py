"""Net benefit over threshold probabilities, by the dcurves package."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def decision_curve(y: np.ndarray, probabilities: dict[str, np.ndarray], thresholds: np.ndarray) -> pd.DataFrame:
    """Net benefit = TP/n - FP/n * t/(1 - t) of each model, of treating all and of treating none.

    Vickers and Elkin, Med Decis Making 2006;26:565.

    Args:
        y: (n,) 0/1. probabilities: model -> (n,). thresholds: in (0, 1).

    Returns: model, threshold, net_benefit; `all` and `none` are the two reference strategies.
    """
    return _by_dcurves(pd.DataFrame({"outcome": np.asarray(y, int)}), probabilities, thresholds)


def survival_decision_curve(
    time: np.ndarray, event: np.ndarray, risk: dict[str, np.ndarray], horizon: float, thresholds: np.ndarray
) -> pd.DataFrame:
    """The same at a horizon with censored times (Vickers et al., BMC Med Inform Decis Mak 2008;8:53).

    Args:
        time, event: (n,). risk: model -> (n,) probability of recurrence within the horizon.
    """
    frame = pd.DataFrame({"outcome": np.asarray(event, int), "time": np.asarray(time, float)})
    return _by_dcurves(frame, risk, thresholds, time=horizon, time_to_outcome_col="time")


def _by_dcurves(
    frame: pd.DataFrame, probabilities: dict[str, np.ndarray], thresholds: np.ndarray, **survival: Any
) -> pd.DataFrame:
    import dcurves

    # dcurves takes column names; a model's name may hold characters that it does not.
    names = {f"model_{i}": model for i, model in enumerate(probabilities)}
    for column, model in names.items():
        frame[column] = np.asarray(probabilities[model], float)
    result = dcurves.dca(
        data=frame, outcome="outcome", modelnames=list(names), thresholds=np.asarray(thresholds, float), **survival
    )
    result["model"] = result["model"].map(lambda m: names.get(m, m))
    return result[["model", "threshold", "net_benefit"]].reset_index(drop=True)
