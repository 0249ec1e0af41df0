"""Clinical risk factors: forest plots, and the calibration of the multivariable model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd

from hcc_recurrence.endpoint import endpoint
from hcc_recurrence.figures.forest import plot_ratio_forest
from hcc_recurrence.figures.style import COLOURS, COLUMN_INCHES, PAGE_INCHES, use_style
from hcc_recurrence.learning.risk_factor_steps import PAPER, panels_of


def plot_forests(table: pd.DataFrame, rule: str, title: str) -> plt.Figure:
    """Odds or hazard ratios of the study's own analysis, step by step; what it lacks is in the table alone.

    Args:
        table: of `fit_risk_factors`. rule: the study's risk_factor_model.
    """
    own = panels_of(table[table["source"] == PAPER], rule)
    return plot_ratio_forest(own, f"{title}: clinical variables, training patients")


def plot_corrected_calibration(curve: pd.DataFrame, optimism: Sequence[dict[str, Any]], title: str) -> plt.Figure:
    """Apparent and optimism-corrected calibration curve of the multivariable logistic model."""
    use_style()
    figure, axis = plt.subplots(figsize=(COLUMN_INCHES, COLUMN_INCHES))
    _calibration_panel(axis, curve, optimism)
    axis.set_title(f"Logistic nomogram, {title}")
    return figure


def plot_corrected_calibrations(
    curves: pd.DataFrame, optimism: Mapping[str, Sequence[dict[str, Any]]], title: str
) -> plt.Figure:
    """The same for several models, one panel each, two in a row.

    Args:
        curves: model, at, apparent, corrected. optimism: model -> rows of `logistic_optimism`.
    """
    use_style()
    rows = -(-len(optimism) // 2)
    figure, axes = plt.subplots(rows, 2, figsize=(PAGE_INCHES, rows * COLUMN_INCHES), squeeze=False)
    for axis, model in zip_longest(axes.ravel(), optimism):
        if model is None:
            axis.axis("off")
            continue
        _calibration_panel(axis, curves[curves["model"] == model], optimism[model])
        axis.set_title(model)
    figure.suptitle(title, fontsize=8)
    return figure


def _calibration_panel(axis: plt.Axes, curve: pd.DataFrame, optimism: Sequence[dict[str, Any]]) -> None:
    axis.plot([0, 1], [0, 1], color="0.6", linewidth=0.8, linestyle=":", label="ideal")
    axis.set(xlabel="Predicted probability", ylabel=f"Observed {endpoint().name}", xlim=(0, 1), ylim=(0, 1))
    if not optimism:
        axis.text(0.5, 0.5, "No variable was selected", ha="center", bbox={"facecolor": "white", "edgecolor": "none"})
        return
    axis.plot(curve["at"], curve["apparent"], color=COLOURS[1], label="apparent")
    axis.plot(curve["at"], curve["corrected"], color=COLOURS[0], label="corrected for optimism")
    axis.legend(loc="upper left", frameon=False)
    named = {row["measure"]: row for row in optimism}
    text = "\n".join(
        f"{name} {number_text(named[key]['apparent'])}, corrected {number_text(named[key]['corrected'])}"
        for key, name in (("auc", "AUC"), ("slope", "slope"), ("brier", "Brier"))
    )
    axis.text(0.98, 0.03, text, transform=axis.transAxes, ha="right", va="bottom", fontsize=6.5)


def number_text(value: float | None) -> str:
    """Two decimals; `none` for what is undefined, such as the slope of a model that separates the outcomes."""
    return "none" if value is None or value != value else f"{value:.2f}"
