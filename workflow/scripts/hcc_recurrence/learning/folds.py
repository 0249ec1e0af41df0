"""Stratified folds inside a training set, however small it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

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
