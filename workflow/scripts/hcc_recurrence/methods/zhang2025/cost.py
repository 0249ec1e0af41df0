"""Zhang 2025: what training its networks takes. Read where jobs are planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hcc_recurrence.networks.architectures import slice_networks

# Bytes that training keeps a pixel of three phases (DenseNet121, measured by tests/unit/test_slice_networks.py) and a
# voxel of all phases (ResNet-18 in 3D, measured once, 972).
SLICE_BYTES = 2800
VOLUME_BYTES = 1100


def training_mb(settings: Mapping[str, Any], network: str, batch: int, size: Sequence[int]) -> float:
    """MB to train a network: the images or boxes of 300 patients, twice; weights, momentum and the best weights (of a
    VGG19 where images are read); a batch. Of 60 patients 5897 MB were measured (ResNet101).
    """
    z, y, x = size
    if network in slice_networks(settings):
        return 4500 + (300 * z * 24 + batch * SLICE_BYTES) * y * x / 1e6
    return 3000 + (300 * 12 + batch * VOLUME_BYTES) * z * y * x / 1e6
