"""Zhao 2024: what its models take of a patient, whoever that is (docs/methods.md 4.3, 4.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from hcc_recurrence.learning.clinical import Cut, dichotomise
from hcc_recurrence.learning.model_files import expect_keys
from hcc_recurrence.learning.scaling import Imputer, Standardiser
from hcc_recurrence.radiomics.tables import RadiomicsTable


@dataclass(frozen=True)
class Data:
    """Everything the method takes. Rows of `radiomics.values`, `clinical` and `labels` are one patient."""

    radiomics: RadiomicsTable
    clinical: pd.DataFrame
    labels: pd.DataFrame
    split: pd.DataFrame

    def outcome(self, patients: Sequence[str]) -> np.ndarray:
        """er of the patients, in their order."""
        return self.labels.set_index("patient_id").loc[list(patients), "er"].to_numpy().astype(int)


@dataclass(frozen=True)
class Variables:
    """Selected features and clinical variables as z-scores of the patients that learned.

    features: columns of the radiomics table. cuts: clinical variable -> threshold or none. fill: medians that stand for
    missing clinical values.
    """

    features: tuple[str, ...]
    feature_scale: Standardiser
    cuts: Mapping[str, Cut]
    fill: Imputer
    clinical_scale: Standardiser

    @property
    def clinical_names(self) -> list[str]:
        """The clinical variables, in the order of their columns."""
        return list(self.cuts)

    def radiomics(self, data: Data, patients: Sequence[str]) -> np.ndarray:
        """Features of the patients, (patients, features).

        Raises: ValueError naming features that the table lacks.
        """
        if lacking := [f for f in self.features if f not in data.radiomics.values]:
            raise ValueError(
                f"the table of features lacks {', '.join(lacking[:3])} ({len(lacking)} in all), which the model reads. "
                "What to do: extract the features with the settings that the model was made with"
            )
        values = data.radiomics.values.loc[list(patients), list(self.features)]
        # Column by column in memory, wherever it came from: the last bits of a matrix product depend on it.
        return np.asfortranarray(self.feature_scale(values.to_numpy()))

    def clinical(self, data: Data, patients: Sequence[str]) -> np.ndarray:
        """Clinical variables of the patients, (patients, variables).

        Raises: ValueError naming variables that the table lacks.
        """
        if lacking := [v for v in self.cuts if v not in data.clinical]:
            raise ValueError(
                f"there are no clinical columns {', '.join(lacking)}, which the model reads. What to do: add them to "
                "the patients sheet, with a definition in the config"
            )
        raw = dichotomise(data.clinical.loc[list(patients)], self.cuts).to_numpy(float)
        return np.asfortranarray(self.clinical_scale(self.fill(raw)))

    def both(self, data: Data, patients: Sequence[str]) -> np.ndarray:
        """Features, then clinical variables, side by side."""
        return np.hstack([self.radiomics(data, patients), self.clinical(data, patients)])

    def table(self, data: Data, patients: Sequence[str]) -> pd.DataFrame:
        """The same a row a value: patient_id, variable, value, kind (`radiomics`, `clinical`; `none` where a kind has
        no variable, one row a patient: the fit was made)."""
        return pd.concat(
            [
                _long(patients, "radiomics", list(self.features), self.radiomics(data, patients)),
                _long(patients, "clinical", self.clinical_names, self.clinical(data, patients)),
            ],
            ignore_index=True,
        )

    def state(self) -> dict[str, Any]:
        """For a model file."""
        return {
            "features": list(self.features),
            "feature_scale": self.feature_scale.state(),
            # A list of pairs: the order is that of the columns.
            "cuts": [[name, cut] for name, cut in self.cuts.items()],
            "fill": self.fill.state(),
            "clinical_scale": self.clinical_scale.state(),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """From what `state` gave.

        Raises: ModelFileError for other keys.
        """
        expect_keys(state, {"features", "feature_scale", "cuts", "fill", "clinical_scale"}, "variables")
        return cls(
            tuple(state["features"]),
            Standardiser.from_state(state["feature_scale"]),
            {name: cut for name, cut in state["cuts"]},
            Imputer.from_state(state["fill"]),
            Standardiser.from_state(state["clinical_scale"]),
        )


def _long(patients: Sequence[str], kind: str, variables: list[str], values: np.ndarray) -> pd.DataFrame:
    wide = pd.DataFrame(values, index=pd.Index(list(patients), name="patient_id"), columns=variables)
    wide = wide if variables else wide.assign(**{"": np.nan})
    return wide.reset_index().melt("patient_id", var_name="variable").assign(kind=kind if variables else "none")
