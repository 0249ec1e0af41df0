"""Zhang 2025: the clinical signature, and the combined logistic model with its nomogram. docs/methods.md 5.5.

In every fit: variables by univariable and multivariable logistic regression on the rows that learn; the clinical
signature is one of the five learners on them, the combined model a logistic regression on DL_2.5D and them.
Differentiation and Ki67 are findings of the pathologist, so each model has a variant without such variables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd

from hcc_recurrence.cohort.fit import PUBLISHED
from hcc_recurrence.learning.clinical import Cut, dichotomise, drawn_definition, select_clinical
from hcc_recurrence.learning.estimators import predicted
from hcc_recurrence.learning.folds import OuterFit, stratified_folds
from hcc_recurrence.learning.learners import Learned, plain_cuts, search
from hcc_recurrence.learning.model_files import expect_keys
from hcc_recurrence.learning.predictions import outcome_of
from hcc_recurrence.learning.risk_factors import draw_logistic, logistic_optimism
from hcc_recurrence.learning.scaling import Imputer, Standardiser
from hcc_recurrence.methods.zhang2025.declare import BEFORE, CLINICAL, COMBINED, SIGNATURE
from hcc_recurrence.methods.zhang2025.signature import choose_learner
from hcc_recurrence.statistics.logistic import LogisticModel, collinearity, fit_logistic, logistic_table

# Odds ratios of a probability are of no use per unit: per 0.1.
PER = 10.0


@dataclass(frozen=True)
class ClinicalModels:
    """The clinical signature and the combined model on one choice of variables, as they are applied.

    cuts: variable -> threshold or none, in the order of columns. names: of the columns, as tables print them. fill:
    medians of the rows that learned. scale: theirs, for the signature alone. combined: on the signature DL_2.5D and the
    filled values; none without networks.
    """

    cuts: Mapping[str, Cut]
    names: tuple[str, ...]
    fill: Imputer
    scale: Standardiser
    learner: str
    signature: Any
    combined: LogisticModel | None

    def predict(self, clinical: pd.DataFrame, deep: np.ndarray | None) -> dict[str, np.ndarray]:
        """Probability of early recurrence by the clinical and the combined model, of every row.

        Args:
            clinical: numbers as in the sheet, index patient_id. deep: DL_2.5D of these patients, or none.
        """
        filled = self.fill(dichotomise(clinical, self.cuts).to_numpy(float))
        found = {CLINICAL: predicted(self.signature, self.scale(filled))}
        if self.combined is not None:
            x = pd.DataFrame(filled, columns=list(self.names)).assign(**{SIGNATURE: deep * PER})
            found[COMBINED] = self.combined.predict(x)
        return found

    def state(self) -> dict[str, Any]:
        """What a model file holds of it."""
        combined = None
        if self.combined is not None:
            weights = [[name, weight] for name, weight in self.combined.coefficients.items()]
            combined = {"weights": weights, "intercept": self.combined.intercept, "method": self.combined.method}
        return {
            # Lists of pairs: the order is that of the columns.
            "cuts": [[name, cut] for name, cut in self.cuts.items()],
            "names": list(self.names),
            "fill": self.fill.state(),
            "scale": self.scale.state(),
            "learner": self.learner,
            "signature": self.signature,
            "combined": combined,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """From what `state` gave.

        Raises: ModelFileError for other keys.
        """
        expect_keys(state, {"cuts", "names", "fill", "scale", "learner", "signature", "combined"}, cls.__name__)
        combined = None
        if (own := state["combined"]) is not None:
            expect_keys(own, {"weights", "intercept", "method"}, f"{cls.__name__}, combined")
            combined = LogisticModel({name: weight for name, weight in own["weights"]}, own["intercept"], own["method"])
        return cls(
            {name: cut for name, cut in state["cuts"]},
            tuple(state["names"]),
            Imputer.from_state(state["fill"]),
            Standardiser.from_state(state["scale"]),
            state["learner"],
            state["signature"],
            combined,
        )


@dataclass
class Models:
    """The models of one fit by the ending of their names, tables of the regressions, and what the figures draw.

    held: as published, probabilities of the patients that learn by each model without the patient's fold, index
    patient_id, and their folds.
    """

    fitted: dict[str, ClinicalModels] = field(default_factory=dict)
    regressions: pd.DataFrame = field(default_factory=pd.DataFrame)
    drawn: list[dict[str, Any]] = field(default_factory=list)
    curves: pd.DataFrame = field(default_factory=pd.DataFrame)
    held: pd.DataFrame = field(default_factory=pd.DataFrame)
    folds: pd.Series = field(default_factory=pd.Series)


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
    seed: int,
) -> tuple[Standardiser, Learned]:
    """The clinical signature of a fit: the chosen learner on the variables of `x`.

    Args:
        x: numbers without gaps, index patient_id. y: er of fit.rows. truth: er of the validation patients.

    Returns: the scale of the rows that learn, and the learner.
    """
    scale = Standardiser(x.loc[fit.rows].to_numpy(float))
    z = pd.DataFrame(scale(x.to_numpy(float)), x.index, x.columns)
    rows, folds = z.loc[fit.rows].to_numpy(), settings["learner_folds"]
    cuts = plain_cuts(rows, y, folds, seed)
    found = {n: search(n, grid, cuts, rows, y, seed) for n, grid in settings["learners"].items()}
    held = {n: one.predict(z.loc[truth.index].to_numpy()) for n, one in found.items()}
    best = choose_learner(found, held, truth.to_numpy(int), fit.fit.protocol)
    return scale, found[best]


def joined(held: Sequence[np.ndarray], folds: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Values of all rows, (rows,), from those of the held rows of each fold."""
    found = np.empty(sum(len(values) for values in held))
    for (_, rows), values in zip(folds, held, strict=True):
        found[rows] = values
    return found


def combined_without_folds(
    x: pd.DataFrame, y: np.ndarray, by_fold: Sequence[pd.Series], folds: Sequence[tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    """Probabilities of the rows that learn by the combined model, (rows,), fitted without the row's fold.

    Its DL_2.5D is by the learner without that fold too, so that the fusion and the combined model stand on the same
    ground: a combined model of DL_2.5D alone ranks the held patients of a fold as DL_2.5D does. The clinical variables
    were chosen on all rows, as published.

    Args:
        x: chosen clinical variables without gaps, (rows, variables). by_fold: see `fit_models`.
    """
    found = []
    for (rows, others), deep in zip(folds, by_fold, strict=True):
        all_of_fold = x.assign(**{SIGNATURE: deep.loc[x.index] * PER})
        learning = all_of_fold.iloc[rows]
        learning = learning[[c for c in learning.columns if np.ptp(learning[c].to_numpy()) > 1e-9]]
        found.append(fit_logistic(y[rows], learning).predict(all_of_fold.iloc[others]))
    return joined(found, folds)


def fit_models(
    fit: OuterFit,
    signature: pd.Series | None,
    clinical: pd.DataFrame,
    definitions: Mapping[str, Mapping[str, Any]],
    labels: pd.DataFrame,
    split: pd.DataFrame,
    settings: Mapping[str, Any],
    seed: int,
    by_fold: Sequence[pd.Series] = (),
) -> Models:
    """Clinical and combined models of one fit.

    Args:
        signature: DL_2.5D of the patients that learn, by patient: in the strict protocol by inner models that did not
            see the patient, as published apparent; none without networks, and then there is no combined model.
        clinical: numbers, index patient_id. definitions: of the clinical variables, by name.
        settings: clinical (variable -> cut or none), clinical_p, none_significant, learners, learner_folds,
            calibration_resamples (of the bootstrap that corrects the calibration where all training patients learn).
        seed: of the run. by_fold: as published, DL_2.5D of the patients that learn by the learner without each fold of
            the grid search (`Fusion.by_fold`).
    """
    outcome = outcome_of(labels)
    place = split.set_index("patient_id")["split"]
    raw = dichotomise(clinical, settings["clinical"])
    named = {v: drawn_definition(v, definitions[v], cut) for v, cut in settings["clinical"].items()}
    variable_of = {d["name"]: v for v, d in named.items()}
    raw = raw.rename(columns={v: d["name"] for v, d in named.items()})
    drawing = {d["name"]: d for d in named.values()} | {SIGNATURE: {"kind": "continuous", "levels": []}}
    y = outcome.loc[fit.rows].to_numpy()
    impute = Imputer(raw.loc[fit.rows].to_numpy(float))
    filled = pd.DataFrame(impute(raw.to_numpy(float)), raw.index, raw.columns)
    validation = outcome.loc[[p for p in fit.unseen if place[p] == "validation"]]
    deep = None if signature is None else signature.loc[fit.rows] * PER
    found, regressions, curves, held = Models(), [], [], {}
    folds = list(stratified_folds(y, settings["learner_folds"], seed + fit.repeat).split(np.zeros(len(y)), y))
    for ending, variables in variants_of(definitions).items():
        candidates = [named[v]["name"] for v in variables]
        varied = [c for c in candidates if np.ptp(filled.loc[fit.rows, c].to_numpy()) > 1e-9]
        chosen, table = select_clinical(
            filled.loc[fit.rows, varied], y, settings["clinical_p"], settings["none_significant"]
        )
        regressions.append(table.assign(model=f"{CLINICAL}{ending}"))
        scale, own = fit_clinical(filled[chosen], y, fit, validation, settings, seed + fit.repeat)
        if fit.fit.protocol == PUBLISHED:
            held[f"{CLINICAL}{ending}"] = joined(own.held, folds) if chosen else np.full(len(y), y.mean())
        model = None
        if deep is not None:
            x = filled.loc[deep.index, chosen].assign(**{SIGNATURE: deep})
            # A signature that is the same for everyone has no odds ratio.
            learning = x[[c for c in x.columns if np.ptp(x[c].to_numpy()) > 1e-9]]
            model = fit_logistic(y, learning)
            name = f"{COMBINED}{ending}"
            if by_fold:
                held[name] = combined_without_folds(filled.loc[fit.rows, chosen], y, by_fold, folds)
            if len(learning.columns):
                together = logistic_table(y, learning, firth=True)
                if len(learning.columns) > 1:
                    together = together.merge(collinearity(learning), on="variable")
                regressions.append(together.assign(step="multivariable", model=name))
            if (fit.repeat, fit.fold) == (1, 0):
                optimism, curve = logistic_optimism(learning, y, settings["calibration_resamples"], seed, firth=True)
                curves.append(curve.assign(model=name))
                drawn = draw_logistic(model, learning, drawing, fit.rows, {SIGNATURE: PER})
                found.drawn.append(
                    {"model": name, "protocol": fit.fit.protocol, **drawn, "optimism": optimism.to_dict("records")}
                )
        cuts = {variable_of[c]: settings["clinical"][variable_of[c]] for c in chosen}
        fill = impute.of_columns([raw.columns.get_loc(c) for c in chosen])
        found.fitted[ending] = ClinicalModels(cuts, tuple(chosen), fill, scale, own.name, own.model, model)
    found.regressions = pd.concat(regressions, ignore_index=True)
    none = pd.DataFrame(columns=["at", "apparent", "corrected", "model"])
    if held:
        found.held = pd.DataFrame(held, index=pd.Index(fit.rows, name="patient_id"))
        numbers = [np.full(len(rows), number) for number, (_, rows) in enumerate(folds, 1)]
        found.folds = pd.Series(joined(numbers, folds), fit.rows).astype(int)
    found.curves = pd.concat(curves, ignore_index=True) if curves else none
    return found
