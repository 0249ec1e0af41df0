"""Outlines of RTSTRUCT: what is inside, what is a hole, what was stored twice, and what is refused."""

from __future__ import annotations

import copy

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from exports import describe, make_series, rtstruct_of, save_series
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.path import Path as Polygon

from hcc_recurrence.cohort.dicom_headers import HEADER_FACTS_VERSION
from hcc_recurrence.cohort.dicom_series import find_stack
from hcc_recurrence.cohort.mask_contents import check_contents
from hcc_recurrence.cohort.mask_files import read_mask
from hcc_recurrence.cohort.mask_formats import mask_contents, mask_facts
from hcc_recurrence.cohort.masks import MaskError, check_mask
from hcc_recurrence.cohort.outlines import fill_outline, join_outlines
from hcc_recurrence.cohort.series_voxels import read_series
from hcc_recurrence.provenance import FileCache

SHAPE, SPACING = (12, 40, 44), (3.0, 1.0, 1.25)
CLOSED, XOR = "CLOSED_PLANAR", "CLOSEDPLANAR_XOR"
# The origin of `describe`.
ORIGIN = np.array([-20.0, 10.0, 5.0])
MIDDLE = np.array([7.3, 29.6])
SLICES = range(3, 9)


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """An image, its slices, and its geometry as headers tell it."""
    folder = tmp_path_factory.mktemp("series")
    slices = make_series(np.full(SHAPE, 40, np.float32), describe(spacing=SPACING), folder)
    save_series(slices, folder)
    geometry = find_stack(folder, "", "", False, FileCache(None, HEADER_FACTS_VERSION)).geometry
    return read_series(folder), slices, geometry


def circle(radius, x=0.0, y=0.0, turns=1, points=80):
    angle = np.linspace(0, 2 * np.pi * turns, points * turns, endpoint=False)
    return MIDDLE + [x, y] + radius * np.column_stack([np.cos(angle), np.sin(angle)])


def disc(radius, x=0.0, y=0.0):
    """Pixels inside a circle, by its formula."""
    rows, columns = np.ogrid[: SHAPE[1], : SHAPE[2]]
    across, down = ORIGIN[0] + columns * SPACING[2] - MIDDLE[0] - x, ORIGIN[1] + rows * SPACING[1] - MIDDLE[1] - y
    return across**2 + down**2 < radius**2


def at(height, outline):
    return np.column_stack([outline, np.full(len(outline), height)])


def stack(outlines, slices=SLICES, kind=CLOSED, off=0.0):
    return [(kind, at(ORIGIN[2] + SPACING[0] * (k + off), own)) for k in slices for own in outlines]


def mask_of(rois, series, tmp_path, label=""):
    """The mask, which the check before the first job lets pass as well."""
    image, slices, geometry = series
    path = rtstruct_of(rois, slices, tmp_path / "r.dcm")
    check_mask(mask_facts(path), geometry, label)
    check_contents(mask_contents(path), label, geometry, 0.0)
    return sitk.GetArrayFromImage(read_mask(path, label, image).image) > 0


def refuse(rois, series, tmp_path, words):
    """Refused with the same words by the check before the first job and by the job."""
    image, slices, geometry = series
    path = rtstruct_of(rois, slices, tmp_path / "r.dcm")
    with pytest.raises(MaskError, match=words):
        check_contents(mask_contents(path), "", geometry, 0.0)
    with pytest.raises(MaskError, match=words):
        read_mask(path, "", image)


def dice(found, expected):
    return 2 * (found & expected).sum() / (found.sum() + expected.sum())


KEYHOLE = np.concatenate([circle(12)[[*range(80), 0]], circle(5)[[0, *range(79, -1, -1)]]])
SAME_WAY = np.concatenate([circle(12)[[*range(80), 0]], circle(5)[[*range(80), 0]]])
RINGS = disc(12) & ~disc(5)
CASES = {
    "one": ([circle(12)], disc(12)),
    "the other way round": ([circle(12)[::-1]], disc(12)),
    "twice": ([circle(12)] * 2, disc(12)),
    "twice, from another point": ([circle(12), np.roll(circle(12), 7, axis=0)[::-1]], disc(12)),
    "twice, with other points": ([circle(12), circle(12, points=55)], disc(12)),
    "three times": ([circle(12)] * 3, disc(12)),
    "overlapping": ([circle(9), circle(9, 8)], disc(9) | disc(9, 8)),
    "three that overlap": ([circle(8), circle(8, 6), circle(8, 3, 5)], disc(8) | disc(8, 6) | disc(8, 3, 5)),
    "just reaching out": ([circle(12), circle(5, 7.6)], disc(12) | disc(5, 7.6)),
    "apart": ([circle(4, -9), circle(4, 9)], disc(4, -9) | disc(4, 9)),
    "a hole": ([circle(12), circle(5)], RINGS),
    "a hole, written first": ([circle(5), circle(12)], RINGS),
    "a hole, all twice": ([circle(12), circle(5)] * 2, RINGS),
    "an island in a hole": ([circle(12), circle(9), circle(4)], (disc(12) & ~disc(9)) | disc(4)),
    "holes that overlap": ([circle(12), circle(4, -2), circle(4, 2)], disc(12) & ~disc(4, -2) & ~disc(4, 2)),
    "a hole of two": ([circle(9), circle(9, 6), circle(2, 3)], (disc(9) | disc(9, 6)) & ~disc(2, 3)),
    "keyhole": ([KEYHOLE], RINGS),
    "keyhole, rings the same way": ([SAME_WAY], RINGS),
    "drawn past its beginning": ([circle(12, turns=2)[:110]], disc(12)),
    "drawn round twice": ([circle(12, turns=2)], disc(12)),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_inside_the_outlines_of_a_slice(tmp_path, series, name):
    outlines, expected = CASES[name]
    found = mask_of({"GTV": stack(outlines)}, series, tmp_path)
    assert sorted(np.flatnonzero(found.any(axis=(1, 2)))) == list(SLICES)
    for k in SLICES:
        assert dice(found[k], expected) > 0.975, name
        assert found[k].sum() == pytest.approx(expected.sum(), rel=0.03)


def test_xor_outlines_are_joined_by_even_and_odd(tmp_path, series):
    rings = stack([circle(12), circle(5)], kind=XOR)
    found = mask_of({"GTV": rings}, series, tmp_path)
    assert dice(found[5], RINGS) > 0.975
    found = mask_of({"GTV": stack([circle(9), circle(9, 8)], kind=XOR)}, series, tmp_path)
    assert dice(found[5], disc(9) ^ disc(9, 8)) > 0.95
    twice = {"GTV": stack([circle(9), circle(9, points=70)], kind=XOR)}
    refuse(twice, series, tmp_path, r"CLOSEDPLANAR_XOR outline twice, .* \(slice 4\)")
    mixed = stack([circle(12)]) + stack([circle(5)], kind=XOR)
    refuse({"GTV": mixed}, series, tmp_path, "of the kinds CLOSED_PLANAR and CLOSEDPLANAR_XOR")


def test_outlines_through_voxel_centres_or_around_voxels_give_the_same_mask():
    """As cv2.findContours and rt-utils draw, and as contourpy at one half does; a hole is drawn in its surroundings."""
    mask = np.zeros((12, 14), bool)
    mask[2:9, 3:11] = True
    mask[4:6, 5:8] = False

    def corners(left, top, right, bottom):
        return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)

    through = [corners(3, 2, 10, 8), corners(4, 3, 8, 6)]
    around = [corners(2.5, 1.5, 10.5, 8.5), corners(4.5, 3.5, 7.5, 5.5)]
    for outlines in (through, around):
        np.testing.assert_array_equal(join_outlines(outlines, mask.shape), mask)
        np.testing.assert_array_equal(join_outlines(outlines, mask.shape, xor=True), mask)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**16), corners=st.integers(3, 40))
def test_filling_agrees_with_another_rasteriser(seed, corners):
    """Stars of any outline, some of it beyond the image, filled by matplotlib as well."""
    generator = np.random.default_rng(seed)
    angle = np.sort(generator.uniform(0, 2 * np.pi, corners))
    radius = generator.uniform(2, 16, corners)
    points = generator.uniform(5, 20, 2) + radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    x, y = np.meshgrid(np.arange(26), np.arange(24))
    expected = Polygon(points).contains_points(np.column_stack([x.ravel(), y.ravel()])).reshape(x.shape)
    drawn = fill_outline(points, x.shape)
    np.testing.assert_array_equal(drawn.inside[~drawn.passed], expected[~drawn.passed])


GAP = r"slices without outline between outlines of the same lesion \({}: {}, counted"
REFUSED = {
    "every other slice": (stack([circle(12)], range(2, 10, 2)), GAP.format(3, "4, 6, 8") + ".*every 2 slices only"),
    "every third slice": (stack([circle(12)], (2, 5, 8)), GAP.format(4, "4, 5, 7, 8") + ".*every 3 slices only"),
    "one left out": (stack([circle(12)], (3, 4, 6, 7)), GAP.format(1, "6")),
    "key slices": (stack([circle(12)], (2, 9)), GAP.format(6, "4, 5, 6, 7, 8, 9")),
    "half a slice off": (stack([circle(12)], off=0.5), r"between the image's slices \(by up to 0\.50 of a slice"),
    "a third of a slice off": (stack([circle(12)], off=0.33), "between the image's slices"),
    "two heights in a slice": (
        stack([circle(12)], off=-0.2) + stack([circle(9)], off=0.2),
        r"several heights, 0\.40 of a slice apart",
    ),
    "above the image": (stack([circle(12)], range(8, 15)), r"reaches beyond the image \(3 of 7 outlines"),
    "open": (stack([circle(12)]) + stack([circle(3)], [5], "OPEN_PLANAR"), r"not closed \(1 OPEN_PLANAR\)"),
    "a plane of another orientation": (
        [(CLOSED, at(17.0, circle(6))[:, [0, 2, 1]])],
        "not parallel to the image's slices",
    ),
    "tilted": ([(CLOSED, at(17.0, circle(6)) + np.outer(np.linspace(-1, 1, 80), [0, 0, 1.5]))], "not parallel"),
    "points only": (stack([circle(1)[:1]], kind="POINT"), "is empty: it has nothing but points"),
    "closed outlines of two points": (stack([circle(1)[:2]]), "is empty: it has nothing but points"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_outlines_that_are_not_whole_or_not_on_the_slices_are_refused(tmp_path, series, name):
    contours, words = REFUSED[name]
    refuse({"GTV": contours}, series, tmp_path, words)


def test_outlines_beyond_the_sides_of_the_image_are_refused(tmp_path, series):
    refuse({"GTV": stack([circle(9, 25)])}, series, tmp_path, "beyond the sides")


def test_lesions_beside_or_above_each_other_are_no_gap(tmp_path, series):
    beside = stack([circle(4, -9)], (1, 2, 3)) + stack([circle(4, 9)], (7, 8))
    found = mask_of({"GTV": beside}, series, tmp_path)
    assert np.flatnonzero(found.any(axis=(1, 2))).tolist() == [1, 2, 3, 7, 8]
    above = {"GTV 1": stack([circle(6)], (1, 2, 3)), "GTV 2": stack([circle(6)], (7, 8)), "GTV 3": []}
    found = mask_of(above, series, tmp_path, "GTV*")
    assert np.flatnonzero(found.any(axis=(1, 2))).tolist() == [1, 2, 3, 7, 8]
    together = {"GTV": above["GTV 1"] + above["GTV 2"]}
    refuse(together, series, tmp_path, r"ROI each, joined by a pattern")


def test_a_point_beside_closed_outlines_and_jitter_of_heights_change_nothing(tmp_path, series):
    plain = mask_of({"GTV": stack([circle(12)])}, series, tmp_path)
    more = stack([circle(12)], off=0.03) + stack([circle(1)[:1]], kind="POINT")
    np.testing.assert_array_equal(mask_of({"GTV": more}, series, tmp_path), plain)


def test_an_rtstruct_without_preamble_is_read(tmp_path, series):
    image, slices, geometry = series
    path = rtstruct_of({"GTV": stack([circle(12)])}, slices, tmp_path / "r.dcm")
    data = pydicom.dcmread(path)
    (tmp_path / "meta.dcm").write_bytes(path.read_bytes()[132:])
    data.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
    pydicom.dcmwrite(tmp_path / "i.dcm", pydicom.Dataset(data), implicit_vr=True, little_endian=True)
    expected = sitk.GetArrayFromImage(read_mask(path, "", image).image)
    for name in ("meta.dcm", "i.dcm"):
        assert (tmp_path / name).read_bytes()[128:132] != b"DICM"
        check_mask(mask_facts(tmp_path / name), geometry, "GTV")
        np.testing.assert_array_equal(sitk.GetArrayFromImage(read_mask(tmp_path / name, "", image).image), expected)


@pytest.fixture(scope="module")
def two_series(series, tmp_path_factory):
    """The series, and another of the same study and grid, with its own images."""
    folder = tmp_path_factory.mktemp("other")
    slices = make_series(np.full(SHAPE, 60, np.float32), describe(spacing=SPACING, phase="arterial"), folder)
    for data in slices:
        data.StudyInstanceUID = series[1][0].StudyInstanceUID
    save_series(slices, folder)
    geometry = find_stack(folder, "", "", False, FileCache(None, HEADER_FACTS_VERSION)).geometry
    return series, (read_series(folder), slices, geometry)


def of_two_series(two_series, path, how):
    """One RTSTRUCT with an ROI of each series, which says so by the contours' images or by frames of reference."""
    data = pydicom.dcmread(
        rtstruct_of({"first": stack([circle(6)]), "second": stack([circle(9)])}, two_series[0][1], path)
    )
    own = [slices for _, slices, _ in two_series]
    frame = data.ReferencedFrameOfReferenceSequence[0]
    series = pydicom.Dataset()
    series.SeriesInstanceUID = own[1][0].SeriesInstanceUID
    if how == "images":
        frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence.append(series)
        for roi, slices in zip(data.ROIContourSequence, own, strict=True):
            for contour in roi.ContourSequence:
                image = pydicom.Dataset()
                image.ReferencedSOPClassUID = slices[0].SOPClassUID
                image.ReferencedSOPInstanceUID = slices[round((contour.ContourData[2] - 5) / 3)].SOPInstanceUID
                contour.ContourImageSequence = [image]
    else:
        other = copy.deepcopy(frame)
        other.FrameOfReferenceUID = "1.2.3"
        other.RTReferencedStudySequence[0].RTReferencedSeriesSequence = [series]
        data.ReferencedFrameOfReferenceSequence.append(other)
        for roi, place in zip(data.StructureSetROISequence, (frame, other), strict=True):
            roi.ReferencedFrameOfReferenceUID = place.FrameOfReferenceUID
    data.save_as(path)
    return path


@pytest.mark.parametrize(("how", "words"), [("images", "was drawn on another"), ("frames", "frame of reference")])
def test_an_roi_of_another_series_of_the_same_file_is_refused(tmp_path, two_series, how, words):
    facts = mask_facts(of_two_series(two_series, tmp_path / "r.dcm", how))
    for label, (_, _, geometry), other in zip(("first", "second"), two_series, ("second", "first"), strict=True):
        check_mask(facts, geometry, label)
        for wrong in (other, "*"):
            with pytest.raises(MaskError, match=f"several series, and its ROI '{other}' .*{words}"):
                check_mask(facts, geometry, wrong)


@pytest.mark.parametrize("written", ["La\u0308sion", "L\u00e4sion", " L\u00e4sion", "L\u00e4sion "])
def test_names_that_look_alike_are_one_name(tmp_path, series, written):
    """A Mac writes an umlaut as two characters; DICOM pads names with spaces."""
    path = rtstruct_of({"x": stack([circle(12)])}, series[1], tmp_path / "r.dcm")
    data = pydicom.dcmread(path)
    data.SpecificCharacterSet, data.StructureSetROISequence[0].ROIName = "ISO_IR 192", written
    data.save_as(path)
    for label in ("L\u00e4sion", "La\u0308sion", "L\u00c4SION"):
        check_mask(mask_facts(path), series[2], label)
        check_contents(mask_contents(path), label, series[2], 0.0)
        assert read_mask(path, label, series[0]).image is not None
    with pytest.raises(MaskError, match="no segment or ROI called 'Lasion'"):
        check_mask(mask_facts(path), series[2], "Lasion")
