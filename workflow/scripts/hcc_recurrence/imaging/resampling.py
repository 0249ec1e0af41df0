"""Resampling onto isotropic or other grids, bias correction and intensity normalisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import SimpleITK as sitk

# Voxels of another image, and the transform from their points to those of the image that is brought onto them.
Placed = tuple[sitk.Image, sitk.Transform]
INTERPOLATORS = {
    "linear": sitk.sitkLinear,
    "nearest": sitk.sitkNearestNeighbor,
    "bspline": sitk.sitkBSpline,
}

# Of the image from which N4 estimates its field, along each axis: what 3D Slicer shrinks by.
SHRUNK_FOR_N4 = 4


def target_grid(image: sitk.Image, spacing: Sequence[float]) -> sitk.Image:
    """An empty image with the wanted spacing over the same box as `image`, axes along L, P, S.

    The box, not the first voxel centre, is kept, so no half voxel is lost on one side.

    Args:
        spacing: (z, y, x) in mm.
    """
    old_spacing = np.array(image.GetSpacing())
    new_spacing = np.array(list(spacing)[::-1], float)
    size = np.maximum(np.rint(np.array(image.GetSize()) * old_spacing / new_spacing), 1).astype(int)
    direction = np.array(image.GetDirection()).reshape(3, 3)
    origin = np.array(image.GetOrigin()) + direction @ ((new_spacing - old_spacing) / 2)
    grid = sitk.Image([int(n) for n in size], sitk.sitkUInt8)
    grid.SetSpacing(new_spacing.tolist())
    grid.SetOrigin(origin.tolist())
    grid.SetDirection(image.GetDirection())
    return grid


def resample_image(
    image: sitk.Image,
    spacing: Sequence[float],
    interpolator: str = "linear",
    outside: float | None = None,
    placed: Placed | None = None,
) -> sitk.Image:
    """Resample to `spacing` (z, y, x; mm) as float32, axes turned to L, P, S first.

    Args:
        spacing: empty keeps the voxels as they were acquired.
        outside: value beyond the field of view, and the lowest value kept (CT: -1024, because scanners pad
            with values far below air that would bleed into the edge). None takes the image's minimum.
        placed: the voxels to take instead of `spacing`, and where their points lie in the image.

    Source: linear interpolation, Cui 2022 Methods and Zhao 2024 "Image segmentation and preprocessing".
    """
    turned = sitk.Cast(sitk.DICOMOrient(image, "LPS"), sitk.sitkFloat32)
    if outside is None:
        outside = float(sitk.GetArrayViewFromImage(turned).min())
    else:
        turned = sitk.Maximum(turned, outside)
    if placed is None and not len(spacing):
        return turned
    grid, transform = placed or (target_grid(turned, spacing), sitk.Transform())
    return sitk.Resample(turned, grid, transform, INTERPOLATORS[interpolator], outside)


def resample_mask(mask: sitk.Image, spacing: Sequence[float], placed: Placed | None = None) -> sitk.Image:
    """Resample a 0/1 mask by nearest neighbour onto the grid that `resample_image` makes."""
    turned = sitk.DICOMOrient(mask, "LPS")
    if placed is None and not len(spacing):
        return sitk.Cast(turned, sitk.sitkUInt8)
    grid, transform = placed or (target_grid(turned, spacing), sitk.Transform())
    return sitk.Resample(turned, grid, transform, sitk.sitkNearestNeighbor, 0, sitk.sitkUInt8)


def correct_bias(
    image: sitk.Image, iterations: Sequence[int], convergence: float, shrink: int = SHRUNK_FOR_N4
) -> sitk.Image:
    """N4 bias field correction: field estimated on the shrunk image inside an Otsu mask, applied whole.

    Source: Yan 2023, "MRI acquisition and preprocessing" (N4 in 3D Slicer; settings not stated). As that module does
    unless told otherwise: an Otsu mask of 200 bins, shrunk by 4, 4 x 4 x 4 control points on the first level. MR only.

    Args:
        iterations: at most, of each level; control points are twice as dense a level. Four levels, as ITK has them by
            itself, follow a tumour: of the bright ones they take a third of the signal for a part of the field.
        convergence: a level ends where the field changes by less.
    """
    image = sitk.Cast(image, sitk.sitkFloat32)
    inside = sitk.OtsuThreshold(image, 0, 1, 200)
    factors = [min(shrink, max(n // 8, 1)) for n in image.GetSize()]
    corrector = sitk.N4BiasFieldCorrectionImageFilter()
    corrector.SetMaximumNumberOfIterations(list(iterations))
    corrector.SetConvergenceThreshold(convergence)
    corrector.Execute(sitk.Shrink(image, factors), sitk.Shrink(inside, factors))
    field = sitk.Cast(corrector.GetLogBiasFieldAsImage(image), sitk.sitkFloat32)
    return image / sitk.Exp(field)


def normalise_intensity(image: sitk.Image, method: str) -> sitk.Image:
    """Normalise intensities of a whole volume.

    Args:
        method: `none`; `zscore_body` (mean and SD inside an Otsu body mask, clipped to +-3 SD, then
            [0, 1]; docs/methods.md 4.2); `percentile_0_255` (0.5 to 99.5 percentile to 0-255; docs/methods.md 3.2);
            `minmax_0_255` (lowest to highest value to 0-255; the other reading of Yan 2023, "MRI acquisition").

    Raises: ValueError for another method.
    """
    if method == "none":
        return image
    array = sitk.GetArrayFromImage(image).astype(np.float64)
    if method == "zscore_body":
        # A copy: a view of an image that nothing holds reads freed memory.
        body = sitk.GetArrayFromImage(sitk.OtsuThreshold(image, 0, 1, 200)) > 0
        mean, deviation = array[body].mean(), array[body].std()
        result = (np.clip((array - mean) / deviation, -3, 3) + 3) / 6
    elif method in ("percentile_0_255", "minmax_0_255"):
        low, high = np.percentile(array, [0.5, 99.5] if method == "percentile_0_255" else [0, 100])
        if not high > low:
            raise ValueError("the image has one grey value only: nothing can be mapped to 0-255")
        result = np.clip((array - low) / (high - low), 0, 1) * 255
    else:
        raise ValueError(f"unknown normalisation {method!r}")
    normalised = sitk.GetImageFromArray(result.astype(np.float32))
    normalised.CopyInformation(image)
    return normalised


def prepare_image(
    image: sitk.Image, grid: Mapping[str, Any], modality: str, placed: Placed | None = None
) -> sitk.Image:
    """An acquired image on a named grid: bias correction, then resampling; normalisation follows.

    Args:
        grid: an entry of the config's `grids`. modality: CT or MR; N4 is refused for CT. placed: as `resample_image`.

    Raises: ValueError where N4 is asked for CT.
    """
    if grid["bias_correction"] == "n4":
        if modality == "CT":
            raise ValueError("N4 bias correction is for MR; set bias_correction: none for this grid")
        image = correct_bias(image, grid["n4_iterations"], grid["n4_convergence"])
    outside = grid["outside_hu"] if modality == "CT" else None
    return resample_image(image, grid["spacing_mm"], grid["interpolator"], outside, placed)


def prepare_patient(
    images: Mapping[str, sitk.Image],
    masks: Mapping[str, sitk.Image],
    grid: Mapping[str, Any],
    modality: str,
    transforms: Mapping[str, sitk.Transform],
) -> tuple[dict[str, sitk.Image], dict[str, sitk.Image]]:
    """All images and masks of a patient on a named grid, before normalisation.

    Where the grid registers, each phase and its masks come onto the voxels of the reference phase in one step: every
    voxel is interpolated once.

    Args:
        images: phase -> image as acquired. masks: `phase.reader` -> mask. grid: an entry of the config's `grids`.
        modality: CT or MR. transforms: phase -> from points of the reference phase to points of this one; of every
            phase but the reference where the grid registers, else none.

    Returns: images and masks, in the order given.

    Raises: ValueError where the patient has no series of the reference phase, or N4 is asked for CT. KeyError where a
    phase has no transform.
    """
    reference = grid["register_to"]
    if not reference:
        prepared = {name: prepare_image(image, grid, modality) for name, image in images.items()}
        return prepared, {name: resample_mask(mask, grid["spacing_mm"]) for name, mask in masks.items()}
    if reference not in images:
        raise ValueError(f"the grid registers to the {reference} phase, which this patient does not have")
    voxels = prepare_image(images[reference], grid, modality)

    def placed(phase: str) -> Placed | None:
        return None if phase == reference else (voxels, transforms[phase])

    prepared = {
        name: voxels if name == reference else prepare_image(image, grid, modality, placed(name))
        for name, image in images.items()
    }
    return prepared, {
        name: resample_mask(mask, grid["spacing_mm"], placed(name.split(".")[0])) for name, mask in masks.items()
    }
