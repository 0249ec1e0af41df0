"""One look for every figure: readable at column width, safe for colour-blind readers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import seaborn as sns

COLUMN_INCHES = 3.5
PAGE_INCHES = 7.2


def use_style() -> None:
    """Fonts, sizes and file settings of all figures; output bytes do not depend on the date."""
    sns.set_theme(style="ticks", context="paper", palette="colorblind")
    plt.rcParams.update(
        {
            "font.family": "sans-serif",
            "font.sans-serif": ["Arial", "Helvetica", "DejaVu Sans"],
            "font.size": 8,
            "axes.titlesize": 9,
            "axes.labelsize": 8,
            "legend.fontsize": 7,
            "xtick.labelsize": 7,
            "ytick.labelsize": 7,
            "figure.constrained_layout.use": True,
            "savefig.dpi": 200,
            "svg.hashsalt": "hcc",
            "axes.spines.top": False,
            "axes.spines.right": False,
        }
    )


def model_colours(models: Sequence[str]) -> dict[str, tuple]:
    """The same colour for the same model in every figure of a study."""
    palette = sns.color_palette("colorblind", 10)
    dashed = sorted(models)
    return {model: palette[i % 10] for i, model in enumerate(dashed)}


def save(figure: plt.Figure, png: str | Path, svg: str | Path) -> None:
    """Write both formats and close the figure."""
    figure.savefig(png, metadata={"Software": None})
    figure.savefig(svg, metadata={"Date": None})
    plt.close(figure)
