"""Wang 2022: features of a segmentation network (DSFR), with clinical variables, and of visual findings.

A fit chooses features, their number and the settings of a logistic regression on its own rows, and selects features
anew inside each inner fold. Where the setting `feature_selection` says `on_all_patients` (our worst-case reading of a
paper that describes no selection), the fits as published select them once on all rows before the cross-validation.
docs/methods.md 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hcc_recurrence.cohort.fit import STRICT
from hcc_recurrence.learning.clinical import dichotomise, drawn_definition
from hcc_recurrence.learning.folds import OuterFit, inner_splits, outer_fits
from hcc_recurrence.learning.learners import Cut, Learned, search
from hcc_recurrence.learning.scaling import Imputer, Standardiser
from hcc_recurrence.learning.selection import drop_redundant, order_by_auc
from hcc_recurrence.methods.wang2022.declare import BOTH, INSIDE_FOLDS, SIGNATURE, VISUAL, WITH_CLINICAL


def fits_of_repeat(split: pd.DataFrame, protocol: str, repeat: int) -> list[OuterFit]:
    """The fits of one repeat: those without a fold and that on all training patients; as published the last alone."""
    return [fit for fit in outer_fits(split, repeat, protocol) if fit.repeat == repeat]


def phase_sets(phases: Sequence[str]) -> dict[str, list[str]]:
    """Name of a set of phases -> the phases: each alone, and both (features side by side)."""
    found = {phase: [phase] for phase in phases}
    return {**found, BOTH: list(phases)} if len(phases) > 1 else found


def deep_table(tables: Sequence[pd.DataFrame], phases: Sequence[str], patients: Sequence[str]) -> pd.DataFrame:
    """Features of all phases side by side, columns `phase__feature`, index patient_id in the order asked for.

    Args:
        tables: patient_id, phase, features of every batch.

    Raises: ValueError naming patients without features of a phase.
    """
    table, parts = pd.concat(tables, ignore_index=True), []
    for phase in phases:
        own = table[table["phase"] == phase].drop(columns="phase").set_index("patient_id")
        lacking = sorted(set(patients) - set(own.index))
        if lacking:
            raise ValueError(
                f"{lacking[:5]} have no deep features of the {phase} phase: the network found no tumour, and there is "
                "no manual mask. What to do: draw one, or remove the patients from the patients sheet"
            )
        parts.append(own.loc[list(patients)].add_prefix(f"{phase}__"))
    return pd.concat(parts, axis=1)


def select_order(x: np.ndarray, y: np.ndarray, settings: Mapping[str, Any]) -> np.ndarray:
    """Positions of the features that are left, the best first: without nearly constant ones, and without those that
    repeat one with a larger correlation with the outcome; by their AUC.

    Args:
        x: (patients, features). settings: constant_below, correlation_r.

    Source: docs/methods.md 2.4 (the paper's feature selection is not described).
    """
    varied = np.flatnonzero(x.std(axis=0) > settings["constant_below"])
    if not len(varied):
        return varied
    z = Standardiser(x[:, varied])(x[:, varied])
    strength = np.abs(z.T @ (y - y.mean())) / len(y)
    kept = drop_redundant(z, strength, settings["correlation_r"])
    return varied[kept[order_by_auc(z[:, kept], y)]]


@dataclass(frozen=True)
class Signature:
    """One logistic regression of a fit.

    learned: settings and AUC by cross-validation. features: the deep ones, by name. out_of_fold: P of the rows that
    learn, each by the folds without it, in their order. probability: of all patients. weights: by name, standardised.
    """

    learned: Learned
    features: list[str]
    out_of_fold: np.ndarray
    probability: pd.Series
    weights: dict[str, float]


def fit_signature(
    deep: pd.DataFrame,
    extra: pd.DataFrame,
    rows: Sequence[str],
    y: np.ndarray,
    settings: Mapping[str, Any],
    protocol: str,
    seed: int,
) -> Signature:
    """Logistic regression on selected deep features and all extra variables; number of features and settings by
    cross-validated AUC.

    Args:
        deep, extra: numbers without gaps, index patient_id; either may have no column. rows: patients that learn.
        y: their er. settings: feature_selection, feature_numbers, inner_folds, regression_grid, and those of
            `select_order`.
    """
    x, more = deep.loc[rows].to_numpy(float), extra.loc[rows].to_numpy(float)
    splits = inner_splits(y, settings["inner_folds"], 1, seed)
    whole = select_order(x, y, settings)
    inside = protocol == STRICT or settings["feature_selection"] == INSIDE_FOLDS
    orders = [select_order(x[i], y[i], settings) if inside else whole for i, _ in splits]
    best: tuple[int, Learned] | None = None
    for number in feature_numbers(settings["feature_numbers"], len(whole)):
        cuts = []
        for (learn, held), order in zip(splits, orders, strict=True):
            learning, outside = _inputs(x, more, learn, order[:number], learn, held)
            cuts.append(Cut(learning, y[learn], outside, y[held]))
        everyone = np.arange(len(y))
        inputs = _inputs(x, more, everyone, whole[:number], everyone)[0]
        found = search("LR", settings["regression_grid"], cuts, inputs, y, seed)
        if best is None or found.auc > best[1].auc + 1e-12:
            best = (number, found)
    number, learned = best
    chosen = whole[:number]
    out_of_fold = np.full(len(y), np.nan)
    for (_, held), probability in zip(splits, learned.held, strict=True):
        out_of_fold[held] = probability
    scale = Standardiser(np.hstack([x[:, chosen], more]))
    everybody = np.hstack([deep.to_numpy(float)[:, chosen], extra.to_numpy(float)])
    names = [*deep.columns[chosen], *extra.columns]
    # Where nothing was learned there is no weight.
    weights = getattr(learned.model, "coef_", np.zeros(len(names))).ravel()
    return Signature(
        learned,
        list(deep.columns[chosen]),
        out_of_fold,
        pd.Series(learned.predict(scale(everybody)), deep.index),
        dict(zip(names, map(float, weights), strict=True)),
    )


def feature_numbers(wanted: Sequence[int], there: int) -> list[int]:
    """The numbers of features to try: those wanted, as far as there are so many; 0 without a feature."""
    return sorted({min(number, there) for number in wanted})


def _inputs(x: np.ndarray, more: np.ndarray, learn: np.ndarray, columns: np.ndarray, *asked: np.ndarray) -> list:
    """Chosen columns and extra variables of the rows asked for, standardised by the rows that learn."""
    joined = np.hstack([x[:, columns], more])
    scale = Standardiser(joined[learn])
    return [scale(joined[rows]) for rows in asked]


@dataclass(frozen=True)
class Fitted:
    """All signatures of one fit by model, and the set of phases that the final one takes."""

    fit: OuterFit
    signatures: dict[str, Signature]
    phases: str


def fit_all(
    fit: OuterFit,
    deep: pd.DataFrame,
    clinical: pd.DataFrame,
    visual: pd.DataFrame,
    outcome: pd.Series,
    settings: Mapping[str, Any],
    phases: Sequence[str],
    protocol: str,
    seed: int,
) -> Fitted:
    """DSFR of each set of phases, the best of them as DSFR, DSFR-C, and the model of visual findings.

    The best set is the one with the highest cross-validated AUC on the rows that learn, of equal ones the first.

    Args:
        deep: from `deep_table`. clinical, visual: numbers, gaps allowed, index patient_id as `deep`.
    """
    y = outcome.loc[fit.rows].to_numpy(int)
    nothing = pd.DataFrame(index=deep.index)

    def fitted(features: pd.DataFrame, extra: pd.DataFrame) -> Signature:
        return fit_signature(features, extra, fit.rows, y, settings, protocol, seed)

    sets = {
        name: fitted(deep[[c for c in deep.columns if c.split("__")[0] in own]], nothing)
        for name, own in phase_sets(phases).items()
    }
    best = max(sets, key=lambda name: round(sets[name].learned.auc, 12))
    found = {f"{SIGNATURE} {name}": one for name, one in sets.items()}
    found[SIGNATURE] = sets[best]
    chosen = phase_sets(phases)[best]
    own = deep[[c for c in deep.columns if c.split("__")[0] in chosen]]
    filled = {name: impute(table, fit.rows) for name, table in (("clinical", clinical), ("visual", visual))}
    found[WITH_CLINICAL] = fitted(own, filled["clinical"])
    found[VISUAL] = fitted(nothing, filled["visual"])
    return Fitted(fit, found, best)


def impute(table: pd.DataFrame, rows: Sequence[str]) -> pd.DataFrame:
    """Gaps filled with the median of the rows that learn, and without columns that do not vary there."""
    filled = Imputer(table.loc[rows].to_numpy(float))(table.to_numpy(float))
    whole = pd.DataFrame(filled, table.index, table.columns)
    return whole[[c for c in whole.columns if np.ptp(whole.loc[rows, c].to_numpy()) > 1e-9]]


def clinical_tables(
    clinical: pd.DataFrame, definitions: Mapping[str, Mapping[str, Any]], settings: Mapping[str, Any]
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, dict[str, Any]]]:
    """Clinical and visual variables under the names that are drawn, cut as published, and how each is drawn."""
    raw = dichotomise(clinical, settings["clinical"])
    named = {v: drawn_definition(v, definitions[v], cut) for v, cut in settings["clinical"].items()}
    drawing = {d["name"]: d for d in named.values()}
    visual = [v for v in settings["clinical"] if v in settings["visual"]]
    others = [v for v in settings["clinical"] if v not in settings["visual"]]
    tables = [raw[names].rename(columns={v: named[v]["name"] for v in names}) for names in (others, visual)]
    return tables[0], tables[1], drawing


def choice_rows(fitted: Fitted, protocol: str) -> list[dict[str, Any]]:
    """What each model of a fit chose: phases, number of deep features, settings, and its cross-validated AUC."""
    about = {"protocol": protocol, "repeat": fitted.fit.repeat, "fold": fitted.fit.fold}
    return [
        {
            **about,
            "model": model,
            "phases": fitted.phases if model in (SIGNATURE, WITH_CLINICAL) else model.removeprefix(f"{SIGNATURE} "),
            "features": len(one.features),
            "variables": len(one.weights),
            **one.learned.settings,
            "cross_validated_auc": one.learned.auc,
        }
        for model, one in fitted.signatures.items()
    ]


def weight_rows(fitted: Fitted, protocol: str) -> list[dict[str, Any]]:
    """Weights of the final models of a fit, standardised, the largest first; rank 1 is the largest deep feature."""
    rows = []
    for model in (SIGNATURE, WITH_CLINICAL, VISUAL):
        one = fitted.signatures[model]
        ordered = sorted(one.weights, key=lambda name: (-abs(one.weights[name]), name))
        deep = [name for name in ordered if name in set(one.features)]
        for name in ordered:
            rank = deep.index(name) + 1 if name in deep else 0
            about = {"protocol": protocol, "repeat": fitted.fit.repeat, "fold": fitted.fit.fold}
            rows.append({**about, "model": model, "variable": name, "weight": one.weights[name], "deep_rank": rank})
    return rows


def explained_features(weights: pd.DataFrame, number: int) -> pd.DataFrame:
    """The deep features with the largest weights in DSFR of all training patients, strict: variable, weight."""
    own = weights[(weights["model"] == SIGNATURE) & (weights["protocol"] == STRICT) & (weights["deep_rank"] > 0)]
    own = own[(own["repeat"] == 1) & (own["fold"] == 0)].sort_values("deep_rank")
    return own.head(number)[["variable", "weight"]].reset_index(drop=True)
