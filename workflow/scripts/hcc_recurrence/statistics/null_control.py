"""What permuted outcomes say of a method."""

from __future__ import annotations

import numpy as np
import pandas as pd

KEYS = ["model", "protocol", "split", "estimate"]


def summarise_null_control(aucs: pd.DataFrame, observed: pd.DataFrame) -> pd.DataFrame:
    """Mean AUC over the permutations with its standard error, and the permutation P of the observed AUC.

    Permutation P = (1 + permutations with an AUC at least as high) / (1 + permutations) (Phipson and Smyth, Stat
    Appl Genet Mol Biol 2010;9:39). `near_half` is whether 0.5 lies within three standard errors of the mean.

    Args:
        aucs: KEYS, permutation, auc. observed: metrics table of the study. Both of one fitted model (`first_repeat`): a
            mean over repeats spreads less than a single model, and its P would be another one's.

    Returns: KEYS, permutations, mean, sd, standard_error, near_half, observed, permutation_p.
    """
    real = observed.set_index(KEYS)["auc"]
    rows = []
    for key, part in aucs.groupby(KEYS, sort=False):
        values = part["auc"].to_numpy()
        count = len(values)
        deviation = float(values.std(ddof=1)) if count > 1 else float("nan")
        error = deviation / np.sqrt(count)
        rows.append(
            {
                **dict(zip(KEYS, key, strict=True)),
                "permutations": count,
                "mean": float(values.mean()),
                "sd": deviation,
                "standard_error": error,
                # Without any spread (a model that never learns anything) the mean must be 0.5 itself.
                "near_half": bool(abs(values.mean() - 0.5) <= 3 * np.nan_to_num(error) + 1e-12),
                "observed": float(real[key]),
                "permutation_p": float((1 + (values >= real[key] - 1e-12).sum()) / (1 + count)),
            }
        )
    return pd.DataFrame(rows)
