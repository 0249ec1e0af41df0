"""Two-dimensional ResNets, with torchvision's parameter names.

Own code because torchvision cannot be installed without a CUDA build here; He et al., CVPR 2016, and for ResNet-10
Zhao 2024 (docs/methods.md 4.4). ResNet-50 and -101 (Zhang 2025) have torchvision's stride, in the 3x3 convolution.
"""

from __future__ import annotations

import torch
from torch import nn

# Blocks of 64, 128, 256, 512 channels. `resnet10_trunc` is ResNet-18 cut after its second stage: one 7x7
# convolution, four of 64, four of 128 and the classifier are 10 weight layers, as the paper lists them.
STAGES = {
    "resnet10_trunc": (2, 2),
    "resnet10_std": (1, 1, 1, 1),
    "resnet18": (2, 2, 2, 2),
    "resnet34": (3, 4, 6, 3),
    "resnet50": (3, 4, 6, 3),
    "resnet101": (3, 4, 23, 3),
}
CHANNELS = (64, 128, 256, 512)
# The others are made of basic blocks.
WITH_BOTTLENECKS = ("resnet50", "resnet101")


def _projection(inside: int, outside: int, stride: int) -> nn.Module | None:
    """The shortcut of a block whose output has another shape than its input."""
    if stride == 1 and inside == outside:
        return None
    return nn.Sequential(nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with a shortcut; the first one may halve the size."""

    expansion = 1

    def __init__(self, inside: int, outside: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outside)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)
        self.downsample = _projection(inside, outside, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(out)) + shortcut)


class Bottleneck(nn.Module):
    """A 1x1, a 3x3 and a 1x1 convolution to four times the channels, with a shortcut; the second may halve the size."""

    expansion = 4

    def __init__(self, inside: int, channels: int, stride: int):
        super().__init__()
        outside = channels * self.expansion
        self.conv1 = nn.Conv2d(inside, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, outside, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outside)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _projection(inside, outside, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        return self.relu(self.bn3(self.conv3(out)) + shortcut)


class ResNet(nn.Module):
    """Backbone and classifier.

    Args:
        name: a key of STAGES. channels: of the input. classes: outputs of the classifier; 0 for the pooled vector.
    """

    def __init__(self, name: str, channels: int = 3, classes: int = 2):
        super().__init__()
        blocks, kind = STAGES[name], Bottleneck if name in WITH_BOTTLENECKS else BasicBlock
        self.conv1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        inside = 64
        for stage, number in enumerate(blocks):
            layers = []
            for block in range(number):
                layers.append(kind(inside, CHANNELS[stage], 2 if stage and not block else 1))
                inside = CHANNELS[stage] * kind.expansion
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layers))
        self.stages = len(blocks)
        self.width = inside
        self.fc = nn.Linear(inside, classes) if classes else nn.Identity()
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def maps(self, x: torch.Tensor) -> torch.Tensor:
        """Activations of the last stage: (n, width, y, x)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for stage in range(1, self.stages + 1):
            x = getattr(self, f"layer{stage}")(x)
        return x

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, channels, y, x) to (n, classes), or to (n, width) without a classifier."""
        return self.fc(self.maps(x).mean(dim=(2, 3)))


def parameter_count(network: nn.Module) -> int:
    """Number of trainable values."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)
