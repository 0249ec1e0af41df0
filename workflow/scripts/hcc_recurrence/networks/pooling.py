"""Pools of volumes whose gradients have the same bytes each time, also on a GPU.

CUDA has no deterministic gradient of PyTorch's pools of volumes (PyTorch's documentation of
`use_deterministic_algorithms`): two trainings of a 3D network on one H100 with the same seed had other losses from the
first epochs on. Those of planes have one, and a pool of a volume is one in each plane and then one across planes. On a
processor PyTorch's own are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn
from torch.nn import functional


def plane_by_plane(
    x: torch.Tensor, pool: Callable[[torch.Tensor, Sequence[int], Sequence[int], Sequence[int]], torch.Tensor], *shape
) -> torch.Tensor:
    """A pool of volumes from a pool of planes.

    Args:
        x: (n, channel, z, y, x). pool: of (n, channel, y, x), by kernel, stride and padding. shape: these three, each
            z, y, x.
    """
    kernel, stride, padding = shape
    number, channels, planes = x.shape[:3]
    inside = x.transpose(1, 2).flatten(0, 1)
    inside = pool(inside, kernel[1:], stride[1:], padding[1:])
    across = inside.reshape(number, 1, planes, -1)
    across = pool(across, (kernel[0], 1), (stride[0], 1), (padding[0], 0))
    return across.reshape(number, -1, channels, *inside.shape[2:]).transpose(1, 2)


def max_pool(
    x: torch.Tensor, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int], ceil_mode: bool = False
) -> torch.Tensor:
    """`torch.nn.functional.max_pool3d`: the same values, and of equal ones the same one learns."""
    if not x.is_cuda:
        return functional.max_pool3d(x, kernel, stride, padding, ceil_mode=ceil_mode)
    return plane_by_plane(
        x, lambda y, *how: functional.max_pool2d(y, *how, ceil_mode=ceil_mode), kernel, stride, padding
    )


class MaxPool3d(nn.MaxPool3d):
    """`torch.nn.MaxPool3d` by `max_pool`."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return max_pool(x, *map(_of_volume, (self.kernel_size, self.stride, self.padding)), self.ceil_mode)


class AvgPool3d(nn.AvgPool3d):
    """`torch.nn.AvgPool3d` without padding, on a GPU plane by plane."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not x.is_cuda:
            return super().forward(x)
        return plane_by_plane(x, functional.avg_pool2d, *map(_of_volume, (self.kernel_size, self.stride, 0)))


class MeanOfVolume(nn.AdaptiveAvgPool3d):
    """`torch.nn.AdaptiveAvgPool3d` to one voxel, on a GPU as a mean."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3, 4), keepdim=True) if x.is_cuda else super().forward(x)


def with_ordered_pools(network: nn.Module) -> nn.Module:
    """The same network, its pools of volumes replaced by those of this module.

    Raises: ValueError for a pool that has none here: with dilation, padded means, means of more than one voxel.
    """
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            own: nn.Module
            if type(child) is nn.MaxPool3d and child.dilation == 1 and not child.return_indices:
                own = MaxPool3d(child.kernel_size, child.stride, child.padding, ceil_mode=child.ceil_mode)
            elif type(child) is nn.AvgPool3d and not any(_of_volume(child.padding)) and not child.ceil_mode:
                own = AvgPool3d(child.kernel_size, child.stride)
            elif type(child) is nn.AdaptiveAvgPool3d and _of_volume(child.output_size) == (1, 1, 1):
                own = MeanOfVolume(1)
            elif type(child) in (nn.MaxPool3d, nn.AvgPool3d, nn.AdaptiveAvgPool3d):
                raise ValueError(f"{name}: {child} has no deterministic gradient on a GPU")
            else:
                continue
            setattr(parent, name, own)
    return network


def _of_volume(size: int | Sequence[int]) -> tuple[int, ...]:
    return (size,) * 3 if isinstance(size, int) else tuple(size)
