"""The rows of workflow/costs.csv that are the demo's own, from the benchmark files of a finished demo.

    python tests/benchmarks/demo_costs.py RUN
    python tests/benchmarks/demo_costs.py RUN --write    # and put them into workflow/costs.csv

RUN is the folder of a finished `snakemake all` of the default config, with its benchmarks/. Prints processor seconds
reckoned and measured by method and stage, with the table as it is and with the rows as fitted.

A row of the demo is one that says so in its column `measured`, with nothing behind it: its seconds are what makes the
jobs that use it cost together what they took, all other rows as they are, one row after the other until none moves. A
network's scores stay a third of its step. Memory of a rule is that of its largest job. Sizes that the demo does not
have, and rows of how jobs start (`demo: start ...`), stay.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "workflow" / "scripts"))

from hcc_recurrence.cost.planned import ask_for_jobs, read_units  # noqa: E402
from hcc_recurrence.cost.sums import OF_SNAKEMAKE, grouped, job_cost, spent  # noqa: E402
from hcc_recurrence.cost.table import SAME_AS, CostTable  # noqa: E402

TABLE = REPOSITORY / "workflow" / "costs.csv"
THIRD = "; a third of a step"
# Times that all rows are fitted: rows that share jobs settle.
ROUNDS = 30
Row = dict[str, str]


def key_of(row: Mapping[str, str]) -> tuple[str, ...]:
    """What a row is of."""
    return row["step"], row["of"], row["size"], row["unit"]


def is_of_the_demo(row: Mapping[str, str]) -> bool:
    """Whether the demo decides the seconds of a row, by what it says itself."""
    said = row["measured"].removesuffix(THIRD)
    return said in ("mean of the demo", "demo") and row["step"] != "other"


def amounts(job: Mapping[str, Any], table: CostTable, rows: Sequence[Row]) -> dict[int, float]:
    """How often a job pays the seconds of each row, by the row's position."""
    places = {key_of(row): i for i, row in enumerate(rows)}
    found: dict[int, float] = defaultdict(float)
    for unit in read_units(job):
        for row, factor in table.parts(SAME_AS.get(unit.step, unit.step), unit):
            found[places[row.key]] += factor * unit.number
    return dict(found)


def fitted(rows: Sequence[Row], jobs: Sequence[Mapping[str, Any]], took: Sequence[float]) -> list[float]:
    """Seconds of each row, those of the demo from what its jobs took.

    Args: took: processor seconds of each job.
    """
    table = CostTable(rows)
    seconds = [float(row["seconds"]) for row in rows]
    paid = [amounts(job, table, rows) for job in jobs]
    places = {key_of(row): i for i, row in enumerate(rows)}
    # A score's row goes with that of its step.
    step_of = {i: places.get(("train", *key_of(r)[1:])) for i, r in enumerate(rows) if r["step"] == "score"}
    users: dict[int, list[int]] = defaultdict(list)
    for j, own in enumerate(paid):
        for i in own:
            users[i].append(j)
    for _ in range(ROUNDS):
        for i, row in enumerate(rows):
            if not is_of_the_demo(row) or i in step_of:
                continue
            third = next((score for score, step in step_of.items() if step == i), None)
            shared = sorted({*users[i], *users.get(third, [])})
            amount = sum(paid[j].get(i, 0.0) + paid[j].get(third, 0.0) / 3 for j in shared)
            if amount:
                whole = sum(took[j] for j in shared)
                others = sum(seconds[k] * n for j in shared for k, n in paid[j].items() if k not in (i, third))
                seconds[i] = max(0.0, whole - others) / amount
                if third is not None:
                    seconds[third] = seconds[i] / 3
    return seconds


def print_sums(words: str, rows: Sequence[Row], jobs: Sequence[Mapping[str, Any]], folder: Path) -> None:
    """Seconds reckoned and measured by method and stage."""
    table = CostTable(rows)
    costs = [job_cost(job, table, {}) for job in jobs]
    took, _ = spent(jobs, folder)
    print(f"{words}\n{'method':24}{'stage':20}{'jobs':>6}{'reckoned, s':>13}{'measured, s':>13}{'ratio':>7}")
    groups = grouped(jobs, costs)
    for (method, stage), cost in groups.items():
        own = took[method, stage].seconds
        reckoned = cost.seconds - OF_SNAKEMAKE * cost.jobs
        print(f"{method:24}{stage:20}{cost.jobs:6}{reckoned:13.1f}{own:13.1f}{reckoned / own:7.2f}")
    whole, reckoned = sum(c.seconds for c in took.values()), sum(c.seconds for c in costs) - OF_SNAKEMAKE * len(jobs)
    print(f"{'all':44}{len(jobs):6}{reckoned:13.1f}{whole:13.1f}{reckoned / whole:7.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    folder = asked.run.resolve()
    os.chdir(REPOSITORY)
    with open(TABLE, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    config = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())
    planned = ask_for_jobs("Snakefile", config, ["all"])
    jobs = [job for job in planned if job["benchmark"] and (folder / job["benchmark"]).is_file()]
    print(f"{len(jobs)} of {len(planned)} jobs have a file of benchmarks")
    print_sums("the table as it is", rows, jobs, folder)
    took, memory = [], dict.fromkeys((job["rule"] for job in jobs), 0.0)
    for job in jobs:
        (own,) = spent([job], folder)[0].values()
        took.append(own.seconds)
        memory[job["rule"]] = max(memory[job["rule"]], own.memory_mb)
    for row, seconds in zip(rows, fitted(rows, jobs, took), strict=True):
        if abs(seconds - float(row["seconds"])) > 1e-9:
            print(f"{' '.join(filter(None, key_of(row)))}: {row['seconds']} is {seconds:.4g}")
            row["seconds"] = f"{seconds:.4g}"
        if row["memory_mb"] and row["step"] in memory:
            row["memory_mb"] = f"{memory[row['step']]:.0f}"
    print_sums("with the demo's rows as fitted", rows, jobs, folder)
    if asked.write:
        with open(TABLE, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
