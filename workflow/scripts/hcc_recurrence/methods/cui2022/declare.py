"""Cui 2022: what the method has, for every job; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hcc_recurrence.methods.contract import TRAINED, Method, ModelInfo, of_module
from hcc_recurrence.networks.architectures import network_crop

# The network on the segmented tumour, and that on the whole box around it.
SEGMENTED, WHOLE = "SS", "NSS"


def models(settings: Mapping[str, Any]) -> dict[str, ModelInfo]:
    """Both networks; none where the study trains none."""
    networks = settings.get("networks") or {}
    return {name: ModelInfo("main", "deep", name) for name in (SEGMENTED, WHOLE) if name in networks}


def box_definitions(settings: Mapping[str, Any], full: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Of each network how its boxes are made, from the entries of the whole config; of those that it has no entry for
    nothing: no study of the run uses them.
    """
    crops = {name: full["crops"].get(network_crop(settings, name)) for name in settings["networks"]}
    return {name: crop_definition(crop, full["grids"][crop["grid"]]) for name, crop in crops.items() if crop}


def crop_definition(crop: Mapping[str, Any], grid: Mapping[str, Any]) -> dict[str, Any]:
    """All that decides what is in a box: an entry of `crops`, with the entry of `grids` in place of its name."""
    return {**crop, "grid": dict(grid)}


METHOD = Method(
    "cui2022",
    models,
    networks=TRAINED,
    needs_networks=True,
    networks_alone=True,
    folds_alone=lambda settings: bool(settings["ensemble"]),
    training_mb=of_module("hcc_recurrence.methods.cui2022.cost", "training_mb"),
    problems=of_module("hcc_recurrence.methods.cui2022.settings", "problems"),
)
