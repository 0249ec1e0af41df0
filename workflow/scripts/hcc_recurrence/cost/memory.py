"""Memory of a job that trains a U-Net, which goes with its patients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hcc_recurrence.networks.architectures import JUDGED_SLICES

# Slices of a patient who trains (with tumour and as many without) and of one who chooses the epoch, 1 mm apart: a large
# liver. Bytes of a pixel of each: slice and mask twice while they are joined, and the mask as a number; slice and mask.
FITTED_SLICES, FITTED_BYTES = 120, 14
INNER_SLICES, INNER_BYTES = 300, 5
# Bytes of a pixel and channel of the first level of slices that are judged.
JUDGED_BYTES = 50


def unet_training_mb(unet: Mapping[str, Any], drawn: int, learning_bytes: float) -> float:
    """MB to train the U-Net of one phase.

    Measured at 256 x 256 and 64 channels: 9078 MB with 10 patients, 10543 with 30.

    Args:
        unet: side_pixels, channels, batch, inner_fraction. drawn: patients who train it or choose its epoch.
        learning_bytes: that a batch keeps of a pixel and channel of the first level.
    """
    pixels, channels = unet["side_pixels"] ** 2, unet["channels"][0]
    inner = unet["inner_fraction"]
    slices = drawn * ((1 - inner) * FITTED_SLICES * FITTED_BYTES + inner * INNER_SLICES * INNER_BYTES)
    step = channels * max(unet["batch"] * learning_bytes, JUDGED_SLICES * JUDGED_BYTES)
    return 2000 + (slices + step) * pixels / 1e6
