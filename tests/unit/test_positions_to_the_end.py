"""From slices of any orientation to the resampled NIfTI: each voxel holds what lies at its place in the patient."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from exports import describe, make_series, save_series
from scipy.spatial.transform import Rotation

from hcc_recurrence.cohort.mask_files import read_mask
from hcc_recurrence.cohort.series_voxels import read_series
from hcc_recurrence.imaging.nifti import write_image
from hcc_recurrence.imaging.resampling import resample_image, resample_mask

SHAPE, SPACING = (14, 19, 26), (3.2, 1.1, 1.7)
# Directions of x, y and z as columns.
ORIENTATIONS = {
    "prone": np.diag([-1.0, -1.0, 1.0]),
    "feet first": np.diag([-1.0, 1.0, -1.0]),
    "sagittal": np.array([[0.0, 0, -1], [1, 0, 0], [0, -1, 0]]),
    "oblique": Rotation.from_euler("xyz", [17, -9, 24], degrees=True).as_matrix(),
}


def field(points):
    """A value that is linear in the place, (n, 3), mm: linear interpolation keeps it, and no direction is another's."""
    return points @ np.array([3.0, -7.0, 11.0]) + 2000


def places(image):
    """Places of all voxels, in the order of the array, (n, 3), mm."""
    size = image.GetSize()
    z, y, x = np.meshgrid(*[np.arange(n) for n in size[::-1]], indexing="ij")
    index = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1) * np.array(image.GetSpacing())
    return np.array(image.GetOrigin()) + index @ np.array(image.GetDirection()).reshape(3, 3).T


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_every_voxel_holds_what_lies_at_its_place(tmp_path, name):
    header, turn = describe("MR", spacing=SPACING), ORIENTATIONS[name]
    grid = sitk.Image(SHAPE[::-1], sitk.sitkUInt8)
    grid.SetSpacing(SPACING[::-1])
    grid.SetOrigin(header.origin)
    grid.SetDirection(turn.ravel())
    voxels = field(places(grid)).reshape(SHAPE).astype(np.float32)
    lesion = np.zeros(SHAPE, np.uint8)
    lesion[3:8, 4:15, 6:11] = 1
    lesion[3:5, 10:15, 6:8] = 0
    slices = make_series(voxels, header, tmp_path / "s", turn)
    order = np.random.default_rng(1).permutation(len(slices))
    save_series([slices[k] for k in order], tmp_path / "s")
    drawn = sitk.GetImageFromArray(lesion)
    drawn.CopyInformation(grid)
    # As a program that re-orders axes saves it.
    sitk.WriteImage(sitk.Flip(sitk.PermuteAxes(drawn, (1, 2, 0)), (True, False, True)), str(tmp_path / "m.nii.gz"))
    image = read_series(tmp_path / "s")
    mask = read_mask(tmp_path / "m.nii.gz", "", image).image
    assert np.abs(sitk.GetArrayFromImage(image).ravel() - field(places(image))).max() <= 0.6
    for spacing in ((1.5, 1.5, 1.5), (4.0, 0.9, 2.2)):
        write_image(resample_image(sitk.Cast(image, sitk.sitkFloat32), spacing), tmp_path / "i.nii.gz")
        write_image(resample_mask(mask, spacing), tmp_path / "r.nii.gz")
        found, tumour = (sitk.ReadImage(str(tmp_path / f"{one}.nii.gz")) for one in ("i", "r"))
        assert found.GetSpacing() == pytest.approx(spacing[::-1]) and found.GetSize() == tumour.GetSize()
        at = places(found)
        own = (at - header.origin) @ turn / np.array(SPACING[::-1])
        inside = ((own >= 0) & (own <= np.array(SHAPE[::-1]) - 1)).all(axis=1)
        assert inside.mean() > 0.3
        assert np.abs(sitk.GetArrayFromImage(found).ravel() - field(at))[inside].max() <= 0.7
        # The nearest voxel of the lesion; places half way between two may fall on either side.
        nearest = np.clip(np.rint(own).astype(int), 0, np.array(SHAPE[::-1]) - 1)
        sure = inside & (np.abs(np.abs(own - np.floor(own)) - 0.5) > 1e-3).all(axis=1)
        expected = lesion[nearest[:, 2], nearest[:, 1], nearest[:, 0]]
        assert (
            np.array_equal(sitk.GetArrayFromImage(tumour).ravel()[sure], expected[sure]) and expected[sure].sum() > 50
        )
