"""Which networks there are, and what the settings of a method say of each. Read by every job, so no torch here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# The same words as in networks.training, .resnet, .slice_network and .volume_network, which import torch; a test keeps
# them in step.
OPTIMISERS = ("sgd", "adam")
# How class weights may enter a batch's loss, besides torch's own way (`networks.training.weighted_loss`).
PER_PATIENT = "per_patient"
ARCHITECTURES = ("resnet10_trunc", "resnet10_std", "resnet18", "resnet34")
# Each image of a patient is an example of its own; the phases are its three colours.
SLICE_ARCHITECTURES = ("densenet121", "resnet50", "resnet101", "vgg19")
VOLUME_ARCHITECTURES = ("resnet18_3d", "densenet121_3d")
# Takes a box of one phase (Cui 2022).
BOX_ARCHITECTURES = ("cui3d",)
# There are no weights of other images for them.
FROM_SCRATCH = (*VOLUME_ARCHITECTURES, *BOX_ARCHITECTURES)
# Pixels or voxels a side below which nothing is left of an image after the last pooling.
SMALLEST = {"vgg19": 32, "densenet121_3d": 32}
# Those that only extract features; the same word as in networks.vgg.
FEATURE_ARCHITECTURES = ("vgg19",)

# Images or boxes that go through a network at once at most where nothing is learned, and voxels of one phase of them:
# 64 of three slices of 256 x 256. What a network keeps goes with them.
JUDGED, JUDGED_VOXELS = 64, 64 * 3 * 256 * 256
# Slices that go through a U-Net at once where nothing is learned.
JUDGED_SLICES = 32

# The settings of a paper that decide how its networks are trained.
TRAINING_KEYS = (
    *("optimiser", "learning_rate", "momentum", "weight_decay", "epochs", "batch"),
    *("patience", "inner_fraction", "class_weights", "augmentation"),
    *("schedule", "choose", "standardise"),
)


def judged_at_once(voxels: int) -> int:
    """How many images or boxes of so many voxels a phase go through a network at once where nothing is learned."""
    return max(min(JUDGED, JUDGED_VOXELS // max(voxels, 1)), 1)


def slice_networks(settings: Mapping[str, Any]) -> list[str]:
    """The networks of a paper that take each image of a patient as an example of its own."""
    return [n for n, network in settings["networks"].items() if network["architecture"] in SLICE_ARCHITECTURES]


def volume_networks(settings: Mapping[str, Any]) -> list[str]:
    """The networks of a paper that take a box about the tumour."""
    return [n for n, network in settings["networks"].items() if network["architecture"] in VOLUME_ARCHITECTURES]


def network_crop(settings: Mapping[str, Any], name: str) -> str:
    """The entry of `crops` that one network of a paper reads: its own, or the paper's."""
    return settings["networks"].get(name, {}).get("crops") or settings["crops"]


def crops_of(settings: Mapping[str, Any]) -> list[str]:
    """The entries of `crops` that a paper's networks read, the paper's own first."""
    return list(dict.fromkeys([settings["crops"], *(network_crop(settings, name) for name in settings["networks"])]))


def highest_value(crop: Mapping[str, Any], grid: Mapping[str, Any]) -> float | None:
    """The largest value that crops can have, from 0; None where nothing limits it."""
    if crop["window"]:
        return 1.0
    return {"zscore_body": 1.0, "percentile_0_255": 255.0, "minmax_0_255": 255.0}.get(grid["normalisation"])
