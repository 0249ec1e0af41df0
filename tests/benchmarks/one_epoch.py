"""One epoch of each published network at its published size by the workflow's own training, beside the table of costs.

    python tests/benchmarks/one_epoch.py                    # a few examples each; --examples for more
    python tests/benchmarks/one_epoch.py --networks VGG19 --examples 64
    python tests/benchmarks/one_epoch.py --device cuda --examples 128 --judged 32

Seconds of the processor of this process, one thread; what workflow/costs.csv says for as many examples; their ratio.
On a GPU seconds of the clock of an epoch, as a third of what four epochs take longer than one (which also finds kernels
and hashes its images), the seconds of that one, and the peak memory.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import time
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "workflow" / "scripts"), str(Path(__file__).parent)]

import numpy as np  # noqa: E402
import torch  # noqa: E402
from training_steps import STEPS, made  # noqa: E402

from hcc_recurrence.cost.table import CostTable  # noqa: E402
from hcc_recurrence.cost.work import training_units  # noqa: E402
from hcc_recurrence.networks.examples import FITTED, INNER  # noqa: E402
from hcc_recurrence.networks.segmentation import train_segmentation  # noqa: E402
from hcc_recurrence.networks.training import Examples, train  # noqa: E402
from hcc_recurrence.networks.unet import build_unet  # noqa: E402

# Steps of large networks take tens of seconds.
FEW = {"3D-ResNet18": 2, "3D-DenseNet121": 4, "U-Net": 4, "VGG19": 8}
JUDGED = 2
COMMON = {"learning_rate": 1e-5, "momentum": 0.9, "weight_decay": 0.0, "epochs": 1, "patience": 1}


def seconds_of(name: str, number: int, judged: int = JUDGED, device: str = "cpu") -> tuple[float, float]:
    """Seconds of an epoch on so many examples, judged on others: of the processor, or with a GPU of the clock."""
    _, phases, shape, batch, optimiser = STEPS[name]
    generator = np.random.default_rng(0)
    settings = {**COMMON, "batch": batch, "optimiser": optimiser, "augmentation": {}, "class_weights": False}

    def epoch(begin: Callable[[dict], object]) -> tuple[float, float]:
        """Seconds of an epoch, and of a training of one epoch."""
        clock, times = time.process_time if device == "cpu" else time.perf_counter, []
        for epochs in (1,) if device == "cpu" else (1, 1, 4):
            started = clock()
            begin({**settings, "epochs": epochs, "patience": epochs})
            times.append(clock() - started)
        return (times[-1] if device == "cpu" else (times[-1] - times[-2]) / 3, times[0])

    if name == "U-Net":
        torch.manual_seed(0)
        network = build_unet([64, 128, 256, 512, 1024])
        planes = generator.random((number + judged, *shape[1:])).astype(np.float32)
        masks = (planes > 0.9).astype(np.uint8)
        parts = (planes[:number], masks[:number]), [(planes[number:], masks[number:])]
        return epoch(lambda own: train_segmentation(network, *parts, own, 1, device=device))
    images = generator.random((number + judged, phases, *shape)).astype(np.float32)
    role = np.array([FITTED] * number + [INNER] * judged)
    examples = Examples.of(images, np.empty((len(images), 0)), np.arange(len(images)) % 2, role)
    network = made(name)
    return epoch(lambda own: train(network, examples, own, 1, device=device))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=list(STEPS), choices=list(STEPS))
    parser.add_argument("--examples", type=int, default=0)
    parser.add_argument("--judged", type=int, default=JUDGED)
    parser.add_argument("--device", default="cpu")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    table = CostTable.read(REPOSITORY / "workflow" / "costs.csv")
    print(
        "network,examples,seconds,of the table,ratio" + (",first_training,peak_mb" if asked.device == "cuda" else ""),
        flush=True,
    )
    for name in asked.networks:
        number = asked.examples or FEW.get(name, 16)
        architecture, _, shape, _, _ = STEPS[name]
        of = "unet64" if name == "U-Net" else architecture
        wanted = sum(
            table.price(unit).seconds for unit in training_units(of, shape, 1, STEPS[name][3], number, asked.judged, 0)
        )
        with contextlib.redirect_stdout(io.StringIO()):
            if asked.device == "cuda":
                torch.cuda.reset_peak_memory_stats()
            found, first = seconds_of(name, number, asked.judged, asked.device)
        peak = f",{first:.2f},{torch.cuda.max_memory_allocated() / 1e6:.0f}" if asked.device == "cuda" else ""
        print(f"{name},{number},{found:.2f},{wanted:.1f},{found / wanted:.4f}{peak}", flush=True)


if __name__ == "__main__":
    main()
