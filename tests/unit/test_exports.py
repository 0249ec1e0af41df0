"""What hospitals really export: every transfer syntax, format and order comes back right, or is refused in words."""

from __future__ import annotations

import copy

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from exports import SYNTAXES, describe, make_series, save_enhanced, save_series, seg_of
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydicom.encaps import encapsulate
from pydicom.uid import generate_uid
from scipy.spatial.transform import Rotation

from hcc_recurrence.cohort.dicom_headers import HEADER_FACTS_VERSION
from hcc_recurrence.cohort.dicom_series import SeriesError, find_stack
from hcc_recurrence.cohort.mask_contents import check_contents
from hcc_recurrence.cohort.mask_files import read_mask
from hcc_recurrence.cohort.mask_formats import mask_contents, mask_facts
from hcc_recurrence.cohort.masks import MaskError, check_mask
from hcc_recurrence.cohort.series_voxels import check_decoding, read_series
from hcc_recurrence.provenance import FileCache
from hcc_recurrence.simulation.dicom_writer import write_rtstruct, write_seg

SHAPE = (7, 14, 12)


def voxels(seed=0, low=-900):
    return np.random.default_rng(seed).integers(low, 1500, SHAPE).astype(np.float32)


def tumour():
    mask = np.zeros(SHAPE, bool)
    mask[2:5, 4:10, 3:9] = True
    mask[3, 6, 5] = False
    return mask


def array(image):
    return sitk.GetArrayFromImage(image)


def geometry(folder, part=""):
    return find_stack(folder, "", part, False, FileCache(None, HEADER_FACTS_VERSION)).geometry


@given(
    st.tuples(st.floats(0.8, 8), st.floats(0.4, 2), st.floats(0.4, 2)),
    st.integers(0, 2**16),
    st.sampled_from(sorted(SYNTAXES)),
    st.sampled_from(["axial", "coronal", "sagittal", "oblique"]),
    st.sampled_from(["seg", "nifti", "rtstruct"]),
    st.booleans(),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_export_comes_back(tmp_path_factory, spacing, seed, syntax, plane, kind, enhanced):
    """Random spacing, direction, origin, order, names, transfer syntax and mask format: voxels exact, mask in place."""
    folder, generator = tmp_path_factory.mktemp("export"), np.random.default_rng(seed)
    header = describe(spacing=tuple(round(s, 3) for s in spacing))
    direction = {
        "axial": np.eye(3),
        "coronal": np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], float),
        "sagittal": np.array([[0, 0, -1], [1, 0, 0], [0, -1, 0]], float),
        "oblique": Rotation.random(random_state=seed).as_matrix(),
    }[plane]
    values = voxels(seed)
    slices = make_series(values, header, folder / "series", direction)
    order = generator.permutation(len(slices))
    if enhanced:
        save_enhanced(slices, folder / "series" / "one", order)
    else:
        names = [f"{generator.integers(10**9)}{['', '.dcm', '.IMA'][k % 3]}" for k in range(len(slices))]
        save_series([slices[k] for k in order], folder / "series", syntax, names)
    image = read_series(folder / "series")
    np.testing.assert_array_equal(array(image), values)
    place = np.array(header.origin) + direction @ (np.array([11, 13, 6]) * header.spacing[::-1])
    np.testing.assert_allclose(image.TransformIndexToPhysicalPoint((11, 13, 6)), place, atol=1e-3)

    mask = tumour()
    file = folder / {"seg": "m.dcm", "nifti": "m.nii.gz", "rtstruct": "r.dcm"}[kind]
    if kind == "nifti":
        made = sitk.GetImageFromArray(mask.astype(np.uint8))
        made.CopyInformation(image)
        axes = generator.permutation(3).tolist()
        sitk.WriteImage(sitk.Flip(sitk.PermuteAxes(made, axes), [True, False, True]), str(file))
    else:
        (write_seg if kind == "seg" else write_rtstruct)(mask, slices, "T", file)
    check_mask(mask_facts(file), geometry(folder / "series"), "")
    found = read_mask(file, "", image)
    overlap = 2 * (array(found.image) & mask).sum() / (array(found.image).sum() + mask.sum())
    assert overlap == 1 if kind != "rtstruct" else overlap >= 0.98
    assert found.lesions == 1


@pytest.mark.parametrize("syntax", sorted(SYNTAXES))
@pytest.mark.parametrize("signed", [False, True])
def test_every_transfer_syntax_and_sign(tmp_path, syntax, signed):
    slices = make_series(voxels(), describe(), tmp_path / "s")
    for data in slices:
        if signed:
            stored = data.pixel_array.astype(np.int32) - 1024
            data.PixelRepresentation, data.RescaleIntercept = 1, 0
            data.PixelData = stored.astype(np.int16).tobytes()
    save_series(slices, tmp_path / "s", syntax)
    np.testing.assert_array_equal(array(read_series(tmp_path / "s")), voxels())


def test_pixels_that_nobody_can_decode_are_refused_in_words(tmp_path):
    slices = make_series(voxels(), describe(), tmp_path / "s")
    files = save_series(slices, tmp_path / "s", "jpeg-ls")
    data = pydicom.dcmread(files[2])
    data.PixelData = pydicom.encaps.encapsulate([b"\x00" * 40])
    data.save_as(files[2])
    with pytest.raises(SeriesError, match=r"cannot be decoded.*export it again uncompressed"):
        read_series(tmp_path / "s")


def stacked(tmp_path, change=None, enhanced=False, keep=None):
    """Two phases in one series."""
    values = [voxels(1), voxels(2)]
    slices = []
    for number, phase in enumerate(("arterial", "portal"), 1):
        own = make_series(values[number - 1], describe(phase=phase), tmp_path / "unused")
        for k, data in enumerate(own):
            data.SeriesInstanceUID = "1.2.3"
            data.AcquisitionNumber = number + 4
            data.InstanceNumber = 100 * number + k
            if change:
                change(data, number)
        slices += own[: keep if number == 1 else None]
    order = np.random.default_rng(0).permutation(len(slices))
    if enhanced:
        save_enhanced(slices, tmp_path / "s" / "one", order)
    else:
        save_series([slices[k] for k in order], tmp_path / "s")
    return values


def test_two_phases_in_one_series_are_told_apart_by_the_acquisition_number(tmp_path):
    values = stacked(tmp_path)
    with pytest.raises(SeriesError, match=r"2 stacks.*acquisition 5 \(7 slices\), acquisition 6 \(7 slices\)"):
        read_series(tmp_path / "s")
    for part, wanted in (("acquisition 5", values[0]), ("acquisition 6", values[1])):
        np.testing.assert_array_equal(array(read_series(tmp_path / "s", part=part)), wanted)
    with pytest.raises(SeriesError, match=r"holds no part 'time 1'.*it holds acquisition 5"):
        read_series(tmp_path / "s", part="time 1")


def test_two_phases_in_one_enhanced_object(tmp_path):
    values = stacked(tmp_path, enhanced=True)
    np.testing.assert_array_equal(array(read_series(tmp_path / "s", part="acquisition 6")), values[1])


def test_two_phases_of_one_acquisition_number_are_told_apart_by_time(tmp_path):
    def change(data, number):
        data.AcquisitionNumber = 1
        data.AcquisitionTime = f"1000{10 * number + 5}.{data.InstanceNumber % 100:03d}"

    values = stacked(tmp_path, change)
    assert geometry(tmp_path / "s", "time 1")["size"] == [12, 14, 7]
    np.testing.assert_array_equal(array(read_series(tmp_path / "s", part="time 2")), values[1])


def test_two_phases_without_number_and_time_are_told_apart_by_the_order_at_each_place(tmp_path):
    def change(data, number):
        for tag in ("AcquisitionNumber", "AcquisitionTime", "ContentTime"):
            delattr(data, tag)

    values = stacked(tmp_path, change)
    for part, wanted in (("repeat 1", values[0]), ("repeat 2", values[1])):
        np.testing.assert_array_equal(array(read_series(tmp_path / "s", part=part)), wanted)


def test_phases_of_different_length_in_one_series(tmp_path):
    values = stacked(tmp_path, keep=5)
    np.testing.assert_array_equal(array(read_series(tmp_path / "s", part="acquisition 5")), values[0][:5])


def test_two_phases_with_slices_between_each_others_are_no_finer_stack(tmp_path):
    def change(data, number):
        x, y, z = data.ImagePositionPatient
        data.ImagePositionPatient = [x, y, float(z) + 1.5 * (number == 2)]

    values = stacked(tmp_path, change)
    with pytest.raises(SeriesError, match="2 stacks"):
        read_series(tmp_path / "s")
    np.testing.assert_array_equal(array(read_series(tmp_path / "s", part="acquisition 5")), values[0])
    assert read_series(tmp_path / "s", part="all").GetSize() == (12, 14, 14)


def test_a_missing_slice_is_refused_or_interpolated_and_said(tmp_path, capsys):
    values = voxels()
    slices = make_series(values, describe(), tmp_path / "s")
    save_series(slices[:3] + slices[4:], tmp_path / "s")
    with pytest.raises(SeriesError, match=r"a slice is probably missing.*interpolate_missing: true"):
        read_series(tmp_path / "s")
    image = read_series(tmp_path / "s", interpolate=True)
    expected = values.copy()
    expected[3] = np.rint((values[2] + values[4]) / 2)
    np.testing.assert_array_equal(array(image), expected)
    assert image.GetSpacing()[2] == pytest.approx(3.0)
    assert "slice 4 of 7 was missing" in capsys.readouterr().out
    whole = find_stack(tmp_path / "s", "", "", True, FileCache(None, "x"))
    assert whole.geometry["size"] == [12, 14, 7] and whole.gap == 3
    for file in (tmp_path / "s").iterdir():
        file.unlink()
    save_series([slices[0], slices[1], slices[2], slices[4], slices[6]], tmp_path / "s")
    with pytest.raises(SeriesError, match="not evenly spaced"):
        read_series(tmp_path / "s", interpolate=True)


@pytest.mark.parametrize("stored", [63536, 0, 40000])
def test_padding_outside_the_field_of_view_is_air(tmp_path, stored):
    slices = make_series(voxels(), describe(), tmp_path / "s")
    for data in slices:
        pixels = data.pixel_array.copy()
        pixels[:, 0] = stored
        data.PixelData, data.PixelPaddingValue = pixels.tobytes(), stored
    save_series(slices, tmp_path / "s")
    found = array(read_series(tmp_path / "s"))
    assert (found[:, :, 0] == -1024).all()
    np.testing.assert_array_equal(found[:, :, 1:], voxels()[:, :, 1:])


def test_a_signed_padding_value_is_air(tmp_path):
    slices = make_series(voxels(), describe(), tmp_path / "s")
    for data in slices:
        pixels = data.pixel_array.astype(np.int16)
        pixels[:, 0] = -2000
        data.PixelRepresentation = 1
        data.PixelData = pixels.tobytes()
        data.add_new("PixelPaddingValue", "SS", -2000)
    save_series(slices, tmp_path / "s", "implicit")
    found = array(read_series(tmp_path / "s"))
    assert (found[:, :, 0] == -1024).all() and found.min() == -1024


def test_an_mr_with_gaps_between_slices_has_the_distance_of_its_positions(tmp_path):
    slices = make_series(voxels(low=0), describe("MR", spacing=(6.5, 1.5, 1.25)), tmp_path / "s")
    for data in slices:
        data.SliceThickness, data.SpacingBetweenSlices = 5.0, 1.5
    save_series(slices, tmp_path / "s")
    assert read_series(tmp_path / "s").GetSpacing()[2] == pytest.approx(6.5)


def test_scouts_reports_and_screen_shots_in_the_folder_are_other_series(tmp_path):
    slices = make_series(voxels(), describe(), tmp_path / "s")
    save_series(slices, tmp_path / "s")
    scout = copy.deepcopy(slices[0])
    scout.SeriesInstanceUID, scout.SOPInstanceUID = generate_uid(), generate_uid()
    for tag in ("ImagePositionPatient", "ImageOrientationPatient"):
        delattr(scout, tag)
    scout.save_as(tmp_path / "s" / "scout")
    (tmp_path / "s" / "DICOMDIR.txt").write_text("no image")
    with pytest.raises(SeriesError, match="holds 2 series"):
        read_series(tmp_path / "s")
    found = read_series(tmp_path / "s", str(slices[0].SeriesInstanceUID))
    np.testing.assert_array_equal(array(found), voxels())
    with pytest.raises(SeriesError, match=r"lack ImagePositionPatient.*scouts"):
        read_series(tmp_path / "s", str(scout.SeriesInstanceUID))


def test_exact_copies_count_once(tmp_path):
    slices = make_series(voxels(), describe(), tmp_path / "s")
    save_series(slices, tmp_path / "s")
    save_series(slices[2:4], tmp_path / "s", names=["copy1", "copy2"])
    np.testing.assert_array_equal(array(read_series(tmp_path / "s")), voxels())


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".nii", ".mha"])
def test_images_that_are_no_dicom(tmp_path, suffix):
    slices = make_series(voxels(), describe(), tmp_path / "s")
    save_series(slices, tmp_path / "s")
    image = read_series(tmp_path / "s")
    sitk.WriteImage(image, str(tmp_path / f"a{suffix}"))
    found = read_series(tmp_path / f"a{suffix}", modality="CT")
    np.testing.assert_array_equal(array(found), voxels())
    np.testing.assert_allclose(found.GetOrigin(), image.GetOrigin(), atol=1e-4)
    stack = find_stack(tmp_path / f"a{suffix}", "", "", False, FileCache(None, "x"))
    assert stack.geometry["size"] == [12, 14, 7] and stack.fingerprint and stack.modality == ""


def test_images_that_cannot_be_ct_or_volumes_are_refused(tmp_path):
    windowed = sitk.GetImageFromArray(np.random.default_rng(0).random(SHAPE).astype(np.float32))
    sitk.WriteImage(windowed, str(tmp_path / "w.nii.gz"))
    with pytest.raises(SeriesError, match="no CT in Hounsfield units"):
        read_series(tmp_path / "w.nii.gz", modality="CT")
    assert read_series(tmp_path / "w.nii.gz", modality="MR").GetSize() == (12, 14, 7)
    four = sitk.JoinSeries([windowed, windowed])
    sitk.WriteImage(four, str(tmp_path / "four.nii.gz"))
    with pytest.raises(SeriesError, match=r"no volume of grey values.*one phase a file"):
        read_series(tmp_path / "four.nii.gz")
    (tmp_path / "broken.nii.gz").write_bytes(b"nothing")
    with pytest.raises(SeriesError, match="cannot be read as an image"):
        read_series(tmp_path / "broken.nii.gz")
    with pytest.raises(SeriesError, match="does not exist"):
        read_series(tmp_path / "none.nii.gz")


@pytest.fixture
def image(tmp_path):
    slices = make_series(voxels(), describe(), tmp_path / "s")
    save_series(slices, tmp_path / "s")
    return read_series(tmp_path / "s"), slices


def save_mask(array_, like, path, **geometry_):
    made = sitk.GetImageFromArray(array_)
    made.CopyInformation(like)
    for name, value in geometry_.items():
        getattr(made, f"Set{name.capitalize()}")(value)
    sitk.WriteImage(made, str(path))
    return path


@pytest.mark.parametrize("value", [1, 2, 255, 1 / 255])
def test_any_value_stands_for_the_tumour(tmp_path, image, value):
    path = save_mask((tumour() * value).astype(np.float32), image[0], tmp_path / "m.nii.gz")
    for label in ("", f"{value:.4f}" if value < 1 else str(value)):
        np.testing.assert_array_equal(array(read_mask(path, label, image[0]).image), tumour())
    with pytest.raises(MaskError, match=rf"no voxel of value 7; it has {value:.6g}"):
        read_mask(path, "7", image[0])


def test_several_values_are_chosen_or_taken_together(tmp_path, image):
    mask = tumour().astype(np.uint8)
    mask[2] *= 3
    path = save_mask(mask, image[0], tmp_path / "m.nrrd")
    with pytest.raises(MaskError, match=r"has the values 1, 3.*1\+2 takes two together"):
        read_mask(path, "", image[0])
    np.testing.assert_array_equal(array(read_mask(path, "3", image[0]).image), mask == 3)
    np.testing.assert_array_equal(array(read_mask(path, "1+3", image[0]).image), mask > 0)


def test_physical_space_decides(tmp_path, image):
    whole, _ = image
    facts = geometry(tmp_path / "s")
    mask = tumour().astype(np.uint8)
    origin = np.array(whole.GetOrigin())
    nearly = save_mask(mask, whole, tmp_path / "near.nii.gz", origin=(origin + 1e-4).tolist())
    check_mask(mask_facts(nearly), facts, "")
    np.testing.assert_array_equal(array(read_mask(nearly, "", whole).image), mask)
    # A box cut out of the grid, as some programs save masks.
    made = sitk.GetImageFromArray(mask)
    made.CopyInformation(whole)
    sitk.WriteImage(made[2:10, 3:12, 1:6], str(tmp_path / "box.nii.gz"))
    check_mask(mask_facts(tmp_path / "box.nii.gz"), facts, "")
    np.testing.assert_array_equal(array(read_mask(tmp_path / "box.nii.gz", "", whole).image), mask)
    # NIfTI has no place for the direction that this one lost: its body lies elsewhere.
    for name, shift in (("beside", [30, 0, 0]), ("half", [0.5, 0, 0]), ("above", [0, 0, 300])):
        far = save_mask(mask, whole, tmp_path / f"{name}.nii.gz", origin=(origin + shift).tolist())
        with pytest.raises(MaskError, match=r"another grid.*mask 12 x 14 x 7 voxels.*image 12 x 14 x 7 voxels"):
            check_mask(mask_facts(far), facts, "")


def test_masks_that_are_empty_or_small_are_refused(tmp_path, image):
    path = save_mask(np.zeros(SHAPE, np.uint8), image[0], tmp_path / "e.nii.gz")
    with pytest.raises(MaskError, match="is empty"):
        read_mask(path, "", image[0])
    one = np.zeros(SHAPE, np.uint8)
    one[3, 4, 5] = 1
    path = save_mask(one, image[0], tmp_path / "o.nii.gz")
    assert read_mask(path, "", image[0]).volume_ml == pytest.approx(3 * 1.5 * 1.25 / 1000)
    with pytest.raises(MaskError, match=r"holds 0\.006 ml, less than smallest_mask_ml: 0\.05"):
        read_mask(path, "", image[0], smallest_ml=0.05)


def test_the_largest_of_several_lesions_or_all(tmp_path, image):
    mask = tumour().astype(np.uint8)
    mask[6, 12:14, 10:12] = 1
    path = save_mask(mask, image[0], tmp_path / "m.nii.gz")
    largest, whole = (read_mask(path, "", image[0], lesions=kind) for kind in ("largest", "all"))
    assert largest.lesions == whole.lesions == 2
    np.testing.assert_array_equal(array(largest.image), tumour())
    np.testing.assert_array_equal(array(whole.image), mask)


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
def test_kinds_of_seg_and_patterns_of_labels(tmp_path, image, kind):
    whole, slices = image
    first, second = tumour(), np.zeros(SHAPE, bool)
    second[5:7, 1:3, 1:3] = True
    masks = {"Liver": ~first & ~second, "Tumor_1": first, "Tumor_2": second}
    path = seg_of(masks, slices, tmp_path / "m.dcm", kind)
    facts = mask_facts(path)
    check_mask(facts, geometry(tmp_path / "s"), "Tumor_1")
    np.testing.assert_array_equal(array(read_mask(path, "Tumor_1", whole).image), first)
    both = read_mask(path, "tumor_*", whole)
    np.testing.assert_array_equal(array(both.image), first | second)
    assert both.lesions == 2
    for label, words in (("Tumour", "no segment or ROI called 'Tumour'; it has"), ("", "several segments")):
        with pytest.raises(MaskError, match=words):
            check_mask(facts, geometry(tmp_path / "s"), label)


def test_half_of_a_fractional_segment_counts_and_overlapping_segments_are_joined(tmp_path, image):
    whole, slices = image
    soft = np.zeros(SHAPE)
    soft[3, 4:8, 4:8], soft[3, 4, 4] = 1.0, 0.3
    path = seg_of({"T": soft}, slices, tmp_path / "f.dcm", "FRACTIONAL")
    np.testing.assert_array_equal(array(read_mask(path, "T", whole).image), soft >= 0.5)
    other = np.roll(tumour(), 2, axis=1)
    path = seg_of({"Tumor_1": tumour(), "Tumor_2": other}, slices, tmp_path / "o.dcm")
    np.testing.assert_array_equal(array(read_mask(path, "Tumor_*", whole).image), tumour() | other)


def test_a_seg_of_a_range_of_slices_with_frames_in_any_order(tmp_path, image):
    whole, slices = image
    write_seg(tumour(), slices, "T", tmp_path / "m.dcm")
    data = pydicom.dcmread(tmp_path / "m.dcm")
    assert int(data.NumberOfFrames) < len(slices)
    pixels, order = data.pixel_array, np.random.default_rng(1).permutation(int(data.NumberOfFrames))
    frames = list(data.PerFrameFunctionalGroupsSequence)
    data.PerFrameFunctionalGroupsSequence = [frames[k] for k in order]
    packed = np.packbits(pixels[order].ravel(), bitorder="little").tobytes()
    data.PixelData = packed + b"\0" * (len(packed) % 2)
    data.save_as(tmp_path / "shuffled.dcm")
    np.testing.assert_array_equal(array(read_mask(tmp_path / "shuffled.dcm", "", whole).image), tumour())


def test_a_seg_without_referenced_series_is_known_by_its_images(tmp_path, image):
    _, slices = image
    write_seg(tumour(), slices, "T", tmp_path / "m.dcm")
    data = pydicom.dcmread(tmp_path / "m.dcm")
    del data.ReferencedSeriesSequence
    data.save_as(tmp_path / "bare.dcm")
    facts = mask_facts(tmp_path / "bare.dcm")
    assert facts["series"] == [] and facts["images"]
    check_mask(facts, geometry(tmp_path / "s"), "T")
    other = make_series(voxels(3), describe(phase="arterial"), tmp_path / "t")
    save_series(other, tmp_path / "t")
    with pytest.raises(MaskError, match="images of another series"):
        check_mask(facts, geometry(tmp_path / "t"), "T")


def test_rois_of_a_pattern_are_joined(tmp_path, image):
    whole, slices = image
    write_rtstruct(tumour(), slices, "GTV1", tmp_path / "a.dcm")
    second = np.zeros(SHAPE, bool)
    second[5, 1:5, 1:5] = True
    write_rtstruct(second, slices, "GTV2", tmp_path / "b.dcm")
    both, more = pydicom.dcmread(tmp_path / "a.dcm"), pydicom.dcmread(tmp_path / "b.dcm")
    more.StructureSetROISequence[0].ROINumber = more.ROIContourSequence[0].ReferencedROINumber = 2
    both.StructureSetROISequence.append(more.StructureSetROISequence[0])
    both.ROIContourSequence.append(more.ROIContourSequence[0])
    both.save_as(tmp_path / "both.dcm")
    found = array(read_mask(tmp_path / "both.dcm", "GTV*", whole).image)
    expected = array(read_mask(tmp_path / "a.dcm", "", whole).image) | array(
        read_mask(tmp_path / "b.dcm", "", whole).image
    )
    np.testing.assert_array_equal(found, expected)
    with pytest.raises(MaskError, match="several segments or ROIs"):
        check_mask(mask_facts(tmp_path / "both.dcm"), geometry(tmp_path / "s"), "")


def test_a_mask_of_another_series_or_study_is_refused(tmp_path, image):
    _, slices = image
    for write, name in ((write_seg, "seg.dcm"), (write_rtstruct, "rt.dcm")):
        write(tumour(), slices, "T", tmp_path / name)
        other = make_series(voxels(3), describe(phase="arterial"), tmp_path / "t")
        save_series(other, tmp_path / "t")
        with pytest.raises(MaskError, match="another series of the same study"):
            check_mask(mask_facts(tmp_path / name), geometry(tmp_path / "t"), "T")
        other = make_series(voxels(3), describe(patient="X2"), tmp_path / "u")
        save_series(other, tmp_path / "u")
        with pytest.raises(MaskError, match="another study"):
            check_mask(mask_facts(tmp_path / name), geometry(tmp_path / "u"), "T")


def test_a_mask_in_the_folder_of_its_series_is_looked_at_as_a_mask(tmp_path, image):
    _, slices = image
    write_seg(tumour(), slices, "T", tmp_path / "s" / "mask")
    cache, uid = FileCache(None, HEADER_FACTS_VERSION), str(slices[0].SeriesInstanceUID)
    stack = find_stack(tmp_path / "s", uid, "", False, cache)
    facts = cache.get(tmp_path / "s" / "mask", mask_facts)
    assert facts["kind"] == "seg"
    check_mask(facts, stack.geometry, "T")


def contents_of(path, label, folder, smallest_ml=0.0):
    check_contents(mask_contents(path), label, geometry(folder), smallest_ml)


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
def test_what_each_segment_holds_is_known_before_the_image_is_read(tmp_path, image, kind):
    _, slices = image
    masks = {"Tumor_1": tumour(), "Tumor_2": np.zeros(SHAPE, bool)}
    masks["Tumor_2"][1, 1:3, 1:3] = True
    path = seg_of(masks, slices, tmp_path / "m.dcm", kind)
    assert mask_contents(path)["voxels"] == {"Tumor_1": int(tumour().sum()), "Tumor_2": 4}
    contents_of(path, "Tumor_*", tmp_path / "s")
    voxel_ml = np.prod(geometry(tmp_path / "s")["spacing"]) / 1000
    contents_of(path, "Tumor_2", tmp_path / "s", 3.9 * voxel_ml)
    with pytest.raises(MaskError, match=r"holds 0\.\d+ ml, less than smallest_mask_ml"):
        contents_of(path, "Tumor_2", tmp_path / "s", 4.1 * voxel_ml)


def test_empty_masks_are_known_before_the_image_is_read(tmp_path, image):
    whole, slices = image
    nothing = np.zeros(SHAPE, np.uint8)
    path = save_mask(nothing, whole, tmp_path / "n.nii.gz")
    with pytest.raises(MaskError, match="is empty"):
        contents_of(path, "", tmp_path / "s")
    with pytest.raises(MaskError, match="no voxel of value 2; it has 1"):
        contents_of(save_mask(tumour().astype(np.uint8), whole, tmp_path / "o.nii.gz"), "2", tmp_path / "s")
    write_rtstruct(tumour(), slices, "GTV", tmp_path / "r.dcm")
    area = mask_contents(tmp_path / "r.dcm")["area_mm2"]["GTV"]
    pixel = np.prod(geometry(tmp_path / "s")["spacing"][:2])
    # Contours run through the centres of the outer voxels, or around them.
    assert area == pytest.approx(tumour().sum() * pixel, rel=0.5)
    data = pydicom.dcmread(tmp_path / "r.dcm")
    del data.ROIContourSequence[0].ContourSequence
    data.save_as(tmp_path / "none.dcm")
    with pytest.raises(MaskError, match="is empty under the label 'GTV'"):
        contents_of(tmp_path / "none.dcm", "GTV", tmp_path / "s")
    ct = np.random.default_rng(0).integers(-900, 900, SHAPE).astype(np.int16)
    with pytest.raises(MaskError, match="values, as an image has, not a mask"):
        contents_of(save_mask(ct, whole, tmp_path / "ct.nii.gz"), "1", tmp_path / "s")


@settings(max_examples=40)
@given(cut=st.floats(0.02, 0.98), kind=st.sampled_from(["seg.dcm", "rt.dcm", "m.nii.gz", "m.nrrd"]))
def test_a_broken_mask_is_refused_in_words_wherever_it_breaks(tmp_path_factory, cut, kind):
    folder = tmp_path_factory.mktemp("broken")
    slices = make_series(voxels(5), describe(), folder / "s")
    save_series(slices, folder / "s")
    if kind.endswith("dcm"):
        (write_seg if kind == "seg.dcm" else write_rtstruct)(tumour(), slices, "T", folder / kind)
    else:
        made = sitk.GetImageFromArray(np.random.default_rng(1).integers(0, 2, SHAPE).astype(np.uint8))
        made.CopyInformation(read_series(folder / "s"))
        sitk.WriteImage(made, str(folder / kind))
    whole = (folder / kind).read_bytes()
    (folder / kind).write_bytes(whole[: int(cut * len(whole))])
    # What may be missing at the end of a file is padding, or nothing that is asked for: then it is read as it was.
    try:
        check_mask(mask_facts(folder / kind), geometry(folder / "s"), "1" if kind.startswith("m.") else "T")
        contents_of(folder / kind, "1" if kind.startswith("m.") else "T", folder / "s")
    except MaskError as error:
        assert error.remedy


@settings(max_examples=40)
@given(
    cut=st.floats(0.0, 1.0, exclude_max=True),
    place=st.integers(0, 6),
    syntax=st.sampled_from(["explicit", "implicit", "rle"]),
)
# In the middle of what says which kind of file it is.
@example(cut=0.03125, place=0, syntax="explicit")
def test_a_file_cut_off_anywhere_is_no_missing_slice(tmp_path_factory, cut, place, syntax):
    """Without the check a lost first or last slice would leave a stack that looks whole."""
    folder = tmp_path_factory.mktemp("cut")
    slices = make_series(voxels(5), describe(), folder)
    file = save_series(slices, folder, syntax)[place]
    whole = file.read_bytes()
    # From behind the preamble: less is no DICOM for anybody.
    file.write_bytes(whole[: 132 + int(cut * (len(whole) - 132))])
    cache = FileCache(None, HEADER_FACTS_VERSION)
    try:
        check_decoding(find_stack(folder, "", "", False, cache), cache)
        read_series(folder)
    except SeriesError as error:
        assert error.remedy
    else:
        # A lost byte of padding loses no pixel.
        np.testing.assert_array_equal(array(read_series(folder)), voxels(5))


def test_broken_files_and_pixels_that_nobody_decodes_are_known_before_the_first_job(tmp_path):
    slices = make_series(voxels(5), describe(), tmp_path / "s")
    files = save_series(slices, tmp_path / "s")
    files[6].write_bytes(files[6].read_bytes()[:-200])
    files[0].write_bytes(files[0].read_bytes()[:300])
    with pytest.raises(SeriesError, match=r"holds 2 broken files \(0000: .*; 0006: it ends before its pixels do\)"):
        find_stack(tmp_path / "s", "", "", False, FileCache(None, HEADER_FACTS_VERSION))
    for file in save_series(slices, tmp_path / "j", "jpeg-ls"):
        data = pydicom.dcmread(file)
        data.PixelData = encapsulate([b"no picture at all" * 8])
        data.save_as(file)
    cache = FileCache(None, HEADER_FACTS_VERSION)
    stack = find_stack(tmp_path / "j", "", "", False, cache)
    with pytest.raises(SeriesError, match="cannot be decoded"):
        check_decoding(stack, cache)
    save_series(slices, tmp_path / "ok", "jpeg-ls")
    check_decoding(find_stack(tmp_path / "ok", "", "", False, cache), cache)


@pytest.mark.parametrize("layers", [1, 2])
def test_segments_of_3d_slicer_are_known_by_name(tmp_path, image, layers):
    whole, _ = image
    first, second = tumour(), np.roll(tumour(), 2 if layers == 2 else -4, axis=1)
    if layers == 1:
        second &= ~first
        values = (first * 1 + second * 2).astype(np.uint8)
    else:
        values = np.stack([first, second], axis=-1).astype(np.uint8)
    made = sitk.GetImageFromArray(values, isVector=layers == 2)
    made.CopyInformation(whole)
    for number, (name, value, layer) in enumerate(
        [("Tumor 1", 1, 0), ("Tumor 2", 1 if layers == 2 else 2, layers - 1)]
    ):
        for key, text in (("Name", name), ("LabelValue", value), ("Layer", layer)):
            made.SetMetaData(f"Segment{number}_{key}", str(text))
    path = tmp_path / "s.seg.nrrd"
    sitk.WriteImage(made, str(path))
    check_mask(mask_facts(path), geometry(tmp_path / "s"), "Tumor 2")
    for label, expected in (("Tumor 2", second), ("tumor*", first | second)):
        contents_of(path, label, tmp_path / "s")
        np.testing.assert_array_equal(array(read_mask(path, label, whole).image), expected)
    if layers == 1:
        np.testing.assert_array_equal(array(read_mask(path, "2", whole).image), second)
    with pytest.raises(MaskError, match=r"Tumor 1.*Tumor 2"):
        contents_of(path, "Liver", tmp_path / "s")
    with pytest.raises(MaskError, match=r"Tumor 1.*Tumor 2"):
        read_mask(path, "Liver", whole)


def test_a_mask_without_references_in_another_frame_of_reference_is_refused(tmp_path, image):
    _, slices = image
    write_rtstruct(tumour(), slices, "GTV", tmp_path / "r.dcm")
    data = pydicom.dcmread(tmp_path / "r.dcm")
    del data.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence
    data.save_as(tmp_path / "bare.dcm")
    check_mask(mask_facts(tmp_path / "bare.dcm"), geometry(tmp_path / "s"), "GTV")
    data.ReferencedFrameOfReferenceSequence[0].FrameOfReferenceUID = generate_uid()
    data.save_as(tmp_path / "other.dcm")
    with pytest.raises(MaskError, match="another frame of reference"):
        check_mask(mask_facts(tmp_path / "other.dcm"), geometry(tmp_path / "s"), "GTV")
