"""Classifiers whose settings a grid search chooses, scored by AUC (Zhang 2025; METHODS.md 5.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hcc_recurrence.learning.folds import stratified_folds


def _logistic(seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=1000, random_state=seed)


def _forest(seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(random_state=seed, n_jobs=1)


def _extra_trees(seed: int) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier(random_state=seed, n_jobs=1)


def _xgboost(seed: int) -> Any:
    from xgboost import XGBClassifier

    return XGBClassifier(random_state=seed, n_jobs=1)


def _lightgbm(seed: int) -> Any:
    from lightgbm import LGBMClassifier

    return LGBMClassifier(random_state=seed, n_jobs=1, deterministic=True, force_row_wise=True, verbose=-1)


LEARNERS: dict[str, Callable[[int], Any]] = {
    "LR": _logistic,
    "RF": _forest,
    "ExtraTrees": _extra_trees,
    "XGBoost": _xgboost,
    "LightGBM": _lightgbm,
}


@dataclass(frozen=True)
class Learned:
    """A learner with the settings that cross-validation chose, fitted on all rows it was given."""

    name: str
    settings: dict[str, Any]
    auc: float
    model: Any
    prevalence: float

    def predict(self, x: np.ndarray) -> np.ndarray:
        """P(y = 1), (patients,); the prevalence where nothing was there to learn from."""
        if self.model is None:
            return np.full(len(x), self.prevalence)
        return self.model.predict_proba(x)[:, 1] if len(x) else np.empty(0)


def search(
    name: str, grid: Mapping[str, Sequence[Any]], x: np.ndarray, y: np.ndarray, folds: int, seed: int
) -> Learned:
    """The settings of one learner with the highest mean AUC over stratified folds, fitted on all rows.

    Args:
        name: a key of LEARNERS. grid: parameter of scikit-learn, XGBoost or LightGBM -> values.
        x: (patients, features). y: 0/1. folds: fewer where an outcome has fewer patients.

    Without a feature, or with too few patients for folds, there is no model, and the AUC is 0.5.

    Raises: KeyError for an unknown name.
    """
    prevalence = float(np.mean(y))
    if not x.shape[1] or np.bincount(y.astype(int), minlength=2).min() < 2:
        return Learned(name, {}, 0.5, None, prevalence)
    from sklearn.model_selection import GridSearchCV

    found = GridSearchCV(
        LEARNERS[name](seed), dict(grid), scoring="roc_auc", cv=stratified_folds(y, folds, seed), n_jobs=1
    ).fit(x, y)
    return Learned(name, dict(found.best_params_), float(found.best_score_), found.best_estimator_, prevalence)


def fit_with(learned: Learned, x: np.ndarray, y: np.ndarray, seed: int) -> Learned:
    """The same learner with the same settings on other rows."""
    if learned.model is None or not x.shape[1] or len(np.unique(y)) < 2:
        return Learned(learned.name, learned.settings, 0.5, None, float(np.mean(y)))
    model = LEARNERS[learned.name](seed).set_params(**learned.settings).fit(x, y)
    return Learned(learned.name, learned.settings, learned.auc, model, float(np.mean(y)))
