"""Clinical variables as a model takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd


def dichotomise(clinical: pd.DataFrame, cuts: Mapping[str, float | None]) -> pd.DataFrame:
    """1 where a variable is above its cut, 0 where not, NaN where missing; unchanged without a cut.

    Source: Zhao 2024, Table 1 (AFP > 400, ALT > 50, AST > 40, GGT > 60, TBIL > 19, diameter > 5 cm).
    """
    result = clinical[list(cuts)].copy()
    for variable, cut in cuts.items():
        if cut is not None:
            column = result[variable]
            result[variable] = (column > cut).astype(float).where(column.notna())
    return result


def timing_note(definitions: Mapping[str, Mapping[str, Any]]) -> str:
    """A sentence that names the variables known only after the operation; empty where there is none."""
    late = sorted(v for v, definition in definitions.items() if definition["timing"] == "post")
    return f" Known only after the operation: {', '.join(late)}." if late else ""
