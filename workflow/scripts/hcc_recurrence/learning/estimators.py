"""The one registry of classifiers, by the names that the papers and the config use: fixed seeds, one thread, and
scikit-learn's `fit` and `predict_proba`.

The config is checked against it before the first job, so that nothing here imports scikit-learn until a model is made.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hcc_recurrence.learning.folds import stratified_folds


@dataclass(frozen=True)
class Estimator:
    """How one is made, from a seed; the settings that a config may give it, those that a config must give where it
    gives single values (no number of trees is everybody's), and settings that are one of some words."""

    make: Callable[[int], Any]
    settings: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def _logistic(seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=1000, random_state=seed)


def _machine(seed: int) -> Any:
    from hcc_recurrence.learning.own_estimators import PlattSvm

    return PlattSvm(random_state=seed)


def _nearest(seed: int) -> Any:
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier()


def _boosting(seed: int) -> Any:
    from xgboost import XGBClassifier

    return XGBClassifier(random_state=seed, n_jobs=1)


def _light_boosting(seed: int) -> Any:
    from lightgbm import LGBMClassifier

    return LGBMClassifier(random_state=seed, n_jobs=1, deterministic=True, force_row_wise=True, verbose=-1)


def _perceptron(seed: int) -> Any:
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier(random_state=seed)


def _forest(seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(random_state=seed, n_jobs=1)


def _extra_trees(seed: int) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier(random_state=seed, n_jobs=1)


def _stumps(seed: int) -> Any:
    from sklearn.ensemble import AdaBoostClassifier

    return AdaBoostClassifier(random_state=seed)


def _lasso(seed: int) -> Any:
    from hcc_recurrence.learning.own_estimators import LassoLogistic

    return LassoLogistic(random_state=seed)


def _gaussian_process(seed: int) -> Any:
    from sklearn.gaussian_process import GaussianProcessClassifier
    from sklearn.gaussian_process.kernels import RBF

    return GaussianProcessClassifier(1.0 * RBF(1.0), random_state=seed)


_TREES = ("n_estimators", "max_depth", "min_samples_leaf")
_BOOSTED = ("n_estimators", "max_depth", "learning_rate", "min_child_weight")

ESTIMATORS: dict[str, Estimator] = {
    "LR": Estimator(_logistic, ("C", "max_iter", "tol")),
    "SVM": Estimator(_machine, ("falling_sigmoid",), words={"falling_sigmoid": ("prevalence", "keep")}),
    "KNN": Estimator(_nearest),
    # Zhao 2024 and Zhang 2025 call it by two names.
    "XGB": Estimator(_boosting, _BOOSTED),
    "XGBoost": Estimator(_boosting, _BOOSTED),
    "LightGBM": Estimator(_light_boosting, (*_BOOSTED[:3], "min_child_samples")),
    "MLP": Estimator(_perceptron),
    "RF": Estimator(_forest, _TREES, ("n_estimators",)),
    "ExtraTrees": Estimator(_extra_trees, _TREES, ("n_estimators",)),
    "AdaBoost": Estimator(_stumps, ("n_estimators",), ("n_estimators",)),
    "LASSO": Estimator(_lasso, ("penalties", "folds")),
    "GP": Estimator(_gaussian_process),
}


def settings_fault(name: str, settings: Mapping[str, Any]) -> str:
    """What is wrong with single values of an estimator's settings, in words; empty where nothing is.

    Raises: KeyError for an unknown name.
    """
    known = ESTIMATORS[name]
    unknown = sorted(set(settings) - set(known.settings))
    lacking = sorted(set(known.needs) - set(settings))
    if unknown:
        return f"has {', '.join(unknown)}; {name} takes {', '.join(known.settings) or 'no settings'}"
    if lacking:
        return f"lacks {', '.join(lacking)}"
    for key, words in known.words.items():
        if key in settings and settings[key] not in words:
            return f"has {key}: {settings[key]}; it is {' or '.join(words)}"
    return ""


def fit_estimator(name: str, x: np.ndarray, y: np.ndarray, seed: int, **settings: Any) -> Any:
    """One fitted estimator.

    Without a feature, or with one outcome, it is the prevalence: nothing was learned, and the AUC is 0.5.

    Args:
        name: a key of ESTIMATORS. x: (patients, features) standardised or from 0 to 1. y: 0/1. settings: of it.

    Raises: KeyError for an unknown name; ValueError for a setting that it does not take.
    """
    known = ESTIMATORS[name]
    # XGBoost and LightGBM would take any.
    if unknown := set(settings) - set(known.settings):
        raise ValueError(f"{sorted(unknown)}: {name} takes {', '.join(known.settings) or 'no settings'}")
    if not x.shape[1] or len(np.unique(y)) < 2:
        from hcc_recurrence.learning.own_estimators import Prevalence

        return Prevalence().fit(x, y)

    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # 200 iterations are scikit-learn's default for the perceptron, which the paper's numbers look like; a Gaussian
        # process whose best length scale lies at the end of the searched range is still its best.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return known.make(seed).set_params(**settings).fit(x, y)


def predicted(model: Any, x: np.ndarray) -> np.ndarray:
    """P(y = 1) of each row of x, (patients,), by a fitted estimator."""
    return model.predict_proba(x)[:, 1] if len(x) else np.empty(0)


def fit_predict(
    name: str, x: np.ndarray, y: np.ndarray, others: Sequence[np.ndarray], seed: int, **settings: Any
) -> list[np.ndarray]:
    """Fit one estimator (`fit_estimator`) and give P(y = 1) for each of `others`."""
    model = fit_estimator(name, x, y, seed, **settings)
    return [predicted(model, other) for other in others]


def cross_validated_auc(name: str, x: np.ndarray, y: np.ndarray, folds: int, seed: int, **settings: Any) -> float:
    """AUC of pooled out-of-fold probabilities of one classifier on rows of the training patients.

    A half without a feature: pooled, the prevalences of the folds' other rows would look like scores.
    """
    from sklearn.metrics import roc_auc_score

    if not x.shape[1]:
        return 0.5
    probability = np.empty(len(y))
    for inner, held in stratified_folds(y, folds, seed).split(x, y):
        probability[held] = fit_predict(name, x[inner], y[inner], [x[held]], seed, **settings)[0]
    return float(roc_auc_score(y, probability))
