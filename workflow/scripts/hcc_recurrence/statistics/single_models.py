"""One fitted model is the unit of every figure: tables have means over repeats of what single models reach.

A strict analysis is repeated with other folds and other random numbers. The mean of five probabilities is the risk of
an ensemble of five models, which ranks patients better than each of them and which no paper describes; set against the
one model as published it would look as if leaks did harm. So each repeat is evaluated by itself, with the cut-off of
its own training patients, and tables give the mean over the repeats and their standard deviation. An ensemble is
possible as a model of its own, with rows and a name of its own.

What has no mean (the risk groups of patients, a test of them) is that of the first repeat, and says so.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from hcc_recurrence.statistics.auc import youden_threshold
from hcc_recurrence.statistics.degenerate import PANEL_OF_MODEL, models_of_nothing

# Which estimate speaks for the training patients of a protocol: the first that a model has.
TRAINED_ON = {"strict": ("out_of_fold",), "as_published": ("cross_validated", "apparent")}


def training_rows(rows: pd.DataFrame, protocol: str) -> pd.DataFrame:
    """The rows of training patients that speak for them: out of fold, as published cross-validated or else apparent.

    Args:
        rows: of one model and protocol, with columns split and estimate; predictions or metrics.
    """
    own = rows[rows["split"] == "train"]
    for estimate in TRAINED_ON[protocol]:
        if (own["estimate"] == estimate).any():
            return own[own["estimate"] == estimate]
    return own.iloc[:0]


def rounded(predictions: pd.DataFrame) -> pd.DataFrame:
    """Probabilities to 10 digits: risks that differ in the last bit of a sum are one risk, and stay ties."""
    return predictions.assign(probability=predictions["probability"].round(10))


def first_repeat(predictions: pd.DataFrame) -> pd.DataFrame:
    """Of each model, protocol, split and estimate the rows of its first repeat: one fitted model, or one a fold."""
    first = predictions.groupby(PANEL_OF_MODEL)["repeat"].transform("min")
    return predictions[predictions["repeat"] == first]


def single_fits_beside_all(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows without folds, with a model that was fitted once beside every repeat of the others.

    A model without random numbers (tumour volume) is fitted once, a network five times: it is compared with each of the
    five. Rows with folds are returned as they are, because their repeats have different folds.

    Args:
        rows: of one protocol, split and estimate.
    """
    repeats = sorted(rows["repeat"].unique())
    once = rows.groupby("model")["repeat"].transform("nunique") == 1
    if len(repeats) == 1 or not once.any() or (rows["fold"] != 0).any():
        return rows
    copies = [rows[once].assign(repeat=repeat) for repeat in repeats]
    return pd.concat([rows[~once], *copies], ignore_index=True)


def training_cut_offs(predictions: pd.DataFrame) -> pd.Series:
    """Youden's cut-off of each model, protocol and repeat, from the training patients of that repeat.

    From out-of-fold probabilities (`strict`), cross-validated or else apparent ones (`as_published`); NaN where the
    model tells nobody apart (`degenerate`) or all patients have one outcome. A model that was fitted elsewhere brings
    its cut-off with it: a column `cutoff`, which such a table of predictions has, is taken as it is.

    Returns: cut-offs, index model, protocol, repeat.

    Raises: ValueError where a fitted model has no training rows to take a cut-off from.
    """
    nothing, found = models_of_nothing(predictions), {}
    keys = ["model", "protocol", "repeat"]
    for key, rows in predictions.groupby(keys):
        model, protocol, repeat = key
        if "cutoff" in rows:
            found[key] = float(rows["cutoff"].iloc[0])
            continue
        own = training_rows(rows, protocol)
        if own.empty:
            wanted = " or ".join(TRAINED_ON[protocol])
            raise ValueError(f"{model}, {protocol}, repeat {repeat}: no {wanted} rows to take a cut-off from")
        estimate = own["estimate"].iloc[0]
        told = own["y"].nunique() == 2 and (model, protocol, "train", estimate) not in nothing
        found[key] = youden_threshold(own["y"], own["probability"].round(10)) if told else np.nan
    index = pd.MultiIndex.from_tuples(list(found), names=keys)
    return pd.Series(list(found.values()), index=index, dtype=float)


def mean_and_spread(values: list[float]) -> tuple[float, float]:
    """Mean of single models' figures, and their standard deviation (NaN of a single one)."""
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
