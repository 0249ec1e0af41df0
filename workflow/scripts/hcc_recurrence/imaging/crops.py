"""Boxes about a tumour: what a network or a figure sees of a volume."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hcc_recurrence.imaging.view_names import BOUNDING_BOX


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
    """Clip to [low, high] and scale to [0, 1] as float32 (Cui: docs/methods.md 1.2; Wang: 2.2; Zhang: 5.2)."""
    low, high = window
    return ((np.clip(array, low, high) - low) / (high - low)).astype(np.float32)


def crop_phases(
    images: Sequence[np.ndarray],
    mask: np.ndarray,
    size: Sequence[int],
    window: Sequence[float] | None,
    masked: bool | str,
) -> tuple[np.ndarray, np.ndarray]:
    """Network input of one patient, (phase, z, y, x) float32, and the mask in the same box, (z, y, x) uint8.

    Args:
        images: one (z, y, x) volume a phase, all on the mask's grid.
        mask: 0/1 on that grid; its bounding box centres the crop of every phase.
        size: (z, y, x) in voxels.
        window: (low, high) in the image's units, scaled to [0, 1]; None keeps the values.
        masked: set what lies outside the mask to 0 after scaling (Cui's segmentation sampling); `bounding_box`: outside
            the tumour's bounding box (the other reading of Cui's non-segmentation sampling, docs/methods.md 1.2).

    Raises: ValueError where a volume is not on the mask's grid.
    """
    for image in images:
        if image.shape != mask.shape:
            raise ValueError(f"image {image.shape} and mask {mask.shape} are on different grids")
    start, stop = centred_box(mask, size)
    inside = crop_with_padding(mask, start, stop)
    kept = inside > 0
    if masked == BOUNDING_BOX:
        low, high = (np.clip(edge - start, 0, size) for edge in bounding_box(mask))
        kept = np.zeros(inside.shape, bool)
        kept[tuple(map(slice, low, high))] = True
    crops = []
    for image in images:
        scaled = scale_window(image, window) if window is not None else image.astype(np.float32)
        crop = crop_with_padding(scaled, start, stop)
        crops.append(np.where(kept, crop, 0) if masked else crop)
    return np.stack(crops).astype(np.float32), (inside > 0).astype(np.uint8)


def largest_plane(mask: np.ndarray, axis: int) -> int:
    """Index along an axis of the plane with the most voxels; the middle one of several equal ones.

    Raises: ValueError where the mask is empty.
    """
    areas = (mask > 0).sum(axis=tuple(a for a in range(mask.ndim) if a != axis))
    if not areas.any():
        raise ValueError("the mask is empty")
    largest = np.flatnonzero(areas == areas.max())
    return int(largest[len(largest) // 2])


def largest_nodule(mask: np.ndarray) -> np.ndarray:
    """0/1 of the connected part of a mask with the most voxels; touching by a corner is connected.

    Yan 2023 does not say which of several nodules was measured; the largest is our reading (docs/methods.md 3.1).
    """
    from scipy.ndimage import label

    parts, number = label(mask > 0, structure=np.ones((3,) * mask.ndim))
    if number < 2:
        return (mask > 0).astype(np.uint8)
    return (parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))).astype(np.uint8)


def square_about(section: np.ndarray, margin: float) -> tuple[np.ndarray, float]:
    """Corner (y, x) and side of a square about a section of a tumour, in pixels; the corner need not be whole.

    Args:
        section: 0/1, (y, x). margin: on each side, as a share of the larger extent.
    """
    first, last = bounding_box(section)
    side = float((last - first).max()) * (1 + 2 * margin)
    return (first + last) / 2 - side / 2, side


def resize_rectangle(
    image: np.ndarray, corner: np.ndarray, extent: np.ndarray, size: Sequence[int], order: int, fill: float
) -> np.ndarray:
    """A rectangle of a (y, x) image on `size` pixels (y, x); order 1 is linear, 0 nearest; `fill` beyond the image.

    Args:
        corner, extent: y, x in pixels of the image; they need not be whole.

    Pixel i of the result has its middle at (i + 0.5) / size of the side.
    """
    from scipy.ndimage import map_coordinates

    places = [(np.arange(n) + 0.5) * e / n - 0.5 + c for n, e, c in zip(size, extent, corner, strict=True)]
    coordinates = np.meshgrid(*places, indexing="ij")
    return map_coordinates(image, coordinates, order=order, mode="constant", cval=fill)


def resize_square(image: np.ndarray, corner: np.ndarray, side: float, size: int, order: int, fill: float) -> np.ndarray:
    """A square of a (y, x) image on `size` by `size` pixels; see `resize_rectangle`."""
    return resize_rectangle(image, corner, np.array([side, side]), (size, size), order, fill)


def tumour_slices(
    images: Sequence[np.ndarray], masks: Sequence[np.ndarray], size: Sequence[int], margin: float, masked: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Consecutive slices at the largest cross-section of the tumour, in a square about it, resized.

    With one mask the slices and the square are the same for all phases (Zhao 2024); with a mask a phase each phase has
    its own (Yan 2023). A slice beyond the volume repeats the last one; what lies beside the volume gets the image's
    lowest value.

    Args:
        images: one (z, y, x) volume a phase, on its mask's grid. masks: 0/1, of the reference phase or one a phase.
        size: slices, pixels, pixels (square). margin: on each side, as a share of the larger extent.
        masked: set what lies outside the tumour to the image's lowest value.

    Returns: (phase, slice, y, x) float32, and the masks' (mask, slice, y, x) uint8.

    Raises: ValueError where a volume is not on its mask's grid, a mask is empty, or the size is not square.

    Source: Zhao 2024, "Deep learning"; Yan 2023, "Image segmentation and DL feature extraction"; docs/methods.md 4.4
    and 3.2.
    """
    number, pixels = size[0], size[1]
    if size[1] != size[2]:
        raise ValueError(f"size_voxels {list(size)}: y and x must be equal, the crop is a square")
    places = []
    for mask in masks:
        middle = largest_plane(mask, 0)
        chosen = np.clip(np.arange(number) - number // 2 + middle, 0, mask.shape[0] - 1)
        places.append((chosen, *square_about(mask[middle] > 0, margin)))
    outlines = np.array(
        [
            [resize_square((mask[z] > 0).astype(np.uint8), corner, side, pixels, 0, 0) for z in chosen]
            for mask, (chosen, corner, side) in zip(masks, places, strict=True)
        ],
        np.uint8,
    )
    crops = []
    for index, image in enumerate(images):
        own = index if len(masks) > 1 else 0
        if image.shape != masks[own].shape:
            raise ValueError(f"image {image.shape} and mask {masks[own].shape} are on different grids")
        chosen, corner, side = places[own]
        lowest = float(image.min())
        crop = np.array([resize_square(image[z], corner, side, pixels, 1, lowest) for z in chosen])
        crops.append(np.where(outlines[own] > 0, crop, lowest) if masked else crop)
    return np.array(crops, np.float32), outlines


def mask_volume_ml(mask: np.ndarray, spacing_mm: Sequence[float]) -> float:
    """Volume of the voxels above 0, in mL.

    Args:
        mask: (z, y, x). spacing_mm: of the three axes, in any order.
    """
    return int((mask > 0).sum()) * float(np.prod(spacing_mm)) / 1000
