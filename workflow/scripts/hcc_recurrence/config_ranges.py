"""Values of a paper's settings and of radiomics entries that have the right type and no meaning."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Mapping
from typing import Any

from hcc_recurrence.cohort.thresholds import threshold_fault
from hcc_recurrence.learning.estimators import ESTIMATORS, settings_fault
from hcc_recurrence.problems import Problem

PHASES = ("precontrast", "arterial", "portal", "delayed", "hepatobiliary")
# Words that a setting may have; the same as in the code that reads them.
WORDS: dict[str, tuple[str, ...]] = {
    "timing": ("pre", "any"),
    "feature_selection": ("inside_folds", "on_all_patients"),
    "pool": ("mean", "max"),
    "tap": ("relu", "after_pool"),
    "choose": ("loss", "accuracy"),
    "schedule": ("", "cosine"),
    "fusion": ("mean", "logistic"),
    "risk_factor_model": ("significant", "forward", "cox_steps", "univariable"),
    "none_significant": ("no_variable", "candidates"),
    "agreement_words": ("five_words", "four_words"),
    "baseline_rfs": ("interval", "wald", "se"),
}
# The same of `baseline_continuous`, of which each variable may have its own.
CONTINUOUS_RULES = ("student", "mann_whitney", "shapiro")
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
    (
        ("weight_decay", "momentum", "_below"),
        "a number from 0 upwards",
        lambda value: value >= 0,
    ),
    (("decimals",), "a whole number from 0 upwards", _whole(0)),
)


def setting_problems(
    paper: str, own: Mapping[str, Any], whole: Mapping[str, Any] | None = None, file: str = ""
) -> list[Problem]:
    """Settings of the right type that mean nothing, such as a P of 5, an unknown word or a phase that there is not.

    Args:
        own: the person's settings of one paper, of the types of the paper's. whole: all of the paper's, where a name
            in one of them must be one of another. file: the paper's own file, where `own` is that.
    """
    problems, whole = [], {**(whole or {}), **own}
    where, named = (file, "settings.published.") if file else ("config", f"overrides.{paper}.")
    for key, value in own.items():
        if key == "baseline_continuous" and isinstance(value, Mapping):
            faults = _rule_faults(value, whole)
        elif key == "clinical" and file:
            # Those of a person are checked where they are joined with the paper's.
            found = {variable: threshold_fault(variable, threshold) for variable, threshold in value.items()}
            faults = [(f".{variable}", *fault) for variable, fault in found.items() if fault]
        else:
            needed = _needed(key, value)
            shown = f"{str(value)[:80] if isinstance(value, list) else repr(value)} cannot be used"
            faults = [("", shown, f"write {needed}")] if needed else []
        problems += [Problem("", "", where, f"{named}{key}{place}: {what}", remedy) for place, what, remedy in faults]
    return problems


def _rule_faults(rules: Mapping[str, Any], whole: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Place, fault and remedy of the tests of continuous variables: variable, or `default`, -> rule."""
    faults = []
    if "default" not in rules:
        faults.append(("", "lacks the key 'default'", f"add it: {' or '.join(CONTINUOUS_RULES)}"))
    for variable, rule in rules.items():
        if rule not in CONTINUOUS_RULES:
            faults.append((f".{variable}", f"{rule!r} cannot be used", f"write {' or '.join(CONTINUOUS_RULES)}"))
        known = sorted(whole.get("clinical", {}))
        if known and variable != "default" and variable not in known:
            near = difflib.get_close_matches(variable, known, 1)
            remedy = f"did you mean {near[0]!r}?" if near else f"known are default, {', '.join(known)}"
            faults.append((f".{variable}", "the paper has no such clinical variable", remedy))
    return faults


def _needed(key: str, value: Any) -> str:
    """What a setting must be, where its value is not."""
    if key in WORDS and value not in WORDS[key]:
        return " or ".join(word or "''" for word in WORDS[key])
    if key == "phases" and (not value or len(set(value)) < len(value) or not set(value) <= set(PHASES)):
        return f"each phase once, of {', '.join(PHASES)}"
    # Without settings of their own.
    plain = [name for name in ESTIMATORS if not settings_fault(name, {})]
    if key == "combined_classifier" and value not in ("best", *plain):
        return f"best, or one of {', '.join(plain)}"
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
