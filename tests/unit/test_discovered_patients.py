"""Blank, starred and shared PatientIDs, names in descriptions, and what a cache may hold of a person."""

from __future__ import annotations

import copy
import os

import numpy as np
import pandas as pd
import pytest
from exports import SHAPE, describe, make_series, save_series, voxels
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from hcc_recurrence.cohort.crawl import crawl
from hcc_recurrence.cohort.descriptions import without_persons
from hcc_recurrence.cohort.dicom_folders import check_root, list_delivery
from hcc_recurrence.cohort.discovery import HeaderReader
from hcc_recurrence.cohort.drafting import check_found, describe_delivery, draft_sheets
from hcc_recurrence.cohort.found_patients import NO_NUMBER, SHARED_NUMBER
from hcc_recurrence.cohort.key_file import names_of, read_key, with_new_rows
from hcc_recurrence.cohort.persons import pseudonym
from hcc_recurrence.problems import Refused
from hcc_recurrence.simulation.dicom_writer import write_seg

READER = HeaderReader(b"a secret")


def save(root, name, seed=0, **tags):
    """An arterial series of a study of its own; its slices."""
    slices = make_series(voxels(seed), describe(phase="arterial", patient=name), root / "unused")
    for data in slices:
        for tag, value in tags.items():
            setattr(data, tag, value)
    (root / "unused").rmdir()
    save_series(slices, root / name)
    return slices


def look(root, key=None):
    """Draft sheets, the names of patients, what is said, and the key with new rows."""
    delivery = list_delivery(root)
    found, unreadable = crawl(delivery.files, root.parent / "cache.json", 1, reader=READER)
    key = read_key(root.parent / "none.csv") if key is None else key
    names = names_of(found, key, READER)
    sheets, summary = draft_sheets(found, root, names)
    said = describe_delivery(found, sheets, delivery, unreadable)
    return sheets, summary, said, with_new_rows(key, found, names)


@pytest.mark.parametrize("number", ["", "***", "ANONYMOUS", "0", "UNKNOWN"])
def test_blank_and_starred_numbers_make_nobody_one_patient(tmp_path, number):
    root = tmp_path / "dicom"
    for name in ("A", "B"):
        save(root, name, PatientID=number)
    save(root, "C", PatientID="MRN3")
    sheets, summary, said, key = look(root)
    assert len(sheets["patients"]) == 3 and sheets["series"]["patient_id"].nunique() == 3
    assert summary["looks wrong"].tolist().count(NO_NUMBER) == 2 and f"2 patients: {NO_NUMBER}" in said
    # The key leads back to the studies, and to the one number.
    key = key.set_index("patient_id")
    own = key.loc[pseudonym("MRN3", READER.salt)]
    assert own["PatientID"] == "MRN3" and own["StudyInstanceUID"] == ""
    studies = {str(describe(patient=name).uid("study")) for name in ("A", "B")}
    assert set(key["StudyInstanceUID"]) - {""} == studies


def test_without_number_and_study_each_folder_is_a_patient(tmp_path):
    root = tmp_path / "dicom"
    for name in ("A", "B"):
        save(root, name, PatientID="", StudyInstanceUID="")
    assert len(look(root)[0]["patients"]) == 2


def test_a_mask_without_number_is_of_the_patient_of_its_study(tmp_path):
    root = tmp_path / "dicom"
    slices = save(root, "A", PatientID="MRN1")
    mask = np.zeros(SHAPE, bool)
    mask[2:4, 4:9, 3:8] = True
    blank = copy.deepcopy(slices)
    for data in blank:
        data.PatientID = "***"
    # Before the images by name: the key has the number all the same.
    write_seg(mask, blank, "Tumour", root / "0mask")
    sheets, _, said, key = look(root)
    assert key[["patient_id", "PatientID"]].values.tolist() == [[pseudonym("MRN1", READER.salt), "MRN1"]]
    assert sheets["masks"]["patient_id"].tolist() == sheets["series"]["patient_id"].tolist()
    assert not any(NO_NUMBER in sentence for sentence in said)


def test_one_number_of_several_persons_is_taken_apart(tmp_path):
    root = tmp_path / "dicom"
    save(root, "A", PatientID="1", PatientBirthDate="19500304")
    save(root, "B", PatientID="1", PatientBirthDate="19610806")
    sheets, summary, said, _ = look(root)
    assert len(sheets["patients"]) == 2 and f"2 patients: {SHARED_NUMBER}" in said
    assert set(summary["looks wrong"]) == {SHARED_NUMBER}


def test_names_of_the_key_are_kept_though_the_secret_is_another(tmp_path):
    root = tmp_path / "dicom"
    save(root, "A", PatientID="MRN1")
    save(root, "B", PatientID="")
    first = look(root)[3]
    first["patient_id"] = ["HCC001", "HCC002"]
    sheets, _, _, key = look(root, first)
    assert sheets["patients"]["patient_id"].tolist() == ["HCC001", "HCC002"]
    pd.testing.assert_frame_equal(key, first)
    # A key of an earlier version.
    save(root, "C", PatientID="MRN3")
    (tmp_path / "key.csv").write_text("patient_id,PatientID\nP9,MRN1\nP0,\n")
    key = look(root, read_key(tmp_path / "key.csv"))[3]
    assert key["PatientID"].tolist()[:2] == ["MRN1", ""] and len(key) == 4
    assert key.set_index("PatientID").loc["MRN1", "patient_id"] == "P9"
    (tmp_path / "key.csv").write_text("name\nP9\n")
    with pytest.raises(Refused, match="has no column patient_id, PatientID"):
        read_key(tmp_path / "key.csv")


def test_two_patients_with_one_pseudonym_have_two_names(tmp_path, monkeypatch):
    from hcc_recurrence.cohort import discovery, key_file

    root = tmp_path / "dicom"
    for name in ("A", "B"):
        save(root, name, PatientID=name)
    monkeypatch.setattr(discovery, "pseudonym", lambda patient, salt: "P1")
    monkeypatch.setattr(key_file, "pseudonym", lambda patient, salt: f"P{len(patient)}{patient[-1]}")
    assert look(root)[0]["patients"]["patient_id"].nunique() == 2


def test_the_cache_holds_no_number_name_or_birth_date(tmp_path):
    root = tmp_path / "dicom"
    tags = {
        **{"PatientID": "MRN77123", "PatientName": "M\u00fcller^J\u00f6rg", "PatientBirthDate": "19611104"},
        **{"AccessionNumber": "ACC-7741", "SeriesDescription": "ART J\u00d6RG m\u00fcller 77123456 ACC-7741 1.25"},
    }
    save(root, "A", **tags)
    sheets, _, _, key = look(root)
    assert sheets["series"]["description"].tolist() == ["ART ... ... ... ... 1.25"]
    assert sheets["series"]["phase"].tolist() == ["arterial"]
    text = (tmp_path / "cache.json").read_text().lower()
    for words in ("mrn", "ller", "rg\\", "19611104", "7741", "77123"):
        assert words not in text, words
    assert key["PatientID"].tolist() == ["MRN77123"]


@pytest.mark.parametrize(
    ("name", "text", "left"),
    [
        ("Zhang^Wei", "ZHANGWEI art", "... art"),
        ("Wang^XiaoMing=\u738b^\u5c0f\u660e", "\u738b\u5c0f\u660e \u52a8\u8109\u671f", "... \u52a8\u8109\u671f"),
        ("Li^Na", "LI-RADS native", "LI-RADS native"),
        ("Art^Hans", "arterial", "arterial"),
        ("", "2.5 STANDARD 1.25mm 70keV", "2.5 STANDARD 1.25mm 70keV"),
        ("", "born 04.11.1961", "born ..."),
        ("", "=cmd()", "cmd()"),
    ],
)
def test_descriptions_without_persons(name, text, left):
    data = Dataset()
    data.PatientName = name
    assert without_persons(text, data) == left


def test_a_folder_that_is_no_delivery_is_refused(tmp_path):
    here = tmp_path / "work"
    (here / "export" / "empty").mkdir(parents=True)
    (here / "file").write_text("x")
    for name, words in (
        ("", "names no folder"),
        ("  ", "names no folder"),
        (here / "typo", "does not exist"),
        (here / "file", "is no folder"),
        (here, "is or holds the folder that the workflow runs in"),
        (tmp_path, "is or holds the folder that the workflow runs in"),
        (here / "export", "holds no file"),
    ):
        with pytest.raises(Refused, match=words) as told:
            check_root(str(name), here)
        assert "--config dicom_root=" in told.value.remedy
    (here / "export" / "empty" / "notes.txt").write_text("x")
    root = check_root(str(here / "export"), here)
    delivery = list_delivery(root)
    with pytest.raises(Refused, match="holds 1 file and no DICOM series"):
        check_found([], delivery, {}, root)
    # What a hospital sends in place of a folder of DICOM is named, with what to do.
    for name in ("P001.ZIP", "P002.zip", "P001_mask.nii.gz"):
        (root / name).write_text("x")
    with pytest.raises(Refused) as told:
        check_found([], list_delivery(root), {}, root)
    assert told.value.remedy.startswith(
        "unpack the archives (2 files, such as P001.ZIP); or write the sheets yourself for images that name no patient "
        "(1 file, such as P001_mask.nii.gz); or name the folder with the DICOM files: "
    )


def test_links_are_followed_once_and_those_to_nothing_are_named(tmp_path):
    root, other = tmp_path / "dicom", tmp_path / "other"
    for folder in (root / "a", other):
        folder.mkdir(parents=True)
        (folder / "x").write_text("x")
    (root / "a" / "loop").symlink_to(root)
    (root / "b").symlink_to(other)
    (root / "c").symlink_to(other)
    (root / "gone").symlink_to(tmp_path / "nowhere")
    (root / ".hidden").write_text("x")
    files, unreadable = list_delivery(root)
    assert files == [root / "a" / "x", root / "b" / "x"]
    assert unreadable == [f"{root / 'gone'} (a link that leads nowhere)"]


def test_files_that_cannot_be_read_are_named_and_looked_at_again(tmp_path, monkeypatch):
    from hcc_recurrence.cohort import discovery

    root = tmp_path / "dicom"
    save(root, "A", PatientID="MRN1")
    closed = sorted((root / "A").iterdir())[0]
    read = discovery.read_header

    def refuse(file, more):
        if file == closed:
            raise PermissionError(13, "Permission denied")
        return read(file, more)

    monkeypatch.setattr(discovery, "read_header", refuse)
    said = look(root)[2]
    assert f"1 file or folder cannot be read: {closed} (Permission denied)" in said
    monkeypatch.undo()
    sheets, _, said, _ = look(root)
    assert sheets["series"]["slices"].tolist() == [SHAPE[0]] and not any("cannot be read" in s for s in said)


def test_a_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    (tmp_path / "a" / "b").mkdir(parents=True)
    scandir = os.scandir

    def refuse(folder):
        if str(folder).endswith("b"):
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    assert list_delivery(tmp_path).unreadable == [f"{tmp_path / 'a' / 'b'} (Permission denied)"]
    with pytest.raises(Refused, match="cannot be read"):
        check_root(str(tmp_path / "a" / "b"), tmp_path / "elsewhere")


def test_studies_of_one_patient_are_in_the_order_of_time(tmp_path):
    root = tmp_path / "dicom"
    for name, date in (("A", "20210101"), ("B", "20190101")):
        uids = {"StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid()}
        save(root, name, PatientID="MRN1", StudyDate=date, **uids)
    save(root, "C", PatientID="MRN2")
    next((root / "C").iterdir()).unlink()
    sorted((root / "C").iterdir())[2].unlink()
    sheets, _, said, _ = look(root)
    assert "1 patient with several studies: keep the rows of one in series.csv" in said
    assert "1 series of CT or MR that cannot be read as a stack, not drafted: summary.html says why" in said
    series = sheets["series"]
    assert series.set_index("path")["study"].to_dict() == {"A": 2, "B": 1}
    assert "20210101" not in series.to_csv()
