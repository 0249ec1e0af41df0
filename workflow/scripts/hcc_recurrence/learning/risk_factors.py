"""Clinical risk factors of the training patients: logistic and Cox regression, and the nomograms of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hcc_recurrence.learning.scaling import Imputer
from hcc_recurrence.statistics.calibration import optimism_corrected
from hcc_recurrence.statistics.cox import (
    baseline_survival,
    cox_table,
    fit_cox,
    proportional_hazards_p,
    stepwise_aic,
    univariable_cox,
)
from hcc_recurrence.statistics.logistic import (
    LogisticModel,
    collinearity,
    fit_logistic,
    forward_likelihood_ratio,
    logistic_table,
    univariable_table,
)
from hcc_recurrence.statistics.nomogram import Axis, NomogramModel


@dataclass
class RiskFactors:
    """Tables of both analyses, the models as nomograms (None where nothing was selected), and their checks."""

    table: pd.DataFrame
    logistic: NomogramModel | None
    cox: NomogramModel | None
    optimism: pd.DataFrame
    calibration: pd.DataFrame
    worked_patient: str
    worked_values: dict[str, float]


def nomogram_axes(
    x: pd.DataFrame, coefficients: Mapping[str, float], definitions: Mapping[str, Any]
) -> tuple[Axis, ...]:
    """The axes of a nomogram: coefficient, drawn range and levels of each variable.

    Args:
        x: training patients, a column a variable. definitions: kind and levels of each variable.
    """
    axes = []
    for variable, coefficient in coefficients.items():
        kind = definitions[variable]
        # The range drawn is that of the middle 98 %: one outlier would squeeze every other axis.
        low, high = (float(np.percentile(x[variable], q)) for q in (1, 99))
        levels: tuple[str, ...] = ()
        if kind["kind"] != "continuous":
            low, high = float(x[variable].min()), float(x[variable].max())
            levels = tuple(kind["levels"] or ("no", "yes"))
        axes.append(Axis(variable, float(coefficient), low, high, levels))
    return tuple(axes)


def fit_risk_factors(
    clinical: pd.DataFrame,
    labels: pd.DataFrame,
    split: pd.DataFrame,
    definitions: Mapping[str, Any],
    settings: Mapping[str, Any],
    horizon: float,
    seed: int,
) -> RiskFactors:
    """Univariable and multivariable logistic and Cox regression on the training patients.

    Logistic: variables with a univariable P below `univariable_p` go into forward selection by likelihood ratio
    (Yan 2023; METHODS.md 3.6). Cox: those below `cox_univariable_p` into stepwise selection by AIC, times censored at
    the horizon (Wang 2022; 2.6). Separation falls back on Firth's fit for single variables. Missing values are the
    training median; ordered categories count as 0, 1, 2.

    Args:
        clinical: numbers, index patient_id. definitions: kind, unit and levels of each variable.
        settings: univariable_p, entry_p, removal_p, cox_univariable_p, resamples. horizon: months.
    """
    rows = sorted(split.loc[split["split"] == "train", "patient_id"])
    raw = clinical.loc[rows]
    varied = [v for v in raw.columns if raw[v].nunique(dropna=True) > 1]
    x = pd.DataFrame(Imputer(raw[varied].to_numpy(float))(raw[varied].to_numpy(float)), index=rows, columns=varied)
    outcome = labels.set_index("patient_id").loc[rows]
    y = outcome["er"].to_numpy(float)
    months = outcome["rfs_months"].to_numpy(float)
    event = np.where(months > horizon, 0, outcome["rfs_event"].to_numpy(int))
    months = np.minimum(months, horizon)

    alone = univariable_table(y, x, firth=True)
    candidates = list(alone.loc[alone["p"] < settings["univariable_p"], "variable"])
    # Only variables with a maximum likelihood estimate can be tested by likelihood ratios.
    testable = [v for v in candidates if alone.set_index("variable").loc[v, "method"] == "Wald"]
    chosen = forward_likelihood_ratio(y, x[testable], settings["entry_p"], settings["removal_p"]) if testable else []
    together = logistic_table(y, x[chosen]) if chosen else alone.iloc[:0]
    if chosen:
        together = together.merge(collinearity(x[chosen]), on="variable")
    cox_alone = univariable_cox(months, event, x)
    cox_candidates = list(cox_alone.loc[cox_alone["p"] < settings["cox_univariable_p"], "variable"])
    cox_chosen = stepwise_aic(months, event, x[cox_candidates]) if cox_candidates else []
    cox_together = cox_table(months, event, x[cox_chosen]) if cox_chosen else cox_alone.iloc[:0]
    if cox_chosen:
        hazards = proportional_hazards_p(months, event, x[cox_chosen]).rename(columns={"p": "ph_p"})
        cox_together = cox_together.merge(hazards, on="variable")
    table = pd.concat(
        [
            alone.assign(analysis="logistic", step="univariable"),
            together.assign(analysis="logistic", step="multivariable"),
            cox_alone.assign(analysis="cox", step="univariable"),
            cox_together.assign(analysis="cox", step="multivariable"),
        ],
        ignore_index=True,
    )
    logistic = _logistic_model(x, y, together, definitions) if chosen else None
    cox = cox_nomogram(x, months, event, cox_chosen, definitions, horizon) if cox_chosen else None
    optimism, curve = logistic_optimism(x[chosen], y, settings["resamples"], seed)
    patient = middle_patient(x, logistic or cox, rows)
    return RiskFactors(table, logistic, cox, optimism, curve, patient, {v: float(x.loc[patient, v]) for v in varied})


def _logistic_model(
    x: pd.DataFrame, y: np.ndarray, together: pd.DataFrame, definitions: Mapping[str, Any]
) -> NomogramModel | None:
    coefficients = together.set_index("variable")["coefficient"]
    if coefficients.isna().any():
        return None
    model = fit_logistic(y, x[list(coefficients.index)])
    return NomogramModel("logistic", nomogram_axes(x, model.coefficients, definitions), model.intercept)


def cox_nomogram(
    x: pd.DataFrame,
    months: np.ndarray,
    event: np.ndarray,
    chosen: list[str],
    definitions: Mapping[str, Any],
    horizon: float,
) -> NomogramModel | None:
    """A Cox model of the chosen columns of `x` as a nomogram; none where there is no estimate, or nobody recurs.

    Args:
        x: training patients, a column a variable. months, event: times, and 0/1. horizon: months.
    """
    fit = fit_cox(months, event, x[chosen]) if chosen else None
    if fit is None:
        return None
    offset = float((fit.params_ * x[chosen].mean()).sum())
    survival = baseline_survival(fit, horizon)
    if not 0 < survival < 1:
        return None
    axes = nomogram_axes(x, fit.params_.to_dict(), definitions)
    return NomogramModel("cox", axes, offset, survival, f"Recurrence within {horizon:.0f} months")


def logistic_optimism(
    x: pd.DataFrame, y: np.ndarray, resamples: int, seed: int, firth: bool = False
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Optimism of a logistic model with its variables held fixed: the selection's own optimism is not in it.

    Args:
        firth: resamples whose outcome is separated are fitted by Firth's likelihood; otherwise they have no model.

    Returns: measure, apparent, optimism, corrected; and the curve: at, apparent, corrected.
    """
    at = np.linspace(0.05, 0.95, 19)
    columns = ["measure", "apparent", "optimism", "corrected"]
    if not x.shape[1]:
        return pd.DataFrame(columns=columns), pd.DataFrame({"at": at, "apparent": np.nan, "corrected": np.nan})

    def fit(values: np.ndarray, outcome: np.ndarray):
        model = fit_logistic(outcome, pd.DataFrame(values, columns=x.columns), firth)
        if model.method == "none":
            raise ValueError("no estimate exists")
        return lambda new: model.predict(pd.DataFrame(new, columns=x.columns))

    try:
        found, curve = optimism_corrected(x.to_numpy(), y, fit, at, resamples, seed)
    except ValueError as error:
        print(f"optimism of {', '.join(x.columns)}: {error}")
        return pd.DataFrame(columns=columns), pd.DataFrame({"at": at, "apparent": np.nan, "corrected": np.nan})
    rows = [(name, c.apparent, c.optimism, c.corrected) for name, c in found.items()]
    return pd.DataFrame(rows, columns=columns), curve


def middle_patient(x: pd.DataFrame, model: NomogramModel | None, rows: list[str]) -> str:
    """The training patient whose risk is the median one, to be drawn on the nomogram."""
    if model is None:
        return rows[0]
    points = np.array([model.total_points(row) for row in x.to_dict("records")])
    return rows[int(np.argsort(points, kind="stable")[len(points) // 2])]


def draw_logistic(
    model: LogisticModel,
    learning: pd.DataFrame,
    drawing: Mapping[str, Any],
    rows: list[str],
    scaled: Mapping[str, float],
) -> dict[str, Any]:
    """What `plot_nomogram` needs, as plain values: the nomogram, and a patient of middle risk; none without a variable.

    Args:
        learning: training patients, a column a variable. drawing: kind and levels of each variable.
        scaled: variable -> by what its column was multiplied, to be drawn in its own unit again.
    """
    if not model.coefficients:
        return {"nomogram": None, "patient": rows[0], "values": {}, "method": model.method}
    shown = learning[list(model.coefficients)].copy()
    coefficients = dict(model.coefficients)
    for variable in set(scaled) & set(coefficients):
        shown[variable] /= scaled[variable]
        coefficients[variable] *= scaled[variable]
    nomogram = NomogramModel("logistic", nomogram_axes(shown, coefficients, drawing), model.intercept)
    patient = middle_patient(shown, nomogram, rows)
    values = {v: float(shown.loc[patient, v]) for v in shown.columns}
    return {"nomogram": nomogram.to_dict(), "patient": patient, "values": values, "method": model.method}
