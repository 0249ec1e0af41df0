"""Net benefit over threshold probabilities, by the dcurves package."""

from __future__ import annotations

import numpy as np
import pandas as pd


def decision_curve(y: np.ndarray, probabilities: dict[str, np.ndarray], thresholds: np.ndarray) -> pd.DataFrame:
    """Net benefit = TP/n - FP/n * t/(1 - t) of each model, of treating all and of treating none.

    Vickers and Elkin, Med Decis Making 2006;26:565.

    Args:
        y: (n,) 0/1. probabilities: model -> (n,). thresholds: in (0, 1).

    Returns: model, threshold, net_benefit; `all` and `none` are the two reference strategies.
    """
    import dcurves

    # dcurves takes column names; a model's name may hold characters that it does not.
    names = {f"model_{i}": model for i, model in enumerate(probabilities)}
    frame = pd.DataFrame({"y": np.asarray(y, int)})
    for column, model in names.items():
        frame[column] = np.asarray(probabilities[model], float)
    result = dcurves.dca(data=frame, outcome="y", modelnames=list(names), thresholds=np.asarray(thresholds, float))
    result["model"] = result["model"].map(lambda m: names.get(m, m))
    return result[["model", "threshold", "net_benefit"]].reset_index(drop=True)


def survival_decision_curve(
    time: np.ndarray, event: np.ndarray, risk: dict[str, np.ndarray], horizon: float, thresholds: np.ndarray
) -> pd.DataFrame:
    """Net benefit at a horizon with censored times (Vickers et al., BMC Med Inform Decis Mak 2008;8:53), by dcurves.

    Args:
        time, event: (n,). risk: model -> (n,) probability of recurrence within the horizon.

    Returns: model, threshold, net_benefit; `all` and `none` are the two reference strategies.
    """
    import dcurves

    names = {f"model_{i}": model for i, model in enumerate(risk)}
    frame = pd.DataFrame({"event": np.asarray(event, int), "time": np.asarray(time, float)})
    for column, model in names.items():
        frame[column] = np.asarray(risk[model], float)
    result = dcurves.dca(
        data=frame,
        outcome="event",
        modelnames=list(names),
        thresholds=np.asarray(thresholds, float),
        time=horizon,
        time_to_outcome_col="time",
    )
    result["model"] = result["model"].map(lambda m: names.get(m, m))
    return result[["model", "threshold", "net_benefit"]].reset_index(drop=True)
