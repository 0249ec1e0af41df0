"""Every other slice of another phase, and nothing in the headers that says so: the voxels do."""

from __future__ import annotations

import tarfile

import numpy as np
import pytest
import SimpleITK as sitk
from exports import describe, make_series, save_enhanced, save_series
from scipy import ndimage
from test_image_reading import cohort_of

from hcc_recurrence.cohort.alternation import LEAST, MUCH, alternation_of_volume, middle_slices
from hcc_recurrence.cohort.checks import check_sources
from hcc_recurrence.cohort.dicom_headers import HEADER_FACTS_VERSION
from hcc_recurrence.cohort.series_voxels import read_series
from hcc_recurrence.problems import Notice
from hcc_recurrence.provenance import FileCache

STEP, NUMBER = 3.0, 20


def scan(enhanced=1.0, modality="CT", seed=0):
    """Organs of some centimetres in a body, with noise, (z, y, x); `enhanced`: how far those that take up contrast
    medium rise."""
    rng = np.random.default_rng(seed)
    shape = (NUMBER, 96, 80)
    _, y, x = np.indices(shape)
    inside = ((y - 48) / 96) ** 2 + ((x - 40) / 80) ** 2 < 0.2
    organs = ndimage.gaussian_filter(np.random.default_rng(1).normal(size=shape), (15 / STEP, 8, 8))
    organs = np.clip(organs / organs.std(), 0, 2)
    hu = np.where(inside, 40 + 50 * enhanced * organs, -1000) + rng.normal(0, 12, shape)
    return hu if modality == "CT" else np.clip(hu + 300, 0, None)


def in_turns(one, other):
    return np.where((np.arange(len(one)) % 2)[:, None, None], other, one)


def measured(voxels, is_ct=True):
    return alternation_of_volume(voxels, is_ct)


@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_slices_of_two_phases_in_turns_differ_more_from_their_neighbours_than_from_the_next_but_one(modality):
    plain, portal = (scan(enhanced, modality, seed) for seed, enhanced in enumerate((0.2, 1.0)))
    # Without contrast medium there is little but noise.
    assert measured(portal, modality == "CT") < 0.85 and measured(plain, modality == "CT") < 1.02 < MUCH
    assert measured(in_turns(plain, portal), modality == "CT") > 1.4 > MUCH


def test_noise_and_phantoms_and_what_is_too_short_are_no_phases_in_turns():
    noise = np.random.default_rng(0).normal(size=(400, 24, 24))
    assert max(measured(noise[k : k + 20], False) for k in range(0, 380, 20)) < 1.06 < MUCH
    assert measured(np.ones((20, 8, 8))) == 0
    # Each slice twice.
    assert measured(np.repeat(scan(), 2, axis=0)) < MUCH
    turned = in_turns(scan(0.0), scan(1.0))
    assert measured(turned[: LEAST - 1]) == 0 < measured(turned[:LEAST])
    assert list(middle_slices(4)) == [0, 1, 2, 3] and list(middle_slices(41)) == list(range(13, 28))


def problems_of(root, path, modality):
    return check_sources(cohort_of({"P1": path}, modality), ["P1"], root, FileCache(None, HEADER_FACTS_VERSION))[1]


@pytest.mark.parametrize("modality", ["CT", "MR"])
@pytest.mark.parametrize("how", ["files", "rle", "enhanced", "nifti"])
def test_two_phases_in_turns_that_no_header_tells_are_named(tmp_path, how, modality):
    plain, portal = scan(0.1, modality), scan(1.0, modality, 1)
    for name, voxels in (("one", portal), ("two", in_turns(plain, portal))):
        slices = make_series(voxels, describe(modality, spacing=(STEP, 1.5, 1.25)), tmp_path / name)
        path = name
        if how == "enhanced":
            save_enhanced(slices, tmp_path / name / "e")
        elif how == "nifti":
            path = f"{name}.nii.gz"
            sitk.WriteImage(sitk.GetImageFromArray(voxels.astype(np.float32)), str(tmp_path / path))
        else:
            save_series(slices, tmp_path / name, "explicit" if how == "files" else how)
        found = problems_of(tmp_path, path, modality)
        if name == "one":
            assert found == []
            continue
        assert [type(p) for p in found] == [Notice]
        assert found[0].patient == "P1" and found[0].file == f"portal series {path}"
        assert found[0].what.startswith("every other slice differs from those between: neighbours differ ")
        assert found[0].remedy.startswith("look at it from the side")


def test_the_notice_says_how_much_later_every_other_slice_was_acquired(tmp_path):
    """As the header of a 2D MR says it in one acquisition as well, which is therefore not refused."""
    slices = make_series(in_turns(scan(0.1, "MR"), scan(1.0, "MR", 1)), describe("MR"), tmp_path / "s")
    for k, data in enumerate(slices):
        data.MRAcquisitionType, data.AcquisitionTime = "2D", f"10{k % 2}0{k:02d}"
    save_series(slices, tmp_path / "s")
    (found,) = problems_of(tmp_path, "s", "MR")
    assert isinstance(found, Notice)
    assert found.what.endswith("; by the headers every other slice was acquired 601 s after the others")
    for data in slices:
        data.MRAcquisitionType, data.AcquisitionTime = "3D", data.AcquisitionTime[:4] + "00"
    save_series(slices, tmp_path / "s")
    (found,) = problems_of(tmp_path, "s", "MR")
    assert not isinstance(found, Notice) and found.what == "holds 2 stacks (several phases in one series)"
    assert found.remedy.startswith("name one in the column part: time 1 (10 slices), time 2 (10 slices); or all")


@pytest.mark.shared_data
def test_limits_lie_between_real_series_and_two_phases_made_of_them(shared_data, tmp_path):
    """A CT of 5 mm: 0.56 as it is; 2.0 with odd slices unenhanced, 1.6 with a fifth of the enhancement. Three MR, also
    with odd slices that are a twentieth brighter, as slices that disturb each other are."""
    voxels = sitk.GetArrayFromImage(read_series(shared_data / "crlm_1004/dicom")).astype(float)
    organs = (voxels > 40) & (voxels < 350)
    assert measured(voxels) < 0.7
    for enhanced, least in ((0.0, 1.8), (0.2, 1.5)):
        other = np.where(organs, 40 + (voxels - 40) * enhanced, voxels)
        assert measured(in_turns(voxels, other)) > least > MUCH
    with tarfile.open(shared_data / "sts/mr_t1.tar.gz") as archive:
        for patient in ("STS_027", "STS_032", "STS_005"):
            own = [m for m in archive.getmembers() if f"/{patient}/MR_T1/image/" in m.name]
            archive.extractall(tmp_path, own, filter="data")
    for folder in sorted(tmp_path.glob("**/image")):
        voxels = sitk.GetArrayFromImage(read_series(folder)).astype(float)
        assert measured(voxels, False) < 0.7
        assert measured(in_turns(voxels, 1.05 * voxels), False) < 1.0 < MUCH
