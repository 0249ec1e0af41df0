"""Time-dependent AUC over the months after resection."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd

from hcc_recurrence.endpoint import capital, endpoint
from hcc_recurrence.figures.p_values import interval_text
from hcc_recurrence.figures.performance import (
    ESTIMATE_TEXT,
    canvas,
    legend_below,
    model_dashes,
    protocol_line,
    say_nothing,
)
from hcc_recurrence.figures.style import model_colours


def plot_time_auc(
    table: pd.DataFrame,
    curve: pd.DataFrame,
    predictions: pd.DataFrame,
    protocol: str,
    models: list[str],
    horizon: float,
) -> plt.Figure:
    """AUC by month, one panel a kind of patients; at the table's times a dot with its interval (Wang 2022, Figure S1).

    Args:
        table, curve: of `time_auc_tables`. horizon: months, drawn as a line; the legend has the AUC nearest to it.
    """
    own = table[table["protocol"] == protocol]
    found = [
        (text, own[(own["split"] == split) & (own["estimate"] == estimate)])
        for (split, estimate), text in ESTIMATE_TEXT.items()
    ]
    found = [(text, part) for text, part in found if len(part)]
    figure, axes, legends = canvas(len(found), len(models) + 1)
    colours = model_colours(sorted(predictions["model"].unique()))
    dashes = model_dashes(models, colours)
    shown = curve[curve["protocol"] == protocol]
    last = max([horizon, *shown["months"], *own["months"]])
    legend_title = ""
    for axis, below, (title, part) in zip(axes, legends, found, strict=True):
        key = tuple(part[["split", "estimate"]].iloc[0])
        lines = shown[(shown["split"] == key[0]) & (shown["estimate"] == key[1])]
        for place, model in enumerate(models):
            dots = part[part["model"] == model]
            if dots.empty:
                continue
            line = lines[lines["model"] == model]
            row = dots.iloc[(dots["months"] - horizon).abs().argmin()]
            legend_title = f"AUC at {row['months']:.0f} months (95% CI)"
            words = interval_text(row["auc"], row["low"], row["high"], 2) or row["remark"]
            if line.empty:
                say_nothing(axis, f"{model}: {row['remark'] or 'too few patients for a curve'}")
            else:
                style = {"color": colours[model], "linewidth": 1.2, "linestyle": dashes[model]}
                axis.plot(line["months"], line["auc"], label=f"{model} {words}", **style)
            # Beside each other, where several models have an interval at one time.
            at = dots["months"] + 0.5 * (place - (len(models) - 1) / 2)
            axis.vlines(at, dots["low"], dots["high"], color=colours[model], linewidth=1.0, alpha=0.8)
            # No dot without an interval: of too few patients, or of one score for everyone.
            known = dots["low"].notna()
            axis.plot(at[known], dots.loc[known, "auc"], "o", color=colours[model], markersize=2.5)
        axis.axhline(0.5, color="0.6", linewidth=0.8, linestyle=":")
        axis.axvline(horizon, color="0.6", linewidth=0.8, linestyle=":")
        axis.set(
            title=f"{title} (n = {part['n'].max()})",
            xlabel=f"Months after {endpoint().start}",
            ylabel="Time-dependent AUC",
            xlim=(0, last + 1),
            ylim=(0, 1.02),
        )
        axis.set_box_aspect(1)
        axis.set_xticks(range(0, int(last) + 1, 12))
        legend_below(axis, below, title=legend_title)
    line = protocol_line(predictions, protocol, "Means of {number} repeats.")
    figure.suptitle(
        f"{line} {capital(endpoint().event)} until a month against followed beyond it; dotted: {horizon:.0f} months.",
        fontsize=8,
    )
    return figure
