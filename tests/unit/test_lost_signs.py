"""Pixels whose header has the wrong sign: small negative values as large ones, large ones as negative."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from exports import describe, make_series, save_series
from scipy import ndimage
from test_image_reading import check, cohort_of

from hcc_recurrence.cohort.checks import check_sources
from hcc_recurrence.cohort.dicom_headers import HEADER_FACTS_VERSION
from hcc_recurrence.cohort.dicom_series import SeriesError
from hcc_recurrence.cohort.lost_signs import sign_doubt
from hcc_recurrence.cohort.series_voxels import read_series
from hcc_recurrence.provenance import FileCache

SHAPE = (6, 60, 50)


def smooth(seed=0):
    """Values from -1 to 1 that change over several pixels, (z, y, x)."""
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=SHAPE), (1, 3, 3))
    return field / np.abs(field).max()


def write(folder, stored, bits, signed, modality="MR", syntax="explicit"):
    """A series of stored values, of so many bits, whatever their sign."""
    slices = make_series(np.zeros(SHAPE), describe(modality), folder)
    for data, own in zip(slices, np.rint(stored).astype(np.int64), strict=True):
        data.BitsStored, data.HighBit, data.PixelRepresentation = bits, bits - 1, int(signed)
        data.PixelData = (own % 2**bits).astype("<u2").tobytes()
    save_series(slices, folder, syntax)
    return folder


@pytest.mark.parametrize("bits", [12, 16])
@pytest.mark.parametrize("syntax", ["explicit", "rle"])
def test_negative_values_without_their_sign_are_refused_before_the_first_job(tmp_path, bits, syntax):
    """Filtered images overshoot: a few below 0 beside dark tissue."""
    folder = write(tmp_path / "s", 5 + 60 * smooth(), bits, signed=False, syntax=syntax)
    for read in (check, read_series):
        with pytest.raises(SeriesError, match=rf"jump by \d+ of {2**bits} .* negative values lost their sign") as error:
            read(folder)
        assert "(without a sign, as its header says)" in error.value.what
        assert "PixelRepresentation" in error.value.remedy


@pytest.mark.parametrize("bits", [12, 16])
def test_large_values_that_are_read_with_a_sign_are_refused(tmp_path, bits):
    folder = write(tmp_path / "s", 2 ** (bits - 1) * (1 + 0.5 * smooth()), bits, signed=True)
    with pytest.raises(SeriesError, match="values above half of the range became negative"):
        check(folder)


def test_a_slice_beside_the_middle_one_is_refused_when_it_is_converted(tmp_path):
    stored = 200 + 60 * smooth()
    stored[1] -= 200 + stored[1].mean() - 200
    folder = write(tmp_path / "s", stored, 16, signed=False)
    check(folder)
    with pytest.raises(SeriesError, match="0001 has stored values that jump"):
        read_series(folder)


@pytest.mark.parametrize("kind", [np.uint16, np.int16])
def test_an_image_file_of_the_wrong_sign_is_refused(tmp_path, kind):
    stored = np.rint((5 if kind is np.uint16 else 2**15) + 400 * smooth()).astype(np.int64)
    for name, own in (("wrong", (stored % 2**16).astype(np.uint16).view(kind)), ("right", stored.astype(np.int32))):
        sitk.WriteImage(sitk.GetImageFromArray(own), str(tmp_path / f"{name}.nii.gz"))
        cohort = cohort_of({"P1": f"{name}.nii.gz"}, "MR")
        problems = check_sources(cohort, ["P1"], tmp_path, FileCache(None, HEADER_FACTS_VERSION))[1]
        assert [p.what.startswith("has stored values that jump by 65") for p in problems] == [True] * (name == "wrong")


def masked(highest):
    """Nothing around a disc of bright pixels, one in four of which is darker."""
    y, x = np.indices(SHAPE[1:])
    inside = (y - 30) ** 2 + (x - 25) ** 2 < 300
    return np.where(inside, highest * np.random.default_rng(0).uniform(0.6, 1.1, inside.shape), 0).clip(0, highest)


ORDINARY = {
    "the whole range of 12 bits": (lambda: 2047 * (1 + smooth()[2]), 12, False),
    "the whole range with a sign": (lambda: 2047 * smooth()[2], 12, True),
    "16 bits": (lambda: 32767 * (1 + smooth()[2]), 16, False),
    "below 0 with a sign": (lambda: 5 + 60 * smooth()[2], 16, True),
    "saturated, and 0 around": (lambda: masked(4095), 12, False),
    "padding of -32768": (lambda: np.where(masked(1) > 0, 500 + 100 * smooth()[2], -32768), 16, True),
    "letters": (lambda: np.where(np.indices(SHAPE[1:])[1] % 9 == 0, 4095, 300 + 90 * smooth()[2]), 12, False),
    "letters on nothing": (lambda: np.where(np.indices(SHAPE[1:])[1] % 9 == 0, 4095, 0.0), 12, False),
    "a CT with metal": (lambda: np.clip(1064 + 40 * smooth()[2] + 9000 * (smooth(1)[2] > 0.5), 0, 4095), 12, False),
    "one dead pixel": (lambda: np.where(np.indices(SHAPE[1:]).sum(axis=0) == 0, 65535, 9 + 9 * smooth()[2]), 16, False),
}


@pytest.mark.parametrize("how", ORDINARY)
def test_an_image_of_its_own_sign_is_not_refused(how):
    make, bits, signed = ORDINARY[how]
    values = np.rint(make())
    assert sign_doubt(values, {"BitsStored": bits, "PixelRepresentation": int(signed)}) == ""
    scaled = {"BitsStored": bits, "PixelRepresentation": int(signed), "RescaleSlope": 2.5, "RescaleIntercept": -1024}
    assert sign_doubt(values * 2.5 - 1024, scaled) == ""


def test_noise_of_all_values_is_no_lost_sign():
    # As the phase of a complex image is in air.
    noise = np.random.default_rng(0).integers(0, 4096, (64, 64))
    assert sign_doubt(noise, {"BitsStored": 12, "PixelRepresentation": 0}) == ""
