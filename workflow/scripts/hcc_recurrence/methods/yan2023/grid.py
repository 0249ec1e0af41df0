"""What the grid of Yan 2023 is in a study and in its copies with permuted outcomes. Read by every job."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hcc_recurrence.networks.architectures import highest_value

# What is smaller in copies with permuted outcomes, in words.
WORDS = {
    "selectors": "rankings",
    "classifiers": "classifiers",
    "feature_numbers": "numbers of features",
    "inner_repeats": "repeats of the inner cross-validation",
}


def grid_of(settings: Mapping[str, Any], permuted: bool) -> Mapping[str, Any]:
    """The settings of the grid of a study, or of its copies with permuted outcomes, which may have a smaller one."""
    if not permuted:
        return settings
    smaller = dict(settings["permuted_grid"])
    for key in ("selectors", "classifiers"):
        smaller[key] = {name: settings[key][name] for name in smaller.get(key, settings[key])}
    return {**settings, **smaller}


def smaller_words(settings: Mapping[str, Any]) -> str:
    """What the grid of such copies is, in words; empty where it is the study's."""
    return "; ".join(
        f"{WORDS[key]} {', '.join(map(str, value)) if isinstance(value, list) else value}"
        for key, value in settings["permuted_grid"].items()
    )


def feature_network(settings: Mapping[str, Any], full: Mapping[str, Any]) -> dict[str, Any]:
    """What makes the features of a patient's crops, for a model that is kept, by the entries of the whole config."""
    name, own = next(iter(settings["networks"].items()))
    crop = full["crops"][settings["crops"]]
    return {
        "name": name,
        "architecture": own["architecture"],
        "weights": Path(own["weights"]).name if own["weights"] else "",
        "sha256": own["sha256"] or "",
        "pool": settings["pool"],
        "tap": settings["tap"],
        "crops": settings["crops"],
        "highest": highest_value(crop, full["grids"][crop["grid"]]),
        "seed": full["seed"],
    }
