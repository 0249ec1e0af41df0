"""Zhao 2024: the models of the networks (DL, DLRCR and what is left of it without one input). METHODS.md 4.4, 4.5."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from hcc_recurrence.learning.predictions import prediction_rows
from hcc_recurrence.networks.examples import UNSEEN

DEEP = "DL"
FUSION = "DLRCR"
# Model -> which inputs it has: deep vectors, radiomics, clinical variables (the ablation table).
FUSIONS = {
    FUSION: ("deep", "radiomics", "clinical"),
    f"{FUSION} without deep": ("radiomics", "clinical"),
    f"{FUSION} without radiomics": ("deep", "clinical"),
    f"{FUSION} without clinical": ("deep", "radiomics"),
}
BOTH = "both"
KEYS = ["model", "protocol", "repeat", "fold"]


def fusion_variables(inputs: pd.DataFrame, repeat_seed: int, fold: int, kinds: tuple[str, ...]) -> pd.DataFrame:
    """The variables of one fit that enter the last layer, a row a patient; no column where nothing was selected.

    Args:
        inputs: of `run_protocol`: seed, fold, patient_id, kind, variable, value; values are z-scores of the fit's
            training patients. kinds: radiomics, clinical, or both.
    """
    rows = inputs[(inputs["seed"] == repeat_seed) & (inputs["fold"] == fold)]
    chosen = rows[rows["kind"].isin(kinds)]
    wide = chosen.pivot(index="patient_id", columns=["kind", "variable"], values="value")
    return wide.reindex(sorted(rows["patient_id"].unique())).astype(float)


def choose_networks(histories: pd.DataFrame) -> pd.DataFrame:
    """Of each fit the network with the lowest inner loss; the inner patients are training patients.

    Args:
        histories: model, protocol, repeat, fold, epoch, inner_loss of every network.

    Returns: model, protocol, repeat, fold, epochs, best_epoch, inner_loss, chosen.
    """
    histories = histories.reset_index(drop=True)
    at_best = histories.loc[histories.groupby(KEYS)["inner_loss"].idxmin()]
    table = at_best[[*KEYS, "epoch", "inner_loss"]].rename(columns={"epoch": "best_epoch"})
    lengths = histories.groupby(KEYS)["epoch"].max().rename("epochs").reset_index()
    table = table.merge(lengths, on=KEYS).sort_values(KEYS, ignore_index=True)
    # Of equal losses the first network's.
    lowest = table.groupby(["protocol", "repeat", "fold"])["inner_loss"].idxmin()
    return table.assign(chosen=table.index.isin(lowest))


def network_predictions(
    labels: pd.DataFrame, split: pd.DataFrame, scores: pd.DataFrame, choices: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """Rows of the predictions table of all networks, in both protocols.

    `strict`: out of fold from networks that never saw the patient, held out from those of all training patients; the
    depth of `DL` is chosen by the inner loss, fit by fold. `as_published`: the first network of all training patients,
    on themselves (apparent) and on the others; the depth is chosen by the validation AUC, as the authors did.

    Args:
        scores: model, protocol (`both`: no step differs between the protocols), repeat, fold, patient_id, role,
            probability. choices: from `choose_networks`, of the networks of `DL`.

    Raises: ValueError where a score that must be out of fold or held out comes from a network that saw the patient.
    """
    scores = scores.merge(split[["patient_id", "split"]], on="patient_id", validate="many_to_one")
    chosen = choices[choices["chosen"]].rename(columns={"model": "network"})
    deep = scores[scores["protocol"] == BOTH]
    best = deep.merge(chosen[["network", "repeat", "fold"]], on=["repeat", "fold"])
    best = best[best["model"] == best["network"]].drop(columns="network").assign(model=DEEP)
    named = deep.assign(model=DEEP + " " + deep["model"])
    strict = scores[scores["protocol"] == "strict"]
    parts = [_strict_rows(labels, split, pd.concat([best, named, strict]), seed)]

    published = deep[(deep["repeat"] == 1) & (deep["fold"] == 0)]
    depth = _by_validation(labels, published) or chosen.query("repeat == 1 and fold == 0")["network"].iloc[0]
    once = [
        published[published["model"] == depth].assign(model=DEEP),
        published.assign(model=DEEP + " " + published["model"]),
        scores[scores["protocol"] == "as_published"],
    ]
    parts.append(_published_rows(labels, pd.concat(once), seed))
    return pd.concat(parts, ignore_index=True)


def _by_validation(labels: pd.DataFrame, scores: pd.DataFrame) -> str:
    """The network with the highest validation AUC; empty where the validation patients have one outcome."""
    from sklearn.metrics import roc_auc_score

    rows = scores[scores["split"] == "validation"].merge(labels[["patient_id", "er"]], on="patient_id")
    if rows["er"].nunique() < 2:
        return ""
    aucs = {m: roc_auc_score(g["er"].astype(int), g["probability"]) for m, g in rows.groupby("model", sort=False)}
    return max(aucs, key=lambda model: aucs[model])


def _strict_rows(labels: pd.DataFrame, split: pd.DataFrame, scores: pd.DataFrame, seed: int) -> pd.DataFrame:
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
        about = {"model": model, "protocol": "strict", "fold": int(fold), "seed": seed + int(repeat)}
        for name, estimate, rows in estimates:
            _assert_unseen(model, rows)
            parts.append(_rows(labels, rows, split=name, estimate=estimate, **about))
    return pd.concat(parts, ignore_index=True)


def _published_rows(labels: pd.DataFrame, scores: pd.DataFrame, seed: int) -> pd.DataFrame:
    parts = []
    for (model, name), rows in scores.groupby(["model", "split"], sort=False):
        if name != "train":
            _assert_unseen(model, rows)
        estimate = "apparent" if name == "train" else "held_out"
        about = {"model": model, "protocol": "as_published", "fold": 0, "seed": seed + 1}
        parts.append(_rows(labels, rows, split=name, estimate=estimate, **about))
    return pd.concat(parts, ignore_index=True)


def _rows(labels: pd.DataFrame, scores: pd.DataFrame, **about: Any) -> pd.DataFrame:
    rows = scores.sort_values("patient_id")
    return prediction_rows(labels, list(rows["patient_id"]), rows["probability"].to_numpy(), **about)


def _assert_unseen(model: str, rows: pd.DataFrame) -> None:
    seen = rows.loc[rows["role"] != UNSEEN, "patient_id"]
    if len(seen):
        raise ValueError(f"{model}: the network was trained with {sorted(seen)[:5]}, whose scores must be of others")


def ablation_table(metrics: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """The fusion with all inputs and without each: AUCs, and the paired DeLong test against all inputs.

    Args:
        metrics: of `compute_metrics`. pairs: of `delong_pairs`.

    Returns: protocol, split, estimate, model, inputs, n, auc, auc_low, auc_high, difference (to all inputs), p.
    """
    panel = ["protocol", "split", "estimate"]
    table = metrics[metrics["model"].isin(FUSIONS)][[*panel, "model", "n", "auc", "auc_low", "auc_high"]]
    table = table.assign(inputs=table["model"].map(lambda m: " + ".join(FUSIONS[m])))
    forward = pairs[pairs["model"] == FUSION].rename(columns={"model": "whole", "other": "model"})
    backward = pairs[pairs["other"] == FUSION].rename(columns={"other": "whole"})
    tests = pd.concat([forward, backward])[[*panel, "model", "p"]]
    table = table.merge(tests, on=[*panel, "model"], how="left")
    whole = table[table["model"] == FUSION].set_index(panel)["auc"]
    table["difference"] = table["auc"] - whole.reindex(pd.MultiIndex.from_frame(table[panel])).to_numpy()
    table.loc[table["model"] == FUSION, "difference"] = np.nan
    order = {model: place for place, model in enumerate(FUSIONS)}
    key = table["model"].map(order)
    table = table.assign(_key=key).sort_values([*panel, "_key"], ascending=[False, True, True, True])
    return table[[*panel, "model", "inputs", "n", "auc", "auc_low", "auc_high", "difference", "p"]].reset_index(
        drop=True
    )


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
    parts = []
    for right, outcome in ((True, 1), (True, 0), (False, 1), (False, 0)):
        called = (rows["probability"] >= 0.5).astype(int)
        group = rows[(rows["er"] == outcome) & ((called == outcome) == right)]
        if len(group):
            certain = (group["probability"] - 0.5).abs()
            word = "recurrence" if outcome else "no recurrence"
            best = group.loc[[certain.idxmax()]]
            parts.append(best.assign(kind=f"{word}, predicted {'right' if right else 'wrong'}"))
    return pd.concat(parts, ignore_index=True)[["patient_id", "fold", "er", "probability", "kind"]]


def describe_networks(
    choices: pd.DataFrame, networks: Mapping[str, Mapping[str, Any]], parameters: Mapping[str, int]
) -> pd.DataFrame:
    """One row a network: architecture, parameters, starting weights, epochs, and how often the inner loss chose it."""
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
                "chosen for DL (strict)": int(own["chosen"].sum()),
            }
        )
    return pd.DataFrame(rows)
