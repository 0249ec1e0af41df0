"""Names of clinical variables as the config has them, where a reader should find those for print."""

from __future__ import annotations

import html
import re
from pathlib import Path

import yaml
from workflow_runner import REPOSITORY

from hcc_recurrence.configuration import plain_values


def config_names() -> set[str]:
    """The papers' names of clinical variables, also with blanks for underscores."""
    names: set[str] = set()
    for file in (REPOSITORY / "config/papers").glob("*.yaml"):
        names |= set(plain_values(yaml.safe_load(file.read_text()))["settings"]["published"]["clinical"])
    return names | {name.replace("_", " ") for name in names}


def raw_names(text: str, names: set[str]) -> set[str]:
    """Names of the config in a page: as a whole cell, or with an underscore anywhere in what is shown."""
    shown = re.sub(r"<(style|script).*?</\1>", "", text, flags=re.DOTALL)
    cells = re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", shown, re.DOTALL)
    whole = {html.unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in cells}
    plain = re.sub(r"<[^>]+>", " ", shown)
    return (whole & names) | {n for n in names if "_" in n and re.search(rf"(?<!\w){n}(?!\w)", plain)}


def pages_with_raw_names(results: Path) -> dict[str, set[str]]:
    """Tables of studies that show such names. Groups of patients (`strata`) are called as the cohort calls them."""
    names = config_names()
    pages = [page for page in results.glob("*/*/tables/*.html") if page.stem != "strata"]
    found = {str(page.relative_to(results)): raw_names(page.read_text(), names) for page in sorted(pages)}
    return {page: bad for page, bad in found.items() if bad}
