"""Zhao 2024: what is gathered of the networks of all fits."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from hcc_recurrence.methods.gathering import LOSS_NOTE
from hcc_recurrence.methods.zhao2024.networks import network_predictions

__all__ = ["described", "network_predictions"]


def described(table: pd.DataFrame, phases: Sequence[str]) -> tuple[pd.DataFrame, str]:
    """The table of networks and its note."""
    shared = f"One shared backbone for {', '.join(phases)}. "
    return table, f"{shared}{LOSS_NOTE} Median over the fits of all folds and repeats."
