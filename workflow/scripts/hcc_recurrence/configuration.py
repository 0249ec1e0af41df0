"""The config of a run: checked against its schema, joined with the papers' own files, one preset chosen."""

from __future__ import annotations

import copy
import difflib
import importlib.util
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from hcc_recurrence.cohort.fit import is_whole_percent
from hcc_recurrence.config_entries import SECTIONS, join_sections, join_settings, override_problems, unknown_papers
from hcc_recurrence.config_ranges import radiomics_problems, setting_problems
from hcc_recurrence.config_schema import fill_defaults, schema_problems
from hcc_recurrence.exported.run_config import load_applied_configuration
from hcc_recurrence.imaging.view_names import BOUNDING_BOX, repeated_views
from hcc_recurrence.learning.estimators import ESTIMATORS, settings_fault
from hcc_recurrence.networks.architectures import (
    ARCHITECTURES,
    BOX_ARCHITECTURES,
    FEATURE_ARCHITECTURES,
    FROM_SCRATCH,
    OPTIMISERS,
    PER_PATIENT,
    SLICE_ARCHITECTURES,
    SMALLEST,
    VOLUME_ARCHITECTURES,
    highest_value,
    network_crop,
    slice_networks,
)
from hcc_recurrence.networks.weights import file_sha256
from hcc_recurrence.presets import date_problems, default_preset, path_problems, threshold_problems
from hcc_recurrence.problems import InputError, Problem

# Rankings of the grid of signatures; the same words as in learning.selection, which imports scikit-learn.
GRID = {"selectors": ("ANOVA", "RFE", "Relief"), "classifiers": tuple(ESTIMATORS)}


def _is_sourced(value: Any) -> bool:
    return isinstance(value, Mapping) and set(value) >= {"value", "source"}


def plain_values(value: Any) -> Any:
    """A paper's file without its sources: {value, source, where} becomes the value."""
    if _is_sourced(value):
        return plain_values(value["value"])
    if isinstance(value, Mapping):
        return {key: plain_values(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain_values(item) for item in value]
    return value


def sourced_values(value: Any, path: str = "") -> Iterator[dict[str, Any]]:
    """Each number of a paper's file with its source, for the documentation and the report."""
    if _is_sourced(value):
        yield {
            "key": path,
            "value": plain_values(value["value"]),
            "source": value["source"],
            "where": value.get("where", ""),
        }
        # A part of a value may bear a mark of its own.
        yield from sourced_values(value["value"], path)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from sourced_values(item, f"{path}.{key}" if path else key)


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid on `base`, key by key through nested maps (a sourced value is one value)."""
    merged = copy.deepcopy(dict(base))
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        if both and not _is_sourced(value) and not _is_sourced(merged[key]):
            merged[key] = merge(merged[key], value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def load_configuration(
    config: Mapping[str, Any], papers_folder: Path, schemas_folder: Path, known: Sequence[Problem] = ()
) -> dict[str, Any]:
    """Check a run's config, add what the papers' files bring, and choose the preset.

    Args:
        known: what is wrong already with the files that the config was read from.

    Returns: the config with defaults, the papers' named entries merged into `grids`, `crops`, `radiomics`
    and `splits`, and under `papers` the settings of each paper for the chosen preset.

    Raises: InputError listing every problem.
    """
    if config.get("models"):
        return load_applied_configuration(config, schemas_folder, known)
    schema = yaml.safe_load((schemas_folder / "config.schema.yaml").read_text())
    # Of named entries only a part may be said; they are checked when the rest has come from the papers.
    parts = {kind: {"type": "object", "default": {}} for kind in SECTIONS}
    partial = {**schema, "properties": {**schema["properties"], **parts}}
    problems = [*known, *schema_problems(config, partial, "config")]
    paper_schema = yaml.safe_load((schemas_folder / "paper.schema.yaml").read_text())
    papers, entries = {}, {kind: {} for kind in SECTIONS}
    for file in sorted(papers_folder.glob("*.yaml")):
        raw = yaml.safe_load(file.read_text())
        found = schema_problems(raw, paper_schema, f"config/papers/{file.name}")
        problems += found
        if not found:
            papers[file.stem] = raw
            for kind, named in plain_values(raw["entries"]).items():
                entries[kind] |= named
    sections, found = join_sections(entries, config, schema)
    problems += found
    if problems:
        raise InputError(problems)
    full = {**fill_defaults(config, partial, schema), **sections, "papers": {}}
    full["preset"] = full.get("preset") or default_preset(full)
    for paper, raw in papers.items():
        settings = raw["settings"]["published"]
        if full["preset"] == "demo":
            settings = merge(settings, raw["settings"]["demo"])
        settings, own = plain_values(settings), full["overrides"].get(paper, {})
        found = override_problems(paper, own, settings, sections)
        problems += found or setting_problems(paper, own, settings)
        problems += setting_problems(paper, settings, file=f"config/papers/{paper}.yaml")
        settings, found = join_settings(paper, settings, own)
        problems += found
        for network in settings.get("networks", {}).values():
            # Random weights where no file is named.
            network.setdefault("weights", "")
            network.setdefault("sha256", "")
        full["papers"][paper] = {
            "title": raw["title"],
            "citation": raw["citation"],
            "published_names": raw.get("published_names", {}),
            **({"er_inclusive": raw["er_inclusive"]["value"]} if "er_inclusive" in raw else {}),
            "notices": raw.get("notices", {}),
            "network_notices": raw.get("network_notices", {}),
            "settings": settings,
        }
    problems += [*unknown_papers(full["overrides"], full["papers"]), *date_problems(full["splits"])]
    problems += [*path_problems(full), *threshold_problems(full)]
    problems += radiomics_problems(full["radiomics"], config.get("radiomics", {}))
    if problems:
        raise InputError(problems)
    # 0 stands for the preset's own number.
    small = full["preset"] == "demo"
    if not full["null_control"]["permutations"]:
        full["null_control"]["permutations"] = 20 if small else 200
    if not full["evaluation"]["resamples"]:
        full["evaluation"]["resamples"] = 200 if small else 1000
    if not full["masks"]["unet"]:
        # The network that a method takes features from, where one does.
        named = (paper["settings"].get("unet", "") for paper in full["papers"].values())
        full["masks"]["unet"] = next(filter(None, named), "")
    problems += [*_study_problems(full), *_unet_problems(full)]
    if problems:
        raise InputError(problems)
    return full


def _reference_phase(full: Mapping[str, Any], crop: str) -> str:
    """The phase that the grid of a crop registers to; empty where there is none."""
    grid = full["crops"].get(crop, {}).get("grid", "")
    return full["grids"].get(grid, {}).get("register_to", "")


def _setting_problem(paper: str, key: str, value: object, remedy: str) -> Problem:
    return Problem("", "", "config", f"overrides.{paper}.{key}: {value!r} cannot be used", remedy)


def _network_problems(paper: str, settings: Mapping[str, Any]) -> list[Problem]:
    """Values of a paper's networks that would only fail hours later; every file of weights is read and checked.

    Networks without `epochs` are not trained: they only extract features.
    """
    problems, trained = [], "epochs" in settings

    def wrong(key: str, value: object, remedy: str) -> None:
        problems.append(_setting_problem(paper, key, value, remedy))

    if trained:
        if "fusion_network" in settings and settings["fusion_network"] not in ("best", *settings["networks"]):
            wrong(
                "fusion_network", settings["fusion_network"], f"best, or of networks {', '.join(settings['networks'])}"
            )
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
    known = ARCHITECTURES if trained else FEATURE_ARCHITECTURES
    if "learners" in settings:
        known = (*SLICE_ARCHITECTURES, *VOLUME_ARCHITECTURES)
        if not slice_networks(settings):
            wrong("networks", sorted(settings["networks"]), f"at least one of {', '.join(SLICE_ARCHITECTURES)}")
    if settings.get("ensemble"):
        known = BOX_ARCHITECTURES
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


def _crop_problems(paper: str, settings: Mapping[str, Any], full: Mapping[str, Any]) -> list[Problem]:
    """Crops that the networks of images or boxes cannot read."""
    problems = []

    def wrong(crop: str, what: str, remedy: str) -> None:
        problems.append(Problem("", "", "config", f"crops.{crop}, which {paper} reads: {what}", remedy))

    for name, network in settings["networks"].items():
        named = network_crop(settings, name)
        crop = full["crops"].get(named)
        if crop is None:
            known = f"known: {sorted(full['crops'])}"
            problems.append(_setting_problem(paper, f"networks.{name}.crops", named, known))
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


def _box_problems(paper: str, settings: Mapping[str, Any], full: Mapping[str, Any]) -> list[Problem]:
    """What the networks of Cui 2022 cannot run with, or would run with silently wrong."""
    problems = []

    def wrong(key: str, value: object, remedy: str) -> None:
        problems.append(_setting_problem(paper, key, value, remedy))

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
        return problems
    if found["SS"]["masked"] is not True or found["NSS"]["masked"] is True:
        named = [network_crop(settings, name) for name in ("SS", "NSS")]
        wrong("networks", named, f"crops with masked: true for SS, and with masked: false or {BOUNDING_BOX} for NSS")
    _, y, x = found["SS"]["size_voxels"]
    if y != x or found["NSS"]["size_voxels"] != found["SS"]["size_voxels"]:
        wrong("networks", [crop["size_voxels"] for crop in found.values()], "boxes of one size, square in plane")
    shift = settings["augmentation"].get("largest_shift", -1)
    if not isinstance(shift, int) or not 0 <= shift < min(y, x):
        wrong("augmentation.largest_shift", shift, f"a whole number of voxels from 0, below the box's {min(y, x)}")
    return problems


def _learner_problems(paper: str, settings: Mapping[str, Any]) -> list[Problem]:
    """Grids of learners that would only fail in their jobs."""
    problems = []
    unknown = sorted(set(settings["learners"]) - set(ESTIMATORS))
    if unknown or not settings["learners"]:
        remedy = f"at least one of {', '.join(ESTIMATORS)}"
        problems.append(_setting_problem(paper, "learners", unknown or settings["learners"], remedy))
    for name, grid in settings["learners"].items():
        known = ESTIMATORS[name].settings if name in ESTIMATORS else tuple(grid)
        for parameter, values in grid.items():
            if parameter not in known or not isinstance(values, list) or not values:
                remedy = f"lists of values of {', '.join(known) or 'nothing: it has no settings'}"
                problems.append(_setting_problem(paper, f"learners.{name}.{parameter}", values, remedy))
    if settings["decimals"] not in (1, 2, 3):
        problems.append(_setting_problem(paper, "decimals", settings["decimals"], "1, 2 or 3"))
    return problems


def _unet_problems(full: Mapping[str, Any]) -> list[Problem]:
    """Names and windows of networks that find the tumour, and settings of the method that takes features from them."""
    problems, named = [], [("masks.unet", full["masks"]["unet"])] if full["masks"]["source"] == "unet" else []
    for name, split in full["splits"].items():
        if split["without_unet"]:
            named.append((f"splits.{name}.without_unet", split["without_unet"]))
    for study in full["studies"]:
        paper, cohort = full["papers"].get(study["paper"]), full["cohorts"].get(study["cohort"])
        if not paper or not cohort or "unet" not in paper["settings"]:
            continue
        settings, where = paper["settings"], f"study {study['paper']} on {study['cohort']}"
        named.append((f"overrides.{study['paper']}.unet", settings["unet"]))
        if not study["networks"]:
            what = f"{where}: networks is false, and the method is nothing without its network"
            problems.append(Problem("", "", "config", what, "remove the line"))
        split = full["splits"].get(study["split"] or settings["split"])
        if split and split["without_unet"] != settings["unet"]:
            what = (
                f"{where}: its split keeps the patients that train {settings['unet']}, whose features would be theirs"
            )
            problems.append(Problem("", "", "config", what, f"use a split with without_unet: {settings['unet']}"))
        numbers = settings["feature_numbers"]
        if not numbers or not all(isinstance(k, int) and k > 0 for k in numbers):
            remedy = "whole numbers from 1 upwards"
            problems.append(_setting_problem(study["paper"], "feature_numbers", numbers, remedy))
        unknown = sorted(set(settings["regression_grid"]) - {"C", "max_iter", "tol"})
        if unknown or not all(settings["regression_grid"].values()):
            what = unknown or settings["regression_grid"]
            problems.append(_setting_problem(study["paper"], "regression_grid", what, "lists of C, max_iter and tol"))
        lacking = sorted(set(settings["visual"]) - set(settings["clinical"]))
        if lacking:
            problems.append(_setting_problem(study["paper"], "visual", lacking, "variables of `clinical`"))
    for key, unet in named:
        if unet not in full["unets"]:
            problems.append(
                Problem(
                    "",
                    "",
                    "config",
                    f"{key} names {unet!r}, which unets does not have",
                    f"known: {sorted(full['unets'])}",
                )
            )
    return problems


def _grid_problems(paper: str, settings: Mapping[str, Any]) -> list[Problem]:
    """Choices of a grid of signatures that would only fail in its jobs."""
    problems = []

    def wrong(key: str, value: object, remedy: str) -> None:
        problems.append(_setting_problem(paper, key, value, remedy))

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
    return problems


def _sizes_of_grid(where: str, settings: Mapping[str, Any], wrong: Callable[[str, object, str], None]) -> None:
    """Numbers of a grid of signatures that are none, each told to `wrong`."""
    numbers = settings.get("feature_numbers", [1])
    if not numbers or not all(isinstance(k, int) and k > 0 for k in numbers):
        wrong(f"{where}feature_numbers", numbers, "whole numbers from 1 upwards")
    for key, lowest in (("inner_folds", 2), ("inner_repeats", 1), ("grid_repeats", 1)):
        value = settings.get(key, lowest)
        if not isinstance(value, int) or value < lowest:
            wrong(f"{where}{key}", value, f"a whole number from {lowest} upwards")


def _nearest(name: str, known: Collection[str]) -> str:
    """What to write for a name that is none of the known ones."""
    close = difflib.get_close_matches(name.strip(), sorted(known), 1)
    return (f"did you mean {close[0]!r}? " if close else "") + f"known are {', '.join(sorted(known))}"


def _study_problems(full: Mapping[str, Any]) -> list[Problem]:
    def problem(what: str, remedy: str) -> Problem:
        return Problem("", "", "config", what, remedy)

    problems, seen = [], set()
    known = {f"{study['paper']}:{study['cohort']}" for study in full["studies"]}
    if full["study"] and full["study"] not in known:
        problems.append(
            problem(f"study: no study of this run is called {full['study']!r}", _nearest(full["study"], known))
        )
    for number, study in enumerate(full["studies"], 1):
        paper, cohort = study["paper"], study["cohort"]
        where = f"study {number} ({paper} on {cohort})"
        if (paper, cohort) in seen:
            problems.append(problem(f"{where} stands twice in studies", "remove one of them"))
        seen.add((paper, cohort))
        if paper not in full["papers"]:
            problems.append(problem(f"{where}: unknown paper", _nearest(paper, full["papers"])))
            continue
        if cohort not in full["cohorts"]:
            problems.append(problem(f"{where}: unknown cohort", _nearest(cohort, full["cohorts"])))
            continue
        settings = full["papers"][paper]["settings"]
        unknown = sorted(set(study["phases"]) - set(settings["phases"]))
        if unknown:
            problems.append(
                problem(
                    f"{where}: phases maps {unknown}, which the paper does not use",
                    f"the paper's phases are {settings['phases']}",
                )
            )
        for kind, key in (("radiomics", "radiomics"), ("splits", "split"), ("crops", "crops")):
            if key in settings and settings[key] not in full[kind]:
                problems.append(
                    problem(
                        f"{where}: {key} names {settings[key]!r}, which {kind} does not have",
                        f"known: {sorted(full[kind])}",
                    )
                )
        if study["split"] and study["split"] not in full["splits"]:
            problems.append(
                problem(
                    f"{where}: split names {study['split']!r}, which splits does not have",
                    f"known: {sorted(full['splits'])}",
                )
            )
        for kind in ("radiomics", "crops"):
            grid = full[kind].get(settings.get(kind, ""), {}).get("grid", "")
            corrected = full["grids"].get(grid, {}).get("bias_correction", "none") != "none"
            if corrected and full["cohorts"][cohort]["modality"] == "CT":
                problems.append(
                    problem(
                        f"{where}: the grid {grid!r} corrects the bias field, which CT does not have",
                        f"write a grid with bias_correction: none and {kind} on it (for networks with a window), and "
                        f"name those in overrides.{paper}.{kind}",
                    )
                )
        split = full["splits"].get(study["split"] or settings.get("split", ""))
        if "learners" in settings and study["networks"] and split and split["folds"] < 3:
            problems.append(
                problem(
                    f"{where}: its split has {split['folds']} folds; networks that leave two of them out need three",
                    "use a split with three folds or more, or set networks: false",
                )
            )
        if "learners" in settings and study["networks"] and study["phases"]:
            lacking = [p for p in settings["phases"] if p not in study["phases"]]
            if lacking:
                problems.append(
                    problem(
                        f"{where}: phases does not map {lacking}, and the three phases are the channels of its images",
                        "map each of the three, if need be two of them to one phase, or set networks: false",
                    )
                )
        reference = _reference_phase(full, settings.get("crops", ""))
        mapped = [study["phases"].get(p, "") for p in settings["phases"]] if study["phases"] else settings["phases"]
        if study["networks"] and reference and reference not in mapped:
            problems.append(
                problem(
                    f"{where}: crops {settings['crops']!r} register to the {reference} phase, which it does not use",
                    f"map it in the study's phases, name other crops in overrides.{paper}, or set networks: false",
                )
            )
        if not study["networks"] and "networks" in settings and ("epochs" not in settings or settings.get("ensemble")):
            problems.append(
                problem(
                    f"{where}: networks is false, and the method is nothing without its network",
                    "remove the line"
                    if settings.get("ensemble")
                    else "remove the line: it is not trained, and takes minutes",
                )
            )
        parent = full["cohorts"][cohort]["images_of"]
        if parent and (parent not in full["cohorts"] or full["cohorts"][parent]["images_of"]):
            problems.append(
                problem(
                    f"cohort {cohort}: images_of names {parent!r}, which is not a cohort with images",
                    "name a cohort that has its own series sheet",
                )
            )
    for name in sorted({study["paper"] for study in full["studies"]} & set(full["papers"])):
        settings = full["papers"][name]["settings"]
        problems += _network_problems(name, settings) if "networks" in settings else []
        problems += _grid_problems(name, settings) if "selectors" in settings else []
        if "learners" in settings:
            problems += [*_learner_problems(name, settings), *_crop_problems(name, settings, full)]
        if settings.get("ensemble"):
            problems += [*_box_problems(name, settings, full), *_crop_problems(name, settings, full)]
        crop = full["crops"].get(settings.get("crops", ""))
        grid = full["grids"].get(crop["grid"]) if crop else None
        frozen = "networks" in settings and "epochs" not in settings
        if frozen and grid and highest_value(crop, grid) is None:
            what = f"crops.{settings['crops']}: its values have no known range, which the network of {name} expects"
            problems.append(problem(what, "give its grid a normalisation, or the crops a window"))
    for name, grid in full["grids"].items():
        if grid["registration_engine"] == "ants" and importlib.util.find_spec("ants") is None:
            what = f"grids.{name}: registration_engine is ants, and the package antspyx is not installed"
            problems.append(problem(what, "install it into the environment, or use simpleitk"))
    for name, crop in full["crops"].items():
        if crop["masked"] == BOUNDING_BOX and crop["fit"] != "voxels":
            what = f"crops.{name}: masked is {BOUNDING_BOX}, which boxes of voxels alone know"
            problems.append(problem(what, "write fit: voxels, or masked: true or false"))
    for kind in ("radiomics", "crops"):
        for name, entry in full[kind].items():
            if entry["grid"] not in full["grids"]:
                problems.append(
                    problem(
                        f"{kind}.{name}: grid {entry['grid']!r} is not in grids",
                        f"known grids: {sorted(full['grids'])}",
                    )
                )
    return problems
