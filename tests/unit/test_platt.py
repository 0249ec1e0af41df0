"""Probabilities of support vector machines: what is done where they would rank the other way round than the machine."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.svm import SVC

from hcc_recurrence.learning.estimators import fit_estimator, predicted
from hcc_recurrence.learning.folds import stratified_folds
from hcc_recurrence.learning.model_files import load_state, save_state

SEED = 1


def drawn(effect: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """51 patients, 20 with the outcome; five features, the first of which differs by `effect` standard deviations."""
    random = np.random.default_rng(seed)
    y = random.permutation(np.repeat([1, 0], [20, 31]))
    x = random.normal(size=(51, 5))
    x[:, 0] += effect * y
    return x, y


def likeliest(x: np.ndarray, y: np.ndarray, slopes: tuple[float | None, float | None]) -> np.ndarray:
    """Slope and intercept of Platt's curve by his smoothed outcomes, with a slope inside bounds."""
    values = cross_val_predict(SVC(), x, y, cv=stratified_folds(y, 5, SEED), method="decision_function")
    target = np.where(y == 1, (y.sum() + 1) / (y.sum() + 2), 1 / ((1 - y).sum() + 2))

    def loss(ab: np.ndarray) -> float:
        linear = ab[0] * values + ab[1]
        return float(np.sum(np.logaddexp(0, linear) - target * linear))

    return minimize(loss, np.zeros(2), bounds=[slopes, (None, None)], method="L-BFGS-B").x


def of_kind(falls: bool, effect: float) -> tuple[np.ndarray, np.ndarray]:
    """The first drawn cohort whose curve falls, or rises, by a fit of our own."""
    for seed in range(20):
        x, y = drawn(effect, seed)
        if (likeliest(x, y, (None, None))[0] < -0.2) == falls:
            return x, y
    raise AssertionError("no such cohort")


def test_a_falling_curve_ranks_against_its_machine_and_is_replaced_by_the_prevalence(tmp_path):
    x, y = of_kind(True, 0.0)
    kept = fit_estimator("SVM", x, y, SEED, falling_sigmoid="keep")
    values = SVC().fit(x, y).decision_function(x)
    assert kept.falls_ and roc_auc_score(y, values) > 0.8
    assert roc_auc_score(y, predicted(kept, x)) == pytest.approx(1 - roc_auc_score(y, values))

    model = fit_estimator("SVM", x, y, SEED)
    assert model.falls_ and predicted(model, x).tolist() == [20 / 51] * 51
    # Of curves that do not fall the likeliest is flat, at the prevalence but for Platt's smoothing.
    slope, intercept = likeliest(x, y, (0, None))
    assert slope == 0 and 1 / (1 + np.exp(-intercept)) == pytest.approx(20 / 51, abs=0.01)
    save_state(tmp_path / "m", "m", {"SVM": model})
    assert predicted(load_state(tmp_path / "m", "m")["SVM"], x).tolist() == [20 / 51] * 51


def test_a_rising_curve_is_the_same_bytes_whatever_is_done_with_falling_ones():
    x, y = of_kind(False, 2.0)
    model, kept = fit_estimator("SVM", x, y, SEED), fit_estimator("SVM", x, y, SEED, falling_sigmoid="keep")
    assert not model.falls_ and predicted(model, x).tobytes() == predicted(kept, x).tobytes()
    slope, intercept = likeliest(x, y, (None, None))
    values = SVC().fit(x, y).decision_function(x)
    np.testing.assert_allclose(predicted(model, x), 1 / (1 + np.exp(-slope * values - intercept)), atol=1e-3)


def test_another_word_is_refused():
    with pytest.raises(ValueError, match="falling_sigmoid is 'up'; it is prevalence or keep"):
        fit_estimator("SVM", *drawn(0.0, 0), SEED, falling_sigmoid="up")
