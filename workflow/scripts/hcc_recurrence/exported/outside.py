"""Where a patient lies in the training distribution of an exported model, input by input, in words.

A number is inside between the 2.5 and the 97.5 % quantile of the training patients, so that one of twenty numbers of a
training patient is outside as well: a single feature outside says little, many say that the patient is another kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("patient_id", "item", "group", "value", "unit", "low", "high", "verdict", "words")
INSIDE, OUTSIDE, MISSING = "inside", "outside", "missing"
# Of a patient whom the model learned from, and where nobody can tell whether it did (`fingerprints`).
SEEN, UNKNOWN = "seen", "unknown"
LOW, HIGH = "2.5", "97.5"
# A header's number that differs by less is the same: it was rounded.
ROUNDING = 0.01
# Of the features so many may be outside where nothing is wrong, four times as many as are expected: chosen.
FEATURES_OUTSIDE = 0.2
NAMED_FEATURES = 10
# A size so many times beyond all training patients is no size: cm for mm is ten times.
OUT_OF_PROPORTION = 5.0
SIZES = ("spacing_mm", "pixel_mm", "thickness_mm", "ball_diameter_mm", "diameter")
# Scan parameters that say when after the injection a series was taken.
DELAY = "delay_s"


class Row(NamedTuple):
    """One line of outside.csv, but for the patient."""

    item: str
    group: str
    value: Any
    unit: str
    low: Any
    high: Any
    verdict: str
    words: str


def compared(known: Mapping[str, Any], value: Any) -> Row:
    """One input of a patient beside the training patients.

    Args:
        known: an entry of training_distribution.json. value: None or NaN where it is missing; of a category its name.
    """
    own = known["group"] if not known["item"].endswith(DELAY) else "phases"
    if known["kind"] == "numeric":
        return _number(known, own, value)
    return _category(known, own, value)


def _is_missing(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, float) and np.isnan(value))


def _missing_words(known: Mapping[str, Any]) -> str:
    if known["group"] == "clinical":
        return "missing: what the model puts in its place is the median of the training patients"
    return "unknown: no header says it"


def _number(known: Mapping[str, Any], group: str, value: Any) -> Row:
    item, unit, quantiles = known["item"], known.get("unit", ""), known["quantiles"]
    low, high = quantiles.get(LOW, ""), quantiles.get(HIGH, "")
    if _is_missing(value):
        verdict = MISSING if known["missing"] != 1 or known["group"] == "clinical" else INSIDE
        words = _missing_words(known) if verdict == MISSING else "unknown, as of all training patients"
        return Row(item, group, "", unit, low, high, verdict, words)
    number = float(value)
    if low == "":
        return Row(item, group, number, unit, "", "", OUTSIDE, "of the training patients too few have it to compare")
    slack = 0.0 if known["group"] == "features" else ROUNDING * max(abs(low), abs(high))
    if low - slack <= number <= high + slack:
        return Row(item, group, number, unit, low, high, INSIDE, "")
    side = "below" if number < low else "above"
    words = f"{side} 95 % of the training patients ({low:g} to {high:g}{' ' + unit if unit else ''})"
    last = item.rpartition("__")[2]
    if last in SIZES and low > 0 and (number < low / OUT_OF_PROPORTION or number > high * OUT_OF_PROPORTION):
        words += "; out of all proportion: are these cm in place of mm, or mm in place of cm?"
    return Row(item, group, number, unit, low, high, OUTSIDE, words)


def _category(known: Mapping[str, Any], group: str, value: Any) -> Row:
    item, fractions = known["item"], known.get("fractions", {})
    if _is_missing(value):
        verdict = MISSING if known["missing"] != 1 or known["group"] == "clinical" else INSIDE
        return Row(item, group, "", "", "", "", verdict, _missing_words(known) if verdict == MISSING else "")
    if str(value) in fractions:
        return Row(item, group, value, "", "", "", INSIDE, "")
    named = ", ".join(name for name in fractions if name != "other")
    words = f"of no level that five or more training patients have (they have {named or 'none'})"
    return Row(item, group, value, "", "", "", OUTSIDE, words)


def distance(row: Row) -> float:
    """How far a number lies outside, in widths of the range of the training patients."""
    if row.verdict != OUTSIDE or row.low == "":
        return 0.0
    width = max(float(row.high) - float(row.low), 1e-12)
    return max(float(row.low) - float(row.value), float(row.value) - float(row.high)) / width


def features_row(rows: Sequence[Row]) -> Row | None:
    """How many features of a patient are outside, and which are farthest; None of a model without features."""
    own = [row for row in rows if row.group == "features"]
    if not own:
        return None
    outside = sorted((row for row in own if row.verdict == OUTSIDE), key=distance, reverse=True)
    # Of few features chance alone puts more than a fifth outside.
    most = max(FEATURES_OUTSIDE * len(own), _by_chance(len(own)))
    words = f"{len(outside)} of {len(own)} features are outside 95 % of the training patients, each by itself"
    if outside:
        words += f"; farthest: {', '.join(row.item for row in outside[:NAMED_FEATURES])}"
    verdict = OUTSIDE if len(outside) > most else INSIDE
    return Row("features outside", "summary", len(outside), "features", 0, int(most), verdict, words)


def _by_chance(number: int) -> int:
    """As many features as are outside in one of a hundred training patients, each in one of twenty by itself."""
    from scipy.stats import binom

    return int(binom.ppf(0.99, number, 0.05))


def table_of(rows: Mapping[str, Iterable[Row]]) -> pd.DataFrame:
    """COLUMNS of all patients, in their order."""
    import pandas as pd

    lines = [(patient, *row) for patient, own in rows.items() for row in own]
    return pd.DataFrame(lines, columns=list(COLUMNS))
