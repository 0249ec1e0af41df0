"""What of a patient lies outside of the training patients, in words."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from hcc_recurrence.exported.distribution import category_item, numeric_item
from hcc_recurrence.exported.outside import INSIDE, MISSING, OUTSIDE, compared, features_row, table_of
from hcc_recurrence.exported.patients import OUTLINE, Measured, mask_file, rows_of_patient
from hcc_recurrence.exported.phase_evidence import air_level, liver_level, phase_rows

# 0 to 100 in steps of one: quantiles that anybody can tell.
EVEN = [float(n) for n in range(101)]


def number(value, item="diameter", group="clinical", values=EVEN, unit="mm"):
    return compared(numeric_item(item, group, values, unit), value)


@pytest.mark.parametrize(("value", "verdict"), [(2.5, INSIDE), (97.5, INSIDE), (1.0, OUTSIDE), (99.0, OUTSIDE)])
def test_a_number_is_inside_between_the_outer_quantiles(value, verdict):
    row = number(value)
    assert (row.verdict, row.low, row.high, row.unit) == (verdict, 2.5, 97.5, "mm")
    assert (row.words == "") == (verdict == INSIDE)


def test_a_missing_number_is_called_missing_and_what_stands_in_for_it_is_said():
    row = number(math.nan)
    assert row.verdict == MISSING and "the median of the training patients" in row.words
    assert number(None, "arterial__kvp", "acquisition").words == "unknown: no header says it"
    # What no training patient's header says either is no news.
    assert number(None, "arterial__kvp", "acquisition", [None] * 9).verdict == INSIDE


def test_another_slice_thickness_is_flagged_and_a_header_that_was_rounded_is_not():
    fixed = [4.0] * 30
    own = {"item": "portal__thickness_mm", "group": "acquisition", "values": fixed}
    assert number(4.001, **own).verdict == INSIDE
    row = number(1.25, **own)
    assert row.verdict == OUTSIDE and row.words == "below 95 % of the training patients (4 to 4 mm)"


@pytest.mark.parametrize(("item", "group"), [("portal__spacing_mm", "acquisition"), ("diameter", "clinical")])
def test_cm_in_place_of_mm_is_out_of_all_proportion(item, group):
    values = [20.0 + n / 10 for n in range(40)]
    assert "are these cm in place of mm" in number(2.2, item, group, values).words
    assert "are these cm in place of mm" in number(220.0, item, group, values).words
    assert "cm" not in number(12.0, item, group, values).words
    # A feature has no unit that could be mistaken.
    assert "cm" not in number(2.2, "portal__firstorder_Mean", "features", values, "").words


def test_a_scanner_that_few_training_patients_have_is_outside():
    known = category_item("portal__scanner", "acquisition", ["A"] * 20 + ["B"] * 6 + ["C"] * 5)
    assert compared(known, "B").verdict == INSIDE
    row = compared(known, "D")
    assert row.verdict == OUTSIDE and "they have A, B, C" in row.words


def test_features_outside_are_counted_and_the_farthest_are_named_first():
    rows = [number(50.0, f"a__f{n}", "features") for n in range(40)]
    assert features_row(rows).verdict == INSIDE and features_row(rows).value == 0
    far = [number(100.0 + n, f"a__far{n}", "features") for n in range(12)]
    row = features_row(rows + far)
    assert row.verdict == OUTSIDE and row.value == 12
    names = row.words.split("farthest: ")[1].split(", ")
    assert names[0] == "a__far11" and len(names) == 10 and "12 of 52 features" in row.words


def test_of_few_features_chance_alone_flags_nobody():
    # R: qbinom(0.99, 12, 0.05) is 3.
    rows = [number(99.0 if n < 3 else 50.0, f"a__f{n}", "features") for n in range(12)]
    assert features_row(rows).verdict == INSIDE
    assert features_row([*rows[:2], number(99.0, "a__g", "features"), *rows[2:]]).verdict == OUTSIDE
    assert features_row([number(5.0)]) is None


BOTH = {"arterial": "arterial", "portal": "portal"}


def words_of(rows):
    return {row.item: (row.verdict, row.words) for row in rows}


def test_swapped_phases_are_told_by_delays_and_by_the_liver():
    right = words_of(phase_rows(BOTH, {"arterial": 35, "portal": 70}, {"arterial": 60, "portal": 105}, {}, "CT"))
    assert right == {"arterial before portal": (INSIDE, "")}
    swapped = words_of(phase_rows(BOTH, {"arterial": 70, "portal": 35}, {"arterial": 105, "portal": 60}, {}, "CT"))
    verdict, words = swapped["arterial before portal"]
    assert verdict == OUTSIDE and words.startswith("the phases may be swapped")
    assert "arterial was taken 70 s and portal 35 s" in words and "arterial has 105 HU and portal 60 HU" in words
    assert "70 s after the injection, as of the portal phase" in swapped["arterial__phase"][1]
    # Headers without times: the liver of a CT alone tells, and of MR nothing does.
    verdict, words = words_of(phase_rows(BOTH, {}, {"arterial": 105, "portal": 60}, {}, "CT"))["arterial before portal"]
    assert verdict == OUTSIDE and "HU" in words
    assert words_of(phase_rows(BOTH, {}, {}, {}, "MR"))["arterial before portal"][0] == MISSING


def test_a_phase_in_place_of_another_and_air_that_is_none_are_said():
    rows = words_of(phase_rows({"arterial": "portal"}, {}, {}, {"portal": 0.0}, "CT"))
    assert "images of the portal phase in place of those of the arterial phase" in rows["arterial__phase"][1]
    assert rows["portal__air_hu"][0] == OUTSIDE and "a lost offset" in rows["portal__air_hu"][1]


def test_a_ct_in_place_of_an_mr_is_said():
    """Files without headers do not say what they are; an MR ends at 0."""
    assert phase_rows({"portal": "portal"}, {}, {}, {"portal": 0.0}, "MR") == []
    (row,) = phase_rows({"portal": "portal"}, {}, {}, {"portal": -1003.0}, "MR")
    assert row.verdict == OUTSIDE and row.words.endswith("where air is in a CT: a CT in place of an MR?")


def test_air_and_liver_are_measured_where_they_are():
    image = np.full((10, 40, 40), -1000.0)
    image[:, 5:35, 5:35] = 100.0
    mask = np.zeros(image.shape, np.uint8)
    mask[4:6, 18:22, 18:22] = 1
    image[mask == 1] = 40.0
    assert air_level(image) == -1000.0
    # The shell lies 4 to 14 mm from the tumour, in voxels of 5 x 1 x 1 mm all in the organ.
    assert liver_level(image, mask, (5.0, 1.0, 1.0)) == 100.0
    assert math.isnan(liver_level(image, mask * 0, (5.0, 1.0, 1.0)))


def test_the_table_has_a_line_an_item_and_patient():
    table = table_of({"P1": [number(5.0)], "P2": [number(1.0), number(math.nan)]})
    assert list(table["patient_id"]) == ["P1", "P2", "P2"]
    assert list(table["verdict"]) == [INSIDE, OUTSIDE, MISSING]


@pytest.mark.parametrize(
    ("settings", "trained", "reader", "verdict"),
    [
        ({"radiomics": "r"}, "manual", "unet", OUTSIDE),
        ({"radiomics": "r"}, "unet", "unet", INSIDE),
        ({"radiomics": "r"}, "manual", "R1", None),
        # What the segmentation network's own features are made of is no outline.
        ({"unet": "u"}, "manual", "unet", None),
    ],
)
def test_an_outline_by_a_network_is_said_where_the_model_learned_from_those_of_persons(
    settings, trained, reader, verdict
):
    config = {"settings": settings, "masks": {"source": trained}}
    about = {"config": config, "reads": {"features": ["portal__f"], "clinical": []}}
    bundle = SimpleNamespace(about=about, distribution={"inputs": []})
    measured = Measured({"portal": "portal"}, {"portal": reader}, pd.DataFrame(), "MR")
    tumours = pd.DataFrame(columns=["phase", "reader", "volume_ml"])
    rows = rows_of_patient(bundle, measured, pd.Series(dtype=float), pd.Series(dtype=float), tumours)
    assert [row.verdict for row in rows if row.item == OUTLINE] == ([verdict] if verdict else [])
    assert verdict != OUTSIDE or any("drawn by a segmentation network in portal" in row.words for row in rows)


def test_the_mask_of_a_network_lies_in_a_folder_of_its_own(tmp_path):
    manual, drawn = tmp_path / "manual", tmp_path / "drawn"
    for file in (manual / "portal.R1.nii.gz", drawn / "portal.unet.nii.gz"):
        file.parent.mkdir()
        file.touch()
    assert mask_file([manual, drawn], "portal", "unet") == drawn / "portal.unet.nii.gz"
    assert mask_file([manual, drawn], "portal", "R1") == manual / "portal.R1.nii.gz"
    assert mask_file([manual, drawn], "arterial", "R1") is None
