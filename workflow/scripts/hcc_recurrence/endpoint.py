"""What a cohort's outcome is called in tables, figures and captions, and whether it has times.

The methods were made for early recurrence of hepatocellular carcinoma; a cohort with another outcome says so in its
`endpoint`, and nothing that is printed of it calls that outcome a recurrence. The words belong to a whole job, as
matplotlib's rcParams do: a script that prints them calls `use_endpoint` with the cohort's first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Endpoint:
    """The words of one outcome.

    name: of the outcome that is predicted (`early recurrence`). abbreviation: for axes and column heads (`ER`). event:
    what the times run to (`recurrence`). survival: being free of it (`recurrence-free survival`). start: what the times
    run from. column: of the patients sheet that holds the outcome as 0 or 1, without times; empty where it follows from
    dates or months.
    """

    name: str = "early recurrence"
    abbreviation: str = "ER"
    event: str = "recurrence"
    survival: str = "recurrence-free survival"
    start: str = "resection"
    column: str = ""

    @property
    def none(self) -> str:
        """The other outcome: `no early recurrence`."""
        return f"no {self.name}"

    @property
    def happened(self) -> str:
        """What happened to a patient, in a word or two: `recurrence`."""
        return self.event if self.has_times else self.name

    @property
    def has_times(self) -> bool:
        """Whether there are times, and so figures of survival."""
        return not self.column


EARLY_RECURRENCE = Endpoint()
_words = {"endpoint": EARLY_RECURRENCE}


def endpoint() -> Endpoint:
    """That of this job; early recurrence where a script has named none."""
    return _words["endpoint"]


def use_endpoint(settings: Mapping[str, Any]) -> Endpoint:
    """Take a cohort's `endpoint` for the rest of this job, and return it."""
    _words["endpoint"] = Endpoint(**settings)
    return endpoint()


def capital(words: str) -> str:
    """Words at the beginning of a label: the first letter in capitals, the others as they are."""
    return words[:1].upper() + words[1:]
