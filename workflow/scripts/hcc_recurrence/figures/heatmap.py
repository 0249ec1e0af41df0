"""Matrices of numbers with their values written in: P of DeLong's test, AUCs, agreement."""

from __future__ import annotations

from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from hcc_recurrence.figures.style import PAGE_INCHES, use_style

# Inches of a cell that has room for two numbers below each other.
LEAST_CELL = 0.33


def plot_heat_maps(
    matrices: list[tuple[str, pd.DataFrame]],
    title: str,
    name: str,
    limits: tuple[float, float],
    text: Callable[[float], str] = "{:.2f}".format,
    colours: str = "viridis",
    detail: list[pd.DataFrame] | None = None,
    beside: int = 0,
    missing: str = "",
) -> plt.Figure:
    """One heat map a panel, stacked where they are wide; empty cells (NaN) stay white.

    Args:
        matrices: title and table; index and columns are written at the axes.
        name: of the colour scale. limits: of the colours. detail: a second line in each cell, of the same shape.
        beside: panels in a row; 0 for as many as their columns leave room for. missing: what an empty cell of the
            lower triangle says, such as a pair that was not tested.
    """
    use_style()
    if not matrices:
        # A study of one model has nothing to compare.
        figure, axis = plt.subplots(figsize=(PAGE_INCHES, 1.2))
        axis.text(0.5, 0.5, "Fewer than two models to compare", ha="center", va="center", transform=axis.transAxes)
        axis.axis("off")
        figure.suptitle(title, fontsize=8)
        return figure
    widest = max(m.shape[1] for _, m in matrices)
    columns = beside or max(1, min(len(matrices), int(9 // max(widest, 1))))
    rows = -(-len(matrices) // columns)
    label = max((len(str(i)) for _, m in matrices for i in m.index), default=1)
    cell = min(0.72, (PAGE_INCHES - 0.9 - columns * 0.065 * label) / (columns * max(widest, 1)))
    # Room for up to three lines in a cell.
    lines = 1 + max((str(text).count("\n") + 1 for d in detail or [] for text in d.to_numpy().ravel()), default=0)
    height = sum(
        max(m.shape[0] for _, m in matrices[r * columns : (r + 1) * columns]) * min(0.36 if lines < 3 else 0.42, cell)
        + 0.5
        for r in range(rows)
    )
    below = 0.065 * max((len(str(c)) for _, m in matrices for c in m.columns), default=1)
    if cell < LEAST_CELL:
        # Two numbers would run into those of the next cell; the table beside the figure has the second.
        detail = None
    figure, axes = plt.subplots(rows, columns, figsize=(PAGE_INCHES, 0.6 + height + rows * below), squeeze=False)
    shown = None
    for index, axis in enumerate(axes.ravel()):
        if index >= len(matrices):
            axis.axis("off")
            continue
        heading, matrix = matrices[index]
        values = matrix.to_numpy(float)
        shown = axis.imshow(values, cmap=colours, vmin=limits[0], vmax=limits[1], aspect="auto")
        axis.set_xticks(range(matrix.shape[1]), matrix.columns, rotation=45, ha="right", rotation_mode="anchor")
        axis.set_yticks(range(matrix.shape[0]), matrix.index)
        axis.set_title(heading)
        axis.tick_params(length=0, labelsize=6.5)
        for spine in axis.spines.values():
            spine.set_visible(False)
        for (i, j), value in np.ndenumerate(values):
            if np.isnan(value):
                if missing and j <= i:
                    axis.text(j, i, missing, ha="center", va="center", fontsize=6.2, color="0.35", in_layout=False)
                continue
            share = (value - limits[0]) / (limits[1] - limits[0])
            red, green, blue, _ = shown.cmap(np.clip(share, 0, 1))
            light = 0.299 * red + 0.587 * green + 0.114 * blue > 0.55
            extra = f"\n{detail[index].iloc[i, j]}" if detail else ""
            size = 5.6 if extra or cell < LEAST_CELL else 6.2
            colour = "0.1" if light else "1.0"
            axis.text(j, i, text(value) + extra, ha="center", va="center", fontsize=size, color=colour, in_layout=False)
    if shown is not None:
        figure.colorbar(shown, ax=axes, label=name, shrink=0.8, aspect=30)
    figure.suptitle(title, fontsize=8)
    return figure


def pair_matrix(pairs: pd.DataFrame, value: str, models: list[str]) -> pd.DataFrame:
    """Lower triangle of a table of pairs (columns model, other and `value`)."""
    matrix = pd.DataFrame(np.nan, index=models[1:], columns=models[:-1])
    for row in pairs.to_dict("records"):
        first, second = sorted((models.index(row["model"]), models.index(row["other"])))
        matrix.loc[models[second], models[first]] = row[value]
    return matrix
