"""Clinical risk factors: forest plots, and the calibration of the multivariable model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd

from hcc_recurrence.figures.forest import plot_ratio_forest
from hcc_recurrence.figures.style import COLOURS, COLUMN_INCHES, use_style


def plot_forests(table: pd.DataFrame, title: str) -> plt.Figure:
    """Odds ratios, univariable and multivariable, then hazard ratios (table of `fit_risk_factors`)."""
    panels = []
    for analysis, ratio, name in (("logistic", "odds_ratio", "Logistic"), ("cox", "hazard_ratio", "Cox")):
        for step in ("univariable", "multivariable"):
            part = table[(table["analysis"] == analysis) & (table["step"] == step)]
            panels.append((f"{name}, {step}", ratio, part))
    return plot_ratio_forest(panels, f"{title}: clinical variables, training patients")


def plot_corrected_calibration(curve: pd.DataFrame, optimism: Sequence[dict[str, Any]], title: str) -> plt.Figure:
    """Apparent and optimism-corrected calibration curve of the multivariable logistic model."""
    use_style()
    figure, axis = plt.subplots(figsize=(COLUMN_INCHES, COLUMN_INCHES))
    axis.plot([0, 1], [0, 1], color="0.6", linewidth=0.8, linestyle=":", label="ideal")
    axis.set(xlabel="Predicted probability", ylabel="Observed early recurrence", xlim=(0, 1), ylim=(0, 1))
    axis.set_title(f"Logistic nomogram, {title}")
    if not optimism:
        axis.text(0.5, 0.5, "No variable was selected", ha="center")
        return figure
    axis.plot(curve["at"], curve["apparent"], color=COLOURS[1], label="apparent")
    axis.plot(curve["at"], curve["corrected"], color=COLOURS[0], label="corrected for optimism")
    axis.legend(loc="upper left", frameon=False)
    named = {row["measure"]: row for row in optimism}
    text = "\n".join(
        f"{name} {named[key]['apparent']:.2f}, corrected {named[key]['corrected']:.2f}"
        for key, name in (("auc", "AUC"), ("slope", "slope"), ("brier", "Brier"))
    )
    axis.text(0.98, 0.03, text, transform=axis.transAxes, ha="right", va="bottom", fontsize=6.5)
    return figure
