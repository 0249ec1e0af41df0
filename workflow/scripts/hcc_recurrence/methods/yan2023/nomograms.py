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
from hcc_recurrence.learning.risk_factors import draw_logistic, logistic_optimism
from hcc_recurrence.learning.scaling import Imputer
from hcc_recurrence.methods.yan2023.signatures import FIT, FUSED
from hcc_recurrence.statistics.logistic import (
    collinearity,
    fit_logistic,
    forward_likelihood_ratio,
    logistic_table,
    univariable_table,
)

CLINICAL, DEEP, BEFORE = "Clinical-nomogram", "DL-nomogram", "preoperative"
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


def _inputs(raw: pd.DataFrame, rows: list[str], signature: pd.Series) -> pd.DataFrame:
    """Clinical variables with the median of `rows` for what is missing, and the signature in units of 0.1."""
    filled = Imputer(raw.loc[rows].to_numpy(float))(raw.to_numpy(float))
    table = pd.DataFrame(filled, index=raw.index, columns=raw.columns)
    return table.loc[signature.index].assign(**{FUSED: signature * PER})


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
    raw = dichotomise(clinical, settings["clinical"])
    named = {v: drawn_definition(v, definitions[v], cut) for v, cut in settings["clinical"].items()}
    raw = raw.rename(columns={v: d["name"] for v, d in named.items()})
    drawing = {d["name"]: d for d in named.values()} | {FUSED: {"kind": "continuous", "levels": []}}
    wanted = models_of(definitions)
    found = Nomograms(list(wanted), pd.DataFrame(), pd.DataFrame())
    probabilities, regressions, curves = [], [], []
    for (protocol, repeat, fold), own in fused.groupby(["protocol", *FIT], sort=False):
        parts = {name: rows.set_index("patient_id")[FUSED] for name, rows in own.groupby("part")}
        rows = sorted(parts["learned"].index)
        y = outcome.loc[rows].to_numpy(float)
        x = {name: _inputs(raw, rows, signature) for name, signature in parts.items()}
        about = {"protocol": protocol, "repeat": repeat, "fold": fold}
        columns: dict[str, dict[str, np.ndarray]] = {name: {} for name in x}
        for name, (variables, with_signature) in wanted.items():
            candidates = [named[v]["name"] for v in variables] + ([FUSED] if with_signature else [])
            learning = x["learned"].loc[rows, candidates]
            chosen, alone = select_variables(y, learning, settings)
            model = fit_logistic(y, learning[chosen])
            for part in x:
                columns[part][name] = model.predict(x[part])
            together = logistic_table(y, learning[chosen], firth=True) if chosen else alone.iloc[:0]
            if len(chosen) > 1:
                together = together.merge(collinearity(learning[chosen]), on="variable")
            steps = [alone.assign(step="univariable"), together.assign(step="multivariable")]
            regressions.append(pd.concat(steps, ignore_index=True).assign(model=name, **about))
            if (repeat, fold) == (1, 0):
                optimism, curve = logistic_optimism(learning[chosen], y, resamples, seed, firth=True)
                curves.append(curve.assign(model=name, protocol=protocol))
                drawn = draw_logistic(model, learning, drawing, rows, {FUSED: PER})
                found.drawn.append(
                    {"model": name, "protocol": protocol, **drawn, "optimism": optimism.to_dict("records")}
                )
        for part, values in columns.items():
            probabilities.append(pd.DataFrame({**about, "part": part, "patient_id": x[part].index, **values}))
    found.probabilities = pd.concat(probabilities, ignore_index=True)
    found.regressions = pd.concat(regressions, ignore_index=True)
    found.curves = pd.concat(curves, ignore_index=True)
    return found
