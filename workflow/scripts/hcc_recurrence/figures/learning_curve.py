"""AUC by the number of patients that train."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd

from hcc_recurrence.figures.p_values import p_text
from hcc_recurrence.figures.style import COLUMN_INCHES, PAGE_INCHES, model_colours, use_style


def plot_learning_curve(curve: pd.DataFrame, reachable: float | None, title: str) -> plt.Figure:
    """AUC with its interval of each model, and the P of their difference at every size.

    Args:
        curve: share, trained, model, auc, low, high, p. reachable: oracle AUC of a simulated cohort.
    """
    use_style()
    figure, axis = plt.subplots(figsize=(PAGE_INCHES, COLUMN_INCHES))
    models = list(dict.fromkeys(curve["model"]))
    colours = model_colours(models)
    width = 0.012 * (curve["trained"].max() - curve["trained"].min() + 1)
    for place, model in enumerate(models):
        own = curve[curve["model"] == model].sort_values("trained")
        x = own["trained"] + width * (place - (len(models) - 1) / 2)
        axis.vlines(x, own["low"], own["high"], color=colours[model], linewidth=1, alpha=0.6)
        axis.plot(x, own["auc"], "o-", color=colours[model], markersize=4, linewidth=1.4, label=model)
    for row in curve.drop_duplicates("share").itertuples():
        axis.text(row.trained, 1.03, f"P {p_text(row.p)}", ha="center", fontsize=6.5)
    axis.axhline(0.5, color="0.6", linewidth=0.8, linestyle=":")
    if reachable is not None:
        axis.axhline(reachable, color="0.2", linewidth=0.8, linestyle="--", label=f"oracle AUC {reachable:.2f}")
    # Where networks were trained, and room about them where it is one number of patients alone.
    sizes = sorted(curve["trained"].unique())
    axis.set_xticks(sizes, [f"{size:.0f}" for size in sizes])
    if len(sizes) == 1:
        axis.set_xlim(sizes[0] - 1, sizes[0] + 1)
    axis.set(xlabel="Patients that fit (mean over folds)", ylabel="AUC (95% CI)", ylim=(0, 1.08))
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    figure.suptitle(title, fontsize=8)
    return figure
