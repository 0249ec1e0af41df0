"""What the workflow has for clusters, without one: what jobs take from the run, retries, submissions, environments."""

from __future__ import annotations

import errno
import logging
import os
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest
import yaml
from workflow_runner import REPOSITORY

from hcc_recurrence import left_jobs
from hcc_recurrence.checked import Checked
from hcc_recurrence.cohort.checks import Sources
from hcc_recurrence.job import AGAIN_THE_SAME, job_log, may_pass
from hcc_recurrence.problems import Problem
from hcc_recurrence.submissions import SubmissionCount

LOCK = REPOSITORY / "envs" / "requirements.lock"


def test_a_job_takes_what_the_run_has_found(tmp_path):
    sheet = tmp_path / "patients.csv"
    sheet.write_text("a")
    sources = Sources({("P1", "portal"): "abc"}, {("P1", "portal", "R 1"): "d"}, {("P1", "portal"): ["x", "y"]})
    problems = [Problem("c", "P2", "f", "what", "remedy")]
    Checked(tmp_path / "x" / "kept.json", {"seed": 1}, [sheet]).write(problems, {"c": sources})
    assert Checked(tmp_path / "x" / "kept.json", {"seed": 1}, [sheet]).read() == (problems, {"c": sources})


def test_no_time_goes_into_a_search_for_garbage_among_what_a_job_imports(tmp_path):
    """Handlers of `atexit` run in the opposite order: the first one registered sees what the others did."""
    code = """
import atexit, gc, sys
atexit.register(lambda: print(gc.get_threshold()[0], gc.get_freeze_count() > 1000))
from hcc_recurrence.job import job_log
with job_log(sys.argv[1], "P1"):
    import numpy
"""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "workflow/scripts")}
    command = [sys.executable, "-c", code, str(tmp_path / "job.log")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.split() == ["200000", "True"]


def test_what_was_found_of_another_config_or_sheet_counts_as_not_there(tmp_path):
    sheet, kept = tmp_path / "patients.csv", tmp_path / "kept.json"
    sheet.write_text("a")
    Checked(kept, {"seed": 1}, [sheet]).write([], {})
    assert Checked(kept, {"seed": 2}, [sheet]).read() is None
    sheet.write_text("b")
    assert Checked(kept, {"seed": 1}, [sheet]).read() is None
    kept.write_text("{half")
    assert Checked(kept, {"seed": 1}, [sheet]).read() is None


def fail(log, error):
    with pytest.raises(SystemExit), job_log(str(log), "P1"):
        raise error


@pytest.fixture
def attempt(monkeypatch):
    def number(which, run="r1"):
        monkeypatch.setenv("HCC_ATTEMPT", str(which))
        monkeypatch.setenv("HCC_RUN", run)

    return number


def runs(log) -> bool:
    """Whether the script of a job gets to its work."""
    try:
        with job_log(str(log), "P1"):
            pass
    except SystemExit:
        return False
    return True


def test_an_error_that_would_come_again_ends_the_next_attempt_at_once(tmp_path, attempt, capsys):
    log = tmp_path / "log"
    attempt(1)
    fail(log, KeyError("column"))
    before = log.read_text()
    attempt(2)
    assert not runs(log)
    assert log.read_text() == before and AGAIN_THE_SAME in capsys.readouterr().err
    # Started anew, by a person who may have mended it, in the first attempt or after one that died before its script.
    attempt(1, "r2")
    assert runs(log)
    attempt(1)
    fail(log, KeyError("column"))
    attempt(2, "r2")
    assert runs(log)


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("CUDA out of memory. Tried"), OSError(errno.ESTALE, "x")]
)
def test_what_another_attempt_may_get_past_is_tried_again(tmp_path, attempt, error):
    attempt(1)
    fail(tmp_path / "log", error)
    attempt(2)
    assert may_pass(error) and runs(tmp_path / "log")


def test_a_job_that_was_killed_is_tried_again(tmp_path, attempt):
    (tmp_path / "log").write_text("epoch 1 of 5\n")
    attempt(2)
    assert runs(tmp_path / "log")


def test_a_full_disk_is_named_with_what_to_do_and_not_tried_again(tmp_path, attempt, capsys):
    attempt(1)
    fail(tmp_path / "log", OSError(errno.ENOSPC, "No space left on device", "state.half"))
    assert "make room on the disk" in capsys.readouterr().err
    attempt(2)
    assert not runs(tmp_path / "log")


def announce(event, **about):
    return logging.makeLogRecord({"event": SimpleNamespace(name=event), **about})


def test_submissions_are_counted_by_what_goes_together():
    count = SubmissionCount(lambda rule: rule == "report")
    for record in (
        announce("GROUP_INFO", group_id="patients"),
        announce("JOB_INFO", rule_name="convert_patient", indent=True),
        announce("JOB_INFO", rule_name="crop_patient", indent=True),
        announce("JOB_INFO", rule_name="train_unet", indent=False),
        announce("JOB_INFO", rule_name="segment_patients", indent=False),
        announce("JOB_INFO", rule_name="report", indent=False),
        logging.makeLogRecord({"msg": "any other"}),
    ):
        count.emit(record)
    assert str(count).splitlines() == [
        "Submissions to the cluster: 2, and 1 jobs that train networks",
        "  steps together: 1 patients",
        "  single jobs: 1 segment_patients",
        "  jobs that train: 1 train_unet",
    ]


RUN = "8760f280-75ad-4670-a3ed-50a400498a8b"


@pytest.fixture
def squeue(monkeypatch, tmp_path):
    """A SLURM whose queue is a list of answers; returns what was cancelled."""
    (tmp_path / left_jobs.SENT).mkdir(parents=True)

    def answers(*queues):
        left, cancelled = list(queues), []

        def run(command, **_):
            if command[0] == "scancel":
                cancelled.extend(command[1:])
                return subprocess.CompletedProcess(command, 0)
            lines = left.pop(0) if len(left) > 1 else left[0]
            return subprocess.CompletedProcess(command, 0, "".join(f"{line}\n" for line in lines), "")

        monkeypatch.setattr(left_jobs.shutil, "which", lambda program: program)
        monkeypatch.setattr(left_jobs.subprocess, "run", run)
        monkeypatch.setattr(left_jobs.time, "sleep", lambda seconds: None)
        return cancelled

    return answers


def test_jobs_of_an_interrupted_run_are_ended_and_waited_for(squeue, tmp_path):
    here = [f"5|{RUN}|{tmp_path}", f"7|lab_{RUN}|{tmp_path}"]
    others = [f"6|bash|{tmp_path}", f"8|{RUN}|{tmp_path}/other", "9|my_job|/"]
    cancelled = squeue([*here, *others], [*here[1:], *others], others)
    claim, ended = left_jobs.claim_folder(tmp_path / "claim", tmp_path)
    assert ended == ["5", "7"] == cancelled
    claim.close()


def test_jobs_of_a_run_that_is_alive_are_left_alone(squeue, tmp_path):
    cancelled = squeue([f"5|{RUN}|{tmp_path}"], [])
    first, ended = left_jobs.claim_folder(tmp_path / "claim", tmp_path)
    assert ended == ["5"]
    squeue([f"6|{RUN}|{tmp_path}"])
    second, ended = left_jobs.claim_folder(tmp_path / "claim", tmp_path)
    assert ended == [] and cancelled == ["5"]
    # The claim goes with the process, here with the file; the second run is alive when the first has ended.
    first.close()
    third, ended = left_jobs.claim_folder(tmp_path / "claim", tmp_path)
    assert ended == []
    second.close()
    third.close()
    cancelled = squeue([f"6|{RUN}|{tmp_path}"], [])
    claim, ended = left_jobs.claim_folder(tmp_path / "claim", tmp_path)
    assert ended == ["6"] == cancelled
    claim.close()


def test_a_folder_that_sent_no_jobs_asks_no_cluster(squeue, tmp_path):
    """On a machine with SLURM's commands and no cluster squeue fails."""
    cancelled = squeue([f"5|{RUN}|{tmp_path}"])
    (tmp_path / left_jobs.SENT).rmdir()
    assert left_jobs.end_left_jobs(tmp_path) == [] == cancelled


def test_a_left_job_that_does_not_end_stops_the_run(squeue, tmp_path):
    squeue([f"7|{RUN}|{tmp_path}"])
    with pytest.raises(RuntimeError, match=r"SLURM jobs 7 .* What to do: wait"):
        left_jobs.end_left_jobs(tmp_path, longest_s=0)


def pins(text: str) -> dict[str, str]:
    """Package -> version of lines `name==version`, names as pip compares them."""
    return {re.sub("[-_.]+", "-", n).lower(): v for n, v in re.findall(r"^([\w.-]+)==([\w.+]+)$", text, re.MULTILINE)}


def test_every_requirement_is_in_the_lock_with_its_version():
    locked = pins(LOCK.read_text())
    asked = pins((REPOSITORY / "envs/requirements.in").read_text())
    assert len(locked) > 100 and asked.items() <= locked.items()


def test_conda_environment_and_container_install_the_lock_and_nothing_else():
    """Both take the files of the pip environment themselves: no version stands anywhere else."""
    conda = yaml.safe_load((REPOSITORY / "envs/environment.yaml").read_text())
    (pip,) = (entry["pip"] for entry in conda["dependencies"] if isinstance(entry, dict))
    assert pip == ["-r requirements.lock", "-r torch.txt"]
    assert {e for e in conda["dependencies"] if isinstance(e, str)} == {"python=3.11", "pip", "c-compiler"}
    recipe = (REPOSITORY / "envs/container.def").read_text()
    installed = re.findall(r"pip install (.*)", recipe)
    assert [line.split("-r ")[-1] for line in installed] == ["requirements.lock", "torch.txt"]
    assert not re.search(r"==\d", recipe)
    assert re.search(r"^From: debian:bookworm", recipe, re.MULTILINE), "whose Python is 3.11"


def test_this_environment_is_the_lock():
    """What the tests run with are the versions that conda environment and container get."""
    listed = subprocess.run([sys.executable, "-m", "pip", "freeze"], capture_output=True, text=True, check=True).stdout
    assert pins(LOCK.read_text()).items() <= pins(listed).items()
