"""Zhao 2024: what the method has, for every job; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hcc_recurrence.methods.contract import TRAINED, Method, ModelInfo, of_module
from hcc_recurrence.networks.architectures import TRAINING_KEYS

RADIOMICS, CLINICAL, COMBINED, DEEP, FUSION = "Radiomics", "CR", "RCR", "DL", "DLRCR"
# The setting of RCR's classifier and of DLRCR's network that takes what performed best.
BEST = "best"
# Model -> which inputs the fusion has: deep vectors, radiomics, clinical variables (the ablation table).
FUSIONS = {
    FUSION: ("deep", "radiomics", "clinical"),
    f"{FUSION} without deep": ("radiomics", "clinical"),
    f"{FUSION} without radiomics": ("deep", "clinical"),
    f"{FUSION} without clinical": ("deep", "radiomics"),
}


def fusions(has_clinical: bool) -> dict[str, tuple[str, ...]]:
    """The fusions of a study: without clinical variables there is none to leave out."""
    return {name: parts for name, parts in FUSIONS.items() if has_clinical or name != f"{FUSION} without clinical"}


def fitted_models(settings: Mapping[str, Any]) -> dict[str, ModelInfo]:
    """The models without a network; those with clinical variables only where the study has any."""
    found = {
        **{f"{RADIOMICS} {name}": ModelInfo("variant", "radiomics", name) for name in settings["classifiers"]},
        RADIOMICS: ModelInfo("main", "radiomics", "LR"),
    }
    if not settings["clinical"]:
        return found
    return {
        **found,
        CLINICAL: ModelInfo("main", "clinical", "CR"),
        COMBINED: ModelInfo("main", "combined", "RCR"),
    }


def models(settings: Mapping[str, Any]) -> dict[str, ModelInfo]:
    """All models; those of networks where the study has networks."""
    found = fitted_models(settings)
    networks = settings.get("networks") or {}
    if networks:
        found[DEEP] = ModelInfo("main", "deep", "DL ResNet-10")
        found |= {f"{DEEP} {name}": ModelInfo("variant", "deep", name) for name in networks}
        found |= {
            name: ModelInfo("main" if name == FUSION else "ablation", "combined", name if name == FUSION else "")
            for name in fusions(bool(settings["clinical"]))
        }
    return found


def start_networks(settings: Mapping[str, Any]) -> dict[str, str]:
    """The networks that the fusion starts from one of, by name with their architecture: all, or the named one."""
    wanted = settings["fusion_network"]
    return {name: own["architecture"] for name, own in settings["networks"].items() if wanted in (BEST, name)}


def without_networks(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What decides the models without a network: another number of epochs selects no feature anew."""
    of_networks = {*TRAINING_KEYS, "crops", "networks", "network_repeats", "fusion_network", "fusion_layer_norm"}
    of_tables = {"risk_factor_model", "agreement_words"}
    unused = of_networks | of_tables
    return {k: value for k, value in settings.items() if k not in unused and not k.startswith("baseline_")}


METHOD = Method(
    "zhao2024",
    models,
    tables=("coefficients", "selection", "inputs"),
    shown=("coefficients", "selection"),
    networks=TRAINED,
    own_networks=(FUSION,),
    training_mb=of_module("hcc_recurrence.methods.zhao2024.cost", "training_mb"),
    problems=of_module("hcc_recurrence.methods.zhao2024.settings", "problems"),
)
