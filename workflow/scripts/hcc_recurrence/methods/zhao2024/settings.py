"""Zhao 2024: what is wrong with its settings. Read where the config is checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hcc_recurrence.learning.estimators import settings_fault
from hcc_recurrence.methods.settings import network_problems, setting_problem
from hcc_recurrence.networks.architectures import ARCHITECTURES
from hcc_recurrence.problems import Problem

PAPER = "zhao2024"


def problems(settings: Mapping[str, Any], full: Mapping[str, Any]) -> list[Problem]:
    """Networks that would only fail hours later."""
    found = network_problems(PAPER, settings, ARCHITECTURES)
    if settings["fusion_network"] not in ("best", *settings["networks"]):
        remedy = f"best, or of networks {', '.join(settings['networks'])}"
        found.append(setting_problem(PAPER, "fusion_network", settings["fusion_network"], remedy))
    for name, own in settings["classifier_settings"].items():
        if name not in (*settings["classifiers"], settings["combined_classifier"]):
            remedy = f"classifiers of the method: {', '.join(settings['classifiers'])}"
            found.append(setting_problem(PAPER, f"classifier_settings.{name}", dict(own), remedy))
        elif fault := settings_fault(name, own):
            found.append(setting_problem(PAPER, f"classifier_settings.{name}", dict(own), f"{name} {fault}"))
    return found
