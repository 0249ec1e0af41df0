"""VGG19, whole and as a source of features, with torchvision's parameter names (Simonyan and Zisserman 2015)."""

from __future__ import annotations

import torch
from torch import nn

BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
# One value per channel of the last convolution of each block: 64 + 128 + 256 + 512 + 512 = 1472 (Yan 2023).
TAP_WIDTHS = tuple(width for width, _ in BLOCKS)
POOLS = ("mean", "max")
TAPS = ("relu", "after_pool")


def feature_names() -> list[str]:
    """`conv1_2_000` to `conv5_4_511`: block, convolution and channel of each of the 1472 features."""
    return [
        f"conv{block}_{number}_{channel:03d}"
        for block, (width, number) in enumerate(BLOCKS, 1)
        for channel in range(width)
    ]


def convolutions() -> nn.Sequential:
    """VGG19 before its classifier: 16 convolutions, each with a ReLU, in five blocks that end in a pooling."""
    layers: list[nn.Module] = []
    inside = 3
    for width, number in BLOCKS:
        for _ in range(number):
            layers += [nn.Conv2d(inside, width, 3, padding=1), nn.ReLU(inplace=False)]
            inside = width
        layers.append(nn.MaxPool2d(2, 2))
    return nn.Sequential(*layers)


def draw_convolutions(layers: nn.Sequential, generator: torch.Generator | None = None) -> None:
    """Random weights as torchvision draws them: He's normal by fan out, biases 0."""
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu", generator=generator)
            nn.init.zeros_(layer.bias)


class Vgg19(nn.Module):
    """Convolutions and the classifier of three layers, its last one for the classes asked for.

    Args:
        classes: outputs. width: of the two hidden layers, 4096 in the published network.
    """

    def __init__(self, classes: int = 2, width: int = 4096):
        super().__init__()
        self.features = convolutions()
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        layers: list[nn.Module] = []
        for inside in (BLOCKS[-1][0] * 49, width):
            layers += [nn.Linear(inside, width), nn.ReLU(inplace=True), nn.Dropout()]
        self.classifier = nn.Sequential(*layers, nn.Linear(width, classes))
        draw_convolutions(self.features)
        for layer in self.classifier:
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, 0, 0.01)
                nn.init.zeros_(layer.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 3, y, x) to (n, classes)."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


class Vgg19Features(nn.Module):
    """The `features` of VGG19 with a tap in each block.

    Args:
        pool: `mean` or `max` over all pixels of a channel. tap: after the last ReLU of each block (`relu`), or after
            the block's pooling (`after_pool`).

    Source: Yan 2023 says 1472 features; taps and pooling follow from the number (docs/methods.md 3.3).
    """

    def __init__(self, pool: str = "mean", tap: str = "relu"):
        super().__init__()
        if pool not in POOLS or tap not in TAPS:
            raise ValueError(f"pool {pool!r} or tap {tap!r} is unknown; known are {POOLS} and {TAPS}")
        self.pool = pool
        self.features = convolutions()
        pools = [i for i, layer in enumerate(self.features) if isinstance(layer, nn.MaxPool2d)]
        self.taps = [i - (tap == "relu") for i in pools]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """One value a channel of each tap, side by side: (n, 3, y, x) to (n, 1472)."""
        found = []
        for index, layer in enumerate(self.features):
            x = layer(x)
            if index in self.taps:
                found.append(x.mean(dim=(2, 3)) if self.pool == "mean" else x.amax(dim=(2, 3)))
        return torch.cat(found, dim=1)
