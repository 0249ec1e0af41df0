"""Kaplan-Meier curves by predicted risk group, with the numbers at risk."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from hcc_recurrence.figures.classification import cut_offs
from hcc_recurrence.figures.p_values import p_text
from hcc_recurrence.figures.performance import PROTOCOL_TEXT, panels
from hcc_recurrence.figures.style import COLOURS, PAGE_INCHES, use_style
from hcc_recurrence.statistics.survival import at_risk, kaplan_meier, log_rank_p, median_survival

GROUPS = ((1, "high risk", COLOURS[3]), (0, "low risk", COLOURS[0]))


def _median_text(months: float) -> str:
    return "median not reached" if np.isinf(months) else f"median {months:.0f} months"


def plot_kaplan_meier(
    predictions: pd.DataFrame, metrics: pd.DataFrame, protocol: str, models: list[str], horizon: float = 24.0
) -> plt.Figure:
    """Recurrence-free survival of patients above and below the training cut-off: a row a model, a column a split.

    Args:
        metrics: from `metrics_table`; its cut-offs make the groups. horizon: months, drawn as a line.
    """
    use_style()
    found = panels(predictions, protocol)
    cuts = cut_offs(metrics, protocol)
    last = float(np.ceil(predictions["rfs_months"].max() / 12) * 12)
    times = np.arange(0, last + 1, 12 if last <= 72 else 24)
    width = max(PAGE_INCHES * len(found) / 3, 4.8)
    figure, axes = plt.subplots(
        2 * len(models), len(found), figsize=(width, 2.85 * len(models) + 0.3), squeeze=False,
        height_ratios=[1, 0.2] * len(models),
    )  # fmt: skip
    for row, model in enumerate(models):
        for column, (title, rows) in enumerate(found):
            curve, table = axes[2 * row, column], axes[2 * row + 1, column]
            own = rows[rows["model"] == model]
            months, event = own["rfs_months"].to_numpy(float), own["rfs_event"].to_numpy(int)
            high = (own["probability"].to_numpy() >= cuts[model]).astype(int)
            for line, (value, name, colour) in enumerate(GROUPS):
                members = high == value
                if members.any():
                    km = kaplan_meier(months[members], event[members])
                    label = (
                        f"{name}, n = {members.sum()}, {_median_text(median_survival(months[members], event[members]))}"
                    )
                    curve.step(km["time"], km["survival"], where="post", color=colour, linewidth=1.3, label=label)
                    curve.fill_between(km["time"], km["low"], km["high"], step="post", color=colour, alpha=0.12, lw=0)
                for time, count in zip(times, at_risk(months[members], times), strict=True):
                    table.text(time, 1 - line, str(count), ha="center", va="center", fontsize=6, color=colour)
            curve.axvline(horizon, color="0.6", linewidth=0.8, linestyle=":")
            p = log_rank_p(months, event, high)
            text = "one group only" if np.isnan(p) else f"log-rank P {p_text(p)}"
            curve.plot([], [], " ", label=text)
            curve.set(title=f"{model}. {title}", ylim=(0, 1.42), xlim=(0, last), yticks=np.arange(0, 1.1, 0.25))
            curve.title.set_fontsize(6.8)
            curve.set_ylabel("Free of recurrence" if column == 0 else "")
            curve.set_xticks(times)
            curve.legend(loc="upper left", fontsize=5.8, frameon=False, bbox_to_anchor=(0, 0.965), borderaxespad=0.1)
            table.set(ylim=(-0.8, 2.1), xlim=(0, last))
            table.text(0, 2.0, "At risk (months after resection below)", fontsize=6, va="center")
            table.set_xticks(times)
            table.tick_params(length=0)
            table.set_yticks([])
            for spine in table.spines.values():
                spine.set_visible(False)
    figure.suptitle(
        f"Protocol: {PROTOCOL_TEXT[protocol]}. Groups by the training cut-off; dotted: {horizon:.0f} months.",
        fontsize=8,
    )
    return figure
