"""Scan parameters of a cohort: what the headers say, and nothing of a person."""

import copy

import numpy as np
import pandas as pd
import pydicom
import pytest
import SimpleITK as sitk
from exports import describe, make_series, save_enhanced, save_series, voxels
from pydicom.dataset import Dataset

from hcc_recurrence.cohort.acquisition import COLUMNS, FIELDS, GEOMETRY, acquisition_facts
from hcc_recurrence.cohort.acquisition_table import acquisition_table, acquisition_words, for_readers
from hcc_recurrence.cohort.series_voxels import find_series
from hcc_recurrence.files import read_csv, write_csv


def series(tmp_path, modality="CT", phase="arterial", patient="MRN4711", **tags):
    slices = make_series(voxels(3), describe(modality, phase, patient=patient), tmp_path / "unused")
    for number, data in enumerate(slices):
        data.PatientName, data.AccessionNumber = "Müller^Jörg", "ACC77"
        for tag, value in tags.items():
            setattr(data, tag, value[number] if isinstance(value, list) else value)
    return slices


def facts_of(slices, folder):
    save_series(slices, folder)
    return acquisition_facts(find_series(folder))


def test_a_ct_says_its_voltage_exposure_kernel_geometry_agent_and_delay(tmp_path):
    # The current follows the body: 100, 110, ... 150 mAs.
    slices = series(tmp_path, Exposure=[100, 110, 120, 130, 140, 150])
    found = facts_of(slices, tmp_path / "s")
    assert found == {
        "format": "DICOM", "modality": "CT", "scanner": "M m", "kvp": 120, "mas": 125, "kernel": "B30f",
        "field_t": None, "tr_ms": None, "te_ms": None, "flip_deg": None, "thickness_mm": 3, "spacing_mm": 3,
        "pixel_mm": 1.375, "matrix": "12 x 14", "slices": 6, "agent": "Iohexol 350", "delay_s": 35,
    }  # fmt: skip
    assert tuple(found) == COLUMNS[1:]


@pytest.mark.parametrize(
    ("tags", "mas"),
    [
        ({"ExposureInuAs": 87500}, 87.5),
        ({"XRayTubeCurrent": 250, "ExposureTime": 500}, 125),
        ({"XRayTubeCurrent": 250}, None),
        ({"Exposure": 0}, None),
    ],
)
def test_exposure_is_found_where_it_is_written(tmp_path, tags, mas):
    assert facts_of(series(tmp_path, **tags), tmp_path / "s")["mas"] == mas


def test_an_mr_says_its_field_times_and_angle(tmp_path):
    found = facts_of(series(tmp_path, "MR", "hepatobiliary"), tmp_path / "s")
    assert (found["field_t"], found["tr_ms"], found["te_ms"], found["flip_deg"]) == (1.5, 3.8, 1.8, 12)
    assert (found["agent"], found["delay_s"], found["kvp"]) == ("Gd-EOB-DTPA", 1200, None)


def test_before_the_injection_there_is_no_delay_and_a_broken_clock_gives_none(tmp_path):
    assert facts_of(series(tmp_path, phase="precontrast"), tmp_path / "a")["delay_s"] is None
    wrong = series(tmp_path, ContrastBolusStartTime="120000")
    assert facts_of(wrong, tmp_path / "b")["delay_s"] is None


def test_an_enhanced_object_says_the_same_in_its_groups(tmp_path):
    slices = series(tmp_path)
    save_enhanced(slices, tmp_path / "e" / "a.dcm")
    data = pydicom.dcmread(tmp_path / "e" / "a.dcm")
    for tag in ("KVP", "ConvolutionKernel", "SliceThickness", "ContrastBolusAgent", "AcquisitionTime"):
        delattr(data, tag)
    rays, exposure, kernel, agent = (Dataset() for _ in range(4))
    rays.KVP, exposure.ExposureInmAs, kernel.ConvolutionKernel = 100, 210.0, "Br40"
    agent.CodeMeaning = "Iopromide"
    shared = data.SharedFunctionalGroupsSequence[0]
    shared.CTXRayDetailsSequence, shared.CTExposureSequence = [rays], [exposure]
    shared.CTReconstructionSequence, shared.PixelMeasuresSequence[0].SliceThickness = [kernel], 5
    data.ContrastBolusAgentSequence = [agent]
    for number, frame in enumerate(data.PerFrameFunctionalGroupsSequence):
        frame.FrameContentSequence[0].FrameAcquisitionDateTime = f"2020010110055{number}.5"
    data.save_as(tmp_path / "e" / "a.dcm")
    found = acquisition_facts(find_series(tmp_path / "e" / "a.dcm"))
    # The injection is at 10:05:00 and the first frame at 10:05:50.5.
    assert (found["kvp"], found["mas"], found["kernel"], found["thickness_mm"]) == (100, 210, "Br40", 5)
    assert (found["agent"], found["delay_s"], found["slices"]) == ("Iopromide", 50.5, 6)


def nifti(tmp_path):
    image = sitk.GetImageFromArray(voxels(1))
    image.SetSpacing((0.7, 0.7, 5.0))
    sitk.WriteImage(image, str(tmp_path / "a.nii.gz"))
    return acquisition_facts(find_series(tmp_path / "a.nii.gz"))


def test_an_image_without_a_header_has_its_geometry_alone(tmp_path):
    found = nifti(tmp_path)
    assert {k: v for k, v in found.items() if v is not None} == {
        "format": "other", "spacing_mm": 5.0, "pixel_mm": 0.7, "matrix": "12 x 14", "slices": 6
    }  # fmt: skip


def test_nothing_of_a_person_is_kept(tmp_path):
    """Identifiers, dates, UIDs and free text that holds them; of the patient's file and of the table."""
    tags = {
        "ContrastBolusAgent": "Ultravist for Müller",
        "ConvolutionKernel": "B30f 2020-01-01",
        "ManufacturerModelName": "Force 20200101",
    }
    slices = series(tmp_path, InstitutionName="Clinic", StationName="CT99", DeviceSerialNumber="123456", **tags)
    found = facts_of(slices, tmp_path / "s")
    assert (found["agent"], found["kernel"], found["scanner"]) == (None, None, "M")
    other = facts_of(series(tmp_path, ContrastBolusAgent="MRN4711 100 ml"), tmp_path / "t")
    assert other["agent"] is None
    write_csv(pd.DataFrame([{"phase": "arterial", **found}]), tmp_path / "acquisition.csv")
    read = read_csv(tmp_path / "acquisition.csv").assign(patient_id="MRN4711")
    table = acquisition_table(read, {"MRN4711": "A"}, "CT", ["arterial"])
    texts = [(tmp_path / "acquisition.csv").read_text(), table.to_csv(), for_readers(table).to_html()]
    data = slices[0]
    private = ["Müller", "Jörg", "MRN4711", "ACC77", "Clinic", "CT99", "123456", "20200101", "1960"]
    private += [data.PatientBirthDate, data.StudyInstanceUID, data.SeriesInstanceUID, data.SOPInstanceUID, "1.2."]
    private += [str(data.AcquisitionTime), str(data.ContrastBolusStartTime), str(data.StudyDate)]
    for text in texts:
        for word in private:
            assert str(word) not in text, word


def rows(table, parameter, phase="arterial"):
    return table[(table["parameter"] == parameter) & (table["phase"] == phase)]


def test_the_table_counts_and_has_medians_and_ranges_by_phase_and_centre(tmp_path):
    ct = facts_of(series(tmp_path, Exposure=200), tmp_path / "s")
    cells = [
        ("p1", "arterial", {**ct, "kvp": 100, "delay_s": 30}),
        ("p2", "arterial", {**ct, "delay_s": 40}),
        ("p3", "arterial", {**ct, "scanner": "Canon Aquilion", "delay_s": None}),
        ("p4", "arterial", nifti(tmp_path)),
        ("p1", "portal", ct),
    ]
    table = acquisition_table(
        pd.DataFrame([{"patient_id": p, "phase": phase, **own} for p, phase, own in cells]),
        {"p1": "A", "p2": "A", "p3": "B", "p4": "C"},
        "CT",
        ["arterial", "portal"],
    )
    assert list(table.columns) == ["phase", "parameter", "value", "total", "A", "B", "C", "remark"]
    patients = rows(table, "Patients").iloc[0]
    assert [patients[c] for c in ("total", "A", "B", "C")] == ["4", "2", "1", "1"]
    scanner = rows(table, "Scanner")
    assert list(scanner["value"]) == ["M m", "Canon Aquilion"] and list(scanner["total"]) == ["2 (66.7)", "1 (33.3)"]
    assert list(scanner["A"]) == ["2 (100.0)", "0 (0.0)"] and list(scanner["C"]) == ["-", "-"]
    assert scanner.iloc[0]["remark"] == "1 of 4 came without a DICOM header (NIfTI, NRRD or MetaImage)"
    voltage = rows(table, "Tube voltage, kVp").iloc[0]
    assert [voltage[c] for c in ("total", "A", "B", "C")] == ["120 (100-120)", "110 (100-120)", "120", "-"]
    delay = rows(table, "Delay after injection, s").iloc[0]
    assert (delay["total"], delay["B"]) == ("35 (30-40)", "-")
    assert delay["remark"].endswith("MetaImage); 1 of 4 headers do not say")
    assert rows(table, "Distance of slices, mm").iloc[0]["total"] == "3 (3-5)"
    assert rows(table, "Field strength, T").empty and rows(table, "Exposure, mAs", "portal").iloc[0]["total"] == "200"
    shown = for_readers(table)
    assert list(shown["phase"]).count("arterial") == 1 and "centre A" in shown
    assert acquisition_words(table) == "scanners: Canon Aquilion, M m; contrast agents: Iohexol 350"


def test_a_cohort_of_nifti_files_has_geometry_and_the_reason(tmp_path):
    own = pd.DataFrame([{"patient_id": "p1", "phase": "portal", **nifti(tmp_path)}])
    table = acquisition_table(own, {"p1": "A"}, "MR", ["portal"])
    assert list(table.columns) == ["phase", "parameter", "value", "total", "remark"]
    for field in FIELDS:
        if field.modality in ("", "MR"):
            cell = rows(table, field.label, "portal").iloc[0]
            assert (cell["total"] == "-") == (field.name not in GEOMETRY), field
            assert ("without a DICOM header" in cell["remark"]) == (field.name not in GEOMETRY)
    assert acquisition_words(table) == "scanners: not in the headers; contrast agents: not in the headers"


def test_one_unreadable_tag_is_one_that_is_not_there(tmp_path):
    slices = series(tmp_path)
    broken = copy.deepcopy(slices)
    for data in broken:
        data["KVP"]._value = "120 kV"
    folder = tmp_path / "s"
    save_series(broken, folder)
    found = acquisition_facts(find_series(folder))
    assert found["kvp"] is None and found["kernel"] == "B30f" and np.isclose(found["spacing_mm"], 3)


def test_a_series_of_a_hospital_is_read_as_its_tags_stand(shared_data):
    folder = shared_data / "crlm_1004/dicom"
    data = pydicom.dcmread(sorted(folder.iterdir())[0], stop_before_pixels=True)
    found = acquisition_facts(find_series(folder))
    assert found["scanner"] == f"{data.Manufacturer} {data.ManufacturerModelName}" == "GE MEDICAL SYSTEMS LightSpeed16"
    assert (found["kvp"], found["thickness_mm"]) == (float(data.KVP), float(data.SliceThickness)) == (120, 5)
    assert found["matrix"] == f"{data.Columns} x {data.Rows}" and found["kernel"] == data.ConvolutionKernel
    assert found["pixel_mm"] == pytest.approx(float(data.PixelSpacing[0]), abs=1e-4)
