"""The exported models that a run's config names: found whole, and each with what a person says of it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hcc_recurrence.exported.bundle import SUMS, read_bundle
from hcc_recurrence.files import ModelFileError
from hcc_recurrence.problems import Problem

# Where zips are unpacked, once each.
UNPACKED = Path(".snakemake", "hcc_models")
# A name becomes a folder of the results, and a wildcard.
_HELP = "models is a list of folders and zips of exported models, or of {model: folder or zip, phases, without}"


@dataclass(frozen=True)
class GivenModel:
    """One exported model of a run.

    path: as the config has it. folder: where its files are. sums: SHA-256 of its list of files, which any change of any
    file changes. about: its model.json. phases: phase of the model -> the cohort's phase that takes its place, where
    they differ. without: clinical variables that no patient of the run has.
    """

    path: str
    folder: str
    sums: str
    about: Mapping[str, Any]
    phases: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.about["name"]


def model_entries(value: Any) -> list[dict[str, Any]]:
    """The config's `models`, each as {model, phases, without}; what is no such thing stays, for the schema to name."""
    found = []
    for entry in value if isinstance(value, Sequence) and not isinstance(value, str) else []:
        own = {"model": entry} if isinstance(entry, str) else entry
        found.append({"phases": {}, "without": [], **own} if isinstance(own, Mapping) else own)
    return found


def read_models(entries: Sequence[Mapping[str, Any]]) -> tuple[list[GivenModel], list[Problem]]:
    """Read every model of a run, with all its sums.

    Args: entries: of `model_entries`.

    Returns: the models, in their order; and what is wrong with the others, in words.
    """
    models: list[GivenModel] = []
    problems: list[Problem] = []
    for entry in entries:
        try:
            models.append(_read(entry))
        except ModelFileError as error:
            what, _, remedy = str(error).removesuffix(".").partition(". What to do: ")
            problems.append(Problem("", "", "config", f"models: {what}", remedy or _HELP))
    for name in sorted({m.name for m in models if [o.name for o in models].count(m.name) > 1}):
        paths = " and ".join(m.path for m in models if m.name == name)
        what = f"models: {paths} are both called {name}, and their results would lie in one folder"
        problems.append(Problem("", "", "config", what, "apply them in two runs, with a folder of results each"))
    return models, problems


def _read(entry: Mapping[str, Any]) -> GivenModel:
    path = Path(entry["model"])
    # A zip that is replaced is unpacked anew; one that is not, once.
    folder = UNPACKED
    if path.is_file():
        status = os.stat(path)
        key = f"{path.resolve()} {status.st_size} {status.st_mtime_ns}"
        folder = UNPACKED / hashlib.sha256(key.encode()).hexdigest()[:16]
        if (folder / path.stem / SUMS).is_file():
            bundle = read_bundle(folder / path.stem, folder)
            return _given(entry, path, bundle)
    return _given(entry, path, read_bundle(path, folder))


def _given(entry: Mapping[str, Any], path: Path, bundle: Any) -> GivenModel:
    sums = hashlib.sha256((bundle.folder / SUMS).read_bytes()).hexdigest()
    phases = {str(model): str(own) for model, own in entry["phases"].items() if model != own}
    return GivenModel(str(path), str(bundle.folder), sums, bundle.about, phases, tuple(entry["without"]))
