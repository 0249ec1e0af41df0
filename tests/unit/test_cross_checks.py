"""Phases of two persons, one series for two phases, and two names for one examination or mask, before the first job."""

from __future__ import annotations

import copy
import types

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from exports import SHAPE, describe, make_series, save_enhanced, save_series, seg_of, voxels
from pydicom.uid import generate_uid

from hcc_recurrence.cohort import samples
from hcc_recurrence.cohort.checks import check_sources
from hcc_recurrence.cohort.dicom_headers import HEADER_FACTS_VERSION
from hcc_recurrence.cohort.persons import contradictions, days_apart, person_facts, secret_of, usable_id
from hcc_recurrence.cohort.sheets import load_cohort
from hcc_recurrence.cohort.slice_hashes import FEWEST_VALUES, hash_of_mask, hash_of_slice, sampled_slices
from hcc_recurrence.problems import Notice
from hcc_recurrence.provenance import FileCache

KEY = b"key"
LEFT_OUT = 2


class Sheets:
    """A cohort of the series and masks that are added, and what is wrong with it."""

    def __init__(self, root):
        self.root, self.series, self.masks = root, [], []

    def add(self, patient, phase, path, **more):
        self.series.append({"patient_id": patient, "phase": phase, "path": path, **more})

    def mask(self, patient, phase, reader, path, label=""):
        row = {"patient_id": patient, "phase": phase, "reader": reader, "path": path, "label": label}
        self.masks.append(row)

    def scan(self, patient, phase, seed, change=None, **options):
        """A series in the folder <patient>/<phase>, whose slices `change` edits; its data sets."""
        slices = make_series(voxels(seed), describe(phase=phase, patient=patient), self.root / "unused")
        for data in slices:
            if change:
                change(data)
        save_series(slices, self.root / patient / phase, **options)
        self.add(patient, phase, f"{patient}/{phase}")
        return slices

    def problems(self, folder=None):
        """(patient, file, what) of what is refused, and of what is named."""
        frames = {
            "patients": pd.DataFrame({"patient_id": sorted({row["patient_id"] for row in self.series})}),
            "series": pd.DataFrame(self.series).fillna(""),
            "masks": pd.DataFrame(self.masks, columns=["patient_id", "phase", "reader", "path", "label"]),
        }
        frames["patients"] = frames["patients"].assign(centre="A", rfs_months="30", rfs_event="0")
        for name, frame in frames.items():
            frame.to_csv(self.root / f"{name}.csv", index=False)
        settings = {
            **{name: str(self.root / f"{name}.csv") for name in frames},
            **{"images_of": "", "clinical": {}, "missing_codes": [], "columns": {}, "date_format": "", "strata": {}},
            **{
                "modality": "CT",
                "interpolate_missing": False,
                "smallest_mask_ml": 0.0,
                "mask_tolerance_voxels": 0.1,
                "carry_masks": "refuse",
            },
        }
        cohort, found = load_cohort("c", settings)
        # Most of these cohorts have no masks, which is another problem.
        found = [p for p in found if p.what != "has a header and no rows"]
        cache = FileCache(folder / "hcc_headers.json" if folder else None, HEADER_FACTS_VERSION)
        found += check_sources(cohort, cohort.patients.index, self.root, cache)[1]
        cache.save()
        self.found = found
        rows = [(p.patient, p.file, p.what, isinstance(p, Notice)) for p in sorted(set(found), key=repr)]
        return tuple([row[:3] for row in rows if row[3] == named] for named in (False, True))


@pytest.fixture
def sheets(tmp_path):
    return Sheets(tmp_path)


def other_uids(data):
    """The same slice as another anonymiser would write it."""
    data.StudyInstanceUID, data.SeriesInstanceUID = f"1.2.{data.PatientID[-1:]}", f"1.3.{data.PatientID[-1:]}"
    data.SOPInstanceUID = generate_uid()


def test_two_phases_of_one_patient_are_fine(sheets):
    for patient, seed in (("P1", 1), ("P2", 3)):
        sheets.scan(patient, "arterial", seed)
        sheets.scan(patient, "portal", seed + 1)
    assert sheets.problems() == ([], [])


def test_one_folder_for_two_phases_is_refused(sheets):
    sheets.scan("P1", "arterial", 1)
    sheets.add("P1", "portal", "P1/arterial")
    what = "its images are those of the arterial series P1/arterial"
    assert sheets.problems() == ([("P1", "portal series P1/arterial", what)], [])


def test_two_phases_that_share_slices_are_refused(sheets):
    """Every other slice is of the second acquisition: each is a stack, and so are all."""
    slices = make_series(voxels(1), describe(phase="portal"), sheets.root / "u")
    for k, data in enumerate(slices):
        data.AcquisitionNumber = 1 + k % 2
    save_series(slices, sheets.root / "s")
    sheets.add("P1", "arterial", "s", part="acquisition 1")
    sheets.add("P1", "portal", "s", part="acquisition 2")
    assert sheets.problems() == ([], [])
    sheets.series[1]["part"] = "all"
    assert [what for _, _, what in sheets.problems()[0]] == ["3 of its 6 images are those of the arterial series s"]


def test_a_mask_of_another_part_of_the_same_series_is_refused(sheets):
    """Two phases one after the other in one series, as some scanners export them, on the same grid."""
    slices = []
    for number in (1, 2):
        made = make_series(voxels(number), describe(phase="portal"), sheets.root / "u")
        for data in made:
            data.AcquisitionNumber, data.SOPInstanceUID = number, generate_uid()
            data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
        slices.append(made)
    save_series(slices[0] + slices[1], sheets.root / "s")
    mask = np.zeros(SHAPE, bool)
    mask[1:4, 3:9, 2:8] = True
    for number, phase in enumerate(("arterial", "portal"), 1):
        seg_of({"Tumour": mask}, slices[number - 1], sheets.root / f"{phase}.dcm")
        sheets.add("P1", phase, "s", part=f"acquisition {number}")
        sheets.mask("P1", phase, "R1", f"{phase}.dcm")
    assert sheets.problems()[0] == []
    sheets.masks[0]["path"], sheets.masks[1]["path"] = "portal.dcm", "arterial.dcm"
    what = "was drawn on another part of the same series (another phase)"
    assert [one for _, _, one in sheets.problems()[0]] == [what, what]


def test_a_copy_of_a_series_under_other_uids_is_no_second_phase(sheets):
    slices = sheets.scan("P1", "arterial", 1)
    copies = copy.deepcopy(slices)
    for data in copies:
        data.SeriesInstanceUID, data.SOPInstanceUID, data.SeriesDescription = "1.5", generate_uid(), "portal"
    save_series(copies, sheets.root / "P1" / "portal", "rle")
    sheets.add("P1", "portal", "P1/portal")
    refused, named = sheets.problems()
    assert [what for _, _, what in refused] == [
        "its pixels are those of the arterial series P1/arterial, in other files"
    ]
    assert not named


def set_tags(**tags):
    def change(data):
        for tag, value in tags.items():
            setattr(data, tag, value)

    return change


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"PatientID": "SOMEBODY-ELSE"}, "PatientID in its headers is not that of the arterial series P1/arterial"),
        ({"PatientBirthDate": "19300704"}, "birth date in its headers is not that of"),
        ({"PatientBirthDate": "19600702"}, "birth date in its headers is not that of"),
        ({"PatientSex": "M"}, "sex in its headers is not that of"),
        ({"PatientID": "Z9", "PatientSex": "M"}, "PatientID and sex in its headers are not that of"),
        (
            {"StudyInstanceUID": "1.2.9", "StudyDate": "20200103"},
            "its study lies 2 days from that of the arterial",
        ),
        ({"StudyInstanceUID": "1.2.9", "StudyDate": "20230101"}, "its study lies 1096 days from that of"),
    ],
)
def test_phases_of_two_persons_or_examinations_are_refused(sheets, tags, words):
    sheets.scan("P1", "arterial", 1)
    sheets.scan("P1", "portal", 2, set_tags(**tags))
    refused, named = sheets.problems()
    assert [(p, f) for p, f, _ in refused] == [("P1", "portal series P1/portal")] and words in refused[0][2]
    assert not named
    for value in tags.values():
        assert value not in str(sheets.found[0]).replace("P1", "")
    sheets.series[1]["checked"] = "yes"
    assert sheets.problems() == ([], [])
    sheets.series[1]["checked"] = "sure"
    assert "column checked: 'sure' is not yes" in sheets.problems()[0][0][2]


def test_a_series_that_mixes_two_persons_is_refused(sheets):
    """Slices 1 to 3 of another person; the middle one is the fourth."""
    slices = make_series(voxels(1), describe(patient="P1"), sheets.root / "u")
    for data in slices[:3]:
        data.PatientID, data.PatientSex = "SOMEBODY-ELSE", "M"
    save_series(slices, sheets.root / "P1")
    sheets.add("P1", "portal", "P1")
    refused, named = sheets.problems()
    assert refused == [("P1", "portal series P1", "its slices differ in PatientID and sex: it mixes two persons")]
    assert not named


@pytest.mark.parametrize(
    "tags",
    [
        {"PatientID": "***", "PatientBirthDate": "", "PatientSex": ""},
        {"PatientID": "ANONYMOUS", "PatientSex": "O"},
        {"PatientID": "00p1 "},
        {"PatientBirthDate": "19600101"},
        {"PatientBirthDate": "19000101"},
        # Two studies of one day, one that went on past midnight, and days that were removed.
        {"StudyInstanceUID": "1.2.9"},
        {"StudyInstanceUID": "1.2.9", "StudyDate": "20200102"},
        {"StudyInstanceUID": "1.2.9", "StudyDate": ""},
        # One study may be given the dates of its series.
        {"StudyDate": "20200301"},
        {"PatientName": "Mueller^J"},
    ],
)
def test_headers_that_tell_nothing_or_the_same_contradict_nothing(sheets, tags):
    sheets.scan("P1", "arterial", 1)
    sheets.scan("P1", "portal", 2, set_tags(**tags))
    assert sheets.problems() == ([], [])


def test_the_frames_of_enhanced_objects_are_compared_as_well(sheets):
    for patient, seed in (("P1", 1), ("P2", 1), ("P3", 2)):
        slices = make_series(voxels(seed), describe(patient=patient), sheets.root / "u")
        save_enhanced(slices, sheets.root / patient / "e")
        sheets.add(patient, "portal", patient)
    refused, named = sheets.problems()
    assert not refused and {patient for patient, _, _ in named} == {"P1", "P2"}


@pytest.mark.parametrize("how", ["uids", "compressed", "one slice less", "turned around", "nifti"])
def test_the_same_pixels_under_two_names_are_named(sheets, how):
    slices = sheets.scan("P1", "portal", 5, other_uids)
    sheets.scan("P3", "portal", 6, other_uids)
    if how == "nifti":
        image = sitk.GetImageFromArray(voxels(5)[:, ::-1].astype(np.int16))
        image.SetSpacing((1.25, 1.5, 3.0))
        image.SetDirection((1, 0, 0, 0, -1, 0, 0, 0, 1))
        sitk.WriteImage(image, str(sheets.root / "P2.nii.gz"))
        sheets.add("P2", "portal", "P2.nii.gz")
    else:
        twins = copy.deepcopy(slices)
        for data in twins:
            data.PatientID = "P2"
            other_uids(data)
            if how == "turned around":
                data.PixelData = data.pixel_array[:, ::-1].tobytes()
        twins = twins[1:] if how == "one slice less" else twins
        save_series(twins, sheets.root / "P2" / "portal", "jpeg 2000" if how == "compressed" else "explicit")
        sheets.add("P2", "portal", "P2/portal")
    refused, named = sheets.problems()
    assert not refused and [patient for patient, _, _ in named] == ["P1", "P2"]
    what = "has the same pixels as a series of patient {}, in other files: probably one examination under two names"
    assert [w for _, _, w in named] == [what.format("P2"), what.format("P1")]


def test_the_same_bytes_under_two_names_are_refused(sheets):
    slices = sheets.scan("P1", "portal", 5)
    save_series(slices, sheets.root / "P2" / "portal")
    sheets.add("P2", "portal", "P2/portal")
    refused, named = sheets.problems()
    what = "is byte for byte the same as a file of patient {}"
    assert [w for _, _, w in refused] == [what.format("P2"), what.format("P1")]
    assert {w for _, _, w in named} <= {
        f"has the PatientID of patient {p} in its headers: probably one person under two names" for p in ("P1", "P2")
    }


def test_one_person_under_two_names_is_named_unless_the_header_tells_two_apart(sheets):
    for patient, seed in (("P1", 1), ("P2", 2)):
        sheets.scan(patient, "portal", seed, set_tags(PatientID="4711"))
    refused, named = sheets.problems()
    assert not refused and [(p, w.split(":")[0]) for p, _, w in named] == [
        ("P1", "has the PatientID of patient P2 in its headers"),
        ("P2", "has the PatientID of patient P1 in its headers"),
    ]
    # Two hospitals count alike.
    sheets.series.pop()
    sheets.scan("P2", "portal", 2, set_tags(PatientID="4711", PatientBirthDate="19411231"))
    assert sheets.problems() == ([], [])


def test_many_who_share_something_are_counted(sheets):
    for k in range(6):
        sheets.scan(f"P{k}", "portal", 7, other_uids)
    named = sheets.problems()[1]
    assert len(named) == 6 and "patient P1, P2, P3 and 2 more" in named[0][2]


def tumour(seed=0):
    mask = np.zeros(SHAPE, np.uint8)
    mask[2:4, 4 : 9 + seed, 3:8] = 1
    return mask


def save_mask(path, mask, spacing=(1.25, 1.5, 3.0)):
    image = sitk.GetImageFromArray(mask)
    image.SetSpacing(spacing)
    image.SetOrigin((-20.0, 10.0, 5.0))
    sitk.WriteImage(image, str(path))


def test_one_mask_file_for_two_readers_is_refused_and_equal_voxels_are_named(sheets):
    slices = sheets.scan("P1", "portal", 1)
    save_mask(sheets.root / "a.nii.gz", tumour())
    sheets.mask("P1", "portal", "R1", "a.nii.gz")
    sheets.mask("P1", "portal", "R2", "a.nii.gz")
    what = "is the mask of reader R1 as well: agreement of readers would be perfect"
    assert sheets.problems() == ([("P1", "portal mask of R2 a.nii.gz", what)], [])
    # Saved again, as another format and type of number.
    save_mask(sheets.root / "b.nrrd", tumour().astype(np.float32))
    sheets.masks[1]["path"] = "b.nrrd"
    refused, named = sheets.problems()
    assert not refused
    assert named == [
        (
            "P1",
            "portal mask of R2 b.nrrd",
            "is voxel by voxel the mask of reader R1: agreement of readers is perfect there",
        )
    ]
    save_mask(sheets.root / "b.nrrd", tumour(1))
    assert sheets.problems() == ([], [])
    # Two readers' segments in one file are two masks.
    segments = {"first": tumour().astype(bool), "second": tumour(1).astype(bool)}
    seg_of(segments, slices, sheets.root / "both.dcm")
    for row, label in zip(sheets.masks, segments, strict=True):
        row.update(path="both.dcm", label=label)
    assert sheets.problems() == ([], [])


def test_one_mask_file_for_two_phases_is_named(sheets):
    for phase, seed in (("arterial", 1), ("portal", 2)):
        sheets.scan("P1", phase, seed)
        sheets.mask("P1", phase, "R1", "a.nii.gz")
    save_mask(sheets.root / "a.nii.gz", tumour())
    what = "is the mask of the arterial phase as well: probably drawn on one of them alone"
    assert sheets.problems() == ([], [("P1", "portal mask of R1 a.nii.gz", what)])
    save_mask(sheets.root / "b.nii.gz", tumour(1))
    sheets.masks[1]["path"] = "b.nii.gz"
    assert sheets.problems() == ([], [])


def test_one_nifti_for_two_phases_is_refused_whatever_its_name(sheets):
    image = sitk.GetImageFromArray(voxels(1).astype(np.int16))
    for phase in ("arterial", "portal"):
        sitk.WriteImage(image, str(sheets.root / f"{phase}.nii.gz"))
        sheets.add("P1", phase, f"{phase}.nii.gz")
        image.SetOrigin((0.0, 0.0, 1.0))
    refused, named = sheets.problems()
    what = "its pixels are those of the arterial series arterial.nii.gz, in other files"
    assert [w for _, _, w in refused] == [what] and not named


def test_the_mask_of_another_patient_is_known_by_its_voxels(sheets):
    for k, patient in enumerate(("P1", "P2", "P3")):
        sheets.scan(patient, "portal", k)
        save_mask(sheets.root / f"{patient}.nrrd", tumour(int(patient == "P3")))
        sheets.mask(patient, "portal", "R1", f"{patient}.nrrd")
    save_mask(sheets.root / "P2.nii", tumour())
    sheets.masks[1]["path"] = "P2.nii"
    refused, named = sheets.problems()
    assert not refused and [(p, w) for p, _, w in named] == [
        ("P1", "has the voxels of a mask of patient P2, in another file"),
        ("P2", "has the voxels of a mask of patient P1, in another file"),
    ]


def test_all_are_listed_at_once(sheets):
    sheets.scan("P1", "arterial", 1)
    sheets.add("P1", "portal", "P1/arterial")
    sheets.scan("P2", "arterial", 2)
    sheets.scan("P2", "portal", 3, set_tags(PatientID="Z9"))
    sheets.add("P3", "portal", "nowhere")
    assert [patient for patient, _, _ in sheets.problems()[0]] == ["P1", "P2", "P3"]


def test_caches_hold_nothing_of_a_person_and_nothing_is_read_twice(sheets, tmp_path, monkeypatch):
    tags = {"PatientName": "Müller^Jörg", "PatientID": "MRN77123", "PatientBirthDate": "19611104"}
    sheets.scan("P1", "arterial", 1, set_tags(**tags, AccessionNumber="ACC-88"))
    sheets.scan("P1", "portal", 2, set_tags(**{**tags, "PatientID": "MRN9"}))
    kept = tmp_path / "kept"
    kept.mkdir()
    first = sheets.problems(kept)
    assert first[0] and {f.name for f in kept.iterdir()} == {"hcc_headers.json", "hcc_samples.json", "hcc_key"}
    for file in kept.iterdir():
        for words in ("ller", "MRN", "19611104", "ACC-88", "20200101"):
            assert words not in file.read_text(), file
    assert (kept / "hcc_key").stat().st_mode & 0o077 == 0
    monkeypatch.setattr(samples, "_hash_of_image", lambda *args: pytest.fail("read again"))
    assert sheets.problems(kept) == first
    # With another key what was kept says nothing any more.
    monkeypatch.undo()
    (kept / "hcc_key").unlink()
    assert sheets.problems(kept) == first


def test_small_pieces_of_persons(tmp_path):
    assert usable_id("0012-ab ") == "12ab"
    for blank in ("", " ", "***", "ANONYMOUS", "Anonymized", "0", "000000", "UNKNOWN", "n/a", "xxxx", "--", "No Name"):
        assert usable_id(blank) == "", blank
    assert usable_id("anon17") == "anon17" and usable_id("X1") == "x1"
    data = types.SimpleNamespace(get={"PatientBirthDate": "1961", "StudyDate": "20201399"}.get)
    assert person_facts(data, KEY) == {}
    assert secret_of(tmp_path / "a" / "key") == secret_of(tmp_path / "a" / "key") != secret_of(tmp_path / "b")
    assert contradictions({"sex": "a"}, {}) == [] and days_apart({"day": 1}, {"day": 3, "study": "s"}) == 2


def test_small_pieces_of_hashes():
    noise = np.random.default_rng(0).normal(0, 50, (40, 30))
    assert hash_of_slice(noise) == hash_of_slice(np.rint(noise[::-1].T)) != hash_of_slice(noise + 1) != ""
    assert hash_of_slice(noise.astype(np.float32)) == hash_of_slice(np.rint(noise).astype(np.int16))
    large = np.random.default_rng(1).normal(0, 50, (301, 256))
    assert hash_of_slice(large) == hash_of_slice(large[::-1]) == hash_of_slice(large.T[:, ::-1]) != ""
    stored = np.rint(noise + 500).astype(np.uint16)
    assert hash_of_slice(stored, 0.5, -250.0) == hash_of_slice(0.5 * stored - 250.0)
    assert hash_of_slice(stored, 2.0, -1000.0) == hash_of_slice(2 * stored.astype(int) - 1000)
    assert hash_of_slice(np.full((9, 9), np.nan)) == "" == hash_of_slice(np.arange(FEWEST_VALUES - 1)[None])
    wide = np.arange(FEWEST_VALUES) * 10**7
    assert hash_of_slice(wide[None]) == hash_of_slice(wide[::-1][None]) != ""
    assert hash_of_mask(np.zeros(SHAPE)) == "" and hash_of_mask(tumour()) == hash_of_mask(tumour().astype(float))
    assert hash_of_mask(tumour()) != hash_of_mask(2 * tumour())
    # A stack that lacks slices at its ends has a sampled one in common, most often.
    common = 0
    for start in range(100):
        along = start + 2.5 * np.arange(40)
        whole, less = (({along[k] for k in sampled_slices(along[cut])}) for cut in (slice(None), slice(0, -LEFT_OUT)))
        common += bool(whole & less)
    assert common > 85
