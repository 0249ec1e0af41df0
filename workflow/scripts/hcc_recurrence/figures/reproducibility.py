"""How many features two readers agree on."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from hcc_recurrence.figures.style import COLOURS, PAGE_INCHES, use_style

FORMS = (("absolute", "ICC(2,1), absolute agreement", 0), ("consistency", "ICC(3,1), consistency", 1))


def plot_reproducibility(counts: pd.DataFrame, threshold: float, title: str) -> plt.Figure:
    """Share of each family's features above the threshold under both forms of the ICC, one panel a reader.

    Args:
        counts: from `survivors`; empty where no patient was read twice: the figure says so.
    """
    use_style()
    readers = list(dict.fromkeys(counts["reader"])) or [""]
    figure, axes = plt.subplots(1, len(readers), figsize=(PAGE_INCHES, 3.0), squeeze=False, sharey=True)
    for axis, reader in zip(axes[0], readers, strict=True):
        part = counts[counts["reader"] == reader].reset_index(drop=True)
        if part.empty:
            axis.text(0.5, 0.5, "No patient was read by a second reader", ha="center", transform=axis.transAxes)
            axis.set(xticks=[], yticks=[])
            continue
        places = np.arange(len(part))
        for column, name, colour in FORMS:
            share = 100 * part[column] / part["features"]
            label = f"{name}: {part[column].sum()} of {part['features'].sum()}"
            axis.bar(places + 0.4 * colour - 0.2, share, width=0.38, color=COLOURS[colour], label=label)
        axis.set_xticks(places, part["family"], rotation=45, ha="right", rotation_mode="anchor")
        axis.set(ylim=(0, 128), yticks=range(0, 101, 25), xlabel="Family of features")
        axis.set_title(f"Reader {reader}, {part['patients'].iloc[0]} patients")
        axis.legend(loc="upper center", frameon=False, fontsize=6.5)
    axes[0, 0].set_ylabel(f"Features with ICC > {threshold:g} (%)")
    figure.suptitle(title, fontsize=8)
    return figure
