"""How fast this machine is at each kind of work, beside the one that the table of costs was measured on.

Three short tasks, processor seconds of one thread: resampling and packing a volume, forests and a kernel machine, and
steps of a small network. What each took on the table's machine stands in the table (step `calibration`).
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable

from hcc_recurrence.cost.table import KINDS, CostTable, Unit

# The best of so many goes: the first one also loads libraries.
GOES = 2


def _images() -> None:
    import numpy as np
    from scipy.ndimage import gaussian_filter, zoom

    volume = np.random.default_rng(0).normal(size=(40, 128, 128)).astype(np.float32)
    zoom(gaussian_filter(volume, 2), 1.5, order=1)
    gzip.compress((volume * 1000).astype(np.int16).tobytes(), 2)


def _learning() -> None:
    import numpy as np
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.gaussian_process import GaussianProcessClassifier
    from sklearn.linear_model import LogisticRegression

    generator = np.random.default_rng(0)
    x = generator.normal(size=(150, 50))
    y = (x[:, 0] + generator.normal(size=150) > 0).astype(int)
    RandomForestClassifier(100, random_state=0).fit(x, y)
    GaussianProcessClassifier(random_state=0).fit(x, y)
    for c in (0.01, 0.1, 1.0):
        LogisticRegression(C=c, l1_ratio=1.0, solver="liblinear", random_state=0).fit(x, y)


def _networks() -> None:
    import torch
    from torch import nn

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    layers = [nn.Conv2d(3, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU()]
    network = nn.Sequential(*layers, nn.Conv2d(64, 64, 3, padding=1), nn.AdaptiveAvgPool2d(1))
    images = torch.rand((8, 3, 96, 96), generator=generator)
    for _ in range(2):
        network(images).square().mean().backward()
    torch.set_num_threads(threads)


TASKS: dict[str, Callable[[], None]] = {"images": _images, "learning": _learning, "networks": _networks}


def measure() -> dict[str, float]:
    """Processor seconds of each kind's task here, the best of some goes."""
    found = {}
    for kind in KINDS:
        goes = []
        for _ in range(GOES):
            started = time.process_time()
            TASKS[kind]()
            goes.append(time.process_time() - started)
        found[kind] = min(goes)
    return found


def machine_speed(table: CostTable) -> dict[str, float]:
    """Of each kind of work, this machine's seconds over those of the table's machine."""
    own = measure()
    return {kind: own[kind] / table.price(Unit("calibration", 1, "task", kind)).seconds for kind in KINDS}
