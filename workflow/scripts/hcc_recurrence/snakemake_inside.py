"""The only place that reaches into Snakemake's inside, each reach with its reason.

Each says what it replaces and why. Where Snakemake has changed there, it stays as it is, and
`tests/unit/test_snakemake_inside.py` fails, so that a maintainer looks whether the reach is still needed.
"""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Iterable
from typing import Any


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
