"""Grad-CAM (Selvaraju et al., ICCV 2017): what of an image a network's score for a class comes from."""

from __future__ import annotations

import torch
from torch.nn import functional

from hcc_recurrence.networks.slice_network import SliceNetwork


def grad_cam(network: SliceNetwork, images: torch.Tensor, target: int = 1) -> torch.Tensor:
    """Map of each image by the network's last convolution (`explained_layer`), (n, y, x), from 0 to 1; by torchcam.

    Args:
        images: (n, 3, 1, y, x). target: 1 for early recurrence.
    """
    from torchcam.methods import GradCAM

    maps = []
    network.eval()
    with GradCAM(network, network.explained_layer(min(images.shape[-2:]))) as explain:
        # One by one: torchcam scales the maps of a batch together.
        for image in images.split(1):
            logits = network(image.requires_grad_())
            maps.append(torch.nan_to_num(explain(target, logits)[0].detach()))
    size = images.shape[-2:]
    return functional.interpolate(torch.stack(maps), size, mode="bilinear", align_corners=False)[:, 0]
