"""Dates of an outcome: which forms are sure, and which days cannot be.

Nothing is guessed where two readings are possible: such a cell stays as it is, and is a problem with its value in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache

DATE_COLUMNS = ("resection_date", "recurrence_date", "last_follow_up_date")
# The year first: nothing else is unambiguous without `date_format`.
YEAR_FIRST = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y\u5e74%m\u6708%d\u65e5")
# Forms that are looked for where dates cannot be read, to name the `date_format` to write; none is ever taken for sure.
DAY_OR_MONTH_FIRST = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y")
# No patient with a CT or an MRI was operated on before.
EARLIEST = date(1950, 1, 1)
# A spreadsheet program gives a date a time of day.
_WITH_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?", re.ASCII)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@lru_cache(maxsize=65536)
def iso_date(text: str, date_format: str = "") -> str:
    """A date as YYYY-MM-DD; the text as it is where it is none that is sure.

    Args:
        date_format: as of strptime, such as %d.%m.%Y; empty takes dates that begin with the year.
    """
    if timed := _WITH_TIME.fullmatch(text):
        text = timed[1]
    for form in [date_format] if date_format else YEAR_FIRST:
        try:
            day = datetime.strptime(text, form)
        except ValueError:
            continue
        # Without separators each number needs all its digits: 2018112 is the 12th of January or the 2nd of November.
        if re.search(r"%[a-zA-Z]%[a-zA-Z]", form) and day.strftime(form) != text:
            continue
        return day.date().isoformat()
    return text


def fitting_forms(texts: Sequence[str]) -> list[str]:
    """Forms with the day or month first in which all of some cells are dates."""
    return [form for form in DAY_OR_MONTH_FIRST if texts and all(iso_date(text, form) != text for text in texts)]


def format_fault(date_format: str) -> str:
    """What a `date_format` lacks of year, month and day; empty where nothing is."""
    parts = {"year": ("%Y", "%y"), "month": ("%m", "%b", "%B"), "day": ("%d",)}
    lacking = [name for name, codes in parts.items() if date_format and not any(c in date_format for c in codes)]
    return f"{date_format!r} names no {' and no '.join(lacking)}" if lacking else ""


@lru_cache(maxsize=65536)
def date_fault(text: str, today: date) -> tuple[str, str] | None:
    """What is wrong with a cell that should be a date (after `iso_date`), and what to do; None where nothing is.

    Args:
        today: later days have not come.
    """
    write = "write it as YYYY-MM-DD, or name date_format (empty recurrence_date: none observed)"
    try:
        # Of the forms that Python reads as well, only this one is compared and hashed everywhere.
        day = date.fromisoformat(text) if _ISO.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        if re.fullmatch(r"\d{5}(\.0+)?", text, re.ASCII):
            return f"{text!r} is not a date but a spreadsheet program's count of days", "format the cells as dates"
        if re.fullmatch(r"\d{6,7}", text, re.ASCII):
            return f"{text!r} is not a date: {len(text)} digits have more than one reading", write
        return f"{text!r} is not a date", write
    if day < EARLIEST:
        return f"{text!r} lies before {EARLIEST}", "correct the date"
    if day > today:
        return f"{text!r} lies in the future", "correct the date"
    return None


def mixed_forms(texts: list[str], date_format: str) -> bool:
    """Whether a column has both dates in `date_format`, with the day or month first, and dates with the year first.

    A spreadsheet program that expects the month first turns 05/07/2016 into a date of its own, 7 May, and leaves
    25/07/2016 as text: some are then wrong, and nothing shows which.
    """
    if not date_format or date_format in YEAR_FIRST:
        return False
    changed = any(iso_date(text, date_format) != text for text in texts if not _WITH_TIME.fullmatch(text))
    return changed and any(_ISO.fullmatch(text) or _WITH_TIME.fullmatch(text) for text in texts)


def month_first(texts: list[str], date_format: str) -> str:
    """A cell that is no date in `date_format`, and is one where day and month change places; empty where none is.

    04/13/2018 among %d/%m/%Y: by itself one wrong cell, but the column may have the month first throughout, and
    04/05/2018 then is the 5th of April.
    """
    exchanged = re.sub("%[dm]", lambda code: "%m" if code[0] == "%d" else "%d", date_format)
    if exchanged == date_format or "%d" not in date_format or "%m" not in date_format:
        return ""
    for text in texts:
        if text and iso_date(text, date_format) == text and iso_date(text, exchanged) != text:
            return text
    return ""
