"""Predictions tables as small clinics have them, out of a whole one, and everything that is made of such a table."""

from __future__ import annotations

from collections.abc import Callable, Collection

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from hcc_recurrence.figures.classification import plot_confusion, plot_waterfall
from hcc_recurrence.figures.comparison import plot_agreement, plot_aucs, plot_delong, plot_seeds
from hcc_recurrence.figures.forest import plot_optimism, plot_strata
from hcc_recurrence.figures.html import metrics_for_readers
from hcc_recurrence.figures.performance import plot_calibration, plot_decision_curve, plot_roc
from hcc_recurrence.figures.survival import plot_kaplan_meier, plot_survival_calibration, plot_survival_decision_curve
from hcc_recurrence.figures.time_auc import plot_time_auc
from hcc_recurrence.statistics.classification import metrics_table
from hcc_recurrence.statistics.comparisons import (
    agreement_table,
    auc_by_seed,
    delong_pairs,
    optimism_table,
    strata_table,
    training_against_others,
)
from hcc_recurrence.statistics.count_solver import check_printed_table
from hcc_recurrence.statistics.degenerate import LEAST_OF_EACH
from hcc_recurrence.statistics.measures import calibration_table, survival_tables
from hcc_recurrence.statistics.time_auc import time_auc_tables

# (table, estimate, low, high) of every interval that rests on an approximation.
INTERVALS = (
    *(("metrics", "auc", "auc_low", "auc_high"), ("delong", "difference", "low", "high")),
    *(("training", "difference", "low", "high"), ("optimism", "optimism", "low", "high")),
    *(("strata", "auc", "auc_low", "auc_high"), ("survival", "c", "c_low", "c_high")),
    *(("survival", "auc_t", "auc_t_low", "auc_t_high"), ("pairs", "difference", "low", "high")),
    ("time_auc", "auc", "low", "high"),
)


def mangled(predictions: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    """Few patients of each set, perhaps of one outcome; scores rounded, or one for everyone, or known in half."""
    patients = predictions.drop_duplicates("patient_id")
    chosen = []
    for _, own in patients.groupby("split"):
        if generator.random() < 0.25:
            one = own[own["y"] == generator.integers(0, 2)]
            own = one if len(one) else own
        number = min(int(generator.integers(1, 51)), len(own))
        chosen += list(generator.permutation(own["patient_id"].to_numpy())[:number])
    rows = predictions[predictions["patient_id"].isin(chosen)].copy()
    models = sorted(rows["model"].unique())
    for model in models:
        own, what = rows["model"] == model, generator.integers(0, 6)
        if what == 0:
            rows.loc[own, "probability"] = rows.loc[own, "probability"].round(1)
        elif what == 1:
            rows.loc[own, "probability"] = 0.4
        elif what == 2:
            rows.loc[own, "probability"] = rows.loc[own, "probability"].round(0)
    # A score known in half of the patients, but for one who is always left to take a cut-off from.
    half = generator.permutation(chosen)[: len(chosen) // 2]
    kept = rows.loc[rows["split"] == "train", "patient_id"].iloc[0]
    rows = rows[(rows["model"] != models[-1]) | ~rows["patient_id"].isin(half) | (rows["patient_id"] == kept)]
    if generator.random() < 0.5:
        rows[["rfs_months"]] = rows[["rfs_months"]].round(0).clip(lower=1)
    return rows.reset_index(drop=True)


def all_tables(rows: pd.DataFrame, resamples: int = 20) -> dict[str, pd.DataFrame]:
    """Every shared table of a predictions table."""
    models = sorted(rows["model"].unique())
    metrics = metrics_table(rows)
    table, _ = metrics_for_readers(metrics, None)
    check_printed_table(table.astype(str))
    strata = pd.DataFrame({"centre": ["A", "B"] * len(rows)})[: rows["patient_id"].nunique()]
    strata.index = sorted(rows["patient_id"].unique())
    survival, pairs = survival_tables(rows, models, 24.0, resamples, 0, censored=len(rows) % 2 == 0)
    time_auc, by_month = time_auc_tables(rows, models, [12, 18, 24], 24.0, resamples, 0)
    return {
        "metrics": metrics,
        "delong": delong_pairs(rows, models),
        "training": training_against_others(metrics, rows),
        "optimism": optimism_table(rows, resamples, 0),
        "agreement": agreement_table(rows, models),
        "seeds": auc_by_seed(rows),
        "strata": strata_table(rows, strata),
        "calibration": calibration_table(rows),
        "survival": survival,
        "pairs": pairs,
        "time_auc": time_auc,
        "by_month": by_month,
    }


def all_figures(
    rows: pd.DataFrame, tables: dict[str, pd.DataFrame], protocol: str, names: Collection[str] = ()
) -> dict[str, plt.Figure]:
    """Every shared figure of a predictions table, in one protocol; or those that are named."""
    models = sorted(rows["model"].unique())[:2]
    makers: dict[str, Callable[[], plt.Figure]] = {
        "roc": lambda: plot_roc(rows, tables["metrics"], protocol, None, models),
        "calibration": lambda: plot_calibration(rows, protocol, models, 20, 0),
        "decision curve": lambda: plot_decision_curve(rows, protocol, models),
        "confusion": lambda: plot_confusion(rows, protocol, models),
        "waterfall": lambda: plot_waterfall(rows, protocol, models),
        "kaplan meier": lambda: plot_kaplan_meier(rows, protocol, models, 24.0, True),
        "survival calibration": lambda: plot_survival_calibration(rows, protocol, models, 24.0, 20, 0),
        "survival decision curve": lambda: plot_survival_decision_curve(rows, protocol, models, 24.0),
        "time auc": lambda: plot_time_auc(tables["time_auc"], tables["by_month"], rows, protocol, models, 24.0),
        "aucs": lambda: plot_aucs(tables["metrics"].assign(published=np.nan), protocol, "cohort", None),
        "delong": lambda: plot_delong(tables["delong"], protocol),
        "agreement": lambda: plot_agreement(tables["agreement"], protocol),
        "strata": lambda: plot_strata(tables["strata"], protocol, "cohort"),
        "optimism": lambda: plot_optimism(tables["optimism"], "cohort"),
        "seeds": lambda: plot_seeds(tables["seeds"], "cohort"),
    }
    return {name: make() for name, make in makers.items() if not names or name in names}


def broken_promises(rows: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> list[str]:
    """What a reader could publish wrongly: an interval that pretends, and a missing one without a reason."""
    found = []
    for name, estimate, low, high in INTERVALS:
        for line in tables[name].to_dict("records"):
            about = {
                k: v for k, v in line.items() if k in ("model", "other", "protocol", "split", "patients", "months")
            }
            if np.isfinite(line[low]) and not line[high] - line[low] > 1e-7:
                found.append(f"{name} {about}: {estimate} {line[low]} to {line[high]}")
            remark = line["remark"]
            if np.isnan(line[low]) and not (isinstance(remark, str) and remark):
                found.append(f"{name} {about}: no interval of {estimate}, and no reason")
    for line in tables["metrics"].to_dict("records"):
        if np.isfinite(line["auc_low"]) and min(line["n_pos"], line["n"] - line["n_pos"]) < LEAST_OF_EACH:
            found.append(f"metrics {line['model']}: an interval of {line['n_pos']} of {line['n']}")
    return found
