"""How far networks move when they are trained again: patients' probabilities and AUCs."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from hcc_recurrence.figures.style import COLOURS, PAGE_INCHES, use_style
from hcc_recurrence.statistics.trained_again import AGAIN_TEXT

AGAIN_COLOURS = dict(zip(AGAIN_TEXT, (COLOURS[0], COLOURS[3]), strict=True))
OFFSETS = dict(zip(AGAIN_TEXT, (0.17, -0.17), strict=True))


def plot_movement(table: pd.DataFrame, patients: pd.DataFrame, title: str) -> plt.Figure:
    """Left each patient's movement, the median as a bar; right the AUC with its interval, and those of the others.

    Args:
        table: model, again, auc, auc_low, auc_high, auc_again. patients: model, again, probability, probability_again.
    """
    use_style()
    models = list(dict.fromkeys(table["model"]))
    height = 1.1 + 0.42 * len(models)
    figure, (left, right) = plt.subplots(1, 2, figsize=(PAGE_INCHES, height), sharey=True)
    jitter = np.random.default_rng(0)
    for row, model in enumerate(models[::-1]):
        for again, words in AGAIN_TEXT.items():
            own = patients[(patients["model"] == model) & (patients["again"] == again)]
            moved = (own["probability_again"] - own["probability"]).abs().to_numpy()
            place, colour = row + OFFSETS[again], AGAIN_COLOURS[again]
            spread = place + jitter.uniform(-0.1, 0.1, len(moved))
            left.scatter(moved, spread, s=6, color=colour, alpha=0.5, lw=0)
            if len(moved):
                left.plot([np.median(moved)] * 2, [place - 0.14, place + 0.14], color=colour, lw=2)
            rows = table[(table["model"] == model) & (table["again"] == again)]
            label = words if row == len(models) - 1 else None
            right.plot(rows["auc_again"], [place] * len(rows), "D", color=colour, markersize=4, label=label)
        first = table[table["model"] == model].iloc[0]
        below, above = first["auc"] - first["auc_low"], first["auc_high"] - first["auc"]
        error = [[below], [above]] if np.isfinite(below) and np.isfinite(above) else None
        label = "as in the study, 95% bootstrap interval" if row == len(models) - 1 else None
        right.errorbar(
            first["auc"], row, xerr=error, fmt="o", color="0.1", markersize=3.5, capsize=2, lw=1, label=label
        )
    left.set(xlabel="Movement of a patient's probability", xlim=(-0.01, None))
    left.set_yticks(range(len(models)), models[::-1])
    left.set_ylim(-0.5, len(models) - 0.5)
    right.axvline(0.5, color="0.4", linewidth=0.8, linestyle=":")
    right.set(xlabel="AUC, patients outside training", xlim=(0, 1.03))
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    figure.suptitle(f"{title}: networks trained again (bars: medians)", fontsize=8)
    return figure
