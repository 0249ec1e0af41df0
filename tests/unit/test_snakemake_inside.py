"""Snakemake is as our reaches into it expect, and they do what they are for."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

from snakemake.scheduling.job_scheduler import JobScheduler
from workflow_runner import REPOSITORY

from hcc_recurrence.snakemake_inside import quiet_scheduler

# A scheduler's loop whose passes and threads are counted in a run of its own, for the class is changed for good.
COUNTED = """
import sys, threading
from snakemake.cli import main
from snakemake.scheduling.job_scheduler import JobScheduler
if sys.argv.pop(1) == "quiet":
    from hcc_recurrence.snakemake_inside import quiet_scheduler
    assert quiet_scheduler(JobScheduler)
passes, threads = [], []
ready = JobScheduler.open_jobs.fget
def counted(self):
    passes.append(1)
    threads.append(sum(isinstance(t, threading.Timer) for t in threading.enumerate()))
    return ready(self)
JobScheduler.open_jobs = property(counted)
code = 0
try:
    main(sys.argv[1:])
except SystemExit as end:
    code = end.code
print("counted", len(passes), max(threads), code)
"""
# Thirty short jobs, then one that takes two cores for three seconds while two wait.
SNAKEFILE = """
rule all:
    input: expand("short/{n}", n=range(30)), expand("late/{n}", n=range(2)), "long"
rule short:
    output: "short/{n}"
    shell: "sleep 0.1; touch {output}"
rule long:
    input: expand("short/{n}", n=range(30))
    output: "long"
    threads: 2
    priority: 1
    shell: "sleep 3; touch {output}"
rule late:
    input: expand("short/{n}", n=range(30))
    output: "late/{n}"
    shell: "touch {output}"
"""


def counts(folder, kind: str) -> tuple[int, int]:
    """Passes of the scheduler's loop and most timers at a time in a run of the Snakefile above."""
    folder.mkdir()
    (folder / "Snakefile").write_text(SNAKEFILE)
    options = ["--cores", "2", "--scheduler", "greedy", "--scheduler-greedy-omit-prioritize-by-temp-and-input"]
    command = [sys.executable, "-c", COUNTED, kind, *options]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "workflow" / "scripts")}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, env=environment)
    told = done.stdout.split("counted ")[1].split()
    assert told[2] == "0" and (folder / "long").is_file() and len(list((folder / "late").iterdir())) == 2, done.stderr
    return int(told[0]), int(told[1])


def test_the_loop_of_the_scheduler_rests_while_jobs_run(tmp_path):
    """Snakemake's own loop is counted too: where it rests by itself, `quiet_scheduler` has to go."""
    passes, timers = counts(tmp_path / "quiet", "quiet")
    assert timers <= 1
    # 33 jobs end, each of which runs the loop once; a wake-up each second at most, and the start.
    assert passes <= 33 + 15
    own_passes, own_timers = counts(tmp_path / "own", "own")
    assert own_timers > 5 and own_passes > 2 * passes


def test_snakemake_still_has_what_is_replaced():
    for name, arguments in (("_schedule_reevalutation", ["self", "delay"]), ("update_input_sizes", ["self", "jobs"])):
        assert list(inspect.signature(getattr(JobScheduler, name)).parameters) == arguments
    source = inspect.getsource(JobScheduler)
    # The loop asks `open_jobs` for what is ready, and takes `_cores` for what is free.
    for line in ("needrun = set(self.open_jobs)", "self._open_jobs.acquire()", 'self.resources["_cores"] == 0'):
        assert line in source
    assert quiet_scheduler(type("Changed", (), {})) is False


def small_scheduler(cores: int, running: set) -> SimpleNamespace:
    class Scheduler:
        asked: list = []  # noqa: RUF012 - one scheduler a test

        def __init__(self):
            self._open_jobs, self.running, self.resources = threading.Semaphore(0), running, {"_cores": cores}
            self._scheduler = SimpleNamespace(settings=SimpleNamespace(omit_prioritize_by_temp_and_input=True))

        @property
        def open_jobs(self):
            return ["job"]

        async def update_input_sizes(self, jobs):
            self.asked.append(jobs)

        def _schedule_reevalutation(self, delay):
            raise AssertionError("is replaced")

    assert quiet_scheduler(Scheduler) and quiet_scheduler(Scheduler)
    return Scheduler()


def test_one_wake_up_waits_and_comes():
    scheduler = small_scheduler(1, set())
    before = threading.active_count()
    for _ in range(50):
        scheduler._schedule_reevalutation(0.05)
    assert threading.active_count() - before == 1
    assert scheduler._open_jobs.acquire(timeout=5)
    time.sleep(0.1)
    assert not scheduler._open_jobs.acquire(blocking=False)
    # After it came, the next one is taken.
    scheduler._schedule_reevalutation(0.01)
    assert scheduler._open_jobs.acquire(timeout=5)


def test_no_job_is_ready_while_all_cores_are_taken():
    assert small_scheduler(0, {"running"}).open_jobs == []
    # Without a running job the loop would end with jobs left.
    assert small_scheduler(0, set()).open_jobs == ["job"]
    assert small_scheduler(1, {"running"}).open_jobs == ["job"]


def test_sizes_are_asked_for_where_they_count():
    import asyncio

    scheduler = small_scheduler(1, set())
    asyncio.run(scheduler.update_input_sizes(["job"]))
    assert scheduler.asked == []
    scheduler._scheduler.settings.omit_prioritize_by_temp_and_input = False
    asyncio.run(scheduler.update_input_sizes(["job"]))
    assert scheduler.asked == [["job"]]
