"""Whole axial slices of a series as a network of slices takes them, and masks of slices back on the series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from hcc_recurrence.imaging.crops import scale_window
from hcc_recurrence.imaging.resampling import normalise_intensity, resample_image


@dataclass(frozen=True)
class Planes:
    """Slices of one series: values (z, side, side) from 0 to 1, and the image that they are slices of.

    volume: the series with axes along L, P, S, its slices as far apart as those of `values`.
    """

    values: np.ndarray
    volume: sitk.Image


def axial_planes(image: sitk.Image, window: Sequence[float], side: int, z_mm: float, outside: float) -> Planes:
    """Axial slices, windowed, padded to a square, and reduced with antialiasing or enlarged.

    Args:
        image: as acquired. window: [low, high] in HU; empty for MR, which is scaled by mean and SD inside the body.
        side: pixels. z_mm: distance of the slices; 0 as they were acquired. outside: lowest value kept of CT, in HU.

    Raises: ValueError where pixels are not square.

    Source: Wang 2022, "Image preprocessing"; how slices are reduced is ours (docs/methods.md 2.2).
    """
    lowest = outside if len(window) else None
    turned = resample_image(image, [], outside=lowest)
    x, y, z = turned.GetSpacing()
    if z_mm and abs(z - z_mm) > 0.01:
        turned = resample_image(turned, [z_mm, y, x], outside=lowest)
    if abs(x - y) > 0.01 * max(x, y):
        raise ValueError(
            f"pixels of {y:g} by {x:g} mm are not square, and slices would be distorted. What to do: check that the "
            "series is axial, or leave the patient out"
        )
    if len(window):
        values = scale_window(sitk.GetArrayFromImage(turned), window)
    else:
        values = sitk.GetArrayFromImage(normalise_intensity(turned, "zscore_body"))
    return Planes(_resized(_squared(values.astype(np.float32)), side, nearest=False), turned)


def mask_planes(mask: sitk.Image, planes: Planes) -> np.ndarray:
    """A mask of the series on the same slices, 0/1, (z, side, side); nearest neighbour."""
    placed = sitk.Resample(mask, planes.volume, sitk.Transform(), sitk.sitkNearestNeighbor, 0, sitk.sitkUInt8)
    values = (sitk.GetArrayFromImage(placed) > 0).astype(np.float32)
    return _resized(_squared(values), planes.values.shape[-1], nearest=True).astype(np.uint8)


def mask_of_planes(predicted: np.ndarray, planes: Planes, image: sitk.Image) -> sitk.Image:
    """Probabilities of slices, (z, side, side), as a 0/1 mask on exactly the series' own grid.

    Probabilities are enlarged linearly and cut at 0.5, so that the outline is finer than the network's pixels.
    """
    height, width = planes.volume.GetSize()[1::-1]
    longest = max(height, width)
    enlarged = _resized(np.asarray(predicted, np.float32), longest, nearest=False)
    top, left = (longest - height) // 2, (longest - width) // 2
    inside = (enlarged[:, top : top + height, left : left + width] >= 0.5).astype(np.uint8)
    mask = sitk.GetImageFromArray(inside)
    mask.CopyInformation(planes.volume)
    return sitk.Resample(mask, image, sitk.Transform(), sitk.sitkNearestNeighbor, 0, sitk.sitkUInt8)


def largest_part(mask: sitk.Image) -> sitk.Image:
    """The largest connected part of a 0/1 mask; an empty mask as it is."""
    parts = sitk.RelabelComponent(sitk.ConnectedComponent(mask), sortByObjectSize=True)
    return sitk.Cast(parts == 1, sitk.sitkUInt8)


def tumour_and_other_slices(mask: np.ndarray, reach: int, generator: np.random.Generator) -> np.ndarray:
    """Every slice with tumour, and as many others drawn at random from those not further than `reach` from one.

    Source: docs/methods.md 2.3, which draws them from the liver; without a mask of the liver they are the neighbours.

    Args:
        mask: (z, y, x).

    Returns: positions of the slices, ascending.
    """
    there = mask.reshape(len(mask), -1).any(axis=1)
    inside = np.flatnonzero(there)
    if not len(inside):
        return inside
    near = np.arange(max(inside[0] - reach, 0), min(inside[-1] + reach + 1, len(mask)))
    others = near[~there[near]]
    drawn = generator.choice(others, min(len(others), len(inside)), replace=False)
    return np.sort(np.concatenate([inside, drawn]))


def _squared(values: np.ndarray) -> np.ndarray:
    """(z, y, x) padded on both sides to a square, with 0, the lowest value."""
    height, width = values.shape[1:]
    longest = max(height, width)
    top, left = (longest - height) // 2, (longest - width) // 2
    return np.pad(values, ((0, 0), (top, longest - height - top), (left, longest - width - left)))


def _resized(values: np.ndarray, side: int, nearest: bool) -> np.ndarray:
    """(z, n, n) to (z, side, side); linear, with antialiasing where it gets smaller."""
    import torch
    from torch.nn import functional

    if values.shape[-1] == side:
        return values
    tensor = torch.from_numpy(values)[:, None]
    if nearest:
        resized = functional.interpolate(tensor, (side, side), mode="nearest-exact")
    else:
        resized = functional.interpolate(tensor, (side, side), mode="bilinear", antialias=True)
    return resized[:, 0].numpy()
