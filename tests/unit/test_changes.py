"""What changed since the last run: patients, outcomes, images, masks, clinical values, sets and folds."""

import numpy as np
import pandas as pd
import pytest

from hcc_recurrence.cohort.changes import FIRST, SAME, changes_table, cohort_state, update_record
from hcc_recurrence.cohort.splits import make_split


def sheets(number=40):
    er = (np.arange(number) % 3 == 0).astype(float)
    labels = pd.DataFrame(
        {
            "patient_id": [f"P{i:02d}" for i in range(number)],
            "centre": "A",
            "er": er,
            "rfs_months": np.where(er == 1, 10.0, 40.0),
            "rfs_event": er.astype(int),
            "excluded_because": "",
        }
    )
    files = {p: {"arterial": f"image of {p}", "arterial.R1": f"mask of {p}"} for p in labels["patient_id"]}
    clinical = pd.DataFrame({"afp": "12", "age": "60"}, index=pd.Index(labels["patient_id"], name="patient_id"))
    return labels, files, clinical


def state(labels, files, clinical):
    return cohort_state(labels, {"scheme": make_split(labels, {}, 0.25, 3, 1, 7)}, files, clinical)


@pytest.fixture
def before():
    return state(*sheets())


def rows(before, now):
    return changes_table(before, now).set_index("what")["who"].to_dict()


def test_the_first_run_and_one_like_it_say_so(before):
    assert changes_table(None, before).to_dict("records") == [{"what": FIRST, "patients": 40, "who": ""}]
    assert changes_table(before, before)["what"].tolist() == [SAME]
    labels, files, clinical = sheets()
    again = state(labels.sample(frac=1, random_state=1), dict(reversed(files.items())), clinical[["age", "afp"]])
    assert again == before


def test_every_kind_of_edit_is_named_with_its_patients(before):
    labels, files, clinical = sheets()
    labels.loc[3, ["er", "rfs_months", "rfs_event"]] = [0.0, 30.0, 0]
    labels.loc[4, "rfs_months"] = 41.0
    labels.loc[5, "centre"] = "B"
    labels.loc[6, "excluded_because"] = "its mask is broken"
    files["P07"]["arterial"] = "another image"
    files["P08"]["arterial.R1"] = files["P09"]["arterial.R1"] = "another mask"
    clinical.loc["P10", "afp"] = "13"
    del files["P06"]
    labels = labels.drop(index=39)
    labels.loc[40] = ["P99", "A", 0.0, 40.0, 0, ""]
    found = rows(before, state(labels, files, clinical))
    expected = {
        "patients added": "P99",
        "patients removed": "P39",
        "left out now": "P06 (its mask is broken)",
        "early recurrence changed": "P03 (ER to no ER)",
        "time or event changed, label as before": "P04",
        "centre changed": "P05",
        "image changed: arterial": "P07",
        "mask changed: arterial, R1": "P08, P09",
        "clinical value changed: afp": "P10",
    }
    assert {what: who for what, who in found.items() if not what.startswith("split")} == expected
    # Values of the sheets are not in the record.
    assert "another" not in str(state(labels, files, clinical))


def test_who_changes_set_or_fold_is_who_differs_between_the_two_splits():
    labels, files, clinical = sheets()
    more = pd.concat([labels, labels.iloc[[0]].assign(patient_id="P77")], ignore_index=True)
    one, two = (make_split(table, {}, 0.25, 3, 1, 7) for table in (labels, more))
    both = one.merge(two, on="patient_id")
    moved = both[both["split_x"] != both["split_y"]]
    stayed = both[(both["split_x"] == "train") & (both["split_y"] == "train")]
    folds = stayed[stayed["fold_1_x"] != stayed["fold_1_y"]]
    found = rows(state(labels, files, clinical), state(more, files, clinical))
    names = {what: {item.split(" ")[0] for item in who.split(", ")} for what, who in found.items()}
    assert names.get("split scheme: another set", set()) == set(moved["patient_id"])
    assert names.get("split scheme: another fold in repeat 1", set()) == set(folds["patient_id"])
    other = cohort_state(labels, {"other": one}, files, clinical)
    assert set(rows(state(labels, files, clinical), other)) == {"split scheme is no longer used", "split other is new"}


def test_a_job_that_runs_again_says_the_same_again(tmp_path):
    """Killed after it wrote the record, or run for changed code: the same state is compared with the one before."""
    record = tmp_path / "changes" / "record.json"
    labels, files, clinical = sheets()
    first = state(labels, files, clinical)
    assert update_record(record, first) is None and update_record(record, first) is None
    labels.loc[4, "centre"] = "B"
    second = state(labels, files, clinical)
    for _ in range(3):
        assert rows(update_record(record, second), second) == {"centre changed": "P04"}
    assert rows(update_record(record, first), first) == {"centre changed": "P04"}
    bytes_of_second = record.read_bytes()
    update_record(record, second)
    update_record(record, first)
    assert record.read_bytes() == bytes_of_second
    for broken in ("{", "[]", '{"version": 0}'):
        record.write_text(broken)
        assert update_record(record, second) is None
