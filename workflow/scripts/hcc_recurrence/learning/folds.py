"""Stratified folds inside a training set, however small it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from hcc_recurrence.cohort.fit import STRICT, Fit

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
    """One fit of a study, the rows it learns from, and the patients that it is reported on."""

    fit: Fit
    rows: list[str]
    unseen: list[str]

    @property
    def repeat(self) -> int:
        return self.fit.repeat

    @property
    def fold(self) -> int:
        return self.fit.fold


def outer_fit(split: pd.DataFrame, fit: Fit) -> OuterFit:
    """The patients of one fit: reported on those of the fold that it leaves out, or, where it leaves out none, on those
    outside training.

    Args:
        split: patient_id, split, fold_<repeat>.
    """
    written = split.set_index("patient_id").sort_index()
    train = list(written.index[written["split"] == "train"])
    if not fit.fold:
        return OuterFit(fit, train, list(written.index[written["split"] != "train"]))
    folds = written[f"fold_{fit.repeat}"]
    return OuterFit(fit, [p for p in train if folds[p] != fit.fold], [p for p in train if folds[p] == fit.fold])


def outer_fits(split: pd.DataFrame, repeats: int, protocol: str = STRICT) -> Iterator[OuterFit]:
    """In each repeat one fit a fold, then one on all training patients; as published that of the first repeat alone.

    Args:
        split: patient_id, split, fold_1 to fold_<repeats>.
    """
    training = split["split"] == "train"
    for repeat in range(1, repeats + 1) if protocol == STRICT else (1,):
        folds = sorted(split.loc[training, f"fold_{repeat}"].unique()) if protocol == STRICT else []
        for fold in (*folds, 0):
            yield outer_fit(split, Fit.without(protocol, repeat, int(fold)))


def inner_splits(y: np.ndarray, folds: int, repeats: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Repeated stratified cross-validation inside a fit: positions that learn, positions held.

    Raises: ValueError where an outcome has fewer than two patients.
    """
    found = []
    for repeat in range(repeats):
        found += list(stratified_folds(y, folds, seed + repeat).split(np.zeros(len(y)), y))
    return found
