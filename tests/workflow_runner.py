"""Run Snakemake in a folder of its own, and read what it says it would do."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[1]
SNAKEMAKE = Path(sys.executable).with_name("snakemake")


def copy_workflow(folder: Path) -> None:
    """What a run needs of the repository, in a folder that may be there."""
    for name in ("Snakefile", "workflow", "config", "profiles", "envs"):
        source, target = REPOSITORY / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
        else:
            shutil.copy2(source, target)


class Workspace:
    """A folder that holds a copy of the workflow, inputs and, after a run, results."""

    def __init__(self, folder: Path):
        self.folder = folder

    def copy_to(self, folder: Path, results: bool = True) -> Workspace:
        """Copy with time stamps; without results also without Snakemake's memory of them.

        Networks are the same files under another name: Snakemake removes what a job is about to write, so that no copy
        changes another, and forty copies of half a gigabyte would fill a disk.
        """
        left_out = {"__pycache__"} if results else {"__pycache__", "results", ".snakemake", "logs", "benchmarks"}

        def ignore(where: str, names: list[str]) -> set[str]:
            top = Path(where) == self.folder
            return {n for n in names if n == "__pycache__" or (top and n in left_out)}

        def copy(source: str, target: str) -> str:
            return os.link(source, target) if source.endswith(".pt") else shutil.copy2(source, target)

        shutil.copytree(self.folder, folder, ignore=ignore, symlinks=True, copy_function=copy)
        return Workspace(folder)

    def snakemake(self, *arguments: str, timeout: float = 1500) -> subprocess.CompletedProcess:
        """Run snakemake here with the tiny config; stdout and stderr as text."""
        command = [str(SNAKEMAKE), "--configfile", "tiny.yaml", *arguments]
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        return subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, timeout=timeout, env=environment
        )

    def run(self, *targets: str, cores: int = 2) -> str:
        """A real run that must succeed; returns what was printed."""
        result = self.snakemake("--cores", str(cores), *targets)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout + result.stderr

    def refuse(self, *arguments: str) -> str:
        """A run that must stop before its first job; returns the message."""
        result = self.snakemake("--cores", "1", *arguments, "all")
        text = result.stdout + result.stderr
        assert result.returncode != 0, text
        assert "Finished jobid" not in text and "localrule" not in text, text
        assert "Traceback" not in text, text
        return text

    def jobs(self, *arguments: str, target: str = "all") -> dict[str, int]:
        """The rules that a dry run would execute, with their number of jobs; without the target rule `all`."""
        result = self.snakemake("--dry-run", *arguments, target)
        text = result.stdout + result.stderr
        assert result.returncode == 0, text
        if "Nothing to be done" in text:
            return {}
        table = text.split("Job stats:")[1].split("total")[0]
        found = dict(re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE))
        return {rule: int(number) for rule, number in found.items() if rule != "all"}

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace text that must be there, once."""
        file = self.folder / path
        text = file.read_text()
        assert text.count(old) >= 1, f"{old!r} is not in {path}"
        file.write_text(text.replace(old, new, 1))

    def config(self, **changes) -> None:
        """Change top-level keys of the tiny config."""
        file = self.folder / "tiny.yaml"
        config = yaml.safe_load(file.read_text())
        config.update(changes)
        file.write_text(yaml.safe_dump(config, sort_keys=False))

    def cohort(self, **changes) -> None:
        """Change keys of the tiny cohort."""
        config = yaml.safe_load((self.folder / "tiny.yaml").read_text())
        config["cohorts"]["tiny"].update(changes)
        self.config(cohorts=config["cohorts"])
