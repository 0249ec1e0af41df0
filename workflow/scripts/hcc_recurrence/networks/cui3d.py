"""The 3D network of Cui 2022, Table S2, with TensorFlow's 'same' padding (docs/methods.md 1.4)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from hcc_recurrence.networks.pooling import max_pool

# Name, filters, kernel (z, y, x); a pool stands for itself, with stride 2 along each axis.
LAYERS = (
    ("conv1", 32, (3, 3, 3)),
    ("pool1", 0, (3, 3, 3)),
    ("conv2", 64, (3, 3, 3)),
    ("pool2", 0, (3, 3, 3)),
    ("conv3", 128, (3, 3, 3)),
    ("conv4", 128, (3, 3, 3)),
    ("pool3", 0, (3, 3, 3)),
    ("conv5", 256, (2, 3, 3)),
    ("conv6", 256, (2, 3, 3)),
    ("pool4", 0, (2, 3, 3)),
)
DENSE = (512, 256, 128)


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Padding before and after one axis so that the output has ceil(size / stride) places, as TensorFlow does it."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def _rest_behind(x: torch.Tensor, kernel: Sequence[int]) -> torch.Tensor:
    """Zeros behind the axes where a kernel has an even length: there 'same' has one more behind than before."""
    # functional.pad counts axes from the last one.
    rest = [amount for length in reversed(kernel) for amount in (0, 1 - length % 2)]
    return functional.pad(x, rest) if any(rest) else x


def _pooled(x: torch.Tensor, kernel: Sequence[int]) -> torch.Tensor:
    """Largest of each window, stride 2. What is outside is never chosen: the last window may be cut off."""
    before = [same_padding(size, length, 2)[0] for size, length in zip(x.shape[2:], kernel, strict=True)]
    return max_pool(x, kernel, (2, 2, 2), before, ceil_mode=True)


class Cui3D(nn.Module):
    """Ten layers of convolution and pooling, three dense ones with dropout, two outputs.

    Args:
        shape: z, y, x of the input; (10, 150, 150) is the published one. dropout: after each hidden dense layer.
    """

    def __init__(self, shape: Sequence[int] = (10, 150, 150), dropout: float = 0.5):
        super().__init__()
        self.convolutions = nn.ModuleDict()
        channels, size = 1, list(shape)
        for name, filters, kernel in LAYERS:
            if filters:
                before = [same_padding(1, length, 1)[0] for length in kernel]
                self.convolutions[name] = nn.Conv3d(channels, filters, kernel, padding=before)
                channels = filters
            else:
                size = [-(-s // 2) for s in size]
        self.final_shape = (channels, *size)
        inside = channels * size[0] * size[1] * size[2]
        layers: list[nn.Module] = []
        for width in DENSE:
            layers += [nn.Linear(inside, width), nn.ReLU(), nn.Dropout(dropout)]
            inside = width
        self.dense = nn.Sequential(*layers, nn.Linear(inside, 2))
        for module in self.modules():
            if isinstance(module, nn.Conv3d | nn.Linear):
                # Keras' defaults.
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)

    def maps(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """Activations after every layer up to pool4, by name: (n, filters, z, y, x)."""
        found = {}
        for name, filters, kernel in LAYERS:
            if filters:
                found[name] = functional.relu(self.convolutions[name](_rest_behind(x, kernel)))
            else:
                found[name] = _pooled(x, kernel)
            x = found[name]
        return found

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 1, z, y, x) to two logits, (n, 2)."""
        return self.dense(self.maps(x)["pool4"].flatten(1))


class CuiNetwork(nn.Module):
    """The network on one phase of a patient, as training takes it.

    Args:
        phases: their number; the network of Cui 2022 has one. shape: z, y, x of the input.

    Raises: ValueError where there are more phases.
    """

    def __init__(self, phases: int, shape: Sequence[int]):
        super().__init__()
        if phases != 1:
            raise ValueError(f"the network of Cui 2022 takes one phase, not {phases}; map one in the study's `phases`")
        self.network = Cui3D(shape)
        # Kept with the weights: what scores a patient later scales as the training did.
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("sd", torch.ones(()))

    def standardise_by(self, images: torch.Tensor) -> None:
        """Scale all images by the mean and standard deviation of these, over all voxels, from now on."""
        self.mean.copy_(images.mean())
        self.sd.copy_(images.std().clamp_min(1e-6))

    def scaled(self, images: torch.Tensor) -> torch.Tensor:
        """Images as the layers see them."""
        return (images - self.mean) / self.sd

    def forward(self, images: torch.Tensor, variables: torch.Tensor | None = None) -> torch.Tensor:
        """(n, 1, z, y, x) to logits, (n, 2); there are no other variables."""
        return self.network(self.scaled(images))
