"""Figures for print: text stays text, sizes are those of journals, no dates, and the numbers beside the drawing."""

from __future__ import annotations

import io
import itertools
import re
import zlib
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from figure_checks import unreadable
from fontTools.ttLib import TTFont
from PIL import Image

from hcc_recurrence.figures.classification import panel_title
from hcc_recurrence.figures.html import of_numbers, table_html
from hcc_recurrence.figures.marks import SIMULATED
from hcc_recurrence.figures.numbers import figure_numbers
from hcc_recurrence.figures.style import (
    COLUMN_INCHES,
    PAGE_INCHES,
    model_colours,
    save_figure,
    take_title,
    use_style,
    width_of,
    write_below,
)
from hcc_recurrence.files import read_csv

ROOT = Path(__file__).parents[2]
PRINT = {"dpi": 300, "titles": False, "simulated": False}


def drawn():
    """Two panels: a curve with a band, and a row a model."""
    use_style()
    figure, (left, right) = plt.subplots(1, 2, figsize=(width_of(2), 2.0))
    left.plot([0, 0.25, 1], [0, 0.5, 1], label="CR 0.71")
    left.axhline(0.3)
    left.set(title="Validation", xlabel="1 - specificity", ylabel="Sensitivity")
    right.plot([0.6, 0.8], [1, 1])
    right.bar([0, 1], [2.0, 3.5], label="patients")
    right.set(title="External", xlabel="AUC", ylabel="Model")
    right.set_yticks([0, 1], ["CR", "RCR"])
    figure.suptitle("Protocol: strict.\nMean of 3 repeats.")
    return figure


@pytest.fixture
def files(tmp_path):
    return [str(tmp_path / f"roc.{kind}") for kind in ("png", "pdf", "svg", "numbers.csv")]


def test_one_call_writes_every_format_with_the_same_bytes_each_time(files, tmp_path):
    save_figure(drawn(), files, PRINT)
    first = {file: Path(file).read_bytes() for file in files}
    save_figure(drawn(), files, PRINT)
    assert first == {file: Path(file).read_bytes() for file in files}
    with Image.open(files[0]) as picture:
        assert picture.info["Title"] == "Protocol: strict. Mean of 3 repeats."
        assert picture.size[0] == pytest.approx(180 / 25.4 * 300, abs=1)
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    with pytest.raises(ValueError, match="tiff"):
        save_figure(drawn(), str(tmp_path / "roc.tiff"), PRINT)


def test_figures_of_simulated_patients_say_so_in_every_file(files):
    """In the drawing, in the metadata and among the numbers, beside what else must be said; never of real patients."""
    words = "Simulated patients, not for publication."
    for simulated in (True, False):
        save_figure(drawn(), files, {**PRINT, "simulated": simulated}, "Random weights.")
        with Image.open(files[0]) as picture:
            assert (words in picture.info["Description"]) is simulated
        svg = Path(files[2]).read_text()
        below = svg[svg.index("</metadata>") :]
        assert (f">{words}</text>" in below) is simulated and ">Random weights.</text>" in below
        streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", Path(files[1]).read_bytes(), re.S)
        assert (words.encode() in Path(files[1]).read_bytes()) is simulated and streams
        notes = read_csv(files[3]).query("kind == 'note'")["text"].tolist()
        assert notes == [words, "Random weights."][not simulated :]


def test_no_figure_is_written_without_knowing_whether_its_patients_are_simulated(files):
    with pytest.raises(KeyError, match="simulated"):
        save_figure(drawn(), files, {"dpi": 300, "titles": False})
    assert not Path(files[0]).exists()


def test_what_stands_below_a_figure_is_seen_and_touches_nothing():
    figure = drawn()
    write_below(figure, [SIMULATED, "Random weights: networks have learned hardly anything. " * 4])
    assert unreadable(figure) == []
    assert SIMULATED in [text.get_text().splitlines()[0] for text in figure.texts]
    plt.close(figure)


def test_every_rule_that_draws_asks_whether_its_patients_are_simulated():
    """Each gives `figure_settings`, which knows; none hands the config's own settings on."""
    rules = "\n".join(file.read_text() for file in (ROOT / "workflow" / "rules").rglob("*.smk"))
    assert set(re.findall(r"\bfigures=([^,\n]+),", rules)) == {"figure_settings"}


def test_text_can_be_edited_in_svg_and_pdf(files):
    save_figure(drawn(), files, PRINT)
    svg = Path(files[2]).read_text()
    assert re.search(r"<text [^>]*>Sensitivity</text>", svg) and re.search(r"<text [^>]*>RCR</text>", svg)
    assert "<dc:date>" not in svg
    pdf = Path(files[1]).read_bytes()
    # TrueType fonts and no outlines (Type 3), as journals ask for; and no date.
    assert b"/Type0" in pdf and b"/CIDFontType2" in pdf and b"/Type3" not in pdf and b"CreationDate" not in pdf


def test_fonts_in_a_pdf_have_no_tables_of_a_text_editor(files):
    """They were a sixth of a figure's time; what draws a letter is there."""
    save_figure(drawn(), files, PRINT)
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", Path(files[1]).read_bytes(), re.DOTALL)
    opened = [zlib.decompressobj().decompress(stream) for stream in streams if stream[:1] == b"\x78"]
    fonts = [TTFont(io.BytesIO(data)) for data in opened if data[:4] == b"\x00\x01\x00\x00"]
    assert fonts
    for font in fonts:
        assert {"glyf", "loca", "head", "hmtx", "maxp"} <= set(font.keys())
        assert not {"GPOS", "GSUB", "GDEF", "MATH"} & set(font.keys())


def test_a_title_stands_in_the_figure_only_where_it_is_asked_for(files):
    for titles in (False, True):
        save_figure(drawn(), files, {"dpi": 100, "titles": titles, "simulated": False})
        svg = Path(files[2]).read_text()
        assert ("Mean of 3 repeats" in svg[svg.index("</metadata>") :]) is titles
        # The titles of the panels tell them apart.
        assert ">Validation</text>" in svg and ">External</text>" in svg
    alone, axis = plt.subplots()
    axis.set_title("demo cohort", loc="left")
    save_figure(alone, files, PRINT)
    svg = Path(files[2]).read_text()
    assert "demo cohort" in svg[: svg.index("</metadata>")] and "demo cohort" not in svg[svg.index("</metadata>") :]


def test_the_titles_of_a_figure_and_of_its_one_panel_are_two_phrases():
    figure, axis = plt.subplots()
    figure.suptitle("Cohort one")
    axis.set_title("Logistic, univariable")
    assert take_title(figure, keep=True) == "Cohort one; Logistic, univariable"
    figure.suptitle("Protocol: strict.")
    assert take_title(figure, keep=True) == "Protocol: strict. Logistic, univariable"


def test_a_figure_without_its_title_leaves_no_gap_for_it(tmp_path):
    tops = {}
    for titles in (False, True):
        figure = drawn()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(plt, "close", lambda figure: None)
            save_figure(figure, str(tmp_path / "a.png"), {"dpi": 100, "titles": titles, "simulated": False})
        tops[titles] = figure.axes[0].title.get_window_extent().y1 / figure.bbox.y1
    assert tops[False] > 0.97 > tops[True]


def test_the_numbers_are_those_that_were_drawn(files):
    save_figure(drawn(), files, PRINT)
    table = read_csv(files[3]).fillna("")
    curve = table[table["name"] == "CR 0.71"]
    assert curve["x"].tolist() == [0, 0.25, 1] and curve["y"].tolist() == [0, 0.5, 1]
    assert set(curve["panel"]) == {"Validation"} and set(curve["x_axis"]) == {"1 - specificity"}
    bars = table[table["kind"] == "bar"]
    assert bars["y"].tolist() == [2.0, 3.5] and set(bars["name"]) == {"patients"}
    interval = table[(table["panel"] == "External") & (table["kind"] == "line")]
    assert interval["x"].tolist() == [0.6, 0.8] and set(interval["y_label"]) == {"RCR"}
    # The line of reference is no data.
    assert len(table) == 3 + 2 + 2


def test_a_comparison_shows_the_names_of_papers_and_its_numbers_keep_the_keys_of_the_tables(files):
    """`cui2022:NSS` is for programs; 12:30 and 2018: are no paper."""
    figure = drawn()
    left, right = figure.axes
    left.plot([0, 1], [0, 0.2], label="cui2022:NSS 0.62")
    left.legend()
    left.set_title("yan2023:DL-nomogram at 12:30")
    right.set_yticks([0, 1], ["BCLC", "zhao2024:RCR"])
    figure.suptitle("Of cui2022:NSS")
    save_figure(figure, files, PRINT)
    # The title stands in the files' metadata.
    assert all(b"Of Cui 2022 NSS" in Path(file).read_bytes() for file in files[:3])
    svg = re.sub(r"<!--.*?-->", "", Path(files[2]).read_text(), flags=re.S)
    for words in ("Cui 2022 NSS 0.62", "Yan 2023 DL-nomogram at 12:30", "Zhao 2024 RCR", "BCLC"):
        assert words in svg
    assert "cui2022:" not in svg and "zhao2024:" not in svg
    numbers = read_csv(files[3])
    assert "cui2022:NSS 0.62" in set(numbers["name"]) and "zhao2024:RCR" in set(numbers["y_label"])
    table = table_html(pd.DataFrame({"model": ["cui2022:NSS", "2018:3"], "against": ["BCLC", "zhang2025:DL_2.5D"]}))
    assert "<td>Cui 2022 NSS</td>" in table and "<td>Zhang 2025 DL_2.5D</td>" in table and "<td>2018:3</td>" in table


def test_numbers_of_heat_maps_bands_and_boxes():
    figure, (left, right) = plt.subplots(1, 2)
    left.imshow(np.array([[0.25, 1.0], [0.5, np.nan]]))
    left.set_xticks([0, 1], ["CR", "RCR"])
    left.set_yticks([0, 1], ["DL", "SS"])
    right.fill_between([0, 1], [0.1, 0.2], [0.3, 0.4])
    right.errorbar([0.5], [0.6], yerr=[[0.1], [0.2]], fmt="o")
    right.text(0.5, 0.5, "Used\nn = 61")
    table = figure_numbers(figure)
    cells = table[table["kind"] == "cell"].set_index(["y_label", "x_label"])["text"]
    assert cells[("DL", "RCR")] == "1" and cells[("SS", "CR")] == "0.5" and cells[("SS", "RCR")] == "nan"
    band = table[table["kind"] == "band"]
    assert {(x, round(y, 9)) for x, y in zip(band["x"], band["y"], strict=True)} >= {(0, 0.1), (0, 0.3), (1, 0.4)}
    assert table.loc[table["kind"] == "interval", "y"].round(9).tolist() == [0.5, 0.8]
    assert table.loc[table["kind"] == "text", "text"].tolist() == ["Used n = 61"]
    plt.close("all")


def test_sizes_are_those_of_one_and_two_columns():
    assert pytest.approx(85) == COLUMN_INCHES * 25.4 and pytest.approx(180) == PAGE_INCHES * 25.4
    assert [width_of(n) for n in (1, 2, 3)] == [COLUMN_INCHES, PAGE_INCHES, PAGE_INCHES]


def test_the_models_of_a_paper_have_colours_far_apart():
    for models in (
        ["AP", "PVP", "HBP", "mp-MR", "Clinical-nomogram", "DL-nomogram"],
        ["CR", "Radiomics", "RCR", "DL", "DLRCR"],
        ["Clinical", "DL_2.5D", "DL_3D", "Combined"],
    ):
        colours = [np.array([int(c[i : i + 2], 16) for i in (1, 3, 5)]) for c in model_colours(models).values()]
        assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(colours, 2)) > 60, models


def test_a_long_title_of_a_panel_has_two_lines():
    assert panel_title("CR", "Validation (n = 16, 9 ER)", 2) == "CR. Validation (n = 16, 9 ER)"
    long = panel_title("Clinical-nomogram", "Training, out of fold (n = 61, 35 ER)", 2)
    assert long.splitlines() == ["Clinical-nomogram.", "Training, out of fold (n = 61, 35 ER)"]
    assert panel_title("CR", "Validation (n = 16, 9 ER)", 4).splitlines() == ["CR.", "Validation", "(n = 16, 9 ER)"]


def test_words_stand_at_the_left_and_numbers_at_the_right():
    frame = pd.DataFrame(
        {
            "model": ["CR", "RCR"],
            "AUC": ["0.713 (0.601-0.825)", "-"],
            "p": ["< 0.001", "0.03"],
            "x": [1.5, np.nan],
            "n": [3, 4],
        }
    )
    text = table_html(frame)
    head = re.findall(r'<th scope="col"( class="number")?>(.*?)</th>', text)
    assert [bool(kind) for kind, _ in head] == [False, True, True, True, True]
    assert (
        "<td>CR</td>" in text and '<td class="number">1.5</td>' in text and '<td class="number">&lt; 0.001</td>' in text
    )
    assert '<td class="number"></td>' in text
    # A remark among numbers leaves them at the right; lists of names and numbers are words.
    assert of_numbers(["0.7 (0.6-0.8)", "one score for everyone in 2 of 3 fits", "0.5"])
    assert not of_numbers(["1.605e15", ".733", "accuracy .803, sensitivity .903, specificity .714"])


def test_the_pdf_holds_the_words(files):
    save_figure(drawn(), files, PRINT)
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", Path(files[1]).read_bytes(), re.S)
    # Text operators, not filled outlines of letters.
    assert any(b"Tj" in _inflated(part) or b"TJ" in _inflated(part) for part in streams)


def _inflated(part: bytes) -> bytes:
    try:
        return zlib.decompress(part)
    except zlib.error:
        return b""
