"""Three-dimensional networks whose channels are phases, from MONAI (Zhang 2025; docs/methods.md 5.5)."""

from __future__ import annotations

import torch
from torch import nn

VOLUME_ARCHITECTURES = ("resnet18_3d", "densenet121_3d")


class VolumeNetwork(nn.Module):
    """A box about the tumour in all phases to two outcomes.

    Args:
        architecture: one of VOLUME_ARCHITECTURES. phases: their number.

    Source: Zhang 2025 names no architecture of DL_3D in its text; these are ours (docs/methods.md 5.5).
    """

    def __init__(self, architecture: str, phases: int):
        super().__init__()
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
