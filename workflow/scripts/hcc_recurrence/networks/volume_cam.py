"""Grad-CAM (Selvaraju et al., ICCV 2017) of the networks of boxes: what of a box a score comes from."""

from __future__ import annotations

import torch
from torch.nn import functional

from hcc_recurrence.networks.volume_network import VolumeNetwork

# Architecture -> its stages of convolutions, the last one first.
_STAGES = {
    "resnet18_3d": ("layer4", "layer3", "layer2", "layer1"),
    "densenet121_3d": tuple(f"features.denseblock{number}" for number in (4, 3, 2, 1)),
}
# Pixels a side of the maps that explain a score: fewer say no place. As of the networks of single images.
_FEWEST_PIXELS = 4


def explained_stage(network: VolumeNetwork, images: torch.Tensor) -> str:
    """The last stage whose maps of a box have four pixels a side or more, seen from above; else the first one.

    Args: images: (n, phase, z, y, x).
    """
    layers = dict(network.named_modules())
    stages = next(own for own in _STAGES.values() if f"network.{own[0]}" in layers)
    sides: dict[str, int] = {}

    def note(stage: str):
        return lambda _module, _images, maps: sides.update({stage: min(maps.shape[-2:])})

    hooks = [layers[f"network.{stage}"].register_forward_hook(note(stage)) for stage in stages]
    try:
        with torch.no_grad():
            network(images[:1])
    finally:
        for hook in hooks:
            hook.remove()
    fitting = [stage for stage in stages if sides[stage] >= _FEWEST_PIXELS]
    return f"network.{(fitting or stages[-1:])[0]}"


def volume_cam(network: VolumeNetwork, box: torch.Tensor, target: int = 1) -> torch.Tensor:
    """Map of a box by the network's last stage that says a place (`explained_stage`), summed along z; by torchcam.

    Args:
        box: (phase, z, y, x). target: 1 for early recurrence.

    Returns: (y, x), from 0 to 1; 0 where nothing raises the score.
    """
    from torchcam.methods import GradCAM

    network.eval()
    images = box[None].clone()
    with GradCAM(network, explained_stage(network, images)) as explain:
        logits = network(images.requires_grad_())
        found = torch.nan_to_num(explain(target, logits)[0].detach())[0].sum(dim=0)
    found = functional.interpolate(found[None, None], box.shape[-2:], mode="bilinear", align_corners=False)[0, 0]
    return found / found.max().clamp_min(1e-12)
