"""Sheets as spreadsheet programs leave them: merged and hidden cells, formulas, columns twice, delimiters, headers."""

from __future__ import annotations

import csv
import datetime
import io
import zipfile

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_cohort import make_plan, patient_row, problems_of, write_cohort, write_rows

from hcc_recurrence.cohort.tables import DELIMITERS, SheetError, delimiter_of, examine_sheet, read_sheet
from hcc_recurrence.problems import InputError, Problem, Refused, check_rows, listed_alike, problems_note

HEADER = ["patient_id", "centre", "AFP"]


def workbook(path, rows, change=lambda book, sheet: None):
    """An XLSX of rows whose `change` makes it what a test is about."""
    book = openpyxl.Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    change(book, sheet)
    book.save(path)
    return path


def text_sheet(tmp_path, text):
    (tmp_path / "s.csv").write_text(text, encoding="utf-8")
    return tmp_path / "s.csv"


def test_merged_cells_are_refused_and_an_external_patient_is_never_trained_on(tmp_path):
    rows = [patient_row(k, centre="A" if k < 4 else "B") for k in range(8)]
    write_cohort(tmp_path, rows)

    def merge(book, sheet):
        sheet.merge_cells("B2:B5")
        sheet.merge_cells("B6:B9")

    file = workbook(tmp_path / "p.xlsx", [list(rows[0]), *(list(r.values()) for r in rows)], merge)
    found = problems_of(tmp_path, {"patients": str(file), "external_centres": ["B"]})
    assert [what for _, what in found] == [
        "the cells B2:B5 are merged, and only the first of them has a value",
        "the cells B6:B9 are merged, and only the first of them has a value",
    ]
    # The same sheet as CSV has empty cells.
    write_rows(
        tmp_path / "patients.csv", [{**r, "centre": r["centre"] if k % 4 == 0 else ""} for k, r in enumerate(rows)]
    )
    empty = [(f"P{k}", "column centre is empty") for k in (1, 2, 3, 5, 6, 7)]
    assert problems_of(tmp_path, {"external_centres": ["B"]}) == empty


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ("b", "one centre is written in several ways, ['B', 'b']"),
        ("Ｂ", "one centre is written in several ways, ['B', 'Ｂ']"),
        ("B ward", ""),
    ],
)
def test_one_centre_in_two_spellings_is_refused(tmp_path, other, words):
    rows = [patient_row(0), patient_row(1), patient_row(2, centre="B"), patient_row(3, centre=other)]
    write_cohort(tmp_path, rows)
    found = [what for _, what in problems_of(tmp_path, {"external_centres": ["B"]})]
    assert found == ([f"column centre: {words}"] if words else [])


def test_an_external_centre_that_no_patient_has_is_refused(tmp_path):
    write_cohort(tmp_path, [patient_row(0), patient_row(1)])
    found = problems_of(tmp_path, {"external_centres": ["Beijing"]})
    assert found == [("", "external_centres names 'Beijing', which no patient has in the column centre")]


def test_the_one_visible_sheet_is_read(tmp_path):
    def two(book, sheet):
        sheet.title, sheet.sheet_state = "old 2019", "hidden"
        new = book.create_sheet("patients")
        for row in (HEADER, ["P1", "A", 2]):
            new.append(row)
        book.create_sheet("Sheet3")
        book.active = 1

    file = workbook(tmp_path / "two.xlsx", [HEADER, ["P1", "A", 1]], two)
    assert read_sheet(file)["AFP"].tolist() == ["2"]


def test_several_visible_sheets_are_refused_by_name(tmp_path):
    def two(book, sheet):
        book.create_sheet("patients").append(HEADER)

    file = workbook(tmp_path / "two.xlsx", [HEADER, ["P1", "A", 1]], two)
    with pytest.raises(ValueError, match=r"2 visible sheets that are not empty, \['Sheet', 'patients'\]"):
        read_sheet(file)


def test_formulas_that_nobody_calculated_are_refused(tmp_path):
    file = workbook(tmp_path / "f.xlsx", [HEADER, ["P1", "A", "=100*2"], ["P2", "A", 3], ["P3", "A", "=100*4"]])
    frame, _, faults = examine_sheet(file)
    assert [what for what, _ in faults] == ["column AFP: formulas without a value in rows 2 and 4"]
    assert frame["AFP"].tolist() == ["", "3", ""]


def calculated(path, formula, value):
    """Give the one formula of a workbook a value, as a spreadsheet program does."""
    with zipfile.ZipFile(path) as old:
        files = {name: old.read(name) for name in old.namelist()}
    sheet = files["xl/worksheets/sheet1.xml"].decode()
    for empty in ("<v></v>", "<v />", "<v/>"):
        sheet = sheet.replace(
            f'<c r="C2"><f>{formula}</f>{empty}</c>', f'<c r="C2"{value[0]}><f>{formula}</f>{value[1]}</c>'
        )
    files["xl/worksheets/sheet1.xml"] = sheet.encode()
    with zipfile.ZipFile(path, "w") as new:
        for name, content in files.items():
            new.writestr(name, content)


@pytest.mark.parametrize(
    ("value", "cell"),
    [(("", "<v>200</v>"), "200"), ((' t="str"', "<v></v>"), ""), ((' t="e"', "<v>#N/A</v>"), "#N/A")],
)
def test_calculated_formulas_are_read(tmp_path, value, cell):
    """Also one whose value is the empty text, as of =IF(B2="","",B2), and one that ends in an error."""
    file = workbook(tmp_path / "f.xlsx", [HEADER, ["P1", "A", "=100*2"]])
    calculated(file, "100*2", value)
    frame, _, faults = examine_sheet(file)
    assert not faults and frame["AFP"].tolist() == [cell]


def test_hidden_rows_are_refused(tmp_path):
    def hide(book, sheet):
        for row in (3, 4, 7):
            sheet.row_dimensions[row].hidden = True

    file = workbook(tmp_path / "h.xlsx", [HEADER, *([f"P{k}", "A", k] for k in range(5))], hide)
    _, _, faults = examine_sheet(file)
    # Row 7 holds nothing.
    assert [what for what, _ in faults] == ["rows 3, 4 are hidden or filtered, and may or may not belong to the cohort"]


def test_cells_of_a_workbook_as_they_are_shown(tmp_path):
    def formats(book, sheet):
        sheet["A2"].number_format, sheet["D2"].number_format = "000", "0%"

    day, minute = datetime.datetime(2018, 1, 10), datetime.datetime(2018, 1, 10, 8, 30)
    file = workbook(tmp_path / "c.xlsx", [[*"abcdefg"], [7, 401.0, 0.1, 0.45, day, minute, True]], formats)
    shown = read_sheet(file).iloc[0].tolist()
    assert shown == ["007", "401", "0.1", "45%", "2018-01-10", "2018-01-10 08:30:00", "True"]


def test_a_workbook_under_another_name_and_no_workbook_are_refused(tmp_path):
    workbook(tmp_path / "w.xlsx", [HEADER]).rename(tmp_path / "w.csv")
    with pytest.raises(ValueError, match="workbook under another name"):
        read_sheet(tmp_path / "w.csv")
    (tmp_path / "t.xlsx").write_text("patient_id,centre\n")
    with pytest.raises(ValueError, match="no XLSX workbook"):
        read_sheet(tmp_path / "t.xlsx")


def test_a_column_that_stands_twice_is_refused(tmp_path):
    with pytest.raises(SheetError, match=r"\['AFP'\] stand twice"):
        read_sheet(text_sheet(tmp_path, "patient_id,AFP,AFP \nP1,20,900\n"))
    with pytest.raises(SheetError, match="stand twice"):
        read_sheet(workbook(tmp_path / "s.xlsx", [["patient_id", "AFP", "AFP"], ["P1", 20, 900]]))
    with pytest.raises(SheetError, match=r"\['centre'\] stand twice"):
        read_sheet(text_sheet(tmp_path, "patient_id,centre,site\nP1,A,B\n"), {"centre": "site"})


def test_a_delimiter_at_the_end_of_every_row_is_no_column(tmp_path):
    for header in ("a,b", "a,b,"):
        frame = read_sheet(text_sheet(tmp_path, f"{header}\n1,2,\n3,4,\n"))
        assert frame.to_dict("list") == {"a": ["1", "3"], "b": ["2", "4"]}


@pytest.mark.parametrize(
    ("text", "rows"),
    [("a,b\n1,2\n3,4,\n", "3"), ("a,b\n1,2\n3,18,1\n", "3"), ("a,b\n1,2,x\n3,4,\n", "2"), ("a\n1,2\n3,4\n", "2, 3")],
)
def test_rows_with_more_cells_than_the_header_are_refused(tmp_path, text, rows):
    with pytest.raises(SheetError, match=f"rows {rows} have more cells than the header"):
        read_sheet(text_sheet(tmp_path, text))


def test_a_quotation_mark_that_is_not_closed_takes_no_patients_with_it(tmp_path):
    with pytest.raises(ValueError, match="quotation marks"):
        read_sheet(text_sheet(tmp_path, 'a,b\n1,"2\n3,4\n'))
    with pytest.raises(ValueError, match="row 2 has a cell with whole rows in it"):
        read_sheet(text_sheet(tmp_path, 'a,b\n1,"2\n3,4\n5,6"\n'))


def test_empty_rows_count_in_row_numbers_and_the_programs_own_first_line_does_not_name_columns(tmp_path):
    frame, rows, _ = examine_sheet(text_sheet(tmp_path, "sep=;\na;b\n;\n1;2\n\n3;4\n"))
    assert frame.to_dict("list") == {"a": ["1", "3"], "b": ["2", "4"]} and rows == [4, 6]


@given(
    st.sampled_from(DELIMITERS),
    st.lists(st.lists(st.text("ab1 ,;|\t\"'<.", max_size=4), min_size=3, max_size=3), min_size=1, max_size=4),
)
def test_any_table_comes_back(tmp_path_factory, delimiter, rows):
    """Whatever is in the cells, quoted as the CSV module does."""
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    stream.write(delimiter.join(["one", "two", "three"]) + "\n")
    writer.writerows(rows)
    assert delimiter_of(stream.getvalue()) == delimiter
    file = tmp_path_factory.mktemp("t") / "s.csv"
    file.write_text(stream.getvalue(), newline="")
    stripped = [[cell.strip() for cell in row] for row in rows]
    assert read_sheet(file).to_numpy().tolist() == [row for row in stripped if any(row)]


@pytest.mark.parametrize("kind", ["patients", "series", "masks"])
def test_a_sheet_of_a_header_alone_is_refused_whatever_keep_going_says(tmp_path, kind):
    write_cohort(tmp_path, [patient_row(0), patient_row(1)])
    file = tmp_path / f"{kind}.csv"
    file.write_text(file.read_text().split("\n")[0] + "\n")
    assert problems_of(tmp_path, keep_going=True) == [("", "has a header and no rows")]


def test_a_cohort_of_which_nobody_is_left_is_refused(tmp_path):
    write_cohort(tmp_path, [patient_row(0, last_follow_up_date="?"), patient_row(1, resection_date="?")])
    found = problems_of(tmp_path, keep_going=True)
    assert found[0] == ("", "no patient is left: all have a problem or no label") and len(found) == 3


def test_a_problem_hides_no_other(tmp_path):
    """A duplicate, a mistyped name, an unknown column, bad cells, and a patient's broken image and mask."""
    rows = [patient_row(k) for k in range(4)]
    write_cohort(tmp_path, rows)
    (tmp_path / "P1.nii.gz").write_bytes(b"no image")
    (tmp_path / "P2_mask.nii.gz").unlink()
    rows[2]["last_follow_up_date"] = "soon"
    rows[3]["AFP"] = "high"
    write_rows(tmp_path / "patients.csv", [*rows, rows[0], {**rows[0], "patient_id": "P 5"}])
    masks = (tmp_path / "masks.csv").read_text().splitlines()
    (tmp_path / "masks.csv").write_text("\n".join([masks[0] + ",lable", *(row + "," for row in masks[1:])]))
    found = problems_of(tmp_path)
    words = [f"{patient}: {what}" for patient, what in found]
    for expected in (
        "P0: row 6: patient_id stands twice",
        ": row 7: patient_id 'P 5' is not a usable name",
        ": has the unknown column 'lable'",
        "P2: column last_follow_up_date: 'soon' is not a date",
        "P3: column AFP: 'high' is not a number",
        "P2: does not exist",
    ):
        assert expected in words, words
    assert any(patient == "P1" and "row" not in what for patient, what in found), words
    assert len(found) == 7


def test_images_are_checked_also_without_a_readable_patients_sheet(tmp_path):
    write_cohort(tmp_path, [patient_row(0), patient_row(1)])
    (tmp_path / "P1_mask.nii.gz").unlink()
    found = problems_of(tmp_path, {"patients": str(tmp_path / "lost.csv")})
    assert found == [("", "does not exist"), ("P1", "does not exist")]


def test_messages_name_the_sheets_own_columns(tmp_path):
    rows = [patient_row(0), patient_row(1, last_follow_up_date="soon", centre="")]
    write_cohort(tmp_path, rows)
    own = {"centre": "医院", "last_follow_up_date": "末次随访"}
    names = {name: own.get(name, name) for name in rows[0]}
    write_rows(tmp_path / "patients.csv", [{names[c]: cell for c, cell in row.items()} for row in rows])
    found = problems_of(tmp_path, {"columns": own})
    assert found == [("P1", "column 医院 is empty"), ("P1", "column 末次随访: 'soon' is not a date")]
    found = problems_of(tmp_path, {"columns": {**own, "afp_before": "AFP"}})
    assert ("", "the column 'AFP' of the clinical variable afp is renamed by `columns`") in found
    found = problems_of(tmp_path, {"columns": {**own, "resection_date": "手术日期"}})
    assert ("", "has no column 手术日期, which `columns` names as resection_date") in found


def remedies(folder, cohort=None):
    """What to do about each problem, by patient."""
    with pytest.raises(InputError) as error:
        make_plan(folder, cohort)
    return [(p.patient, p.remedy) for p in error.value.problems]


@pytest.mark.parametrize(
    ("form", "named"),
    [
        ("{d}.{m}.{y}", 'all dates fit "%d.%m.%Y": write it as date_format into cohorts.c of the config'),
        # A day above 12 tells which of two it is.
        ("{m}/{d}/{y}", 'all dates fit "%m/%d/%Y": write it as date_format into cohorts.c of the config'),
        (
            "{m}/10/{y}",
            'dates fit "%d/%m/%Y" or "%m/%d/%Y", and you know which: write it as date_format into cohorts.c',
        ),
    ],
)
def test_dates_in_one_form_are_told_what_to_write_into_the_config(form, named, tmp_path):
    rows = [patient_row(0, resection_date="2018-01-13"), patient_row(1, resection_date="2018-02-20")]
    write_cohort(tmp_path, rows)
    columns = [c for c in rows[0] if c.endswith("_date")]
    for row in rows:
        for column in columns:
            year, month, day = row[column].split("-") if row[column] else ("", "", "")
            row[column] = form.format(y=year, m=month, d=day) if year else ""
    write_rows(tmp_path / "patients.csv", rows)
    found = remedies(tmp_path)
    assert found and all(remedy.startswith(named) for _, remedy in found), found


def test_a_path_or_phase_that_is_nearly_right_is_told_what_it_may_be(tmp_path):
    write_cohort(tmp_path, [patient_row(0), patient_row(1)])
    sheet = tmp_path / "series.csv"
    good = sheet.read_text()
    sheet.write_text(good.replace("portal", "venous", 1))
    phases = "use one of precontrast, arterial, portal, delayed, hepatobiliary; is it portal?"
    assert ("P0", phases) in remedies(tmp_path)
    assert ("P0", phases.split(";")[0]) in (sheet.write_text(good.replace("portal", "third", 1)), remedies(tmp_path))[1]
    sheet.write_text(good)
    masks = tmp_path / "masks.csv"
    masks.write_text(masks.read_text().replace("P0_mask.nii.gz", "P0_msk.nii.gz"))
    near = {remedy for patient, remedy in remedies(tmp_path) if patient == "P0"}
    assert near == {"correct the path in the masks sheet; is it P0_mask.nii.gz?"}
    lost = remedies(tmp_path, {"data_root": str(tmp_path / "gone")})
    assert {remedy for _, remedy in lost} == {
        f"correct the path in the {kind} sheet, or data_root in the config: there is no folder gone"
        for kind in ("series", "masks")
    }


def test_a_sheet_saved_in_another_kind_of_file_and_a_sheet_without_centre_are_told_what_to_do(tmp_path):
    rows = [patient_row(0), patient_row(1)]
    write_cohort(tmp_path, rows)
    (tmp_path / "patients.csv").rename(tmp_path / "patients.xlsx")
    named = {"patients": str(tmp_path / "patients.csv")}
    assert ("", "correct cohorts.c.patients; is it patients.xlsx?") in remedies(tmp_path, named)
    write_rows(tmp_path / "patients.csv", [{k: v for k, v in row.items() if k != "centre"} for row in rows])
    assert ("", "add it; with patients of one centre, write the same word in each row") in remedies(tmp_path)
    write_rows(tmp_path / "patients.csv", [{k.replace("patient_id", "MRN"): v for k, v in row.items()} for row in rows])
    assert any("say in the config which one it is: `columns: {patient_id: YOURS}`" in r for _, r in remedies(tmp_path))
    assert problems_of(tmp_path, {"patients": str(tmp_path)}) == [("", "is a folder and no sheet")]


def test_problems_of_one_kind_are_one_line_on_the_screen_and_every_patient_in_the_table():
    """Of dates with the day first there is one for each date of each patient."""
    dates = [Problem("c", f"P{k}", "p.csv", f"column d: '1{k}.01.2018' is not a date", "write") for k in range(12)]
    lost = [Problem("c", f"P{k}", f"portal series Müller {k}/PV", "does not exist", "correct it") for k in range(3)]
    whole = [Problem("c", "", "p.csv", f"column {k} is lost", "add it") for k in range(2)]
    lines = listed_alike([*whole, *dates, *lost])
    assert lines[:2] == [f"  {k + 1}. cohort c, p.csv: column {k} is lost. What to do: add it." for k in range(2)]
    assert lines[2:] == [
        "  3. cohort c, patient P0, p.csv: column d: '10.01.2018' is not a date. What to do: write. "
        "The same in 11 more patients: P1, P2, P3, P4, P5, P6, P7, P8, P9, P10, ...",
        "  4. cohort c, patient P0, portal series Müller 0/PV: does not exist. What to do: correct it. "
        "The same in 2 more patients: P1, P2",
    ]
    assert listed_alike([*whole, *dates, *lost], 3)[-1] == "  and 1 more"
    # A few are told one by one.
    assert len(listed_alike(lost)) == 3 and "The same" not in "".join(listed_alike(lost))
    assert InputError(dates).problems == sorted(dates) and str(InputError(dates)).count("\n") == 1
    # A table of all of them, refused by the job that checks it.
    table = pd.DataFrame([vars(p) for p in [*whole, *dates, *lost]])
    with pytest.raises(Refused) as refused:
        check_rows(table, False, "results/preflight/problems.csv")
    # Those of the whole cohort are left out with no patient.
    assert refused.value.remedy == "fix them"
    with pytest.raises(Refused, match="fix it, or leave those patients out with keep_going: true"):
        check_rows(table.iloc[2:3], False, "problems.csv")
    assert refused.value.what.splitlines() == ["17 problems in the input", *lines, refused.value.what.splitlines()[-1]]


@pytest.mark.parametrize(
    ("counts", "note"),
    [
        ((0, 0, False), "Nothing is wrong with the config, the sheets, the images and the masks."),
        ((1, 0, False), "1 problem. Nothing is run until it is fixed."),
        ((3, 1, False), "3 problems; 1 patient has some. Nothing is run until they are fixed."),
        ((3, 2, True), "3 problems of 2 patients, who are left out (keep_going: true)."),
        ((1, 1, True), "1 problem of 1 patient, who is left out (keep_going: true)."),
    ],
)
def test_what_stands_above_the_table_of_problems(counts, note):
    assert problems_note(*counts) == note


def test_zeros_that_a_spreadsheet_program_dropped_are_named(tmp_path):
    rows = [patient_row(0, patient_id="007"), patient_row(1)]
    write_cohort(tmp_path, rows)
    write_rows(tmp_path / "patients.csv", [{**rows[0], "patient_id": "7"}, rows[1]])
    assert ("007", "row 2: patient is not in the patients sheet") in problems_of(tmp_path)


def test_a_patient_who_stands_twice_is_left_out_once(tmp_path):
    rows = [patient_row(k) for k in range(3)]
    write_cohort(tmp_path, rows)
    write_rows(tmp_path / "patients.csv", [*rows, rows[2]])
    plan = make_plan(tmp_path, keep_going=True)
    assert plan.patients("c") == ["P0", "P1"] and plan.excluded["c"] == {"P2": "row 5: patient_id stands twice"}


def test_western_and_chinese_exports_are_told_apart(tmp_path):
    """What spreadsheet programs of western Europe export is Windows-1252, which GB18030 mostly decodes as well."""
    for encoding, words in (
        ("cp1252", ["Zürich", "perché", "Männer", "Größe"]),
        ("utf-8", ["Zürich", "perché", "Größe", "甲"]),
        ("gb18030", ["中心", "甲胎蛋白", "男", "女"]),
        ("gb18030", ["AFP (µg/L)", "B", "C", "D"]),
    ):
        rows = "".join(f"P{k},{word}\r\n" for k, word in enumerate(words))
        (tmp_path / "p.csv").write_bytes(f"patient_id,centre\r\n{rows}".encode(encoding))
        assert list(read_sheet(tmp_path / "p.csv")["centre"]) == words


def test_blank_cells_that_are_merged_hide_nothing(tmp_path):
    file = workbook(tmp_path / "p.xlsx", [["patient_id", "centre"], ["P1", "A"]])
    book = openpyxl.load_workbook(file)
    book.active.merge_cells("D5:F5")
    book.save(file)
    frame, _, faults = examine_sheet(file)
    assert faults == [] and frame.to_numpy().tolist() == [["P1", "A"]]


def test_cells_beside_the_columns_of_a_workbook_are_named_without_talk_of_delimiters(tmp_path):
    rows = [["patient_id", "centre"], ["P1", "A"], ["P2", "A", "", "a remark"]]
    ((what, remedy),) = examine_sheet(workbook(tmp_path / "p.xlsx", rows))[2]
    assert what == "rows 3 have more cells than the header"
    assert remedy == "give their columns names in the header, or remove these cells"


def test_a_title_above_the_names_of_columns_is_named(tmp_path):
    rows = [["HCC, 2015 to 2020"], [], ["patient_id", "centre"], ["P1", "A"]]
    with pytest.raises(SheetError) as error:
        read_sheet(workbook(tmp_path / "p.xlsx", rows))
    what, remedy = error.value.faults[-1]
    assert what == "its first row is 1, and the column names stand in row 3" and "title" in remedy
    (tmp_path / "p.csv").write_text("Report;\nMRN;centre\n1;A\n")
    assert any("stand in row 2" in what for what, _ in examine_sheet(tmp_path / "p.csv", {"patient_id": "MRN"})[2])
