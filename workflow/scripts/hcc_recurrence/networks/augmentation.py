"""Augmentation of training patients."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional


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


def random_affine(
    images: torch.Tensor, rotation_deg: float, scale: float, shift: float, generator: torch.Generator
) -> torch.Tensor:
    """Each patient rotated, scaled, shifted and flipped at random in plane, all phases and slices alike.

    Args:
        images: (n, phase, slice, y, x). rotation_deg: up to so many degrees either way. scale: by up to this share.
            shift: by up to this share of the side. Flips along y and x each have a chance of one half.

    Source: Zhao 2024, "Deep learning" (rotation, scaling, flipping, shifting; how much is not stated).
    """
    number = len(images)

    def between(bound: float, columns: int = 1) -> torch.Tensor:
        return (torch.rand(number, columns, generator=generator) * 2 - 1) * bound

    angle = between(math.radians(rotation_deg))[:, 0]
    size = 1 + between(scale)[:, 0]
    flip = (torch.rand(number, 2, generator=generator) < 0.5).float() * 2 - 1
    theta = torch.zeros(number, 2, 3)
    theta[:, 0, 0], theta[:, 0, 1] = torch.cos(angle), -torch.sin(angle)
    theta[:, 1, 0], theta[:, 1, 1] = torch.sin(angle), torch.cos(angle)
    theta[:, :, :2] *= size[:, None, None] * flip[:, :, None]
    # The sampling grid has a side of 2.
    theta[:, :, 2] = between(2 * shift, 2)
    theta = theta.to(images.device)
    flat = images.flatten(1, 2)
    grid = functional.affine_grid(theta, list(flat.shape), align_corners=False)
    moved = functional.grid_sample(flat, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return moved.reshape(images.shape)
