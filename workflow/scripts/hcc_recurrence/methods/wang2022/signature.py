"""Wang 2022: features of a segmentation network (DSFR), with clinical variables, and of visual findings.

A fit chooses features, their number and the settings of a logistic regression on its own rows, and selects features
anew inside each inner fold. Where the setting `feature_selection` says `on_all_patients` (our worst-case reading of a
paper that describes no selection), the fits as published select them once on all rows before the cross-validation.
docs/methods.md 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from hcc_recurrence.learning.choices import first_of_best
from hcc_recurrence.learning.clinical import dichotomise, drawn_definition
from hcc_recurrence.learning.estimators import predicted
from hcc_recurrence.learning.folds import inner_splits
from hcc_recurrence.learning.learners import Cut, Learned, search
from hcc_recurrence.learning.model_files import expect_keys
from hcc_recurrence.learning.scaling import Standardiser
from hcc_recurrence.learning.selection import drop_redundant, order_by_auc
from hcc_recurrence.methods.wang2022.declare import SIGNATURE, VISUAL, WITH_CLINICAL, phase_sets


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
class Regression:
    """A logistic regression of named variables, the deep features first: it predicts patients who were not there.

    features: the deep ones. others: clinical or visual ones. scale: of all of them, in that order.
    """

    features: tuple[str, ...]
    others: tuple[str, ...]
    scale: Standardiser
    model: Any

    def predict(self, deep: pd.DataFrame, others: pd.DataFrame) -> np.ndarray:
        """P of each row, (rows,).

        Args:
            deep, others: with the columns `features` and `others` among theirs, without gaps, rows in one order.
        """
        x = np.hstack([deep[list(self.features)].to_numpy(float), others[list(self.others)].to_numpy(float)])
        return predicted(self.model, self.scale(x))

    @property
    def weights(self) -> dict[str, float]:
        """Weight of each standardised variable; 0 where nothing was learned."""
        names = [*self.features, *self.others]
        return dict(zip(names, map(float, getattr(self.model, "coef_", np.zeros(len(names))).ravel()), strict=True))

    def state(self) -> dict[str, Any]:
        """What a model file holds of it."""
        return {
            "features": list(self.features),
            "others": list(self.others),
            "scale": self.scale.state(),
            "model": self.model,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """From what `state` gave.

        Raises: ModelFileError for other keys.
        """
        expect_keys(state, {"features", "others", "scale", "model"}, "a regression of wang2022")
        scale = Standardiser.from_state(state["scale"])
        return cls(tuple(state["features"]), tuple(state["others"]), scale, state["model"])


@dataclass(frozen=True)
class Signature:
    """One logistic regression of a fit, and how it was chosen.

    learned: settings and AUC by cross-validation. number: of deep features asked for. out_of_fold: P of the rows that
    learn, each by the folds without it, in their order.
    """

    learned: Learned
    number: int
    regression: Regression
    out_of_fold: np.ndarray


def fit_signature(
    deep: pd.DataFrame,
    extra: pd.DataFrame,
    rows: Sequence[str],
    y: np.ndarray,
    settings: Mapping[str, Any],
    seed: int,
    order: np.ndarray | None = None,
) -> Signature:
    """Logistic regression on selected deep features and all extra variables; number of features and settings by
    cross-validated AUC.

    Args:
        deep, extra: numbers without gaps, index patient_id; either may have no column. rows: patients that learn.
        y: their er. settings: feature_numbers, inner_folds, regression_grid, and those of `select_order`.
        order: positions of features that were selected before (our worst-case reading); none: selected here, inside
            each fold anew.
    """
    x, more = deep.loc[rows].to_numpy(float), extra.loc[rows].to_numpy(float)
    splits = inner_splits(y, settings["inner_folds"], 1, seed)
    whole = select_order(x, y, settings) if order is None else order
    orders = [select_order(x[i], y[i], settings) if order is None else order for i, _ in splits]
    best: tuple[int, Learned] | None = None
    for number in feature_numbers(settings["feature_numbers"], len(whole)):
        cuts = []
        for (learn, held), own in zip(splits, orders, strict=True):
            inside, outside = _inputs(x, more, learn, own[:number], learn, held)
            cuts.append(Cut(inside, y[learn], outside, y[held]))
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
    regression = Regression(tuple(deep.columns[chosen]), tuple(extra.columns), scale, learned.model)
    return Signature(learned, number, regression, out_of_fold)


def as_chosen(settings: Mapping[str, Any], signature: Signature) -> dict[str, Any]:
    """The settings with which `fit_signature` has nothing left to choose: those that a signature chose."""
    grid = {key: [value] for key, value in signature.learned.settings.items()}
    return {**settings, "feature_numbers": [signature.number], "regression_grid": grid}


def feature_numbers(wanted: Sequence[int], there: int) -> list[int]:
    """The numbers of features to try: those wanted, as far as there are so many; 0 without a feature."""
    return sorted({min(number, there) for number in wanted})


def _inputs(x: np.ndarray, more: np.ndarray, learn: np.ndarray, columns: np.ndarray, *asked: np.ndarray) -> list:
    """Chosen columns and extra variables of the rows asked for, standardised by the rows that learn."""
    joined = np.hstack([x[:, columns], more])
    scale = Standardiser(joined[learn])
    return [scale(joined[rows]) for rows in asked]


@dataclass(frozen=True)
class Signatures:
    """All signatures of one fit by model, and the set of phases that the final one takes."""

    by_model: dict[str, Signature]
    phases: str


def fit_signatures(
    deep: pd.DataFrame,
    clinical: pd.DataFrame,
    visual: pd.DataFrame,
    rows: Sequence[str],
    outcome: pd.Series,
    settings: Mapping[str, Any],
    phases: Sequence[str],
    seed: int,
    selected_on: Sequence[str] = (),
    chosen: Signatures | None = None,
) -> Signatures:
    """DSFR of each set of phases, the best of them as DSFR, DSFR-C, and the model of visual findings.

    The best set is the one with the highest cross-validated AUC on the rows that learn, of equal ones the first. DSFR-C
    takes the deep features of DSFR (2.2 of the paper) and settings of its own.

    Args:
        deep: from `deep_table`. clinical, visual: numbers without gaps, index patient_id as `deep`. rows: patients that
            learn. outcome: er by patient. selected_on: patients on whom features are selected before the folds (the
            worst-case reading); none: inside the folds. chosen: signatures whose phases, numbers of features and
            settings are taken as they are; none: chosen here.
    """
    y, nothing = outcome.loc[list(rows)].to_numpy(int), pd.DataFrame(index=deep.index)

    def fitted(model: str, features: pd.DataFrame, extra: pd.DataFrame, number: int | None = None) -> Signature:
        own, order = dict(settings), None
        if number is not None:
            own["feature_numbers"] = [number]
        if chosen is not None:
            own = as_chosen(settings, chosen.by_model[model])
        if selected_on:
            everyone = features.loc[list(selected_on)].to_numpy(float)
            order = select_order(everyone, outcome.loc[list(selected_on)].to_numpy(int), settings)
        return fit_signature(features, extra, rows, y, own, seed, order)

    found = {}
    for name, own in phase_sets(phases).items():
        model = f"{SIGNATURE} {name}"
        found[model] = fitted(model, of_phases(deep, own), nothing)
    if chosen is None:
        best = first_of_best({name: found[f"{SIGNATURE} {name}"].learned.auc for name in phase_sets(phases)})
    else:
        best = chosen.phases
    found[SIGNATURE] = found[f"{SIGNATURE} {best}"]
    own = of_phases(deep, phase_sets(phases)[best])
    found[WITH_CLINICAL] = fitted(WITH_CLINICAL, own, clinical, found[SIGNATURE].number)
    found[VISUAL] = fitted(VISUAL, nothing, visual)
    return Signatures(found, best)


def of_phases(deep: pd.DataFrame, phases: Sequence[str]) -> pd.DataFrame:
    """The features of some phases."""
    return deep[[c for c in deep.columns if c.split("__")[0] in phases]]


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
