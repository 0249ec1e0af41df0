"""Which values of an image of labels a cell of the masks sheet means."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from hcc_recurrence.cohort.masks import MaskError

# A whole number that went through single precision is still that number.
WHOLE_TOLERANCE = 1e-3
MOST_SHOWN = 12
# What programs write for inside that have no number for it; and so many values beside 0 are grades of one thing.
BYTE, GRADES = 255, 3


def show_value(value: float) -> str:
    """A voxel's value in a message: whole numbers in full, others with the digits that tell labels apart."""
    return str(int(value)) if value == int(value if abs(value) < 1e15 else 0) else f"{value:.6g}"


def show_values(values: Sequence[float], names: Sequence[str] = ()) -> str:
    """The first of a mask's values, after the names of its segments where it has them."""
    shown = [*names, *map(show_value, values[:MOST_SHOWN])]
    if len(values) > MOST_SHOWN:
        shown.append(f"... ({len(values)} values)")
    return ", ".join(shown) or "nothing but 0"


def wanted_values(values: Sequence[float], label: str, names: Sequence[str] = ()) -> list[float]:
    """The values of an image of labels that a cell of the masks sheet means; the empty cell means the only one.

    A whole number means exactly that value. A decimal fraction, as of labels that were scaled (0.0039 for 1/255), means
    the value that it is when rounded to as many digits; where that holds for two values it is refused.

    Args:
        values: of the mask, other than 0. names: of segments, where the image has them, for the message.

    Raises: MaskError where none is meant, several could be, or the mask is no mask of labels.
    """
    shown = show_values(values, names)
    if label:
        wanted: list[float] = []
        for part in label.split("+"):
            wanted += [v for v in _value_of(values, part, label, shown) if v not in wanted]
        return sorted(wanted)
    if not values:
        raise MaskError("is empty", "check that the right file was saved")
    if len(values) > 1:
        raise MaskError(f"has the values {shown}", "name one in the column label; 1+2 takes two together")
    if not values[0] > 0:
        raise MaskError(f"has the value {shown} beside 0", "write it in the column label if it is the tumour")
    return list(values)


def _value_of(values: Sequence[float], part: str, label: str, shown: str) -> list[float]:
    try:
        asked = Decimal(part.strip())
        if not asked.is_finite():
            raise InvalidOperation
    except InvalidOperation:
        raise MaskError(
            f"label {label!r} is no number", f"name one of the mask's values: {shown}; 1+2 takes two together"
        ) from None
    if asked == 0:
        raise MaskError("label 0 is what lies outside the tumour", f"name one of the mask's values: {shown}")
    number = float(asked)
    whole = asked == asked.to_integral_value()
    within = WHOLE_TOLERANCE if whole else 10.0 ** int(asked.as_tuple().exponent) / 2 * (1 + 1e-6)
    found = [v for v in values if abs(v - number) <= within]
    if not found:
        raise MaskError(f"has no voxel of value {part.strip()}; it has {shown}", "correct the label")
    if len(found) > 1:
        raise MaskError(
            f"label {part.strip()} could be any of the values {', '.join(f'{v:.9g}' for v in found)}",
            "write the value with more digits",
        )
    _refuse_grades(values, number, part.strip(), whole)
    return found


def _refuse_grades(values: Sequence[float], asked: float, part: str, whole: bool) -> None:
    """Raise MaskError where the values beside the one that is asked for are grades between outside and inside, as
    interpolation and networks leave them: the asked one alone is a rim or a core of the tumour."""
    what = "has fractional values beside"
    between = [v for v in values if 0 < v < asked - WHOLE_TOLERANCE and v % 1] if whole else []
    if not whole:
        fractions = [v for v in values if 0 < v < 1]
        # Labels that were scaled to 1 are multiples of 1/255, or few.
        scaled = all(abs(v * BYTE - round(v * BYTE)) < WHOLE_TOLERANCE for v in fractions)
        if len(fractions) >= GRADES and not scaled:
            between = [v for v in fractions if v != asked]
    elif asked == BYTE:
        less = [v for v in values if 0 < v < BYTE]
        if len(less) >= GRADES and max(less) > BYTE / 2:
            what, between = "has values between 0 and", less
    if between:
        raise MaskError(
            f"{what} {part} ({show_values(between)}), as a mask that was resampled or a map of probabilities has",
            "save it as 0 and 1, from one half on as 1"
            + ("; labels of their own need other numbers than 255" if whole and asked == BYTE else ""),
        )
