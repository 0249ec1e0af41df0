"""Cui 2022: a 3D network on the segmented tumour (SS) and on its surroundings (NSS), on the same folds.

The score of a patient outside training is the mean of the networks of all folds. Strict: networks stop by training
patients of the other folds, and are reported on the fold they never saw. As published: the held-out fold decides when
to stop, and the mean of all networks is reported on the patients that trained them. docs/methods.md 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from hcc_recurrence.cohort.fit import LEFT_OUT
from hcc_recurrence.learning.network_scores import UNSEEN, published_rows, strict_rows
from hcc_recurrence.methods.cui2022.declare import SEGMENTED, WHOLE
from hcc_recurrence.statistics.auc import auc_cross_validated
from hcc_recurrence.statistics.delong import paired_table


def ensemble(scores: pd.DataFrame) -> pd.DataFrame:
    """Mean of the networks of all folds, a row a model, repeat and patient, fold 0; `unseen` where no network saw him.

    Args:
        scores: model, repeat, fold, patient_id, role, split, probability.
    """
    seen = scores.assign(seen=scores["role"] != UNSEEN)
    mean = seen.groupby(["model", "repeat", "patient_id", "split"], as_index=False).agg(
        probability=("probability", "mean"), seen=("seen", "any")
    )
    role = np.where(mean.pop("seen"), "seen", UNSEEN)
    return mean.assign(fold=0, role=role)


def network_predictions(labels: pd.DataFrame, split: pd.DataFrame, scores: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Rows of the predictions table of SS and NSS in both protocols.

    Args:
        scores: model, patient_id, role, probability, and the columns of `with_fits`; tuned on what they leave out where
            the fold decided when to stop.

    Raises: ValueError where a score that must be out of fold or held out comes from a network that saw the patient.
    """
    scores = scores.merge(split[["patient_id", "split"]], on="patient_id", validate="many_to_one")
    held = scores["tuned_on"] == LEFT_OUT
    strict = scores[~held]
    outside = ensemble(strict[strict["split"] != "train"])
    parts = [strict_rows(labels, split, pd.concat([strict, outside]), seed)]
    parts.append(published_rows(labels, ensemble(scores[held]), seed))
    return pd.concat(parts, ignore_index=True)


def ensemble_table(labels: pd.DataFrame, scores: pd.DataFrame, metrics: pd.DataFrame) -> pd.DataFrame:
    """AUC of the training patients three ways: apparent, of folds that decided when to stop, and of folds never seen.

    Args:
        scores: as in `network_predictions`. metrics: of `compute_metrics`.

    Returns: model, n, apparent, deciding_folds, deciding_low, deciding_high, strict, strict_low, strict_high.
    """
    outcome = labels.dropna(subset=["er"]).set_index("patient_id")["er"].astype(int)
    keyed = metrics[metrics["split"] == "train"].set_index(["model", "protocol", "estimate"])
    own = scores[(scores["tuned_on"] == LEFT_OUT) & (scores["role"] == "inner")]
    rows = []
    for model, part in own.groupby("model", sort=True):
        y = outcome.loc[part["patient_id"]].to_numpy()
        area = auc_cross_validated(y, *(part[c].to_numpy() for c in ("probability", "fold", "repeat")))
        strict = keyed.loc[(model, "strict", "out_of_fold")]
        rows.append(
            {
                "model": model,
                "n": part["patient_id"].nunique(),
                "apparent": keyed.loc[(model, "as_published", "apparent"), "auc"],
                "deciding_folds": area.auc,
                "deciding_folds_low": area.low,
                "deciding_folds_high": area.high,
                "strict": strict["auc"],
                "strict_low": strict["auc_low"],
                "strict_high": strict["auc_high"],
            }
        )
    return pd.DataFrame(rows)


def relevance_share(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Share of the positive relevance of each map that lies inside the tumour; NaN where a map has none.

    Args:
        maps: (n, y, x), at least 0. masks: (n, z, y, x) 0/1; a map has no z, so the tumour is seen from above.
    """
    inside = (np.asarray(masks) > 0).any(axis=1)
    total = maps.sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return (maps * inside).sum(axis=(1, 2)) / np.where(total > 0, total, np.nan)


def compare_shares(table: pd.DataFrame) -> dict[str, float]:
    """Medians of the shares of SS and NSS, and the P of Wilcoxon's signed-rank test, by scipy.

    Args:
        table: a row a patient: SS, NSS; patients without a positive map in one of them are left out. Where nobody is
            left, medians and P are missing.
    """
    from scipy.stats import wilcoxon

    known = table.dropna(subset=[SEGMENTED, WHOLE])
    difference = known[SEGMENTED] - known[WHOLE]
    p = float(wilcoxon(difference).pvalue) if (difference != 0).any() else 1.0 if len(known) else np.nan
    return {
        "n": len(known),
        "median_ss": float(known[SEGMENTED].median()),
        "median_nss": float(known[WHOLE].median()),
        "median_difference": float(difference.median()),
        "p": p,
    }


def learning_curve(
    labels: pd.DataFrame, split: pd.DataFrame, scores: pd.DataFrame, shares: Sequence[float]
) -> pd.DataFrame:
    """AUC out of fold of SS and NSS by the share of patients that trained, and their paired DeLong test within folds.

    Args:
        scores: model, patient_id, role, probability, and the columns of `with_fits`, of fits that hold a fold out.

    Returns: share, trained (mean number of patients that fitted), model, auc, low, high, difference (SS less NSS), p.
    """
    outcome = labels.dropna(subset=["er"]).set_index("patient_id")["er"].astype(int)
    folds = split.set_index("patient_id").filter(regex="^fold_").rename(columns=lambda c: int(c.removeprefix("fold_")))
    rows = []
    for share in shares:
        own = scores[scores["share"] == share]
        places = [folds.loc[p, repeat] for p, repeat in zip(own["patient_id"], own["repeat"], strict=True)]
        held = [pd.notna(place) and place == fold for place, fold in zip(places, own["fold"], strict=True)]
        trained = own[own["role"] == "fitted"].groupby(["model", "repeat", "fold"]).size().mean()
        wide = own[np.array(held, bool)].pivot(
            index=["repeat", "fold", "patient_id"], columns="model", values="probability"
        )
        wide = wide.dropna().reset_index()
        y = outcome.loc[wide["patient_id"]].to_numpy()
        groups = (wide["fold"].to_numpy(), wide["repeat"].to_numpy())
        test = paired_table(y, {m: wide[m].to_numpy() for m in (SEGMENTED, WHOLE)}, *groups).iloc[0]
        for model in (SEGMENTED, WHOLE):
            area = auc_cross_validated(y, wide[model].to_numpy(), *groups)
            about = {"share": share, "trained": trained, "model": model}
            interval = {"auc": area.auc, "low": area.low, "high": area.high}
            rows.append({**about, **interval, "difference": test["difference"], "p": test["p"]})
    return pd.DataFrame(rows)
