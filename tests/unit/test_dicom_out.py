"""The result as DICOM, read back: the segmentation on its images, the numbers of the report, the page; no names."""

from __future__ import annotations

import io
import re

import highdicom as hd
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from applied_models import about_model, applied_tables, distribution_of_training
from matplotlib.backends.backend_pdf import PdfPages

from hcc_recurrence.cohort.mask_files import read_mask
from hcc_recurrence.cohort.series_voxels import find_series, image_of_stack
from hcc_recurrence.exported.dicom_out import (
    RESEARCH_USE,
    SCHEME,
    affine_of,
    encapsulated_pdf,
    segmentation,
    source_headers,
    structured_report,
    uid_of,
)
from hcc_recurrence.exported.pages import AppliedModel, patient_page
from hcc_recurrence.exported.pdf_pages import pdf_page
from hcc_recurrence.figures.marks import SIMULATED
from hcc_recurrence.simulation.dicom_writer import SeriesHeader, write_series

NAMES = (b"Doe", b"H-4711", b"19600701", b"20200101", b"A-99")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A tilted series with a person's name in its headers, the mask on its grid, and what is written of them."""
    folder = tmp_path_factory.mktemp("dicom")
    about = SeriesHeader(
        "X1", "arterial", "MR", "M", "m", 1.5, (3.0, 1.5, 1.25), (-20.0, 10.0, 5.0), "20200101", 1960, "F"
    )
    write_series(np.random.default_rng(0).uniform(0, 500, (8, 14, 12)), about, folder / "s")
    cos, sin = np.cos(0.3), np.sin(0.3)
    for file in (folder / "s").iterdir():
        data = pydicom.dcmread(file)
        data.PatientName, data.PatientID, data.AccessionNumber = "Doe^Jane", "H-4711", "A-99"
        z = data.ImagePositionPatient[2] - 5.0
        # Turned about the x axis, as a tilted axial stack is.
        data.ImageOrientationPatient = [1, 0, 0, 0, cos, sin]
        data.ImagePositionPatient = [-20.0, 10.0 - z * sin, 5.0 + z * cos]
        data.save_as(file)
    stack = find_series(folder / "s")
    image = image_of_stack(stack, "MR")
    voxels = np.zeros((8, 14, 12), np.uint8)
    voxels[2:6, 4:10, 3:9] = 1
    voxels[3, 6, 5] = 0
    mask = sitk.GetImageFromArray(voxels)
    mask.CopyInformation(image)
    headers = source_headers([one.file for one in stack.slices], "P1")
    seg = segmentation(mask, headers, "arterial", "R1", "1.2")
    seg.save_as(folder / "seg.dcm")
    return folder, image, mask, headers, seg


@pytest.fixture(scope="module")
def model():
    about, distribution = about_model(), distribution_of_training()
    about["models"]["RCR"]["cutoff"] = None
    predictions, outside = applied_tables(about_model(), distribution, ["P1", "P2"], 3)
    predictions.loc[predictions["model"] == "RCR", ["cutoff", "risk_group"]] = [np.nan, np.nan]
    return AppliedModel(about, distribution, predictions, outside)


def test_the_segmentation_has_the_geometry_of_the_mask(written):
    folder, image, mask, _, _ = written
    # By our own reader, onto the grid of the images: voxel for voxel.
    back = read_mask(folder / "seg.dcm", "Tumour, arterial", image, lesions="all", smallest_ml=0)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(back.image), sitk.GetArrayFromImage(mask))
    # By highdicom: its own affine, and the frames that hold the tumour.
    read = hd.seg.segread(folder / "seg.dcm")
    volume = read.get_volume(combine_segments=True)
    places = volume.map_indices_to_reference(np.argwhere(volume.array > 0))
    found = {mask.TransformPhysicalPointToIndex([float(v) for v in place]) for place in places}
    assert found == {tuple(int(i) for i in index[::-1]) for index in np.argwhere(sitk.GetArrayFromImage(mask) > 0)}
    assert volume.spacing == pytest.approx(image.GetSpacing()[::-1])


def test_the_affine_maps_indices_as_simpleitk_does(written):
    _, image, _, _, _ = written
    found = affine_of(image, 2) @ [1, 3, 4, 1]
    assert found[:3] == pytest.approx(image.TransformIndexToPhysicalPoint((4, 3, 3)))


def test_it_belongs_to_its_images(written):
    folder, _, _, headers, _ = written
    seg = pydicom.dcmread(folder / "seg.dcm")
    assert seg.StudyInstanceUID == headers[0].StudyInstanceUID
    assert seg.FrameOfReferenceUID == headers[0].FrameOfReferenceUID
    assert seg.ReferencedSeriesSequence[0].SeriesInstanceUID == headers[0].SeriesInstanceUID
    assert RESEARCH_USE in seg.SeriesDescription and seg.SegmentSequence[0].SegmentAlgorithmType == "MANUAL"


def test_an_empty_mask_is_refused_and_a_network_is_named(written):
    _, image, mask, headers, _ = written
    with pytest.raises(ValueError, match="the mask of portal is empty"):
        segmentation(image * 0, headers, "portal", "R1", "1")
    drawn = segmentation(mask, headers, "arterial", "unet", "1.2").SegmentSequence[0]
    assert drawn.SegmentAlgorithmType == "AUTOMATIC"
    assert drawn.SegmentationAlgorithmIdentificationSequence[0].AlgorithmVersion == "1.2"


def report_of(written, model):
    folder, _, _, headers, seg = written
    report = structured_report("P1", [model], {"arterial": seg}, headers, {"arterial": 1.234}, "1.2")
    report.save_as(folder / "sr.dcm")
    return hd.sr.srread(folder / "sr.dcm")


def test_the_report_says_what_the_table_says(written, model):
    report = report_of(written, model)
    (volume,) = report.content.get_volumetric_roi_measurement_groups()
    assert volume.get_measurements()[0].value == pytest.approx(1.234)
    segments = hd.sr.utils.find_content_items(report.content[0], value_type=hd.sr.ValueTypeValues.IMAGE, recursive=True)
    assert written[4].SOPInstanceUID in {item.referenced_sop_instance_uid for item in segments}
    groups = report.content.get_image_measurement_groups()
    by = {str(group.tracking_identifier): group for group in groups}
    own = model.predictions[model.predictions["patient_id"] == "P1"].set_index("model")
    assert set(by) == {f"zhao2024.there {name}" for name in own.index}
    for name, row in own.iterrows():
        group = by[f"zhao2024.there {name}"]
        values = {m.name.value: m.value for m in group.get_measurements()}
        assert values["PROBABILITY"] == pytest.approx(row["probability"], rel=1e-12)
        # P1 has slices thicker than any in training.
        assert values["OUTSIDE"] == 1
        judged = {q.name.value: q.value for q in group.get_qualitative_evaluations()}
        assert judged["USE"].meaning == "Research use only" and judged["USE"].scheme_designator == SCHEME
        if name == "CR":
            assert values["CUTOFF"] == pytest.approx(0.4) and judged["GROUP"].value == row["risk_group"].upper()
        else:
            assert "CUTOFF" not in values and "GROUP" not in judged
    assert report.VerificationFlag == "UNVERIFIED" and RESEARCH_USE in report.SeriesDescription


def test_the_page_is_a_pdf_and_the_same_in_dicom(written, model):
    folder, _, _, headers, _ = written
    page = patient_page("P1", "Hospital B", [model], simulated=True)
    pdf = pdf_page(page, {"arterial": np.zeros((40, 90, 3), np.uint8)})
    assert pdf.startswith(b"%PDF") and len(re.findall(rb"/Type /Page\b", pdf)) == 1
    assert pdf == pdf_page(page, {"arterial": np.zeros((40, 90, 3), np.uint8)})
    stored = encapsulated_pdf(pdf, headers[0], "P1", "Hospital B")
    stored.save_as(folder / "pdf.dcm", enforce_file_format=True)
    back = pydicom.dcmread(folder / "pdf.dcm")
    assert back.EncapsulatedDocument[: back.EncapsulatedDocumentLength] == pdf
    assert back.SOPClassUID.name == "Encapsulated PDF Storage" and RESEARCH_USE in back.DocumentTitle


def test_the_pdf_of_a_simulated_patient_says_so_and_that_of_a_person_does_not(model):
    """In the file's own metadata, which no font hides, and in its footer, which is drawn from the same words."""
    pages = {simulated: patient_page("P1", "B", [model], simulated=simulated) for simulated in (True, False)}
    assert [SIMULATED.encode() in pdf_page(page, {}) for page in pages.values()] == [True, False]
    assert any(mark.startswith("SIMULATED patient") for mark in pages[True]["marks"])


def test_what_does_not_fit_on_a_page_goes_on_the_next(model, monkeypatch):
    """Six models with fourteen scores each and many marks: all are on a page, none below it."""
    page = patient_page("P1", "B", [model], simulated=True)
    (own,) = page["models"]
    score = own["scores"][0]
    page["models"] = [
        {**own, "title": f"Model {m}", "scores": [{**score, "model": f"score {m}.{s}"} for s in range(14)]}
        for m in range(6)
    ]
    page["marks"] = [f"mark {n}" for n in range(12)]
    drawn = []
    monkeypatch.setattr(PdfPages, "savefig", lambda _, figure: drawn.append(figure))
    pdf_page(page, {phase: np.zeros((40, 90, 3), np.uint8) for phase in ("arterial", "portal", "delayed")})
    texts = [text for figure in drawn for text in figure.texts]
    words = [text.get_text() for text in texts]
    wanted = {f"score {m}.{s}" for m in range(6) for s in range(14)} | {f"mark {n}" for n in range(12)}
    assert wanted | {"arterial", "portal", "delayed"} <= set(words)
    assert len(drawn) >= 2 and words.count(RESEARCH_USE) == len(drawn)
    assert min(text.get_position()[1] for text in texts) >= 0.02
    assert min(axis.get_position().y0 for figure in drawn for axis in figure.axes) >= 0.04
    named = next(word for word in words if word.startswith("Outside the training patients"))
    assert "Slice thickness" in named


def test_no_name_number_or_date_of_the_hospital_is_taken_over(written, model):
    folder = written[0]
    report_of(written, model)
    source = b"".join(file.read_bytes() for file in (folder / "s").iterdir())
    assert all(name in source for name in NAMES), "the source must hold what must not come out"
    for name in ("seg.dcm", "sr.dcm"):
        content = (folder / name).read_bytes()
        assert not [word for word in NAMES if word in content], name
        assert pydicom.dcmread(io.BytesIO(content)).PatientID == "P1"


def test_uids_follow_from_the_content(written):
    _, _, mask, headers, seg = written
    assert segmentation(mask, headers, "arterial", "R1", "1.2").SOPInstanceUID == seg.SOPInstanceUID
    assert segmentation(mask, headers, "arterial", "R2", "1.2").SOPInstanceUID != seg.SOPInstanceUID
    assert uid_of("a", "b") != uid_of("ab") and re.fullmatch(r"[0-9.]{1,64}", uid_of("a"))
