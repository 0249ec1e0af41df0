"""Cui 2022: what the method has, for every job; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hcc_recurrence.methods.contract import TRAINED, Method, ModelInfo, of_module

# The network on the segmented tumour, and that on the whole box around it.
SEGMENTED, WHOLE = "SS", "NSS"


def models(settings: Mapping[str, Any]) -> dict[str, ModelInfo]:
    """Both networks; none where the study trains none."""
    networks = settings.get("networks") or {}
    return {name: ModelInfo("main", "deep", name) for name in (SEGMENTED, WHOLE) if name in networks}


def crop_definition(crop: Mapping[str, Any], grid: Mapping[str, Any]) -> dict[str, Any]:
    """All that decides what is in a box: an entry of `crops`, with the entry of `grids` in place of its name."""
    return {**crop, "grid": dict(grid)}


METHOD = Method(
    "cui2022",
    models,
    networks=TRAINED,
    needs_networks=True,
    problems=of_module("hcc_recurrence.methods.cui2022.settings", "problems"),
)
