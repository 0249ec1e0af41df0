"""Jobs that an interrupted run has left on a cluster.

A Snakemake that is killed takes none of its jobs along. They would go on writing files that the next run is about to
write, and Snakemake's executor does not look for them.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Collection

# SLURM asks a job to end, waits for KillWait (30 s by default), then kills it.
LONGEST_END_S = 180


def end_left_jobs(jobs: Collection[str], longest_s: float = LONGEST_END_S) -> list[str]:
    """Cancel those of some SLURM jobs that still wait or run, and wait until they are gone.

    Args: jobs: SLURM's ids, also of jobs that ended long ago.

    Returns: the ids of those that were cancelled, sorted; none where there is no SLURM.

    Raises: RuntimeError where one does not end in time, or SLURM does not answer.
    """
    if not jobs or not shutil.which("squeue"):
        return []
    found = sorted(set(jobs) & _in_the_queue())
    if not found:
        return []
    subprocess.run(["scancel", *found], check=False)
    end = time.monotonic() + longest_s
    while set(found) & _in_the_queue():
        if time.monotonic() > end:
            raise RuntimeError(
                f"the SLURM jobs {', '.join(found)} of an interrupted run still write to this folder {longest_s:.0f} s after "
                "scancel. What to do: wait until squeue --me lists them no more, then start again"
            )
        time.sleep(1)
    return found


def _in_the_queue() -> set[str]:
    """Ids of this user's jobs that wait, run or are about to end."""
    done = subprocess.run(["squeue", "--me", "--noheader", "--format=%A"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(
            "an interrupted run has left jobs on the cluster, and squeue does not say whether they still write here: "
            f"{done.stderr.strip()}. What to do: start again where squeue --me works"
        )
    return set(done.stdout.split())
