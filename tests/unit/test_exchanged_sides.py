"""A header with rows and columns exchanged: the picture is a pattern of stripes, and no number says so."""

from __future__ import annotations

import numpy as np
import pytest
from exports import describe, make_series, save_series
from scipy import ndimage
from test_image_reading import check

from hcc_recurrence.cohort.dicom_series import SeriesError
from hcc_recurrence.cohort.exchanged_sides import check_sides


def tissue(rows, columns, seed=0):
    return 500 + 3000 * ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(6, rows, columns)), (1, 3, 3))


@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_exchanged_rows_and_columns_are_refused_before_the_first_job(tmp_path, modality):
    voxels = tissue(48, 64) - (450 if modality == "CT" else 0)
    if modality == "CT":
        voxels[:, :, :12] = -1000
    slices = make_series(voxels, describe(modality), tmp_path / "right")
    save_series(slices, tmp_path / "right")
    check(tmp_path / "right")
    for data in slices:
        data.Rows, data.Columns = data.Columns, data.Rows
    save_series(slices, tmp_path / "wrong")
    with pytest.raises(SeriesError, match="64 rows and 48 columns in its header, and its pixels are those of 48 rows"):
        check(tmp_path / "wrong")


def test_other_images_are_not_refused():
    noise = np.random.default_rng(0).normal(size=(40, 14, 12))
    stripes = np.zeros((48, 64)) + (np.arange(48) % 2)[:, None]
    for image in (*noise, *tissue(48, 64), *tissue(64, 48), *tissue(65, 64), *tissue(64, 64), np.zeros((4, 6))):
        check_sides(image, "a")
    check_sides(tissue(48, 64)[0] + 100 * stripes, "a")
