"""From a folder of DICOM to draft sheets: phases with their evidence, masks, and nothing guessed silently."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from exports import PHASES, SHAPE, deliver, describe, make_series, save_series, voxels
from pydicom.uid import generate_uid

from hcc_recurrence.cohort.checks import check_sources
from hcc_recurrence.cohort.dicom_folders import list_delivery
from hcc_recurrence.cohort.dicom_headers import HEADER_FACTS_VERSION
from hcc_recurrence.cohort.discovery import DISCOVERY_VERSION, HeaderReader, group_series, read_headers
from hcc_recurrence.cohort.drafting import draft_sheets, label_of
from hcc_recurrence.cohort.key_file import names_of, read_key
from hcc_recurrence.cohort.persons import pseudonym, secret_of
from hcc_recurrence.cohort.phases import (
    PhaseGuess,
    guess_phase,
    phase_of_vessels,
    phases_of_words,
    seconds_of,
    unclear_where_twice,
)
from hcc_recurrence.cohort.sheets import load_cohort
from hcc_recurrence.problems import Notice
from hcc_recurrence.provenance import FileCache
from hcc_recurrence.simulation.dicom_writer import write_seg


@pytest.mark.parametrize(
    ("text", "phases"),
    [
        ("PRE LIVER", ["precontrast"]),
        ("Abdomen non contrast", ["precontrast"]),
        ("ART 1.25", ["arterial"]),
        ("t1_vibe_fs_tra_art", ["arterial"]),
        ("Recon 2: LIVER 3 PHASE (AP)", ["arterial"]),
        ("Abdomen portal venous", ["portal"]),
        ("PVP 1mm", ["portal"]),
        ("平扫", ["precontrast"]),
        ("动脉期", ["arterial"]),
        ("门静脉期", ["portal"]),
        ("延迟期", ["delayed"]),
        ("Equilibrium", ["delayed"]),
        ("HBP 20 min", ["hepatobiliary"]),
        ("LIVER 2PHASE CAP", []),
        ("2.5 STANDARD", []),
        ("", []),
        ("arterial and portal", ["arterial", "portal"]),
        ("party", []),
        ("Chest WO", []),
    ],
)
def test_words_of_descriptions(text, phases):
    assert phases_of_words(text) == phases


def header(description="", agent="Iohexol", start="100000", taken="100035", modality="CT"):
    return {
        **{"SeriesDescription": description, "ContrastBolusAgent": agent, "Modality": modality},
        **{"ContrastBolusStartTime": start, "AcquisitionTime": taken},
    }


@pytest.mark.parametrize(
    ("values", "vessels", "phase", "confidence", "words"),
    [
        (header("ART"), None, "arterial", "high", "35 s after the injection"),
        (header("LIVER"), None, "arterial", "medium", "35 s"),
        (header("portal"), None, "", "low", "they contradict each other"),
        (header("LIVER", start=""), None, "", "low", ""),
        (header("PRE", agent="", start=""), None, "precontrast", "medium", "no contrast agent named"),
        (header("PRE", start=""), None, "", "low", "but a contrast agent is named"),
        (header("", taken="100050"), None, "", "low", "between two phases"),
        (header("", start=""), (290.0, 110.0), "arterial", "medium", "aorta 290 HU"),
        (header("portal", start=""), (150.0, 170.0), "portal", "high", "portal vein 170 HU"),
        (header("portal", start=""), (290.0, 110.0), "", "low", "contradict"),
        (header("art and ven", start=""), None, "", "low", "description fits arterial and portal"),
    ],
)
def test_a_phase_needs_evidence_that_does_not_contradict_itself(values, vessels, phase, confidence, words):
    guess = guess_phase(values, vessels)
    assert (guess.phase, guess.confidence) == (phase, confidence) and words in guess.evidence


def test_small_pieces():
    assert seconds_of("101530.5") == 10 * 3600 + 15 * 60 + 30.5
    assert seconds_of("20200102101530.500") == seconds_of("101530.5") and seconds_of("1015") == 36900
    assert seconds_of("") is None and seconds_of("none") is None
    assert phase_of_vessels(40, 45) == "precontrast" and phase_of_vessels(150, 149) == ""
    same = [
        PhaseGuess("arterial", "high", "a"),
        PhaseGuess("portal", "high", "b"),
        PhaseGuess("arterial", "medium", "c"),
    ]
    assert [g.phase for g in unclear_where_twice(same)] == ["", "portal", ""]
    assert label_of(["Tumor"]) == "" and label_of(["Liver", "Mass"]) == "Mass"
    assert label_of(["Liver", "Tumor_1", "Tumor_2"]) == "Tumor*"
    assert label_of(["Liver", "Spleen"]) is None and label_of(["GTV", "Tumour"]) is None


READER = HeaderReader(b"salt")


def discover(root, workers=1, place=None):
    """Series, draft sheets and summary; names by the key in the folder `place`."""
    cache = FileCache(None, READER.version)
    files, seen = list_delivery(root).files, []
    found = group_series(read_headers(files, cache, workers, lambda done, of: seen.append((done, of)), READER))
    assert not files or seen[-1][0] == len(files)
    return found, *draft_sheets(found, root, names_of(found, read_key((place or root) / "key_private.csv"), READER))


@pytest.mark.parametrize("flat", [True, False])
def test_a_delivery_becomes_sheets_that_are_accepted(tmp_path, flat):
    root = tmp_path / "dicom"
    deliver(root, flat)
    found, sheets, summary = discover(root)
    assert len(found) == 3 * (3 + 4) and set(summary["modality"]) == {"CT", "SR", "SEG", "RTSTRUCT"}
    series, masks = sheets["series"], sheets["masks"]
    assert len(series) == 9 and series.groupby("phase").size().to_dict() == dict.fromkeys(PHASES, 3)
    assert set(summary.loc[summary["phase"].isin(PHASES) & (summary["modality"] == "CT"), "confidence"]) <= {
        "high",
        "medium",
    }
    assert (series["series_uid"] != "").all() == flat
    assert sorted(masks["phase"]) == ["arterial"] * 3 + ["portal"] * 3 and set(masks["label"]) == {""}
    scouts = summary[summary["description"] == "Scout"]
    assert scouts["looks wrong"].str.contains("lack ImagePositionPatient").all()
    # Nothing of a person but the private key, which the script writes.
    text = "".join(sheet.to_csv() for sheet in sheets.values())
    assert "ller" not in text and (not flat or "MRN" not in text)
    # Evidence for each phase, for the person who checks it.
    own = series[series["patient_id"] == series["patient_id"].iloc[0]].set_index("phase")
    assert own["description"].to_dict() == {
        "precontrast": "Abdomen non contrast",
        "arterial": "Abdomen arterial",
        "portal": "Abdomen portal venous",
    }
    assert own.loc[list(PHASES), "order"].tolist() == [1, 2, 3] and set(own["study"]) == {1}
    assert own.loc["arterial", "evidence"] == "description says arterial; 35 s after the injection"
    assert own.loc["arterial", ["series_number", "modality", "slices", "confidence"]].tolist() == ["3", "CT", 6, "high"]

    # The sheets as they are, and outcomes.
    patients = sheets["patients"].assign(centre="A", resection_date="2020-02-01", last_follow_up_date="2023-01-01")
    for name, sheet in {**sheets, "patients": patients}.items():
        sheet.to_csv(tmp_path / f"{name}.csv", index=False)
    settings = {
        **{name: str(tmp_path / f"{name}.csv") for name in ("patients", "series", "masks")},
        **{"images_of": "", "clinical": {}, "missing_codes": [], "columns": {}, "date_format": "", "strata": {}},
        **{"modality": "CT", "interpolate_missing": False, "smallest_mask_ml": 0.0, "mask_tolerance_voxels": 0.1},
    }
    cohort, problems = load_cohort("c", settings)
    assert not problems, problems
    sources, problems = check_sources(cohort, cohort.patients.index, root, FileCache(None, HEADER_FACTS_VERSION))
    # All have one mask, which is named.
    assert all(isinstance(p, Notice) and "has the voxels of a mask" in p.what for p in problems), problems
    assert len(sources.series) == 9 and len(sources.masks) == 6


def test_what_is_unclear_stays_empty_and_is_refused(tmp_path):
    root = tmp_path / "dicom"
    slices = make_series(voxels(1), describe(phase="arterial"), root / "a")
    for data in slices:
        data.SeriesDescription = "2.5 STANDARD"
        del data.ContrastBolusStartTime
    save_series(slices, root / "a")
    other = make_series(voxels(2), describe(phase="portal"), root / "b")
    save_series(other[:2] + other[3:], root / "b")
    mask = np.zeros(SHAPE, bool)
    mask[2:4, 4:9, 3:8] = True
    write_seg(mask, slices, "Tumour", root / "m1")
    write_seg(mask, slices, "AI tumour", root / "m2")
    found, sheets, summary = discover(root)
    assert sheets["series"]["phase"].tolist() == [""]
    broken = next(s for s in found if s.header["SeriesInstanceUID"] == str(other[0].SeriesInstanceUID))
    assert "a slice is probably missing" in broken.problem
    assert summary["looks wrong"].str.contains("a slice is probably missing").sum() == 1
    assert sheets["masks"]["reader"].tolist() == ["", ""], "two masks of one series: a person must say whose they are"


def test_a_second_study_is_named(tmp_path):
    for number, date in enumerate(("20200101", "20210601")):
        slices = make_series(voxels(number), describe(phase="arterial"), tmp_path / "unused")
        for data in slices:
            data.StudyDate, data.StudyInstanceUID, data.SeriesInstanceUID = (
                date,
                f"1.2.{number + 1}",
                f"1.3.{number + 1}",
            )
            data.SOPInstanceUID = generate_uid()
        save_series(slices, tmp_path / f"d{1 - number}")
    _, sheets, summary = discover(tmp_path)
    assert summary["study"].tolist() == [1, 2] and len(sheets["series"]) == 2
    assert summary["looks wrong"].str.contains("a later study").tolist() == [False, True]


def test_pseudonyms_keep_and_need_the_salt(tmp_path):
    salt = secret_of(tmp_path / "new" / "salt.txt")
    assert secret_of(tmp_path / "new" / "salt.txt") == salt and len(salt) == 32
    assert pseudonym("MRN1", salt) == pseudonym("MRN1", salt) != pseudonym("MRN1", b"other")


def test_headers_are_read_once_and_by_several_processes(tmp_path, monkeypatch):
    from hcc_recurrence.cohort import discovery

    deliver(tmp_path / "dicom")
    files = list_delivery(tmp_path / "dicom").files
    alone, together = FileCache(tmp_path / "a.json", READER.version), FileCache(None, DISCOVERY_VERSION)
    read_headers(files, alone, 1, lambda done, of: None, READER)
    alone.save()
    again = FileCache(tmp_path / "a.json", READER.version)
    assert again.lacking(files, READER) == []
    known = read_headers(files, again, 1, lambda done, of: None, READER)
    monkeypatch.setattr(discovery, "CHUNK", 2)
    new = read_headers(files, together, 2, lambda done, of: None, READER)
    first, second = ([(s.series, s.guess, len(s.files)) for s in group_series(facts)] for facts in (known, new))
    assert first == second and again.computed == 0
    assert pd.DataFrame(first).shape[0] == 21
    # Facts with another secret are not these.
    assert HeaderReader(b"other").version != READER.version
