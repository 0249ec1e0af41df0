"""Drafts on the disk: a sheet that a person has changed is never touched; what is new goes beside it.

`drafted.json` remembers what every draft held when it was written. A draft whose bytes are still those may be drafted
anew. Beside any other one, a folder `new_1`, `new_2` ... takes the rows that none of the drafts before had.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pandas as pd

from hcc_recurrence.cohort.tables import read_sheet
from hcc_recurrence.files import write_in_one_rename
from hcc_recurrence.problems import counted
from hcc_recurrence.provenance import content_hash

KINDS = ("patients", "series", "masks")


@dataclass
class Draft:
    """folder: below that of all drafts, empty for the first. root: of the delivery. written: hashes that each sheet was
    written with. rows: what they are of."""

    folder: str
    root: str
    written: dict[str, list[str]] = field(default_factory=dict)
    rows: list[str] = field(default_factory=list)

    def files(self, place: Path) -> dict[str, Path]:
        """Its sheets by kind, whether they are there or not."""
        return {kind: place / self.folder / f"{kind}.csv" for kind in KINDS}

    def exists(self, place: Path) -> bool:
        """Whether any sheet of it is there."""
        return any(file.exists() for file in self.files(place).values())

    def changed(self, place: Path) -> list[Path]:
        """Sheets that are not as they were drafted."""
        there = {kind: file for kind, file in self.files(place).items() if file.exists()}
        return [file for kind, file in there.items() if content_hash(file) not in self.written.get(kind, [])]


def write_drafts(place: Path, sheets: Mapping[str, pd.DataFrame], root: Path) -> list[str]:
    """Write drafts where they destroy nothing.

    Args:
        place: the folder of drafts. sheets: patients, series and masks, of `draft_sheets`. root: what their paths start
            from.

    Returns: sentences on what was written, and what was left as it is.
    """
    drafts = [draft for draft in _read(place) if draft.exists(place)]
    found = {row for sheet in sheets.values() for row in sheet.index}
    first, resolved, said = Draft("", ""), str(root.resolve()), []
    if not first.exists(place):
        drafts, target = [], first
    else:
        if not drafts or drafts[0].folder:
            # Sheets that nothing is known of are a person's.
            drafts.insert(0, Draft("", "", {}, _rows_of_sheet(place, sheets)))
        last = drafts[-1]
        changed = [file for draft in drafts for file in draft.changed(place)]
        if changed:
            said.append(f"{', '.join(map(str, changed))}: changed since drafted, or not drafted here; left as it is")
        other_delivery = last.root != resolved and not set(last.rows) <= found
        beside = bool(last.changed(place)) or other_delivery
        target = Draft(f"new_{_next_number(place)}", "") if beside else drafts.pop()
    known = {row for draft in drafts for row in draft.rows}
    elsewhere = {row for draft in drafts if draft.root not in ("", resolved) for row in draft.rows}
    if again := int(sheets["patients"].index.isin(list(elsewhere)).sum()):
        was, are = ("was", "is") if again == 1 else ("were", "are")
        said.append(
            f"{counted(again, 'patient')} of this folder {was} drafted from another folder before, and {are} in those "
            "sheets"
        )
    new = {kind: sheet[~sheet.index.isin(list(known))] for kind, sheet in sheets.items()}
    if drafts and not any(map(len, new.values())):
        return [*said, "nothing new was found"]
    target.root, target.rows = resolved, [row for sheet in new.values() for row in sheet.index]
    texts = {kind: new[kind].to_csv(index=False, lineterminator="\n") for kind in KINDS}
    for kind, text in texts.items():
        digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
        target.written[kind] = sorted({*target.written.get(kind, []), digest})
    # First what will have been drafted: where the writing is broken off, a sheet counts as a person's or as drafted.
    content = json.dumps([asdict(draft) for draft in [*drafts, target]], indent=1)
    write_in_one_rename(place / "drafted.json", content)
    for kind, file in target.files(place).items():
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_name(f".{file.name}.part")
        part.write_text(texts[kind], encoding="utf-8")
        part.replace(file)
    counts = ", ".join(
        [counted(len(new["patients"]), "patient")]
        + [f"{counted(len(new[kind]), 'row')} of {kind}" for kind in KINDS if kind != "patients"]
    )
    beside = "what is new, to be added to your sheets by hand: " if drafts else ""
    return [*said, f"drafted in {place / target.folder}: {beside}{counts}"]


def drafted_rows(place: Path, root: Path) -> dict[str, list[dict[str, str]]] | None:
    """Rows of the sheets that were drafted from one folder, as they stand now; None where none was.

    Sheets that nothing is known of (a person's own, in the place of drafts) count as of this folder.
    """
    drafts = [draft for draft in _read(place) if draft.exists(place)]
    own = [draft for draft in drafts if draft.root in ("", str(root.resolve()))]
    if not own:
        return None
    rows: dict[str, list[dict[str, str]]] = {kind: [] for kind in KINDS}
    for file, kind in ((file, kind) for draft in own for kind, file in draft.files(place).items() if file.exists()):
        rows[kind] += read_sheet(file).to_dict("records")
    return rows


def missing_sheets(place: Path) -> list[str]:
    """Sheets of the first draft that were drafted and are gone: discovery makes them again."""
    first = [draft for draft in _read(place) if not draft.folder]
    return [str(file) for draft in first for file in draft.files(place).values() if not file.exists()]


def _read(place: Path) -> list[Draft]:
    with contextlib.suppress(OSError, ValueError, TypeError):
        return [Draft(**draft) for draft in json.loads((place / "drafted.json").read_text())]
    return []


def _next_number(place: Path) -> int:
    """The first number whose folder is not there."""
    number = 1
    while (place / f"new_{number}").exists():
        number += 1
    return number


def _rows_of_sheet(place: Path, sheets: Mapping[str, pd.DataFrame]) -> list[str]:
    """Rows of patients that a sheet of unknown origin has already, with all their series and masks."""
    known: set[str] = set()
    with contextlib.suppress(Exception):
        known = set(read_sheet(place / "patients.csv")["patient_id"])
    return [row for sheet in sheets.values() for row in sheet.index[sheet["patient_id"].isin(known)]]
