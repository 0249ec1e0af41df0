"""Three-dimensional networks whose channels are phases, from MONAI (Zhang 2025; docs/methods.md 5.5)."""

from __future__ import annotations

import torch
from torch import nn

from hcc_recurrence.networks.explained import explained_layer

# Architecture -> its stages of convolutions, the last one first, and the strides of their maps.
_STAGES = {
    "resnet18_3d": (("layer4", "layer3", "layer2", "layer1"), (16, 8, 4, 2)),
    "densenet121_3d": (tuple(f"features.denseblock{number}" for number in (4, 3, 2, 1)), (32, 16, 8, 4)),
}
VOLUME_ARCHITECTURES = tuple(_STAGES)


class VolumeNetwork(nn.Module):
    """A box about the tumour in all phases to two outcomes.

    Args:
        architecture: one of VOLUME_ARCHITECTURES. phases: their number.

    Source: Zhang 2025 names no architecture of DL_3D in its text; these are ours (docs/methods.md 5.5).
    """

    def __init__(self, architecture: str, phases: int):
        super().__init__()
        self.architecture = architecture
        from monai.networks.nets import DenseNet121, resnet18

        if architecture == "resnet18_3d":
            self.network = resnet18(spatial_dims=3, n_input_channels=phases, num_classes=2)
        elif architecture == "densenet121_3d":
            self.network = DenseNet121(spatial_dims=3, in_channels=phases, out_channels=2)
        else:
            raise ValueError(f"{architecture!r} is unknown; known are {VOLUME_ARCHITECTURES}")

    def forward(self, images: torch.Tensor, variables: torch.Tensor | None = None) -> torch.Tensor:
        """(n, phase, z, y, x) to logits, (n, 2); there are no other variables."""
        return self.network(images)

    def explained_layer(self, side: int) -> str:
        """The stage of the convolutions that says a place in a box of so many pixels a side, seen from above."""
        return f"network.{explained_layer(*_STAGES[self.architecture], side)}"
