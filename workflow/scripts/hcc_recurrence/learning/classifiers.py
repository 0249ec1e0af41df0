"""The classifiers that the papers name, by name, with fixed seeds and one thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hcc_recurrence.learning.folds import stratified_folds


def _logistic(seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=1000, random_state=seed)


def _nearest(seed: int) -> Any:
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier()


def _boosting(seed: int) -> Any:
    from xgboost import XGBClassifier

    return XGBClassifier(random_state=seed, n_jobs=1)


def _perceptron(seed: int) -> Any:
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier(random_state=seed)


class PlattSvm:
    """A support vector machine with probabilities by a logistic curve on cross-validated decision values.

    scikit-learn's own `probability=True` is deprecated; this is the same idea (Platt 1999) with its
    CalibratedClassifierCV, which cuts its folds inside the rows it is given.
    """

    def __init__(self, seed: int):
        self.seed = seed

    def fit(self, x: np.ndarray, y: np.ndarray) -> PlattSvm:
        from sklearn.calibration import CalibratedClassifierCV
        from sklearn.svm import SVC

        folds = stratified_folds(y, 5, self.seed)
        machine = SVC(random_state=self.seed)
        self.model = CalibratedClassifierCV(machine, ensemble=False, cv=folds).fit(x, y)
        return self

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        return self.model.predict_proba(x)


class LassoLogistic:
    """L1-penalised logistic regression; the penalty by cross-validated deviance inside the rows it is given."""

    def __init__(self, seed: int, penalties: int = 25, folds: int = 5):
        self.seed, self.penalties, self.folds = seed, penalties, folds

    def fit(self, x: np.ndarray, y: np.ndarray) -> LassoLogistic:
        from hcc_recurrence.learning.selection import fit_l1_logistic

        self.model = fit_l1_logistic(x, y, self.folds, self.seed, self.penalties)
        return self

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        return self.model.predict_proba(x)


def _forest(seed: int, trees: int = 500) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(trees, random_state=seed)


def _stumps(seed: int, stumps: int = 100) -> Any:
    from sklearn.ensemble import AdaBoostClassifier

    return AdaBoostClassifier(n_estimators=stumps, random_state=seed)


def _gaussian_process(seed: int) -> Any:
    from sklearn.gaussian_process import GaussianProcessClassifier
    from sklearn.gaussian_process.kernels import RBF

    return GaussianProcessClassifier(1.0 * RBF(1.0), random_state=seed)


CLASSIFIERS: dict[str, Callable[..., Any]] = {
    "LR": _logistic,
    "SVM": PlattSvm,
    "KNN": _nearest,
    "XGB": _boosting,
    "MLP": _perceptron,
    # Yan 2023; METHODS.md 3.4.
    "RF": _forest,
    "LASSO": LassoLogistic,
    "AdaBoost": _stumps,
    "GP": _gaussian_process,
}


def fit_predict(
    name: str, x: np.ndarray, y: np.ndarray, others: Sequence[np.ndarray], seed: int, **settings: Any
) -> list[np.ndarray]:
    """Fit one classifier and give P(y = 1) for each of `others`.

    Args:
        name: a key of CLASSIFIERS. x: (patients, features) standardised or from 0 to 1. y: 0/1. settings: of that
            classifier, such as the number of trees.

    Without a feature every prediction is the prevalence: nothing was learned, and the AUC is 0.5.

    Raises: KeyError for an unknown name.
    """
    import warnings

    if not x.shape[1]:
        return [np.full(len(other), y.mean()) for other in others]

    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # 200 iterations are scikit-learn's default for the perceptron, which the paper's numbers look like; a Gaussian
        # process whose best length scale lies at the end of the searched range is still its best.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = CLASSIFIERS[name](seed, **settings).fit(x, y)
    return [model.predict_proba(other)[:, 1] if len(other) else np.empty(0) for other in others]


def cross_validated_auc(name: str, x: np.ndarray, y: np.ndarray, folds: int, seed: int) -> float:
    """AUC of pooled out-of-fold probabilities of one classifier on rows of the training patients.

    A half without a feature: pooled, the prevalences of the folds' other rows would look like scores.
    """
    from sklearn.metrics import roc_auc_score

    if not x.shape[1]:
        return 0.5
    probability = np.empty(len(y))
    for inner, held in stratified_folds(y, folds, seed).split(x, y):
        probability[held] = fit_predict(name, x[inner], y[inner], [x[held]], seed)[0]
    return float(roc_auc_score(y, probability))


class Standardiser:
    """z-score by the mean and standard deviation of the rows it was fitted on; constants become 0."""

    def __init__(self, x: np.ndarray):
        self.mean = x.mean(axis=0)
        deviation = x.std(axis=0)
        # A spread at the level of rounding is none.
        flat = deviation <= 1e-12 * np.maximum(np.abs(self.mean), 1)
        self.scale = np.where(flat, np.inf, deviation)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return (x - self.mean) / self.scale


class Imputer:
    """Fill missing values with the median of the rows it was fitted on; all missing becomes 0."""

    def __init__(self, x: np.ndarray):
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            self.median = np.nan_to_num(np.nanmedian(x, axis=0))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return np.where(np.isnan(x), self.median, x)


class MinMax:
    """From 0 to 1 by the range of the rows it was fitted on; values beyond it are clipped, constants become 0."""

    def __init__(self, x: np.ndarray):
        self.low = x.min(axis=0)
        width = np.ptp(x, axis=0)
        self.width = np.where(width > 0, width, np.inf)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return np.clip((x - self.low) / self.width, 0, 1)
