"""Confusion counts and what follows from them. The four counts always stand beside the rates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from hcc_recurrence.statistics.auc import AucResult, auc_cross_validated, auc_delong, youden_threshold
from hcc_recurrence.statistics.degenerate import NOTHING_VARIES, ONE_OUTCOME, models_of_nothing, why_none
from hcc_recurrence.statistics.proportions import no_information_test, proportion_interval


@dataclass(frozen=True)
class Confusion:
    """Counts of a two-class decision; positive is early recurrence."""

    tp: int
    fn: int
    tn: int
    fp: int

    @staticmethod
    def _share(part: int, whole: int) -> float:
        return part / whole if whole else float("nan")

    @property
    def n(self) -> int:
        return self.tp + self.fn + self.tn + self.fp

    @property
    def accuracy(self) -> float:
        return self._share(self.tp + self.tn, self.n)

    @property
    def sensitivity(self) -> float:
        return self._share(self.tp, self.tp + self.fn)

    @property
    def specificity(self) -> float:
        return self._share(self.tn, self.tn + self.fp)

    @property
    def ppv(self) -> float:
        return self._share(self.tp, self.tp + self.fp)

    @property
    def npv(self) -> float:
        return self._share(self.tn, self.tn + self.fn)

    @property
    def f1(self) -> float:
        return self._share(2 * self.tp, 2 * self.tp + self.fp + self.fn)


def count(y: np.ndarray, score: np.ndarray, threshold: float) -> Confusion:
    """Counts where 1 is predicted for score >= threshold."""
    y, predicted = np.asarray(y).astype(bool), np.asarray(score) >= threshold
    return Confusion(
        tp=int((predicted & y).sum()),
        fn=int((~predicted & y).sum()),
        tn=int((~predicted & ~y).sum()),
        fp=int((predicted & ~y).sum()),
    )


def mean_over_repeats(predictions: pd.DataFrame) -> pd.DataFrame:
    """One row a patient, model, protocol, split and estimate: the mean probability over folds and repeats.

    Each out-of-fold probability comes from a model that did not see the patient, so their mean does too.
    """
    keys = ["model", "protocol", "split", "estimate", "patient_id"]
    averaged = predictions.groupby(keys, sort=True, as_index=False).agg(
        y=("y", "first"),
        probability=("probability", "mean"),
        rfs_months=("rfs_months", "first"),
        rfs_event=("rfs_event", "first"),
    )
    # Means of the same numbers in another order differ in the last bit and would no longer be ties.
    averaged["probability"] = averaged["probability"].round(10)
    return averaged


def auc_of_repeat(rows: pd.DataFrame, estimate: str) -> float:
    """AUC of the rows of one repeat: the mean over folds where they are out of fold."""
    y, score = rows["y"].to_numpy(), rows["probability"].to_numpy()
    if estimate == "out_of_fold":
        return auc_cross_validated(y, score, rows["fold"].to_numpy(), rows["repeat"].to_numpy()).auc
    return auc_delong(y, score).auc


def rates_with_intervals(counts: Confusion) -> dict[str, float]:
    """Rates with 95 % intervals: Clopper-Pearson for the accuracy, with its test against the no-information rate
    (one-sided exact binomial, as Cui 2022); Wilson for the others, Clopper-Pearson below 10 patients; none for F1."""
    correct = counts.tp + counts.tn
    fractions = {
        "accuracy": (correct, counts.n, "exact"),
        "sensitivity": (counts.tp, counts.tp + counts.fn, "wilson"),
        "specificity": (counts.tn, counts.tn + counts.fp, "wilson"),
        "ppv": (counts.tp, counts.tp + counts.fp, "wilson"),
        "npv": (counts.tn, counts.tn + counts.fn, "wilson"),
    }
    found: dict[str, float] = {}
    for rate, (part, whole, method) in fractions.items():
        found[rate] = getattr(counts, rate)
        found[f"{rate}_low"], found[f"{rate}_high"] = proportion_interval(part, whole, method)
    rate, p = no_information_test(correct, counts.tp + counts.fn, counts.tn + counts.fp)
    return {**found, "no_information_rate": rate, "accuracy_p": p, "f1": counts.f1}


def metrics_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Metrics of each model, protocol, split and estimate (METHODS.md 0.3, rule 5).

    The AUC of out-of-fold rows is the mean over folds (`auc_cross_validated`), other AUCs are DeLong's; they and
    the counts come from probabilities averaged over repeats. The cut-off is Youden's on the training patients,
    from their out-of-fold (`strict`) or apparent (`as_published`) probabilities, and is carried to all splits.
    `auc_sd_over_seeds` is the standard deviation of the AUCs of the repeats, NaN where there is one.

    A model that tells nobody apart (`degenerate`) has no interval, cut-off, counts or rates, and `remark` says why; so
    it does where an AUC has no interval for another reason.

    Args:
        predictions: rows of the predictions table (DESIGN section 4).

    Raises: ValueError where a model and protocol have no training rows to take a cut-off from.
    """
    averaged, nothing = mean_over_repeats(predictions), models_of_nothing(predictions)
    thresholds = {}
    for (model, protocol), group in averaged.groupby(["model", "protocol"]):
        estimate = "out_of_fold" if protocol == "strict" else "apparent"
        own = group[(group["split"] == "train") & (group["estimate"] == estimate)]
        if own.empty:
            raise ValueError(f"{model}, {protocol}: no {estimate} rows to take a cut-off from")
        words = nothing.get((model, protocol, "train", estimate)) or ("" if own["y"].nunique() == 2 else ONE_OUTCOME)
        thresholds[model, protocol] = np.nan if words else youden_threshold(own["y"], own["probability"])
    rows = []
    for key, group in averaged.groupby(["model", "protocol", "split", "estimate"]):
        model, protocol, split, estimate = key
        y, score = group["y"].to_numpy(), group["probability"].to_numpy()
        threshold = thresholds[model, protocol]
        chosen = predictions[(predictions[["model", "protocol", "split", "estimate"]] == key).all(axis=1)]
        columns = tuple(chosen[c].to_numpy() for c in ("y", "probability", "fold", "repeat"))
        if len(set(y.tolist())) < 2:
            area, repeats = AucResult(*[np.nan] * 4), []
        else:
            area = auc_cross_validated(*columns) if estimate == "out_of_fold" else auc_delong(y, score)
            repeats = [auc_of_repeat(part, estimate) for _, part in chosen.groupby("repeat")]
        remark = why_none(*columns) or ("" if np.isfinite(area.low) else NOTHING_VARIES)
        if key in nothing:
            area, repeats = AucResult(area.auc, *[np.nan] * 3), []
        elif np.isnan(threshold):
            remark = remark or "no cut-off: none could be taken from the training patients"
        counted = np.isfinite(threshold) and key not in nothing
        rows.append(
            {
                "model": model,
                "protocol": protocol,
                "split": split,
                "estimate": estimate,
                "n": len(y),
                "n_pos": int(y.sum()),
                "auc": area.auc,
                "auc_low": area.low,
                "auc_high": area.high,
                "auc_variance": area.test_variance,
                "auc_ci": "DeLong 95%" + (" within folds" if estimate == "out_of_fold" else ""),
                "auc_sd_over_seeds": float(np.std(repeats, ddof=1)) if len(repeats) > 1 else np.nan,
                "threshold": threshold,
                **(_counted(count(y, score, threshold)) if counted else {}),
                "brier": float(np.mean((score - y) ** 2)),
                "remark": remark,
            }
        )
    names = list(_counted(Confusion(1, 1, 1, 1)))
    first = [name for name in rows[0] if name not in (*names, "brier", "remark")] if rows else []
    return pd.DataFrame(rows, columns=[*first, *names, "brier", "remark"])


def _counted(counts: Confusion) -> dict[str, float]:
    """The four counts and the rates of `rates_with_intervals`."""
    return {name: getattr(counts, name) for name in ("tp", "fn", "tn", "fp")} | rates_with_intervals(counts)
