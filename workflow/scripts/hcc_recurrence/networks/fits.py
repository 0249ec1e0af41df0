"""One fit of a network: which patients train it, its scores for all of them, and what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from hcc_recurrence.networks.examples import FITTED, INNER, fit_roles, fit_seed, load_images
from hcc_recurrence.networks.training import Examples, probabilities, train


def fit_examples(
    crops: str | Path,
    phases: Sequence[str],
    labels: pd.DataFrame,
    split: pd.DataFrame,
    fit: tuple[int, int],
    inner: float,
    seed: int,
) -> tuple[pd.Series, Examples]:
    """The patients' parts in a fit, and what it takes of them, both in the order of the patients.

    Args:
        crops: from `collect_crops`. labels: patient_id, er. fit: repeat and fold (0 for all training patients).
        inner: share of the training patients that decides when to stop.
    """
    outcome = labels.set_index("patient_id")["er"]
    roles = fit_roles(split, outcome, *fit, inner, seed)
    patients = list(roles.index)
    images, _ = load_images(crops, phases, patients)
    nothing = np.empty((len(patients), 0))
    return roles, Examples.of(images, nothing, outcome.loc[patients].to_numpy(), roles.to_numpy())


def run_fit(
    make: Any,
    examples: Examples,
    roles: pd.Series,
    settings: Mapping[str, Any],
    fit: tuple[int, int],
    seed: int,
    state: Path | None,
    version: str,
    device: str = "cpu",
) -> tuple[nn.Module, pd.DataFrame, pd.DataFrame]:
    """Make a network, train it, and score every patient.

    Args:
        make: function that returns the untrained network; it draws from torch's seeded generator.

    Returns: the network; scores (patient_id, role, probability); history (one row an epoch).
    """
    own_seed = fit_seed(seed, *fit)
    torch.manual_seed(own_seed)
    network = make()
    print(f"{int((roles == FITTED).sum())} patients train, {int((roles == INNER).sum())} decide when to stop")
    history = train(network, examples, settings, own_seed, state, version, device)
    scores = {"patient_id": roles.index, "role": roles.to_numpy(), "probability": probabilities(network, examples)}
    return network, pd.DataFrame(scores), pd.DataFrame(history)


def about_fit(roles: pd.Series, settings: Mapping[str, Any], fit: tuple[int, int], seed: int) -> dict[str, Any]:
    """What made a network, for its file: settings, seeds, and which patients it saw."""
    seen = {part: sorted(roles.index[roles == part]) for part in (FITTED, INNER)}
    return {"settings": dict(settings), "repeat": fit[0], "fold": fit[1], "seed": seed, **seen}
