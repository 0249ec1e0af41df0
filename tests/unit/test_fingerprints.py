"""A model that is applied to its own training patients says so, whatever they are called."""

from __future__ import annotations

import hashlib
import json
import struct

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from applied_models import about_model, applied_tables, distribution_of_training
from made_bundle import about_of, write_made

from hcc_recurrence.exported.bundle import FINGERPRINTS, read_bundle, write_bundle
from hcc_recurrence.exported.fingerprints import (
    GROUP,
    ITEM,
    LEVELS,
    PIECES,
    VOXELS,
    ImageDigests,
    check_fingerprints,
    digests_of,
    digests_of_folder,
    fingerprints,
    training_row,
)
from hcc_recurrence.exported.outside import INSIDE, SEEN, UNKNOWN
from hcc_recurrence.exported.pages import AppliedModel, overview_page, patient_page
from hcc_recurrence.exported.pieces import pieces_of
from hcc_recurrence.exported.validation import external_predictions, left_out_words, without_training_patients
from hcc_recurrence.files import ModelFileError


def image_of(seed=0, spacing=(0.7, 0.7, 2.5), size=(12, 30, 40)):
    """A CT of a few thousand voxels in whole HU, (z, y, x)."""
    values = np.random.default_rng(seed).integers(-200, 300, size).astype(np.int16)
    return with_spacing(values, spacing)


def with_spacing(values, spacing):
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(spacing)
    return image


def values_of(image):
    return sitk.GetArrayFromImage(image)


@pytest.fixture(scope="module")
def document():
    return fingerprints("zhao2024.mine", [ImageDigests.of(image_of(seed)) for seed in range(4)])


def row_of(document, image, phase="portal"):
    return training_row(document, {phase: ImageDigests.of(image)})


def test_the_sums_are_those_of_the_bytes_that_the_text_says():
    values = np.array([[[0, 1, 1], [1, 0, 2]]], np.int16)
    voxels = hashlib.sha256(struct.pack("<3q", 1, 2, 3) + struct.pack("<3d", 2.5, 0.7, 0.7))
    voxels.update(struct.pack("<6d", 0, 1, 1, 1, 0, 2))
    assert digests_of(with_spacing(values, (0.7, 0.7, 2.5))) == {VOXELS: voxels.digest()}
    # 50 values that two voxels share, and one of a single voxel: their counts from the lowest value on.
    many = np.array([*range(50), *range(50), 99], np.int16).reshape(1, 1, 101)
    counts = hashlib.sha256(struct.pack("<51q", *[2] * 50, 1)).digest()
    assert digests_of(with_spacing(many, (1, 1, 1)))[LEVELS] == counts
    few = np.array([*range(49), *range(49), 98, 99], np.int16).reshape(1, 1, 100)
    assert LEVELS not in digests_of(with_spacing(few, (1, 1, 1)))
    salt = fingerprints("a.b", [ImageDigests({VOXELS: b"x" * 32})])["salt"]
    assert salt == hashlib.sha256(b"hcc-recurrence fingerprints\0a.b\0" + b"x" * 32).hexdigest()
    listed = fingerprints("a.b", [ImageDigests({VOXELS: b"x" * 32})])[VOXELS]
    assert listed == [hashlib.sha256(bytes.fromhex(salt) + b"x" * 32).hexdigest()]


def test_the_same_image_under_another_name_and_another_phase_is_found(document, tmp_path):
    folder = tmp_path / "somebody_else"
    folder.mkdir()
    sitk.WriteImage(image_of(7), str(folder / "arterial.nii.gz"))
    sitk.WriteImage(image_of(2), str(folder / "delayed.nii.gz"))
    row = training_row(document, digests_of_folder(folder))
    assert (row.item, row.group, row.verdict, row.value) == (ITEM, GROUP, SEEN, "yes")
    assert row.words.startswith("the delayed image is voxel by voxel one of the training images")
    assert "arterial" not in row.words


@pytest.mark.parametrize(
    "changed",
    [
        lambda v: with_spacing(v[::-1, :, ::-1].copy(), (0.7, 0.7, 2.5)),
        lambda v: with_spacing(v.transpose(2, 1, 0).copy(), (2.5, 0.7, 0.7)),
        lambda v: with_spacing(v, (0.7003, 0.7003, 2.51)),
        lambda v: with_spacing(v + 1024, (0.7, 0.7, 2.5)),
        lambda v: with_spacing((v * 2.4415).astype(np.float32), (0.7, 0.7, 2.5)),
    ],
    ids=["flipped", "axes in another order", "spacing rounded", "offset not applied", "slope applied"],
)
def test_another_road_from_dicom_is_found_by_how_many_voxels_have_each_value(document, changed):
    row = row_of(document, changed(values_of(image_of(1))))
    assert row.verdict == SEEN and "was converted on another road" in row.words


def test_another_type_of_the_same_values_and_a_place_in_the_scanner_change_nothing(document):
    image = sitk.Cast(image_of(3), sitk.sitkFloat64)
    image.SetOrigin((10, -20, 30))
    assert "voxel by voxel" in row_of(document, image).words


@pytest.mark.parametrize(
    "part",
    [
        lambda v: v[1:],
        lambda v: v[4:8, 8:24, 5:35],
        lambda v: v[3:6, ::-1, ::-1],
        lambda v: v[2:10] + 1024,
        lambda v: np.pad(v[2:10], 3, constant_values=-1024),
        lambda v: np.where(np.arange(40) < 30, v, 0),
    ],
    ids=["a slice fewer", "cropped", "flipped", "another offset", "padded", "the rest blanked"],
)
def test_a_part_of_a_training_image_is_found(document, part):
    row = row_of(document, with_spacing(part(values_of(image_of(1))), (0.7, 0.7, 2.5)))
    assert row.verdict == SEEN and "holds a part of a training image" in row.words


def test_pieces_are_the_same_by_another_way_and_few_images_share_any():
    """The smallest hashes of all runs, each by itself; nothing of rolling or of slices."""
    values = values_of(image_of(5, size=(3, 20, 40)))
    found = []
    for row in np.diff(values.astype(int), axis=-1).reshape(-1, 39):
        for start in range(39 - 16 + 1):
            both = []
            for run in (row[start : start + 16], -row[start : start + 16][::-1]):
                number = sum(int(step) * pow(0xBF58476D1CE4E5B9, place, 2**64) for place, step in enumerate(run))
                both.append((number * 0x94D049BB133111EB % 2**64, struct.pack("<16q", *run)))
            found.append((min(number for number, _ in both), hashlib.sha256(min(run for _, run in both)).digest()))
    assert pieces_of(values) == sorted(piece for _, piece in sorted(found)[:64])
    everything = [piece for seed in range(20, 60) for piece in pieces_of(values_of(image_of(seed)))]
    assert len(set(everything)) == len(everything) == 40 * 64
    # Scaled by a slope in single precision, as of MR, they are the same.
    assert pieces_of((values * 2.4415 + 7.3).astype(np.float32)) == pieces_of(values)
    # What hardly varies could be found by trying.
    assert pieces_of(np.random.default_rng(4).integers(0, 3, (3, 20, 40))) == []
    # Air of one value, and noise that was never a whole number, has none.
    assert pieces_of(np.full((3, 20, 40), -1024)) == []
    assert pieces_of(np.random.default_rng(3).normal(size=(3, 20, 40)).astype(np.float32)) == []
    assert pieces_of(np.full((3, 20, 12), 1)) == []


def test_fingerprints_without_pieces_are_read_as_they_were(document):
    first = {key: value for key, value in document.items() if key != PIECES} | {"schema_version": 1}
    check_fingerprints(first, "file")
    assert row_of(first, image_of(1)).verdict == SEEN
    assert row_of(first, with_spacing(values_of(image_of(1))[1:], (0.7, 0.7, 2.5))).verdict == INSIDE
    with pytest.raises(ModelFileError, match="is not as this workflow writes it"):
        check_fingerprints({**first, "schema_version": 2}, "file")


def test_other_images_and_resampled_or_clipped_ones_are_not_found(document):
    image = image_of(1)
    smaller = [int(n // 2) for n in image.GetSize()]
    coarse = sitk.Resample(image, smaller, sitk.Transform(), sitk.sitkLinear, image.GetOrigin(), (1.4, 1.4, 5.0))
    clipped = with_spacing(values_of(image).clip(-100, 200), image.GetSpacing())
    # Axes in another order and a part of it.
    turned = with_spacing(values_of(image)[1:].transpose(0, 2, 1).copy(), image.GetSpacing())
    for other in (image_of(9), coarse, clipped, turned):
        row = row_of(document, other)
        assert (row.verdict, row.value) == (INSIDE, "no")


def test_images_without_shared_values_are_not_taken_for_each_other():
    """Of noise in single precision every voxel has a value of its own: all such images of a size count alike."""
    noise = [np.random.default_rng(seed).normal(size=(4, 8, 8)).astype(np.float32) for seed in (1, 2)]
    document = fingerprints("a.b", [ImageDigests.of(with_spacing(noise[0], (1, 1, 1)))])
    assert document[LEVELS] == []
    assert row_of(document, with_spacing(noise[1], (1, 1, 1))).verdict == INSIDE
    assert row_of(document, with_spacing(noise[0], (1, 1, 1))).verdict == SEEN


def test_fingerprints_say_nothing_of_patients_and_two_bundles_share_none(document):
    own = [ImageDigests.of(image_of(seed)) for seed in range(4)]
    assert document == fingerprints("zhao2024.mine", own[::-1])
    assert all(document[kind] == sorted(document[kind]) and len(document[kind]) == 4 for kind in (VOXELS, LEVELS))
    other = fingerprints("cui2022.mine", own)
    assert not {*other[VOXELS], *other[LEVELS]} & {*document[VOXELS], *document[LEVELS]}
    assert len(document[PIECES]) == 4 * 64 and not {*other[PIECES]} & {*document[PIECES]}
    assert not any(digests.whole[VOXELS].hex() in json.dumps(document) for digests in own)


def test_a_bundle_without_them_says_that_nobody_can_tell(tmp_path, document):
    bundle = read_bundle(write_made(tmp_path, about_of()), tmp_path / "own")
    assert bundle.fingerprints is None
    row = training_row(bundle.fingerprints, {})
    assert row.verdict == UNKNOWN and "without fingerprints" in row.words
    folder = tmp_path / "own" / "zhao2024.mine"
    (folder / FINGERPRINTS).write_text(json.dumps(document))
    write_bundle(folder, tmp_path / "again.zip")
    assert read_bundle(tmp_path / "again.zip", tmp_path).fingerprints == document
    (folder / FINGERPRINTS).write_text(json.dumps({**document, "names": []}))
    write_bundle(folder, tmp_path / "odd.zip")
    with pytest.raises(ModelFileError, match=r"training_fingerprints\.json: is not as this workflow writes it"):
        read_bundle(tmp_path / "odd.zip", tmp_path)


def applied(verdicts):
    """Six patients, of whom the row of the first ones has a verdict."""
    about, distribution = about_model(), distribution_of_training()
    patients = [f"p{n}" for n in range(6)]
    predictions, outside = applied_tables(about, distribution, patients)
    said = [
        {"patient_id": patient, "item": ITEM, "group": GROUP, "verdict": verdict, "words": f"said of {patient}"}
        for patient, verdict in zip(patients, [*verdicts, *[INSIDE] * 6][:6], strict=True)
    ]
    return AppliedModel(about, distribution, predictions, pd.concat([pd.DataFrame(said), outside], ignore_index=True))


def test_training_patients_are_in_no_part_of_an_external_validation():
    model = applied([SEEN, SEEN])
    labels = pd.DataFrame({"patient_id": [f"p{n}" for n in range(6)], "er": [0, 1, 0, 1, 0, 1]})
    labels = labels.assign(rfs_months=30.0, rfs_event=labels["er"])
    predictions, outside, known, gone = without_training_patients(model.predictions, model.outside, labels)
    assert gone.to_dict("list") == {"patient_id": ["p0", "p1"], "words": ["said of p0", "said of p1"]}
    for table in (predictions, outside, known, external_predictions(predictions, known)):
        assert set(table["patient_id"]) == {"p2", "p3", "p4", "p5"}
    (sentence,) = left_out_words(gone, outside)
    assert sentence.startswith(
        "2 patients are training patients of this model and left out of everything below: p0, p1"
    )
    everybody = without_training_patients(applied([SEEN] * 6).predictions, applied([SEEN] * 6).outside, labels)
    assert external_predictions(everybody[0], everybody[2], whole=True).empty


def test_whoever_cannot_be_told_is_kept_and_said():
    model = applied([UNKNOWN] * 6)
    labels = pd.DataFrame({"patient_id": ["p0"], "er": [1]})
    kept = without_training_patients(model.predictions, model.outside, labels)
    assert len(kept[3]) == 0 and set(kept[0]["patient_id"]) == {f"p{n}" for n in range(6)}
    assert "nobody can tell here" in left_out_words(kept[3], kept[1])[0]
    assert left_out_words(kept[3], applied([]).outside) == []


def test_pages_name_the_training_patient_first():
    model = applied([SEEN])
    assert patient_page("p0", "here", [model])["seen"] == ["Zhao2024, fitted on there (simulated): said of p0"]
    assert patient_page("p1", "here", [model])["seen"] == []
    groups = patient_page("p0", "here", [model])["models"][0]["groups"]
    assert groups[0]["heading"] == "Training patients of this model" and groups[0]["rows"][0]["verdict"] == SEEN
    page = overview_page("here", [f"p{n}" for n in range(6)], [model])
    assert page["seen"] == ["p0"] and [row["seen"] for row in page["rows"]] == [1, 0, 0, 0, 0, 0]
    assert any("nobody can tell" in mark for mark in overview_page("here", ["p1"], [applied([UNKNOWN])])["marks"])
