"""The shared evaluation on the predictions of an applied model: the same tables and figures as those of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from hcc_recurrence.endpoint import capital, endpoint

STRICT = "strict"
# Inputs on the page of the comparison of both groups of patients; the others fold out.
MOST_DIFFERENT = 10


def evaluation_tables(
    predictions: pd.DataFrame, main: Sequence[str], horizon: float, times: Sequence[float], resamples: int, seed: int
) -> dict[str, pd.DataFrame]:
    """Every shared table that a model has outside its training patients.

    What compares protocols, repeats or splits (optimism, seeds, training against others) has nothing to compare: one
    fitted model is applied to one group of patients.

    Args:
        predictions: of `external_predictions`. main: models of the survival tables.

    Returns: metrics, delong, agreement, calibration; where the outcome has times also survival, survival_pairs,
        time_auc, time_auc_by_month.

    Raises: ValueError where a printed row of the metrics table fits no counts.
    """
    from hcc_recurrence.figures.html import metrics_for_readers
    from hcc_recurrence.statistics.classification import metrics_table
    from hcc_recurrence.statistics.comparisons import agreement_table, delong_pairs
    from hcc_recurrence.statistics.count_solver import check_printed_table
    from hcc_recurrence.statistics.measures import calibration_table, survival_tables
    from hcc_recurrence.statistics.time_auc import time_auc_tables

    models = sorted(predictions["model"].unique())
    metrics = metrics_table(predictions)
    check_printed_table(metrics_for_readers(metrics, None)[0].astype(str))
    found = {
        "metrics": metrics,
        "delong": delong_pairs(predictions, models, list(main)),
        "agreement": agreement_table(predictions, models, list(main)),
        "calibration": calibration_table(predictions),
    }
    if not endpoint().has_times:
        return found
    survival, pairs = survival_tables(predictions, list(main), horizon, resamples, seed)
    time_auc, by_month = time_auc_tables(predictions, list(main), list(times), horizon, resamples, seed)
    return found | {
        "survival": survival,
        "survival_pairs": pairs,
        "time_auc": time_auc,
        "time_auc_by_month": by_month,
    }


NOTE = (
    "AUC with DeLong's interval. The cut-off came with the model; nothing was chosen on these patients. "
    "95% intervals of rates: Clopper-Pearson for the accuracy and below 10 patients, Wilson for the others. The remark "
    "says why there is no interval."
)
# Figures in the order of the page, and what each shows; those of SURVIVAL where the outcome has times.
FIGURES = {
    "roc": "ROC curves",
    "calibration": "Calibration of the untouched models",
    "recalibration": "Recalibration beside the untouched model",
    "decision_curve": "Decision curve",
    "confusion": "Risk groups at the cut-off that came with the model",
    "waterfall": "Predicted risks of all patients",
    "kaplan_meier": "{survival} by risk group",
    "survival_calibration": "Calibration of {survival}",
    "survival_decision_curve": "Decision curve with censored times",
    "time_auc": "Time-dependent AUC",
    "aucs": "AUC of every model",
}
SURVIVAL = ("kaplan_meier", "survival_calibration", "survival_decision_curve", "time_auc")


def figure_title(name: str) -> str:
    """What a figure shows, in the words of the outcome."""
    return capital(FIGURES[name].format(survival=endpoint().survival))


def evaluation_figures(
    predictions: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    main: Sequence[str],
    title: str,
    horizon: float,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """FIGURES of the main models that there are, by name; drawn when asked for, so that one at a time is held."""
    from hcc_recurrence.figures.classification import plot_confusion, plot_waterfall
    from hcc_recurrence.figures.comparison import plot_aucs
    from hcc_recurrence.figures.performance import plot_calibration, plot_decision_curve, plot_roc
    from hcc_recurrence.figures.recalibration import plot_recalibration
    from hcc_recurrence.figures.survival import (
        plot_kaplan_meier,
        plot_survival_calibration,
        plot_survival_decision_curve,
    )
    from hcc_recurrence.figures.time_auc import plot_time_auc

    rows, models = predictions, list(main)
    names = [name for name in FIGURES if endpoint().has_times or name not in SURVIVAL]

    def time_auc() -> Any:
        return plot_time_auc(tables["time_auc"], tables["time_auc_by_month"], rows, STRICT, models, horizon)

    found = {
        "roc": lambda: plot_roc(rows, tables["metrics"], STRICT, None, models),
        "calibration": lambda: plot_calibration(rows, STRICT, models, resamples, seed),
        "recalibration": lambda: plot_recalibration(rows, tables["recalibration"], models, title),
        "decision_curve": lambda: plot_decision_curve(rows, STRICT, models),
        "confusion": lambda: plot_confusion(rows, STRICT, models),
        "waterfall": lambda: plot_waterfall(rows, STRICT, models),
        "kaplan_meier": lambda: plot_kaplan_meier(rows, STRICT, models, horizon, False),
        "survival_calibration": lambda: plot_survival_calibration(rows, STRICT, models, horizon, resamples, seed),
        "survival_decision_curve": lambda: plot_survival_decision_curve(rows, STRICT, models, horizon),
        "time_auc": time_auc,
        "aucs": lambda: plot_aucs(tables["metrics"].assign(published=np.nan), STRICT, title, None),
    }
    return {name: found[name] for name in names}


def evaluation_page(
    title: str,
    cohort: str,
    marks: Sequence[str],
    tables: Mapping[str, pd.DataFrame],
    words: Sequence[str],
    figures: Sequence[Any],
    resamples: int,
) -> dict[str, Any]:
    """What the template `applied_evaluation.html.j2` puts on the page of one model and cohort.

    Args: tables: of `evaluation_tables`, and case_mix, recalibration, cutoffs, size. figures: of `Picture`.
    """
    from hcc_recurrence.exported.pages import item_text
    from hcc_recurrence.figures.html import metrics_for_readers, readable

    printed, _ = metrics_for_readers(tables["metrics"], None)
    mix = tables["case_mix"].assign(
        item=[item_text(i, str(u)) for i, u in zip(tables["case_mix"]["item"], tables["case_mix"]["unit"], strict=True)]
    )
    size = tables["size"].assign(enough=tables["size"]["enough"].map({True: "enough", False: "too few"}))
    whole = ("patients_needed", "events_needed")
    size = size.assign(**{c: size[c].map(lambda v: "-" if np.isnan(v) else f"{v:.0f}") for c in whole})
    chosen = tables["recalibration"]["chosen"].map({True: "recommended", False: ""})
    recalibration = tables["recalibration"].assign(chosen=chosen)
    counted = tables["cutoffs"]
    counts = {c: counted[c].map(lambda v: "-" if np.isnan(v) else f"{v:.0f}") for c in ("tp", "fn", "tn", "fp")}
    # One protocol, one split, one repeat: columns that say so say nothing.
    same = ["protocol", "split", "estimate", "repeats", "SD over repeats", "patients"]
    return {
        "title": f"{title}: external validation",
        "cohort": cohort,
        "marks": list(marks),
        "sentences": list(words),
        "metrics": _cells(printed.drop(columns=[c for c in same if c in printed])),
        "metrics_note": NOTE,
        "calibration": _cells(_without(readable(tables["calibration"]), same)),
        "survival": _cells(_without(readable(tables["survival"]), same)) if "survival" in tables else None,
        "case_mix": _cells(readable(mix, 2)),
        "most_different": MOST_DIFFERENT,
        "recalibration": _cells(readable(recalibration)),
        "cutoffs": _cells(readable(counted.assign(**counts))),
        "size": _cells(readable(size)),
        "figures": list(figures),
        "resamples": resamples,
    }


def empty_page(title: str, cohort: str, marks: Sequence[str], words: Sequence[str]) -> dict[str, Any]:
    """The page where nobody is left who is no training patient: words alone."""
    tables = ("metrics", "calibration", "survival", "case_mix", "recalibration", "cutoffs", "size")
    return {
        "title": f"{title}: no external validation",
        "cohort": cohort,
        "marks": list(marks),
        "sentences": list(words),
        "metrics_note": "",
        "figures": [],
        "resamples": 0,
        **dict.fromkeys(tables),
    }


def _without(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    return table.drop(columns=[c for c in table if c in columns or "sd over repeats" in c])


def _cells(table: pd.DataFrame) -> dict[str, Any]:
    """A table for a template: names of columns, and text of cells."""
    text = table.astype(object).where(table.notna(), "").astype(str)
    return {"columns": list(text.columns), "cells": text.to_numpy().tolist()}
