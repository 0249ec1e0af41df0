"""The copy that tests of one process share is as new for each of them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from workflow_runner import RestoredCopy, Workspace

FILES = {
    "tiny.yaml": "seed: 5\n",
    "sheets/patients.csv": "patient_id\nT001\n",
    "hospital/T001/portal/1.dcm": "slice",
    "results/tiny/labels.csv": "patient_id,er\n",
    # Large enough to be another name of the same file.
    "results/tiny/image.nii.gz": "x" * 9000,
    ".snakemake/hcc_key": "secret",
}


@pytest.fixture
def original(tmp_path) -> Workspace:
    folder = tmp_path / "original"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "link").symlink_to("tiny.yaml")
    for path in sorted(folder.rglob("*"), reverse=True):
        os.utime(path, (1e9, 1e9), follow_symlinks=False)
    return Workspace(folder)


def all_of(folder: Path) -> dict[str, tuple]:
    """Kind, time and content of every path."""
    found = {}
    for path in sorted(folder.rglob("*")):
        content = os.readlink(path) if path.is_symlink() else path.is_file() and path.read_bytes()
        time = 0 if path.is_symlink() or ".snakemake" in path.parts else path.stat().st_mtime_ns
        found[str(path.relative_to(folder))] = (path.is_dir(), time, content)
    return found


def edit_with_its_old_time(folder):
    """Of the same size, too."""
    (folder / "tiny.yaml").write_text("seed: 6\n")
    os.utime(folder / "tiny.yaml", (1e9, 1e9))


def move_and_link(folder):
    shutil.move(folder / "results", folder.parent / "disk")
    (folder / "results").symlink_to(folder.parent / "disk")


def replace_large(folder):
    """As Snakemake does it, which removes what a job is about to write."""
    (folder / "results/tiny/image.nii.gz").unlink()
    (folder / "results/tiny/image.nii.gz").write_text("another")


def file_in_place_of_a_folder(folder):
    shutil.rmtree(folder / "hospital")
    (folder / "hospital").write_text("")


CHANGES = [
    edit_with_its_old_time,
    move_and_link,
    replace_large,
    file_in_place_of_a_folder,
    lambda folder: (folder / "sheets/new/deep").mkdir(parents=True),
    lambda folder: (folder / "sheets/patients.csv").unlink(),
    lambda folder: shutil.rmtree(folder / ".snakemake"),
    lambda folder: (folder / ".snakemake/more").write_text(""),
    lambda folder: (folder / "link").unlink(),
    lambda folder: (folder.parent / "beside").mkdir(),
]


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_a_test_leaves_is_put_right(original, tmp_path, change):
    before = all_of(original.folder)
    (tmp_path / "copies").mkdir()
    copy = RestoredCopy(original, tmp_path / "copies/run")
    assert all_of(copy.restored().folder) == before
    change(tmp_path / "copies/run")
    assert all_of(copy.restored().folder) == before
    assert [path.name for path in (tmp_path / "copies").iterdir()] == ["run"]
    assert all_of(original.folder) == before, "no test writes to the original"


def test_a_copy_of_the_inputs_alone_loses_what_a_run_has_left(original, tmp_path):
    (tmp_path / "copies").mkdir()
    copy = RestoredCopy(original, tmp_path / "copies/run", results=False)
    new = all_of(copy.restored().folder)
    assert not any(name.startswith(("results", ".snakemake")) for name in new)
    for name in ("results/tiny", ".snakemake"):
        (tmp_path / "copies/run" / name).mkdir(parents=True)
    assert all_of(copy.restored().folder) == new
