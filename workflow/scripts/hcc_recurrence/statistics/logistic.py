"""Logistic regression with Wald tests: univariable screening, then a multivariable model."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import chi2

from hcc_recurrence.statistics.aliases import find_aliases


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
    # Per standard deviation, so that the unit of a variable does not decide: a signature may span a hundredth.
    return fit if converged and (fit.bse[1:] * x.std(axis=0) < 50).all() else None


def _firth(y: np.ndarray, x: np.ndarray) -> np.ndarray | None:
    """Coefficient, low, high and P of Firth's penalised fit: profile likelihood intervals and tests.

    Firth, Biometrika 1993;80:27; Heinze and Schemper, Stat Med 2002;21:2409. By the firthmodels package. A limit that
    the profile does not reach is NaN; that of the intercept is of no interest.
    """
    from firthmodels import FirthLogisticRegression

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            model = FirthLogisticRegression(max_iter=200).fit(x, y)
            model.lrt()
            warnings.simplefilter("ignore")
            interval = model.conf_int(method="pl")
        except (Warning, RuntimeError, np.linalg.LinAlgError, ValueError):
            return None
    width = x.shape[1]
    return np.column_stack([model.coef_, interval[:width], model.lrt_pvalues_[:width]])


@dataclass(frozen=True)
class LogisticModel:
    """Coefficients by variable, and how they were found: `ML`, `Firth`, or `none` (the prevalence for everyone)."""

    coefficients: dict[str, float]
    intercept: float
    method: str

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """Risk of each row; x has the model's variables among its columns."""
        weighted = x[list(self.coefficients)].to_numpy(float) @ np.array(list(self.coefficients.values()), float)
        return expit(self.intercept + weighted)


def fit_logistic(y: np.ndarray, x: pd.DataFrame, firth: bool = True) -> LogisticModel:
    """Maximum likelihood; Firth's penalised likelihood where that does not exist (separation) and `firth` allows it.

    Without a column, or where no estimate exists, the model predicts the prevalence.
    """
    from firthmodels import FirthLogisticRegression

    y, values, names = np.asarray(y, float), x.to_numpy(float), list(x.columns)
    fit = _fit(y, values) if names else None
    if fit is not None:
        return LogisticModel(dict(zip(names, fit.params[1:].tolist(), strict=True)), float(fit.params[0]), "ML")
    if names and firth:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                model = FirthLogisticRegression(max_iter=200).fit(values, y)
                found = dict(zip(names, model.coef_.tolist(), strict=True))
                return LogisticModel(found, float(model.intercept_), "Firth")
            except (Warning, RuntimeError, np.linalg.LinAlgError, ValueError) as error:
                print(f"no logistic model of {', '.join(names)}: {error}")
    return LogisticModel({}, float(logit(y.mean())), "none")


def logistic_table(y: np.ndarray, x: pd.DataFrame, firth: bool = False) -> pd.DataFrame:
    """Odds ratios with 95 % intervals and P values of one model with all columns of `x`.

    A column that those before it determine is left out, as R's glm does (`find_aliases`).

    Args:
        firth: where the maximum likelihood estimate does not exist (separation), fall back on Firth's.

    Returns: variable, coefficient, odds_ratio, low, high, p, method (`Wald`, `Firth`, or with NaN `none` and, for a
    column that was left out, `collinear`).
    """
    aliases = find_aliases(x) if x.shape[1] > 1 else {}
    if aliases:
        found = logistic_table(y, x.drop(columns=list(aliases)), firth).set_index("variable")
        found = found.reindex(list(x.columns)).rename_axis("variable").reset_index()
        return found.fillna({"method": "collinear"})
    y, values = np.asarray(y, float), x.to_numpy(float)
    fit, method = _fit(y, values), "Wald"
    if fit is not None and x.shape[1]:
        found = np.column_stack([fit.params[1:], np.asarray(fit.conf_int())[1:], fit.pvalues[1:]])
    else:
        found, method = (_firth(y, values) if firth and x.shape[1] else None), "Firth"
        if found is None:
            found, method = np.full((x.shape[1], 4), np.nan), "none"
    with np.errstate(over="ignore"):
        # A ratio per unit of something that spans a thousandth may be too large for a number.
        ratios = np.exp(found[:, :3])
    return pd.DataFrame(
        {
            "variable": list(x.columns),
            "coefficient": found[:, 0],
            "odds_ratio": ratios[:, 0],
            "low": ratios[:, 1],
            "high": ratios[:, 2],
            "p": found[:, 3],
            "method": method,
        }
    )


def univariable_table(y: np.ndarray, x: pd.DataFrame, firth: bool = False) -> pd.DataFrame:
    """`logistic_table` of each column alone; empty where there is no column."""
    parts = [logistic_table(y, x[[c]], firth) for c in x.columns]
    return pd.concat(parts, ignore_index=True) if parts else logistic_table(y, x)


def _log_likelihood(y: np.ndarray, x: pd.DataFrame) -> float:
    """Log-likelihood of the model with all columns (none: intercept only); -inf where no estimate exists."""
    if not x.shape[1]:
        share = y.mean()
        return float(len(y) * (share * np.log(share) + (1 - share) * np.log(1 - share)))
    fit = _fit(y, x.to_numpy(float))
    return float(fit.llf) if fit is not None else float("-inf")


def _likelihood_ratio_p(y: np.ndarray, x: pd.DataFrame, others: list[str], variable: str, firth: bool) -> float:
    """P of the likelihood ratio test of one variable beside others; Firth's where separated and `firth` allows it."""
    full = _log_likelihood(y, x[[*others, variable]])
    if np.isinf(full) and firth:
        found = _firth(y, x[[*others, variable]].to_numpy(float))
        return 1.0 if found is None else float(found[-1, 3])
    return float(chi2.sf(2 * (full - _log_likelihood(y, x[others])), 1))


def forward_likelihood_ratio(
    y: np.ndarray, x: pd.DataFrame, entry: float = 0.05, removal: float = 0.10, firth: bool = False
) -> list[str]:
    """Forward selection by likelihood ratio tests, with removal, as SPSS "Forward: LR" (docs/methods.md 3.6).

    In each step the variable with the smallest P below `entry` joins; then each variable whose removal has a
    P above `removal` leaves, the largest P first. One that the others determine never joins them.

    Args:
        firth: test a variable that separates the outcome by Firth's penalised likelihood; otherwise it never joins.

    Returns: the variables in the order of entry.
    """
    y = np.asarray(y, float)
    chosen: list[str] = []
    seen = set()
    while tuple(chosen) not in seen:
        # A set of variables that comes back would come back for ever.
        seen.add(tuple(chosen))
        others = [v for v in x.columns if v not in chosen and v not in find_aliases(x[[*chosen, v]])]
        p = {v: _likelihood_ratio_p(y, x, chosen, v, firth) for v in others}
        best = min(p, key=p.get, default=None)
        if best is None or not p[best] < entry:
            break
        chosen = [*chosen, best]
        while len(chosen) > 1:
            out = {v: _likelihood_ratio_p(y, x, [c for c in chosen if c != v], v, firth) for v in chosen}
            worst = max(out, key=out.get)
            if out[worst] <= removal:
                break
            chosen = [c for c in chosen if c != worst]
    return chosen


def collinearity(x: pd.DataFrame) -> pd.DataFrame:
    """Variance inflation factor and tolerance = 1 / VIF of each variable, given the others and a constant.

    Flags a tolerance < 0.1 or a VIF > 5 (Yan 2023, docs/methods.md 3.6).

    Returns: variable, vif, tolerance, flag.
    """
    import statsmodels.api as sm
    from statsmodels.stats.outliers_influence import variance_inflation_factor

    design = sm.add_constant(x.to_numpy(float), has_constant="add")
    with np.errstate(divide="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        factor = np.array([variance_inflation_factor(design, i + 1) for i in range(x.shape[1])])
    tolerance = 1 / factor
    return pd.DataFrame(
        {
            "variable": list(x.columns),
            "vif": factor,
            "tolerance": tolerance,
            "flag": (tolerance < 0.1) | (factor > 5),
        }
    )


def two_by_two_odds_ratio(a: int, b: int, c: int, d: int) -> tuple[float, float, float]:
    """Odds ratio ad / bc with Woolf's 95 % interval.

    Args:
        a, b: exposed with and without the outcome; c, d: unexposed with and without it.
    """
    ratio = a * d / (b * c)
    half = 1.959963984540054 * np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    return ratio, float(ratio * np.exp(-half)), float(ratio * np.exp(half))


def exponentiated_ols_slope(y: np.ndarray, x: np.ndarray) -> tuple[float, float, float]:
    """exp(slope) of ordinary least squares on the 0/1 outcome, with its 90 % t interval.

    What Zhang 2025 prints in Table 2 as odds ratio with 95 % interval (docs/methods.md 5.6). For the check of that
    table only: it is no odds ratio, and no model of this workflow uses it.
    """
    import statsmodels.api as sm

    fit = sm.OLS(np.asarray(y, float), sm.add_constant(np.asarray(x, float))).fit()
    low, high = fit.conf_int(alpha=0.10)[1]
    return float(np.exp(fit.params[1])), float(np.exp(low)), float(np.exp(high))
