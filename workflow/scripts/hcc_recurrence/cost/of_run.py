"""What a run was to cost by the table, beside what it did cost: a table of the report, and words for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hcc_recurrence.cost.sums import HOUR, Cost, grouped, job_cost, spent
from hcc_recurrence.cost.table import MACHINE, CostTable

COLUMNS = (
    *("method", "stage", "jobs", "reckoned_core_hours", "reckoned_gpu_hours"),
    *("measured_jobs", "reckoned_core_hours_of_measured", "measured_core_hours"),
    *("reserved_memory_mb", "measured_memory_mb", "reckoned_disk_mb", "disk_mb"),
)
ALL = "all"


def cost_of_run(
    jobs: Sequence[Mapping[str, Any]], table: CostTable, megabytes: Sequence[float], folder: Path = Path()
) -> list[dict[str, Any]]:
    """A row for each method and stage, and one for all of them.

    Reckoned is for the machine of the table, without a calibration. Measured are the jobs whose file of `benchmark:` is
    there, of this run or an earlier one, each with its last run. Memory is of the largest job.

    Args:
        jobs: from `planned_jobs`. megabytes: of each job's outputs on the disk. folder: that the paths of benchmarks
            start from.

    Returns: rows with `COLUMNS`; reckoned_core_hours_of_measured are those of the measured jobs alone.
    """
    costs = [job_cost(job, table, {}) for job in jobs]
    measured = [i for i, job in enumerate(jobs) if job["benchmark"] and (folder / job["benchmark"]).is_file()]
    of_measured = grouped([jobs[i] for i in measured], [costs[i] for i in measured])
    took, counted = spent(jobs, folder)
    on_disk: dict[tuple[str, str], float] = defaultdict(float)
    for job, own in zip(jobs, megabytes, strict=True):
        on_disk[job["method"], job["stage"]] += own
    groups = grouped(jobs, costs)
    rows = [
        _row(key, reckoned, of_measured.get(key, Cost()), took.get(key, Cost()), counted[key], on_disk[key])
        for key, reckoned in groups.items()
    ]
    reckoned, of_these, spent_in_all = (sum(own.values(), Cost()) for own in (groups, of_measured, took))
    return [*rows, _row((ALL, ""), reckoned, of_these, spent_in_all, sum(counted.values()), sum(megabytes))]


def _row(
    key: tuple[str, str], reckoned: Cost, of_measured: Cost, took: Cost, measured: int, megabytes: float
) -> dict[str, Any]:
    values = (
        *(*key, reckoned.jobs, round(reckoned.seconds / HOUR, 4), round(reckoned.gpu_seconds / HOUR, 4)),
        *(measured, round(of_measured.seconds / HOUR, 4), round(took.seconds / HOUR, 4)),
        *(round(reckoned.memory_mb), round(took.memory_mb), round(reckoned.megabytes, 1), round(megabytes, 1)),
    )
    return dict(zip(COLUMNS, values, strict=True))


def shown_costs(costs: pd.DataFrame) -> pd.DataFrame:
    """The table as the report shows it: hours with two decimals, memory and disk in GB.

    Args: costs: with `COLUMNS`.
    """
    measured = costs["measured_jobs"] > 0
    shown = pd.DataFrame(
        {
            "Method": costs["method"],
            "Stage": costs["stage"].fillna(""),
            "Jobs": costs["jobs"],
            "of these measured": costs["measured_jobs"],
            "Core-hours reckoned": _fixed(costs["reckoned_core_hours"], 2),
            "reckoned for the measured": _fixed(costs["reckoned_core_hours_of_measured"], 2, measured),
            "measured": _fixed(costs["measured_core_hours"], 2, measured),
            "Memory reserved, GB": _fixed(costs["reserved_memory_mb"] / 1000, 1),
            "memory measured, GB": _fixed(costs["measured_memory_mb"] / 1000, 1, measured),
            "Disk reckoned, GB": _fixed(costs["reckoned_disk_mb"] / 1000, 2),
            "disk there, GB": _fixed(costs["disk_mb"] / 1000, 2),
        }
    )
    if costs["reckoned_gpu_hours"].any():
        shown.insert(5, "GPU-hours reckoned", _fixed(costs["reckoned_gpu_hours"], 2))
    return shown


def _fixed(values: pd.Series, digits: int, known: pd.Series | None = None) -> pd.Series:
    text = values.map(lambda value: f"{value:.{digits}f}")
    return text if known is None else text.where(known, "")


def cost_words(costs: pd.DataFrame) -> str:
    """What is counted, in words, and what all of it took beside what was reckoned for it."""
    whole = costs[costs["method"] == ALL].iloc[0]
    said = (
        f"Reckoned: by the table of costs of the workflow (workflow/costs.csv), for {MACHINE}; trainings to their last "
        "epoch. Measured: processor time (user and system) and largest memory of the last run of each job of these "
        "results, in this run of Snakemake or an earlier one, from the files of benchmarks; jobs without such a file "
        "are not among the measured, nor is the report itself, nor what Snakemake takes between jobs. Memory is of the "
        "largest job; files that several jobs share count once, and the null control where it is part of the run."
    )
    if not whole["measured_jobs"]:
        return f"{said} No file of benchmarks is there: nothing was measured."
    took, reckoned = whole["measured_core_hours"], whole["reckoned_core_hours_of_measured"]
    # Of a run of seconds nothing is left of the hours that were reckoned.
    beside = f", {took / reckoned:.2f} times what was reckoned for them" if reckoned else ""
    return f"{said} The {whole['measured_jobs']} measured of {whole['jobs']} jobs took {took:.2f} core-hours{beside}."
