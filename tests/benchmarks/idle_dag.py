"""`snakemake -n` with everything done, beside Snakemake on an empty workflow of as many jobs.

    python tests/benchmarks/idle_dag.py /tmp/idle_dag

3,000 simulated CT patients in three phases, all five papers at their published settings. Every output is a file of
one letter, with Snakemake's record of what made it, as after a finished run. The reference is a workflow of as many
jobs in three rules, each with an input, an output and a shell command, finished as well. Both take turns.
"""

from __future__ import annotations

import argparse
import csv
import re
import statistics
import sys
from pathlib import Path

from runs import count_jobs, run, snakemake

RATIO_GOAL, SECONDS_GOAL = 1.5, 60
PATIENTS = 3000
EMPTY = """
rule all:
    input: expand("c/{{i}}.txt", i=range({chains}))
rule a:
    output: "a/{{i}}.txt"
    shell: "touch {{output}}"
rule b:
    input: "a/{{i}}.txt"
    output: "b/{{i}}.txt"
    shell: "touch {{output}}"
rule c:
    input: "b/{{i}}.txt"
    output: "c/{{i}}.txt"
    shell: "touch {{output}}"
"""
# `--touch` waits a tenth of a second in each job, and the scheduler's time grows with the square of the ready jobs.
QUICK = """
import sys
from types import SimpleNamespace
from snakemake import cli
from snakemake.executors import touch
from snakemake.scheduling.job_scheduler import JobScheduler
touch.time = SimpleNamespace(sleep=lambda seconds: None)
JobScheduler.job_selector = lambda self, jobs: set(jobs)
cli.main(sys.argv[1:])
"""


def record(folder: Path, *arguments: str) -> str:
    """Snakemake's record of every job, whose outputs are there."""
    finishing = ("--touch", "--forceall", "--cores", "100000", "--", "all")
    return run([sys.executable, "-c", QUICK, *arguments, *finishing], folder)[0]


def rules_of_folders(folder: Path) -> set[str]:
    """Rules whose output is a folder."""
    text = "".join(file.read_text() for file in (folder / "workflow" / "rules").rglob("*.smk"))
    blocks = re.split(r"\n(?=rule |use rule )", text)
    outputs = {b: re.search(r"\n    output:\n(.*?)\n    \w+:", b, re.DOTALL) for b in blocks}
    shared = {re.match(r"rule (\w+)", b)[1] for b, o in outputs.items() if o and "directory(" in o[1]}
    # Steps of one method are declared: `"name": {`.
    steps = re.split(r'\n    (?="\w+": \{)', text)
    return shared | {re.match(r'"(\w+)"', step)[1] for step in steps[1:] if "[kept_model(" in step}


def finish(folder: Path, config: tuple[str, ...]) -> int:
    """Make every output of `all` and Snakemake's records; returns how many jobs there are."""
    said, _ = snakemake(folder, *config, "-n", "--summary", "--", "all")
    lines = [line for line in said.splitlines() if "\t" in line]
    folders = rules_of_folders(folder)
    for row in csv.DictReader(lines, delimiter="\t"):
        path = folder / row["output_file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        if row["rule"] in folders:
            path.mkdir(exist_ok=True)
        else:
            # Some outputs have to hold something.
            path.write_text("x")
    return count_jobs(record(folder, *config))


def measure(folder: Path, runs: int = 3) -> dict[str, dict]:
    """Ratio of the median seconds, and as `idle_dag_seconds` ours."""
    from large_cohort import STUDIES, write_large_cohort
    from workflow_runner import copy_workflow

    own, empty = folder / "own", folder / "empty"
    own.mkdir(parents=True)
    empty.mkdir()
    copy_workflow(own)
    write_large_cohort(own, PATIENTS, STUDIES)
    config = ("--configfile", "big.yaml")
    jobs = finish(own, config)
    print(f"{jobs} jobs", flush=True)
    (empty / "Snakefile").write_text(EMPTY.format(chains=jobs // 3))
    finish(empty, ())
    seconds: dict[str, list[float]] = {"own": [], "empty": []}
    for _ in range(runs):
        for name, where, options in (("own", own, config), ("empty", empty, ())):
            said, took = snakemake(where, *options, "-n", "--", "all")
            if "Nothing to be done" not in said:
                sys.exit(f"{name}: not everything is done\n{said[-3000:]}")
            seconds[name].append(took)
            print(f"{name}: {took:.1f} s", flush=True)
    median = {name: statistics.median(took) for name, took in seconds.items()}
    print(f"idle: {median['own']:.1f} s, empty workflow {median['empty']:.1f} s")
    return {
        "idle_dag": {"ratio": median["own"] / median["empty"], "goal": RATIO_GOAL, "jobs": jobs},
        "idle_dag_seconds": {"ratio": median["own"], "goal": SECONDS_GOAL},
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    measure(parser.parse_args().folder.resolve())
