"""How far a run is, from what Snakemake announces: how many jobs, how long still, what runs, who failed and why.

Nothing here prints; `progress_display` does.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hcc_recurrence.job import AGAIN_THE_SAME
from hcc_recurrence.problems import counted

# So many jobs are named as running; the others are counted.
NAMED = 3
# Before so many seconds a time left says nothing.
EARLIEST = 5.0
# Of a log's end at most so much is read and so many lines are told.
TAIL_BYTES, TAIL_LINES = 16384, 16
NO_WORDS = "its log says nothing: it was killed, or ran out of memory"


@dataclass(frozen=True)
class RunningJob:
    """A job that was announced: what it works on, its logs, and when it was announced (seconds of a clock)."""

    rule: str
    wildcards: Mapping[str, str]
    logs: Sequence[str]
    since: float

    def __str__(self) -> str:
        about = [value for _, value in sorted(self.wildcards.items(), key=lambda item: item[0] != "patient")]
        return f"{self.rule} ({', '.join(about)})" if about else self.rule


@dataclass
class Progress:
    """Counts of one run.

    Args: clock: seconds that only grow.
    """

    clock: Callable[[], float] = time.monotonic
    total: int = 0
    done: int = 0
    running: dict[int, RunningJob] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    failed_patients: set[str] = field(default_factory=set)
    # Somebody pressed Ctrl-C: what ends in an error from then on was stopped.
    interrupted: bool = False
    _begun: float = 0.0
    _left: Counter[str] = field(default_factory=Counter)
    _seconds: dict[str, list[float]] = field(default_factory=dict)

    def plan(self, counts: Mapping[str, int]) -> None:
        """Jobs by rule, as Snakemake counts them before the first one."""
        self._left = Counter({rule: int(number) for rule, number in counts.items() if rule != "total"})
        self.total, self.done, self._begun = self._left.total(), 0, self.clock()

    def start(self, job: int, rule: str, wildcards: Mapping[str, object], logs: Sequence[str]) -> None:
        """A job was announced."""
        named = {name: str(value) for name, value in wildcards.items()}
        self.running[job] = RunningJob(rule, named, list(logs), self.clock())

    def finish(self, job: int) -> None:
        """A job has ended well."""
        self.done += 1
        if ended := self.running.pop(job, None):
            self._left[ended.rule] -= 1
            self._seconds.setdefault(ended.rule, []).append(self.clock() - ended.since)

    def fail(self, job: int, rule: str, logs: Sequence[str]) -> str:
        """A job has failed: its patient and rule, and its log's last words.

        Returns: what to tell, a line or a few; nothing of a job that was stopped with the run.
        """
        ended = self.running.pop(job, None) or RunningJob(rule, {}, logs, 0.0)
        if self.interrupted:
            return ""
        # Of a job of a cluster the first log is its own, and the last SLURM's.
        own = [str(log) for log in [*ended.logs, *logs]]
        # A log begins with what the job was about, which of a job without wildcards is its rule's name once more.
        said = next(filter(None, map(last_words, own)), NO_WORDS).removeprefix(f"{ended}: ")
        patient = ended.wildcards.get("patient", "")
        self.failed_patients |= {patient} - {""}
        told = f"Failed: {ended}: {said}"
        self.failures.append(told)
        return told + (f"\n  log: {own[0]}" if own else "")

    def seconds_left(self) -> tuple[float, bool] | None:
        """Seconds until the end, and whether each rule that is left has been met; None where it is too early to say.

        The work that is left, each rule at the mean of its jobs so far (a rule that was not met at the mean of all),
        over how many jobs ran at once.
        """
        now = self.clock()
        elapsed, known = now - self._begun, [s for all_of_rule in self._seconds.values() for s in all_of_rule]
        if elapsed < EARLIEST or not known:
            return None
        mean = {rule: sum(seconds) / len(seconds) for rule, seconds in self._seconds.items()}
        usual = sum(known) / len(known)
        left = {rule: number for rule, number in self._left.items() if number > 0}
        running = list(self.running.values())
        work = sum(number * mean.get(rule, usual) for rule, number in left.items())
        work -= sum(min(now - job.since, mean.get(job.rule, usual)) for job in running)
        at_once = (sum(known) + sum(now - job.since for job in running)) / elapsed
        return max(work, 0.0) / max(at_once, 1.0), set(left) <= set(mean)

    def line(self) -> str:
        """All of it in one line."""
        parts = [f"{self.done} of {self.total} jobs", f"{100 * self.done // max(self.total, 1)} %"]
        if (left := self.seconds_left()) is not None:
            parts.append(f"{'about' if left[1] else 'more than'} {duration(left[0])} left")
        if self.failures:
            parts.append(f"{len(self.failures)} failed")
        running = list(self.running.values())
        if running:
            more = f" and {len(running) - NAMED} more" if len(running) > NAMED else ""
            parts.append("running: " + ", ".join(map(str, running[:NAMED])) + more)
        return " | ".join(parts)

    def summary(self) -> str:
        """What to say at the end; empty where nothing was run."""
        if not self.total:
            return ""
        took = duration(self.clock() - self._begun)
        if self.done >= self.total:
            return f"Done: {counted(self.total, 'job')} in {took}."
        stopped = "Stopped by Ctrl-C" if self.interrupted else "Stopped"
        failed = f"{len(self.failures)} failed, " if self.failures else ""
        patients = f" Patients: {', '.join(sorted(self.failed_patients))}." if self.failed_patients else ""
        fix = "Fix what is said above, then give the same command" if self.failures else "Give the same command"
        said = f"{stopped}: {failed}{self.done} of {self.total} jobs done in {took}."
        return f"{said}{patients} {fix}: it goes on from here."


def duration(seconds: float) -> str:
    """Seconds in words, to one unit or two: "40 s", "8 min", "2 h 5 min"."""
    if seconds < 60:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def last_words(log: str) -> str:
    """The last paragraph of a log, which says what is wrong and what to do (`job.job_log`); empty where there is none.

    Without the mark for further attempts, and without the lines of a traceback.
    """
    try:
        with Path(log).open("rb") as file:
            file.seek(0, 2)
            file.seek(max(file.tell() - TAIL_BYTES, 0))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    lines = [line for line in text.splitlines() if not line.startswith(AGAIN_THE_SAME)]
    while lines and not lines[-1].strip():
        lines.pop()
    begin = next((n for n in range(len(lines) - 1, -1, -1) if not lines[n].strip()), -1) + 1
    words = lines[begin:]
    if any(line.startswith("Traceback (most recent call last)") for line in words):
        words = words[-1:]
    return "\n".join(words[-TAIL_LINES:]).strip()
