"""Wang 2022: what a fit chose, its weights, and how far features of two phases say the same."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hcc_recurrence.cohort.fit import STRICT
from hcc_recurrence.methods.wang2022.declare import BOTH, SIGNATURE, VISUAL, WITH_CLINICAL
from hcc_recurrence.methods.wang2022.signature import Signatures

CORRELATION_COLUMNS = ("model", "feature", "other_model", "other_feature", "n", "r", "p")


def choices_table(signatures: Signatures) -> pd.DataFrame:
    """What each model of a fit chose: phases, number of deep features, settings, and its cross-validated AUC."""
    return pd.DataFrame(
        [
            {
                "model": model,
                "phases": signatures.phases
                if model in (SIGNATURE, WITH_CLINICAL)
                else model.removeprefix(f"{SIGNATURE} "),
                "features": len(one.regression.features),
                "variables": len(one.regression.weights),
                **one.learned.settings,
                "cross_validated_auc": one.learned.auc,
            }
            for model, one in signatures.by_model.items()
        ]
    )


def weights_table(signatures: Signatures) -> pd.DataFrame:
    """Weights of the final models of a fit, standardised, the largest first; rank 1 is the largest deep feature."""
    rows = []
    for model in (SIGNATURE, WITH_CLINICAL, VISUAL):
        one = signatures.by_model[model].regression
        ordered = _by_weight(one.weights)
        deep = [name for name in ordered if name in set(one.features)]
        for name in ordered:
            rank = deep.index(name) + 1 if name in deep else 0
            rows.append({"model": model, "variable": name, "weight": one.weights[name], "deep_rank": rank})
    return pd.DataFrame(rows, columns=["model", "variable", "weight", "deep_rank"])


def _by_weight(weights: dict[str, float]) -> list[str]:
    return sorted(weights, key=lambda name: (-abs(weights[name]), name))


def explained_features(weights: pd.DataFrame, number: int) -> pd.DataFrame:
    """The deep features with the largest weights in DSFR of all training patients, strict: variable, weight.

    Args:
        weights: `weights_table` of all fits, with protocol, repeat, fold.
    """
    own = weights[(weights["model"] == SIGNATURE) & (weights["protocol"] == STRICT) & (weights["deep_rank"] > 0)]
    own = own[(own["repeat"] == 1) & (own["fold"] == 0)].sort_values("deep_rank")
    return own.head(number)[["variable", "weight"]].reset_index(drop=True)


def correlations_table(signatures: Signatures, deep: pd.DataFrame, number: int) -> pd.DataFrame:
    """Pearson's correlation of the features with the largest weights of each two phases' own DSFR models.

    Tables S3 (coefficients) and S4 (P values) of the paper, of the arterial and the portal phase.

    Args:
        deep: of the rows that learn. number: of features of each model.

    Returns: model, feature, other_model, other_feature, n, r, p (two-sided, of no correlation; uncorrected).
    """
    from scipy.stats import pearsonr

    single = [m for m in signatures.by_model if m.startswith(f"{SIGNATURE} ") and m != f"{SIGNATURE} {BOTH}"]
    rows = []
    for i, model in enumerate(single):
        for other in single[i + 1 :]:
            for feature in _by_weight(signatures.by_model[model].regression.weights)[:number]:
                for second in _by_weight(signatures.by_model[other].regression.weights)[:number]:
                    values = deep[feature].to_numpy(float), deep[second].to_numpy(float)
                    # Of two patients, or of a constant feature, there is none.
                    enough = len(deep) > 2 and all(np.ptp(v) > 0 for v in values)
                    r, p = pearsonr(*values) if enough else (np.nan, np.nan)
                    rows.append((model, feature, other, second, len(deep), float(r), float(p)))
    return pd.DataFrame(rows, columns=list(CORRELATION_COLUMNS))
