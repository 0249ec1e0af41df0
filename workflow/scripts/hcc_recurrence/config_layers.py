"""The config of a run from its parts: the workflow's own file, a person's files, and values of the command line."""

from __future__ import annotations

import copy
import datetime
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hcc_recurrence.command_line import DOUBLE, config_file_problems, typed_values
from hcc_recurrence.problems import InputError, Problem

# What makes a cohort whole; one that is written in full takes nothing from another of its name.
WHOLE_COHORT = {"title", "modality", "patients"}
COMMAND_LINE = "--config"


def read_file(path: Path) -> tuple[dict[str, Any], list[Problem]]:
    """A config file as Snakemake reads it, and what is wrong with it, such as a key that stands twice.

    Raises: InputError where nothing can be read of it.
    """
    import yte

    problems = [Problem("", "", str(path), what, remedy) for what, remedy in config_file_problems(path)]
    if any(DOUBLE not in problem.what for problem in problems):
        raise InputError(problems)
    with open(path, encoding="utf-8") as stream:
        values = yte.process_yaml(stream, require_use_yte=True)
    plain, found = plain_types(values, str(path))
    return plain, [*problems, *found]


def plain_types(values: Any, source: str, where: str = "") -> tuple[Any, list[Problem]]:
    """Values with text for dates and for the names of keys, and a problem for each that could only be a mistake.

    Those are numbers that are none (.nan, .inf), keys that YAML takes for a switch (`no:`), and text with a tab or line
    break inside, as "D:\\tables" becomes between double quotes.
    """
    problems: list[Problem] = []

    def wrong(what: str, remedy: str) -> None:
        problems.append(Problem("", "", source, f"{where or 'the top level'}: {what}", remedy))

    if isinstance(values, Mapping):
        found = {}
        for key, item in values.items():
            if isinstance(key, bool) or key is None:
                wrong(f"the key {key!r} is not text", "YAML reads yes, no, on and off as switches; put it in quotes")
                continue
            below = f"{where}.{key}" if where else str(key)
            found[str(key)], more = plain_types(item, source, below)
            problems += more
        return found, problems
    if isinstance(values, list | tuple):
        items = []
        for number, item in enumerate(values, 1):
            plain, more = plain_types(item, source, f"{where}[{number}]")
            items.append(plain)
            problems += more
        return items, problems
    if isinstance(values, datetime.date):
        return values.isoformat(), problems
    if isinstance(values, float) and not math.isfinite(values):
        wrong(f"{values} is not a number that can be used", "write a number")
    if isinstance(values, str) and any(c in "\t\n\r\x07\x08\x0b\x0c" for c in values.rstrip("\n")):
        wrong(f"{values!r} holds a tab or a line break", "write / in paths, or put the text in single quotes")
    return values, problems


def lay(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid on `base` key by key through nested maps, as Snakemake joins config files; an empty map empties."""
    joined = copy.deepcopy(dict(base))
    for key, value in over.items():
        below = joined.get(key)
        both = isinstance(value, Mapping) and isinstance(below, Mapping) and bool(value)
        joined[key] = lay(below, value) if both else copy.deepcopy(value)
    return joined


def join_layers(base: Mapping[str, Any], own: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The run's config: the workflow's own file, then a person's files and command line in their order.

    A cohort that a person writes in full takes no key from the workflow's own of the same name: a hospital's `demo_mr`
    must not have the constants of simulated patients, or be simulated.
    """
    joined = copy.deepcopy(dict(base))
    for layer in own:
        # An empty section (`grids:`) says nothing; empty studies or cohorts would bring back those of the demo.
        layer = {k: v for k, v in layer.items() if v is not None or k in ("studies", "cohorts")}
        cohorts = layer.get("cohorts")
        known = joined.get("cohorts")
        if isinstance(cohorts, Mapping) and isinstance(known, Mapping):
            whole = {n for n, c in cohorts.items() if isinstance(c, Mapping) and set(c) >= WHOLE_COHORT}
            joined["cohorts"] = {name: entry for name, entry in known.items() if name not in whole}
        joined = lay(joined, layer)
    return joined


def layer_problems(base: Mapping[str, Any], own: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    """A person's cohorts that nothing runs on, since only the workflow's own studies are there, and no models."""
    if any("studies" in layer for layer in own):
        return
    if any("models" in layer for layer in own):
        what = "models is empty, and there are no studies: nothing would be applied, and nothing fitted"
        yield Problem("", "", "config", what, "name the folder or zip of an exported model, or add studies")
        return
    known = base.get("cohorts") or {}
    for layer in own:
        for name in layer.get("cohorts") or {}:
            if name not in known:
                what = f"cohorts has {name!r}, and there are no studies: those of config/config.yaml would run instead"
                yield Problem("", "", "config", what, f"add studies, such as [{{paper: zhao2024, cohort: {name}}}]")


def load_layers(
    base: Path | None, files: Sequence[Path], entries: Sequence[str], texts: Collection[str] = (), replace: bool = False
) -> tuple[dict[str, Any], list[Problem]]:
    """Read and join the parts of a run's config.

    Args:
        base: the workflow's own file, where it is there. files: a person's, the latter laid on the former.
        entries: `key=value` of the command line, as typed. texts: top-level keys whose value is text whatever it
            looks like.
        replace: Snakemake's --replace-workflow-config: the workflow's own file counts for nothing.

    Returns: the config, and every problem of the files and of the command line.

    Raises: InputError where a file cannot be read at all.
    """
    bottom, problems = read_file(base) if base else ({}, [])
    own = []
    for file in files:
        layer, found = read_file(file)
        own.append(layer)
        problems += found
    for entry in entries:
        try:
            layer, found = plain_types(typed_values([entry], texts), COMMAND_LINE)
        except ValueError as error:
            layer, found = {}, [Problem("", "", COMMAND_LINE, str(error), "correct the value")]
        own.append(layer)
        problems += found
    if replace:
        bottom = {}
    elif any(layer.get("models") for layer in own):
        # Models are applied to a person's cohorts, and to nobody's of the demo.
        bottom = {key: value for key, value in bottom.items() if key not in ("studies", "cohorts", "seed")}
    elif not problems:
        problems += layer_problems(bottom, own)
    return join_layers(bottom, own), problems
