"""Confusion counts and what follows from them. The four counts always stand beside the rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hcc_recurrence.statistics.auc import AucResult, auc_cross_validated
from hcc_recurrence.statistics.degenerate import ONE_OUTCOME, PANEL_OF_MODEL, models_of_nothing
from hcc_recurrence.statistics.proportions import no_information_test, proportion_interval
from hcc_recurrence.statistics.single_models import mean_and_spread, rounded, training_cut_offs

COUNTS = ("tp", "fn", "tn", "fp")
SPREAD_OF = ("accuracy", "sensitivity", "specificity", "ppv", "npv")


@dataclass(frozen=True)
class Confusion:
    """Counts of a two-class decision; positive is early recurrence. Means of several models may be no whole numbers."""

    tp: float
    fn: float
    tn: float
    fp: float

    @staticmethod
    def _share(part: float, whole: float) -> float:
        return part / whole if whole else float("nan")

    @property
    def n(self) -> float:
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


def counts_of_models(rows: pd.DataFrame, cuts: pd.Series) -> list[Confusion]:
    """Counts of each fitted model at its own cut-off.

    Args:
        rows: predictions of one model, protocol, split and estimate. cuts: of `training_cut_offs`.
    """
    model, protocol = rows[["model", "protocol"]].iloc[0]
    return [
        count(part["y"], part["probability"].round(10), cuts[model, protocol, repeat])
        for repeat, part in rows.groupby("repeat")
    ]


def mean_counts(counts: Sequence[Confusion]) -> Confusion:
    """The mean of several models' counts on the same patients; whole numbers of a single model."""
    if len(counts) == 1:
        return counts[0]
    return Confusion(*(float(np.mean([getattr(c, name) for c in counts])) for name in COUNTS))


def rates_with_intervals(counts: Confusion) -> dict[str, float]:
    """Rates with 95 % intervals: Clopper-Pearson for the accuracy, with its test against the no-information rate
    (one-sided exact binomial, as Cui 2022); Wilson for the others, Clopper-Pearson below 10 patients; none for F1.

    Of mean counts, accuracy, sensitivity and specificity are the means of the single models' rates; PPV, NPV and F1 are
    the rates of the mean counts, which exist also where one of the models calls nobody positive. The intervals are
    those of one model with that rate, on as many patients as there are: repeats add no patients.
    """
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
    """Metrics of each model, protocol, split and estimate (docs/methods.md 0.3, rule 5); the unit is one fitted model.

    With several repeats every number is the mean over the repeats of single models' figures (`single_models`);
    `auc_sd_over_repeats` and the like are their standard deviations, NaN where there is one. The variance of an AUC is
    the mean of the repeats' DeLong variances: repeats share their patients, so that the variance of their mean is at
    most that (Cauchy-Schwarz), and the interval is that of one model. It holds the chance of the patients; that of
    training again is the standard deviation beside it. Out of fold the AUC of a repeat is the mean over its folds that
    hold both outcomes (`auc_cross_validated`).

    The cut-off is Youden's on the training patients, from their out-of-fold (`strict`) or apparent (`as_published`)
    probabilities, in each repeat by itself, and is carried to all splits; the table has its mean.

    A model that tells nobody apart (`degenerate`) has no interval, cut-off, counts or rates, and `remark` says why; so
    it does where an AUC has no interval for another reason.

    Args:
        predictions: rows of the predictions table (docs/architecture.md 4).

    Raises: ValueError where a fitted model has no training rows to take a cut-off from.
    """
    predictions = rounded(predictions)
    cuts, nothing = training_cut_offs(predictions), models_of_nothing(predictions)
    rows = []
    for key, group in predictions.groupby(PANEL_OF_MODEL):
        usable = both_outcomes(group)
        columns = tuple(usable[c].to_numpy() for c in ("y", "probability", "fold", "repeat"))
        if usable.empty:
            area, repeats, remark = AucResult(*[np.nan] * 4), [], nothing.get(key) or ONE_OUTCOME
        else:
            area = auc_cross_validated(*columns)
            repeats = [auc_of_repeat(part) for _, part in usable.groupby("repeat")]
            remark = area.why or _left_out(group, usable)
        own_cuts = cuts.loc[key[0], key[1]].loc[sorted(group["repeat"].unique())]
        if key in nothing:
            area, repeats = AucResult(area.auc, *[np.nan] * 3), []
        elif own_cuts.isna().any():
            remark = remark or "no cut-off: none could be taken from the training patients"
        counted = own_cuts.notna().all() and key not in nothing
        briers = [float(np.mean((part["probability"] - part["y"]) ** 2)) for _, part in group.groupby("repeat")]
        patients = group.drop_duplicates("patient_id")
        rows.append(
            {
                **dict(zip(PANEL_OF_MODEL, key, strict=True)),
                "repeats": group["repeat"].nunique(),
                "n": len(patients),
                "n_pos": int(patients["y"].sum()),
                "auc": area.auc,
                "auc_low": area.low,
                "auc_high": area.high,
                "auc_variance": area.test_variance,
                "auc_ci": "DeLong 95%" + (" within folds" if (group["fold"] != 0).any() else ""),
                "auc_sd_over_repeats": mean_and_spread(repeats)[1] if repeats else np.nan,
                "threshold": own_cuts.mean(skipna=False),
                **(_counted(counts_of_models(group, cuts)) if counted else {}),
                "brier": mean_and_spread(briers)[0],
                "brier_sd_over_repeats": mean_and_spread(briers)[1],
                "remark": remark,
            }
        )
    names = list(_counted([Confusion(1, 1, 1, 1)]))
    last = ("brier", "brier_sd_over_repeats", "remark")
    first = [name for name in rows[0] if name not in (*names, *last)] if rows else []
    return pd.DataFrame(rows, columns=[*first, *names, *last])


def both_outcomes(rows: pd.DataFrame) -> pd.DataFrame:
    """Without the folds in which one of the outcomes is missing: they have no pair to compare."""
    return rows[rows.groupby(["repeat", "fold"])["y"].transform("nunique") == 2]


def auc_of_repeat(rows: pd.DataFrame) -> float:
    """AUC of the rows of one repeat: the mean over its folds, where it has some."""
    return auc_cross_validated(*(rows[c].to_numpy() for c in ("y", "probability", "fold", "repeat"))).auc


def _left_out(group: pd.DataFrame, usable: pd.DataFrame) -> str:
    every, used = (rows[["repeat", "fold"]].drop_duplicates().shape[0] for rows in (group, usable))
    return f"{every - used} of {every} folds left out: patients of one outcome only" if used < every else ""


def _counted(counts: Sequence[Confusion]) -> dict[str, float]:
    """The mean of the four counts, the rates of `rates_with_intervals`, and the rates' spread over the models."""
    mean = mean_counts(counts)
    spread = {f"{rate}_sd_over_repeats": mean_and_spread([getattr(c, rate) for c in counts])[1] for rate in SPREAD_OF}
    return {name: getattr(mean, name) for name in COUNTS} | rates_with_intervals(mean) | spread
