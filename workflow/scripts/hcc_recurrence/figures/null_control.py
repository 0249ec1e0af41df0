"""AUCs on permuted outcomes, beside that of the real ones: what a method finds where nothing can be found."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from hcc_recurrence.figures.performance import ESTIMATE_TEXT, PROTOCOL_TEXT
from hcc_recurrence.figures.style import COLOURS, PAGE_INCHES, use_style

# Of the marks: height above the line of the model, which leaves the mean and its bar to be seen.
ABOVE = 0.33


def plot_null_control(aucs: pd.DataFrame, observed: pd.DataFrame, models: list[str], title: str) -> plt.Figure:
    """Each permutation's AUC as a dot, their mean with three standard errors, and the AUC of the real outcomes.

    One panel a kind of patients.

    Args:
        aucs: model, protocol, split, estimate, permutation, auc.
        observed: model, protocol, split, estimate, observed: the AUC of the real outcomes; NaN has no mark.
    """
    use_style()
    real = observed.set_index(["protocol", "split", "estimate", "model"])["observed"]
    found = [
        (protocol, key, text)
        for protocol in PROTOCOL_TEXT
        for key, text in ESTIMATE_TEXT.items()
        if ((aucs["protocol"] == protocol) & (aucs["split"] == key[0]) & (aucs["estimate"] == key[1])).any()
    ]
    columns = 2 if len(found) in (2, 4) else min(3, len(found))
    rows = -(-len(found) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(PAGE_INCHES, rows * (0.8 + 0.23 * len(models)) + 0.6), squeeze=False, sharey=True
    )
    jitter = np.random.default_rng(0)
    for axis in axes.ravel()[len(found) :]:
        axis.axis("off")
    for axis, (protocol, (split, estimate), text) in zip(axes.ravel(), found, strict=False):
        part = aucs[(aucs["protocol"] == protocol) & (aucs["split"] == split) & (aucs["estimate"] == estimate)]
        colour = COLOURS[0] if protocol == "strict" else COLOURS[3]
        for row, model in enumerate(models[::-1]):
            values = part.loc[part["model"] == model, "auc"].dropna().to_numpy()
            if not len(values):
                continue
            axis.scatter(values, row + jitter.uniform(-0.22, 0.22, len(values)), s=5, color=colour, alpha=0.45, lw=0)
            error = 3 * values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
            axis.errorbar(values.mean(), row, xerr=error, fmt="D", color="0.1", markersize=3.2, capsize=2, lw=1)
            axis.plot(real.get((protocol, split, estimate, model)), row + ABOVE, "v", color="0.1", markersize=4.5)
        axis.axvline(0.5, color="0.4", linewidth=0.8, linestyle=":")
        axis.set(title=f"{PROTOCOL_TEXT[protocol]}: {text}", xlabel="AUC", xlim=(-0.03, 1.03))
        axis.set_yticks(range(len(models)), models[::-1])
    count = aucs["permutation"].nunique()
    figure.suptitle(f"{title}: {count} permuted outcomes, everything learned anew.", fontsize=8)
    # Grey, since the dots have the colour of their protocol.
    keys = [
        Line2D([], [], linestyle="", marker="o", markersize=3, color="0.55", label="one permutation"),
        Line2D([], [], marker="D", markersize=3.2, linewidth=1, color="0.1", label="mean of the permutations, 3 SE"),
        Line2D([], [], linestyle="", marker="v", markersize=4.5, color="0.1", label="real outcomes"),
    ]
    figure.legend(handles=keys, loc="outside lower center", ncols=len(keys), frameon=False)
    return figure
