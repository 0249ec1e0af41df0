"""Clinical risk factors of the training patients: logistic and Cox regression, and the nomograms of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hcc_recurrence.endpoint import capital, endpoint
from hcc_recurrence.learning.clinical import by_category, dichotomise, drawn_definition, select_clinical
from hcc_recurrence.learning.risk_factor_steps import ADDITIONAL, PAPER, STEPS
from hcc_recurrence.learning.scaling import Imputer
from hcc_recurrence.statistics.aliases import alias_words, find_aliases
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
from hcc_recurrence.statistics.survival import censor_at


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


@dataclass
class _Found:
    """Tables of the steps of one analysis, and the variables of its model."""

    tables: dict[str, pd.DataFrame]
    chosen: list[str]


def fit_risk_factors(
    clinical: pd.DataFrame,
    labels: pd.DataFrame,
    split: pd.DataFrame,
    definitions: Mapping[str, Any],
    own: Mapping[str, Any],
    settings: Mapping[str, Any],
    horizon: float,
    seed: int,
) -> RiskFactors:
    """Univariable and multivariable regression on the training patients: the study's own, and one that it lacks.

    The study's own has its coding and its rule (`risk_factor_model`), with the functions of its clinical model:
    `significant` (Zhao 2024, Zhang 2025), `forward` (Yan 2023), `cox_steps` (Wang 2022), `univariable` (Cui 2022). The
    other one, logistic beside Cox and Cox beside logistic, has the limits of `settings` and is marked as additional.
    Missing values are the training median; ordered categories count as 0, 1, 2. Times are censored at the horizon;
    there is no Cox regression where the outcome has none.

    Args:
        clinical: numbers, index patient_id. definitions: kind, unit, timing and levels of each variable.
        own: clinical (variable -> threshold or none), risk_factor_model, and what that reads: clinical_p,
            none_significant, entry_p, removal_p, cox_p; nominal, variables whose categories have no order.
        settings: univariable_p, entry_p, removal_p, cox_univariable_p, resamples. horizon: months.

    Raises: ValueError for an unknown risk_factor_model.
    """
    rule = own["risk_factor_model"]
    if rule not in STEPS:
        raise ValueError(f"risk_factor_model: {rule!r} is none of {', '.join(STEPS)}")
    rows = sorted(split.loc[split["split"] == "train", "patient_id"])
    clinical, definitions = by_category(clinical, definitions, own.get("nominal", []))
    cuts = {v: own["clinical"].get(v) for v in clinical.columns}
    raw = dichotomise(clinical.loc[rows], cuts)
    varied = [v for v in raw.columns if raw[v].nunique(dropna=True) > 1]
    x = pd.DataFrame(Imputer(raw[varied].to_numpy(float))(raw[varied].to_numpy(float)), index=rows, columns=varied)
    x = x.loc[:, x.nunique() > 1]
    drawn = {v: drawn_definition(v, definitions[v], cuts[v]) for v in x.columns}
    names = {v: d["name"] for v, d in drawn.items()}
    outcome = labels.set_index("patient_id").loc[rows]
    y = outcome["er"].to_numpy(float)
    cox, months, event = _Found({}, []), np.empty(0), np.empty(0)
    if endpoint().has_times:
        months, event = censor_at(outcome["rfs_months"].to_numpy(float), outcome["rfs_event"].to_numpy(int), horizon)
        cox = _cox(months, event, x, own["cox_p"] if rule == "cox_steps" else settings["cox_univariable_p"])
    if rule == "significant":
        logistic = _significant(y, x, own["clinical_p"], own["none_significant"])
    elif rule == "forward":
        logistic = _forward(y, x, own["clinical_p"], own["entry_p"], own["removal_p"])
    else:
        logistic = _forward(y, x, settings["univariable_p"], settings["entry_p"], settings["removal_p"])
    own_steps = [(analysis, step) for analysis, step, _ in STEPS[rule]]
    parts = [
        table.assign(analysis=analysis, step=step, source=PAPER if (analysis, step) in own_steps else ADDITIONAL)
        for analysis, found in (("logistic", logistic), ("cox", cox))
        for step, table in found.tables.items()
    ]
    table = pd.concat(parts, ignore_index=True).sort_values("source", ascending=False, kind="stable", ignore_index=True)
    table.insert(1, "label", table["variable"].map(names))
    table["remark"] = ""
    for _, part in table.groupby(["source", "analysis", "step"]):
        times = (y, None) if part["analysis"].iloc[0] == "logistic" else (event, months)
        table.loc[part.index, "remark"] = _remarks(part, x[list(part["variable"])], names, *times)
    shown = x.rename(columns=names)
    drawing = {d["name"]: d for d in drawn.values()}
    labelled = {kind: [names[v] for v in found.chosen] for kind, found in (("logistic", logistic), ("cox", cox))}
    models = {
        "logistic": _logistic_model(shown, y, labelled["logistic"], drawing),
        "cox": cox_nomogram(shown, months, event, labelled["cox"], drawing, horizon) if cox.chosen else None,
    }
    optimism, curve = logistic_optimism(shown[labelled["logistic"]], y, settings["resamples"], seed, firth=True)
    patient = middle_patient(shown, models["logistic"] or models["cox"], rows)
    worked = {name: float(shown.loc[patient, name]) for name in shown.columns}
    return RiskFactors(table, models["logistic"], models["cox"], optimism, curve, patient, worked)


def _remarks(
    part: pd.DataFrame, x: pd.DataFrame, names: Mapping[str, str], outcome: np.ndarray, months: np.ndarray | None
) -> list[str]:
    """Why each row of one step has no ratio; empty for one that has.

    Args:
        x: the step's variables. outcome: 0/1; months: times to it, none in logistic regression.
    """
    aliases = find_aliases(x) if part["step"].iloc[0] != "univariable" else {}
    words = []
    for row in part.to_dict("records"):
        variable = row["variable"]
        if not pd.isna(row["odds_ratio" if months is None else "hazard_ratio"]):
            words.append("")
        elif variable in aliases:
            both = x[[variable, *aliases[variable]]]
            words.append(alias_words(aliases[variable], names, bool(both.isin([0, 1]).all(axis=None))))
        elif part["step"].iloc[0] == "univariable" and (found := _separation(x[variable], outcome)):
            words.append(found)
        else:
            words.append("the model has no estimate: separation, or too few patients")
    return words


def _separation(column: pd.Series, outcome: np.ndarray) -> str:
    """Where one value of a variable of few values has one outcome alone: `none of 3 with it had early recurrence`."""
    if column.nunique() > 5:
        return ""
    for value, group in pd.Series(outcome, index=column.index).groupby(column):
        if group.nunique() == 1:
            which = "with it" if value == column.max() else "without it" if value == column.min() else "at one level"
            many = "all" if group.iloc[0] else "none"
            return f"no estimate: {many} of {len(group)} {which} had {endpoint().name}"
    return ""


def _significant(y: np.ndarray, x: pd.DataFrame, limit: float, none_significant: str) -> _Found:
    """Significant alone, then significant together (Zhao 2024, Zhang 2025); the model of those that are kept."""
    chosen, table = select_clinical(x, y, limit, none_significant)
    tables = {step: part.drop(columns="step") for step, part in table.groupby("step", sort=False)}
    together = tables.get("multivariable")
    if together is not None:
        tables["multivariable"] = together.assign(kept=together["variable"].isin(chosen))
        if 0 < len(chosen) < len(together):
            tables["final"] = logistic_table(y, x[chosen], firth=True).assign(kept=True)
    return _Found(tables, chosen)


def _forward(y: np.ndarray, x: pd.DataFrame, limit: float, entry: float, removal: float) -> _Found:
    """Forward selection by likelihood ratio among the variables significant alone (Yan 2023; docs/methods.md 3.6)."""
    alone = univariable_table(y, x, firth=True)
    candidates = list(alone.loc[alone["p"] < limit, "variable"])
    chosen = forward_likelihood_ratio(y, x[candidates], entry, removal, firth=True)
    tables = {"univariable": alone}
    if chosen:
        tables["multivariable"] = logistic_table(y, x[chosen], firth=True).merge(collinearity(x[chosen]), on="variable")
    return _Found(tables, chosen)


def _cox(months: np.ndarray, event: np.ndarray, x: pd.DataFrame, limit: float) -> _Found:
    """Cox regression: alone, together, and after steps by AIC (Wang 2022; docs/methods.md 2.6)."""
    alone = univariable_cox(months, event, x)
    candidates = list(alone.loc[alone["p"] < limit, "variable"])
    chosen = stepwise_aic(months, event, x[candidates]) if candidates else []
    tables = {"univariable": alone}
    if candidates:
        tables["multivariable"] = cox_table(months, event, x[candidates])
    if chosen:
        hazards = proportional_hazards_p(months, event, x[chosen]).rename(columns={"p": "ph_p"})
        tables["final"] = cox_table(months, event, x[chosen]).merge(hazards, on="variable")
    return _Found(tables, chosen)


def _logistic_model(
    x: pd.DataFrame, y: np.ndarray, chosen: list[str], definitions: Mapping[str, Any]
) -> NomogramModel | None:
    model = fit_logistic(y, x[chosen])
    if not model.coefficients:
        return None
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
    return NomogramModel("cox", axes, offset, survival, f"{capital(endpoint().event)} within {horizon:.0f} months")


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
