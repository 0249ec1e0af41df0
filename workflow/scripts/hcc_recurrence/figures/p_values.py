"""How numbers are printed."""

from __future__ import annotations

import math


def p_text(p: float) -> str:
    """A P value as journals print it."""
    if math.isnan(p):
        return ""
    return "<.001" if p < 0.001 else f"{p:.3f}".lstrip("0") if p < 1 else "1"
