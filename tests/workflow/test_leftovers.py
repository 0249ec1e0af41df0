"""Files of patients and settings that are gone: listed, deleted when asked for, and never by themselves."""

from __future__ import annotations

import pandas as pd
import pytest
from workflow_runner import Workspace


def remove_patient(workspace, patient):
    for name in ("patients", "series", "masks"):
        path = workspace.folder / "sheets" / f"{name}.csv"
        sheet = pd.read_csv(path, dtype=str, keep_default_na=False)
        sheet[sheet["patient_id"] != patient].to_csv(path, index=False)


@pytest.fixture
def without_t018(finished_copy) -> Workspace:
    remove_patient(finished_copy, "T018")
    (finished_copy.folder / "results/tiny/my notes.txt").write_text("of a person")
    return finished_copy


def test_a_removed_patients_files_are_listed_then_deleted(without_t018):
    run, results = without_t018, without_t018.folder / "results"
    mine = results / "tiny/my notes.txt"
    of_patient = sorted(f"results/{p.relative_to(results)}" for p in results.rglob("T018*"))
    assert {"results/tiny/images/native/T018", "results/tiny/masks/native/T018"} < set(of_patient)
    before = sorted(results.rglob("*"))
    log, others_log = [run.folder / f"logs/tiny/convert_patient/{patient}.log" for patient in ("T018", "T017")]
    benchmark = run.folder / "benchmarks/tiny/convert_patient/T018.tsv"
    for file in (log, others_log, benchmark):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()

    planned = run.snakemake("--dry-run", "all")
    text = planned.stdout + planned.stderr
    line = next(line for line in text.splitlines() if "leftovers" in line)
    assert f"{len(of_patient)} files or folders" in line
    assert min(of_patient).removeprefix("results/") in line

    said = run.run("leftovers")
    listed = [line.split("  ")[1] for line in said.splitlines() if line.startswith("  results/")]
    assert [path for path in listed if path != "results/tiny/my notes.txt"] == of_patient
    assert "Never deleted" in said
    assert [p for p in before if not p.exists()] == [], "nothing is deleted by itself"

    said = run.run("remove_leftovers")
    assert f"{len(of_patient)} files or folders were deleted" in said
    assert not list(results.rglob("T018*"))
    assert (log.exists(), benchmark.exists(), others_log.exists()) == (False, False, True)
    assert mine.read_text() == "of a person"
    kept = [p for p in before if "T018" not in str(p)]
    assert [p for p in kept if not p.exists()] == []
    said = run.run("leftovers")
    assert "0 files or folders" in said
    assert "results/tiny/my notes.txt" in said
