"""Pools of volumes plane by plane, as they run on a GPU, beside PyTorch's own."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from hcc_recurrence.networks import pooling
from hcc_recurrence.networks.build import build_network


def both(x, ours, theirs):
    """Values and gradients of two functions of an image."""
    found = []
    for function in (ours, theirs):
        own = x.clone().requires_grad_()
        values = function(own)
        values.backward(torch.rand(values.shape, generator=torch.Generator().manual_seed(1)))
        found.append((values.detach(), own.grad))
    return found


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "ceil"),
    [
        ((3, 3, 3), (2, 2, 2), (1, 1, 1), False),
        ((2, 2, 2), (2, 2, 2), (0, 0, 0), False),
        ((1, 2, 2), (2, 2, 2), (0, 0, 0), True),
        ((2, 3, 3), (2, 2, 2), (0, 1, 1), True),
    ],
)
def test_the_largest_of_volumes_is_that_of_planes_then_across_planes(kernel, stride, padding, ceil):
    """Also of equal voxels the same one has the gradient: images of few values, as after a ReLU."""
    x = torch.randint(0, 3, (2, 3, 7, 9, 8), generator=torch.Generator().manual_seed(0)).float()

    def planes(y):
        return pooling.plane_by_plane(
            y, lambda z, *how: functional.max_pool2d(z, *how, ceil_mode=ceil), kernel, stride, padding
        )

    ours, theirs = both(x, planes, lambda y: functional.max_pool3d(y, kernel, stride, padding, ceil_mode=ceil))
    assert torch.equal(ours[0], theirs[0])
    # The sums of one voxel's gradients from several windows come in another order.
    assert torch.allclose(ours[1], theirs[1], rtol=1e-6, atol=0)
    assert torch.equal(ours[1] == 0, theirs[1] == 0)


def test_means_plane_by_plane():
    x = torch.rand((2, 3, 6, 8, 10), generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def planes(y):
        return pooling.plane_by_plane(y, functional.avg_pool2d, (2, 2, 2), (2, 2, 2), (0, 0, 0))

    ours, theirs = both(x, planes, lambda y: functional.avg_pool3d(y, 2, 2))
    assert torch.allclose(ours[0], theirs[0], rtol=1e-14) and torch.allclose(ours[1], theirs[1], rtol=1e-14)


@pytest.mark.parametrize("architecture", ["resnet18_3d", "densenet121_3d"])
def test_networks_of_volumes_have_these_pools_and_give_the_same_on_a_processor(architecture, monkeypatch):
    torch.manual_seed(0)
    network = build_network({"architecture": architecture, "weights": ""}, 3, (32, 32, 32), False)
    kinds = {type(module) for module in network.modules() if "Pool" in type(module).__name__}
    assert not kinds & {nn.MaxPool3d, nn.AvgPool3d, nn.AdaptiveAvgPool3d}
    monkeypatch.setattr("hcc_recurrence.networks.build.with_ordered_pools", lambda own: own)
    torch.manual_seed(0)
    plain = build_network({"architecture": architecture, "weights": ""}, 3, (32, 32, 32), False)
    images = torch.rand((2, 3, 32, 32, 32))
    assert list(network.state_dict()) == list(plain.state_dict())
    assert torch.equal(network.eval()(images), plain.eval()(images))


def test_a_pool_without_a_deterministic_gradient_is_refused():
    with pytest.raises(ValueError, match="deterministic"):
        pooling.with_ordered_pools(nn.Sequential(nn.AdaptiveAvgPool3d(2)))
