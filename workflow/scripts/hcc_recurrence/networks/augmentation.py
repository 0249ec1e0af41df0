"""Augmentation of training patients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def shift_in_plane(volume: np.ndarray, shift: Sequence[int]) -> np.ndarray:
    """Move a (z, y, x) volume by whole pixels along y and x; what comes in is 0."""
    moved = np.zeros_like(volume)
    target, source = [slice(None)], [slice(None)]
    for step, size in zip(shift, volume.shape[1:], strict=True):
        target.append(slice(max(step, 0), size + min(step, 0)))
        source.append(slice(max(-step, 0), size + min(-step, 0)))
    moved[tuple(target)] = volume[tuple(source)]
    return moved


def seven_versions(volume: np.ndarray, largest_shift: int, generator: np.random.Generator) -> list[np.ndarray]:
    """The volume and its six in-plane variants of Cui 2022 (METHODS.md 1.3).

    As it is, up-down flip, left-right flip, a random translation, rotation by 90, 180 and 270 degrees.

    Args:
        volume: (z, y, x), square in plane. largest_shift: pixels, along y and x each.
    """
    shift = generator.integers(-largest_shift, largest_shift + 1, 2)
    turned = [np.rot90(volume, k, axes=(1, 2)) for k in (1, 2, 3)]
    versions = [volume, volume[:, ::-1], volume[:, :, ::-1], shift_in_plane(volume, shift), *turned]
    return [np.ascontiguousarray(v) for v in versions]
