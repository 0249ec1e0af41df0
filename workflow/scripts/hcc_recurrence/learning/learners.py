"""Estimators whose settings a grid search chooses, scored by AUC (Zhang 2025; docs/methods.md 5.5)."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from hcc_recurrence.learning.choices import first_of_best
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


# Of learners that add one part after another: the setting that counts them. The first of many are the few.
COUNTS = dict.fromkeys(("RF", "ExtraTrees", "XGB", "XGBoost", "LightGBM"), "n_estimators")


def _of_first(name: str, model: Any, number: int, x: np.ndarray) -> np.ndarray:
    """P(y = 1) by the first trees or rounds of a model alone."""
    if name in ("RF", "ExtraTrees"):
        if not hasattr(model, "estimators_"):
            return predicted(model, x)
        few = copy.copy(model)
        few.estimators_ = model.estimators_[:number]
        return predicted(few, x)
    if not hasattr(model, "n_estimators") or not len(x):
        return predicted(model, x)
    own = {"num_iteration": number} if name == "LightGBM" else {"iteration_range": (0, number)}
    return model.predict_proba(x, **own)[:, 1]


def held_predictions(name: str, grid: Sequence[Mapping[str, Any]], cut: Cut, seed: int) -> list[np.ndarray]:
    """P(y = 1) of a fold's held rows with each of some settings; bit by bit as of a model of its own each.

    Settings that differ in the number of trees or rounds alone share the model with most of them: each draws from the
    seed in turn. A logistic regression that ended before its limit of iterations ends there with any higher limit.
    """
    shared, found = COUNTS.get(name, "max_iter"), []
    models: dict[tuple, Any] = {}
    for settings in grid:
        rest = tuple(sorted((key, value) for key, value in settings.items() if key != shared))
        model = models.get(rest)
        if shared in settings and name in COUNTS:
            if model is None:
                most = max(s[shared] for s in grid if {**s, shared: 0} == {**settings, shared: 0})
                model = fit_estimator(name, cut.x, cut.y, seed, **{**settings, shared: most})
            found.append(_of_first(name, model, settings[shared], cut.x_held))
        else:
            if model is None or not _ends_before(model, settings.get(shared, 0)):
                model = fit_estimator(name, cut.x, cut.y, seed, **settings)
            found.append(predicted(model, cut.x_held))
        models[rest] = model
    return found


def _ends_before(model: Any, limit: int) -> bool:
    """Whether a regression would be the same with this limit of iterations: it ended before its own and before this."""
    ended = int(np.max(getattr(model, "n_iter_", limit)))
    return ended < min(limit, getattr(model, "max_iter", limit))


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

    tried = []
    settings_tried = list(ParameterGrid(dict(grid)))
    of_cuts = [held_predictions(name, settings_tried, cut, seed) for cut in cuts]
    for place, settings in enumerate(settings_tried):
        held = [found[place] for found in of_cuts]
        areas = [float(roc_auc_score(c.y_held, p)) for c, p in zip(cuts, held, strict=True)]
        tried.append((settings, areas))
    means = {place: float(np.mean(areas)) for place, (_, areas) in enumerate(tried)}
    best = first_of_best(means)
    area, settings, held = means[best], settings_tried[best], [found[best] for found in of_cuts]
    return Learned(name, settings, area, held, fit_estimator(name, x, y, seed, **settings), tried)
