"""Images whose numbers would come out wrong without a word: every slice by its own header, and HU that are HU."""

from __future__ import annotations

import copy
import gzip
import itertools
import struct

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from exports import describe, encoded, make_series, save_enhanced, save_series
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import ExplicitVRBigEndian, generate_uid
from small_cohort import patient_row, problems_of, write_cohort

from hcc_recurrence.cohort.checks import check_sources
from hcc_recurrence.cohort.dicom_headers import HEADER_FACTS_VERSION, file_facts
from hcc_recurrence.cohort.dicom_series import SeriesError, find_stack
from hcc_recurrence.cohort.hounsfield import add_counts, check_neighbours, count_values, doubt
from hcc_recurrence.cohort.samples import Sampler
from hcc_recurrence.cohort.series_voxels import check_decoding, read_series
from hcc_recurrence.cohort.sheets import Cohort, Mask, Series
from hcc_recurrence.cohort.volume_values import doubt_of_volume, signs_of_ct
from hcc_recurrence.provenance import FileCache

SHAPE = (6, 24, 20)


def body(seed=0, shape=SHAPE):
    """HU of a body in air, (z, y, x)."""
    rng = np.random.default_rng(seed)
    _, y, x = np.indices(shape)
    inside = ((y - shape[1] / 2) / shape[1]) ** 2 + ((x - shape[2] / 2) / shape[2]) ** 2 < 0.18
    return np.where(inside, 60, -1000) + rng.integers(-15, 16, shape)


def array(image):
    return sitk.GetArrayFromImage(image)


def store(data, hu, signed, slope, intercept):
    """Put HU into a slice with its own sign, slope and intercept."""
    stored = np.rint((hu - intercept) / slope)
    data.PixelRepresentation, data.RescaleSlope, data.RescaleIntercept = int(signed), str(slope), str(intercept)
    data.PixelData = stored.astype("<i2" if signed else "<u2").tobytes()
    return stored * slope + intercept


def check(folder, part=""):
    """As preflight does."""
    cache = FileCache(None, HEADER_FACTS_VERSION)
    check_decoding(find_stack(folder, "", part, False, cache), cache)


# Sign, slope, intercept.
WRITERS = [(False, 1, -1024), (True, 1, 0), (True, 1, -1024), (False, 0.5, -1024), (True, 0.25, 0.5), (False, 2, -2048)]


SIGNED, UNSIGNED = ([writer for writer in WRITERS if writer[0] == signed] for signed in (True, False))
WHOLE = [writer for writer in WRITERS if writer[1] in (1, 2)]


@pytest.mark.parametrize("first", range(len(WRITERS)))
@pytest.mark.parametrize("writers", [WRITERS, WHOLE, SIGNED, UNSIGNED], ids=["all", "whole", "signed", "unsigned"])
def test_each_slice_has_its_own_sign_slope_and_intercept(tmp_path, first, writers):
    slices = make_series(body(), describe(), tmp_path / "s")
    order = [writers[(first + k) % len(writers)] for k in range(len(slices))]
    expected = np.array([store(*pair, *writer) for *pair, writer in zip(slices, body(), order, strict=True)])
    if writers in (SIGNED, UNSIGNED):
        # An enhanced object has one sign.
        save_enhanced(slices, tmp_path / "s" / "one")
    else:
        save_series(slices, tmp_path / "s")
        check(tmp_path / "s")
    found = array(read_series(tmp_path / "s"))
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == (np.int16 if writers is WHOLE else np.float32)


@pytest.mark.parametrize("syntax", ["rle", "jpeg-ls", "jpeg lossless"])
def test_compressed_slices_have_their_own_sign_and_slope_too(tmp_path, syntax):
    slices = make_series(body(), describe(), tmp_path / "s")
    for k, (data, hu) in enumerate(zip(slices, body(), strict=True)):
        store(data, hu, *WRITERS[k % 2])
    save_series(slices[:3], tmp_path / "s", syntax)
    save_series(slices[3:], tmp_path / "s", names=list("abc"))
    np.testing.assert_array_equal(array(read_series(tmp_path / "s")), body())


@pytest.mark.parametrize("syntax", ["explicit", "jpeg lossless"])
def test_monochrome1_changes_how_values_are_shown_not_what_they_are(tmp_path, syntax):
    slices = make_series(body(), describe(), tmp_path / "s")
    for data in slices:
        data.PhotometricInterpretation = "MONOCHROME1"
    files = save_series(slices, tmp_path / "s", "explicit")
    for file, data in zip(files, slices, strict=True):
        other = copy.deepcopy(data)
        other.PhotometricInterpretation = "MONOCHROME2"
        other = encoded(other, syntax)
        other.PhotometricInterpretation = "MONOCHROME1"
        other.save_as(file)
    np.testing.assert_array_equal(array(read_series(tmp_path / "s")), body())


def test_an_mr_is_rescaled_slice_by_slice(tmp_path):
    values = np.abs(body())
    slices = make_series(values, describe("MR"), tmp_path / "s")
    for k, data in enumerate(slices):
        data.RescaleSlope, data.RescaleIntercept = str(1 + k / 4), "0"
    save_series(slices, tmp_path / "s")
    expected = values * (1 + np.arange(len(values)) / 4)[:, None, None]
    np.testing.assert_allclose(array(read_series(tmp_path / "s")), expected)


def test_big_endian_pixels_and_bits_above_those_stored(tmp_path):
    slices = make_series(body(), describe(), tmp_path / "s")
    for k, data in enumerate(slices):
        if k % 2:
            # An overlay in the bits that are not used.
            data.BitsStored, data.HighBit = 12, 11
            data.PixelData = (np.frombuffer(data.PixelData, "<u2") | 0x8000).astype("<u2").tobytes()
            save_series([data], tmp_path / "s", names=[str(k)])
            continue
        big = pydicom.Dataset()
        big.update(data)
        big.file_meta = data.file_meta
        big.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
        big.PixelData = np.frombuffer(data.PixelData, "<u2").astype(">u2").tobytes()
        pydicom.dcmwrite(tmp_path / "s" / str(k), big, implicit_vr=False, little_endian=False, enforce_file_format=True)
    np.testing.assert_array_equal(array(read_series(tmp_path / "s")), body())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: setattr(d, "RescaleType", "Z_EFF"), "RescaleType is Z_EFF"),
        (lambda d: setattr(d, "LossyImageCompression", "01"), "compressed with loss"),
        (lambda d: setattr(d, "HighBit", 14), "up to bit 14"),
        (lambda d: setattr(d, "RescaleSlope", "0"), "rescale slope 0"),
        (lambda d: setattr(d, "PhotometricInterpretation", "PALETTE COLOR"), "holds colours"),
        (lambda d: d.update({"BitsStored": 8, "HighBit": 7}), "8 bits a pixel"),
        (lambda d: setattr(d, "ImageOrientationPatient", [0.9, 0, 0, 0, 1, 0]), "no pair of perpendicular unit"),
        (lambda d: setattr(d, "ImageOrientationPatient", [1, 0, 0, 0.1, 0.995, 0]), "no pair of perpendicular unit"),
        (lambda d: setattr(d, "PixelSpacing", [0, 0]), "lack PixelSpacing"),
        (lambda d: setattr(d, "PixelSpacing", [1.5]), "lack PixelSpacing"),
        (lambda d: (setattr(d, "ImagerPixelSpacing", d.PixelSpacing), delattr(d, "PixelSpacing")), "lack PixelSpacing"),
    ],
)
def test_pixels_that_are_not_what_was_measured_are_refused(tmp_path, change, words):
    slices = make_series(body(), describe(), tmp_path / "s")
    for data in slices:
        change(data)
    save_series(slices, tmp_path / "s")
    with pytest.raises(SeriesError, match=words):
        check(tmp_path / "s")


def test_air_that_lost_its_sign_is_no_hounsfield_unit():
    hu = body().astype(np.int64)
    lost = np.where(hu < -500, hu + 2**16, hu)
    assert "lost their sign" in doubt_of_volume(lost)
    assert doubt_of_volume(hu) == ""


# How a CT is spoilt, as a function of its HU, and what is said.
SPOILT = {
    "offset lost": (lambda hu: hu + 1024, "offset -1024 is lost"),
    "offset lost, padding of -2000": (lambda hu: np.where(np.indices(hu.shape)[2] < 2, -2000, hu + 1024), "is lost"),
    "offset lost, noisy air": (lambda hu: np.where(hu < -500, 10 * (hu + 1000), hu + 1024), "is lost"),
    "offset twice": (lambda hu: hu - 1024, "where soft tissue is"),
    "eight bits": (lambda hu: np.clip((hu + 160) * 255 / 400, 0, 255).astype(int), "no voxel lies below -50"),
    "a window in HU": (lambda hu: np.clip(hu, -160, 240), "a window cut off"),
    "negative values cut off": (lambda hu: np.clip(hu, 0, None), "no voxel lies below -50"),
    "another scale": (lambda hu: (hu + 1024) * 16 - 1024, "where soft tissue is"),
}


@pytest.mark.parametrize("spoil", sorted(SPOILT))
@pytest.mark.parametrize("kind", ["dicom", "enhanced", "nifti"])
def test_a_ct_that_is_not_in_hounsfield_units_is_refused_before_the_first_job(tmp_path, spoil, kind):
    change, words = SPOILT[spoil]
    values = change(body())
    if kind == "nifti":
        sitk.WriteImage(sitk.GetImageFromArray(values.astype(np.int32)), str(tmp_path / "a.nii.gz"))
        facts = find_stack(tmp_path / "a.nii.gz", "", "", False, FileCache(None, "x")).facts
        assert words in facts["doubt"]
        with pytest.raises(SeriesError, match=words):
            read_series(tmp_path / "a.nii.gz", modality="CT")
        return
    slices = make_series(body(), describe(), tmp_path / "s")
    for data, plane in zip(slices, values, strict=True):
        store(data, plane, True, 1, 0)
    save_enhanced(slices, tmp_path / "s" / "a") if kind == "enhanced" else save_series(slices, tmp_path / "s")
    for look in (check, read_series):
        with pytest.raises(SeriesError, match=f"is no CT in Hounsfield units.*{words}"):
            look(tmp_path / "s")


@pytest.mark.parametrize("enhanced", [False, True])
def test_one_slice_without_its_offset_is_refused_by_name(tmp_path, enhanced):
    slices = make_series(body(), describe(), tmp_path / "s")
    store(slices[5], np.clip(body()[5], 0, None), False, 1, 0)
    save_enhanced(slices, tmp_path / "s" / "0005") if enhanced else save_series(slices, tmp_path / "s")
    for look in (check, read_series):
        with pytest.raises(SeriesError, match="1 of 6 slices, such as 0005: is no CT in Hounsfield units"):
            look(tmp_path / "s")


def test_one_slice_of_the_same_header_without_its_offset_is_refused(tmp_path):
    hu = body(shape=(16, 24, 20))
    slices = make_series(hu, describe(), tmp_path / "s")
    for k, data in enumerate(slices):
        store(data, hu[k] + 1024 * (k == 1), True, 1, 0)
    save_series(slices, tmp_path / "s")
    with pytest.raises(SeriesError, match=r"throughout: slice 2 lies 10\d\d above slice 1 nearly everywhere"):
        read_series(tmp_path / "s")


@pytest.mark.parametrize("padding", [None, -3024])
@pytest.mark.parametrize(("where", "by"), [(0, 1024), (2, 1024), (5, -1024), (3, 1000)])
def test_a_slice_that_is_off_by_an_offset_is_known_by_its_neighbours(where, by, padding):
    hu = body()
    hu[where] += by
    if padding is not None:
        hu[:, :, :6] = padding
    with pytest.raises(SeriesError, match="no CT in Hounsfield units throughout"):
        check_neighbours(hu)


@pytest.mark.parametrize("kind", ["dicom", "nifti"])
def test_a_slice_whose_offset_was_applied_twice_and_cut_off_is_refused(tmp_path, kind):
    # Air stays where it is, tissue of 60 becomes -964.
    hu = body()
    hu[2] = np.clip(hu[2], 0, None) - 1024
    if kind == "nifti":
        sitk.WriteImage(sitk.GetImageFromArray(hu.astype(np.int16)), str(tmp_path / "s.nii.gz"))
        with pytest.raises(SeriesError, match="slice 3 of 6 holds no soft tissue"):
            read_series(tmp_path / "s.nii.gz", modality="CT")
        return
    slices = make_series(body(), describe(), tmp_path / "s")
    for data, plane in zip(slices, hu, strict=True):
        store(data, plane, False, 1, -1024)
    save_series(slices, tmp_path / "s")
    with pytest.raises(SeriesError, match="slice 3 of 6 holds no soft tissue"):
        read_series(tmp_path / "s")


def test_neighbours_that_differ_as_a_body_does_are_not_refused():
    hu = body()
    # Slices without image at an end, in a crop within the body as well; the table of a coronal series; lung above
    # liver; and values without any order.
    check_neighbours(np.concatenate([hu, np.full((1, *SHAPE[1:]), -3024)]))
    check_neighbours(np.concatenate([np.full((1, *SHAPE[1:]), -1024), noise(60, 12)]))
    check_neighbours(np.concatenate([noise(-1000, 12)[:1], hu]))
    check_neighbours(np.concatenate([noise(-860, 40)[:1], noise(60, 12)]))
    for seed in range(50):
        check_neighbours(np.random.default_rng(seed).integers(-900, 1000, (6, 14, 12)))


def test_a_slope_that_some_slices_lack_is_refused(tmp_path):
    slices = make_series(np.abs(body()), describe("MR"), tmp_path / "s")
    for data in slices[:5]:
        data.RescaleSlope, data.RescaleIntercept = "2", "0"
    save_series(slices, tmp_path / "s")
    with pytest.raises(SeriesError, match="1 of 6 slices lack RescaleSlope"):
        check(tmp_path / "s")


def noise(mean, spread, seed=0):
    return np.random.default_rng(seed).normal(mean, spread, SHAPE).round()


@pytest.mark.parametrize(
    ("hu", "intercept"),
    [
        # Air of -1000 and padding of -3024, -2000 or -1024 in a circle around.
        (body(), 0),
        (np.where(np.indices(SHAPE)[2] < 3, -3024, body()), 0),
        (np.where(np.indices(SHAPE)[2] < 3, -2000, body()), 0),
        (np.where(np.indices(SHAPE)[2] < 3, -1024, body()), -1024),
        # Cut out within the body: fat and liver; liver alone, with the offset in the header; lung and bone.
        (np.where(np.indices(SHAPE)[2] < 8, noise(-100, 12), noise(110, 12)), 0),
        (noise(110, 12), -1024),
        # The same without an offset in the header, as a signed CT or a NIfTI has it: noise reaches below water.
        (noise(60, 25), 0),
        (np.where(np.indices(SHAPE)[2] < 4, noise(420, 40), noise(110, 12)), -1024),
        (np.where(np.indices(SHAPE)[2] < 8, noise(-850, 40), noise(60, 12)), 0),
        (np.where(np.indices(SHAPE)[2] < 1, noise(1000, 200), body()), 0),
        # Without noise, as a phantom is.
        (np.where(body() < -500, -1000, 60), 0),
    ],
)
def test_a_ct_in_hounsfield_units_is_not_refused(tmp_path, hu, intercept):
    assert doubt(count_values(np.asarray(hu)), intercept) == ""
    slices = make_series(body(), describe(), tmp_path / "s")
    for data, plane in zip(slices, hu, strict=True):
        store(data, plane, intercept == 0, 1, intercept)
    save_series(slices, tmp_path / "s")
    check(tmp_path / "s")
    np.testing.assert_array_equal(array(read_series(tmp_path / "s")), hu)


def test_a_middle_slice_within_the_body_is_judged_with_the_others(tmp_path):
    hu = body()
    hu[2:5] = noise(60, 10)[2:5]
    slices = make_series(body(), describe(), tmp_path / "s")
    for data, plane in zip(slices, hu, strict=True):
        store(data, plane, True, 1, 0)
    save_series(slices, tmp_path / "s")
    assert doubt(count_values(hu[3]), 0)
    check(tmp_path / "s")
    np.testing.assert_array_equal(array(read_series(tmp_path / "s")), hu)


@settings(max_examples=20)
@given(st.lists(st.integers(-3000, 3000), min_size=1, max_size=60), st.integers(0, 60))
def test_counts_of_parts_are_counts_of_the_whole(values, cut):
    values = np.array(values)
    parts = [count_values(values[:cut]), count_values(values[cut:])]
    whole, added = count_values(values), add_counts(parts)
    exact = ("voxels", "lowest", "at_lowest", "soft", "shifted", "above")
    assert {k: whole[k] for k in exact if k in whole} == {k: added[k] for k in exact if k in added}


@pytest.mark.parametrize(
    ("value", "limit", "padded"),
    [
        # Stored -2000 to -1500 by the range; the value alone; 0 as the value where tissue has it too.
        (-2000, -1500, lambda k: -2000 + 100 * (k % 6)),
        (-2000, None, lambda k: -2000),
        (0, None, lambda k: 0),
        (63536, None, lambda k: -2000),
    ],
)
def test_padding_is_air_and_tissue_of_the_same_value_is_tissue(tmp_path, value, limit, padded):
    hu = body()
    # Water of 0 HU within the body, and one voxel of it at the border.
    hu[:, 10:14, 8:12] = 0
    hu[:, 20, -1] = 0
    expected = hu.copy()
    expected[:, :, :3] = -1024
    slices = make_series(body(), describe(), tmp_path / "s")
    for k, data in enumerate(slices):
        plane = hu[k].copy()
        plane[:, :3] = padded(k)
        store(data, plane, True, 1, 0)
        data.add_new("PixelPaddingValue", "US" if value > 0 else "SS", value)
        if limit is not None:
            data.add_new("PixelPaddingRangeLimit", "SS", limit)
    save_series(slices, tmp_path / "s")
    check(tmp_path / "s")
    np.testing.assert_array_equal(array(read_series(tmp_path / "s")), expected)


def test_padding_does_not_hide_a_lost_offset(tmp_path):
    slices = make_series(body(), describe(), tmp_path / "s")
    for data, plane in zip(slices, body() + 1024, strict=True):
        plane[:, :3] = -2000
        store(data, plane, True, 1, 0)
        data.add_new("PixelPaddingValue", "SS", -2000)
    save_series(slices, tmp_path / "s")
    for look in (check, read_series):
        with pytest.raises(SeriesError, match="no CT in Hounsfield units"):
            look(tmp_path / "s")


def cohort_of(files, modality, masks=()):
    """A cohort of one phase for `check_sources`."""
    series = {(name, "portal"): Series(str(path)) for name, path in files.items()}
    drawn = {(name, "portal", "R1"): Mask(str(path)) for name, path in dict(masks).items()}
    keys = {
        "modality": modality,
        "interpolate_missing": False,
        "mask_tolerance_voxels": 0.1,
        "clinical": {},
        "missing_codes": [],
        "smallest_mask_ml": 0.0,
        "series": "s",
        "masks": "m",
    }
    return Cohort("c", keys, None, series, drawn)


@pytest.mark.parametrize(
    ("suffix", "bad", "kind"),
    [
        (".nii.gz", np.nan, "f4"),
        (".nii", np.inf, "f8"),
        (".nrrd", -np.inf, "f4"),
        (".mha", np.nan, "f8"),
        (".nii", -3.4e38, "f4"),
    ],
)
def test_voxels_that_are_no_numbers_are_refused_before_the_first_job(tmp_path, suffix, bad, kind):
    values = np.random.default_rng(0).integers(100, 900, SHAPE).astype(kind)
    values[0, 0, :3] = bad
    values[3, 12, 10] = bad
    sitk.WriteImage(sitk.GetImageFromArray(values), str(tmp_path / f"a{suffix}"))
    mask = np.zeros(SHAPE, np.uint8)
    mask[2:5, 9:15, 8:13] = 1
    sitk.WriteImage(sitk.GetImageFromArray(mask), str(tmp_path / "m.nii.gz"))
    cohort = cohort_of({"P1": f"a{suffix}"}, "MR", {"P1": "m.nii.gz"})
    problems = check_sources(cohort, ["P1"], tmp_path, FileCache(None, HEADER_FACTS_VERSION))[1]
    assert [(p.patient, p.file) for p in problems] == [("P1", f"portal series a{suffix}")]
    assert problems[0].what == (
        "has 4 voxels that are no numbers (NaN, infinite or beyond 1e9); 1 of them in the mask of R1"
    )
    with pytest.raises(SeriesError, match="4 voxels that are no numbers"):
        read_series(tmp_path / f"a{suffix}", modality="MR")


def test_nifti_2_and_big_endian_floats_are_looked_at(tmp_path):
    values = np.ones((4, 5, 6), ">f4")
    values[1, 2, 3] = np.nan
    head = bytearray(352)
    head[0:4], head[40:56] = struct.pack(">i", 348), struct.pack(">8h", 3, 6, 5, 4, 1, 1, 1, 1)
    head[70:74], head[76:108] = struct.pack(">2h", 16, 32), struct.pack(">8f", 1, 1, 1, 1, 1, 1, 1, 1)
    head[252:254] = struct.pack(">h", 1)
    head[108:112], head[344:348] = struct.pack(">f", 352), b"n+1\0"
    (tmp_path / "a.nii").write_bytes(bytes(head) + values.tobytes())
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(bytes(head) + values.tobytes()))
    for name in ("a.nii", "b.nii.gz"):
        with pytest.raises(SeriesError, match="1 voxel that is no number"):
            read_series(tmp_path / name, modality="MR")


# -- several images at one place ----------------------------------------------------------------


def two_kinds(tmp_path, change, numbers="blocks", enhanced=False):
    """Two kinds of image of one place in one series; names say nothing."""
    values = [np.full(SHAPE, 400) + np.arange(SHAPE[0])[:, None, None], np.full(SHAPE, 100)]
    slices = []
    for kind in (0, 1):
        own = make_series(values[kind], describe("MR"), tmp_path / "unused")
        for k, data in enumerate(own):
            data.SeriesInstanceUID, data.SOPInstanceUID = "1.2.3", generate_uid()
            data.AcquisitionNumber, data.AcquisitionTime, data.ContentTime = 1, "100000", "100000"
            data.InstanceNumber = {
                "blocks": SHAPE[0] * kind + k + 1,
                "snake": 2 * k + 1 + (kind if k % 2 else 1 - kind),
                "by place": 2 * k + 1 + kind,
                "same": k + 1,
            }.get(numbers)
            change(data, kind)
        slices += own
    order = np.random.default_rng(7).permutation(len(slices))
    if enhanced:
        save_enhanced(slices, tmp_path / "s" / "one", order)
        data = pydicom.dcmread(tmp_path / "s" / "one")
        for frame, k in zip(data.PerFrameFunctionalGroupsSequence, order, strict=True):
            echo = pydicom.Dataset()
            echo.EffectiveEchoTime = float(slices[k].EchoTime)
            frame.MREchoSequence = [echo]
        data.save_as(tmp_path / "s" / "one")
    else:
        save_series([slices[k] for k in order], tmp_path / "s")
    return values


def set_tags(**pairs):
    return lambda data, kind: [setattr(data, tag, values[kind]) for tag, values in pairs.items()]


KINDS = {
    "echo 4.6 ms": set_tags(EchoTime=("4.6", "2.3"), EchoNumbers=(1, 2)),
    "echo number 1": set_tags(EchoNumbers=(1, 2)),
    "type IN_PHASE": set_tags(ImageType=(["ORIGINAL", "PRIMARY", "IN_PHASE"], ["ORIGINAL", "PRIMARY", "OPP_PHASE"])),
    "b 0": set_tags(DiffusionBValue=(0.0, 800.0)),
    "inversion 150 ms": set_tags(InversionTime=("150", "200")),
    "flip angle 15": set_tags(FlipAngle=("15", "2")),
    "type OTHER real": lambda data, kind: (
        data.add_new(0x00430010, "LO", "GEMS_PARM_01"),
        data.add_new(0x0043102F, "SS", (2, 3)[kind]),
    ),
    "3 mm thick": set_tags(SliceThickness=("3", "6")),
    # One echo of two is written.
    "echo 4.6 ms, type WATER": set_tags(
        EchoTime=("4.6", None), ImageType=(["DERIVED", "PRIMARY", "WATER"], ["DERIVED", "PRIMARY", "FAT"])
    ),
}


@pytest.mark.parametrize(
    ("part", "numbers"),
    [*((kind, "snake") for kind in sorted(KINDS)), *(("echo 4.6 ms", n) for n in ("by place", "same", "none"))],
)
def test_echoes_and_other_kinds_are_parts_and_never_mixed(tmp_path, part, numbers):
    name = "type WATER" if "WATER" in part else part
    values = two_kinds(tmp_path, KINDS[part], numbers)
    with pytest.raises(SeriesError, match=f"2 stacks.*{name} \\(6 slices\\)"):
        read_series(tmp_path / "s")
    np.testing.assert_array_equal(array(read_series(tmp_path / "s", part=name)), values[0])
    with pytest.raises(SeriesError, match="no part 'repeat 1'"):
        read_series(tmp_path / "s", part="repeat 1")
    if "thick" not in part and "flip" not in part:
        with pytest.raises(SeriesError, match=r"mixes images of different kinds|more than one slice"):
            read_series(tmp_path / "s", part="all")


def test_echoes_of_one_enhanced_object_are_parts(tmp_path):
    values = two_kinds(tmp_path, KINDS["echo 4.6 ms"], enhanced=True)
    for part, wanted in (("echo 4.6 ms", values[0]), ("Echo 2.3 ms", values[1])):
        np.testing.assert_array_equal(array(read_series(tmp_path / "s", part=part)), wanted)


def test_echoes_of_two_phases_are_taken_apart_twice(tmp_path):
    values, slices = {}, []
    for number, echo in itertools.product((1, 2), ("2.3", "4.6")):
        values[number, echo] = np.full(SHAPE, 100 * number + int(float(echo)))
        own = make_series(values[number, echo], describe("MR"), tmp_path / "unused")
        for data in own:
            data.SeriesInstanceUID, data.SOPInstanceUID = "1.2.3", generate_uid()
            data.AcquisitionNumber, data.EchoTime = number, echo
        slices += own
    save_series(slices, tmp_path / "s")
    found = array(read_series(tmp_path / "s", part="echo 4.6 ms, acquisition 2"))
    np.testing.assert_array_equal(found, values[2, "4.6"])
    with pytest.raises(SeriesError, match="4 stacks"):
        read_series(tmp_path / "s")


def test_echoes_that_alternate_along_the_stack_are_no_finer_stack(tmp_path):
    def change(data, kind):
        KINDS["echo 4.6 ms"](data, kind)
        x, y, z = data.ImagePositionPatient
        data.ImagePositionPatient = [x, y, float(z) + 1.5 * kind]

    values = two_kinds(tmp_path, change)
    with pytest.raises(SeriesError, match="2 stacks"):
        read_series(tmp_path / "s")
    with pytest.raises(SeriesError, match=r"mixes images of different kinds: echo 2\.3 ms; echo 4\.6 ms"):
        read_series(tmp_path / "s", part="all")
    np.testing.assert_array_equal(array(read_series(tmp_path / "s", part="echo 2.3 ms")), values[1])


@pytest.mark.parametrize("numbers", ["snake", "by place", "same", "none"])
def test_images_that_nothing_tells_apart_are_refused(tmp_path, numbers):
    two_kinds(tmp_path, lambda data, kind: None, numbers)
    for part, words in (("", "nothing in the headers tells"), ("repeat 1", "no part")):
        with pytest.raises(SeriesError, match=words):
            read_series(tmp_path / "s", part=part)


def test_phases_of_one_time_are_told_apart_by_their_trigger_time(tmp_path):
    values = two_kinds(tmp_path, set_tags(TriggerTime=("9000", "45000")), "by place")
    np.testing.assert_array_equal(array(read_series(tmp_path / "s", part="time 2")), values[1])


def test_phases_before_and_after_midnight_are_in_their_order(tmp_path):
    values = two_kinds(tmp_path, set_tags(AcquisitionTime=("235940", "000015")))
    np.testing.assert_array_equal(array(read_series(tmp_path / "s", part="time 1")), values[0])


@pytest.mark.parametrize("same", [True, False])
def test_duplicated_slices_are_named_and_are_no_second_phase(tmp_path, same):
    slices = make_series(body(), describe(), tmp_path / "s")
    more = make_series(body(0 if same else 1), describe(), tmp_path / "t")[1:3]
    for k, data in enumerate(more):
        data.SOPInstanceUID, data.InstanceNumber = generate_uid(), 100 + k
    save_series(slices, tmp_path / "s")
    save_series(more, tmp_path / "s", names=["x1", "x2"])
    words = "the same pixels" if same else "other pixels"
    expected = rf"2 slices twice, at the same place \(0001 and x1: {words}; 0002 and x2: {words}\).*remove one of each"
    with pytest.raises(SeriesError, match=expected):
        read_series(tmp_path / "s")


# -- lost slices ---------------------------------------------------------------------------------


def bare(data):
    """The bytes of a data set as some receivers store it."""
    data = copy.deepcopy(data)
    stream = DicomBytesIO()
    stream.is_little_endian, stream.is_implicit_VR = True, True
    write_dataset(stream, data)
    return stream.getvalue()


@pytest.mark.parametrize("which", [(0, 1), (3,), range(6)])
def test_files_without_preamble_are_read(tmp_path, which):
    slices = make_series(body(), describe(), tmp_path / "s")
    files = save_series(slices, tmp_path / "s")
    for k in which:
        files[k].write_bytes(bare(slices[k]))
    check(tmp_path / "s")
    np.testing.assert_array_equal(array(read_series(tmp_path / "s")), body())
    # The checks between patients know them as well.
    sample = Sampler(-1, b"key")
    with_preamble = save_series(slices, tmp_path / "t")
    found, expected = ([sample(file) for file in own] for own in (files, with_preamble))
    assert found == expected and all(one["pixels"] and one["person"] for one in found)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"\0" * 4000, "nothing but zeros"),
        (b"<html>404</html>", "it is no DICOM file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "content that was not fetched"),
        ("bare, cut", "it ends before its pixels do"),
    ],
)
@pytest.mark.parametrize("place", [0, 3, 5])
def test_a_slice_that_is_there_in_name_alone_is_not_left_out(tmp_path, content, words, place):
    slices = make_series(body(), describe(), tmp_path / "s")
    files = save_series(slices, tmp_path / "s")
    files[place].write_bytes(bare(slices[place])[:-100] if content == "bare, cut" else content)
    for name, text in (("notes.txt", "the radiologist's notes"), ("._IM1.dcm", "\0\5\x16\7"), ("Thumbs.db", "x")):
        (tmp_path / "s" / name).write_text(text)
    with pytest.raises(SeriesError, match=rf"1 broken files \(000{place}: .*{words}"):
        check(tmp_path / "s")


@pytest.mark.parametrize("target", ["../.git/annex/objects/Xx/MD5E--0.dcm", "0005"])
@pytest.mark.parametrize("gone", [(4, 5), (5,), range(6)])
def test_links_that_lead_nowhere_are_no_missing_slices(tmp_path, gone, target):
    slices = make_series(body(), describe(), tmp_path / "s")
    files = save_series(slices, tmp_path / "s")
    for k in gone:
        files[k].unlink()
        # 0005 leads to itself.
        files[k].symlink_to(target)
    with pytest.raises(SeriesError, match=rf"holds {len(gone)} links? that leads? nowhere.*fetch the content"):
        check(tmp_path / "s")


def test_images_and_masks_that_are_links_to_nothing_are_refused_in_words(tmp_path):
    save_series(make_series(body(), describe(), tmp_path / "s"), tmp_path / "s")
    for name in ("a.nii.gz", "folder", "m.nii.gz"):
        (tmp_path / name).symlink_to("nowhere")
    cohort = cohort_of({"P1": "a.nii.gz", "P2": "folder", "P3": "s"}, "CT", {"P3": "m.nii.gz"})
    problems = check_sources(cohort, ["P1", "P2", "P3"], tmp_path, FileCache(None, HEADER_FACTS_VERSION))[1]
    assert [p.patient for p in problems] == ["P1", "P2", "P3"]
    assert {p.what for p in problems} == {"is a link that leads nowhere"}


@pytest.mark.parametrize("syntax", ["rle", "jpeg-ls", "jpeg 2000", "jpeg lossless"])
def test_compressed_files_that_were_cut_off_are_known_by_their_fragments(tmp_path, syntax):
    slices = make_series(body(), describe(), tmp_path / "s")
    file = save_series(slices, tmp_path / "s", syntax)[5]
    whole = file.read_bytes()
    assert "Broken" not in file_facts(file)["headers"][0]
    # Without the delimiter alone no pixel is lost.
    for lost, reason in ((8, None), (16, "it ends before its pixels do"), (60, "it ends before its pixels do")):
        file.write_bytes(whole[:-lost])
        assert file_facts(file)["headers"][0].get("Broken") == reason


def test_a_file_that_may_not_be_read_is_refused_in_words(tmp_path, monkeypatch):
    files = save_series(make_series(body(), describe(), tmp_path / "s"), tmp_path / "s")
    opened = open

    def refuse(file, *args, **kwargs):
        if str(file) == str(files[5]):
            raise PermissionError(13, "Permission denied")
        return opened(file, *args, **kwargs)

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(SeriesError, match=r"0005: it cannot be read: Permission denied"):
        check(tmp_path / "s")


def test_a_ct_without_headers_in_an_mr_cohort_is_refused(tmp_path):
    """Of the slices of `write_cohort` 156 of 256 pixels are air at -1000 HU, the others have 60 HU."""
    write_cohort(tmp_path, [patient_row(k) for k in range(2)])
    found = problems_of(tmp_path, {"modality": "MR"})
    assert [patient for patient, _ in found] == ["P0", "P1"]
    assert found[0][1].startswith("is no MR: 61% of the voxels lie from -1100 to -850, where air is in a CT, and 39%")
    assert problems_of(tmp_path) == []


def test_values_of_an_mr_have_no_signs_of_a_ct():
    rng = np.random.default_rng(1)
    shape = (8, 40, 40)
    magnitude = np.abs(rng.normal(0, 20, shape))
    magnitude[:, 10:30, 10:30] += 400
    # Magnitudes, z-scores, and magnitudes about their mean.
    for values in (magnitude, (magnitude - magnitude.mean()) / magnitude.std(), magnitude - magnitude.mean()):
        assert signs_of_ct(values) == []
    ct = np.where(magnitude > 200, 60.0, -1000.0) + rng.normal(0, 15, shape)
    # Hand: 20 x 20 of 40 x 40 pixels are tissue.
    assert np.allclose(signs_of_ct(ct), [0.75, 0.25], atol=0.001)
