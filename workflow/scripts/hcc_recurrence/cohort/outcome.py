"""Checks of the outcome and of the centres, as the patients sheet gives them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from hcc_recurrence.cohort.dates import DATE_COLUMNS, date_fault, fitting_forms
from hcc_recurrence.cohort.numbers import coded_one_and_two, exact_number, missing_test, read_number, zero_or_one
from hcc_recurrence.problems import Notice, Problem

if TYPE_CHECKING:
    import pandas as pd

    from hcc_recurrence.cohort.sheets import Cohort

MONTH_COLUMNS = ("rfs_months", "rfs_event")
# 50 years: more are days, or a code for missing.
MOST_MONTHS = 600
# What a spreadsheet program shows, and exports, in place of a value.
ERROR_CELLS = ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!")


def own_name(cohort: Cohort, column: str) -> str:
    """The sheet's own name of one of our columns."""
    return cohort.settings.get("columns", {}).get(column, column)


def decimal_comma(cohort: Cohort) -> bool:
    """Whether the numbers of the patients sheet have decimal commas."""
    return bool(cohort.settings.get("decimal_comma", False))


def coding_problem(cohort: Cohort, column: str, yes: str) -> Problem | None:
    """The problem of a column of yes and no that is coded 1 and 2; None where it is not.

    It is one of the whole sheet, so that `keep_going` does not leave out those with a 2 and keep the others.

    Args:
        yes: what 1 stands for.
    """
    comma = decimal_comma(cohort)
    is_missing = missing_test(cohort.settings["missing_codes"], comma)
    if not coded_one_and_two((cell for cell in cohort.patients[column] if not is_missing(cell)), comma):
        return None
    what = (
        f"column {own_name(cohort, column)} is coded 1 and 2, and not 0 and 1: nobody can tell which of them is {yes}"
    )
    return Problem(cohort.name, "", cohort.settings["patients"], what, f"write 1 for {yes}, 0 for none")


def third_code_problem(
    cohort: Cohort,
    column: str,
    yes: str,
    unknown: str = "leave patients whose outcome is not known out of the sheet",
) -> Problem | None:
    """The problem of a column of yes and no that has a third number beside 0 and 1 in several patients, or None.

    It means something, such as death or lost, or one centre writes 1 and 2: `keep_going` would choose patients by it,
    and keep the 1 of that centre as the other one's.

    Args:
        yes: what 1 stands for. unknown: what to do with patients of whom it is not known.
    """
    comma, is_missing = decimal_comma(cohort), missing_test(cohort.settings["missing_codes"], decimal_comma(cohort))
    numbers = [exact_number(cell, comma) for cell in cohort.patients[column] if not is_missing(cell)]
    third = sorted({n for n in numbers if n is not None and n not in (0, 1) and numbers.count(n) > 1})
    if not third or not {0, 1} <= set(numbers):
        return None
    shown = " and ".join(f"{n:g} in {numbers.count(n)} patients" for n in third[:3])
    what = f"column {own_name(cohort, column)} has {shown} beside 0 and 1: nobody can tell what it means"
    remedy = f"write 1 for {yes} and 0 for none; {unknown}"
    return Problem(cohort.name, "", cohort.settings["patients"], what, remedy)


def outcome_column(cohort: Cohort) -> str:
    """The column that holds the outcome as 0 or 1, without times; empty where it follows from dates or months."""
    return str(cohort.settings.get("endpoint", {}).get("column", ""))


def outcome_problems(cohort: Cohort, today: date | None = None) -> list[Problem]:
    """Dates and months of the outcome that are missing, unreadable, not possible or in the wrong order.

    Args:
        today: later dates have not come; the day of the run by default.
    """
    frame = cohort.patients
    if not cohort.settings.get("outcome_needed", True):
        return _problems_of_known(cohort, today or date.today())
    if outcome_column(cohort):
        return _column_problems(cohort)
    if all(c in frame for c in DATE_COLUMNS):
        return _date_problems(cohort, today or date.today())
    if all(c in frame for c in MONTH_COLUMNS):
        return _month_problems(cohort)
    sets = [", ".join(own_name(cohort, c) for c in columns) for columns in (DATE_COLUMNS, MONTH_COLUMNS)]
    what = f"has neither the columns {sets[0]} nor {sets[1]}"
    remedy = "add one of the two sets of columns, or name the sheet's own in `columns` of the cohort"
    return [Problem(cohort.name, "", cohort.settings["patients"], what, remedy)]


def _problems_of_known(cohort: Cohort, today: date) -> list[Problem]:
    """Where a model is applied, of the patients whose outcome the sheet has: nobody needs one."""
    columns, known = known_outcomes(cohort)
    some = replace(cohort, patients=cohort.patients[known])
    if outcome_column(cohort):
        # A column that is not there yet is no outcome yet.
        return _column_problems(some) if columns else []
    if columns == DATE_COLUMNS:
        return _date_problems(some, today)
    return _month_problems(some) if columns else _half_known(cohort)


def _half_known(cohort: Cohort) -> list[Problem]:
    """Columns of an outcome beside which others are missing: it would be passed over, and no model validated.

    The date of an operation alone is none.
    """
    frame, problems = cohort.patients, []
    for columns in (DATE_COLUMNS, MONTH_COLUMNS):
        said = [c for c in columns if c in frame and c != "resection_date" and frame[c].ne("").any()]
        if not said:
            continue
        lacking = ", ".join(own_name(cohort, c) for c in columns if c not in frame)
        what = f"has {', '.join(own_name(cohort, c) for c in said)} and no column {lacking}: no outcome can be read"
        remedy = f"add {lacking}, or remove what is there: without any of them models are applied and not validated"
        problems.append(Problem(cohort.name, "", cohort.settings["patients"], what, remedy))
    return problems


def known_outcomes(cohort: Cohort) -> tuple[tuple[str, ...], pd.Series]:
    """The columns that the sheet has its outcomes in, none where it has none; and whose cells say anything of it: the
    day of the operation alone does not."""
    own = outcome_column(cohort)
    for columns in ((own,),) if own else (DATE_COLUMNS, MONTH_COLUMNS):
        if all(c in cohort.patients for c in columns):
            said = [column for column in columns if column != "resection_date"]
            return columns, cohort.patients[said].ne("").any(axis=1)
    return (), cohort.patients["patient_id"].eq("")


def date_problem(cohort: Cohort, patient: str, column: str, text: str, today: date) -> Problem | None:
    """What is wrong with one cell that must have a date; None where nothing is."""
    path, name = cohort.settings["patients"], own_name(cohort, column)
    if not text:
        return Problem(cohort.name, patient, path, f"column {name} is empty", "fill in the date as YYYY-MM-DD")
    fault = date_fault(text, today)
    return Problem(cohort.name, patient, path, f"column {name}: {fault[0]}", fault[1]) if fault else None


def _form_to_name(cohort: Cohort) -> str:
    """What to write into the config where all dates of a sheet have one form that it does not name; empty otherwise."""
    if cohort.settings["date_format"]:
        return ""
    forms = fitting_forms([text for column in DATE_COLUMNS for text in cohort.patients[column] if text])
    if not forms:
        return ""
    which = " or ".join(f'"{form}"' for form in forms)
    said = f"all dates fit {which}: write" if len(forms) == 1 else f"dates fit {which}, and you know which: write"
    return f"{said} it as date_format into cohorts.{cohort.name} of the config"


def _date_problems(cohort: Cohort, today: date) -> list[Problem]:
    path, frame, problems = cohort.settings["patients"], cohort.patients, []
    form = _form_to_name(cohort)
    names = {column: own_name(cohort, column) for column in DATE_COLUMNS}
    for patient, *cells in zip(frame.index, *(frame[c] for c in DATE_COLUMNS), strict=True):
        sure = {}
        for column, text in zip(DATE_COLUMNS, cells, strict=True):
            if not text and column == "recurrence_date":
                continue
            problem = date_problem(cohort, patient, column, text, today)
            if problem:
                problems.append(replace(problem, remedy=form) if form and text else problem)
            else:
                sure[column] = text
        # Dates as YYYY-MM-DD are in the order of their text.
        start, recurrence, last = (sure.get(column) for column in DATE_COLUMNS)
        wrong = []
        if start and recurrence and recurrence < start:
            wrong.append(f"{names['recurrence_date']} lies before {names['resection_date']}")
        if start and recurrence and recurrence == start:
            wrong.append(f"{names['recurrence_date']} is the day of {names['resection_date']}")
        if start and last and last < start:
            wrong.append(f"{names['last_follow_up_date']} lies before {names['resection_date']}")
        if recurrence and last and last < recurrence:
            wrong.append(f"{names['recurrence_date']} lies after {names['last_follow_up_date']}")
        problems += [Problem(cohort.name, patient, path, what, "correct one of the dates") for what in wrong]
    return problems


def _month_problems(cohort: Cohort) -> list[Problem]:
    path, frame, problems = cohort.settings["patients"], cohort.patients, []
    comma = decimal_comma(cohort)
    is_missing = missing_test(cohort.settings["missing_codes"], comma)
    words = cohort.settings.get("endpoint", {})
    event, start = words.get("event", "recurrence"), words.get("start", "resection")
    months_name, event_name = (own_name(cohort, column) for column in MONTH_COLUMNS)
    first_day = _events_of_the_first_day(cohort) if _has_parts_of_months(cohort) else []
    whole = (_code_problem(cohort, MONTH_COLUMNS[1], event), _days_problem(cohort))
    problems += [problem for problem in whole if problem]
    for patient, months_cell, event_cell in zip(frame.index, *(frame[c] for c in MONTH_COLUMNS), strict=True):
        remedy = f"write the months from {start} to {event} or last follow-up"
        months, fault = exact_number(months_cell, comma), ""
        if is_missing(months_cell):
            fault = f"{months_cell!r} means missing" if months_cell else "is empty"
        elif months is None and read_number(months_cell, comma):
            fault = f"{months_cell!r} is a bound and not a number of months"
        elif months is None and read_number(months_cell, True):
            fault = f"{months_cell!r} is not a number >= 0"
            remedy = f"write the comma as a point, or set cohorts.{cohort.name}.decimal_comma: true"
        elif months is None or months < 0:
            fault = f"{months_cell!r} is not a number >= 0"
        elif months > MOST_MONTHS:
            fault = f"{months_cell!r} is more than {MOST_MONTHS} months; are these days?"
        if fault:
            colon = " " if fault == "is empty" else ": "
            problems.append(Problem(cohort.name, patient, path, f"column {months_name}{colon}{fault}", remedy))
        if zero_or_one(event_cell, comma) is None:
            what = f"column {event_name}: {event_cell!r} is not 0 or 1"
            problems.append(Problem(cohort.name, patient, path, what, f"write 1 for {event}, 0 for none"))
        if patient in first_day:
            what = f"columns {months_name} and {event_name}: {event} at 0 months is on the day of {start}"
            problems.append(Problem(cohort.name, patient, path, what, "correct the months or the event"))
    return problems


def _code_problem(cohort: Cohort, column: str, yes: str) -> Problem | None:
    """What is wrong with the codes of an outcome as a whole; None where nothing is."""
    return coding_problem(cohort, column, yes) or third_code_problem(cohort, column, yes)


def _days_problem(cohort: Cohort) -> Problem | None:
    """The problem of months that are days in several patients: what the others have, in the limits, are days too."""
    numbers = [exact_number(cell, decimal_comma(cohort)) for cell in cohort.patients[MONTH_COLUMNS[0]]]
    is_missing = missing_test(cohort.settings["missing_codes"], decimal_comma(cohort))
    cells = zip(cohort.patients[MONTH_COLUMNS[0]], numbers, strict=True)
    long = [number for cell, number in cells if number is not None and number > MOST_MONTHS and not is_missing(cell)]
    if len(long) < 2:
        return None
    name = own_name(cohort, MONTH_COLUMNS[0])
    what = (
        f"column {name}: {len(long)} patients have more than {MOST_MONTHS} months, up to {max(long):g}; are these days?"
    )
    return Problem(
        cohort.name, "", cohort.settings["patients"], what, "write months (days divided by 30.4375) in all rows"
    )


def _events_of_the_first_day(cohort: Cohort) -> list[str]:
    """Patients with an event at exactly 0 months."""
    comma, (months, events) = decimal_comma(cohort), (cohort.patients[column] for column in MONTH_COLUMNS)
    return [
        patient
        for patient, time, event in zip(cohort.patients.index, months, events, strict=True)
        if exact_number(time, comma) == 0 and zero_or_one(event, comma) == 1
    ]


def _has_parts_of_months(cohort: Cohort) -> bool:
    """Whether any of the months is no whole number: 0 is then the first day, and not a first month rounded down."""
    numbers = (exact_number(cell, decimal_comma(cohort)) for cell in cohort.patients[MONTH_COLUMNS[0]])
    return any(number is not None and number % 1 for number in numbers)


def first_day_notices(cohort: Cohort, patients: Iterable[str]) -> list[Notice]:
    """A notice for each patient in use with an event at 0 of whole months.

    An event of the first month, rounded down, is one; one of the first day is what was left behind or an error, and is
    refused where dates, or months with decimals, show it. Whole months do not show which it is.
    """
    frame, used = cohort.patients, set(patients)
    if outcome_column(cohort) or all(c in frame for c in DATE_COLUMNS) or not all(c in frame for c in MONTH_COLUMNS):
        return []
    if _has_parts_of_months(cohort):
        return []
    words = cohort.settings.get("endpoint", {})
    event, start = words.get("event", "recurrence"), words.get("start", "resection")
    what = f"column {own_name(cohort, MONTH_COLUMNS[0])}: {event} at 0 months counts as within the first month"
    remedy = f"check that it was after the day of {start}; if not, leave the patient out"
    return [
        Notice(cohort.name, patient, cohort.settings["patients"], what, remedy)
        for patient in _events_of_the_first_day(cohort)
        if patient in used
    ]


def _column_problems(cohort: Cohort) -> list[Problem]:
    """An outcome without times that is not there, or no outcome; and one that stands among the clinical variables."""
    path, frame, column = cohort.settings["patients"], cohort.patients, outcome_column(cohort)
    key = f"cohorts.{cohort.name}.endpoint.column"
    if column not in frame:
        what = f"has no column {own_name(cohort, column)!r}, which {key} names"
        return [Problem(cohort.name, "", path, what, f"the sheet has {', '.join(frame.columns)}")]
    name = cohort.settings["endpoint"]["name"]
    coded = _code_problem(cohort, column, name)
    problems = [coded] if coded else []
    problems += [
        Problem(
            cohort.name, patient, path, f"column {own_name(cohort, column)}: {cell!r} is not 0 or 1",
            f"write 1 for {name}, 0 for none",
        )
        for patient, cell in frame[column].items()
        if zero_or_one(cell, decimal_comma(cohort)) is None
    ]  # fmt: skip
    return problems


def split_date_problems(cohort: Cohort, patients: Iterable[str], today: date | None = None) -> list[Problem]:
    """Resection dates that cannot place patients in a temporal split; external patients are placed by their centre."""
    outside = set(cohort.settings["external_centres"])
    frame = cohort.patients.loc[list(patients)]
    found = [
        date_problem(cohort, patient, "resection_date", text, today or date.today())
        for patient, text, centre in zip(frame.index, frame["resection_date"], frame["centre"], strict=True)
        if centre not in outside
    ]
    return [problem for problem in found if problem]


def centre_problems(cohort: Cohort) -> list[Problem]:
    """Centres that are empty, written in two ways, or named as external and not there.

    A patient of an external centre whose cell is empty or spelt otherwise would be trained on.
    """
    path, column, problems = cohort.settings["patients"], own_name(cohort, "centre"), []
    is_missing = missing_test(cohort.settings["missing_codes"])
    centres = cohort.patients["centre"]
    for patient, centre in centres.items():
        if is_missing(centre) or centre in ERROR_CELLS:
            what = f"column {column}: {centre!r} is no centre" if centre else f"column {column} is empty"
            remedy = "name the patient's centre; of merged cells a file holds the first alone, so fill in each"
            problems.append(Problem(cohort.name, patient, path, what, remedy))
    there = sorted({c for c in centres if not is_missing(c)})
    alike: dict[str, list[str]] = {}
    for centre in there:
        alike.setdefault(_spelling(centre), []).append(centre)
    for names in alike.values():
        if len(names) > 1:
            what = f"column {column}: one centre is written in several ways, {names}"
            problems.append(Problem(cohort.name, "", path, what, "write each centre in one way"))
    for centre in cohort.settings.get("external_centres", []):
        if there and centre not in there:
            what = f"external_centres names {centre!r}, which no patient has in the column {column}"
            remedy = f"the sheet has {', '.join(there)}; correct cohorts.{cohort.name}.external_centres"
            problems.append(Problem(cohort.name, "", path, what, remedy))
    return problems


def _spelling(name: str) -> str:
    """A name without capitals, spaces, marks and widths of letters; a number without zeros in front or behind."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    number = exact_number(plain.strip())
    return repr(number) if number is not None else "".join(c for c in plain if c.isalnum())


def error_cell_problems(cohort: Cohort, columns: Mapping[str, str]) -> list[Problem]:
    """Cells of columns in use that show a spreadsheet program's error in place of a value.

    Args:
        columns: column -> what it is used for.
    """
    codes = set(cohort.settings["missing_codes"])
    return [
        Problem(
            cohort.name,
            patient,
            cohort.settings["patients"],
            f"column {own_name(cohort, column)}, {use}: {text!r} is an error of the spreadsheet",
            "correct the formula, or write the value itself",
        )
        for column, use in columns.items()
        if column in cohort.patients
        for patient, text in cohort.patients[column].items()
        if text in ERROR_CELLS and text not in codes
    ]
