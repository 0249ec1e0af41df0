"""Grad-CAM of the network of Cui 2022 at its last pooling (docs/methods.md 1.6)."""

from __future__ import annotations

import torch
from torch.nn import functional

from hcc_recurrence.networks.cui3d import Cui3D


def box_cam(network: Cui3D, images: torch.Tensor, target: int = 1) -> torch.Tensor:
    """Positive relevance of each box for an outcome, seen from above, (n, y, x): not scaled, 0 where there is none.

    The maps of the last pooling have no depth at the published size; a deeper one is summed along z.

    Args:
        images: (n, 1, z, y, x). target: 1 for early recurrence.

    Source: Selvaraju et al., ICCV 2017; Cui 2022, Figure 8 (max pooling 4).
    """
    found = []
    network.eval()
    for image in images.split(1):
        maps = network.maps(image)["pool4"].detach().requires_grad_()
        network.dense(maps.flatten(1))[0, target].backward()
        weight = maps.grad.mean(dim=(2, 3, 4), keepdim=True)
        found.append((weight * maps.detach()).sum(dim=1).clamp_min(0).sum(dim=1))
    return functional.interpolate(torch.stack(found), images.shape[-2:], mode="bilinear", align_corners=False)[:, 0]
