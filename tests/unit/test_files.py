"""One copy on the disk of what two grids share."""

from __future__ import annotations

from pathlib import Path

from hcc_recurrence.files import keep_one_copy


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
