"""The registry of mask formats: a new format is one class, and nothing else is told of it."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from hcc_recurrence.cohort import mask_formats
from hcc_recurrence.cohort.mask_contents import check_contents
from hcc_recurrence.cohort.mask_files import read_mask
from hcc_recurrence.cohort.mask_formats import FORMATS, format_named, mask_contents, mask_facts, source_images
from hcc_recurrence.cohort.mask_formats.base import MaskFile, MaskFormat, geometry_of
from hcc_recurrence.cohort.masks import MaskError, check_mask


class BoxList(MaskFormat):
    """A text file: a name and six voxel indices of a box a line, after a line with its word."""

    kind = "boxes"

    def _boxes(self, path):
        rows = [line.split() for line in path.read_text().splitlines()[1:]]
        return {row[0]: tuple(slice(int(row[i]), int(row[i + 1])) for i in (1, 3, 5)) for row in rows}

    def matches(self, file):
        return not file.is_dicom and file.path.read_bytes().startswith(b"BOXES")

    def facts(self, file):
        return {"study": "", "frame": "", "series": [], "labels": list(self._boxes(file.path))}

    def contents(self, file):
        voxels = {name: int(np.prod([s.stop - s.start for s in box])) for name, box in self._boxes(file.path).items()}
        return {"voxels": voxels, "shapes": {}}

    def read(self, path, label, image):
        inside = np.zeros(image.GetSize()[::-1], np.uint8)
        inside[self._boxes(path)[label]] = 1
        placed = sitk.GetImageFromArray(inside)
        placed.CopyInformation(image)
        return placed


@pytest.fixture
def image():
    image = sitk.Image([20, 16, 12], sitk.sitkInt16)
    image.SetSpacing((1.0, 1.0, 2.0))
    return image


def test_a_new_format_is_one_class(monkeypatch, tmp_path, image):
    path = tmp_path / "mask.txt"
    path.write_text("BOXES\ntumour 2 6 3 8 4 10\nliver 0 12 0 16 0 20\n")
    about = {**geometry_of(image), "series_uid": "", "study_uid": "", "frame": ""}
    # Not known yet: refused in words.
    with pytest.raises(MaskError, match="is neither NIfTI, NRRD, DICOM SEG nor RTSTRUCT"):
        check_mask(mask_facts(path), about, "tumour")
    monkeypatch.setattr(mask_formats, "FORMATS", (BoxList(), *FORMATS))
    facts, contents = mask_facts(path), mask_contents(path)
    assert facts["kind"] == "boxes" and len(facts["hash"]) == 32
    check_mask(facts, about, "tumour")
    with pytest.raises(MaskError, match="has no segment or ROI called 'spleen'; it has"):
        check_mask(facts, about, "spleen")
    # 4 x 5 x 6 voxels of 2 mm3 are 0.24 ml.
    check_contents(contents, "tumour", about, smallest_ml=0.24)
    with pytest.raises(MaskError, match=r"holds 0.240 ml"):
        check_contents(contents, "tumour", about, smallest_ml=0.25)
    read = read_mask(path, "tumour", image)
    assert (read.lesions, read.volume_ml) == (1, pytest.approx(0.24))
    assert sitk.GetArrayFromImage(read.image)[2:6, 3:8, 4:10].all() and sitk.GetArrayFromImage(read.image).sum() == 120


def test_each_kind_of_file_has_the_format_that_reads_it(tmp_path, image):
    assert [known.kind for known in FORMATS] == ["seg", "rtstruct", "image"]
    assert format_named("seg") is FORMATS[0] and format_named("unreadable") is None
    path = tmp_path / "mask.nii.gz"
    sitk.WriteImage(sitk.Cast(image, sitk.sitkUInt8), str(path))
    assert mask_facts(path)["kind"] == "image" and source_images(path) == set()
    # A file that is none: the reason is the reader's own.
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    facts = mask_facts(path)
    assert facts["kind"] == "unreadable" and facts["reason"] and "unreadable" in mask_contents(path)


def test_dicom_that_is_no_mask_is_of_no_format(tmp_path):
    import pydicom
    from pydicom.dataset import FileMetaDataset

    data = pydicom.Dataset()
    data.SOPClassUID, data.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3"
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    path = tmp_path / "image.dcm"
    data.save_as(path, enforce_file_format=True)
    assert MaskFile(path).is_dicom
    assert mask_facts(path)["kind"] == "unreadable" and mask_contents(path) == {
        "unreadable": "it is DICOM, and no mask"
    }
