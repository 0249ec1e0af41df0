"""Why a job runs again, by name: which setting, column, file or module differs from what made its output.

Snakemake compares parameters whole, and several of ours are hashes of many parts: of the modules that a script reaches,
of columns of the patients sheet. The record of a result keeps each part by its name (`named_parameters`), and so this
can tell which of them is another (`differences`). Parts are kept as hashes: nothing of a sheet can be read in them.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hcc_recurrence.problems import Refused
from hcc_recurrence.provenance import parts_of

# A dry run with these variables says why the job of an output would run, as JSON in a file (snakemake_records).
WHY_TO, WHY_OUTPUT = "HCC_WHY_TO", "HCC_WHY_OUTPUT"
# Longer values of settings are told apart, not told. Patients and paths in them are nobody's business.
LONGEST_VALUE = 40
# The parameter with the content of a patient's files.
FILES = "fingerprint"
# What is said of a part that is another, that was not there, and that is there no more.
PARTS = {
    "module": ("module {} was changed", "module {} is used now", "module {} is not used any more"),
    "column": ("{} of the patients sheet has another value", "{} is used now", "{} is not used any more"),
    "patient": ("images or masks of {} are others", "patient {} is new", "patient {} is gone"),
}
# What `snakemake_records` finds wrong with a file itself.
UNKNOWN = "nothing says what made the file"
REPLACED = "the file was changed or replaced after it was made"
FAULTS = (UNKNOWN, REPLACED)
# Reasons that are printed of one job, and jobs.
MOST = 20


def named_parameters(params: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of the parameters that decide whether a job runs again.

    Returns: name, through nested maps as `settings.epochs` -> the value as text or, where it is long, its hash; of a
    hash of parts what they are, and the hash of each: [kind, {part: hash}].
    """
    found: dict[str, Any] = {}
    for name, value in params.items():
        if isinstance(value, str) and (parts := parts_of(value)):
            found[name] = list(parts)
        else:
            found |= dict(_flat(name, value))
    return found


def _flat(name: str, value: Any) -> Iterable[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _flat(f"{name}.{key}", item)
        return
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    plain = len(text) <= LONGEST_VALUE and not set(text) & set("/\\") and name.split(".")[0] != FILES
    yield name, text if plain else f"hash {hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}"


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """In words, what of the parameters is another; both as `named_parameters` gives them."""
    said = []
    for name in sorted({*old, *new}):
        before, now = old.get(name), new.get(name)
        if before == now:
            continue
        if isinstance(before, list) and isinstance(now, list):
            said += _part_words(now[0], before[1], now[1])
        elif name.split(".")[0] == FILES:
            said.append(f"the files of {name.split('.', 1)[-1]} are others")
        elif isinstance(before, list) or isinstance(now, list):
            said.append(f"{name} is another")
        else:
            said.append(f"setting {name}{_change(before, now)}")
    return said


def _part_words(kind: str, before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    changed, added, removed = PARTS[kind]
    words = []
    for part in sorted({*before, *now}):
        if before.get(part) != now.get(part):
            form = added if part not in before else removed if part not in now else changed
            words.append(form.format(part))
    return words


def _change(before: str | None, now: str | None) -> str:
    if before is None or now is None:
        return " is new" if before is None else " is gone"
    if before.startswith("hash ") or now.startswith("hash "):
        return " is another"
    return f": {before} before, {now} now"


def job_reasons(reason: Any, old: Sequence[Mapping[str, Any] | None], new: Mapping[str, Any]) -> list[str]:
    """In words, why one job runs.

    Args:
        reason: Snakemake's. old: the records of the job's outputs, None where there is none. new: its parameters today,
            as `named_parameters` gives them.
    """
    said: list[str] = []
    if reason.forced:
        said.append("it is asked for by name (--forcerun or --forceall)")
    said += [f"{f} is not there" for f in sorted(map(str, reason.missing_output))]
    said += [f"an interrupted run left {f} half made" for f in sorted(map(str, reason.incomplete_output))]
    if reason.params_changed:
        kept = [record["named"] for record in old if record and record.get("named")]
        found = [words for named in kept for words in differences(named, new)]
        faults = sorted(set(map(str, reason.params_changed.only_old)) & set(FAULTS))
        said += faults or found or ["a parameter is another; the record is older than names of parameters"]
    if reason.input_changed:
        said.append("it takes other input files than before")
    own = {str(f) for f in reason.updated_input} - {str(f) for f in reason.updated_input_run}
    said += [f"{f} is newer" for f in sorted(own)]
    return list(dict.fromkeys(said))


def upstream_reasons(
    job: Any, dependencies: Callable[[Any], Iterable[Any]], reasons: Callable[[Any], list[str]]
) -> list[tuple[Any, list[str]]]:
    """The jobs that a job waits for and that run for a reason of their own, nearest first, with their reasons.

    Args: dependencies: of a job, those that run. reasons: of a job, its own.
    """
    found, seen, waiting = [], {job}, [job]
    while waiting:
        for before in dependencies(waiting.pop(0)):
            if before in seen:
                continue
            seen.add(before)
            waiting.append(before)
            if own := reasons(before):
                found.append((before, own))
    return found


def explain(about: Mapping[str, Any]) -> str:
    """The page of words for one output, from what `snakemake_records` wrote of it."""
    output, lines = about["output"], []
    if about["runs"]:
        lines.append(f"{output} will be made again by {about['rule']}:")
        lines += [f"  {words}" for words in about["reasons"][:MOST]]
        if about["upstream"] and not about["reasons"]:
            lines.append("  its input is made again")
        for step in about["upstream"][:MOST]:
            lines.append(f"  before it {step['rule']} runs, such as for {step['output']}:")
            lines += [f"    {words}" for words in step["reasons"][:MOST]]
        if len(about["upstream"]) > MOST:
            lines.append(f"  and {len(about['upstream']) - MOST} more jobs before it")
    else:
        lines.append(f"{output} is up to date: nothing would make it run again.")
    if about["made"]:
        because = "; ".join(about["because"][:MOST]) or "no reason was kept: it was made for the first time, or adopted"
        lines.append(f"It was last made at {about['made']}: {because}.")
    return "\n".join(lines)


def steps_of_one_kind(steps: Sequence[tuple[str, str, Sequence[str]]]) -> list[dict[str, Any]]:
    """Rule, output and reasons of jobs, one for each rule and set of reasons: 300 patients need no 300 lines."""
    found: dict[tuple[str, tuple[str, ...]], dict[str, Any]] = {}
    for rule, output, reasons in steps:
        found.setdefault((rule, tuple(reasons)), {"rule": rule, "output": output, "reasons": list(reasons)})
    return list(found.values())


def ask(snakefile: str, config: Mapping[str, Any], output: str) -> dict[str, Any]:
    """What a dry run says of one output of a workflow, with the same config.

    Raises: Refused where no job makes it.
    """
    if not output:
        raise Refused("no output is named", "write snakemake why --cores 1 --config job=results/COHORT/labels.csv")
    with tempfile.TemporaryDirectory() as folder:
        settings, found = Path(folder, "config.json"), Path(folder, "why.json")
        settings.write_text(json.dumps({**config, "job": ""}))
        command = [
            *(sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "--nolock", "--snakefile", snakefile),
            *("--configfile", str(settings), "--", output),
        ]
        environment = {**os.environ, WHY_TO: str(found), WHY_OUTPUT: output}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        if not found.is_file():
            last = (done.stdout + done.stderr).strip().splitlines()[-1:] or ["Snakemake said nothing"]
            raise Refused(f"nothing says why {output} would run: {last[0]}", "name a file or folder of the results")
        return json.loads(found.read_text())
