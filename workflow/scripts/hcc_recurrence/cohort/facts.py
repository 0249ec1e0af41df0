"""Facts about many files at once: found by several processes, kept in a cache."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from hcc_recurrence.provenance import FileCache

# More processes than this read no faster from one disk, and a login node is not ours alone.
MOST_WORKERS = 8
# So many files a process make up for its start.
WORTH_A_PROCESS = 5
# How long a person waits for a word where there is no terminal for a bar.
SECONDS_A_LINE = 20


def available_workers() -> int:
    """Processes that may read at once: the cores that this process may use, few at most."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:
        cores = os.cpu_count() or 1
    return min(cores, MOST_WORKERS)


def show_progress(what: str, fewest: int = 0) -> Callable[[int, int], None]:
    """A bar on the screen, past any log, as a function of how many are done, of how many; none for fewer than that.

    Without a terminal one line when all are done, and before that one each `SECONDS_A_LINE`.
    """
    said = time.monotonic()

    def show(done: int, of: int) -> None:
        nonlocal said
        if of < fewest:
            return
        if not (sys.__stderr__ and sys.__stderr__.isatty()):
            if done == of:
                print(f"{what}: {of} read", file=sys.__stderr__, flush=True)
            elif time.monotonic() - said >= SECONDS_A_LINE:
                said = time.monotonic()
                print(f"{what}: {done} of {of}", file=sys.__stderr__, flush=True)
            return
        filled = round(30 * done / of)
        bar = f"\r{what} [{'#' * filled}{'.' * (30 - filled)}] {done} of {of}"
        print(bar, end="\n" if done == of else "", file=sys.__stderr__, flush=True)

    return show


def find_facts(
    files: Sequence[Path],
    compute: Callable[[Path], Any],
    cache: FileCache,
    workers: int,
    show: Callable[[int, int], None],
    chunk: int,
) -> None:
    """Fill the cache with a fact of all files.

    Args:
        compute: a function of a module, which other processes can import. show: gets how many are done, of how many.
        chunk: files that a process takes at once; few files are read by this process alone.
    """
    todo = cache.lacking(files, compute)
    if workers < 2 or len(todo) < WORTH_A_PROCESS * chunk:
        _keep(todo, map(compute, todo), compute, cache, show, chunk)
        return
    # A fork would copy the locks of Snakemake's threads; a job's script has none, and cannot be imported again.
    context = multiprocessing.get_context("fork" if threading.active_count() == 1 else "spawn")
    with ProcessPoolExecutor(workers, context) as pool:
        _keep(todo, pool.map(compute, todo, chunksize=chunk), compute, cache, show, chunk)


def _keep(todo: Sequence[Path], facts: Any, compute: Callable, cache: FileCache, show: Callable, chunk: int) -> None:
    for number, (file, fact) in enumerate(zip(todo, facts, strict=True), 1):
        cache.put(file, compute, fact)
        if number % chunk == 0 or number == len(todo):
            show(number, len(todo))
