"""What steps and fits of Yan 2023 take of its settings, and what nomograms show. Read by every job: imports little."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hcc_recurrence.cohort.fit import PUBLISHED, VALIDATION, Fit
from hcc_recurrence.methods.yan2023.declare import BEFORE, CLINICAL, DEEP

# The published fit, whose cells the validation patients choose.
PUBLISHED_FIT = Fit(PUBLISHED, tuned_on=VALIDATION)
# Settings of the nomograms and of mp-MR that a fit reads.
FITTED = ("clinical", "nominal", "clinical_p", "entry_p", "removal_p", "fusion")
# Settings of the grid that both steps of a ranking read; those that order its features, and those that fit its cells.
INNER = ("feature_numbers", "inner_folds", "inner_repeats")
ORDER = (*INNER, "spearman_p", "redundancy_r")
CELLS = (*INNER, "classifiers", "inner_classifiers")
# How names of the files of a ranking begin, and its tables that the signatures are chosen from.
RANKING = "grid/{phase}.{selector}"
TABLES = ("scores", "choices", "steps")
# Ending of a figure's name -> the model, words for the report, and whether the protocols differ.
NOMOGRAMS = {
    "clinical": (CLINICAL, "clinical nomogram", False),
    "deep": (DEEP, "DL nomogram", True),
    "preoperative": (f"{DEEP} {BEFORE}", f"DL nomogram, {BEFORE}", True),
}


def named_weights(settings: Mapping[str, Any]) -> dict[str, str]:
    """The file of weights of its network by the network's name; none where none is named, since those are drawn."""
    return {name: own["weights"] for name, own in settings["networks"].items() if own["weights"]}


def ranked(grid: Mapping[str, Any], settings: Mapping[str, Any], selector: str) -> dict[str, Any]:
    """Settings of the ranking by one selector: those of the grid, and the selector's own."""
    return {**grid, "selectors": {selector: settings["selectors"][selector]}}
