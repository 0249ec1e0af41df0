"""The 1037 PyRadiomics features of every mask of one image: filters once an image, shape once a mask."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import SimpleITK as sitk

from hcc_recurrence.imaging.crops import bounding_box, crop_with_padding
from hcc_recurrence.radiomics.features import Region, feature_names, region_features
from hcc_recurrence.radiomics.filters import Box, filtered_images
from hcc_recurrence.radiomics.shape import ShapeFeatures

logging.getLogger("radiomics").setLevel(logging.ERROR)


def check_mask(box: Box, settings: Mapping[str, Any]) -> None:
    """Raises: ValueError where a mask extends over more than one voxel along fewer axes than the settings ask for."""
    extended = int((box[1] - box[0] > 1).sum())
    if extended < settings["minimum_roi_dimensions"]:
        raise ValueError(
            f"the mask is more than one voxel wide along {extended} axes only; "
            f"radiomics needs {settings['minimum_roi_dimensions']}: check the mask, or leave the patient out"
        )


def shape_features(mask: np.ndarray, spacing: np.ndarray) -> dict[str, float]:
    """PyRadiomics' 14 shape features of a mask (z, y, x; bool), spacing (z, y, x) in mm."""
    shape = ShapeFeatures(mask, spacing)
    return {name: float(getattr(shape, f"get{name}FeatureValue")()) for name in feature_names(ShapeFeatures)}


def extract_features(
    image: sitk.Image, masks: Mapping[str, sitk.Image], settings: Mapping[str, Any]
) -> dict[str, dict[str, float]]:
    """Features of each mask of one image, by PyRadiomics' names and in its order.

    Args:
        image: a resampled volume, whole (normalisation needs it).
        masks: 0/1 on the image's grid, keyed by reader.
        settings: a named `radiomics` entry; `expected_features` is asserted.

    Raises: ValueError where a mask is empty or flat, the number of features is not the expected one or a feature is
    not finite.
    """
    spacing = np.array(image.GetSpacing()[::-1])
    boxes, inside, results = {}, {}, {}
    for reader, mask in masks.items():
        whole = sitk.GetArrayViewFromImage(mask)
        try:
            boxes[reader] = bounding_box(whole)
            check_mask(boxes[reader], settings)
        except ValueError as error:
            raise ValueError(f"reader {reader}: {error}") from error
        inside[reader] = crop_with_padding(whole, *boxes[reader]) == 1
        shape = shape_features(inside[reader], spacing)
        results[reader] = {f"original_shape_{name}": value for name, value in shape.items()}
    together = np.min([b[0] for b in boxes.values()], axis=0), np.max([b[1] for b in boxes.values()], axis=0)
    how = (settings["bin_width"], float(np.prod(spacing)), settings["voxel_array_shift"])
    for kind, values in filtered_images(image, together, settings):
        for reader, (first, last) in boxes.items():
            own = crop_with_padding(values, first - together[0], last - together[0])
            region = Region(own, inside[reader], *how)
            results[reader].update((f"{kind}_{name}", value) for name, value in region_features(region))
    for reader, features in results.items():
        check_features(reader, features, settings["expected_features"])
    return results


def check_features(reader: str, features: Mapping[str, float], expected: int) -> None:
    """Raises: ValueError where there are more or fewer features than expected, or one is not finite."""
    if len(features) != expected:
        raise ValueError(f"reader {reader}: {len(features)} features, expected {expected}")
    bad = [name for name, value in features.items() if not np.isfinite(value)]
    if bad:
        raise ValueError(
            f"reader {reader}: {len(bad)} features are not finite (first: {bad[0]}); "
            "the mask is probably too small or the image constant inside it"
        )
