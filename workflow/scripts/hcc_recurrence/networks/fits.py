"""One fit of a network: which patients train it, its scores for all of them, and what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from hcc_recurrence.cohort.fit import Fit
from hcc_recurrence.networks.augmentation import seven_versions
from hcc_recurrence.networks.examples import FITTED, INNER, fit_roles, fit_seed, keep_share, load_images
from hcc_recurrence.networks.training import Examples, probabilities, train


def fit_examples(
    crops: str | Path,
    phases: Sequence[str],
    labels: pd.DataFrame,
    split: pd.DataFrame,
    fit: Fit,
    inner: float,
    seed: int,
) -> tuple[pd.Series, Examples]:
    """The patients' parts in a fit, and what it takes of them, both in the order of the patients.

    Args:
        crops: from `collect_crops`. labels: patient_id, er. inner: share of the training patients that decides when to
            stop.
    """
    outcome = labels.set_index("patient_id")["er"]
    roles = fit_roles(split, outcome, fit, inner, seed)
    if fit.share < 1:
        roles = keep_share(roles, outcome, fit.share, fit_seed(seed, fit))
    patients = list(roles.index)
    images, _ = load_images(crops, phases, patients)
    nothing = np.empty((len(patients), 0))
    return roles, Examples.of(images, nothing, outcome.loc[patients].to_numpy(), roles.to_numpy())


def patients_of(roles: pd.Series) -> pd.DataFrame:
    """Rows of the examples of a fit where a patient is one: patient_id, role."""
    return pd.DataFrame({"patient_id": roles.index, "role": roles.to_numpy()})


def images_alone(roles: pd.Series, examples: Examples) -> tuple[pd.DataFrame, Examples]:
    """Each image of a patient as an example of its own, with the patient's outcome and part: groups stay together.

    Args:
        examples: images (patient, phase, image, y, x).

    Returns: patient_id, role, image (from 0) of each; and the examples, images (patients * images, phase, 1, y, x).
    """
    number = examples.images.shape[2]
    rows = patients_of(roles).loc[np.repeat(np.arange(len(roles)), number)].reset_index(drop=True)
    rows["image"] = np.tile(np.arange(number), len(roles))
    images = examples.images.transpose(1, 2).flatten(0, 1).unsqueeze(2)
    outcome = examples.outcome.repeat_interleave(number)
    variables = examples.variables.repeat_interleave(number, dim=0)
    return rows, Examples(images, variables, outcome, rows["role"].to_numpy())


def run_fit(
    make: Any,
    examples: Examples,
    rows: pd.DataFrame,
    settings: Mapping[str, Any],
    fit: Fit,
    seed: int,
    state: Path | None,
    version: str,
    device: str = "cpu",
) -> tuple[nn.Module, pd.DataFrame, pd.DataFrame]:
    """Make a network, train it, and score every example.

    Args:
        make: function that returns the untrained network; it draws from torch's seeded generator.
        rows: of the examples, from `patients_of` or `images_alone`.

    Returns: the network; scores (`rows`, and probability); history (one row an epoch).
    """
    own_seed = fit_seed(seed, fit)
    learned = with_versions(examples, settings["augmentation"], own_seed)
    if learned is not examples:
        # The copies are the augmentation: nothing is drawn anew in an epoch.
        settings = {**settings, "augmentation": {}}
    torch.manual_seed(own_seed)
    network = make()
    if settings.get("standardise"):
        network.standardise_by(learned.images[learned.rows(FITTED)])
    numbers = rows.groupby("role")["patient_id"].nunique()
    print(f"{numbers.get(FITTED, 0)} patients train, {numbers.get(INNER, 0)} in the early-stopping set")
    history = train(network, learned, settings, own_seed, state, version, device)
    each = rows["image"].nunique() if "image" in rows else 1
    return network, rows.assign(probability=probabilities(network, examples, each)), pd.DataFrame(history)


def with_versions(examples: Examples, augmentation: Mapping[str, Any], seed: int) -> Examples:
    """The examples, and of each patient that fits its six in-plane variants where the augmentation is `versions`.

    Args:
        augmentation: largest_shift (pixels) of the variants; anything else leaves the examples as they are.

    Source: Cui 2022, Methods (seven versions; docs/methods.md 1.3); the translation is drawn once a patient.
    """
    if "largest_shift" not in augmentation:
        return examples
    generator = np.random.default_rng(seed)
    rows = examples.rows(FITTED)
    made = []
    for image in examples.images[rows].numpy():
        # (phase, z, y, x): all phases alike.
        flat = image.reshape(-1, *image.shape[-2:])
        versions = seven_versions(flat, augmentation["largest_shift"], generator)[1:]
        made.append(np.stack([version.reshape(image.shape) for version in versions]))
    more = torch.from_numpy(np.concatenate(made))
    number = len(made[0])
    return Examples(
        torch.cat([examples.images, more]),
        torch.cat([examples.variables, examples.variables[rows].repeat_interleave(number, dim=0)]),
        torch.cat([examples.outcome, examples.outcome[rows].repeat_interleave(number)]),
        np.concatenate([examples.role, np.repeat(FITTED, number * len(rows))]),
    )


def about_fit(roles: pd.Series, settings: Mapping[str, Any], fit: Fit, seed: int) -> dict[str, Any]:
    """What made a network, for its file: settings, seeds, and which patients it saw."""
    seen = {part: sorted(roles.index[roles == part]) for part in (FITTED, INNER)}
    return {"settings": dict(settings), "fit": str(fit), "seed": seed, **seen}
