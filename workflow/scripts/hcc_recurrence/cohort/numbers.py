"""Numbers as people and laboratories write them: digits of any script, bounds of assays, codes for missing values.

A cell is a number only where it has one reading: `1,234`, `1 000`, `5 cm` and `1_000` are none.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_WITH_COMMA = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?", re.ASCII)
# A thousand, or one and a bit? In a sheet with decimal commas nobody knows.
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+", re.ASCII)
# A bound of the assay, such as <0.01 or > 1000.
_BOUND = re.compile(r"([<>\u2264\u2265\u2266\u2267\u2a7d\u2a7e\uff1c\uff1e])\s*([=\uff1d]?)\s*(.+)", re.DOTALL)
_BELOW = "<\u2264\u2266\u2a7d\uff1c"
_OR_EQUAL = "\u2264\u2265\u2266\u2267\u2a7d\u2a7e"
_TRUTH = {
    **dict.fromkeys(("TRUE", "WAHR", "VRAI", "VERO", "VERDADERO", "WAAR"), 1),
    **dict.fromkeys(("FALSE", "FALSCH", "FAUX", "FALSO", "ONWAAR"), 0),
}
# Full-width forms, the minus sign and the Arabic decimal separator.
_SIGNS = str.maketrans({"\uff0e": ".", "\uff0c": ",", "\uff0b": "+", "\uff0d": "-", "\u2212": "-", "\u066b": "."})


@dataclass(frozen=True)
class Reading:
    """A number, or a bound of it: `relation` is "" or one of < <= > >=."""

    relation: str
    value: float

    def times(self, factor: float) -> float:
        """The number in another unit. Of `<` and `>` the next number below or above the bound: it is not the bound."""
        value = self.value * factor
        if self.relation in ("<", ">"):
            return math.nextafter(value, -math.inf if self.relation == "<" else math.inf)
        return value


def _plain(text: str) -> str:
    """The digits of any script (full-width, Arabic, Indian) as 0 to 9; superscripts and fractions stay."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text.translate(_SIGNS))


def _finite(text: str, decimal_comma: bool) -> float | None:
    text = _plain(text)
    if decimal_comma:
        if _GROUPED.fullmatch(text):
            return None
        if _WITH_COMMA.fullmatch(text):
            text = text.replace(",", ".")
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


@lru_cache(maxsize=65536)
def read_number(text: str, decimal_comma: bool = False) -> Reading | None:
    """A cell as a finite number or a bound of one; None for anything else.

    Args:
        decimal_comma: `18,1` is a number, and `1.234` is none.
    """
    relation, bound = "", _BOUND.fullmatch(text)
    if bound:
        relation = "<" if bound[1] in _BELOW else ">"
        relation += "=" if bound[2] or bound[1] in _OR_EQUAL else ""
        text = bound[3]
    value = _finite(text, decimal_comma)
    return None if value is None else Reading(relation, value)


def parse_number(text: str, decimal_comma: bool = False) -> float | None:
    """A cell as a finite number; a bound such as `<0.01` is the bound itself; None for anything else."""
    reading = read_number(text, decimal_comma)
    return reading.value if reading else None


def exact_number(text: str, decimal_comma: bool = False) -> float | None:
    """A cell as a finite number; None for a bound and for anything else."""
    reading = read_number(text, decimal_comma)
    return reading.value if reading and not reading.relation else None


def zero_or_one(text: str, decimal_comma: bool = False) -> int | None:
    """A cell of a yes or no as 1 or 0: the number, or TRUE and FALSE as spreadsheet programs export their own
    (English, German, French, Italian, Spanish, Dutch); None for anything else."""
    value = _TRUTH.get(text.strip().upper(), exact_number(text, decimal_comma))
    return int(value) if value in (0, 1) else None


def coded_one_and_two(cells: Iterable[str], decimal_comma: bool = False) -> bool:
    """Whether a column of yes and no is coded 1 and 2, as statistics programs do: nobody knows which of them is yes.

    Cell by cell the 2 alone would be wrong, and those with 1 would be left as if all of them had a yes.
    """
    codes = set()
    for cell in cells:
        known = zero_or_one(cell, decimal_comma)
        codes.add(exact_number(cell, decimal_comma) if known is None else known)
    codes.discard(None)
    return 2 in codes and codes <= {1, 2}


def has_decimal_comma(text: str) -> bool:
    """Whether a cell would be a number if its comma were a decimal one."""
    return bool(read_number(text, True)) and not read_number(text)


def missing_test(codes: Iterable[str], decimal_comma: bool = False) -> Callable[[str], bool]:
    """Whether a cell is empty or one of the codes for missing, as text or as a number.

    Statistics programs write a code 999 as 999.0 or 9.99E+02.
    """
    texts = {"", *codes}
    numbers = {value for code in codes if (value := exact_number(code)) is not None}

    def is_missing(text: str) -> bool:
        return text in texts or (bool(numbers) and exact_number(text, decimal_comma) in numbers)

    return is_missing
