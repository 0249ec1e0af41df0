"""Workbooks (XLSX) as text, and what in them a reader of the cells alone would get wrong without a word."""

from __future__ import annotations

import re
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

# What is wrong, and what to do.
Fault = tuple[str, str]


def listed(numbers: list[int], most: int = 8) -> str:
    """Numbers of rows in words: 3, 5 to 9 and 12."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    words = [f"{a}" if a == b else f"{a} to {b}" if b > a + 1 else f"{a}, {b}" for a, b in runs]
    if len(words) > most:
        words = [*words[:most], f"{len(words) - most} more places"]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + f" and {words[-1]}"


def cell_text(cell: Any) -> str:
    """A cell of openpyxl as text: whole numbers without a point, dates as YYYY-MM-DD, zeros in front where shown."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d") if value.time() == datetime.min.time() else value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value).strip()
    form = cell.number_format or ""
    if "%" in form:
        # 0.45 in the file, 45% on the screen: no number for a column of either.
        return f"{value * 100:g}%"
    if value == int(value) and abs(value) < 1e15:
        whole = str(int(value))
        return whole.zfill(len(form)) if re.fullmatch("0{2,}", form) else whole
    return repr(float(value))


def read_workbook(path: Path) -> tuple[list[list[str]], list[int], list[Fault]]:
    """The rows of the one visible sheet that is not empty, as text.

    Returns: rows, the first of them the header; their numbers on the screen; and what is wrong with the sheet.

    Raises: ValueError where it is no workbook, or no one sheet can be told.
    """
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError) as error:
        raise ValueError(f"it is no XLSX workbook ({error})") from None
    visible = [s for s in book.worksheets if s.sheet_state == "visible" and _filled(s)]
    if len(visible) != 1:
        names = [s.title for s in visible]
        raise ValueError(
            f"it has {len(names)} visible sheets that are not empty, {names}: hide or remove all but one"
            if names
            else "all its visible sheets are empty"
        )
    sheet = visible[0]
    rows, numbers = [], []
    for number, cells in enumerate(sheet.iter_rows(), 1):
        rows.append([cell_text(cell) for cell in cells])
        numbers.append(number)
    faults = [
        *_merged_faults(sheet, rows),
        *_hidden_faults(sheet, rows),
        *_formula_faults(path, sheet, rows),
    ]
    return rows, numbers, faults


def _filled(sheet: Any) -> bool:
    return any(cell is not None for row in sheet.iter_rows(values_only=True) for cell in row)


def _merged_faults(sheet: Any, rows: list[list[str]]) -> list[Fault]:
    """Merged cells, of which a file holds the first alone; they are filled, so that only this is said of them."""
    faults = []
    for merged in sorted(sheet.merged_cells.ranges, key=lambda r: r.bounds):
        left, top, right, bottom = merged.bounds
        # Blank ones hide nothing.
        if not cell_text(sheet.cell(top, left)):
            continue
        what = f"the cells {merged.coord} are merged, and only the first of them has a value"
        faults.append((what, "unmerge them and fill in each cell"))
        if top <= len(rows) and left <= len(rows[top - 1]):
            for row in rows[top - 1 : bottom]:
                row[left - 1 : right] = [rows[top - 1][left - 1]] * len(row[left - 1 : right])
    return faults


def _hidden_faults(sheet: Any, rows: list[list[str]]) -> list[Fault]:
    hidden = [n for n, row in enumerate(rows, 1) if sheet.row_dimensions[n].hidden and any(row)]
    if not hidden:
        return []
    what = f"rows {listed(hidden)} are hidden or filtered, and may or may not belong to the cohort"
    return [(what, "show all rows, and delete those that do not belong here")]


def _formula_faults(path: Path, sheet: Any, rows: list[list[str]]) -> list[Fault]:
    """Formulas whose value is not in the file: no spreadsheet program has calculated them."""
    with zipfile.ZipFile(path) as archive:
        sheets = [n for n in archive.namelist() if n.startswith("xl/worksheets/")]
        if not any(re.search(rb"<(\w+:)?f[ >/]", archive.read(name)) for name in sheets):
            return []
    from openpyxl import load_workbook

    found: dict[int, list[int]] = {}
    for line in load_workbook(path)[sheet.title].iter_rows():
        for cell in line:
            # A formula may have the empty text for a value: its cell is of the type of texts, and not of numbers.
            value = sheet.cell(cell.row, cell.column)
            if cell.data_type == "f" and value.value is None and value.data_type != "str":
                found.setdefault(cell.column, []).append(cell.row)
    header = next((row for row in rows if any(row)), [])
    remedy = "open the workbook in a spreadsheet program, let it calculate, and save it"
    return [
        (f"column {header[column - 1]}: formulas without a value in rows {listed(lines)}", remedy)
        for column, lines in sorted(found.items())
    ]
