"""The only place that reaches into Snakemake's inside, each reach with its reason.

Each says what it replaces or reads and why. Where Snakemake has changed there, what is replaced stays as it is, and
`tests/unit/test_snakemake_inside.py` fails, so that a maintainer looks whether the reach is still needed.
`snakemake_records` replaces the store of what made each file; what of Snakemake it builds on stands here as well.
"""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from typing import Any

# What the records of results build on: Snakemake has a setting for the kind of its store, and none for where it is.
from snakemake.persistence import NO_PARAMS_CHANGE as NO_PARAMS_CHANGE
from snakemake.persistence import RECORD_FORMAT_VERSION as RECORD_FORMAT_VERSION
from snakemake.persistence import ParamsChange as ParamsChange
from snakemake.persistence.file import FilePersistence as FilePersistence
from snakemake_interface_common.exceptions import ApiError as ApiError
from snakemake_interface_executor_plugins.settings import ExecMode as ExecMode
from snakemake_interface_storage_plugins.io import Mtime as Mtime

from hcc_recurrence.job_starter import JobStarter

# What `start_scripts_from_one_process` asks of a job, and where it writes its use of the machine.
OF_A_SCRIPT = {"path", "threads", "resources", "bench_record"}
OF_A_SCRIPT |= {"conda_env", "container_img", "env_modules", "shadow_dir"}


# -- what is read ------------------------------------------------------------------------------------------------------


def typed_words() -> list[str]:
    """The words after `snakemake`. Snakemake knows its targets only when the Snakefile has been read."""
    return sys.argv[1:]


def parsed_words(words: Sequence[str]) -> Any:
    """The same by Snakemake's own parser, which takes a fifth of a second to make."""
    from snakemake.cli import get_argument_parser

    return get_argument_parser().parse_known_args(list(words))[0]


def attempt_of_job() -> str:
    """Which attempt a job of a cluster is; empty in a run. Snakemake says it to the job's command line alone."""
    return sys.argv[sys.argv.index("--attempt") + 1] if "--attempt" in sys.argv else ""


def given_config(workflow: Any) -> tuple[Sequence[str], Sequence[Any], Sequence[str], bool]:
    """All config files, those of the command line alone, `--config` as typed, and --replace-workflow-config.

    Snakemake has joined them already, without the keys that stand twice and with `true` as text.
    """
    settings = workflow.config_settings
    files, entries = workflow.overwrite_configfiles, settings.config_args or []
    return workflow.configfiles, files, entries, settings.replace_workflow_config


def is_local_rule(workflow: Any, name: str) -> bool:
    """Whether the jobs of a rule run where Snakemake runs. Of a dry run Snakemake calls every job local."""
    return workflow.get_rule(name).norun or name in workflow._localrules


def is_to_say_more_or_less(workflow: Any) -> bool:
    """Whether the command line asks Snakemake to say more than usual, or less."""
    asked = workflow.output_settings
    return bool(asked.verbose or asked.quiet or asked.debug_dag or asked.printshellcmds or asked.dryrun)


def default_resource(workflow: Any, name: str) -> Any:
    """A default resource of the profile or the command line; None where there is none. Rules cannot ask for one."""
    found = (workflow.resource_settings.default_resources or {}).get(name)
    return getattr(found, "raw", found)


def run_resource(workflow: Any, name: str) -> Any:
    """What `--resources` gives all jobs of the run together; None where it does not say."""
    found = workflow.global_resources.get(name)
    return getattr(found, "value", found)


def deciding_parameters(job: Any) -> dict[str, Any]:
    """A job's parameters by name, without those that never make it run again: functions of inputs, outputs, resources.

    Snakemake keeps the values that decide in a list of their own, without names.
    """
    rule = job.rule
    derived = {name for name, item in rule.params.items() if callable(item) and rule._is_deriving_function(item)}
    return {name: value for name, value in job.params.items() if name not in derived}


def describe_rule(workflow: Any, name: str, words: str, script: str) -> None:
    """Say what a rule does and which script it runs, for the list of rules and for Snakemake's own report.

    Of a rule that is made in a loop neither can be written into the rule itself: its docstring is a literal, and the
    path of its script is read when a job runs, from the job's parameters.
    """
    rule = workflow.get_rule(name)
    rule.docstring, rule.script = words, script


# -- what is replaced --------------------------------------------------------------------------------------------------


def replace_store(store: type) -> None:
    """Have the Snakemake of this process keep its records in another class. Called before it makes its store."""
    sys.modules["snakemake.workflow"].FilePersistence = store


def quiet_scheduler(scheduler: type | None = None) -> bool:
    """Make the scheduler's loop run when there is something to do, and not otherwise.

    With a limit of jobs a second, which is Snakemake's default, each pass of the loop starts a timer that runs the loop
    again a second later, whether or not the limit held a job back. Each job that ends adds one more of these chains,
    and none ends while jobs are left: after some hundred jobs the loop never rests, and asks each time for the size of
    every input of every job that could start. docs/speed.md has what that took.

    - At most one timer waits, and it does not hold up the end of the run.
    - While all cores are taken, no job can start: ready jobs are looked at again when a job has ended.
    - Sizes of inputs are not asked for where the scheduler's settings leave them out of its choice.

    Args: scheduler: Snakemake's JobScheduler, unless another one is named.

    Returns: False where Snakemake has changed here; nothing is replaced then.
    """
    if scheduler is None:
        from snakemake.scheduling.job_scheduler import JobScheduler as scheduler
    parts = ("_schedule_reevalutation", "open_jobs", "update_input_sizes")
    if not all(name in vars(scheduler) for name in parts):
        return False
    if hasattr(scheduler, "_wake_up_waits"):
        # Snakemake reads the Snakefile more than once in a process where it is called as a library.
        return True
    ready = vars(scheduler)["open_jobs"].fget
    ask_sizes = scheduler.update_input_sizes
    guard = threading.Lock()

    def wake_up_once(self: Any, delay: float) -> None:
        with guard:
            if self._wake_up_waits:
                return
            self._wake_up_waits = True

        def wake_up() -> None:
            with guard:
                self._wake_up_waits = False
            self._open_jobs.release()

        timer = threading.Timer(delay, wake_up)
        timer.daemon = True
        timer.start()

    def open_jobs(self: Any) -> list[Any]:
        if self.running and self.resources["_cores"] == 0:
            return []
        return ready(self)

    async def update_input_sizes(self: Any, jobs: Iterable[Any]) -> None:
        settings = getattr(self._scheduler, "settings", None)
        if not getattr(settings, "omit_prioritize_by_temp_and_input", False):
            await ask_sizes(self, jobs)

    scheduler._wake_up_waits = False
    scheduler._schedule_reevalutation = wake_up_once
    scheduler.open_jobs = property(open_jobs)
    scheduler.update_input_sizes = update_input_sizes
    return True


def ask_groups_once(dag: type | None = None) -> bool:
    """Ask of a group of jobs once what Snakemake asks for each of its jobs anew.

    A group is ready when all its jobs are, and must not wait for itself. Snakemake goes through the whole group for
    each of its jobs, twice over, and compares groups by all their jobs: of the plan of 300 patients for a cluster that
    was more than half (docs/speed.md).

    - Whether a group is ready is kept for one look at the jobs, during which nothing changes.
    - Groups are told apart as objects; no job is in two.
    - Whether a group waits for itself is looked for once; where it does, Snakemake looks again and says how.

    Args: dag: Snakemake's DAG, unless another one is named.

    Returns: False where Snakemake has changed here; nothing is replaced then.
    """
    if dag is None:
        from snakemake.dag import DAG as dag
    if hasattr(dag, "_known_groups"):
        return True
    parts = {"update_ready": ["self", "jobs"], "_ready": ["self", "job"], "_check_groups": ["self"]}
    found = {name: vars(dag).get(name) for name in parts}
    if not all(found[name] and list(inspect.signature(found[name]).parameters) == parts[name] for name in parts):
        return False
    look, check = dag.update_ready, dag._check_groups

    def group_is_ready(self: Any, group: Any) -> bool:
        """Whether its jobs wait for each other alone."""
        return all(
            self._n_until_ready[job] == sum(self._group.get(needed) is group for needed in self._dependencies[job])
            for job in group
        )

    def ready(self: Any, job: Any) -> bool:
        group, known = self._group.get(job), self._known_groups
        if group is None:
            return self._n_until_ready[job] == 0
        if known is None:
            return group_is_ready(self, group)
        if id(group) not in known:
            known[id(group)] = group_is_ready(self, group)
        return known[id(group)]

    def update_ready(self: Any, jobs: Any = None) -> Any:
        self._known_groups = {}
        try:
            return look(self, jobs)
        finally:
            self._known_groups = None

    def check_groups(self: Any) -> None:
        for group in {id(group): group for group in self._group.values()}.values():
            inside = set(group)
            todo = [needed for job in inside for needed in self._dependencies[job] if needed not in inside]
            seen = set(todo)
            while todo:
                needed = set(self._dependencies[todo.pop()])
                if needed & inside:
                    return check(self)
                todo += needed - seen
                seen |= needed
        return None

    dag._known_groups = None
    dag._ready, dag.update_ready, dag._check_groups = ready, update_ready, check_groups
    return True


def start_groups_together() -> None:
    """Tell the jobs of a cluster which steps go together.

    SLURM's executor leaves that out, and a job starts a Snakemake for each of its patients, one after another.
    Snakemake has loaded the executor already where it is installed.
    """
    executor = sys.modules.get("snakemake_executor_plugin_slurm")
    if executor is not None:
        executor.common_settings.pass_group_args = True


def remember_signatures(rules: Iterable[Any]) -> None:
    """Keep the parameters of the rules' functions, which Snakemake looks up anew for every job otherwise."""
    from snakemake.common import overwrite_function_params

    for step in rules:
        for item in [*step.input, *step.params, *step.resources.values()]:
            function = getattr(item, "callable", None) or item
            if inspect.isfunction(function):
                overwrite_function_params(function, inspect.signature(function).parameters)


def start_scripts_from_one_process(starter: JobStarter, python_script: type | None = None) -> bool:
    """Start the scripts of jobs as copies of a process that has imported their libraries (`job_starter`).

    Snakemake starts a Python for every script, which imports all it needs. The starts were most of what short jobs
    cost: docs/speed.md has the figures. Jobs in a container, an environment of conda or modules, a shadow folder, with
    another shell or more threads than one start as before.

    What `benchmark:` writes is told by the system when a job ends. Snakemake starts a thread for it instead, which
    looks at the memory maps of all processes of a job again and again.

    Args: python_script: Snakemake's PythonScript, unless another one is named.

    Returns: False where Snakemake has changed here; nothing is replaced then.
    """
    if python_script is None:
        from snakemake.script import PythonScript as python_script
    if hasattr(python_script, "_starter"):
        return True
    if not _has_parts(python_script):
        return False
    start_python = python_script.execute_script

    def execute_script(self: Any, fname: str, edit: bool = False) -> None:
        elsewhere = (self.conda_env, self.container_img, self.env_modules, self.shadow_dir)
        if edit or any(elsewhere) or self.resources.get("shell_exec") or int(self.threads) != 1:
            return start_python(self, fname, edit=edit)
        ended = starter.run(fname, self.path.get_filename(), _environment(self.resources.get("tmpdir")))
        if ended is None:
            return start_python(self, fname, edit=edit)
        record = self.bench_record
        if record is not None:
            record.running_time, record.max_rss = ended.seconds, ended.max_rss_mb
            record.cpu_time, record.cpu_usage = ended.cpu_seconds, 100 * ended.cpu_seconds
            record.data_collected = True
        if ended.returncode:
            raise subprocess.CalledProcessError(ended.returncode, f"{sys.executable} {fname}")
        return None

    python_script._starter = starter
    python_script.execute_script = execute_script
    return True


def _has_parts(python_script: type) -> bool:
    """Whether a script is run by the function, and knows of its job what is asked of it."""
    run = vars(python_script).get("execute_script")
    if run is None or list(inspect.signature(run).parameters) != ["self", "fname", "edit"]:
        return False
    return set(inspect.signature(python_script.__init__).parameters) >= OF_A_SCRIPT


def _environment(folder: str | None) -> dict[str, str]:
    """What Snakemake sets for a job of one thread, beside the environment of the run."""
    threads = ("OMP", "GOTO", "OPENBLAS", "MKL", "NUMEXPR")
    own = {**dict.fromkeys((f"{library}_NUM_THREADS" for library in threads), "1"), "VECLIB_MAXIMUM_THREADS": "1"}
    if folder:
        own |= dict.fromkeys(("TMPDIR", "TMP", "TEMPDIR", "TEMP"), str(folder))
    return {**os.environ, **own}
