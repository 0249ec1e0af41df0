"""Networks that only score: their convolutions are those of torch, and are its own again afterwards."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hcc_recurrence.networks.laid_out import laid_out


@pytest.mark.parametrize("patients", [1, 3])
@pytest.mark.parametrize(
    ("made", "size"),
    [
        (nn.Conv2d(4, 6, 1), (7, 9)),
        (nn.Conv2d(4, 6, 3, 2, 1, bias=False), (8, 7)),
        (nn.Conv2d(4, 6, 3, 1, 2, dilation=2, groups=2), (9, 9)),
        (nn.Conv3d(4, 6, 1), (3, 5, 4)),
        (nn.Conv3d(4, 6, (2, 3, 3), 1, (0, 1, 1)), (3, 5, 4)),
    ],
)
def test_convolutions_are_those_of_torch(made, size, patients):
    x = torch.randn(patients, 4, *size, generator=torch.Generator().manual_seed(0))
    # In double precision there are no kernels of oneDNN.
    copy = type(made)(
        4, 6, made.kernel_size, made.stride, made.padding, made.dilation, made.groups, made.bias is not None
    )
    copy.load_state_dict(made.state_dict())
    wanted = copy.double()(x.double())
    network = nn.Sequential(made)
    with laid_out(network):
        assert "forward" in vars(made)
        found = network(x)
    torch.testing.assert_close(found.double(), wanted, rtol=1e-5, atol=1e-6)
    assert "forward" not in vars(made)


def test_a_patient_has_the_same_bytes_whoever_was_scored_before():
    network = nn.Sequential(nn.Conv3d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv3d(16, 8, 1))
    first, other = torch.rand(2, 1, 1, 5, 12, 12, generator=torch.Generator().manual_seed(0))
    with laid_out(network):
        alone = network(first)
    with laid_out(network):
        network(other)
        network(torch.cat([first, other]))
        assert torch.equal(network(first), alone)


def test_other_convolutions_stay_as_they_are_and_errors_leave_none_changed():
    others = nn.ModuleList(
        [
            nn.Conv2d(1, 1, 3, padding="same"),
            nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect"),
            nn.ConvTranspose2d(1, 1, 2),
        ]
    )
    network = nn.ModuleDict({"others": others, "own": nn.Conv2d(1, 1, 3)})
    with pytest.raises(RuntimeError, match="an error"), laid_out(network):
        assert not any("forward" in vars(module) for module in others)
        raise RuntimeError("an error")
    assert "forward" not in vars(network["own"])


def test_weights_are_those_of_the_moment():
    network = nn.Conv2d(1, 1, 1, bias=False)
    for value in (2.0, 3.0):
        nn.init.constant_(network.weight, value)
        with laid_out(network):
            assert network(torch.ones(1, 1, 2, 2)).eq(value).all()
