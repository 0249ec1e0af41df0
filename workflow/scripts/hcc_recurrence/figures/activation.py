"""Activation maps over images."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from hcc_recurrence.endpoint import endpoint
from hcc_recurrence.figures.style import use_style


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
    figure, axes = plt.subplots(rows, columns, figsize=(1.1 * columns + 2.0, 1.25 * rows + 0.6), squeeze=False)
    for row, patient in enumerate(patients.itertuples()):
        for place, phase in enumerate(phases):
            for overlay in (False, True):
                axis = axes[row, 2 * place + overlay]
                axis.imshow(images[row, place], cmap="gray", interpolation="nearest")
                if overlay:
                    shade = axis.imshow(maps[row][place], cmap="inferno", alpha=0.5, vmin=0, vmax=1)
                if outlines[row, place].any():
                    axis.contour(outlines[row, place], levels=[0.5], colors="#56b4e9", linewidths=0.8)
                axis.set(xticks=[], yticks=[])
                axis.spines[:].set_visible(False)
                if not row:
                    axis.set_title(f"{phase}, map" if overlay else phase)
        words = patient.kind.replace(", ", ",\n")
        label = f"{patient.patient_id}\n{words}\nrisk {patient.probability:.2f}"
        axes[row, 0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=6.5)
    bar = figure.colorbar(shade, ax=axes, shrink=0.5, aspect=30)
    bar.set_label(f"{method}, {endpoint().happened}", fontsize=7)
    figure.suptitle(title, fontsize=8)
    return figure
