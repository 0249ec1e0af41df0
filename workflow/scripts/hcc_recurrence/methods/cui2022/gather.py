"""Cui 2022: what is gathered of the networks of all fits."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from hcc_recurrence.methods.cui2022 import fit
from hcc_recurrence.methods.gathering import LOSS_NOTE


def network_predictions(
    labels: pd.DataFrame, split: pd.DataFrame, scores: pd.DataFrame, choices: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """Rows of the predictions table (`fit.network_predictions`); nothing is chosen between the two networks."""
    return fit.network_predictions(labels, split, scores, seed)


def described(table: pd.DataFrame, phases: Sequence[str]) -> tuple[pd.DataFrame, str]:
    """The table of networks, without how often one was chosen, and its note."""
    return table.drop(columns="chosen for DL (strict)"), f"{LOSS_NOTE} Median over all folds."
