"""Run Snakemake in a folder of its own, and read what it says it would do."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import yaml
from snakemake_server import SNAKEMAKE, SnakemakeServer

REPOSITORY = Path(__file__).resolve().parents[1]
# Files of results that no test writes to, and that are large.
LINKED = (".pt", ".npz", ".nii.gz", ".parquet", ".feather", ".png", ".svg")
# Folders of a cohort's results that hold a file or a folder a patient.
OF_PATIENTS = ("images", "masks", "registration", "crops", "radiomics")


@functools.cache
def server() -> SnakemakeServer:
    """That of this process."""
    return SnakemakeServer()


def copy_workflow(folder: Path) -> None:
    """What a run needs of the repository, in a folder that may be there."""
    for name in ("Snakefile", "workflow", "config", "profiles", "envs"):
        source, target = REPOSITORY / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
        else:
            shutil.copy2(source, target)


def carry_headers(source: Path, target: Path) -> None:
    """What planning knows of the files of one folder, as its knowledge of their copies in another."""
    caches, own = source / ".snakemake", target / ".snakemake"
    if not (caches / "hcc_headers.json").is_file():
        return
    own.mkdir(exist_ok=True)
    for name in ("hcc_key", "hcc_samples.json", "hcc_modules.json"):
        if (caches / name).is_file():
            shutil.copy2(caches / name, own / name)
    known = json.loads((caches / "hcc_headers.json").read_text())
    facts = {}
    for key, (stamp, fact) in known["facts"].items():
        kind, path = key.split(" ", 1)
        copied = path.replace(f"{source}{os.sep}", f"{target}{os.sep}", 1)
        try:
            status = os.stat(copied)
        except OSError:
            continue
        # Size and time of the copy are those of the original; the time of its inode is its own.
        if stamp[:2] == [status.st_size, status.st_mtime_ns]:
            facts[f"{kind} {copied}"] = [[*stamp[:2], status.st_ctime_ns], fact]
    (own / "hcc_headers.json").write_text(json.dumps({**known, "facts": facts}))


def remove(path: Path) -> None:
    """A file, or a folder with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


class Workspace:
    """A folder that holds a copy of the workflow, inputs and, after a run, results."""

    def __init__(self, folder: Path):
        self.folder = folder

    def copy_to(self, folder: Path, results: bool = True) -> Workspace:
        """Copy with time stamps; without results also without Snakemake's memory of them.

        What is large in the results is the same file under another name: Snakemake removes what a job is about to
        write, so that no copy changes another, and forty copies of half a gigabyte would fill a disk. What was read of
        the DICOM files is known in the copy too.
        """
        # The browser's test puts a page beside the report and takes it away while another process copies.
        passing = {"__pycache__", "probed.html"}
        left_out = {"__pycache__"} if results else {"__pycache__", "results", ".snakemake", "logs", "benchmarks"}

        def ignore(where: str, names: list[str]) -> set[str]:
            top = Path(where) == self.folder
            return {n for n in names if n in passing or (top and n in left_out)}

        shutil.copytree(self.folder, folder, ignore=ignore, symlinks=True, copy_function=self.copy_file)
        carry_headers(self.folder, folder)
        return Workspace(folder)

    def copy_file(self, source: str, target: str) -> str:
        """One of its files with time stamps; of a large result another name."""
        made = str(self.folder / "results") + os.sep
        large = source.startswith(made) and source.endswith(LINKED) and os.stat(source).st_size > 8192
        return os.link(source, target) if large else shutil.copy2(source, target)

    def take_away(self, *patients: str) -> None:
        """Remove from the tiny cohort's results what was made of these patients, and of all patients together."""
        for place in (self.folder / "results/tiny").iterdir():
            if place.name not in OF_PATIENTS:
                remove(place)
                continue
            for found in [*place.glob("*"), *place.glob("*/*")]:
                patient = found.name.split(".")[0]
                if patient in patients or (found.is_file() and not patient.startswith("T0")):
                    remove(found)

    def snakemake(self, *arguments: str, timeout: float = 1500, typed: bool = False) -> subprocess.CompletedProcess:
        """Run snakemake here with the tiny config; stdout and stderr as text. `typed` starts the command anew."""
        words = ["--configfile", "tiny.yaml", *arguments]
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        if not typed:
            return server().call(words, self.folder, environment, timeout)
        command = [str(SNAKEMAKE), *words]
        return subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, timeout=timeout, env=environment
        )

    def run(self, *targets: str, cores: int = 2, typed: bool = False) -> str:
        """A real run that must succeed; returns what was printed."""
        result = self.snakemake("--cores", str(cores), *targets, typed=typed)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout + result.stderr

    def refuse(self, *arguments: str) -> str:
        """A run that must stop before its first job; returns the message."""
        result = self.snakemake("--cores", "1", *arguments, "all")
        text = result.stdout + result.stderr
        assert result.returncode != 0, text
        assert "jobs to run" not in text and "localrule" not in text, text
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


class RestoredCopy:
    """A copy of a workspace that is put right for each test that asks for it: what another test left is no more.

    A copy has some thousand files, of which a test changes a few. Compiled modules stay, which Python compares with
    their sources. A test that kills what writes to its copy has one of its own.

    Args:
        original: what is copied; nobody changes it. folder: where the copy is; all beside it is the tests' as well.
        results: as in `Workspace.copy_to`.
    """

    def __init__(self, original: Workspace, folder: Path, results: bool = True):
        self.original, self.folder, self.results = original, folder, results
        self._known: dict[str, tuple] = {}

    def restored(self) -> Workspace:
        """The copy as if it were new."""
        for other in self.folder.parent.iterdir():
            if other != self.folder or not self._known:
                remove(other)
        if self._known:
            self._put_right()
        else:
            self.original.copy_to(self.folder, self.results)
        self._known = stamps(self.folder)
        return Workspace(self.folder)

    def _put_right(self) -> None:
        if self.folder.is_symlink() or not self.folder.is_dir():
            raise RuntimeError(f"{self.folder}: the test before took the copy itself away")
        source, now = self.original.folder, stamps(self.folder)
        for path in sorted(now):
            if self._known.get(path) != now[path] and os.path.lexists(self.folder / path):
                remove(self.folder / path)
        for path in sorted(self._known):
            copied, target = str(source / path), self.folder / path
            if os.path.lexists(target):
                continue
            kind = self._known[path][0]
            if kind == "folder":
                target.mkdir()
            elif kind == "link":
                os.symlink(os.readlink(copied), target)
            else:
                self.original.copy_file(copied, str(target))
        # Whatever was changed in a folder has changed its time.
        for path in ["", *(path for path, stamp in self._known.items() if stamp[0] == "folder")]:
            if os.stat(self.folder / path).st_mtime_ns != os.stat(source / path).st_mtime_ns:
                shutil.copystat(source / path, self.folder / path)
        shutil.rmtree(self.folder / ".snakemake", ignore_errors=True)
        if self.results:
            shutil.copytree(source / ".snakemake", self.folder / ".snakemake", symlinks=True)
        carry_headers(source, self.folder)


def stamps(folder: Path) -> dict[str, tuple]:
    """Every path below a folder, its kind, and what changes with it; not Snakemake's own folder and compiled modules.

    Of a file with another name its time of change says nothing: it changes with each name.
    """
    found, todo = {}, [""]
    while todo:
        where = todo.pop()
        with os.scandir(folder / where) as entries:
            for entry in entries:
                path = os.path.join(where, entry.name)
                if path == ".snakemake" or entry.name == "__pycache__":
                    continue
                if entry.is_symlink():
                    found[path] = ("link", os.readlink(entry.path))
                elif entry.is_dir():
                    found[path] = ("folder",)
                    todo.append(path)
                else:
                    status = entry.stat()
                    changed = status.st_ctime_ns if status.st_nlink == 1 else 0
                    found[path] = ("file", status.st_ino, status.st_size, status.st_mtime_ns, changed)
    return found
