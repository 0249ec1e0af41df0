"""One fit of a method: which patients of a split learn in it, and whose outcomes tune it.

A fit has a name in paths, tables and files of weights, which is written (`str(fit)`) and read (`Fit.parse`) here alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

STRICT, PUBLISHED = "strict", "as_published"
PROTOCOLS = (STRICT, PUBLISHED)
# Whose outcomes stop a training, or choose a model: some training patients of the fit itself, the validation patients,
# or the patients of the fold that is left out.
TRAINING, VALIDATION, LEFT_OUT = "training", "validation", "left_out"

_PROTOCOL, _REPEAT, _NUMBER = "strict|as_published", "[1-9][0-9]*", "[1-9][0-9]*"
_TUNED = f"{VALIDATION}|{LEFT_OUT}"


@dataclass(frozen=True, order=True)
class Fit:
    """One fit.

    protocol: `strict` or `as_published`. repeat: of the folds, from 1. left_out: the folds whose patients do not learn,
    ascending; none where all training patients learn. tuned_on: see above. share: of the patients that learn, in whole
    percent, for learning curves.

    Raises: ValueError naming what is no fit.
    """

    protocol: str = STRICT
    repeat: int = 1
    left_out: tuple[int, ...] = ()
    tuned_on: str = TRAINING
    share: float = 1.0

    # Names of any fit, and of one that leaves out a fold at most and takes all other patients, as regular expressions.
    PATTERN: ClassVar[str] = (
        f"(?:{_PROTOCOL})[.]{_REPEAT}[.](?:0|{_NUMBER}(?:-{_NUMBER})*)(?:[.](?:{_TUNED}))?(?:[.]{_NUMBER}percent)?"
    )
    PATTERN_OF_ONE_FOLD: ClassVar[str] = f"(?:{_PROTOCOL})[.]{_REPEAT}[.](?:0|{_NUMBER})(?:[.](?:{_TUNED}))?"
    # The others: more folds are left out, or patients.
    PATTERN_OF_PARTS: ClassVar[str] = (
        f"(?:{_PROTOCOL})[.]{_REPEAT}[.](?:{_NUMBER}(?:-{_NUMBER})+|(?:0|{_NUMBER})(?:[.](?:{_TUNED}))?[.]{_NUMBER}percent)"
    )
    _PARTS: ClassVar[re.Pattern[str]] = re.compile(
        f"(?P<protocol>{_PROTOCOL})[.](?P<repeat>{_REPEAT})[.](?P<left_out>0|{_NUMBER}(?:-{_NUMBER})*)"
        f"(?:[.](?P<tuned_on>{_TUNED}))?(?:[.](?P<percent>{_NUMBER})percent)?"
    )

    def __post_init__(self) -> None:
        wrong = [
            words
            for words, holds in (
                (f"protocol {self.protocol!r}", self.protocol in PROTOCOLS),
                (f"repeat {self.repeat!r}", self.repeat >= 1),
                (f"left_out {self.left_out!r}", list(self.left_out) == sorted({f for f in self.left_out if f > 0})),
                (f"tuned_on {self.tuned_on!r}", self.tuned_on in (TRAINING, VALIDATION, LEFT_OUT)),
                (f"tuned_on {LEFT_OUT} without one fold", self.tuned_on != LEFT_OUT or len(self.left_out) == 1),
                (f"share {self.share!r}", 0 < self.share <= 1 and is_whole_percent(self.share)),
            )
            if not holds
        ]
        if wrong:
            raise ValueError(f"no fit has {', '.join(wrong)}")

    def __str__(self) -> str:
        parts = [self.protocol, str(self.repeat), "-".join(map(str, self.left_out)) or "0"]
        parts += [self.tuned_on] if self.tuned_on != TRAINING else []
        parts += [f"{round(100 * self.share)}percent"] if self.share < 1 else []
        return ".".join(parts)

    @classmethod
    def parse(cls, name: str) -> Fit:
        """The fit of a name.

        Raises: ValueError where no fit is called so.
        """
        found = cls._PARTS.fullmatch(name)
        if not found:
            raise ValueError(f"{name!r} is no name of a fit, such as strict.1.2 or as_published.1.0.validation")
        folds = tuple(int(part) for part in found["left_out"].split("-") if part != "0")
        share = int(found["percent"]) / 100 if found["percent"] else 1.0
        return cls(found["protocol"], int(found["repeat"]), folds, found["tuned_on"] or TRAINING, share)

    @classmethod
    def without(cls, protocol: str, repeat: int, fold: int) -> Fit:
        """The fit that leaves out one fold, or none where `fold` is 0."""
        return cls(protocol, int(repeat), (int(fold),) if fold else ())

    @property
    def fold(self) -> int:
        """The fold left out, 0 for none.

        Raises: ValueError where there are more.
        """
        if len(self.left_out) > 1:
            raise ValueError(f"{self} leaves out more than one fold")
        return self.left_out[0] if self.left_out else 0

    @property
    def about(self) -> dict[str, Any]:
        """Columns of tables that say which fit a row is of: protocol, repeat, fold."""
        return {"protocol": self.protocol, "repeat": self.repeat, "fold": self.fold}


def is_whole_percent(share: float) -> bool:
    """Whether a fraction is a whole number of hundredths, which names of fits can say."""
    return abs(100 * share - round(100 * share)) < 1e-9 and round(100 * share) >= 1
