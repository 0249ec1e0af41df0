"""Time and memory of one training step of the network of Cui 2022 at its published size, and what is no convolution.

    python tests/benchmarks/cui_step.py --threads 2

Batch 8 of 10 x 150 x 150 voxels, Adam at 1e-5, weighted cross-entropy. Prints seconds a step, the share of the time of
the processor that is spent outside convolutions (forward and backward), and the peak memory of the process.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow" / "scripts"))

import torch
from torch.nn import functional
from torch.profiler import ProfilerActivity, profile

from hcc_recurrence.networks.build import build_network
from hcc_recurrence.networks.resnet import parameter_count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=3)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    torch.manual_seed(0)
    network = build_network({"architecture": "cui3d", "weights": ""}, 1, (10, 150, 150), False).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-5)
    images, outcome = torch.rand(8, 1, 10, 150, 150), torch.arange(8) % 2
    weight = torch.tensor([0.8476, 1.2192])

    def step() -> None:
        optimiser.zero_grad()
        functional.cross_entropy(network(images), outcome, weight=weight).backward()
        optimiser.step()

    step()
    started = time.perf_counter()
    for _ in range(asked.steps):
        step()
    seconds = (time.perf_counter() - started) / asked.steps
    with profile(activities=[ProfilerActivity.CPU]) as found:
        step()
    events = found.key_averages()
    total = sum(event.self_cpu_time_total for event in events)
    convolutions = sum(event.self_cpu_time_total for event in events if "conv" in event.key)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{parameter_count(network):,} parameters, batch 8 of 10 x 150 x 150, {asked.threads} threads")
    outside = 100 * (1 - convolutions / total)
    print(f"one step: {seconds:.2f} s; outside convolutions: {outside:.1f} % of the processor's time")
    print(f"peak memory of the process: {peak:.0f} MB")
    for event in sorted(events, key=lambda e: -e.self_cpu_time_total)[:6]:
        print(f"  {event.key}: {100 * event.self_cpu_time_total / total:.1f} %")


if __name__ == "__main__":
    main()
