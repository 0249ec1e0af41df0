"""What is wrong with settings that several methods have. Read where the config is checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hcc_recurrence.imaging.view_names import repeated_views
from hcc_recurrence.networks.architectures import (
    FROM_SCRATCH,
    OPTIMISERS,
    PER_PATIENT,
    SLICE_ARCHITECTURES,
    SMALLEST,
    highest_value,
    network_crop,
)
from hcc_recurrence.networks.weights import file_sha256
from hcc_recurrence.problems import Problem


def setting_problem(paper: str, key: str, value: object, remedy: str) -> Problem:
    """A value of a setting that a method cannot use."""
    return Problem("", "", "config", f"overrides.{paper}.{key}: {value!r} cannot be used", remedy)


def network_problems(
    paper: str, settings: Mapping[str, Any], known: Sequence[str], trained: bool = True
) -> list[Problem]:
    """Values of a paper's networks that would only fail hours later; every file of weights is read and checked.

    Args:
        known: the architectures that the method can have. trained: else they only extract features.
    """
    problems = []

    def wrong(key: str, value: object, remedy: str) -> None:
        problems.append(setting_problem(paper, key, value, remedy))

    if trained:
        if settings["class_weights"] not in (True, False, PER_PATIENT):
            wrong("class_weights", settings["class_weights"], f"true, false, or {PER_PATIENT}")
        if settings["optimiser"] not in OPTIMISERS:
            wrong("optimiser", settings["optimiser"], f"known: {', '.join(OPTIMISERS)}")
        for key, lowest in (("epochs", 1), ("batch", 2), ("patience", 1), ("network_repeats", 1)):
            if not isinstance(settings[key], int) or settings[key] < lowest:
                wrong(key, settings[key], f"a whole number from {lowest} upwards")
        for key in ("learning_rate", "inner_fraction"):
            if not isinstance(settings[key], float | int) or not 0 < settings[key] < 1:
                wrong(key, settings[key], "a number between 0 and 1; in YAML write 1.0e-4, not 1e-4")
    elif len(settings["networks"]) != 1:
        wrong("networks", sorted(settings["networks"]), "one network, whose features are used")
    for name, network in settings["networks"].items():
        if network["architecture"] not in known:
            wrong(f"networks.{name}.architecture", network["architecture"], f"known: {', '.join(known)}")
        if network["weights"] and network["architecture"] in FROM_SCRATCH:
            wrong(f"networks.{name}.weights", network["weights"], "leave it empty: this network always starts anew")
        elif network["weights"]:
            file = Path(network["weights"])
            if not file.is_file():
                wrong(
                    f"networks.{name}.weights", str(file), "no such file; leave it empty to start from random weights"
                )
            elif (found := file_sha256(file)) != network["sha256"]:
                wrong(f"networks.{name}.sha256", network["sha256"], f"{file} has {found}; use the file that was meant")
    return problems


def crop_problems(paper: str, settings: Mapping[str, Any], full: Mapping[str, Any]) -> list[Problem]:
    """Crops that the networks of images or boxes cannot read."""
    problems = []

    def wrong(crop: str, what: str, remedy: str) -> None:
        problems.append(Problem("", "", "config", f"crops.{crop}, which {paper} reads: {what}", remedy))

    for name, network in settings["networks"].items():
        named = network_crop(settings, name)
        crop = full["crops"].get(named)
        if crop is None:
            known = f"known: {sorted(full['crops'])}"
            problems.append(setting_problem(paper, f"networks.{name}.crops", named, known))
            continue
        kind = "views" if network["architecture"] in SLICE_ARCHITECTURES else "voxels"
        if crop["fit"] != kind:
            wrong(named, f"fit is {crop['fit']}, and {name} needs {kind}", f"write fit: {kind}")
        if kind == "views" and (not crop["views"] or crop["size_voxels"][0] != len(crop["views"])):
            what = f"size_voxels {crop['size_voxels']} begins with another number than that of the views"
            wrong(named, what, f"the first of size_voxels is the number of views, {len(crop['views'])}")
        if kind == "views" and (twice := repeated_views(crop["views"])):
            wrong(named, f"views has {', '.join(map(str, twice))} twice (0 is axial)", "name each image once")
        least, sides = SMALLEST.get(network["architecture"], 1), crop["size_voxels"][kind == "views" :]
        if min(sides) < least:
            wrong(named, f"size_voxels {crop['size_voxels']} is too small for {name}", f"from {least} on")
        grid = full["grids"].get(crop["grid"])
        if grid and highest_value(crop, grid) != 1.0:
            remedy = "give the crops a window (CT), or their grid normalisation: zscore_body (MR)"
            wrong(named, "its values do not go from 0 to 1", remedy)
    return problems
