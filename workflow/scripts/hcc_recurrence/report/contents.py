"""What stands where in the report: views (a method on a cohort, a comparison, a cohort), and their parts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

# The first word of a file's name decides the part of a view, in this order; whatever is not named is supplement, and
# so is what a new method brings.
MAIN = (
    *("roc", "metrics", "aucs", "kaplan_meier", "calibration", "decision_curve", "flow_chart", "baseline"),
    *("forest", "risk_factors", "nomogram_logistic", "nomogram_clinical", "nomogram_deep", "nomogram_combined"),
    *("nomogram", "hazards", "grad_cam", "score_cam"),
)
CHECKS = (
    *("optimism", "seeds", "null_control", "training_against_others", "strata", "training", "networks", "choices"),
    *("reproducibility", "readings", "readings_by_reader", "development", "inflation", "ensemble"),
    *("checklist_METRICS", "checklist_CLEAR", "checklist_TRIPOD_AI", "checklist_RQS"),
)
# Of a cohort: what a person looks at first.
DATA = ("all_patients", "labels", "changes", "acquisition", "dice", "outlines")
# Folders beside the cohorts.
OTHERS = {
    "preflight": "Problems of the input",
    "published": "Tables printed in the papers",
    "machines": "Machines that trained the networks",
}
PARTS = ("Main", "Supplement", "Checks")
# The strict protocol is the result; the published one stands beside it.
PROTOCOLS = ("strict", "as published")
BESIDE = ("pdf", "svg", "numbers.csv")


@dataclass(frozen=True)
class File:
    """A figure or table of the report: its path, and the protocol it is of ("both" where it is of no single one)."""

    path: Path
    protocol: str

    @property
    def stem(self) -> str:
        """`roc` of roc.strict.png."""
        return self.path.name.split(".")[0]

    @property
    def is_figure(self) -> bool:
        return self.path.suffix == ".png"


@dataclass
class Item:
    """One thing to look at: a figure in one or both protocols, or a table."""

    what: str
    caption: str
    files: list[File] = field(default_factory=list)


@dataclass
class View:
    """What is on the screen at one time: title, and parts by name."""

    name: str
    title: str
    group: str
    parts: dict[str, list[Item]]


def part_of(stem: str) -> str:
    """Main, Supplement or Checks."""
    return "Main" if stem in MAIN else "Checks" if stem in CHECKS else "Supplement"


def views(
    entries: Iterable[Mapping[str, Any]], results: Path, titles: Mapping[str, str], cohorts: Mapping[str, str]
) -> list[View]:
    """The views in reading order: comparisons, methods, cohorts, the papers' tables.

    Args:
        entries: of Snakemake's list of the report: path, labels (what, protocol), caption (HTML).
        results: the folder that paths are told from. titles: paper -> name. cohorts: cohort -> title.
    """
    found: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for entry in entries:
        parts = PurePosixPath(Path(entry["path"]).absolute().relative_to(results.absolute())).parts
        named = {**entry, "caption": _with_titles(entry["caption"], titles)}
        found.setdefault(_place(parts, titles, cohorts), []).append(named)
    made = []
    for (order, group, title), own in sorted(found.items(), key=lambda pair: pair[0]):
        kept = [entry for entry in own if not (order == 0 and "roc_variants" in entry["path"])]
        made.append(View(slug(f"{group} {title}"), title, group, _parts(kept, with_parts=order < 2)))
    return made


def _with_titles(caption: str, titles: Mapping[str, str]) -> str:
    """A caption that calls papers by their names, where it has the keys of the config (`zhao2024 on mine`)."""
    return re.sub(r"\b(\w+)(?= on )", lambda key: titles.get(key[1], key[1]), caption)


def slug(text: str) -> str:
    """A text as the name of a place in a page."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def figure_of(views: Sequence[View], group: str, title: str, stem: str) -> File | None:
    """The strict, else the only, figure of that name in a view."""
    files = (
        file
        for view in views
        if view.group == group and view.title == title
        for items in view.parts.values()
        for item in items
        for file in item.files
    )
    return next((file for file in files if file.is_figure and file.stem == stem), None)


def _place(parts: Sequence[str], titles: Mapping[str, str], cohorts: Mapping[str, str]) -> tuple[int, str, str]:
    cohort = cohorts.get(parts[0], "")
    if len(parts) > 2 and parts[1] == "comparison":
        return 0, "Comparison of methods", f"{cohort}, split {parts[2]}"
    if len(parts) > 1 and parts[1] in titles:
        return 1, titles[parts[1]], cohort
    if cohort:
        return 2, "Patients and images", cohort
    return 3, "Input and papers", OTHERS.get(parts[0], parts[0].capitalize())


def _parts(entries: Sequence[Mapping[str, Any]], with_parts: bool) -> dict[str, list[Item]]:
    items: dict[tuple[str, str], Item] = {}
    for entry in entries:
        labels = entry["labels"]
        file = File(Path(entry["path"]), labels.get("protocol", "both"))
        key = (part_of(file.stem) if with_parts else "All", labels["what"])
        items.setdefault(key, Item(labels["what"], entry["caption"])).files.append(file)
    for item in items.values():
        item.files.sort(key=lambda file: (_order(PROTOCOLS, file.protocol), file.path.name))
    order = {"Main": MAIN, "Checks": CHECKS, "All": DATA}
    ordered = sorted(
        items.items(),
        key=lambda pair: (_order(order.get(pair[0][0], ()), pair[1].files[0].stem), not pair[1].files[0].is_figure),
    )
    parts = {
        name: [item for (part, _), item in ordered if part == name] for name in (PARTS if with_parts else ("All",))
    }
    return {name: own for name, own in parts.items() if own}


def _order(names: Sequence[str], name: str) -> int:
    return names.index(name) if name in names else len(names)
