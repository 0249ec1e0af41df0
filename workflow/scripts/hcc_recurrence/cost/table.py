"""The measured table `workflow/costs.csv`: processor seconds and megabytes of a unit of work, memory of a rule.

A row is a step (a rule, or `train`, `score` and `fit` of a network or classifier), what it is done with (`of`), the
size it was measured at, and the unit that is counted. Sizes in between are taken from the two rows around them.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

# How a rate is scaled from the size that it was measured at to another one: to which power of the size's product.
# Steps of networks go with the pixels; of classifiers see `fit`.
POWERS = {
    # Of 41, 124 and 248 patients: a tree takes nearly the same whatever it learns from, and so does a path.
    "fit": {"RF": 0.3, "AdaBoost": 0.3, "LASSO": 0.3, "SVM": 1.5, "GP": 3.0},
    "rank": {"ANOVA": 1.0, "RFE": 2.0, "Relief": 2.0},
}
# What a job that has a GPU does there: it learns, and judges where nothing is learned. What it scores in the end for
# others to read, it scores on a processor, whose bytes are those of a patient to whom the network is applied later.
ON_GPU = ("train", "judge")
# The unit of what a step of training takes whatever its batch: weights laid out for their kernels, gradients, the
# optimiser. On a GPU it is in the seconds of an example, which were measured at the published batches.
STEP = "step"
# Steps that are measured as another one.
SAME_AS = {"judge": "score"}
# How many times faster than a core of the table a GPU is taken to be where the table has no seconds of one. The least
# that one H100 was at steps of the published networks was 127, the most 2,900 (docs/cost.md).
OF_GPU = 100.0
# An example that is judged takes a third of what a step with it takes in single precision, in which networks judge
# everywhere: assumed of a GPU, as of a processor (a step is one pass forward and about two backward).
JUDGED_OVER_LEARNED = 1 / 3
# What work is like, for the calibration: a machine may be slower at one than at the others.
KINDS = ("images", "learning", "networks")
# A job may take this many times what it costs by the table, for slower and busier machines, and so many minutes more.
LIMIT_OVER_COST, LEAST_MINUTES = 3, 20
# A job may take this many times the memory that its rule took on the demo, rounded up to 100 MB, and at least so much:
# most of it are libraries, which a larger cohort does not change.
MEMORY_OVER_MEASURED, LEAST_MEMORY_MB = 1.5, 1000
# How many times longer networks train by kernels of one kind (`numerics`): portable ones took 1.0 to 1.4 times the
# processor time of native ones, which the table was measured with.
OF_KERNELS = {"portable": 1.2, "native": 1.0}
# The machine of the table.
MACHINE = "a core of an AMD EPYC (family 25, AVX-512)"
GPU = "one NVIDIA H100"
# The row of a rule that the table does not have.
OTHER = "other"


class Unit(NamedTuple):
    """So many units of work: `step`, `of` and `size` as in the table (empty where the table has none)."""

    step: str
    number: float
    unit: str = "job"
    of: str = ""
    size: tuple[float, ...] = ()


class Price(NamedTuple):
    """Processor seconds, megabytes left on the disk, the kind of work, and seconds on a GPU where a job has one."""

    seconds: float
    megabytes: float
    kind: str
    gpu_seconds: float = 0.0


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Its key is step, of, size as written, and unit. Seconds on a GPU are in bfloat16, as networks learn there, and in
    single precision, as they judge.
    """

    key: tuple[str, ...]
    size: tuple[float, ...]
    seconds: float
    megabytes: float
    kind: str
    gpu_seconds: float
    gpu_single_seconds: float


def read_size(text: str) -> tuple[float, ...]:
    """A size as written in the table, such as 3x256x256."""
    return tuple(float(part) for part in text.split("x")) if text else ()


class CostTable:
    """The rows of the table, by step, what it is done with, and unit.

    Raises: ValueError naming the line for a number that is none, or an unknown kind of work.
    """

    def __init__(self, rows: Iterable[dict[str, str]]):
        self._rows: dict[tuple[str, str, str], list[Row]] = {}
        # Step -> MB of its largest job.
        self.measured_memory: dict[str, float] = {}
        for line, row in enumerate(rows, 2):
            try:
                on_gpu = (float(row.get(name) or 0) for name in ("gpu_seconds", "gpu_single_seconds"))
                key = tuple(row[name] for name in ("step", "of", "size", "unit"))
                size, numbers = read_size(row["size"]), (float(row["seconds"]), float(row["megabytes"] or 0))
                own = Row(key, size, *numbers, row["kind"], *on_gpu)
            except (ValueError, KeyError) as error:
                raise ValueError(f"costs.csv, line {line}: {error}") from None
            if own.kind not in KINDS or not math.isfinite(own.seconds) or own.seconds < 0:
                raise ValueError(f"costs.csv, line {line}: kind {own.kind!r}, seconds {own.seconds}")
            self._rows.setdefault((row["step"], row["of"], row["unit"]), []).append(own)
            if memory := row.get("memory_mb"):
                known = self.measured_memory.get(row["step"], 0.0)
                self.measured_memory[row["step"]] = max(known, float(memory))

    @classmethod
    def read(cls, path: str | Path) -> CostTable:
        """The table of a file."""
        with open(path, newline="", encoding="utf-8") as file:
            return cls(csv.DictReader(file))

    def price(self, work: Unit) -> Price:
        """What some units cost on the machine of the table.

        A rule that the table does not have counts as `other`, the mean of all small jobs of the demo; a network, a
        method or a classifier that it does not have, as its row of any other (`of` empty).

        Raises: KeyError for a step or unit that the table does not have.
        """
        parts = self.parts(SAME_AS.get(work.step, work.step), work)
        seconds = work.number * sum(row.seconds * factor for row, factor in parts)
        first = parts[0][0]
        return Price(seconds, first.megabytes * work.number, first.kind, self._seconds_on_gpu(work))

    def parts(self, step: str, work: Unit) -> list[tuple[Row, float]]:
        """The rows of a step that some units are paid by, and how often one of them takes the seconds of each.

        Of a size between two rows both, in a straight line: what a step takes whatever its size weighs at small ones.
        Smaller or larger than all rows: the nearest one, as `POWERS` says.

        Raises: KeyError for a step or unit that the table does not have.
        """
        key = (step, work.of, work.unit)
        rows = self._rows.get(key) or self._rows.get((step, "", work.unit))
        if rows is None and work.unit == "job" and not work.of:
            rows = self._rows[OTHER, "", "job"]
        if rows is None:
            raise KeyError(f"workflow/costs.csv has no row of {' '.join(filter(None, key))}")
        if not (work.size and rows[0].size):
            return [(rows[0], 1.0)]
        wanted = math.prod(work.size)
        below = max((r for r in rows if math.prod(r.size) <= wanted), key=lambda r: math.prod(r.size), default=None)
        above = min((r for r in rows if math.prod(r.size) > wanted), key=lambda r: math.prod(r.size), default=None)
        if below and above:
            low, high = math.prod(below.size), math.prod(above.size)
            share = (wanted - low) / (high - low)
            return [(below, 1 - share), (above, share)]
        row = below or above
        return [(row, (wanted / math.prod(row.size)) ** POWERS.get(step, {}).get(work.of, 1.0))]

    def _seconds_on_gpu(self, work: Unit) -> float:
        """Seconds of some units on a GPU; 0 of what is done on a processor wherever the job runs."""
        if work.step not in ON_GPU or work.unit == STEP:
            return 0.0
        seconds = 0.0
        for row, factor in self.parts("train", work):
            one = row.gpu_seconds or row.seconds / OF_GPU
            if work.step == "judge":
                one = JUDGED_OVER_LEARNED * (row.gpu_single_seconds or one)
            seconds += one * factor
        return seconds * work.number

    def limit_memory_mb(self, rule: str) -> int:
        """MB that a job of a rule may take, but for what grows with images and patients: `MEMORY_OVER_MEASURED` times
        its largest job of the demo, at least `LEAST_MEMORY_MB`, which is also for a rule that nobody measured.
        """
        measured = self.measured_memory.get(rule, 0.0)
        return max(LEAST_MEMORY_MB, math.ceil(MEMORY_OVER_MEASURED * measured / 100) * 100)

    def limit_minutes(self, units: Iterable[Unit], on_gpu: bool = False) -> int:
        """Minutes that a job with these units may take: `LIMIT_OVER_COST` times what it costs, and `LEAST_MINUTES`.

        Args:
            on_gpu: the job has one. It is taken for a slow one (`OF_GPU`), whichever it is.
        """
        seconds = 0.0
        for unit in units:
            seconds += self.price(unit).seconds / (OF_GPU if on_gpu and unit.step in ON_GPU else 1.0)
        return math.ceil(LIMIT_OVER_COST * seconds / 60) + LEAST_MINUTES
