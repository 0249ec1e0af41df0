"""One training step of each published network at its published size, in ways that torch knows to take it.

    python tests/benchmarks/training_steps.py                          # as the workflow trains, one thread
    python tests/benchmarks/training_steps.py --ways plain last bf16 both compile --networks ResNet50 cui3d
    python tests/benchmarks/training_steps.py --updates                # what a step takes whatever its batch

Seconds of the processor (all threads of this process, so that other work on the machine counts little) of a step -
forward, loss, backward, optimiser - and how far its logits and gradients are from those of the plain way. A batch may
be smaller than published (--batch); seconds are given for one example too, which is what workflow/costs.csv has.
`last`: weights and images with their channels last. `bf16`: products in bfloat16. `both`. `compile`: torch.compile.
`workflow`: as the workflow trains on that device; on a GPU channels last, bfloat16 and deterministic kernels.
`--updates`: steps of two batches of small images; what a step takes besides its examples (weights laid out for their
kernels, gradients put to nought and summed, the optimiser) is where the line through both meets no example at all.
On a machine with a GPU, `--device cuda` times the same steps there, in seconds of the clock, and says its peak memory.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow" / "scripts"))

import torch
from torch import nn
from torch.nn import functional

from hcc_recurrence.networks.build import build_network, takes_images_alone
from hcc_recurrence.networks.device import learning_precision, put_on
from hcc_recurrence.networks.unet import build_unet

# Name, architecture, phases, z, y, x of an example, published batch, optimiser.
STEPS = {
    "ResNet-10": ("resnet10_trunc", 3, (3, 256, 256), 64, "sgd"),
    "ResNet-18": ("resnet18", 3, (3, 256, 256), 64, "sgd"),
    "ResNet-34": ("resnet34", 3, (3, 256, 256), 64, "sgd"),
    "DenseNet121": ("densenet121", 3, (1, 224, 224), 32, "sgd"),
    "ResNet50": ("resnet50", 3, (1, 224, 224), 32, "sgd"),
    "ResNet101": ("resnet101", 3, (1, 224, 224), 32, "sgd"),
    "VGG19": ("vgg19", 3, (1, 224, 224), 32, "sgd"),
    "cui3d": ("cui3d", 1, (10, 150, 150), 8, "adam"),
    "U-Net": ("unet", 1, (1, 256, 256), 8, "adam"),
    "3D-ResNet18": ("resnet18_3d", 3, (96, 96, 96), 8, "sgd"),
    "3D-DenseNet121": ("densenet121_3d", 3, (96, 96, 96), 8, "sgd"),
}
# Small images for `--updates`, z, y, x; the published ones where the number of weights goes with the size.
SMALL = {
    **dict.fromkeys(("ResNet-10", "ResNet-18", "ResNet-34"), (3, 24, 24)),
    **dict.fromkeys(("DenseNet121", "ResNet50", "ResNet101", "VGG19"), (1, 32, 32)),
    **dict.fromkeys(("3D-ResNet18", "3D-DenseNet121"), (32, 32, 32)),
    "U-Net": (1, 32, 32),
    "cui3d": (10, 150, 150),
}
# Batches of `--updates`, and steps of each: the median counts.
BATCHES, REPEATS = (2, 8), 7
WAYS = ("plain", "last", "bf16", "both", "compile", "workflow")


class _Pixels(nn.Module):
    """A U-Net as a classifier of its mean logit, so that all networks take the same step."""

    def __init__(self) -> None:
        super().__init__()
        self.network = build_unet([64, 128, 256, 512, 1024])

    def forward(self, images: torch.Tensor, variables: torch.Tensor | None = None) -> torch.Tensor:
        found = self.network(images[:, :, 0])
        return torch.stack([found.mean((1, 2, 3)), -found.mean((1, 2, 3))], 1)


def made(name: str) -> nn.Module:
    """The network of a name with the same random weights each time."""
    architecture, phases, shape, _, _ = STEPS[name]
    torch.manual_seed(0)
    if architecture == "unet":
        return _Pixels()
    alone = takes_images_alone(architecture)
    return build_network({"architecture": architecture, "weights": ""}, phases, shape, alone)


def put_last(network: nn.Module) -> None:
    """Kernels with their channels last, which convolutions then hand on."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.to(memory_format=torch.channels_last)
        elif isinstance(module, nn.Conv3d | nn.ConvTranspose3d):
            module.to(memory_format=torch.channels_last_3d)


def step_of(
    name: str, way: str, batch: int, device: str, shape: Sequence[int] = ()
) -> tuple[Callable[[], torch.Tensor], nn.Module]:
    """A function that takes one step and returns its logits, and the network.

    Args: shape: z, y, x of an example where it is not the published one.
    """
    _, phases, published, _, optimiser = STEPS[name]
    shape = shape or published
    network = made(name).to(device).train()
    if way in ("last", "both"):
        put_last(network)
    if way == "workflow":
        put_on(network, device)
    parameters = network.parameters()
    made_by = torch.optim.Adam if optimiser == "adam" else torch.optim.SGD
    own = made_by(parameters, lr=1e-5)
    called: Any = torch.compile(network) if way == "compile" else network
    generator = torch.Generator().manual_seed(1)
    images = torch.rand((batch, phases, *shape), generator=generator).to(device)
    outcome = (torch.arange(batch) % 2).to(device)

    def precision() -> AbstractContextManager:
        if way == "workflow":
            return learning_precision(device)
        return torch.autocast(device, torch.bfloat16) if way in ("bf16", "both") else nullcontext()

    def step() -> torch.Tensor:
        # Dropout draws the same in every way.
        torch.manual_seed(2)
        own.zero_grad()
        with precision():
            logits = called(images, images.new_zeros((batch, 0)))
        functional.cross_entropy(logits.float(), outcome).backward()
        own.step()
        return logits.detach().float()

    return step, network


def update_of(name: str) -> tuple[float, float]:
    """Processor seconds of a step whatever its batch, and of an example of `SMALL` besides."""
    medians = []
    for batch in BATCHES:
        step, _ = step_of(name, "plain", batch, "cpu", SMALL[name])
        step()
        times = []
        for _ in range(REPEATS):
            started = time.process_time()
            step()
            times.append(time.process_time() - started)
        medians.append(statistics.median(times))
    example = (medians[1] - medians[0]) / (BATCHES[1] - BATCHES[0])
    return medians[0] - BATCHES[0] * example, example


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=list(STEPS), choices=list(STEPS))
    parser.add_argument("--ways", nargs="+", default=["plain"], choices=WAYS)
    parser.add_argument("--batch", type=int, default=0, help="examples a step; 0: the published batch")
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--updates", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    if asked.updates:
        print("network,size,seconds_a_step_besides,seconds_an_example", flush=True)
        for name in asked.networks:
            update, example = update_of(name)
            print(f"{name},{'x'.join(map(str, SMALL[name]))},{update:.4f},{example:.5f}", flush=True)
        return
    clock = time.process_time if asked.device == "cpu" else time.perf_counter
    columns = "network,way,batch,threads,seconds_a_step,seconds_an_example,logits_differ,gradients_differ"
    print(columns + ("" if asked.device == "cpu" else ",peak_mb"), flush=True)
    for name in asked.networks:
        batch, plain = asked.batch or STEPS[name][3], None
        for way in asked.ways:
            if asked.device != "cpu":
                # Way by way: `workflow` switches these for the whole process. As it comes, PyTorch convolves in TF32.
                torch.use_deterministic_algorithms(False)
                torch.backends.cudnn.allow_tf32 = True
                torch.cuda.empty_cache()
                torch.cuda.reset_peak_memory_stats()
            step, network = step_of(name, way, batch, asked.device)
            # The first step reserves memory and chooses kernels.
            logits = step()
            gradients = torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])
            plain = plain or (logits, gradients)
            if asked.device != "cpu":
                torch.cuda.synchronize()
            started = clock()
            for _ in range(asked.steps):
                step()
            if asked.device != "cpu":
                torch.cuda.synchronize()
            seconds = (clock() - started) / asked.steps
            differ = [float((a - b).norm() / b.norm()) for a, b in zip((logits, gradients), plain, strict=True)]
            numbers = f"{seconds:.3f},{seconds / batch:.4f},{differ[0]:.2e},{differ[1]:.2e}"
            peak = "" if asked.device == "cpu" else f",{torch.cuda.max_memory_allocated() / 1e6:.0f}"
            print(f"{name},{way},{batch},{asked.threads},{numbers}{peak}", flush=True)
            del step, network, logits, gradients


if __name__ == "__main__":
    main()
