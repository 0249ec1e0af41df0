"""How much of what a network looked at lies inside the tumour."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd

from hcc_recurrence.figures.p_values import p_text
from hcc_recurrence.figures.style import COLUMN_INCHES, model_colours, use_style

NOBODY = "No patient has a map above 0\nby both networks: nothing to compare."


def plot_relevance(table: pd.DataFrame, test: Mapping[str, float], title: str) -> plt.Figure:
    """The fraction of each patient by SS and NSS, joined by a line, beside the tumour's fraction of the box.

    Args:
        table: SS, NSS, tumour_area; a row a patient. test: of `compare_shares`.
    """
    use_style()
    figure, axis = plt.subplots(figsize=(COLUMN_INCHES, COLUMN_INCHES))
    colours = model_colours(["SS", "NSS"])
    known = table.dropna(subset=["SS", "NSS"])
    if known.empty:
        axis.text(0.5, 0.5, NOBODY, ha="center", va="center", fontsize=7, transform=axis.transAxes)
        axis.axis("off")
        return figure
    for row in known.itertuples():
        axis.plot([0, 1], [row.SS, row.NSS], color="0.75", linewidth=0.6, zorder=1)
    for place, model in enumerate(("SS", "NSS")):
        axis.plot([place] * len(known), known[model], "o", color=colours[model], markersize=3, alpha=0.8)
        axis.plot([place - 0.2, place + 0.2], [known[model].median()] * 2, color="0.1", linewidth=1.6)
    axis.axhline(
        known["tumour_area"].median(), color="0.4", linewidth=0.9, linestyle=":", label="tumour's fraction of the box"
    )
    axis.set(xlim=(-0.5, 1.5), ylim=(-0.02, 1.02), ylabel="Positive relevance inside the tumour")
    axis.set_xticks([0, 1], [f"SS\nmedian {test['median_ss']:.2f}", f"NSS\nmedian {test['median_nss']:.2f}"])
    axis.legend(loc="upper right", frameon=False)
    axis.set_title(f"{title}\nn = {test['n']}, Wilcoxon P {p_text(test['p'])}")
    return figure
