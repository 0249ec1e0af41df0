"""Cox regression: univariable, multivariable, stepwise by AIC. By lifelines (Efron's ties)."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from hcc_recurrence.statistics.aliases import find_aliases, without_aliases


def fit_cox(time: np.ndarray, event: np.ndarray, x: pd.DataFrame):
    """A fitted lifelines CoxPHFitter, or None where no estimate exists (separation, collinearity, no event)."""
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError, ConvergenceWarning

    frame = x.reset_index(drop=True).assign(_time=np.asarray(time, float), _event=np.asarray(event, int))
    if not frame["_event"].any() or (x.nunique() < 2).any():
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            fit = CoxPHFitter().fit(frame, "_time", "_event")
        except (ConvergenceError, ConvergenceWarning, np.linalg.LinAlgError, ValueError):
            return None
    bounded = np.isfinite(fit.standard_errors_).all() and (fit.standard_errors_ < 50).all()
    return fit if bounded else None


def cox_table(time: np.ndarray, event: np.ndarray, x: pd.DataFrame) -> pd.DataFrame:
    """Hazard ratios with Wald 95 % intervals and P of one model with all columns of `x`.

    A column that those before it determine is left out, as R's coxph does (`find_aliases`).

    Returns: variable, coefficient, hazard_ratio, low, high, p; NaN where no estimate exists.
    """
    if x.shape[1] > 1 and (aliases := find_aliases(x)):
        found = cox_table(time, event, x.drop(columns=list(aliases))).set_index("variable")
        return found.reindex(list(x.columns)).rename_axis("variable").reset_index()
    fit = fit_cox(time, event, x) if x.shape[1] else None
    if fit is None:
        values = np.full((x.shape[1], 4), np.nan)
    else:
        summary = fit.summary
        values = summary[["coef", "coef lower 95%", "coef upper 95%", "p"]].to_numpy()
    return pd.DataFrame(
        {
            "variable": list(x.columns),
            "coefficient": values[:, 0],
            "hazard_ratio": np.exp(values[:, 0]),
            "low": np.exp(values[:, 1]),
            "high": np.exp(values[:, 2]),
            "p": values[:, 3],
        }
    )


def univariable_cox(time: np.ndarray, event: np.ndarray, x: pd.DataFrame) -> pd.DataFrame:
    """`cox_table` of each column alone; empty where there is no column."""
    parts = [cox_table(time, event, x[[c]]) for c in x.columns]
    return pd.concat(parts, ignore_index=True) if parts else cox_table(time, event, x)


def _aic(time: np.ndarray, event: np.ndarray, x: pd.DataFrame, null: float) -> float:
    if not x.shape[1]:
        return -2 * null
    fit = fit_cox(time, event, x)
    return float(fit.AIC_partial_) if fit is not None else float("inf")


def stepwise_aic(time: np.ndarray, event: np.ndarray, x: pd.DataFrame) -> list[str]:
    """Variables of the Cox model found by steps in both directions from the full model, as R's `step`.

    Each step takes the one removal or addition that lowers the AIC most; own code, because no library has it
    (docs/methods.md 7). Columns that those before them determine are no candidates (`find_aliases`). Where the full
    model has no estimate for another reason, the search starts from the empty one.
    """
    x = without_aliases(x)
    full = fit_cox(time, event, x)
    # Log partial likelihood of the empty model, which lifelines gives beside any fitted one.
    single = next((f for c in x.columns if (f := fit_cox(time, event, x[[c]])) is not None), None)
    if single is None:
        return []
    null = float(single.log_likelihood_ - single.log_likelihood_ratio_test().test_statistic / 2)
    chosen = list(x.columns) if full is not None else []
    best = float(full.AIC_partial_) if full is not None else -2 * null
    while True:
        moves = [[c for c in chosen if c != v] for v in chosen]
        moves += [[*chosen, v] for v in x.columns if v not in chosen]
        scored = [(_aic(time, event, x[m], null), i) for i, m in enumerate(moves)]
        if not scored or min(scored)[0] >= best - 1e-9:
            return [c for c in x.columns if c in chosen]
        best, index = min(scored)
        chosen = moves[index]


def proportional_hazards_p(time: np.ndarray, event: np.ndarray, x: pd.DataFrame) -> pd.DataFrame:
    """Test of proportional hazards of each variable by scaled Schoenfeld residuals (rank of time), by lifelines.

    Returns: variable, p; NaN where the model has no estimate.
    """
    from lifelines.statistics import proportional_hazard_test

    fit = fit_cox(time, event, x) if x.shape[1] else None
    if fit is None:
        return pd.DataFrame({"variable": list(x.columns), "p": np.nan})
    frame = x.reset_index(drop=True).assign(_time=np.asarray(time, float), _event=np.asarray(event, int))
    p = np.atleast_1d(proportional_hazard_test(fit, frame, time_transform="rank").p_value)
    return pd.DataFrame({"variable": list(x.columns), "p": p})


def baseline_survival(fit, horizon: float) -> float:
    """S0 at the horizon for a patient at the mean of every variable (Breslow), of a fitted model."""
    table = fit.baseline_survival_
    return float(table.loc[table.index <= horizon].iloc[-1, 0])
