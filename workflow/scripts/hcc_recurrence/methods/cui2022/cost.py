"""Cui 2022: what training its networks takes. Read where jobs are planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# Bytes that training keeps a voxel, measured by tests/unit/test_cui2022.py.
CUI_BYTES = 400


def training_mb(settings: Mapping[str, Any], network: str, batch: int, size: Sequence[int]) -> float:
    """MB to train a network: its weights four times (gradient and Adam's moments beside), seven versions of the boxes
    of 200 patients, and a batch. Of 60 patients 4248 MB were measured.
    """
    z, y, x = size
    return 4500 + (200 * 7 * 4 + batch * CUI_BYTES) * z * y * x / 1e6
