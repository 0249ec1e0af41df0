"""Results of patients, phases, readers, grids, settings or studies that the config and the sheets no longer name.

Nothing is deleted by itself. What has a record in `_provenance` is known to be made by this workflow and can be made
again; any other file in the results may be somebody's own, is listed and never deleted.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hcc_recurrence.cost.dry_runs import ask_dry_run
from hcc_recurrence.result_records import FOLDER, Records, look

# What all targets without a path would make together.
TARGETS = ("all", "null_control", "preflight")
# A dry run with this variable writes what all its jobs would make into that file, as JSON (snakemake_records).
OUTPUTS_TO = "HCC_OUTPUTS_TO"
# Of any folder of results: what it is for stands in it.
OWN_FILES = {"README.md"}
# Made on purpose, and by no target that all others ask for: what exported models gave, and these models themselves.
ASKED_FOR = {"applied", "export"}
# What a job keeps for its next run beside its output, and which is no output (cohort/changes.py).
KEPT_BESIDE = {"record.json": "changes.csv"}


class Leftover(NamedTuple):
    """A file or folder of results that no job would make: its path, its bytes, and whether this workflow made it."""

    path: str
    size: int
    made_here: bool


def planned_outputs(snakefile: str, config: Mapping[str, Any]) -> dict[str, list[str]]:
    """What the jobs of all targets make, by a dry run with the same config: `outputs` and `logs`.

    Raises: RuntimeError where Snakemake could not plan them.
    """
    return ask_dry_run(snakefile, config, TARGETS, OUTPUTS_TO, "Snakemake could not say what it would make")


def find_leftovers(results: Path, outputs: Collection[str]) -> list[Leftover]:
    """What lies in a folder of results and is neither one of the outputs nor within one; sorted by path.

    Args: outputs: paths as jobs name them, beginning with `results`.
    """
    recorded = {str(results / key) for key in Records(results)}
    wanted = {os.path.normpath(path) for path in outputs}
    found = []
    for where, folders, files in os.walk(results):
        for name in sorted(folders):
            path = os.path.join(where, name)
            if path in wanted or name == FOLDER or name in ASKED_FOR:
                folders.remove(name)
            elif path in recorded:
                folders.remove(name)
                found.append(Leftover(path, look(path).size, True))
        for name in files:
            path = os.path.join(where, name)
            made_by_job = os.path.join(where, KEPT_BESIDE.get(name, name))
            if made_by_job not in wanted and name not in OWN_FILES:
                found.append(Leftover(path, os.lstat(path).st_size, made_by_job in recorded))
    return sorted(found)


def describe(leftovers: Sequence[Leftover]) -> str:
    """The leftovers in words, those of others apart, each with its bytes."""
    made, others = [[x for x in leftovers if x.made_here is wanted] for wanted in (True, False)]
    lines = [f"{len(made)} files or folders, {_megabytes(made)}, are no part of what the config and the sheets ask for"]
    lines += [f"  {x.path}  {x.size} bytes" for x in made]
    if made:
        lines.append("`snakemake --cores 1 remove_leftovers` deletes these, with the same --configfile and --config.")
    if others:
        size = _megabytes(others)
        lines.append(f"{len(others)} files, {size}, have no record that this workflow made them. Never deleted:")
        lines += [f"  {x.path}  {x.size} bytes" for x in others]
    return "\n".join(lines)


def remove_leftovers(results: Path, leftovers: Sequence[Leftover], logs: Collection[str] = ()) -> list[Leftover]:
    """Delete what this workflow made, with its logs, benchmarks, records and the folders that are empty then.

    Args: logs: those and the benchmarks of jobs that are still planned, which stay.

    Returns: what was deleted.
    """
    records, removed = Records(results), []
    for leftover in leftovers:
        if not leftover.made_here:
            continue
        path, key = Path(leftover.path), os.path.relpath(leftover.path, results)
        record = records.get(key) or {}
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        records.remove(key)
        removed.append(leftover)
        for name in [*record.get("log", []), *filter(None, [record.get("benchmark")])]:
            log = Path(name.replace("<results>", str(results), 1))
            if str(log) not in logs:
                log.unlink(missing_ok=True)
                _remove_empty(log.parent, Path())
        _remove_empty(path.parent, results)
    return removed


def _remove_empty(folder: Path, last: Path) -> None:
    while folder not in (last, folder.parent):
        with contextlib.suppress(OSError):
            folder.rmdir()
            folder = folder.parent
            continue
        return


def _megabytes(leftovers: Sequence[Leftover]) -> str:
    return f"{sum(x.size for x in leftovers) / 1e6:.1f} MB"
