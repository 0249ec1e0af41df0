"""Columns that are wrong as a whole while each cell is fine, and columns that are read for what they are not."""

from __future__ import annotations

import pytest
from scipy.stats import mannwhitneyu
from small_cohort import AFP, make_plan, patient_row, problems_of, write_cohort, write_rows

from hcc_recurrence.cohort.dates import month_first

MANY = 24
NUMBER = {"timing": "pre", "kind": "continuous"}
ALT, AST = ({**NUMBER, "column": c, "unit": "U/L"} for c in ("ALT", "AST"))
HALO = {"timing": "pre", "kind": "binary", "column": "halo"}
VARIABLES = {"afp": AFP, "alt": ALT, "ast": AST, "halo": HALO}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Images and masks of P0 to P23; a test writes its own patients.csv."""
    folder = tmp_path_factory.mktemp("images")
    write_cohort(folder, [patient_row(k) for k in range(MANY)])
    return folder


def row(k, **columns):
    own = {"ALT": str(20 + 5 * k % 31), "AST": str(25 + 7 * k % 37), "halo": str(int(k % 3 == 0)), **columns}
    return patient_row(k, **own)


def rows_of(**columns):
    """Twenty-four rows; columns: functions of the number of the row."""
    return [row(k, **{name: str(cell(k)) for name, cell in columns.items()}) for k in range(MANY)]


def months(time, event):
    found = rows_of(rfs_months=time, rfs_event=event)
    return [{name: cell for name, cell in own.items() if not name.endswith("_date")} for own in found]


def said(images, rows, **cohort):
    """Patient and words of the notices, but for those of the masks, which are alike."""
    write_rows(images / "patients.csv", rows)
    plan = make_plan(images, {"clinical": VARIABLES, **cohort})
    return [(n.patient, n.what) for n in plan.notices if "voxels" not in n.what]


def refused(images, rows, clinical=None, keep_going=True, **cohort):
    """What the whole sheet is refused for, with `keep_going`, which stops at nothing else."""
    write_rows(images / "patients.csv", rows)
    found = problems_of(images, {"clinical": {**VARIABLES, **(clinical or {})}, **cohort}, keep_going=keep_going)
    return [what for patient, what in found if not patient]


def test_an_ordinary_cohort_has_no_notice(images):
    assert said(images, rows_of()) == []


@pytest.mark.parametrize("column", ["recurrence_date", "last_follow_up_date", "rfs_months", "rfs_event", "site"])
def test_the_outcome_is_no_variable_and_no_stratum(images, column):
    rows = months(lambda k: 3.5 + 2 * k, lambda k: int(k % 2)) if column.startswith("rfs") else rows_of()
    rows = [{**own, "site": "liver"} for own in rows]
    sites = {"recurrence_sites": {"column": "site", "levels": ["liver", "lung"]}} if column == "site" else {}
    whole = f"reads the column {column!r}, which is the outcome itself, or known with it alone"
    found = refused(images, rows, {"halo": {**HALO, "column": column}}, **sites)
    assert f"cohorts.c.clinical.halo.column {whole}" in found
    assert f"cohorts.c.strata.late {whole}" in refused(images, rows, strata={"late": column}, **sites)


def test_the_day_of_the_operation_may_be_a_stratum(images):
    assert refused(images, rows_of(), strata={"year": "resection_date"}) == []


def test_one_column_of_numbers_is_not_two_variables(images):
    found = refused(images, rows_of(), {"ast": {**AST, "column": "ALT"}})
    assert found == ["cohorts.c.clinical.ast.column names 'ALT', which is the column of alt as well"]


def test_a_second_reader_has_a_column_of_his_own(images):
    found = refused(images, rows_of(), {"halo": {**HALO, "readings": {"R2": "halo"}}})
    assert len(found) == 1 and found[0].endswith("agreement of readers would be perfect")


@pytest.mark.parametrize("code", ["0", "0.0", "1"])
def test_a_code_for_missing_is_no_finding(images, code):
    found = refused(images, rows_of(), missing_codes=[code])
    assert (
        len(found) == 1
        and "is a value of the clinical variable halo: all who have it would count as missing" in (found[0])
    )


def test_a_code_for_missing_is_no_level(images):
    sex = {"timing": "pre", "kind": "categorical", "column": "halo", "levels": ["0", "1"]}
    assert len(refused(images, rows_of(), {"sex": sex}, missing_codes=["1"])) == 2
    assert refused(images, rows_of(), {"sex": sex}, missing_codes=["9"]) == []


def test_dates_with_the_month_first_are_refused_as_a_column(images):
    """With `keep_going` the patient of 04/13 was left out, and all others had day and month exchanged."""
    rows = rows_of(resection_date=lambda k: "04/13/2018" if k == 5 else f"04/{1 + k % 12:02d}/2018",
                   recurrence_date=lambda k: "09/10/2018" if k % 2 else "",
                   last_follow_up_date=lambda k: "06/01/2021")  # fmt: skip
    found = refused(images, rows, date_format="%d/%m/%Y")
    assert len(found) == 1 and found[0].startswith("column resection_date has '04/13/2018', which is no day")
    assert refused(images, rows, date_format="%m/%d/%Y") == []


def test_a_date_that_is_none_in_either_order_says_nothing_of_the_others():
    assert month_first(["31/02/2018", "05/04/2018", "99/99/2018", ""], "%d/%m/%Y") == ""
    assert month_first(["13/04/2018"], "%m/%d/%Y") == "13/04/2018"
    assert month_first(["2018-13-01", "2018-04-05"], "") == ""


@pytest.mark.parametrize("keep_going", [False, True])
def test_a_third_code_of_an_outcome_is_refused_as_a_column(images, keep_going):
    """2 for dead without recurrence: with `keep_going` patients would be left out by their outcome."""
    rows = months(lambda k: 3.5 + 2 * k, lambda k: k % 3)
    words = "has 2 in 8 patients beside 0 and 1: nobody can tell what it means"
    assert f"column rfs_event {words}" in refused(images, rows, keep_going=keep_going)
    endpoint = {"name": "death", "column": "died"}
    rows = rows_of(died=lambda k: k % 3)
    assert f"column died {words}" in refused(images, rows, keep_going=keep_going, endpoint=endpoint)


def test_a_variable_that_is_the_outcome_is_named(images):
    words = "tells all 24 patients with the outcome from those without, as the outcome itself does"
    assert said(images, rows_of(halo=lambda k: 1 - k % 2)) == [("", f"column halo: halo {words}")]
    assert said(images, rows_of(AFP=lambda k: 500 + k if k % 2 else 5 + k)) == [("", f"column AFP: afp {words}")]
    # One patient who differs, or a value of both, tells that it is another.
    assert said(images, rows_of(halo=lambda k: 1 - k % 2 if k else 0)) == []
    found = said(images, rows_of(AFP=lambda k: 500 + k if k % 2 else 501 if k == 4 else 5 + k))
    assert [what for _, what in found if words in what] == []


def test_a_cell_copied_down_and_a_column_copied_over_are_named(images):
    assert said(images, rows_of(AFP=lambda k: 61)) == [("", "column AFP: all 24 patients have the same afp, 61")]
    assert said(images, rows_of(AST=lambda k: 20 + 5 * k % 31)) == [
        ("", "columns ALT and AST: alt and ast are equal in all 24 patients")
    ]


def test_points_between_thousands_are_named(images):
    rows = rows_of(AFP=lambda k: "1.210" if k == 3 else 20 + 30 * k)
    assert said(images, rows) == [
        ("", "column AFP: 1.210 is taken as 1.21 of afp, and all other values are whole numbers")
    ]
    # A thousand written without a point, or a number with one decimal, shows how numbers are written.
    assert said(images, rows_of(AFP=lambda k: "1.210" if k == 3 else 20 + 60 * k)) == []
    assert said(images, rows_of(AFP=lambda k: {3: "1.210", 4: "7.5"}.get(k, 20 + 30 * k))) == []


def test_codes_that_look_like_values_are_named(images):
    age = {"clinical": {**VARIABLES, "age": {**NUMBER, "column": "age", "unit": "years"}}}
    rows = rows_of(age=lambda k: 99 if k in (2, 9) else 40 + k)
    assert said(images, rows, **age) == [
        ("", "column age: 2 patients have 99, far from all others, which is taken as a value of age")
    ]
    assert said(images, rows_of(age=lambda k: 99 if k in (2, 9) else 70 + k), **age) == []
    assert said(images, rows_of(AFP=lambda k: 0 if k in (2, 9) else 20 + k)) == [
        ("", "column AFP: 2 patients have an AFP of 0, which no assay gives, and it is taken as a value")
    ]


def test_one_patient_under_two_names_is_known_by_dates_and_values(images):
    rows = rows_of(resection_date=lambda k: f"2018-01-{1 + k:02d}")
    rows[9] = {**rows[9], **{name: cell for name, cell in rows[5].items() if name != "patient_id"}}
    assert said(images, rows) == [(f"P{a}", f"has the dates and all 4 clinical values of P{b}") for a, b in
                                  ((5, 9), (9, 5))]  # fmt: skip
    rows[9]["halo"] = str(1 - int(rows[5]["halo"]))
    assert said(images, rows) == []


def test_a_horizon_in_months_is_named(images):
    rows = rows_of(recurrence_date=lambda k: f"2018-01-{11 + k % 20:02d}" if k % 2 else "")
    assert said(images, rows, er_days=24) == [("", "er_days is 24: the outcome is an event within 24 days")]
    assert said(images, rows, er_days=60) == []


def test_events_that_are_ends_of_follow_up_are_named(images):
    def turned(k):
        return k % 2

    long, short = [40 + 2 * k for k in range(MANY)], [4.5 + k for k in range(MANY)]
    rows = months(lambda k: long[k] if k % 2 else short[k], turned)
    # Also where those lost before the horizon are not in use; the p value of scipy.
    assert mannwhitneyu(long[1::2], short[::2], alternative="greater").pvalue < 0.001
    words = "those with 1 have longer times (median 64 months) than those with 0 (15.5)"
    what = f"column rfs_event: {words}, as where 1 means followed without an event"
    assert ("", what) in said(images, rows)
    assert not said(images, months(lambda k: short[k] if k % 2 else long[k], turned))


CREATININE = {**NUMBER, "column": "CREA", "unit": "mg/dL"}


def test_two_units_in_one_column_are_named_and_decades_are_not(images):
    """88.4 umol/L are 1 mg/dL."""
    variables = {**VARIABLES, "creatinine": CREATININE}
    rows = rows_of(CREA=lambda k: round((0.6 + 0.04 * k) * (88.4 if k % 3 else 1), 2))
    (notice,) = [what for _, what in said(images, rows, clinical=variables)]
    # By hand: rows 0, 3, ... 21 from 0.6 to 1.44 mg/dL; rows 1 to 23 from 0.64 * 88.4 to 1.52 * 88.4.
    assert "8 of 0.6 to 1.44 and 16 of 56.58 to 134.37" in notice
    spans = rows_of(CREA=lambda k: round(0.5 * 1.9**k, 2))
    assert said(images, spans, clinical=variables) == []


def test_exchanged_events_of_a_short_follow_up_are_named(images):
    """Six events exchanged with eighteen ends of follow-up at the same times: the ranks of times show nothing."""
    rows = months(lambda k: round(4.5 + 1.3 * (7 * k % 24), 1), lambda k: int(k % 4 == 0))
    (notice,) = [what for _, what in said(images, rows)]
    # By hand: below 24 months are those of whom 7 k mod 24 is 0 to 14, but for the four with an event (0, 4, 8, 12).
    assert notice == "column rfs_event: 11 of the 18 patients with 0 have less than 24 months, and are left out"


@pytest.mark.parametrize("keep_going", [False, True])
@pytest.mark.parametrize(("name", "place"), [("Mean", 24), ("TOTAL", 24), ("ID", 0), ("patient_id", 12), ("units", 0)])
def test_a_row_that_is_no_patient_is_refused_as_a_row(images, keep_going, name, place):
    rows = rows_of()
    rows.insert(place, {**rows[3], "patient_id": name, "AFP": "ng/mL" if place == 0 else rows[3]["AFP"]})
    found = refused(images, rows, keep_going=keep_going)
    assert [what for what in found if f"row {place + 2}: patient_id {name!r} is no patient" in what]


@pytest.mark.parametrize("keep_going", [False, True])
def test_one_and_two_of_one_centre_among_zero_and_one_are_refused_as_a_column(images, keep_going):
    rows = [{**own, "centre": "AB"[k % 2]} for k, own in enumerate(rows_of(halo=lambda k: k // 2 % 2 + k % 2))]
    (found,) = refused(images, rows, keep_going=keep_going)
    assert "column halo has 2 in 6 patients beside 0 and 1" in found
