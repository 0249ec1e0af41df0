"""Draws of patients that an edit of the cohort hardly changes: by hashes of seed and name, not by places in a list.

A draw by place (shuffle, then cut) is another draw as soon as one patient comes or goes. Here every patient has a
place of their own in an order, whoever else is there, and a run from scratch draws the same as a run after an edit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def draw_key(patient: str, *seed: object) -> int:
    """A number from 0 to 2^64 - 1 of a patient, as good as random, the same on every machine (BLAKE2b).

    Args:
        seed: numbers and words that name the draw; two draws with different ones are independent.
    """
    text = "\x1f".join([*map(str, seed), patient])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def drawn_order(patients: Iterable[str], *seed: object) -> list[str]:
    """The patients in an order drawn by `draw_key`; that of any two does not depend on the others."""
    return sorted(patients, key=lambda p: (draw_key(p, *seed), p))


def draw_part(patients: Iterable[str], fraction: float, *seed: object) -> list[str]:
    """A fraction of the patients (rounded, halves up): the first ones in the drawn order.

    One patient more or less changes at most one other patient's membership.
    """
    order = drawn_order(patients, *seed)
    return order[: int(fraction * len(order) + 0.5)]


def fold_sizes(number: int, folds: int, from_last: bool = False) -> list[int]:
    """Sizes of folds that differ by at most one; the larger ones first, or last.

    One patient more makes exactly one fold larger, and with one outcome filled from the first fold and the other from
    the last, the sizes of whole folds differ by at most one as well.
    """
    base, more = divmod(number, folds)
    sizes = [base + (fold < more) for fold in range(folds)]
    return sizes[::-1] if from_last else sizes


def draw_folds(patients: Iterable[str], folds: int, *seed: object, from_last: bool = False) -> dict[str, int]:
    """Folds (from 1) of the sizes of `fold_sizes`: each patient's own by hash where there is room.

    Every patient has a fold of their own by hash. Of a fold with too many those stay that come first in its order, and
    each fold with too few in turn takes its first ones of the rest. One patient who comes, goes, or takes another's
    place changes each fold by at most one patient who joins it, so that at most `folds` patients change folds.
    """
    own: dict[int, list[str]] = {fold: [] for fold in range(1, folds + 1)}
    for patient in patients:
        own[draw_key(patient, *seed, "own fold") % folds + 1].append(patient)
    sizes = dict(enumerate(fold_sizes(sum(map(len, own.values())), folds, from_last), 1))
    drawn: dict[str, int] = {}
    rest: list[str] = []
    for fold, members in own.items():
        order = drawn_order(members, *seed, "stays")
        drawn |= dict.fromkeys(order[: sizes[fold]], fold)
        rest += order[sizes[fold] :]
    for fold, members in own.items():
        lacking = max(sizes[fold] - len(members), 0)
        order = drawn_order(rest, *seed, "taken", fold)
        drawn |= dict.fromkeys(order[:lacking], fold)
        rest = order[lacking:]
    return drawn
