"""Which layer of a network Grad-CAM explains: one rule for networks of single images and of boxes."""

from __future__ import annotations

from collections.abc import Sequence

# Pixels a side of the maps that explain a score: fewer say no place.
FEWEST_PIXELS = 4


def explained_layer(layers: Sequence[str], strides: Sequence[int], side: int) -> str:
    """The last layer whose map of an image has four pixels a side or more; else the first one.

    Args:
        layers: names, the last one first. strides: how many pixels of the image each pixel of their maps stands for.
        side: pixels of the image's shorter side.
    """
    fitting = [layer for layer, stride in zip(layers, strides, strict=True) if side >= FEWEST_PIXELS * stride]
    return (fitting or layers[-1:])[0]
