"""Tables as spreadsheets leave them: any common delimiter and encoding, columns under the hospital's own names, dates.

Nothing is guessed where two readings are possible: such a cell stays as it is, and is a problem with its value in it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

DELIMITERS = (",", ";", "\t", "|")
# Tried in turn; a spreadsheet's "Unicode text" is UTF-16 and says so in its first bytes.
ENCODINGS = ("utf-8-sig", "gb18030")
# The year first: nothing else is unambiguous without `date_format`.
YEAR_FIRST = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y\u5e74%m\u6708%d\u65e5")
# A bound of the assay, such as <0.01 or > 1000.
BOUND = re.compile(r"^[<>\u2264\u2265\u2266\u2267\uff1c\uff1e]\s*=?\s*(.+)$")


def read_sheet(path: Path, columns: Mapping[str, str] | None = None) -> pd.DataFrame:
    """A CSV, TSV or XLSX sheet as text, cells stripped, empty cells as "".

    Args:
        columns: our name of a column -> the sheet's own.

    Raises: FileNotFoundError; ValueError where the file cannot be read as a table, or two columns have one name.
    """
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        frame = pd.read_excel(path, dtype=str, keep_default_na=False)
    else:
        text = decoded(path.read_bytes())
        frame = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, sep=delimiter_of(text))
    names = [str(c).strip() for c in frame.columns]
    own = {theirs: ours for ours, theirs in (columns or {}).items()}
    frame.columns = [own.get(name, name) for name in names]
    twice = sorted({c for c in frame.columns if list(frame.columns).count(c) > 1})
    if twice:
        raise ValueError(f"the columns {twice} stand twice; see `columns` of the cohort")
    frame = frame.fillna("").apply(lambda column: column.str.strip())
    # A spreadsheet program turns dates into "2019-03-01 00:00:00".
    return frame.replace(r"^(\d{4}-\d{2}-\d{2}) 00:00:00$", r"\1", regex=True)


def decoded(content: bytes) -> str:
    """Text of a sheet: UTF-8 with or without its mark, UTF-16 with it, else GB18030.

    Raises: ValueError where it is none of them.
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16")
    for encoding in ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValueError("its text is neither UTF-8, UTF-16 nor GB18030")


def delimiter_of(text: str) -> str:
    """What the header line has most of: comma, semicolon, tab or bar; a comma where it has none."""
    header = text.split("\n", 1)[0]
    return max(DELIMITERS, key=header.count)


def parse_number(text: str) -> float | None:
    """A cell as a finite number; a bound such as `<0.01` is the bound itself; None for anything else."""
    bound = BOUND.match(text)
    try:
        value = float(bound.group(1) if bound else text)
    except ValueError:
        return None
    return value if value == value and abs(value) != float("inf") else None


def iso_date(text: str, date_format: str = "") -> str:
    """A date as YYYY-MM-DD; the text as it is where it is none that is sure.

    Args:
        date_format: as of strptime, such as %d.%m.%Y; empty takes dates that begin with the year.
    """
    for form in [date_format] if date_format else YEAR_FIRST:
        try:
            return datetime.strptime(text, form).strftime("%Y-%m-%d")
        except ValueError:
            continue
    return text


def read_patients(source: Mapping[str, Any], dates: tuple[str, ...]) -> pd.DataFrame:
    """The patients sheet of a cohort, with our names of columns and dates as YYYY-MM-DD.

    Args:
        source: path, columns, date_format. dates: columns that hold dates.

    Raises: as `read_sheet`.
    """
    frame = read_sheet(Path(source["path"]), source["columns"])
    for column in dates:
        if column in frame:
            frame[column] = [iso_date(text, source["date_format"]) for text in frame[column]]
    return frame
