"""Which version of the workflow this is: pyproject.toml has it, and nothing else says another."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
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


def library_versions(packages: Iterable[str]) -> dict[str, str]:
    """Versions of packages by name; of one that is not there none."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


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


def release_problems(home: Path = HOME) -> list[str]:
    """What stands in the way of tagging this version; empty where nothing does."""
    own = workflow_version(home)
    found = []
    if not re.fullmatch(r"\d+\.\d+\.\d+", own):
        found.append(f"pyproject.toml: version {own!r} has not three numbers")
    cited = re.search(r"^version: *(\S+)", (home / "CITATION.cff").read_text(encoding="utf-8"), re.M)
    if not cited or cited.group(1).strip("\"'") != own:
        found.append(f"CITATION.cff: version {cited.group(1) if cited else 'lacks'}, and {own} in pyproject.toml")
    top = re.search(r"^## \[(.+?)\] - (.+)$", (home / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    if not top or top.group(1) != own:
        found.append(f"CHANGELOG.md: its top is {top.group(1) if top else 'no version'}, and not {own}")
    elif not re.fullmatch(r"\d{4}-\d\d-\d\d", top.group(2)):
        found.append(f"CHANGELOG.md: {top.group(2)!r} stands in place of the date of {own}")
    commit, changed = commit_and_changes(home)
    if not commit or changed:
        found.append("files are not committed" if commit else "this is no clone of the repository")
    elif _git(home, "tag", "--list", f"v{own}"):
        found.append(f"the tag v{own} is there already; set the next version")
    return found


if __name__ == "__main__":
    problems = release_problems()
    if problems:
        sys.exit("Not ready for a release:\n" + "\n".join(f"  {problem}" for problem in problems))
    print(workflow_version())
