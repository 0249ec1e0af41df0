"""Zhang 2025: the slice-level table, the models of the 3D networks, and the patients whose activation is shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from hcc_recurrence.cohort.fit import PUBLISHED, STRICT, VALIDATION
from hcc_recurrence.endpoint import endpoint
from hcc_recurrence.learning.network_scores import best_by_validation, published_rows, strict_rows
from hcc_recurrence.learning.predictions import COLUMNS, outcome_of
from hcc_recurrence.methods.zhang2025.declare import VOLUME
from hcc_recurrence.statistics.auc import auc_clustered, auc_cross_validated, youden_threshold
from hcc_recurrence.statistics.classification import count
from hcc_recurrence.statistics.degenerate import kept, nothing_learned, outcome_numbers, why_no_interval
from hcc_recurrence.statistics.single_models import rounded, training_cut_offs


def slice_rows(
    scores: pd.DataFrame, labels: pd.DataFrame, split: pd.DataFrame, networks: Sequence[str]
) -> pd.DataFrame:
    """Scores of single images as they are reported, rows of a predictions table with an image instead of a patient.

    Strict: training images out of fold, the others by the networks of all training patients (mean over repeats). As
    published: the network whose epoch the validation patients chose; its training images are apparent.

    Args:
        scores: model, patient_id, role, image, probability, and the columns of `with_fits`, of all fits.

    Returns: patient, patient_id (`<patient>.<image>`), model, protocol, split, estimate, repeat and fold (of the model
    that scored the image; 0 for the mean), seed (none), y, probability, rfs_months and rfs_event (none).
    """
    place = split.set_index("patient_id")["split"]
    folds = split.set_index("patient_id").filter(regex="^fold_").rename(columns=lambda c: int(c.removeprefix("fold_")))
    # 0: a patient outside training is in no fold.
    folds = folds.fillna(0).astype(int)
    own = scores[scores["model"].isin(networks)]
    own = own.assign(split=place.loc[own["patient_id"]].to_numpy())
    single = own[own["fold"] > 0]
    places = zip(single["patient_id"], single["repeat"], single["fold"], strict=True)
    held = single[[folds.at[patient, repeat] == fold for patient, repeat, fold in places]]
    by_validation = own["tuned_on"] == VALIDATION
    outside = own[~by_validation & (own["fold"] == 0) & (own["split"] != "train")]
    # Every repeat is another network: their scores are averaged, an image is one row.
    keys = ["model", "split", "patient_id", "image"]
    mean = outside.groupby(keys, as_index=False)["probability"].mean()
    published = own[by_validation]
    apparent = np.where(published["split"] == "train", "apparent", "held_out")
    table = pd.concat(
        [
            held.assign(protocol=STRICT, estimate="out_of_fold"),
            mean.assign(protocol=STRICT, estimate="held_out", repeat=0, fold=0),
            published.assign(protocol=PUBLISHED, estimate=apparent, repeat=0, fold=0),
        ],
        ignore_index=True,
    )
    table["y"] = outcome_of(labels).loc[table["patient_id"]].to_numpy()
    table["patient"] = table["patient_id"]
    table["patient_id"] = table["patient_id"] + "." + table["image"].astype(str)
    table = table.assign(seed=np.nan, rfs_months=np.nan, rfs_event=np.nan)
    return table[["patient", *COLUMNS]]


def slice_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Zhang's Table 3: each network on single images, in both protocols.

    The cut-off is Youden's on the training images and carried. `auc_low` and `auc_high` take the images of a patient
    together (Obuchowski); `low_images` and `high_images` count every image as a patient of its own, as the paper does.

    Args:
        rows: from `slice_rows`.

    Returns: model, protocol, split, estimate, patients, n (images), n_pos, auc, auc_low, auc_high, low_images,
    high_images, threshold, tp, fn, tn, fp, accuracy, sensitivity, specificity, ppv, npv, remark.
    """
    table = []
    for (model, protocol), own in rows.groupby(["model", "protocol"], sort=False):
        threshold = np.nan
        for name in ("train", "validation", "external"):
            images = own[own["split"] == name]
            if images["y"].nunique() < 2:
                continue
            y, p, fold, repeat = (images[c].to_numpy() for c in ("y", "probability", "fold", "repeat"))
            whole = auc_clustered(y, p, images["patient"].to_numpy(), fold, repeat)
            single = auc_cross_validated(y, p, fold, repeat)
            mean = images.groupby("patient_id").agg(y=("y", "first"), p=("probability", "mean"))
            silent = nothing_learned(p, fold, repeat)
            # Images of a patient say little more than one: patients count, not images.
            outcomes = images.drop_duplicates("patient")["y"].to_numpy(int)
            why = why_no_interval(outcome_numbers(outcomes, np.zeros(len(outcomes))), whole.variance, silent)
            if name == "train" and not silent:
                threshold = youden_threshold(mean["y"], mean["p"])
            # A network that tells no images apart calls nobody high or low.
            counted = np.isfinite(threshold) and not silent
            counts = count(mean["y"], mean["p"], threshold) if counted else None
            rates = ("tp", "fn", "tn", "fp", "accuracy", "sensitivity", "specificity", "ppv", "npv")
            about = {"model": model, "protocol": protocol, "split": name, "estimate": images["estimate"].iloc[0]}
            table.append(
                {
                    **about,
                    **{"patients": images["patient"].nunique(), "n": len(mean), "n_pos": int(mean["y"].sum())},
                    **dict(
                        zip(("auc", "auc_low", "auc_high"), (whole.auc, *kept(whole.low, whole.high, why)), strict=True)
                    ),
                    **dict(zip(("low_images", "high_images"), kept(single.low, single.high, why), strict=True)),
                    **{"threshold": threshold},
                    **{rate: getattr(counts, rate) if counted else np.nan for rate in rates},
                    "remark": why,
                }
            )
    return pd.DataFrame(table)


def volume_predictions(
    labels: pd.DataFrame, split: pd.DataFrame, scores: pd.DataFrame, choices: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """Rows of the predictions table of the 3D networks and of DL_3D, the one chosen.

    Strict: by the inner loss, fit by fold; as published: by the validation AUC, as the authors did.

    Args:
        scores: model, patient_id, role, probability, and the columns of `with_fits`. choices: from `choose_networks`.

    Raises: ValueError where a network saw a patient whose score must not be its own.
    """
    scores = scores.merge(split[["patient_id", "split"]], on="patient_id", validate="many_to_one")
    single = scores[scores["tuned_on"] != VALIDATION]
    chosen = choices.loc[choices["chosen"], ["model", "repeat", "fold"]]
    best = single.merge(chosen, on=["model", "repeat", "fold"]).assign(model=VOLUME)
    named = single.assign(model=VOLUME + " " + single["model"])
    published = scores[scores["tuned_on"] == VALIDATION]
    depth = best_by_validation(labels, published) or published["model"].iloc[0]
    once = [published[published["model"] == depth].assign(model=VOLUME)]
    once.append(published.assign(model=VOLUME + " " + published["model"]))
    return pd.concat(
        [
            strict_rows(labels, split, pd.concat([best, named]), seed),
            published_rows(labels, pd.concat(once), seed, decided=("validation",)),
        ],
        ignore_index=True,
    )


def explained_patients(predictions: pd.DataFrame, model: str, confident: float) -> pd.DataFrame:
    """Two patients who were called right, and everyone whose wrong call was a confident one.

    A patient from the cut-off on is called a recurrence: Youden's of the training patients, the one of the tables. Of
    each outcome the most certain right call; then wrong calls of recurrence with at least the probability `confident`,
    and of none with at most 1 - `confident`, the most certain first. Strict protocol, repeat 1: training patients out
    of fold, the others held out. Where there is no cut-off, because the model tells nobody apart, one patient of each
    outcome, who is not called anything.

    Returns: patient_id, split, fold (of the network that must explain), er, probability, kind.
    """
    own = predictions[(predictions["model"] == model) & (predictions["protocol"] == "strict")]
    # Rows are found by their index below: predictions of several fits, one below the other, may share some.
    own = rounded(own[own["repeat"] == 1]).reset_index(drop=True).assign(er=lambda rows: rows["y"])
    cut_off = training_cut_offs(own).get((model, STRICT, 1), np.nan)
    called = (own["probability"] >= cut_off).astype(int)
    told = np.isfinite(cut_off)
    right = (called == own["er"]) | (not told)
    certain = own["probability"].where(called == 1, 1 - own["probability"])
    parts = []
    event = endpoint().happened
    for outcome, word in ((1, event), (0, f"no {event}")):
        group = own[right & (own["er"] == outcome)]
        if len(group):
            parts.append(
                group.loc[[certain.loc[group.index].idxmax()]].assign(
                    kind=f"{word}, {'predicted right' if told else 'not called'}"
                )
            )
    wrong = own[~right & (certain >= confident - 1e-12)]
    wrong = wrong.loc[certain.loc[wrong.index].sort_values(ascending=False, kind="stable").index]
    words = np.where(wrong["er"] == 1, event, f"no {event}")
    parts.append(wrong.assign(kind=[f"{word}, predicted wrong" for word in words]))
    return pd.concat(parts, ignore_index=True)[["patient_id", "split", "fold", "er", "probability", "kind"]]
