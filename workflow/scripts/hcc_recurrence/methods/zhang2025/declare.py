"""Zhang 2025 declared: its models, and what each of them is. Every job may read this, so nothing heavy is imported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hcc_recurrence.methods.contract import TRAINED, Method, ModelInfo, of_module
from hcc_recurrence.networks.architectures import volume_networks

SIGNATURE, VOLUME = "DL_2.5D", "DL_3D"
CLINICAL, COMBINED, BEFORE = "Clinical", "Combined", "preoperative"
# The signature without the third part of the paper's fusion: what the images' scores give alone.
IMAGES_ALONE = f"{SIGNATURE} without radiomics"


def models(settings: Mapping[str, Any]) -> dict[str, ModelInfo]:
    """Every model of a study, by name, in the order of tables.

    Args:
        settings: learners; networks, without which there is the clinical signature alone; after_operation: the clinical
            variables that are known only after the operation; where there are any, each model with clinical variables
            has a preoperative variant.
    """
    endings = ["", f" {BEFORE}"] if settings.get("after_operation") else [""]
    clinical = {CLINICAL + e: ModelInfo("variant" if e else "main", "clinical", "" if e else CLINICAL) for e in endings}
    if not settings.get("networks"):
        return clinical
    found = {
        SIGNATURE: ModelInfo("main", "deep", SIGNATURE),
        **{f"{SIGNATURE} {learner}": ModelInfo("variant", "deep", learner) for learner in settings["learners"]},
        IMAGES_ALONE: ModelInfo("ablation", "deep"),
    }
    if volumes := volume_networks(settings):
        found[VOLUME] = ModelInfo("main", "deep", VOLUME)
        found |= {f"{VOLUME} {name}": ModelInfo("variant", "deep") for name in volumes}
    combined = {COMBINED + e: ModelInfo("variant" if e else "main", "combined", "" if e else COMBINED) for e in endings}
    return {**found, **clinical, **combined}


METHOD = Method(
    "zhang2025",
    models,
    tables=("choices", "steps", "grid", "regressions", "curves", "drawn"),
    networks=TRAINED,
    training_mb=of_module("hcc_recurrence.methods.zhang2025.cost", "training_mb"),
    problems=of_module("hcc_recurrence.methods.zhang2025.settings", "problems"),
    study_problems=of_module("hcc_recurrence.methods.zhang2025.settings", "study_problems"),
    needs={"variables": "its clinical and its combined signature are made of them"},
)
