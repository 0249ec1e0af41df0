"""Free text of headers without what it may hold of a person: technicians type names and numbers into descriptions."""

from __future__ import annotations

import re
from typing import Any

# What holds names or numbers; words of them are left out of descriptions of the same file.
NAME_TAGS = (
    *("PatientName", "PatientID", "AccessionNumber", "OtherPatientNames", "ReferringPhysicianName", "OperatorsName"),
    *("PerformingPhysicianName", "RequestingPhysician", "StudyID"),
)
LEFT_OUT = "..."
# Numbers of patients and dates of birth; a series, a kernel or a slice thickness has fewer digits.
LONG_NUMBER = re.compile(r"\d(?:[\d./-]{4,}\d)")
# Shorter words of names, such as Li, are words of protocols as well.
SHORTEST = 3


def without_persons(text: str, data: Any) -> str:
    """A description without the words of names and numbers in the same header, and without long numbers.

    Args:
        data: a pydicom data set with `NAME_TAGS`.
    """
    for word in sorted(_words(data), key=len, reverse=True):
        bounded = rf"(?<![^\W_]){re.escape(word)}(?![^\W_])" if word.isascii() else re.escape(word)
        text = re.sub(bounded, LEFT_OUT, text, flags=re.IGNORECASE)
    text = LONG_NUMBER.sub(LEFT_OUT, text)
    # A spreadsheet program takes what begins so for a formula.
    return " ".join(text.split()).lstrip("=+-@")


def _words(data: Any) -> set[str]:
    found = set()
    for tag in NAME_TAGS:
        for whole in re.split(r"[=\\]", str(data.get(tag) or "")):
            parts = [part for part in re.split(r"[\s^,.;]+", whole) if part]
            # Written in one word, family name first or last.
            found |= {*parts, "".join(parts), "".join(reversed(parts))}
    return {word for word in found if len(word) >= (SHORTEST if word.isascii() else 2)}
