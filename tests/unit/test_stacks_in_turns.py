"""Two phases that look like one even stack: half a step apart, one above the other, of two frames of reference."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from exports import describe, make_series, save_enhanced, voxels

from hcc_recurrence.cohort.dicom_headers import file_facts
from hcc_recurrence.cohort.dicom_series import SeriesError, select_slices
from hcc_recurrence.cohort.stack_parts import Slice, one_above_the_other, times_in_turns

NUMBER, STEP = 8, 3.0
IS_3D = {"MRAcquisitionType": lambda phase, k: "3D"}


def series(apart=0.0, modality="MR", **tags):
    """Slices of two phases; the second `apart` mm further on. tags: functions of the phase (0, 1) and the slice."""
    found = []
    for phase in (0, 1):
        for k in range(NUMBER):
            header = {"Modality": modality, "Rows": 4, "Columns": 4, "PixelSpacing": [1.0, 1.0], "Kind": ""}
            header |= {"ImageOrientationPatient": [1.0, 0, 0, 0, 1, 0], "RescaleSlope": 1.0, "RescaleIntercept": 0.0}
            header |= {"ImagePositionPatient": [0.0, 0.0, STEP * k + apart * phase], "AcquisitionNumber": 1}
            header |= {"InstanceNumber": NUMBER * phase + k + 1, "AcquisitionTime": "100000"}
            header |= {name: value(phase, k) for name, value in tags.items()}
            header = {name: value for name, value in header.items() if value is not None}
            found.append(Slice(Path(f"{phase}.{k}"), f"{phase}.{k}", -1, header))
    return found


TOLD = {
    "temporal position": ("MR", {"TemporalPositionIdentifier": lambda phase, k: phase + 1}),
    "trigger time": ("MR", {"TriggerTime": lambda phase, k: 900.0 * phase}),
    "one time each": ("CT", {"AcquisitionTime": lambda phase, k: f"10{phase}000"}),
    "a time a slice": ("CT", {"AcquisitionTime": lambda phase, k: f"10{phase}0{k:02d}"}),
    "downwards": ("CT", {"AcquisitionTime": lambda phase, k: f"10{phase}0{40 - k:02d}"}),
    "3D, one time each": ("MR", {**IS_3D, "AcquisitionTime": lambda phase, k: f"10{phase}000.25"}),
    "3D, to midnight and after": ("MR", {**IS_3D, "AcquisitionTime": lambda phase, k: ("235950", "000020")[phase]}),
    "3D, with the day": (
        "MR",
        {**IS_3D, "AcquisitionTime": lambda phase, k: ("20200131230000", "20200201000000")[phase]},
    ),
    "3D, no other time": (
        "MR",
        {**IS_3D, "AcquisitionTime": lambda phase, k: None, "ContentTime": lambda phase, k: f"10000{4 * phase}"},
    ),
    "acquisition number": ("MR", {"AcquisitionNumber": lambda phase, k: phase + 1}),
}


@pytest.mark.parametrize("how", TOLD)
def test_phases_half_a_step_apart_are_two_parts_and_never_one_stack(how):
    modality, tags = TOLD[how]
    slices = series(STEP / 2, modality, **tags)
    with pytest.raises(SeriesError, match="holds 2 stacks") as error:
        select_slices(slices)
    assert "or all, if they are one stack of 16 slices" in error.value.remedy
    name = "acquisition" if how.startswith("acquisition") else "time"
    for phase in (0, 1):
        found = select_slices(slices, f"{name} {phase + 1}")
        assert [one.hash for one in found] == [f"{phase}.{k}" for k in range(NUMBER)]
    assert [one.hash for one in select_slices(slices, "all")][:3] == ["0.0", "1.0", "0.1"]


def test_phases_that_their_flip_angle_or_nothing_but_their_numbers_tell_are_refused():
    flips = series(STEP / 2, Kind=lambda phase, k: f"echo 2 ms||||||||flip angle {10 * phase + 10}|3 mm thick")
    with pytest.raises(SeriesError, match="holds 2 stacks"):
        select_slices(flips)
    alike = series(STEP / 2, InstanceNumber=lambda phase, k: k + 1)
    with pytest.raises(SeriesError, match="each InstanceNumber stands 2 times"):
        select_slices(alike)
    assert len(select_slices(alike, "all")) == 2 * NUMBER


ONE = {
    "MR, every other slice first": ("MR", {"AcquisitionTime": lambda phase, k: f"10{phase}000"}),
    "2D, every other slice first": ("MR", {"MRAcquisitionType": lambda phase, k: "2D", **TOLD["one time each"][1]}),
    "3D, less than two seconds apart": ("MR", {**IS_3D, "AcquisitionTime": lambda phase, k: f"10000{phase}.9"}),
    "3D, a time a slice": ("MR", {**IS_3D, "AcquisitionTime": lambda phase, k: f"10{k:02d}{5 * phase:02d}"}),
    "3D, two slabs": ("MR", {**IS_3D, "AcquisitionTime": lambda phase, k: f"10{k // 4}000"}),
    "3D, a time that is none": ("MR", {**IS_3D, "AcquisitionTime": lambda phase, k: f"1{phase}h"}),
    "MR, a trigger time a slice": ("MR", {"TriggerTime": lambda phase, k: 37.0 * (5 * k % 8) + phase}),
    "CT, four slices a rotation": ("CT", {"AcquisitionTime": lambda phase, k: f"1000{(2 * k + phase) // 4:02d}"}),
    "the same, downwards": ("CT", {"AcquisitionTime": lambda phase, k: f"1000{50 - (2 * k + phase) // 4:02d}"}),
    "one number for all": ("CT", {"InstanceNumber": lambda phase, k: 1}),
    "no time": ("CT", {"AcquisitionTime": lambda phase, k: ""}),
}


@pytest.mark.parametrize("how", ONE)
def test_one_stack_stays_one(how):
    modality, tags = ONE[how]
    found = select_slices(series(STEP / 2, modality, **tags))
    assert len(found) == 2 * NUMBER and one_above_the_other(found) == ""


def test_how_much_later_every_other_slice_was_acquired_is_said():
    def words(value):
        return times_in_turns(select_slices(series(STEP / 2, AcquisitionTime=value)))

    assert words(lambda phase, k: f"10{phase}0{k:02d}.5") == (
        "by the headers every other slice was acquired 600 s after the others"
    )
    # The later ones come first in place; past midnight.
    assert "20 s after" in words(lambda phase, k: ("000010", "235950")[phase])
    # And past the end of a month, where the header has the day.
    assert " 20 s after" in words(lambda phase, k: ("20200131235950", "20200201000010")[phase])
    assert words(lambda phase, k: ("20200199235950", "20200201000010")[phase]) == ""
    for value in (lambda phase, k: "100000", lambda phase, k: f"1000{2 * k + phase:02d}", lambda phase, k: None):
        assert words(value) == ""


def test_an_upper_and_a_lower_half_of_two_acquisitions_are_said():
    found = select_slices(series(NUMBER * STEP, AcquisitionNumber=lambda phase, k: phase + 3))
    words = one_above_the_other(found)
    assert words == "its slices are, from its first place on, 8 of acquisition 3, 8 of acquisition 4"
    # Two slices of another number are an end of a helix.
    ends = series(NUMBER * STEP, AcquisitionNumber=lambda phase, k: int(phase == 1 and k >= NUMBER - 2))
    assert one_above_the_other(select_slices(ends)) == ""


def test_slices_of_two_frames_of_reference_are_no_stack():
    two = series(NUMBER * STEP, FrameOfReferenceUID=lambda phase, k: f"1.{phase}")
    with pytest.raises(SeriesError, match=r"2 frames of reference \(8, 8 slices\)"):
        select_slices(two)
    # An anonymiser wrote another one into each slice.
    each = series(NUMBER * STEP, FrameOfReferenceUID=lambda phase, k: f"1.{phase}.{k}")
    assert len(select_slices(each)) == 2 * NUMBER


def test_an_enhanced_object_describes_all_its_frames(tmp_path):
    save_enhanced(make_series(voxels(0), describe(), tmp_path / "s"), tmp_path / "e.dcm")
    assert len(file_facts(tmp_path / "e.dcm")["headers"]) == 6
    data = pydicom.dcmread(tmp_path / "e.dcm")
    # Without the last one's description it was a stack of five slices.
    data.PerFrameFunctionalGroupsSequence = list(data.PerFrameFunctionalGroupsSequence)[:5]
    data.save_as(tmp_path / "e.dcm")
    assert file_facts(tmp_path / "e.dcm")["headers"][0]["Broken"] == "it holds 6 images and describes 5"
