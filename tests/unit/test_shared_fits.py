"""A grid search that shares models gives bit by bit what a model of its own for each of the settings gives."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import ParameterGrid

from hcc_recurrence.learning import learners
from hcc_recurrence.learning.estimators import fit_estimator, predicted
from hcc_recurrence.learning.learners import Cut, held_predictions

GRIDS = {
    "RF": {"n_estimators": [3, 10, 7], "max_depth": [2, None], "min_samples_leaf": [3]},
    "ExtraTrees": {"n_estimators": [10, 4], "max_depth": [None]},
    "XGBoost": {"n_estimators": [2, 9], "max_depth": [2], "learning_rate": [0.1, 0.3]},
    "LightGBM": {"n_estimators": [2, 9], "max_depth": [2], "learning_rate": [0.1]},
    # A limit of two iterations is met, one of 500 is not.
    "LR": {"C": [0.1, 1.0], "max_iter": [2, 4, 100, 500], "tol": [1e-5, 1e-2]},
}
FITS = {"RF": 2, "ExtraTrees": 1, "XGBoost": 2, "LightGBM": 1}


def cut(patients=60, features=5):
    generator = np.random.default_rng(3)
    x = generator.normal(size=(patients, features))
    y = (x[:, :1].sum(axis=1) + generator.normal(size=patients) > 0).astype(int)
    return Cut(x[:40], y[:40], x[40:], y[40:])


@pytest.mark.parametrize("name", GRIDS)
def test_shared_models_give_the_bytes_of_models_of_their_own(name, monkeypatch):
    own, grid, made = cut(), list(ParameterGrid(GRIDS[name])), []

    def counted(*args, **settings):
        made.append(settings)
        return fit_estimator(*args, **settings)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        alone = [predicted(fit_estimator(name, own.x, own.y, 1, **s), own.x_held) for s in grid]
        monkeypatch.setattr(learners, "fit_estimator", counted)
        shared = held_predictions(name, grid, own, 1)
    assert [p.tobytes() for p in shared] == [p.tobytes() for p in alone]
    if name in FITS:
        assert len(made) == FITS[name]
        assert len({p.tobytes() for p in shared}) > FITS[name], "numbers of trees or rounds differ in what they give"
    else:
        assert 4 * 2 <= len(made) < len(grid), "limits that are met are fitted, of the others one"


@pytest.mark.parametrize("name", GRIDS)
def test_without_a_feature_all_are_the_prevalence(name):
    own = cut(features=2)
    empty = Cut(own.x[:, :0], own.y, own.x_held[:, :0], own.y_held)
    for found in held_predictions(name, list(ParameterGrid(GRIDS[name])), empty, 1):
        assert np.allclose(found, own.y.mean())
