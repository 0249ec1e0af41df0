"""Wang 2022: what is wrong with its settings. Read where the config is checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hcc_recurrence.methods.settings import setting_problem
from hcc_recurrence.problems import Problem

PAPER = "wang2022"


def problems(settings: Mapping[str, Any], full: Mapping[str, Any]) -> list[Problem]:
    """Choices of its regressions that would only fail in their jobs."""
    found = []
    numbers = settings["feature_numbers"]
    if not numbers or not all(isinstance(k, int) and k > 0 for k in numbers):
        found.append(setting_problem(PAPER, "feature_numbers", numbers, "whole numbers from 1 upwards"))
    unknown = sorted(set(settings["regression_grid"]) - {"C", "max_iter", "tol"})
    if unknown or not all(settings["regression_grid"].values()):
        what = unknown or settings["regression_grid"]
        found.append(setting_problem(PAPER, "regression_grid", what, "lists of C, max_iter and tol"))
    lacking = sorted(set(settings["visual"]) - set(settings["clinical"]))
    if lacking:
        found.append(setting_problem(PAPER, "visual", lacking, "variables of `clinical`"))
    return found
