"""What Yan 2023 is to the rules that all methods share. Read whenever the workflow is parsed: imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hcc_recurrence.methods.contract import FEATURES, Method, ModelInfo, of_module

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


def models(settings: Mapping[str, Any]) -> dict[str, ModelInfo]:
    """Every model of a study.

    Args:
        settings: phases, clinical (without any there is no nomogram); after_operation: the clinical variables known
            only after it (none: no preoperative variant).
    """
    names = [(PHASE_NAMES[phase], phase in _PUBLISHED) for phase in settings["phases"]]
    found = {name: ModelInfo("main", "deep", name if published else "") for name, published in names}
    if len(names) > 1:
        found[FUSED] = ModelInfo("main", "deep", FUSED)
    if not settings["clinical"]:
        return found
    found[CLINICAL] = ModelInfo("main", "clinical", "clinical nomogram")
    found[DEEP] = ModelInfo("main", "combined", "DL nomogram")
    if settings["after_operation"]:
        found[f"{CLINICAL} {BEFORE}"] = ModelInfo("variant", "clinical")
        found[f"{DEEP} {BEFORE}"] = ModelInfo("variant", "combined")
    return found


METHOD = Method(
    "yan2023",
    models,
    tables=("regressions",),
    networks=FEATURES,
    needs_networks=True,
    checklist="checklist",
    problems=of_module("hcc_recurrence.methods.yan2023.settings", "problems"),
)
