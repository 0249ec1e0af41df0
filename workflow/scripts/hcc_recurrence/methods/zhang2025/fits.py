"""Which fits the networks of Zhang 2025 have. Read by every job, so it imports little."""

from __future__ import annotations

from collections.abc import Sequence

from hcc_recurrence.cohort.fit import PUBLISHED, STRICT, VALIDATION, Fit

# Networks whose epoch the validation patients chose, as published.
BY_VALIDATION = Fit(PUBLISHED, tuned_on=VALIDATION)


def fits_without_two(fits: Sequence[Fit]) -> list[Fit]:
    """Beside strict fits that leave out one fold or none, those that leave out two of a repeat."""
    folds = sorted(fits)
    return [
        Fit(STRICT, one.repeat, (one.fold, other.fold))
        for one in folds
        for other in folds
        if one.repeat == other.repeat and 0 < one.fold < other.fold
    ]


def scoring_fits(fits: Sequence[Fit], fit: Fit) -> list[Fit]:
    """The fits of networks whose scores of images a fit learns from (`methods.zhang2025.signature.network_sources`):
    of the same patients, and of those without each other fold.
    """
    if fit.protocol != STRICT:
        return [BY_VALIDATION]
    others = sorted({one.fold for one in fits} - {0, fit.fold})
    pairs = [Fit(STRICT, fit.repeat, tuple(sorted({fit.fold, other} - {0}))) for other in others]
    return [Fit.without(STRICT, fit.repeat, fit.fold), *pairs]
