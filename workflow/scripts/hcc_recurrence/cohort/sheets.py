"""The three sheets of a cohort, read as text and checked cell by cell.

Nothing is repaired or guessed: a cell that is not what its column says is a problem with the patient,
the column and the value in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from hcc_recurrence.cohort.clinical import clinical_problems as clinical_problems
from hcc_recurrence.cohort.clinical import clinical_table as clinical_table
from hcc_recurrence.cohort.column_uses import column_use_problems
from hcc_recurrence.cohort.dates import DATE_COLUMNS as DATE_COLUMNS
from hcc_recurrence.cohort.dates import format_fault, mixed_forms, month_first
from hcc_recurrence.cohort.outcome import MONTH_COLUMNS as MONTH_COLUMNS
from hcc_recurrence.cohort.outcome import centre_problems, error_cell_problems, own_name
from hcc_recurrence.cohort.outcome import outcome_problems as outcome_problems
from hcc_recurrence.cohort.phases import phases_of_words
from hcc_recurrence.cohort.recurrence_sites import site_problems
from hcc_recurrence.cohort.tables import convert_dates, examine_sheet
from hcc_recurrence.problems import Problem

PHASES = ("precontrast", "arterial", "portal", "delayed", "hepatobiliary")
# Patients and readers become file names and wildcards.
NAME_PATTERN = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
# What stands in the first column of a row of sums, or of a second row of names and units.
NO_PATIENT = re.compile(
    r"(sub)?totals?|sums?|summe|gesamt|means?|averages?|avg|mittelwert|moyenne|media|promedio|medians?|sd|std|min|max|"
    r"range|iqr|counts?|n|id|patients?|patient[_-]?id|names?|units?|einheit(en)?|unites?|unidades?",
    re.IGNORECASE,
)
REQUIRED = {
    "patients": ("patient_id", "centre"),
    "series": ("patient_id", "phase", "path"),
    "masks": ("patient_id", "phase", "reader", "path"),
}
# What a draft says of a series, for the person who checks it; nothing reads it.
NOTES = ("study", "order", "series_number", "modality", "description", "slices", "confidence", "evidence")
OPTIONAL = {"series": ("series_uid", "part", "checked", *NOTES), "masks": ("label",)}


@dataclass(frozen=True)
class Series:
    """Where the images of one patient and phase are: path, and which series and which stack of it."""

    path: str
    series_uid: str = ""
    part: str = ""


@dataclass(frozen=True)
class Mask:
    """Where one reader's mask of one patient and phase is, and which label of it."""

    path: str
    label: str = ""


@dataclass
class Cohort:
    """A cohort as the sheets describe it; all text, keyed by patient."""

    name: str
    settings: Mapping[str, Any]
    patients: pd.DataFrame
    series: dict[tuple[str, str], Series] = field(default_factory=dict)
    masks: dict[tuple[str, str, str], Mask] = field(default_factory=dict)
    # The sheets that can be read and have rows. Without that of the patients they are those of the series sheet.
    read: frozenset[str] = frozenset(REQUIRED)
    # Patient and phase of series that a person has made sure of, whatever the headers say of person and examination.
    checked: set[tuple[str, str]] = field(default_factory=set)

    def readers(self, patient: str, phase: str) -> list[str]:
        """Readers with a mask of this patient and phase, sorted."""
        return self._readers.get((patient, phase), [])

    def phases(self, patient: str) -> list[str]:
        """Phases of this patient in the series sheet, in the order of PHASES whatever that of its rows."""
        return self._phases.get(patient, [])

    def has_mask(self, patient: str, phase: str) -> bool:
        """Whether the cohort's reader has a mask of a phase: drawn on it, or carried to it from another."""
        reader = self.settings["reader"]
        if (patient, phase, reader) in self.masks:
            return True
        return self.settings["carry_masks"] != "refuse" and any(
            (patient, other, reader) in self.masks for other in self.phases(patient)
        )

    # Both are asked for every patient whenever the DAG is built: a search through the sheets each time would
    # grow with the square of the cohort. They are made at the first question, after the sheets are read.
    @cached_property
    def _readers(self) -> dict[tuple[str, str], list[str]]:
        found: dict[tuple[str, str], list[str]] = {}
        for patient, phase, reader in sorted(self.masks):
            found.setdefault((patient, phase), []).append(reader)
        return found

    @cached_property
    def _phases(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for patient, phase in sorted(self.series, key=lambda row: (row[0], PHASES.index(row[1]))):
            found.setdefault(patient, []).append(phase)
        return found


def sheet_source(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What `read_patients` needs of a cohort's entry in the config."""
    keys = ("columns", "date_format", "decimal_comma")
    return {"path": settings["patients"], **{key: settings[key] for key in keys if key in settings}}


def load_cohort(name: str, settings: Mapping[str, Any], folder: Path = Path()) -> tuple[Cohort, list[Problem]]:
    """Read and check the sheets of one cohort, each as far as it can be read: no problem hides another.

    Args:
        settings: the cohort's entry in the config. folder: what relative sheet paths start from.

    Returns: the cohort, with the rows and columns that could be read, and every problem found.
    """
    problems: list[Problem] = []
    sheets: dict[str, _Sheet] = {}
    for kind in ("patients", "series", "masks"):
        if kind == "patients" or not settings["images_of"]:
            sheet, found = _read_kind(name, kind, settings, folder)
            problems += found
            if sheet is not None:
                sheets[kind] = sheet
    read = frozenset(kind for kind, sheet in sheets.items() if len(sheet.frame))
    if "patients" in read:
        patients = sheets["patients"]
        frame = patients.frame
        named = zip(patients.rows, frame["patient_id"], strict=True)
        problems += _name_problems(name, settings["patients"], named, True, settings["columns"])
    else:
        # Whose images are checked all the same.
        listed = list(sheets["series"].frame["patient_id"].unique()) if "series" in sheets else []
        frame = pd.DataFrame({"patient_id": listed, "centre": ""}, dtype=str)
    usable = frame["patient_id"].map(lambda one: bool(NAME_PATTERN.match(one))).astype(bool)
    once = frame[usable & ~frame["patient_id"].duplicated()]
    cohort = Cohort(name, settings, once.set_index("patient_id", drop=False), read=read)
    if "patients" in read:
        problems += _patient_problems(cohort, frame, "centre" not in sheets["patients"].lacking)
    problems += _fill_images(cohort, sheets.get("series"), sheets.get("masks"))
    return cohort, problems


@dataclass(frozen=True)
class _Sheet:
    """A sheet's cells, the numbers of its rows, and required columns that it lacks, which are empty."""

    frame: pd.DataFrame
    rows: list[int]
    lacking: list[str]


def _read_kind(name: str, kind: str, settings: Mapping[str, Any], folder: Path) -> tuple[_Sheet | None, list[Problem]]:
    """One of the three sheets; None where nothing can be told of its patients."""
    path, problems = settings[kind], []

    def add(what: str, remedy: str, file: str = path) -> None:
        problems.append(Problem(name, "", file, what, remedy))

    if not path and kind == "masks" and not settings.get("masks_needed", True):
        return None, problems
    if not path:
        add(f"{kind} names no sheet", f"set cohorts.{name}.{kind}", "config")
        return None, problems
    columns = settings["columns"] if kind == "patients" else {}
    try:
        frame, rows, faults = examine_sheet(folder / path, columns)
    except FileNotFoundError:
        # A workbook where the config names a CSV, or the other way round.
        beside = sorted(p.name for p in (folder / path).parent.glob("*") if p.stem == Path(path).stem)
        add("does not exist", f"correct cohorts.{name}.{kind}" + (f"; is it {beside[0]}?" if beside else ""))
        return None, problems
    except IsADirectoryError:
        add("is a folder and no sheet", f"correct cohorts.{name}.{kind}")
        return None, problems
    except Exception as error:
        add(f"cannot be read as a table ({error})", "save it as CSV (UTF-8) or XLSX")
        return None, problems
    for what, remedy in faults:
        add(what, remedy)
    if frame.empty:
        add("has a header and no rows", "fill in the sheet")
    known = ", ".join(REQUIRED[kind] + OPTIONAL.get(kind, ()))
    lacking = [c for c in REQUIRED[kind] if c not in frame]
    for column in lacking:
        if column not in columns:
            name_it = f"rename one of its columns, which are {', '.join(frame)}"
            if column == "centre":
                name_it = "add it; with patients of one centre, write the same word in each row"
            elif kind == "patients":
                name_it += f"; or say in the config which one it is: `columns: {{{column}: YOURS}}` of the cohort"
            add(f"has no column {column}", name_it)
    for column in frame if kind != "patients" else ():
        if column not in REQUIRED[kind] + OPTIONAL[kind]:
            add(f"has the unknown column {column!r}", f"use {known}")
    # Without its patients nothing of a sheet can be told; without another column its other cells can.
    if "patient_id" in lacking or (kind != "patients" and lacking):
        return None, problems
    return _Sheet(frame.assign(**dict.fromkeys(lacking, "")) if lacking else frame, rows, lacking), problems


def _patient_problems(cohort: Cohort, sheet: pd.DataFrame, has_centre: bool) -> list[Problem]:
    """Outcome, centres and clinical cells; the cohort's dates become YYYY-MM-DD."""
    settings, problems = cohort.settings, []
    if fault := format_fault(settings["date_format"]):
        what, remedy = f"cohorts.{cohort.name}.date_format: {fault}", "write it as in %d.%m.%Y"
        problems.append(Problem(cohort.name, "", "config", what, remedy))
    for column in DATE_COLUMNS:
        if column in sheet and mixed_forms(list(sheet[column]), settings["date_format"]):
            what = (
                f"column {own_name(cohort, column)} has dates in the form {settings['date_format']} and others with "
                "the year first, in which a spreadsheet program may have taken the day for the month"
            )
            remedy = "format the column as text, and write all dates in one form"
            problems.append(Problem(cohort.name, "", settings["patients"], what, remedy))
        if column in sheet and (odd := month_first(list(sheet[column]), settings["date_format"])):
            what = (
                f"column {own_name(cohort, column)} has {odd!r}, which is no day in the form {settings['date_format']} "
                "and one with day and month exchanged: the others may be exchanged as well"
            )
            remedy = f"correct the date, or cohorts.{cohort.name}.date_format"
            problems.append(Problem(cohort.name, "", settings["patients"], what, remedy))
    frame = cohort.patients.copy()
    convert_dates(frame, settings["date_format"], DATE_COLUMNS)
    cohort.patients = frame
    problems += outcome_problems(cohort)
    problems += site_problems(cohort)
    problems += centre_problems(cohort) if has_centre else []
    used = {column: f"stratum {name}" for name, column in settings.get("strata", {}).items()}
    problems += error_cell_problems(cohort, {**used, "split": "split"})
    return problems + column_use_problems(cohort) + clinical_problems(cohort)


def _name_problems(
    cohort: str,
    path: str,
    names: Iterable[tuple[int, str]],
    unique: bool,
    columns: Mapping[str, str],
    what: str = "patient_id",
) -> list[Problem]:
    """Names that cannot be file names, or stand twice; `names` has them with the numbers of their rows."""
    problems, seen, alike = [], set(), {}
    what = columns.get(what, what)
    for row, name in names:
        if not NAME_PATTERN.match(name):
            problems.append(
                Problem(
                    cohort,
                    "",
                    path,
                    f"row {row}: {what} {name!r} is not a usable name",
                    "use letters, digits, - and _ only, no names of persons",
                )
            )
        elif unique and NO_PATIENT.fullmatch(name):
            # Of the whole sheet: left out with keep_going it would count as a patient.
            words = f"row {row}: {what} {name!r} is no patient, but a row of sums, or of names and units"
            problems.append(
                Problem(cohort, "", path, words, "remove the row; a sheet has one row of names and patients")
            )
        elif unique and name in seen:
            problems.append(Problem(cohort, name, path, f"row {row}: {what} stands twice", "keep one row"))
        elif unique and (other := alike.get(_same_name(name))):
            words = f"row {row}: {what} {name!r} differs from {other[1]!r} of row {other[0]} in capitals or zeros alone"
            remedy = "keep one row if it is one patient, else give them names that nobody takes for one another"
            problems.append(Problem(cohort, "", path, words, remedy))
        seen.add(name)
        alike.setdefault(_same_name(name), (row, name))
    return problems


def _same_name(name: str) -> str:
    """A name without capitals, and without zeros in front of its numbers: P007 and p7 are one."""
    return re.sub(r"(?<!\d)0+(?=\d)", "", name.casefold())


def _meant(phase: str) -> str:
    """The phase that other words for it probably mean; empty where that is not clear."""
    meant = phases_of_words(phase)
    return f"; is it {meant[0]}?" if len(meant) == 1 else ""


def _fill_images(cohort: Cohort, series: _Sheet | None, masks: _Sheet | None) -> list[Problem]:
    settings, problems = cohort.settings, []
    known = set(cohort.patients.index)
    stripped = {patient.lstrip("0"): patient for patient in cohort.patients.index}

    def check(row: Any, number: int, path: str) -> bool:
        where = f"row {number}"
        if row.patient_id not in known:
            what, remedy = f"{where}: patient is not in the patients sheet", "add the patient there or remove this row"
            alike = stripped.get(row.patient_id.lstrip("0"))
            if alike:
                remedy += f"; is it {alike}? A spreadsheet program drops zeros in front"
            problems.append(Problem(cohort.name, row.patient_id, path, what, remedy))
        elif row.phase not in PHASES:
            problems.append(
                Problem(
                    cohort.name,
                    row.patient_id,
                    path,
                    f"{where}: unknown phase {row.phase!r}" if row.phase else f"{where}: phase is empty",
                    f"use one of {', '.join(PHASES)}" + (_meant(row.phase) if row.phase else ", or delete the row"),
                )
            )
        elif not row.path:
            problems.append(Problem(cohort.name, row.patient_id, path, f"{where}: path is empty", "name the file"))
        else:
            return True
        return False

    def once(key: tuple, table: Mapping, number: int, patient: str, path: str) -> None:
        if key in table:
            problems.append(
                Problem(
                    cohort.name,
                    patient,
                    path,
                    f"row {number}: {' '.join(key[1:])} stands twice",
                    "keep one row",
                )
            )

    for number, row in zip(series.rows, series.frame.itertuples(index=False), strict=True) if series else ():
        if check(row, number, settings["series"]):
            key = (row.patient_id, row.phase)
            once(key, cohort.series, number, row.patient_id, settings["series"])
            cohort.series[key] = Series(row.path, getattr(row, "series_uid", ""), getattr(row, "part", ""))
            checked = getattr(row, "checked", "")
            if checked == "yes":
                cohort.checked.add(key)
            elif checked:
                what = f"row {number}: column checked: {checked!r} is not yes"
                problems.append(Problem(cohort.name, row.patient_id, settings["series"], what, "write yes, or nothing"))
    if masks is None:
        return problems
    readers = zip(masks.rows, masks.frame["reader"], strict=True)
    problems += _name_problems(cohort.name, settings["masks"], readers, False, {}, "reader")
    for number, row in zip(masks.rows, masks.frame.itertuples(index=False), strict=True):
        if check(row, number, settings["masks"]):
            key = (row.patient_id, row.phase, row.reader)
            once(key, cohort.masks, number, row.patient_id, settings["masks"])
            cohort.masks[key] = Mask(row.path, getattr(row, "label", ""))
    return problems
