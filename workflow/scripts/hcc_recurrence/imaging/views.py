"""Images of a tumour in several planes: what slice-level networks see (Zhang 2025; docs/methods.md 5.2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hcc_recurrence.imaging.crops import bounding_box, largest_plane, resize_rectangle
from hcc_recurrence.imaging.view_names import PLANES, parse_view


def tumour_views(
    images: Sequence[np.ndarray],
    mask: np.ndarray,
    views: Sequence[int | str],
    size: Sequence[int],
    margin: float,
    nearest: bool,
    masked: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Planes through the tumour, each cut to the bounding rectangle of its tumour section and resized.

    `axial`, `sagittal` and `coronal` are the largest sections in these planes; a name with an offset (`coronal+4`) is a
    slice beside one of them with the same rectangle, a number an axial slice (see `parse_view`). A slice beyond the
    volume repeats the last one. Sagittal and coronal ones have the head above.

    Args:
        images: one (z, y, x) volume a phase, on the mask's grid. mask: 0/1, places all phases. size: y, x in pixels; a
            rectangle of another shape is stretched. margin: on each side, as a share of the rectangle's extent there.
        nearest: neighbours instead of linear interpolation. masked: what lies outside the tumour gets the image's
            lowest value.

    Returns: (phase, view, y, x) float32, and the mask's (view, y, x) uint8.

    Raises: ValueError where a volume is not on the mask's grid, the mask is empty, or a view is unknown.
    """
    for image in images:
        if image.shape != mask.shape:
            raise ValueError(f"image {image.shape} and mask {mask.shape} are on different grids")
    places = [parse_view(view) for view in views]
    centres = {plane: largest_plane(mask, axis) for plane, axis in PLANES.items()}
    crops, outlines = [], []
    for plane, offset in places:
        axis, centre = PLANES[plane], centres[plane]
        index = int(np.clip(centre + offset, 0, mask.shape[axis] - 1))
        first, stop = bounding_box(_plane(mask, axis, centre) > 0)
        box = (first - (stop - first) * margin, (stop - first) * (1 + 2 * margin))

        def cut(volume: np.ndarray, order: int, axis=axis, index=index, box=box) -> np.ndarray:
            return resize_rectangle(_plane(volume, axis, index), *box, size, order, float(volume.min()))

        outline = cut((mask > 0).astype(np.uint8), 0)
        outlines.append(outline)
        pictures = [cut(image, 0 if nearest else 1) for image in images]
        if masked:
            pictures = [np.where(outline > 0, p, i.min()) for p, i in zip(pictures, images, strict=True)]
        crops.append(pictures)
    return np.array(crops, np.float32).swapaxes(0, 1), np.array(outlines, np.uint8)


def _plane(volume: np.ndarray, axis: int, index: int) -> np.ndarray:
    flat = np.take(volume, index, axis=axis)
    # z grows towards the head.
    return flat if axis == 0 else flat[::-1]
