"""What every adapter script does around its one call: write to the log, and fail in plain words."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

from hcc_recurrence.problems import Refused


@contextlib.contextmanager
def job_log(path: str, about: str) -> Iterator[None]:
    """Send what is printed to the rule's log; on an error write what was worked on, and what to do.

    Args:
        path: the log file.
        about: the patient, phase or model of this job, by pseudonym, for the message.

    Raises: SystemExit(1) after an error, whose traceback is in the log unless the input is what is wrong.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with (
        open(path, "w", encoding="utf-8", buffering=1) as stream,
        contextlib.redirect_stdout(stream),
        contextlib.redirect_stderr(stream),
    ):
        try:
            yield
        except Exception as error:
            # What a person has to mend is said in one line.
            if not isinstance(error, Refused):
                traceback.print_exc()
            print(f"\n{about}: {error}")
            message = f"{about}: {error}"
        else:
            return
    print(message, file=sys.stderr)
    sys.exit(1)
