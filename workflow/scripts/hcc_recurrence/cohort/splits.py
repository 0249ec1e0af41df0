"""Splits by patient, made once and written down before anything is fitted (METHODS.md 0.3)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd


def make_split(
    labels: pd.DataFrame,
    assigned: Mapping[str, str],
    validation_fraction: float,
    folds: int,
    repeats: int,
    seed: int,
) -> pd.DataFrame:
    """Split the labelled patients, and cut the training patients into folds.

    Args:
        labels: from `make_labels`; patients left out there are not in the result.
        assigned: patients whose split the sheet, the date or the centre decides.
        validation_fraction: share of the others drawn for validation, stratified by outcome; 0 for none.
        folds, repeats: stratified folds over the training patients, cut anew in each repeat.
        seed: of the draw.

    Returns: patient_id, split (train, validation, external), fold_1 ... fold_<repeats> (1-based; empty
    outside training), sorted by patient_id.

    Raises: ValueError where a class has fewer training patients than folds.
    """
    from sklearn.model_selection import StratifiedKFold, train_test_split

    used = labels[labels["excluded_because"] == ""].sort_values("patient_id", ignore_index=True)
    split = used["patient_id"].map(assigned)
    free = np.flatnonzero(split.isna())
    split = split.fillna("train")
    if validation_fraction > 0 and len(free):
        _, drawn = train_test_split(
            free,
            test_size=validation_fraction,
            stratify=used["er"].to_numpy()[free],
            random_state=seed,
        )
        split.iloc[drawn] = "validation"
    result = pd.DataFrame({"patient_id": used["patient_id"], "split": split})
    train = np.flatnonzero(split == "train")
    outcome = used["er"].to_numpy()[train].astype(int)
    fewest = int(np.bincount(outcome, minlength=2).min()) if len(outcome) else 0
    if fewest < folds:
        raise ValueError(
            f"{folds} folds need at least {folds} training patients of each outcome; there are {fewest}. "
            "What to do: lower folds in splits, or add patients."
        )
    for repeat in range(1, repeats + 1):
        column = pd.Series(pd.NA, index=result.index, dtype="Int64")
        cutter = StratifiedKFold(folds, shuffle=True, random_state=seed + repeat)
        for fold, (_, held) in enumerate(cutter.split(train, outcome), 1):
            column.iloc[train[held]] = fold
        result[f"fold_{repeat}"] = column
    return result
