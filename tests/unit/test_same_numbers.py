"""The benchmark that compares another processor's predictions with committed digests: it sees what differs."""

from __future__ import annotations

import hashlib
import json
import sys

import pandas as pd
import pytest
from workflow_runner import REPOSITORY

MACHINE = {"kind": "1", "numerics": "portable", "processor": "AMD EPYC", "kernels ATen": "AVX2", "torch": "2.13.0"}


@pytest.fixture
def benchmark(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", [*sys.path, str(REPOSITORY / "tests/benchmarks")])
    import same_numbers

    monkeypatch.setattr(same_numbers, "REFERENCE", tmp_path / "numerics.json")
    monkeypatch.setattr(same_numbers, "PROBABILITIES", tmp_path / "numerics.csv.gz")
    return same_numbers


@pytest.fixture
def run(tmp_path):
    """A finished run of two papers with a patient's probability, as files."""

    def run(name: str, probability: float, **machine: str):
        folder = tmp_path / name
        (folder / "results/machines").mkdir(parents=True)
        names = {"cohort": "tiny", "paper": "p", "network": "R", "fit": "strict.1.0"}
        pd.DataFrame([{**names, **MACHINE, **machine}]).to_csv(folder / "results/machines/networks.csv", index=False)
        files = {}
        for paper, value in (("moves", probability), ("stays", 0.25)):
            rows = {"model": "DL", "protocol": "strict", "split": "train", "estimate": "out_of_fold"}
            table = pd.DataFrame([{**rows, "repeat": 1, "fold": 1, "patient_id": "007", "probability": value}])
            files[paper] = folder / f"{paper}.csv"
            table.to_csv(files[paper], index=False)
        return files, folder

    return run


def test_a_run_has_the_bytes_of_its_own_digests(benchmark, run, capsys):
    first = run("first", 0.5)
    benchmark.refresh(*first)
    kept = json.loads(benchmark.REFERENCE.read_text())
    assert kept["predictions"]["stays"] == hashlib.sha256(first[0]["stays"].read_bytes()).hexdigest()
    assert kept["machine"]["kernels ATen"] == "AVX2"
    bytes_of_first = benchmark.PROBABILITIES.read_bytes()
    assert benchmark.compare(*run("again", 0.5)) == 0
    assert "DIFFERS" not in capsys.readouterr().out
    benchmark.refresh(*first)
    assert benchmark.PROBABILITIES.read_bytes() == bytes_of_first, "no time in the file"


def test_what_differs_is_named_with_how_far_it_moved(benchmark, run, capsys):
    benchmark.refresh(*run("there", 0.5))
    assert benchmark.compare(*run("here", 0.53, torch="2.14.0")) == 1
    said = capsys.readouterr().out
    assert "moves        DIFFERS" in said and "stays        the same bytes" in said
    assert "another torch: 2.14.0 here, 2.13.0 there" in said and "0.03" in said


def test_rows_that_one_of_two_runs_lacks_are_counted(benchmark):
    row = {"paper": "p", "model": "DL", "protocol": "strict", "split": "train", "estimate": "out_of_fold", "repeat": 1}
    theirs = pd.DataFrame([{**row, "fold": 1, "patient_id": p, "probability": 0.5} for p in ("A", "B")])
    ours = theirs.iloc[:1].assign(probability=0.75)
    (found,) = benchmark.moved(ours, theirs).to_dict("records")
    assert found == {"paper": "p", "model": "DL", "largest": 0.25, "median": 0.25, "alone": 1}


def test_without_digests_it_says_how_to_make_them(benchmark, run):
    with pytest.raises(SystemExit, match="--refresh"):
        benchmark.compare(*run("first", 0.5))


def test_the_config_has_all_five_papers_and_the_portable_kernels(benchmark):
    config = benchmark.all_papers()
    assert sorted({s["paper"] for s in config["studies"]}) == [
        "cui2022",
        "wang2022",
        "yan2023",
        "zhang2025",
        "zhao2024",
    ]
    assert config["numerics"] == "portable"
