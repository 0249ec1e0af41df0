"""A grid of rankings and classifiers: heat maps of its AUCs, and what choosing among them does."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from hcc_recurrence.figures.heatmap import plot_heat_maps
from hcc_recurrence.figures.p_values import interval_text
from hcc_recurrence.figures.performance import PROTOCOL_TEXT
from hcc_recurrence.figures.style import COLOURS, PAGE_INCHES, use_style

SHOWN = {
    "strict": {"out_of_fold": "out of fold", "validation": "validation", "external": "external"},
    "as_published": {"apparent": "apparent", "validation": "validation", "external": "external"},
}


def plot_grid(grid: pd.DataFrame, protocol: str, title: str) -> plt.Figure:
    """AUC of every cell with its interval, one panel a signature and kind of patients.

    Args:
        grid: phase, selector, classifier, estimate, n, auc, low, high, chosen_strict, chosen_as_published.
    """
    matrices, details = [], []
    for phase in dict.fromkeys(grid["phase"]):
        for estimate, words in SHOWN[protocol].items():
            part = grid[(grid["phase"] == phase) & (grid["estimate"] == estimate)].copy()
            if part.empty:
                continue
            order = {name: list(dict.fromkeys(part[name])) for name in ("selector", "classifier")}
            # Below the AUC its interval, and how often the cell was chosen.
            share = part["chosen_strict"].map(lambda v: f"\n{100 * v:.0f}%" if v else "")
            sign = share if protocol == "strict" else part["chosen_as_published"].map({True: "\nchosen", False: ""})
            limits = zip(part["low"], part["high"], strict=True)
            part["text"] = [f"{low:.2f}-{high:.2f}" if low == low else "no interval" for low, high in limits]
            part["text"] += sign.to_numpy()
            wide = {v: part.pivot(index="selector", columns="classifier", values=v) for v in ("auc", "text")}
            wide = {v: table.loc[order["selector"], order["classifier"]] for v, table in wide.items()}
            matrices.append((f"{phase}, {words} (n = {part['n'].max()})", wide["auc"]))
            details.append(wide["text"])
    what = "%: fits that chose the cell" if protocol == "strict" else "chosen: by validation AUC"
    heading = f"{title}, {PROTOCOL_TEXT[protocol]}. AUC, 95% interval; {what}"
    beside = len(matrices) // len(set(grid["phase"]))
    return plot_heat_maps(matrices, heading, "AUC", (0.3, 1.0), "{:.2f}".format, "viridis", details, min(beside, 2))


def plot_choice(grid: pd.DataFrame, metrics: pd.DataFrame, title: str, reachable: float | None) -> plt.Figure:
    """Validation AUCs of all cells, the one that a choice on the same patients reports, and the strict AUC beside them.

    Args:
        grid: as `plot_grid` takes it. metrics: of the study (`metrics_table`). reachable: the best possible AUC.
    """
    use_style()
    phases = list(dict.fromkeys(grid["phase"]))
    models = [*phases, *sorted(set(metrics["model"]) & {"mp-MR"})]
    figure, axis = plt.subplots(figsize=(PAGE_INCHES, 1.3 + 0.55 * len(models)))
    keyed = metrics.set_index(["model", "protocol", "split", "estimate"])
    kinds = (
        (
            "as_published",
            "validation",
            "held_out",
            "D",
            COLOURS[1],
            0.0,
            "as published: chosen by and reported on them",
        ),
        ("strict", "validation", "held_out", "o", COLOURS[9], -0.18, "strict choice, validation patients"),
        ("strict", "train", "out_of_fold", "s", COLOURS[0], -0.36, "strict choice, out of fold (training patients)"),
    )
    for row, model in enumerate(models[::-1]):
        own = grid[(grid["phase"] == model) & (grid["estimate"] == "validation")]
        if len(own):
            words = f"each of {len(own)} cells, validation patients" if model == phases[0] else None
            axis.scatter(
                own["auc"], np.full(len(own), row + 0.2), s=14, color="0.55", alpha=0.7, linewidth=0, label=words
            )
        for protocol, split, estimate, marker, colour, shift, words in kinds:
            if (model, protocol, split, estimate) not in keyed.index:
                continue
            line = keyed.loc[(model, protocol, split, estimate)]
            if line["auc_low"] == line["auc_low"]:
                axis.plot([line["auc_low"], line["auc_high"]], [row + shift] * 2, color=colour, linewidth=1)
            named = words if model == models[0] else None
            axis.plot(line["auc"], row + shift, marker, color=colour, markersize=5, label=named)
            value = interval_text(line["auc"], line["auc_low"], line["auc_high"], 2)
            axis.annotate(value, (1.02, row + shift), xycoords=("axes fraction", "data"), fontsize=6, va="center",
                          color="0.15", annotation_clip=False)  # fmt: skip
    axis.axvline(0.5, color="0.6", linewidth=0.8, linestyle=":")
    if reachable is not None:
        axis.axvline(reachable, color="0.3", linewidth=0.8, linestyle="--", label=f"oracle AUC {reachable:.3f}")
    axis.set_yticks(range(len(models)), models[::-1])
    axis.set(xlim=(0.0, 1.02), ylim=(-0.65, len(models) - 0.5), xlabel="AUC")
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=6.5)
    figure.suptitle(f"{title}: choosing among the cells on the patients that are reported", fontsize=8)
    return figure
