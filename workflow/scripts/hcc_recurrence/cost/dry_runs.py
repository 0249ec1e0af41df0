"""What Snakemake says of a run with the same config: a dry run in a process of its own, which leaves an answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def ask_dry_run(snakefile: str, config: Mapping[str, Any], targets: Sequence[str], variable: str, failure: str) -> Any:
    """What a dry run of the targets writes into the file that an environment variable names.

    Args:
        variable: its name. failure: what could not be done, where there is no such file afterwards.

    Raises: RuntimeError with `failure` and what Snakemake said.
    """
    with tempfile.TemporaryDirectory() as folder:
        settings, found = Path(folder, "config.json"), Path(folder, "answer.json")
        settings.write_text(json.dumps(config))
        command = [
            *(sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "--nolock", "--snakefile", snakefile),
            *("--configfile", str(settings), "--", *targets),
        ]
        environment = {**os.environ, variable: str(found)}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        if not found.is_file():
            raise RuntimeError(f"{failure}: {done.stdout}{done.stderr}")
        return json.loads(found.read_text())
