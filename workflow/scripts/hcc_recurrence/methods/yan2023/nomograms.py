"""Yan 2023: the clinical nomogram and the DL nomogram, with and without what is known only after the operation.

docs/methods.md 3.6. In every fit: univariable logistic regression, then forward selection by likelihood ratio, on the
rows that learn. MVI is a finding of the pathologist, so each nomogram has a preoperative variant without
such variables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hcc_recurrence.cohort.variable_labels import level_text
from hcc_recurrence.learning.clinical import dichotomise, drawn_definition
from hcc_recurrence.learning.model_files import expect_keys
from hcc_recurrence.learning.risk_factors import draw_logistic, logistic_optimism
from hcc_recurrence.learning.scaling import Imputer
from hcc_recurrence.methods.yan2023.declare import BEFORE, CLINICAL, DEEP, FUSED
from hcc_recurrence.statistics.logistic import (
    LogisticModel,
    collinearity,
    fit_logistic,
    forward_likelihood_ratio,
    logistic_table,
    univariable_table,
)

# Odds ratios of a probability are of no use per unit (the paper's are 1e10 to 1e15): per 0.1.
PER = 10.0


def models_of(definitions: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[list[str], bool]]:
    """Model -> its clinical candidates, and whether the signature is one; preoperative ones where they differ.
    None without clinical variables."""
    if not definitions:
        return {}
    before = [v for v, d in definitions.items() if d["timing"] == "pre"]
    found = {CLINICAL: (list(definitions), False), DEEP: (list(definitions), True)}
    if len(before) < len(definitions):
        found |= {f"{name} {BEFORE}": (before, with_signature) for name, (_, with_signature) in list(found.items())}
    return found


def select_variables(y: np.ndarray, x: pd.DataFrame, settings: Mapping[str, Any]) -> tuple[list[str], pd.DataFrame]:
    """Variables with a univariable P below `clinical_p` into forward selection; and the univariable table.

    Columns that hardly vary are left out: no odds ratio can be told.
    """
    varied = [c for c in x.columns if np.ptp(x[c].to_numpy()) > 1e-9]
    alone = univariable_table(y, x[varied], firth=True)
    candidates = list(alone.loc[alone["p"] < settings["clinical_p"], "variable"])
    chosen = forward_likelihood_ratio(y, x[candidates], settings["entry_p"], settings["removal_p"], firth=True)
    if len(candidates) > 1:
        alone = alone.merge(collinearity(x[candidates]), on="variable", how="left")
    return chosen, alone


@dataclass
class FittedNomograms:
    """The nomograms of one fit: how clinical variables enter them, and their coefficients.

    variables: of each clinical variable its name in the sheet (`variable`), its column (`name`) and its `cut`; where it
    stands for one category of a variable, the `code` of that category.
    imputer: has the median of each of them in the rows that learned. models: by name.
    """

    variables: list[dict[str, Any]]
    imputer: Imputer
    models: dict[str, LogisticModel]

    def inputs(self, clinical: pd.DataFrame, signature: pd.Series) -> pd.DataFrame:
        """Coded clinical variables without gaps, and the signature in units of 0.1; index that of `signature`.

        Raises: ValueError naming the variables that the table lacks.
        """
        if lacking := sorted({v["variable"] for v in self.variables} - set(clinical.columns)):
            raise ValueError(
                f"the clinical table lacks {', '.join(lacking)}, which the nomograms take. What to do: add the columns "
                "to the patients sheet; single values may be missing."
            )
        raw = _inputs(clinical.loc[signature.index], self.variables)
        table = pd.DataFrame(self.imputer(raw), signature.index, [v["name"] for v in self.variables])
        return table.assign(**{FUSED: signature * PER})

    def predict(self, clinical: pd.DataFrame, signature: pd.Series) -> pd.DataFrame:
        """Probability of early recurrence: index that of `signature` (mp-MR), one column a nomogram."""
        x = self.inputs(clinical, signature)
        return pd.DataFrame({name: model.predict(x) for name, model in self.models.items()}, signature.index)

    def state(self) -> dict[str, Any]:
        """For `model_files.save_state`."""
        models = {
            name: {
                "variables": list(model.coefficients),
                "coefficients": np.array(list(model.coefficients.values()), float),
                "intercept": model.intercept,
                "method": model.method,
            }
            for name, model in self.models.items()
        }
        return {"variables": [dict(v) for v in self.variables], "imputer": self.imputer.state(), "models": models}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], where: str) -> FittedNomograms:
        """The nomograms of a state.

        Raises: ModelFileError for an unknown key, or one that lacks.
        """
        expect_keys(state, {"variables", "imputer", "models"}, where)
        for variable in state["variables"]:
            expect_keys(variable, {"variable", "name", "cut", "code"}, f"{where}, variables")
        models = {}
        for name, own in state["models"].items():
            expect_keys(own, {"variables", "coefficients", "intercept", "method"}, f"{where}, {name}")
            coefficients = dict(zip(own["variables"], own["coefficients"].tolist(), strict=True))
            models[name] = LogisticModel(coefficients, own["intercept"], own["method"])
        return cls(list(state["variables"]), Imputer.from_state(state["imputer"]), models)


def _inputs(clinical: pd.DataFrame, variables: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """The variables of `FittedNomograms` as its models take them, with gaps: (patients, variables)."""
    columns = {}
    for v in variables:
        values = clinical[v["variable"]]
        if v["code"] is None:
            columns[v["name"]] = dichotomise(clinical, {v["variable"]: v["cut"]})[v["variable"]]
        else:
            columns[v["name"]] = (values == v["code"]).astype(float).where(values.notna())
    return pd.DataFrame(columns, index=clinical.index).to_numpy(float)


def _variables(
    definitions: Mapping[str, Mapping[str, Any]], settings: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], dict[str, Mapping[str, Any]]]:
    """The clinical variables of `FittedNomograms`, and their definitions by the same names, categories one by one."""
    variables, found = [], {}
    for variable, cut in settings["clinical"].items():
        own = definitions[variable]
        by_itself = variable not in settings["nominal"] or own["kind"] != "categorical"
        for code, level in [(None, "")] if by_itself else enumerate(own["levels"]):
            key = variable if by_itself else f"{variable}={level}"
            found[key] = own if by_itself else {**own, "kind": "binary", "levels": []}
            name = drawn_definition(key, found[key], cut)["name"]
            variables.append({"variable": variable, "name": name, "cut": cut, "code": code})
    return variables, found


def fit_nomograms_of(
    signature: pd.Series,
    clinical: pd.DataFrame,
    definitions: Mapping[str, Mapping[str, Any]],
    outcome: pd.Series,
    settings: Mapping[str, Any],
) -> tuple[FittedNomograms, pd.DataFrame]:
    """The nomograms of one fit, and the tables of their regressions.

    Args:
        signature: mp-MR of the patients that learn. clinical: numbers, index patient_id. definitions: kind, unit,
            levels and timing. outcome: er by patient. settings: clinical (variable -> cut or none), nominal,
            clinical_p, entry_p, removal_p.

    Returns: also model, step, and the columns of `logistic_table`.
    """
    rows = sorted(signature.index)
    variables, definitions = _variables(definitions, settings)
    named = dict(zip(definitions, (v["name"] for v in variables), strict=True))
    raw = _inputs(clinical.loc[rows], variables)
    found = FittedNomograms(variables, Imputer(raw), {})
    x, y = found.inputs(clinical, signature.loc[rows]), outcome.loc[rows].to_numpy(float)
    regressions = []
    for name, (candidates, with_signature) in models_of(definitions).items():
        columns = [named[v] for v in candidates] + ([FUSED] if with_signature else [])
        chosen, alone = select_variables(y, x[columns], settings)
        found.models[name] = fit_logistic(y, x[chosen])
        together = logistic_table(y, x[chosen], firth=True) if chosen else alone.iloc[:0]
        if len(chosen) > 1:
            together = together.merge(collinearity(x[chosen]), on="variable")
        steps = [alone.assign(step="univariable"), together.assign(step="multivariable")]
        regressions.append(pd.concat(steps, ignore_index=True).assign(model=name))
    if not regressions:
        return found, pd.DataFrame(columns=["variable", "step", "model"], dtype=object)
    return found, pd.concat(regressions, ignore_index=True)


def draw_nomograms(
    fitted: FittedNomograms,
    regressions: pd.DataFrame,
    signature: pd.Series,
    clinical: pd.DataFrame,
    definitions: Mapping[str, Mapping[str, Any]],
    outcome: pd.Series,
    resamples: int,
    seed: int,
) -> tuple[list[dict[str, Any]], pd.DataFrame]:
    """What the figures of one fit's nomograms draw, and their calibration corrected for optimism.

    Args:
        regressions: of the fit. signature: mp-MR of the patients that learned. resamples: of the bootstrap.

    Returns: of each model its name, `draw_logistic` and the measures of optimism; and the curves, with a column model.
    """
    rows = sorted(signature.index)
    own = {v["name"]: (definitions[v["variable"]], v) for v in fitted.variables}
    drawing = {
        name: {**d, "levels": [level_text(level) for level in d["levels"]]}
        if (v["cut"], v["code"]) == (None, None)
        else {"kind": "binary", "levels": []}
        for name, (d, v) in own.items()
    } | {FUSED: {"kind": "continuous", "levels": []}}
    y, x = outcome.loc[rows].to_numpy(float), fitted.inputs(clinical, signature.loc[rows])
    drawn, curves = [], []
    for name, model in fitted.models.items():
        # Without an estimate the model has no variable, though some were selected.
        final = regressions[(regressions["model"] == name) & (regressions["step"] == "multivariable")]
        optimism, curve = logistic_optimism(x[list(final["variable"])], y, resamples, seed, firth=True)
        curves.append(curve.assign(model=name))
        figure = draw_logistic(model, x, drawing, rows, {FUSED: PER})
        drawn.append({"model": name, **figure, "optimism": optimism.to_dict("records")})
    return drawn, pd.concat(curves, ignore_index=True)
