"""What each cell allows and its column does not: dates of follow-up as recurrences, days as months, codes, a few units.

Nothing here is sure, so it is said and stops nothing; what is sure is a problem (`outcome`, `clinical`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from hcc_recurrence.cohort.dates import DATE_COLUMNS
from hcc_recurrence.cohort.numbers import exact_number, missing_test, zero_or_one
from hcc_recurrence.cohort.outcome import MONTH_COLUMNS, decimal_comma, outcome_column, own_name
from hcc_recurrence.cohort.plausible import FEWEST, PLAUSIBLE, other_readings
from hcc_recurrence.cohort.suspect_columns import column_notices
from hcc_recurrence.cohort.units import unit_factor
from hcc_recurrence.problems import Notice

if TYPE_CHECKING:
    import pandas as pd

    from hcc_recurrence.cohort.sheets import Cohort

# Of fewer patients all may well have the outcome.
LEAST_FOR_ALL = 10
# Ten years: half of the patients are followed for longer where the months are days.
LONG_MEDIAN = 120
# What statistics programs have for missing, besides negative numbers: 999, 9999.0. Fewer nines are values.
_NINES = re.compile(r"9{3,}(\.0*)?", re.ASCII)
# A value so many times its centre's median, or less than one of so many parts, may be in another unit.
FAR_FROM_MEDIAN = 4.0


def suspect_notices(cohort: Cohort, patients: Iterable[str]) -> list[Notice]:
    """What a person should look at in the cells of the patients in use."""
    used = set(patients)
    frame = cohort.patients[[patient in used for patient in cohort.patients.index]]
    if frame.empty:
        return []
    cells = [*_outcome_notices(cohort, frame), *_code_notices(cohort, frame), *_unit_notices(cohort, frame)]
    return [*cells, *column_notices(cohort, frame)]


def _of_cohort(cohort: Cohort, what: str, remedy: str, patient: str = "") -> Notice:
    return Notice(cohort.name, patient, cohort.settings["patients"], what, remedy)


def _outcome_notices(cohort: Cohort, frame: pd.DataFrame) -> list[Notice]:
    """Outcomes that everyone has, and months that are long for months."""
    if outcome_column(cohort):
        return []
    words = cohort.settings.get("endpoint", {})
    event = words.get("event", "recurrence")
    if all(column in frame for column in DATE_COLUMNS):
        column, last = (own_name(cohort, name) for name in DATE_COLUMNS[1:])
        if len(frame) < LEAST_FOR_ALL or not frame[DATE_COLUMNS[1]].ne("").all():
            return []
        remedy = f"where no {event} was seen, leave {column} empty; the last visit stands in {last}"
        return [_of_cohort(cohort, f"column {column}: every one of the {len(frame)} patients has a date", remedy)]
    if not all(column in frame for column in MONTH_COLUMNS):
        return []
    months_name, event_name = (own_name(cohort, column) for column in MONTH_COLUMNS)
    comma, found = decimal_comma(cohort), []
    events = [zero_or_one(cell, comma) for cell in frame[MONTH_COLUMNS[1]]]
    if len(frame) >= LEAST_FOR_ALL and set(events) == {1}:
        what = f"column {event_name}: every one of the {len(frame)} patients has 1"
        found.append(_of_cohort(cohort, what, f"write 0 where no {event} was seen until the last visit"))
    numbers = [number for cell in frame[MONTH_COLUMNS[0]] if (number := exact_number(cell, comma)) is not None]
    if len(numbers) >= FEWEST and np.median(numbers) > LONG_MEDIAN:
        what = f"column {months_name}: half of the patients have more than {np.median(numbers):.0f} months"
        found.append(_of_cohort(cohort, what, "make sure that these are months, and not days"))
    return found


def _code_notices(cohort: Cohort, frame: pd.DataFrame) -> list[Notice]:
    """Numbers of nines alone that several patients have, and that are not declared as missing."""
    is_missing, found = missing_test(cohort.settings["missing_codes"], decimal_comma(cohort)), []
    for variable, definition in cohort.settings["clinical"].items():
        column = definition["column"]
        if definition["kind"] != "continuous" or column not in frame:
            continue
        counts = Counter(cell for cell in frame[column] if _NINES.fullmatch(cell) and not is_missing(cell))
        for cell, number in sorted(counts.items()):
            if number > 1:
                what = f"column {own_name(cohort, column)}: {number} patients have {cell}, which is taken as a value"
                remedy = f"if it means missing, add {cell!r} to cohorts.{cohort.name}.missing_codes"
                found.append(_of_cohort(cohort, f"{what} of {variable}", remedy))
    return found


def _unit_notices(cohort: Cohort, frame: pd.DataFrame) -> list[Notice]:
    """Single values far from those of their centre, and unusual, which would be usual in another unit."""
    comma, found = decimal_comma(cohort), []
    is_missing = missing_test(cohort.settings["missing_codes"], comma)
    for variable, definition in cohort.settings["clinical"].items():
        column, known = definition["column"], PLAUSIBLE.get(variable)
        own = definition.get("plausible", [])
        if definition["kind"] != "continuous" or own or column not in frame or not (known and known.usual):
            continue
        for centre, part in frame.groupby("centre"):
            declared = definition["unit"]
            unit = declared if isinstance(declared, str) else declared.get(centre, "")
            factor = unit_factor(variable, unit)
            cells = {p: cell for p, cell in part[column].items() if not is_missing(cell)}
            values = {p: number for p, cell in cells.items() if (number := exact_number(cell, comma)) is not None}
            if factor is None or len(values) < FEWEST:
                continue
            middle = float(np.median(list(values.values())))
            for patient, value in values.items():
                usual = known.usual[0] <= value * factor <= known.usual[1]
                near = middle / FAR_FROM_MEDIAN < value < middle * FAR_FROM_MEDIAN
                others = [] if usual or near else other_readings(variable, value, unit)
                if others:
                    what = f"column {own_name(cohort, column)}: {cells[patient]!r} is taken as {unit}; {others[0]}"
                    remedy = f"make sure of its unit: the median of the centre is {middle:g} {unit}"
                    found.append(_of_cohort(cohort, what, remedy, patient))
    return found
