"""Grad-CAM (Selvaraju et al., ICCV 2017) of the networks of boxes: what of a box a score comes from."""

from __future__ import annotations

import torch
from torch.nn import functional

from hcc_recurrence.networks.volume_network import VolumeNetwork


def volume_cam(network: VolumeNetwork, box: torch.Tensor, target: int = 1) -> torch.Tensor:
    """Map of a box by the network's last stage that says a place (`explained_layer`), summed along z; by torchcam.

    Args:
        box: (phase, z, y, x). target: 1 for early recurrence.

    Returns: (y, x), from 0 to 1; 0 where nothing raises the score.
    """
    from torchcam.methods import GradCAM

    network.eval()
    images = box[None].clone()
    with GradCAM(network, network.explained_layer(min(box.shape[-2:]))) as explain:
        logits = network(images.requires_grad_())
        found = torch.nan_to_num(explain(target, logits)[0].detach())[0].sum(dim=0)
    found = functional.interpolate(found[None, None], box.shape[-2:], mode="bilinear", align_corners=False)[0, 0]
    return found / found.max().clamp_min(1e-12)
