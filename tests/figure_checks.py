"""Whether a person can read a figure: no text outside it, none over another, every axis named."""

from __future__ import annotations

from unittest.mock import patch

import matplotlib.pyplot as plt
from matplotlib.text import Text


def drawn_texts(figure: plt.Figure) -> list[Text]:
    """The texts that are really drawn (ticks outside an axis are not)."""
    found: dict[int, Text] = {}
    original = Text.draw

    def record(self, renderer):
        if self.get_visible() and self.get_text().strip():
            found[id(self)] = self
        return original(self, renderer)

    with patch.object(Text, "draw", record):
        figure.canvas.draw()
    return list(found.values())


def shown_text(figure: plt.Figure) -> str:
    """All of them in one line."""
    return " ".join(t.get_text() for t in drawn_texts(figure))


def unreadable(figure: plt.Figure) -> list[str]:
    """What is wrong with a figure, in words; empty where nothing is."""
    texts = drawn_texts(figure)
    boxes = [t.get_window_extent() for t in texts]
    page, problems = figure.bbox, []
    for text, box in zip(texts, boxes, strict=True):
        if box.x0 < page.x0 - 2 or box.x1 > page.x1 + 2 or box.y0 < page.y0 - 2 or box.y1 > page.y1 + 2:
            problems.append(f"cut: {text.get_text()!r}")
    for i, first in enumerate(boxes):
        for j in range(i + 1, len(boxes)):
            second = boxes[j]
            if texts[i].get_rotation() % 90 or texts[j].get_rotation() % 90:
                continue  # the box of a slanted label is mostly empty
            width = min(first.x1, second.x1) - max(first.x0, second.x0)
            height = min(first.y1, second.y1) - max(first.y0, second.y0)
            smaller = min(first.width * first.height, second.width * second.height)
            if width > 0 and height > 0 and width * height > 0.15 * smaller:
                problems.append(f"overlap: {texts[i].get_text()!r} and {texts[j].get_text()!r}")
    return problems
