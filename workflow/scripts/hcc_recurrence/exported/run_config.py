"""The config of a run that applies exported models: what decides inputs is the model's, the rest a person's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hcc_recurrence.config_entries import SECTIONS
from hcc_recurrence.config_schema import fill_defaults, schema_problems
from hcc_recurrence.exported.entries import join_models
from hcc_recurrence.exported.given import GivenModel, model_entries, read_models
from hcc_recurrence.exported.needs import model_problems, needed_variables, with_outcome_of
from hcc_recurrence.files import read_yaml
from hcc_recurrence.presets import path_problems
from hcc_recurrence.problems import InputError, Problem

# What a person may not set, because the model brings it.
FROM_THE_MODEL = (*SECTIONS, "overrides", "preset", "evaluation", "null_control", "seed")


def load_applied_configuration(
    config: Mapping[str, Any], schemas_folder: Path, known: Sequence[Problem] = ()
) -> dict[str, Any]:
    """Check the config of a run with `models`, and add what these bring.

    Each model stands in it as a paper of its name, on every cohort, so that all rules between DICOM and the inputs of
    models serve it as they serve a study.

    Args: known: what is wrong already with the files that the config was read from.

    Returns: the config with defaults; `models`: name -> of `GivenModel`.

    Raises: InputError listing every problem.
    """
    schema = read_yaml(schemas_folder / "config.schema.yaml")
    own = {**config, "models": model_entries(config["models"]) or config["models"]}
    problems = [*known, *_of_the_model(own)]
    own = {key: value for key, value in own.items() if key not in (*FROM_THE_MODEL, "studies")}
    whole = {**schema, "required": ["models", "cohorts"]}
    problems += schema_problems(own, whole, "config")
    if problems:
        raise InputError(problems)
    models, problems = read_models(own["models"])
    own["cohorts"] = {name: with_outcome_of(models, cohort) for name, cohort in own["cohorts"].items()}
    full = fill_defaults(own, whole, schema)
    problems += [p for model in models for name in full["cohorts"] for p in model_problems(model, name, full)]
    sections, settings, called = join_models(models)
    full |= {**sections, "splits": {}, "preset": "published"}
    full["papers"] = {model.name: _as_paper(model, settings[model.name]) for model in models}
    full["studies"] = [
        {
            "paper": model.name,
            "cohort": cohort,
            # The cohort's phases, in the model's order, under the names that the model has for them.
            "phases": {phase: model.phases.get(phase, phase) for phase in model.about["phases"]},
            "split": "",
            "networks": bool(settings[model.name].get("networks") or settings[model.name].get("unet")),
            "without": sorted({*model.without} & {*needed_variables(model)}),
        }
        for model in models
        for cohort in full["cohorts"]
    ]
    for cohort in full["cohorts"].values():
        # Nobody learns from it.
        cohort["outcome_needed"] = False
        # Patients whom nobody outlined need no sheet that says so.
        cohort["masks_needed"] = full["masks"]["source"] != "unet"
    problems += _mask_problems(full, models, called) if not problems else []
    problems += path_problems(full)
    if problems:
        raise InputError(problems)
    full["models"] = {model.name: {**asdict(model), "called": called[model.name]} for model in models}
    return full


def _as_paper(model: GivenModel, settings: Mapping[str, Any]) -> dict[str, Any]:
    about, needed = model.about, needed_variables(model)
    # What the fit could choose from; the cohort needs what it chose.
    clinical = {name: rule for name, rule in settings.get("clinical", {}).items() if name in needed}
    # The study's own order, in which a phase may stand twice.
    return {
        "title": about["title"],
        "citation": "",
        "published_names": {},
        "notices": {},
        "network_notices": {},
        "settings": {**settings, "phases": list(about["phases"]), "clinical": clinical},
    }


def _of_the_model(config: Mapping[str, Any]) -> list[Problem]:
    """Keys of the config that a run with `models` does not take."""

    def problem(what: str, remedy: str) -> Problem:
        return Problem("", "", "config", what, remedy)

    problems = []
    if config.get("studies"):
        what = "there are both models, which are applied, and studies, which are fitted"
        problems.append(problem(what, "write two configs; nothing is fitted where models are applied"))
    for key in FROM_THE_MODEL:
        if config.get(key) and key not in ("seed",):
            what = f"{key} is set, and the models that are applied bring their own"
            problems.append(problem(what, "remove it: a model takes its inputs as it was fitted with them"))
    cohorts = config.get("cohorts")
    for name, cohort in cohorts.items() if isinstance(cohorts, Mapping) else ():
        if not isinstance(cohort, Mapping):
            continue
        if cohort.get("thresholds"):
            what = f"cohorts.{name}.thresholds is set, and the models that are applied bring their own"
            problems.append(Problem(name, "", "config", what, "remove it"))
        if cohort.get("null_outcome"):
            what = f"cohorts.{name}.null_outcome is set: models would be validated on outcomes drawn by chance"
            problems.append(Problem(name, "", "config", what, "remove it, or leave out the columns of the outcome"))
        parent = cohort.get("images_of")
        other = cohorts.get(parent) if isinstance(parent, str) else None
        if parent and (not isinstance(other, Mapping) or other.get("images_of")):
            what = f"cohorts.{name}.images_of names {parent!r}, which is not a cohort with images"
            problems.append(Problem(name, "", "config", what, "name a cohort that has its own series sheet"))
    return problems


def _mask_problems(
    full: dict[str, Any], models: Sequence[GivenModel], called: Mapping[str, Mapping[str, Mapping[str, str]]]
) -> list[Problem]:
    """Chooses the network of `masks: {source: unet}`, which must come in one of the models and know all phases of the
    others.

    Args: called: of `join_models`.
    """
    masks = full["masks"]
    if masks["source"] != "unet":
        return []
    known = sorted(full["unets"])
    if not masks["unet"] and len(known) == 1:
        masks["unet"] = known[0]
    if masks["unet"] in known:
        return _phases_without_network(models, called, masks["unet"])
    if not known:
        what = "masks.source is unet, and none of the models has a segmentation network"
        return [Problem("", "", "config", what, "apply a model of Wang 2022 as well, or draw masks")]
    what = f"masks.unet is {masks['unet']!r}, and the models have {', '.join(known)}"
    return [Problem("", "", "config", what, "name one of them")]


def _phases_without_network(
    models: Sequence[GivenModel], called: Mapping[str, Mapping[str, Mapping[str, str]]], unet: str
) -> list[Problem]:
    """Phases that a model takes and the segmentation network of another one was not trained on."""
    source = next(model for model in models if unet in called[model.name]["unets"].values())
    drawn = [source.phases.get(phase, phase) for phase in dict.fromkeys(source.about["phases"])]
    problems = []
    for model in models:
        taken = [model.phases.get(phase, phase) for phase in dict.fromkeys(model.about["phases"])]
        lacking = [phase for phase in taken if phase not in drawn]
        if lacking:
            what = (
                f"masks.source is unet, and the network of {source.name} draws the tumour in {', '.join(drawn)}: "
                f"{model.name} takes {', '.join(lacking)} as well"
            )
            remedy = (
                f"outline the tumours yourself (masks: {{source: manual}}), or apply {model.name} in a run of its own"
            )
            problems.append(Problem("", "", "config", what, remedy))
    return problems
