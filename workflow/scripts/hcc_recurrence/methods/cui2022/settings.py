"""Cui 2022: what is wrong with its settings. Read where the config is checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hcc_recurrence.cohort.fit import is_whole_percent
from hcc_recurrence.imaging.view_names import BOUNDING_BOX
from hcc_recurrence.methods.settings import crop_problems, network_problems, setting_problem
from hcc_recurrence.networks.architectures import BOX_ARCHITECTURES, network_crop
from hcc_recurrence.problems import Problem

PAPER = "cui2022"


def problems(settings: Mapping[str, Any], full: Mapping[str, Any]) -> list[Problem]:
    """What the networks of boxes cannot run with, or would run with silently wrong."""
    found_problems = [
        *network_problems(PAPER, settings, BOX_ARCHITECTURES),
        *crop_problems(PAPER, settings, full),
    ]

    def wrong(key: str, value: object, remedy: str) -> None:
        found_problems.append(setting_problem(PAPER, key, value, remedy))

    if len(settings["phases"]) != 1:
        wrong("phases", settings["phases"], "one phase; a study's `phases` maps it to another one")
    if sorted(settings["networks"]) != ["NSS", "SS"]:
        wrong("networks", sorted(settings["networks"]), "SS and NSS")
    if not all(
        isinstance(share, float) and 0 < share < 1 and is_whole_percent(share) for share in settings["training_shares"]
    ):
        # The names of their fits say them in percent.
        wrong("training_shares", settings["training_shares"], "numbers between 0 and 1 with two decimals at most")
    if not isinstance(settings["standardise"], bool):
        wrong("standardise", settings["standardise"], "true or false")
    found = {name: full["crops"].get(network_crop(settings, name)) for name in ("SS", "NSS")}
    if not all(found.values()):
        return found_problems
    if found["SS"]["masked"] is not True or found["NSS"]["masked"] is True:
        named = [network_crop(settings, name) for name in ("SS", "NSS")]
        wrong("networks", named, f"crops with masked: true for SS, and with masked: false or {BOUNDING_BOX} for NSS")
    _, y, x = found["SS"]["size_voxels"]
    if y != x or found["NSS"]["size_voxels"] != found["SS"]["size_voxels"]:
        wrong("networks", [crop["size_voxels"] for crop in found.values()], "boxes of one size, square in plane")
    shift = settings["augmentation"].get("largest_shift", -1)
    if not isinstance(shift, int) or not 0 <= shift < min(y, x):
        wrong("augmentation.largest_shift", shift, f"a whole number of voxels from 0, below the box's {min(y, x)}")
    return found_problems
