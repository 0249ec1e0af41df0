"""What a run has found in its input, kept for the jobs that it sends to a cluster.

Each of those starts Snakemake anew. Were it to look at every file of every patient again, as the run does once before
its first job, a slow network disk would make that longer than the job.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

from hcc_recurrence.cohort.checks import Sources
from hcc_recurrence.files import write_in_one_rename
from hcc_recurrence.problems import Problem
from hcc_recurrence.provenance import combine_hashes, content_hash

SEPARATOR = "\x1f"


class Checked:
    """The problems and fingerprints of one config and its sheets; those of any other count as not there.

    Args: path: a JSON file. config: of the run. sheets: the files it names, which must exist.
    """

    def __init__(self, path: Path, config: Mapping[str, Any], sheets: Iterable[Path]):
        self.path = path
        contents = [content_hash(sheet) for sheet in sheets]
        self.key = combine_hashes([json.dumps(config, sort_keys=True, default=str), *contents])

    def read(self) -> tuple[list[Problem], dict[str, Sources]] | None:
        """Problems, and sources by cohort; None where nothing fits."""
        with contextlib.suppress(OSError, ValueError):
            kept = json.loads(self.path.read_text())
            if kept["key"] == self.key:
                sources = {
                    name: Sources(**{part: _split(found) for part, found in parts.items()})
                    for name, parts in kept["sources"].items()
                }
                return [Problem(*problem) for problem in kept["problems"]], sources
        return None

    def write(self, problems: Sequence[Problem], sources: Mapping[str, Sources]) -> None:
        """Keep them; a folder that cannot be written to costs time alone."""
        parts = {name: {part: _joined(found) for part, found in vars(own).items()} for name, own in sources.items()}
        kept = {"key": self.key, "problems": [astuple(problem) for problem in problems], "sources": parts}
        with contextlib.suppress(OSError):
            write_in_one_rename(self.path, json.dumps(kept))


def _joined(found: Mapping[tuple[str, ...], Any]) -> dict[str, Any]:
    return {SEPARATOR.join(key): value for key, value in found.items()}


def _split(found: Mapping[str, Any]) -> dict[tuple[str, ...], Any]:
    return {tuple(key.split(SEPARATOR)): value for key, value in found.items()}
