"""From the scores that fits of networks leave to rows of the predictions table, and which network is chosen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hcc_recurrence.cohort.fit import Fit
from hcc_recurrence.endpoint import endpoint
from hcc_recurrence.files import read_csv
from hcc_recurrence.learning.choices import first_of_best
from hcc_recurrence.learning.predictions import prediction_rows

# The word of `networks.examples` for a patient who had no part in a fit; a test keeps them in step.
UNSEEN = "unseen"
KEYS = ["model", "protocol", "repeat", "fold"]
# Instead of a fold where a fit leaves out more than one.
SEVERAL = -1
# Weighted cross-entropy of a network that gives every patient one half, less a hundredth: lower is better than chance.
CHANCE_LOSS = math.log(2) - 0.01


def with_fits(table: pd.DataFrame) -> pd.DataFrame:
    """A table with a column `fit` (names of fits), and what its names say: protocol, repeat, fold (0 for none left out,
    -1 for several), tuned_on, share.
    """
    fits = {name: Fit.parse(name) for name in table["fit"].unique()}
    columns = {
        "protocol": {name: fit.protocol for name, fit in fits.items()},
        "repeat": {name: fit.repeat for name, fit in fits.items()},
        "fold": {name: fit.fold if len(fit.left_out) < 2 else SEVERAL for name, fit in fits.items()},
        "tuned_on": {name: fit.tuned_on for name, fit in fits.items()},
        "share": {name: fit.share for name, fit in fits.items()},
    }
    return table.assign(**{column: table["fit"].map(values) for column, values in columns.items()})


def read_fits(files: Sequence[str | Path]) -> pd.DataFrame:
    """Scores or histories that fits of networks left, one below the other, with the columns of `with_fits`."""
    return with_fits(pd.concat([read_csv(file) for file in files], ignore_index=True))


def choose_networks(histories: pd.DataFrame) -> pd.DataFrame:
    """Of each fit the network with the lowest inner loss in the epoch it kept, by training patients.

    Args:
        histories: model, protocol, repeat, fold, epoch, inner_loss, best (the best epoch so far) of every network.

    Returns: model, protocol, repeat, fold, epochs, best_epoch, inner_loss, chosen.
    """
    histories = histories.reset_index(drop=True)
    at_best = histories[histories["epoch"] == histories.groupby(KEYS)["best"].transform("last")]
    table = at_best[[*KEYS, "epoch", "inner_loss"]].rename(columns={"epoch": "best_epoch"})
    lengths = histories.groupby(KEYS)["epoch"].max().rename("epochs").reset_index()
    table = table.merge(lengths, on=KEYS).sort_values(KEYS, ignore_index=True)
    # Of equal losses the first network's.
    lowest = table.groupby(["protocol", "repeat", "fold"])["inner_loss"].idxmin()
    return table.assign(chosen=table.index.isin(lowest))


def best_by_validation(labels: pd.DataFrame, scores: pd.DataFrame) -> str:
    """The network with the highest validation AUC, of equal ones the first of `scores`; empty where the validation
    patients have one outcome."""
    from sklearn.metrics import roc_auc_score

    rows = scores[scores["split"] == "validation"].merge(labels[["patient_id", "er"]], on="patient_id")
    if rows["er"].nunique() < 2:
        return ""
    aucs = {m: roc_auc_score(g["er"].astype(int), g["probability"]) for m, g in rows.groupby("model", sort=False)}
    return first_of_best(aucs)


def strict_rows(labels: pd.DataFrame, split: pd.DataFrame, scores: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Rows of the strict protocol: out of fold by networks that never saw the patient, held out by those of all others.

    Args:
        scores: model, repeat, fold, patient_id, role, probability, and split (where the patient belongs).

    Raises: ValueError where a network saw the patient whose score it must not have made.
    """
    folds = split.set_index("patient_id").filter(regex="^fold_").rename(columns=lambda c: int(c.removeprefix("fold_")))
    parts = []
    for (model, repeat, fold), group in scores.groupby(["model", "repeat", "fold"], sort=False):
        if fold:
            held = folds.loc[group["patient_id"], repeat] == fold
            asked = group[(group["split"] == "train").to_numpy() & held.fillna(False).to_numpy()]
            estimates = [("train", "out_of_fold", asked)]
        else:
            outside = group[group["split"] != "train"]
            estimates = [(name, "held_out", rows) for name, rows in outside.groupby("split")]
        about = {"model": model, **Fit.without("strict", repeat, fold).about, "seed": seed + int(repeat)}
        for name, estimate, rows in estimates:
            _assert_unseen(model, rows)
            parts.append(_rows(labels, rows, split=name, estimate=estimate, **about))
    return pd.concat(parts, ignore_index=True)


def published_rows(labels: pd.DataFrame, scores: pd.DataFrame, seed: int, decided: Sequence[str] = ()) -> pd.DataFrame:
    """Rows as published: apparent for training patients, held out for the others.

    Args:
        scores: as in `strict_rows`. decided: splits whose patients chose the epoch, as authors did; the other patients
            outside training must be unseen.

    Raises: ValueError where a network saw them.
    """
    parts = []
    for (model, name), rows in scores.groupby(["model", "split"], sort=False):
        if name not in ("train", *decided):
            _assert_unseen(model, rows)
        estimate = "apparent" if name == "train" else "held_out"
        about = {"model": model, "protocol": "as_published", "repeat": 1, "fold": 0, "seed": seed + 1}
        parts.append(_rows(labels, rows, split=name, estimate=estimate, **about))
    return pd.concat(parts, ignore_index=True)


def _rows(labels: pd.DataFrame, scores: pd.DataFrame, **about: Any) -> pd.DataFrame:
    rows = scores.sort_values("patient_id")
    return prediction_rows(labels, list(rows["patient_id"]), rows["probability"].to_numpy(), **about)


def _assert_unseen(model: str, rows: pd.DataFrame) -> None:
    seen = rows.loc[rows["role"] != UNSEEN, "patient_id"]
    if len(seen):
        raise ValueError(f"{model}: the network was trained with {sorted(seen)[:5]}, whose scores must be of others")


def choose_patients(scores: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """The patients whose activation is shown: of each outcome the most certain right one and the most certain wrong.

    Args:
        scores: repeat, fold, patient_id, role, probability of one network, fits of folds.

    Returns: patient_id, fold, er, probability, kind; only scores of networks that did not see the patient count.
    """
    rows = scores[(scores["role"] == UNSEEN) & (scores["fold"] > 0) & (scores["repeat"] == 1)]
    rows = rows.merge(labels[["patient_id", "er"]], on="patient_id")
    # Validation patients are unseen in every fold; the fold that held a patient out is what the strict protocol shows.
    counts = rows.groupby("patient_id")["fold"].transform("count")
    rows = rows[counts == 1]
    parts, event = [], endpoint().happened
    for right, outcome in ((True, 1), (True, 0), (False, 1), (False, 0)):
        called = (rows["probability"] >= 0.5).astype(int)
        group = rows[(rows["er"] == outcome) & ((called == outcome) == right)]
        if len(group):
            certain = (group["probability"] - 0.5).abs()
            word = event if outcome else f"no {event}"
            best = group.loc[[certain.idxmax()]]
            parts.append(best.assign(kind=f"{word}, predicted {'right' if right else 'wrong'}"))
    return pd.concat(parts, ignore_index=True)[["patient_id", "fold", "er", "probability", "kind"]]


def describe_networks(
    choices: pd.DataFrame, networks: Mapping[str, Mapping[str, Any]], parameters: Mapping[str, int]
) -> pd.DataFrame:
    """One row a network: architecture, parameters, starting weights, epochs, how many fits learned something by the
    inner loss, and how often it chose the network.
    """
    rows = []
    for name, network in networks.items():
        own = choices[choices["model"] == name]
        rows.append(
            {
                "network": name,
                "architecture": network["architecture"],
                "parameters": parameters[name],
                "starting weights": (network["weights"] and "from a file") or "random",
                "fits": len(own),
                "median best epoch": own["best_epoch"].median(),
                "median epochs": own["epochs"].median(),
                "median inner loss": own["inner_loss"].median(),
                "fits better than chance": int((own["inner_loss"] < CHANCE_LOSS).sum()),
                "chosen for DL (strict)": int(own["chosen"].sum()),
            }
        )
    return pd.DataFrame(rows)
