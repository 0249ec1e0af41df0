"""results/provenance.json: what made the results of a run, for a methods section and for whoever repeats it.

Keys (docs/results.md has them in words): `format`, `written`, `workflow` (name, version, commit, changed_files, code),
`environment` (python, snakemake, lock, packages), `config` (digest, values), `inputs` (a cohort each: simulated,
sheets, images), `numerics`, `processors`, `seed`, `studies`. Digests are BLAKE2b of 128 bits, in hexadecimal.

No folder of a user's machine is in it, and of patients nothing but their ids and digests of their files.
"""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hcc_recurrence.files import write_in_one_rename
from hcc_recurrence.provenance import combine_hashes, content_hash
from hcc_recurrence.version import NAME, library_versions

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
# What numbers can hang on, under the names of their packages; of two builds of one library that which is there.
PACKAGES = (
    *("numpy", "scipy", "pandas", "scikit-learn", "statsmodels", "lifelines", "SimpleITK", "pydicom"),
    *("torch", "monai", "pyradiomics", "pyradiomics-bhklab", "xgboost", "xgboost-cpu", "lightgbm", "skops"),
)
FOLDER = re.compile(r"^(/|~|file:|[A-Za-z]:[\\/])")


def environment(lock: Path) -> dict[str, Any]:
    """What ran it. Args: lock: the list of pinned packages."""
    digest = content_hash(lock) if lock.is_file() else ""
    own = {"python": platform.python_version(), "snakemake": version("snakemake")}
    return {**own, "lock": digest, "packages": library_versions(PACKAGES)}


def without_folders(value: Any) -> Any:
    """A config whose absolute paths are the names of their files alone: where a file lies is not what it is."""
    if isinstance(value, Mapping):
        return {str(key): without_folders(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [without_folders(own) for own in value]
    if isinstance(value, str) and FOLDER.match(value):
        return re.split(r"[\\/]", value.rstrip("\\/"))[-1]
    return value


def digest_of(values: Any) -> str:
    """One digest of settings, whatever the order of their keys."""
    return combine_hashes([json.dumps(values, sort_keys=True, default=str)])


def inputs_of(simulated: bool, sheets: Iterable[Path], fingerprints: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Digests of a cohort's sheets, by the names of their files, and of the series and masks of each patient.

    Args: fingerprints: patient -> what its series and masks are; of simulated patients, whom the simulator's sheet
        stands for, it is constant.
    """
    return {
        "simulated": simulated,
        "sheets": {sheet.name: content_hash(sheet) for sheet in sheets},
        "images": {patient: digest_of(own) for patient, own in fingerprints.items()},
    }


def processors(machines: pd.DataFrame | None) -> list[dict[str, Any]]:
    """The kinds of machine that networks were trained on, with the number of networks; none without networks.

    Args: machines: of `machines_table`.
    """
    if machines is None or machines.empty:
        return []
    of_kind = ["numerics", "processor", "gpu", "system"]
    counts = machines[of_kind].fillna("").astype(str).groupby(of_kind).size()
    return [{**dict(zip(of_kind, kind, strict=True)), "networks": int(n)} for kind, n in counts.items()]


def provenance(
    facts: Mapping[str, Any],
    machines: pd.DataFrame | None,
    commit: tuple[str, bool | None],
    written: datetime,
) -> dict[str, Any]:
    """The whole of the file.

    Args:
        facts: version, code, environment, config, inputs, numerics, seed, studies. commit: of `commit_and_changes`.
        written: when.
    """
    return {
        "format": FORMAT,
        "written": written.isoformat(timespec="seconds"),
        "workflow": {
            "name": NAME,
            "version": facts["version"],
            "commit": commit[0],
            "changed_files": commit[1],
            "code": facts["code"],
        },
        "environment": facts["environment"],
        "config": {"digest": digest_of(facts["config"]), "values": facts["config"]},
        "inputs": facts["inputs"],
        "numerics": facts["numerics"],
        "processors": processors(machines),
        "seed": facts["seed"],
        "studies": [{"method": paper, "cohort": cohort} for paper, cohort in facts["studies"]],
    }


def write_provenance(path: Path, content: Mapping[str, Any]) -> None:
    """As JSON, whole or not at all."""
    write_in_one_rename(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def told(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the report's last page says of it: what, and its value in words."""
    own, made = content["workflow"], content["environment"]
    commit = own["commit"][:12] or "not a clone of the repository"
    if own["changed_files"]:
        commit += ", with changes that are not committed"
    machines = [
        f"{kind['processor']}{', ' + kind['gpu'] if kind['gpu'] else ''} ({kind['networks']} networks)"
        for kind in content["processors"]
    ]
    rows = (
        ("Workflow", f"{own['name']} {own['version']}".strip()),
        ("Commit", commit),
        ("Written", content["written"]),
        ("Python, Snakemake", f"{made['python']}, {made['snakemake']}"),
        ("Libraries", ", ".join(f"{name} {number}" for name, number in made["packages"].items())),
        ("Pinned packages (digest)", made["lock"]),
        ("Config (digest)", content["config"]["digest"]),
        ("Sheets and images (digest)", digest_of(content["inputs"])),
        ("Kernels of networks", content["numerics"]),
        ("Processors", "; ".join(machines)),
        ("Seed", str(content["seed"])),
    )
    return [(what, words) for what, words in rows if words]
