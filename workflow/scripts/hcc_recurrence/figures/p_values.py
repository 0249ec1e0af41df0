"""How numbers are printed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from hcc_recurrence.statistics.degenerate import NOTHING


def settled(value: float) -> float:
    """A number as both a table in memory and its file of ten digits have it, so that both are rounded to the same.

    An odds ratio of 21/40 is 0.525 in the file, from which figures are drawn, and 0.52499999999 where it was computed:
    the figure said 0.53 beside 0.52 in the table.
    """
    return float(f"{value:.9g}")


def p_text(p: float) -> str:
    """A P value as journals print it (AMA Manual of Style, 11th edition, section 19.5)."""
    if math.isnan(p):
        return ""
    p = settled(p)
    if p > 0.99:
        return ">.99"
    digits = 3
    # .0497 is significant where .050 would not seem to be.
    while p < 0.05 and float(f"{p:.{digits}f}") == 0.05 and digits < 6:
        digits += 1
    return "<.001" if p < 0.001 else f"{p:.{digits}f}".lstrip("0")


def ratio_text(value: float, low: float, high: float) -> str:
    """`2.95 (1.10-7.89)`; with more decimals where two would not tell the ratio or its limits from 1.

    A ratio per unit of something that spans thousands is close to 1: Wang 2022 prints 1.006 (1.004-1.009).
    """
    if math.isnan(value):
        return ""
    value, low, high = map(settled, (value, low, high))
    digits = 2
    while digits < 8 and any(v != 1 and float(f"{v:.{digits}f}") == 1 for v in (value, low, high)):
        digits += 1
    ends = [f"{v:.{digits}f}" if v < 1e3 else f"{v:.0f}" if v < 1e6 else f"{v:.1e}" for v in (value, low, high)]
    return f"{ends[0]} ({ends[1]}-{ends[2]})"


def auc_text(row: Mapping[str, Any], digits: int = 3) -> str:
    """AUC and interval of a row of a metrics table, or why there is none: a model may tell nobody apart."""
    remark = row.get("remark", "")
    words = remark if isinstance(remark, str) else ""
    if words.startswith(NOTHING) or math.isnan(row["auc"]):
        return words
    return interval_text(row["auc"], row["auc_low"], row["auc_high"], digits)


def interval_text(value: float, low: float, high: float, digits: int = 3) -> str:
    """`0.762 (0.606-0.880)`; a dash where there is no interval, nothing where there is no value."""
    if math.isnan(value):
        return ""
    value, low, high = map(settled, (value, low, high))
    if math.isnan(low):
        return f"{value:.{digits}f} (-)"
    return f"{value:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"
