"""Names of segments in the NRRD that 3D Slicer saves: in its header, for values of one layer or of several.

Segments that overlap lie in layers, which an image has as several values a voxel.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import SimpleITK as sitk


class Segment(NamedTuple):
    """Where a named segment is: a value in a layer of the image."""

    name: str
    layer: int
    value: float


def segments_of(image: sitk.Image) -> list[Segment]:
    """The named segments of an image as 3D Slicer saves them, in its order; empty for any other image."""
    found = []
    for key in image.GetMetaDataKeys():
        match = re.fullmatch(r"Segment(\d+)_Name", key)
        if match and image.HasMetaDataKey(f"Segment{match[1]}_LabelValue"):
            stem = f"Segment{match[1]}"
            layer = image.GetMetaData(f"{stem}_Layer") if image.HasMetaDataKey(f"{stem}_Layer") else "0"
            value = float(image.GetMetaData(f"{stem}_LabelValue"))
            found.append((int(match[1]), Segment(image.GetMetaData(key), int(layer), value)))
    return [segment for _, segment in sorted(found)]


def voxels_of(array: np.ndarray, segments: Sequence[Segment]) -> np.ndarray:
    """Voxels of any of the segments, (z, y, x); array: (z, y, x) or (z, y, x, layer)."""
    layers = array.reshape(*array.shape[:3], -1)
    inside = np.zeros(layers.shape[:3], bool)
    for segment in segments:
        inside |= layers[..., segment.layer] == segment.value
    return inside
