"""The three sheets of a cohort, read as text and checked cell by cell.

Nothing is repaired or guessed: a cell that is not what its column says is a problem with the patient,
the column and the value in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from hcc_recurrence.cohort.tables import parse_number, read_patients, read_sheet
from hcc_recurrence.cohort.units import UNITS, unit_factor
from hcc_recurrence.problems import Problem

PHASES = ("precontrast", "arterial", "portal", "delayed", "hepatobiliary")
DATE_COLUMNS = ("resection_date", "recurrence_date", "last_follow_up_date")
MONTH_COLUMNS = ("rfs_months", "rfs_event")
# Patients and readers become file names and wildcards.
NAME_PATTERN = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
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
    # Patient and phase of series that a person has made sure of, whatever the headers say of person and examination.
    checked: set[tuple[str, str]] = field(default_factory=set)

    def readers(self, patient: str, phase: str) -> list[str]:
        """Readers with a mask of this patient and phase, sorted."""
        return self._readers.get((patient, phase), [])

    def phases(self, patient: str) -> list[str]:
        """Phases of this patient in the series sheet, in its order."""
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
        for patient, phase in self.series:
            found.setdefault(patient, []).append(phase)
        return found


def sheet_source(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What `read_patients` needs of a cohort's entry in the config."""
    return {"path": settings["patients"], **{key: settings[key] for key in ("columns", "date_format")}}


def load_cohort(name: str, settings: Mapping[str, Any], folder: Path = Path()) -> tuple[Cohort, list[Problem]]:
    """Read and check the sheets of one cohort.

    Args:
        settings: the cohort's entry in the config. folder: what relative sheet paths start from.

    Returns: the cohort, and every problem found (some may make the cohort unusable).
    """
    problems: list[Problem] = []
    frames: dict[str, pd.DataFrame] = {}
    for kind in ("patients", "series", "masks"):
        if kind != "patients" and settings["images_of"]:
            continue
        path = settings[kind]
        if not path:
            problems.append(Problem(name, "", "config", f"{kind} names no sheet", f"set cohorts.{name}.{kind}"))
            continue
        try:
            if kind == "patients":
                frame = read_patients({**sheet_source(settings), "path": folder / path}, DATE_COLUMNS)
            else:
                frame = read_sheet(folder / path)
        except FileNotFoundError:
            problems.append(Problem(name, "", path, "does not exist", f"correct cohorts.{name}.{kind}"))
            continue
        except Exception as error:
            what = f"cannot be read as a table ({error})"
            problems.append(Problem(name, "", path, what, "save it as CSV (UTF-8) or XLSX"))
            continue
        lacking = [c for c in REQUIRED[kind] if c not in frame]
        unknown = [] if kind == "patients" else [c for c in frame if c not in REQUIRED[kind] + OPTIONAL[kind]]
        for column in lacking:
            problems.append(Problem(name, "", path, f"has no column {column}", f"columns are {list(frame.columns)}"))
        for column in unknown:
            problems.append(
                Problem(
                    name,
                    "",
                    path,
                    f"has the unknown column {column!r}",
                    f"use {', '.join(REQUIRED[kind] + OPTIONAL[kind])}",
                )
            )
        if not lacking:
            frames[kind] = frame
    patients = frames.get("patients", pd.DataFrame({"patient_id": [], "centre": []}, dtype=str))
    problems += _name_problems(name, settings["patients"], patients["patient_id"], unique=True)
    cohort = Cohort(name, settings, patients.set_index("patient_id", drop=False))
    if problems:
        return cohort, problems
    problems += outcome_problems(cohort)
    problems += clinical_problems(cohort)
    if "series" in frames and "masks" in frames:
        problems += _fill_images(cohort, frames["series"], frames["masks"])
    return cohort, problems


def _name_problems(
    cohort: str, path: str, names: Iterable[str], unique: bool, what: str = "patient_id"
) -> list[Problem]:
    problems, seen = [], set()
    for row, name in enumerate(names, 2):
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
        elif unique and name in seen:
            problems.append(Problem(cohort, name, path, f"row {row}: {what} stands twice", "keep one row"))
        seen.add(name)
    return problems


def _fill_images(cohort: Cohort, series: pd.DataFrame, masks: pd.DataFrame) -> list[Problem]:
    settings, problems = cohort.settings, []
    known = set(cohort.patients.index)

    def check(row: Any, number: int, path: str) -> bool:
        where = f"row {number}"
        if row.patient_id not in known:
            problems.append(
                Problem(
                    cohort.name,
                    row.patient_id,
                    path,
                    f"{where}: patient is not in the patients sheet",
                    "add the patient there or remove this row",
                )
            )
        elif row.phase not in PHASES:
            problems.append(
                Problem(
                    cohort.name,
                    row.patient_id,
                    path,
                    f"{where}: unknown phase {row.phase!r}",
                    f"use one of {', '.join(PHASES)}",
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

    for number, row in enumerate(series.itertuples(index=False), 2):
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
    problems += _name_problems(cohort.name, settings["masks"], masks["reader"], unique=False, what="reader")
    for number, row in enumerate(masks.itertuples(index=False), 2):
        if check(row, number, settings["masks"]):
            key = (row.patient_id, row.phase, row.reader)
            once(key, cohort.masks, number, row.patient_id, settings["masks"])
            cohort.masks[key] = Mask(row.path, getattr(row, "label", ""))
    return problems


def outcome_problems(cohort: Cohort) -> list[Problem]:
    """Dates and months of the outcome that are missing, unreadable or in the wrong order."""
    path, frame, problems = cohort.settings["patients"], cohort.patients, []

    def add(patient: str, what: str, remedy: str) -> None:
        problems.append(Problem(cohort.name, patient, path, what, remedy))

    if all(c in frame for c in DATE_COLUMNS):
        for patient, row in frame.iterrows():
            dates = {}
            for column in DATE_COLUMNS:
                text = row[column]
                if not text:
                    if column != "recurrence_date":
                        add(patient, f"column {column} is empty", "fill in the date as YYYY-MM-DD")
                    continue
                try:
                    dates[column] = pd.to_datetime(text, format="%Y-%m-%d")
                except ValueError:
                    remedy = "write it as YYYY-MM-DD, or name date_format (empty recurrence_date: none observed)"
                    add(patient, f"column {column}: {text!r} is not a date", remedy)
            start = dates.get("resection_date")
            for column in ("recurrence_date", "last_follow_up_date"):
                if start is not None and column in dates and dates[column] < start:
                    add(patient, f"{column} lies before resection_date", "correct one of the dates")
    elif all(c in frame for c in MONTH_COLUMNS):
        for patient, row in frame.iterrows():
            months = parse_number(row["rfs_months"])
            if months is None or months < 0:
                remedy = "write the months from resection to recurrence or last follow-up"
                add(
                    patient,
                    f"column rfs_months: {row['rfs_months']!r} is not a number >= 0",
                    remedy,
                )
            if row["rfs_event"] not in ("0", "1"):
                remedy = "write 1 for recurrence, 0 for none"
                add(patient, f"column rfs_event: {row['rfs_event']!r} is not 0 or 1", remedy)
    else:
        add(
            "",
            "has neither the columns " + ", ".join(DATE_COLUMNS) + " nor " + ", ".join(MONTH_COLUMNS),
            "add one of the two sets of columns",
        )
    return problems


def clinical_problems(cohort: Cohort) -> list[Problem]:
    """Cells of declared clinical columns that are neither a value of their kind nor declared missing."""
    path, frame, problems = cohort.settings["patients"], cohort.patients, []
    missing = {"", *cohort.settings["missing_codes"]}
    columns = [
        (variable, definition, column)
        for variable, definition in cohort.settings["clinical"].items()
        for column in (definition["column"], *definition["readings"].values())
    ]
    for variable, definition, column in columns:
        if column not in frame:
            key = "column" if column == definition["column"] else "readings"
            problems.append(
                Problem(
                    cohort.name,
                    "",
                    path,
                    f"has no column {column!r} for the clinical variable {variable}",
                    f"correct cohorts.{cohort.name}.clinical.{variable}.{key}",
                )
            )
            continue
        if definition["kind"] == "continuous" and unit_factor(variable, definition["unit"]) is None:
            problems.append(
                Problem(
                    cohort.name,
                    "",
                    "config",
                    f"clinical variable {variable}: unit {definition['unit']!r} is unknown; papers cut it by a number",
                    f"cohorts.{cohort.name}.clinical.{variable}.unit is one of {', '.join(UNITS[variable])}",
                )
            )
        levels = definition["levels"]
        for patient, text in frame[column].items():
            if text in missing:
                continue
            if definition["kind"] == "categorical":
                if text not in levels:
                    problems.append(
                        Problem(
                            cohort.name,
                            patient,
                            path,
                            f"column {column}: {text!r} is not one of {levels}",
                            "correct the cell, or add the level to the config",
                        )
                    )
                continue
            value = parse_number(text)
            if value is None or (definition["kind"] == "binary" and value not in (0, 1)):
                wanted = "0 or 1" if definition["kind"] == "binary" else "a number"
                problems.append(
                    Problem(
                        cohort.name,
                        patient,
                        path,
                        f"column {column}: {text!r} is not {wanted}",
                        "leave the cell empty if the value is missing, or add the code to "
                        f"cohorts.{cohort.name}.missing_codes",
                    )
                )
    return problems


def clinical_table(
    source: Mapping[str, Any],
    definitions: Mapping[str, Mapping[str, Any]],
    missing_codes: Sequence[str],
    patients: Sequence[str],
) -> pd.DataFrame:
    """Clinical variables as numbers in the papers' units, one row a patient in the order given, missing as NaN.

    A categorical variable becomes the index of its level in the declared order; a bound (`<0.01`) the bound itself.

    Args:
        source: of `sheet_source`. definitions: with `factor`, of `in_standard_unit`.
    """
    frame = read_patients(source, ()).set_index("patient_id").loc[list(patients)]
    missing = {"", *missing_codes}
    table = pd.DataFrame(index=pd.Index(patients, name="patient_id"))
    for variable, definition in definitions.items():
        text = frame[definition["column"]]
        text = text.where(~text.isin(missing))
        if definition["kind"] == "categorical":
            codes = {level: float(i) for i, level in enumerate(definition["levels"])}
            table[variable] = text.map(codes).astype(float)
        else:
            numbers = text.map(lambda cell: parse_number(cell) if isinstance(cell, str) else None).astype(float)
            table[variable] = numbers * definition["factor"]
    return table
