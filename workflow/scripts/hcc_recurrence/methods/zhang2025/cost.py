"""Zhang 2025: what training its networks takes. Read where jobs are planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hcc_recurrence.networks.architectures import judged_at_once, slice_networks

# Bytes that training keeps a pixel of three phases (DenseNet121, measured by tests/unit/test_slice_networks.py) and a
# voxel of all phases (ResNet-18 in 3D, measured once, 972).
SLICE_BYTES = 2800
VOLUME_BYTES = 1100
# Bytes a voxel of all phases that a 3D network takes where it judges: 26 boxes of 96 x 96 x 96 were measured, 16.5 GB
# in all, and 14, 10.9 GB (ResNet-18 in 3D).
JUDGED_VOLUME_BYTES = 560


def training_mb(settings: Mapping[str, Any], network: str, batch: int, size: Sequence[int]) -> float:
    """MB to train a network: the images or boxes of 300 patients, twice; weights, momentum and the best weights (of a
    VGG19 where images are read); a batch that learns, or where that takes more, boxes that are judged. Of 300 patients
    9180 MB were measured (ResNet101), and 11975 MB (ResNet-18 in 3D learns).
    """
    z, y, x = size
    if network in slice_networks(settings):
        return 4500 + (300 * z * 24 + batch * SLICE_BYTES) * y * x / 1e6
    judged = judged_at_once(z * y * x) * JUDGED_VOLUME_BYTES
    return 3000 + (300 * 12 + max(batch * VOLUME_BYTES, judged)) * z * y * x / 1e6
