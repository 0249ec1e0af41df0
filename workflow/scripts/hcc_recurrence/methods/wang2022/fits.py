"""Wang 2022: all fits of one protocol and repeat, as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from hcc_recurrence.learning.predictions import outcome_of, rows_of_fits
from hcc_recurrence.methods.wang2022.declare import NOMOGRAM
from hcc_recurrence.methods.wang2022.nomogram import fit_nomogram
from hcc_recurrence.methods.wang2022.signature import (
    choice_rows,
    clinical_tables,
    fit_all,
    fits_of_repeat,
    weight_rows,
)

WEIGHT_COLUMNS = ("protocol", "repeat", "fold", "model", "variable", "weight", "deep_rank")


@dataclass(frozen=True)
class Fits:
    """Rows of the predictions table; probabilities of the rows that learned, each by folds without it (protocol,
    repeat, fold, model, y, probability, variables: how many its model has); what was chosen; weights; hazard ratios;
    the nomograms as plain values."""

    predictions: pd.DataFrame
    out_of_fold: pd.DataFrame
    choices: pd.DataFrame
    weights: pd.DataFrame
    hazards: pd.DataFrame
    drawn: list[dict[str, Any]]


def fit_repeat(
    deep: pd.DataFrame,
    clinical: pd.DataFrame,
    definitions: Mapping[str, Mapping[str, Any]],
    labels: pd.DataFrame,
    split: pd.DataFrame,
    settings: Mapping[str, Any],
    phases: Sequence[str],
    protocol: str,
    repeat: int,
    horizon: float,
    seed: int,
) -> Fits:
    """All models and the nomogram in every fit of one protocol and repeat.

    Args:
        deep: from `deep_table`. clinical: from `clinical_table`. definitions: unit, timing, kind and levels of each
            variable. settings: clinical (variable -> cut or none), visual, cox_p, and those of `fit_signature`.
        horizon: months. seed: of the run.
    """
    others, visual, drawing = clinical_tables(clinical, definitions, settings)
    outcome, own_seed = outcome_of(labels), seed + repeat
    probabilities, held, choices, weights, hazards, drawn = [], [], [], [], [], []
    for fit in fits_of_repeat(split, protocol, repeat):
        about = {"protocol": protocol, "repeat": fit.repeat, "fold": fit.fold}
        fitted = fit_all(fit, deep, others, visual, outcome, settings, phases, protocol, own_seed)
        integrated = fit_nomogram(fitted, others, labels, drawing, settings["cox_p"], horizon)
        wide = pd.DataFrame({model: one.probability for model, one in fitted.signatures.items()})
        wide[NOMOGRAM] = integrated.risk
        for part, members in (("learned", fit.rows), ("unseen", fit.unseen)):
            probabilities.append(wide.loc[members].rename_axis("patient_id").reset_index().assign(part=part, **about))
        y = outcome.loc[fit.rows].to_numpy()
        held += [
            pd.DataFrame(
                {**about, "model": model, "y": y, "probability": one.out_of_fold, "variables": len(one.weights)}
            )
            for model, one in fitted.signatures.items()
        ]
        choices += choice_rows(fitted, protocol)
        weights += weight_rows(fitted, protocol)
        hazards.append(integrated.table.assign(**about))
        drawn.append({**about, **integrated.drawn()})
        print(f"fold {fit.fold}: DSFR of {fitted.phases}, {len(fit.rows)} patients learn")
    models = [*fitted.signatures, NOMOGRAM]
    return Fits(
        rows_of_fits(pd.concat(probabilities), models, labels, split, seed),
        pd.concat(held),
        pd.DataFrame(choices),
        pd.DataFrame(weights, columns=list(WEIGHT_COLUMNS)),
        pd.concat(hazards),
        drawn,
    )
