"""Outcome, clinical values, bounds, units and codes for missing: the right value, or a refusal that says what to do."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_cohort import AFP, WITHOUT, make_plan, patient_row, problems_of, write_cohort, write_rows

from hcc_recurrence.cohort.dates import date_fault, iso_date, mixed_forms
from hcc_recurrence.cohort.labels import horizon_months, horizon_words, make_labels
from hcc_recurrence.cohort.numbers import Reading, exact_number, missing_test, parse_number, read_number
from hcc_recurrence.cohort.plausible import PLAUSIBLE, fitting_unit
from hcc_recurrence.cohort.recurrence_sites import read_sites
from hcc_recurrence.cohort.sheets import clinical_table
from hcc_recurrence.cohort.units import UNITS
from hcc_recurrence.learning.clinical import dichotomise
from hcc_recurrence.problems import InputError

TODAY = date(2026, 1, 1)
VARIABLE = {"timing": "pre", "kind": "continuous"}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Images and masks of five patients, P0 to P4; a test writes its own patients.csv."""
    folder = tmp_path_factory.mktemp("images")
    write_cohort(folder, [patient_row(k) for k in range(5)])
    return folder


def refused(images, rows, cohort=None, **config):
    """Patient and what is wrong, with a patients sheet of these rows."""
    write_rows(images / "patients.csv", rows)
    return problems_of(images, cohort, **config)


def five(column, cells, **columns):
    """Five ordinary rows with these cells in a column."""
    return [patient_row(k, **{column: cell}, **columns) for k, cell in enumerate(cells)]


def variable(name, unit, **more):
    """Keys of a cohort that has this continuous variable besides AFP, in a column of its name."""
    return {"clinical": {"afp": AFP, name: {**VARIABLE, "column": name, "unit": unit, **more}}}


# -- numbers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("１２．５", Reading("", 12.5)),
        ("٣٫٥", Reading("", 3.5)),
        ("१०", Reading("", 10.0)),
        ("\u22125", Reading("", -5.0)),
        (">400", Reading(">", 400.0)),
        ("≥ 400", Reading(">=", 400.0)),
        ("> = 400", Reading(">=", 400.0)),
        ("<=５", Reading("<=", 5.0)),
        ("10²", None),
        ("½", None),
        ("1_000", None),
        ("1,234", None),
        ("18,1", None),
        ("5 cm", None),
        ("45%", None),
        ("1e999", None),
        ("0x10", None),
        (">>5", None),
        ("<-", None),
    ],
)
def test_a_cell_is_a_number_where_it_has_one_reading(text, reading):
    assert read_number(text) == reading


@pytest.mark.parametrize(
    ("text", "value"),
    [("18,1", 18.1), ("1,234", 1.234), ("18.1", 18.1), ("1.234", None), ("1.234,5", None), ("<0,5", 0.5)],
)
def test_decimal_commas_where_they_are_declared(text, value):
    assert parse_number(text, True) == value


@given(st.floats(-1e12, 1e12), st.sampled_from(["0123456789", "０１２３４５６７８９", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९"]))
def test_a_number_comes_back_in_the_digits_of_any_script(number, digits):
    text = repr(number).translate(str.maketrans("0123456789", digits))
    assert exact_number(text) == number
    assert read_number("<" + text) == Reading("<", number) and exact_number("<" + text) is None


@given(st.floats(0.1, 1e6), st.sampled_from([0.01, 1 / 12, 1.0, 10.0, 17.1]))
def test_a_bound_lies_beside_its_number_in_any_unit(number, factor):
    below, at, above = (Reading(r, number).times(factor) for r in ("<", "", ">"))
    assert below < at == Reading("<=", number).times(factor) < above
    assert above - below < 1e-14 * above


def test_a_decimal_comma_is_refused_with_what_to_do_and_read_where_it_is_declared(images):
    rows = five("AFP", ["18,1", "20", "1,234", "7", "8"])
    write_rows(images / "patients.csv", rows)
    with pytest.raises(InputError) as error:
        make_plan(images)
    assert [p.patient for p in error.value.problems] == ["P0", "P2"]
    assert "is not a number, for its comma may be a decimal one or one of thousands" in str(error.value)
    assert "set cohorts.c.decimal_comma: true" in str(error.value)
    plan = make_plan(images, {"decimal_comma": True})
    source, definitions = plan.patients_sheet("c"), plan.clinical_definitions("c", ["afp"])
    table = clinical_table(source, definitions, [], ["P0", "P1", "P2"])
    assert table["afp"].tolist() == [18.1, 20.0, 1.234]
    found = refused(images, five("AFP", ["1.234", "2", "3", "4", "5"]), {"decimal_comma": True})
    assert found == [
        (
            "P0",
            "column AFP: '1.234' is not a number that is sure, for its point may be a decimal one or one of thousands",
        )
    ]


# -- codes for missing -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "missing"),
    [
        ("999", True),
        ("999.0", True),
        ("9.99E+02", True),
        ("９９９", True),
        ("-1.0", True),
        ("NA", True),
        ("", True),
        ("na", False),
        (">999", False),
        ("99", False),
        ("1", False),
    ],
)
def test_codes_for_missing_are_compared_as_text_and_as_numbers(cell, missing):
    assert missing_test(["999", "-1", "NA"])(cell) == missing


def test_a_missing_code_is_never_a_value(images):
    """Not of AFP, of a binary finding, of its further readings, nor months."""
    found = {**VARIABLE, "kind": "binary", "column": "halo", "readings": {"R2": "halo_r2"}}
    level = {**VARIABLE, "kind": "categorical", "column": "grade", "levels": ["1", "2"]}
    rows = five("AFP", ["999.0", "9.99E+02", "-1.00", "35.0", "36"], halo="9.0", halo_r2="9.00", grade="9.0")
    rows[4] |= {"halo": "1.0", "halo_r2": "0", "grade": "2"}
    cohort = {"missing_codes": ["999", "-1", "9"], "clinical": {"afp": AFP, "halo": found, "grade": level}}
    assert refused(images, rows, cohort) == []
    plan = make_plan(images, cohort)
    definitions = plan.clinical_definitions("c", ["afp", "halo", "grade"])
    table = clinical_table(plan.patients_sheet("c"), definitions, cohort["missing_codes"], [f"P{k}" for k in range(5)])
    assert table["afp"].tolist()[3:] == [35.0, 36.0] and table["afp"].isna().sum() == 3
    assert table.loc["P4"].tolist() == [36.0, 1.0, 1.0] and table.loc["P0"].isna().all()


def test_a_bound_is_no_binary_finding(images):
    finding = {**VARIABLE, "kind": "binary", "column": "halo"}
    found = refused(images, five("halo", ["<1", "1", "0", "0.0", ""]), {"clinical": {"afp": AFP, "halo": finding}})
    assert found == [("P0", "column halo: '<1' is not 0 or 1")]


# -- bounds at thresholds --------------------------------------------------------------------------


def test_bounds_are_compared_as_what_they_are(images):
    """AFP above 400 IU/mL, which is 484 ng/mL (Zhao 2024): >484 and 485 are above, 484, <484 and <=484 are not."""
    rows = five("AFP", [">484", "485", "484", "<484", "<=484"])
    assert refused(images, rows) == []
    plan = make_plan(images)
    table = clinical_table(plan.patients_sheet("c"), plan.clinical_definitions("c", ["afp"]), [], plan.patients("c"))
    assert dichotomise(table, {"afp": 484})["afp"].tolist() == [1, 1, 0, 0, 0]
    assert dichotomise(table, {"afp": {"at_least": 484}})["afp"].tolist()[:4] == [1, 1, 1, 0]
    np.testing.assert_allclose(table["afp"], [484, 485, 484, 484, 484], rtol=1e-15)


@pytest.mark.parametrize(
    ("cell", "above", "at_least"),
    [
        (">400", True, True),
        (">=400", False, True),
        (">300", False, False),
        (">=500", True, True),
        ("<400", True, True),
        ("<=400", True, False),
        ("<500", False, False),
        ("<=20", True, True),
    ],
)
def test_a_bound_on_either_side_of_a_threshold_is_refused(images, cell, above, at_least):
    for sign, threshold, fine in ((">", 400, above), (">=", {"at_least": 400}, at_least)):
        overrides = {"zhao2024": {"clinical": {**dict.fromkeys(WITHOUT), "afp": threshold}}}
        found = refused(images, five("AFP", [cell, "1", "2", "3", "4"]), overrides=overrides)
        what = f"column AFP: {cell!r} may lie on either side of zhao2024's threshold afp {sign} 400"
        assert found == ([] if fine else [("P0", what)])


def test_bounds_at_thresholds_of_stages_are_refused(images):
    """BCLC and CNLC put tumours at 20, 30 and 50 mm; only where the cohort has all that they need."""
    inputs = ("tumour_number", "ecog_ps", "child_pugh", "macrovascular_invasion", "extrahepatic_spread")
    rows = five("diameter", ["<20", ">50", "<30", "<=50", "25"])
    cohort = variable("diameter", "mm")
    assert refused(images, rows, cohort) == []
    what = "column diameter: '{}' may lie on either side of a threshold of BCLC or CNLC, diameter > {}"
    assert refused(images, rows, {**cohort, "constants": dict.fromkeys(inputs, 1)}) == [
        ("P2", what.format("<30", 20)),
        ("P3", what.format("<=50", 20)),
        ("P3", what.format("<=50", 30)),
    ]


def test_a_variable_that_nobody_has_is_refused(images):
    found = refused(images, five("AFP", ["", "999.0", "NA", "", ""]), {"missing_codes": ["999", "NA"]})
    assert found == [("", "column AFP: no patient has a value of afp")]


def test_variables_that_nobody_has_are_one_problem_with_a_list_to_copy(images):
    """A drafted sheet has 25 empty columns, which hid the problems of the series behind them."""
    ast = {"ast": {**VARIABLE, "column": "GOT", "unit": "U/L"}}
    write_rows(images / "patients.csv", five("AFP", [""] * 5, GOT=""))
    without = [v for v in WITHOUT if v != "ast"]
    study = {"paper": "zhao2024", "cohort": "c", "phases": {"portal": "portal"}, "networks": False, "without": without}
    with pytest.raises(InputError) as error:
        make_plan(images, {"clinical": {"afp": AFP, **ast}}, studies=[study])
    assert [(p.what, p.remedy) for p in error.value.problems] == [
        (
            "zhao2024: no patient has a value in the columns AFP, GOT",
            "fill them in; what you do not have goes into the study's `without` (all of them: [afp, ast])",
        )
    ]


def test_errors_of_a_spreadsheet_are_no_centre_and_no_group(images):
    rows = [patient_row(k, scanner="S1") for k in range(5)]
    rows[1]["centre"], rows[2]["scanner"] = "#REF!", "#N/A"
    assert refused(images, rows, {"strata": {"scanner": "scanner"}}) == [
        ("P1", "column centre: '#REF!' is no centre"),
        ("P2", "column scanner, stratum scanner: '#N/A' is an error of the spreadsheet"),
    ]


# -- dates -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2018-01-10", ""),
        ("2026-01-01", ""),
        ("2026-01-02", "lies in the future"),
        ("1018-01-10", "lies before 1950"),
        ("1900-01-01", "lies before 1950"),
        ("1900-01-00", "is not a date"),
        ("2018112", "7 digits have more than one reading"),
        ("180110", "6 digits have more than one reading"),
        ("43110", "a spreadsheet program's count of days"),
        ("43110.0", "a spreadsheet program's count of days"),
        ("05.07.2016", "is not a date"),
        ("18-01-10", "is not a date"),
        ("2018-02-30", "is not a date"),
        ("2018-W02-3", "is not a date"),
        ("unknown", "is not a date"),
    ],
)
def test_days_that_cannot_be(text, words):
    fault = date_fault(iso_date(text), TODAY)
    assert (fault is None) if not words else (words in fault[0])


@pytest.mark.parametrize(
    ("text", "form", "day"),
    [
        ("2018-01-10 00:00:00", "", "2018-01-10"),
        ("2018-01-10T13:45", "", "2018-01-10"),
        ("20180110", "", "2018-01-10"),
        ("2018112", "", "2018112"),
        ("05.07.2016", "%d.%m.%Y", "2016-07-05"),
        ("1122018", "%d%m%Y", "1122018"),
        ("01122018", "%d%m%Y", "2018-12-01"),
        ("05.07.16", "%d.%m.%y", "2016-07-05"),
    ],
)
def test_dates_with_one_reading(text, form, day):
    assert iso_date(text, form) == day


@given(
    st.dates(date(1950, 1, 1), TODAY),
    st.sampled_from(["%d.%m.%Y", "%m/%d/%Y", "%d%m%Y", "%Y%m%d", "%Y-%m-%d", "%d %b %Y"]),
)
def test_any_date_comes_back_in_its_own_form_and_in_no_other(day, form):
    text = day.strftime(form)
    assert iso_date(text, form) == day.isoformat()
    assert date_fault(day.isoformat(), TODAY) is None
    if form not in ("%Y%m%d", "%Y-%m-%d"):
        # Eight digits may begin with something like a year.
        assert iso_date(text) == text or form == "%d%m%Y"


def test_dates_that_contradict_one_another_are_refused(images):
    rows = [
        patient_row(0, recurrence_date="2023-01-01", last_follow_up_date="2019-02-01"),
        patient_row(1, recurrence_date="2018-01-10"),
        patient_row(2, recurrence_date="2017-01-10"),
        patient_row(3, last_follow_up_date="2017-01-10", recurrence_date=""),
        patient_row(4, last_follow_up_date="2081-06-01"),
    ]
    assert refused(images, rows) == [
        ("P0", "recurrence_date lies after last_follow_up_date"),
        ("P1", "recurrence_date is the day of resection_date"),
        ("P2", "recurrence_date lies before resection_date"),
        ("P3", "last_follow_up_date lies before resection_date"),
        ("P4", "column last_follow_up_date: '2081-06-01' lies in the future"),
    ]


def test_a_column_of_dates_in_two_forms_is_refused(images):
    assert mixed_forms(["25/07/2016", "2016-05-07", ""], "%d/%m/%Y")
    assert not mixed_forms(["25/07/2016", "07/05/2016", ""], "%d/%m/%Y")
    assert not mixed_forms(["2016-07-25", "2016-05-07"], "%d/%m/%Y")
    assert not mixed_forms(["2016-07-25", "20160507"], "")
    rows = five("resection_date", ["25/07/2016", "2016-05-07", "2016-05-08", "2016-05-09", "2016-05-10"])
    (patient, what), *rest = refused(images, rows, {"date_format": "%d/%m/%Y"})
    assert (
        not patient and not rest and what.startswith("column resection_date has dates in the form %d/%m/%Y and others")
    )


# -- months ----------------------------------------------------------------------------------------


def months_rows(pairs):
    dates = ("resection_date", "recurrence_date", "last_follow_up_date")
    rows = [patient_row(k, rfs_months=months, rfs_event=event) for k, (months, event) in enumerate(pairs)]
    return [{c: cell for c, cell in row.items() if c not in dates} for row in rows]


@pytest.mark.parametrize(
    ("months", "event", "what"),
    [
        (">24", "0", "column rfs_months: '>24' is a bound and not a number of months"),
        ("24 months", "0", "column rfs_months: '24 months' is not a number >= 0"),
        ("n.a.", "0", "column rfs_months: 'n.a.' is not a number >= 0"),
        ("", "0", "column rfs_months is empty"),
        ("999.0", "0", "column rfs_months: '999.0' means missing"),
        ("-3", "1", "column rfs_months: '-3' is not a number >= 0"),
        ("730", "0", "column rfs_months: '730' is more than 600 months; are these days?"),
        ("18,1", "0", "column rfs_months: '18,1' is not a number >= 0"),
        ("30", "no", "column rfs_event: 'no' is not 0 or 1"),
        ("30", "<1", "column rfs_event: '<1' is not 0 or 1"),
        ("30", "", "column rfs_event: '' is not 0 or 1"),
        ("３０", "０", ""),
        ("30.0", "0.0", ""),
    ],
)
def test_months_and_events_are_exact_numbers(images, months, event, what):
    rows = months_rows([(months, event), ("7.5", "1"), ("30", "0"), ("3", "1"), ("40", "0")])
    cohort = {"missing_codes": ["999"]}
    assert refused(images, rows, cohort) == ([("P0", what)] if what else [])
    if what:
        plan = make_plan(images, cohort, keep_going=True)
        assert plan.patients("c") == ["P1", "P2", "P3", "P4"] and plan.excluded["c"] == {"P0": what}
        labels = make_labels(plan.cohorts["c"].patients, excluded=plan.excluded["c"])
        assert labels.loc[0, ["er", "rfs_months", "rfs_event"]].isna().sum() >= 1 and np.isnan(labels["er"][0])
        assert labels["rfs_event"].tolist()[1:] == [1, 0, 1, 0]
        assert labels["excluded_because"].tolist() == [what, "", "", "", ""]
    else:
        assert make_plan(images, cohort).patients("c") == [f"P{k}" for k in range(5)]


def test_an_event_on_the_first_day_is_refused_where_the_months_show_it_and_looked_at_where_they_may_be_rounded(images):
    """As with dates, whose same day is refused; 0 of whole months may be any day of the first month."""
    others = [("30", "0"), ("3", "1"), ("40", "0")]
    # One month of the column has a decimal: 0 is the day itself.
    assert refused(images, months_rows([("0", "1"), ("7.5", "1"), *others])) == [
        ("P0", "columns rfs_months and rfs_event: recurrence at 0 months is on the day of resection")
    ]
    # Whole months: the patient is early (within 24 months), and named.
    write_rows(images / "patients.csv", months_rows([("0", "1"), ("0.0", "0"), *others]))
    plan = make_plan(images)
    said = [(notice.patient, notice.what) for notice in plan.notices if "0 months" in notice.what]
    assert said == [("P0", "column rfs_months: recurrence at 0 months counts as within the first month")]
    assert make_labels(plan.cohorts["c"].patients)["er"][0] == 1
    # In the words of the endpoint; nothing is said of months that are not 0.
    plan = make_plan(images, {"endpoint": {"event": "death", "start": "TACE"}})
    (told,) = [notice for notice in plan.notices if "0 months" in notice.what]
    assert told.what.endswith("death at 0 months counts as within the first month") and "day of TACE" in told.remedy
    write_rows(images / "patients.csv", months_rows([("1", "1"), ("0", "0"), *others]))
    assert not [notice for notice in make_plan(images).notices if "0 months" in notice.what]


def test_months_are_compared_with_months():
    """24.0 x 30.4375 is 730.5 days: compared with 730 days, an event at 24.0 months would be none within 24 months."""
    pairs = [("24.0", "1"), ("24", "0"), ("24.01", "1"), ("23.99", "0"), ("23.9", "1")]
    frame = pd.DataFrame(months_rows(pairs)).set_index("patient_id", drop=False)
    labels = make_labels(frame)
    assert labels["er"].tolist()[:3] == [1, 0, 0] and np.isnan(labels["er"][3]) and labels["er"][4] == 1
    assert labels["excluded_because"][3] == "recurrence-free but followed for less than 24 months"
    assert make_labels(frame, inclusive=False)["er"].tolist()[:3] == [0, 0, 0]
    assert labels["rfs_months"].tolist() == [24.0, 24.0, 24.01, 23.99, 23.9]


@pytest.mark.parametrize(
    ("days", "dates", "months", "words"),
    [
        (730, False, 24.0, "24 months"),
        (731, False, 24.0, "24 months"),
        (365, False, 12.0, "12 months"),
        (183, False, 6.0, "6 months"),
        (1095, False, 36.0, "36 months"),
        (98, False, 3.22, "3.22 months"),
        (730, True, 23.984, "730 days"),
    ],
)
def test_the_horizon_in_months(days, dates, months, words):
    assert horizon_months(days, dates) == months and horizon_words(days, dates) == words


def test_the_survival_horizon_is_that_of_the_labels(images):
    write_rows(images / "patients.csv", months_rows([("24.0", "1"), ("24", "0"), ("30", "0"), ("3", "1"), ("40", "0")]))
    assert make_plan(images).horizon_months("c") == 24.0
    # With < the event at 24.0 months is not early, and lies beyond the last time that is.
    assert make_plan(images, {"er_inclusive": False}).horizon_months("c") == 23.999
    write_rows(images / "patients.csv", [patient_row(k) for k in range(5)])
    # Days of dates become months of 30.4375 days with three decimals, on both sides.
    assert make_plan(images).horizon_months("c") == round(730 / 30.4375, 3)


def test_keep_going_leaves_a_patient_with_a_bad_date_out(images):
    rows = five("last_follow_up_date", ["2021-06-01", "2021-06-01", "unknown", "2021-06-01", "2021-06-01"])
    rows[3]["recurrence_date"] = "none"
    write_rows(images / "patients.csv", rows)
    plan = make_plan(images, keep_going=True)
    assert plan.patients("c") == ["P0", "P1", "P4"]
    labels = make_labels(plan.cohorts["c"].patients, excluded=plan.excluded["c"])
    assert labels["patient_id"].tolist() == [f"P{k}" for k in range(5)]
    assert labels["excluded_because"].tolist()[2:4] == [
        "column last_follow_up_date: 'unknown' is not a date",
        "column recurrence_date: 'none' is not a date",
    ]
    # No date is not the same as no recurrence.
    assert labels.loc[[2, 3], ["er", "rfs_months", "rfs_event"]].isna().all(axis=None)
    with pytest.raises(ValueError, match="the outcome of P2, P3 cannot be read"):
        make_labels(plan.cohorts["c"].patients)


# -- plausible values and units --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "unit", "cell", "words"),
    [
        ("diameter", "cm", "32", "'32' cm (320 mm) is no plausible diameter, 5 to 300 mm"),
        ("age", "years", "770", "'770' years is no plausible age, 10 to 110 years"),
        ("albumin", "g/L", "4.1", "'4.1' g/L is no plausible albumin, 10 to 70 g/L"),
        ("albumin", "g/L", "4.1", "in g/dL it would be 41 g/L"),
        ("bilirubin", "umol/L", "0.8", "in mg/dL it would be 13.68 umol/L"),
        ("platelets", "1e9/L", "150000", "in cells/uL it would be 150 1e9/L"),
        ("lymphocytes", "1e9/L", "31", "as a percentage it would be above 20"),
        ("afp", "ng/mL", "-3", "'-3' ng/mL is no plausible afp, 0 to 1e+07 ng/mL"),
        ("inr", "", "106", "'106' is no plausible inr, 0.5 to 20"),
        ("bilirubin", "umol/L", "<1.7", ""),
        ("albumin", "g/L", "<5", "no plausible albumin"),
        ("bilirubin", "umol/L", ">0.8", "no plausible bilirubin"),
        ("albumin", "g/L", ">400", "no plausible albumin"),
        ("ki67", "%", "4000", ""),
    ],
)
def test_values_that_no_patient_has_are_refused(images, name, unit, cell, words):
    column = "AFP" if name == "afp" else name
    found = refused(images, five(column, [cell, "", "", "", ""]), {} if name == "afp" else variable(name, unit))
    # A diameter is held against the mask as well.
    assert len(found) == (0 if not words else 2 if name == "diameter" else 1), found
    assert all(patient == "P0" for patient, _ in found) and words in "".join(what for _, what in found[:1])


def test_a_cohorts_own_limits(images):
    rows = five("age", ["6", "8", "30", "7", "19"])
    assert refused(images, rows, variable("age", "years", plausible=[0, 20])) == [
        ("P2", "column age: '30' years is no plausible age, 0 to 20 years (`plausible` of the config)")
    ]
    with pytest.raises(InputError, match="plausible"):
        make_plan(images, variable("age", "years", plausible=[0]))


def test_flow_charts_count_patients_with_the_same_fault_together(images):
    from hcc_recurrence.figures.flow_chart import kind_of_reason

    cells = ["770", "641.5", "6e2", "512", "50"]
    found = refused(images, five("age", cells, last_follow_up_date="2081-06-01"), variable("age", "years"))
    assert {kind_of_reason(what) for _, what in found} == {
        "column age: a cell years is no plausible age, 10 to 110 years",
        "column last_follow_up_date: a cell lies in the future",
    }


def test_a_centre_in_another_unit_is_named_and_can_be_declared(images):
    cells = ["38.1", "41", "3.74", "4.1", "3.2"]
    rows = [patient_row(k, centre="AABBB"[k], albumin=cell) for k, cell in enumerate(cells)]
    assert refused(images, rows, variable("albumin", "g/L")) == [
        (
            "",
            "column albumin: the 3 values of centre B (median 3.74) fit g/dL and not g/L, "
            "the unit of albumin in the config",
        )
    ]
    cohort = variable("albumin", {"A": "g/L", "B": "g/dL"})
    assert refused(images, rows, cohort) == []
    plan = make_plan(images, cohort)
    definitions = plan.clinical_definitions("c", ["albumin"])
    assert definitions["albumin"]["unit"] == "g/L" and definitions["albumin"]["factor"] == {"A": 1.0, "B": 10.0}
    table = clinical_table(plan.patients_sheet("c"), definitions, [], [f"P{k}" for k in range(5)])
    np.testing.assert_allclose(table["albumin"], [38.1, 41, 37.4, 41, 32])
    # Another unit, or another centre of a patient, gives other values: what was made of the old ones runs again.
    before = plan.clinical_hash("c", ["albumin"])
    write_rows(images / "patients.csv", [{**row, "centre": "A"} if row["patient_id"] == "P0" else row for row in rows])
    assert make_plan(images, cohort).clinical_hash("c", ["albumin"]) == before
    moved = [{**row, "centre": "B", "albumin": ""} if row["patient_id"] == "P0" else row for row in rows]
    empty = [{**row, "albumin": ""} if row["patient_id"] == "P0" else row for row in rows]
    write_rows(images / "patients.csv", moved)
    after = make_plan(images, cohort).clinical_hash("c", ["albumin"])
    write_rows(images / "patients.csv", empty)
    assert make_plan(images, cohort).clinical_hash("c", ["albumin"]) != after


def test_units_of_centres_that_do_not_fit_the_sheet_are_refused(images):
    rows = [patient_row(k, centre="AABBB"[k], albumin="") for k in range(5)]
    assert [what for _, what in refused(images, rows, variable("albumin", {"A": "g/L", "C": "inch"}))] == [
        "clinical variable albumin: the unit has no entry for the centres B",
        "clinical variable albumin: the unit names centres that no patient has: C",
        "clinical variable albumin: unit 'inch' of centre C is unknown; papers compare it with a threshold",
    ]
    found = refused(
        images, rows, {"clinical": {"afp": AFP, "ki67": {**VARIABLE, "column": "albumin", "unit": {"A": "%"}}}}
    )
    assert found == [("", "clinical variable ki67: units of centres are given, and none can be converted for it")]


def test_percentages_in_place_of_counts_are_no_usual_median(images):
    # Each alone is a count that a patient may have.
    found = refused(images, five("neutrophils", ["60", "55", "52", "47", "58"]), variable("neutrophils", "1e9/L"))
    assert len(found) == 1 and found[0][0] == ""
    assert "5 values of centre A have the median 55 1e9/L" in found[0][1]
    assert refused(images, five("neutrophils", ["3.1", "55", "2", "4", "5"]), variable("neutrophils", "1e9/L")) == []


def test_the_lowest_bilirubin_of_an_assay_is_a_value(images):
    cells = ["0.1", "0.3", "0.8", "1.2", "15"]
    assert refused(images, five("bilirubin", cells), variable("bilirubin", "mg/dL")) == []


def test_limits_and_forms_of_dates_that_leave_nothing_are_named_in_the_config(images):
    turned = variable("albumin", "g/L", plausible=[70, 10])
    assert refused(images, five("albumin", ["40"] * 5), turned) == [
        ("", "cohorts.c.clinical.albumin.plausible: [70, 10] leaves no value")
    ]
    for form, lacking in (("DD.MM.YYYY", "no year and no month and no day"), ("%d.%m", "no year")):
        found = refused(images, [patient_row(k) for k in range(5)], {"date_format": form})
        assert ("", f"cohorts.c.date_format: {form!r} names {lacking}") in found


def test_every_centre_in_the_papers_unit_keeps_it_and_any_other_unit_is_seen():
    """At the usual values of each variable, typed in each unit and declared in each."""
    for name, limits in PLAUSIBLE.items():
        if limits.usual is None:
            continue
        usual = [float(v) for v in np.geomspace(limits.usual[0] * 1.5, limits.usual[1] / 1.5, 7)]
        for declared, factor in UNITS[name].items():
            assert fitting_unit(name, [v / factor for v in usual], declared) is None, (name, declared)
    assert fitting_unit("albumin", [38.0, 41.0, 35.0], "g/dL") == "g/L"
    assert fitting_unit("diameter", [2.1, 3.4, 5.0, 8.0, 1.5], "mm") == "cm"
    assert fitting_unit("bilirubin", [14.0, 9.0, 21.0, 12.0, 30.0], "mg/dL") == "umol/L"
    assert fitting_unit("platelets", [150000.0, 98000.0], "1e9/L") == "cells/uL"
    assert fitting_unit("age", [720.0, 650.0], "years") == "months"
    # One large tumour, a jaundiced patient and a small centre are no other unit.
    assert fitting_unit("diameter", [8.0, 9.0, 7.0], "mm") is None
    assert fitting_unit("bilirubin", [300.0], "umol/L") is None


# -- temporal splits -------------------------------------------------------------------------------


def test_a_temporal_split_needs_dates_that_are_dates(images):
    splits = {"t": {"kind": "temporal", "validation_from": "2017-01-01", "folds": 2}}
    config = {"splits": splits, "overrides": {"zhao2024": {"split": "t"}}}
    pairs = [("3", "1"), ("30", "0"), ("4", "1"), ("40", "0"), ("5", "1")]

    def rows(cells, **first):
        found = [{**row, "resection_date": cell} for row, cell in zip(months_rows(pairs), cells, strict=True)]
        found[0] |= first
        return found

    cells = ["", "05.07.2016", "42556", "2016-07-05", "2018/1/5"]
    assert [what for _, what in refused(images, rows(cells), **config)] == [
        "column resection_date is empty",
        "column resection_date: '05.07.2016' is not a date",
        "column resection_date: '42556' is not a date but a spreadsheet program's count of days",
    ]
    # An external patient is placed by the centre.
    cells[1:3] = ["2016-07-05", "2017-01-01"]
    outside = {"external_centres": ["B"]}
    assert refused(images, rows(cells, centre="B"), outside, **config) == []
    assert make_plan(images, outside, **config).assigned_splits("c", "t") == {
        **{"P0": "external", "P1": "train", "P2": "validation", "P3": "train", "P4": "validation"}
    }
    splits["t"]["validation_from"] = "5.7.2016"
    assert [what for _, what in refused(images, rows(cells, centre="B"), outside, **config)] == [
        "splits.t.validation_from: '5.7.2016' is not a date"
    ]


# -- folds -----------------------------------------------------------------------------------------


def test_too_few_patients_for_the_folds_are_known_before_the_first_job(images):
    # Five patients, two of them early: of each outcome one is drawn for validation.
    write_rows(images / "patients.csv", [patient_row(k) for k in range(5)])
    plan = make_plan(images)
    (problem,) = plan.split_problems
    assert plan.patients("c") == [f"P{k}" for k in range(5)]
    assert (problem.cohort, problem.patient, problem.file) == ("c", "", str(images / "patients.csv"))
    assert problem.what == (
        "split zhao2024_demo: 5 folds need at least 5 training patients of each outcome; there are 1 with early "
        "recurrence and 2 without (besides 2 validation)"
    )
    assert problem.remedy == (
        "add patients, or name another split in the study; the target results/c/quality/all_patients.html needs none"
    )
    one = {"kind": "random", "validation_fraction": 0, "folds": 2, "repeats": 1}
    assert make_plan(images, splits={"zhao2024_demo": one}).split_problems == []
    (problem,) = make_plan(images, splits={"zhao2024_demo": {**one, "folds": 3}}).split_problems
    assert "there are 2 with early recurrence and 3 without" in problem.what and "validation)" not in problem.what
    assert problem.remedy.startswith("lower splits.zhao2024_demo.folds (to 2 at most), ")


def test_patients_who_may_be_corrected_may_fill_the_folds(images):
    one = {"kind": "random", "validation_fraction": 0, "folds": 3, "repeats": 1}
    rows = [patient_row(k) for k in range(5)]
    rows[2]["last_follow_up_date"] = "n.a."
    write_rows(images / "patients.csv", rows)
    # Two early and two not, and one who may be either: 3 folds may be filled, 4 cannot.
    for folds, number in ((3, 0), (4, 1)):
        with pytest.raises(InputError) as error:
            make_plan(images, splits={"zhao2024_demo": {**one, "folds": folds}})
        assert [p.patient for p in error.value.problems] == ["P2"] and len(error.value.of_splits) == number
    # Left out, they fill nothing.
    assert len(make_plan(images, splits={"zhao2024_demo": one}, keep_going=True).split_problems) == 1


# -- yes and no ------------------------------------------------------------------------------------


def test_true_and_false_of_a_spreadsheet_program_are_1_and_0(images):
    words = ["TRUE", "FALSE", "WAHR", "Falso", "1.0"]
    rows = [
        {"patient_id": f"P{k}", "centre": "A", "rfs_months": "12", "rfs_event": word, "AFP": "5", "capsule": word}
        for k, word in enumerate(words)
    ]
    write_rows(images / "patients.csv", rows)
    capsule = {"column": "capsule", "unit": "", "timing": "pre", "kind": "binary"}
    plan = make_plan(images, {"clinical": {"afp": AFP, "capsule": capsule}})
    labels = make_labels(plan.cohorts["c"].patients)
    assert list(labels["rfs_event"]) == [1, 0, 1, 0, 1]
    assert plan.patients("c") == ["P0", "P2", "P4"]
    table = clinical_table(
        plan.patients_sheet("c"), plan.clinical_definitions("c", ["capsule"]), [], [f"P{k}" for k in range(5)]
    )
    assert list(table["capsule"]) == [1, 0, 1, 0, 1]
    # Words with a meaning of their own are not.
    for cell in ("yes", "T", "2", "<1"):
        rows[0]["rfs_event"] = cell
        assert refused(images, rows) == [("P0", f"column rfs_event: {cell!r} is not 0 or 1")]


# -- where a tumour recurred -----------------------------------------------------------------------

SITES = {"recurrence_sites": {"column": "site", "levels": ["intrahepatic", "extrahepatic", "both"]}}


def test_sites_of_recurrence_are_read_in_their_order_and_empty_is_unknown(images):
    write_rows(images / "patients.csv", five("site", ["both", "", "intrahepatic", "99", ""]))
    plan = make_plan(images, {**SITES, "missing_codes": ["99"]})
    found = read_sites(plan.patients_sheet("c"), SITES["recurrence_sites"], ["99"])
    assert list(found.cat.categories) == SITES["recurrence_sites"]["levels"]
    assert found.isna().tolist() == [False, True, False, True, True]
    assert found["P0"] == "both" and found["P2"] == "intrahepatic"
    before = plan.sites_hash("c")
    write_rows(images / "patients.csv", five("site", ["both", "", "extrahepatic", "99", ""]))
    changed = make_plan(images, {**SITES, "missing_codes": ["99"]})
    assert changed.sites_hash("c") != before and changed.outcome_hash("c") == plan.outcome_hash("c")
    assert make_plan(images).sites_hash("c") == ""


def test_a_site_that_is_no_level_and_a_column_that_is_not_there_are_refused(images):
    found = refused(images, five("site", ["both", "liver", "", "", ""]), SITES)
    assert found == [("P1", "column site: 'liver' is not one of intrahepatic, extrahepatic, both")]
    ((_, what),) = refused(images, five("other", [""] * 5), SITES)
    assert what == "has no column 'site', which recurrence_sites names"
