"""Augmentation of training patients."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

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
    """The volume and its six in-plane variants of Cui 2022 (docs/methods.md 1.3).

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
    angle = _between(math.radians(rotation_deg), number, 1, generator)[:, 0]
    size = 1 + _between(scale, number, 1, generator)[:, 0]
    flip = _flips(number, generator)
    theta = torch.zeros(number, 2, 3)
    theta[:, 0, 0], theta[:, 0, 1] = torch.cos(angle), -torch.sin(angle)
    theta[:, 1, 0], theta[:, 1, 1] = torch.sin(angle), torch.cos(angle)
    theta[:, :, :2] *= size[:, None, None] * flip[:, :, None]
    # The sampling grid has a side of 2.
    theta[:, :, 2] = _between(2 * shift, number, 2, generator)
    return _resampled(images, theta)


def random_crop(images: torch.Tensor, crop: float, generator: torch.Generator) -> torch.Tensor:
    """A window of each image at a random place, enlarged to the image's size, and flipped at random; phases alike.

    Args:
        images: (n, phase, slice, y, x). crop: side of the window as a share of the image's. Flips along y and x each
            have a chance of one half.

    Source: docs/methods.md 5.4 (random crop, horizontal and vertical flip; how much is cropped is not stated).
    """
    number = len(images)
    theta = torch.zeros(number, 2, 3)
    flip = _flips(number, generator)
    theta[:, 0, 0], theta[:, 1, 1] = crop * flip[:, 0], crop * flip[:, 1]
    theta[:, :, 2] = _between(1 - crop, number, 2, generator)
    return _resampled(images, theta)


def augmented(images: torch.Tensor, settings: Mapping[str, Any], generator: torch.Generator) -> torch.Tensor:
    """Random variants by the settings of a config: those of `random_crop` (crop), or of `random_affine`."""
    vary = random_crop if "crop" in settings else random_affine
    return vary(images, **settings, generator=generator)


def _between(bound: float, number: int, columns: int, generator: torch.Generator) -> torch.Tensor:
    return (torch.rand(number, columns, generator=generator) * 2 - 1) * bound


def _flips(number: int, generator: torch.Generator) -> torch.Tensor:
    return (torch.rand(number, 2, generator=generator) < 0.5).float() * 2 - 1


def _resampled(images: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
    theta = theta.to(images.device)
    flat = images.flatten(1, 2)
    grid = functional.affine_grid(theta, list(flat.shape), align_corners=False)
    moved = functional.grid_sample(flat, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return moved.reshape(images.shape)
