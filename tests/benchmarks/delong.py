"""DeLong's AUC and paired test against MLstatkit in the same run: prints times and their ratio.

python tests/benchmarks/delong.py
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from MLstatkit import Delong_test

from hcc_recurrence.statistics.auc import auc_delong
from hcc_recurrence.statistics.delong import paired_test


def best_of_three(call: Callable[[], object]) -> float:
    """Shortest of three runs, in seconds."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


generator = np.random.default_rng(0)
for n in (1_000, 100_000):
    y = generator.integers(0, 2, n)
    first, second = generator.normal(size=(2, n)).round(3) + y
    ours = best_of_three(lambda y=y, a=first, b=second: paired_test(y, a, b))
    theirs = best_of_three(lambda y=y, a=first, b=second: Delong_test(y, a, b, return_ci=False, return_auc=False))
    single = best_of_three(lambda y=y, a=first: auc_delong(y, a))
    print(
        f"n = {n:>7,}: AUC {single:.3f} s; paired test {ours:.3f} s, MLstatkit {theirs:.3f} s, "
        f"ratio {ours / theirs:.2f}"
    )
