"""Wang 2022 (BME Front 2022:9793716): signatures, the Cox nomogram, and what one fit is. docs/methods.md 2.

`fit` chooses features, settings, phases and the nomogram's variables on the patients that learn. As published there are
also fits that leave out a fold and are tuned by it (`as_published.1.2.left_out`): what is chosen is chosen on all
training patients, and coefficients are fitted without the fold. Their rows are `cross_validated`, as the development
figures of the paper are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from hcc_recurrence.cohort.fit import LEFT_OUT, PUBLISHED, Fit
from hcc_recurrence.learning.model_files import expect_keys
from hcc_recurrence.learning.predictions import outcome_of
from hcc_recurrence.learning.risk_factors import middle_patient
from hcc_recurrence.learning.scaling import Imputer
from hcc_recurrence.methods.contract import FittedMethod
from hcc_recurrence.methods.run import learning_patients, tuning_patients
from hcc_recurrence.methods.wang2022.declare import (
    NOMOGRAM,
    ON_ALL,
    SIGNATURE,
    SIGNATURE_ALONE,
    VISUAL,
    WITH_CLINICAL,
)
from hcc_recurrence.methods.wang2022.nomogram import CoxRisk, choose_variables, final_table, fit_risk, times_of
from hcc_recurrence.methods.wang2022.signature import (
    Regression,
    Signatures,
    clinical_tables,
    deep_table,
    fit_signatures,
)
from hcc_recurrence.methods.wang2022.tables import choices_table, correlations_table, weights_table

GROUPS = ("clinical", "visual")


@dataclass(frozen=True)
class Data:
    """What the method takes of a cohort.

    deep: from `deep_table`. clinical: from `clinical_table`. definitions: unit, timing, kind and levels of each
    variable. horizon: months.
    """

    deep: pd.DataFrame
    clinical: pd.DataFrame
    definitions: Mapping[str, Mapping[str, Any]]
    labels: pd.DataFrame
    split: pd.DataFrame
    phases: Sequence[str]
    horizon: float


@dataclass(frozen=True)
class Variables:
    """How clinical variables and visual findings become numbers: thresholds of `settings`, names for print, medians of
    the rows that learned in place of gaps.

    kept: of each group (clinical, visual) the variables that vary there, by names for print.
    """

    settings: Mapping[str, Any]
    definitions: Mapping[str, Mapping[str, Any]]
    kept: Mapping[str, tuple[str, ...]]
    fill: Mapping[str, Imputer]

    @classmethod
    def of(cls, data: Data, rows: Sequence[str], settings: Mapping[str, Any]) -> Self:
        """From the rows that learn."""
        own = {key: settings[key] for key in ("clinical", "visual")}
        definitions = {v: dict(data.definitions[v]) for v in own["clinical"]}
        *tables, _ = clinical_tables(data.clinical.loc[list(rows)], definitions, own)
        kept, fill = {}, {}
        for group, table in zip(GROUPS, tables, strict=True):
            imputer = Imputer(table.to_numpy(float))
            spread = np.ptp(imputer(table.to_numpy(float)), axis=0) > 1e-9
            kept[group] = tuple(table.columns[spread])
            fill[group] = imputer.of_columns(np.flatnonzero(spread).tolist())
        return cls(own, definitions, kept, fill)

    def tables(self, data: Data, patients: Sequence[str]) -> dict[str, pd.DataFrame]:
        """Clinical and visual variables of some patients, without gaps; reads these patients alone."""
        *tables, _ = clinical_tables(data.clinical.loc[list(patients)], self.definitions, self.settings)
        found = {}
        for group, table in zip(GROUPS, tables, strict=True):
            names = list(self.kept[group])
            found[group] = pd.DataFrame(self.fill[group](table[names].to_numpy(float)), table.index, names)
        return found

    def drawing(self) -> dict[str, dict[str, Any]]:
        """Kind and levels of each variable by its name for print."""
        empty = pd.DataFrame(columns=list(self.settings["clinical"]), dtype=float)
        return clinical_tables(empty, self.definitions, self.settings)[2]

    def state(self) -> dict[str, Any]:
        """What a model file holds of it."""
        return {
            "settings": dict(self.settings),
            "definitions": {name: dict(own) for name, own in self.definitions.items()},
            "kept": {group: list(names) for group, names in self.kept.items()},
            "fill": {group: fill.state() for group, fill in self.fill.items()},
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """From what `state` gave.

        Raises: ModelFileError for other keys.
        """
        expect_keys(state, {"settings", "definitions", "kept", "fill"}, "variables of wang2022")
        return cls(
            state["settings"],
            state["definitions"],
            {group: tuple(state["kept"][group]) for group in GROUPS},
            {group: Imputer.from_state(state["fill"][group]) for group in GROUPS},
        )


@dataclass(frozen=True)
class Wang(FittedMethod):
    """All models of one fit: logistic regressions by model, the set of phases of DSFR, and two Cox models (the
    nomogram, and the signature alone)."""

    method: ClassVar[str] = "wang2022"
    learned: tuple[str, ...]
    variables: Variables
    regressions: Mapping[str, Regression]
    phases: str
    cox: Mapping[str, CoxRisk]

    def predict(self, data: Data, patients: Sequence[str]) -> pd.DataFrame:
        """Probability of early recurrence by each model; reads features and clinical variables of these patients
        alone."""
        tables = self.variables.tables(data, patients)
        deep = data.deep.loc[list(patients)]
        own = {WITH_CLINICAL: tables["clinical"], VISUAL: tables["visual"]}
        nothing = deep[[]]
        found = {name: one.predict(deep, own.get(name, nothing)) for name, one in self.regressions.items()}
        x = tables["clinical"].assign(**{SIGNATURE: found[SIGNATURE]})
        found |= {name: cox.predict(x) for name, cox in self.cox.items()}
        return pd.DataFrame(found, index=pd.Index(list(patients), name="patient_id"))

    def state(self) -> dict[str, Any]:
        """What a model file holds of it."""
        return {
            "learned": list(self.learned),
            "variables": self.variables.state(),
            "regressions": [{"name": name, "regression": one.state()} for name, one in self.regressions.items()],
            "phases": self.phases,
            "cox": [{"name": name, "model": cox.state()} for name, cox in self.cox.items()],
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """From what `state` gave.

        Raises: ModelFileError for other keys.
        """
        expect_keys(state, {"learned", "variables", "regressions", "phases", "cox"}, cls.method)
        return cls(
            tuple(state["learned"]),
            Variables.from_state(state["variables"]),
            {row["name"]: Regression.from_state(row["regression"]) for row in state["regressions"]},
            state["phases"],
            {row["name"]: CoxRisk.from_state(row["model"]) for row in state["cox"]},
        )


def read_data(
    files: Mapping[str, Sequence[str]],
    about: Mapping[str, Any],
    clinical: pd.DataFrame,
    labels: pd.DataFrame,
    split: pd.DataFrame,
) -> Data:
    """What the method takes, from the files of the rule `fit_method`.

    Args:
        files: features: a folder a batch of patients. about: phases, definitions, horizon (months).
    """
    features = [pd.read_parquet(f"{folder}/features.parquet") for folder in files["features"]]
    deep = deep_table(features, about["phases"], list(split["patient_id"]))
    return Data(deep, clinical, about["definitions"], labels, split, about["phases"], about["horizon"])


def fit(data: Data, fit: Fit, settings: Mapping[str, Any], seed: int) -> tuple[Wang, dict[str, pd.DataFrame]]:
    """Fit every model on the patients that learn in a fit.

    Args:
        settings: clinical (variable -> threshold or none), visual, cox_p, feature_selection, explained_features, and
            those of `fit_signature`. seed: of the fit.

    Returns: the models; and choices, weights, hazards, correlations (of the best features of two phases), and drawn
    (the values of a patient of middle risk, for the nomogram).
    """
    rows, outcome = learning_patients(data.split, fit), outcome_of(data.labels)
    # As published without a fold: what is chosen is chosen on the patients of that fold, too.
    everyone = sorted({*rows, *tuning_patients(data.split, fit)})
    selected_on = everyone if fit.protocol == PUBLISHED and settings["feature_selection"] == ON_ALL else ()
    chosen = _fit_parts(data, everyone, outcome, settings, seed, selected_on)
    own = chosen
    if fit.tuned_on == LEFT_OUT:
        own = _fit_parts(data, rows, outcome, settings, seed, selected_on, chosen)
    signatures = own.signatures.by_model
    regressions = {name: one.regression for name, one in signatures.items()}
    fitted = Wang(tuple(everyone), own.variables, regressions, own.signatures.phases, own.cox)
    patient = middle_patient(own.x, own.cox[NOMOGRAM].nomogram, rows)
    tables = {
        "choices": choices_table(own.signatures),
        "weights": weights_table(own.signatures),
        "hazards": own.hazards,
        "correlations": correlations_table(own.signatures, data.deep.loc[rows], settings["explained_features"]),
        "drawn": own.x.loc[patient].rename_axis("variable").rename("value").reset_index().assign(patient=patient),
    }
    return fitted, tables


@dataclass(frozen=True)
class _Parts:
    """What one set of rows gave; x: the candidates of the Cox model, signatures out of fold."""

    signatures: Signatures
    variables: Variables
    x: pd.DataFrame
    kept: list[str]
    hazards: pd.DataFrame
    cox: dict[str, CoxRisk]


def _fit_parts(
    data: Data,
    rows: list[str],
    outcome: pd.Series,
    settings: Mapping[str, Any],
    seed: int,
    selected_on: Sequence[str],
    chosen: _Parts | None = None,
) -> _Parts:
    """Signatures and Cox models of some rows, with all choices made on them, or as they were `chosen`."""
    variables = Variables.of(data, rows, settings)
    tables = variables.tables(data, sorted({*rows, *selected_on}))
    deep = data.deep.loc[tables["clinical"].index]
    before = chosen.signatures if chosen else None
    signatures = fit_signatures(
        deep, tables["clinical"], tables["visual"], rows, outcome, settings, data.phases, seed, selected_on, before
    )
    one = signatures.by_model[SIGNATURE]
    learning = tables["clinical"].loc[rows]
    # A signature of nothing is one number, which no fold's own constants must pass for.
    signature = one.out_of_fold if one.regression.features else one.regression.predict(deep.loc[rows], learning)
    x = learning.assign(**{SIGNATURE: signature})
    months, event = times_of(data.labels, rows, data.horizon)
    if chosen is None:
        kept, hazards = choose_variables(x, months, event, settings["cox_p"])
    else:
        # A variable may not vary without the fold.
        kept = [name for name in chosen.kept if name in x]
        hazards = final_table(x, months, event, kept)
    cox = {
        name: fit_risk(x, months, event, own, variables.drawing(), data.horizon)
        for name, own in ((NOMOGRAM, kept), (SIGNATURE_ALONE, [SIGNATURE]))
    }
    return _Parts(signatures, variables, x, kept, hazards, cox)
