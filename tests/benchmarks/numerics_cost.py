"""What `numerics: portable` costs: processor seconds of training steps of every network, beside `native`.

    python tests/benchmarks/numerics_cost.py [pairs]

Each measurement is a process of its own with one thread, as a job has it; the two settings take turns, because a
machine is seldom quiet. Input is noise at the sizes of the demo preset, and for networks that the demo leaves out at
those of tests. Prints the ratio of each pair's processor seconds (portable over native): median, lowest, highest.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from runs import ONE_THREAD, SCRIPTS

PAIRS = 5
# Sizes of a batch: patients or images, phases, z, y, x. Of all papers each architecture once; steps so that a
# measurement takes some seconds.
NETWORKS = {
    "Zhao 2024 ResNet-10": ("resnet10_trunc", (8, 4, 3, 24, 24), 10),
    "Zhao 2024 ResNet-18": ("resnet18", (8, 4, 3, 32, 32), 4),
    "Zhao 2024 ResNet-34": ("resnet34", (8, 4, 3, 32, 32), 4),
    "Zhang 2025 DenseNet121": ("densenet121", (32, 3, 1, 32, 32), 2),
    "Zhang 2025 ResNet50": ("resnet50", (32, 3, 1, 32, 32), 3),
    "Zhang 2025 ResNet101": ("resnet101", (32, 3, 1, 32, 32), 2),
    "Zhang 2025 VGG19": ("vgg19", (8, 3, 1, 32, 32), 2),
    "Zhang 2025 3D-ResNet18": ("resnet18_3d", (4, 3, 32, 32, 32), 1),
    "Zhang 2025 3D-DenseNet121": ("densenet121_3d", (4, 3, 32, 32, 32), 1),
    "Cui 2022 SS and NSS": ("cui3d", (8, 1, 10, 64, 64), 2),
    "Yan 2023 VGG19 features": ("features", (8, 3, 1, 48, 48), 6),
    "Wang 2022 U-Net": ("unet", (8, 1, 1, 64, 64), 6),
}


def step_of(architecture: str, size: tuple[int, ...]) -> Callable[[], object]:
    """One batch through a network, and back where it learns."""
    import torch
    from torch.nn import functional

    from hcc_recurrence.networks.build import build_network, takes_images_alone
    from hcc_recurrence.networks.features import feature_network
    from hcc_recurrence.networks.unet import build_unet

    images = torch.randn(size, generator=torch.Generator().manual_seed(0))
    if architecture == "features":
        network = feature_network("", 0)

        def extract() -> object:
            with torch.inference_mode():
                return network(images[:, :, 0])

        return extract
    torch.manual_seed(0)
    outcome = torch.tensor([0, 1] * size[0])[: size[0]]
    if architecture == "unet":
        network = build_unet([8, 16, 32, 64, 128])
        images = images[:, :, 0]

        def loss() -> torch.Tensor:
            return functional.binary_cross_entropy_with_logits(network(images), (images > 0).float())
    else:
        alone = takes_images_alone(architecture)
        network = build_network({"architecture": architecture, "weights": ""}, size[1], size[2:], alone)
        nothing = torch.zeros(size[0], 0)

        def loss() -> torch.Tensor:
            return functional.cross_entropy(network(images, nothing), outcome)

    optimiser = torch.optim.Adam(network.parameters(), lr=1e-4)

    def learn() -> None:
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()

    return learn


def measure_here(architecture: str, size: list[int], steps: int) -> None:
    """Print the processor seconds of the steps, after one that loads kernels."""
    import torch

    torch.set_num_threads(1)
    step = step_of(architecture, tuple(size))
    step()
    began = os.times()
    for _ in range(steps):
        step()
    ended = os.times()
    print(ended.user + ended.system - began.user - began.system)


def seconds(numerics: str, about: tuple) -> float:
    """The same in a process of its own with the kernels of a setting."""
    from hcc_recurrence.numerics import kernels

    command = [sys.executable, str(Path(__file__)), "--one", json.dumps(about)]
    environment = {**os.environ, **ONE_THREAD, **kernels(numerics), "PYTHONPATH": str(SCRIPTS)}
    done = subprocess.run(command, text=True, capture_output=True, check=True, env=environment)
    return float(done.stdout.split()[-1])


def measure(pairs: int = PAIRS) -> dict[str, list[float]]:
    """Network -> portable over native of each pair."""
    from hcc_recurrence.numerics import NATIVE, PORTABLE

    found = {}
    for name, about in NETWORKS.items():
        both = []
        for number in range(pairs):
            order = (PORTABLE, NATIVE) if number % 2 else (NATIVE, PORTABLE)
            both.append({numerics: seconds(numerics, about) for numerics in order})
        ratios = sorted(one[PORTABLE] / one[NATIVE] for one in both)
        native = statistics.median(one[NATIVE] for one in both)
        portable = statistics.median(one[PORTABLE] for one in both)
        print(
            f"{name:28} native {native:6.2f} s, portable {portable:6.2f} s, ratio {statistics.median(ratios):.2f} "
            f"({ratios[0]:.2f} to {ratios[-1]:.2f})",
            flush=True,
        )
        found[name] = ratios
    return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        measure_here(*json.loads(sys.argv[2]))
    else:
        measure(int(sys.argv[1]) if sys.argv[1:] else PAIRS)
