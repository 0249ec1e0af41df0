"""How far predicted probabilities can be believed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hcc_recurrence.statistics.degenerate import smoothed
from hcc_recurrence.statistics.loess import loess


@dataclass(frozen=True)
class Calibration:
    """Intercept (calibration in the large, slope fixed at 1), slope, and Brier score."""

    intercept: float
    slope: float
    brier: float


def certain_risks(y: np.ndarray, probability: np.ndarray) -> tuple[np.ndarray, int]:
    """Which risks are exactly 0 or 1 (forests, neighbours), and of how many of these the outcome was the other one.

    Their logit is infinite. Where the outcome was as they say, they add nothing to the likelihood of an intercept or a
    slope above 0: it is that of the other patients (rms' `val.prob` leaves them out as well). Where it was not, the
    likelihood is 0 whatever the intercept and slope: neither has an estimate. Held a little away from 0 and 1 they
    would have one that the distance decides (0.30 at 1e-3, 0.14 at 1e-6, 0.09 at 1e-9 in one cohort of 50 patients).

    Args:
        y: (n,) 0/1. probability: (n,).
    """
    y, p = np.asarray(y, float), np.asarray(probability, float)
    return (p <= 0) | (p >= 1), int((((p <= 0) & (y == 1)) | ((p >= 1) & (y == 0))).sum())


def calibration_measures(y: np.ndarray, probability: np.ndarray, quick: bool = False) -> Calibration:
    """Calibration intercept and slope by logistic regression on the logit, and the Brier score.

    Intercept and slope are of the patients whose risk is neither 0 nor 1 (`certain_risks`). NaN where the fit is
    impossible (probabilities constant, or separating the outcome, or certain of what did not happen).

    Args:
        quick: the slope by `intercept_and_slope` where that finds it, for resamples.
    """
    everyone, risks = np.asarray(y, float), np.asarray(probability, float)
    brier = float(np.mean((risks - everyone) ** 2))
    certain, wrong = certain_risks(everyone, risks)
    if wrong:
        return Calibration(float("nan"), float("nan"), brier)
    y, p = everyone[~certain], risks[~certain]
    logit = np.log(p / (1 - p))
    intercept = slope = float("nan")
    if 0 < y.sum() < len(y):
        import statsmodels.api as sm

        family = sm.families.Binomial()
        intercept = in_the_large(y, logit)
        # Where every pair is in the right (or wrong) order the slope is infinite; statsmodels only warns of it.
        separated = logit[y == 1].min() >= logit[y == 0].max() or logit[y == 0].min() >= logit[y == 1].max()
        if np.ptp(logit) > 1e-9 and not separated:
            slope = intercept_and_slope(y, logit)[1] if quick else slope
            if np.isnan(slope):
                slope = float(sm.GLM(y, sm.add_constant(logit), family=family).fit().params[1])
    if certain.any() and not slope > 0:
        # Of a falling slope certain risks are certain of the wrong outcome.
        slope = float("nan")
    return Calibration(intercept, slope, brier)


def intercept_and_slope(y: np.ndarray, linear: np.ndarray, steps: int = 50) -> tuple[float, float]:
    """Logistic regression on one linear predictor by Newton's steps: statsmodels takes forty times as long, which
    counts in thousands of resamples. NaN where the maximum is not found (separation, one outcome, one value).
    """
    from scipy.special import expit

    design, beta = np.column_stack([np.ones(len(y)), linear]), np.zeros(2)
    if not 0 < y.sum() < len(y) or np.ptp(linear) <= 1e-9:
        return float("nan"), float("nan")
    for _ in range(steps):
        risk = expit(design @ beta)
        information = design.T @ (design * (risk * (1 - risk))[:, None])
        if not np.linalg.cond(information) < 1e12:
            break
        step = np.linalg.solve(information, design.T @ (y - risk))
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            return float(beta[0]), float(beta[1])
    return float("nan"), float("nan")


def in_the_large(y: np.ndarray, logit: np.ndarray) -> float:
    """The constant that, added to every logit, makes the mean risk the observed rate: the maximum of the likelihood.

    Found in a bracket. Newton's steps (IRLS) overshoot where most probabilities are 0 or 1, and end near 1e15.

    Args:
        y: (n,) 0/1, both present. logit: (n,), finite.
    """
    from scipy.optimize import brentq
    from scipy.special import expit

    # With every patient at the rate or above it there are too many events, and the other way round.
    centre = np.log(y.mean() / (1 - y.mean()))
    low, high = centre - logit.max() - 1e-9, centre - logit.min() + 1e-9
    return float(brentq(lambda shift: float(np.sum(expit(shift + logit) - y)), low, high, xtol=1e-12, rtol=1e-14))


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


@dataclass(frozen=True)
class HosmerLemeshow:
    """Chi-square of observed against expected events in groups of risk, its degrees of freedom and P.

    A small P speaks against the predicted risks. A large one does not show that they are right: in few patients
    the test finds little, and it depends on the groups. It is no measure of how well a model is calibrated.
    """

    chi_square: float
    df: int
    p: float
    groups: int


def hosmer_lemeshow(
    y: np.ndarray, probability: np.ndarray, groups: int = 10, fitted_here: bool = False
) -> HosmerLemeshow:
    """Hosmer-Lemeshow test over quantile groups; tied probabilities stay together.

    Hosmer and Lemeshow, Commun Stat Theory Methods 1980;9:1043. Degrees of freedom: groups - 2 on the patients the
    model was fitted on, groups on others (docs/methods.md 7).

    Returns: HosmerLemeshow; NaN where fewer than three groups can be made, or where the risk of one is exactly 0 or 1:
    of one event in it the statistic is infinite, of none it is 0 / 0.
    """
    from scipy.stats import chi2

    y, p = np.asarray(y, float), np.asarray(probability, float)
    edges = np.unique(np.quantile(p, np.linspace(0, 1, groups + 1)))
    number = len(edges) - 1
    if number < 3:
        return HosmerLemeshow(float("nan"), 0, float("nan"), max(number, 1))
    group = np.clip(np.searchsorted(edges, p, side="left") - 1, 0, number - 1)
    observed, expected, size = (np.bincount(group, w, number) for w in (y, p, np.ones(len(y))))
    filled = size > 0
    observed, expected, size = observed[filled], expected[filled], size[filled]
    mean = expected / size
    if (mean < 1e-12).any() or (mean > 1 - 1e-12).any():
        return HosmerLemeshow(float("nan"), 0, float("nan"), int(filled.sum()))
    value = float(((observed - expected) ** 2 / (size * mean * (1 - mean))).sum())
    df = int(filled.sum()) - (2 if fitted_here else 0)
    return HosmerLemeshow(value, df, float(chi2.sf(value, df)), int(filled.sum()))


def smooth_calibration(y: np.ndarray, probability: np.ndarray, at: np.ndarray, span: float = 0.75) -> np.ndarray:
    """Loess of the outcome on the predicted probability, read at `at`, within 0 and 1; NaN outside the predicted range.

    Args:
        span: share of patients in each local fit (Austin and Steyerberg, Stat Med 2019;38:4051 use R's default, 0.75,
            with R's default degree, 2).
    """
    return np.clip(_smoothed(y, probability, at, span), 0, 1)


def _smoothed(y: np.ndarray, probability: np.ndarray, at: np.ndarray, span: float) -> np.ndarray:
    p, at = np.asarray(probability, float), np.asarray(at, float)
    if np.ptp(p) < 1e-9:
        return np.where(np.isclose(at, p[0]), np.mean(y), np.nan)
    return loess(p, np.asarray(y, float), at, span)


def lowess_calibration(y: np.ndarray, probability: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Lowess of the outcome on the predicted probability with lines between its values, as R's rms `calibrate`.

    Of two different predictions it is the line through their observed rates; a local quadratic (`smooth_calibration`)
    is not determined there.

    Returns: like `at`; NaN outside the predicted range. Not held within 0 and 1, as in rms.
    """
    from statsmodels.nonparametric.smoothers_lowess import lowess

    # Risks that differ in the last bit of a sum are one risk.
    y, p, at = np.asarray(y, float), np.asarray(probability, float).round(10), np.asarray(at, float)
    if np.ptp(p) < 1e-9:
        return np.where(np.isclose(at, p[0]), np.mean(y), np.nan)
    neighbours = int(2 / 3 * len(p) + 1e-7)
    with np.errstate(invalid="ignore"):
        curve = lowess(y, p, frac=2 / 3, it=0, return_sorted=True)
    x, first, count = np.unique(curve[:, 0], return_index=True, return_counts=True)
    fitted = curve[first, 1]
    # Where all neighbours have one prediction R's lowess has their mean, statsmodels' 0 or nothing.
    for i in np.flatnonzero(count >= neighbours):
        fitted[i] = y[p == x[i]].mean()
    return np.interp(at, x, fitted, left=np.nan, right=np.nan)


def integrated_calibration_index(y: np.ndarray, probability: np.ndarray, span: float = 0.75) -> float:
    """Mean distance of predicted from smoothed observed risk (Austin and Steyerberg, Stat Med 2019;38:4051).

    The smoothed risk is taken as the loess gives it, also below 0 and above 1, as in their code.
    """
    p = np.asarray(probability, float)
    return float(np.nanmean(np.abs(_smoothed(y, p, p, span) - p)))


def calibration_band(
    y: np.ndarray, probability: np.ndarray, at: np.ndarray, resamples: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Smoothed calibration curve with its 95 % band by bootstrap over patients: curve, low, high, each like `at`.

    Neither is there of a handful of patients (`degenerate`).
    """
    y, p = np.asarray(y, float), np.asarray(probability, float)
    if not smoothed(y):
        none = np.full(len(at), np.nan)
        return none, none, none
    generator = np.random.default_rng(seed)
    curves = np.full((resamples, len(at)), np.nan)
    for row in curves:
        drawn = generator.integers(0, len(y), len(y))
        row[:] = smooth_calibration(y[drawn], p[drawn], at)
    # Where under half of the resamples reach, there is nothing to draw a band from.
    rare = np.isfinite(curves).mean(axis=0) < 0.5
    curves[:, rare] = 0.5
    low, high = np.nanpercentile(curves, [2.5, 97.5], axis=0)
    low[rare], high[rare] = np.nan, np.nan
    return smooth_calibration(y, p, at), low, high


@dataclass(frozen=True)
class Corrected:
    """A measure on the fitting patients, its mean optimism over the resamples, and their difference."""

    apparent: float
    optimism: float

    @property
    def corrected(self) -> float:
        return self.apparent - self.optimism


def optimism_corrected(
    x: np.ndarray,
    y: np.ndarray,
    fit: Callable[[np.ndarray, np.ndarray], Callable[[np.ndarray], np.ndarray]],
    at: np.ndarray,
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[dict[str, Corrected], pd.DataFrame]:
    """Harrell's bootstrap: refit in each resample, test on it and on the original patients, average the difference.

    Harrell, Lee and Mark, Stat Med 1996;15:361, as R's rms `validate` and `calibrate` do; the curve is lowess, of
    degree 1, as in `calibrate`.

    Args:
        x: (patients, variables). fit: takes x and y, returns a function from x to probabilities. at: probabilities
            at which the calibration curve is wanted. Resamples in which the fit fails (ValueError) are left out.

    Returns: measures auc, brier, slope, intercept -> Corrected, whose optimism is NaN where fewer than half of the
    resamples have the measure; curve: at, apparent, corrected.

    Raises: ValueError where the fit on all patients fails.
    """
    from hcc_recurrence.statistics.auc import delong_components

    def measure(outcome: np.ndarray, p: np.ndarray, quick: bool = True) -> tuple[dict[str, float], np.ndarray]:
        found = calibration_measures(outcome, p, quick)
        # Risks that differ in the last bit of a sum are one risk (`single_models.rounded`).
        area = delong_components(outcome, p.round(10))[0]
        values = {"auc": area, "brier": found.brier, "slope": found.slope, "intercept": found.intercept}
        return values, lowess_calibration(outcome, p, at)

    apparent, curve = measure(y, fit(x, y)(x), quick=False)
    generator = np.random.default_rng(seed)
    gaps: dict[str, list[float]] = {name: [] for name in apparent}
    curves = []
    for _ in range(resamples):
        drawn = generator.integers(0, len(y), len(y))
        if len(set(y[drawn].tolist())) < 2:
            continue
        try:
            model = fit(x[drawn], y[drawn])
        except ValueError:
            continue
        inside, inside_curve = measure(y[drawn], model(x[drawn]))
        outside, outside_curve = measure(y, model(x))
        for name in gaps:
            gaps[name].append(inside[name] - outside[name])
        curves.append(inside_curve - outside_curve)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        shift = np.nanmean(curves, axis=0) if curves else np.full(len(at), np.nan)
        # Resamples that have no value are those that separate the outcome, and no sample of all: of fewer than half of
        # them the rest says nothing.
        known = {name: 2 * np.isfinite(gaps[name]).sum() >= resamples for name in gaps}
        measures = {
            name: Corrected(apparent[name], float(np.nanmean(gaps[name])) if known[name] else float("nan"))
            for name in apparent
        }
    return measures, pd.DataFrame({"at": at, "apparent": curve, "corrected": np.clip(curve - shift, 0, 1)})
