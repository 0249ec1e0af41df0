"""What the benchmarks share: commands that are timed, and the one thread that a rule gives its job."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
SCRIPTS = TESTS.parent / "workflow" / "scripts"
sys.path[:0] = [str(TESTS), str(SCRIPTS)]

# What envs/benchmarks.txt names, as `make bench` installs it. The program is the package's own: pip writes a script of
# the same name that does not find its package there.
BENCH = TESTS.parent / ".venv" / "bench"
DCM2NIIX = BENCH / "dcm2niix" / "dcm2niix"

# As workflow/rules/input.smk sets them.
_LIBRARIES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")
ONE_THREAD = dict.fromkeys(_LIBRARIES, "1")


def run(command: list[str], folder: Path | None = None, environment: dict[str, str] | None = None) -> tuple[str, float]:
    """What a command printed, and its seconds; the end of the program where it failed."""
    environment = {**os.environ, **(environment or {})}
    started = time.monotonic()
    done = subprocess.run(command, cwd=folder, text=True, capture_output=True, check=False, env=environment)
    seconds = time.monotonic() - started
    if done.returncode:
        sys.exit(done.stdout[-6000:] + done.stderr[-6000:])
    return done.stdout + done.stderr, seconds


def snakemake(folder: Path, *arguments: str) -> tuple[str, float]:
    """What a run of Snakemake printed, and its seconds."""
    return run([str(Path(sys.executable).with_name("snakemake")), *arguments], folder)


def count_jobs(said: str) -> int:
    """Jobs of a run, by Snakemake's table."""
    return int(re.search(r"^total +(\d+)", said, re.MULTILINE)[1])
