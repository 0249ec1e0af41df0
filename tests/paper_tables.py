"""The tables "What of the paper is where" of docs/methods: read, and held against files, settings and tests.

    python tests/paper_tables.py results

lists what the pages promise of a finished run and is not there.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = REPOSITORY / "docs/methods"
PAPERS = REPOSITORY / "config/papers"
HEADING = "## What of the paper is where"
VERDICTS = ("yes", "partly", "no")
COHORT = "<cohort>/"


@dataclass(frozen=True)
class Row:
    """One item of a paper, and where the workflow has it.

    Attributes:
        paper: key of the paper. item: table, figure or step of the paper. verdict: `yes`, `partly` or `no`.
        reason: what differs, or why it is not there. files: patterns of paths below `results/`. settings: keys in the
        paper's file of settings. tests: names of tests.
    """

    paper: str
    item: str
    verdict: str
    reason: str
    files: tuple[str, ...]
    settings: tuple[str, ...]
    tests: tuple[str, ...]


def pages() -> list[Path]:
    """The page of each paper that has one."""
    return [PAGES / f"{path.stem}.md" for path in sorted(PAPERS.glob("*.yaml")) if (PAGES / f"{path.stem}.md").exists()]


def read_rows(page: Path) -> list[Row]:
    """The rows of one page.

    Raises: ValueError where the page has no such table, or a row is not as the others.
    """
    text = page.read_text()
    if HEADING not in text:
        raise ValueError(f"{page}: there is no heading {HEADING!r}")
    section = text.split(HEADING)[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    rows = []
    for line in lines[2:]:
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) != 3:
            raise ValueError(f"{page}: not three columns: {line}")
        verdict, _, reason = cells[1].partition(":")
        if verdict not in VERDICTS:
            raise ValueError(f"{page}: the second column is none of {', '.join(VERDICTS)}: {line}")
        named = re.findall(r"`([^`]+)`", cells[2])
        settings = [name.removeprefix("config:").strip() for name in named if name.startswith("config:")]
        tests = [name for name in named if name.startswith("test_")]
        files = [_below_results(page.stem, n) for n in named if not n.startswith(("config:", "test_"))]
        rows.append(Row(page.stem, cells[0], verdict, reason.strip(), tuple(files), tuple(settings), tuple(tests)))
    if not rows:
        raise ValueError(f"{page}: the table is empty")
    return rows


def _below_results(paper: str, name: str) -> str:
    return name if name.startswith((COHORT, "published/")) else f"{COHORT}{paper}/{name}"


def pattern(name: str) -> re.Pattern[str]:
    """What paths below `results/` a file of a table stands for: `<anything>` is one part of a path."""
    parts = re.split(r"<[^>]*>", name)
    return re.compile("[^/]+".join(map(re.escape, parts)))


def lacking(rows: Iterable[Row], paths: Iterable[str]) -> list[tuple[Row, str]]:
    """Rows and their files that none of the paths (below `results/`) is; a folder counts for what lies in it."""
    known = set(paths)
    known |= {str(parent) for path in known for parent in Path(path).parents}
    return [(row, name) for row in rows for name in row.files if not any(map(pattern(name).fullmatch, known))]


def settings_of(paper: str) -> dict[str, Any]:
    """What stands in a paper's file of settings: the published settings, and the named entries by section."""
    loaded = yaml.safe_load((PAPERS / f"{paper}.yaml").read_text())
    return {**loaded["settings"]["published"], **loaded.get("entries", {})}


def has_setting(paper: str, key: str) -> bool:
    """Whether a key such as `optimiser` or `crops.cui2022_ss.window` is in a paper's file of settings."""
    at: Any = settings_of(paper)
    for part in key.split("."):
        if not isinstance(at, dict):
            return False
        # Below a setting with a source, its value.
        at = at["value"] if part not in at and isinstance(at.get("value"), dict) else at
        if part not in at:
            return False
        at = at[part]
    return True


def paths_below(results: Path) -> list[str]:
    """Every file and folder of results."""
    return [str(path.relative_to(results)) for path in results.rglob("*")]


def cohorts_of(results: Path, paper: str) -> list[Path]:
    """The cohorts of a finished run that a paper was run on, by the folder of each."""
    return sorted(path.parents[1] for path in results.glob(f"*/{paper}/predictions.csv"))


def lacking_in(results: Path, left_out: Iterable[str] = ()) -> list[tuple[Row, str]]:
    """What the pages of the papers that were run say is there, and no cohort of the results has.

    Args: left_out: files of the tables that the run's config does not ask for.
    """
    paths = paths_below(results)
    ran = [page for page in pages() if cohorts_of(results, page.stem)]
    return [(row, name) for page in ran for row, name in lacking(read_rows(page), paths) if name not in set(left_out)]


if __name__ == "__main__":
    absent = lacking_in(Path(sys.argv[1]))
    for row, name in absent:
        print(f"{row.paper}: {row.item}: {name}")
    print(f"{len(absent)} files are not there")
    sys.exit(bool(absent))
