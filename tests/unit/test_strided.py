"""Convolutions with a stride: their gradients are those of torch, summed in another order."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hcc_recurrence.networks.build import build_fusion, build_network
from hcc_recurrence.networks.strided import StridedConv2d, StridedConv3d, with_ordered_gradients
from hcc_recurrence.networks.training import save_network


def gradients(layer, x):
    x = x.clone().requires_grad_()
    layer.zero_grad()
    found = layer(x)
    found.backward(torch.cos(torch.arange(found.numel(), dtype=found.dtype)).reshape(found.shape))
    return [found, x.grad, *(parameter.grad for parameter in layer.parameters())]


@pytest.mark.parametrize(
    ("made", "size"),
    [
        (nn.Conv2d(3, 5, 3, 2, 1), (9, 12)),
        (nn.Conv2d(3, 5, 3, 2, 1), (8, 7)),
        (nn.Conv2d(3, 5, 1, 2, bias=False), (7, 10)),
        (nn.Conv2d(3, 5, 7, 2, 3, bias=False), (16, 15)),
        (nn.Conv3d(3, 5, 3, (1, 2, 2), 1), (4, 6, 7)),
        (nn.Conv3d(3, 5, 1, 2), (4, 6, 7)),
        (nn.Conv3d(3, 5, (1, 3, 5), (1, 3, 2), (0, 1, 2)), (4, 8, 9)),
    ],
)
def test_gradients_are_those_of_torch(made, size):
    x = torch.randn(2, 3, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    wanted = gradients(made.double(), x)
    own = with_ordered_gradients(nn.Sequential(made))
    assert type(own[0]) in (StridedConv2d, StridedConv3d)
    for ours, theirs in zip(gradients(own, x), wanted, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("architecture", "phases", "shape", "alone", "strided"),
    [
        # A stem, and in each of three stages that halve the size a 3x3 and a 1x1 convolution (He et al., table 1).
        ("resnet18", 2, (3, 32, 32), False, 7),
        ("resnet10_trunc", 2, (3, 32, 32), False, 3),
        ("resnet50", 2, (1, 32, 32), True, 7),
        ("densenet121", 2, (1, 32, 32), True, 1),
        # MONAI's stem has none, its pooling halves.
        ("resnet18_3d", 2, (32, 32, 32), False, 6),
    ],
)
def test_every_network_that_is_built_has_them(architecture, phases, shape, alone, strided):
    made = build_network({"architecture": architecture, "weights": ""}, phases, shape, alone)
    own = [m for m in made.modules() if isinstance(m, StridedConv2d | StridedConv3d)]
    others = [m for m in made.modules() if type(m) in (nn.Conv2d, nn.Conv3d) and max(m.stride) > 1]
    assert (len(own), others) == (strided, [])
    assert not any(parameter.is_meta for parameter in made.parameters())


def test_weights_are_drawn_and_named_as_before():
    torch.manual_seed(3)
    made = nn.Sequential(nn.Conv2d(1, 2, 3, 2))
    before, after_draw = {name: value.clone() for name, value in made.state_dict().items()}, torch.rand(1)
    torch.manual_seed(3)
    own = with_ordered_gradients(nn.Sequential(nn.Conv2d(1, 2, 3, 2)))
    assert torch.equal(torch.rand(1), after_draw), "nothing else is drawn"
    assert list(own.state_dict()) == list(before)
    assert all(torch.equal(value, before[name]) for name, value in own.state_dict().items())


def test_what_it_cannot_do_is_refused():
    with pytest.raises(ValueError, match="groups"):
        with_ordered_gradients(nn.Sequential(nn.Conv2d(4, 4, 3, 2, groups=2)))


def test_the_fusion_of_zhao_2024_has_them_and_starts_from_the_trained_backbone(tmp_path):
    trained = build_network({"architecture": "resnet18", "weights": ""}, 2, (3, 32, 32), False)
    save_network(trained, {}, tmp_path / "trained.pt")
    made = build_fusion("resnet18", tmp_path / "trained.pt", 2, 3, 5, False)
    assert sum(isinstance(m, StridedConv2d) for m in made.modules()) == 7
    own, theirs = made.backbone.state_dict(), trained.backbone.state_dict()
    assert own.keys() == theirs.keys() and all(torch.equal(own[name], theirs[name]) for name in own)
    assert build_fusion("", "", 2, 3, 5, False).fc.in_features == 5
