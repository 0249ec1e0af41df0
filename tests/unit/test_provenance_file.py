"""provenance.json has versions, digests and settings of what made the results, and nothing of a machine or a person."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import subprocess
import tomllib
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from hcc_recurrence.report.provenance import (
    digest_of,
    environment,
    inputs_of,
    provenance,
    told,
    without_folders,
    write_provenance,
)
from hcc_recurrence.version import commit_and_changes, release_problems, workflow_version

ROOT = Path(__file__).parents[2]
KEYS = ["format", "written", "workflow", "environment", "config", "inputs", "numerics", "processors", "seed", "studies"]


def blake(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


@pytest.fixture
def content(tmp_path):
    """Two networks on one processor, one on another; a config that names a folder of a home."""
    lock, sheet = tmp_path / "lock", tmp_path / "patients.csv"
    lock.write_text("numpy==1\n")
    sheet.write_text("patient_id,birth_date\nP1,1950-01-02\n")
    config = {"seed": 7, "cohorts": {"c1": {"data_root": "/home/anna/dicom/", "patients": "sheets/patients.csv"}}}
    facts = {
        "version": "1.2.3",
        "code": "c0de",
        "environment": environment(lock),
        "config": without_folders(config),
        "inputs": {"c1": inputs_of(False, [sheet], {"P1": {"arterial": "abc 1.2.3"}})},
        "numerics": "portable",
        "seed": 7,
        "studies": [["zhao2024", "c1"]],
    }
    about = {"numerics": "portable", "gpu": np.nan, "system": "Linux"}
    machines = pd.DataFrame([{**about, "processor": name} for name in ("EPYC", "EPYC", "Xeon")])
    return provenance(facts, machines, ("a" * 40, True), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


def test_every_value_is_what_it_says(content, tmp_path):
    assert list(content) == KEYS
    assert content["workflow"] == {
        "name": "hcc-recurrence",
        "version": "1.2.3",
        "commit": "a" * 40,
        "changed_files": True,
        "code": "c0de",
    }
    made = content["environment"]
    assert made["python"] == platform.python_version() and made["snakemake"] == version("snakemake")
    assert made["packages"]["numpy"] == np.__version__ and made["packages"]["pandas"] == pd.__version__
    assert made["lock"] == blake(b"numpy==1\n")
    own = content["inputs"]["c1"]
    assert own["sheets"] == {"patients.csv": blake((tmp_path / "patients.csv").read_bytes())}
    assert list(own["images"]) == ["P1"] and own["simulated"] is False
    kinds = {kind["processor"]: kind["networks"] for kind in content["processors"]}
    assert kinds == {"EPYC": 2, "Xeon": 1}
    assert content["studies"] == [{"method": "zhao2024", "cohort": "c1"}] and content["seed"] == 7
    assert content["written"] == "2026-01-02T03:04:05+00:00"
    write_provenance(tmp_path / "provenance.json", content)
    assert json.loads((tmp_path / "provenance.json").read_text()) == content


def test_nothing_of_a_home_and_nothing_of_a_patient_but_the_id(content):
    text = json.dumps(content)
    assert "/home" not in text and "anna" not in text and "1950" not in text and "birth_date" not in text
    assert content["config"]["values"]["cohorts"]["c1"] == {"data_root": "dicom", "patients": "sheets/patients.csv"}
    # As other systems write them.
    for path in ("~/dicom", "C:\\Users\\anna\\dicom", "file:///home/anna/dicom"):
        assert without_folders({"a": [path]}) == {"a": ["dicom"]}


def test_digests_change_with_what_they_are_of_and_with_nothing_else(tmp_path):
    assert digest_of({"a": 1, "b": [1, 2]}) == digest_of({"b": [1, 2], "a": 1}) != digest_of({"a": 1, "b": [2, 1]})
    one = inputs_of(False, [], {"P1": {"arterial": "x"}, "P2": {"arterial": "y"}})["images"]
    other = inputs_of(False, [], {"P1": {"arterial": "x"}, "P2": {"arterial": "z"}})["images"]
    assert one["P1"] == other["P1"] and one["P2"] != other["P2"]


def test_the_report_says_it_in_words(content):
    words = dict(told(content))
    assert words["Commit"] == "aaaaaaaaaaaa, with changes that are not committed"
    assert words["Processors"] == "EPYC (2 networks); Xeon (1 networks)" and words["Seed"] == "7"
    assert words["Config (digest)"] == content["config"]["digest"]
    bare = {**content, "workflow": {**content["workflow"], "commit": "", "changed_files": None}, "processors": []}
    words = dict(told(bare))
    assert words["Commit"] == "not a clone of the repository" and "Processors" not in words


def test_commit_and_changes_of_a_clone_and_of_a_copy_within_another_repository(tmp_path):
    def git(*words):
        about = ("-c", "user.name=a", "-c", "user.email=a@b.c")
        done = subprocess.run(["git", *about, *words], cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert commit_and_changes(tmp_path) == ("", None)
    git("init", "-q")
    (tmp_path / "a").write_text("1")
    git("add", "a")
    git("commit", "-qm", "a")
    assert commit_and_changes(tmp_path) == (git("rev-parse", "HEAD"), False)
    # A file that git does not keep, such as results, is no change.
    (tmp_path / "results").write_text("1")
    assert commit_and_changes(tmp_path)[1] is False
    (tmp_path / "a").write_text("2")
    assert commit_and_changes(tmp_path)[1] is True
    (tmp_path / "copy").mkdir()
    assert commit_and_changes(tmp_path / "copy") == ("", None)


def test_one_version_everywhere():
    """pyproject.toml has it; the citation file and the top of the changes say the same, and exported models take it."""
    own = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", own) and workflow_version() == own
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == own
    top = re.search(r"^## \[(.+?)\] - (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert top.group(1) == own and re.fullmatch(r"unreleased|\d{4}-\d\d-\d\d", top.group(2))
    # Written by hand nowhere else.
    for file in (ROOT / "workflow").rglob("*.py"):
        assert f'"{own}"' not in file.read_text(), file


def test_a_workflow_without_its_project_file_has_no_version(tmp_path):
    assert workflow_version(tmp_path) == ""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "other"\nversion = "9.9.9"\n')
    assert workflow_version(tmp_path) == ""


def test_a_release_is_refused_until_all_say_the_same_and_all_is_committed(tmp_path):
    def git(*words):
        about = ("-c", "user.name=a", "-c", "user.email=a@b.c")
        subprocess.run(["git", *about, *words], cwd=tmp_path, capture_output=True, check=True)

    def files(project, cited, top):
        (tmp_path / "pyproject.toml").write_text(f'[project]\nname = "hcc-recurrence"\nversion = "{project}"\n')
        (tmp_path / "CITATION.cff").write_text(f"cff-version: 1.2.0\nversion: {cited}\n")
        (tmp_path / "CHANGELOG.md").write_text(f"# Changes\n\n## {top}\n\n## [0.1.0] - 2025-01-01\n")

    files("0.2.0", "0.1.0", "[0.2.0] - unreleased")
    said = "\n".join(release_problems(tmp_path))
    assert "CITATION.cff: version 0.1.0, and 0.2.0" in said and "'unreleased' stands in place" in said
    assert "no clone" in said
    git("init", "-q")
    files("0.2.0", "0.2.0", "[0.2.0] - 2026-03-01")
    git("add", ".")
    git("commit", "-qm", "a")
    assert release_problems(tmp_path) == []
    files("0.2.0", "0.2.0", "[0.1.9] - 2026-03-01")
    assert release_problems(tmp_path) == ["CHANGELOG.md: its top is 0.1.9, and not 0.2.0", "files are not committed"]
    git("checkout", "-q", ".")
    git("tag", "v0.2.0")
    assert release_problems(tmp_path) == ["the tag v0.2.0 is there already; set the next version"]
