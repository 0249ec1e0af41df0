"""How the losses of networks went."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd

from hcc_recurrence.figures.style import COLOURS, PAGE_INCHES, use_style

PARTS = (("fitted_loss", "training patients", 0), ("inner_loss", "early-stopping set", 1))


def plot_training(histories: pd.DataFrame, title: str) -> plt.Figure:
    """Loss by epoch, one panel a network, a thin line a fit, the median of the fits still running in bold.

    Args:
        histories: model, fit, epoch, fitted_loss, inner_loss, best.
    """
    use_style()
    networks = list(dict.fromkeys(histories["model"]))
    beside = min(len(networks), 3)
    down = -(-len(networks) // beside)
    size = (PAGE_INCHES, 0.7 + 2.2 * down)
    figure, axes = plt.subplots(down, beside, figsize=size, squeeze=False, sharey=True)
    for unused in axes.flat[len(networks) :]:
        unused.set_visible(False)
    for axis, network in zip(axes.flat, networks, strict=False):
        rows = histories[histories["model"] == network]
        for column, name, colour in PARTS:
            for _, fit in rows.groupby("fit"):
                axis.plot(fit["epoch"], fit[column], color=COLOURS[colour], linewidth=0.5, alpha=0.5)
            median = rows.groupby("epoch")[column].median()
            axis.plot(median.index, median, color=COLOURS[colour], linewidth=1.8, label=name)
        best = rows.groupby("fit")["best"].last()
        axis.set_title(f"{network}\n{len(best)} fits, kept epoch {best.median():g} (median)")
        axis.set_xlabel("Epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
    for axis in axes[:, 0]:
        axis.set_ylabel("Cross-entropy")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    figure.suptitle(title, fontsize=8)
    return figure
