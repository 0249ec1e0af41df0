"""What `numerics: portable` costs: processor seconds of training steps of every network, beside `native`.

    python tests/benchmarks/numerics_cost.py [pairs [words of networks' names]]

Each measurement is a process of its own with one thread, as a job has it: a copy of this one, in which the libraries
are imported and have not looked at the processor yet. The two settings take turns, because a machine is seldom quiet.
Input is noise at about the sizes of the demo preset. Prints the ratio of each pair's processor seconds (portable over
native): median, lowest, highest.
"""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Callable

from runs import ONE_THREAD

PAIRS = 5
# Sizes of a batch: patients or images, phases, z, y, x. Of all papers each architecture once; a measurement takes about
# a second.
NETWORKS = {
    "Zhao 2024 ResNet-10": ("resnet10_trunc", (8, 4, 3, 24, 24), 10),
    "Zhao 2024 ResNet-18": ("resnet18", (8, 4, 3, 32, 32), 4),
    "Zhao 2024 ResNet-34": ("resnet34", (8, 4, 3, 32, 32), 4),
    "Zhang 2025 DenseNet121": ("densenet121", (8, 3, 1, 32, 32), 2),
    "Zhang 2025 ResNet50": ("resnet50", (8, 3, 1, 32, 32), 2),
    "Zhang 2025 ResNet101": ("resnet101", (8, 3, 1, 32, 32), 1),
    "Zhang 2025 VGG19": ("vgg19", (4, 3, 1, 32, 32), 1),
    "Zhang 2025 3D-ResNet18": ("resnet18_3d", (2, 3, 32, 32, 32), 1),
    "Zhang 2025 3D-DenseNet121": ("densenet121_3d", (2, 3, 32, 32, 32), 1),
    "Cui 2022 SS and NSS": ("cui3d", (4, 1, 10, 48, 48), 1),
    "Yan 2023 VGG19 features": ("features", (4, 3, 1, 48, 48), 3),
    "Wang 2022 U-Net": ("unet", (4, 1, 1, 64, 64), 3),
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


def seconds(numerics: str, architecture: str, size: tuple[int, ...], steps: int) -> float:
    """Processor seconds of the steps, after one that loads kernels, in a copy of this process with those of a setting.

    Raises: RuntimeError where the copy failed, or took other kernels.
    """
    answers, answer = os.pipe()
    pid = os.fork()
    if pid == 0:
        # The end of a copy: nothing of the original's is flushed or closed.
        try:
            os.write(answer, f"{_steps_here(numerics, architecture, size, steps)}".encode())
        finally:
            os._exit(0)
    os.close(answer)
    with os.fdopen(answers) as stream:
        said = stream.read()
    os.waitpid(pid, 0)
    if not said:
        raise RuntimeError(f"{architecture} with {numerics} kernels failed")
    return float(said)


def _steps_here(numerics: str, architecture: str, size: tuple[int, ...], steps: int) -> float:
    import torch

    from hcc_recurrence.numerics import PORTABLE, use_kernels

    use_kernels(numerics)
    torch.set_num_threads(1)
    assert torch.backends.cpu.get_cpu_capability() == "AVX2" or numerics != PORTABLE
    step = step_of(architecture, size)
    step()
    began = os.times()
    for _ in range(steps):
        step()
    ended = os.times()
    return ended.user + ended.system - began.user - began.system


def measure(pairs: int = PAIRS, words: list[str] | None = None) -> dict[str, list[float]]:
    """Network -> portable over native of each pair; only networks with one of the words in their name, where given."""
    os.environ.update(ONE_THREAD)
    import hcc_recurrence.networks.build
    import hcc_recurrence.networks.features
    import hcc_recurrence.networks.unet  # noqa: F401 - once, for all copies
    from hcc_recurrence.numerics import NATIVE, PORTABLE

    found = {}
    for name, about in NETWORKS.items():
        if words and not any(word in name for word in words):
            continue
        both = []
        for number in range(pairs):
            order = (PORTABLE, NATIVE) if number % 2 else (NATIVE, PORTABLE)
            both.append({numerics: seconds(numerics, *about) for numerics in order})
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
    measure(int(sys.argv[1]) if sys.argv[1:] else PAIRS, sys.argv[2:])
