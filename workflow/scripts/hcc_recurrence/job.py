"""What every adapter script does around its one call: write to the log, and fail in plain words."""

from __future__ import annotations

import atexit
import contextlib
import errno
import gc
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

from hcc_recurrence.problems import Refused

# The last line of the log of an error that another attempt would meet again.
AGAIN_THE_SAME = "Another attempt would end the same: none is made."
# Set for the jobs of a run that tells itself, from their logs, why they failed (`progress_display`).
SAID_BY_THE_RUN = "HCC_SAID_BY_THE_RUN"
OF_A_FULL_DISK = {errno.ENOSPC, errno.EDQUOT}
# Errors of the machine that another attempt, perhaps on another machine, may not meet.
OF_THE_MACHINE = {errno.EIO, errno.ENOMEM, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EBUSY}


@contextlib.contextmanager
def job_log(path: str, about: str) -> Iterator[None]:
    """Send what is printed to the rule's log; on an error write what was worked on, and what to do.

    Clusters repeat jobs that fail (`retries` in profiles/slurm), for they may have lacked memory, time or a node. An
    error of the job itself would come again: the next attempt finds it in the log and ends at once.

    Args:
        path: the log file.
        about: the patient, phase or model of this job, by pseudonym, for the message.

    Raises: SystemExit(1) after an error, whose traceback is in the log unless the input is what is wrong.
    """
    _end_if_hopeless(Path(path))
    _collect_rarely()
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with (
        open(path, "w", encoding="utf-8", buffering=1) as stream,
        contextlib.redirect_stdout(stream),
        contextlib.redirect_stderr(stream),
    ):
        try:
            yield
        except Exception as error:
            # What a person has to fix is said in one line.
            message = f"{about}: {error}"
            if isinstance(error, OSError) and error.errno in OF_A_FULL_DISK:
                message += ". What to do: make room on the disk and start again: what is finished is kept"
            # A full disk may take no log either.
            with contextlib.suppress(OSError):
                if not isinstance(error, Refused):
                    traceback.print_exc()
                print(f"\n{message}")
                if not may_pass(error):
                    print(_mark())
        else:
            return
    if not os.environ.get(SAID_BY_THE_RUN):
        print(message, file=sys.stderr)
    sys.exit(1)


def may_pass(error: BaseException) -> bool:
    """Whether another attempt may get past an error: it lacked memory, or the machine failed it."""
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return True
    return isinstance(error, OSError) and error.errno in OF_THE_MACHINE


def _mark() -> str:
    return f"{AGAIN_THE_SAME} (run {os.environ.get('HCC_RUN', '')})"


def _collect_rarely() -> None:
    """Python's garbage collector looks at libraries while they are imported, and at all of them again at the end.

    Nothing of them is garbage. It was a third of the start of a job: 1.8 s became 1.2 s where torch is imported.
    """
    gc.set_threshold(200_000)
    atexit.register(gc.freeze)


def _end_if_hopeless(log: Path) -> None:
    if int(os.environ.get("HCC_ATTEMPT", "1")) < 2 or not log.is_file():
        return
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    # Of this run: what was wrong in an earlier one may be mended.
    if lines[-1:] == [_mark()]:
        print(*lines[-2:-1], f"{AGAIN_THE_SAME} The whole error is in {log}", sep="\n", file=sys.stderr)
        sys.exit(1)
