"""Models of a comparison as a reader is shown them: `cui2022:NSS` of the tables' files is Cui 2022 NSS."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Tables are written without it.
    from matplotlib.figure import Figure

# A paper's key, before the model: letters of the first author and the year.
KEY = re.compile(r"\b([a-z]+)(\d{4}):(?=\S)")


def shown_name(text: str) -> str:
    """A text in which models of papers have the papers' names."""
    return KEY.sub(lambda key: f"{key[1].title()} {key[2]} ", text)


def places_to_name(figure: Figure) -> list[Callable[[], None]]:
    """What to call so that each word of a figure shows papers' names; empty where no word has a paper's key."""
    return list(_places(figure))


def _places(figure: Figure) -> Iterator[Callable[[], None]]:
    from matplotlib.ticker import FuncFormatter

    texts = [*figure.texts, *([figure._suptitle] if figure.get_suptitle() else [])]
    legends = list(figure.legends)
    for axes in figure.axes:
        texts += [*axes.texts, axes.title, axes._left_title, axes._right_title]
        legends += [axes.get_legend()] if axes.get_legend() else []
        for axis in (axes.xaxis, axes.yaxis):
            texts.append(axis.label)
            formatter = axis.get_major_formatter()
            # What words in place of numbers are given to an axis as.
            if isinstance(formatter, FuncFormatter) and any(
                KEY.search(word) for word in formatter.format_ticks(axis.get_majorticklocs())
            ):
                named = FuncFormatter(lambda at, place, own=formatter: shown_name(own(at, place)))
                yield lambda axis=axis, named=named: axis.set_major_formatter(named)
    texts += [text for legend in legends for text in legend.get_texts()]
    for text in texts:
        if KEY.search(text.get_text()):
            yield lambda own=text: own.set_text(shown_name(own.get_text()))
