"""Classifiers that scikit-learn does not have, with its `fit` and `predict_proba`. Loaded by `estimators` where one is
made: the import of scikit-learn takes half a second.
"""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.svm import SVC

from hcc_recurrence.learning.folds import stratified_folds
from hcc_recurrence.learning.selection import fit_l1_logistic


class _Own(ClassifierMixin, BaseEstimator):
    """Both outcomes as columns, from the model that `fit` left."""

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        return self.model_.predict_proba(x)


class PlattSvm(_Own):
    """A support vector machine with probabilities by a logistic curve on cross-validated decision values.

    scikit-learn's own `probability=True` is deprecated; this is the same idea (Platt 1999) with its
    CalibratedClassifierCV, whose folds are of the rows it is given.

    Where nothing can be learned, machines of the folds are often worse than chance, and the curve falls: probabilities
    then rank patients the other way round than the machine itself, down to an AUC of 0.1 on those who taught it
    (scikit-learn's issues 13662 and 31222). The likelihood is concave in slope and intercept, so that of all curves
    that do not fall the likeliest is flat: everyone has the prevalence.

    falling_sigmoid: `prevalence`, or `keep` for the curve as the library fits it. Attribute `falls_`: whether it fell.

    Raises: ValueError for another word.
    """

    def __init__(self, random_state: int = 0, falling_sigmoid: str = "prevalence"):
        self.random_state, self.falling_sigmoid = random_state, falling_sigmoid

    def fit(self, x: np.ndarray, y: np.ndarray) -> PlattSvm:
        if self.falling_sigmoid not in ("prevalence", "keep"):
            raise ValueError(f"falling_sigmoid is {self.falling_sigmoid!r}; it is prevalence or keep")
        folds = stratified_folds(y, 5, self.random_state)
        machine = SVC(random_state=self.random_state)
        self.model_ = CalibratedClassifierCV(machine, ensemble=False, cv=folds).fit(x, y)
        # P(y = 1) = 1 / (1 + exp(a f + b)) of the decision value f.
        self.falls_ = bool(self.model_.calibrated_classifiers_[0].calibrators[0].a_ > 0)
        if self.falls_ and self.falling_sigmoid == "prevalence":
            self.model_ = Prevalence().fit(x, y)
        self.classes_ = self.model_.classes_
        return self


class LassoLogistic(_Own):
    """L1-penalised logistic regression; the penalty by cross-validated deviance inside the rows it is given."""

    def __init__(self, penalties: int = 25, folds: int = 5, random_state: int = 0):
        self.penalties, self.folds, self.random_state = penalties, folds, random_state

    def fit(self, x: np.ndarray, y: np.ndarray) -> LassoLogistic:
        self.model_ = fit_l1_logistic(x, y, self.folds, self.random_state, self.penalties)
        self.classes_ = self.model_.classes_
        return self


class Prevalence(ClassifierMixin, BaseEstimator):
    """Everyone has the prevalence of the rows that were learned from, whatever they are: nothing was there to learn."""

    def fit(self, x: np.ndarray, y: np.ndarray) -> Prevalence:
        self.classes_ = np.array([0, 1])
        self.prevalence_ = float(np.mean(y))
        return self

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        return np.tile([1 - self.prevalence_, self.prevalence_], (len(x), 1))


class KeptLightGbm(ClassifierMixin, BaseEstimator):
    """A fitted LightGBM classifier read from its own text: it only predicts."""

    def __init__(self, text: str):
        import lightgbm

        self.text = text
        self.classes_ = np.array([0, 1])
        self.booster_ = lightgbm.Booster(model_str=text)

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        probability = self.booster_.predict(x, num_threads=1)
        return np.column_stack([1 - probability, probability])
