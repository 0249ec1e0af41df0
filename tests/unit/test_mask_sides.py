"""Masks that were turned against their images: in air, or on the left in nearly all patients."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from exports import describe, make_series, save_series
from test_image_reading import body, cohort_of

from hcc_recurrence.cohort.checks import check_sources
from hcc_recurrence.cohort.dicom_headers import HEADER_FACTS_VERSION
from hcc_recurrence.cohort.mask_files import check_in_body, read_mask
from hcc_recurrence.cohort.mask_sides import said_of_sides
from hcc_recurrence.cohort.masks import MaskError
from hcc_recurrence.cohort.series_voxels import read_series
from hcc_recurrence.problems import Notice
from hcc_recurrence.provenance import FileCache

SPACING = (3.0, 1.5, 1.25)
# Columns rise to the patient's left.
RIGHT, LEFT = slice(2, 5), slice(14, 17)


def save_mask(path, image, columns, rows=slice(5, 9), orientation="LPS"):
    array = np.zeros(image.GetSize()[::-1], np.uint8)
    array[1:4, rows, columns] = 1
    mask = sitk.GetImageFromArray(array)
    mask.CopyInformation(image)
    sitk.WriteImage(sitk.DICOMOrient(mask, orientation), str(path))


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    folder = tmp_path_factory.mktemp("image") / "s"
    voxels = body()
    save_series(make_series(voxels, describe(spacing=SPACING), folder), folder)
    return folder, read_series(folder), voxels


def test_a_mask_that_lies_in_air_is_refused_on_a_ct(image, tmp_path):
    _, ct, voxels = image
    save_mask(tmp_path / "in.nii.gz", ct, LEFT)
    save_mask(tmp_path / "out.nii.gz", ct, slice(9, 12), slice(0, 3))
    inside, outside = (read_mask(tmp_path / f"{name}.nii.gz", "", ct).image for name in ("in", "out"))
    check_in_body(inside, ct, "CT", "mask portal.R1 (out)")
    part = (voxels[sitk.GetArrayFromImage(outside) > 0] < -300).mean()
    assert part > 0.5
    with pytest.raises(MaskError, match=rf"mask portal.R1 \(out\) lies in air: {part:.0%} of its voxels"):
        check_in_body(outside, ct, "CT", "mask portal.R1 (out)")
    # Air of an MR is not known by its values.
    check_in_body(outside, ct, "MR", "mask")


@pytest.mark.parametrize("orientation", ["LPS", "RAI"])
@pytest.mark.parametrize(("left", "is_said"), [(10, True), (8, True), (7, False), (0, False)])
def test_masks_on_the_left_in_nearly_all_patients_are_named(image, tmp_path, left, is_said, orientation):
    folder, ct, _ = image
    names = [f"P{k}" for k in range(10)]
    for k, name in enumerate(names):
        save_mask(tmp_path / f"{name}.nii.gz", ct, LEFT if k < left else RIGHT, slice(5, 8 + k % 3), orientation)
    cohort = cohort_of(dict.fromkeys(names, folder), "CT", {name: tmp_path / f"{name}.nii.gz" for name in names})
    found = check_sources(cohort, names, tmp_path, FileCache(None, HEADER_FACTS_VERSION))[1]
    said = [p for p in found if isinstance(p, Notice) and "mirrored" in p.what]
    assert len(said) == is_said
    if is_said:
        assert said[0].patient == "" and said[0].file == "m"
        assert said[0].what.startswith(f"masks of R1 lie left of the middle of the image in {left} of 10 patients")


def test_few_patients_tell_nothing():
    assert said_of_sides([True] * 9, "R1") == ""
    assert said_of_sides([True] * 10, "R1")
