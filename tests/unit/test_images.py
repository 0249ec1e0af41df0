"""DICOM series, masks, resampling and crops."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from workflow_runner import REPOSITORY

from hcc_recurrence.cohort.dicom_series import SeriesError, check_stack
from hcc_recurrence.cohort.mask_files import read_mask
from hcc_recurrence.cohort.mask_formats import mask_facts
from hcc_recurrence.cohort.masks import MaskError, check_mask
from hcc_recurrence.cohort.series_voxels import read_series
from hcc_recurrence.imaging.crops import (
    centred_box,
    crop_phases,
    crop_with_padding,
    largest_nodule,
    largest_plane,
    resize_square,
    scale_window,
    tumour_slices,
)
from hcc_recurrence.imaging.nifti import write_image
from hcc_recurrence.imaging.resampling import (
    correct_bias,
    normalise_intensity,
    prepare_image,
    resample_image,
    resample_mask,
)
from hcc_recurrence.simulation import anatomy
from hcc_recurrence.simulation.dicom_writer import (
    SeriesHeader,
    write_nifti,
    write_rtstruct,
    write_seg,
    write_series,
)


def header(modality="CT", spacing=(3.0, 1.5, 1.25), origin=(-20.0, 10.0, 5.0)):
    return SeriesHeader("X1", "portal", modality, "M", "m", 1.5, spacing, origin, "20200101", 1960, "F")


def volume(shape=(8, 14, 12), seed=0):
    return np.random.default_rng(seed).integers(-900, 1500, shape).astype(np.float32)


def ball(shape=(8, 14, 12)):
    mask = np.zeros(shape, bool)
    mask[2:6, 4:10, 3:9] = True
    mask[3, 6, 5] = False  # a hole
    return mask


def test_hounsfield_units_order_and_geometry(tmp_path):
    hu = volume()
    write_series(hu, header(), tmp_path / "s")
    image = read_series(tmp_path / "s")
    assert image.GetPixelIDTypeAsString() == "16-bit signed integer"
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), hu)
    assert image.GetSpacing() == pytest.approx((1.25, 1.5, 3.0))
    assert image.GetOrigin() == pytest.approx((-20, 10, 5))
    slices = [pydicom.dcmread(f) for f in (tmp_path / "s").iterdir()]
    for one in slices:  # a second reader of the same voxels
        z = round((one.ImagePositionPatient[2] - 5) / 3)
        stored = one.pixel_array * one.RescaleSlope + one.RescaleIntercept
        np.testing.assert_array_equal(sitk.GetArrayFromImage(image)[z], stored)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.tuples(st.floats(0.8, 7), st.floats(0.4, 2), st.floats(0.4, 2)),
    st.tuples(*[st.floats(-300, 300)] * 3),
    st.integers(0, 10**6),
)
def test_any_geometry_comes_back(tmp_path_factory, spacing, origin, seed):
    """Random spacing, origin and file names; image exact, masks of all three formats exact."""
    folder = tmp_path_factory.mktemp("geometry")
    spacing = tuple(round(s, 3) for s in spacing)
    about = header("MR", spacing, tuple(round(o, 2) for o in origin))
    voxels = np.abs(volume(seed=seed))
    slices = write_series(voxels, about, folder / "s")
    generator = np.random.default_rng(seed)
    names = generator.permutation(len(slices))
    for name, file in zip(names, sorted((folder / "s").iterdir()), strict=True):
        file.rename(folder / "s" / f"x{name}")
    image = read_series(folder / "s")
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), voxels)
    assert image.GetOrigin() == pytest.approx(about.origin, abs=1e-3)
    assert image.GetSpacing() == pytest.approx(spacing[::-1], abs=1e-4)
    mask = ball()
    write_seg(mask, slices, "T", folder / "a.dcm")
    write_rtstruct(mask, slices, "T", folder / "b.dcm")
    write_nifti(mask, about, 255, folder / "c.nii.gz")
    for name in ("a.dcm", "b.dcm", "c.nii.gz"):
        label = "T" if name.endswith("dcm") else ""
        found = sitk.GetArrayFromImage(read_mask(folder / name, label, image).image)
        np.testing.assert_array_equal(found.astype(bool), mask, err_msg=name)


def headers(z, **changes):
    return [
        {
            "Modality": "CT",
            "Rows": 4,
            "Columns": 4,
            "ImagePositionPatient": [0.0, 0.0, float(p)],
            "ImageOrientationPatient": [1.0, 0, 0, 0, 1, 0],
            "PixelSpacing": [1.0, 1.0],
            "RescaleSlope": 1.0,
            "RescaleIntercept": 0.0,
            **changes,
        }
        for p in z
    ]


@pytest.mark.parametrize(
    ("slices", "words"),
    [
        (headers([0, 2, 4, 8, 10]), "a slice is probably missing"),
        (headers([0, 2, 2, 4, 6]), "carry more than one slice"),
        (headers([0, 2]), "only 2 slices"),
        (headers([0, 2, 4]) + headers([6], PixelSpacing=[2.0, 2.0]), "differ in PixelSpacing"),
        (headers([0, 2, 4]) + headers([6], Rows=8), "differ in Rows"),
        (headers([0, 2, 4]) + headers([6], ImageOrientationPatient=[0.0, 1, 0, 0, 0, 1]), "not parallel"),
        (
            [{k: v for k, v in h.items() if k != "RescaleSlope"} for h in headers([0, 2, 4])],
            "Hounsfield units are unknown",
        ),
        (
            [{**h, "ImagePositionPatient": [0.0, i * 0.8, i * 2.0]} for i, h in enumerate(headers([0, 2, 4, 6]))],
            "gantry tilt",
        ),
    ],
)
def test_stacks_that_cannot_be_trusted_are_refused(slices, words):
    with pytest.raises(SeriesError, match=words):
        check_stack(slices)


def test_reversed_stacks_and_rounded_positions_are_accepted():
    check_stack(headers([8.01, 6, 4, 1.99, 0]))


def test_several_series_in_a_folder_need_a_name(tmp_path):
    write_series(volume(), header(), tmp_path / "s")
    other = SeriesHeader("X1", "arterial", "CT", "M", "m", None, (3, 1.5, 1.25), (0, 0, 0), "20200101", 1960, "F")
    write_series(volume(seed=1), other, tmp_path / "t")
    for file in (tmp_path / "t").iterdir():
        shutil.move(file, tmp_path / "s" / f"other_{file.name}")
    with pytest.raises(SeriesError, match="holds 2 series"):
        read_series(tmp_path / "s")
    np.testing.assert_array_equal(sitk.GetArrayFromImage(read_series(tmp_path / "s", other.series_uid)), volume(seed=1))


def test_labels_of_masks_are_checked(tmp_path):
    about = header()
    slices = write_series(volume(), about, tmp_path / "s")
    image = read_series(tmp_path / "s")
    geometry = {"series_uid": about.series_uid, "study_uid": about.uid("study")}
    write_seg(ball(), slices, "Tumour", tmp_path / "m.dcm")
    facts = mask_facts(tmp_path / "m.dcm")
    check_mask(facts, geometry, "Tumour")
    with pytest.raises(MaskError, match=r"no segment or ROI called 'Liver'; it has \['Tumour'\]"):
        check_mask(facts, geometry, "Liver")
    two = sitk.GetImageFromArray((ball() * 1 + np.roll(ball(), 2, 1) * 1).astype(np.uint8))
    two.CopyInformation(image)
    sitk.WriteImage(two, str(tmp_path / "two.nii.gz"))
    with pytest.raises(MaskError, match=r"has the values 1, 2"):
        read_mask(tmp_path / "two.nii.gz", "", image)
    with pytest.raises(MaskError, match="has no voxel of value 3"):
        read_mask(tmp_path / "two.nii.gz", "3", image)


def test_a_flipped_nifti_is_the_same_mask(tmp_path):
    """Physical space decides: a mask saved with other axes lands on the same voxels."""
    write_series(volume(), header(), tmp_path / "s")
    image = read_series(tmp_path / "s")
    mask = sitk.GetImageFromArray(ball().astype(np.uint8))
    mask.CopyInformation(image)
    sitk.WriteImage(sitk.DICOMOrient(mask, "RAS"), str(tmp_path / "m.nii.gz"))
    facts = mask_facts(tmp_path / "m.nii.gz")
    geometry = {
        "size": list(image.GetSize()),
        "spacing": list(image.GetSpacing()),
        "origin": list(image.GetOrigin()),
        "direction": list(image.GetDirection()),
    }
    check_mask(facts, geometry, "")
    np.testing.assert_array_equal(sitk.GetArrayFromImage(read_mask(tmp_path / "m.nii.gz", "", image).image), ball())
    shifted = {**geometry, "origin": [image.GetOrigin()[0] + 2, *image.GetOrigin()[1:]]}
    with pytest.raises(MaskError, match="another grid"):
        check_mask(facts, shifted, "")


def ramp():
    z, y, x = np.mgrid[:10, :12, :14].astype(np.float32)
    image = sitk.GetImageFromArray(100 + 3 * z - 2 * y + x)
    image.SetSpacing((1.5, 2.0, 4.0))
    image.SetOrigin((-7, 3, 20))
    return image


def test_linear_resampling_is_exact_on_a_ramp_and_keeps_the_box():
    image = ramp()
    out = resample_image(image, (1.0, 1.0, 1.0))
    assert out.GetSize() == (21, 24, 40) and out.GetSpacing() == (1, 1, 1)
    corner = np.array(image.GetOrigin()) - np.array(image.GetSpacing()) / 2
    assert np.array(out.GetOrigin()) - 0.5 == pytest.approx(corner)
    array = sitk.GetArrayFromImage(out)
    for index in ((20, 12, 10), (5, 5, 5), (30, 20, 15)):
        x, y, z = (np.array(out.TransformIndexToPhysicalPoint(index[::-1])) - image.GetOrigin()) / image.GetSpacing()
        assert array[index] == pytest.approx(100 + 3 * z - 2 * y + x, abs=1e-3)


def test_padding_below_air_does_not_bleed_in():
    image = ramp()
    image[:, :, 0] = -3024.0
    out = sitk.GetArrayFromImage(resample_image(image, (1, 1, 1), outside=-1024))
    assert out.min() == -1024


def test_masks_stay_binary_and_on_the_images_grid():
    image, mask = ramp(), sitk.Cast(ramp() > 110, sitk.sitkUInt8)
    a, b = resample_image(image, (2, 1, 1)), resample_mask(mask, (2, 1, 1))
    assert a.GetSize() == b.GetSize() and a.GetOrigin() == b.GetOrigin() and a.GetDirection() == b.GetDirection()
    assert set(np.unique(sitk.GetArrayFromImage(b))) == {0, 1}


def test_n4_flattens_a_bias_field():
    shape = (24, 32, 32)
    _, y, x = np.mgrid[: shape[0], : shape[1], : shape[2]]
    inside = ((y - 16) ** 2 + (x - 16) ** 2) < 150
    flat = np.where(inside, 400.0, 2.0)
    biased = flat * np.exp(0.5 * (x - 16) / 16) + np.random.default_rng(0).normal(0, 2, shape)
    image = sitk.GetImageFromArray(np.abs(biased).astype(np.float32))

    def unevenness(array):
        return array[inside].std() / array[inside].mean()

    corrected = sitk.GetArrayFromImage(correct_bias(image, [50, 40, 30], 0.0001, shrink=2))
    assert unevenness(corrected) < 0.4 * unevenness(biased)


def test_n4_of_the_published_settings_leaves_a_bright_tumour_bright(monkeypatch):
    """The field that was put in is known: with a level more N4 took four tenths of an arterial tumour's signal."""
    fields = []

    def known(*arguments):
        fields.append(field(*arguments))
        return fields[-1]

    field = anatomy._bias_field
    monkeypatch.setattr(anatomy, "_bias_field", known)
    scanner = anatomy.SCANNERS["mr_15"]
    tumour = anatomy.Tumour((10.0, -4.0, -32.0), 15.0, 0.12, 11.0, 0.3, 0.3, seed=7)
    voxels = anatomy.render(scanner, scanner.spacing_mm, "arterial", [tumour], (0.0, 0.0, 0.0), seed=7)
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(scanner.spacing_mm[::-1])
    inside = anatomy.tumour_mask(tumour, anatomy.voxel_axes(voxels.shape, scanner.spacing_mm), (0.0, 0.0, 0.0), 1.0) > 0
    body = sitk.GetArrayFromImage(sitk.OtsuThreshold(image, 0, 1, 200)) > 0

    def taken_away(iterations, convergence):
        found = np.log(voxels / sitk.GetArrayFromImage(correct_bias(image, iterations, convergence)))
        wrong = found - np.log(fields[0])
        return wrong[inside].mean() - wrong[body].mean()

    paper = yaml.safe_load((REPOSITORY / "config/papers/yan2023.yaml").read_text())
    entry = paper["entries"]["grids"]["yan2023"]
    published = taken_away(entry["n4_iterations"]["value"], entry["n4_convergence"]["value"])
    assert abs(published) < 0.2 and taken_away([50] * 4, 0.001) > published + 0.15


def test_normalisations_and_their_refusal():
    image = ramp()
    scaled = sitk.GetArrayFromImage(normalise_intensity(image, "percentile_0_255"))
    assert scaled.min() == 0 and scaled.max() == 255
    body = sitk.GetArrayFromImage(normalise_intensity(image, "zscore_body"))
    assert body.min() >= 0 and body.max() <= 1
    with pytest.raises(ValueError, match="unknown normalisation"):
        normalise_intensity(image, "other")
    grid = {
        "spacing_mm": [2, 2, 2],
        "interpolator": "linear",
        "bias_correction": "n4",
        "normalisation": "none",
        "outside_hu": -1024,
    }
    with pytest.raises(ValueError, match="for MR"):
        prepare_image(image, grid, "CT")


def test_crops_are_centred_padded_scaled_and_masked():
    mask = np.zeros((6, 20, 20), np.uint8)
    mask[0:2, 3:8, 10:15] = 1
    start, stop = centred_box(mask, (4, 10, 10))
    assert start.tolist() == [-1, 0, 7] and stop.tolist() == [3, 10, 17]
    image = np.full((6, 20, 20), 40.0)
    crop, inside = crop_phases([image, image + 1000], mask, (4, 10, 10), (-160, 240), masked=True)
    assert inside.shape == (4, 10, 10) and inside.sum() == mask.sum()
    assert crop.shape == (2, 4, 10, 10) and crop.dtype == np.float32
    assert crop[0, 0].max() == 0  # beyond the volume
    assert set(np.unique(crop[0])) == {0, 0.5} and crop[1].max() == 1
    assert (crop[0] > 0).sum() == mask.sum()
    with pytest.raises(ValueError, match="different grids"):
        crop_phases([image[:5]], mask, (4, 10, 10), None, False)


def test_the_other_reading_of_nss_keeps_the_bounding_box_alone():
    """docs/methods.md 1.2: outside the tumour's bounding box everything is 0, inside of it nothing is."""
    mask = np.zeros((6, 20, 20), np.uint8)
    # An L of two arms, whose bounding box is 2 x 5 x 7; it is higher than the box of the crop.
    mask[1:5, 4:9, 3] = 1
    mask[1:5, 8, 3:10] = 1
    image = np.full((6, 20, 20), 40.0)
    crop, inside = crop_phases([image], mask, (2, 12, 12), (-160, 240), "bounding_box")
    assert (crop[0] == 0.5).sum() == 2 * 5 * 7 and inside.sum() == 2 * (5 + 6)
    assert (crop[0][inside > 0] == 0.5).all()
    whole, _ = crop_phases([image], mask, (2, 12, 12), (-160, 240), False)
    alone, _ = crop_phases([image], mask, (2, 12, 12), (-160, 240), True)
    assert [(one == 0.5).sum() for one in (whole, alone)] == [2 * 12 * 12, inside.sum()]


@given(st.integers(-8, 12), st.integers(1, 9))
def test_crop_with_padding_equals_slicing_a_padded_array(first, size):
    array = np.arange(1, 11)
    padded = np.pad(array, 20)
    found = crop_with_padding(array, np.array([first]), np.array([first + size]))
    np.testing.assert_array_equal(found, padded[first + 20 : first + size + 20])


def test_windows_of_the_papers():
    """docs/methods.md 2.2 (Wang: AP level 70 width 150, PP 100/200) and 5.2 (Zhang: 50/250)."""
    for level, width, low, high in ((70, 150, -5, 145), (100, 200, 0, 200), (50, 250, -75, 175)):
        assert (level - width / 2, level + width / 2) == (low, high)
        scaled = scale_window(np.array([low - 100.0, low, level, high, high + 100]), (low, high))
        assert scaled.tolist() == [0, 0, 0.5, 1, 1]


@pytest.mark.shared_data
def test_the_real_ct_is_read_right(shared_data: Path):
    """41 slices of 5 mm, padding far below air becomes air; Hounsfield units as pydicom reads them."""
    folder = shared_data / "crlm_1004/dicom"
    image = read_series(folder)
    assert image.GetSize() == (512, 512, 41)
    assert image.GetSpacing() == pytest.approx((0.797, 0.797, 5), abs=1e-3)
    array = sitk.GetArrayFromImage(image)
    first = min((pydicom.dcmread(f) for f in folder.iterdir()), key=lambda d: float(d.ImagePositionPatient[2]))
    expected = first.pixel_array * float(first.RescaleSlope) + float(first.RescaleIntercept)
    # The header says which value lies outside the field of view: air.
    outside = first.pixel_array == first.PixelPaddingValue
    assert outside.any() and expected.min() < -3000
    np.testing.assert_array_equal(array[0], np.where(outside, -1024, expected))
    mask = sitk.GetArrayFromImage(read_mask(shared_data / "crlm_1004/liver_roi.nii.gz", "", image).image)
    assert mask.sum() == 13711
    assert array[mask > 0].mean() == pytest.approx(120, abs=1)
    assert array[mask > 0].std() == pytest.approx(11.7, abs=0.1)


def test_slices_of_a_tumour_are_the_same_square_of_all_phases():
    """A block of 8 x 12 pixels in slices 3 to 5, widest in slice 4: side 12 * 1.2, centred on the block."""
    mask = np.zeros((9, 40, 40), np.uint8)
    mask[3:6, 16:24, 10:22] = 1
    mask[3, 16] = mask[5, 16] = 0
    z, y, x = np.meshgrid(*map(np.arange, mask.shape), indexing="ij")
    slices, outline = tumour_slices([x.astype(float), 100.0 * z + y], [mask], (3, 48, 48), 0.1)
    assert slices.shape == (2, 3, 48, 48) and slices.dtype == np.float32 and outline.shape == (1, 3, 48, 48)
    # Half-pixel centres: the square goes from 15.5 - 7.2 to 15.5 + 7.2 along x, 0.3 mm a pixel.
    assert slices[0, 0, 0, [0, 1, -1]] == pytest.approx([8.3 + 0.15, 8.3 + 0.45, 22.7 - 0.15])
    assert slices[1, :, 0, 0] == pytest.approx([300 + 12.3 + 0.15, 412.45, 512.45])
    assert outline[0, 1].sum() * 0.3**2 == pytest.approx(8 * 12, rel=0.06)
    assert largest_plane(mask, 0) == 4
    with pytest.raises(ValueError, match="different grids"):
        tumour_slices([x[:5]], [mask], (3, 48, 48), 0.1)
    with pytest.raises(ValueError, match="square"):
        tumour_slices([x], [mask], (3, 48, 40), 0.1)
    with pytest.raises(ValueError, match="empty"):
        tumour_slices([x], [mask * 0], (3, 48, 48), 0.1)


def test_slices_at_the_border_repeat_the_last_one_and_fill_with_the_lowest_value():
    mask = np.zeros((4, 10, 10), np.uint8)
    mask[0, :4, :4] = 1
    image = np.random.default_rng(1).uniform(5, 9, mask.shape)
    slices, outline = tumour_slices([image], [mask], (3, 20, 20), 0.5)
    assert (slices[0, 0] == slices[0, 1]).all() and (slices[0, 1] != slices[0, 2]).any()
    assert slices[0, 1, 0, 0] == pytest.approx(image.min()) and outline[0, 1, 0, 0] == 0


def test_each_phase_may_have_a_slice_and_square_of_its_own():
    """Yan 2023: two phases on grids of their own, the tumour in another place of each."""
    first, second = np.zeros((6, 30, 30), np.uint8), np.zeros((9, 40, 40), np.uint8)
    first[2, 5:15, 5:15] = 1
    second[7, 20:30, 12:22] = 1
    images = [np.where(mask > 0, 50.0, 5.0) + np.arange(len(mask))[:, None, None] for mask in (first, second)]
    slices, outlines = tumour_slices(images, [first, second], (1, 24, 24), 0.1)
    assert slices.shape == outlines.shape == (2, 1, 24, 24)
    assert slices[0, 0, 12, 12] == 52 and slices[1, 0, 12, 12] == 57
    assert np.array_equal(outlines[0], outlines[1]) and outlines.mean() == pytest.approx(1 / 1.2**2, abs=0.03)
    masked, _ = tumour_slices(images, [first, second], (1, 24, 24), 0.1, masked=True)
    assert (masked[0][outlines[0] == 0] == images[0].min()).all()
    assert np.array_equal(masked[0][outlines[0] > 0], slices[0][outlines[0] > 0])
    with pytest.raises(ValueError, match="different grids"):
        tumour_slices(images, [second, first], (1, 24, 24), 0.1)


def test_the_largest_of_several_nodules():
    mask = np.zeros((4, 20, 20), np.uint8)
    mask[1, 2:5, 2:5] = 1
    mask[2:4, 10:16, 10:16] = 1
    mask[1, 9, 9] = 1  # touches by a corner
    kept = largest_nodule(mask)
    assert kept.sum() == 73 and not kept[:, :6, :6].any() and kept[1, 9, 9] == 1
    assert np.array_equal(largest_nodule(kept), kept) and largest_nodule(mask * 0).sum() == 0


def test_a_grid_without_spacing_keeps_the_voxels_and_turns_the_axes():
    array = np.random.default_rng(4).normal(100, 9, (5, 8, 9)).astype(np.float32)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing([0.7, 0.8, 4.0])
    flipped = sitk.Flip(image, [True, False, False])
    assert flipped.GetDirection() != image.GetDirection() or flipped.GetOrigin() != image.GetOrigin()
    kept = resample_image(flipped, [])
    assert kept.GetSpacing() == image.GetSpacing() and kept.GetPixelIDTypeAsString() == "32-bit float"
    assert np.sort(sitk.GetArrayFromImage(kept).ravel()) == pytest.approx(np.sort(array.ravel()))
    mask = resample_mask(sitk.Cast(flipped > 100, sitk.sitkUInt8), [])
    assert mask.GetSize() == kept.GetSize() and mask.GetOrigin() == pytest.approx(kept.GetOrigin())
    # The outside value is the lowest one kept, as on any other grid.
    assert sitk.GetArrayFromImage(resample_image(image, [], outside=95.0)).min() == pytest.approx(95.0)


@pytest.mark.parametrize(("method", "low", "high"), [("percentile_0_255", 0.5, 99.5), ("minmax_0_255", 0, 100)])
def test_grey_values_become_0_to_255(method, low, high):
    array = np.random.default_rng(5).gamma(2, 50, (6, 20, 20)).astype(np.float32)
    found = sitk.GetArrayFromImage(normalise_intensity(sitk.GetImageFromArray(array), method))
    ends = np.percentile(array, [low, high])
    assert found.min() == 0 and found.max() == 255
    assert found == pytest.approx(np.clip((array - ends[0]) / (ends[1] - ends[0]), 0, 1) * 255, abs=1e-3)
    with pytest.raises(ValueError, match="one grey value"):
        normalise_intensity(sitk.GetImageFromArray(array * 0), method)


def test_resizing_to_the_same_size_changes_nothing():
    image = np.random.default_rng(2).normal(size=(12, 12))
    assert resize_square(image, np.array([2, 3]), 6, 6, 1, 0.0) == pytest.approx(image[2:8, 3:9])


def test_normalisation_gives_the_same_bytes_each_time():
    """It once read the body mask from memory that was already freed: other bytes in some runs."""
    generator = np.random.default_rng(3)
    array = generator.normal(20, 5, (40, 80, 90))
    array[:, 20:60, 20:70] += 200
    image = sitk.GetImageFromArray(array.astype(np.float32))
    body = sitk.GetArrayFromImage(sitk.OtsuThreshold(image, 0, 1, 200)) > 0
    values = sitk.GetArrayFromImage(image).astype(np.float64)
    mean, deviation = values[body].mean(), values[body].std()
    expected = ((np.clip((values - mean) / deviation, -3, 3) + 3) / 6).astype(np.float32)
    kept = []
    for number in range(30):
        kept.append(np.zeros(1000 + 371 * number))
        assert (sitk.GetArrayFromImage(normalise_intensity(image, "zscore_body")) == expected).all()


def test_a_written_image_comes_back_and_has_the_same_bytes_each_time(tmp_path):
    image = sitk.GetImageFromArray(np.random.default_rng(0).integers(-1000, 1000, (5, 6, 7)).astype(np.int16))
    image.SetSpacing((0.7, 0.8, 2.5))
    image.SetOrigin((-10.5, 3.25, 100.0))
    image.SetDirection((0, 1, 0, 1, 0, 0, 0, 0, -1))
    for name in ("a", "b"):
        write_image(image, tmp_path / f"{name}.nii.gz")
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()
    assert sorted(f.name for f in tmp_path.iterdir()) == ["a.nii.gz", "b.nii.gz"]
    found = sitk.ReadImage(str(tmp_path / "a.nii.gz"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(found), sitk.GetArrayFromImage(image))
    for name in ("GetSpacing", "GetOrigin", "GetDirection"):
        np.testing.assert_allclose(getattr(found, name)(), getattr(image, name)(), atol=1e-6)
