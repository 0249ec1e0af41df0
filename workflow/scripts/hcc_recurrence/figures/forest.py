"""Estimates with intervals, one line each: ratios, AUCs, optimism."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.markers import CARETLEFTBASE, CARETRIGHTBASE

from hcc_recurrence.endpoint import endpoint
from hcc_recurrence.figures.p_values import auc_text, p_text, ratio_text
from hcc_recurrence.figures.performance import ESTIMATE_TEXT, MOST_BESIDE, PROTOCOL_TEXT
from hcc_recurrence.figures.style import COLOURS, PAGE_INCHES, model_colours, use_style
from hcc_recurrence.statistics.degenerate import NOTHING


def plot_ratio_forest(tables: list[tuple[str, str, pd.DataFrame]], title: str) -> plt.Figure:
    """Odds or hazard ratios on a log scale, one panel a table.

    Args:
        tables: heading, name of the estimate's column (odds_ratio or hazard_ratio), and table with variable, that
            column, label, low, high, p, and remark, which a row without an estimate shows.
    """
    use_style()
    lengths = [max(len(t), 1) for *_, t in tables]
    height = 0.7 + sum(0.19 * n + 0.55 for n in lengths)
    figure, axes = plt.subplots(len(tables), 1, figsize=(PAGE_INCHES, height), squeeze=False, height_ratios=lengths)
    for axis, (heading, ratio, table) in zip(axes[:, 0], tables, strict=True):
        axis.set_title(heading, loc="left")
        if table.empty:
            axis.text(0.5, 0.5, "No variable was selected", ha="center", va="center", transform=axis.transAxes)
            axis.set(xticks=[], yticks=[])
            continue
        rows = np.arange(len(table))[::-1]
        known = table[[ratio, "low", "high"]].notna().all(axis=1) & (table["low"] > 0)
        low, high = 0.1, 10.0
        if known.any():
            low = max(float(table.loc[known, "low"].min()), 1e-3)
            high = min(float(table.loc[known, "high"].max()), 1e3)
        axis.set_xscale("log")
        left, right = axis.set_xlim(min(low / 1.3, 0.7), max(high * 1.3, 1.5))
        axis.axvline(1, color="0.5", linewidth=0.8, linestyle=":")
        for row, line, good in zip(rows, table.to_dict("records"), known, strict=True):
            if good:
                axis.plot([line["low"], line["high"]], [row, row], color=COLOURS[0], linewidth=1.2)
                axis.plot(line[ratio], row, "s", color=COLOURS[0], markersize=4)
                for end, mark in ((line["low"], CARETLEFTBASE), (line["high"], CARETRIGHTBASE)):
                    # An interval that goes on beyond the axis ends in an arrow, which is no point of it.
                    if not left <= end <= right:
                        place = {"transform": axis.get_yaxis_transform(), "clip_on": False}
                        axis.plot(
                            float(mark == CARETRIGHTBASE), row, marker=mark, color=COLOURS[0], markersize=4, **place
                        )
                text = f"{ratio_text(line[ratio], line['low'], line['high'])}  P {p_text(line['p'])}"
                text += "  Firth" if line.get("method") == "Firth" else ""
            else:
                remark = line.get("remark")
                reasons = "no estimate (separation, collinearity, or one value)"
                # A long line would leave no room for the ratios.
                text = textwrap.fill(remark, 44) if isinstance(remark, str) and remark else reasons
            axis.annotate(text, (1.01, row), xycoords=("axes fraction", "data"), va="center", fontsize=6.5)
        axis.set_yticks(rows, table["label"])
        axis.set_ylim(-0.7, len(table) - 0.3)
        axis.set_xlabel(f"{ratio.replace('_', ' ').capitalize()} (right of 1: higher risk)")
        axis.xaxis.set_major_formatter(lambda v, _: f"{v:g}")
        axis.xaxis.set_minor_formatter("")
    figure.suptitle(title, fontsize=8)
    return figure


def plot_auc_forest(
    panels: list[tuple[str, pd.DataFrame]], title: str, colours: dict[str, str], reachable: float | None
) -> plt.Figure:
    """AUCs with intervals of all models, one panel a split; published values as open diamonds, for orientation.

    Args:
        panels: heading and table with model, auc, auc_low, auc_high and published (NaN where there is none).
        reachable: oracle AUC of a simulated cohort.
    """
    use_style()
    models = list(dict.fromkeys(m for _, table in panels for m in table["model"]))[::-1]
    height = 1.1 + 0.2 * len(models)
    figure, axes = plt.subplots(1, len(panels), figsize=(PAGE_INCHES, height), squeeze=False, sharey=True)
    for axis, (heading, table) in zip(axes[0], panels, strict=True):
        axis.axvline(0.5, color="0.6", linewidth=0.8, linestyle=":")
        if reachable is not None:
            axis.axvline(reachable, color="0.2", linewidth=0.8, linestyle="--")
        for line in table.to_dict("records"):
            row, colour = models.index(line["model"]), colours.get(line["model"], "0.45")
            if auc_text(line).startswith(NOTHING) or np.isnan(line["auc"]):
                axis.text(0.02, row, auc_text(line), va="center", fontsize=5.8, color=colour)
            else:
                axis.plot([line["auc_low"], line["auc_high"]], [row, row], color=colour, linewidth=1.3)
                axis.plot(line["auc"], row, "o", color=colour, markersize=4)
            if np.isfinite(line["published"]):
                axis.plot(
                    line["published"],
                    row,
                    "D",
                    markerfacecolor="none",
                    markeredgecolor="0.2",
                    markeredgewidth=0.9,
                    markersize=4,
                )
        # Of more panels a title in one line runs into the next panel's.
        heading = heading.replace(" (n", "\n(n") if len(panels) > MOST_BESIDE else heading
        axis.set(title=heading, xlabel="AUC (95% CI)", xlim=(0, 1.02), ylim=(-0.7, len(models) - 0.3))
        axis.set_yticks(range(len(models)), models)
    text = title
    if any(np.isfinite(table["published"]).any() for _, table in panels):
        text += ". Open diamonds: AUC printed in the paper on other patients, for orientation only."
    if reachable is not None:
        text += f" Dashed: oracle AUC, {reachable:.2f}."
    figure.suptitle(text, fontsize=7.5, wrap=True)
    return figure


def plot_optimism(table: pd.DataFrame, title: str) -> plt.Figure:
    """AUC as published against strict, one line a model and kind of patients; the difference with its interval.

    Args:
        table: model, patients, strict, strict_sd_over_repeats, as_published, optimism, low, high, remark.
    """
    use_style()
    kinds = list(dict.fromkeys(table["patients"]))
    sizes = [int((table["patients"] == k).sum()) for k in kinds]
    figure, axes = plt.subplots(
        len(kinds), 2, figsize=(PAGE_INCHES, 0.9 + sum(0.2 * n + 0.7 for n in sizes)), squeeze=False,
        sharey="row", height_ratios=sizes,
    )  # fmt: skip
    for (left, right), kind in zip(axes, kinds, strict=True):
        part = table[table["patients"] == kind].iloc[::-1].reset_index(drop=True)
        for row, line in part.iterrows():
            left.plot([line["strict"], line["as_published"]], [row, row], color="0.7", linewidth=1.4, zorder=1)
            right.plot([line["low"], line["high"]], [row, row], color="0.3", linewidth=1.2)
            if isinstance(line["remark"], str) and line["remark"]:
                # Beside the panel, where no dot and no line can be.
                at, where = (1.01, row), ("axes fraction", "data")
                words = textwrap.fill(line["remark"], 32)
                right.annotate(words, at, xycoords=where, va="center", fontsize=4.8, color="0.35", linespacing=0.9)
            spread = line["strict_sd_over_repeats"]
            if np.isfinite(spread):
                ends = [line["strict"] - spread, line["strict"] + spread]
                left.plot(ends, [row, row], color=COLOURS[0], linewidth=2.4, alpha=0.5, zorder=1)
        rows = np.arange(len(part))
        left.scatter(part["strict"], rows, color=COLOURS[0], s=16, label="strict", zorder=2)
        left.scatter(part["as_published"], rows, color=COLOURS[3], s=16, marker="D", label="as published", zorder=2)
        right.scatter(part["optimism"], rows, color="0.1", s=14)
        left.axvline(0.5, color="0.6", linewidth=0.8, linestyle=":")
        right.axvline(0, color="0.6", linewidth=0.8, linestyle=":")
        left.set(title=kind, xlabel="AUC", xlim=(0, 1.02), ylim=(-0.7, len(part) - 0.3))
        left.set_yticks(rows, part["model"])
        right.set(title=f"Optimism (95% CI),\n{kind}", xlabel="AUC, as published minus strict")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=7, frameon=False)
    if table["strict_sd_over_repeats"].notna().any():
        title += "\nStrict: mean of single models over repeats; thick line: SD over repeats"
    figure.suptitle(title, fontsize=8)
    return figure


def _level_of(row: Mapping[str, Any]) -> str:
    """A row of `plot_strata` in words: `RCR, field strength 3`."""
    return f"{row['model']}, {str(row['variable']).replace('_', ' ')} {row['level']}"


def plot_strata(table: pd.DataFrame, protocol: str, title: str) -> plt.Figure:
    """AUCs within groups of patients, a panel a kind of patients (table of `strata_table`)."""
    use_style()
    own = table[table["protocol"] == protocol]
    panels = [
        (text, own[(own["split"] == split) & (own["estimate"] == estimate)])
        for (split, estimate), text in ESTIMATE_TEXT.items()
    ]
    panels = [(text, part) for text, part in panels if len(part)]
    labels = [_level_of(row) for row in own.drop_duplicates(["model", "variable", "level"]).to_dict("records")]
    colours = model_colours(sorted(own["model"].unique()))
    figure, axes = plt.subplots(
        1, max(len(panels), 1), figsize=(PAGE_INCHES, 1.0 + 0.2 * len(labels)), squeeze=False, sharey=True
    )
    for axis, (text, part) in zip(axes[0], panels, strict=False):
        axis.axvline(0.5, color="0.6", linewidth=0.8, linestyle=":")
        for line in part.to_dict("records"):
            row = len(labels) - 1 - labels.index(_level_of(line))
            colour = colours[line["model"]]
            axis.plot([line["auc_low"], line["auc_high"]], [row, row], color=colour, linewidth=1.3)
            axis.plot(line["auc"], row, "o", color=colour, markersize=4)
            axis.annotate(
                f"{line['n']} ({line['n_pos']})",
                (1.01, row),
                xycoords=("axes fraction", "data"),
                va="center",
                fontsize=6,
            )
        axis.annotate(
            f"n ({endpoint().abbreviation})", (1.01, len(labels) - 0.3), xycoords=("axes fraction", "data"),
            va="center", fontsize=6,
        )  # fmt: skip
        axis.set(title=text, xlabel="AUC (95% CI)", xlim=(-0.03, 1.06), ylim=(-0.7, len(labels) - 0.3))
        axis.set_yticks(range(len(labels)), labels[::-1])
    figure.suptitle(
        f"{title}, {PROTOCOL_TEXT[protocol]}: AUC within groups; at the right patients ({endpoint().abbreviation})",
        fontsize=8,
    )
    return figure
