"""How recalibration changes the risks of a model, beside how often patients with such risks recurred."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from hcc_recurrence.figures.style import COLOURS, PAGE_INCHES, use_style
from hcc_recurrence.statistics.calibration import calibration_bins
from hcc_recurrence.statistics.recalibration import IN_THE_LARGE, UNTOUCHED, Update

# Groups of patients whose observed rate is drawn.
BINS = 5
LINES = {UNTOUCHED: ("0.35", "--"), IN_THE_LARGE: (COLOURS[1], "-"), "intercept and slope": (COLOURS[0], "-")}


def plot_recalibration(predictions: pd.DataFrame, table: pd.DataFrame, models: list[str], title: str) -> plt.Figure:
    """Risk after each recalibration over the risk that the model gives; points: observed rates in groups of patients.

    Args:
        predictions: rows of the predictions table, one fitted model each. table: `recalibration_table` of each model,
            with a column model.
    """
    use_style()
    columns = min(len(models), 3)
    rows = -(-len(models) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(min(PAGE_INCHES, 2.6 * columns + 0.4), 3.3 * rows + 0.7), squeeze=False
    )
    grid = np.linspace(0.005, 0.995, 199)
    for axis, model in zip(axes.flat, models, strict=False):
        own = predictions[predictions["model"] == model]
        updates = table[table["model"] == model].set_index("update")
        for name, (colour, line) in LINES.items():
            row = updates.loc[name]
            if np.isnan(row["intercept"]):
                axis.plot([], [], " ", label=f"{name}: none")
                continue
            update = Update(name, float(row["intercept"]), float(row["slope"]))
            label = f"{name}, recommended" if row["chosen"] else name
            axis.plot(grid, update.risk(grid), color=colour, linestyle=line, linewidth=1.2, label=label)
        if own["y"].nunique() == 2 and own["probability"].nunique() > 1:
            groups = calibration_bins(own["y"].to_numpy(), own["probability"].to_numpy(), BINS)
            low, high = groups["observed"] - groups["low"], groups["high"] - groups["observed"]
            axis.errorbar(
                groups["predicted"],
                groups["observed"],
                yerr=np.clip([low, high], 0, None),
                fmt="o",
                color="0.1",
                markersize=3.5,
                linewidth=0.8,
                clip_on=False,  # rates of 0 and 1 are whole dots
                label="observed, 95% CI",
            )
        axis.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel="Risk by the untouched model", title=model)
        axis.set_ylabel("Risk after recalibration,\nobserved rate")
        # Below: curves and intervals may lie anywhere in the square.
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.3), frameon=False, fontsize=5.5)
    for axis in list(axes.flat)[len(models) :]:
        axis.set_visible(False)
    figure.suptitle(title, fontsize=8)
    return figure
