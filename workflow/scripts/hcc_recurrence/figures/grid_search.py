"""Cross-validation of the learners' settings in a grid search."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from hcc_recurrence.figures.style import COLOURS, PAGE_INCHES, use_style

PROTOCOLS = (("strict", "strict: fed scores out of fold"), ("as_published", "as published: fed apparent scores"))


def plot_grid_search(grid: pd.DataFrame, title: str) -> plt.Figure:
    """Each learner's AUC by combination of settings, a panel a protocol (Zhang 2025, Figure 6).

    Args:
        grid: protocol, learner, setting (number of the combination), chosen, cv_fold, auc.
    """
    use_style()
    learners = list(dict.fromkeys(grid["learner"]))
    shown = [(p, words) for p, words in PROTOCOLS if p in set(grid["protocol"])]
    size = (PAGE_INCHES, 1.2 + 0.4 * len(learners))
    figure, axes = plt.subplots(1, max(1, len(shown)), figsize=size, sharex=True, sharey=True, squeeze=False)
    for axis, (protocol, words) in zip(axes[0], shown, strict=False):
        own = grid[grid["protocol"] == protocol]
        for place, learner in enumerate(learners):
            rows = own[own["learner"] == learner]
            means = rows.groupby("setting")["auc"].mean().to_numpy()
            # Side by side within the learner's row, in the order of the grid.
            offsets = np.linspace(-0.28, 0.28, len(means)) if len(means) > 1 else np.zeros(1)
            axis.plot(means, place + offsets, ".", color="0.55", markersize=2.5, label="a combination, mean of folds")
            best = rows.loc[rows["chosen"], "auc"].to_numpy()
            spread = best.std(ddof=1) if len(best) > 1 else 0.0
            text = f"{best.mean():.3f} ± {spread:.3f}\n{len(means)} tried"
            style = {"color": COLOURS[0], "markersize": 9, "markeredgewidth": 1.2}
            axis.plot(best, np.full(len(best), place), "|", label="folds of the chosen combination", **style)
            axis.plot(best.mean(), place, "o", color=COLOURS[3], markersize=5, label="the chosen combination")
            axis.text(1.02, place, text, fontsize=6, transform=axis.get_yaxis_transform(), va="center")
        axis.axvline(0.5, color="0.6", linewidth=0.8, linestyle=":")
        axis.set(title=words, xlabel="AUC in cross-validation", yticks=range(len(learners)), yticklabels=learners)
        axis.set_ylim(len(learners) - 0.4, -0.6)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    figure.legend(once.values(), once.keys(), loc="outside lower center", ncols=3, frameon=False)
    figure.suptitle(f"{title}: grid search of the learners of DL_2.5D (mean ± SD of the folds; dotted 0.5)", fontsize=8)
    return figure
