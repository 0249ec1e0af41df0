"""Estimators whose settings a grid search chooses, scored by AUC (Zhang 2025; docs/methods.md 5.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from hcc_recurrence.learning.estimators import fit_estimator, predicted
from hcc_recurrence.learning.folds import stratified_folds


class Cut(NamedTuple):
    """One fold of a grid search: what learns and what is held out, features (patients, features) and 0/1.

    Folds may have features of their own, where these are selected inside each fold.
    """

    x: np.ndarray
    y: np.ndarray
    x_held: np.ndarray
    y_held: np.ndarray


def plain_cuts(x: np.ndarray, y: np.ndarray, folds: int, seed: int) -> list[Cut]:
    """Stratified folds with the same features; fewer folds where an outcome has fewer patients."""
    return [Cut(x[i], y[i], x[h], y[h]) for i, h in stratified_folds(y, folds, seed).split(x, y)]


@dataclass(frozen=True)
class Learned:
    """An estimator with the settings that cross-validation chose, fitted on all rows it was given.

    auc: mean over the folds. held: P(y = 1) of each fold's held rows with these settings. grid: all settings that were
    tried, and the AUC of each fold.
    """

    name: str
    settings: dict[str, Any]
    auc: float
    held: list[np.ndarray]
    model: Any
    grid: list[tuple[dict[str, Any], list[float]]]

    def predict(self, x: np.ndarray) -> np.ndarray:
        """P(y = 1), (patients,); the prevalence where nothing was there to learn from."""
        return predicted(self.model, x)


def search(
    name: str, grid: Mapping[str, Sequence[Any]], cuts: Sequence[Cut], x: np.ndarray, y: np.ndarray, seed: int
) -> Learned:
    """One learner with the settings of the highest mean AUC over the folds (of equal ones the first), on all rows.

    Not scikit-learn's GridSearchCV, because folds may have features of their own.

    Args:
        name: a key of ESTIMATORS. grid: parameter of scikit-learn, XGBoost or LightGBM -> values. cuts: the folds, each
            with both outcomes among its held rows. x: (patients, features). y: 0/1.

    Without a feature a model is the prevalence, and its AUC 0.5.

    Raises: KeyError for an unknown name.
    """
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import ParameterGrid

    best: tuple[float, dict[str, Any], list[np.ndarray]] | None = None
    tried = []
    for settings in ParameterGrid(dict(grid)):
        held = [predicted(fit_estimator(name, c.x, c.y, seed, **settings), c.x_held) for c in cuts]
        areas = [float(roc_auc_score(c.y_held, p)) for c, p in zip(cuts, held, strict=True)]
        area = float(np.mean(areas))
        tried.append((settings, areas))
        if best is None or area > best[0] + 1e-12:
            best = (area, settings, held)
    area, settings, held = best
    return Learned(name, settings, area, held, fit_estimator(name, x, y, seed, **settings), tried)
