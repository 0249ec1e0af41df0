"""Sheets, labels and splits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcc_recurrence.cohort.labels import make_labels, summarise_labels
from hcc_recurrence.cohort.sheets import (
    Cohort,
    clinical_problems,
    clinical_table,
    outcome_problems,
)
from hcc_recurrence.cohort.splits import make_split
from hcc_recurrence.cohort.tables import parse_number, read_sheet


def patients(rows):
    frame = pd.DataFrame(
        rows, columns=["patient_id", "resection_date", "recurrence_date", "last_follow_up_date"], dtype=str
    )
    return frame.assign(centre="A").set_index("patient_id", drop=False)


# Resection on 2018-01-01; day 730 is 2020-01-01.
CASES = [
    ("on_the_day", "2020-01-01", "2021-01-01", 1.0, ""),
    ("one_day_later", "2020-01-02", "2021-01-01", 0.0, ""),
    ("early_lost_later", "2018-05-01", "2018-06-01", 1.0, ""),
    ("free", "", "2020-01-01", 0.0, ""),
    ("free_but_lost", "", "2019-12-31", np.nan, "recurrence-free but followed for less than 730 days"),
]


@pytest.mark.parametrize(("name", "recurrence", "last", "er", "reason"), CASES)
def test_labels_at_the_edges(name, recurrence, last, er, reason):
    labels = make_labels(patients([(name, "2018-01-01", recurrence, last)]))
    assert labels["er"].iloc[0] == pytest.approx(er, nan_ok=True)
    assert labels["excluded_because"].iloc[0] == reason


def test_less_than_the_horizon_where_the_paper_says_so():
    """Wang and Zhang say < 2 years (docs/methods.md 0.2)."""
    frame = patients([("p", "2018-01-01", "2020-01-01", "2021-01-01")])
    assert make_labels(frame, inclusive=True)["er"].iloc[0] == 1
    assert make_labels(frame, inclusive=False)["er"].iloc[0] == 0


def test_labels_from_months():
    frame = pd.DataFrame(
        {
            "patient_id": ["a", "b", "c"],
            "centre": "A",
            "rfs_months": ["10", "30", "10"],
            "rfs_event": ["1", "0", "0"],
        }
    ).set_index("patient_id", drop=False)
    labels = make_labels(frame, excluded={"b": "its mask is broken"})
    assert labels["er"].tolist()[:2] == [1, 0] and np.isnan(labels["er"].iloc[2])
    summary = summarise_labels(labels).set_index("what")["patients"]
    assert summary["used"] == 1 and summary["left out: its mask is broken"] == 1


def labelled(n_positive, n_negative):
    er = np.r_[np.ones(n_positive), np.zeros(n_negative)]
    return pd.DataFrame({"patient_id": [f"p{i:03d}" for i in range(len(er))], "er": er, "excluded_because": ""})


@given(st.integers(12, 40), st.integers(12, 40), st.integers(0, 1000), st.sampled_from([0.0, 0.2, 0.3]))
def test_a_split_puts_each_patient_once_and_keeps_the_outcome_even(m, n, seed, fraction):
    labels = labelled(m, n)
    assigned = {"p000": "external", "p005": "external"}
    split = make_split(labels, assigned, fraction, folds=3, repeats=2, seed=seed)
    assert split["patient_id"].tolist() == labels["patient_id"].tolist()
    assert set(split.loc[split["split"] == "external", "patient_id"]) == set(assigned)
    train = split[split["split"] == "train"].merge(labels, on="patient_id")
    assert split.loc[split["split"] != "train", ["fold_1", "fold_2"]].isna().all(axis=None)
    for column in ("fold_1", "fold_2"):
        share = train.groupby(column)["er"].agg(["sum", "size"])
        assert set(share.index) == {1, 2, 3}
        assert share["sum"].max() - share["sum"].min() <= 1 and share["size"].max() - share["size"].min() <= 1
    again = make_split(labels.sample(frac=1, random_state=1), assigned, fraction, 3, 2, seed)
    pd.testing.assert_frame_equal(again, split)


def test_too_few_patients_for_the_folds():
    with pytest.raises(ValueError, match="at least 5 training patients of each outcome; there are 4"):
        make_split(labelled(4, 20), {}, 0.0, 5, 1, 0)


def cohort(frame, clinical=None, missing_codes=()):
    settings = {
        "patients": "p.csv",
        "clinical": clinical or {},
        "missing_codes": list(missing_codes),
        "date_format": "",
    }
    return Cohort("c", settings, frame)


@given(st.text(max_size=12))
def test_any_cell_is_a_value_missing_or_a_problem(text):
    """What passes the check can be read as a number; what does not is named with the patient."""
    frame = pd.DataFrame({"patient_id": ["p1"], "x": [text.strip()]}, dtype=str).set_index("patient_id", drop=False)
    definition = {"x": {"column": "x", "unit": "", "kind": "continuous", "levels": [], "readings": {}}}
    problems = clinical_problems(cohort(frame, definition, ["NA"]))
    if problems:
        assert problems[0].patient == "p1" and repr(text.strip()) in problems[0].what
    else:
        assert text.strip() in ("", "NA") or np.isfinite(parse_number(text.strip()))


def test_outcome_problems_name_the_patient_and_the_column():
    frame = patients([("p1", "2018-01-01", "2017-01-01", "2019-13-01"), ("p2", "", "", "2019-01-01")])
    found = {(p.patient, p.what) for p in outcome_problems(cohort(frame))}
    assert found == {
        ("p1", "recurrence_date lies before resection_date"),
        ("p1", "column last_follow_up_date: '2019-13-01' is not a date"),
        ("p2", "column resection_date is empty"),
    }


@pytest.mark.parametrize("suffix", ["csv", "tsv", "xlsx"])
def test_sheets_keep_text_as_text(tmp_path, suffix):
    frame = pd.DataFrame({"patient_id": ["007", "1e5"], "level": ["NA", ""], "date": ["2019-03-01", "2020-01-01"]})
    path = tmp_path / f"s.{suffix}"
    if suffix == "xlsx":
        frame.assign(date=pd.to_datetime(frame["date"])).to_excel(path, index=False)
    else:
        frame.to_csv(path, index=False, sep="," if suffix == "csv" else "\t", encoding="utf-8-sig")
    pd.testing.assert_frame_equal(read_sheet(path), frame)


def test_clinical_table_codes_levels_and_missing(tmp_path):
    (tmp_path / "p.csv").write_text("patient_id,stage,afp\np1,B,12.5\np2,,999\n")
    definitions = {
        "stage": {"column": "stage", "kind": "categorical", "levels": ["A", "B"]},
        "afp": {"column": "afp", "kind": "continuous", "levels": [], "factor": 1.0},
    }
    source = {"path": tmp_path / "p.csv", "columns": {}, "date_format": ""}
    table = clinical_table(source, definitions, ["999"], ["p2", "p1"])
    assert table.loc["p1"].tolist() == [1.0, 12.5] and table.loc["p2"].isna().all()
