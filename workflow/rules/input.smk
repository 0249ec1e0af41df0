# The config and the sheets, read and checked. Where they are refused, the target `preflight` still writes the list of
# problems, and nothing else exists.
import atexit
import gc
import os
import sys
import uuid
from dataclasses import astuple
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.scheduling.job_scheduler import JobScheduler
from snakemake.script import PythonScript

SCRIPTS = Path(workflow.basedir) / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))

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
from hcc_recurrence.job_starter import JobStarter
from hcc_recurrence.plan import Plan
from hcc_recurrence.presets import preset_warnings
from hcc_recurrence.problems import InputError, Problem, stopping_later, told
from hcc_recurrence.provenance import code_version
from hcc_recurrence.snakemake_inside import (
    quiet_scheduler,
    remember_signatures,
    start_groups_together,
    start_scripts_from_one_process,
)
from hcc_recurrence.snakemake_records import (
    are_kept_with_results,
    keep_records_with_results,
)
from hcc_recurrence.storage import storage_problems

quiet_scheduler(JobScheduler)
start_scripts_from_one_process(PythonScript, JobStarter(SCRIPTS))
# What makes results valid lies with the results, not in `.snakemake`.
keep_records_with_results()

# One thread a job for numerical libraries: the same bytes for any --cores. Rules that train set more themselves.
for variable in (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
):
    os.environ[variable] = "1"

# Planning makes millions of objects that stay. Python would look at all of them again with every few hundred new ones.
gc.set_threshold(200_000, 50, 1000)
atexit.register(gc.freeze)

# Which attempt of which run a job of a cluster is: where an earlier one met an error that would come again, it ends.
if "--attempt" in sys.argv:
    os.environ.update(HCC_ATTEMPT=sys.argv[sys.argv.index("--attempt") + 1])
if workflow.is_main_process:
    os.environ.update(HCC_RUN=uuid.uuid4().hex)
    start_groups_together()

# Whether the list of problems is what is asked for, on the command line or of the job that writes it. Snakemake knows its
# targets only after this file is read.
LISTING = {a.split(":")[0] for a in sys.argv[1:]} & {"preflight", "list_problems"}
# Too few patients for the folds of a split stop all that needs one. The list of problems needs none, and names them.
NEEDS_SPLIT = (
    workflow.is_main_process and not LISTING and not asks_without_split(sys.argv[1:])
)
# Whether sheets are drafted, which those of the config may wait for.
DRAFTING = "discover" in sys.argv[1:]
FULL_CONFIG, PLAN, PROBLEMS, KEEP_GOING = {}, None, [], False
# What a person should look at, and which stops nothing.
NOTICES = []


def written_folders():
    """The folders that this run writes to, by kind; none in a job, or where nothing is run."""
    if not (workflow.is_main_process and runs_jobs(sys.argv[1:])):
        return {}
    named = OWN_CONFIG.get("pathvars") or {}
    kinds = ("results", "logs", "benchmarks")
    return {kind: str(named.get(kind) or kind) for kind in kinds}


# Read anew: Snakemake loses a key that stands twice, and takes `--config keep_going=true` for text. What it hands to the
# rules is what was read here.
BASE_CONFIG = Path("config/config.yaml")
OWN_CONFIG = {}

try:
    OWN_CONFIG, found = load_layers(
        BASE_CONFIG if str(BASE_CONFIG) in map(str, workflow.configfiles) else None,
        workflow.overwrite_configfiles,
        workflow.config_settings.config_args or [],
        texts=("dicom_root", "clinical_table"),
        replace=workflow.config_settings.replace_workflow_config,
    )
    config.clear()
    config.update(OWN_CONFIG)
    if workflow.is_main_process:
        found += [
            Problem("", "", "command line", *words.rstrip(".").split(". What to do: "))
            for words in repeated_options(sys.argv[1:])
        ]
    full_or_shut = storage_problems(written_folders())
    if LISTING and full_or_shut:
        # The list itself could not be written.
        LISTING = set()
        raise InputError(full_or_shut)
    found += full_or_shut
    FULL_CONFIG = load_configuration(
        config,
        Path(workflow.basedir, "config", "papers"),
        Path(workflow.basedir, "workflow", "schemas"),
        found,
    )
    PLAN = Plan(
        FULL_CONFIG,
        Path(),
        Path(".snakemake", "hcc_headers.json"),
        Path(".snakemake", "hcc_checked.json"),
        sent=not workflow.is_main_process,
    )
    if PLAN.split_problems and NEEDS_SPLIT:
        few = [*PLAN.problems, *PLAN.split_problems]
        notices, PLAN = PLAN.notices, None
        raise InputError(few, notices)
    PROBLEMS, KEEP_GOING = PLAN.problems, FULL_CONFIG["keep_going"]
    NOTICES = [*stopping_later(PLAN.split_problems if LISTING else []), *PLAN.notices]
    if NOTICES and workflow.is_main_process:
        logger.warning(told(NOTICES))
    if workflow.is_main_process:
        for line in [
            *preset_warnings(FULL_CONFIG, sorted(PLAN.cohorts)),
            *unused_entries(FULL_CONFIG, OWN_CONFIG),
        ]:
            logger.warning(line)
except InputError as error:
    if NEEDS_SPLIT and error.of_splits:
        error = InputError([*error.problems, *error.of_splits], error.notices)
    if not LISTING and not (DRAFTING and FULL_CONFIG):
        raise WorkflowError(
            f"{error}\nAs a table: snakemake --cores 1 preflight, with the same --configfile and --config; then open "
            "results/preflight/problems.html"
        ) from None
    PROBLEMS = error.problems
    NOTICES = [*stopping_later(error.of_splits), *error.notices]


def refuse_unknown_targets(rules):
    """End in words where a target is asked for that no rule makes; Snakemake names no near one."""
    if not workflow.is_main_process:
        return
    steps = list(rules)
    asked = [
        target
        for target in typed_targets(sys.argv[1:], {step.name for step in steps})
        if not Path(target).exists()
        and not any(step.is_producer(target) for step in steps)
    ]
    inner = {"list_problems", "check_published_tables", "write_start_page"}
    known = {step.name for step in steps if not step.has_wildcards()} - inner
    names = {
        name: f"{name} is a cohort: ask for a method, such as {PAPERS[0]}, or all, and name the cohort in `studies`"
        for name in FULL_CONFIG["cohorts"]
    }
    problems = [near_targets(target, known, names) for target in asked]
    # Such a target would be made of nothing: "Nothing to be done".
    idle = set(sys.argv[1:]) & set(PAPERS) - {paper for paper, _ in PLAN.studies}
    problems += [
        f"no study of this run uses {paper}. What to do: add one to `studies`, such as {{paper: {paper}, cohort: "
        f"{sorted(PLAN.cohorts)[0]}}}."
        for paper in sorted(idle)
    ]
    if problems:
        raise WorkflowError("\n".join(problems))


def code(script, *modules):
    """Hash of the meaning of a script and of the package modules it reaches, and of those it imports by a given name."""
    return code_version(SCRIPTS / f"{script}.py", SCRIPTS, modules)


def untracked(function):
    """A parameter that never triggers a rerun: Snakemake leaves out functions that take `input`."""
    return lambda wildcards, input: function(wildcards)


def memory(mb):
    """Memory that doubles with each attempt."""
    return lambda wildcards, attempt: mb * 2 ** (attempt - 1)


def minutes(number):
    """Run time that grows with each attempt."""
    return lambda wildcards, attempt: number * attempt
