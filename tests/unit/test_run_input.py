"""What a run is asked for, and what it is refused for, before Snakemake knows its targets."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from workflow_runner import REPOSITORY

from hcc_recurrence import run_input
from hcc_recurrence.problems import InputError
from hcc_recurrence.run_input import GivenConfig, read_run_input, unknown_targets

DEMO = REPOSITORY / "config/config.yaml"


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Read the demo's input with words of the command line and `key=value`, in a folder with its sheets."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").symlink_to(REPOSITORY / "config")

    def read(*words: str, entries: tuple[str, ...] = (), is_run: bool = True):
        given = GivenConfig(["config/config.yaml"], [], entries)
        return read_run_input(given, REPOSITORY, ["--dry-run", *words], is_run)

    return read


def test_the_demo_is_read_whole(read):
    run = read("all")
    assert run.problems == run.notices == [] and not run.keep_going
    assert set(run.plan.cohorts) >= {"demo_ct", "demo_mr"} and run.config["preset"] == "demo"
    # What was given stays as it was given; defaults are in the other.
    assert "preset" not in run.own and "evaluation" not in run.own and "evaluation" in run.config


def test_what_is_refused_is_refused_in_words_and_listed_where_a_list_is_asked_for(read):
    wrong = ("studies=[{paper: zhao2024, cohort: nowhere}]",)
    with pytest.raises(InputError, match="unknown cohort"):
        read("all", entries=wrong)
    # Snakemake has not read its targets: the words of the command line tell. Of a job that lists, with its colon.
    for words in (["preflight"], ["--target-jobs", "list_problems:"]):
        run = read(*words, entries=wrong)
        assert run.plan is None and run.config == {} and ["unknown cohort" in p.what for p in run.problems] == [True]
        assert not run.keep_going
    # Sheets may be drafted before there are any, but not with a config that means nothing.
    with pytest.raises(InputError, match="unknown cohort"):
        read("discover", entries=wrong)


def test_too_few_patients_for_the_folds_stop_what_needs_a_split_alone(read):
    many = ("splits={zhao2024_demo: {folds: 40}}",)
    with pytest.raises(InputError, match="split zhao2024_demo"):
        read("all", entries=many)
    listed = read("preflight", entries=many)
    assert listed.problems == [] and "will stop all and every method" in listed.notices[0].what
    assert read("results/demo_mr/labels.csv", entries=many).plan is not None
    # A job of a run is not stopped by what stops none of its run's targets.
    assert read("all", entries=many, is_run=False).warnings == []


def test_an_option_given_twice_is_refused_in_a_run_and_not_in_its_jobs(read):
    twice = ["all", "--config", "a=1", "--config", "seed=3"]
    with pytest.raises(InputError, match="--config stands twice"):
        read(*twice)
    assert read(*twice, is_run=False).plan is not None


def test_a_folder_that_cannot_be_written_to_is_told_even_where_a_list_is_asked_for(read, tmp_path, monkeypatch):
    (tmp_path / "results").write_text("a file")
    monkeypatch.setattr(run_input, "runs_jobs", lambda words: True)
    for target in ("all", "preflight"):
        with pytest.raises(InputError, match="is a file, where a folder is needed"):
            read(target)


def test_targets_that_nothing_makes_are_told_with_the_nearest(read, monkeypatch):
    plan, config = read("all").plan, read("all").config
    rules = [
        SimpleNamespace(name=name, has_wildcards=lambda: False, is_producer=lambda target: target == "results/made")
        for name in ("all", "null_control", "zhao2024", "list_report")
    ]
    said = unknown_targets(["nul_control", "results/made", "demo_mr"], rules, config, plan)
    assert len(said) == 2 and "did you mean null_control" in said[0] and "demo_mr is a cohort" in said[1]
    assert unknown_targets(["all", str(Path("config"))], rules, config, plan) == []
    plan.studies = {("yan2023", "demo_mr"): {}}
    assert unknown_targets(["zhao2024"], rules, config, plan)[0].startswith("no study of this run uses zhao2024")
