"""Pixels that stand in a file uncompressed are taken from where the header says: the same as pydicom decodes."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import SimpleITK as sitk
from exports import describe, make_series, save_enhanced, save_series
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.pixels import pixel_array

from hcc_recurrence.cohort import dicom_series, slice_pixels
from hcc_recurrence.cohort.dicom_headers import facts_without_hash, file_facts
from hcc_recurrence.cohort.dicom_series import SeriesError
from hcc_recurrence.cohort.hounsfield import check_neighbours
from hcc_recurrence.cohort.series_voxels import read_series
from hcc_recurrence.cohort.slice_pixels import rescale, slice_values
from hcc_recurrence.cohort.stack_parts import Slice

SHAPE = (5, 24, 20)


def body():
    rng = np.random.default_rng(0)
    _, y, x = np.indices(SHAPE)
    inside = ((y - 12) / 24) ** 2 + ((x - 10) / 20) ** 2 < 0.18
    return np.where(inside, 60, -1000) + rng.integers(-15, 16, SHAPE)


def slices_of(file):
    headers = file_facts(file)["headers"]
    return [Slice(file, "", n if len(headers) > 1 else -1, header) for n, header in enumerate(headers)]


def both_ways(one):
    """An image's values without a decoder, and by pydicom."""
    plain = slice_values(one)[0]
    decoded = slice_values(one._replace(header={k: v for k, v in one.header.items() if k != "Pixels"}))[0]
    return plain, decoded


@pytest.mark.parametrize("syntax", ["explicit", "implicit"])
@pytest.mark.parametrize("signed", [0, 1])
@pytest.mark.parametrize("used", [16, 12, 9, 1])
def test_any_words_are_read_as_pydicom_reads_them(tmp_path, syntax, signed, used):
    data = make_series(body(), describe(), tmp_path / "s")[0]
    words = np.random.default_rng(used).integers(0, 2**16, SHAPE[1:]).astype("<u2")
    data.PixelData, data.PixelRepresentation = words.tobytes(), signed
    data.BitsStored, data.HighBit = used, used - 1
    (file,) = save_series([data], tmp_path / "s", syntax)
    (one,) = slices_of(file)
    assert one.header["Pixels"][1] == used
    plain, decoded = both_ways(one)
    assert plain.dtype == decoded.dtype
    np.testing.assert_array_equal(plain, decoded)
    np.testing.assert_array_equal(plain, rescale(pixel_array(file), one.header))


def test_frames_of_an_enhanced_object_too(tmp_path):
    save_enhanced(make_series(body(), describe(), tmp_path / "s"), tmp_path / "s" / "one", order=[3, 0, 4, 1, 2])
    frames = slices_of(tmp_path / "s" / "one")
    assert len(frames) == 5
    for one in frames:
        plain, decoded = both_ways(one)
        np.testing.assert_array_equal(plain, decoded)


@pytest.mark.parametrize("change", ["rle", "deflated", "colour", "more bytes", "no sign", "no bits"])
def test_what_needs_a_decoder_gets_one(tmp_path, change):
    data = make_series(body(), describe(), tmp_path / "s")[0]
    if change == "colour":
        data.SamplesPerPixel, data.PhotometricInterpretation, data.PlanarConfiguration = 3, "RGB", 0
        data.PixelData = data.PixelData * 3
    elif change == "more bytes":
        data.PixelData = data.PixelData + bytes(64)
    elif change in ("no sign", "no bits"):
        del data["PixelRepresentation" if change == "no sign" else "BitsStored"]
    (file,) = save_series([data], tmp_path / "s", change if change in ("rle", "deflated") else "explicit")
    assert all("Pixels" not in one.header for one in slices_of(file))


def test_a_file_that_has_become_shorter_is_refused(tmp_path):
    (file,) = save_series(make_series(body(), describe(), tmp_path / "s")[:1], tmp_path / "s")
    (one,) = slices_of(file)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(SeriesError, match="cannot be decoded"):
        slice_values(one)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.integers(0, 2**16 - 1), min_size=1, max_size=4),
    st.booleans(),
    st.integers(-70000, 70000).filter(bool),
    st.integers(-200000, 200000),
)
def test_rescaling_in_sixteen_bits_is_rescaling(words, signed, slope, intercept):
    stored = np.array(words, np.uint16).view(np.int16 if signed else np.uint16)
    found = rescale(stored, {"RescaleSlope": slope, "RescaleIntercept": intercept})
    expected = [int(v) * slope + intercept for v in stored]
    assert found.tolist() == expected
    narrow = min(expected) >= -(2**15) and max(expected) < 2**15
    assert found.dtype == (np.int16 if narrow else np.int32 if max(map(abs, expected)) < 2**31 else np.int64)


def test_a_conversion_reads_no_file_for_its_hash_but_those_that_may_be_copies(tmp_path, monkeypatch):
    files = save_series(make_series(body(), describe(), tmp_path / "s"), tmp_path / "s")
    hashed = []
    original = dicom_series.content_hash
    monkeypatch.setattr(dicom_series, "content_hash", lambda file: hashed.append(file.name) or original(file))
    alone = sitk.GetArrayFromImage(read_series(tmp_path / "s"))
    assert not hashed
    np.testing.assert_array_equal(alone, body())
    shutil.copy(files[2], tmp_path / "s" / "another")
    np.testing.assert_array_equal(sitk.GetArrayFromImage(read_series(tmp_path / "s")), alone)
    assert sorted(hashed) == ["0002", "another"]
    # The same header and other pixels: no copy.
    content = bytearray((tmp_path / "s" / "another").read_bytes())
    content[-1] ^= 1
    (tmp_path / "s" / "another").write_bytes(content)
    with pytest.raises(SeriesError, match="holds 1 slices twice"):
        read_series(tmp_path / "s")


def test_facts_without_a_hash_are_the_same_otherwise(tmp_path):
    files = save_series(make_series(body(), describe(), tmp_path / "s"), tmp_path / "s")
    (tmp_path / "s" / "text").write_text("no image")
    for file in (*files, tmp_path / "s" / "text", tmp_path / "s"):
        assert {**file_facts(file), "hash": ""} == facts_without_hash(file)


@pytest.mark.parametrize("shift", [-1100, -1084, -1083, -1030, -964, -963, 0, 963, 964, 965, 1024, 1083, 1084])
@pytest.mark.parametrize("kind", [np.int16, np.int32, np.float32])
def test_slices_that_are_left_out_early_would_have_passed(shift, kind):
    """As the rule has it, without a look at how many pixels have jumped at all."""
    voxels = np.full((4, 64, 64), 40) + np.random.default_rng(1).integers(-3, 4, (4, 64, 64))
    voxels[2] += shift
    jumps = (voxels[2] - voxels[1])[::4, ::4].astype(float).ravel()
    off = np.abs(np.abs(np.percentile(jumps[jumps != 0], [10, 50, 90])) - 1024)
    is_wrong = off[1] < 60 and off.max() < 300
    try:
        check_neighbours(voxels.astype(kind))
        assert not is_wrong
    except SeriesError as error:
        assert is_wrong == ("nearly everywhere" in error.what)


def test_the_reader_is_not_asked_where_it_is_not_needed(tmp_path, monkeypatch):
    save_series(make_series(body(), describe(), tmp_path / "s"), tmp_path / "s")
    monkeypatch.setattr(slice_pixels, "_by_pydicom", lambda one: pytest.fail("decoded"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(read_series(tmp_path / "s")), body())
