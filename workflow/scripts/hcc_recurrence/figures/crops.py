"""What networks see of patients, as one picture of many."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np

from hcc_recurrence.figures.style import PAGE_INCHES, use_style

# Images side by side on a page.
ACROSS, VIEWS_ACROSS = 9, 10


def _show_page(axis: plt.Axes, page: np.ndarray, outline: np.ndarray, images: np.ndarray, width: float) -> None:
    """A page of images in the grey values of all of them, with the outlines of tumours in lines of a width."""
    axis.imshow(page, cmap="gray", vmin=float(images.min()), vmax=float(images.max()), interpolation="nearest")
    if outline.any():
        axis.contour(outline, levels=[0.5], colors="#56b4e9", linewidths=width)
    axis.axis("off")


def plot_views(
    images: np.ndarray, masks: np.ndarray, patients: Sequence[str], phases: Sequence[str], views: Sequence, title: str
) -> plt.Figure:
    """All images of each patient side by side, a row a phase, with the outline of the tumour: a contact sheet.

    Args:
        images: (patient, phase, view, y, x). masks: (patient, view, y, x). views: see `parse_view`.
    """
    use_style()
    number, rows, across, height, width = images.shape
    gap, label = max(1, width // 24), max(4, height // 4)
    # Few views leave room for several patients side by side.
    beside = max(1, VIEWS_ACROSS // across)
    block, wide = rows * (height + gap) + label, across * (width + gap) + 2 * gap
    page = np.full((-(-number // beside) * block, beside * wide), np.nan)
    outline = np.zeros(page.shape)
    figure, axis = plt.subplots(figsize=(PAGE_INCHES, 0.5 + PAGE_INCHES * page.shape[0] / page.shape[1]))
    for index, patient in enumerate(patients):
        top, left = (index // beside) * block + label, (index % beside) * wide
        for phase in range(rows):
            for view in range(across):
                y, x = top + phase * (height + gap), left + view * (width + gap)
                window = np.s_[y : y + height, x : x + width]
                page[window], outline[window] = images[index, phase, view], masks[index, view] > 0
        axis.text(left, top - 0.15 * label, patient, fontsize=6, va="bottom")
        for view, name in enumerate(views):
            words = name if isinstance(name, str) else f"{name:+d}" if name else "0"
            middle = left + view * (width + gap) + width / 2
            # The patient's name stands above the first image, which is named at its right end.
            side = {"x": middle, "ha": "center"} if view else {"x": left + width, "ha": "right"}
            axis.text(y=top - 0.15 * label, s=words, fontsize=5, va="bottom", color="0.35", **side)
    _show_page(axis, page, outline, images, 0.5)
    figure.suptitle(
        f"{title}\nRows: {', '.join(phases)}; numbers: slices from the largest section, axial where no plane is named",
        fontsize=7,
    )
    return figure


def plot_crops(
    images: np.ndarray, masks: np.ndarray, patients: Sequence[str], phases: Sequence[str], title: str
) -> plt.Figure:
    """The middle slice of each phase of each patient with the outline of the tumour, in the grey values of the network.

    Args:
        images: (patient, phase, slice, y, x). masks: (patient, slice, y, x), or (patient, phase, slice, y, x).
    """
    use_style()
    middle = images.shape[2] // 2
    shown = images[:, :, middle]
    outlines = masks[:, :, middle] if masks.ndim == 5 else np.repeat(masks[:, None, middle], len(phases), axis=1)
    side, gap, label = shown.shape[-1], max(1, shown.shape[-1] // 24), shown.shape[-1] // 4
    beside = max(1, ACROSS // len(phases))
    rows = -(-len(patients) // beside)
    wide = len(phases) * (side + gap) + 2 * gap
    page = np.full((rows * (side + label), beside * wide), np.nan)
    outline = np.zeros(page.shape)
    figure, axis = plt.subplots(figsize=(PAGE_INCHES, 0.4 + PAGE_INCHES * page.shape[0] / page.shape[1]))
    for index, patient in enumerate(patients):
        top, left = (index // beside) * (side + label) + label, (index % beside) * wide
        for phase in range(len(phases)):
            window = np.s_[top : top + side, left + phase * (side + gap) : left + phase * (side + gap) + side]
            page[window], outline[window] = shown[index, phase], outlines[index, phase] > 0
        axis.text(left, top - 0.12 * label, patient, fontsize=6, va="bottom")
    _show_page(axis, page, outline, images, 0.6)
    figure.suptitle(f"{title}. Each patient: {', '.join(phases)}", fontsize=7.5)
    return figure
