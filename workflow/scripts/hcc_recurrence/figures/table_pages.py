"""A table of a method as CSV, and as a page for the report."""

from __future__ import annotations

from typing import Any

import pandas as pd

from hcc_recurrence.figures.html import readable, write_html
from hcc_recurrence.files import write_csv


def write_table(name: str, table: pd.DataFrame, note: str, params: Any, output: Any) -> None:
    """Write both.

    Args:
        name: of the table, whose outputs are `<name>_csv` and `<name>_html`. note: how to read it. params: title and
            mark. output: paths by name.
    """
    write_csv(table, output[f"{name}_csv"])
    write_html(readable(table), params.title, output[f"{name}_html"], note, mark=params.mark)
