"""How much feeding apparent scores to later learners inflates what they say of themselves."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from hcc_recurrence.figures.style import COLOURS, PAGE_INCHES, use_style

COLUMNS = (
    ("cv_auc", "own cross-validation", "o"),
    ("train", "training", "s"),
    ("validation", "validation", "^"),
    ("external", "external", "D"),
)
PROTOCOLS = (
    ("as_published", "fed apparent scores (as published)", 3),
    ("strict", "fed scores out of fold (strict)", 0),
)


def plot_inflation(table: pd.DataFrame, title: str, best_auc: float | None) -> plt.Figure:
    """AUC of every learner by its own cross-validation, in training, validation and external patients, by protocol.

    Args:
        table: learner, protocol, cv_auc, train, validation, external. best_auc: reachable on a simulated cohort.
    """
    use_style()
    learners = list(dict.fromkeys(table["learner"]))
    shown = [column for column in COLUMNS if table[column[0]].notna().any()]
    size = (PAGE_INCHES, 1.3 + 0.32 * len(learners))
    figure, axes = plt.subplots(1, len(shown), figsize=size, sharey=True, squeeze=False)
    for axis, (column, name, marker) in zip(axes[0], shown, strict=True):
        for protocol, words, colour in PROTOCOLS:
            own = table[table["protocol"] == protocol].set_index("learner")[column].reindex(learners)
            place = np.arange(len(learners)) + (0.14 if protocol == "strict" else -0.14)
            axis.plot(own, place, marker, color=COLOURS[colour], label=words, markersize=5)
        axis.axvline(0.5, color="0.6", linewidth=0.8, linestyle=":")
        if best_auc is not None:
            axis.axvline(best_auc, color=COLOURS[2], linewidth=0.8, linestyle="--")
        axis.set(xlim=(0, 1.03), title=name, xlabel="AUC", yticks=range(len(learners)), yticklabels=learners)
        axis.set_ylim(len(learners) - 0.5, -0.5)
        axis.grid(axis="y", color="0.92")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    ends = "; dotted 0.5" + ("" if best_auc is None else ", dashed the oracle AUC")
    figure.suptitle(f"{title}: learners on the scores of images{ends}", fontsize=8)
    return figure
