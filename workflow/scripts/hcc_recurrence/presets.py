"""Presets: what the demo preset may change, whom it is for, and checks of a cohort's own keys in the config.

A preset changes sizes, numbers and how long networks train, so that a run ends in minutes. It never changes a
definition: a threshold, a coding, a window, a rule of selection, the phases. What of a definition must differ for
simulated patients stands with their cohort (`thresholds`).
"""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from hcc_recurrence.problems import Problem

# Settings of a paper that the demo preset may change. The first names entries that are smaller (see ENTRIES); of
# `networks`, `classifiers`, `learners` and the grids of numbers it takes fewer; a network that trains for a few epochs
# needs larger steps than one that trains for hundreds.
SETTINGS = {
    *("radiomics", "crops", "split", "unet"),
    *("networks", "classifiers", "learners", "regression_grid", "feature_numbers", "training_shares"),
    *(
        "l1_penalties",
        "lasso_penalties",
        "lasso_folds",
        "learner_folds",
        "inner_folds",
        "inner_repeats",
        "inner_classifiers",
        "permuted_grid",
        "grid_repeats",
    ),
    *("network_repeats", "calibration_resamples"),
    *("epochs", "patience", "batch", "optimiser", "learning_rate", "augmentation"),
}
# Keys of a named entry in which that of the demo preset may differ from the published one.
ENTRIES = {
    "grids": {"spacing_mm"},
    "crops": {"grid", "size_voxels"},
    "radiomics": {"grid"},
    "splits": {"folds", "repeats", "without_unet"},
    "unets": {"side_pixels", "z_mm", "channels", "learning_rate", "schedule", "epochs", "smallest_pixels"},
}
WARNING = "Demo preset on real patients: images, networks and repeats are smaller than the published ones"


def default_preset(config: Mapping[str, Any]) -> str:
    """The preset where none is named: demo for a run of simulated patients alone, else published."""
    cohorts = [config["cohorts"].get(study["cohort"]) for study in config["studies"]]
    return "demo" if all(cohort and cohort["simulation"] for cohort in cohorts) else "published"


def preset_mark(config: Mapping[str, Any], cohort: str) -> str:
    """What tables and figures of a cohort must say of the preset; empty where it is the published one, or simulated."""
    real = config["preset"] == "demo" and not config["cohorts"][cohort]["simulation"]
    return WARNING if real else ""


def preset_warnings(config: Mapping[str, Any], cohorts: Sequence[str]) -> list[str]:
    """A sentence on each cohort of real patients that the demo preset meets."""
    return [
        f"{WARNING} (cohort {name}). Its numbers are not those of the methods: set preset: published"
        for name in cohorts
        if preset_mark(config, name)
    ]


def with_thresholds(clinical: Mapping[str, Any], thresholds: Mapping[str, float]) -> dict[str, Any]:
    """A paper's clinical variables with a cohort's own thresholds.

    Args:
        clinical: variable -> number (1 above it), {at_least: number} (1 from it on), or None (the value as it is).
        thresholds: variable -> number that takes the place of the paper's; a variable that the paper does not
            dichotomise stays as it is.
    """
    found = {}
    for variable, rule in clinical.items():
        number = thresholds.get(variable)
        if number is None or rule is None:
            found[variable] = rule
        else:
            found[variable] = {"at_least": number} if isinstance(rule, Mapping) else number
    return found


def threshold_problems(config: Mapping[str, Any]) -> list[Problem]:
    """Thresholds of a cohort that no paper of its studies dichotomises: a mistyped name would change nothing."""
    problems = []
    for name, cohort in config["cohorts"].items():
        papers = [config["papers"].get(s["paper"]) for s in config["studies"] if s["cohort"] == name]
        if not cohort["thresholds"] or not papers:
            continue
        known = sorted(
            {
                v
                for paper in config["papers"].values()
                for v, rule in paper["settings"].get("clinical", {}).items()
                if rule is not None
            }
        )
        for variable in sorted(set(cohort["thresholds"]) - set(known)):
            close = difflib.get_close_matches(variable, known, 1)
            what = f"cohorts.{name}.thresholds: no paper dichotomises {variable!r}"
            remedy = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
            problems.append(Problem(name, "", "config", what, remedy))
    return problems


def date_problems(splits: Mapping[str, Mapping[str, Any]]) -> list[Problem]:
    """Dates of temporal splits that are none."""
    problems = []
    for name, split in splits.items():
        try:
            datetime.date.fromisoformat(split["validation_from"] or "2000-01-01")
        except ValueError:
            what = f"splits.{name}.validation_from: {split['validation_from']!r} is not a date"
            problems.append(Problem("", "", "config", what, "write it as 2018-01-31"))
    return problems


def path_problems(config: Mapping[str, Any]) -> list[Problem]:
    """Paths of the cohorts in use that were written for another system or for a shell."""
    problems = []
    used = {study["cohort"] for study in config["studies"]} & set(config["cohorts"])
    named = [
        (f"cohorts.{n}.{key}", config["cohorts"][n][key])
        for n in sorted(used)
        for key in ("patients", "series", "masks", "data_root")
    ]
    for key, path in [*named, ("dicom_root", config["dicom_root"]), ("clinical_table", config["clinical_table"])]:
        if "\\" in path:
            problems.append(Problem("", "", "config", f"{key}: {path!r} holds a backslash", "write / in its place"))
        elif path.startswith("~"):
            problems.append(
                Problem(
                    "", "", "config", f"{key}: {path!r} begins with ~, which only a shell knows", "write the whole path"
                )
            )
        elif path != path.strip():
            problems.append(
                Problem("", "", "config", f"{key}: {path!r} begins or ends with a blank", "remove the blank")
            )
    return problems
