"""One backbone for all phases, vectors side by side, one fully connected layer (Zhao 2024; docs/methods.md 4.4)."""

from __future__ import annotations

import torch
from torch import nn

from hcc_recurrence.networks.resnet import ResNet


class PhaseNetwork(nn.Module):
    """Phases of a patient through a shared ResNet, concatenated, with other variables, to two outcomes.

    Args:
        architecture: a key of `resnet.STAGES`; empty for the other variables alone. phases: their number.
        slices: of a phase, the channels of the backbone. variables: number of other inputs (radiomics, clinical).
        layer_norm: normalise the other variables of each patient (option in docs/methods.md 4.5).
    """

    def __init__(self, architecture: str, phases: int, slices: int = 3, variables: int = 0, layer_norm: bool = False):
        super().__init__()
        self.backbone = ResNet(architecture, channels=slices, classes=0) if architecture else None
        self.width = phases * self.backbone.width if architecture else 0
        self.normalise = nn.LayerNorm(variables) if layer_norm and variables else nn.Identity()
        self.fc = nn.Linear(self.width + variables, 2)

    def vectors(self, images: torch.Tensor) -> torch.Tensor:
        """(n, phase, slice, y, x) to the concatenated vectors, (n, phases * width of the backbone)."""
        each = self.backbone(images.flatten(0, 1))
        return each.reshape(len(images), -1)

    def forward(self, images: torch.Tensor, variables: torch.Tensor) -> torch.Tensor:
        """Images as in `vectors` and other variables, (n, number), to logits, (n, 2)."""
        inputs = [self.normalise(variables)]
        if self.backbone is not None:
            inputs.insert(0, self.vectors(images))
        return self.fc(torch.cat(inputs, dim=1))

    def start_from(self, other: PhaseNetwork) -> None:
        """Take over the backbone and the part of the last layer that reads it; the rest stays as drawn."""
        self.backbone.load_state_dict(other.backbone.state_dict())
        with torch.no_grad():
            self.fc.weight[:, : self.width] = other.fc.weight[:, : self.width]
            self.fc.bias[:] = other.fc.bias
