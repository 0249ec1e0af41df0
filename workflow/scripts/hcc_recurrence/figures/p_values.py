"""How numbers are printed."""

from __future__ import annotations

import math


def p_text(p: float) -> str:
    """A P value as journals print it."""
    if math.isnan(p):
        return ""
    return "<.001" if p < 0.001 else f"{p:.3f}".lstrip("0") if p < 1 else "1"


def interval_text(value: float, low: float, high: float, digits: int = 3) -> str:
    """`0.762 (0.606-0.880)`; the value alone where there is no interval, nothing where there is no value."""
    if math.isnan(value):
        return ""
    if math.isnan(low):
        return f"{value:.{digits}f}"
    return f"{value:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"
