"""What planned jobs cost together, and the table that a person reads."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hcc_recurrence.cost.planned import NULL, STAGES, read_units
from hcc_recurrence.cost.table import GPU, KINDS, MACHINE, ON_GPU, CostTable

# Seconds of the processor that Snakemake itself takes a job (docs/speed.md: 1.0 s a minute, 2,126 jobs in 952 s).
OF_SNAKEMAKE = 0.01
HOUR = 3600.0
# Rows that are said when a run begins.
LARGEST = 5


@dataclass(frozen=True)
class Cost:
    """Of some jobs: how many, core and GPU seconds, memory of the largest in MB, megabytes on the disk."""

    jobs: int = 0
    seconds: float = 0.0
    gpu_seconds: float = 0.0
    memory_mb: float = 0.0
    megabytes: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.jobs + other.jobs,
            self.seconds + other.seconds,
            self.gpu_seconds + other.gpu_seconds,
            max(self.memory_mb, other.memory_mb),
            self.megabytes + other.megabytes,
        )


def job_cost(job: Mapping[str, Any], table: CostTable, speed: Mapping[str, float]) -> Cost:
    """What one job costs on a machine.

    Args:
        job: from `planned_jobs`. speed: of each kind of work, this machine's seconds over those of the table.
    """
    seconds = megabytes = on_gpu = 0.0
    for unit in read_units(job):
        price = table.price(unit)
        megabytes += price.megabytes
        if job["gpus"] and unit.step in ON_GPU:
            on_gpu += price.gpu_seconds
        else:
            seconds += price.seconds * speed.get(price.kind, 1.0)
    # A job holds its GPU and a core to its end.
    whole = seconds + on_gpu
    return Cost(1, whole + OF_SNAKEMAKE, whole if job["gpus"] else 0.0, job["memory_mb"], megabytes)


def wall_seconds(jobs: Sequence[Mapping[str, Any]], costs: Sequence[Cost], cores: int, gpus: int = 1) -> float:
    """The time on so many cores and GPUs, at least: all work over the cores, that of GPUs over the GPUs, or the longest
    chain of jobs that wait for one another, whichever is longest.
    """
    ends: dict[int, float] = {}

    for first in range(len(jobs)):
        waiting = [first]
        while waiting:
            i = waiting[-1]
            before = [j for j in jobs[i]["after"] if j not in ends]
            if i not in ends and not before:
                own = costs[i].seconds / max(1, min(jobs[i]["threads"], cores))
                ends[i] = own + max((ends[j] for j in jobs[i]["after"]), default=0.0)
            if i in ends:
                waiting.pop()
            else:
                waiting += before
    total = sum(costs, Cost())
    return max(total.seconds / cores, total.gpu_seconds / gpus, max(ends.values(), default=0.0))


def peak_memory(jobs: Sequence[Mapping[str, Any]], cores: int, gpus: int = 1) -> float:
    """MB of the jobs that could run side by side at worst: as many of the largest as there are cores, and of those that
    hold a GPU as many as there are GPUs.
    """
    held = sorted((job["memory_mb"] for job in jobs if job["gpus"]), reverse=True)[:gpus]
    others = [job["memory_mb"] for job in jobs if not job["gpus"]]
    return sum(sorted([*held, *others], reverse=True)[:cores])


def grouped(jobs: Sequence[Mapping[str, Any]], costs: Sequence[Cost]) -> dict[tuple[str, str], Cost]:
    """The costs of jobs by method and stage."""
    found: dict[tuple[str, str], Cost] = defaultdict(Cost)
    for job, cost in zip(jobs, costs, strict=True):
        found[job["method"], job["stage"]] += cost
    order = {stage: i for i, stage in enumerate((*STAGES, NULL))}
    return dict(sorted(found.items(), key=lambda item: (item[0][0], order[item[0][1]])))


def trainings(jobs: Iterable[Mapping[str, Any]]) -> int:
    """Jobs that train a network."""
    return sum(job["rule"].startswith("train_") for job in jobs)


def duration(seconds: float) -> str:
    """Seconds in words: 40 s, 12 min, 3.4 h, 12 days."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / HOUR:.1f} h" if seconds < 72 * HOUR else f"{seconds / 86400:.1f} days"


def size_words(megabytes: float) -> str:
    """Megabytes in words."""
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"


def start_words(jobs: Sequence[Mapping[str, Any]], table: CostTable, cores: int, gpus: int = 1) -> str:
    """What is said when a run begins: empty where all that is left to do takes no hour of a core.

    Without a calibration: it is of the table's machine.
    """
    own = _renumbered(jobs, [i for i, job in enumerate(jobs) if job["run"]])
    costs = [job_cost(job, table, {}) for job in own]
    if sum(cost.seconds for cost in costs) < HOUR:
        return ""
    lines = [_summary("To do", own, costs, cores, gpus)]
    largest = sorted(grouped(own, costs).items(), key=lambda item: -item[1].seconds)[:LARGEST]
    for (method, stage), cost in largest:
        lines.append(f"  {method}, {stage}: {cost.jobs} jobs, {duration(cost.seconds)} of a core")
    lines.append(f"Reckoned for {MACHINE}; `snakemake cost --cores {cores}` says it for this machine, in full.")
    return "\n".join(lines)


def cost_text(
    jobs: Sequence[Mapping[str, Any]],
    table: CostTable,
    speed: Mapping[str, float],
    cores: int,
    folder: Path = Path(),
    gpus: int = 1,
) -> str:
    """The table for a person, with what is left to do where some of it is there already.

    Args:
        folder: that the paths of benchmarks start from: what finished jobs took stands beside what they were to cost.
        gpus: that the run may take at once, where jobs ask for one.
    """
    took, finished = spent(jobs, folder)
    costs = [job_cost(job, table, speed) for job in jobs]
    head = ("method", "stage", "jobs", "core-hours", "GPU-hours", "largest job", "disk")
    rows = [(*head, "finished", "took, core-hours")]
    for (method, stage), cost in grouped(jobs, costs).items():
        done = finished[method, stage]
        cells = (str(done), f"{took[method, stage].seconds / HOUR:.2f}") if done else ("", "")
        rows.append((method, stage, *_cells(cost), *cells))
    plain = [i for i, job in enumerate(jobs) if job["stage"] != NULL]
    null = [i for i in range(len(jobs)) if jobs[i]["stage"] == NULL]
    total = sum((costs[i] for i in plain), Cost())
    done = sum((own for key, own in took.items() if key[1] != NULL), Cost())
    rows.append(
        ("target all", "", *_cells(total), str(done.jobs) if took else "", f"{done.seconds / HOUR:.2f}" if took else "")
    )
    if null:
        rows.append(("target null_control", "", *_cells(sum((costs[i] for i in null), Cost())), "", ""))
    if not took:
        rows = [row[: len(head)] for row in rows]
    if not total.gpu_seconds:
        rows = [row[:4] + row[5:] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        text = [c.ljust(w) if i < 2 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        lines.append("  ".join(text).rstrip())
    left = [i for i in plain if jobs[i]["run"]]
    for words, chosen in (("all, from nothing", plain), ("all, what is left to do", left)):
        if chosen is left and len(left) == len(plain):
            continue
        lines.append(_summary(words, _renumbered(jobs, chosen), [costs[i] for i in chosen], cores, gpus))
    lines.append(
        "At least: as if no core ever waited for another, or the longest chain of jobs that wait for each other. "
        "Memory: of the largest jobs that could run at once; `--resources mem_mb=...` keeps a run below what it says."
    )
    factors = ", ".join(f"{kind} {speed.get(kind, 1.0):.2f}" for kind in KINDS)
    lines.append(
        f"Measured on {MACHINE}; this machine, with what else it does just now, takes that many times as long: "
        f"{factors}. A training counts to its last epoch: early stopping makes it shorter."
    )
    if took:
        lines.append("What finished jobs took is the processor time of their last run, from the files of benchmarks.")
    if total.gpu_seconds:
        lines.append(
            f"GPU-hours are reckoned from steps on {GPU}: another one may take some times as long (docs/cost.md). They "
            "are hours that jobs hold one, reading images and scoring included, which a processor does, and are among "
            "the core-hours too. `--resources gpu=1` keeps jobs from sharing the only GPU of a machine."
        )
    return "\n".join(lines)


def _cells(cost: Cost) -> tuple[str, ...]:
    gpu = f"{cost.gpu_seconds / HOUR:.1f}" if cost.gpu_seconds else ""
    return (
        str(cost.jobs),
        f"{cost.seconds / HOUR:.2f}",
        gpu,
        size_words(cost.memory_mb),
        size_words(cost.megabytes),
    )


def _renumbered(jobs: Sequence[Mapping[str, Any]], chosen: Sequence[int]) -> list[dict[str, Any]]:
    """Some of the jobs, which wait only for one another."""
    number = {old: new for new, old in enumerate(chosen)}
    return [{**jobs[i], "after": [number[j] for j in jobs[i]["after"] if j in number]} for i in chosen]


def _summary(words: str, jobs: Sequence[Mapping[str, Any]], costs: Sequence[Cost], cores: int, gpus: int) -> str:
    total = sum(costs, Cost())
    machine = f"{cores} core{'s' if cores > 1 else ''}"
    if total.gpu_seconds:
        machine += f" and {gpus} GPU{'s' if gpus > 1 else ''}"
    return (
        f"{words}: {total.jobs} jobs, {trainings(jobs)} of them train networks; {duration(total.seconds)} of a core, "
        f"at least {duration(wall_seconds(jobs, costs, cores, gpus))} on {machine}; memory up to "
        f"{size_words(peak_memory(jobs, cores, gpus))}; {size_words(total.megabytes)} on the disk"
    )


def spent(jobs: Sequence[Mapping[str, Any]], folder: Path = Path()) -> tuple[dict[tuple[str, str], Cost], Counter]:
    """What finished jobs did cost, by method and stage, from the files of `benchmark:`; and how many have one.

    Seconds are of the processor; a job that ran more than once counts with its last run.
    """
    found: dict[tuple[str, str], Cost] = defaultdict(Cost)
    counted: Counter = Counter()
    for job in jobs:
        path = folder / job["benchmark"]
        if not job["benchmark"] or not path.is_file():
            continue
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        if not rows:
            continue
        key = (job["method"], job["stage"])
        seconds, memory = (_measured(rows[-1].get(name, "")) for name in ("cpu_time", "max_rss"))
        found[key] += Cost(1, seconds, 0.0, memory, 0.0)
        counted[key] += 1
    return dict(found), counted


def _measured(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        # Snakemake writes `-` or `NA` where it could not measure.
        return 0.0
