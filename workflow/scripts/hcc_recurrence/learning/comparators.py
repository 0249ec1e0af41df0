"""Predictions of a single number: clinical scores, and confounders that a method should beat (volume, centre)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from hcc_recurrence.learning.predictions import COLUMNS, prediction_rows
from hcc_recurrence.learning.scaling import Standardiser


def one_score_models(
    inputs: Mapping[str, pd.DataFrame], labels: pd.DataFrame, split: pd.DataFrame, repeats: int, seed: int
) -> pd.DataFrame:
    """Logistic regression on each input alone, in both protocols, as rows of the predictions table.

    The regression turns a score into a risk and fixes its direction on the training rows: a score whose direction
    is wrong there has an AUC below 0.5 elsewhere. Patients without the score have no row.

    Args:
        inputs: model -> columns of numbers, index patient_id. labels, split: from `make_labels`, `make_split`.
        repeats, seed: as for the papers; out-of-fold rows use the split's own folds.
    """
    from sklearn.linear_model import LogisticRegression

    written = split.set_index("patient_id")
    outcome = labels.set_index("patient_id")["er"]
    parts = []
    for model, table in inputs.items():
        known = table.reindex(written.index).dropna()
        y = outcome.loc[known.index].astype(int)
        place = written.loc[known.index, "split"]
        train = list(known.index[place == "train"])
        outside = {s: list(known.index[place == s]) for s in ("validation", "external")}

        def fit(rows: list[str], known=known, y=y) -> Callable[[list[str]], np.ndarray]:
            x, outcomes = known.loc[rows].to_numpy(float), y.loc[rows]
            scale = Standardiser(x)
            if outcomes.nunique() < 2 or not np.isfinite(scale.scale).any():
                return lambda others: np.full(len(others), outcomes.mean())
            # Nearly unpenalised: with one number there is nothing to shrink.
            fitted = LogisticRegression(C=1e6, max_iter=1000).fit(scale(x), outcomes)
            return lambda others: fitted.predict_proba(scale(known.loc[others].to_numpy(float)))[:, 1]

        def add(members: list[str], probability: np.ndarray, model=model, **about) -> None:
            if members:
                parts.append(prediction_rows(labels, members, probability, model=model, **about))

        for repeat in range(1, repeats + 1):
            folds = written[f"fold_{repeat}"]
            about = {"protocol": "strict", "repeat": repeat, "seed": seed + repeat}
            for fold in sorted(folds.loc[train].dropna().unique()):
                held = [p for p in train if folds[p] == fold]
                rows = [p for p in train if folds[p] != fold]
                add(held, fit(rows)(held), split="train", estimate="out_of_fold", fold=int(fold), **about)
        predict = fit(train)
        for protocol in ("strict", "as_published"):
            about = {"protocol": protocol, "repeat": 1, "fold": 0, "seed": seed + 1, "estimate": "held_out"}
            for name, members in outside.items():
                if members:
                    add(members, predict(members), split=name, **about)
        about = {"protocol": "as_published", "repeat": 1, "fold": 0, "seed": seed + 1, "estimate": "apparent"}
        add(train, predict(train), split="train", **about)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))


def centre_columns(labels: pd.DataFrame) -> pd.DataFrame:
    """One 0/1 column a centre; a model of nothing else shows how far the centre alone predicts."""
    return pd.get_dummies(labels.set_index("patient_id")["centre"]).astype(float)
