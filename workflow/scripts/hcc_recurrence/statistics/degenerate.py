"""What has no interval and no test: models that tell nobody apart, and groups of a few patients. One rule for all.

DeLong's variance, the bootstrap, the log(-log) interval of Kaplan-Meier and the log-rank test are approximations for
many patients. In a handful they print limits that mean nothing, and for a model that gives everyone the same score they
print a P value of nothing against something.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from hcc_recurrence.endpoint import endpoint

# Below that many patients of one of the outcomes (or of the groups that are compared) there is no approximate interval,
# no approximate test and no curve; exact intervals (proportions) there are for any number.
LEAST_OF_EACH = 5
LEAST_PATIENTS = 2 * LEAST_OF_EACH
# A smoothed calibration curve of fewer patients of an outcome follows single patients, and so does the ICI, its mean
# distance from the diagonal. Our choice; Van Calster et al., J Clin Epidemiol 2016;74:167, ask for 200 of each.
LEAST_FOR_SMOOTHING = 20
# A standard error of 3e-8 of an AUC, a probability or a difference of them is the rounding of sums, and no uncertainty.
LEAST_VARIANCE = 1e-15
NOTHING = "one score for everyone"
FEW = f"fewer than {LEAST_OF_EACH} patients of an outcome"
TOO_FEW_TO_SMOOTH = f"fewer than {LEAST_FOR_SMOOTHING} patients of an outcome"
FEW_IN_A_GROUP = f"a group of fewer than {LEAST_OF_EACH} patients"
FEW_READ = f"fewer than {LEAST_PATIENTS} patients"
ONE_OUTCOME = "patients of one outcome only"
NOTHING_VARIES = "every pair in the same order"
SAME_ORDER = "both put every pair in the same order"
SAME_IN_RESAMPLES = "the same value in every resample"
PANEL_OF_MODEL = ["model", "protocol", "split", "estimate"]


def few_events() -> str:
    """What is said of too few patients whom the event of the outcome befell."""
    return f"fewer than {LEAST_OF_EACH} {endpoint().event}s or {LEAST_PATIENTS} patients"


def few_around() -> str:
    """What is said of too few of them before a time, or of too few patients beyond it."""
    return f"fewer than {LEAST_OF_EACH} {endpoint().event}s before or {LEAST_OF_EACH} patients beyond the time"


def enough(*numbers: int) -> bool:
    """Whether each of the groups has enough patients for an approximate interval or test."""
    return min(numbers) >= LEAST_OF_EACH


def why_no_interval(
    numbers: Sequence[int],
    variance: float | None = None,
    silent: str = "",
    few: str = FEW,
    same: str = NOTHING_VARIES,
) -> str:
    """The one rule of every table and figure: why an estimate has no interval and no test; empty where it has.

    Args:
        numbers: patients of each outcome, or of each group that is compared. variance: of the estimate, of whatever
            kind (DeLong, bootstrap); None where the method has none. silent: of `nothing_learned`. few, same: what is
            said of too few patients, and of a variance of 0 or none.
    """
    if few == FEW and not min(numbers):
        return ONE_OUTCOME
    if silent:
        return silent
    if not enough(*numbers):
        return few
    return same if variance is not None and not variance > LEAST_VARIANCE else ""


def smoothed(y: np.ndarray) -> bool:
    """Whether there are enough patients of each outcome for a smoothed calibration curve and an ICI."""
    positive = int(np.sum(y))
    return min(positive, len(y) - positive) >= LEAST_FOR_SMOOTHING


def kept(low: float, high: float, why: str) -> tuple[float, float]:
    """An interval, or NaN where there is a reason to have none."""
    return (float("nan"), float("nan")) if why else (float(low), float(high))


def _fits(fold: np.ndarray, repeat: np.ndarray) -> np.ndarray:
    """A number from 0 of the fit that each row is from."""
    folds, of_fold = np.unique(np.asarray(fold), return_inverse=True)
    _, of_repeat = np.unique(np.asarray(repeat), return_inverse=True)
    return np.unique(of_repeat * len(folds) + of_fold, return_inverse=True)[1]


def constant_fits(score: np.ndarray, fold: np.ndarray, repeat: np.ndarray) -> tuple[int, int]:
    """How many fits give all their patients the same score, and how many fits there are (of two patients or more).

    Args:
        score, fold, repeat: (n,), one row a patient and repeat.
    """
    score, fit = np.asarray(score, float), _fits(fold, repeat)
    size = np.bincount(fit)
    low, high = np.full(len(size), np.inf), np.full(len(size), -np.inf)
    np.minimum.at(low, fit, score)
    np.maximum.at(high, fit, score)
    several = size > 1
    return int((high - low <= 1e-9)[several].sum()), int(several.sum())


def nothing_learned(score: np.ndarray, fold: np.ndarray, repeat: np.ndarray) -> str:
    """Why a model has no cut-off, counts, interval or test: at least half of its fits give everyone the same score.

    A regression or LASSO that selects no variable predicts the prevalence of the rows it learned from, as a forest, a
    boosting or a network does that learned nothing: which of them it is, probabilities do not say. Pooled over folds
    these constants differ, and would look like scores.

    Returns: `one score for everyone`, or in how many of the fits; empty where most fits tell patients apart.
    """
    constant, fits = constant_fits(score, fold, repeat)
    if not fits or 2 * constant < fits:
        return ""
    return NOTHING if constant == fits else f"{NOTHING} in {constant} of {fits} fits"


def outcome_numbers(y: np.ndarray, repeat: np.ndarray) -> tuple[int, int]:
    """Patients with and without the outcome, the fewest of a repeat; y, repeat: (n,), one row a patient and repeat."""
    y = np.asarray(y).astype(bool)
    _, place = np.unique(np.asarray(repeat), return_inverse=True)
    positive, everyone = np.bincount(place, y), np.bincount(place)
    return int(positive.min()), int((everyone - positive).min())


def why_none(y: np.ndarray, score: np.ndarray, fold: np.ndarray, repeat: np.ndarray) -> str:
    """Why an AUC has no interval and no test; empty where it has, unless its variance is 0.

    Args:
        y, score, fold, repeat: (n,), one row a patient and repeat.
    """
    return why_no_interval(outcome_numbers(y, repeat), silent=nothing_learned(score, fold, repeat))


def remarks(predictions: pd.DataFrame) -> dict[tuple[str, str, str, str], str]:
    """`why_none` of each model, protocol, split and estimate of a predictions table, by its single fits."""
    return {
        key: why_none(*(rows[c].to_numpy() for c in ("y", "probability", "fold", "repeat")))
        for key, rows in predictions.groupby(PANEL_OF_MODEL)
    }


def models_of_nothing(predictions: pd.DataFrame) -> dict[tuple[str, str, str, str], str]:
    """`nothing_learned` of each model, protocol, split and estimate; those that tell patients apart are left out."""
    found = {
        key: nothing_learned(*(rows[c].to_numpy() for c in ("probability", "fold", "repeat")))
        for key, rows in predictions.groupby(PANEL_OF_MODEL)
    }
    return {key: words for key, words in found.items() if words}
