"""The jobs of a plan of Snakemake with what each does, as plain values that a file can hold."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from hcc_recurrence.cost.dry_runs import ask_dry_run
from hcc_recurrence.cost.table import Unit
from hcc_recurrence.cost.work import Workload

# A dry run with this variable writes its jobs (`planned_jobs`) into that file, as JSON (snakemake_records).
JOBS_TO = "HCC_JOBS_TO"
# What all targets that learn would make together.
TARGETS = ("all", "null_control")
IMAGES, NETWORKS, MODELS, RESULTS = "images", "networks", "models", "tables and figures"
STAGES = (IMAGES, NETWORKS, MODELS, RESULTS)
NULL = "null control"
# Files of rules whose jobs prepare images.
IMAGE_FILES = {"images", "crops", "radiomics", "segmentation", "segmentation_training", "tumours", "cohort"}
# Of a method's own rules, those that learn.
LEARNING = ("fit_", "rank_", "choose_")
ALL_METHODS = "shared by all methods"


def stage_of(rule: str, file: str) -> str:
    """Which stage the jobs of a rule are of, by its name and the name of its file."""
    if rule.startswith("train_") or rule in ("segment_patients", "extract_deep_features"):
        return NETWORKS
    of_one_method = Path(file).stem == "own_steps" or Path(file).parent.name == "methods"
    if rule == "fit_method" or (of_one_method and rule.startswith(LEARNING)):
        return MODELS
    return IMAGES if Path(file).stem in IMAGE_FILES else RESULTS


def planned_jobs(dag: Any, workload: Workload, papers: Collection[str]) -> list[dict[str, Any]]:
    """Every job of Snakemake's plan, those first that others wait for where it has them so.

    Returns: of each job its rule, stage, method, cohort, run (whether it is still to do), threads, gpus, memory_mb,
        benchmark (its file), units (as lists), after (positions of the jobs that it waits for).
    """
    jobs = [job for job in dag.jobs if not job.is_norun]
    place = {job: i for i, job in enumerate(jobs)}
    return [
        {
            **_about(job, papers),
            "run": bool(dag.needrun(job)),
            "units": [list(unit) for unit in workload.units(job.rule.name, job.wildcards_dict)],
            "after": [place[other] for other in dag.dependencies[job] if other in place],
        }
        for job in jobs
    ]


def megabytes_there(dag: Any) -> list[float]:
    """Of every job of `planned_jobs` the megabytes of its outputs that are on the disk.

    A file that two jobs share (a hard link) counts with the first of them.
    """
    counted: set[tuple[int, int]] = set()
    found = []
    for job in dag.jobs:
        if not job.is_norun:
            found.append(sum(_bytes_of(Path(str(output)), counted) for output in job.output) / 1e6)
    return found


def _bytes_of(path: Path, counted: set[tuple[int, int]]) -> int:
    if path.is_dir():
        return sum(_bytes_of(child, counted) for child in path.iterdir())
    try:
        about = path.stat()
    except OSError:
        # Made for other jobs alone, and gone with them.
        return 0
    place = about.st_dev, about.st_ino
    if place in counted:
        return 0
    counted.add(place)
    return about.st_size


def _about(job: Any, papers: Collection[str]) -> dict[str, Any]:
    wildcards, rule = job.wildcards_dict, job.rule.name
    cohort = wildcards.get("cohort", "")
    permuted = "/null/" in f"{cohort}/" or "permutation" in wildcards or rule == "summarise_null_control"
    where = f"{job.benchmark or ''}/{rule}"
    method = wildcards.get("paper", "")
    if method not in papers:
        method = next((paper for paper in papers if f"/{paper}/" in where or paper in rule), ALL_METHODS)
    resources = job.resources
    return {
        "rule": rule,
        "stage": NULL if permuted else stage_of(rule, job.rule.snakefile),
        "method": method,
        "cohort": cohort.split("/")[0],
        "threads": job.threads,
        "gpus": int(resources.get("gpu", 0) or 0),
        "memory_mb": _number(resources.get("mem_mb", 0)),
        "benchmark": str(job.benchmark or ""),
    }


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def read_units(job: Mapping[str, Any]) -> list[Unit]:
    """The units of a job as a file holds it."""
    return [Unit(step, number, unit, of, tuple(size)) for step, number, unit, of, size in job["units"]]


def ask_for_jobs(snakefile: str, config: Mapping[str, Any], targets: Sequence[str] = TARGETS) -> list[dict[str, Any]]:
    """The jobs of the targets, by a dry run with the same config.

    Raises: RuntimeError where Snakemake could not plan them.
    """
    return ask_dry_run(snakefile, config, targets, JOBS_TO, "Snakemake could not plan the jobs")
