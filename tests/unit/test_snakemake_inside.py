"""Snakemake is as our reaches into it expect, and they do what they are for."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

from snakemake.scheduling.job_scheduler import JobScheduler
from workflow_runner import REPOSITORY

from hcc_recurrence import snakemake_inside
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


# Two groups of two chains each, whose jobs are many enough to wait for each other; the second waits for the first.
GROUPED = """
rule all:
    input: expand("{n}.d", n=range(2))
rule a:
    output: "{n}.a"
    group: "first"
    shell: "touch {output}"
rule b:
    input: "{n}.a"
    output: "{n}.b"
    group: "first"
    shell: "touch {output}"
rule c:
    input: expand("{n}.b", n=range(2))
    output: "{n}.c"
    group: OF_C
    shell: "touch {output}"
rule d:
    input: "{n}.c"
    output: "{n}.d"
    group: OF_D
    shell: "touch {output}"
"""
# Every answer of Snakemake's own about a group, beside ours.
BESIDE = """
import sys
from snakemake.cli import main
from snakemake.workflow import DAG
own = DAG._ready
from hcc_recurrence.snakemake_inside import ask_groups_once
assert ask_groups_once() and ask_groups_once()
ours, asked = DAG._ready, []
def both(self, job):
    asked.append((job.rule.name, ours(self, job), own(self, job)))
    return asked[-1][1]
DAG._ready = both
code = 0
try:
    main(sys.argv[1:])
except SystemExit as end:
    code = end.code
assert all(mine == theirs for _, mine, theirs in asked), asked
print("asked", len(asked), sorted({(rule, found) for rule, found, _ in asked}), "code", code)
"""


def grouped(folder, of_c: str, of_d: str, chains: int = 2) -> str:
    """What a run of some chains says in which rules c and d are of these groups."""
    folder.mkdir()
    rules = GROUPED.replace("range(2)", f"range({chains})")
    (folder / "Snakefile").write_text(f"OF_C, OF_D = {of_c!r}, {of_d!r}\n{rules}")
    command = [sys.executable, "-c", BESIDE, "--dry-run", "--group-components", "first=2", "second=2"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "workflow" / "scripts")}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, env=environment)
    return done.stdout + done.stderr


def test_a_group_is_asked_once_and_answers_as_snakemakes_own(tmp_path):
    said = grouped(tmp_path / "two", "second", "second")
    assert "code 0" in said, said
    # The second group is asked while the first has not run, and when it has.
    for rule, found in (("a", True), ("b", True), ("c", False), ("c", True), ("d", False), ("d", True)):
        assert str((rule, found)) in said, said


def test_a_group_that_waits_for_itself_is_refused_in_snakemakes_words(tmp_path):
    # Of two chains Snakemake may put both a and b into one group and both d into another, which is fine.
    said = grouped(tmp_path / "itself", "second", "first", chains=1)
    assert "Group first depends on itself" in said and "add c to the group" in said, said


def test_groups_are_asked_as_ever_where_snakemake_has_changed():
    assert snakemake_inside.ask_groups_once(type("Changed", (), {"_ready": lambda self: None})) is False


# -- what else of Snakemake is read or replaced ------------------------------------------------------------------------

# Where the reaches may stand: one module, and the package's own use of what is documented.
INSIDE = "workflow/scripts/hcc_recurrence/snakemake_inside.py"
REACHES = re.compile(
    r"\b(?:from|import) snakemake[._](?!exceptions import WorkflowError|logging import logger|utils import min_version)"
    r"|\bworkflow\._|\bsys\.argv\b|resource_settings|config_settings|overwrite_configfiles|sys\.modules\[.snakemake"
)
# Programs of their own, which no Snakemake starts; the process that starts jobs, and the one that starts itself anew
# with other kernels; and a report plugin, which stands on the interface that Snakemake keeps for plugins.
PROGRAMS = ("job_starter.py", "count_solver.py", "published.py", "simulation/sheets.py", "new_cohort.py", "numerics.py")
PROGRAMS += ("snakemake_report_plugin_contents/__init__.py",)


def test_all_reaches_stand_in_one_module():
    files = [
        REPOSITORY / "Snakefile",
        *(REPOSITORY / "workflow").rglob("*.smk"),
        *(REPOSITORY / "workflow").rglob("*.py"),
    ]
    reaching = {
        str(file.relative_to(REPOSITORY))
        for file in files
        if not str(file).endswith(PROGRAMS) and REACHES.search(file.read_text(encoding="utf-8"))
    }
    assert reaching == {INSIDE}


def test_the_words_and_the_attempt_of_a_job_are_on_its_command_line(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["snakemake", "all", "--attempt", "2"])
    assert snakemake_inside.typed_words() == ["all", "--attempt", "2"] and snakemake_inside.attempt_of_job() == "2"
    monkeypatch.setattr(sys, "argv", ["snakemake", "all"])
    assert snakemake_inside.attempt_of_job() == ""
    # Snakemake's own parser still knows the words that are looked for.
    parsed = snakemake_inside.parsed_words(["all", "--attempt", "2", "--until", "write_labels"])
    assert (list(parsed.targets), parsed.attempt, list(parsed.until)) == (["all"], 2, ["write_labels"])


PROBE = """
import json, sys
from pathlib import Path
sys.path.insert(0, SCRIPTS)
from hcc_recurrence import snakemake_inside as inside
configfile: "own.yaml"
rule all:
    input: "made"
rule near:
    output: "made"
    localrule: True
    shell: "touch {output}"
rule far:
    output: "far"
    shell: "touch {output}"
inside.remember_signatures(workflow.rules)
files, typed, entries, replace = inside.given_config(workflow)
Path("probe.json").write_text(json.dumps({
    "files": [str(f) for f in files], "typed": [str(f) for f in typed], "entries": list(entries), "replace": replace,
    "local": [inside.is_local_rule(workflow, name) for name in ("all", "near", "far")],
    "resource": inside.default_resource(workflow, "gpu_partition"), "none": inside.default_resource(workflow, "other"),
    "of_run": [inside.run_resource(workflow, "gpu"), inside.run_resource(workflow, "other")],
}))
"""


def test_a_workflow_says_its_config_files_local_rules_and_default_resources(tmp_path):
    (tmp_path / "Snakefile").write_text(PROBE.replace("SCRIPTS", repr(str(REPOSITORY / "workflow" / "scripts"))))
    (tmp_path / "own.yaml").write_text("a: 1\n")
    (tmp_path / "mine.yaml").write_text("b: 1\n")
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run", "--configfile", "mine.yaml"]
    command += ["--config", "keep=true", "--default-resources", "gpu_partition=a100"]
    command += ["--resources", "gpu=2", "--", "all"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "probe.json").read_text())
    assert "own.yaml" in found["files"] and [Path(f).name for f in found["typed"]] == ["mine.yaml"]
    assert found["entries"] == ["keep=true"] and found["replace"] is False
    # A rule without anything to run is local too.
    assert found["local"] == [True, True, False]
    assert found["resource"] == "a100" and found["none"] is None
    assert found["of_run"] == [2, None]


def test_the_parameters_of_functions_are_kept_where_snakemake_looks_for_them():
    from snakemake.common import FUNC_OVERWRITE_PARAMS_ATTR, get_function_params

    def takes(wildcards, input):
        return None

    step = SimpleNamespace(input=[], params=[takes], resources={})
    snakemake_inside.remember_signatures([step])
    assert list(get_function_params(takes)) == ["wildcards", "input"]
    assert getattr(takes, FUNC_OVERWRITE_PARAMS_ATTR) is get_function_params(takes)


def test_parameters_that_decide_are_known_by_name(tmp_path):
    """A function of `input` decides nothing, as Snakemake's own list of values says."""
    (tmp_path / "Snakefile").write_text(DECIDING.replace("SCRIPTS", repr(str(REPOSITORY / "workflow" / "scripts"))))
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--", "made"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "probe.json").read_text())
    assert found == {"named": {"text": "t", "value": "of made"}, "values": ["of made", "t"]}


DECIDING = """
import json, sys
sys.path.insert(0, SCRIPTS)
from pathlib import Path
from hcc_recurrence.snakemake_inside import FilePersistence, deciding_parameters, replace_store
class Store(FilePersistence):
    async def finished(self, job):
        named = deciding_parameters(job)
        values = sorted(map(str, job.non_derived_params))
        Path("probe.json").write_text(json.dumps({"named": named, "values": values}))
        await super().finished(job)
replace_store(Store)
rule step:
    output: "{name}"
    params:
        text="t",
        value=lambda wildcards: f"of {wildcards.name}",
        place=lambda wildcards, input: "somewhere",
        number=lambda wildcards, threads: threads,
    shell: "touch {output}"
"""


def test_the_store_is_replaced_where_snakemake_takes_it_from(monkeypatch):
    # First: the two import each other.
    import snakemake.api
    import snakemake.workflow

    own = snakemake.workflow.FilePersistence
    monkeypatch.setattr(snakemake.workflow, "FilePersistence", own)
    assert own is snakemake_inside.FilePersistence
    snakemake_inside.replace_store(dict)
    assert snakemake.workflow.FilePersistence is dict
    assert "FilePersistence" in inspect.getsource(snakemake.workflow.Workflow)


def test_snakemakes_store_has_what_ours_overrides():
    overridden = {
        "_read_record": ["self", "key"],
        "_write_record": ["self", "key", "record"],
        "_delete_record": ["self", "key"],
        "_input": ["self", "job"],
        "_params": ["self", "job"],
        "has_metadata": ["self", "job"],
        "has_outdated_metadata": ["self", "job"],
        "params_changed": ["self", "job", "file"],
        "finished": ["self", "job"],
        "lock": ["self"],
    }
    for name, parameters in overridden.items():
        found = getattr(snakemake_inside.FilePersistence, name)
        assert list(inspect.signature(found).parameters) == parameters, name
    assert {"only_old", "files"} <= set(inspect.signature(snakemake_inside.ParamsChange).parameters)


def test_steps_of_a_cluster_go_together_where_its_executor_says_so(monkeypatch):
    executor = SimpleNamespace(common_settings=SimpleNamespace(pass_group_args=False))
    monkeypatch.setitem(sys.modules, "snakemake_executor_plugin_slurm", executor)
    snakemake_inside.start_groups_together()
    assert executor.common_settings.pass_group_args is True
    from snakemake_interface_executor_plugins.settings import CommonSettings

    assert "pass_group_args" in inspect.signature(CommonSettings).parameters


def test_a_rule_of_a_loop_is_described_and_shows_its_script(tmp_path):
    """Snakemake's list of rules has the words; its report and its look for changed scripts take `script` of a rule."""
    (tmp_path / "made.py").write_text("open(snakemake.output[0], 'w').close()\n")
    (tmp_path / "Snakefile").write_text(
        "from hcc_recurrence.snakemake_inside import describe_rule\n"
        "for step in ('first', 'second'):\n"
        "    rule:\n"
        "        name: f'make_{step}'\n"
        "        output: step\n"
        "        params: script='made'\n"
        "        script: '{params.script}.py'\n"
        "    describe_rule(workflow, f'make_{step}', f'The {step} of two.', 'made.py')\n"
        "onstart:\n"
        "    print([rule.script for rule in workflow.rules])\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "workflow/scripts")}
    command = [sys.executable, "-m", "snakemake", "--cores", "1"]

    def said(*words):
        done = subprocess.run([*command, *words], cwd=tmp_path, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "make_first (The first of two.)" in said("--list-rules")
    assert "['made.py', 'made.py']" in said("first", "second")
    assert (tmp_path / "first").exists() and (tmp_path / "second").exists()
