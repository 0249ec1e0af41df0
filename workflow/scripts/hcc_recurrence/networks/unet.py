"""The U-Net of Wang 2022, and the features that its layers hold. docs/methods.md 2.3 and 2.4."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional

# Layers by name, and what MONAI's network calls them; numbers are the depth, 1 at full resolution.
LAYERS = {
    **{f"encoder{depth}": name for depth, name in enumerate(("conv_0", "down_1", "down_2", "down_3"), 1)},
    "bottleneck": "down_4",
    **{f"decoder{depth}": f"upcat_{depth}" for depth in (4, 3, 2, 1)},
}
DECODER = ("decoder4", "decoder3", "decoder2", "decoder1")
# Which layers are tapped: "hierarchical" is the only hint that was published.
TAPS = {"hierarchical": ("bottleneck", *DECODER), "bottleneck": ("bottleneck",), "all": tuple(LAYERS)}
POOLS = ("gap", "masked_gap")


def build_unet(channels: Sequence[int]) -> nn.Module:
    """U-Net of Ronneberger 2015 with same padding and batch normalisation, by MONAI: (n, 1, y, x) to logits.

    Args:
        channels: of the five levels; published 64, 128, 256, 512, 1024.
    """
    from monai.networks.nets import BasicUNet

    return BasicUNet(
        spatial_dims=2,
        in_channels=1,
        out_channels=1,
        features=(*channels, channels[0]),
        act=("relu", {"inplace": True}),
        norm="batch",
        upsample="deconv",
    )


def layer_channels(layer: str, channels: Sequence[int]) -> int:
    """How many maps a layer has."""
    return channels[-1] if layer == "bottleneck" else channels[int(layer[-1]) - 1]


def feature_names(taps: str, channels: Sequence[int]) -> list[str]:
    """Names of the features of a slice, `decoder2_017`, in the order of `slice_features`; numbers from 1."""
    return [f"{layer}_{n + 1:03d}" for layer in TAPS[taps] for n in range(layer_channels(layer, channels))]


class Tapped:
    """A U-Net that keeps what its layers give; use as a context, so that the hooks are gone afterwards."""

    def __init__(self, network: nn.Module, layers: Sequence[str]):
        self.network, self.layers = network, tuple(layers)
        self.maps: dict[str, torch.Tensor] = {}

    def __enter__(self) -> Tapped:
        self._hooks = []
        for layer in self.layers:
            module = self.network.get_submodule(LAYERS[layer])
            self._hooks.append(module.register_forward_hook(lambda *made, layer=layer: self._keep(layer, made[2])))
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def _keep(self, layer: str, output: torch.Tensor) -> None:
        self.maps[layer] = output

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """(n, 1, y, x) to the probability of tumour, (n, y, x)."""
        return torch.sigmoid(self.network(images))[:, 0]


def pooled(maps: Mapping[str, torch.Tensor], layers: Sequence[str], inside: torch.Tensor | None) -> torch.Tensor:
    """Mean of every map over its whole area, or over the share of each cell inside a mask: (n, features).

    Args:
        maps: layer -> (n, channels, y, x). inside: (n, y, x) 0/1; none for the whole area.
    """
    parts = []
    for layer in layers:
        values = maps[layer]
        if inside is None:
            parts.append(values.mean(dim=(2, 3)))
            continue
        weight = functional.adaptive_avg_pool2d(inside[:, None].float(), values.shape[2:])
        parts.append((values * weight).sum(dim=(2, 3)) / weight.sum(dim=(2, 3)).clamp_min(1e-6))
    return torch.cat(parts, dim=1)


def segment_slices(
    network: nn.Module, planes: np.ndarray, taps: str, pool: str, smallest: int, batch: int = 16, device: str = "cpu"
) -> tuple[np.ndarray, np.ndarray]:
    """Probability of tumour of every pixel, and the features of every slice.

    Args:
        planes: (z, y, x) from 0 to 1. taps: a key of TAPS. pool: `gap`, or `masked_gap` inside the predicted tumour
            where that has `smallest` pixels, else over the whole slice.

    Returns: probabilities (z, y, x); features (z, number), in the order of `feature_names`.
    """
    network.to(device).eval()
    probabilities, features = [], []
    with torch.inference_mode(), Tapped(network, TAPS[taps]) as tapped:
        for images in torch.from_numpy(np.asarray(planes, np.float32))[:, None].split(batch):
            found = tapped(images.to(device))
            inside = None
            if pool == "masked_gap":
                inside = found >= 0.5
                inside[inside.sum(dim=(1, 2)) < smallest] = True
            features.append(pooled(tapped.maps, tapped.layers, inside).cpu().numpy())
            probabilities.append(found.cpu().numpy())
    return np.concatenate(probabilities), np.concatenate(features).astype(np.float64)


def case_slices(predicted: np.ndarray, reference: np.ndarray | None, smallest: int) -> np.ndarray:
    """Slices whose features make those of a case: with `smallest` predicted pixels or more, else the one with most.

    Where nothing is predicted, those of the reference mask; without one none, and the case has no features.

    Args:
        predicted, reference: (z, y, x) 0/1.

    Source: docs/methods.md 2.4.
    """
    area = predicted.reshape(len(predicted), -1).sum(axis=1)
    if (area >= smallest).any():
        return np.flatnonzero(area >= smallest)
    if area.any():
        return np.array([int(np.argmax(area))])
    if reference is not None:
        return np.flatnonzero(reference.reshape(len(reference), -1).any(axis=1))
    return np.zeros(0, int)


def feature_maps(network: nn.Module, image: np.ndarray, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Grad-CAM of single features of a slice, each (y, x) as the image, from 0 to 1.

    A feature is the mean of one map of its layer; its gradient is the same in every cell of that map and 0 in all
    others, so that Grad-CAM is the map itself where it is above 0.

    Args:
        image: (y, x). names: of `feature_names`.

    Source: Selvaraju et al., ICCV 2017, applied to a feature instead of a class (docs/methods.md 2.6).
    """
    places = {name: name.rpartition("_") for name in names}
    layers = sorted({layer for layer, _, _ in places.values()})
    network.eval()
    with torch.inference_mode(), Tapped(network, layers) as tapped:
        tapped(torch.from_numpy(np.asarray(image, np.float32))[None, None])
    found = {}
    for name, (layer, _, number) in places.items():
        own = tapped.maps[layer][:, [int(number) - 1]].clamp_min(0)
        own = functional.interpolate(own, image.shape, mode="bilinear", align_corners=False)[0, 0]
        found[name] = (own / own.max().clamp_min(1e-12)).numpy()
    return found
