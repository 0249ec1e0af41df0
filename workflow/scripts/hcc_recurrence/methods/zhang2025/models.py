"""Zhang 2025: the clinical signature, and the combined logistic model with its nomogram. docs/methods.md 5.5.

In every fit: variables by univariable and multivariable logistic regression on the rows that learn; the clinical
signature is one of the five learners on them, the combined model a logistic regression on DL_2.5D and them.
Differentiation and Ki67 are findings of the pathologist, so each model has a variant without such variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd

from hcc_recurrence.learning.clinical import Cut, dichotomise, drawn_definition, select_clinical
from hcc_recurrence.learning.estimators import predicted
from hcc_recurrence.learning.folds import OuterFit
from hcc_recurrence.learning.learners import plain_cuts, search
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
    """The models of one fit by the ending of their names, tables of the regressions, and what the figures draw."""

    fitted: dict[str, ClinicalModels] = field(default_factory=dict)
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
    seed: int,
) -> tuple[Standardiser, str, Any]:
    """The clinical signature of a fit: the chosen learner on the variables of `x`.

    Args:
        x: numbers without gaps, index patient_id. y: er of fit.rows. truth: er of the validation patients.

    Returns: the scale of the rows that learn, the learner's name, and it.
    """
    scale = Standardiser(x.loc[fit.rows].to_numpy(float))
    z = pd.DataFrame(scale(x.to_numpy(float)), x.index, x.columns)
    rows, folds = z.loc[fit.rows].to_numpy(), settings["learner_folds"]
    cuts = plain_cuts(rows, y, folds, seed)
    found = {n: search(n, grid, cuts, rows, y, seed) for n, grid in settings["learners"].items()}
    held = {n: one.predict(z.loc[truth.index].to_numpy()) for n, one in found.items()}
    best = choose_learner(found, held, truth.to_numpy(int), fit.fit.protocol)
    return scale, best, found[best].model


def fit_models(
    fit: OuterFit,
    signature: pd.Series | None,
    clinical: pd.DataFrame,
    definitions: Mapping[str, Mapping[str, Any]],
    labels: pd.DataFrame,
    split: pd.DataFrame,
    settings: Mapping[str, Any],
    seed: int,
) -> Models:
    """Clinical and combined models of one fit.

    Args:
        signature: DL_2.5D of the patients that learn, by patient: in the strict protocol by inner models that did not
            see the patient, as published apparent; none without networks, and then there is no combined model.
        clinical: numbers, index patient_id. definitions: of the clinical variables, by name.
        settings: clinical (variable -> cut or none), clinical_p, none_significant, learners, learner_folds,
            calibration_resamples (of the bootstrap that corrects the calibration where all training patients learn).
        seed: of the run.
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
    found, regressions, curves = Models(), [], []
    for ending, variables in variants_of(definitions).items():
        candidates = [named[v]["name"] for v in variables]
        varied = [c for c in candidates if np.ptp(filled.loc[fit.rows, c].to_numpy()) > 1e-9]
        chosen, table = select_clinical(
            filled.loc[fit.rows, varied], y, settings["clinical_p"], settings["none_significant"]
        )
        regressions.append(table.assign(model=f"{CLINICAL}{ending}"))
        scale, learner, own = fit_clinical(filled[chosen], y, fit, validation, settings, seed + fit.repeat)
        model = None
        if deep is not None:
            x = filled.loc[deep.index, chosen].assign(**{SIGNATURE: deep})
            # A signature that is the same for everyone has no odds ratio.
            learning = x[[c for c in x.columns if np.ptp(x[c].to_numpy()) > 1e-9]]
            model = fit_logistic(y, learning)
            name = f"{COMBINED}{ending}"
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
        found.fitted[ending] = ClinicalModels(cuts, tuple(chosen), fill, scale, learner, own, model)
    found.regressions = pd.concat(regressions, ignore_index=True)
    none = pd.DataFrame(columns=["at", "apparent", "corrected", "model"])
    found.curves = pd.concat(curves, ignore_index=True) if curves else none
    return found
