"""One line that moves in place of Snakemake's blocks; plain lines now and then where there is no terminal.

What is left out is in Snakemake's own log file, which stays whole (`.snakemake/log`). It is a handler of Snakemake's
logger that reads the events of its kept interface (snakemake-interface-logger-plugins), and no plugin of it: plugins
run in a thread, and planning could not copy its process any more to look at files; and a profile that names a plugin
ends in an error where the environment lacks it. With `--logger`, `--verbose`, `--quiet` and in dry runs Snakemake
speaks for itself.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from typing import TextIO

from hcc_recurrence.job import SAID_BY_THE_RUN
from hcc_recurrence.problems import counted
from hcc_recurrence.progress import Progress

# Snakemake's name of its own handler of the screen.
DEFAULT_NAME = "DefaultStreamHandler"
# A wait that is no longer than this needs no word, seconds.
PATIENCE = 2.0
# Without a terminal: a line at least so far, or so many seconds, after the last.
STEP, SECONDS = 0.1, 60.0
# What Snakemake and its executors say of themselves. Anything else is shown.
NOISE = (
    *("Building DAG of jobs", "Using shell", "Provided", "Rules claiming", "Select jobs to execute", "Execute "),
    *("Conda environments: ignored", "Singularity containers: ignored", "Group jobs: inactive", "Elapsed time"),
    *("Assuming unrestricted", "host:", "Using workflow specific profile", "Removing output files of failed job"),
    *("Removing temporary output", "Waiting at most", "Trying to restart job", "Shutting down, this might take"),
    *("Workflow has started", "DAG of jobs will be updated"),
    *(
        "Job rate limit reached",
        "SLURM run ID",
        "Job ",
        "Group job",
        "Storing output in storage",
        "DAG of jobs will be",
    ),
)
# Of a script that failed: the job's own error comes with it, and is told with its log's last words.
OF_A_SCRIPT = "CalledProcessError"
# Said after Ctrl-C, before the jobs that run are stopped.
INTERRUPTED = "Terminating processes on user request"
# Said after a job has failed.
AFTER_A_FAILURE = ("Error executing rule", "At least one job did not complete", "Exiting because a job execution")

# Where in the workflow's files a refusal in words was raised: of no use to who reads it.
PLACES = re.compile(r'^WorkflowError in file "[^"]+", line \d+:\n|\n  File "[^"]+", line \d+, in \S+', re.MULTILINE)


class RunDisplay(logging.Handler):
    """Tells how far a run is.

    Args: stream: where to write. clock: seconds that only grow.
    """

    def __init__(self, stream: TextIO = sys.stderr, clock: Callable[[], float] = time.monotonic):
        super().__init__(logging.INFO)
        self.stream, self.clock, self.progress = stream, clock, Progress(clock)
        self._live, self._told_at, self._told = None, 0.0, 0.0
        self._ended = False
        # Says what takes long before the first job.
        self._waiting: threading.Timer | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Count an event, or pass a message on."""
        try:
            event = getattr(getattr(record, "event", None), "name", "")
            if event == "ERROR" or not event:
                self._message(record)
            elif (act := getattr(self, f"_on_{event.lower()}", None)) is not None:
                act(record)
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Take the line away and say how it ended. Snakemake calls this at its end."""
        if not self._ended:
            self._ended = True
            self._stop_waiting()
            self._stop_moving()
            if said := self.progress.summary():
                self._write(said)
        super().close()

    # -- events --------------------------------------------------------------------------------------------------------

    def _on_run_info(self, record: logging.LogRecord) -> None:
        self._stop_waiting()
        self.progress.plan(record.stats)
        self._told_at = self.clock()
        self._write(f"{counted(self.progress.total, 'job')} to run. Each job's log is in logs/.")
        self._start_moving()

    def _on_job_info(self, record: logging.LogRecord) -> None:
        self.progress.start(record.jobid, record.rule_name, record.wildcards or {}, list(record.log or []))

    def _on_job_finished(self, record: logging.LogRecord) -> None:
        self.progress.finish(record.job_id)
        fraction = self.progress.done / max(self.progress.total, 1)
        late = self.clock() - self._told_at >= SECONDS
        if self._live is None and (late or fraction - self._told >= STEP) and fraction < 1:
            self._told, self._told_at = fraction, self.clock()
            self._write(self.progress.line())

    def _on_job_error(self, record: logging.LogRecord) -> None:
        if said := self.progress.fail(record.jobid, record.rule_name, list(record.log or [])):
            self._write(said)

    def _on_group_error(self, record: logging.LogRecord) -> None:
        """Of several jobs in one submission the one that left words in its log is told; the others did not run."""
        failed = [job for job in record.job_error_info if any(map(os.path.isfile, job["log"]))]
        for job in failed or record.job_error_info[:1]:
            logs = [*job["log"], *record.aux_logs]
            if said := self.progress.fail(job["jobid"], job["rule_name"], logs):
                self._write(said)

    def _message(self, record: logging.LogRecord) -> None:
        text = str(record.getMessage() or "")
        if text.startswith("Building DAG of jobs"):
            self._wait("Working out which jobs there are, and which results are still valid ...")
        self.progress.interrupted |= text.startswith(INTERRUPTED)
        told = OF_A_SCRIPT in text or (self.progress.failures and any(words in text for words in AFTER_A_FAILURE))
        noise = record.levelno <= logging.INFO and text.lstrip().startswith(NOISE)
        if text.strip() in ("", "None") or noise or told:
            return
        self._write(PLACES.sub("", text) if text.startswith("WorkflowError in file") else text)

    # -- the screen ----------------------------------------------------------------------------------------------------

    def _write(self, text: str) -> None:
        if self._live is not None:
            # Above the line that moves; as it is, without rich's marks and colours.
            self._live.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            print(text, file=self.stream, flush=True)

    def _wait(self, what: str) -> None:
        self._stop_waiting()
        self._waiting = threading.Timer(PATIENCE, self._write, [what])
        self._waiting.daemon = True
        self._waiting.start()

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()

    def _start_moving(self) -> None:
        if not self.stream.isatty() or os.environ.get("TERM", "dumb") == "dumb":
            return
        try:
            from rich.console import Console
            from rich.live import Live
            from rich.text import Text
        except ImportError:
            return
        console = Console(file=self.stream)
        self._live = Live(
            console=console,
            get_renderable=lambda: Text(self.progress.line(), no_wrap=True, overflow="ellipsis"),
            refresh_per_second=2,
            transient=True,
        )
        self._live.start()

    def _stop_moving(self) -> None:
        if self._live is not None:
            live, self._live = self._live, None
            live.stop()


def show_progress_of_run(logger: logging.Logger, stream: TextIO = sys.stderr) -> RunDisplay | None:
    """Put our display in the place of Snakemake's own handler of the screen.

    Returns: None where that handler is not there (another logger was asked for): nothing is changed then.
    """
    own = [handler for handler in logger.handlers if handler.name == DEFAULT_NAME]
    if not own:
        return None
    display = RunDisplay(stream)
    for handler in own:
        logger.removeHandler(handler)
    logger.addHandler(display)
    # Jobs leave it to the run to say why they failed.
    os.environ[SAID_BY_THE_RUN] = "1"
    return display
