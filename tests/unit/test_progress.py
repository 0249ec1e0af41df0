"""The line that moves while a run goes on: counts, time left, and what a job that failed says."""

from __future__ import annotations

import io
import logging
import os
import sys
from types import SimpleNamespace

import pytest
from snakemake.logging import ColorizingTextHandler, LoggerManager
from snakemake.settings.types import OutputSettings
from snakemake_interface_logger_plugins.common import LogEvent

from hcc_recurrence.job import SAID_BY_THE_RUN, job_log
from hcc_recurrence.problems import Refused
from hcc_recurrence.progress import NO_WORDS, Progress, duration, last_words
from hcc_recurrence.progress_display import INTERRUPTED, RunDisplay, show_progress_of_run


class Clock:
    """Seconds that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self):
        return True


def record(event: LogEvent | None, text: str = "", level: int = logging.INFO, **fields) -> logging.LogRecord:
    """As Snakemake's logger makes it."""
    made = logging.LogRecord("snakemake.logging", level, __file__, 1, text, None, None)
    for name, value in {**({"event": event} if event else {}), **fields}.items():
        setattr(made, name, value)
    return made


def announce(display: RunDisplay, job: int, rule: str, log: str = "", **wildcards: str) -> None:
    display.handle(record(LogEvent.JOB_INFO, jobid=job, rule_name=rule, wildcards=wildcards, log=[log] if log else []))


@pytest.fixture
def clock():
    return Clock()


def test_the_time_left_is_that_of_the_jobs_left_over_how_many_run_at_once(clock):
    """Two at a time, 10 s each: of 8 jobs 4 are done after 20 s, 2 begin, 2 wait: 20 s are left."""
    progress = Progress(clock)
    progress.plan({"convert_patient": 8, "total": 8})
    for pair in ((1, 2), (3, 4)):
        for job in pair:
            progress.start(job, "convert_patient", {"patient": f"P{job}"}, [])
        clock.now += 10
        for job in pair:
            progress.finish(job)
    for job in (5, 6):
        progress.start(job, "convert_patient", {"patient": f"P{job}", "cohort": "ours"}, [])
    assert progress.seconds_left() == (pytest.approx(20), True)
    assert progress.line() == (
        "4 of 8 jobs | 50 % | about 20 s left | running: convert_patient (P5, ours), convert_patient (P6, ours)"
    )
    # Half of these two is done: 15 s.
    clock.now += 5
    assert progress.seconds_left() == (pytest.approx(15), True)


def test_a_rule_that_was_never_met_makes_the_time_left_a_lower_bound(clock):
    progress = Progress(clock)
    progress.plan({"convert_patient": 1, "train_network": 1, "total": 2})
    progress.start(1, "convert_patient", {}, [])
    clock.now = 60
    assert progress.seconds_left() is None and progress.line() == "0 of 2 jobs | 0 % | running: convert_patient"
    progress.finish(1)
    assert progress.line() == "1 of 2 jobs | 50 % | more than 1 min left"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (59.4, "59 s"), (90, "2 min"), (3599, "1 h 0 min"), (7500, "2 h 5 min")]
)
def test_durations(seconds, words):
    assert duration(seconds) == words


def test_a_failed_job_says_its_patient_and_the_last_words_of_its_log(tmp_path, monkeypatch, clock):
    """The log is that of a real job: `job_log` writes it."""
    monkeypatch.setenv(SAID_BY_THE_RUN, "1")
    log = tmp_path / "P003.log"
    with pytest.raises(SystemExit), job_log(str(log), "patient P003"):
        print("reading 40 files\n")
        raise Refused("the mask is empty", "draw it again")
    stream = io.StringIO()
    display = RunDisplay(stream, clock)
    display.handle(record(LogEvent.RUN_INFO, stats={"convert_patient": 2, "all": 1, "total": 3}))
    announce(display, 7, "convert_patient", str(log), cohort="ours", patient="P003")
    display.handle(record(LogEvent.JOB_ERROR, jobid=7, rule_name="convert_patient", log=[str(log)]))
    display.handle(record(LogEvent.ERROR, "RuleException:\nCalledProcessError in file x.smk", logging.ERROR))
    clock.now = 61
    display.close()
    told = stream.getvalue()
    assert (
        f"Failed: convert_patient (P003, ours): patient P003: {Refused('the mask is empty', 'draw it again')}\n" in told
    )
    assert f"  log: {log}\n" in told
    assert "RuleException" not in told and "Another attempt" not in told and "Traceback" not in told
    assert told.endswith(
        "Stopped: 1 failed, 0 of 3 jobs done in 1 min. Patients: P003. "
        "Fix what is said above, then give the same command: it goes on from here.\n"
    )


def test_what_ctrl_c_stops_has_not_failed(tmp_path, clock):
    """The words of Snakemake's own scheduler, and then an error of each job that ran."""
    import inspect

    from snakemake.scheduling import job_scheduler

    assert INTERRUPTED in inspect.getsource(job_scheduler)
    log = tmp_path / "P5.log"
    log.write_text("portal: readers R1\n")
    stream = io.StringIO()
    display = RunDisplay(stream, clock)
    display.handle(record(LogEvent.RUN_INFO, stats={"extract_radiomics": 2, "total": 2}))
    announce(display, 1, "extract_radiomics", str(log), patient="P5")
    display.handle(record(None, f"{INTERRUPTED}, this might take some time."))
    display.handle(record(LogEvent.JOB_ERROR, jobid=1, rule_name="extract_radiomics", log=[str(log)]))
    clock.now = 31
    display.close()
    told = stream.getvalue().splitlines()
    assert not any("Failed" in line for line in told)
    assert told[-1] == ("Stopped by Ctrl-C: 0 of 2 jobs done in 31 s. Give the same command: it goes on from here.")


def test_the_name_of_a_job_without_wildcards_is_said_once(tmp_path, clock):
    """Its log begins with it: "Failed: preflight: preflight: 2 problems"."""
    log = tmp_path / "preflight.log"
    log.write_text("\npreflight: 2 problems in the input\n")
    display = RunDisplay(io.StringIO(), clock)
    announce(display, 1, "preflight", str(log))
    assert display.progress.fail(1, "preflight", []) == f"Failed: preflight: 2 problems in the input\n  log: {log}"


def test_the_last_words_of_logs_of_other_kinds(tmp_path, monkeypatch):
    log = tmp_path / "log"
    assert last_words(str(log)) == ""
    log.write_text("")
    assert last_words(str(log)) == ""
    # An error of the code has a traceback, and below it the message.
    monkeypatch.setenv(SAID_BY_THE_RUN, "1")
    with pytest.raises(SystemExit), job_log(str(log), "model RCR"):
        raise ValueError("no column er")
    assert "Traceback" in log.read_text() and last_words(str(log)) == "model RCR: no column er"
    # One that `job_log` did not write: of the traceback its last line.
    log.write_text("Traceback (most recent call last):\n  File x\nKeyError: 'er'\n")
    assert last_words(str(log)) == "KeyError: 'er'"
    # A job that was killed has said nothing.
    progress = Progress()
    progress.plan({"train_network": 1})
    assert NO_WORDS in progress.fail(1, "train_network", [str(tmp_path / "none")])


def test_on_a_terminal_one_line_moves_and_goes(clock, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    display = RunDisplay(stream, clock)
    display.handle(record(LogEvent.RUN_INFO, stats={"a": 2, "total": 2}))
    announce(display, 1, "a", patient="P1")
    display._live.refresh()
    display.handle(record(LogEvent.JOB_FINISHED, job_id=1))
    announce(display, 2, "a", patient="P2")
    display._live.refresh()
    display.handle(record(LogEvent.JOB_FINISHED, job_id=2))
    display.close()
    text = stream.getvalue()
    assert "0 of 2 jobs | 0 % | running: a (P1)" in text and "1 of 2 jobs | 50 % | running: a (P2)" in text
    # Erased in place (ANSI: erase in line), and the cursor is shown again.
    assert "\x1b[2K" in text and "\x1b[?25h" in text
    assert text.endswith("Done: 2 jobs in 1 s.\n")


def test_without_a_terminal_there_are_few_plain_lines(clock):
    stream = io.StringIO()
    display = RunDisplay(stream, clock)
    display.handle(record(LogEvent.RUN_INFO, stats={"a": 100, "total": 100}))
    for job in range(100):
        announce(display, job, "a")
        clock.now += 0.01
        display.handle(record(LogEvent.JOB_FINISHED, job_id=job))
    display.close()
    lines = stream.getvalue().splitlines()
    assert "\x1b" not in stream.getvalue()
    # One for each tenth, the first and the last.
    assert len(lines) == 11 and lines[1].startswith("10 of 100 jobs | 10 %") and lines[-1] == "Done: 100 jobs in 1 s."


def test_a_long_job_without_a_terminal_is_told_after_a_minute(clock):
    stream = io.StringIO()
    display = RunDisplay(stream, clock)
    display.handle(record(LogEvent.RUN_INFO, stats={"a": 1000, "total": 1000}))
    for job, second in ((1, 1), (2, 61), (3, 62)):
        announce(display, job, "a")
        clock.now = second
        display.handle(record(LogEvent.JOB_FINISHED, job_id=job))
    assert [line.split(" |")[0] for line in stream.getvalue().splitlines()[1:]] == ["2 of 1000 jobs"]


def test_of_a_group_of_jobs_the_one_with_a_log_is_told(tmp_path, clock):
    log = tmp_path / "P2.log"
    log.write_text("\npatient P2: no space left\n")
    stream = io.StringIO()
    display = RunDisplay(stream, clock)
    display.handle(record(LogEvent.RUN_INFO, stats={"a": 2, "total": 2}))
    for job, patient in ((1, "P1"), (2, "P2")):
        announce(display, job, "a", str(tmp_path / f"{patient}.log"), patient=patient)
    info = [{"jobid": n, "rule_name": "a", "log": [str(tmp_path / f"P{n}.log")], "output": []} for n in (1, 2)]
    display.handle(record(LogEvent.GROUP_ERROR, job_error_info=info, aux_logs=["slurm.log"]))
    assert "Failed: a (P2): patient P2: no space left" in stream.getvalue() and "P1" not in stream.getvalue()


def test_messages_pass_and_what_snakemake_says_of_itself_does_not(clock):
    stream = io.StringIO()
    display = RunDisplay(stream, clock)
    for text in ("Building DAG of jobs...", "Using shell: /bin/bash", "Select jobs to execute..."):
        display.handle(record(None, text))
    display.handle(record(None, "Nothing to be done (all requested files are present and up to date)."))
    display.handle(record(LogEvent.ERROR, "LockException: the folder is locked", logging.ERROR))
    display.handle(record(LogEvent.SHELLCMD, "Shell command: None", shellcmd=None))
    display.close()
    assert stream.getvalue().splitlines() == [
        "Nothing to be done (all requested files are present and up to date).",
        "LockException: the folder is locked",
    ]


def test_a_refusal_in_words_has_no_places_of_the_code(clock):
    """As Snakemake prints an error of a Snakefile."""
    stream = io.StringIO()
    text = (
        'WorkflowError in file "/a b/workflow/rules/input.smk", line 73:\n1 problem in the input.\n  1. P1: no mask.\n'
    )
    text += '  File "/a b/Snakefile", line 74, in <module>\n  File "/a b/workflow/rules/input.smk", line 95, in refuse'
    RunDisplay(stream, clock).handle(record(LogEvent.ERROR, text, logging.ERROR))
    assert stream.getvalue() == "1 problem in the input.\n  1. P1: no mask.\n"


def test_it_takes_the_place_of_snakemakes_own_handler_and_of_no_other(monkeypatch):
    """The handler is asked of Snakemake itself: under another name nothing would be replaced."""
    monkeypatch.setitem(os.environ, SAID_BY_THE_RUN, "")
    logger = logging.Logger("a run")
    LoggerManager(logger, OutputSettings())
    (own,) = logger.handlers
    assert isinstance(own, ColorizingTextHandler)
    display = show_progress_of_run(logger, io.StringIO())
    assert logger.handlers == [display] and os.environ[SAID_BY_THE_RUN] == "1"
    # Another logger was asked for.
    other = SimpleNamespace(handlers=[logging.NullHandler()])
    assert show_progress_of_run(other) is None and len(other.handlers) == 1


def test_a_long_look_at_files_says_how_far_it_is_without_a_terminal(monkeypatch, capsys):
    """One line each 20 seconds, and one at the end; a short look says its end alone."""
    from hcc_recurrence.cohort import facts

    now = [0.0]
    monkeypatch.setattr(facts.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(sys, "__stderr__", sys.stderr)
    show = facts.show_progress("headers", fewest=20)
    for done, seconds in ((100, 5), (200, 21), (300, 30), (400, 45), (500, 46)):
        now[0] = seconds
        show(done, 500)
    facts.show_progress("headers", fewest=20)(19, 19)
    assert capsys.readouterr().err.splitlines() == ["headers: 200 of 500", "headers: 400 of 500", "headers: 500 read"]
