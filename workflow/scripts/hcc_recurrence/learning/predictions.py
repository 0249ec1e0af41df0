"""The predictions table: what every model ends as, and what everything after it starts from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from hcc_recurrence.endpoint import endpoint

COLUMNS = (
    "patient_id",
    "model",
    "protocol",
    "split",
    "estimate",
    "repeat",
    "fold",
    "seed",
    "y",
    "probability",
    "rfs_months",
    "rfs_event",
)
ALLOWED = {
    "protocol": {"strict", "as_published"},
    "split": {"train", "validation", "external"},
    # out_of_fold: nothing of the model has seen the patient. cross_validated: settings were chosen with the patient's
    # outcome too, coefficients fitted without it. apparent: of patients that the model was fitted on.
    "estimate": {"out_of_fold", "cross_validated", "apparent", "held_out"},
}


def main_models(predictions: pd.DataFrame, main: Sequence[str]) -> list[str]:
    """The models that a study or a comparison is about, for figures with room for few; in a comparison those of the
    papers first.

    Args:
        main: their names; one that ends in a colon, `zhao2024:`, stands for all that a comparison takes of a paper.

    Raises: ValueError where the table has none of them: figures would be empty.
    """
    models = sorted(predictions["model"].unique())
    papers = tuple(name for name in main if name.endswith(":"))
    of_papers = [model for model in models if papers and model.startswith(papers)]
    found = [*of_papers, *(model for model in models if model in set(main))]
    if not found:
        raise ValueError(
            f"of the main models that the method declares ({', '.join(main) or 'none'}) the predictions have none: "
            f"they are of {', '.join(models)}. What to do: correct `models` in the method's declare.py"
        )
    return found


def outcome_of(labels: pd.DataFrame) -> pd.Series:
    """er of every patient who has one, 0 or 1, by patient."""
    return labels.dropna(subset=["er"]).set_index("patient_id")["er"].astype(int)


def prediction_rows(
    labels: pd.DataFrame,
    patients: Sequence[str],
    probability: np.ndarray,
    **about: Any,
) -> pd.DataFrame:
    """Rows of the predictions table for one model on some patients.

    Args:
        labels: from `make_labels`. patients: in the order of `probability`.
        about: model, protocol, split, estimate, repeat (of the folds, from 1), fold (0 where there is none), seed.
    """
    outcome = labels.set_index("patient_id").loc[list(patients)]
    frame = pd.DataFrame(
        {
            "patient_id": list(patients),
            "y": outcome["er"].astype(int).to_numpy(),
            "probability": np.asarray(probability, float),
            "rfs_months": outcome["rfs_months"].to_numpy(),
            # With gaps where patients are left out, a column of whole numbers is read as one of decimals. Missing for
            # everyone where the outcome has no times.
            "rfs_event": outcome["rfs_event"].astype("Int64" if outcome["rfs_event"].isna().all() else int).to_numpy(),
        }
    )
    return frame.assign(**about)[list(COLUMNS)]


def explained_patients(predictions: pd.DataFrame, model: str) -> pd.DataFrame:
    """Of each outcome the training patient with the most right and the most wrong strict probability of a model.

    Returns: patient_id, er, probability, kind.
    """
    own = predictions[(predictions["model"] == model) & (predictions["estimate"] == "out_of_fold")]
    mean = own.groupby("patient_id").agg(er=("y", "first"), probability=("probability", "mean")).reset_index()
    parts = []
    event = endpoint().happened
    for er, words in ((1, event), (0, f"no {event}")):
        ordered = mean[mean["er"] == er].sort_values(["probability", "patient_id"], ascending=[not er, True])
        for place, kind in ((0, "most right"), (-1, "most wrong")):
            parts.append(ordered.iloc[[place]].assign(kind=f"{words}, {kind}"))
    return pd.concat(parts, ignore_index=True).drop_duplicates("patient_id", ignore_index=True)


def check_predictions(predictions: pd.DataFrame, split: pd.DataFrame, models: Sequence[str] = ()) -> None:
    """Assert what docs/architecture.md 4 and 6 promise of a predictions table.

    Raises: ValueError naming what is broken: unknown words, a probability outside [0, 1], a patient in a
    split other than the written one, a row that stands twice, an estimate that its protocol does not know, a row by
    folds that has none or an apparent one that has, or a model and protocol that leaves out a patient.
    """
    if tuple(predictions.columns) != COLUMNS:
        raise ValueError(f"columns are {list(predictions.columns)}, expected {list(COLUMNS)}")
    if models and (other := sorted(set(models) ^ set(predictions["model"]))):
        raise ValueError(f"the method declares other models than it made: {', '.join(other)}")
    for column, allowed in ALLOWED.items():
        unknown = set(predictions[column]) - allowed
        if unknown:
            raise ValueError(f"column {column} holds {sorted(unknown)}")
    if not predictions["probability"].between(0, 1).all():
        raise ValueError("a probability is missing or outside [0, 1]")
    written = split.set_index("patient_id")
    strangers = set(predictions["patient_id"]) - set(written.index)
    if strangers:
        raise ValueError(f"patients without a split: {sorted(strangers)}")
    differs = predictions["split"].to_numpy() != written.loc[predictions["patient_id"], "split"].to_numpy()
    if differs.any():
        raise ValueError(f"{int(differs.sum())} rows name another split than the written one")
    for estimate, other in (("out_of_fold", "as_published"), ("cross_validated", "strict"), ("apparent", "strict")):
        if ((predictions["estimate"] == estimate) & (predictions["protocol"] == other)).any():
            raise ValueError(f"{estimate} rows in the protocol {other.replace('_', ' ')}, which has none")
    by_folds = predictions["estimate"].isin({"out_of_fold", "cross_validated"})
    if (by_folds != (predictions["fold"] != 0)).any():
        raise ValueError("a fold is named where, and only where, a row is of a model fitted without that fold")
    keys = ["model", "protocol", "estimate", "repeat", "patient_id"]
    if predictions.duplicated(keys).any():
        raise ValueError("a patient stands twice under one model, protocol, estimate and repeat")
    if ((predictions["split"] == "train") == (predictions["estimate"] == "held_out")).any():
        raise ValueError("held_out is for patients outside training, the other estimates for training")
    for key, group in predictions.groupby(["model", "protocol", "estimate", "repeat"]):
        expected = written.index[(written["split"] == "train") != (key[2] == "held_out")]
        lacking = set(expected) - set(group["patient_id"])
        if lacking:
            raise ValueError(f"{key} leaves out {len(lacking)} patients, e.g. {min(lacking)}")
