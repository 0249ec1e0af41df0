"""How much the rules that this method alone has do (`cost.work`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hcc_recurrence.cost.table import Unit
from hcc_recurrence.cost.work import Workload
from hcc_recurrence.methods.zhao2024.declare import FUSIONS

# Bytes that training keeps a pixel and phase (ResNet-34, the largest), measured by tests/unit/test_training.py.
TRAINING_BYTES = 800


def training_mb(settings: Mapping[str, Any], network: str, batch: int, size: Sequence[int]) -> float:
    """MB for one batch through the largest network."""
    return 2000 + batch * len(settings["phases"]) * size[1] * size[2] * TRAINING_BYTES / 1e6


def fusion_work(workload: Workload, wildcards: Mapping[str, str]) -> list[Unit]:
    """Trainings of one job of the fusion: one each of the models that read images.

    Which network is fused is not known before they are trained: the mean of all.
    """
    networks = list(workload.config["papers"]["zhao2024"]["settings"]["networks"])
    with_images = sum("deep" in kinds for kinds in FUSIONS.values())
    found = [Unit("train_zhao2024_fusion", 1)]
    for network in networks:
        own = workload.training(wildcards, "zhao2024", network)
        found += [unit._replace(number=unit.number * with_images / len(networks)) for unit in own]
    return found
