"""Which of several is the best, where some are equally good: the same on every machine."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeVar

Name = TypeVar("Name", bound=Hashable)

# The same areas summed in another order differ in the last bits; two areas of unlike ranks of up to ten thousand
# patients differ by more.
EQUAL = 1e-10


def first_of_best(scores: Mapping[Name, float]) -> Name:
    """The name with the highest score; of those within EQUAL of it the one that comes first in `scores`.

    What is not a number is lower than all. Raises: ValueError without a score.
    """
    known = {name: float(score) for name, score in scores.items() if score == score}
    if not known:
        if not scores:
            raise ValueError("nothing to choose from")
        return next(iter(scores))
    least = max(known.values()) - EQUAL
    return next(name for name, score in known.items() if score >= least)
