"""The 1037 PyRadiomics features of one mask, computed on a crop with the margin its filters need."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import SimpleITK as sitk

from hcc_recurrence.imaging.crops import bounding_box

FEATURE_CLASSES = ("shape", "firstorder", "glcm", "glrlm", "glszm", "ngtdm", "gldm")
# The recursive Gaussian behind the Laplacian has long tails: at 8 sigma some features still move by more
# than 1e-4 of their value, at 12 sigma none does (tests/unit/test_radiomics.py measures it).
MARGIN_SIGMAS = 12
# Filters of one wavelet level reach 6 voxels (coif1); nearer to the border PyRadiomics wraps round the
# whole volume, so there the whole axis is kept.
WAVELET_REACH = 8


def make_extractor(settings: Mapping[str, Any]) -> Any:
    """A PyRadiomics extractor of a named `radiomics` entry of the config.

    Normalisation is left out: it needs the whole volume and is done before cropping.
    """
    import radiomics
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    radiomics.logger.setLevel(logging.ERROR)
    extractor = RadiomicsFeatureExtractor(
        binWidth=settings["bin_width"],
        voxelArrayShift=settings["voxel_array_shift"],
        minimumROIDimensions=settings["minimum_roi_dimensions"],
        normalize=False,
        additionalInfo=False,
    )
    extractor.disableAllImageTypes()
    extractor.enableImageTypeByName("Original")
    if settings["log_sigma_mm"]:
        extractor.enableImageTypeByName("LoG", customArgs={"sigma": [float(s) for s in settings["log_sigma_mm"]]})
    if settings["wavelet"]:
        extractor.enableImageTypeByName(
            "Wavelet",
            customArgs={"wavelet": settings["wavelet"], "level": settings["wavelet_level"]},
        )
    extractor.disableAllFeatures()
    for name in FEATURE_CLASSES:
        extractor.enableFeatureClassByName(name)
    return extractor


def normalise(image: sitk.Image, settings: Mapping[str, Any]) -> sitk.Image:
    """PyRadiomics' own normalisation over the whole volume, where the settings ask for it."""
    from radiomics.imageoperations import normalizeImage

    if not settings["normalise"]:
        return image
    return normalizeImage(image, normalizeScale=settings["normalise_scale"])


def crop_bounds(
    mask: np.ndarray, spacing: Sequence[float], settings: Mapping[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Start and stop (z, y, x) of the crop that leaves every filtered voxel of the mask unchanged.

    Args:
        mask: 0/1 (z, y, x). spacing: (z, y, x) in mm.
    """
    first, last = bounding_box(mask)
    sigmas = [float(s) for s in settings["log_sigma_mm"] or [0.0]]
    margin = np.ceil(MARGIN_SIGMAS * max(sigmas) / np.array(spacing)).astype(int)
    margin = np.maximum(margin, WAVELET_REACH)
    start = np.maximum(first - margin, 0)
    stop = np.minimum(last + margin, mask.shape)
    near_border = (first < WAVELET_REACH) | (last > np.array(mask.shape) - WAVELET_REACH)
    return np.where(near_border, 0, start), np.where(near_border, mask.shape, stop)


def extract_features(
    image: sitk.Image, masks: Mapping[str, sitk.Image], settings: Mapping[str, Any]
) -> dict[str, dict[str, float]]:
    """Features of each mask of one image, by PyRadiomics' names.

    Args:
        image: a resampled volume, whole (normalisation needs it).
        masks: 0/1 on the image's grid, keyed by reader.
        settings: a named `radiomics` entry; `expected_features` is asserted.

    Raises: ValueError where the number of features is not the expected one or a feature is not finite.
    """
    extractor = make_extractor(settings)
    normalised = normalise(image, settings)
    results = {}
    for reader, mask in masks.items():
        array = sitk.GetArrayViewFromImage(mask)
        start, stop = crop_bounds(array, mask.GetSpacing()[::-1], settings)
        low, size = start[::-1].tolist(), (stop - start)[::-1].tolist()
        found = extractor.execute(sitk.RegionOfInterest(normalised, size, low), sitk.RegionOfInterest(mask, size, low))
        features = {name: float(value) for name, value in found.items()}
        if len(features) != settings["expected_features"]:
            raise ValueError(f"reader {reader}: {len(features)} features, expected {settings['expected_features']}")
        bad = [name for name, value in features.items() if not np.isfinite(value)]
        if bad:
            raise ValueError(
                f"reader {reader}: {len(bad)} features are not finite (first: {bad[0]}); "
                "the mask is probably too small or the image constant inside it"
            )
        results[reader] = features
    return results
