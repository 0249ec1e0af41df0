"""Networks of single images whose three colours are three phases (Zhang 2025; docs/methods.md 5.3)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from hcc_recurrence.networks.densenet import DenseNet121, renamed
from hcc_recurrence.networks.explained import explained_layer
from hcc_recurrence.networks.imagenet import normalise
from hcc_recurrence.networks.resnet import ResNet
from hcc_recurrence.networks.vgg import Vgg19
from hcc_recurrence.networks.weights import fill_network, read_weights

STRIDES = (32, 16, 8)
_RESIDUAL = ("layer4", "layer3", "layer2")
# Each takes the number of classes, and names the layer that replaces torchvision's for 1000 classes, and the last
# layers of its convolutions whose maps are a 32nd, 16th and 8th of the image: Grad-CAM explains one of them.
BACKBONES: dict[str, tuple[Callable[..., nn.Module], str, tuple[str, ...]]] = {
    "densenet121": (DenseNet121, "classifier", ("features.norm5", "features.denseblock3", "features.denseblock2")),
    "resnet50": (lambda classes: ResNet("resnet50", 3, classes), "fc", _RESIDUAL),
    "resnet101": (lambda classes: ResNet("resnet101", 3, classes), "fc", _RESIDUAL),
    # ReLUs of conv5_4 (a 16th: the last pooling comes after it) and conv4_4.
    "vgg19": (Vgg19, "classifier.6", ("features.35", "features.35", "features.26")),
}


class SliceNetwork(nn.Module):
    """One image of three phases to two outcomes.

    Args:
        architecture: a key of BACKBONES.
    """

    def __init__(self, architecture: str):
        super().__init__()
        make, self.head, self.last_layers = BACKBONES[architecture]
        self.architecture = architecture
        self.backbone = make(2)

    def forward(self, images: torch.Tensor, variables: torch.Tensor | None = None) -> torch.Tensor:
        """(n, 3, 1, y, x), values from 0 to 1, to logits, (n, 2); there are no other variables."""
        return self.backbone(normalise(images[:, :, 0]))

    def explained_layer(self, side: int) -> str:
        """The layer of the convolutions that says a place; at 224 pixels the very last one, as published."""
        return f"backbone.{explained_layer(self.last_layers, STRIDES, side)}"

    def start_from_file(self, path: str | Path) -> None:
        """Take over ImageNet's weights with torchvision's names, all but the last layer, which stays as drawn.

        The caller has checked the file's SHA-256.

        Raises: ValueError where names or shapes do not fit.
        """
        own = renamed(read_weights(path)) if self.architecture == "densenet121" else read_weights(path)
        first = self.head + "."
        drawn = {n: v for n, v in self.backbone.state_dict().items() if n.startswith(first)}
        own = {n: v for n, v in own.items() if not n.startswith(first)}
        fill_network(self.backbone, {**own, **drawn}, path, self.architecture)
