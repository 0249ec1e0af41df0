"""Drafts never take the place of a sheet that a person has changed; what is new goes beside it."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from hcc_recurrence.cohort import draft_files
from hcc_recurrence.cohort.draft_files import KINDS, drafted_rows, missing_sheets, write_drafts


def sheets(*names):
    """Draft sheets of some patients, with a series and a mask each."""
    rows = [f"{kind} {name}" for kind in ("s", "m") for name in names]
    series, masks = rows[: len(names)], rows[len(names) :]
    return {
        "patients": pd.DataFrame({"patient_id": names, "centre": ""}, index=list(names)),
        "series": pd.DataFrame({"patient_id": names, "phase": "portal"}, index=series),
        "masks": pd.DataFrame({"patient_id": names, "reader": "R1"}, index=masks),
    }


@pytest.fixture
def place(tmp_path):
    (tmp_path / "delivery").mkdir()
    return tmp_path / "discovered"


def draft(place, *names, root="delivery"):
    return write_drafts(place, sheets(*names), place.parent / root)


def text(place, kind="patients"):
    return (place / f"{kind}.csv").read_text()


def fill(place, kind="patients"):
    file = place / f"{kind}.csv"
    file.write_text(file.read_text().replace("P1,", "P1,Milan"))


def test_a_draft_that_nobody_changed_is_drafted_anew(place):
    assert draft(place, "P1") == [f"drafted in {place}: 1 patient, 1 row of series, 1 row of masks"]
    draft(place, "P1", "P2")
    assert text(place) == "patient_id,centre\nP1,\nP2,\n" and "s P1" not in text(place, "series")
    draft(place, "P2")
    assert text(place) == "patient_id,centre\nP2,\n" and missing_sheets(place) == []
    assert sorted(f.name for f in place.iterdir()) == ["drafted.json", "masks.csv", "patients.csv", "series.csv"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_sheet_that_a_person_changed_is_never_touched(place, kind):
    draft(place, "P1", "P2")
    fill(place, kind)
    kept = {k: text(place, k) for k in KINDS}
    assert "Milan" in kept[kind]
    said = draft(place, "P1", "P2")
    assert said[-1] == "nothing new was found" and f"{kind}.csv: changed since drafted" in said[0]
    said = draft(place, "P1", "P2", "P3")
    assert {k: text(place, k) for k in KINDS} == kept
    assert said[-1].startswith(f"drafted in {place / 'new_1'}: what is new, to be added to your sheets by hand: 1 pat")
    assert text(place / "new_1") == "patient_id,centre\nP3,\n"
    # That draft is drafted anew as long as it is as it was, and not after.
    draft(place, "P1", "P2", "P3", "P4")
    assert text(place / "new_1") == "patient_id,centre\nP3,\nP4,\n"
    fill(place / "new_1")
    (place / "new_1" / "masks.csv").write_text("mine")
    draft(place, "P1", "P2", "P3", "P4", "P5")
    assert text(place / "new_2") == "patient_id,centre\nP5,\n" and text(place / "new_1", "masks") == "mine"
    assert {k: text(place, k) for k in KINDS} == kept


def test_a_row_that_a_person_removed_does_not_come_again(place):
    draft(place, "P1", "P2")
    (place / "series.csv").write_text("patient_id,phase\nP1,portal\n")
    assert draft(place, "P1", "P2")[-1] == "nothing new was found"


def test_new_series_of_known_patients_are_drafted(place):
    draft(place, "P1")
    fill(place)
    found = sheets("P1")
    found["series"].loc["another"] = ["P1", "arterial"]
    write_drafts(place, found, place.parent / "delivery")
    assert text(place / "new_1") == "patient_id,centre\n"
    assert text(place / "new_1", "series") == "patient_id,phase\nP1,arterial\n"


def test_sheets_of_unknown_origin_are_a_persons(place):
    place.mkdir()
    (place / "patients.csv").write_text("patient_id;centre\nP1;Milan\n")
    said = draft(place, "P1", "P2")
    assert "patients.csv: changed since drafted, or not drafted here; left as it is" in said[0]
    assert text(place) == "patient_id;centre\nP1;Milan\n" and not (place / "series.csv").exists()
    assert text(place / "new_1", "series") == "patient_id,phase\nP2,portal\n"
    # The same where what is remembered is broken.
    (place / "drafted.json").write_text("{")
    draft(place, "P1", "P2")
    assert text(place) == "patient_id;centre\nP1;Milan\n"
    assert text(place / "new_1", "series") == "patient_id,phase\nP2,portal\n"


def test_another_delivery_is_drafted_beside_the_first(place):
    draft(place, "P1", "P2")
    kept = text(place)
    said = draft(place, "P3", root="other")
    assert text(place) == kept and text(place / "new_1") == "patient_id,centre\nP3,\n" and "new_1" in said[-1]
    assert draft(place, "P1", "P2")[-1] == "nothing new was found"
    # `make init` takes the rows of its own folder, wherever they were drafted.
    for root, patients in (("delivery", ["P1", "P2"]), ("other", ["P3"])):
        rows = drafted_rows(place, place.parent / root)
        assert {kind: [row["patient_id"] for row in rows[kind]] for kind in KINDS} == dict.fromkeys(KINDS, patients)
    assert drafted_rows(place, place.parent / "third") is None
    said = draft(place, "P1", "P4", root="third")
    assert said[-2] == "1 patient of this folder was drafted from another folder before, and is in those sheets"
    # A delivery that was moved as a whole is the same one.
    place_of_one = place.parent / "again"
    draft(place_of_one, "P1")
    draft(place_of_one, "P1", "P2", root="moved")
    assert text(place_of_one) == "patient_id,centre\nP1,\nP2,\n"


def test_drafts_that_were_taken_away_are_made_again(place):
    draft(place, "P1")
    (place / "masks.csv").unlink()
    assert missing_sheets(place) == [str(place / "masks.csv")]
    draft(place, "P1")
    assert missing_sheets(place) == []
    fill(place)
    draft(place, "P1", "P2")
    for kind in KINDS:
        (place / f"{kind}.csv").rename(place.parent / f"{kind}.csv")
    fill(place / "new_1")
    kept = text(place / "new_1")
    draft(place, "P1", "P2", "P3")
    assert text(place) == "patient_id,centre\nP1,\nP2,\nP3,\n" and text(place / "new_1") == kept


@pytest.mark.parametrize("after", range(4))
def test_a_run_that_is_broken_off_anywhere_harms_no_sheet(place, monkeypatch, after):
    draft(place, "P1")
    fill(place, "series")
    kept = {k: text(place, k) for k in KINDS}
    written = []
    replace = draft_files.Path.replace

    def interrupted(self, target):
        if len(written) == after:
            raise KeyboardInterrupt
        written.append(target)
        return replace(self, target)

    monkeypatch.setattr(draft_files.Path, "replace", interrupted)
    if after < len(KINDS):
        with pytest.raises(KeyboardInterrupt):
            draft(place, "P1", "P2")
    else:
        draft(place, "P1", "P2")
    monkeypatch.undo()
    assert {k: text(place, k) for k in KINDS} == kept
    draft(place, "P1", "P2")
    assert {k: text(place, k) for k in KINDS} == kept
    new = [text(f.parent) for f in place.glob("new_*/patients.csv")]
    assert new == ["patient_id,centre\nP2,\n"]


def test_what_is_remembered_tells_of_no_person(place):
    draft(place, "P1")
    remembered = json.loads((place / "drafted.json").read_text())
    assert set(remembered[0]) == {"folder", "root", "written", "rows"}
