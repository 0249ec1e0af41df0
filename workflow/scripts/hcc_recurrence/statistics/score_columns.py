"""Scores of several models on the same rows, as arrays."""

from __future__ import annotations

import numpy as np
import pandas as pd


class ScoreColumns:
    """Scores of a panel beside one another, as arrays: with tables of pandas a pair of models takes five times as long.

    Args:
        wide: index patient_id, repeat, fold, y; one column of probabilities a model, NaN where it has none.
    """

    def __init__(self, wide: pd.DataFrame):
        parts = (wide.index.get_level_values(level).to_numpy() for level in ("patient_id", "repeat", "fold", "y"))
        patient, self.repeat, self.fold, self.y = parts
        self.patient = pd.factorize(patient)[0]
        # Numbers of a patient in a repeat, and of a fold in a repeat.
        self._once = wide.groupby(level=["patient_id", "repeat"]).ngroup().to_numpy()
        self._fold = wide.groupby(level=["repeat", "fold"]).ngroup().to_numpy()
        self.scores = {model: wide[model].to_numpy(float) for model in wide}

    def rows_of_both(self, model: str, other: str) -> tuple[np.ndarray, np.ndarray]:
        """(rows,) whether both have a score in the row; (patients and repeats,) whether both have one in any fold."""
        here = [~np.isnan(self.scores[m]) for m in (model, other)]
        number = self._once.max(initial=-1) + 1
        anywhere = [np.bincount(self._once[one], minlength=number) > 0 for one in here]
        return here[0] & here[1], anywhere[0] & anywhere[1]

    def patients_of(self, common: np.ndarray) -> int:
        """How many patients are in one of these repeats, as `rows_of_both` has them."""
        return len(np.unique(self.patient[common[self._once]]))

    def in_folds_of_both_outcomes(self, rows: np.ndarray) -> np.ndarray:
        """(rows,) whether patients of both outcomes are among these rows of the fold."""
        number = self._fold.max(initial=-1) + 1
        with_outcome = [np.bincount(self._fold[rows & (self.y == y)], minlength=number) > 0 for y in (0, 1)]
        return (with_outcome[0] & with_outcome[1])[self._fold]
