"""A grid of feature rankings and classifiers, each cell a signature, with the number of features and the cell chosen
inside the rows that learn.

Three steps, so that the cells of a grid can be fitted side by side: `rank_fits` orders the features once for all
classifiers; `fit_cell` fits one classifier on them; `choose_cells` takes the best cell of each fit. A fit is one outer
fold of the split, or all training patients (`outer_fits`), and sees nothing of the patients it is reported on.

Source: Yan 2023, "Feature selection and DL signature development"; docs/methods.md 3.4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hcc_recurrence.learning.choices import first_of_best
from hcc_recurrence.learning.estimators import fit_estimator, predicted
from hcc_recurrence.learning.folds import OuterFit, inner_splits, outer_fits
from hcc_recurrence.learning.model_files import expect_keys
from hcc_recurrence.learning.scaling import MinMax
from hcc_recurrence.learning.selection import drop_redundant, rank_correlation, rank_features

# Where a patient's probability in a fit comes from: models of the inner cross-validation that did not see the patient;
# the fit itself, which learned from the patient; the fit, which never saw the patient.
INNER, FITTED, UNSEEN = "inner", "fitted", "unseen"
CELL = ["selector", "classifier"]


def _splits_of(
    fit: OuterFit, y: np.ndarray, settings: Mapping[str, Any], seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The inner splits of a fit, the same ones for rankings and classifiers: positions that learn, positions held."""
    return inner_splits(y, settings["inner_folds"], settings["inner_repeats"], seed + fit.repeat)


def rank_rows(
    x: np.ndarray, y: np.ndarray, selector: str, own: Mapping[str, Any], settings: Mapping[str, Any]
) -> tuple[np.ndarray, dict[str, int]]:
    """Positions of the features that survive both filters, the best first, and how many each step left.

    Min-max on these rows, Spearman with the outcome, Pearson redundancy, then the selector's order.

    Args:
        own: settings of the selector. settings: spearman_p, redundancy_r.
    """
    scaled = MinMax(x)(x)
    rho, p = rank_correlation(scaled, y)
    related = np.flatnonzero(p < settings["spearman_p"])
    kept = related[drop_redundant(scaled[:, related], np.abs(rho[related]), settings["redundancy_r"])]
    order = kept[rank_features(selector, scaled[:, kept], y, own)]
    return order, {"extracted": x.shape[1], "related": len(related), "not redundant": len(kept)}


def rank_fits(
    features: pd.DataFrame,
    outcome: pd.Series,
    split: pd.DataFrame,
    selector: str,
    settings: Mapping[str, Any],
    repeats: int,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The order of features in every fit, on all its rows (inner 0) and on those of each inner split (1, 2, ...).

    Args:
        features: index patient_id. outcome: er by patient. selector: a key of settings["selectors"].
        settings: selectors, feature_numbers, spearman_p, redundancy_r, inner_folds, inner_repeats.

    Returns: repeat, fold, inner, rank, feature, as many as the largest of feature_numbers; and repeat, fold, step,
    features: how many were left after each step on all rows of a fit.
    """
    most, orders, steps = max(settings["feature_numbers"]), [], []
    names = features.columns.to_numpy()
    for fit in outer_fits(split, repeats):
        x, y = features.loc[fit.rows].to_numpy(float), outcome.loc[fit.rows].to_numpy(int)
        about = {"repeat": fit.repeat, "fold": fit.fold}
        learning = [np.arange(len(y)), *(rows for rows, _ in _splits_of(fit, y, settings, seed))]
        for inner, rows in enumerate(learning):
            order, left = rank_rows(x[rows], y[rows], selector, settings["selectors"][selector], settings)
            best = names[order[:most]]
            orders.append(pd.DataFrame({**about, "inner": inner, "rank": np.arange(len(best)), "feature": best}))
            if not inner:
                steps += [{**about, "step": step, "features": n} for step, n in left.items()]
        print(f"repeat {fit.repeat}, fold {fit.fold}: {left['related']} related, {left['not redundant']} not redundant")
    return pd.concat(orders, ignore_index=True), pd.DataFrame(steps)


@dataclass
class FittedCell:
    """The model of a cell in one fit: which features it takes, their ranges in the rows that learned, its classifier.

    features: names, the best first. estimator: with scikit-learn's `predict_proba`.
    """

    features: list[str]
    scale: MinMax
    estimator: Any

    def predict(self, values: pd.DataFrame) -> np.ndarray:
        """P(early recurrence) of each row of a table that has the features among its columns."""
        return self._of(values.to_numpy(float), values.columns.get_indexer(self.features))

    def _of(self, x: np.ndarray, columns: np.ndarray) -> np.ndarray:
        return predicted(self.estimator, self.scale(x[:, columns]))

    def state(self) -> dict[str, Any]:
        """For `model_files.save_state`."""
        return {"features": list(self.features), "scale": self.scale.state(), "estimator": self.estimator}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], where: str) -> FittedCell:
        """The cell of a state.

        Raises: ModelFileError for an unknown key, or one that lacks.
        """
        expect_keys(state, {"features", "scale", "estimator"}, where)
        return cls(list(state["features"]), MinMax.from_state(state["scale"]), state["estimator"])


def _fit_rows(
    x: np.ndarray,
    y: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    names: Sequence[str],
    classifier: str,
    own: Mapping[str, Any],
    seed: int,
) -> FittedCell:
    learning = x[np.ix_(rows, columns)]
    scale = MinMax(learning)
    return FittedCell(
        [names[c] for c in columns], scale, fit_estimator(classifier, scale(learning), y[rows], seed, **own)
    )


def refit_cell(
    features: pd.DataFrame,
    outcome: pd.Series,
    fit: OuterFit,
    order: Sequence[str],
    classifier: str,
    own: Mapping[str, Any],
    seed: int,
) -> FittedCell:
    """The model of a chosen cell in one fit once more, to be kept: the same rows, features and seed give the same model
    as in `fit_cell`.

    Args:
        features: index patient_id. order: names of the cell's features in this fit, the best first.
        own: settings of the classifier. seed: of the fit.
    """
    x, y = features.loc[fit.rows].to_numpy(float), outcome.loc[fit.rows].to_numpy(int)
    columns = features.columns.get_indexer(list(order))
    names = list(features.columns)
    return _fit_rows(x, y, np.arange(len(y)), columns, names, classifier, own, seed)


def _mean_auc(y: np.ndarray, held: Sequence[np.ndarray], found: Sequence[np.ndarray]) -> float:
    """Mean AUC over inner folds; folds of one outcome have none."""
    from sklearn.metrics import roc_auc_score

    areas = [roc_auc_score(y[h], p) for h, p in zip(held, found, strict=True) if len(set(y[h].tolist())) == 2]
    return float(np.mean(areas)) if areas else 0.5


def fit_cell(
    features: pd.DataFrame,
    outcome: pd.Series,
    split: pd.DataFrame,
    ranks: pd.DataFrame,
    classifier: str,
    settings: Mapping[str, Any],
    repeats: int,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One classifier on the best features of one ranking, in every fit; their number by inner cross-validation.

    Args:
        ranks: from `rank_fits`. settings: as there; classifiers: name -> its settings; and inner_classifiers: name ->
            what differs in the inner cross-validation.

    Returns: scores: repeat, fold, part, patient_id, probability (parts above). choices: repeat, fold, k, features
    (fewer than k where the filters left fewer), inner_auc, chosen; one row a number of features.
    """
    own, scores, choices = settings["classifiers"][classifier], [], []
    of_inner = {**own, **settings["inner_classifiers"].get(classifier, {})}
    names = list(features.columns)
    position = {name: i for i, name in enumerate(names)}
    orders = {
        key: np.array([position[f] for f in group.sort_values("rank")["feature"]], int)
        for key, group in ranks.groupby(["repeat", "fold", "inner"])
    }
    for fit in outer_fits(split, repeats):
        about = {"repeat": fit.repeat, "fold": fit.fold}
        x, y = features.loc[fit.rows].to_numpy(float), outcome.loc[fit.rows].to_numpy(int)
        splits = _splits_of(fit, y, settings, seed)
        held = [h for _, h in splits]

        def predict(
            inner: int, rows: np.ndarray, k: int, others: list[np.ndarray], x=x, y=y, fit=fit
        ) -> list[np.ndarray]:
            # Without a feature that passed the filters there is no order, and the prediction is the prevalence.
            columns = orders.get((fit.repeat, fit.fold, inner), np.zeros(0, int))[:k]
            settings_here = of_inner if inner else own
            cell = _fit_rows(x, y, rows, columns, names, classifier, settings_here, seed + fit.repeat)
            return [cell._of(other, columns) for other in others]

        found: dict[int, list[np.ndarray]] = {}
        widths: dict[int, tuple[int, ...]] = {}
        for k in sorted(settings["feature_numbers"]):
            lengths = [len(orders.get((fit.repeat, fit.fold, i), ())) for i in range(len(splits) + 1)]
            widths[k] = tuple(min(k, n) for n in lengths)
            same = next((other for other in found if widths[other] == widths[k]), None)
            # More features than the filters left are the same features.
            found[k] = found[same] if same else [predict(i, r, k, [x[h]])[0] for i, (r, h) in enumerate(splits, 1)]
        areas = {k: _mean_auc(y, held, p) for k, p in found.items()}
        # Of equal ones the fewest features, which were tried first.
        best = first_of_best(areas)
        inner_sum = np.zeros(len(y))
        for h, p in zip(held, found[best], strict=True):
            inner_sum[h] += p
        if not widths[best][0]:
            # Nobody's score of no feature: the prevalences of the inner folds' rows would look like scores.
            inner_sum[:] = y.mean() * settings["inner_repeats"]
        everything = features.loc[fit.unseen].to_numpy(float)
        fitted, unseen = predict(0, np.arange(len(y)), best, [x, everything])
        for part, patients, probability in (
            (INNER, fit.rows, inner_sum / settings["inner_repeats"]),
            (FITTED, fit.rows, fitted),
            (UNSEEN, fit.unseen, unseen),
        ):
            scores.append(pd.DataFrame({**about, "part": part, "patient_id": patients, "probability": probability}))
        choices += [
            {**about, "k": k, "features": widths[k][0], "inner_auc": areas[k], "chosen": k == best} for k in areas
        ]
        print(f"repeat {fit.repeat}, fold {fit.fold}: {best} features, inner AUC {areas[best]:.3f}")
    return pd.concat(scores, ignore_index=True), pd.DataFrame(choices)


def choose_cells(choices: pd.DataFrame, order: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """The cell of each fit with the highest inner AUC; of equal ones the first in `order`.

    Args:
        choices: of all cells of a phase, with the columns selector and classifier. order: cells of the config.

    Returns: repeat, fold, selector, classifier, k, features, inner_auc.
    """
    own = choices[choices["chosen"]].copy()
    own["place"] = [order.index(cell) for cell in own[CELL].itertuples(index=False, name=None)]
    own = own.sort_values(["repeat", "fold", "place"], ignore_index=True)
    best = own.loc[[first_of_best(fit["inner_auc"].to_dict()) for _, fit in own.groupby(["repeat", "fold"])]]
    return best[["repeat", "fold", *CELL, "k", "features", "inner_auc"]].reset_index(drop=True)


def choose_by_validation(
    scores: pd.DataFrame, choices: pd.DataFrame, outcome: pd.Series, validation: Sequence[str], order: Sequence
) -> pd.DataFrame:
    """The cell with the highest AUC on the validation patients, on which it is then reported: as the authors chose.

    The fit is that of all training patients (repeat 1). Without validation patients of both outcomes the inner AUC
    decides.

    Args:
        scores, choices: of all cells of a phase, with the columns selector and classifier.

    Returns: one row, as `choose_cells`.
    """
    from sklearn.metrics import roc_auc_score

    whole = choices[(choices["repeat"] == 1) & (choices["fold"] == 0)]
    y = outcome.loc[list(validation)].to_numpy(int)
    if len(set(y.tolist())) < 2:
        return choose_cells(whole, order)
    mine = scores[(scores["repeat"] == 1) & (scores["fold"] == 0) & (scores["part"] == UNSEEN)]
    areas = {
        cell: roc_auc_score(y, rows.set_index("patient_id").loc[list(validation), "probability"])
        for cell, rows in mine.groupby(CELL)
    }
    best = first_of_best({cell: areas[cell] for cell in order})
    return choose_cells(whole[(whole["selector"] == best[0]) & (whole["classifier"] == best[1])], order)
