"""A model that was fitted elsewhere, fitted to the risk of other patients: how, what it gains, whether it is needed.

Steyerberg, Clinical Prediction Models, 2nd edition, Springer 2019, chapter 20 (updating for a new setting): the
intercept alone is fitted again (recalibration in the large), or intercept and slope (logistic recalibration). Which of
them is recommended, a closed test says (Vergouwe, Nieboer, Oostenbrink, Debray, Murray, Kattan, Koffijberg, Moons and
Steyerberg, Stat Med 2017;36:4529). Their largest model fits every coefficient again; networks and forests have none, so
that here the largest model is that of intercept and slope.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hcc_recurrence.statistics.calibration import (
    calibration_measures,
    certain_risks,
    in_the_large,
    intercept_and_slope,
)
from hcc_recurrence.statistics.degenerate import ONE_OUTCOME, why_no_interval

UNTOUCHED, IN_THE_LARGE, BOTH = "untouched", "in the large", "intercept and slope"
UPDATES = (UNTOUCHED, IN_THE_LARGE, BOTH)
# P below which the simpler model is given up.
LEVEL = 0.05


@dataclass(frozen=True)
class Update:
    """Another risk of a model: expit(intercept + slope logit(p)), with 95 % Wald intervals where they were fitted."""

    name: str
    intercept: float = 0.0
    slope: float = 1.0
    intercept_interval: tuple[float, float] = (float("nan"), float("nan"))
    slope_interval: tuple[float, float] = (float("nan"), float("nan"))
    deviance: float = float("nan")

    def risk(self, probability: np.ndarray) -> np.ndarray:
        """The risks after the update, like `probability`; those of an untouched model are left as they are."""
        from scipy.special import expit

        if self.name == UNTOUCHED:
            return np.asarray(probability, float)
        return expit(self.intercept + self.slope * linear_predictor(probability))


def linear_predictor(probability: np.ndarray) -> np.ndarray:
    """Logit of the risks; infinite of risks of exactly 0 and 1, which no update moves (`certain_risks`)."""
    from scipy.special import logit

    return logit(np.asarray(probability, float))


def fit_update(name: str, y: np.ndarray, probability: np.ndarray) -> Update | None:
    """One of UPDATES by maximum likelihood; None where it does not exist (one outcome, one risk, separation, a risk of
    exactly 0 or 1 that was wrong). Risks of 0 and 1 that were right have no part in it (`certain_risks`).
    """
    import statsmodels.api as sm

    certain, wrong = certain_risks(y, probability)
    if wrong:
        return Update(UNTOUCHED, deviance=float("inf")) if name == UNTOUCHED else None
    y, linear = np.asarray(y, float)[~certain], linear_predictor(probability)[~certain]
    if name == UNTOUCHED:
        return Update(UNTOUCHED, deviance=_deviance(y, linear))
    if not 0 < y.sum() < len(y):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if name == IN_THE_LARGE:
            intercept = in_the_large(y, linear)
            fitted = sm.GLM(y, np.ones((len(y), 1)), family=sm.families.Binomial(), offset=linear)
            # Newton's steps overshoot from 0 where most risks are 0 or 1: it starts where the maximum is.
            found = fitted.fit(start_params=[intercept])
            low, high = np.asarray(found.conf_int())[0]
            shift = float(intercept)
            return Update(IN_THE_LARGE, shift, 1.0, (float(low), float(high)), deviance=_deviance(y, linear + shift))
        separated = linear[y == 1].min() >= linear[y == 0].max() or linear[y == 0].min() >= linear[y == 1].max()
        if np.ptp(linear) <= 1e-9 or separated:
            return None
        found = sm.GLM(y, sm.add_constant(linear), family=sm.families.Binomial()).fit()
    limits = np.asarray(found.conf_int())
    a, b = (float(v) for v in found.params)
    if certain.any() and b <= 0:
        return None
    intervals = [(float(low), float(high)) for low, high in limits]
    return Update(BOTH, a, b, *intervals, deviance=_deviance(y, a + b * linear))


def _deviance(y: np.ndarray, linear: np.ndarray) -> float:
    """-2 log likelihood of 0/1 outcomes."""
    return float(2 * np.sum(np.logaddexp(0, linear) - y * linear))


@dataclass(frozen=True)
class ClosedTest:
    """P of an untouched model, and of one recalibrated in the large, against intercept and slope; what they choose."""

    p_untouched: float
    p_in_the_large: float
    chosen: str


def closed_test(y: np.ndarray, probability: np.ndarray) -> ClosedTest:
    """The simplest of UPDATES that the data do not speak against (Vergouwe et al. 2017).

    Likelihood ratio tests against intercept and slope: the untouched model with 2 degrees of freedom, at P >= 0.05 it
    is kept; else recalibration in the large with 1 degree. `chosen` is empty where there is nothing to test.
    """
    from scipy.stats import chi2

    full = fit_update(BOTH, y, probability)
    if full is None:
        return ClosedTest(float("nan"), float("nan"), "")
    deviances = [fit_update(name, y, probability).deviance for name in (UNTOUCHED, IN_THE_LARGE)]
    p = [float(chi2.sf(max(d - full.deviance, 0.0), df)) for d, df in zip(deviances, (2, 1), strict=True)]
    chosen = UNTOUCHED if p[0] >= LEVEL else IN_THE_LARGE if p[1] >= LEVEL else BOTH
    return ClosedTest(*p, chosen)


def observed_expected_interval(y: np.ndarray, probability: np.ndarray) -> tuple[float, float]:
    """95 % interval of the ratio of observed to expected events, on the scale of its logarithm.

    The standard error of ln(O/E) is sqrt((1 - O/n) / O) (Debray et al., BMJ 2017;356:i6460, appendix). NaN without
    events, and where none is expected.
    """
    observed, n = float(np.sum(y)), len(y)
    if not observed or not np.sum(probability) > 0:
        return float("nan"), float("nan")
    ratio, half = observed / float(np.sum(probability)), 1.959963984540054 * np.sqrt((1 - observed / n) / observed)
    return float(ratio * np.exp(-half)), float(ratio * np.exp(half))


def _measures(y: np.ndarray, risk: np.ndarray) -> dict[str, float]:
    found = calibration_measures(y, risk)
    return {"calibration_intercept": found.intercept, "calibration_slope": found.slope, "brier": found.brier}


def _quick_measures(y: np.ndarray, linear: np.ndarray) -> list[float]:
    """The same three by linear predictors, for resamples."""
    from scipy.special import expit

    told = np.isfinite(linear)
    slope = intercept_and_slope(y[told], linear[told])[1]
    large = in_the_large(y[told], linear[told]) if 0 < y[told].sum() < told.sum() else float("nan")
    return [large, slope, float(np.mean((expit(linear) - y) ** 2))]


def recalibration_table(y: np.ndarray, probability: np.ndarray, resamples: int, seed: int) -> pd.DataFrame:
    """The untouched model, and the two recalibrations of it, one row each.

    A recalibration is fitted on the patients that it is measured on: `corrected_*` take off what that flatters it by
    (bootstrap over patients: fitted in a resample, measured in it and on all patients; Harrell, Lee and Mark, Stat Med
    1996;15:361). Nothing is fitted in the untouched model: its corrected measures are its measures.

    Args:
        y: (n,) 0/1. probability: (n,).

    Returns: update, intercept, slope, observed_expected, their limits, calibration_intercept, calibration_slope, brier,
    corrected_intercept, corrected_slope, corrected_brier, p_against_both, chosen, remark.
    """
    y, probability = np.asarray(y, float), np.asarray(probability, float)
    test = closed_test(y, probability)
    p_values = {UNTOUCHED: test.p_untouched, IN_THE_LARGE: test.p_in_the_large}
    few = why_no_interval((int(y.sum()), int((1 - y).sum())))
    certain, wrong = certain_risks(y, probability)
    left_out = f"without {certain.sum()} risks of exactly 0 or 1" if certain.any() and not wrong else ""
    mistaken = f"a risk of exactly 0 or 1 was wrong {wrong} times: no intercept and slope" if wrong else ""
    rows = []
    for name in UPDATES:
        update = fit_update(name, y, probability)
        if update is None:
            why = mistaken or "every pair in one order, or one risk for everyone"
            why = ONE_OUTCOME if few == ONE_OUTCOME else why
            rows.append({"update": name, "chosen": False, "remark": why})
            continue
        risk = update.risk(probability)
        own = _measures(y, risk)
        corrected = own if name == UNTOUCHED else _corrected(name, y, probability, own, resamples, seed)
        # After another intercept the ratio is 1 by construction.
        none = (float("nan"), float("nan"))
        ratio = observed_expected_interval(y, risk) if name == UNTOUCHED and not few else none
        limits = (*update.intercept_interval, *update.slope_interval)
        names = ("intercept_low", "intercept_high", "slope_low", "slope_high")
        rows.append(
            {
                "update": name,
                "intercept": update.intercept,
                "slope": update.slope,
                **dict(zip(names, limits if not few else [float("nan")] * 4, strict=True)),
                "observed_expected": float(y.sum() / risk.sum()) if risk.sum() > 0 else float("nan"),
                **dict(zip(("observed_expected_low", "observed_expected_high"), ratio, strict=True)),
                **own,
                **{f"corrected_{key.removeprefix('calibration_')}": value for key, value in corrected.items()},
                "p_against_both": p_values.get(name, float("nan")) if not few else float("nan"),
                "chosen": bool(test.chosen == name and not few),
                "remark": "; ".join(w for w in (few, mistaken or left_out) if w),
            }
        )
    columns = ["update", "intercept", "intercept_low", "intercept_high", "slope", "slope_low", "slope_high"]
    columns += [
        "observed_expected",
        "observed_expected_low",
        "observed_expected_high",
        "calibration_intercept",
        "calibration_slope",
        "brier",
    ]
    columns += ["corrected_intercept", "corrected_slope", "corrected_brier", "p_against_both", "chosen", "remark"]
    return pd.DataFrame(rows).reindex(columns=columns)


def _corrected(
    name: str, y: np.ndarray, probability: np.ndarray, own: dict[str, float], resamples: int, seed: int
) -> dict[str, float]:
    """Measures less their mean optimism over the resamples in which the update can be fitted."""
    generator, gaps = np.random.default_rng(seed), []
    linear = linear_predictor(probability)
    for _ in range(resamples):
        drawn = generator.integers(0, len(y), len(y))
        told = drawn[np.isfinite(linear[drawn])]
        if not 0 < y[told].sum() < len(told):
            continue
        if name == IN_THE_LARGE:
            a, b = in_the_large(y[told], linear[told]), 1.0
        else:
            a, b = intercept_and_slope(y[told], linear[told])
        # Of a falling slope a risk of 0 would become one of 1.
        if not np.isfinite([a, b]).all() or (b <= 0 and np.isinf(linear).any()):
            continue
        inside, outside = _quick_measures(y[drawn], a + b * linear[drawn]), _quick_measures(y, a + b * linear)
        gaps.append([i - o for i, o in zip(inside, outside, strict=True)])
    if not gaps or 2 * len(gaps) < resamples:
        return dict.fromkeys(own, float("nan"))
    with warnings.catch_warnings():
        # A slope that no resample has stays missing.
        warnings.simplefilter("ignore", RuntimeWarning)
        mean = np.nanmean(np.asarray(gaps), axis=0)
    return {key: own[key] - float(gap) for key, gap in zip(own, mean, strict=True)}


def cutoff_table(y: np.ndarray, probability: np.ndarray, carried: float, resamples: int, seed: int) -> pd.DataFrame:
    """The cut-off that came with the model beside Youden's of these patients: counts, sensitivity, specificity.

    The second is chosen on the patients that it is measured on; `corrected_*` take off what that flatters it by, as
    `recalibration_table` does.

    Returns: cutoff_from (`carried`, `these patients`), cutoff, tp, fn, tn, fp, sensitivity, specificity,
    corrected_sensitivity, corrected_specificity, remark.
    """
    from hcc_recurrence.statistics.auc import youden_threshold
    from hcc_recurrence.statistics.classification import count

    y, score = np.asarray(y), np.asarray(probability, float).round(10)
    both = 0 < int(y.sum()) < len(y)
    rows = []
    for name in ("carried", "these patients"):
        own = carried if name == "carried" else youden_threshold(y, score) if both else float("nan")
        if not np.isfinite(own):
            remark = ONE_OUTCOME if not both else "the model came without a cut-off"
            rows.append({"cutoff_from": name, "cutoff": float("nan"), "remark": remark})
            continue
        found = count(y, score, own)
        rates = {"sensitivity": found.sensitivity, "specificity": found.specificity}
        corrected = rates if name == "carried" else _corrected_rates(y, score, rates, resamples, seed)
        counts = {key: getattr(found, key) for key in ("tp", "fn", "tn", "fp")}
        rows.append(
            {
                "cutoff_from": name,
                "cutoff": float(own),
                **counts,
                **rates,
                **{f"corrected_{key}": value for key, value in corrected.items()},
                "remark": "",
            }
        )
    columns = ["cutoff_from", "cutoff", "tp", "fn", "tn", "fp", "sensitivity", "specificity"]
    return pd.DataFrame(rows).reindex(columns=[*columns, "corrected_sensitivity", "corrected_specificity", "remark"])


def _corrected_rates(
    y: np.ndarray, score: np.ndarray, own: dict[str, float], resamples: int, seed: int
) -> dict[str, float]:
    from hcc_recurrence.statistics.auc import youden_threshold
    from hcc_recurrence.statistics.classification import count

    generator, gaps = np.random.default_rng(seed), []
    for _ in range(resamples):
        drawn = generator.integers(0, len(y), len(y))
        if not 0 < int(y[drawn].sum()) < len(y):
            continue
        threshold = youden_threshold(y[drawn], score[drawn])
        inside, outside = count(y[drawn], score[drawn], threshold), count(y, score, threshold)
        gaps.append([getattr(inside, key) - getattr(outside, key) for key in own])
    if not gaps:
        return dict.fromkeys(own, float("nan"))
    mean = np.mean(np.asarray(gaps), axis=0)
    return {key: own[key] - float(gap) for key, gap in zip(own, mean, strict=True)}
