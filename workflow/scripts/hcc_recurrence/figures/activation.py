"""Activation maps over images."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from hcc_recurrence.endpoint import endpoint
from hcc_recurrence.figures.style import COLUMN_INCHES, PAGE_INCHES, use_style

# Inches beside the images: words about each patient at the left, the scale at the right.
BESIDE = 1.45
NO_MAP = "0 everywhere"


def plot_activation(
    patients: pd.DataFrame,
    images: np.ndarray,
    masks: np.ndarray,
    maps: Sequence[Sequence[np.ndarray]],
    phases: Sequence[str],
    title: str,
    method: str = "Score-CAM",
) -> plt.Figure:
    """Each phase, or view, of each patient, as it is and under its map, with the outline of the tumour.

    Args:
        patients: patient_id, er, probability, kind; a row of the figure each. images: (patient, phase, y, x).
        masks: (patient, y, x), or (patient, phase, y, x) where they differ. maps: a (y, x) map from 0 to 1 for each
            patient and phase.
    """
    outlines = masks if masks.ndim == 4 else np.repeat(masks[:, None], len(phases), axis=1)
    use_style()
    rows, columns = len(patients), 2 * len(phases)
    # One phase has room in a column of a journal; each image is then as large as one of three phases on the page.
    width = COLUMN_INCHES if len(phases) == 1 else PAGE_INCHES
    across = (width - BESIDE) / columns
    down = across * images.shape[-2] / images.shape[-1]
    size = (width, max(down + 0.05, 0.5) * rows + 0.4)
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="compressed")
    for row, patient in enumerate(patients.itertuples()):
        for place, phase in enumerate(phases):
            for overlay in (False, True):
                axis = axes[row, 2 * place + overlay]
                axis.imshow(images[row, place], cmap="gray", interpolation="nearest")
                if overlay:
                    shade = axis.imshow(maps[row][place], cmap="inferno", alpha=0.5, vmin=0, vmax=1)
                    if not np.any(maps[row][place]):
                        # Else a dark image, in which a reader looks for a map.
                        place_of_words = {"transform": axis.transAxes, "ha": "center", "va": "bottom"}
                        axis.text(0.5, 0.02, NO_MAP, color="white", fontsize=5.5, **place_of_words)
                if outlines[row, place].any():
                    axis.contour(outlines[row, place], levels=[0.5], colors="#56b4e9", linewidths=0.8)
                axis.set(xticks=[], yticks=[])
                axis.spines[:].set_visible(False)
                if not row:
                    axis.set_title("with map" if overlay else phase, fontsize=7)
        words = patient.kind.replace(", ", ",\n")
        label = f"{patient.patient_id}\n{words}\nrisk {patient.probability:.2f}"
        axes[row, 0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=6)
    bar = figure.colorbar(shade, ax=axes, shrink=0.5, aspect=30)
    bar.set_label(f"{method}, {endpoint().happened}", fontsize=7)
    figure.suptitle(title, fontsize=8)
    return figure
