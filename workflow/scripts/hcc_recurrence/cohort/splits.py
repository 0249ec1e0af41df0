"""Splits by patient, made once and written down before anything is fitted (docs/methods.md 0.3).

Drawn so that an edit of the cohort moves as few patients as possible (`draws`).
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from hcc_recurrence.cohort.draws import draw_folds, draw_part
from hcc_recurrence.endpoint import EARLY_RECURRENCE, Endpoint

OUTCOMES = (0, 1)


def draw_sets(
    labels: pd.DataFrame, assigned: Mapping[str, str], validation_fraction: float, seed: int
) -> dict[str, str]:
    """The set (train, validation, external) of each labelled patient, as `make_split` writes it."""
    used = labels[labels["excluded_because"] == ""].sort_values("patient_id", ignore_index=True)
    outcome = dict(zip(used["patient_id"], used["er"].astype(int), strict=True))
    split = {p: assigned.get(p, "train") for p in outcome}
    if validation_fraction > 0:
        for value in OUTCOMES:
            free = [p for p in outcome if p not in assigned and outcome[p] == value]
            # A set without one of the outcomes has no AUC.
            least = 1 / len(free) if len(free) > 1 else 0
            drawn = draw_part(free, max(validation_fraction, least), seed, "validation")
            split |= dict.fromkeys(drawn, "validation")
    return split


def in_training(labels: pd.DataFrame, split: Mapping[str, str]) -> dict[int, list[str]]:
    """Outcome -> its training patients, sorted."""
    outcomes = dict(zip(labels["patient_id"], labels["er"], strict=True))
    return {value: sorted(p for p in split if split[p] == "train" and outcomes[p] == value) for value in OUTCOMES}


def folds_fault(
    labels: pd.DataFrame, split: Mapping[str, str], folds: int, more: int = 0, endpoint: Endpoint = EARLY_RECURRENCE
) -> str:
    """What is wrong where an outcome has fewer training patients than there are folds; empty where nothing is.

    Args:
        more: patients who may yet come, of either outcome. endpoint: what the outcome is called.
    """
    early, free = (len(in_training(labels, split)[value]) for value in (1, 0))
    if min(early, free) + more >= folds:
        return ""
    sets = [f"{list(split.values()).count(s)} {s}" for s in ("validation", "external") if s in split.values()]
    rest = f" (besides {' and '.join(sets)})" if sets else ""
    return (
        f"{folds} folds need at least {folds} training patients of each outcome; there are {early} with "
        f"{endpoint.name} and {free} without{rest}"
    )


def make_split(
    labels: pd.DataFrame,
    assigned: Mapping[str, str],
    validation_fraction: float,
    folds: int,
    repeats: int,
    seed: int,
) -> pd.DataFrame:
    """Split the labelled patients, and cut the training patients into folds, each outcome by itself.

    Of each outcome the validation set has the fraction asked for, rounded, but at least one patient where there are
    two. Of each outcome, and in all, folds differ by at most one patient. One patient more or less moves at most one
    other patient between the sets and at most `folds` between the folds of a repeat; a corrected outcome is one less
    and one more.

    Args:
        labels: from `make_labels`, in any order; patients left out there are not in the result.
        assigned: patients whose split the sheet, the date or the centre decides.
        validation_fraction: fraction of the others drawn for validation; 0 for none.
        folds, repeats: folds over the training patients, drawn independently in each repeat.
        seed: of the draw.

    Returns: patient_id, split (train, validation, external), fold_1 ... fold_<repeats> (1-based; empty
    outside training), sorted by patient_id.

    Raises: ValueError where a class has fewer training patients than folds.
    """
    used = labels[labels["excluded_because"] == ""].sort_values("patient_id", ignore_index=True)
    split = draw_sets(labels, assigned, validation_fraction, seed)
    train = in_training(labels, split)
    if fault := folds_fault(labels, split, folds):
        raise ValueError(f"{fault}. What to do: lower folds in splits, or add patients.")
    result = pd.DataFrame({"patient_id": used["patient_id"], "split": used["patient_id"].map(split)})
    for repeat in range(1, repeats + 1):
        place: dict[str, int] = {}
        for value in OUTCOMES:
            place |= draw_folds(train[value], folds, seed, "folds", repeat, from_last=value == 1)
        result[f"fold_{repeat}"] = used["patient_id"].map(place).astype("Int64")
    return result
