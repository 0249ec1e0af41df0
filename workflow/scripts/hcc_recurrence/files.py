"""Reading and writing tables so that equal content gives equal bytes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def write_csv(frame: pd.DataFrame, path: str | Path) -> None:
    """UTF-8, Unix line ends, no index, floats with 10 significant digits.

    Ten digits are far beyond what any of these numbers means, and short of the last bits in which
    two numerical libraries may differ.
    """
    frame.to_csv(path, index=False, float_format="%.10g", lineterminator="\n", encoding="utf-8")


def read_csv(path: str | Path, identifiers: tuple[str, ...] = ("patient_id",)) -> pd.DataFrame:
    """Read a table of ours; identifier columns stay text (a patient may be called 007).

    A table without a column, such as what nobody was found for, is an empty one.
    """
    import pandas as pd

    try:
        return pd.read_csv(path, dtype=dict.fromkeys(identifiers, str), float_precision="round_trip")
    except pd.errors.EmptyDataError:
        return pd.DataFrame()


def write_in_one_rename(path: Path, text: str) -> None:
    """Write a file so that a killed process never leaves half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    os.replace(temporary, path)


def read_best_auc(files: Sequence[str | Path]) -> float | None:
    """The best reachable AUC of a simulated cohort from its file; None for a real one, which has no such file."""
    return float(read_csv(files[0])["best_auc"][0]) if files else None
