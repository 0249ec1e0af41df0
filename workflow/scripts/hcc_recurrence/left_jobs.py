"""Jobs that an interrupted run has left on a cluster.

A Snakemake that is killed takes none of its jobs along. They would go on writing files that the next run is about to
write, and Snakemake's executor does not look for them.
"""

from __future__ import annotations

import contextlib
import fcntl
import re
import shutil
import subprocess
import time
from collections.abc import Collection
from pathlib import Path
from typing import TextIO

# SLURM asks a job to end, waits for KillWait (30 s by default), then kills it.
LONGEST_END_S = 180
# Where Snakemake's executor keeps the logs of jobs that have not ended well, or not yet.
SENT = Path(".snakemake", "slurm_logs")
# Snakemake's executor names a job after its run, perhaps behind a prefix.
RUN_NAME = re.compile(r"(?:.+_)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def claim_folder(lock: Path, folder: Path) -> tuple[TextIO, list[str]]:
    """Say that a run works in a folder; where no other does, end what an earlier one has left on the cluster.

    Args: lock: a file that all runs in the folder share. Its lock goes with the process, however that ends.

    Returns: the open file, which holds the claim; and the ids of the jobs that were cancelled.

    Raises: RuntimeError where a job does not end in time, or SLURM does not answer.
    """
    claim = open(lock, "a", encoding="utf-8")  # noqa: SIM115 - stays open as long as the run
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        # Another run is alive, whose jobs are none of ours; or this file system has no locks, and nobody can tell.
        ended = []
    else:
        ended = end_left_jobs(folder)
    # Shared by all that are alive: who comes later must see each of them.
    with contextlib.suppress(OSError):
        fcntl.flock(claim, fcntl.LOCK_SH)
    return claim, ended


def end_left_jobs(folder: Path, longest_s: float = LONGEST_END_S) -> list[str]:
    """Cancel all SLURM jobs that a Snakemake sent from a folder, and wait until they are gone.

    Returns: their ids, sorted; none where none was ever sent from there.

    Raises: RuntimeError where one does not end in time, or SLURM does not answer.
    """
    if not (folder / SENT).is_dir() or not shutil.which("squeue"):
        return []
    found = _jobs_of(folder)
    if not found:
        return []
    subprocess.run(["scancel", *found], check=False)
    end = time.monotonic() + longest_s
    while left := set(found) & set(_jobs_of(folder)):
        if time.monotonic() > end:
            raise RuntimeError(_still_there(left))
        time.sleep(1)
    return found


def _still_there(jobs: Collection[str]) -> str:
    return (
        f"the SLURM jobs {', '.join(sorted(jobs))} of an interrupted run still write to this folder after scancel. "
        "What to do: wait until squeue --me lists them no more, then start again"
    )


def _jobs_of(folder: Path) -> list[str]:
    """Ids of this user's jobs that wait, run or are about to end, and were sent from a folder; sorted."""
    command = ["squeue", "--me", "--noheader", "--format=%A|%j|%Z"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(
            "squeue does not say whether an interrupted run has left jobs on the cluster that write to this folder: "
            f"{done.stderr.strip()}. What to do: start again where squeue --me works"
        )
    rows = [line.split("|") for line in done.stdout.splitlines()]
    return sorted(row[0] for row in rows if RUN_NAME.fullmatch(row[1]) and Path(row[2]) == folder)
