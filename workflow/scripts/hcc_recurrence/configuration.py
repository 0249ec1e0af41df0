"""The config of a run: checked against its schema, joined with the papers' own files, one preset chosen."""

from __future__ import annotations

import copy
import difflib
import importlib.util
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hcc_recurrence.config_entries import SECTIONS, join_sections, join_settings, override_problems, unknown_papers
from hcc_recurrence.config_ranges import radiomics_problems, setting_problems
from hcc_recurrence.config_schema import fill_defaults, schema_problems
from hcc_recurrence.exported.run_config import load_applied_configuration
from hcc_recurrence.files import read_yaml
from hcc_recurrence.imaging.view_names import BOUNDING_BOX
from hcc_recurrence.methods.contract import FEATURES, declared
from hcc_recurrence.networks.architectures import crops_of, highest_value
from hcc_recurrence.presets import date_problems, default_preset, path_problems, threshold_problems
from hcc_recurrence.problems import InputError, Problem


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
    if "models" in config and not config.get("studies"):
        what = "models is empty, and there are no studies: nothing would be applied, and nothing fitted"
        remedy = "name the folder or zip of an exported model, or add studies"
        raise InputError([*known, Problem("", "", "config", what, remedy)])
    schema = read_yaml(schemas_folder / "config.schema.yaml")
    # Of named entries only a part may be said; they are checked when the rest has come from the papers.
    parts = {kind: {"type": "object", "default": {}} for kind in SECTIONS}
    partial = {**schema, "properties": {**schema["properties"], **parts}}
    problems = [*known, *schema_problems(config, partial, "config")]
    paper_schema = read_yaml(schemas_folder / "paper.schema.yaml")
    papers, entries = {}, {kind: {} for kind in SECTIONS}
    for file in sorted(papers_folder.glob("*.yaml")):
        raw = read_yaml(file)
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
        split = full["splits"].get(study["split"] or settings["split"])
        if split and split["without_unet"] != settings["unet"]:
            what = (
                f"{where}: its split keeps the patients that train {settings['unet']}, whose features would be theirs"
            )
            problems.append(Problem("", "", "config", what, f"use a split with without_unet: {settings['unet']}"))
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


def _nearest(name: str, known: Collection[str]) -> str:
    """What to write for a name that is none of the known ones."""
    close = difflib.get_close_matches(name.strip(), sorted(known), 1)
    return (f"did you mean {close[0]!r}? " if close else "") + f"known are {', '.join(sorted(known))}"


def _needs_problems(full: Mapping[str, Any], study: Mapping[str, Any], where: str) -> list[Problem]:
    """What a method must have, as it declares, and a study lacks: clinical variables, or times of the outcome."""
    needs, settings = declared(study["paper"]).needs, full["papers"][study["paper"]]["settings"]
    column, problems = full["cohorts"][study["cohort"]]["endpoint"]["column"], []
    if "times" in needs and column:
        what = f"{where}: the outcome (column {column}) has no times, and the method needs them: {needs['times']}"
        problems.append(Problem("", "", "config", what, "remove the study, or give dates or months of the outcome"))
    if "variables" in needs and not set(settings.get("clinical", {})) - set(study["without"]):
        what = f"{where}: `without` leaves no clinical variable, and the method needs one: {needs['variables']}"
        problems.append(Problem("", "", "config", what, "remove the study, or name variables that the cohort has"))
    return problems


def _window_problems(
    full: Mapping[str, Any], study: Mapping[str, Any], settings: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """Windows in HU that a study's networks would lay on MR, which has no such unit: what is wrong, and what to do."""
    if not study["networks"] or "crops" not in settings or full["cohorts"][study["cohort"]]["modality"] != "MR":
        return []
    found = []
    for name in crops_of(settings):
        crop = full["crops"].get(name, {})
        grid = full["grids"].get(crop.get("grid", ""), {})
        if crop.get("window") and grid.get("normalisation") == "none":
            what = f"crops {name!r} have the window {crop['window']} on MR, whose values have no unit as HU are"
            remedy = (
                "write a grid with a normalisation, such as zscore_body, and crops on it with a window in its values, "
                f"such as [-3, 3], and name those in overrides.{study['paper']} (crops, networks)"
            )
            found.append((what, remedy))
    return found


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
        problems += [problem(f"{where}: {what}", remedy) for what, remedy in _window_problems(full, study, settings)]
        problems += _needs_problems(full, study, where)
        method = declared(paper)
        problems += [
            problem(f"{where}: {what}", remedy) for what, remedy in method.study_problems(study, settings, full)
        ]
        reference = _reference_phase(full, settings.get("crops", ""))
        mapped = [study["phases"].get(p, "") for p in settings["phases"]] if study["phases"] else settings["phases"]
        if study["networks"] and reference and reference not in mapped:
            problems.append(
                problem(
                    f"{where}: crops {settings['crops']!r} register to the {reference} phase, which it does not use",
                    f"map it in the study's phases, name other crops in overrides.{paper}, or set networks: false",
                )
            )
        if not study["networks"] and method.needs_networks:
            remedy = "remove the line"
            if method.networks == FEATURES:
                remedy += ": it is not trained, and takes minutes"
            problems.append(
                problem(f"{where}: networks is false, and the method is nothing without its network", remedy)
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
        method = declared(name)
        problems += method.problems(settings, full)
        crop = full["crops"].get(settings.get("crops", ""))
        grid = full["grids"].get(crop["grid"]) if crop else None
        if method.networks == FEATURES and grid and highest_value(crop, grid) is None:
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
