"""Whether the rows and columns of an image are exchanged in its header: each row starts where another one goes on."""

from __future__ import annotations

import numpy as np

from hcc_recurrence.cohort.stack_parts import SeriesError

# Pixels above each other differ by less than this fraction where the sides are exchanged back. Of 51 real MR and a CT
# that are not square it is 1.28 or more as they are; with exchanged sides 0.16 in the median and 0.78 at most, where
# there is one column more than rows. In noise it is 1.
LESS = 0.75


def check_sides(values: np.ndarray, name: str) -> None:
    """Raise SeriesError where an image, (rows, columns), is one of the same pixels in (columns, rows).

    Args:
        name: of its file.
    """
    rows, columns = values.shape
    if rows == columns:
        return
    as_read, exchanged = (_steps(shape) for shape in (values, np.ascontiguousarray(values).reshape(columns, rows)))
    if exchanged < LESS * as_read:
        raise SeriesError(
            f"{name} has {rows} rows and {columns} columns in its header, and its pixels are those of {columns} rows "
            f"and {rows} columns: so read, pixels above each other differ by {exchanged / as_read:.0%} of what they do",
            "export the series again as the scanner made it",
        )


def _steps(values: np.ndarray) -> float:
    """Mean absolute difference of pixels above each other."""
    return float(np.abs(np.diff(values.astype(np.float32), axis=0)).mean())
