"""What an exported model needs of a cohort, as far as the config says it: modality, phases, clinical variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hcc_recurrence.cohort.units import in_standard_unit
from hcc_recurrence.exported.given import GivenModel
from hcc_recurrence.problems import Problem


def model_problems(model: GivenModel, name: str, config: Mapping[str, Any]) -> list[Problem]:
    """Where a cohort's entry in the config cannot be what a model was fitted on.

    Args: name: of the cohort. config: of the run, with its defaults.
    """
    cohort, problems = config["cohorts"][name], []
    where = f"model {model.name}"

    def wrong(what: str, remedy: str) -> None:
        problems.append(Problem(name, "", "config", f"{where}: {what}", remedy))

    wanted = model.about["modality"]
    if cohort["modality"] != wanted:
        wrong(f"was fitted on {wanted}, and the cohort is {cohort['modality']}", f"apply it to {wanted} alone")
    problems += _phase_problems(model, name)
    problems += _outcome_problems(model, name, cohort)
    known = model.about["config"].get("cohort", {})
    if "lesions" in known and known["lesions"] != cohort["lesions"]:
        what = f"was fitted with lesions: {known['lesions']}, and the cohort has lesions: {cohort['lesions']}"
        wrong(what, f"set cohorts.{name}.lesions: {known['lesions']}, so that a mask means the same tumours")
    needed = needed_variables(model)
    for variable in sorted(set(model.without) - set(needed)):
        wrong(f"without names {variable!r}, which it does not take", f"it takes {', '.join(needed) or 'none'}")
    for variable, own in needed.items():
        if variable in model.without:
            continue
        there = cohort["clinical"].get(variable)
        if there is None:
            wrong(
                f"the cohort has no clinical variable {variable!r}, which it takes",
                f"add it to cohorts.{name}.clinical{_in_unit(own)}; or, if no patient has it, name it in `without` of "
                "this model: the median of the training patients takes its place, and outside.csv says so",
            )
            continue
        problems += _variable_problems(where, name, variable, own, there)
    return problems


def needed_variables(model: GivenModel) -> dict[str, Mapping[str, Any]]:
    """Clinical variables that the fitted models read, by name: unit, timing, kind and levels where they were fitted."""
    return needed_variables_of(model.about)


def needed_variables_of(about: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The same by model.json. What a fit could have chosen and did not, nobody needs."""
    known, used = about["config"].get("clinical", {}), set(about["reads"]["clinical"])
    return {name: own for name, own in known.items() if name in used}


def _in_unit(own: Mapping[str, Any]) -> str:
    return f" with its unit, such as {own['unit']}" if own.get("unit") else ""


def _phase_problems(model: GivenModel, name: str) -> list[Problem]:
    """Phases that the config gives in place of the model's."""
    own, problems = list(dict.fromkeys(model.about["phases"])), []
    if unknown := sorted(set(model.phases) - set(own)):
        what = f"model {model.name}: phases maps {', '.join(unknown)}, which the model does not take"
        problems.append(Problem(name, "", "config", what, f"it takes {', '.join(own)}"))
    taken = [model.phases.get(phase, phase) for phase in own]
    if twice := sorted({phase for phase in taken if taken.count(phase) > 1}):
        what = f"model {model.name}: {twice[0]} would stand for two phases of the model"
        problems.append(Problem(name, "", "config", what, "give each phase of the model images of its own"))
    return problems


def _outcome_problems(model: GivenModel, name: str, cohort: Mapping[str, Any]) -> list[Problem]:
    """Where the cohort's outcome is another than the one that the model predicts: it would be validated on it."""
    theirs, here = model.about["endpoint"]["words"], cohort["endpoint"]
    problems = []

    def wrong(what: str, remedy: str) -> None:
        problems.append(Problem(name, "", "config", f"model {model.name}: {what}", remedy))

    remedy = (
        f"write what the model predicts into cohorts.{name}, or leave it out: then it is the models' own. Models of "
        "different outcomes are applied in two runs"
    )
    differ = [key for key in theirs if key != "column" and theirs[key] != here[key]]
    if differ:
        wrong(f"predicts {theirs['name']}, and the cohort's endpoint.{differ[0]} is {here[differ[0]]!r}", remedy)
    elif bool(theirs["column"]) != bool(here["column"]):
        words = {True: "a column of 0 and 1 without times", False: "dates or months"}
        wrong(f"its outcome came from {words[bool(theirs['column'])]}, the cohort's does from "
              f"{words[bool(here['column'])]}", remedy)  # fmt: skip
    elif not here["column"]:
        known = model.about["config"].get("cohort", {})
        for key in ("er_days", "er_inclusive"):
            if key in known and known[key] != cohort[key]:
                wrong(f"was fitted with {key}: {known[key]}, and the cohort has {key}: {cohort[key]}", remedy)
    return problems


def with_outcome_of(models: Sequence[GivenModel], cohort: Mapping[str, Any]) -> dict[str, Any]:
    """A cohort's entry, with what the models predict where a person did not write it: their words and horizon.

    Where the models differ among each other the first one's is taken, and the others are refused (`model_problems`).
    """
    if not models:
        return dict(cohort)
    about = models[0].about
    own = {key: about["config"].get("cohort", {}).get(key) for key in ("er_days", "er_inclusive")}
    own["endpoint"] = dict(about["endpoint"]["words"])
    return {**{key: value for key, value in own.items() if value is not None}, **cohort}


def _variable_problems(
    where: str, name: str, variable: str, own: Mapping[str, Any], there: Mapping[str, Any]
) -> list[Problem]:
    """Where a variable of the cohort means something else than where the model was fitted."""
    problems, key = [], f"cohorts.{name}.clinical.{variable}"

    def wrong(what: str, remedy: str) -> None:
        problems.append(Problem(name, "", "config", f"{where}: {variable} {what}", remedy))

    for part in ("kind", "timing"):
        if own.get(part) != there.get(part):
            words = {"pre": "known before the operation", "post": "known only after the operation"}
            here, fitted = (words.get(str(v), str(v)) for v in (there.get(part), own.get(part)))
            wrong(f"is {fitted} where the model was fitted, and {here} here", f"correct {key}.{part}")
    if own.get("kind") == "categorical" and list(own.get("levels", [])) != list(there.get("levels", [])):
        what = f"has the levels {list(own.get('levels', []))} where the model was fitted, and {list(there['levels'])}"
        wrong(f"{what} here", f"write {key}.levels in that order, and the cells in these words")
    if own.get("kind") == "continuous" == there.get("kind"):
        unit = in_standard_unit(variable, there).get("unit", "")
        if not there["unit"] and own.get("unit"):
            wrong("has no unit", f"set {key}.unit, such as {own['unit']}")
        elif unit != own.get("unit", ""):
            wrong(
                f"is in {own.get('unit') or 'no unit'} where the model was fitted, and in {unit} here",
                f"give the values in {own.get('unit')}, and set {key}.unit",
            )
    return problems
