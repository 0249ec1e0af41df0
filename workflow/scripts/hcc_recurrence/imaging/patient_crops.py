"""The crop of one patient as an entry of `crops` defines it: what a network sees of the tumour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import SimpleITK as sitk

from hcc_recurrence.imaging.crops import crop_phases, largest_nodule, scale_window, tumour_slices
from hcc_recurrence.imaging.views import tumour_views


def placing_phases(crop: Mapping[str, Any], phases: Sequence[str]) -> list[str]:
    """The phases whose masks place the crop: each by its own, or all by that of the first."""
    return list(phases if crop["place"] == "each_phase" else phases[:1])


def crop_of_patient(
    images: Sequence[sitk.Image], masks: Sequence[sitk.Image], phases: Sequence[str], crop: Mapping[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """All phases of one patient about the tumour.

    Args:
        images: one a phase, on the grid of the crop. masks: of the phases of `placing_phases`, on the same grid.
        crop: an entry of `crops`: fit, size_voxels, window, masked, nodule, place, margin, resize, views.

    Returns: (phase, z, y, x) float32, and the tumour in it, 0/1: (z, y, x), or (phase, z, y, x) where each phase has
        its own.

    Raises: ValueError where pixels of slices are not square, or an image is not on its mask's grid.
    """
    window = crop["window"] or None
    arrays = [sitk.GetArrayFromImage(image) for image in images]
    tumours = [sitk.GetArrayFromImage(mask) for mask in masks]
    if crop["nodule"] == "largest":
        tumours = [largest_nodule(mask) for mask in tumours]
    if crop["fit"] == "voxels":
        return crop_phases(arrays, tumours[0], crop["size_voxels"], window, crop["masked"])
    for phase, image in zip(phases, images, strict=True):
        x, y = image.GetSpacing()[:2]
        if abs(x - y) > 0.01 * max(x, y):
            raise ValueError(
                f"{phase}: pixels of {y:g} by {x:g} mm are not square, and slices would be distorted. "
                "What to do: give the grid of these crops a spacing_mm"
            )
    arrays = [scale_window(array, window) if window else array for array in arrays]
    if crop["fit"] == "views":
        how = (crop["margin"], crop["resize"] == "nearest", crop["masked"])
        return tumour_views(arrays, tumours[0], crop["views"], crop["size_voxels"][1:], *how)
    data, inside = tumour_slices(arrays, tumours, crop["size_voxels"], crop["margin"], crop["masked"])
    return data, inside if crop["place"] == "each_phase" else inside[0]
