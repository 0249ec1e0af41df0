"""One epoch of training at published size beside the same steps on random tensors that are already in memory.

    python tests/benchmarks/training_loop.py

Ours is `networks.training.train` with the paper's settings: it chooses and varies batches, learns, judges the inner
patients, keeps the best weights and writes its state to the disk. The reference only learns and judges, in batches of
the same sizes. Both take turns, and the ratio is that of the medians.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from runs import TESTS

GOAL = 1.1
THREADS = 2
# Name, paper, crops' (phases, slices, y, x), rows that learn and rows that judge: as many as make the state that is
# written after an epoch as small a part of it as with the papers' patients, or a larger one.
NETWORKS = {
    "ResNet-10": ("zhao2024", "resnet10_trunc", False, (3, 3, 256, 256), 64, 16),
    "2.5D ResNet50": ("zhang2025", "resnet50", True, (3, 1, 224, 224), 192, 48),
}


def paper_training(paper: str) -> dict:
    """The published settings of a paper's training, for one epoch."""
    import yaml

    text = (TESTS.parent / "config" / "papers" / f"{paper}.yaml").read_text()
    settings = yaml.safe_load(text)["settings"]["published"]
    names = ("optimiser", "learning_rate", "momentum", "weight_decay", "batch", "class_weights", "augmentation")
    names += ("schedule", "choose")
    return {n: settings[n]["value"] for n in names if n in settings} | {"epochs": 1, "patience": 1}


def timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def measure_network(paper: str, architecture: str, alone: bool, shape: tuple, fitted: int, inner: int) -> dict:
    """Median seconds of an epoch of ours and of the reference."""
    import torch
    from torch.nn import functional

    from hcc_recurrence.networks.architectures import judged_at_once
    from hcc_recurrence.networks.build import build_network
    from hcc_recurrence.networks.examples import FITTED, INNER
    from hcc_recurrence.networks.training import Examples, batches_of, make_optimiser, train

    torch.set_num_threads(THREADS)
    settings = paper_training(paper)
    count = fitted + inner
    images = np.random.default_rng(0).random((count, *shape), np.float32)
    roles = np.array([FITTED] * fitted + [INNER] * inner)
    examples = Examples.of(images, np.zeros((count, 0)), np.arange(count) % 2, roles)
    sizes = [len(rows) for rows in batches_of(torch.arange(fitted), settings["batch"], torch.Generator())]
    ready = [(torch.rand(n, *shape), torch.zeros(n, 0), torch.arange(n) % 2) for n in sizes]
    at_once = judged_at_once(int(np.prod(shape[1:])))
    judged = [(torch.rand(len(rows), *shape), torch.zeros(len(rows), 0)) for rows in torch.arange(inner).split(at_once)]

    def new() -> torch.nn.Module:
        torch.manual_seed(0)
        return build_network({"architecture": architecture, "weights": ""}, shape[0], shape[1:], alone)

    def steps(network: torch.nn.Module, optimiser: torch.optim.Optimizer) -> None:
        network.train()
        for own, variables, outcome in ready:
            optimiser.zero_grad()
            functional.cross_entropy(network(own, variables), outcome).backward()
            optimiser.step()
        network.eval()
        with torch.no_grad():
            for own, variables in judged:
                network(own, variables)

    seconds: dict[str, list[float]] = {"ours": [], "reference": []}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(4):
            network = new()
            seconds["ours"].append(timed(lambda: train(network, examples, settings, 1, Path(folder, "state.pt"))))  # noqa: B023
            other = new()
            optimiser = make_optimiser(other, settings)
            seconds["reference"].append(timed(lambda: steps(other, optimiser)))  # noqa: B023
    # The first of each finds torch's kernels.
    return {what: statistics.median(own[1:]) for what, own in seconds.items()}


def measure() -> dict[str, dict]:
    """The larger ratio of both networks, and each."""
    found = {name: measure_network(*about) for name, about in NETWORKS.items()}
    ratios = {name: own["ours"] / own["reference"] for name, own in found.items()}
    for name, own in found.items():
        print(f"{name}: ours {own['ours']:.2f} s, reference {own['reference']:.2f} s, ratio {ratios[name]:.3f}")
    each = {name: round(ratio, 3) for name, ratio in ratios.items()}
    return {"training_loop": {"ratio": max(ratios.values()), "goal": GOAL, **each}}


if __name__ == "__main__":
    measure()
