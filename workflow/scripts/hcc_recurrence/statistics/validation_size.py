"""How many patients an external validation needs, so that what it finds is precise (Riley's criteria).

Riley, Debray, Collins, Archer, Ensor, van Smeden and Snell, Stat Med 2021;40:4230: a width of the 95 % interval is
asked of the ratio of observed to expected events (O/E), of the calibration slope and of the C statistic (AUC); the
largest of the three numbers counts. R's and Stata's pmvalsampsize is by the same authors.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

Z = 1.959963984540054
# What the criteria are called in the config and in tables.
CRITERIA = {
    "observed_expected": "observed / expected events",
    "slope": "calibration slope",
    "c": "C statistic (AUC)",
}


def se_of_ratio(width: float) -> float:
    """Standard error of ln(O/E) at which the 95 % interval of an O/E of 1 is that wide (their section 3.1)."""
    return float(np.arcsinh(width / 2) / Z)


def patients_for_ratio(prevalence: float, se: float) -> float:
    """Patients for a standard error of ln(O/E): (1 - prevalence) / (prevalence se^2) (their section 3.1)."""
    return (1 - prevalence) / (prevalence * se**2)


def ratio_width(prevalence: float, n: int) -> float:
    """Width of the 95 % interval of an O/E of 1 in n patients: the reverse of the two above."""
    return float(2 * np.sinh(Z * np.sqrt((1 - prevalence) / (prevalence * n))))


def slope_information(logit: np.ndarray) -> float:
    """Information on the calibration slope in one patient, where the model is right (intercept 0, slope 1).

    The variance of the slope in n patients is 1 / (n i), i = I11 - I01^2 / I00, with Ijk the means of p (1 - p) times
    the powers of the linear predictor (their section 3.2).

    Args:
        logit: linear predictors with the distribution that is expected in the validation.
    """
    from scipy.special import expit

    weight = expit(logit) * expit(-logit)
    i00, i01, i11 = (float(np.mean(weight * logit**power)) for power in (0, 1, 2))
    return i11 - i01**2 / i00 if i00 > 0 else 0.0


def patients_for_slope(logit: np.ndarray, se: float) -> float:
    """Patients for a standard error of the calibration slope (their section 3.2); infinite where all risks are one."""
    information = slope_information(logit)
    return 1 / (information * se**2) if information > 1e-12 else float("inf")


def se_of_c(c: float, prevalence: float, n: float) -> float:
    """Standard error of a C statistic in n patients (their section 3.3, after Newcombe, Stat Med 2006;25:559)."""
    half = n / 2 - 1
    spread = 1 + half * (1 - c) / (2 - c) + half * c / (1 + c)
    return float(np.sqrt(c * (1 - c) * spread / (n**2 * prevalence * (1 - prevalence))))


def patients_for_c(c: float, prevalence: float, se: float) -> float:
    """Patients for a standard error of the C statistic: the root of `se_of_c`; 2 where the C is 0 or 1."""
    from scipy.optimize import brentq

    if se_of_c(c, prevalence, 2) <= se:
        return 2.0
    return float(brentq(lambda n: se_of_c(c, prevalence, n) - se, 2, 1e9, xtol=1e-6))


def size_table(y: np.ndarray, probability: np.ndarray, c: float, widths: Mapping[str, float]) -> pd.DataFrame:
    """Patients that each criterion asks for, beside those that are there, and the precision that these give.

    The rate of events and the distribution of the linear predictor are those of the patients at hand, as the authors
    advise for a data set that is already there; the model is taken as well calibrated.

    Args:
        y: (n,) 0/1. probability: (n,); kept 1e-6 away from 0 and 1, as for the calibration slope. c: the C statistic
            that is expected. widths: of the 95 % interval that is asked for, a key of CRITERIA each.

    Returns: criterion, expected, width_wanted, patients_needed, events_needed, patients, events, width_reached, enough;
    patients_needed is missing where no number is enough or the patients have one outcome.
    """
    from scipy.special import logit

    y, n = np.asarray(y, float), len(y)
    rate, linear = float(y.mean()), logit(np.clip(np.asarray(probability, float), 1e-6, 1 - 1e-6))
    one_outcome = rate in (0.0, 1.0)
    rows = []
    for name, words in CRITERIA.items():
        width = widths[name]
        needed = reached = float("nan")
        if not one_outcome and name == "observed_expected":
            needed, reached = patients_for_ratio(rate, se_of_ratio(width)), ratio_width(rate, n)
        elif not one_outcome and name == "slope":
            needed, information = patients_for_slope(linear, width / (2 * Z)), slope_information(linear)
            reached = 2 * Z / np.sqrt(n * information) if information > 1e-12 else float("nan")
        elif not one_outcome and np.isfinite(c):
            needed, reached = patients_for_c(c, rate, width / (2 * Z)), 2 * Z * se_of_c(c, rate, n)
        whole = float(np.ceil(needed - 1e-9)) if np.isfinite(needed) else float("nan")
        rows.append(
            {
                "criterion": words,
                "expected": c if name == "c" else 1.0,
                "width_wanted": width,
                "patients_needed": whole,
                "events_needed": float(np.ceil(whole * rate - 1e-9)) if np.isfinite(whole) else float("nan"),
                "patients": n,
                "events": int(y.sum()),
                "width_reached": reached,
                "enough": bool(n >= whole),
            }
        )
    return pd.DataFrame(rows)
