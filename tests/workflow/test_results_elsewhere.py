"""What makes results valid goes where the results go: copied, moved, linked to, named by another path.

A finished run of one method without networks is pretended; dry runs on copies of it say what would be done.
"""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from finished_cohort import finish, touch
from workflow_runner import Workspace

MODULE = "workflow/scripts/hcc_recurrence/figures/coefficients.py"
REPORT = {"list_report": 1, "write_provenance": 1, "report": 1}
OF_A_MASK = {"convert_patient", "resample_patient", "extract_radiomics", "measure_tumours", "fit_method"}
OF_AN_OUTCOME = {"write_labels", "write_splits", "fit_method"}
# Steps of each patient.
OF_PATIENTS = {"convert_patient", "resample_patient", "extract_radiomics"}


@pytest.fixture
def run(finished_copy) -> Workspace:
    return finished_copy


# -- where the results may be --------------------------------------------------------------------


def forget(workspace):
    shutil.rmtree(workspace.folder / ".snakemake")


def copy_with_new_times(workspace):
    """`cp -r` to another disk, in an order of its own; named by the config."""
    forget(workspace)
    results, other = workspace.folder / "results", workspace.folder.parent / "disk"
    files = sorted((f for f in results.rglob("*") if f.is_file()), reverse=True)
    for number, file in enumerate(files):
        target = other / file.relative_to(results)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
        # What is made last is copied first.
        os.utime(target, (2e9 + number, 2e9 + number))
    shutil.rmtree(results)
    workspace.config(pathvars={"results": str(other)})


def copy_with_times(workspace):
    """`cp -a` to another disk, named by the config; the old ones are gone."""
    forget(workspace)
    other = workspace.folder.parent / "disk"
    shutil.copytree(workspace.folder / "results", other)
    shutil.rmtree(workspace.folder / "results")
    workspace.config(pathvars={"results": str(other)})


def move_and_link(workspace):
    forget(workspace)
    other = workspace.folder.parent / "disk"
    shutil.move(workspace.folder / "results", other)
    (workspace.folder / "results").symlink_to(other)


def stay(workspace):
    """As they were made, with Snakemake's folder."""


# -- what may change -----------------------------------------------------------------------------


def change_outcome(workspace):
    path = workspace.folder / "sheets/patients.csv"
    sheet = pd.read_csv(path, dtype=str, keep_default_na=False)
    sheet.loc[sheet["recurrence_date"].ne("").idxmax(), "recurrence_date"] = ""
    sheet.to_csv(path, index=False)


def replace_mask(workspace):
    """Another mask in place of one, from an older day. Not the other reader's, which would be refused."""
    file = workspace.folder / "hospital/T003/masks/arterial.R1.nii.gz"
    old, mask = os.stat(file), sitk.ReadImage(str(file))
    voxels = sitk.GetArrayFromImage(mask)
    voxels[tuple(np.argwhere(voxels)[0])] = 0
    changed = sitk.GetImageFromArray(voxels)
    changed.CopyInformation(mask)
    sitk.WriteImage(changed, str(file), useCompression=True)
    os.utime(file, (old.st_mtime - 1e6, old.st_mtime - 1e6))


def change_module(workspace):
    workspace.edit(MODULE, "most: int = 20", "most: int = 21")


def change_module_of_the_papers_tables(workspace):
    workspace.edit("workflow/scripts/hcc_recurrence/published.py", '"Cui 2022"', '"Cui et al. 2022"')


@pytest.mark.parametrize("place", [stay, forget, copy_with_new_times, copy_with_times, move_and_link])
def test_what_changed_runs_again_wherever_the_results_are(run, place):
    place(run)
    assert run.jobs() == {}, "nothing changed"
    # Each of the three is seen by jobs that the two others leave alone.
    change_module_of_the_papers_tables(run)
    change_outcome(run)
    replace_mask(run)
    jobs = run.jobs()
    assert jobs.keys() >= {*OF_A_MASK, *OF_AN_OUTCOME}
    # One patient of 24, and the tables that the module alone makes.
    assert {rule: jobs[rule] for rule in ("convert_patient", "extract_radiomics", "resample_patient")} == {
        "convert_patient": 1,
        "extract_radiomics": 1,
        "resample_patient": 1,
    }
    assert jobs["check_published_tables"] == 1


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (change_module, lambda jobs: jobs == {"plot_coefficients": 2, **REPORT}),
        (change_outcome, lambda jobs: jobs.keys() >= OF_AN_OUTCOME and not jobs.keys() & OF_PATIENTS),
        (replace_mask, lambda jobs: jobs["convert_patient"] == 1 and "write_labels" not in jobs),
    ],
)
def test_one_change_after_a_copy_with_new_times(run, change, expected):
    copy_with_new_times(run)
    change(run)
    assert expected(run.jobs())


def test_a_run_on_copied_results_settles_them(run):
    """After it they are where they are: a later edit of one of them is seen, and nothing else is looked at again."""
    copy_with_new_times(run)
    assert "Nothing to be done" in run.run("all")
    assert run.jobs() == {}
    disk = run.folder.parent / "disk"
    (disk / "tiny/labels.csv").write_text("edited by hand")
    assert run.jobs()["write_labels"] == 1


def test_half_copied_results_run_again_where_they_lack(run):
    copy_with_new_times(run)
    disk = run.folder.parent / "disk"
    # The copy stopped within a folder and within a file; another file is not there yet.
    (disk / "tiny/images/native/T005/two").unlink()
    (disk / "tiny/splits/tiny.csv").write_text("")
    (disk / "tiny/tumours.csv").unlink()
    jobs = run.jobs()
    assert {r: jobs[r] for r in ("convert_patient", "write_splits", "measure_tumours")} == {
        "convert_patient": 1,
        "write_splits": 1,
        "measure_tumours": 1,
    }
    assert "write_labels" not in jobs


def test_records_that_were_copied_in_part(run):
    """What their end said is unknown, and made again."""
    records = run.folder / "results/_provenance/records.txt"
    content = records.read_bytes()
    records.write_bytes(content[: len(content) // 2])
    forget(run)
    jobs = run.jobs()
    assert jobs["report"] == 1
    assert jobs.get("convert_patient", 0) < 24


def test_a_killed_run_whose_folder_of_snakemake_is_lost(run):
    """Half a file that has a record of an earlier run, and one that never had a record."""
    labels = run.folder / "results/tiny/labels.csv"
    labels.write_text("patient_id,er\nT0")
    split = run.folder / "results/tiny/splits/tiny.csv"
    split.write_text("patient_id,")
    records = run.folder / "results/_provenance/records.txt"
    lines = records.read_text().splitlines(keepends=True)
    records.write_text("".join(line for line in lines if not line.startswith("tiny/splits/tiny.csv")))
    forget(run)
    jobs = run.jobs()
    assert (jobs["write_labels"], jobs["write_splits"]) == (1, 1)
    assert "convert_patient" not in jobs


def test_a_result_replaced_by_an_older_one(run):
    """Of another run, or of another cohort, copied with its time."""
    labels = run.folder / "results/tiny/labels.csv"
    labels.write_text("those of others\n")
    os.utime(labels, (1e9, 1e9))
    assert run.jobs()["write_labels"] == 1


@pytest.mark.parametrize("place", [stay, copy_with_new_times])
def test_one_file_of_a_folder_written_to_in_place(run, place):
    """By a viewer that saves a mask where it opened it: neither the folder's time nor its list of files changes."""
    place(run)
    if place is not stay:
        run.run("all")
    results = run.folder.parent / "disk" if place is not stay else run.folder / "results"
    (results / "tiny/masks/native/T002/one").write_text("drawn anew")
    assert run.jobs()["convert_patient"] == 1


def test_a_folder_with_a_link_to_nothing_is_made_again(run):
    """Its content was moved to another disk that is not there."""
    file = run.folder / "results/tiny/images/native/T002/one"
    stat = os.stat(file.parent)
    file.unlink()
    file.symlink_to("/not/there")
    os.utime(file.parent, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert run.jobs()["convert_patient"] == 1


@pytest.mark.parametrize("option", ["--until", "--omit-from"])
def test_a_part_of_the_jobs_makes_no_leftovers_of_the_others(run, option):
    said = run.snakemake("--dry-run", option, "write_splits", "--", "all")
    assert said.returncode == 0
    assert "still holds" not in said.stdout + said.stderr


def test_results_without_records_are_refused_and_can_be_adopted(run):
    """Those of before there were records, whose folder of Snakemake is lost."""
    shutil.rmtree(run.folder / "results/_provenance")
    forget(run)
    for way in ((), ("--dry-run",)):
        message = run.refuse(*way)
        assert "nothing says what made them" in message
        assert "files in results/ were there before" in message
        assert "snakemake_records.py" not in message
        assert "--touch" in message
    assert not (run.folder / "results/_provenance").exists()
    touch(run)
    said = run.snakemake("--dry-run", "all")
    text = said.stdout + said.stderr
    assert "Nothing to be done" in text
    assert "were adopted as they are" in text
    change_outcome(run)
    jobs = run.jobs()
    assert jobs.keys() >= OF_AN_OUTCOME
    assert not jobs.keys() & OF_PATIENTS


def test_records_of_before_are_taken_over_from_snakemake(tiny_inputs, tmp_path):
    """A run of before, continued in its own folder: exactly what changed runs again, also without that folder later."""
    before = Workspace(tiny_inputs).copy_to(tmp_path / "before", results=False)
    rules = (before.folder / "workflow/rules/input.smk").read_text()
    before.edit("workflow/rules/input.smk", "\nkeep_records_with_results()\n", "\n")
    before.edit("workflow/rules/start.smk", "if not are_kept_with_results(workflow):", "if False:")
    finish(before)
    assert not (before.folder / "results/_provenance").exists()
    (before.folder / "workflow/rules/input.smk").write_text(rules)
    assert before.jobs() == {}
    assert not (before.folder / "results/_provenance").exists(), "a dry run writes nothing"
    assert "Nothing to be done" in before.run("all")
    forget(before)
    assert before.jobs() == {}
    change_outcome(before)
    jobs = before.jobs()
    assert jobs.keys() >= OF_AN_OUTCOME
    assert not jobs.keys() & OF_PATIENTS


def test_where_snakemake_keeps_its_records(run):
    """Fails where a later Snakemake does not ask our store: nothing of the results is in its own."""
    (run.folder / "results/tiny/labels.csv").unlink()
    run.run("results/tiny/labels.csv")
    assert not [f for f in (run.folder / ".snakemake/metadata").rglob("*") if f.is_file()]
    lines = (run.folder / "results/_provenance/records.txt").read_text().splitlines()
    found = [json.loads(line.split("\t")[1]) for line in lines if line.startswith("tiny/labels.csv\t")]
    assert "adopted" in found[0]
    assert "adopted" not in found[-1]
    assert found[-1]["rule"] == "write_labels"
    assert run.jobs().keys() >= {"write_splits", "report"}


def test_no_other_store_of_records(run):
    (run.folder / "results/tiny/labels.csv").unlink()
    result = run.snakemake("--cores", "1", "--persistence-backend", "db", "results/tiny/labels.csv")
    assert result.returncode != 0
    assert "without --persistence-backend" in result.stdout + result.stderr
