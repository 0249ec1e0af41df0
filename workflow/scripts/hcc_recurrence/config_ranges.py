"""Values of a paper's settings and of radiomics entries that have the right type and no meaning."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from hcc_recurrence.learning.estimators import ESTIMATORS, settings_fault
from hcc_recurrence.problems import Problem

PHASES = ("precontrast", "arterial", "portal", "delayed", "hepatobiliary")
# Words that a setting may have; the same as in the code that reads them.
WORDS: dict[str, tuple[str, ...]] = {
    "timing": ("pre", "any"),
    "pool": ("mean", "max"),
    "tap": ("relu", "after_pool"),
    "choose": ("loss", "accuracy"),
    "schedule": ("", "cosine"),
    "fusion": ("mean", "logistic"),
}
# Shape and first order, co-occurrence, run length, size zone, dependence and neighbourhood features of one image.
SHAPE_FEATURES, IMAGE_FEATURES = 14, 93


def _whole(lowest: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and value >= lowest


def _probability(value: Any) -> bool:
    return 0 < value <= 1


# How a setting's name ends -> what its value must be, in words, and the test of it.
ENDINGS: tuple[tuple[tuple[str, ...], str, Callable[[Any], bool]], ...] = (
    (("_p", "_alpha", "_threshold", "_r", "confident"), "a number above 0, at most 1", _probability),
    (("_folds",), "a whole number from 2 upwards", _whole(2)),
    (
        ("_repeats", "epochs", "patience", "l1_penalties", "explained_features"),
        "a whole number from 1 upwards",
        _whole(1),
    ),
    (("batch", "_patients"), "a whole number from 2 upwards", _whole(2)),
    (("_resamples",), "a whole number from 20 upwards", _whole(20)),
    (("weight_decay", "momentum", "constant_below"), "a number from 0 upwards", lambda value: value >= 0),
)


def setting_problems(paper: str, own: Mapping[str, Any]) -> list[Problem]:
    """Overrides of the right type that mean nothing, such as a P of 5 or a phase that there is not.

    Args:
        own: the person's settings of one paper, of the types of the paper's.
    """
    problems = []
    for key, value in own.items():
        needed = _needed(key, value)
        if needed:
            what = (
                f"overrides.{paper}.{key}: {str(value)[:80] if isinstance(value, list) else repr(value)} cannot be used"
            )
            problems.append(Problem("", "", "config", what, f"write {needed}"))
    return problems


def _needed(key: str, value: Any) -> str:
    """What a setting must be, where its value is not."""
    if key in WORDS and value not in WORDS[key]:
        return " or ".join(word or "''" for word in WORDS[key])
    if key == "phases" and (not value or len(set(value)) < len(value) or not set(value) <= set(PHASES)):
        return f"each phase once, of {', '.join(PHASES)}"
    # Without settings of their own.
    plain = [name for name in ESTIMATORS if not settings_fault(name, {})]
    if key == "classifiers" and isinstance(value, list) and (not value or not set(value) <= set(plain)):
        return f"at least one of {', '.join(plain)}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        for endings, words, fits in ENDINGS:
            if key.endswith(endings) and not fits(value):
                return words
    return ""


def expected_features(entry: Mapping[str, Any]) -> int:
    """How many features PyRadiomics gives with an entry of `radiomics`: the shape, and 93 of each image.

    Images are the original, one a sigma of the Laplacian of Gaussian, and of each wavelet level the seven with a high
    pass, of the last one that without.
    """
    images = 1 + len(entry["log_sigma_mm"])
    images += 7 * entry["wavelet_level"] + 1 if entry["wavelet"] else 0
    return SHAPE_FEATURES + IMAGE_FEATURES * images


@functools.cache
def _wavelets() -> frozenset[str]:
    import pywt

    return frozenset(pywt.wavelist(kind="discrete"))


def radiomics_problems(entries: Mapping[str, Mapping[str, Any]], own: Mapping[str, Any]) -> list[Problem]:
    """A person's radiomics entries with filters that there are not, or another number of features than expected."""
    problems = []
    for name in sorted(set(own) & set(entries)):
        entry = entries[name]
        if entry["wavelet"] and entry["wavelet"] not in _wavelets():
            what = f"radiomics.{name}.wavelet: {entry['wavelet']!r} is no wavelet"
            problems.append(Problem("", "", "config", what, "coif1, or another name of PyWavelets; '' for none"))
        elif (number := expected_features(entry)) != entry["expected_features"]:
            what = f"radiomics.{name}: its filters give {number} features, expected_features says "
            what += str(entry["expected_features"])
            problems.append(
                Problem("", "", "config", what, f"write expected_features: {number}, or change the filters")
            )
    return problems
