"""Named entries (grids, crops, radiomics, unets, splits) and overrides: a person's, laid on those of the papers."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Mapping
from typing import Any

from hcc_recurrence.cohort.thresholds import in_standard_units, threshold_fault
from hcc_recurrence.config_layers import lay
from hcc_recurrence.config_schema import fill_defaults, kind_of, schema_problems
from hcc_recurrence.problems import Problem

SECTIONS = ("grids", "crops", "radiomics", "unets", "splits")
# An entry of a paper for the demo preset, beside the published one.
DEMO = "_demo"
# Grids of the demo whose name is that of their voxels.
DEMO_GRIDS = {"iso2": "iso1", "iso2_to_arterial": "iso1_to_arterial"}
# The section that a setting of a paper names an entry of.
NAMED_BY = {"radiomics": "radiomics", "crops": "crops", "split": "splits", "unet": "unets"}


def published_name(name: str) -> str:
    """The published entry of a paper that one for the demo preset makes smaller; of any other its own name."""
    return DEMO_GRIDS.get(name, name.removesuffix(DEMO))


def join_entries(papers: Mapping[str, Mapping[str, Any]], own: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of one section: those of the papers, with what a person changes of them, then the person's own.

    A person's `zhao2024: {bin_width: 25}` changes that key alone; the rest is the paper's. It holds in the demo preset
    as well, whose entry `zhao2024_demo` differs from the published one in sizes alone, unless the person's own
    `zhao2024_demo` says otherwise.
    """
    joined = {}
    for name, entry in papers.items():
        published = published_name(name)
        for changed in (published, name) if published in papers and published != name else (name,):
            if changed in own:
                parts = isinstance(entry, Mapping) and isinstance(own[changed], Mapping)
                entry = lay(entry, own[changed]) if parts else copy.deepcopy(own[changed])
        joined[name] = copy.deepcopy(entry)
    joined.update({name: copy.deepcopy(entry) for name, entry in own.items() if name not in papers})
    return joined


def join_sections(
    papers: Mapping[str, Mapping[str, Mapping[str, Any]]], config: Mapping[str, Any], schema: Mapping[str, Any]
) -> tuple[dict[str, dict[str, Any]], list[Problem]]:
    """All sections with their defaults, and what is wrong with the joined entries.

    Args:
        papers: section -> name -> entry, of all papers, without sources. config: a person's. schema: of the config.
    """
    sections, problems = {}, []
    for kind in SECTIONS:
        own = config.get(kind)
        own = own if isinstance(own, Mapping) else {}
        entries = join_entries(papers.get(kind, {}), own)
        below = {"type": "object", "properties": {kind: schema["properties"][kind]}, "$defs": schema["$defs"]}
        found = schema_problems({kind: entries}, below, "config")
        problems += [_near(p, kind, own, papers.get(kind, {})) for p in found]
        if not found:
            entries = fill_defaults(entries, schema["properties"][kind], schema)
        sections[kind] = entries
    return sections, problems


def _near(problem: Problem, kind: str, own: Mapping[str, Any], papers: Mapping[str, Any]) -> Problem:
    """The same problem, with the paper's entry that a name without its own keys may have meant."""
    for name in own:
        if name not in papers and problem.what.startswith(f"{kind}.{name}: lacks"):
            close = difflib.get_close_matches(name, list(papers), 1)
            remedy = (
                f"did you mean {close[0]!r}, of which a part may be changed? Else {problem.remedy}" if close else ""
            )
            return Problem("", "", problem.file, problem.what, remedy or problem.remedy)
    return problem


def unused_entries(full: Mapping[str, Any], own: Mapping[str, Any]) -> list[str]:
    """A sentence on each of a person's entries that nothing of the run reads, such as one with a mistyped name."""
    crops, radiomics, splits, unets = set(), set(), set(), set()
    for study in full["studies"]:
        settings = full["papers"].get(study["paper"], {}).get("settings", {})
        splits.add(study["split"] or settings.get("split", ""))
        radiomics.add(settings.get("radiomics", ""))
        unets.add(settings.get("unet", ""))
        crops.add(settings.get("crops", ""))
        crops |= {network.get("crops", "") for network in settings.get("networks", {}).values()}
    unets |= {full["masks"]["unet"]} | {
        full["splits"][name]["without_unet"] for name in splits if name in full["splits"]
    }
    grids = {full["crops"][name]["grid"] for name in crops if name in full["crops"]}
    grids |= {full["radiomics"][name]["grid"] for name in radiomics if name in full["radiomics"]}
    used = {"grids": grids, "crops": crops, "radiomics": radiomics, "unets": unets, "splits": splits}
    found = []
    for kind, names in used.items():
        # An entry whose demo form is used is used: its changes hold there.
        wanted = names | {published_name(name) for name in names}
        for name in sorted(set(own.get(kind) or {}) - wanted):
            there = ", ".join(sorted(names - {""})) or "none"
            found.append(f"config: {kind}.{name} changes nothing: no study of this run uses it (used: {there})")
    return found


def unknown_papers(overrides: Mapping[str, Any], papers: Mapping[str, Any]) -> list[Problem]:
    """Overrides of papers that there are not."""
    problems = []
    for paper in sorted(set(overrides) - set(papers)):
        close = difflib.get_close_matches(paper, list(papers), 1)
        remedy = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(sorted(papers))}"
        problems.append(Problem("", "", "config", f"overrides names the unknown paper {paper!r}", remedy))
    return problems


def override_problems(
    paper: str, own: Mapping[str, Any], raw: Mapping[str, Any], sections: Mapping[str, Any]
) -> list[Problem]:
    """Overrides that name no setting of a paper, or give it another type of value than the paper's.

    Args:
        own: the person's. raw: the paper's settings, without sources. sections: the joined named entries.
    """
    problems = []
    for key, value in own.items():
        where = f"overrides.{paper}.{key}"
        if key not in raw:
            problems.append(
                Problem(
                    "", "", "config", f"unknown key {key!r} in overrides.{paper}", _remedy(key, value, raw, sections)
                )
            )
            continue
        wanted, given = kind_of(raw[key]), kind_of(value)
        if wanted != given and raw[key] is not None:
            remedy = f"write {wanted}"
            if wanted == "a number" and isinstance(value, str):
                exponent = "e" in value.lower()
                remedy += ", without quotes" + ("; in YAML write 1.0e-4, not 1e-4" if exponent else "")
            shown = f"{value!r} is {given}" if value is not None else "is empty"
            problems.append(
                Problem(
                    "",
                    "",
                    "config",
                    f"{where}: {shown}; the paper's own value is {wanted} ({str(raw[key])[:60]})",
                    remedy,
                )
            )
    return problems


def _remedy(key: str, value: Any, raw: Mapping[str, Any], sections: Mapping[str, Any]) -> str:
    """Where a key stands that is no setting of a paper: in an entry that its settings name, or under a similar name."""
    for setting, kind in NAMED_BY.items():
        name = raw.get(setting)
        entry = sections[kind].get(name, {}) if isinstance(name, str) else {}
        if key in entry:
            return f"it is a key of {kind}: write {kind}: {{{published_name(name)}: {{{key}: {value}}}}}"
        grid = sections["grids"].get(entry.get("grid", ""), {}) if kind in ("radiomics", "crops") else {}
        if key in grid:
            return f"it is a key of grids: write grids: {{{published_name(entry['grid'])}: {{{key}: {value}}}}}"
    close = difflib.get_close_matches(key, list(raw), 1)
    return f"did you mean {close[0]!r}?" if close else f"known are {sorted(raw)}"


# What a network of `overrides` may say: what it is, and settings by which it is trained otherwise than the others.
NETWORK_KEYS = {
    "architecture",
    "weights",
    "sha256",
    "crops",
    "batch",
    "epochs",
    "patience",
    "optimiser",
    "learning_rate",
}
NETWORK_KEYS |= {"momentum", "weight_decay", "inner_fraction", "class_weights", "augmentation", "schedule", "choose"}
NETWORK_KEYS |= {"standardise"}


def join_settings(
    paper: str, settings: Mapping[str, Any], own: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Problem]]:
    """A paper's settings with a person's overrides, and what is wrong inside those of clinical variables and networks.

    A setting is replaced whole, but for two. Of `clinical` the variables that are named change, and the others stay (a
    study's `without` leaves some out). Of `networks` those that are named are used, and each takes from the paper's
    network of its name what is not said. Thresholds become those of the unit that values have (`in_standard_units`).
    """
    problems: list[Problem] = []

    def wrong(key: str, what: str, remedy: str) -> None:
        problems.append(Problem("", "", "config", f"overrides.{paper}.{key}: {what}", remedy))

    values = copy.deepcopy(dict(settings))
    for key, value in own.items():
        if kind_of(value) != kind_of(settings.get(key)):
            # Unknown, or of another type: `override_problems` says so.
            continue
        if key == "clinical":
            for variable, threshold in value.items():
                fault = threshold_fault(variable, threshold)
                if fault:
                    wrong(f"clinical.{variable}", *fault)
                else:
                    values["clinical"][variable] = copy.deepcopy(threshold)
        elif key == "networks":
            joined = {}
            for name, network in value.items():
                if not isinstance(network, Mapping):
                    wrong(f"networks.{name}", f"{network!r} is {kind_of(network)}", "write {architecture: resnet18}")
                    continue
                joined[name] = lay(settings["networks"].get(name, {}), network)
                for unknown in sorted(set(network) - NETWORK_KEYS):
                    close = difflib.get_close_matches(unknown, sorted(NETWORK_KEYS), 1)
                    remedy = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(sorted(NETWORK_KEYS))}"
                    wrong(f"networks.{name}", f"unknown key {unknown!r}", remedy)
                if "architecture" not in joined[name]:
                    wrong(f"networks.{name}", "lacks the key 'architecture'", "add it, such as architecture: resnet18")
            values["networks"] = joined
        else:
            values[key] = copy.deepcopy(value)
    if "clinical" in values:
        values["clinical"] = in_standard_units(values["clinical"])
    return values, problems
