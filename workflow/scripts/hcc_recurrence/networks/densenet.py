"""DenseNet121 in two dimensions, with torchvision's parameter names (Huang et al., CVPR 2017).

Own code because torchvision cannot be installed without a CUDA build here, and MONAI's takes seconds to import and has
other names; a test compares the two.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping

import torch
from torch import nn

BLOCKS, GROWTH, STEM = (6, 12, 24, 16), 32, 64
# Of the 1x1 convolution, in multiples of the growth.
NARROW = 4
# torchvision's file of weights is older than its names: `norm.1` of a layer is `norm1` now.
OLD_NAME = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\.)")


def renamed(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Parameters of a file of weights under the names that torchvision has used since 0.3."""
    return {OLD_NAME.sub(r"\1\2", name): value for name, value in weights.items()}


class DenseLayer(nn.Sequential):
    """Normalisation, ReLU and a 1x1 convolution, the same with 3x3; the result is put beside the input."""

    def __init__(self, inside: int):
        super().__init__(
            OrderedDict(
                norm1=nn.BatchNorm2d(inside),
                relu1=nn.ReLU(inplace=True),
                conv1=nn.Conv2d(inside, NARROW * GROWTH, 1, bias=False),
                norm2=nn.BatchNorm2d(NARROW * GROWTH),
                relu2=nn.ReLU(inplace=True),
                conv2=nn.Conv2d(NARROW * GROWTH, GROWTH, 3, padding=1, bias=False),
            )
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, super().forward(x)], dim=1)


class DenseNet121(nn.Module):
    """Backbone and classifier.

    Args:
        classes: outputs of the classifier.
    """

    def __init__(self, classes: int = 2):
        super().__init__()
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            conv0=nn.Conv2d(3, STEM, 7, 2, 3, bias=False),
            norm0=nn.BatchNorm2d(STEM),
            relu0=nn.ReLU(inplace=True),
            pool0=nn.MaxPool2d(3, 2, 1),
        )
        inside = STEM
        for block, number in enumerate(BLOCKS, 1):
            within = OrderedDict((f"denselayer{i + 1}", DenseLayer(inside + i * GROWTH)) for i in range(number))
            layers[f"denseblock{block}"] = nn.Sequential(within)
            inside += number * GROWTH
            if block < len(BLOCKS):
                layers[f"transition{block}"] = nn.Sequential(
                    OrderedDict(
                        norm=nn.BatchNorm2d(inside),
                        relu=nn.ReLU(inplace=True),
                        conv=nn.Conv2d(inside, inside // 2, 1, bias=False),
                        pool=nn.AvgPool2d(2, 2),
                    )
                )
                inside //= 2
        layers["norm5"] = nn.BatchNorm2d(inside)
        self.features = nn.Sequential(layers)
        self.width = inside
        self.classifier = nn.Linear(inside, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
            elif isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 3, y, x) to (n, classes)."""
        return self.classifier(torch.relu(self.features(x)).mean(dim=(2, 3)))
