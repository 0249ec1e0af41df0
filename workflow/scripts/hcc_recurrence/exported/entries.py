"""Grids, crops, radiomics and segmentation networks of several exported models side by side in one run."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from hcc_recurrence.exported.given import GivenModel

# In the order in which one names entries of another.
KINDS = ("grids", "crops", "radiomics", "unets")


def join_models(
    models: Sequence[GivenModel],
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]], dict[str, dict[str, dict[str, str]]]]:
    """What the models need of images, by section of the config, and the settings of each.

    Equal entries are shared: crops that two models read are made once. Of two entries with one name and another content
    the later one bears the name of its model in front. A segmentation network is its model's own, whatever its entry
    says: it was trained on other patients.

    Returns: sections, each name -> entry; by model its settings, which name the entries as they are called here; and by
    model and section the name in the model -> the name here.
    """
    sections: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
    settings, names = {}, {}
    for model in models:
        config, called = model.about["config"], {}
        for kind in KINDS:
            for name, raw in sorted(config.get(kind, {}).items()):
                entry = _in_cohort(kind, raw, model.phases, called)
                own = _free_name(name, entry, sections[kind], model.name, shared=kind != "unets")
                sections[kind][own] = entry
                called[kind, name] = own
        settings[model.name] = _renamed(config["settings"], called)
        names[model.name] = {
            kind: {theirs: own for (of, theirs), own in called.items() if of == kind} for kind in KINDS
        }
    return sections, settings, names


def _free_name(name: str, entry: Any, known: Mapping[str, Any], model: str, shared: bool) -> str:
    if name not in known or (shared and known[name] == entry):
        return name
    # Names of entries are letters, digits and _.
    return f"{model.replace('.', '_')}_{name}"


def _in_cohort(
    kind: str, raw: Mapping[str, Any], phases: Mapping[str, str], called: Mapping[tuple[str, str], str]
) -> dict[str, Any]:
    """An entry with the cohort's phases, and the names that the entries it names have in this run."""
    entry = copy.deepcopy(dict(raw))
    if "grid" in entry:
        entry["grid"] = called.get(("grids", entry["grid"]), entry["grid"])
    if entry.get("register_to"):
        entry["register_to"] = phases.get(entry["register_to"], entry["register_to"])
    if entry.get("phases"):
        entry["phases"] = [phases.get(phase, phase) for phase in entry["phases"]]
    if kind == "unets":
        entry["windows"] = {phases.get(phase, phase): window for phase, window in entry["windows"].items()}
    return entry


def _renamed(settings: Mapping[str, Any], called: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    """A method's settings that name the entries of this run; a split is none of what is applied."""
    found = {**copy.deepcopy(dict(settings)), "split": ""}
    for key, kind in (("crops", "crops"), ("radiomics", "radiomics"), ("unet", "unets")):
        if found.get(key):
            found[key] = called.get((kind, found[key]), found[key])
    for network in found.get("networks", {}).values():
        if network.get("crops"):
            network["crops"] = called.get(("crops", network["crops"]), network["crops"])
    return found
