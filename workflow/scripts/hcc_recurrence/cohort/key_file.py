"""The private key: which patient of the hospital has which name in the sheets. Rows are added and none is changed."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from hcc_recurrence.cohort.dicom_headers import read_header
from hcc_recurrence.cohort.discovery import FoundSeries, HeaderReader
from hcc_recurrence.cohort.persons import pseudonym
from hcc_recurrence.cohort.tables import read_sheet
from hcc_recurrence.problems import Refused

COLUMNS = ("patient_id", "PatientID", "StudyInstanceUID")


def read_key(file: Path) -> pd.DataFrame:
    """The key as it is; empty where there is none yet.

    Raises: Refused where it cannot be read, or lacks a column: names that are lost cannot be found again.
    """
    if not file.is_file():
        return pd.DataFrame(columns=list(COLUMNS), dtype=str)
    remedy = "fix it or bring it back from a copy; to begin anew, move all of the folder away"
    try:
        key = read_sheet(file)
    except Exception as error:
        raise Refused(f"{file} cannot be read as a table ({error})", remedy) from None
    lacking = [c for c in COLUMNS[:2] if c not in key]
    if lacking:
        raise Refused(f"{file} has no column {', '.join(lacking)}", remedy)
    return key if COLUMNS[2] in key else key.assign(**{COLUMNS[2]: ""})


def names_of(found: Sequence[FoundSeries], key: pd.DataFrame, reader: HeaderReader) -> dict[str, str]:
    """Patient of `found` -> name in the sheets: that of the key, else a pseudonym."""
    names = {}
    for name, number, study in zip(*(key[column] for column in COLUMNS), strict=True):
        # Keys of earlier versions had one row for all blank numbers.
        if number and not study:
            names[reader.hashed(number)] = name
        elif study:
            names[f"study {study}"] = name
    told = {s.patient: s.header["name"] for s in found if s.header.get("patient") == s.patient}
    new = sorted({s.patient for s in found} - set(names))
    drawn = {patient: told.get(patient) or pseudonym(patient, reader.salt) for patient in new}
    taken = Counter([*drawn.values(), *names.values()])
    for patient, name in drawn.items():
        # Two of a thousand patients have the same eight letters once in ten thousand cohorts.
        names[patient] = name if taken[name] == 1 else f"{name}{pseudonym(f'again {patient}', reader.salt)[1:]}"
    return {patient: names[patient] for patient in sorted({s.patient for s in found})}


def with_new_rows(key: pd.DataFrame, found: Sequence[FoundSeries], names: Mapping[str, str]) -> pd.DataFrame:
    """The key with a row for each patient that it lacks; a PatientID is read from a file, for no cache holds it."""
    known, rows = set(key["patient_id"]), []
    for series in found:
        name = names[series.patient]
        if name in known:
            continue
        known.add(name)
        own = series.header.get("patient") == series.patient
        # A mask may have taken its patient from the study.
        if not own and any(s.patient == series.patient and s.header.get("patient") == s.patient for s in found):
            series = next(s for s in found if s.patient == series.patient and s.header.get("patient") == s.patient)
            own = True
        rows.append((name, _number(series.files[0]), "" if own else series.study))
    added = pd.DataFrame(rows, columns=list(COLUMNS)).sort_values("patient_id")
    return pd.concat([key, added], ignore_index=True).fillna("")


def _number(file: Path) -> str:
    with contextlib.suppress(Exception):
        data = read_header(file, ("PatientID",))
        return str(data.get("PatientID") or "").strip() if data is not None else ""
    return ""
