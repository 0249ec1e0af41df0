"""Wang 2022: what its models are called and what its settings may be. Read by every job, so it imports little."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hcc_recurrence.methods.contract import Method, ModelInfo, of_module

SIGNATURE, WITH_CLINICAL, VISUAL, NOMOGRAM = "DSFR", "DSFR-C", "Visual", "Nomogram"
# The Cox regression of the signature alone, which the paper sets against the nomogram (4.5, Figure 4d-e).
SIGNATURE_ALONE = "DSFR-Cox"
BOTH = "both phases"
# Where features are selected as published: inside each fold, or on all rows before the folds; strict always inside.
INSIDE_FOLDS, ON_ALL = "inside_folds", "on_all_patients"
SELECTIONS = (INSIDE_FOLDS, ON_ALL)


def phase_sets(phases: Sequence[str]) -> dict[str, list[str]]:
    """Name of a set of phases -> the phases: each alone, and both (features side by side)."""
    found = {phase: [phase] for phase in phases}
    return {**found, BOTH: list(phases)} if len(phases) > 1 else found


def models(settings: Mapping[str, Any]) -> dict[str, ModelInfo]:
    """All models, in the order of tables."""
    return {
        **{f"{SIGNATURE} {name}": ModelInfo("variant", "deep") for name in phase_sets(settings["phases"])},
        SIGNATURE: ModelInfo("main", "deep", SIGNATURE),
        WITH_CLINICAL: ModelInfo("main", "combined", WITH_CLINICAL),
        VISUAL: ModelInfo("main", "clinical", "visual"),
        NOMOGRAM: ModelInfo("main", "combined", "integrated nomogram"),
        SIGNATURE_ALONE: ModelInfo("main", "deep", "Cox regression of the signature alone"),
    }


METHOD = Method(
    "wang2022",
    models,
    tables=("choices", "weights", "hazards", "correlations", "drawn"),
    shown=("choices", "weights", "correlations"),
    needs_networks=True,
    problems=of_module("hcc_recurrence.methods.wang2022.settings", "problems"),
    needs={
        "times": "its nomogram is a Cox regression",
        "variables": "DSFR-C, the visual model and the nomogram are made of them",
    },
)
