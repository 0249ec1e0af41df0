"""How the losses of networks went."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd

from hcc_recurrence.figures.style import COLOURS, PAGE_INCHES, use_style

PARTS = (("fitted_loss", "patients that train", 0), ("inner_loss", "patients that decide when to stop", 1))


def plot_training(histories: pd.DataFrame, title: str) -> plt.Figure:
    """Loss by epoch, one panel a network, a thin line a fit, the median of the fits still running in bold.

    Args:
        histories: model, repeat, fold, epoch, fitted_loss, inner_loss, best.
    """
    use_style()
    networks = list(dict.fromkeys(histories["model"]))
    figure, axes = plt.subplots(1, len(networks), figsize=(PAGE_INCHES, 2.8), squeeze=False, sharey=True)
    for axis, network in zip(axes[0], networks, strict=True):
        rows = histories[histories["model"] == network]
        for column, name, colour in PARTS:
            for _, fit in rows.groupby(["repeat", "fold"]):
                axis.plot(fit["epoch"], fit[column], color=COLOURS[colour], linewidth=0.5, alpha=0.5)
            median = rows.groupby("epoch")[column].median()
            axis.plot(median.index, median, color=COLOURS[colour], linewidth=1.8, label=name)
        best = rows.groupby(["repeat", "fold"])["best"].last()
        axis.set_title(f"{network}: {len(best)} fits, kept epoch {best.median():g} (median)")
        axis.set_xlabel("Epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
    axes[0, 0].set_ylabel("Weighted cross-entropy")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    figure.suptitle(title, fontsize=8)
    return figure
