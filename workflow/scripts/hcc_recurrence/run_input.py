"""What a run is asked for, and its config, cohorts and patients, read and checked before anything else."""

from __future__ import annotations

import atexit
import gc
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from hcc_recurrence.command_line import (
    asks_without_split,
    near_targets,
    repeated_options,
    runs_jobs,
    typed_targets,
)
from hcc_recurrence.config_entries import unused_entries
from hcc_recurrence.config_layers import load_layers
from hcc_recurrence.configuration import load_configuration
from hcc_recurrence.numerics import NATIVE, use_kernels
from hcc_recurrence.plan import Plan
from hcc_recurrence.presets import preset_warnings
from hcc_recurrence.problems import InputError, Notice, Problem, stopping_later, told
from hcc_recurrence.storage import storage_problems

# The workflow's own file, as Snakemake names it.
BASE_CONFIG = Path("config/config.yaml")
# Top-level keys whose value is text whatever it looks like, such as a folder called 2019.
TEXTS = ("dicom_root", "clinical_table", "job", "study")
# Folders that a run writes to.
WRITTEN = ("results", "logs", "benchmarks")
# Rules that others ask for, and no person.
INNER = {"list_problems", "check_published_tables", "list_report"}
AS_A_TABLE = (
    "As a table: snakemake --cores 1 preflight, with the same --configfile and --config; then open "
    "results/preflight/problems.html"
)
# One thread a job for numerical libraries: the same bytes for any --cores. Rules that train set more themselves.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")


class GivenConfig(NamedTuple):
    """Where the parts of a run's config come from: all files, those of a person alone, and `key=value` as typed."""

    all_files: Sequence[str]
    files: Sequence[Path]
    entries: Sequence[str]
    replace: bool = False


@dataclass
class RunInput:
    """What was read.

    own: the config as given. config: checked and complete; empty where it is refused. plan: None where anything is.
    notices: what a person should look at, and which stops nothing. warnings: to print before the first job.
    """

    own: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    plan: Plan | None = None
    problems: list[Problem] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def keep_going(self) -> bool:
        """Whether patients with a problem are left out, where nothing else is wrong."""
        return self.plan is not None and self.config["keep_going"]


def prepare_process(scripts: Path) -> None:
    """Settings of this process for planning, and of the jobs that it starts.

    Args: scripts: the folder in which the package lies. Adapters lie in folders by stage: where Snakemake starts one
        itself, Python looks only into the adapter's own folder and this one.
    """
    given = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([str(scripts), *given]))
    os.environ.update(dict.fromkeys(THREADS, "1"))
    # Those of tables; the config, which says which ones networks take, is not read yet.
    use_kernels(NATIVE)
    # Planning makes millions of objects that stay. Python would look at all of them again with every few hundred new
    # ones.
    gc.set_threshold(200_000, 50, 1000)
    atexit.register(gc.freeze)


def read_run_input(given: GivenConfig, root: Path, words: Sequence[str], is_run: bool) -> RunInput:
    """Config, sheets and files of a run.

    Args:
        root: the folder of the workflow. words: of the command line. is_run: False in one of a run's jobs.

    Returns: the input. Where it is refused but a list of problems or a draft of the sheets is asked for, the problems.

    Raises: InputError with every problem.
    """
    # Snakemake knows its targets only after the Snakefile is read.
    listing = _asks_for_list(words)
    # Too few patients for the folds of a split stop all that needs one. The list of problems needs none and names them.
    needs_split = is_run and not listing and not asks_without_split(words)
    run = RunInput()
    try:
        _read(run, given, root, words, is_run)
        assert run.plan is not None
        if run.plan.split_problems and needs_split:
            few, notices = [*run.plan.problems, *run.plan.split_problems], run.plan.notices
            run.plan = None
            raise InputError(few, notices)
    except UnwritableError:
        raise
    except InputError as error:
        if needs_split and error.of_splits:
            error = InputError([*error.problems, *error.of_splits], error.notices)
        # Sheets may be drafted before there are any.
        if not listing and not ("discover" in words and run.config):
            raise error from None
        run.problems, run.notices = error.problems, [*stopping_later(error.of_splits), *error.notices]
        return run
    unavailable = use_kernels(run.config["numerics"])
    run.problems = run.plan.problems
    run.notices = [*stopping_later(run.plan.split_problems if listing else []), *run.plan.notices]
    if is_run:
        run.warnings = [told(run.notices)] if run.notices else []
        run.warnings += unavailable
        run.warnings += preset_warnings(run.config, sorted(run.plan.cohorts))
        run.warnings += [] if run.config["models"] else unused_entries(run.config, run.own)
    return run


def _asks_for_list(words: Sequence[str]) -> bool:
    # Also of the job that writes it, whose rule is named with a colon.
    return bool({word.split(":")[0] for word in words} & {"preflight", "list_problems"})


class UnwritableError(InputError):
    """No folder that a list of problems could be written to."""


def _read(run: RunInput, given: GivenConfig, root: Path, words: Sequence[str], is_run: bool) -> None:
    base = BASE_CONFIG if str(BASE_CONFIG) in map(str, given.all_files) else None
    run.own, found = load_layers(base, given.files, given.entries, texts=TEXTS, replace=given.replace)
    writes = is_run and runs_jobs(words)
    if is_run:
        found += [
            Problem("", "", "command line", *said.rstrip(".").split(". What to do: "))
            for said in repeated_options(words)
        ]
    named = run.own.get("pathvars") or {}
    if full_or_shut := storage_problems({kind: str(named.get(kind) or kind) for kind in WRITTEN} if writes else {}):
        if _asks_for_list(words):
            raise UnwritableError(full_or_shut)
        found += full_or_shut
    run.config = load_configuration(run.own, root / "config" / "papers", root / "workflow" / "schemas", found)
    caches = Path(".snakemake", "hcc_headers.json"), Path(".snakemake", "hcc_checked.json")
    run.plan = Plan(run.config, Path(), *caches, sent=not is_run)


def unknown_targets(words: Sequence[str], rules: Iterable[Any], config: Mapping[str, Any], plan: Plan) -> list[str]:
    """A sentence on each target that no rule makes; Snakemake names no near one.

    Args: rules: of Snakemake, each with `name`, `has_wildcards` and `is_producer`.
    """
    steps, papers = list(rules), sorted(config["papers"])
    asked = [
        target
        for target in typed_targets(words, {step.name for step in steps})
        if not Path(target).exists() and not any(step.is_producer(target) for step in steps)
    ]
    known = {step.name for step in steps if not step.has_wildcards()} - INNER
    names = {
        name: f"{name} is a cohort: ask for a method, such as {papers[0]}, or all, and name the cohort in `studies`"
        for name in config["cohorts"]
    }
    if not config["models"]:
        names["apply"] = "apply makes nothing without `models` in the config: name folders or zips of exported models"
    names["init"] = "write `make init`, which begins a config and sheets for your own patients"
    # Such a target would be made of nothing: "Nothing to be done".
    idle = set(words) & set(papers) - {paper for paper, _ in plan.studies}
    return [near_targets(target, known, names) for target in asked] + [
        f"no study of this run uses {paper}. What to do: add one to `studies`, such as {{paper: {paper}, cohort: "
        f"{sorted(plan.cohorts)[0]}}}."
        for paper in sorted(idle)
    ]
