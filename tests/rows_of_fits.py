"""Rows of the predictions table from probabilities of several fits, for tests of what stands between fit and table."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from hcc_recurrence.learning.predictions import prediction_rows


def rows_of_fits(
    table: pd.DataFrame, models: Sequence[str], labels: pd.DataFrame, split: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """Rows of the predictions table from the probabilities of all fits.

    Args:
        table: protocol, repeat, fold, part (`learned`, `unseen`), patient_id, one column a model. seed: of the run.
    """
    place, parts = split.set_index("patient_id")["split"], []
    for (protocol, repeat, fold, part), rows in table.groupby(["protocol", "repeat", "fold", "part"]):
        if part == "learned" and protocol == "strict":
            continue
        if part == "learned":
            estimate = "apparent"
        elif not fold:
            estimate = "held_out"
        else:
            estimate = "out_of_fold" if protocol == "strict" else "cross_validated"
        about = {"protocol": protocol, "estimate": estimate, "repeat": repeat, "fold": fold, "seed": seed + repeat}
        where = place.loc[rows["patient_id"]].to_numpy()
        for name in sorted(set(where)):
            members = rows[where == name]
            patients = list(members["patient_id"])
            parts += [
                prediction_rows(labels, patients, members[m].to_numpy(), model=m, split=name, **about) for m in models
            ]
    return pd.concat(parts, ignore_index=True)
