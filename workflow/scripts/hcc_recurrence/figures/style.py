"""One look for every figure: readable at column width, safe for colour-blind readers."""

from __future__ import annotations

import io
import textwrap
import zlib
from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

COLUMN_INCHES = 3.5
PAGE_INCHES = 7.2
# seaborn's "colorblind" palette, with Tol's indigo and wine in place of its pink and yellow, which are hardly seen on
# white (a test has the contrasts, and the distances as colour-blind readers see them).
COLOURS = [
    "#0173b2",
    "#de8f05",
    "#029e73",
    "#d55e00",
    "#cc78bc",
    "#ca9161",
    "#332288",
    "#949494",
    "#882255",
    "#56b4e9",
]


def use_style() -> None:
    """Fonts, sizes and file settings of all figures; output bytes do not depend on the date."""
    # matplotlib's own copies of seaborn's styles: importing seaborn would double the time of a figure.
    plt.style.use(["seaborn-v0_8-ticks", "seaborn-v0_8-paper"])
    plt.rcParams.update(
        {
            "font.family": "sans-serif",
            "font.sans-serif": ["Arial", "Helvetica", "DejaVu Sans"],
            "font.size": 8,
            "axes.titlesize": 7.5,
            "axes.labelsize": 8,
            "legend.fontsize": 7,
            "xtick.labelsize": 7,
            "ytick.labelsize": 7,
            "figure.constrained_layout.use": True,
            "savefig.dpi": 150,
            "svg.hashsalt": "hcc",
            "axes.spines.top": False,
            "axes.spines.right": False,
        }
    )


# Places in COLOURS of the models that papers name; a model keeps its colour in every figure of every page.
MODEL_COLOURS = {
    "CR": 0,
    "Radiomics": 1,
    "RCR": 2,
    "DL": 3,
    "DLRCR": 4,
    "Radiomics LR": 5,
    "Radiomics SVM": 6,
    "Radiomics KNN": 7,
    "Radiomics XGB": 8,
    "Radiomics MLP": 9,
    # Networks of single images, which stand in one figure.
    "ResNet50": 0,
    "DenseNet121": 1,
    "ResNet101": 2,
    "VGG19": 3,
    # The signatures of Zhang 2025.
    "Clinical": 0,
    "DL_2.5D": 1,
    "DL_3D": 2,
    "Combined": 8,
    "SS": 0,
    "NSS": 3,
    "DSFR": 0,
    "DSFR-C": 1,
    "Visual": 2,
    "Nomogram": 3,
    "Volume": 7,
    "Centre": 5,
}


def model_colours(models: Sequence[str]) -> dict[str, str]:
    """The same colour for the same model everywhere; `zhao2024:RCR` of a comparison has the colour of `RCR`.

    A model without a place of its own gets one from its name, the next free one where that is taken in this figure.
    """
    chosen: dict[str, str] = {}
    for model in sorted(models):
        name = model.rpartition(":")[2]
        place = MODEL_COLOURS.get(name, zlib.crc32(name.encode()) % len(COLOURS))
        if name not in MODEL_COLOURS:
            free = [(place + i) % len(COLOURS) for i in range(len(COLOURS))]
            place = next((i for i in free if COLOURS[i] not in chosen.values()), place)
        chosen[model] = COLOURS[place]
    return chosen


def save(figure: plt.Figure, png: str | Path, svg: str | Path, mark: str = "") -> None:
    """Write both formats and close the figure; the PNG has 256 colours, which halves a report.

    Args:
        mark: what a reader must know wherever the figure goes, in a strip of its own below it.
    """
    from PIL import Image

    if mark:
        _write_below(figure, mark)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", metadata={"Software": None})
    # The same places in both; and to find them is a third of the work.
    figure.set_layout_engine("none")
    figure.savefig(svg, metadata={"Date": None})
    dpi = plt.rcParams["savefig.dpi"]
    plt.close(figure)
    with Image.open(drawn) as image:
        reduced = image.convert("RGB").quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        reduced.save(png, format="PNG", dpi=(dpi, dpi))


def _write_below(figure: plt.Figure, text: str) -> None:
    width, height = figure.get_size_inches()
    lines = textwrap.wrap(text, int(width * 20))
    strip = 0.07 + 0.1 * len(lines)
    share = strip / (height + strip)
    figure.set_size_inches(width, height + strip)
    layout = figure.get_layout_engine()
    bottom = share
    for legend in figure.legends:
        # A legend outside the axes stands at the figure's edge, whatever the layout's rectangle is; lifted above the
        # strip it is no longer reckoned with.
        legend.set_bbox_to_anchor((0, share, 1, 1 - share), figure.transFigure)
        extent = legend.get_window_extent(figure.canvas.get_renderer())
        bottom = max(bottom, share + extent.height / figure.bbox.height)
    if layout is not None:
        layout.set(rect=(0, bottom, 1, 1 - bottom))
    below = 0.04 / (height + strip)
    figure.text(0.995, below, "\n".join(lines), ha="right", va="bottom", fontsize=5.5, color="#a04000")
