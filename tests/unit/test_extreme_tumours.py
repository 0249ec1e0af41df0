"""The smallest and the largest tumours, thin and thick slices: from a mask as drawn to grids, crops and features."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from pyradiomics_reference import whole_volume_features
from test_radiomics import SETTINGS, largest_difference

from hcc_recurrence.imaging.patient_crops import crop_of_patient
from hcc_recurrence.imaging.resampling import resample_image, resample_mask
from hcc_recurrence.radiomics.extraction import extract_features

# All that an entry of `crops` may say, as the config fills it in.
CROP = {"window": [], "masked": False, "nodule": "all", "place": "reference", "margin": 0.1, "resize": "linear"}
CROPS = {
    "Cui, SS": {"fit": "voxels", "size_voxels": [10, 150, 150], "window": [-160, 240], "masked": True},
    "Zhao": {"fit": "slices", "size_voxels": [3, 64, 64]},
    "Yan": {"fit": "slices", "size_voxels": [1, 64, 64], "place": "each_phase", "nodule": "largest"},
    "Zhang": {"fit": "views", "size_voxels": [3, 64, 64], "views": ["axial", "sagittal", "coronal"]},
}


def ball(shape, radius_mm, spacing):
    """A ball of 80 in 20, and its mask; spacing is z, y, x in mm."""
    grid = np.ogrid[tuple(slice(n) for n in shape)]
    inside = sum(((g - (n - 1) / 2) * s) ** 2 for g, n, s in zip(grid, shape, spacing, strict=True)) <= radius_mm**2
    image, mask = (
        sitk.GetImageFromArray(a) for a in (np.where(inside, 80, 20).astype(np.float32), inside.astype("u1"))
    )
    for one in (image, mask):
        one.SetSpacing([float(s) for s in spacing[::-1]])
    return image, mask


def volume_ml(mask):
    return float(sitk.GetArrayViewFromImage(mask).sum() * np.prod(mask.GetSpacing()) / 1000)


@pytest.mark.parametrize(
    ("spacing", "shape", "radius"),
    [
        ((0.6, 0.7, 0.7), (60, 40, 40), 10),
        ((8.0, 0.7, 0.7), (9, 80, 80), 20),
        # The smallest volume that a cohort takes unasked: 0.05 ml.
        ((0.6, 0.7, 0.7), (30, 30, 30), 2.29),
    ],
    ids=["thin slices", "thick slices", "the smallest mask"],
)
def test_a_tumour_keeps_its_volume_on_every_grid_of_the_papers(spacing, shape, radius):
    """4/3 pi r^3, as far as voxels can hold it: of the mask as drawn, and of the masks on 1 and 2 mm."""
    _, mask = ball(shape, radius, spacing)
    true = 4 / 3 * np.pi * radius**3 / 1000
    assert volume_ml(mask) == pytest.approx(true, rel=0.1)
    # Of a ball of 50 voxels of 1 mm, or of 6 of 2 mm, most lie at its surface.
    small = radius < 5
    for grid, tolerance in (((1, 1, 1), 0.25 if small else 0.1), ((2, 2, 2), 0.5 if small else 0.2)):
        assert volume_ml(resample_mask(mask, grid)) == pytest.approx(true, rel=tolerance)


@pytest.mark.parametrize("crop", list(CROPS))
@pytest.mark.parametrize("radius", [0.5, 90.0], ids=["one voxel", "larger than the box"])
def test_crops_hold_tumours_of_one_voxel_and_of_180_mm(crop, radius):
    """What is cut is all that the tumour is, and nothing that is no number."""
    image, mask = ball((101, 191, 191), radius, (2.0, 1.0, 1.0))
    image, mask = resample_image(image, (1, 1, 1)), resample_mask(mask, (1, 1, 1))
    entry = {**CROP, **CROPS[crop]}
    data, inside = crop_of_patient([image], [mask], ["arterial"], entry)
    assert data.shape == (1, *entry["size_voxels"]) and np.isfinite(data).all() and inside.any()
    if crop == "Cui, SS":
        # (80 + 160) / 400 inside; of one voxel of 2 mm, on slices of 1 mm half a millimetre off, (65 + 160) / 400.
        assert data[0][inside > 0].max() == pytest.approx(0.6 if radius > 1 else 0.5625)
        assert data[0][inside > 0].min() >= (20 + 160) / 400
        assert (data[0][inside == 0] == 0).all()
        assert inside.sum() == mask_in_box(mask, entry["size_voxels"])
    else:
        # A square about the tumour with a tenth of its extent on each side: pi / 4 of (1 / 1.2) squared for a disk.
        middle = np.asarray(inside).reshape(-1, 64, 64)[entry["size_voxels"][0] // 2 if crop == "Zhao" else 0]
        if radius > 1:
            assert middle.mean() == pytest.approx(np.pi / 4 / 1.44, rel=0.05)


def mask_in_box(mask, size):
    """Voxels of a mask in a box about the middle of its own bounding box."""
    array = sitk.GetArrayFromImage(mask)
    places = np.argwhere(array)
    middle = (places.min(axis=0) + places.max(axis=0) + 1) // 2
    box = tuple(slice(max(m - s // 2, 0), m - s // 2 + s) for m, s in zip(middle, size, strict=True))
    return int(array[box].sum())


@pytest.mark.parametrize("margin", [0, 1], ids=["fills the image", "but for its border"])
def test_a_tumour_that_fills_the_image_has_pyradiomics_features(margin):
    """Nothing is left around it from which filters could take their margin."""
    generator = np.random.default_rng(4)
    image = sitk.GetImageFromArray(generator.normal(100, 30, (24, 26, 28)).astype(np.float32))
    inside = np.zeros((24, 26, 28), np.uint8)
    inside[(slice(margin, -margin or None),) * 3] = 1
    mask = sitk.GetImageFromArray(inside)
    found = extract_features(image, {"R1": mask}, SETTINGS)["R1"]
    assert largest_difference(found, whole_volume_features(image, mask)) < 1e-4
