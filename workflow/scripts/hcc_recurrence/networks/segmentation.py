"""Training of a segmentation network on slices, with Dice on patients that decide which epoch is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from hcc_recurrence.imaging.registration import overlap
from hcc_recurrence.networks.architectures import JUDGED_SLICES
from hcc_recurrence.networks.augmentation import random_affine
from hcc_recurrence.networks.device import learning_precision, put_on
from hcc_recurrence.networks.training import (
    Keeping,
    batches_of,
    make_optimiser,
    run_epochs,
    set_rate,
    training_hash,
)


def varied(
    images: torch.Tensor, masks: torch.Tensor, rotation_deg: float, scale: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Slices and their masks turned, scaled and flipped alike; both (n, y, x), masks stay 0 and 1."""
    both = torch.stack([images, masks], dim=1).unsqueeze(2)
    moved = random_affine(both, rotation_deg, scale, 0.0, generator)[:, :, 0]
    return moved[:, 0], (moved[:, 1] >= 0.5).float()


def train_segmentation(
    network: nn.Module,
    fitted: tuple[np.ndarray, np.ndarray],
    inner: Sequence[tuple[np.ndarray, np.ndarray]],
    settings: Mapping[str, Any],
    seed: int,
    state: Path | None = None,
    version: str = "",
    device: str = "cpu",
) -> list[dict[str, Any]]:
    """Train in place by Dice and cross-entropy; the epoch with the highest mean Dice of the inner patients is kept.

    Args:
        fitted: slices and masks of the patients that train, (n, y, x) each. inner: slices and masks of each patient
            that decides, all slices of the volume. settings: optimiser, learning_rate, momentum, weight_decay, epochs,
            batch, patience, augmentation (rotation_deg, scale; empty for none), schedule (see `training.train`).
        seed, state, version, device: as in `training.train`.

    Returns: one row an epoch: epoch, fitted_loss, inner_dice, best.

    Source: docs/methods.md 2.3; Wang 2022 states that Dice chose the best model.
    """
    from monai.losses import DiceCELoss

    images, masks = (torch.from_numpy(np.asarray(a, np.float32)) for a in fitted)
    deciding = [torch.from_numpy(np.asarray(planes, np.float32)) for planes, _ in inner]
    references = [torch.from_numpy(np.asarray(mask, np.uint8)) for _, mask in inner]
    mark = training_hash([settings, seed, version], (images, masks, *deciding, *references), network)
    put_on(network, device)
    optimiser = make_optimiser(network, settings)
    # Over the batch: a slice without tumour has no Dice of its own.
    loss_of = DiceCELoss(sigmoid=True, batch=True)

    def fit_epoch(epoch: int, generator: torch.Generator) -> float:
        total = 0.0
        for step, rows in enumerate(batches_of(torch.arange(len(images)), settings["batch"], generator)):
            set_rate(optimiser, settings, epoch, step, len(images))
            own, truth = images[rows].to(device), masks[rows].to(device)
            if settings["augmentation"]:
                own, truth = varied(own, truth, **settings["augmentation"], generator=generator)
            optimiser.zero_grad()
            with learning_precision(device):
                logits = network(own[:, None])
            loss = loss_of(logits.float(), truth[:, None])
            loss.backward()
            optimiser.step()
            total += loss.item() * len(rows)
        return total / len(images)

    def judge() -> dict[str, float]:
        found = []
        for planes, reference in zip(deciding, references, strict=True):
            parts = [network(part[:, None].to(device))[:, 0].cpu() for part in planes.split(JUDGED_SLICES)]
            found.append(overlap((torch.cat(parts) >= 0).numpy(), reference.numpy()))
        return {"inner_dice": float(np.mean(found))}

    return run_epochs(
        network, optimiser, settings, seed, Keeping(state, mark), fit_epoch, judge, lambda row: (row["inner_dice"],)
    )
