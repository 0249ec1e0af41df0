"""Feature selection steps, each fitted on exactly the rows it is given."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit, xlogy
from scipy.stats import mannwhitneyu, pearsonr, rankdata, shapiro, ttest_ind

from hcc_recurrence.learning.folds import stratified_folds
from hcc_recurrence.statistics.reliability import intraclass_correlation

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression


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
    Source: Zhao 2024, Feature selection; the rule between the two tests is ours (docs/methods.md 4.3).

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


def lasso_coefficients(
    x: np.ndarray, y: np.ndarray, folds: int, seed: int, penalties: Sequence[float] | None = None
) -> np.ndarray:
    """Coefficients of LASSO regression on the 0/1 outcome, penalty by cross-validated squared error.

    What "LASSO with 5-fold cross-validation" does in most published code (`as_published`).

    Args:
        x: (patients, features), standardised. penalties: to choose from; scikit-learn's own 100 where there are none.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LassoCV

    cutter = stratified_folds(y, folds, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        own = {} if penalties is None else {"alphas": penalties}
        model = LassoCV(cv=list(cutter.split(x, y)), max_iter=5000, **own).fit(x, y.astype(float))
    return model.coef_


def fit_l1_logistic(x: np.ndarray, y: np.ndarray, folds: int, seed: int, penalties: int) -> LogisticRegression:
    """L1-penalised logistic regression, penalty by cross-validated deviance (`strict`).

    Args:
        x: (patients, features), standardised or from 0 to 1. penalties: length of the grid, from the smallest
            penalty that leaves nothing, down to a hundredth of it.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import l1_min_c

    grid = l1_min_c(x, y, loss="log") * np.logspace(0.05, 2, penalties)
    cutter = stratified_folds(y, folds, seed)

    def fit(rows: np.ndarray, c: float) -> LogisticRegression:
        model = LogisticRegression(C=c, l1_ratio=1.0, solver="liblinear", max_iter=500, tol=1e-4, random_state=seed)
        return model.fit(x[rows], y[rows])

    deviance = np.zeros(len(grid))
    for inner, held in cutter.split(x, y):
        others, outcome = x[held], y[held]
        for i, c in enumerate(grid):
            model = fit(inner, c)
            deviance[i] += mean_deviance(outcome, (others @ model.coef_.T + model.intercept_).ravel()) * len(held)
    return fit(np.arange(len(y)), grid[int(np.argmin(deviance))])


def mean_deviance(y: np.ndarray, logit: np.ndarray) -> float:
    """Half the mean deviance of a logistic model (`sklearn.metrics.log_loss` of its probabilities, to the last bit).

    scikit-learn's own checks of its two arguments take half of the time of `fit_l1_logistic`, which asks for hundreds.

    Args:
        y: 0/1. logit: log odds of 1.
    """
    one = expit(logit)
    probability = np.column_stack([1 - one, one])
    smallest = np.finfo(float).eps
    own = xlogy(np.column_stack([1 - y, y]), probability.clip(smallest, 1 - smallest))
    return float(np.average(-own.sum(axis=1)))


def l1_logistic_coefficients(x: np.ndarray, y: np.ndarray, folds: int, seed: int, penalties: int) -> np.ndarray:
    """Coefficients of `fit_l1_logistic`."""
    return fit_l1_logistic(x, y, folds, seed, penalties).coef_.ravel()


def rank_correlation(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spearman's rho of each feature with the outcome, and its P; 0 and 1 for a constant feature.

    Args:
        x: (patients, features). y: (patients,) 0/1.

    Returns: two arrays (features,).
    """
    rho, p = np.zeros(x.shape[1]), np.ones(x.shape[1])
    varies = np.ptp(x, axis=0) > 0
    if varies.any() and np.ptp(y) > 0:
        # Spearman's rho is Pearson's r of the ranks, and scipy's pearsonr takes all columns at once.
        found = pearsonr(rankdata(x[:, varies], axis=0), rankdata(y)[:, None], axis=0)
        rho[varies], p[varies] = found.statistic, found.pvalue
    return rho, p


def drop_redundant(x: np.ndarray, strength: np.ndarray, limit: float) -> np.ndarray:
    """Features without those that repeat a stronger one.

    Pairs with |r| (Pearson) above `limit` in descending order: of each pair whose members are both still there, the
    one with the smaller strength goes; of two equal ones the later.

    Args:
        x: (patients, features), none constant. strength: (features,), such as |rho| with the outcome.

    Returns: positions of the features kept, ascending.

    Source: Yan 2023, "Feature selection and DL signature development"; which r decides is ours (docs/methods.md 3.4).
    """
    if x.shape[1] < 2:
        return np.arange(x.shape[1])
    r = np.abs(np.corrcoef(x, rowvar=False))
    first, second = np.nonzero(np.triu(r > limit, 1))
    kept = np.ones(x.shape[1], bool)
    for pair in np.argsort(-r[first, second], kind="stable"):
        i, j = first[pair], second[pair]
        if kept[i] and kept[j]:
            kept[i if strength[i] < strength[j] else j] = False
    return np.flatnonzero(kept)


def drop_most_connected(x: np.ndarray, limit: float) -> np.ndarray:
    """Features without those that correlate with others: while any pair has |r| (Pearson) above `limit`, the feature
    with the most such partners goes; of equal ones the last.

    Args:
        x: (patients, features), none constant.

    Returns: positions of the features kept, ascending.

    Source: the platform that Zhang 2025 used (docs/methods.md 5.4).
    """
    kept = np.ones(x.shape[1], bool)
    if x.shape[1] < 2:
        return np.flatnonzero(kept)
    linked = np.abs(np.corrcoef(x, rowvar=False)) > limit
    np.fill_diagonal(linked, False)
    partners = linked.sum(axis=1)
    while partners.max() > 0:
        worst = len(partners) - 1 - int(np.argmax(partners[::-1]))
        kept[worst] = False
        partners -= linked[worst]
        partners[worst] = 0
        linked[worst] = linked[:, worst] = False
    return np.flatnonzero(kept)


def order_by_auc(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Positions of all features by how far their AUC is from 0.5, the furthest first; of equal ones the first.

    Args:
        x: (patients, features). y: 0/1.
    """
    positive = int(y.sum())
    ranks = rankdata(x, axis=0)[np.asarray(y) == 1].sum(axis=0)
    auc = (ranks - positive * (positive + 1) / 2) / (positive * (len(y) - positive))
    return np.argsort(-np.abs(auc - 0.5), kind="stable")


def _by_anova(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    from sklearn.feature_selection import f_classif

    return np.argsort(-np.nan_to_num(f_classif(x, y)[0]), kind="stable")


def _by_elimination(x: np.ndarray, y: np.ndarray, step: int = 1) -> np.ndarray:
    from sklearn.feature_selection import RFE
    from sklearn.svm import SVC

    ranking = RFE(SVC(kernel="linear"), n_features_to_select=1, step=step).fit(x, y).ranking_
    return np.argsort(ranking, kind="stable")


def _by_relief(x: np.ndarray, y: np.ndarray, neighbours: int = 10) -> np.ndarray:
    from skrebate import ReliefF

    fewest = int(np.bincount(y.astype(int), minlength=2).min())
    model = ReliefF(n_neighbors=min(neighbours, max(fewest - 1, 1)), n_features_to_select=x.shape[1])
    return np.argsort(-model.fit(x, y).feature_importances_, kind="stable")


# Orders of features, the best first; each takes (patients, features), 0/1 and its own settings.
RANKINGS: dict[str, Callable[..., np.ndarray]] = {
    "ANOVA": _by_anova,
    "RFE": _by_elimination,
    "Relief": _by_relief,
}


def rank_features(name: str, x: np.ndarray, y: np.ndarray, settings: Mapping[str, Any]) -> np.ndarray:
    """Positions of all features, the best first, by ANOVA's F, recursive elimination or ReliefF.

    Source: Yan 2023, "Feature selection and DL signature development"; the linear SVM of the elimination (step 1) and
    ReliefF with 10 neighbours are ours (docs/methods.md 3.4).

    Args:
        name: a key of RANKINGS. x: (patients, features). y: 0/1. settings: of that ranking.
    """
    if x.shape[1] < 2:
        return np.arange(x.shape[1])
    return RANKINGS[name](x, y, **settings)
