"""Which version of the workflow this is: pyproject.toml has it, and nothing else says another."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

NAME = "hcc-recurrence"
HOME = Path(__file__).resolve().parents[3]


def workflow_version(home: Path = HOME) -> str:
    """`0.1.0`, from pyproject.toml beside the workflow; empty where the workflow lies somewhere without it."""
    file = home / "pyproject.toml"
    if not file.is_file():
        return ""
    project = tomllib.loads(file.read_text(encoding="utf-8")).get("project", {})
    return str(project.get("version", "")) if project.get("name") == NAME else ""


def commit_and_changes(home: Path = HOME) -> tuple[str, bool | None]:
    """The commit, and whether files that git keeps differ from it; empty and None where git does not know the folder.

    A workflow that was copied into a folder of another repository has no commit of its own.
    """
    if not (home / ".git").exists():
        return "", None
    commit = _git(home, "rev-parse", "HEAD")
    changed = _git(home, "status", "--porcelain", "--untracked-files=no")
    return (commit or "").strip(), None if commit is None or changed is None else bool(changed.strip())


def _git(home: Path, *words: str) -> str | None:
    command = ["git", "-C", str(home), *words]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout if found.returncode == 0 else None
