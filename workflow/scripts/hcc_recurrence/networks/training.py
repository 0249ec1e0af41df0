"""Training of a classifier, with early stopping, that a killed job goes on with where it was."""

from __future__ import annotations

import copy
import hashlib
import json
import math
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from hcc_recurrence.networks.augmentation import augmented
from hcc_recurrence.networks.examples import FITTED, INNER
from hcc_recurrence.networks.weights import fill_network, read_weights

OPTIMISERS = ("sgd", "adam")
# Rows that go through a network at once where nothing is learned.
EVALUATED = 64


@dataclass(frozen=True)
class Examples:
    """What one fit takes: images (n, phase, slice, y, x), other variables (n, number), er and part in the fit (n,)."""

    images: torch.Tensor
    variables: torch.Tensor
    outcome: torch.Tensor
    role: np.ndarray

    @classmethod
    def of(cls, images: np.ndarray, variables: np.ndarray, outcome: np.ndarray, role: np.ndarray) -> Examples:
        """From arrays of any number type."""
        numbers = (torch.from_numpy(np.asarray(a, np.float32)) for a in (images, variables))
        return cls(*numbers, torch.from_numpy(np.asarray(outcome, np.int64)), np.asarray(role))

    def with_variables(self, variables: np.ndarray, images: bool = True) -> Examples:
        """The same patients with other variables, (n, number), and without their images where those are not read."""
        pixels = self.images if images else self.images[:, :0]
        return replace(self, images=pixels, variables=torch.from_numpy(np.asarray(variables, np.float32)))

    def rows(self, role: str) -> torch.Tensor:
        """Positions of the patients with a part."""
        return torch.from_numpy(np.flatnonzero(self.role == role))


def class_weights(outcome: torch.Tensor) -> torch.Tensor:
    """n / (2 n_c) of both outcomes: 54 without and 78 with recurrence give 1.222 and 0.846 (METHODS.md 4.4)."""
    return len(outcome) / (2.0 * torch.bincount(outcome, minlength=2).float())


def make_optimiser(network: nn.Module, settings: Mapping[str, Any]) -> torch.optim.Optimizer:
    """SGD with momentum, or Adam; the weight decay is added to the gradient in both."""
    common = {"lr": settings["learning_rate"], "weight_decay": settings["weight_decay"]}
    if settings["optimiser"] == "sgd":
        return torch.optim.SGD(network.parameters(), momentum=settings["momentum"], **common)
    return torch.optim.Adam(network.parameters(), **common)


def cosine_rate(highest: float, step: int, steps: int) -> float:
    """The learning rate at a step, counted from 0: half a cosine from `highest` to 0 (Loshchilov and Hutter 2017)."""
    return 0.5 * highest * (1 + math.cos(math.pi * step / steps))


def _merit(row: Mapping[str, Any], settings: Mapping[str, Any]) -> tuple[float, ...]:
    """What is compared between epochs; more is better."""
    if settings.get("choose") == "accuracy":
        return row["inner_accuracy"], -row["inner_loss"]
    return (-row["inner_loss"],)


def signature(examples: Examples, settings: Mapping[str, Any], seed: int, network: nn.Module, version: str) -> str:
    """Changes with anything that training depends on: a state with another signature is never gone on with."""
    digest = hashlib.sha256(json.dumps([settings, seed, version], sort_keys=True).encode())
    for array in (examples.images.numpy(), examples.variables.numpy(), examples.outcome.numpy()):
        digest.update(np.ascontiguousarray(array).tobytes())
    digest.update("".join(examples.role.tolist()).encode())
    for name, value in network.state_dict().items():
        digest.update(name.encode() + value.cpu().numpy().tobytes())
    return digest.hexdigest()


def train(
    network: nn.Module,
    examples: Examples,
    settings: Mapping[str, Any],
    seed: int,
    state: Path | None = None,
    version: str = "",
    device: str = "cpu",
) -> list[dict[str, Any]]:
    """Train in place on the `fitted` rows, and end with the weights of the epoch that is best on the `inner` rows.

    Args:
        settings: optimiser, learning_rate, momentum, weight_decay, epochs, batch, patience (epochs that are no better),
            class_weights, and augmentation (see `augmented`), or none of it where empty. Where there: schedule
            (`cosine`: the rate falls to 0 over the whole run, step by step; else it stays), choose (`loss`, the lowest
            inner loss, which is the default; `accuracy`, the highest inner accuracy, of equal ones the lower loss).
        seed: every epoch draws from its own stream, so that an interrupted training ends as an undisturbed one.
        state: file that keeps the training after each epoch; gone at the end. version: of the code.
        device: cpu or cuda.

    Returns: one row an epoch: epoch, fitted_loss, inner_loss, inner_accuracy, best (the best epoch so far).

    Source: Zhao 2024, "Deep learning": weighted cross-entropy, gradient descent, early stopping.
    """
    fitted, inner = examples.rows(FITTED), examples.rows(INNER)
    mark = signature(examples, settings, seed, network, version)
    network.to(device)
    weight = class_weights(examples.outcome[fitted]).to(device) if settings["class_weights"] else None
    optimiser = make_optimiser(network, settings)
    history: list[dict[str, Any]] = []
    best_weights = copy.deepcopy(network.state_dict())
    kept = _read_state(state, mark)
    if kept:
        network.load_state_dict(kept["network"])
        optimiser.load_state_dict(kept["optimiser"])
        best_weights, history = kept["best"], json.loads(kept["history"])
        print(f"going on after epoch {len(history)}, as kept in {state.name}")

    def logits_of(rows: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
        return network(images.to(device), examples.variables[rows].to(device))

    while len(history) < settings["epochs"]:
        epoch, started = len(history) + 1, time.monotonic()
        if history and epoch - history[-1]["best"] > settings["patience"]:
            print(f"stopped: {settings['patience']} epochs that were no better")
            break
        generator = torch.Generator().manual_seed(seed + epoch)
        # Dropout draws from torch's own stream.
        torch.manual_seed(seed + epoch)
        network.train()
        losses = []
        # Batches of nearly one size: a last batch of one patient would upset the batch normalisation.
        batches = -(-len(fitted) // settings["batch"])
        for rows in fitted[torch.randperm(len(fitted), generator=generator)].tensor_split(batches):
            # Varied where they are learned from: on a GPU the processor would be slower than the network.
            images = examples.images[rows].to(device)
            if settings["augmentation"] and images.numel():
                images = augmented(images, settings["augmentation"], generator)
            if settings.get("schedule") == "cosine":
                step, steps = (epoch - 1) * batches + len(losses), settings["epochs"] * batches
                optimiser.param_groups[0]["lr"] = cosine_rate(settings["learning_rate"], step, steps)
            optimiser.zero_grad()
            truth = examples.outcome[rows].to(device)
            loss = functional.cross_entropy(logits_of(rows, images), truth, weight=weight)
            loss.backward()
            optimiser.step()
            losses.append(loss.item() * len(rows))
        network.eval()
        with torch.no_grad():
            logits = torch.cat([logits_of(rows, examples.images[rows]) for rows in inner.split(EVALUATED)])
            truth = examples.outcome[inner].to(device)
            inner_loss = functional.cross_entropy(logits, truth, weight=weight).item()
            accuracy = (logits.argmax(dim=1) == truth).double().mean().item()
        row = {"epoch": epoch, "fitted_loss": sum(losses) / len(fitted)}
        row |= {"inner_loss": inner_loss, "inner_accuracy": accuracy}
        better = not history or _merit(row, settings) > max(_merit(earlier, settings) for earlier in history)
        if better:
            best_weights = copy.deepcopy(network.state_dict())
        best = epoch if better else history[-1]["best"]
        history.append({**row, "best": best})
        seconds = time.monotonic() - started
        print(
            f"epoch {epoch} of {settings['epochs']}: loss {row['fitted_loss']:.4f}, inner {inner_loss:.4f}, "
            f"inner accuracy {accuracy:.3f} (best in epoch {best}), {seconds:.1f} s"
        )
        if not np.isfinite(row["fitted_loss"] + inner_loss):
            raise ValueError(f"the loss is no number in epoch {epoch}; lower learning_rate")
        if state is not None:
            tensors = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "best": best_weights}
            _write_state(state, {**tensors, "history": json.dumps(history), "signature": mark})
    network.load_state_dict(best_weights)
    network.to("cpu").eval()
    if state is not None:
        state.unlink(missing_ok=True)
    return history


def _read_state(state: Path | None, mark: str) -> dict[str, Any] | None:
    if state is None or not state.is_file():
        return None
    kept = torch.load(state, weights_only=True)
    if kept["signature"] != mark:
        print(f"{state.name} is of another training (data, settings or code changed): starting anew")
        return None
    return kept


def _write_state(state: Path, kept: Mapping[str, Any]) -> None:
    # A half-written file must never stand under the name that is read.
    state.parent.mkdir(parents=True, exist_ok=True)
    half = state.with_suffix(".half")
    torch.save(dict(kept), half)
    os.replace(half, state)


def probabilities(network: nn.Module, examples: Examples, batch: int = EVALUATED) -> np.ndarray:
    """P(early recurrence) of every patient, (n,), without dropout or augmentation."""
    network.eval()
    with torch.no_grad():
        pairs = zip(examples.images.split(batch), examples.variables.split(batch), strict=True)
        logits = torch.cat([network(*pair) for pair in pairs])
    return torch.softmax(logits.double(), dim=1)[:, 1].numpy()


def save_network(network: nn.Module, about: Mapping[str, Any], path: str | Path) -> None:
    """Weights, and what made them as JSON; readable with `weights_only`."""
    torch.save({"weights": network.state_dict(), "about": json.dumps(about, sort_keys=True)}, path)


def load_weights(network: nn.Module, path: str | Path) -> dict[str, Any]:
    """Fill a network from `save_network`'s file; returns what made them."""
    stored = torch.load(path, weights_only=True)
    network.load_state_dict(stored["weights"])
    return json.loads(stored["about"])


def load_backbone(backbone: nn.Module, path: str | Path) -> None:
    """Start a backbone from a local file of weights with torchvision's names, such as ImageNet's; its classifier stays.

    The caller has checked the file's SHA-256.

    Raises: ValueError where names or shapes do not fit.
    """
    own = {name: value for name, value in read_weights(path).items() if not name.startswith("fc.")}
    fill_network(backbone, own, path, "the network")
