"""What changed in a cohort and in its splits since the last run that another cohort was given to.

A small record stays with the results. It holds two states, so that a job that was killed, or runs again for another
reason, says the same again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hcc_recurrence.endpoint import endpoint
from hcc_recurrence.files import write_in_one_rename

COLUMNS = ("what", "patients", "who")
VERSION = 1
FIRST = "first run of this cohort: nothing to compare with"
SAME = "nothing changed"


def _short(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def cohort_state(
    labels: pd.DataFrame,
    splits: Mapping[str, pd.DataFrame],
    files: Mapping[str, Mapping[str, str]],
    clinical: pd.DataFrame,
) -> dict[str, Any]:
    """What is compared, as plain values in a fixed order; clinical values and contents of files as hashes.

    Args:
        labels: from `make_labels`. splits: scheme -> from `make_split`. files: patient -> phase, or phase.reader for a
            mask -> content. clinical: text, index patient_id, one column a variable.
    """
    patients: dict[str, dict[str, Any]] = {}
    words = {0.0: f"no {endpoint().abbreviation}", 1.0: endpoint().abbreviation}
    for row in labels.sort_values("patient_id").to_dict("records"):
        name = row["patient_id"]
        patients[name] = {
            "centre": str(row["centre"]),
            "er": words.get(row["er"], "no label"),
            "follow_up": f"{row['rfs_months']} {row['rfs_event']}",
            "left_out": row["excluded_because"],
            "files": {key: _short(value) for key, value in sorted(files.get(name, {}).items())},
            "clinical": {},
        }
    for variable in sorted(clinical.columns):
        for name, value in clinical[variable].items():
            if name in patients:
                patients[name]["clinical"][variable] = _short(str(value))
    drawn: dict[str, dict[str, list[str]]] = {}
    for scheme, split in sorted(splits.items()):
        folds = [c for c in split.columns if c.startswith("fold_")]
        drawn[scheme] = {
            row["patient_id"]: [row["split"], *("" if pd.isna(row[f]) else str(int(row[f])) for f in folds)]
            for row in split.sort_values("patient_id").to_dict("records")
        }
    return {"patients": patients, "splits": drawn}


def _names(items: Sequence[str]) -> tuple[int, str]:
    return len(items), ", ".join(items)


def changes_table(before: Mapping[str, Any] | None, now: Mapping[str, Any]) -> pd.DataFrame:
    """What differs between two states of `cohort_state`: what, patients (number), who; one row a kind of change."""
    if before is None:
        return pd.DataFrame([(FIRST, len(now["patients"]), "")], columns=list(COLUMNS))
    rows: list[tuple[str, int, str]] = []

    def add(what: str, who: Sequence[str]) -> None:
        if who:
            rows.append((what, *_names(who)))

    old, new = before["patients"], now["patients"]
    add("patients added", sorted(set(new) - set(old)))
    add("patients removed", sorted(set(old) - set(new)))
    both = sorted(set(old) & set(new))
    moved = [p for p in both if bool(old[p]["left_out"]) != bool(new[p]["left_out"])]
    add("left out now", [f"{p} ({new[p]['left_out']})" for p in moved if new[p]["left_out"]])
    add("no longer left out", [p for p in moved if not new[p]["left_out"]])
    flipped = [p for p in both if old[p]["er"] != new[p]["er"]]
    add(f"{endpoint().name} changed", [f"{p} ({old[p]['er']} to {new[p]['er']})" for p in flipped])
    later = [p for p in both if old[p]["follow_up"] != new[p]["follow_up"] and p not in set(flipped)]
    add("time or event changed, label as before", later)
    add("centre changed", [p for p in both if old[p]["centre"] != new[p]["centre"]])
    for kind, part in (("file", "files"), ("clinical value", "clinical")):
        keys = sorted({key for state in (old, new) for p in both for key in state[p][part]})
        for key in keys:
            # Of a patient without images in one of the runs (left out) no file was replaced.
            known = [p for p in both if old[p][part] and new[p][part]]
            changed = [p for p in known if old[p][part].get(key) != new[p][part].get(key)]
            phase, _, reader = key.partition(".")
            what = f"mask changed: {phase}, {reader}" if reader else f"image changed: {phase}"
            add(what if kind == "file" else f"clinical value changed: {key}", changed)
    for scheme in sorted(set(before["splits"]) | set(now["splits"])):
        rows += _split_changes(scheme, before["splits"].get(scheme), now["splits"].get(scheme))
    return pd.DataFrame(rows or [(SAME, 0, "")], columns=list(COLUMNS))


def _split_changes(
    scheme: str, old: Mapping[str, Sequence[str]] | None, new: Mapping[str, Sequence[str]] | None
) -> list[tuple[str, int, str]]:
    if old is None or new is None:
        return [(f"split {scheme} {'is new' if old is None else 'is no longer used'}", len(new or old or {}), "")]
    both, rows = sorted(set(old) & set(new)), []
    sets = [f"{p} ({old[p][0]} to {new[p][0]})" for p in both if old[p][0] != new[p][0]]
    if sets:
        rows.append((f"split {scheme}: another set", *_names(sets)))
    stayed = [p for p in both if old[p][0] == new[p][0] == "train"]
    for repeat in range(1, max((len(v) for v in new.values()), default=1)):
        folds = [
            f"{p} ({old[p][repeat]} to {new[p][repeat]})"
            for p in stayed
            if len(old[p]) > repeat and old[p][repeat] != new[p][repeat]
        ]
        if folds:
            rows.append((f"split {scheme}: another fold in repeat {repeat}", *_names(folds)))
    return rows


def update_record(path: Path, state: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Write the state into the record, and give the one to compare it with; None where there is none.

    The state of the record moves to the place before only where it differs from the new one. A record that cannot be
    read is as good as none: the next run has one again.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        stored = stored if stored["version"] == VERSION else {"before": None, "now": None}
    except (OSError, ValueError, KeyError, TypeError):
        stored = {"before": None, "now": None}
    plain = json.loads(json.dumps(state))
    before = stored["before"] if stored["now"] == plain else stored["now"]
    record = {"version": VERSION, "before": before, "now": plain}
    write_in_one_rename(path, json.dumps(record, sort_keys=True, indent=0, ensure_ascii=False))
    # A temporary file is its owner's alone; the record is read by whoever runs the workflow on these results.
    path.chmod(0o644)
    return before
