"""Zhang 2025: what is wrong with its settings. Read where the config is checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hcc_recurrence.learning.estimators import ESTIMATORS
from hcc_recurrence.methods.settings import crop_problems, network_problems, setting_problem
from hcc_recurrence.networks.architectures import SLICE_ARCHITECTURES, VOLUME_ARCHITECTURES, slice_networks
from hcc_recurrence.problems import Problem

PAPER = "zhang2025"


def problems(settings: Mapping[str, Any], full: Mapping[str, Any]) -> list[Problem]:
    """Networks, crops and grids of learners that would only fail in their jobs."""
    found = network_problems(PAPER, settings, (*SLICE_ARCHITECTURES, *VOLUME_ARCHITECTURES))
    if not slice_networks(settings):
        remedy = f"at least one of {', '.join(SLICE_ARCHITECTURES)}"
        found.append(setting_problem(PAPER, "networks", sorted(settings["networks"]), remedy))
    found += crop_problems(PAPER, settings, full)
    unknown = sorted(set(settings["learners"]) - set(ESTIMATORS))
    if unknown or not settings["learners"]:
        remedy = f"at least one of {', '.join(ESTIMATORS)}"
        found.append(setting_problem(PAPER, "learners", unknown or settings["learners"], remedy))
    for name, grid in settings["learners"].items():
        known = ESTIMATORS[name].settings if name in ESTIMATORS else tuple(grid)
        words = ESTIMATORS[name].words if name in ESTIMATORS else {}
        for parameter, values in grid.items():
            if parameter not in known or not isinstance(values, list) or not values:
                remedy = f"lists of values of {', '.join(known) or 'nothing: it has no settings'}"
                found.append(setting_problem(PAPER, f"learners.{name}.{parameter}", values, remedy))
            elif parameter in words and not all(value in words[parameter] for value in values):
                remedy = f"a list of {' or '.join(words[parameter])}"
                found.append(setting_problem(PAPER, f"learners.{name}.{parameter}", values, remedy))
    if settings["decimals"] not in (1, 2, 3):
        found.append(setting_problem(PAPER, "decimals", settings["decimals"], "1, 2 or 3"))
    return found


def study_problems(
    study: Mapping[str, Any], settings: Mapping[str, Any], full: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """What of a study its networks cannot run with, and what to do."""
    found = []
    if not study["networks"]:
        return found
    split = full["splits"].get(study["split"] or settings.get("split", ""))
    if split and split["folds"] < 3:
        found.append(
            (
                f"its split has {split['folds']} folds; networks that leave two of them out need three",
                "use a split with three folds or more, or set networks: false",
            )
        )
    lacking = [p for p in settings["phases"] if study["phases"] and p not in study["phases"]]
    if lacking:
        found.append(
            (
                f"phases does not map {lacking}, and the three phases are the channels of its images",
                "map each of the three, if need be two of them to one phase, or set networks: false",
            )
        )
    return found
