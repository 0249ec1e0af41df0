"""The numbers of a figure as a table: what was drawn, read from the drawing, so that figure and table cannot differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

COLUMNS = ("panel", "kind", "name", "x_axis", "y_axis", "x", "y", "x_label", "y_label", "text")
# Cells of a picture are pixels, and no numbers for a table.
LARGEST_MATRIX = 64


def figure_numbers(figure: Figure, notes: Sequence[str] = ()) -> pd.DataFrame:
    """Every point, bar, interval, band, cell and word of a figure, a row each.

    Args: notes: what stands below the figure, such as that its patients are simulated.

    Returns: panel (its title, else its label or place), kind (line, point, bar, interval, band, cell, text, note), name
        (of the legend), x_axis and y_axis (their labels), x, y, x_label and y_label (the tick's word at that place,
        such as the model of a row), text (a cell's value, or the words).
    """
    rows = [
        (title_of(axis) or _own_label(axis) or f"panel {place}", *row)
        for place, axis in enumerate(figure.axes, 1)
        for row in _rows_of(axis)
        if axis.get_visible()
    ]
    beside = [dict.fromkeys(COLUMNS, "") | {"kind": "note", "x": np.nan, "y": np.nan, "text": note} for note in notes]
    return pd.DataFrame([*(dict(zip(COLUMNS, row, strict=True)) for row in rows), *beside], columns=list(COLUMNS))


def _own_label(axis: Axes) -> str:
    """What a panel without a title is called; of colour scales matplotlib has a name of its own, in brackets."""
    label = str(axis.get_label())
    return "" if label.startswith("<") else " ".join(label.split())


def title_of(axis: Axes) -> str:
    """The title of a panel in one line, wherever it stands."""
    texts = (axis.get_title(loc) for loc in ("center", "left", "right"))
    return " ".join(" ".join(texts).split())


def tick_words(axis: Axis) -> dict[float, str]:
    """Places of an axis that have words and not numbers, such as the models of a forest plot."""
    places = axis.get_majorticklocs()
    # Not the labels as drawn: panels that share an axis draw them once.
    labels = zip(map(float, places), axis.get_major_formatter().format_ticks(places), strict=True)
    words = {at: " ".join(label.split()) for at, label in labels if label}
    return {} if all(_is_number(label) for label in words.values()) else words


def _is_number(label: str) -> bool:
    try:
        float(label.replace("\N{MINUS SIGN}", "-").strip("%$\\{}"))
    except ValueError:
        return "mathdefault" in label
    return True


def _name(artist: Any) -> str:
    label = str(artist.get_label())
    return "" if label.startswith("_") else " ".join(label.split())


def _rows_of(axis: Axes) -> Iterator[tuple[Any, ...]]:
    labels = (axis.get_xlabel(), axis.get_ylabel())
    words = (tick_words(axis.xaxis), tick_words(axis.yaxis))

    def row(kind: str, name: str, x: float, y: float, text: str = "") -> tuple[Any, ...]:
        return (
            kind,
            name,
            *labels,
            float(x),
            float(y),
            *(w.get(float(v), "") for w, v in zip(words, (x, y), strict=True)),
            text,
        )

    for line in axis.lines:
        # Lines of reference run over the whole panel and are no data.
        if line.get_transform() == axis.transData:
            kind = "point" if line.get_linestyle() in ("None", " ", "") else "line"
            yield from (row(kind, _name(line), x, y) for x, y in line.get_xydata())
    for bars in axis.containers:
        for bar in bars if all(isinstance(part, Rectangle) for part in bars) else ():
            upright = bars.orientation != "horizontal"
            x = bar.get_x() + bar.get_width() / 2 if upright else bar.get_x() + bar.get_width()
            y = bar.get_y() + bar.get_height() if upright else bar.get_y() + bar.get_height() / 2
            yield row("bar", _name(bars), x, y)
    for drawn in axis.collections:
        if isinstance(drawn, PathCollection):
            yield from (row("point", _name(drawn), x, y) for x, y in np.ma.filled(drawn.get_offsets(), np.nan))
        elif isinstance(drawn, LineCollection | PolyCollection):
            kind = "interval" if isinstance(drawn, LineCollection) else "band"
            for path in drawn.get_paths():
                yield from (row(kind, _name(drawn), x, y) for x, y in path.vertices)
    for image in axis.images:
        cells = np.ma.filled(np.ma.asarray(image.get_array(), dtype=float), np.nan)
        if cells.ndim == 2 and max(cells.shape) <= LARGEST_MATRIX:
            yield from (row("cell", "", x, y, f"{value:.10g}") for (y, x), value in np.ndenumerate(cells))
    for text in axis.texts:
        if text.get_text().strip() and text.get_visible():
            yield row("text", "", *text.get_position(), " ".join(text.get_text().split()))
