"""Files: one copy on the disk of what two grids share, and who may read what is written in one rename."""

from __future__ import annotations

from pathlib import Path

from hcc_recurrence.files import keep_one_copy, write_in_one_rename


def test_equal_files_of_two_folders_are_one_on_the_disk(tmp_path):
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    for folder in (first, second):
        folder.mkdir()
    (first / "arterial.nii.gz").write_bytes(b"the same")
    (first / "portal.nii.gz").write_bytes(b"of one grid")
    (second / "arterial.nii.gz").write_bytes(b"the same")
    (second / "portal.nii.gz").write_bytes(b"of another.")
    (second / "delayed.nii.gz").write_bytes(b"only here")
    assert keep_one_copy(second, [first, third]) == 1
    assert (second / "arterial.nii.gz").samefile(first / "arterial.nii.gz")
    contents = {f.name: f.read_bytes() for f in sorted(second.iterdir())}
    assert contents == {"arterial.nii.gz": b"the same", "delayed.nii.gz": b"only here", "portal.nii.gz": b"of another."}
    # Again, and nothing is left to do.
    assert keep_one_copy(second, [first, third]) == 0
    # One of them made anew, as Snakemake does it, leaves the other.
    (first / "arterial.nii.gz").unlink()
    Path(first / "arterial.nii.gz").write_bytes(b"changed!")
    assert (second / "arterial.nii.gz").read_bytes() == b"the same"


def test_what_is_written_in_one_rename_may_be_read_by_whom_the_user_lets(tmp_path):
    """A model's sums could be read by its maker alone, and a colleague of the group could not load the model."""
    import os

    before = os.umask(0o027)
    try:
        write_in_one_rename(tmp_path / "sums", "text")
    finally:
        os.umask(before)
    assert (tmp_path / "sums").stat().st_mode & 0o777 == 0o640
    assert [f.name for f in tmp_path.iterdir()] == ["sums"]
