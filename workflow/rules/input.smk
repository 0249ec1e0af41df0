# The config and the sheets, read and checked. Where they are refused, the target `preflight` still writes the list of
# problems, and nothing else exists.
import os
import sys
import uuid
from dataclasses import astuple
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

# The folder of the workflow, wherever a Snakefile that uses it as a module lies.
HOME = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parents[1]
SCRIPTS = HOME / "workflow" / "scripts"
PACKAGE = SCRIPTS / "hcc_recurrence"
sys.path.insert(0, str(SCRIPTS))
ADAPTERS = {f.stem: f for f in SCRIPTS.glob("[!_]*/*.py") if f.parent != PACKAGE}

from hcc_recurrence.command_line import runs_jobs
from hcc_recurrence.job import SAID_BY_THE_RUN
from hcc_recurrence.job_starter import JobStarter
from hcc_recurrence.problems import InputError
from hcc_recurrence.progress_display import show_progress_of_run
from hcc_recurrence.provenance import PARSED, code_version
from hcc_recurrence.run_input import (
    AS_A_TABLE,
    GivenConfig,
    prepare_process,
    read_run_input,
    unknown_targets,
)
from hcc_recurrence.snakemake_inside import (
    ask_groups_once,
    attempt_of_job,
    default_resource,
    given_config,
    is_local_rule,
    is_to_say_more_or_less,
    quiet_scheduler,
    remember_signatures,
    start_groups_together,
    start_scripts_from_one_process,
    typed_words,
)
from hcc_recurrence.snakemake_records import (
    are_kept_with_results,
    keep_records_with_results,
)

prepare_process(SCRIPTS)
PARSED.keep_in(Path(".snakemake", "hcc_modules.json"))
quiet_scheduler()
ask_groups_once()
start_scripts_from_one_process(JobStarter(SCRIPTS))
# What makes results valid lies with the results, not in `.snakemake`.
keep_records_with_results()

# Which attempt of which run a job of a cluster is: where an earlier one met an error that would come again, it ends.
if attempt_of_job():
    os.environ.update(HCC_ATTEMPT=attempt_of_job())
if workflow.is_main_process:
    os.environ.update(HCC_RUN=uuid.uuid4().hex)
    start_groups_together()
else:
    # A job of a cluster writes to a log of the cluster, which nobody tells from.
    os.environ.pop(SAID_BY_THE_RUN, None)

WORDS = typed_words()
if (
    workflow.is_main_process
    and runs_jobs(WORDS)
    and not is_to_say_more_or_less(workflow)
):
    show_progress_of_run(logger)
try:
    RUN = read_run_input(
        GivenConfig(*given_config(workflow)),
        HOME,
        WORDS,
        workflow.is_main_process,
    )
except InputError as error:
    raise WorkflowError(f"{error}\n{AS_A_TABLE}") from None
for line in RUN.warnings:
    logger.warning(line)
# Read anew: Snakemake loses a key that stands twice, and takes `--config keep_going=true` for text. What it hands to the
# rules is what was read here.
if RUN.own:
    config.clear()
    config.update(RUN.own)
FULL_CONFIG, PLAN = RUN.config, RUN.plan


def refuse_unknown_targets(rules):
    """End in words where a target is asked for that no rule makes."""
    if not workflow.is_main_process:
        return
    if problems := unknown_targets(WORDS, rules, FULL_CONFIG, PLAN):
        raise WorkflowError("\n".join(problems))


def code(script, *modules):
    """Hash of the meaning of a script and of the package modules it reaches, and of those it imports by a given name."""
    return code_version(ADAPTERS[script], SCRIPTS, modules)


def untracked(function):
    """A parameter that never triggers a rerun: Snakemake leaves out functions that take `input`."""
    return lambda wildcards, input: function(wildcards)


def memory(mb):
    """Memory that doubles with each attempt."""
    return lambda wildcards, attempt: mb * 2 ** (attempt - 1)


def minutes(number):
    """Run time that grows with each attempt."""
    return lambda wildcards, attempt: number * attempt
