"""Score-CAM (Wang et al., CVPR Workshops 2020): what of an image a network's score for a class comes from."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from hcc_recurrence.networks.phase_network import PhaseNetwork


class OnePhase(nn.Module):
    """A network of several phases as a function of one of them; the others stay as they are.

    Args:
        images: (phase, slice, y, x) of one patient. phase: which one varies.
    """

    def __init__(self, network: PhaseNetwork, images: torch.Tensor, phase: int):
        super().__init__()
        self.backbone, self.last, self.phase = network.backbone, network.fc, phase
        with torch.no_grad():
            self.fixed = network.backbone(images)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, slice, y, x) to logits, (n, 2)."""
        vectors = self.fixed.unsqueeze(0).repeat(len(x), 1, 1)
        vectors[:, self.phase] = self.backbone(x)
        return self.last(vectors.flatten(1))


def score_cam(network: PhaseNetwork, images: torch.Tensor, phase: int, target: int = 1) -> torch.Tensor:
    """Map of one phase of one patient by the backbone's last stage, (y, x), from 0 to 1; by torchcam.

    Args:
        images: (phase, slice, y, x). target: 1 for early recurrence.
    """
    from torchcam.methods import ScoreCAM

    model = OnePhase(network.eval(), images, phase).eval()
    with torch.no_grad(), ScoreCAM(model, f"backbone.layer{network.backbone.stages}") as explain:
        logits = model(images[phase : phase + 1])
        small = explain(target, logits)[0]
    size = images.shape[-2:]
    return functional.interpolate(small[None], size, mode="bilinear", align_corners=False)[0, 0]
