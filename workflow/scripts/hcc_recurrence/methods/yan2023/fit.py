"""Yan 2023: everything that one fit leaves, kept to score patients who were not there.

The grid (`signature_grid`) and the choice of each phase's cell (`signatures`) come before; here the chosen cells are
fitted once more on the same rows, and kept with the fusion and the nomograms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd

from hcc_recurrence.cohort.fit import Fit
from hcc_recurrence.files import as_written, read_csv
from hcc_recurrence.learning.estimators import predicted
from hcc_recurrence.learning.folds import outer_fit
from hcc_recurrence.learning.model_files import ModelFileError, expect_keys
from hcc_recurrence.learning.signature_grid import FittedCell, refit_cell
from hcc_recurrence.methods.contract import FittedMethod
from hcc_recurrence.methods.run import tuning_patients
from hcc_recurrence.methods.yan2023.declare import FUSED, PHASE_NAMES
from hcc_recurrence.methods.yan2023.nomograms import FittedNomograms, fit_nomograms_of
from hcc_recurrence.methods.yan2023.signatures import fit_fusion

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

# A refit whose probabilities differ by more from those that the grid wrote is another model.
_TOLERANCE = 1e-8
NETWORK_KEYS = ("architecture", "crops", "highest", "name", "pool", "seed", "sha256", "tap", "weights")


@dataclass(frozen=True)
class Data:
    """What a fit reads; `predict` reads the features and the clinical variables alone.

    features: of each phase, index patient_id. clinical: numbers, index patient_id. definitions: kind, unit, levels and
    timing of each variable. ranks: of phase and selector, from `rank_fits`. chosen: from `choose_signatures`.
    fused: from `fuse`. network: what the features were made with (NETWORK_KEYS).
    """

    features: Mapping[str, pd.DataFrame]
    clinical: pd.DataFrame
    definitions: Mapping[str, Mapping[str, Any]] | None = None
    labels: pd.DataFrame | None = None
    split: pd.DataFrame | None = None
    ranks: Mapping[tuple[str, str], pd.DataFrame] | None = None
    chosen: pd.DataFrame | None = None
    fused: pd.DataFrame | None = None
    network: Mapping[str, Any] | None = None


@dataclass
class FittedYan(FittedMethod):
    """The cell of each phase, the fusion to mp-MR, and the nomograms of one fit.

    cells: by phase, in the order in which they are fused. fusion: None for the mean of the probabilities.
    network: what makes the features of a patient's crops (NETWORK_KEYS).
    """

    learned: tuple[str, ...]
    cells: dict[str, FittedCell]
    fusion: LogisticRegression | None
    nomograms: FittedNomograms
    network: dict[str, Any]

    method: ClassVar[str] = "yan2023"

    @property
    def models(self) -> list[str]:
        """Names of the columns that `predict` gives."""
        fused = [FUSED] if len(self.cells) > 1 else []
        return [*(PHASE_NAMES[phase] for phase in self.cells), *fused, *self.nomograms.models]

    def signatures(self, features: Mapping[str, pd.DataFrame], patients: Sequence[str]) -> pd.DataFrame:
        """The signature of each phase, and mp-MR: index patient_id.

        Rounded as the tables are in which later steps read them (`as_written`).

        Raises: ValueError naming the phase, patients or features that lack.
        """
        patients, wide = list(patients), {}
        for phase, cell in self.cells.items():
            if phase not in features:
                raise ValueError(f"there are no features of the {phase} phase. What to do: give those of all phases")
            table = features[phase]
            if unknown := [p for p in patients if p not in table.index]:
                raise ValueError(
                    f"{phase}: there are no features of {', '.join(unknown[:5])}. What to do: make their crops first"
                )
            if lacking := sorted(set(cell.features) - set(table.columns)):
                raise ValueError(f"{phase}: the features lack {', '.join(lacking[:5])}, which the model takes")
            wide[PHASE_NAMES[phase]] = as_written(cell.predict(table.loc[patients]))
        table = pd.DataFrame(wide, index=pd.Index(patients, name="patient_id"), dtype=float)
        fused = table.mean(axis=1) if self.fusion is None else predicted(self.fusion, table.to_numpy())
        return table.assign(**{FUSED: as_written(fused)})

    def predict(self, data: Data, patients: Sequence[str]) -> pd.DataFrame:
        """Probability of early recurrence by every model: index patient_id in the given order.

        A missing value of a clinical variable is the median of the rows that learned.
        """
        signatures = self.signatures(data.features, patients)
        found = signatures.join(self.nomograms.predict(data.clinical, signatures[FUSED]))
        # Of one phase mp-MR is that phase's signature, and no model of its own.
        return found if len(self.cells) > 1 else found.drop(columns=FUSED)

    def features_of(self, crops: str | Path, weights: str | Path = "") -> dict[str, pd.DataFrame]:
        """Features of every phase of all patients of a stack of crops, by the network that the model was fitted with.

        Args:
            crops: made with the settings `network["crops"]`. weights: the file of the network's weights; none where it
                has random ones.

        Raises: ValueError where the file is not the one that the model was fitted with.
        """
        from hcc_recurrence.networks.features import features_of_crops
        from hcc_recurrence.networks.weights import file_sha256

        own = self.network
        found = file_sha256(weights) if weights else ""
        if found != (own["sha256"] or ""):
            raise ValueError(
                f"{weights or 'no file of weights'}: the model's {own['name']} has "
                + (f"weights with the SHA-256 {own['sha256']}" if own["sha256"] else "random weights, of no file")
                + ". What to do: name that file."
            )
        settings = {key: own[key] for key in ("pool", "tap", "highest", "seed")}
        return {phase: features_of_crops(crops, phase, weights, **settings) for phase in self.cells}

    def state(self) -> dict[str, Any]:
        return {
            "learned": list(self.learned),
            "phases": list(self.cells),
            "cells": {phase: cell.state() for phase, cell in self.cells.items()},
            "fusion": self.fusion,
            "nomograms": self.nomograms.state(),
            "network": dict(self.network),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        where = f"model of {cls.method}"
        expect_keys(state, {"learned", "phases", "cells", "fusion", "nomograms", "network"}, where)
        expect_keys(state["network"], set(NETWORK_KEYS), f"{where}, network")
        if unknown := [phase for phase in state["phases"] if phase not in PHASE_NAMES or phase not in state["cells"]]:
            raise ModelFileError(f"{where}: has no cell of the phase {unknown[0]}. What to do: export it anew.")
        cells = {p: FittedCell.from_state(state["cells"][p], f"{where}, {p}") for p in state["phases"]}
        nomograms = FittedNomograms.from_state(state["nomograms"], f"{where}, nomograms")
        return cls(tuple(state["learned"]), cells, state["fusion"], nomograms, dict(state["network"]))


def read_data(
    files: Mapping[str, Sequence[str]],
    about: Mapping[str, Any],
    clinical: pd.DataFrame,
    labels: pd.DataFrame,
    split: pd.DataFrame,
) -> Data:
    """What the method takes, from the files of the rule `fit_method`.

    Args:
        files: features: a table a phase; ranks: of every phase and selector; chosen; fused. about: phases, selectors,
            network, and definitions of the clinical variables.
    """
    cells = [(phase, selector) for phase in about["phases"] for selector in about["selectors"]]
    return Data(
        features=dict(zip(about["phases"], map(pd.read_parquet, files["features"]), strict=True)),
        clinical=clinical,
        definitions=about["definitions"],
        labels=labels,
        split=split,
        ranks=dict(zip(cells, map(pd.read_parquet, files["ranks"]), strict=True)),
        chosen=read_csv(files["chosen"][0]),
        fused=read_csv(files["fused"][0]),
        network=about["network"],
    )


def fit(data: Data, fit: Fit, settings: Mapping[str, Any], seed: int) -> tuple[FittedYan, dict[str, pd.DataFrame]]:
    """Everything of one fit.

    Args:
        settings: classifiers, fusion, and those of `fit_nomograms_of`. seed: of the fit.

    Returns: also the table `regressions` (`fit_nomograms_of`).

    Raises: ValueError where a cell that was fitted once more is not the one whose probabilities the grid wrote.
    """
    outer, own = outer_fit(data.split, fit), _rows_of(data.chosen, fit)
    outcome = data.labels.set_index("patient_id")["er"]
    cells = {}
    for cell in own.itertuples():
        ranks = _rows_of(data.ranks[cell.phase, cell.selector], fit)
        order = ranks[ranks["inner"] == 0].sort_values("rank")["feature"].tolist()[: int(cell.k)]
        features, classifier = data.features[cell.phase], cell.classifier
        with_settings = classifier, settings["classifiers"][classifier]
        cells[cell.phase] = refit_cell(features, outcome, outer, order, *with_settings, seed)
    fused = _rows_of(data.fused, fit)
    parts = {part: rows.drop(columns="part").set_index("patient_id") for part, rows in fused.groupby("part")}
    # Of the strict protocol these are probabilities of the inner cross-validation.
    learned, names = parts["learned"], [PHASE_NAMES[phase] for phase in cells]
    fusion = fit_fusion(learned[names], outcome) if settings["fusion"] == "logistic" else None
    nomograms, regressions = fit_nomograms_of(learned[FUSED], data.clinical, data.definitions, outcome, settings)
    used = tuple(sorted({*outer.rows, *tuning_patients(data.split, fit)}))
    fitted = FittedYan(used, cells, fusion, nomograms, dict(data.network))
    if "unseen" in parts:
        _expect_same(fitted.signatures(data.features, list(parts["unseen"].index)), parts["unseen"], fit)
    return fitted, {"regressions": regressions}


def _rows_of(table: pd.DataFrame, fit: Fit) -> pd.DataFrame:
    """The rows of one fit; a table of one protocol has no such column."""
    about = {key: value for key, value in fit.about.items() if key in table.columns}
    return table[np.logical_and.reduce([table[key] == value for key, value in about.items()])].drop(columns=about)


def _expect_same(found: pd.DataFrame, written: pd.DataFrame, fit: Fit) -> None:
    difference = (found - written[found.columns]).abs()
    if len(found) and difference.to_numpy().max() > _TOLERANCE:
        model = difference.max().idxmax()
        patient = difference[model].idxmax()
        raise ValueError(
            f"{fit}: {model} of {patient} is {found.loc[patient, model]:.10g}, the grid wrote "
            f"{written.loc[patient, model]:.10g}. What to do: the files of the grid are of other inputs or of another "
            "machine; remove the folder grid/ of this study and run again."
        )
