"""Which fits the networks of Cui 2022 have. Read by every job, so it imports little."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from hcc_recurrence.cohort.fit import LEFT_OUT, PUBLISHED, STRICT, Fit

# Every fit that is scored, those that hold a fold out and decide nothing by it, and those of the learning curve.
SCORED, HELD_OUT, CURVE = "scored", "held out", "curve"
# The means of the networks of all folds, which are kept: no network is trained on all patients.
ENSEMBLES = (Fit(), Fit(PUBLISHED))


def fits_by_use(held_out: Sequence[Fit], shares: Sequence[float]) -> Mapping[str, list[Fit]]:
    """The fits of each use, and those whose networks make up the model of a protocol by its name (`STRICT` are also
    explained).

    Args:
        held_out: the strict ones without a fold, of all repeats. shares: of the patients, in the learning curve, which
            is of the first repeat.
    """
    first = [fit for fit in held_out if fit.repeat == 1]
    published = [Fit(PUBLISHED, 1, fit.left_out, LEFT_OUT) for fit in first]
    return {
        HELD_OUT: list(held_out),
        STRICT: first,
        PUBLISHED: published,
        SCORED: [*held_out, *published],
        CURVE: [Fit(STRICT, 1, fit.left_out, share=share) for share in shares for fit in first],
    }


def trained(settings: Mapping[str, Any], uses: Sequence[str], held_out: Sequence[Fit]) -> list[tuple[str, Fit]]:
    """Each network and fit of it that some uses take, by the strict fits without a fold."""
    fits = fits_by_use(held_out, settings["training_shares"])
    return list(product(settings["networks"], [fit for use in uses for fit in fits[use]]))
