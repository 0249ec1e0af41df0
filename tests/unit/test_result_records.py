"""The file of records that lies with the results."""

from __future__ import annotations

import os
import shutil

from hcc_recurrence.leftovers import find_leftovers, remove_leftovers
from hcc_recurrence.result_records import SAMPLE_BYTES, Records, content_mark, is_as_recorded, look
from hcc_recurrence.snakemake_records import _short


def started(folder):
    records = Records(folder)
    records.begin()
    return records


def test_what_was_put_is_there_for_the_next_run(tmp_path):
    records = started(tmp_path)
    records.put("a/b.csv", {"rule": "r", "params": ["'ä'"]})
    records.put("a/b.csv", {"rule": "s"})
    records.put("c.csv", {"rule": "t", "seen": 1.5})
    assert records.remove("c.csv")
    assert not records.remove("never there")
    records.put("d.csv", {"rule": "u", "seen": 2.5})
    again = Records(tmp_path)
    assert list(again) == ["a/b.csv", "d.csv"]
    assert again.get("a/b.csv") == {"rule": "s"}
    assert again.get("c.csv") is None
    assert again.having("seen") == ["d.csv"]
    assert again.since == records.since


def test_a_text_of_many_records_is_kept_once_and_is_no_result(tmp_path):
    records = started(tmp_path)
    names = {records.name_of_text("the same long text") for _ in range(3)}
    assert len(names) == 1
    again = Records(tmp_path)
    assert again.text_named(names.pop()) == "the same long text"
    assert again.path.read_text().count("long text") == 1
    assert list(again) == []


def test_no_file_of_records(tmp_path):
    records = Records(tmp_path / "not there")
    assert records.since is None
    assert list(records) == []
    assert list(tmp_path.iterdir()) == []


def test_half_a_line_of_a_killed_run_is_none_and_harms_no_other(tmp_path):
    records = started(tmp_path)
    records.put("a.csv", {"rule": "r"})
    records.put("b.csv", {"rule": "s"})
    content = records.path.read_bytes()
    for end in range(content.index(b"b.csv"), len(content)):
        records.path.write_bytes(content[:end])
        torn = Records(tmp_path)
        assert torn.get("a.csv") == {"rule": "r"}
        assert torn.get("b.csv") is None
        torn.put("c.csv", {"rule": "t"})
        assert Records(tmp_path).get("c.csv") == {"rule": "t"}
        assert Records(tmp_path).get("a.csv") == {"rule": "r"}


def test_the_file_is_written_anew_where_most_of_it_is_out_of_date(tmp_path, monkeypatch):
    monkeypatch.setattr("hcc_recurrence.result_records.SPARE_LINES", 3)
    records = started(tmp_path)
    for number in range(20):
        records.put("a.csv", {"rule": str(number)})
    again = Records(tmp_path)
    again.begin()
    assert len(again.path.read_text().splitlines()) == 2
    assert Records(tmp_path).get("a.csv") == {"rule": "19"}
    assert Records(tmp_path).since == records.since
    assert [p.name for p in again.path.parent.iterdir()] == ["records.txt"]


def test_a_copy_is_seen_and_a_move_is_not(tmp_path):
    here = tmp_path / "results"
    records = started(here)
    assert records.were_copied(), "nobody has looked yet"
    records.stay()
    assert not Records(here).were_copied()
    shutil.copytree(here, tmp_path / "copy")
    assert Records(tmp_path / "copy").were_copied()
    (tmp_path / "link").symlink_to(here)
    assert not Records(tmp_path / "link").were_copied()
    here.rename(tmp_path / "moved")
    assert not Records(tmp_path / "moved").were_copied()
    # Another copy over it, file by file, as `cp -r` and `rsync` write.
    shutil.copytree(tmp_path / "copy", tmp_path / "moved", dirs_exist_ok=True)
    assert Records(tmp_path / "moved").were_copied()


def test_the_mark_of_a_long_file_changes_with_its_ends_and_its_length(tmp_path):
    file = tmp_path / "long"
    content = bytearray(os.urandom(4 * SAMPLE_BYTES))
    marks = set()
    for change in (None, 0, -1, SAMPLE_BYTES - 1, -SAMPLE_BYTES):
        other = bytearray(content)
        if change is not None:
            other[change] ^= 1
        file.write_bytes(other)
        marks.add(content_mark(file))
    file.write_bytes(content + b"x")
    marks.add(content_mark(file))
    assert len(marks) == 6


def test_the_mark_of_a_folder_changes_with_names_and_contents_alone(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_text("1")
        (tmp_path / name / "b").write_text("22")
    (tmp_path / "two/.snakemake_timestamp").touch()
    assert content_mark(tmp_path / "one") == content_mark(tmp_path / "two")
    assert look(tmp_path / "two")[1:3] == (3, 2)
    (tmp_path / "two/b").rename(tmp_path / "two/c")
    assert content_mark(tmp_path / "one") != content_mark(tmp_path / "two")


def test_no_path_of_a_parameter_is_kept_in_the_results():
    assert _short("0.05") == "0.05"
    assert _short("{'lesions': 'largest'}") == "{'lesions': 'largest'}"
    for named in ("[['a', 'T1', '/archive/Mueller_Joerg/1.dcm']]", "'archive\\\\Mueller_Joerg'", "'x'" * 100):
        assert _short(named).startswith("hash ")
        assert _short(named) == _short(named) != _short(named + " ")


def test_a_file_written_to_within_a_folder_is_seen_by_its_time(tmp_path):
    """The folder's own time stays, and so may the size; a time that goes back is seen as well."""
    folder = tmp_path / "P01"
    folder.mkdir()
    for name in ("a.nii.gz", "b.nii.gz", ".snakemake_timestamp"):
        (folder / name).write_text("123")
        os.utime(folder / name, (1e9, 1e9))
    first = look(folder)
    record = {"endtime": first.mtime, "size": first.size, "files": first.files, "times": first.times}
    assert is_as_recorded(record, look(folder))
    for time in (1e9 + 1, 1e9 - 1):
        (folder / "a.nii.gz").write_text("321")
        os.utime(folder / "a.nii.gz", (time, time))
        assert look(folder)[:3] == first[:3]
        assert not is_as_recorded(record, look(folder))
    assert is_as_recorded({**record, "seen_times": look(folder).times}, look(folder))


def test_what_a_job_keeps_beside_its_output_goes_with_it(tmp_path):
    """The record of changes names patients: it is no leftover while its cohort is there, and goes when that is gone."""
    results = tmp_path / "results"
    records = started(results)
    for cohort in ("here", "gone"):
        for name in ("changes.csv", "record.json"):
            file = results / cohort / "changes" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(name)
        records.put(f"{cohort}/changes/changes.csv", {"rule": "report_changes"})
    found = find_leftovers(results, [str(results / "here/changes/changes.csv")])
    assert [(os.path.relpath(x.path, results), x.made_here) for x in found] == [
        ("gone/changes/changes.csv", True),
        ("gone/changes/record.json", True),
    ]
    remove_leftovers(results, found)
    assert not (results / "gone").exists()
    assert (results / "here/changes/record.json").exists()


def test_exported_models_and_what_they_gave_are_no_leftovers(tmp_path):
    """No target that all others ask for makes them."""
    results, records = tmp_path / "results", started(tmp_path / "results")
    for name in ("here/zhao2024/export/zhao2024.here.zip", "new/applied/zhao2024.here/predictions.csv", "new/old.csv"):
        file = results / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
        records.put(name, {"rule": "export_model"})
    assert [os.path.relpath(x.path, results) for x in find_leftovers(results, [])] == ["new/old.csv"]


def test_texts_that_no_record_holds_are_dropped_when_the_file_is_written_anew(tmp_path, monkeypatch):
    monkeypatch.setattr("hcc_recurrence.result_records.SPARE_LINES", 3)
    records = Records(tmp_path)
    records.begin()
    old, new = records.name_of_text("modules of long ago"), records.name_of_text("modules of today")
    for _ in range(9):
        records.put("a", {"named": {"code": old}})
    records.put("a", {"named": {"code": new}})
    records = Records(tmp_path)
    records.begin()
    again = Records(tmp_path)
    assert (again.text_named(new), again.text_named(old)) == ("modules of today", None)
    assert again.get("a") == {"named": {"code": new}}
    assert "modules of long ago" not in again.path.read_text()
