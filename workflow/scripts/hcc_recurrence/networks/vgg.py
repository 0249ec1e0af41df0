"""VGG19's convolutional part, with torchvision's parameter names (Simonyan and Zisserman 2015)."""

from __future__ import annotations

import torch
from torch import nn

BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
# One value per channel of the last convolution of each block: 64 + 128 + 256 + 512 + 512 = 1472 (Yan 2023).
TAP_WIDTHS = tuple(width for width, _ in BLOCKS)


class Vgg19Features(nn.Module):
    """The `features` of VGG19 with a tap after the last ReLU of each block."""

    def __init__(self):
        super().__init__()
        layers: list[nn.Module] = []
        self.taps: list[int] = []
        inside = 3
        for width, number in BLOCKS:
            for _ in range(number):
                layers += [nn.Conv2d(inside, width, 3, padding=1), nn.ReLU(inplace=False)]
                inside = width
            self.taps.append(len(layers) - 1)
            layers.append(nn.MaxPool2d(2, 2))
        self.features = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Global average of each tap, side by side: (n, 3, y, x) to (n, 1472)."""
        found = []
        for index, layer in enumerate(self.features):
            x = layer(x)
            if index in self.taps:
                found.append(x.mean(dim=(2, 3)))
        return torch.cat(found, dim=1)
