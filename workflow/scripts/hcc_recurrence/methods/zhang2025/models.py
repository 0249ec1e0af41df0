"""Zhang 2025: the clinical signature, and the combined logistic model with its nomogram. docs/methods.md 5.5.

In every fit: variables by univariable and multivariable logistic regression on the rows that learn; the clinical
signature is one of the five learners on them, the combined model a logistic regression on DL_2.5D and them.
Differentiation and Ki67 are findings of the pathologist, so each model has a variant without such variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from hcc_recurrence.learning.clinical import dichotomise, drawn_definition, select_clinical
from hcc_recurrence.learning.folds import OuterFit
from hcc_recurrence.learning.learners import plain_cuts, search
from hcc_recurrence.learning.predictions import outcome_of
from hcc_recurrence.learning.risk_factors import draw_logistic, logistic_optimism
from hcc_recurrence.learning.scaling import Imputer, Standardiser
from hcc_recurrence.methods.zhang2025.declare import BEFORE, CLINICAL, COMBINED, SIGNATURE
from hcc_recurrence.methods.zhang2025.signature import choose_learner
from hcc_recurrence.statistics.logistic import collinearity, fit_logistic, logistic_table

# Odds ratios of a probability are of no use per unit: per 0.1.
PER = 10.0


@dataclass
class Models:
    """Probabilities of all fits (`table` of `rows_of_fits`), tables of the regressions, and what the figures draw."""

    models: list[str] = field(default_factory=list)
    probabilities: pd.DataFrame = field(default_factory=pd.DataFrame)
    regressions: pd.DataFrame = field(default_factory=pd.DataFrame)
    drawn: list[dict[str, Any]] = field(default_factory=list)
    curves: pd.DataFrame = field(default_factory=pd.DataFrame)


def variants_of(definitions: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """Ending of the models' names -> their clinical candidates; a preoperative one where some are known only later."""
    before = [v for v, d in definitions.items() if d["timing"] == "pre"]
    found = {"": list(definitions)}
    return found if len(before) == len(definitions) else {**found, f" {BEFORE}": before}


def fit_clinical(
    x: pd.DataFrame,
    y: np.ndarray,
    fit: OuterFit,
    truth: pd.Series,
    settings: Mapping[str, Any],
    protocol: str,
    seed: int,
) -> pd.Series:
    """The clinical signature of every patient of a fit: the chosen learner on the variables of `x`.

    Args:
        x: numbers without gaps, index patient_id. y: er of fit.rows. truth: er of the validation patients.
    """
    scale = Standardiser(x.loc[fit.rows].to_numpy(float))
    z = pd.DataFrame(scale(x.to_numpy(float)), x.index, x.columns)
    rows, folds = z.loc[fit.rows].to_numpy(), settings["learner_folds"]
    cuts = plain_cuts(rows, y, folds, seed)
    found = {n: search(n, grid, cuts, rows, y, seed) for n, grid in settings["learners"].items()}
    held = {n: one.predict(z.loc[truth.index].to_numpy()) for n, one in found.items()}
    best = choose_learner(found, held, truth.to_numpy(int), protocol)
    return pd.Series(found[best].predict(z.to_numpy()), z.index)


def fit_models(
    fits: list[OuterFit],
    signature: pd.DataFrame | None,
    clinical: pd.DataFrame,
    definitions: Mapping[str, Mapping[str, Any]],
    labels: pd.DataFrame,
    split: pd.DataFrame,
    settings: Mapping[str, Any],
    resamples: int,
    seed: int,
) -> Models:
    """Clinical and combined models of both protocols in every fit.

    Args:
        fits: from `fits_of`. signature: DL_2.5D of all fits (protocol, repeat, fold, part, patient_id); none without
            networks, and then there is no combined model. clinical: numbers, index patient_id.
        settings: clinical (variable -> cut or none), clinical_p, none_significant, learners, learner_folds.
        resamples: of the bootstrap that corrects the calibration of the models of all training patients.
    """
    outcome = outcome_of(labels)
    place = split.set_index("patient_id")["split"]
    raw = dichotomise(clinical, settings["clinical"])
    named = {v: drawn_definition(v, definitions[v], cut) for v, cut in settings["clinical"].items()}
    raw = raw.rename(columns={v: d["name"] for v, d in named.items()})
    drawing = {d["name"]: d for d in named.values()} | {SIGNATURE: {"kind": "continuous", "levels": []}}
    found, tables, regressions, curves = Models(), [], [], []
    for fit in fits:
        y = outcome.loc[fit.rows].to_numpy()
        filled = pd.DataFrame(Imputer(raw.loc[fit.rows].to_numpy(float))(raw.to_numpy(float)), raw.index, raw.columns)
        own_seed = seed + fit.repeat
        protocol, about = fit.fit.protocol, fit.fit.about
        validation = outcome.loc[[p for p in fit.unseen if place[p] == "validation"]]
        columns: dict[str, pd.Series] = {}
        deep = None
        if signature is not None:
            own = signature[(signature[list(about)] == list(about.values())).all(axis=1)]
            deep = own.set_index("patient_id")[SIGNATURE].loc[[*fit.rows, *fit.unseen]] * PER
        for ending, variables in variants_of(definitions).items():
            candidates = [named[v]["name"] for v in variables]
            varied = [c for c in candidates if np.ptp(filled.loc[fit.rows, c].to_numpy()) > 1e-9]
            chosen, table = select_clinical(
                filled.loc[fit.rows, varied], y, settings["clinical_p"], settings["none_significant"]
            )
            regressions.append(table.assign(model=f"{CLINICAL}{ending}", **about))
            columns[f"{CLINICAL}{ending}"] = fit_clinical(
                filled[chosen], y, fit, validation, settings, protocol, own_seed
            )
            if deep is None:
                continue
            x = filled.loc[deep.index, chosen].assign(**{SIGNATURE: deep})
            # A signature that is the same for everyone has no odds ratio.
            wanted = [c for c in x.columns if np.ptp(x.loc[fit.rows, c].to_numpy()) > 1e-9]
            learning = x.loc[fit.rows, wanted]
            model = fit_logistic(y, learning)
            name = f"{COMBINED}{ending}"
            columns[name] = pd.Series(model.predict(x), x.index)
            if wanted:
                together = logistic_table(y, learning, firth=True)
                if len(wanted) > 1:
                    together = together.merge(collinearity(learning), on="variable")
                regressions.append(together.assign(step="multivariable", model=name, **about))
            if (fit.repeat, fit.fold) == (1, 0):
                optimism, curve = logistic_optimism(learning, y, resamples, seed, firth=True)
                curves.append(curve.assign(model=name, protocol=protocol))
                drawn = draw_logistic(model, learning, drawing, fit.rows, {SIGNATURE: PER})
                found.drawn.append(
                    {"model": name, "protocol": protocol, **drawn, "optimism": optimism.to_dict("records")}
                )
        wide = pd.DataFrame(columns)
        for part, patients in (("learned", fit.rows), ("unseen", fit.unseen)):
            tables.append(wide.loc[patients].rename_axis("patient_id").reset_index().assign(part=part, **about))
        found.models = list(columns)
    found.probabilities = pd.concat(tables, ignore_index=True)
    found.regressions = pd.concat(regressions, ignore_index=True)
    none = pd.DataFrame(columns=["at", "apparent", "corrected", "model", "protocol"])
    found.curves = pd.concat(curves, ignore_index=True) if curves else none
    return found
