"""Clinical columns of the patients sheet: checked cell by cell, and as numbers in the papers' units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hcc_recurrence.cohort.numbers import (
    Reading,
    exact_number,
    has_decimal_comma,
    missing_test,
    read_number,
    zero_or_one,
)
from hcc_recurrence.cohort.outcome import coding_problem, decimal_comma, own_name, third_code_problem
from hcc_recurrence.cohort.plausible import PLAUSIBLE, fitting_unit, limits_of, other_readings, unusual_median
from hcc_recurrence.cohort.tables import read_patients
from hcc_recurrence.cohort.units import UNITS, unit_factor
from hcc_recurrence.problems import Problem

if TYPE_CHECKING:
    from hcc_recurrence.cohort.sheets import Cohort

# Assays that see no less end somewhat below the limits of plausible values: a bound `<` of this fraction may stand.
LEAST_BOUND = 0.75


def clinical_problems(cohort: Cohort) -> list[Problem]:
    """Cells of declared clinical columns that are neither a plausible value of their kind nor declared missing."""
    path, frame, problems = cohort.settings["patients"], cohort.patients, []
    for variable, definition in cohort.settings["clinical"].items():
        units = _unit_problems(cohort, variable, definition)
        problems += units
        for column in (definition["column"], *definition["readings"].values()):
            if column not in frame:
                key = "column" if column == definition["column"] else "readings"
                what = f"has no column {own_name(cohort, column)!r} for the clinical variable {variable}"
                remedy = f"correct cohorts.{cohort.name}.clinical.{variable}.{key}"
                ours = [one for one, theirs in cohort.settings.get("columns", {}).items() if theirs == column]
                if ours:
                    what = f"the column {column!r} of the clinical variable {variable} is renamed by `columns`"
                    remedy += f": write {ours[0]}"
                problems.append(Problem(cohort.name, "", path, what, remedy))
            elif definition["kind"] == "categorical":
                problems += _level_problems(cohort, column, definition["levels"])
            else:
                coded = _coding_of(cohort, column, variable) if definition["kind"] == "binary" else None
                problems += [coded] if coded else _number_problems(cohort, column, definition["kind"])
                if definition["kind"] == "continuous" and not units:
                    problems += _value_problems(cohort, variable, definition, column)
    return problems


def _coding_of(cohort: Cohort, column: str, variable: str) -> Problem | None:
    """What is wrong with the codes of a yes or no as a whole; None where nothing is."""
    empty = f"leave the cell empty where it is missing, or add the code to cohorts.{cohort.name}.missing_codes"
    return coding_problem(cohort, column, variable) or third_code_problem(cohort, column, variable, empty)


def unit_of(definition: Mapping[str, Any], centre: str) -> str:
    """The unit of a variable in one centre."""
    unit = definition["unit"]
    return unit.get(centre, "") if isinstance(unit, Mapping) else unit


def _unit_problems(cohort: Cohort, variable: str, definition: Mapping[str, Any]) -> list[Problem]:
    """Units that are not known, and centres without one where each has its own."""
    unit, key = definition["unit"], f"cohorts.{cohort.name}.clinical.{variable}.unit"
    if definition["kind"] != "continuous":
        return []

    def problem(what: str, remedy: str) -> Problem:
        return Problem(cohort.name, "", "config", f"clinical variable {variable}: {what}", remedy)

    if not isinstance(unit, Mapping):
        if unit_factor(variable, unit) is not None:
            return []
        known = f"{key} is one of {', '.join(UNITS[variable])}"
        return [problem(f"unit {unit!r} is unknown; papers compare it with a threshold", known)]
    if variable not in UNITS:
        return [problem("units of centres are given, and none can be converted for it", f"write one unit in {key}")]
    problems = []
    there = {centre for centre in cohort.patients["centre"] if centre}
    for centre, own in sorted(unit.items()):
        if unit_factor(variable, own) is None:
            remedy = f"{key}.{centre} is one of {', '.join(UNITS[variable])}"
            problems.append(
                problem(f"unit {own!r} of centre {centre} is unknown; papers compare it with a threshold", remedy)
            )
    lacking = sorted(there - set(unit))
    if lacking:
        problems.append(problem(f"the unit has no entry for the centres {', '.join(lacking)}", f"add them to {key}"))
    strange = sorted(set(unit) - there)
    if strange and there:
        remedy = f"the sheet has {', '.join(sorted(there))}; correct {key}"
        problems.append(problem(f"the unit names centres that no patient has: {', '.join(strange)}", remedy))
    return problems


def _level_problems(cohort: Cohort, column: str, levels: Sequence[str]) -> list[Problem]:
    is_missing, known = missing_test(cohort.settings["missing_codes"]), set(levels)
    return [
        Problem(
            cohort.name,
            patient,
            cohort.settings["patients"],
            f"column {own_name(cohort, column)}: {text!r} is not one of {', '.join(levels)}",
            "correct the cell, or name the levels in the config as the sheet has them",
        )
        for patient, text in cohort.patients[column].items()
        if text not in known and not is_missing(text)
    ]


def _number_problems(cohort: Cohort, column: str, kind: str) -> list[Problem]:
    comma, problems = decimal_comma(cohort), []
    is_missing = missing_test(cohort.settings["missing_codes"], comma)
    for patient, text in cohort.patients[column].items():
        if is_missing(text):
            continue
        good = read_number(text, comma) if kind == "continuous" else zero_or_one(text, comma) is not None
        if good:
            continue
        what = f"column {own_name(cohort, column)}: {text!r} is not {'0 or 1' if kind == 'binary' else 'a number'}"
        remedy = f"leave the cell empty if the value is missing, or add the code to cohorts.{cohort.name}.missing_codes"
        if kind == "continuous" and not comma and has_decimal_comma(text):
            what += ", for its comma may be a decimal one or one of thousands"
            remedy = (
                "write a plain number with a point; where all commas of the sheet's numbers are decimal ones, set "
                f"cohorts.{cohort.name}.decimal_comma: true"
            )
        elif kind == "continuous" and comma and exact_number(text) is not None:
            what += " that is sure, for its point may be a decimal one or one of thousands"
            remedy = "write it with a decimal comma, and thousands without a point"
        problems.append(Problem(cohort.name, patient, cohort.settings["patients"], what, remedy))
    return problems


def _readings(cohort: Cohort, column: str) -> Iterator[tuple[str, str, str, Reading]]:
    """Patient, centre, cell and number of every cell of a column that has one."""
    comma = decimal_comma(cohort)
    is_missing = missing_test(cohort.settings["missing_codes"], comma)
    frame = cohort.patients
    for patient, centre, text in zip(frame.index, frame["centre"], frame[column], strict=True):
        reading = None if is_missing(text) else read_number(text, comma)
        if reading:
            yield patient, centre, text, reading


def _value_problems(cohort: Cohort, variable: str, definition: Mapping[str, Any], column: str) -> list[Problem]:
    """Values that no patient has; one problem for a centre whose values fit another unit than the declared one."""
    own = definition.get("plausible", [])
    limits = limits_of(variable, own)
    if limits is None:
        return []
    if own and limits[0] >= limits[1]:
        key = f"cohorts.{cohort.name}.clinical.{variable}.plausible"
        what = f"{key}: {list(own)} leaves no value"
        return [Problem(cohort.name, "", "config", what, "write [low, high], the lower limit first")]
    problems = []
    cells: dict[str, list[tuple[str, str, Reading]]] = {}
    for patient, centre, text, reading in _readings(cohort, column):
        cells.setdefault(centre, []).append((patient, text, reading))
    for centre, found in sorted(cells.items()):
        unit = unit_of(definition, centre)
        values = [reading.value for *_, reading in found]
        other = None if own else fitting_unit(variable, values, unit)
        if other:
            problems.append(_unit_of_centre(cohort, variable, column, centre, unit, other, values))
            continue
        if not own and unusual_median(variable, values, unit):
            what = (
                f"column {own_name(cohort, column)}: the {len(values)} values of centre {centre} have the median "
                f"{np.median(values):g} {unit}, which is none of {variable} ({PLAUSIBLE[variable].reason})"
            )
            key = f"cohorts.{cohort.name}.clinical.{variable}"
            remedy = f"correct the column; if the values are right, set {key}.plausible: [low, high]"
            problems.append(Problem(cohort.name, "", cohort.settings["patients"], what, remedy))
            continue
        factor = unit_factor(variable, unit) or 1.0
        for patient, text, reading in found:
            value = reading.value * factor
            lowest = limits[0] * (LEAST_BOUND if reading.relation.startswith("<") else 1)
            if value < lowest or value > limits[1]:
                problems.append(_implausible(cohort, variable, definition, column, patient, text, reading.value, unit))
    return problems


def _unit_of_centre(
    cohort: Cohort, variable: str, column: str, centre: str, unit: str, other: str, values: Sequence[float]
) -> Problem:
    key = f"cohorts.{cohort.name}.clinical.{variable}"
    middle = f"{np.median(values):g}"
    what = (
        f"column {own_name(cohort, column)}: the {len(values)} values of centre {centre} (median {middle}) "
        f"fit {other} and not {unit}, the unit of {variable} in the config"
    )
    remedy = (
        f"correct {key}.unit, where need be by centre: {{{centre}: {other}, ...}}; if the values are right, set "
        f"{key}.plausible: [low, high]"
    )
    return Problem(cohort.name, "", cohort.settings["patients"], what, remedy)


def _implausible(
    cohort: Cohort,
    variable: str,
    definition: Mapping[str, Any],
    column: str,
    patient: str,
    text: str,
    value: float,
    unit: str,
) -> Problem:
    own = definition.get("plausible", [])
    low, high = limits_of(variable, own) or (0.0, 0.0)
    standard = next(iter(UNITS[variable])) if variable in UNITS else unit
    converted = value * (unit_factor(variable, unit) or 1.0)
    cell = " ".join(filter(None, [f"column {own_name(cohort, column)}: {text!r}", unit]))
    same = "" if converted == value else f" ({converted:.6g} {standard})"
    limits = " ".join(filter(None, [f"{low:g} to {high:g}", standard]))
    reason = "`plausible` of the config" if own else PLAUSIBLE[variable].reason
    others = [] if own else other_readings(variable, value, unit)
    what = f"{cell}{same} is no plausible {variable}, {limits} ({'; '.join([reason, *others[:1]])})"
    key = f"cohorts.{cohort.name}.clinical.{variable}"
    where = f"correct the cell, or {key}.unit" if variable in UNITS else "correct the cell"
    remedy = f"{where}; if the value is right, set {key}.plausible: [low, high]" + (
        f" in {standard}" if standard else ""
    )
    return Problem(cohort.name, patient, cohort.settings["patients"], what, remedy)


def empty_column_problems(cohort: Cohort, paper: str, variables: Iterable[str]) -> list[Problem]:
    """Variables of a study of which no patient has a value: each fold would make them up.

    One problem names them all: a sheet that nobody has filled in yet would hide every other problem behind them.
    """
    is_missing, empty = missing_test(cohort.settings["missing_codes"], decimal_comma(cohort)), {}
    for variable in variables:
        column = cohort.settings["clinical"].get(variable, {}).get("column")
        if column in cohort.patients and len(cohort.patients) and all(map(is_missing, cohort.patients[column])):
            empty[variable] = own_name(cohort, column)
    if not empty:
        return []
    names = ", ".join(empty)
    if len(empty) == 1:
        what = f"column {empty[names]}: no patient has a value of {names}"
        remedy = "fill it in, or name the variable in the study's `without`"
    else:
        what = f"{paper}: no patient has a value in the columns {', '.join(empty.values())}"
        remedy = f"fill them in; what you do not have goes into the study's `without` (all of them: [{names}])"
    return [Problem(cohort.name, "", cohort.settings["patients"], what, remedy)]


def threshold_problems(cohort: Cohort, whose: str, thresholds: Mapping[str, Any]) -> list[Problem]:
    """Bounds of assays that may lie on either side of a threshold of a paper: `<500` at 400.

    `>400` lies above the threshold > 400, and `<400` below it; both are compared as such.

    Args:
        whose: `a paper's threshold`, in words. thresholds: of its variables: a number (beyond is above it),
            {at_least: number} (from it on), or None.
    """
    problems = []
    for variable, threshold in thresholds.items():
        definition = cohort.settings["clinical"].get(variable)
        if threshold is None or not definition or definition["kind"] != "continuous":
            continue
        column = definition["column"]
        if column not in cohort.patients:
            continue
        at_least = isinstance(threshold, Mapping)
        number = float(threshold["at_least"] if at_least else threshold)
        for patient, centre, text, reading in _readings(cohort, column):
            if not reading.relation:
                continue
            bound = reading.value * (unit_factor(variable, unit_of(definition, centre)) or 1.0)
            if not _is_ambiguous(reading.relation, bound, number, at_least):
                continue
            sign = ">=" if at_least else ">"
            what = f"column {own_name(cohort, column)}: {text!r} may lie on either side of {whose}"
            remedy = "write the measured value, leave the cell empty, or name the variable in the study's `without`"
            path = cohort.settings["patients"]
            problems.append(Problem(cohort.name, patient, path, f"{what} {variable} {sign} {number:g}", remedy))
    return problems


def _is_ambiguous(relation: str, bound: float, threshold: float, at_least: bool) -> bool:
    """Whether numbers beyond the threshold and others are both possible."""
    if relation == ">":
        return bound < threshold
    if relation == ">=":
        return bound < threshold or (bound == threshold and not at_least)
    if relation == "<":
        return bound > threshold
    return bound > threshold or (bound == threshold and at_least)


def clinical_table(
    source: Mapping[str, Any],
    definitions: Mapping[str, Mapping[str, Any]],
    missing_codes: Sequence[str],
    patients: Sequence[str],
) -> pd.DataFrame:
    """Clinical variables as numbers in the papers' units, one row a patient in the order given, missing as NaN.

    A categorical variable becomes the index of its level in the declared order; a bound (`<0.01`) the number next to
    it on its side, which compares with a threshold as the value itself would.

    Args:
        source: of `sheet_source`. definitions: with `factor`, of `in_standard_unit`.
    """
    comma = source.get("decimal_comma", False)
    # A patient who stands twice is left out, and must not keep the others from being read.
    frame = read_patients(source, ()).drop_duplicates("patient_id").set_index("patient_id").loc[list(patients)]
    is_missing = missing_test(missing_codes, comma)
    table = pd.DataFrame(index=pd.Index(patients, name="patient_id"))
    for variable, definition in definitions.items():
        cells = frame[definition["column"]]
        if definition["kind"] == "categorical":
            codes = {level: float(i) for i, level in enumerate(definition["levels"])}
            level_cells = cells.where(~cells.isin(set(missing_codes)))
            table[variable] = level_cells.map(codes).astype(float)
            continue
        if definition["kind"] == "binary":
            findings = [None if is_missing(cell) else zero_or_one(cell, comma) for cell in cells]
            table[variable] = pd.Series(findings, index=table.index, dtype=float)
            continue
        factor = definition["factor"]
        by_centre = isinstance(factor, Mapping)
        numbers = []
        for cell, centre in zip(cells, frame["centre"] if by_centre else cells, strict=True):
            reading = None if is_missing(cell) else read_number(cell, comma)
            numbers.append(reading.times(factor[centre] if by_centre else factor) if reading else float("nan"))
        table[variable] = pd.Series(numbers, index=table.index, dtype=float)
    return table
