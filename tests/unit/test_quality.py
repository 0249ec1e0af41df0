"""Pictures of masks on images: planes through the tumour, the right way up, however the image was stored."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from PIL import Image

from hcc_recurrence.figures.quality import (
    COLOURS,
    GAP,
    carried_words,
    encoded,
    grey_values,
    lesion_words,
    three_planes,
    thumbnail,
    thumbnail_page,
)

SHAPE, SPACING = (20, 60, 40), (3.0, 1.0, 2.0)


def scene():
    """A bright block at the front of the top of the patient's left, with its mask."""
    voxels = np.zeros(SHAPE, np.float32)
    voxels[15:18, 5:15, 28:36] = 200.0
    image, mask = sitk.GetImageFromArray(voxels), sitk.GetImageFromArray((voxels > 0).astype(np.uint8))
    for one in (image, mask):
        one.SetSpacing(SPACING[::-1])
    return image, mask


def test_three_planes_go_through_the_tumour():
    image, mask = scene()
    picture = three_planes(image, {"R1": mask}, "CT")
    axial = picture[:60, :80]
    # Front up, the patient's left on the right; 1 mm a pixel.
    marked = (axial == COLOURS[0]).all(axis=-1)
    rows, columns = np.nonzero(marked)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (5, 14, 56, 71)
    assert (axial[10, 64] > 200).all() and (axial[40, 10] < 120).all()
    coronal = picture[:60, 80 + GAP : 160 + GAP]
    rows, _ = np.nonzero((coronal == COLOURS[0]).all(axis=-1))
    assert rows.min() == 60 - 18 * 3 and rows.max() == 60 - 15 * 3 - 1, "cranial is up"
    assert picture.dtype == np.uint8 and picture.shape == (60, 80 + 80 + 60 + 3 * GAP, 3)


@pytest.mark.parametrize("flips", [(True, False, False), (False, True, True)])
def test_the_way_an_image_is_stored_changes_nothing(flips):
    image, mask = scene()
    turned = [sitk.PermuteAxes(sitk.Flip(one, flips), (2, 0, 1)) for one in (image, mask)]
    expected = three_planes(image, {"R1": mask}, "CT")
    np.testing.assert_array_equal(three_planes(turned[0], {"R1": turned[1]}, "CT"), expected)


def test_a_mask_on_the_wrong_side_is_seen_and_readers_have_colours():
    image, mask = scene()
    array = sitk.GetArrayFromImage(mask)[:, :, ::-1]
    wrong = sitk.GetImageFromArray(np.ascontiguousarray(array))
    wrong.CopyInformation(mask)
    axial = three_planes(image, {"R1": mask, "R2": wrong}, "CT")[:60, :80]
    for colour, side in ((COLOURS[0], slice(40, 80)), (COLOURS[1], slice(0, 40))):
        marked = (axial == colour).all(axis=-1)
        assert marked.sum() > 20 and marked[:, side].sum() == marked.sum()
    assert three_planes(image, {}, "CT").shape == three_planes(image, {"R1": mask}, "CT").shape


def test_grey_values_and_thumbnails():
    assert grey_values(np.array([-1000.0, -160, 40, 240, 3000]), "CT").tolist() == [0, 0, 127, 255, 255]
    signal = np.concatenate([np.zeros(50), np.linspace(100, 200, 1001)])
    assert grey_values(signal, "MR")[[0, 50 + 500, -1]].tolist() == [0, 127, 255]
    image, mask = scene()
    small = thumbnail(image, {"R1": mask}, "CT")
    assert small.shape == (40, 53, 3)
    page = thumbnail_page(
        {"P<1": {"arterial": encoded(small)}, "P2": {"portal": encoded(small)}},
        "T",
        "note",
        {("P2", "portal"): "carried"},
        {("P2", "portal"): "batch1/P2.portal.jpg"},
    )
    assert page.count('<a href="batch1/P2.portal.jpg"') == 1 and page.count("<a ") == 1
    assert page.count("<small>carried</small>") == 1
    assert "P&lt;1" in page and page.count("data:image/jpeg;base64,") == 2 and page.count("<td></td>") == 2
    assert Image.open(io.BytesIO(encoded(small))).size == (53, 40)
    # What must be said of it stands below: none of the picture is covered.
    said = Image.open(io.BytesIO(encoded(small, "Simulated"))).convert("L")
    assert said.width == 53 and said.height > 40
    below = np.asarray(said)[40:]
    assert below.max() > 250 and below.min() < 150


def test_words_under_pictures():
    row = pd.Series(
        {"from_phase": "portal", "by": "registration", "shift_mm": 4.24, "angle_deg": 1.0, "failed": np.nan}
    )
    assert carried_words(row) == "mask propagated from portal, moved 4.2 mm, turned 1.0°"
    failed = carried_words(row.replace({np.nan: "gone astray"}))
    assert failed == "mask propagated from portal as it lies: registration failed (gone astray)"
    assert carried_words(row.replace({"registration": "physical_space"})) == "mask propagated from portal as it lies"
    assert lesion_words(1, 1, "largest") == lesion_words(1, None, "largest") == ""
    assert lesion_words(3, None, "largest") == "3 lesions in the mask, the largest is used"
    assert lesion_words(3, 2, "all") == "3 lesions in the mask, all are used; the sheet says 2"
    assert lesion_words(1, 2, "all") == "1 lesion in the mask, the sheet says 2"
