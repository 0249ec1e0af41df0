"""Variables of a regression that others determine: a model has no estimate of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

# A column is determined where less than this part of its spread is left, as in R's lm.
TOLERANCE = 1e-7


def find_aliases(x: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Columns that a constant and the columns before them determine, with the coefficients of these.

    R's glm and coxph leave the same ones out of a model: of two that say the same, the later one.

    Args:
        x: patients, a column a variable, none missing.

    Returns: column -> {column before it: coefficient}; nothing inside for a column that is the same for everyone.
    """
    kept: list[str] = []
    found: dict[str, dict[str, float]] = {}
    values = x.to_numpy(float)
    centred = values - values.mean(axis=0)
    spread = np.linalg.norm(centred, axis=0)
    for number, name in enumerate(x.columns):
        if spread[number] <= TOLERANCE * np.linalg.norm(values[:, number]):
            found[name] = {}
            continue
        places = [x.columns.get_loc(column) for column in kept]
        own, others = centred[:, number] / spread[number], centred[:, places] / spread[places]
        weights = np.linalg.lstsq(others, own, rcond=None)[0]
        if np.linalg.norm(own - others @ weights) > TOLERANCE:
            kept.append(name)
            continue
        slopes = weights * spread[number] / spread[places]
        found[name] = {c: float(w) for c, w, s in zip(kept, slopes, weights, strict=True) if abs(s) > TOLERANCE}
    return found


def without_aliases(x: pd.DataFrame) -> pd.DataFrame:
    """The columns of which a model has estimates; all of them where none is determined by others."""
    aliases = find_aliases(x)
    return x.drop(columns=list(aliases)) if aliases else x


def alias_words(partners: Mapping[str, float], names: Mapping[str, str], binary: bool) -> str:
    """Why a variable was left out of a model, for a table: `left out: the same as Cirrhosis in every patient`.

    Args:
        partners: of `find_aliases`. names: column -> how tables name it. binary: it and its partners are 0 or 1.
    """
    if not partners:
        return "left out: the same in every patient"
    named = _listed([names[column] for column in partners])
    if len(partners) > 1:
        return f"left out: follows from {named}"
    slope = next(iter(partners.values()))
    if binary and abs(abs(slope) - 1) < TOLERANCE:
        return f"left out: the {'same as' if slope > 0 else 'opposite of'} {named} in every patient"
    return f"left out: follows from {named} in every patient"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
