"""Yan 2023: what is wrong with its settings. Read where the config is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hcc_recurrence.learning.estimators import ESTIMATORS, settings_fault
from hcc_recurrence.methods.settings import network_problems, setting_problem
from hcc_recurrence.networks.architectures import FEATURE_ARCHITECTURES
from hcc_recurrence.problems import Problem

PAPER = "yan2023"
# Rankings of the grid; the same words as in learning.selection, which imports scikit-learn.
GRID = {"selectors": ("ANOVA", "RFE", "Relief"), "classifiers": tuple(ESTIMATORS)}


def problems(settings: Mapping[str, Any], full: Mapping[str, Any]) -> list[Problem]:
    """Choices of a grid of signatures that would only fail in its jobs."""
    found = network_problems(PAPER, settings, FEATURE_ARCHITECTURES, trained=False)

    def wrong(key: str, value: object, remedy: str) -> None:
        found.append(setting_problem(PAPER, key, value, remedy))

    for key, known in GRID.items():
        unknown = sorted(set(settings[key]) - set(known))
        if unknown or not settings[key]:
            wrong(key, unknown or settings[key], f"at least one of {', '.join(known)}")
    for name in sorted(set(settings["classifiers"]) & set(ESTIMATORS)):
        if fault := settings_fault(name, settings["classifiers"][name]):
            remedy = f"{name} {fault}; numbers of trees or stumps are n_estimators"
            wrong(f"classifiers.{name}", dict(settings["classifiers"][name]), remedy)
    for name, own in settings["inner_classifiers"].items():
        if name not in settings["classifiers"] or name not in ESTIMATORS:
            wrong("inner_classifiers", name, f"classifiers of the grid: {', '.join(settings['classifiers'])}")
        elif fault := settings_fault(name, {**settings["classifiers"][name], **own}):
            wrong(f"inner_classifiers.{name}", dict(own), f"{name} {fault}")
    if other := sorted(set(settings["nominal"]) - set(settings["clinical"])):
        wrong("nominal", other, f"clinical variables of the paper: {', '.join(settings['clinical'])}")
    permuted = settings["permuted_grid"]
    if other := sorted(set(permuted) - {"selectors", "classifiers", "feature_numbers", "inner_repeats"}):
        wrong("permuted_grid", other, "selectors, classifiers, feature_numbers or inner_repeats")
    for key in GRID:
        names = permuted.get(key, list(settings[key]))
        if not isinstance(names, list) or not names or not set(names) <= set(settings[key]):
            wrong(f"permuted_grid.{key}", names, f"a list of some of {', '.join(settings[key])}")
    for where, grid in (("", settings), ("permuted_grid.", permuted)):
        _sizes_of_grid(where, grid, wrong)
    if settings["fusion"] not in ("mean", "logistic"):
        wrong("fusion", settings["fusion"], "mean or logistic")
    return found


def _sizes_of_grid(where: str, settings: Mapping[str, Any], wrong: Callable[[str, object, str], None]) -> None:
    """Numbers of a grid of signatures that are none, each told to `wrong`."""
    numbers = settings.get("feature_numbers", [1])
    if not numbers or not all(isinstance(k, int) and k > 0 for k in numbers):
        wrong(f"{where}feature_numbers", numbers, "whole numbers from 1 upwards")
    for key, lowest in (("inner_folds", 2), ("inner_repeats", 1), ("grid_repeats", 1)):
        value = settings.get(key, lowest)
        if not isinstance(value, int) or value < lowest:
            wrong(f"{where}{key}", value, f"a whole number from {lowest} upwards")
