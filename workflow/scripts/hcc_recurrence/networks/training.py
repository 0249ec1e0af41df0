"""Training of a classifier, with early stopping, that a killed job goes on with where it was."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import math
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from hcc_recurrence.networks.architectures import PER_PATIENT, judged_at_once
from hcc_recurrence.networks.augmentation import augmented
from hcc_recurrence.networks.device import learning_precision, put_on
from hcc_recurrence.networks.examples import FITTED, INNER
from hcc_recurrence.networks.laid_out import laid_out
from hcc_recurrence.networks.weights import fill_network, read_weights

OPTIMISERS = ("sgd", "adam")
# The most of a training's time that may go into keeping it.
KEEPING_FRACTION = 0.05
# As slow as a busy disk may be, for a guess at what the first time will take.
BYTES_A_SECOND = 4e8


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
    """n / (2 n_c) of both outcomes: 54 without and 78 with recurrence give 1.222 and 0.846 (docs/methods.md 4.4)."""
    return len(outcome) / (2.0 * torch.bincount(outcome, minlength=2).float())


def weighted_loss(
    logits: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor | None, per_patient: bool
) -> torch.Tensor:
    """Mean cross-entropy of a batch with the weights of outcomes, or without any.

    Args:
        logits: (n, 2). truth: (n,) 0/1. per_patient: the weighted losses are divided by the number of patients, as
            Keras does with `class_weight`, so that a batch with more of the rarer outcome counts more; else by the sum
            of their weights, as torch does.
    """
    if weight is None or not per_patient:
        return functional.cross_entropy(logits, truth, weight=weight)
    return functional.cross_entropy(logits, truth, weight=weight, reduction="sum") / len(truth)


def make_optimiser(network: nn.Module, settings: Mapping[str, Any]) -> torch.optim.Optimizer:
    """SGD with momentum, or Adam; the weight decay is added to the gradient in both.

    Adam in one kernel: its square root is the processor's own, correctly rounded. Step by step, torch takes it from
    MKL, which rounds one root in seven otherwise on AMD's processors than on Intel's (docs/numerics.md). It also goes
    over the weights once and not seven times.
    """
    common = {"lr": settings["learning_rate"], "weight_decay": settings["weight_decay"]}
    if settings["optimiser"] == "sgd":
        return torch.optim.SGD(network.parameters(), momentum=settings["momentum"], **common)
    return torch.optim.Adam(network.parameters(), fused=True, **common)


def cosine_rate(highest: float, step: int, steps: int) -> float:
    """The learning rate at a step, counted from 0: half a cosine from `highest` to 0 (Loshchilov and Hutter 2017)."""
    return 0.5 * highest * (1 + math.cos(math.pi * step / steps))


def set_rate(
    optimiser: torch.optim.Optimizer, settings: Mapping[str, Any], epoch: int, step: int, examples: int
) -> None:
    """Where the schedule is `cosine`, the learning rate of a step of an epoch, counted from 0 and 1; else it stays."""
    if settings.get("schedule") == "cosine":
        batches = -(-examples // settings["batch"])
        done, steps = (epoch - 1) * batches + step, settings["epochs"] * batches
        optimiser.param_groups[0]["lr"] = cosine_rate(settings["learning_rate"], done, steps)


def _merit(row: Mapping[str, Any], settings: Mapping[str, Any]) -> tuple[float, ...]:
    """What is compared between epochs; more is better."""
    if settings.get("choose") == "accuracy":
        return row["inner_accuracy"], -row["inner_loss"]
    return (-row["inner_loss"],)


def signature(examples: Examples, settings: Mapping[str, Any], seed: int, network: nn.Module, version: str) -> str:
    """Changes with anything that training depends on: a state with another signature is never gone on with."""
    tensors = (examples.images, examples.variables, examples.outcome)
    return training_hash([settings, seed, version, examples.role.tolist()], tensors, network)


def training_hash(about: Any, tensors: Iterable[torch.Tensor], network: nn.Module) -> str:
    """Hash of plain values, tensors, and the weights that a training starts from."""
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for tensor in tensors:
        digest.update(np.ascontiguousarray(tensor.numpy()).tobytes())
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
            class_weights (true, false, or `per_patient`, see `weighted_loss`), and augmentation (see `augmented`), or
            none of it where empty. Where there: schedule (`cosine`: the rate falls to 0 over the whole run, step by
            step; else it stays), choose (`loss`, the lowest inner loss, which is the default; `accuracy`, the highest
            inner accuracy, of equal ones the lower loss).
        seed: every epoch draws from its own stream, so that an interrupted training ends as an undisturbed one.
        state: file that keeps the training after the first epoch, and then as often as that takes a twentieth of the
            time at most; none where the epochs left take less than twenty times as long. Gone at the end. version: of
            the code.
        device: cpu or cuda; see `device` for what differs on a GPU.

    Returns: one row an epoch: epoch, fitted_loss, inner_loss, inner_accuracy, best (the best epoch so far).

    Source: Zhao 2024, "Deep learning": weighted cross-entropy, gradient descent, early stopping.
    """
    fitted, inner = examples.rows(FITTED), examples.rows(INNER)
    mark = signature(examples, settings, seed, network, version)
    put_on(network, device)
    weight = class_weights(examples.outcome[fitted]).to(device) if settings["class_weights"] else None
    per_patient = settings["class_weights"] == PER_PATIENT
    optimiser = make_optimiser(network, settings)

    def logits_of(rows: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
        return network(images.to(device), examples.variables[rows].to(device))

    def fit_epoch(epoch: int, generator: torch.Generator) -> float:
        total = 0.0
        for step, rows in enumerate(batches_of(fitted, settings["batch"], generator)):
            # Varied where they are learned from: on a GPU the processor would be slower than the network.
            images = examples.images[rows].to(device)
            if settings["augmentation"] and images.numel():
                images = augmented(images, settings["augmentation"], generator)
            set_rate(optimiser, settings, epoch, step, len(fitted))
            optimiser.zero_grad()
            truth = examples.outcome[rows].to(device)
            with learning_precision(device):
                logits = logits_of(rows, images)
            loss = weighted_loss(logits.float(), truth, weight, per_patient)
            loss.backward()
            optimiser.step()
            total += loss.item() * len(rows)
        return total / len(fitted)

    at_once = judged_at_once(math.prod(examples.images.shape[2:]))

    def judge() -> dict[str, float]:
        logits = torch.cat([logits_of(rows, examples.images[rows]) for rows in inner.split(at_once)])
        truth = examples.outcome[inner].to(device)
        inner_loss = weighted_loss(logits, truth, weight, per_patient).item()
        accuracy = (logits.argmax(dim=1) == truth).double().mean().item()
        return {"inner_loss": inner_loss, "inner_accuracy": accuracy}

    def merit(row: Mapping[str, Any]) -> tuple[float, ...]:
        return _merit(row, settings)

    return run_epochs(network, optimiser, settings, seed, Keeping(state, mark), fit_epoch, judge, merit)


def batches_of(rows: torch.Tensor, batch: int, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
    """Rows in a new order, in batches of nearly one size: a last batch of one would upset the batch normalisation."""
    return rows[torch.randperm(len(rows), generator=generator)].tensor_split(-(-len(rows) // batch))


class Keeping(NamedTuple):
    """Where a training is kept (none: nowhere), and what tells it from other trainings."""

    file: Path | None
    signature: str


def run_epochs(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    settings: Mapping[str, Any],
    seed: int,
    keeping: Keeping,
    fit_epoch: Callable[[int, torch.Generator], float],
    judge: Callable[[], dict[str, float]],
    merit: Callable[[Mapping[str, Any]], tuple[float, ...]],
) -> list[dict[str, Any]]:
    """Epochs until there are enough or none gets better; ends with the weights of the best one, on the CPU.

    Args:
        settings: epochs, patience. fit_epoch: one epoch, counted from 1, with a generator of its own; returns its loss.
        judge: measures of the patients that decide. merit: of a row of the history; more is better.

    Returns: one row an epoch: epoch, fitted_loss, what `judge` returns, best (the best epoch so far).

    Raises: ValueError where a loss is no number.
    """
    history: list[dict[str, Any]] = []
    best_weights = copy.deepcopy(network.state_dict())
    kept = _read_state(keeping)
    keep_from = 0.0
    if kept:
        network.load_state_dict(kept["network"])
        optimiser.load_state_dict(kept["optimiser"])
        best_weights, history = kept["best"], json.loads(kept["history"])
        print(f"going on after epoch {len(history)}, as kept in {keeping.file.name}")
    while len(history) < settings["epochs"]:
        epoch, started = len(history) + 1, time.monotonic()
        if history and epoch - history[-1]["best"] > settings["patience"]:
            print(f"stopped: {settings['patience']} epochs that were no better")
            break
        generator = torch.Generator().manual_seed(seed + epoch)
        # Dropout draws from torch's own stream.
        torch.manual_seed(seed + epoch)
        network.train()
        loss = fit_epoch(epoch, generator)
        network.eval()
        with torch.no_grad():
            row = {"epoch": epoch, "fitted_loss": loss, **judge()}
        better = not history or merit(row) > max(merit(earlier) for earlier in history)
        if better:
            best_weights = copy.deepcopy(network.state_dict())
        best = epoch if better else history[-1]["best"]
        history.append({**row, "best": best})
        measured = ", ".join(f"{name.replace('_', ' ')} {row[name]:.4f}" for name in row if name.startswith("inner"))
        seconds = time.monotonic() - started
        print(
            f"epoch {epoch} of {settings['epochs']}: loss {loss:.4f}, {measured} "
            f"(best in epoch {best}), {seconds:.1f} s"
        )
        if not all(np.isfinite(value) for value in row.values()):
            raise ValueError(f"the loss is no number in epoch {epoch}; lower learning_rate")
        tensors = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "best": best_weights}
        left = (settings["epochs"] - epoch) * seconds
        if keeping.file is not None and time.monotonic() >= keep_from and _worth_keeping(tensors, left):
            begun = time.monotonic()
            _write_state(keeping.file, {**tensors, "history": json.dumps(history), "signature": keeping.signature})
            ended = time.monotonic()
            keep_from = ended + (ended - begun) / KEEPING_FRACTION
    network.load_state_dict(best_weights)
    network.to("cpu").eval()
    if keeping.file is not None:
        keeping.file.unlink(missing_ok=True)
    return history


def _worth_keeping(kept: Mapping[str, Any], left: float) -> bool:
    """Whether what is kept is written in a twentieth of the seconds that the training has left."""
    return _bytes_in(kept) / BYTES_A_SECOND <= KEEPING_FRACTION * left


def _bytes_in(kept: Any) -> int:
    if isinstance(kept, torch.Tensor):
        return kept.nbytes
    parts = kept.values() if isinstance(kept, Mapping) else kept if isinstance(kept, list | tuple) else ()
    return sum(map(_bytes_in, parts))


def _read_state(keeping: Keeping) -> dict[str, Any] | None:
    if keeping.file is None or not keeping.file.is_file():
        return None
    kept = torch.load(keeping.file, weights_only=True)
    if kept["signature"] != keeping.signature:
        print(f"{keeping.file.name} is of another training (data, settings or code changed): starting anew")
        return None
    return kept


def _write_state(state: Path, kept: Mapping[str, Any]) -> None:
    # A half-written file must never stand under the name that is read.
    state.parent.mkdir(parents=True, exist_ok=True)
    half = state.with_suffix(".half")
    try:
        _save(dict(kept), half)
    except OSError:
        half.unlink(missing_ok=True)
        raise
    os.replace(half, state)


def _save(kept: Mapping[str, Any], path: str | Path) -> None:
    # By way of memory: where a disk is full torch itself raises nothing that a person could understand.
    whole = io.BytesIO()
    torch.save(kept, whole)
    Path(path).write_bytes(whole.getbuffer())


def probabilities(network: nn.Module, examples: Examples, each: int = 1) -> np.ndarray:
    """P(early recurrence) of every example, (n,), without dropout or augmentation.

    Each patient goes through the network alone, in the same layout: kernels choose their order of summation by the
    shape of a batch, so that among others the last bits of an example would depend on who they are (by up to
    6.2e-8, measured). The score of a patient is the same bytes whether the network was just trained or is applied
    elsewhere, and whoever else is scored.

    Args: each: examples of one patient, which stand together and are scored together.

    Raises: ValueError where patients have not the same number of examples.
    """
    if len(examples.images) % each:
        raise ValueError(f"{len(examples.images)} examples are not {each} of each patient")
    # What was trained on a GPU has its weights in another layout, and so other kernels.
    network.eval().to(memory_format=torch.contiguous_format)
    with laid_out(network):
        pairs = zip(examples.images.split(each), examples.variables.split(each), strict=True)
        logits = torch.cat([network(alone(images), alone(variables)) for images, variables in pairs])
    return torch.softmax(logits.double(), dim=1)[:, 1].numpy()


def alone(part: torch.Tensor) -> torch.Tensor:
    """A copy whose layout is that of its shape: of a part of a larger tensor it is also that of the whole."""
    return part.clone(memory_format=torch.contiguous_format)


def save_network(network: nn.Module, about: Mapping[str, Any], path: str | Path) -> None:
    """Weights, and what made them as JSON; readable with `weights_only`."""
    _save({"weights": network.state_dict(), "about": json.dumps(about, sort_keys=True)}, path)


def load_weights(network: nn.Module, path: str | Path) -> dict[str, Any]:
    """Fill a network from `save_network`'s file; returns what made them."""
    stored = torch.load(path, weights_only=True)
    network.load_state_dict(stored["weights"])
    return json.loads(stored["about"])


def about_training(path: str | Path) -> dict[str, Any]:
    """What made the network of `save_network`'s file: settings, fit, seed, the patients it saw."""
    return json.loads(torch.load(path, weights_only=True)["about"])


def load_backbone(backbone: nn.Module, path: str | Path) -> None:
    """Start a backbone from a local file of weights with torchvision's names, such as ImageNet's; its classifier stays.

    The caller has checked the file's SHA-256.

    Raises: ValueError where names or shapes do not fit.
    """
    own = {name: value for name, value in read_weights(path).items() if not name.startswith("fc.")}
    fill_network(backbone, own, path, "the network")
