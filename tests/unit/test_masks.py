"""Masks that look right and are not: neighbours of a label, doubtful geometry, another unit, slices left out."""

from __future__ import annotations

import struct

import numpy as np
import pandas as pd
import pydicom
import pytest
import SimpleITK as sitk
from exports import describe, make_series, save_series, seg_of
from scipy.spatial.transform import Rotation

from hcc_recurrence.cohort.checks import check_sources
from hcc_recurrence.cohort.dicom_headers import HEADER_FACTS_VERSION
from hcc_recurrence.cohort.dicom_series import SeriesError, find_stack
from hcc_recurrence.cohort.mask_contents import check_contents
from hcc_recurrence.cohort.mask_files import read_mask
from hcc_recurrence.cohort.mask_formats import mask_contents, mask_facts
from hcc_recurrence.cohort.mask_labels import wanted_values
from hcc_recurrence.cohort.masks import MaskError, check_mask, taken_together
from hcc_recurrence.cohort.series_voxels import read_series
from hcc_recurrence.cohort.sheets import Cohort, Mask, Series
from hcc_recurrence.provenance import FileCache

SHAPE, SPACING, ORIGIN = (9, 20, 24), (3.0, 1.5, 1.25), (-20.0, 10.0, 5.0)


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """A folder with a series, its image, its slices, and its geometry as headers tell it."""
    folder = tmp_path_factory.mktemp("series") / "s"
    values = np.random.default_rng(0).integers(-900, 900, SHAPE).astype(np.float32)
    slices = make_series(values, describe(spacing=SPACING), folder)
    save_series(slices, folder)
    geometry = find_stack(folder, "", "", False, FileCache(None, HEADER_FACTS_VERSION)).geometry
    return folder, read_series(folder), slices, geometry


def tumour():
    mask = np.zeros(SHAPE, bool)
    mask[2:6, 4:14, 3:13] = True
    return mask


def save(array, path, image):
    made = sitk.GetImageFromArray(array)
    made.CopyInformation(image)
    sitk.WriteImage(made, str(path))
    return path


def mask_of(path, series, label="", **more):
    """The mask, which the check before the first job lets pass as well."""
    check_mask(mask_facts(path), series[3], label, **more)
    check_contents(mask_contents(path), label, series[3], 0.0, **more)
    return sitk.GetArrayFromImage(read_mask(path, label, series[1]).image) > 0


def refuse(path, series, words, label=""):
    """Refused before the first job."""
    with pytest.raises(MaskError, match=words):
        check_mask(mask_facts(path), series[3], label)
        check_contents(mask_contents(path), label, series[3], 0.0)


@pytest.mark.parametrize(
    ("values", "kind", "label", "expected"),
    [
        ([99, 100, 101, 110], np.uint8, "100", [100]),
        ([98, 99, 100, 101, 102], np.float32, "100", [100]),
        ([1000, 1001, 1019, 20000], np.uint16, "1000", [1000]),
        ([1000, 1001, 1019, 20000], np.int16, "1000+20000", [1000, 20000]),
        ([-100, -99, 1], np.int16, "-100", [-100]),
        ([1, 2, 3], np.uint8, "1 + 3", [1, 3]),
        ([1, 2, 3], np.float64, "3.0", [3]),
        ([1 / 255, 2 / 255], np.float32, "0.0039", [1 / 255]),
        ([99 / 255, 100 / 255, 101 / 255], np.float32, "0.392", [100 / 255]),
        ([300_000, 300_001], np.int32, "300001", [300_001]),
        ([1, 2, 3, 255], np.uint8, "255", [255]),
        ([0.5, 1], np.float32, "0.5", [0.5]),
    ],
)
def test_a_label_is_that_value_and_not_its_neighbours(tmp_path, series, values, kind, label, expected):
    array = np.zeros(SHAPE, kind)
    for number, value in enumerate(values):
        array[2:6, 2 : 4 + number, 3 * number : 3 * number + 2] = value
    found = mask_of(save(array, tmp_path / "m.nrrd", series[1]), series, label)
    np.testing.assert_array_equal(found, np.isin(array, np.array(expected, kind)))
    assert found.any()


@pytest.mark.parametrize(
    ("values", "label", "words"),
    [
        ([99.0, 101.0], "100", "no voxel of value 100; it has 99, 101"),
        ([0.388, 0.392, 0.396], "0.39", r"label 0\.39 could be any of the values 0\.388, 0\.392.*more digits"),
        ([12345.0, 12346.0], "", "has the values 12345, 12346"),
        ([1.0, 2.0], "1+7", "no voxel of value 7"),
        ([1.0], "nan", "label 'nan' is no number"),
        ([1.0], "1,3", "is no number"),
        ([1.0], "0", "label 0 is what lies outside"),
        ([-1.0], "", "has the value -1 beside 0"),
        ([1.0, float("nan")], "", "has the values 1, nan"),
        ([0.25, 0.5, 1.0], "1", r"fractional values beside 1 \(0\.25, 0\.5\)"),
        ([k / 10 for k in range(1, 10)], "0.5", r"fractional values beside 0\.5 \(0\.1, 0\.2.*map of probabilities"),
        ([64.0, 128.0, 191.0, 255.0], "255", r"values between 0 and 255 \(64, 128, 191\).*other numbers than 255"),
        ([float(v) for v in range(1, 40)], "", r"11, 12, \.\.\. \(39 values\)"),
    ],
)
def test_labels_that_are_not_there_or_not_clear_are_refused(values, label, words):
    with pytest.raises(MaskError, match=words):
        wanted_values(values, label)


def test_a_voxel_that_is_no_number_is_never_tumour(tmp_path, series):
    array = np.where(tumour(), 1.0, np.nan).astype(np.float32)
    path = save(array, tmp_path / "m.nrrd", series[1])
    np.testing.assert_array_equal(mask_of(path, series, "1"), tumour())
    refuse(path, series, "has the values 1, nan")
    # The reader of NIfTI makes them 0.
    np.testing.assert_array_equal(mask_of(save(array, tmp_path / "m.nii.gz", series[1]), series), tumour())


def patch(path, **fields):
    """Change the header of an uncompressed NIfTI-1: name of a field -> values."""
    places = {"pixdim": (76, "8f"), "units": (123, "B"), "codes": (252, "2h"), "quaternion": (256, "6f")}
    places |= {"sform_x": (280, "4f"), "sform_y": (296, "4f"), "sform_z": (312, "4f"), "magic": (344, "4s")}
    raw = bytearray(path.read_bytes())
    for name, values in fields.items():
        struct.pack_into(f"<{places[name][1]}", raw, places[name][0], *values)
    path.write_bytes(raw)
    return path


# x of the first voxel in RAS, and the step along it.
MIRRORED, STEP = (1.25, 0, 0, 20), (1, 1.25, 1.5, 3, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"sform_x": MIRRORED},
            r"two places in its header.*57\.5 mm, LPS: qform .*-20, 10, 5.*sform starts at -20, .*steps -1\.25 0 0",
        ),
        ({"sform_x": MIRRORED, "codes": (1, 2)}, "two places in its header"),
        ({"sform_x": MIRRORED, "codes": (2, 4)}, "two places in its header"),
        ({"sform_x": (-1.25, 0, 0, 20.4)}, r"two places in its header \(they differ by up to 0\.4 mm"),
        ({"codes": (0, 0)}, "neither qform_code nor sform_code is set"),
        ({"units": (1,)}, r"wrong unit or voxel size in its header \(1250 x 1500 x 3000 mm\)"),
        ({"units": (3,)}, r"wrong unit or voxel size in its header \(0\.00125 x 0\.0015 x 0\.003 mm\)"),
        ({"pixdim": (1, 0, 1.5, 3, 0, 0, 0, 0)}, "voxel size in its header"),
        ({"pixdim": (1, -1.25, 1.5, 3, 0, 0, 0, 0)}, "voxel size in its header"),
        ({"magic": (b"\0\0\0\0",)}, "Analyze"),
        ({"sform_x": (-1.25, 0.4, 0, 20), "codes": (0, 1)}, "orthonormal|sheared"),
        ({"sform_x": (-2.5, 0, 0, 20), "codes": (0, 1)}, "sheared, or another voxel size|another grid"),
    ],
)
def test_a_nifti_whose_header_leaves_its_place_open_is_refused_as_mask_and_as_image(tmp_path, series, fields, words):
    mask = patch(save(tumour().astype(np.uint8), tmp_path / "m.nii", series[1]), **fields)
    with pytest.raises(MaskError, match=words):
        check_mask(mask_facts(mask), series[3], "")
    if "another grid" not in words:
        with pytest.raises(MaskError):
            read_mask(mask, "", series[1])
        image = patch(save(sitk.GetArrayFromImage(series[1]), tmp_path / "i.nii", series[1]), **fields)
        with pytest.raises(SeriesError, match=words):
            read_series(image)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"codes": (1, 0), "sform_x": MIRRORED},
        {"codes": (0, 1), "quaternion": (0, 1, 0, 7, 7, 7)},
        {"sform_x": (-1.25, 0, 0, 20.05)},
        {"units": (0,)},
        {"units": (1,), "pixdim": (1, 0.00125, 0.0015, 0.003, 0, 0, 0, 0), "codes": (1, 0)}
        | {"quaternion": (0, 0, 1, 0.02, -0.01, 0.005)},
    ],
    ids=["as written", "qform alone", "sform alone", "two that are one", "no unit", "metres"],
)
def test_a_nifti_is_placed_by_the_transform_that_is_set(tmp_path, series, fields):
    path = patch(save(tumour().astype(np.uint8), tmp_path / "m.nii", series[1]), **fields)
    np.testing.assert_array_equal(mask_of(path, series), tumour())


@pytest.mark.parametrize("suffix", [".nii.gz", ".nii", ".nrrd", ".mha", ".mhd"])
@pytest.mark.parametrize("turn", [0, 1, 2])
def test_clear_headers_of_turned_images_are_clear(tmp_path, series, suffix, turn):
    """Oblique and mirrored grids in single precision, far from the origin."""
    from scipy.spatial.transform import Rotation

    direction = Rotation.random(random_state=turn).as_matrix() * [1, 1, -1 if turn == 1 else 1]
    made = sitk.GetImageFromArray(tumour().astype(np.uint8))
    made.SetSpacing((0.703125, 0.703125, 2.5))
    made.SetOrigin((-231.7, -180.25, 1342.8))
    made.SetDirection(direction.ravel().tolist())
    sitk.WriteImage(made, str(tmp_path / f"m{suffix}"))
    facts = mask_facts(tmp_path / f"m{suffix}")
    assert facts["kind"] == "image" and "doubt" not in facts


NRRD = """NRRD0005
type: uint8
dimension: 3
{space}sizes: 24 20 9
{directions}endian: little
encoding: raw
{origin}

"""
DIRECTIONS = "space directions: ({0}1.25,0,0) (0,{0}1.5,0) (0,0,3)\n"


@pytest.mark.parametrize(
    ("space", "sign", "x", "y", "words"),
    [
        ("space: left-posterior-superior\n", "", -20, 10, ""),
        ("space: right-anterior-superior\n", "-", 20, -10, ""),
        ("space: RAS\n", "-", 20, -10, ""),
        ("space: scanner-xyz\n", "", -20, 10, "does not say where left is: its space is 'scanner-xyz'"),
        ("space dimension: 3\n", "", -20, 10, "does not say where left is: it names no space"),
        ('space: LPS\nspace units: "cm" "cm" "cm"\n', "", -20, 10, "is in cm instead of mm"),
    ],
)
def test_an_nrrd_says_where_left_is_or_is_refused(tmp_path, series, space, sign, x, y, words):
    header = NRRD.format(space=space, directions=DIRECTIONS.format(sign), origin=f"space origin: ({x},{y},5)")
    path = tmp_path / "m.nrrd"
    path.write_bytes(header.encode().replace(b"\n\n\n", b"\n\n") + tumour().astype(np.uint8).tobytes())
    if words:
        refuse(path, series, words)
    else:
        np.testing.assert_array_equal(mask_of(path, series), tumour())


def test_an_nrrd_or_metaimage_without_directions_or_spacing_is_refused(tmp_path, series):
    header = NRRD.format(space="", directions="spacings: 1.25 1.5 3\n", origin="").replace("\n\n\n", "\n\n")
    (tmp_path / "m.nrrd").write_bytes(header.encode() + tumour().astype(np.uint8).tobytes())
    refuse(tmp_path / "m.nrrd", series, "names no space and directions")
    path = save(tumour().astype(np.uint8), tmp_path / "m.mha", series[1])
    raw = path.read_bytes()
    line = next(part for part in raw.split(b"\n") if part.startswith(b"ElementSpacing"))
    path.write_bytes(raw.replace(line + b"\n", b""))
    refuse(path, series, "does not say how large its voxels are")


def shifted(tmp_path, series, millimetres):
    image = sitk.Image(series[1])
    image.SetOrigin((np.array(image.GetOrigin()) + millimetres).tolist())
    return save(tumour().astype(np.uint8), tmp_path / "m.nrrd", image)


def test_a_mask_off_by_a_fraction_of_a_voxel_is_placed_and_a_site_sets_the_fraction(tmp_path, series):
    """0.05 mm of a voxel of 1.25 mm is nothing; a fifth of a voxel is what a site may allow."""
    near = shifted(tmp_path, series, [0.05, -0.05, 0.04])
    np.testing.assert_array_equal(mask_of(near, series), tumour())
    with pytest.raises(MaskError, match=r"off by up to 0\.04 of a voxel, 0\.0.* mm, more than 0\.01.*-19\.95"):
        check_mask(mask_facts(near), series[3], "", 0.01)
    fifth = shifted(tmp_path, series, [0.25, 0, 0])
    refuse(fifth, series, r"0\.2 of a voxel, 0\.25 mm, more than 0\.1.*at \(-19\.75, 10, 5\).*mask_tolerance_voxels")
    np.testing.assert_array_equal(mask_of(fifth, series, tolerance=0.25), tumour())


def test_two_grids_that_differ_in_the_fifth_digit_are_not_printed_alike(tmp_path, series):
    image = sitk.Image(series[1])
    image.SetSpacing((1.2512, 1.5, 3.0))
    path = save(tumour().astype(np.uint8), tmp_path / "m.nrrd", image)
    with pytest.raises(MaskError, match=r"1\.2512 x 1\.5 x 3 mm .*image .*1\.25 x 1\.5 x 3 mm"):
        check_mask(mask_facts(path), series[3], "", 0.01)


def cohort(mask, label, diameter, unit, own=None, **definition):
    clinical = {"diameter": {"column": "size", "unit": unit, "kind": "continuous", "readings": {}, **definition}}
    settings = {"modality": "CT", "interpolate_missing": False, "smallest_mask_ml": 0.0, "mask_tolerance_voxels": 0.1}
    settings |= {
        "clinical": clinical,
        "missing_codes": ["999"],
        "series": "s.csv",
        "masks": "m.csv",
        "patients": "p.csv",
        **(own or {}),
    }
    frame = pd.DataFrame({"patient_id": ["P1"], "centre": ["B"], "size": [diameter]}, dtype=str).set_index(
        "patient_id", drop=False
    )
    found = Cohort("c", {**settings, "carry_masks": "refuse", "reader": "R1"}, frame)
    found.series["P1", "portal"] = Series("s")
    found.masks["P1", "portal", "R1"] = Mask(str(mask), label)
    return found


@pytest.mark.parametrize(
    ("diameter", "unit", "wrong"),
    [
        ("15", "mm", False),
        ("1.5", "cm", False),
        ("25", "mm", False),
        ("9", "mm", False),
        ("150", "mm", True),
        ("15", "cm", True),
        ("1.5", "mm", True),
        ("320", "mm", True),
        ("999", "mm", False),
        ("", "mm", False),
        (">150", "mm", False),
    ],
)
@pytest.mark.parametrize("kind", ["m.nii.gz", "m.dcm"])
def test_a_diameter_that_cannot_be_that_of_the_mask_is_refused(tmp_path, series, diameter, unit, wrong, kind):
    """The mask is 12.5 x 15 x 12 mm, and a second lesion is small."""
    mask = tumour()
    mask[7, 18, 20:22] = True
    if kind == "m.dcm":
        seg_of({"Tumour": mask}, series[2], tmp_path / kind)
    else:
        save(mask.astype(np.uint8), tmp_path / kind, series[1])
    described = cohort(tmp_path / kind, "", diameter, unit)
    _, problems = check_sources(described, ["P1"], series[0].parent, FileCache(None, HEADER_FACTS_VERSION))
    if not wrong:
        assert problems == []
        return
    assert [problem.patient for problem in problems] == ["P1"]
    assert "another size than the patients sheet says (15 to " in problems[0].what
    assert f"mm in the sheet, column size: '{diameter}' {unit})" in problems[0].what
    assert "mm or cm" in problems[0].remedy


@pytest.mark.parametrize(
    ("diameter", "unit", "own", "wrong"),
    [
        ("15,0", "mm", {"decimal_comma": True}, ""),
        ("150,0", "mm", {"decimal_comma": True}, "column size: '150,0' mm"),
        ("1.5", {"A": "mm", "B": "cm"}, {}, ""),
        ("15", {"A": "mm", "B": "cm"}, {"columns": {"size": "D_max"}}, "column D_max: '15' cm"),
        ("999.0", "mm", {}, ""),
        ("\uff1e500", "mm", {}, ""),
    ],
)
def test_the_diameter_beside_the_mask_is_the_one_of_the_table(tmp_path, series, diameter, unit, own, wrong):
    """Decimal commas, units of centres and codes for missing mean there what they mean elsewhere; the mask is 15 mm."""
    save(tumour().astype(np.uint8), tmp_path / "m.nii.gz", series[1])
    described = cohort(tmp_path / "m.nii.gz", "", diameter, unit, own)
    _, problems = check_sources(described, ["P1"], series[0].parent, FileCache(None, HEADER_FACTS_VERSION))
    assert len(problems) == bool(wrong) and all(wrong in problem.what for problem in problems)


def test_a_mask_that_loses_voxels_on_the_way_to_its_image_is_refused_by_the_job_too(tmp_path, series):
    beside = shifted(tmp_path, series, [-8 * SPACING[2], 0, 0])
    with pytest.raises(MaskError, match=r"does not lie on the image's grid \(200 of its 400 voxels"):
        read_mask(beside, "", series[1])


def test_masks_of_four_dimensions_or_several_values_a_voxel_are_refused(tmp_path, series):
    made = sitk.GetImageFromArray(tumour().astype(np.uint8))
    made.CopyInformation(series[1])
    sitk.WriteImage(sitk.JoinSeries([made, made]), str(tmp_path / "four.nii.gz"))
    refuse(tmp_path / "four.nii.gz", series, r"has 4 dimensions \(24 x 20 x 9 x 2\); a mask has three")
    sitk.WriteImage(made[:, :, 4], str(tmp_path / "two.nii.gz"))
    refuse(tmp_path / "two.nii.gz", series, r"has 2 dimensions \(24 x 20\); a mask has three")
    sitk.WriteImage(sitk.Compose(made, made, made), str(tmp_path / "rgb.nrrd"))
    refuse(tmp_path / "rgb.nrrd", series, "3 values a voxel")


def test_an_inverted_mask_and_a_mask_of_a_whole_organ_are_refused(tmp_path, series):
    refuse(
        save((~tumour()).astype(np.uint8), tmp_path / "m.nii.gz", series[1]),
        series,
        r"fills most of the image \(91 %\)",
    )
    for name in ("Liver", "liver_mask", "Whole Liver", "肝脏"):
        path = seg_of({name: tumour()}, series[2], tmp_path / "m.dcm")
        refuse(path, series, f"it is called '{name}'")
        np.testing.assert_array_equal(mask_of(path, series, name), tumour())
    path = seg_of({"Liver tumour": tumour()}, series[2], tmp_path / "m.dcm")
    np.testing.assert_array_equal(mask_of(path, series), tumour())


@pytest.mark.parametrize("step", [2, 3])
def test_a_mask_drawn_on_every_second_slice_is_refused(tmp_path, series, step):
    mask = np.zeros(SHAPE, bool)
    mask[1:9:step, 4:14, 3:13] = True
    words = f"drawn on every {step} slices only"
    refuse(save(mask.astype(np.uint8), tmp_path / "m.nii.gz", series[1]), series, words)
    refuse(seg_of({"T": mask}, series[2], tmp_path / "m.dcm"), series, words)
    # Two lesions above each other, each whole.
    mask[:] = False
    mask[1:4, 4:14, 3:13] = mask[6:8, 4:14, 3:13] = True
    np.testing.assert_array_equal(mask_of(save(mask.astype(np.uint8), tmp_path / "n.nii.gz", series[1]), series), mask)
    np.testing.assert_array_equal(mask_of(seg_of({"T": mask}, series[2], tmp_path / "n.dcm"), series), mask)


@pytest.mark.parametrize("turn", [None, (2, 0, 1)], ids=["as drawn", "axes re-ordered"])
def test_a_single_slice_left_out_of_a_lesion_is_refused(tmp_path, series, turn):
    """Of two halves the larger alone would be the tumour."""
    mask = tumour()
    mask[4] = False
    made = sitk.GetImageFromArray(mask.astype(np.uint8))
    made.CopyInformation(series[1])
    sitk.WriteImage(sitk.PermuteAxes(made, turn) if turn else made, str(tmp_path / "m.nii.gz"))
    words = r"an empty slice between two that hold the same lesion \(5, counted.*a label each"
    refuse(tmp_path / "m.nii.gz", series, words)
    refuse(seg_of({"T": mask}, series[2], tmp_path / "m.dcm"), series, words.replace("5", "3"))
    # Elsewhere in the slices, or a label each: two lesions.
    two = tumour()
    two[4:], two[5:8, 15:19, 14:20] = False, True
    np.testing.assert_array_equal(mask_of(save(two.astype(np.uint8), tmp_path / "n.nii.gz", series[1]), series), two)
    labelled = mask.astype(np.uint8)
    labelled[5:] *= 2
    path = save(labelled, tmp_path / "l.nii.gz", series[1])
    np.testing.assert_array_equal(mask_of(path, series, "1+2"), mask)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda frame: frame.PlanePositionSequence[0].ImagePositionPatient.__setitem__(0, -19.25),
            r"0\.4 of a voxel, 0\.5 mm",
        ),
        (
            lambda frame: frame.PlanePositionSequence[0].ImagePositionPatient.__setitem__(2, 6.5),
            "frames between|0.5 of",
        ),
        (lambda frame: frame.PlanePositionSequence[0].ImagePositionPatient.__setitem__(2, -4), "beyond the image"),
    ],
    ids=["aside", "between", "below"],
)
def test_a_seg_off_the_images_slices_is_refused(tmp_path, series, change, words):
    path = seg_of({"T": tumour()}, series[2], tmp_path / "m.dcm")
    np.testing.assert_array_equal(mask_of(path, series), tumour())
    data = pydicom.dcmread(path)
    frames = sorted(
        data.PerFrameFunctionalGroupsSequence, key=lambda f: f.PlanePositionSequence[0].ImagePositionPatient[2]
    )
    change(frames[0])
    data.save_as(path)
    refuse(path, series, words)


def test_segments_of_one_name_are_joined_and_said_to_be():
    assert taken_together(["T", "Liver", "T"], "T") == "holds 2 segments or ROIs called 'T', which are taken together"
    # Names of their own were asked for; of one alone there is nothing to say.
    assert taken_together(["T_1", "T_2"], "T_*") == taken_together(["T", "Liver", "Liver"], "T") == ""


def test_empty_frames_of_a_seg_and_holes_are_as_drawn(tmp_path, series):
    import highdicom as hd

    mask = tumour()
    mask[3:5, 7:9, 6:8] = False
    path = seg_of({"T": mask, "Other": np.zeros(SHAPE, bool)}, series[2], tmp_path / "m.dcm")
    full = pydicom.dcmread(path)
    rewritten = hd.seg.Segmentation(
        source_images=series[2],
        pixel_array=mask,
        segmentation_type="BINARY",
        segment_descriptions=[full.SegmentSequence[0]],
        series_instance_uid="1.2.3",
        series_number=1,
        sop_instance_uid="1.2.4",
        instance_number=1,
        manufacturer="M",
        manufacturer_model_name="m",
        software_versions="1",
        device_serial_number="1",
        omit_empty_frames=False,
    )
    rewritten.save_as(tmp_path / "full.dcm")
    assert int(pydicom.dcmread(tmp_path / "full.dcm").NumberOfFrames) == SHAPE[0]
    np.testing.assert_array_equal(mask_of(tmp_path / "full.dcm", series), mask)
    np.testing.assert_array_equal(mask_of(path, series, "T"), mask)


@pytest.mark.parametrize(
    ("step", "tilt", "kind"), [(0.5, 0.0, "BINARY"), (0.625, 0.0, "FRACTIONAL"), (1.3, 0.31, "LABELMAP")]
)
def test_a_seg_drawn_on_rounded_positions_lies_on_the_images_own_slices(tmp_path, step, tilt, kind):
    # Of an oblique stack all three coordinates are rounded.
    turn = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    shape = (16, *SHAPE[1:])
    values = np.random.default_rng(0).integers(-900, 900, shape).astype(np.float32)
    slices = make_series(values, describe(spacing=(step, 1.5, 1.25)), tmp_path / "s", turn)
    for data in slices:
        data.ImagePositionPatient = [round(float(v), 1) for v in data.ImagePositionPatient]
    save_series(slices, tmp_path / "s")
    geometry = find_stack(tmp_path / "s", "", "", False, FileCache(None, HEADER_FACTS_VERSION)).geometry
    mask = np.zeros(shape, bool)
    mask[2:11, 4:14, 3:13] = True
    # Two lesions, one of them on single slices only.
    mask[13, 2:5, 2:5] = True
    rounded = (None, read_series(tmp_path / "s"), slices, geometry)
    path = seg_of({"T": mask}, slices, tmp_path / "m.dcm", kind)
    np.testing.assert_array_equal(mask_of(path, rounded), mask)
    # Other programs take the step from the first and the last slice.
    first, last = (np.array(slices[k].ImagePositionPatient, float) for k in (0, -1))
    drawn = sitk.GetImageFromArray(mask.astype(np.uint8))
    drawn.SetOrigin(first.tolist())
    drawn.SetSpacing([1.25, 1.5, float(np.linalg.norm(last - first)) / 15])
    drawn.SetDirection(turn.ravel().tolist())
    sitk.WriteImage(drawn, str(tmp_path / "m.nii.gz"))
    np.testing.assert_array_equal(mask_of(tmp_path / "m.nii.gz", rounded), mask)
    drawn.SetOrigin((first + turn[:, 2] * step).tolist())
    sitk.WriteImage(drawn, str(tmp_path / "aside.nii.gz"))
    refuse(tmp_path / "aside.nii.gz", rounded, "beyond the image")


@pytest.mark.parametrize("lack", ["position", "empty position", "orientation", "spacing"])
def test_a_seg_that_does_not_say_where_its_frames_lie_is_refused(tmp_path, series, lack):
    path = seg_of({"T": tumour()}, series[2], tmp_path / "m.dcm")
    data = pydicom.dcmread(path)
    shared = data.SharedFunctionalGroupsSequence[0]
    if lack == "position":
        del data.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence
    elif lack == "empty position":
        data.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence[0].ImagePositionPatient = None
    elif lack == "orientation":
        del shared.PlaneOrientationSequence
    else:
        del shared.PixelMeasuresSequence
    data.save_as(path)
    refuse(path, series, "do not say where they lie")
    with pytest.raises(MaskError, match="do not say where they lie"):
        read_mask(path, "", series[1])


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("spoil", ["a third", "the last bytes", "a byte within"])
def test_a_nifti_that_was_cut_off_is_refused_as_mask_and_as_image(tmp_path, series, suffix, spoil):
    # The tumour reaches the last slice, whose voxels would be read as 0.
    drawn = tumour()
    drawn[-1, -4:, -9:] = True
    path = save(drawn.astype(np.int16), tmp_path / f"m{suffix}", series[1])
    np.testing.assert_array_equal(mask_of(path, series), drawn)
    image = tmp_path / f"i{suffix}"
    sitk.WriteImage(series[1], str(image))
    find_stack(image, "", "", False, FileCache(None, "x"))
    for file in (path, image):
        content = bytearray(file.read_bytes())
        if spoil == "a byte within":
            if suffix == ".nii":
                return
            content[-12] ^= 0x55
        kept = {"a third": 2 * len(content) // 3, "the last bytes": len(content) - 9}.get(spoil, len(content))
        file.write_bytes(content[:kept])
    # Of a mask of few bytes a third may be less than its header.
    refuse(path, series, "RTSTRUCT that can be read" if spoil == "a third" else "cut off|ends before its voxels do")
    with pytest.raises(MaskError, match="cannot be read"):
        read_mask(path, "", series[1])
    with pytest.raises(SeriesError, match=r"cut off|ends before its voxels do"):
        find_stack(image, "", "", False, FileCache(None, "x"))
    with pytest.raises(SeriesError, match=r"cut off|ends before its voxels do"):
        read_series(image, modality="CT")


def test_a_seg_with_cosines_of_two_digits_lies_on_the_image_that_has_them_too(tmp_path):
    turn = Rotation.from_euler("xyz", [17, -5, 3], degrees=True).as_matrix()
    shape = (9, 40, 48)
    values = np.random.default_rng(0).integers(0, 900, shape).astype(np.float32)
    slices = make_series(values, describe("MR", spacing=(3.0, 1.5, 1.5)), tmp_path / "s", turn)
    for data in slices:
        data.ImageOrientationPatient = [round(float(v), 2) for v in data.ImageOrientationPatient]
    save_series(slices, tmp_path / "s")
    geometry = find_stack(tmp_path / "s", "", "", False, FileCache(None, HEADER_FACTS_VERSION)).geometry
    mask = np.zeros(shape, bool)
    mask[2:7, 5:38, 3:46] = True
    path = seg_of({"T": mask}, slices, tmp_path / "m.dcm")
    np.testing.assert_array_equal(mask_of(path, (None, read_series(tmp_path / "s"), slices, geometry)), mask)
