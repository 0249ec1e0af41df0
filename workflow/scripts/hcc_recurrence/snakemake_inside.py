"""The only place that reaches into Snakemake's inside, each reach with its reason.

Each says what it replaces and why. Where Snakemake has changed there, it stays as it is, and
`tests/unit/test_snakemake_inside.py` fails, so that a maintainer looks whether the reach is still needed.
"""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import threading
from collections.abc import Iterable
from typing import Any

from hcc_recurrence.job_starter import JobStarter


def quiet_scheduler(scheduler: type) -> bool:
    """Make the scheduler's loop run when there is something to do, and not otherwise.

    With a limit of jobs a second, which is Snakemake's default, each pass of the loop starts a timer that runs the loop
    again a second later, whether or not the limit held a job back. Each job that ends adds one more of these chains,
    and none ends while jobs are left: after some hundred jobs the loop never rests, and asks each time for the size of
    every input of every job that could start. docs/speed.md has what that took.

    - At most one timer waits, and it does not hold up the end of the run.
    - While all cores are taken, no job can start: ready jobs are looked at again when a job has ended.
    - Sizes of inputs are not asked for where the scheduler's settings leave them out of its choice.

    Args: scheduler: `snakemake.scheduling.job_scheduler.JobScheduler`.

    Returns: False where Snakemake has changed here; nothing is replaced then.
    """
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


def start_scripts_from_one_process(python_script: type, starter: JobStarter) -> bool:
    """Start the scripts of jobs as copies of a process that has imported their libraries (`job_starter`).

    Snakemake starts a Python for every script, which imports all it needs. The starts were most of what short jobs
    cost: docs/speed.md has the figures. Jobs in a container, an environment of conda or modules, a shadow folder, with
    another shell or more threads than one start as before.

    What `benchmark:` writes is told by the system when a job ends. Snakemake starts a thread for it instead, which
    looks at the memory maps of all processes of a job again and again.

    Args: python_script: `snakemake.script.PythonScript`.

    Returns: False where Snakemake has changed here; nothing is replaced then.
    """
    if not all(name in vars(python_script) for name in ("execute_script", "_is_python_env")):
        return False
    if hasattr(python_script, "_starter"):
        return True
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


def _environment(folder: str | None) -> dict[str, str]:
    """What Snakemake sets for a job of one thread, beside the environment of the run."""
    threads = ("OMP", "GOTO", "OPENBLAS", "MKL", "NUMEXPR")
    own = {**dict.fromkeys((f"{library}_NUM_THREADS" for library in threads), "1"), "VECLIB_MAXIMUM_THREADS": "1"}
    if folder:
        own |= dict.fromkeys(("TMPDIR", "TMP", "TEMPDIR", "TEMP"), str(folder))
    return {**os.environ, **own}
