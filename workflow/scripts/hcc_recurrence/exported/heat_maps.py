"""Heat maps of applied models: where in one patient's images the score of a network comes from."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from hcc_recurrence.endpoint import endpoint
from hcc_recurrence.exported.bundle import exporting

if TYPE_CHECKING:
    from hcc_recurrence.exported.bundle import Bundle
    from hcc_recurrence.methods.exporting import HeatMap

# Inches of one picture.
_SIDE = 2.1


def has_heat_maps(about: Mapping[str, Any]) -> bool:
    """Whether a bundle's networks read images: model.json says it, without the method's code."""
    return bool(about["reads"]["images"])


def heat_maps_of(bundle: Bundle, parts: Mapping[str, Any], images: Mapping[str, np.ndarray]) -> list[HeatMap]:
    """Of one patient.

    Args: images: (phase, z, y, x) by name of what the networks read.
    """
    module = exporting(bundle.method)
    return module.heat_maps(parts, images, bundle.about["config"]) if hasattr(module, "heat_maps") else []


def draw(found: HeatMap, image: np.ndarray, mask: np.ndarray, simulated: bool = False) -> bytes:
    """Each picture as it is, and under its map, with the outline of the tumour; PNG.

    Args: image: (phase, z, y, x) that the map is of. mask: (z, y, x), or (phase, z, y, x) where each phase has its own.
    """
    import matplotlib.pyplot as plt

    from hcc_recurrence.figures.marks import SIMULATED
    from hcc_recurrence.figures.style import use_style, write_below

    use_style()
    columns = 2 * len(found.titles)
    figure, axes = plt.subplots(1, columns, figsize=(_SIDE * columns + 0.8, _SIDE + 0.4), squeeze=False)
    for place, (title, (phase, z)) in enumerate(zip(found.titles, found.shown, strict=True)):
        for overlay in (False, True):
            axis = axes[0, 2 * place + overlay]
            axis.imshow(image[phase, z], cmap="gray", interpolation="nearest")
            if overlay:
                shade = axis.imshow(found.maps[place], cmap="inferno", alpha=0.5, vmin=0, vmax=1)
            outline = (mask[phase] if mask.ndim == 4 else mask)[z]
            if outline.any() and not outline.all():
                axis.contour(outline, levels=[0.5], colors="#56b4e9", linewidths=1.0)
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
            axis.set_title(f"{title}, map" if overlay else title, fontsize=7)
    bar = figure.colorbar(shade, ax=axes, shrink=0.8, aspect=20)
    bar.set_label("fraction of the largest", fontsize=7)
    if simulated:
        write_below(figure, [SIMULATED])
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=130, metadata={"Software": None})
    plt.close(figure)
    return stream.getvalue()


def caption(found: HeatMap) -> str:
    """What the map is, and what it is not."""
    return (
        f"{found.method}, for {endpoint().happened}. Bright: what raises this network's score most, as a fraction of "
        "the largest value in this patient's own map, so that something is bright also where the score is low. Blue: "
        "the outline. Not a border of the tumour, not a place where the disease will be, and no reason for the score: "
        "other networks with the same score may look elsewhere"
    )
