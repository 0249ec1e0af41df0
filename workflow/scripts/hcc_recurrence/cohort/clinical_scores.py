"""Clinical scores and stages that the papers compare themselves with (docs/methods.md 6).

A missing input gives a missing score: nothing is imputed here. Sources are second-hand where docs/methods.md 6 says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from hcc_recurrence.cohort.units import UNITS, unit_factor

STAGE_INPUTS = (
    "tumour_number",
    "diameter",
    "macrovascular_invasion",
    "extrahepatic_spread",
    "ecog_ps",
    "child_pugh",
)
# Of tumours in `bclc_stage` and `cnlc_stage`: at most so many mm, and so many.
STAGE_THRESHOLDS = ({"diameter": 20, "tumour_number": 1}, {"diameter": 30, "tumour_number": 3}, {"diameter": 50})
# Score -> what it is computed from.
INPUTS = {
    "BCLC": STAGE_INPUTS,
    "CNLC": STAGE_INPUTS,
    "ALBI": ("bilirubin", "albumin"),
    "Child-Pugh": ("child_pugh",),
    "NLR": ("neutrophils", "lymphocytes"),
    "PLR": ("platelets", "lymphocytes"),
    "LMR": ("lymphocytes", "monocytes"),
    # Its coefficients could not be checked, so it must not carry the name ERASL-pre (docs/methods.md 6).
    "ERASL-like (unverified)": ("sex", "bilirubin", "albumin", "afp", "diameter", "tumour_number"),
}
BCLC_STAGES = ("0", "A", "B", "C", "D")
CNLC_STAGES = ("Ia", "Ib", "IIa", "IIb", "IIIa", "IIIb", "IV")


def albi_score(bilirubin_umol_l: np.ndarray, albumin_g_l: np.ndarray) -> np.ndarray:
    """0.66 log10(bilirubin) - 0.0852 albumin (Johnson 2015, J Clin Oncol 33:550; verified second-hand)."""
    return 0.66 * np.log10(bilirubin_umol_l) - 0.0852 * np.asarray(albumin_g_l, float)


def albi_grade(score: np.ndarray) -> np.ndarray:
    """1: <= -2.60; 2: up to -1.39; 3: above; NaN stays NaN."""
    score = np.asarray(score, float)
    grade = np.where(score <= -2.60, 1.0, np.where(score <= -1.39, 2.0, 3.0))
    return np.where(np.isnan(score), np.nan, grade)


def child_pugh_class(
    bilirubin_umol_l: float, albumin_g_l: float, inr: float, ascites: int, encephalopathy: int
) -> tuple[int, str]:
    """Points (5 to 15) and class of one patient.

    Bilirubin < 34, 34 to 51, > 51 umol/L; albumin > 35, 28 to 35, < 28 g/L; INR < 1.7, 1.7 to 2.3, > 2.3;
    ascites 0 none, 1 slight, 2 more; encephalopathy 0 none, 1 grade I to II, 2 grade III to IV. A 5-6, B 7-9, C 10-15.

    Raises: ValueError where a value is missing.
    """
    values = (bilirubin_umol_l, albumin_g_l, inr, ascites, encephalopathy)
    if any(v is None or np.isnan(v) for v in values):
        raise ValueError("a value is missing: no Child-Pugh class without all five")
    points = (
        (1 if bilirubin_umol_l < 34 else 2 if bilirubin_umol_l <= 51 else 3)
        + (1 if albumin_g_l > 35 else 2 if albumin_g_l >= 28 else 3)
        + (1 if inr < 1.7 else 2 if inr <= 2.3 else 3)
        + 1
        + int(ascites)
        + 1
        + int(encephalopathy)
    )
    return points, "A" if points <= 6 else "B" if points <= 9 else "C"


def bclc_stage(
    tumour_number: float, diameter_mm: float, macrovascular: float, spread: float, ecog_ps: float, child_pugh: float
) -> float:
    """Index into BCLC_STAGES, evaluated in the order D, C, 0, A, B; NaN where an input is missing.

    BCLC 2022 by docs/methods.md 6. Args: child_pugh: 0, 1, 2 for A, B, C (C stands for end-stage liver function).
    """
    if np.isnan([tumour_number, diameter_mm, macrovascular, spread, ecog_ps, child_pugh]).any():
        return float("nan")
    if child_pugh >= 2 or ecog_ps >= 3:
        stage = "D"
    elif macrovascular or spread or ecog_ps >= 1:
        stage = "C"
    elif tumour_number == 1:
        stage = "0" if diameter_mm <= 20 else "A"
    else:
        stage = "A" if tumour_number <= 3 and diameter_mm <= 30 else "B"
    return float(BCLC_STAGES.index(stage))


def cnlc_stage(
    tumour_number: float, diameter_mm: float, macrovascular: float, spread: float, ecog_ps: float, child_pugh: float
) -> float:
    """Index into CNLC_STAGES (2022), evaluated in the order IV, IIIb, IIIa, then the rest; NaN as in `bclc_stage`."""
    if np.isnan([tumour_number, diameter_mm, macrovascular, spread, ecog_ps, child_pugh]).any():
        return float("nan")
    if ecog_ps >= 3 or child_pugh >= 2:
        stage = "IV"
    elif spread:
        stage = "IIIb"
    elif macrovascular:
        stage = "IIIa"
    elif tumour_number >= 4:
        stage = "IIb"
    elif tumour_number == 1:
        stage = "Ia" if diameter_mm <= 50 else "Ib"
    else:
        stage = "Ib" if diameter_mm <= 30 else "IIa"
    return float(CNLC_STAGES.index(stage))


def _erasl_like(values: pd.DataFrame) -> np.ndarray:
    """Linear predictor; coefficients recalled, UNVERIFIED (docs/methods.md 6): Chan 2018 could not be opened."""
    grade = albi_grade(albi_score(values["bilirubin"], values["albumin"]))
    number = values["tumour_number"]
    many = np.where(number >= 4, 2.0, np.where(number >= 2, 1.0, 0.0))
    score = (
        0.818 * values["sex"]
        + 0.447 * np.where(grade >= 2, 1.0, 0.0)
        + 0.100 * np.log(values["afp"])
        + 0.580 * np.log(values["diameter"] / 10)
        + 0.492 * many
    )
    return np.where(np.isnan(grade) | number.isna(), np.nan, score)


def clinical_scores(
    clinical: pd.DataFrame, units: Mapping[str, str], constants: Mapping[str, float]
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Every score that the cohort's columns allow.

    Args:
        clinical: numbers by the names of INPUTS, index patient_id; categorical variables as level indices
            (child_pugh A, B, C; sex F, M), tumour_number >= 1.
        units: of the continuous variables. constants: inputs that are the same for all patients of the cohort, such
            as no macrovascular invasion where that was a criterion of entry.

    Returns: scores (patients x scores, NaN where an input is missing), and for each score that was not
    computed, why.
    """
    values = clinical.copy()
    for name, value in constants.items():
        if name not in values:
            values[name] = float(value)
    wrong_unit = {}
    needed = {variable for inputs in INPUTS.values() for variable in inputs}
    for name in sorted(needed & set(UNITS) & set(values)):
        factor = unit_factor(name, units.get(name, ""))
        if factor is None:
            wrong_unit[name] = units.get(name, "")
        else:
            values[name] = values[name] * factor
            # A count or concentration of 0 is a missing one: ratios and logarithms need more than that.
            values[name] = values[name].where(values[name] > 0)
    scores, skipped = {}, {}
    for score, inputs in INPUTS.items():
        absent = [i for i in inputs if i not in values]
        unclear = [f"{i} in {wrong_unit[i] or 'no unit'}" for i in inputs if i in wrong_unit]
        if absent:
            skipped[score] = "needs " + ", ".join(absent)
        elif unclear:
            skipped[score] = "cannot convert " + ", ".join(unclear)
        else:
            scores[score] = SCORES[score](values)
    return pd.DataFrame(scores, index=clinical.index), skipped


def _stages(stage: Callable[..., float]) -> Callable[[pd.DataFrame], np.ndarray]:
    return lambda values: np.array([stage(*row) for row in values[list(STAGE_INPUTS)].to_numpy(float)])


def _ratio(above: str, below: str) -> Callable[[pd.DataFrame], np.ndarray]:
    return lambda values: (values[above] / values[below]).to_numpy()


# Each of INPUTS has its own: a score without one must not be another score's numbers.
SCORES: dict[str, Callable[[pd.DataFrame], np.ndarray]] = {
    "BCLC": _stages(bclc_stage),
    "CNLC": _stages(cnlc_stage),
    "ALBI": lambda values: albi_score(values["bilirubin"], values["albumin"]).to_numpy(),
    "Child-Pugh": lambda values: values["child_pugh"].to_numpy(float),
    "NLR": _ratio("neutrophils", "lymphocytes"),
    "PLR": _ratio("platelets", "lymphocytes"),
    "LMR": _ratio("lymphocytes", "monocytes"),
    "ERASL-like (unverified)": _erasl_like,
}
