"""Write into each paper's page the settings that are our choice, with the reason that stands beside them.

    python docs/chosen_settings.py

The reasons are written once, in config/papers/<paper>.yaml; tests/unit/test_docs.py keeps the pages in step.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[1]
BEGIN = "<!-- chosen settings: made by make docs -->"
END = "<!-- end of chosen settings -->"
DEMO_ONLY = "demo only"


def written(value: Any) -> str:
    """A value as one would type it, short."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6).strip().removesuffix("...").strip()
    return "yes" if text == "true" else "no" if text == "false" else text


def chosen(paper: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Key, value and reason of every setting marked `chosen`, of the published preset.

    Entries that differ for the demo preset alone are not listed. A mark that several entries share is listed once.
    """
    found: dict[tuple[str, str, str], list[str]] = {}
    for section, entries in paper.get("entries", {}).items():
        for entry_name, entry in entries.items():
            if any(str(setting.get("where", "")).startswith(DEMO_ONLY) for setting in entry.values()):
                continue
            for key, setting in entry.items():
                where = str(setting.get("where", ""))
                if setting["source"] == "chosen":
                    found.setdefault((key, written(setting["value"]), where), []).append(f"{section}.{entry_name}")
    rows = [(_named(names, key), value, where) for (key, value, where), names in found.items()]
    for key, setting in paper["settings"]["published"].items():
        marked = {key: setting}
        if isinstance(setting["value"], dict):
            # A part of a value may bear a mark of its own.
            parts = {part: own for part, own in setting["value"].items() if isinstance(own, dict) and "source" in own}
            marked |= {f"{key}.{part}": own for part, own in parts.items()}
        for name, own in marked.items():
            if own["source"] == "chosen":
                rows.append((f"`{name}`", written(own["value"]), str(own.get("where", ""))))
    return rows


def _named(entries: list[str], key: str) -> str:
    return ", ".join(f"`{entry}.{key}`" for entry in entries)


def table(paper: dict[str, Any]) -> str:
    """The lines between the two marks of a page."""
    rows = [f"| {key} | `{value}` | {where} |".replace("\n", " ") for key, value, where in chosen(paper)]
    return "\n".join(["| setting | value | why |", "|---|---|---|", *rows])


def filled(page: str, paper: dict[str, Any]) -> str:
    """A page with the table between its two marks.

    Raises: ValueError where the marks are not there.
    """
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        raise ValueError(f"the page needs the lines {BEGIN} and {END} once")
    return re.sub(f"{BEGIN}.*?{END}", lambda _: f"{BEGIN}\n{table(paper)}\n{END}", page, flags=re.DOTALL)


def main() -> None:
    """Rewrite the pages of all papers that have one."""
    for settings in sorted((REPOSITORY / "config/papers").glob("*.yaml")):
        page = REPOSITORY / "docs/methods" / f"{settings.stem}.md"
        if page.exists():
            page.write_text(filled(page.read_text(), yaml.safe_load(settings.read_text())))


if __name__ == "__main__":
    main()
