"""What permuted outcomes say of a method."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hcc_recurrence.statistics.degenerate import ONE_OUTCOME

KEYS = ["model", "protocol", "split", "estimate"]


def summarise_null_control(aucs: pd.DataFrame, observed: pd.DataFrame) -> pd.DataFrame:
    """Mean AUC over the permutations with its standard error, and the permutation P of the observed AUC.

    Permutation P = (1 + permutations with an AUC at least as high) / (1 + permutations) (Phipson and Smyth, Stat
    Appl Genet Mol Biol 2010;9:39). Permutations without an AUC (patients of one outcome in every fold) are left out;
    where the real outcomes have none there is no P. `near_half` is whether 0.5 lies within three standard errors of the
    mean.

    Args:
        aucs: KEYS, permutation, auc. observed: metrics table of the study. Both of one fitted model (`first_repeat`): a
            mean over repeats spreads less than a single model, and its P would be another one's.

    Returns: KEYS, permutations (with an AUC), mean, sd, standard_error, near_half, observed, permutation_p, remark.
    """
    real = observed.set_index(KEYS)["auc"]
    rows = []
    for key, part in aucs.groupby(KEYS, sort=False):
        values = part["auc"].dropna().to_numpy()
        count, lacking = len(values), len(part) - len(values)
        deviation = float(values.std(ddof=1)) if count > 1 else float("nan")
        error = deviation / np.sqrt(count) if count else float("nan")
        mean = float(values.mean()) if count else float("nan")
        known = count > 0 and np.isfinite(real[key])
        words = [f"{lacking} of {len(part)} permutations without an AUC: {ONE_OUTCOME}"] if lacking else []
        words += [] if np.isfinite(real[key]) else [f"the real outcomes have no AUC: {ONE_OUTCOME}"]
        rows.append(
            {
                **dict(zip(KEYS, key, strict=True)),
                "permutations": count,
                "mean": mean,
                "sd": deviation,
                "standard_error": error,
                # Without any spread (a model that never learns anything) the mean must be 0.5 itself.
                "near_half": bool(abs(mean - 0.5) <= 3 * np.nan_to_num(error) + 1e-12),
                "observed": float(real[key]),
                "permutation_p": float((1 + (values >= real[key] - 1e-12).sum()) / (1 + count)) if known else np.nan,
                "remark": "; ".join(words),
            }
        )
    return pd.DataFrame(rows)
