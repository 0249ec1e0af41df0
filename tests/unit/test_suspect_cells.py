"""Sheets as they come from spreadsheet and statistics programs, of which every cell alone is fine: refused or named."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_cohort import AFP, make_plan, patient_row, problems_of, write_cohort, write_rows

from hcc_recurrence.cohort.numbers import coded_one_and_two
from hcc_recurrence.cohort.sheets import _same_name
from hcc_recurrence.problems import InputError

DATES = ("resection_date", "recurrence_date", "last_follow_up_date")
BINARY = {"timing": "pre", "kind": "binary"}
MANY = 12


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Images and masks of twelve patients, P0 to P11; a test writes its own patients.csv."""
    folder = tmp_path_factory.mktemp("images")
    write_cohort(folder, [patient_row(k) for k in range(MANY)])
    return folder


def refused(images, rows, cohort=None, **config):
    write_rows(images / "patients.csv", rows)
    return problems_of(images, cohort, **config)


def noticed(images, rows, cohort=None):
    """Patient and what is to be looked at, of those that this page is about."""
    write_rows(images / "patients.csv", rows)
    words = ("every one of", "half of the patients", "which is taken as", "is taken as")
    return sorted((n.patient, n.what) for n in make_plan(images, cohort).notices if any(w in n.what for w in words))


def months_rows(months, events, **columns):
    rows = [patient_row(k, rfs_months=m, rfs_event=e) for k, (m, e) in enumerate(zip(months, events, strict=True))]
    return [{c: cell for c, cell in row.items() if c not in DATES} for row in rows]


MONTHS = ["3", "8", "30", "41", "12", "26", "5", "60", "33", "9", "48", "27.5"]
EVENTS = ["1", "1", "0", "0", "1", "1", "1", "0", "0", "1", "0", "0"]


# -- codes of statistics programs -------------------------------------------------------------------


@given(st.lists(st.sampled_from(["1", "2", "1.0", "2.0", ""]), min_size=1), st.sampled_from(["0", "3", "2.5"]))
def test_a_column_of_ones_and_twos_is_known_whatever_its_order(cells, other):
    assert coded_one_and_two(cells) == any(cell.startswith("2") for cell in cells)
    assert not coded_one_and_two([*cells, other]) and not coded_one_and_two(["0", "1", "", *cells])


@pytest.mark.parametrize("keep_going", [False, True])
def test_an_event_of_ones_and_twos_leaves_nobody_out_and_takes_nobody_in(images, keep_going):
    """SPSS and R's `lung` have 1 for censored and 2 for dead: left out with the 2, all others would be events."""
    rows = months_rows(MONTHS, ["2" if event == "1" else "1" for event in EVENTS])
    words = "column rfs_event is coded 1 and 2, and not 0 and 1: nobody can tell which of them is recurrence"
    assert refused(images, rows, keep_going=keep_going)[0] == ("", words)
    rows = [patient_row(k, er=EVENTS[k].replace("0", "2")) for k in range(MANY)]
    endpoint = {"endpoint": {"name": "early recurrence", "column": "er"}}
    words = words.replace("rfs_event", "er").replace("is recurrence", "is early recurrence")
    assert refused(images, rows, endpoint, keep_going=keep_going)[0] == ("", words)


def test_a_finding_of_ones_and_twos_is_refused_as_a_column(images):
    rows = [patient_row(k, halo="12"[k % 2]) for k in range(MANY)]
    cohort = {"clinical": {"afp": AFP, "halo": {**BINARY, "column": "halo"}}}
    found = refused(images, rows, cohort, keep_going=True)
    assert found == [("", "column halo is coded 1 and 2, and not 0 and 1: nobody can tell which of them is halo")]


@pytest.mark.parametrize("words", [("ja", "nein"), ("oui", "non"), ("yes", "no"), ("+", "-"), ("是", "否")])
def test_words_for_yes_and_no_are_refused_for_every_patient(images, words):
    rows = months_rows(MONTHS, [words[0] if event == "1" else words[1] for event in EVENTS])
    found = refused(images, rows)
    assert found == [
        (f"P{k}", f"column rfs_event: {words[EVENTS[k] == '0']!r} is not 0 or 1") for k in sorted(range(MANY), key=str)
    ]


# -- times -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keep_going", [False, True])
def test_days_in_place_of_months_are_refused_as_a_column(images, keep_going):
    """With `keep_going` those of more than 600 would be left out, and 91 days be taken for 91 months."""
    days = [f"{float(m) * 30.4375:.0f}" for m in MONTHS]
    found = refused(images, months_rows(days, EVENTS), keep_going=keep_going)
    # Hand: 30, 41, 26, 60, 33, 48 and 27.5 months are more than 600 days; 60 months are 1826.
    assert found[0] == ("", "column rfs_months: 7 patients have more than 600 months, up to 1826; are these days?")


def test_short_times_in_days_are_named(images):
    days = [str(int(d)) for d in np.linspace(90, 590, MANY)]
    assert noticed(images, months_rows(days, EVENTS)) == [
        ("", "column rfs_months: half of the patients have more than 340 months")
    ]


def test_a_last_visit_in_place_of_an_empty_recurrence_is_named(images):
    days = ("2019-02-01", "2020-06-01")
    rows = [patient_row(k, recurrence_date=days[k % 2], last_follow_up_date="2022-01-01") for k in range(MANY)]
    assert noticed(images, rows) == [("", "column recurrence_date: every one of the 12 patients has a date")]
    rows[3]["recurrence_date"] = ""
    assert noticed(images, rows) == []
    assert noticed(images, months_rows(MONTHS, ["1"] * MANY)) == [
        ("", "column rfs_event: every one of the 12 patients has 1")
    ]


# -- names -------------------------------------------------------------------------------------------


@given(st.from_regex(r"[a-z]{0,3}[1-9][0-9]{0,3}([_-][a-z]{1,3}[1-9][0-9]{0,2})?", fullmatch=True), st.integers(0, 3))
def test_a_name_is_the_same_with_zeros_and_capitals(name, zeros):
    first = next(place for place, letter in enumerate(name) if letter.isdigit())
    assert _same_name((name[:first] + "0" * zeros + name[first:]).upper()) == _same_name(name) == name


@given(st.integers(0, 99999), st.integers(0, 99999))
def test_names_of_two_numbers_stay_two(one, other):
    assert (_same_name(f"P{one}") == _same_name(f"P{other}")) == (one == other)


@pytest.mark.parametrize("twin", ["p3", "P03", "P003"])
def test_one_patient_under_two_spellings_is_refused(images, twin):
    rows = [*(patient_row(k) for k in range(MANY)), {**patient_row(3), "patient_id": twin}]
    write_rows(images / "patients.csv", rows)
    with pytest.raises(InputError) as error:
        make_plan(images, keep_going=True)
    what = [problem.what for problem in error.value.problems if problem.patient == ""]
    assert f"row 14: patient_id {twin!r} differs from 'P3' of row 5 in capitals or zeros alone" in what


# -- values ------------------------------------------------------------------------------------------


def test_nines_that_several_patients_have_are_named_until_they_are_declared(images):
    rows = [patient_row(k, AFP="999" if k in (2, 5) else str(20 + k)) for k in range(MANY)]
    assert noticed(images, rows) == [("", "column AFP: 2 patients have 999, which is taken as a value of afp")]
    assert noticed(images, rows, {"missing_codes": ["999"]}) == []
    rows[2]["AFP"] = "99"
    assert noticed(images, rows) == []


def test_a_value_in_another_unit_among_many_is_named(images):
    """1.6 mg/dL of bilirubin among umol/L is a plausible 1.6 umol/L. (A diameter in cm is known by its mask.)"""
    cells = [str(10 + k) for k in range(MANY)]
    cells[7] = "1.6"
    rows = [patient_row(k, b=cell) for k, cell in enumerate(cells)]
    bilirubin = {"timing": "pre", "kind": "continuous", "column": "b", "unit": "umol/L"}
    cohort = {"clinical": {"afp": AFP, "bilirubin": bilirubin}}
    # Hand: 1.6 x 17.1 = 27.36.
    assert noticed(images, rows, cohort) == [
        ("P7", "column b: '1.6' is taken as umol/L; in mg/dL it would be 27.36 umol/L")
    ]
    # A low value among low ones, and one of whoever says what is plausible, are as they are.
    low = [{**row, "b": str(4 + k % 3)} for k, row in enumerate(rows)]
    assert noticed(images, low, cohort) == []
    bilirubin["plausible"] = [1, 500]
    assert noticed(images, rows, cohort) == []
