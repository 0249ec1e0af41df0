"""Stratified folds inside a training set, however small it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from sklearn.model_selection import StratifiedKFold


def stratified_folds(y: np.ndarray, folds: int, seed: int) -> StratifiedKFold:
    """A shuffled stratified cutter with as many folds as asked, or as the rarer outcome has patients.

    Args:
        y: (n,) 0/1.

    Raises: ValueError where an outcome has fewer than two patients.
    """
    from sklearn.model_selection import StratifiedKFold

    fewest = int(np.bincount(np.asarray(y, int), minlength=2).min())
    if fewest < 2:
        raise ValueError(
            f"cross-validation needs two patients of each outcome; one outcome has {fewest}. "
            "What to do: lower folds or validation_fraction in splits, or add patients."
        )
    return StratifiedKFold(min(folds, fewest), shuffle=True, random_state=seed)


class OuterFit(NamedTuple):
    """One fit of a study: the rows it learns from, and the patients that it is reported on."""

    repeat: int
    fold: int
    rows: list[str]
    unseen: list[str]


def outer_fits(split: pd.DataFrame, repeats: int) -> Iterator[OuterFit]:
    """In each repeat one fit a fold, reported on the patients of that fold, then one on all training patients (fold 0),
    reported on those outside.

    Args:
        split: patient_id, split, fold_1 to fold_<repeats>.
    """
    written = split.set_index("patient_id").sort_index()
    train = list(written.index[written["split"] == "train"])
    outside = list(written.index[written["split"] != "train"])
    for repeat in range(1, repeats + 1):
        folds = written[f"fold_{repeat}"]
        for fold in sorted(folds.loc[train].unique()):
            rows = [p for p in train if folds[p] != fold]
            yield OuterFit(repeat, int(fold), rows, [p for p in train if folds[p] == fold])
        yield OuterFit(repeat, 0, train, outside)


def inner_splits(y: np.ndarray, folds: int, repeats: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Repeated stratified cross-validation inside a fit: positions that learn, positions held.

    Raises: ValueError where an outcome has fewer than two patients.
    """
    found = []
    for repeat in range(repeats):
        found += list(stratified_folds(y, folds, seed + repeat).split(np.zeros(len(y)), y))
    return found
