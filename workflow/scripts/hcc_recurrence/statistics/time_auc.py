"""Time-dependent AUC of every model at several times, with intervals, and month by month without."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from hcc_recurrence.statistics.comparisons import PANEL, Panel
from hcc_recurrence.statistics.concordance import (
    dynamic_pairs,
    percentile_interval,
    resample_counts,
    variance_of,
)
from hcc_recurrence.statistics.degenerate import (
    SAME_IN_RESAMPLES,
    enough,
    few_around,
    kept,
    models_of_nothing,
    why_no_interval,
)
from hcc_recurrence.statistics.single_models import rounded

# A time of the config that is the cohort's horizon but for the length of a month (730 days are 23.98 months).
NEAR_MONTHS = 0.05


def time_auc_tables(
    predictions: pd.DataFrame,
    models: Sequence[str],
    times: Sequence[float],
    horizon: float,
    resamples: int,
    seed: int,
    censored: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cumulative/dynamic AUC: patients who recurred until a time against those who were followed beyond it.

    Weighted for censoring (Uno et al., J Am Stat Assoc 2007;102:527; Hung and Chiang, Can J Stat 2010;38:8), the values
    of scikit-survival's `cumulative_dynamic_auc`. As every AUC here the mean over folds and repeats of single models;
    the weights come from all patients of the panel, and the intervals are bootstraps over patients.

    Args:
        times: months at which there are intervals; one that is the horizon is the horizon as outcomes are compared with
            it. censored: times are censored at the horizon (Wang 2022, 4.2): nothing is said beyond it.

    Returns: at the times (model, protocol, split, estimate, repeats, n, months, recurred, followed, auc, low, high,
    remark), and month by month where there are enough patients on both sides (the columns up to auc).
    """
    rows, curve = [], []
    chosen = rounded(predictions[predictions["model"].isin(models)])
    nothing = models_of_nothing(chosen)
    wanted = [(t, horizon if abs(t - horizon) <= NEAR_MONTHS else float(t)) for t in times]
    if censored:
        wanted = [(t, at) for t, at in wanted if at <= horizon]
    for key, panel in chosen.groupby(PANEL, sort=False):
        # A model may be known in fewer patients than the others: each has its own weights.
        for model in [m for m in models if m in set(panel["model"])]:
            own = panel[panel["model"] == model]
            patients = own.drop_duplicates("patient_id").sort_values("patient_id")
            months, event = patients["rfs_months"].to_numpy(float), patients["rfs_event"].to_numpy(int)
            names, words = list(patients["patient_id"]), nothing.get((model, *key), "")
            scores = Panel(own, names)
            everyone = np.ones((1, len(names)))
            drawn = np.vstack([everyone, resample_counts(len(names), resamples, seed)])
            about = {"model": model, **dict(zip(PANEL, key, strict=True)), "repeats": own["repeat"].nunique()}
            about["n"] = len(names)
            for shown, at in wanted:
                sides = _sides(months, event, at)
                line = {**about, "months": shown, "recurred": sides[0], "followed": sides[1]}
                values = np.full(len(drawn), np.nan)
                if min(sides) and not words:
                    values = scores.values(dynamic_pairs(months, event, at), drawn)
                why = why_no_interval(sides, variance_of(values[1:]), words, few_around(), SAME_IN_RESAMPLES)
                low, high = kept(*percentile_interval(values[1:]), why)
                rows.append({**line, "auc": float(values[0]), "low": low, "high": high, "remark": why})
            last = min(months.max(), horizon) if censored else months.max()
            for month in range(1, int(last) + 1):
                sides = _sides(months, event, month)
                if words or not enough(*sides):
                    continue
                auc = float(scores.values(dynamic_pairs(months, event, float(month)), everyone)[0])
                curve.append({**about, "months": month, "recurred": sides[0], "followed": sides[1], "auc": auc})
    first = ["model", *PANEL, "repeats", "n", "months", "recurred", "followed", "auc"]
    table = pd.DataFrame(rows, columns=[*first, "low", "high", "remark"])
    return table, pd.DataFrame(curve, columns=first)


def _sides(months: np.ndarray, event: np.ndarray, at: float) -> tuple[int, int]:
    """Patients who recurred until a time, and who were followed beyond it."""
    return int(((event == 1) & (months <= at)).sum()), int((months > at).sum())
