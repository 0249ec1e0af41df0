"""Yan 2023: the clinical nomogram and the DL nomogram, with and without what is known only after the operation.

docs/methods.md 3.6. In every fit: univariable logistic regression, then forward selection by likelihood ratio, on the
rows that learn. MVI is a finding of the pathologist, so each nomogram has a preoperative variant without
such variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from hcc_recurrence.learning.clinical import dichotomise, drawn_definition
from hcc_recurrence.learning.model_files import expect_keys
from hcc_recurrence.learning.risk_factors import draw_logistic, logistic_optimism
from hcc_recurrence.learning.scaling import Imputer
from hcc_recurrence.methods.yan2023.declare import BEFORE, CLINICAL, DEEP, FUSED
from hcc_recurrence.methods.yan2023.signatures import FIT
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


@dataclass
class Nomograms:
    """Probabilities of all fits (`table` of `rows_of_fits`), tables of the regressions, and what the figures draw."""

    models: list[str]
    probabilities: pd.DataFrame
    regressions: pd.DataFrame
    drawn: list[dict[str, Any]] = field(default_factory=list)
    curves: pd.DataFrame = field(default_factory=pd.DataFrame)


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
    median: of each of them in the rows that learned, for missing values. models: by name.
    """

    variables: list[dict[str, Any]]
    median: np.ndarray
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
        table = pd.DataFrame(Imputer.of(self.median)(raw), signature.index, [v["name"] for v in self.variables])
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
        return {"variables": [dict(v) for v in self.variables], "median": self.median, "models": models}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], where: str) -> FittedNomograms:
        """The nomograms of a state.

        Raises: ModelFileError for an unknown key, or one that lacks.
        """
        expect_keys(state, {"variables", "median", "models"}, where)
        for variable in state["variables"]:
            expect_keys(variable, {"variable", "name", "cut"}, f"{where}, variables")
        models = {}
        for name, own in state["models"].items():
            expect_keys(own, {"variables", "coefficients", "intercept", "method"}, f"{where}, {name}")
            coefficients = dict(zip(own["variables"], own["coefficients"].tolist(), strict=True))
            models[name] = LogisticModel(coefficients, own["intercept"], own["method"])
        return cls(list(state["variables"]), state["median"], models)


def fit_nomograms_of(
    signature: pd.Series,
    clinical: pd.DataFrame,
    definitions: Mapping[str, Mapping[str, Any]],
    outcome: pd.Series,
    settings: Mapping[str, Any],
) -> tuple[FittedNomograms, pd.DataFrame]:
    """The nomograms of one fit, and the tables of their regressions.

    Args:
        signature: mp-MR of the patients that learn. clinical, definitions, settings: as in `fit_nomograms`.
        outcome: er by patient.

    Returns: also model, step, and the columns of `logistic_table`.
    """
    rows = sorted(signature.index)
    cuts = settings["clinical"]
    named = {v: drawn_definition(v, definitions[v], cut)["name"] for v, cut in cuts.items()}
    variables = [{"variable": v, "name": named[v], "cut": cut} for v, cut in cuts.items()]
    median = Imputer(dichotomise(clinical.loc[rows], cuts).to_numpy(float)).median
    found = FittedNomograms(variables, median, {})
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


def fit_nomograms(
    fused: pd.DataFrame,
    clinical: pd.DataFrame,
    definitions: Mapping[str, Mapping[str, Any]],
    labels: pd.DataFrame,
    settings: Mapping[str, Any],
    resamples: int,
    seed: int,
) -> Nomograms:
    """All nomograms of both protocols in every fit.

    Args:
        fused: from `fuse`. clinical: numbers, index patient_id. definitions: kind, unit, levels and timing.
        settings: clinical (variable -> cut or none), clinical_p, entry_p, removal_p.
        resamples: of the bootstrap that corrects the calibration of the models of all training patients.
    """
    outcome = labels.set_index("patient_id")["er"]
    named = [drawn_definition(v, definitions[v], cut) for v, cut in settings["clinical"].items()]
    drawing = {d["name"]: d for d in named} | {FUSED: {"kind": "continuous", "levels": []}}
    found = Nomograms(list(models_of(definitions)), pd.DataFrame(), pd.DataFrame())
    probabilities, regressions, curves = [], [], []
    for (protocol, repeat, fold), own in fused.groupby(["protocol", *FIT], sort=False):
        parts = {name: rows.set_index("patient_id")[FUSED] for name, rows in own.groupby("part")}
        about = {"protocol": protocol, "repeat": repeat, "fold": fold}
        fitted, table = fit_nomograms_of(parts["learned"], clinical, definitions, outcome, settings)
        regressions.append(table.assign(**about))
        for part, signature in parts.items():
            columns = {"part": part, "patient_id": signature.index}
            predicted = fitted.predict(clinical, signature)
            probabilities.append(pd.DataFrame({**about, **columns, **{m: predicted[m].to_numpy() for m in predicted}}))
        if (repeat, fold) != (1, 0):
            continue
        rows = sorted(parts["learned"].index)
        y, x = outcome.loc[rows].to_numpy(float), fitted.inputs(clinical, parts["learned"].loc[rows])
        for name, model in fitted.models.items():
            # Without an estimate the model has no variable, though some were selected.
            final = table[(table["model"] == name) & (table["step"] == "multivariable")]
            optimism, curve = logistic_optimism(x[list(final["variable"])], y, resamples, seed, firth=True)
            curves.append(curve.assign(model=name, protocol=protocol))
            drawn = draw_logistic(model, x, drawing, rows, {FUSED: PER})
            found.drawn.append({"model": name, "protocol": protocol, **drawn, "optimism": optimism.to_dict("records")})
    found.probabilities = pd.concat(probabilities, ignore_index=True)
    found.regressions = pd.concat(regressions, ignore_index=True)
    found.curves = pd.concat(curves, ignore_index=True)
    return found
