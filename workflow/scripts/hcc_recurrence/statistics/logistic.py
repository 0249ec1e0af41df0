"""Logistic regression with Wald tests: univariable screening, then a multivariable model."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd


def _fit(y: np.ndarray, x: np.ndarray):
    """Maximum likelihood fit, or None where it does not exist (separation, collinearity)."""
    import statsmodels.api as sm
    from statsmodels.tools.sm_exceptions import PerfectSeparationError

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            fit = sm.Logit(y, sm.add_constant(x, has_constant="add")).fit(disp=0, maxiter=100)
        except (Warning, PerfectSeparationError, np.linalg.LinAlgError):
            return None
    converged = fit.mle_retvals["converged"] and np.isfinite(fit.bse).all()
    return fit if converged and (fit.bse < 50).all() else None


def logistic_table(y: np.ndarray, x: pd.DataFrame) -> pd.DataFrame:
    """Odds ratios with Wald 95 % intervals and P values of one model with all columns of `x`.

    Returns: variable, coefficient, odds_ratio, low, high, p; NaN where the maximum likelihood estimate
    does not exist.
    """
    fit = _fit(np.asarray(y, float), x.to_numpy(float))
    if fit is None:
        values = np.full((x.shape[1], 4), np.nan)
    else:
        interval = np.asarray(fit.conf_int())[1:]
        values = np.column_stack([fit.params[1:], interval, fit.pvalues[1:]])
    return pd.DataFrame(
        {
            "variable": list(x.columns),
            "coefficient": values[:, 0],
            "odds_ratio": np.exp(values[:, 0]),
            "low": np.exp(values[:, 1]),
            "high": np.exp(values[:, 2]),
            "p": values[:, 3],
        }
    )


def univariable_table(y: np.ndarray, x: pd.DataFrame) -> pd.DataFrame:
    """`logistic_table` of each column alone."""
    return pd.concat([logistic_table(y, x[[c]]) for c in x.columns], ignore_index=True)


def two_by_two_odds_ratio(a: int, b: int, c: int, d: int) -> tuple[float, float, float]:
    """Odds ratio ad / bc with Woolf's 95 % interval.

    Args:
        a, b: exposed with and without the outcome; c, d: unexposed with and without it.
    """
    ratio = a * d / (b * c)
    half = 1.959963984540054 * np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    return ratio, float(ratio * np.exp(-half)), float(ratio * np.exp(half))
