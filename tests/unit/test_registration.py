"""Rigid registration: known offsets on simulated MR of different contrast, failures that are said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from workflow_runner import REPOSITORY

from hcc_recurrence.files import read_csv
from hcc_recurrence.imaging.carrying import carry_masks
from hcc_recurrence.imaging.registration import (
    Registration,
    _overlap,
    apply_transform,
    dice,
    register_rigid,
    write_quality,
)
from hcc_recurrence.imaging.resampling import prepare_patient, resample_image, resample_mask
from hcc_recurrence.simulation.anatomy import SCANNERS, render, tumour_mask, voxel_axes
from hcc_recurrence.simulation.patient import SimulatedPatient, place_tumours

ROWS = pd.read_csv(REPOSITORY / "config/demo_mr/simulation.csv", dtype=str).to_dict("records")


def simulated(number: int, phase: str, seed: int) -> tuple[sitk.Image, sitk.Image]:
    """One phase and the true tumour of a demo patient on a 2 mm grid, without breathing."""
    patient = SimulatedPatient.from_row(ROWS[number])
    scanner, tumours = SCANNERS[patient.scanner], place_tumours(patient)
    still = (0.0, 0.0, 0.0)
    volume = render(scanner, scanner.spacing_mm, phase, tumours, still, seed)
    mask = tumour_mask(tumours[0], voxel_axes(scanner.shape, scanner.spacing_mm), still).astype(np.uint8)
    found = []
    for array in (volume, mask):
        image = sitk.GetImageFromArray(array)
        image.SetSpacing(scanner.spacing_mm[::-1])
        image.SetOrigin([-(n - 1) / 2 * s for n, s in zip(scanner.shape[::-1], scanner.spacing_mm[::-1], strict=True)])
        found.append(image)
    return resample_image(found[0], (2, 2, 2), "linear", None), resample_mask(found[1], (2, 2, 2))


def offset(image: sitk.Image, shift_mm: float, angle_deg: float, seed: int) -> sitk.Euler3DTransform:
    """A rigid transform about the middle of the image, in a random direction."""
    generator = np.random.default_rng(seed)
    shift, axis = generator.normal(size=(2, 3))
    transform = sitk.Euler3DTransform()
    transform.SetCenter(image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()]))
    transform.SetTranslation((shift_mm * shift / np.linalg.norm(shift)).tolist())
    transform.SetRotation(*(np.radians(angle_deg) * axis / np.linalg.norm(axis)).tolist())
    return transform


def moved_by(image: sitk.Image, transform: sitk.Transform, is_mask: bool) -> sitk.Image:
    return apply_transform(image, image, transform.GetInverse(), is_mask)


def error_over_tumour(found: sitk.Transform, true: sitk.Transform, mask: sitk.Image) -> float:
    places = np.argwhere(sitk.GetArrayViewFromImage(mask) > 0)[::10, ::-1]
    points = [mask.TransformIndexToPhysicalPoint([int(i) for i in p]) for p in places]
    return float(
        np.mean([np.linalg.norm(np.subtract(found.TransformPoint(p), true.TransformPoint(p))) for p in points])
    )


@pytest.mark.parametrize("by", ["registration", "physical_space"])
def test_a_mask_is_carried_to_where_the_phases_lie(by):
    """The portal phase lies 12 mm and 4 degrees off: its mask comes to where the tumour of the other phase is."""
    fixed, true = simulated(0, "portal", 1)
    moving, own = simulated(0, "arterial", 2)
    away = offset(fixed, 12.0, 4.0, 3)
    images = {"portal": fixed, "arterial": moved_by(moving, away, is_mask=False)}
    there = moved_by(own, away, is_mask=True)
    masks = {"portal.R1": true, "portal.R2": true}
    rows = carry_masks(images, masks, "R1", by, "MR")
    assert rows[["phase", "reader", "from_phase", "by"]].to_numpy().tolist() == [["arterial", "R1", "portal", by]]
    assert sorted(masks) == ["arterial.R1", "portal.R1", "portal.R2"]
    overlap, as_it_lies = dice(there, masks["arterial.R1"]), dice(there, true)
    assert as_it_lies < 0.7
    if by == "physical_space":
        assert overlap == pytest.approx(as_it_lies) and rows["shift_mm"][0] == 0
    else:
        assert overlap > 0.9 and rows["shift_mm"][0] > 8 and not rows["failed"][0]


def test_a_mask_that_cannot_be_carried_is_refused():
    image, mask = simulated(0, "portal", 1)
    far = sitk.Image(image)
    far.SetOrigin([5000.0, 0, 0])
    with pytest.raises(ValueError, match="propagated from the portal to the arterial phase, lies outside"):
        carry_masks({"portal": image, "arterial": far}, {"portal.R1": mask}, "R1", "physical_space", "MR")
    with pytest.raises(ValueError, match="no phase has a mask of reader R2"):
        carry_masks({"portal": image}, {"portal.R1": mask}, "R2", "physical_space", "MR")


PAIRS = tuple(enumerate(("portal", "delayed", "hepatobiliary", "portal", "delayed", "hepatobiliary", "portal")))


def test_a_known_offset_is_recovered_between_phases_of_different_contrast():
    """15 mm and 5 degrees, arterial against the other phases, both field strengths: under 1 mm mean error."""
    errors = []
    for number, phase in PAIRS:
        fixed, fixed_mask = simulated(number, "arterial", 1)
        still, still_mask = simulated(number, phase, 2)
        true = offset(fixed, 15.0, 5.0, number)
        found = register_rigid(fixed, moved_by(still, true, False), fixed_mask, moved_by(still_mask, true, True))
        assert found.failed == "" and found.dice_after > max(found.dice_before, 0.8)
        assert found.metric_after < found.metric_before
        errors.append(error_over_tumour(found.transform, true, fixed_mask))
    print("mean errors over the tumour, mm:", np.round(errors, 2))
    assert np.mean(errors) < 0.8 and max(errors) < 1.5


def test_the_ants_engine_recovers_the_offset_where_it_is_installed():
    pytest.importorskip("ants")
    fixed, fixed_mask = simulated(1, "arterial", 1)
    still, still_mask = simulated(1, "delayed", 2)
    true = offset(fixed, 15.0, 5.0, 1)
    moving, moving_mask = moved_by(still, true, False), moved_by(still_mask, true, True)
    found = register_rigid(fixed, moving, fixed_mask, moving_mask, engine="ants")
    assert found.failed == "" and error_over_tumour(found.transform, true, fixed_mask) < 4.0


def test_the_same_run_gives_the_same_transform():
    fixed, mask = simulated(1, "arterial", 1)
    moving, other = simulated(1, "portal", 2)
    results = [register_rigid(fixed, moving, mask, other).transform.GetParameters() for _ in range(2)]
    assert results[0] == results[1]


def test_a_registration_that_pulls_the_masks_apart_is_refused():
    """The masks say that the phases lie as they should, the images are of two patients."""
    fixed, mask = simulated(1, "arterial", 1)
    moving, _ = simulated(1, "portal", 2)
    true = offset(fixed, 14.0, 0.0, 3)
    found = register_rigid(fixed, moved_by(moving, true, False), mask, mask)
    assert "overlap less" in found.failed and found.shift_mm > 5
    assert found.transform.TransformPoint((10.0, 20.0, 30.0)) == pytest.approx((10.0, 20.0, 30.0))


def test_without_masks_the_whole_image_is_what_is_registered():
    fixed, mask = simulated(1, "arterial", 1)
    moving, _ = simulated(1, "portal", 2)
    true = offset(fixed, 15.0, 5.0, 3)
    found = register_rigid(fixed, moved_by(moving, true, False))
    assert found.failed == "" and np.isnan([found.dice_before, found.dice_after]).all()
    assert error_over_tumour(found.transform, true, mask) < 4.0


def test_phases_of_two_places_are_named_and_left_as_they_lie():
    """No voxel of one image lies where the other one shows anything."""
    fixed, mask = simulated(1, "arterial", 1)
    far = sitk.Image(fixed)
    far.SetOrigin([5000.0, 0, 0])
    found = register_rigid(fixed, far, mask)
    assert found.failed.startswith("the optimiser stopped") and found.shift_mm == 0
    assert found.transform.TransformPoint((1.0, 2.0, 3.0)) == (1.0, 2.0, 3.0)


def test_overlap_is_counted_where_either_mask_is():
    """The same number as over the whole grid, with a mask that moves out of the other one's box."""
    fixed, mask = simulated(3, "arterial", 1)
    away = offset(fixed, 9.0, 12.0, 5)
    there = moved_by(mask, away, True)
    for transform in (sitk.Euler3DTransform(), away, offset(fixed, 40.0, 3.0, 1)):
        whole = dice(mask, apply_transform(there, mask, transform, is_mask=True))
        assert _overlap(mask, there, transform) == whole
    nothing = mask * 0
    assert _overlap(mask, nothing, away) == _overlap(nothing, mask, away) == 0
    assert np.isnan(_overlap(nothing, nothing, away)) and np.isnan(_overlap(None, mask, away))


GRID = {
    "spacing_mm": [2, 2, 2],
    "interpolator": "linear",
    "bias_correction": "none",
    "register_to": "arterial",
    "outside_hu": -1024,
}


def test_a_patient_is_brought_onto_one_grid_with_all_readers_masks():
    fixed, mask = simulated(3, "arterial", 1)
    moving, other = simulated(3, "portal", 2)
    true = offset(fixed, 8.0, 0.0, 4)
    shifted = moved_by(other, true, True)
    # The portal phase has other voxels.
    images = {"arterial": fixed, "portal": resample_image(moved_by(moving, true, False), (4, 2.5, 2.5))}
    masks = {"arterial.R1": mask, "portal.R1": shifted, "portal.R2": shifted}
    found = register_rigid(fixed, images["portal"], mask, shifted)
    placed, drawn = prepare_patient(images, masks, GRID, "MR", {"portal": found.transform})
    assert list(placed) == list(images) and list(drawn) == list(masks)
    assert {image.GetSize() for image in (*placed.values(), *drawn.values())} == {fixed.GetSize()}
    assert dice(mask, drawn["portal.R2"]) > 0.85 > found.dice_before
    with pytest.raises(ValueError, match="delayed phase, which this patient does not have"):
        prepare_patient(images, masks, {**GRID, "register_to": "delayed"}, "MR", {})


def test_a_voxel_of_a_registered_phase_is_interpolated_once():
    """A shift by whole voxels of a phase with the reference's voxels changes no value: nothing is blurred."""
    fixed, mask = simulated(3, "arterial", 1)
    moving, other = simulated(3, "portal", 2)
    by_voxels = sitk.TranslationTransform(3, (4.0, -2.0, 6.0))
    images, masks = {"arterial": fixed, "portal": moving}, {"arterial.R1": mask, "portal.R1": other}
    placed, drawn = prepare_patient(images, masks, GRID, "MR", {"portal": by_voxels})
    inside = (slice(0, -3), slice(1, None), slice(0, -2))
    from_there = (slice(3, None), slice(0, -1), slice(2, None))
    for got, source in ((placed["portal"], moving), (drawn["portal.R1"], other)):
        expected = sitk.GetArrayFromImage(source)[from_there]
        np.testing.assert_allclose(sitk.GetArrayFromImage(got)[inside], expected, rtol=1e-4, atol=1e-3)


def test_the_quality_of_a_registration_is_one_row(tmp_path):
    found = Registration(sitk.Euler3DTransform(), 3.25, 1 / 3, -0.5, -0.75, float("nan"), float("nan"), "why, in words")
    write_quality("007", "portal", found, tmp_path / "portal.csv")
    row = read_csv(tmp_path / "portal.csv").iloc[0]
    assert (row["patient_id"], row["phase"], row["failed"], row["angle_deg"]) == (
        "007",
        "portal",
        "why, in words",
        0.3333333333,
    )
    assert np.isnan(row["dice_before"])
