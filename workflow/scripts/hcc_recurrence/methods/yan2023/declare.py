"""What Yan 2023 is to the rules that all methods share. Read whenever the workflow is parsed: imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hcc_recurrence.methods.contract import ModelInfo

FUSED = "mp-MR"
# What the paper calls the phases; the signature of a phase bears its name.
PHASE_NAMES = {
    "precontrast": "PRE",
    "arterial": "AP",
    "portal": "PVP",
    "delayed": "DP",
    "hepatobiliary": "HBP",
}
CLINICAL, DEEP, BEFORE = "Clinical-nomogram", "DL-nomogram", "preoperative"
# The phases of the paper; it has no signature of another one.
_PUBLISHED = ("arterial", "portal", "hepatobiliary")
# The tables that a fit leaves beside its model.
TABLES = ("predictions", "regressions")


def models(phases: Iterable[str], definitions: Mapping[str, Mapping[str, Any]]) -> dict[str, ModelInfo]:
    """Every model of a study.

    Args:
        phases: of the study. definitions: of its clinical variables, with their timing.
    """
    found = {PHASE_NAMES[p]: ModelInfo("main", "deep", PHASE_NAMES[p] if p in _PUBLISHED else "") for p in phases}
    found[FUSED] = ModelInfo("main", "deep", FUSED)
    found[CLINICAL] = ModelInfo("main", "clinical", "clinical nomogram")
    found[DEEP] = ModelInfo("main", "combined", "DL nomogram")
    if any(d["timing"] != "pre" for d in definitions.values()):
        found[f"{CLINICAL} {BEFORE}"] = ModelInfo("variant", "clinical")
        found[f"{DEEP} {BEFORE}"] = ModelInfo("variant", "combined")
    return found
