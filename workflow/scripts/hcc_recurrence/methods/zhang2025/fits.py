"""Which fits the networks of Zhang 2025 have, what a fit of its models learns from them, and which settings its steps
take. Read by every job, so it imports little.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from hcc_recurrence.cohort.fit import PUBLISHED, STRICT, VALIDATION, Fit
from hcc_recurrence.methods.zhang2025.declare import BEFORE, COMBINED
from hcc_recurrence.networks.architectures import slice_networks, volume_networks

# Networks whose epoch the validation patients chose, as published.
BY_VALIDATION = Fit(PUBLISHED, tuned_on=VALIDATION)
# Settings that the fusion of images reads, and those of the clinical models.
FITTED = (
    *("decimals", "normality_alpha", "univariable_p", "correlation_r"),
    *("lasso_folds", "lasso_penalties", "learner_folds", "learners"),
    *("clinical", "clinical_p", "none_significant"),
)
# Those that say which clinical variables are in a model.
RULE = ("clinical_p", "none_significant")
# Ending of a figure's name -> the model, words for the report, and whether the protocols differ.
NOMOGRAMS = {
    "combined": (COMBINED, "combined nomogram", True),
    "preoperative": (f"{COMBINED} {BEFORE}", f"combined nomogram, {BEFORE}", True),
}
# Views of each patient that Grad-CAM shows, where the crops have them.
SHOWN_VIEWS = (-4, 0, 4, "sagittal", "coronal")


def scored_fits(fits: Sequence[Fit]) -> list[Fit]:
    """The strict fits that leave out one fold or none, and that whose epoch the validation patients chose."""
    return [*fits, BY_VALIDATION]


def explained_fits(fits: Sequence[Fit]) -> list[Fit]:
    """Those of the strict fits whose patients Grad-CAM explains: of the first repeat."""
    return [fit for fit in fits if fit.repeat == 1]


def fits_without_two(fits: Sequence[Fit]) -> list[Fit]:
    """Beside strict fits that leave out one fold or none, those that leave out two of a repeat."""
    folds = sorted(fits)
    return [
        Fit(STRICT, one.repeat, (one.fold, other.fold))
        for one in folds
        for other in folds
        if one.repeat == other.repeat and 0 < one.fold < other.fold
    ]


def trained(settings: Mapping[str, Any], fits: Sequence[Fit]) -> list[tuple[str, Fit]]:
    """All networks of a study, by its strict fits that leave out one fold or none."""
    slices = slice_networks(settings)
    every = product([*slices, *volume_networks(settings)], scored_fits(fits))
    return [*every, *product(slices, fits_without_two(fits))]


def scoring_fits(fits: Sequence[Fit], fit: Fit) -> list[Fit]:
    """The fits of networks whose scores of images a fit learns from (`methods.zhang2025.signature.network_sources`):
    of the same patients, and of those without each other fold.
    """
    if fit.protocol != STRICT:
        return [BY_VALIDATION]
    others = sorted({one.fold for one in fits} - {0, fit.fold})
    pairs = [Fit(STRICT, fit.repeat, tuple(sorted({fit.fold, other} - {0}))) for other in others]
    return [Fit.without(STRICT, fit.repeat, fit.fold), *pairs]


def learned_from(
    settings: Mapping[str, Any], fits: Sequence[Fit], fit: Fit, kept: bool
) -> dict[str, tuple[str, list[Fit], list[str]]]:
    """What of the networks one fit reads, by name: kind of file, their fits, names of networks.

    Args:
        fits: the strict ones that leave out one fold or none. kept: whether the fit keeps the networks, to be applied
            later.
    """
    slices, volumes = slice_networks(settings), volume_networks(settings)
    found = {"scores": ("scores.csv", scoring_fits(fits, fit), slices)}
    if kept:
        found["networks"] = ("pt", [fit], slices)
        found["volumes"] = ("pt", [fit], volumes)
        found["histories"] = ("history.csv", [fit], volumes)
    return found


def learned(settings: Mapping[str, Any], trained: bool) -> dict[str, dict[str, str]]:
    """What decides how a fit takes networks of slices; none where the study trains none."""
    named = architectures(settings)
    return {name: {"architecture": named[name]} for name in slice_networks(settings)} if trained else {}


def explained(settings: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """What Grad-CAM shows: the views that the crops have and those of them that are shown, and of which calls."""
    views = config["crops"].get(settings["crops"], {}).get("views", [])
    return {"views": views, "shown": list(SHOWN_VIEWS), "confident": settings["confident"]}


def explaining(settings: Mapping[str, Any], fits: Sequence[Fit]) -> list[str]:
    """Names of the networks that Grad-CAM reads, network by network: `<network>.<fold>`."""
    return [f"{name}.{fit.fold}" for name in slice_networks(settings) for fit in fits]


def architectures(settings: Mapping[str, Any]) -> dict[str, str]:
    """The architecture of each network, by its name."""
    return {name: own["architecture"] for name, own in settings["networks"].items()}
