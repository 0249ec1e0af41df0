"""Boxes about a tumour: what a network or a figure sees of a volume."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def bounding_box(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and last-plus-one index of a mask along each axis.

    Raises: ValueError where the mask is empty.
    """
    if not mask.any():
        raise ValueError("the mask is empty")
    axes = range(mask.ndim)
    spans = [np.flatnonzero(mask.any(axis=tuple(a for a in axes if a != axis))) for axis in axes]
    return np.array([s[0] for s in spans]), np.array([s[-1] + 1 for s in spans])


def centred_box(mask: np.ndarray, size: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """The box of `size` voxels (z, y, x) about the centre of the mask's bounding box.

    May reach beyond the volume; the window is [c - size // 2, c - size // 2 + size).
    """
    first, last = bounding_box(mask)
    start = (first + last) // 2 - np.array(size) // 2
    return start, start + np.array(size)


def crop_with_padding(array: np.ndarray, start: np.ndarray, stop: np.ndarray, fill: float = 0.0) -> np.ndarray:
    """Cut [start, stop) from an array; what lies beyond the array gets `fill`."""
    out = np.full(tuple(int(n) for n in stop - start), fill, dtype=array.dtype)
    inner_start = np.maximum(start, 0)
    inner_stop = np.minimum(stop, array.shape)
    if (inner_stop > inner_start).all():
        source = tuple(slice(a, b) for a, b in zip(inner_start, inner_stop, strict=True))
        target = tuple(slice(a - s, b - s) for a, b, s in zip(inner_start, inner_stop, start, strict=True))
        out[target] = array[source]
    return out


def window_bounds(level: float, width: float) -> tuple[float, float]:
    """Lowest and highest value of a window given by its level and width, in HU."""
    return level - width / 2, level + width / 2


def scale_window(array: np.ndarray, window: Sequence[float]) -> np.ndarray:
    """Clip to [low, high] and scale to [0, 1] as float32 (Cui: METHODS 1.2; Wang: 2.2; Zhang: 5.2)."""
    low, high = window
    return ((np.clip(array, low, high) - low) / (high - low)).astype(np.float32)


def crop_phases(
    images: Sequence[np.ndarray],
    mask: np.ndarray,
    size: Sequence[int],
    window: Sequence[float] | None,
    masked: bool,
) -> np.ndarray:
    """Network input of one patient: (phase, z, y, x) float32.

    Args:
        images: one (z, y, x) volume a phase, all on the mask's grid.
        mask: 0/1 on that grid; its bounding box centres the crop of every phase.
        size: (z, y, x) in voxels.
        window: (low, high) in the image's units, scaled to [0, 1]; None keeps the values.
        masked: set what lies outside the mask to 0 after scaling (Cui's segmentation sampling).

    Raises: ValueError where a volume is not on the mask's grid.
    """
    for image in images:
        if image.shape != mask.shape:
            raise ValueError(f"image {image.shape} and mask {mask.shape} are on different grids")
    start, stop = centred_box(mask, size)
    inside = crop_with_padding(mask, start, stop)
    crops = []
    for image in images:
        scaled = scale_window(image, window) if window is not None else image.astype(np.float32)
        crop = crop_with_padding(scaled, start, stop)
        crops.append(np.where(inside > 0, crop, 0) if masked else crop)
    return np.stack(crops).astype(np.float32)


def mask_volume_ml(mask: np.ndarray, spacing_mm: Sequence[float]) -> float:
    """Volume of the voxels above 0, in mL.

    Args:
        mask: (z, y, x). spacing_mm: of the three axes, in any order.
    """
    return int((mask > 0).sum()) * float(np.prod(spacing_mm)) / 1000
