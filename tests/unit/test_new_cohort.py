"""`make init`: what it asks, what it writes, what it never touches, and what preflight then still names."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys

import pytest
import yaml
from workflow_runner import REPOSITORY

from hcc_recurrence.new_cohort import (
    COLUMNS,
    Case,
    checked_name,
    config_text,
    fitting,
    main,
    said_of_methods,
    write_case,
)
from hcc_recurrence.problems import Refused
from hcc_recurrence.run_input import GivenConfig, read_run_input

MR = ("arterial", "portal", "delayed")


def problems(folder, name):
    """What `preflight` would list, and how it says it."""
    given = GivenConfig([folder / f"{name}.yaml"], [folder / f"{name}.yaml"], [])
    return [str(p) for p in read_run_input(given, REPOSITORY, ["preflight"], True).problems]


def columns(path):
    return next(csv.reader(path.open()))


def test_the_methods_are_those_whose_phases_are_there():
    """By hand, from the papers: Zhao arterial, portal, delayed (MR); Yan hepatobiliary MR; the others CT."""
    assert fitting("MR", MR) == ["zhao2024"]
    assert fitting("MR", ("arterial", "portal", "hepatobiliary")) == ["yan2023"]
    assert fitting("CT", ("arterial",)) == ["cui2022"]
    assert fitting("CT", ("precontrast", "arterial", "portal")) == ["cui2022", "wang2022", "zhang2025"]
    # Where none has all of its phases, those with some; Yan corrects a bias field, which CT has not.
    assert fitting("CT", ("portal",)) == ["wang2022", "zhang2025", "zhao2024"]


def test_what_cannot_run_is_said_before_the_methods_are_asked_for():
    """With one phase, and with all that a method of CT reads."""
    assert said_of_methods(fitting("CT", ("portal",)), "CT", ("portal",)) == [
        "  Cannot run on these images: cui2022 (it reads arterial, and the phases are portal); "
        "yan2023 (it is for MR: it corrects a bias field, which CT has not).",
        "  Can run on a part of their phases: wang2022 (without arterial); zhang2025 (without arterial, precontrast); "
        "zhao2024 (without arterial, delayed).",
    ]
    (line,) = said_of_methods(["zhao2024"], "MR", MR)
    assert line.startswith("  Cannot run on these images: cui2022 (it is for CT: it has a window in Hounsfield units);")


def test_flags_alone_write_a_config_and_three_sheets_that_preflight_takes_up_to_what_is_empty(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    main(["--name", "ours", "--modality", "mri", "--phases", "portal, arterial delayed", "--root", ""])
    config = yaml.safe_load((tmp_path / "ours.yaml").read_text())
    assert [study["paper"] for study in config["studies"]] == ["zhao2024"]
    assert config["cohorts"]["ours"]["modality"] == "MR" and "afp" in config["cohorts"]["ours"]["clinical"]
    for kind in COLUMNS:
        assert columns(tmp_path / f"ours/{kind}.csv")[: len(COLUMNS[kind])] == COLUMNS[kind]
    # Each clinical column of the config is one of the sheet.
    own = {definition["column"] for definition in config["cohorts"]["ours"]["clinical"].values()}
    assert own <= set(columns(tmp_path / "ours/patients.csv"))
    assert problems(tmp_path, "ours") == [
        f"cohort ours, ours/{kind}.csv: has a header and no rows. What to do: fill in the sheet."
        for kind in ("masks", "patients", "series")
    ]


@pytest.mark.parametrize("modality", ["CT", "MR"])
@pytest.mark.parametrize("phases", [("portal",), ("precontrast", "arterial", "portal", "delayed", "hepatobiliary")])
def test_what_is_written_has_no_fault_of_its_own(modality, phases, tmp_path, monkeypatch):
    """One phase or all: every problem is of a sheet that is empty, none of the config."""
    monkeypatch.chdir(tmp_path)
    write_case(Case("c", modality, phases, "", tuple(fitting(modality, phases))), {}, tmp_path)
    told = problems(tmp_path, "c")
    assert len(told) == 3 and all(": has a header and no rows." in problem for problem in told), told


def test_nothing_is_overwritten(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/patients.csv").write_text("mine")
    case = Case("mine", "CT", ("arterial",), "", ("cui2022",))
    with pytest.raises(Refused, match=r"mine/patients\.csv: there already; nothing was written"):
        write_case(case, {}, tmp_path)
    with pytest.raises(SystemExit, match="there already"):
        main(["--name", "mine", "--modality", "CT", "--phases", "arterial", "--root", ""])
    assert not (tmp_path / "mine.yaml").exists() and (tmp_path / "mine/patients.csv").read_text() == "mine"


def test_drafted_rows_are_kept_with_what_discover_notes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = {
        "patients": [{"patient_id": "P1", "centre": "", "resection_date": ""}],
        "series": [{"patient_id": "P1", "phase": "", "path": "a,b/PV", "evidence": "nothing tells it"}],
        "masks": [],
    }
    write_case(Case("ours", "CT", ("portal",), str(tmp_path), ("wang2022",)), rows, tmp_path)
    with (tmp_path / "ours/series.csv").open() as stream:
        assert list(csv.DictReader(stream)) == rows["series"]
    with (tmp_path / "ours/patients.csv").open() as stream:
        (patient,) = csv.DictReader(stream)
    assert patient["patient_id"] == "P1" and patient["afp_ng_ml"] == ""
    assert yaml.safe_load((tmp_path / "ours.yaml").read_text())["cohorts"]["ours"]["data_root"] == str(tmp_path)
    # A phase that the headers do not tell is named as empty.
    assert any("ours/series.csv: row 2: phase is empty" in problem for problem in problems(tmp_path, "ours"))


GIVEN = {"name": "ours", "modality": "CT", "phases": "precontrast,arterial,portal"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "NAME '' is no name of a cohort. What to do: use letters, digits and _, a letter first."),
        ({"name": "my cohort"}, "NAME 'my cohort' is no name of a cohort. What to do: use letters"),
        ({"name": "a/b"}, "NAME 'a/b' is no name of a cohort. What to do: use letters"),
        ({"name": "../a"}, "NAME '../a' is no name of a cohort. What to do: use letters"),
        # The config's schema takes no such name.
        ({"name": "our-cohort"}, "NAME 'our-cohort' is no name of a cohort. What to do: use letters"),
        ({"name": "results"}, "NAME 'results' is a folder that the workflow writes. What to do: name another"),
        ({"modality": "PET"}, "MODALITY 'PET' is neither CT nor MR. What to do: write CT or MR."),
        ({"modality": ""}, "MODALITY '' is neither CT nor MR. What to do: write CT or MR."),
        ({"phases": "venous"}, "PHASES venous: unknown. What to do: name some of precontrast, arterial"),
        ({"phases": ""}, "PHASES: none is named. What to do: name some of precontrast, arterial"),
        ({"root": "/nowhere"}, "ROOT '/nowhere' is no folder. What to do: correct it, or leave it empty"),
        ({"root": "~nobody-of-that-name/dicom"}, "ROOT '~nobody-of-that-name/dicom' is no folder"),
        ({"root": "x" * 5000}, f"ROOT '{'x' * 5000}' is no folder"),
        ({"methods": "yan2023"}, "METHODS yan2023 cannot run on these images: it is for MR: it corrects a bias field"),
        # There, and not for these images: why, and not that nobody knows it.
        (
            {"phases": "portal", "methods": "zhang2025,cui2022"},
            "METHODS cui2022 cannot run on these images: it reads arterial, and the phases are portal. What to do: "
            "name some of wang2022, zhang2025, zhao2024.",
        ),
        (
            {"modality": "MR", "phases": "arterial", "methods": "cui2022"},
            "METHODS cui2022 cannot run on these images: it is for CT: it has a window in Hounsfield units. What",
        ),
        ({"methods": "nobody2020"}, "METHODS nobody2020: unknown. What to do: name some of cui2022"),
    ],
)
def test_an_answer_that_is_none_is_said_in_one_line_and_nothing_is_written(wrong, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main([word for name, text in {**GIVEN, **wrong}.items() for word in (f"--{name}", text)])
    assert str(ended.value).startswith(said) and "\n" not in str(ended.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("empty", "ROOT {} holds no file that can be read. What to do: correct it, or leave it empty and write"),
        (".", "ROOT {} is or holds the folder that the workflow runs in. What to do: correct it, or leave it empty"),
    ],
)
def test_a_folder_that_can_be_no_delivery_is_said_before_anything_is_read(folder, said, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    root = str(tmp_path / folder)
    with pytest.raises(SystemExit) as ended:
        main([word for name, text in {**GIVEN, "root": root}.items() for word in (f"--{name}", text)])
    assert str(ended.value).startswith(said.format(root)) and not (tmp_path / "ours.yaml").exists()


@pytest.mark.parametrize("name", ["ours", "A_1", "our-cohort", "1a", "a b", "x" * 40])
def test_a_name_that_is_taken_is_one_of_the_configs_schema(name):
    schema = yaml.safe_load((REPOSITORY / "workflow/schemas/config.schema.yaml").read_text())
    pattern = schema["properties"]["cohorts"]["propertyNames"]["pattern"]
    try:
        checked_name(name)
    except Refused:
        return
    assert re.search(pattern, name)


def program(folder, *words, piped=""):
    """`make init` as its own process, without a terminal."""
    command = [sys.executable, "-m", "hcc_recurrence.new_cohort", *words]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "workflow/scripts")}
    return subprocess.run(command, cwd=folder, env=environment, input=piped, capture_output=True, text=True)


def test_answers_through_a_pipe_are_refused_and_not_taken_for_defaults(tmp_path):
    done = program(tmp_path, "--modality", "CT", piped="ours\nMR\narterial\n\nzhao2024\n")
    assert done.returncode == 1 and done.stderr == (
        "there is no terminal to ask on, and NAME, PHASES lack. What to do: make init NAME=ours MODALITY=CT "
        "PHASES=arterial,portal, or run it in a terminal.\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_nothing_can_be_written_into_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # A link to nowhere: it is not there, and no folder can be made in its place.
    (tmp_path / "ours").symlink_to(tmp_path / "gone/away")
    with pytest.raises(SystemExit, match=r"ours: File exists\. What to do: run it in a folder that you may write to"):
        main([word for name, text in {**GIVEN, "root": ""}.items() for word in (f"--{name}", text)])
    assert not (tmp_path / "ours.yaml").exists()


def test_the_questions_are_asked_again_until_they_have_an_answer(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    answers = iter(["ours", "xray", "CT", "arterial", "", "cui2022"])
    questions = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda question: (questions.append(question), next(answers))[1])
    main([])
    assert [question[0] for question in questions] == ["1", "2", "2", "3", "4", "5"]
    assert "neither CT nor MR" in capsys.readouterr().out and (tmp_path / "ours.yaml").is_file()


def test_quotes_and_blanks_in_a_folder_are_yaml(tmp_path):
    root = tmp_path / 'Klinik "A": 医院'
    case = Case("c", "CT", ("arterial",), str(root), ("cui2022",))
    assert yaml.safe_load(config_text(case))["cohorts"]["c"]["data_root"] == str(root)
