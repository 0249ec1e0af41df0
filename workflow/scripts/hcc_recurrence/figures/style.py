"""One look for every figure: readable at column width, safe for colour-blind readers."""

from __future__ import annotations

import io
import textwrap
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from hcc_recurrence.figures.marks import SIMULATED
from hcc_recurrence.figures.numbers import figure_numbers
from hcc_recurrence.figures.pdf_fonts import drop_layout_tables
from hcc_recurrence.figures.shown_names import places_to_name, shown_name
from hcc_recurrence.files import write_csv

# Journals' one and two columns: 85 and 180 mm.
COLUMN_INCHES = 85 / 25.4
PAGE_INCHES = 180 / 25.4


def width_of(panels: int) -> float:
    """Inches of a figure with so many panels beside each other: one column of a journal for one, else two."""
    return COLUMN_INCHES if panels == 1 else PAGE_INCHES


def in_width(figure: plt.Figure, text: str) -> str:
    """A title of 8 points in lines that are no longer than the figure is wide."""
    letters = int(figure.get_figwidth() * 17)
    return "\n".join(textwrap.fill(line, letters) for line in text.splitlines())


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
            # Where matplotlib's own search ends as well, for no figure here has ticks on top; to search anew at each
            # drawing is a tenth of the time.
            "axes.titley": 1.0,
            # Text stays text, which a journal or a co-author can edit.
            "svg.fonttype": "none",
            "pdf.fonttype": 42,
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
    "DL": 8,
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
    # Those of Yan 2023.
    "mp-MR": 0,
    "AP": 1,
    "PVP": 2,
    "HBP": 4,
    "Clinical-nomogram": 7,
    "DL-nomogram": 8,
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


def save_figure(figure: plt.Figure, files: Sequence[str], settings: Mapping[str, Any], mark: str = "") -> None:
    """Write a figure in every format that its files name, and close it; the PNG has 256 colours, which halves a report.

    Bytes depend on no date. A title goes into the files' metadata, from where the report takes it, and stands in the
    figure only where the settings ask for it.

    Args:
        files: one path a format, told by its ending: .png, .svg, .pdf, .csv (the numbers that were drawn).
        settings: dpi of the PNG and titles (whether they stand in the figure), as `figures` of the config; simulated:
            whether the patients are. No figure can be written without an answer to that.
        mark: what else a reader must know wherever the figure goes. Both stand in a strip of their own below it.

    Raises:
        KeyError: where the settings do not say whether the patients are simulated.
    """
    title = take_title(figure, keep=settings["titles"])
    notes = [note for note in (SIMULATED if settings["simulated"] else "", mark) if note]
    if notes:
        write_below(figure, notes)
    numbers = None
    if to_name := places_to_name(figure):
        # The numbers keep the keys of the tables that they come from.
        numbers = figure_numbers(figure, notes)
        for name_it in to_name:
            name_it()
    about = {"Title": shown_name(title), "Description": " ".join(notes)}
    # The first file settles the places, which are then the same in all; to find them is a third of the work.
    for path in sorted([files] if isinstance(files, str) else files, key=lambda path: not path.endswith(".png")):
        if path.endswith(".png"):
            _save_png(figure, path, settings["dpi"], about)
        elif path.endswith(".svg"):
            figure.savefig(path, metadata={"Date": None, **about})
        elif path.endswith(".pdf"):
            drop_layout_tables()
            figure.savefig(
                path, metadata={"CreationDate": None, "Title": about["Title"], "Subject": about["Description"]}
            )
        elif path.endswith(".csv"):
            write_csv(figure_numbers(figure, notes) if numbers is None else numbers, path)
        else:
            raise ValueError(f"{path}: figures are written as .png, .svg, .pdf or .csv")
        _without_layout(figure)
    plt.close(figure)


def take_title(figure: plt.Figure, keep: bool) -> str:
    """The title of a figure in one line, taken out of it unless it is to be kept.

    It stands above all panels, or above the one panel that there is; the titles of several panels tell them apart, and
    stay where they are.
    """
    texts = [figure._suptitle] if figure.get_suptitle() else []
    if len(figure.axes) == 1:
        texts += [figure.axes[0].title, figure.axes[0]._left_title, figure.axes[0]._right_title]
    parts = [" ".join(text.get_text().split()) for text in texts]
    # Of a whole figure and of its one panel: two phrases.
    words = "; ".join(part for part in parts if part).replace(".; ", ". ")
    if not keep:
        for text in texts:
            text.set_text("")
            # An empty title would still have a line of its own.
            text.set_in_layout(False)
    return words


def _settle_places(figure: plt.Figure, dpi: int) -> None:
    """What a layout does when a figure is saved, without the drawing for nothing that matplotlib does before it."""
    layout, own = figure.get_layout_engine(), figure.dpi
    if layout is None:
        return
    figure.dpi = dpi
    layout.execute(figure)
    figure.dpi = own
    _without_layout(figure)


def _without_layout(figure: plt.Figure) -> None:
    # The name "none" would leave a layout that settles nothing and still asks for a pass over the figure a file.
    with plt.rc_context({"figure.constrained_layout.use": False}):
        figure.set_layout_engine(None)


def _save_png(figure: plt.Figure, path: str, dpi: int, about: Mapping[str, str]) -> None:
    from PIL import Image, PngImagePlugin

    drawn = io.BytesIO()
    _settle_places(figure, dpi)
    figure.savefig(drawn, format="rgba", dpi=dpi)
    info = PngImagePlugin.PngInfo()
    for key, words in about.items():
        if words:
            info.add_itxt(key, words)
    size = (int(figure.canvas.renderer.width), int(figure.canvas.renderer.height))
    if len(drawn.getbuffer()) != 4 * size[0] * size[1]:
        raise ValueError(f"{path}: the canvas is not of {size[0]} x {size[1]} pixels")
    with Image.frombuffer("RGBA", size, drawn.getbuffer(), "raw", "RGBA", 0, 1) as image:
        reduced = image.convert("RGB").quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        reduced.save(path, format="PNG", dpi=(dpi, dpi), pnginfo=info)


def write_below(figure: plt.Figure, notes: Sequence[str]) -> None:
    """Add a strip below a figure with what a reader must know of it."""
    width, height = figure.get_size_inches()
    lines = [line for note in notes for line in textwrap.wrap(note, int(width * 20))]
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
