"""Feature selection steps, each fitted on exactly the rows it is given."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.stats import mannwhitneyu, shapiro, ttest_ind

from hcc_recurrence.learning.folds import stratified_folds
from hcc_recurrence.statistics.reliability import intraclass_correlation


def reproducible_features(ratings: np.ndarray, threshold: float) -> np.ndarray:
    """True where ICC(2,1) is above the threshold.

    Args:
        ratings: (patients, readers, features). Constant features are not reproducible by this measure.
    """
    absolute, _ = intraclass_correlation(ratings)
    return np.nan_to_num(absolute, nan=0.0) > threshold


def group_difference_p(x: np.ndarray, y: np.ndarray, normality_alpha: float = 0.05) -> np.ndarray:
    """P value of each feature between the two outcomes.

    Student's t where Shapiro-Wilk finds both groups normal at `normality_alpha`, else Mann-Whitney U.
    Source: Zhao 2024, Feature selection; the rule between the two tests is ours (METHODS.md 4.3).

    Args:
        x: (patients, features). y: (patients,) 0/1.

    Returns: (features,); 1 for a feature that is constant.
    """
    zero, one = x[y == 0], x[y == 1]
    p = np.ones(x.shape[1])
    varies = np.ptp(x, axis=0) > 0
    if not varies.any() or min(len(zero), len(one)) < 3:
        return p
    zero, one = zero[:, varies], one[:, varies]
    with warnings.catch_warnings():
        # Constant within one group: Shapiro-Wilk answers P = 1, the rank test decides then.
        warnings.simplefilter("ignore")
        normal = np.ones(zero.shape[1], bool)
        for group in (zero, one):
            normal &= shapiro(group, axis=0).pvalue > normality_alpha
            normal &= np.ptp(group, axis=0) > 0
        by_t = ttest_ind(zero, one, axis=0).pvalue
        by_rank = mannwhitneyu(zero, one, axis=0, method="asymptotic").pvalue
    p[varies] = np.where(normal, by_t, by_rank)
    return np.nan_to_num(p, nan=1.0)


def lasso_coefficients(x: np.ndarray, y: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Coefficients of LASSO regression on the 0/1 outcome, penalty by cross-validated squared error.

    What "LASSO with 5-fold cross-validation" does in most published code (`as_published`).

    Args:
        x: (patients, features), standardised.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LassoCV

    cutter = stratified_folds(y, folds, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LassoCV(cv=list(cutter.split(x, y)), max_iter=5000).fit(x, y.astype(float))
    return model.coef_


def l1_logistic_coefficients(x: np.ndarray, y: np.ndarray, folds: int, seed: int, penalties: int) -> np.ndarray:
    """Coefficients of L1-penalised logistic regression, penalty by cross-validated deviance (`strict`).

    Args:
        x: (patients, features), standardised. penalties: length of the grid, from the smallest
            penalty that leaves nothing, down to a hundredth of it.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss
    from sklearn.svm import l1_min_c

    grid = l1_min_c(x, y, loss="log") * np.logspace(0.05, 2, penalties)
    cutter = stratified_folds(y, folds, seed)

    def fit(rows: np.ndarray, c: float) -> LogisticRegression:
        model = LogisticRegression(C=c, l1_ratio=1.0, solver="liblinear", max_iter=500, tol=1e-4, random_state=seed)
        return model.fit(x[rows], y[rows])

    deviance = np.zeros(len(grid))
    for inner, held in cutter.split(x, y):
        for i, c in enumerate(grid):
            probability = fit(inner, c).predict_proba(x[held])[:, 1]
            deviance[i] += log_loss(y[held], probability, labels=[0, 1]) * len(held)
    return fit(np.arange(len(y)), grid[int(np.argmin(deviance))]).coef_.ravel()
