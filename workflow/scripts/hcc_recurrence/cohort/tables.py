"""Tables as spreadsheets leave them: any common delimiter and encoding, columns under the hospital's own names, dates.

Nothing is guessed where two readings are possible: such a cell stays as it is, and is a problem with its value in it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hcc_recurrence.cohort.dates import iso_date as iso_date
from hcc_recurrence.cohort.numbers import parse_number as parse_number
from hcc_recurrence.cohort.workbooks import Fault, listed, read_workbook

DELIMITERS = (",", ";", "\t", "|")
# Tried in turn; a spreadsheet's "Unicode text" is UTF-16 and says so in its first bytes.
ENCODINGS = ("utf-8-sig", "gb18030")
# The first bytes of XLSX and of XLS, whatever the file is called.
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


class SheetError(ValueError):
    """A sheet whose cells cannot be trusted. Carries every (what is wrong, what to do)."""

    def __init__(self, faults: Sequence[Fault]):
        super().__init__("; ".join(what for what, _ in faults))
        self.faults = list(faults)


def read_sheet(path: Path, columns: Mapping[str, str] | None = None) -> pd.DataFrame:
    """A CSV, TSV or XLSX sheet as text, cells stripped, empty cells as "".

    Args:
        columns: our name of a column -> the sheet's own.

    Raises: FileNotFoundError; ValueError where the file cannot be read as a table; SheetError (a ValueError) where
        two columns have one name, or another of the faults of `examine_sheet`.
    """
    frame, _, faults = examine_sheet(path, columns)
    if faults:
        raise SheetError(faults)
    return frame


def examine_sheet(path: Path, columns: Mapping[str, str] | None = None) -> tuple[pd.DataFrame, list[int], list[Fault]]:
    """A sheet as `read_sheet` has it, the numbers of its rows as a spreadsheet program shows them, and its faults.

    With faults it is unfit for use, and its rows can be checked all the same.

    Raises: FileNotFoundError; ValueError where the file cannot be read as a table.
    """
    workbook = path.suffix.lower() in (".xlsx", ".xlsm")
    if workbook:
        rows, numbers, faults = read_workbook(path)
    else:
        rows, numbers, faults = *_read_text(path.read_bytes()), []
    kept = [(number, row) for number, row in zip(numbers, rows, strict=True) if any(row)]
    if not kept:
        raise ValueError("it is empty")
    header, body = kept[0][1], kept[1:]
    width = max(n for n, name in enumerate(header, 1) if name)
    lines, longer = [], []
    for number, row in body:
        lines.append(row[:width] + [""] * (width - len(row)))
        if len(row) > width:
            longer.append((number, row[width:]))
    faults += _excess_faults(longer, len(body), workbook)
    faults += _title_faults(kept, columns or {})
    names = [name or f"column {n}, which has no name" for n, name in enumerate(header[:width], 1)]
    names, again = _named(names, columns or {})
    frame = pd.DataFrame(lines, columns=names, dtype=str)
    return frame, [number for number, _ in body], [*faults, *again]


def _title_faults(kept: Sequence[tuple[int, Sequence[str]]], columns: Mapping[str, str]) -> list[Fault]:
    """Rows above the one with the names of columns, such as a title."""
    wanted = columns.get("patient_id", "patient_id")
    if wanted in kept[0][1]:
        return []
    below = [number for number, row in kept[1:10] if wanted in row]
    what = f"its first row is {kept[0][0]}, and the column names stand in row"
    return [(f"{what} {below[0]}", "remove the rows above it, such as a title")] if below else []


def _excess_faults(longer: Sequence[tuple[int, Sequence[str]]], rows: int, workbook: bool) -> list[Fault]:
    """Rows with more cells than the header has names.

    A delimiter at the end of every row is an empty column. One in some rows alone is a comma inside a cell, which
    moves all cells after it, and is refused even if the last of them is empty.
    """
    filled = [number for number, cells in longer if any(cells)]
    if not filled and (not longer or (len(longer) == rows and len({len(cells) for _, cells in longer}) == 1)):
        return []
    what = f"rows {listed(filled or [number for number, _ in longer])} have more cells than the header"
    quote = "put cells that hold the delimiter, such as 18,1 or free text, into quotation marks"
    return [(what, "give their columns names in the header, or remove these cells" if workbook else quote)]


def _named(names: Sequence[str], columns: Mapping[str, str]) -> tuple[list[str], list[Fault]]:
    """Our names of the columns, one that stands twice the second time under a name of its own; and what is wrong."""
    own = {theirs: ours for ours, theirs in columns.items()}
    renamed = [own.get(name, name) for name in names]
    twice = sorted({c for c in renamed if renamed.count(c) > 1})
    faults = [
        (f"has no column {theirs}, which `columns` names as {ours}", f"the sheet has {', '.join(names)}")
        for ours, theirs in columns.items()
        if theirs not in names
    ]
    seen, unique = set(), []
    for place, name in enumerate(renamed, 1):
        unique.append(f"{name} (column {place})" if name in seen else name)
        seen.add(name)
    if twice:
        remedy = "remove or rename one of each; see `columns` of the cohort"
        faults.append((f"the columns {twice} stand twice", remedy))
    return unique, faults


def _read_text(content: bytes) -> tuple[list[list[str]], list[int]]:
    """Rows of a text table, cells stripped, and their numbers as a spreadsheet program counts them.

    Raises: ValueError where the quotation marks do not pair, or the file is no text.
    """
    if content.startswith(WORKBOOKS):
        raise ValueError("it is a workbook under another name")
    text = decoded(content)
    delimiter = delimiter_of(text)
    if declared := re.match(r"sep=(.)\r?\n", text):
        # A spreadsheet program's own first line.
        delimiter, text = declared[1], text[declared.end() :]
    try:
        rows = [
            [cell.strip() for cell in row]
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        ]
    except csv.Error as error:
        raise ValueError(f"its quotation marks do not pair, or a cell is too long ({error})") from None
    first = 2 if declared else 1
    width = max((len(row) for row in rows[:1]), default=0)
    for number, row in enumerate(rows, first):
        # A mark that is not closed takes the rows below it into its cell.
        swallowed = any(line.count(delimiter) >= width - 1 > 0 for cell in row for line in cell.split("\n")[1:])
        if swallowed:
            raise ValueError(f"row {number} has a cell with whole rows in it: a quotation mark is not closed")
    return rows, list(range(first, first + len(rows)))


def decoded(content: bytes) -> str:
    """Text of a sheet: UTF-8 with or without its mark, UTF-16 with it, else GB18030 or Windows-1252.

    The last is what a spreadsheet program of western Europe exports: its accented letters mostly stand alone among
    ASCII, while GB18030 has Chinese characters as pairs of bytes beyond ASCII.

    Raises: ValueError where it is none of them.
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16")
    # GB18030 has its rarer characters, such as the micro sign, as four bytes of which two are digits.
    runs = re.findall(rb"[\x81-\xfe]\d[\x81-\xfe]\d|[\x80-\xff]+", content)
    western = sum(len(run) == 1 for run in runs) * 2 > len(runs)
    for encoding in ("utf-8-sig", "cp1252", "gb18030") if western else ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValueError("its text is neither UTF-8, UTF-16, GB18030 nor Windows-1252")


def delimiter_of(text: str) -> str:
    """What the header line has most of outside quotation marks: comma, semicolon, tab or bar; else a comma."""
    header = re.sub(r'"[^"]*"', "", text.lstrip("\r\n")).split("\n", 1)[0]
    return max(DELIMITERS, key=header.count)


def read_patients(source: Mapping[str, Any], dates: tuple[str, ...]) -> pd.DataFrame:
    """The patients sheet of a cohort, with our names of columns and dates as YYYY-MM-DD.

    Args:
        source: path, columns, date_format. dates: columns that hold dates.

    Raises: as `read_sheet`.
    """
    frame = read_sheet(Path(source["path"]), source["columns"])
    convert_dates(frame, source["date_format"], dates)
    return frame


def convert_dates(frame: pd.DataFrame, date_format: str, dates: Sequence[str]) -> None:
    """Write the dates of some columns of a sheet as YYYY-MM-DD, in place; columns that are not there stay away."""
    for column in dates:
        if column in frame:
            frame[column] = [iso_date(text, date_format) for text in frame[column]]
