"""AUCs on permuted outcomes: what a method finds where nothing can be found."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from hcc_recurrence.figures.performance import ESTIMATE_TEXT, PROTOCOL_TEXT
from hcc_recurrence.figures.style import COLOURS, PAGE_INCHES, use_style


def plot_null_control(aucs: pd.DataFrame, models: list[str], title: str) -> plt.Figure:
    """Each permutation's AUC as a dot, with the mean and three standard errors, one panel a kind of patients.

    Args:
        aucs: model, protocol, split, estimate, permutation, auc.
    """
    use_style()
    found = [
        (protocol, key, text)
        for protocol in PROTOCOL_TEXT
        for key, text in ESTIMATE_TEXT.items()
        if ((aucs["protocol"] == protocol) & (aucs["split"] == key[0]) & (aucs["estimate"] == key[1])).any()
    ]
    columns = 2 if len(found) in (2, 4) else min(3, len(found))
    rows = -(-len(found) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(PAGE_INCHES, rows * (0.8 + 0.21 * len(models)) + 0.4), squeeze=False, sharey=True
    )
    jitter = np.random.default_rng(0)
    for axis in axes.ravel()[len(found) :]:
        axis.axis("off")
    for axis, (protocol, (split, estimate), text) in zip(axes.ravel(), found, strict=False):
        part = aucs[(aucs["protocol"] == protocol) & (aucs["split"] == split) & (aucs["estimate"] == estimate)]
        colour = COLOURS[0] if protocol == "strict" else COLOURS[3]
        for row, model in enumerate(models[::-1]):
            values = part.loc[part["model"] == model, "auc"].to_numpy()
            if not len(values):
                continue
            axis.scatter(values, row + jitter.uniform(-0.22, 0.22, len(values)), s=5, color=colour, alpha=0.45, lw=0)
            error = 3 * values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
            axis.errorbar(values.mean(), row, xerr=error, fmt="D", color="0.1", markersize=3.2, capsize=2, lw=1)
        axis.axvline(0.5, color="0.4", linewidth=0.8, linestyle=":")
        axis.set(title=f"{PROTOCOL_TEXT[protocol]}: {text}", xlabel="AUC", xlim=(0, 1.03))
        axis.set_yticks(range(len(models)), models[::-1])
    count = aucs["permutation"].nunique()
    figure.suptitle(
        f"{title}: {count} permuted outcomes, everything learned anew. Dots: one permutation; bars: mean, 3 SE.",
        fontsize=8,
    )
    return figure
