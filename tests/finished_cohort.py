"""A finished run in seconds: every output is a small file, with the workflow's own record of what made it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import yaml
from workflow_runner import Workspace

# `--touch` waits a tenth of a second in each job.
QUICK = """
import sys
from types import SimpleNamespace
from snakemake import cli
from snakemake.executors import touch
touch.time = SimpleNamespace(sleep=lambda seconds: None)
cli.main(sys.argv[1:])
"""


def finish(workspace: Workspace, *options: str, whole: bool = False) -> None:
    """Pretend to run `all`: one method without networks, in the tiny config's cohort; or, where `whole`, all of it."""
    if not whole:
        config = yaml.safe_load((workspace.folder / "tiny.yaml").read_text())
        workspace.config(studies=[{**config["studies"][0], "networks": False}])
    listed = workspace.snakemake(*options, "--dry-run", "--summary", "--", "all")
    assert listed.returncode == 0, listed.stdout + listed.stderr
    folders = rules_of_folders(workspace.folder)
    rows = [line.split("\t") for line in listed.stdout.splitlines() if "\t" in line]
    for row in rows[1:]:
        path, rule = workspace.folder / row[0], row[2]
        # Such a rule may leave files as well.
        if rule in folders and path.suffix not in (".csv", ".html"):
            path.mkdir(parents=True)
            for name in ("one", "two"):
                (path / name).write_text(f"{row[0]} {name}")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{row[0]}\n")
    touch(workspace, "--forceall", *options)


def touch(workspace: Workspace, *options: str) -> None:
    """Adopt the files that are there as results."""
    command = [sys.executable, "-c", QUICK, "--configfile", "tiny.yaml", *options, "--touch", "--cores", "1000"]
    done = subprocess.run([*command, "--", "all"], cwd=workspace.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def rules_of_folders(folder: Path) -> set[str]:
    """Rules whose output is a folder."""
    text = "".join(file.read_text() for file in (folder / "workflow" / "rules").rglob("*.smk"))
    blocks = re.split(r"\n(?=rule |use rule )", text)
    outputs = {block: re.search(r"\n    output:\n(.*?)\n    \w+:", block, re.DOTALL) for block in blocks}
    shared = {re.match(r"rule (\w+)", b)[1] for b, found in outputs.items() if found and "directory(" in found[1]}
    # Steps of one method are declared: `"name": {`.
    steps = re.split(r'\n    (?="\w+": \{)', text)
    return shared | {re.match(r'"(\w+)"', step)[1] for step in steps[1:] if "[kept_model(" in step}
