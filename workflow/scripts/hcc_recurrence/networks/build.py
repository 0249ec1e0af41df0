"""The network that a config names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from hcc_recurrence.networks.cui3d import CuiNetwork
from hcc_recurrence.networks.phase_network import PhaseNetwork
from hcc_recurrence.networks.pooling import with_ordered_pools
from hcc_recurrence.networks.slice_network import BACKBONES, SliceNetwork
from hcc_recurrence.networks.strided import with_ordered_gradients
from hcc_recurrence.networks.training import load_backbone, load_weights
from hcc_recurrence.networks.volume_network import VOLUME_ARCHITECTURES, VolumeNetwork


def build_network(network: Mapping[str, Any], phases: int, shape: Sequence[int], images_alone: bool) -> nn.Module:
    """An untrained network, drawn from torch's generator, or started from a file of weights.

    Args:
        network: architecture, and weights (a file; empty for random ones). phases: their number.
        shape: z, y, x of a phase.
        images_alone: each image of a patient is an example of its own.

    Raises: ValueError where the file does not fit.
    """
    return _ordered(_build(network, phases, shape, images_alone))


def build_fusion(
    architecture: str, start: str | Path, phases: int, slices: int, variables: int, layer_norm: bool
) -> PhaseNetwork:
    """The untrained fusion of Zhao 2024, whose backbone is that of a trained network.

    Args:
        architecture: of the trained network; empty for the other variables alone. start: its file, of `save_network`.
        phases, slices, variables, layer_norm: see `PhaseNetwork`.
    """
    trained = PhaseNetwork(architecture, phases, slices) if architecture else None
    made = PhaseNetwork(architecture, phases, slices, variables, layer_norm)
    if trained is not None:
        load_weights(trained, start)
        made.start_from(trained)
    return _ordered(made)


def _ordered(network: nn.Module) -> nn.Module:
    return with_ordered_pools(with_ordered_gradients(network))


def _build(network: Mapping[str, Any], phases: int, shape: Sequence[int], images_alone: bool) -> nn.Module:
    architecture, weights = network["architecture"], network["weights"]
    if images_alone:
        made = SliceNetwork(architecture)
        if weights:
            made.start_from_file(weights)
        return made
    if architecture == "cui3d":
        return CuiNetwork(phases, shape)
    if architecture in VOLUME_ARCHITECTURES:
        return VolumeNetwork(architecture, phases)
    made = PhaseNetwork(architecture, phases, shape[0])
    if weights:
        load_backbone(made.backbone, weights)
    return made


def takes_images_alone(architecture: str) -> bool:
    """Whether each image of a patient is an example of its own."""
    return architecture in BACKBONES
