"""One model against another: AUCs side by side, DeLong P, agreement, spread over seeds."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from hcc_recurrence.figures.forest import plot_auc_forest
from hcc_recurrence.figures.heatmap import pair_matrix, plot_heat_maps
from hcc_recurrence.figures.p_values import p_text
from hcc_recurrence.figures.performance import ESTIMATE_TEXT, PROTOCOL_TEXT
from hcc_recurrence.figures.style import PAGE_INCHES, model_colours, use_style
from hcc_recurrence.statistics.degenerate import NOTHING


def _of_panels(table: pd.DataFrame, protocol: str) -> list[tuple[str, pd.DataFrame]]:
    own = table[table["protocol"] == protocol]
    found = []
    for (split, estimate), text in ESTIMATE_TEXT.items():
        part = own[(own["split"] == split) & (own["estimate"] == estimate)]
        if len(part):
            found.append((text, part))
    return found


def _signed(value: float) -> str:
    """A difference with its sign; none for what rounds to 0."""
    if np.isnan(value):
        return ""
    return f"{value:+.2f}" if abs(value) >= 0.005 else "0.00"


def plot_aucs(metrics: pd.DataFrame, protocol: str, title: str, reachable: float | None) -> plt.Figure:
    """AUCs with intervals of every model, one panel a kind of patients (`with_published` gives the diamonds)."""
    panels = [(f"{text} (n = {part['n'].max()})", part) for text, part in _of_panels(metrics, protocol)]
    colours = model_colours(sorted(metrics["model"].unique()))
    return plot_auc_forest(panels, f"{title}, {PROTOCOL_TEXT[protocol]}", colours, reachable)


def _whole(pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs of models of one word: their variants are in the tables, and would fill a page."""
    return pairs[~pairs["model"].str.contains(" ") & ~pairs["other"].str.contains(" ")]


def plot_delong(pairs: pd.DataFrame, protocol: str) -> plt.Figure:
    """P of DeLong's paired test, corrected by Holm; below it the difference of the AUCs (row minus column)."""
    matrices, details = [], []
    for text, part in _of_panels(_whole(pairs), protocol):
        models = sorted(set(part["model"]) | set(part["other"]))
        matrices.append((text, pair_matrix(part, "p_holm", models)))
        # The difference is model minus other; the later of both in `models` stands in the row.
        in_row = part["model"].map(models.index) > part["other"].map(models.index)
        turned = part.assign(turned=part["difference"].where(in_row, -part["difference"]))
        details.append(pair_matrix(turned, "turned", models).map(_signed))
    title = f"Protocol: {PROTOCOL_TEXT[protocol]}. P of paired DeLong tests (Holm), - where there is none; "
    title += "below: AUC of row minus column."
    return plot_heat_maps(matrices, title, "P (Holm)", (0, 1), p_text, "cividis", details, missing="-")


def plot_agreement(agreement: pd.DataFrame, protocol: str) -> plt.Figure:
    """Spearman's correlation of the risks; below it Cohen's kappa of the classes."""
    matrices, details = [], []
    for text, part in _of_panels(_whole(agreement), protocol):
        models = sorted(set(part["model"]) | set(part["other"]))
        matrices.append((text, pair_matrix(part, "spearman", models)))
        kappa = pair_matrix(part, "kappa", models)
        details.append(kappa.map(lambda v: "" if np.isnan(v) else f"κ {v:.2f}"))
    title = f"Protocol: {PROTOCOL_TEXT[protocol]}. Spearman's correlation of risks; below it kappa of the classes."
    return plot_heat_maps(matrices, title, "Spearman", (-1, 1), "{:.2f}".format, "PuOr", details, missing="-")


def plot_seeds(seeds: pd.DataFrame, title: str) -> plt.Figure:
    """AUC of each repeat (other folds, other random numbers) of each model in the strict protocol, and their mean.

    A repeat is one fitted model; out of fold, one a fold.
    """
    use_style()
    models = sorted(seeds["model"].unique())
    colours = model_colours(models)
    panels = [
        (text, seeds[(seeds["split"] == split) & (seeds["estimate"] == estimate)])
        for (split, estimate), text in ESTIMATE_TEXT.items()
    ]
    panels = [(text, part) for text, part in panels if len(part)]
    figure, axes = plt.subplots(
        1, len(panels), figsize=(PAGE_INCHES, 1.0 + 0.2 * len(models)), squeeze=False, sharey=True
    )
    for axis, (text, part) in zip(axes[0], panels, strict=True):
        for row, model in enumerate(models[::-1]):
            values = part.loc[part["model"] == model, "auc"].to_numpy()
            if len(values) and np.isnan(values).all():
                axis.text(0.51, row, NOTHING, va="center", fontsize=5.8, color=colours[model])
            values = values[np.isfinite(values)]
            if len(values):
                axis.plot([values.min(), values.max()], [row, row], color=colours[model], linewidth=1)
                axis.scatter(values, np.full(len(values), row), color=colours[model], s=12, alpha=0.8, linewidth=0)
                axis.plot(values.mean(), row, "|", color="0.1", markersize=7, markeredgewidth=1.2)
        axis.axvline(0.5, color="0.6", linewidth=0.8, linestyle=":")
        axis.set(title=text, xlabel="AUC", xlim=(0, 1.02), ylim=(-0.7, len(models) - 0.3))
        axis.set_yticks(range(len(models)), models[::-1])
    figure.suptitle(
        f"{title}, strict: one dot a repeat (one fitted model; out of fold, one a fold); bars: mean", fontsize=8
    )
    return figure
