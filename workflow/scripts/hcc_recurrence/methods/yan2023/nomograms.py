"""Yan 2023: the clinical nomogram and the DL nomogram, with and without what is known only after the operation.

docs/methods.md 3.6. In every fit: univariable logistic regression, then forward selection by likelihood ratio, on the
rows that learn. MVI is a finding of the pathologist, so each nomogram has a preoperative variant without
such variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

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
    """Model -> its clinical candidates, and whether the signature is one; preoperative ones where they differ."""
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

    variables: of each clinical variable its name in the sheet (`variable`), its column (`name`) and its `cut`.
    imputer: has the median of each of them in the rows that learned. models: by name.
    """

    variables: list[dict[str, Any]]
    imputer: Imputer
    models: dict[str, LogisticModel]

    def inputs(self, clinical: pd.DataFrame, signature: pd.Series) -> pd.DataFrame:
        """Coded clinical variables without gaps, and the signature in units of 0.1; index that of `signature`.

        Raises: ValueError naming the variables that the table lacks.
        """
        cuts = {v["variable"]: v["cut"] for v in self.variables}
        if lacking := [v for v in cuts if v not in clinical.columns]:
            raise ValueError(
                f"the clinical table lacks {', '.join(lacking)}, which the nomograms take. What to do: add the columns "
                "to the patients sheet; single values may be missing."
            )
        raw = dichotomise(clinical.loc[signature.index], cuts).to_numpy(float)
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
            expect_keys(variable, {"variable", "name", "cut"}, f"{where}, variables")
        models = {}
        for name, own in state["models"].items():
            expect_keys(own, {"variables", "coefficients", "intercept", "method"}, f"{where}, {name}")
            coefficients = dict(zip(own["variables"], own["coefficients"].tolist(), strict=True))
            models[name] = LogisticModel(coefficients, own["intercept"], own["method"])
        return cls(list(state["variables"]), Imputer.from_state(state["imputer"]), models)


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
            levels and timing. outcome: er by patient. settings: clinical (variable -> cut or none), clinical_p,
            entry_p, removal_p.

    Returns: also model, step, and the columns of `logistic_table`.
    """
    rows = sorted(signature.index)
    cuts = settings["clinical"]
    named = {v: drawn_definition(v, definitions[v], cut)["name"] for v, cut in cuts.items()}
    variables = [{"variable": v, "name": named[v], "cut": cut} for v, cut in cuts.items()]
    imputer = Imputer(dichotomise(clinical.loc[rows], cuts).to_numpy(float))
    found = FittedNomograms(variables, imputer, {})
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
    named = [drawn_definition(v["variable"], definitions[v["variable"]], v["cut"]) for v in fitted.variables]
    drawing = {d["name"]: d for d in named} | {FUSED: {"kind": "continuous", "levels": []}}
    y, x = outcome.loc[rows].to_numpy(float), fitted.inputs(clinical, signature.loc[rows])
    drawn, curves = [], []
    for name, model in fitted.models.items():
        # Without an estimate the model has no variable, though some were selected.
        final = regressions[(regressions["model"] == name) & (regressions["step"] == "multivariable")]
        optimism, curve = logistic_optimism(x[list(final["variable"])], y, resamples, seed, firth=True)
        curves.append(curve.assign(model=name))
        own = draw_logistic(model, x, drawing, rows, {FUSED: PER})
        drawn.append({"model": name, **own, "optimism": optimism.to_dict("records")})
    return drawn, pd.concat(curves, ignore_index=True)
