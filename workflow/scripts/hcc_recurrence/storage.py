"""Whether the folders that a run writes to can be written to, before anything is computed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from hcc_recurrence.problems import Problem

# With less left, not even tables and logs find room; images and networks need far more.
LEAST_FREE_MB = 200


def storage_problems(folders: Mapping[str, str], least_mb: float = LEAST_FREE_MB) -> list[Problem]:
    """A problem for each folder that is a file, cannot be written to, or whose disk is full.

    Args:
        folders: kind, as `pathvars` has it -> path; what does not exist yet is made where its nearest folder is.
        least_mb: free space below which nothing is begun, in MB.
    """
    problems = []
    for kind, name in folders.items():
        elsewhere = f"pathvars: {{{kind}: /folder/with/room}}"
        path = Path(name)
        if path.is_symlink() and not path.exists():
            what, remedy = "is a link to what is not there", "mount its disk, or remove the link"
        elif not (near := _nearest(path)).is_dir():
            what, remedy = f"{near} is a file, where a folder is needed", "rename the file"
        elif not os.access(near, os.W_OK | os.X_OK):
            what = f"{near} cannot be written to (its permissions, or its disk is read-only)"
            remedy = f"change its permissions, or name another folder: {elsewhere}"
        elif (free := shutil.disk_usage(near).free / 1e6) < least_mb:
            what = f"its disk is full: {free:.0f} MB are free"
            remedy = f"make room, or name a folder on another disk: {elsewhere}"
        else:
            continue
        problems.append(Problem("", "", name, what, remedy))
    return problems


def _nearest(path: Path) -> Path:
    """The path itself, or the nearest one above it that exists."""
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path
