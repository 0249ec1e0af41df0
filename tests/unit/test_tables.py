"""A resident's spreadsheet: delimiters, encodings, columns under other names, units, bounds of assays, dates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcc_recurrence.cohort.sheets import clinical_table, load_cohort
from hcc_recurrence.cohort.tables import decoded, delimiter_of, iso_date, parse_number, read_sheet
from hcc_recurrence.cohort.units import UNITS, in_standard_unit, unit_factor

ROWS = [["patient_id", "中心", "AFP (µg/L)"], ["P1", "北京", "12.5"], ["P2", "上海", "<0.01"]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_delimiters_and_encodings(tmp_path, delimiter, encoding):
    file = tmp_path / "sheet.csv"
    file.write_bytes("\r\n".join(delimiter.join(row) for row in ROWS).encode(encoding))
    frame = read_sheet(file, {"centre": "中心"})
    assert list(frame.columns) == ["patient_id", "centre", "AFP (µg/L)"]
    assert frame.to_numpy().tolist() == ROWS[1:]


def test_what_is_no_table_is_refused(tmp_path):
    with pytest.raises(ValueError, match="neither UTF-8, UTF-16, GB18030 nor"):
        decoded(b"a\xff\xff\xff")
    assert delimiter_of("patient_id\nP1") == ","
    (tmp_path / "s.csv").write_text("patient_id,MRN\nA,1\n")
    with pytest.raises(ValueError, match="stand twice"):
        read_sheet(tmp_path / "s.csv", {"patient_id": "MRN"})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12.0),
        ("-1.5e2", -150.0),
        ("<0.01", 0.01),
        ("> 1000", 1000.0),
        ("<=5", 5.0),
        ("≥20", 20.0),
        ("＜0.3", 0.3),
        ("0,01", None),
        ("1 000", None),
        ("nan", None),
        ("inf", None),
        ("<", None),
        ("", None),
        ("n.d.", None),
    ],
)
def test_numbers_and_bounds_of_assays(text, value):
    assert parse_number(text) == value


@given(st.text(max_size=8))
def test_any_cell_is_a_finite_number_or_none(text):
    value = parse_number(text)
    assert value is None or np.isfinite(value)


@pytest.mark.parametrize(
    ("text", "form", "date"),
    [
        ("2019-03-01", "", "2019-03-01"),
        ("2019/3/1", "", "2019-03-01"),
        ("2019.03.01", "", "2019-03-01"),
        ("20190301", "", "2019-03-01"),
        ("2019年3月1日", "", "2019-03-01"),
        # Is it March or January? Nobody knows.
        ("03/01/2019", "", "03/01/2019"),
        ("03/01/2019", "%d/%m/%Y", "2019-01-03"),
        ("2019-03-01", "%d/%m/%Y", "2019-03-01"),
        ("2019-02-30", "", "2019-02-30"),
        ("", "", ""),
    ],
)
def test_dates(text, form, date):
    assert iso_date(text, form) == date


@pytest.mark.parametrize(
    ("variable", "unit", "factor"),
    [
        ("bilirubin", "umol/L", 1.0),
        ("bilirubin", "µmol/L", 1.0),
        ("bilirubin", "mg/dL", 17.1),
        ("albumin", "g/dl", 10.0),
        ("afp", "ug/L", 1.0),
        ("diameter", "cm", 10.0),
        ("platelets", "K/uL", 1.0),
        ("alt", "ukat/L", 60.0),
        ("afp", "IU/mL", 1.21),
        ("afp", "mol/L", None),
        ("diameter", "", None),
        ("inr", "", 1.0),
    ],
)
def test_units(variable, unit, factor):
    assert unit_factor(variable, unit) == factor


def test_the_first_unit_of_each_variable_is_the_papers():
    assert all(next(iter(units.values())) == 1.0 for units in UNITS.values())
    own = in_standard_unit("diameter", {"column": "d", "unit": "cm"})
    assert own == {"column": "d", "unit": "mm", "factor": 10.0}


SHEET = """病历号;医院;手术日期;复发日期;末次随访;直径;AFP;性别
P1;北京;2019/3/1;2020.01.05;2022/1/1;4.2;<0.01;M
P2;北京;2019/4/1;;2022/1/1;3;999;F
"""
COLUMNS = {
    "patient_id": "病历号",
    "centre": "医院",
    "resection_date": "手术日期",
    "recurrence_date": "复发日期",
    "last_follow_up_date": "末次随访",
}


def settings(tmp_path, **changes):
    variable = {"timing": "pre", "levels": [], "readings": {}}
    clinical = {
        "diameter": {**variable, "column": "直径", "unit": "cm", "kind": "continuous"},
        "afp": {**variable, "column": "AFP", "unit": "ng/mL", "kind": "continuous"},
        "sex": {**variable, "column": "性别", "unit": "", "kind": "categorical", "levels": ["F", "M"]},
    }
    (tmp_path / "p.csv").write_bytes(SHEET.encode("gb18030"))
    return {
        **{"patients": str(tmp_path / "p.csv"), "images_of": "other", "missing_codes": ["999"], "clinical": clinical},
        **{"columns": COLUMNS, "date_format": "", "strata": {}, **changes},
    }


def test_a_hospitals_sheet_is_read_as_it_is(tmp_path):
    own = settings(tmp_path)
    cohort, problems = load_cohort("c", own)
    assert not problems, problems
    assert cohort.patients.loc["P1", "resection_date"] == "2019-03-01"
    assert (
        cohort.patients.loc["P1", "recurrence_date"] == "2020-01-05"
        and not cohort.patients.loc["P2", "recurrence_date"]
    )
    definitions = {name: in_standard_unit(name, d) for name, d in own["clinical"].items()}
    source = {"path": own["patients"], "columns": COLUMNS, "date_format": ""}
    table = clinical_table(source, definitions, ["999"], ["P2", "P1"])
    expected = pd.DataFrame({"diameter": [30.0, 42.0], "afp": [np.nan, 0.01], "sex": [0.0, 1.0]}, index=["P2", "P1"])
    pd.testing.assert_frame_equal(table, expected.rename_axis("patient_id"))


def test_an_unknown_unit_and_a_lost_column_are_named(tmp_path):
    own = settings(tmp_path)
    own["clinical"]["diameter"]["unit"] = "inch"
    _, problems = load_cohort("c", own)
    assert [p.what for p in problems] == [
        "clinical variable diameter: unit 'inch' is unknown; papers compare it with a threshold"
    ]
    assert "one of mm, cm" in problems[0].remedy
    own = settings(tmp_path, columns={**COLUMNS, "centre": "中心"})
    _, problems = load_cohort("c", own)
    assert any("has no column 中心, which `columns` names as centre" in p.what for p in problems)
    own = settings(tmp_path, date_format="%d.%m.%Y")
    _, problems = load_cohort("c", own)
    assert sum("is not a date" in p.what for p in problems) == 5
