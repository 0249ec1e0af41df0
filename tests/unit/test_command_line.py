"""What a person types after `snakemake`, and folders that cannot be written to."""

from __future__ import annotations

import os

import pytest
import yaml

from hcc_recurrence.command_line import (
    asks_without_split,
    command_line_problems,
    greedy_words,
    near_targets,
    runs_jobs,
    typed_targets,
    typed_values,
)
from hcc_recurrence.storage import storage_problems


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with two config files, which the words start from."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text("seed: 1\n")
    (tmp_path / "broken.yaml").write_text("seed: [1\nb: 2\n")
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        "all --cores 8 --configfile mine.yaml",
        "--configfile mine.yaml --cores 8 all",
        "--configfile mine.yaml -- all",
        "--configfile=mine.yaml all",
        "--config keep_going=true seed=3 --cores 2 -- all",
        "-n",
        "",
    ],
)
def test_command_lines_as_they_should_be(here, words):
    assert command_line_problems(words.split()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "--configfile mine.yaml all",
            "taken for a config file. What to do: write the target first: snakemake all --cores 8 --configfile",
        ),
        ("--cores 8 --configfile mine.yaml all --config seed=1", "'all' is taken for a config file"),
        ("--config keep_going=true all", "write the target first: snakemake all --cores 8 --config keep_going=true"),
        ("--resources mem_mb=100 all", "snakemake all --cores 8 --resources mem_mb=100"),
        ("--config mine.yaml", "write --configfile mine.yaml"),
        ("--config a=1 --cores 2 -C b=2 -n", "--config stands twice; only the last would count"),
        ("--configfile mine.yaml --configfiles=mine.yaml -n", "--configfile stands twice"),
        ("--config keep_going", "write --config key=value"),
        ("--config masks={source: unet}", "put the value in quotes"),
        ("--configfile my.yaml", "my.yaml: there is no such file"),
        ("--configfile broken.yaml", "broken.yaml: line 2"),
        ("--configfile=broken.yaml all", "broken.yaml: line 2"),
        ("--configfile all", "all: there is no such file"),
    ],
)
def test_command_lines_that_snakemake_takes_otherwise(here, words, said):
    (problem,) = command_line_problems(words.split())
    assert said in problem


def test_every_problem_of_a_command_line_at_once(here):
    problems = command_line_problems(
        ["--configfile", "broken.yaml", "mine.yaml", "all", "--config", "seed"], here / "broken.yaml"
    )
    assert len(problems) == 4
    assert greedy_words(["-n", "--configfile", "a", "b", "--cores", "2", "c", "--", "d"]) == {
        "--configfile": ["a", "b"]
    }


def test_without_any_config_it_is_said_where_to_begin(here):
    (problem,) = command_line_problems(["all", "--cores", "8"], here / "config.yaml")
    assert "there is no config" in problem and "--configfile mine.yaml" in problem
    for words in (["--version"], ["all", "--configfile", "mine.yaml"]):
        assert command_line_problems(words, here / "config.yaml") == []
    assert command_line_problems(["all"], here / "mine.yaml") == []


def test_values_of_the_command_line_are_read_as_in_a_file():
    typed = typed_values(
        [
            *("keep_going=true", "seed=7", "masks={source: unet}", "evaluation={resamples: 50, entry_p: 0.1}"),
            *("dicom_root=2019", "clinical_table=a=b.csv", "x=1e-4", "device=cuda", "empty="),
            "splits={'s': {'kind': 'random', 'folds': 2}}",
        ],
        texts=("dicom_root",),
    )
    assert typed == {
        "keep_going": True,
        "seed": 7,
        "masks": {"source": "unet"},
        "evaluation": {"resamples": 50, "entry_p": 0.1},
        "dicom_root": "2019",
        "clinical_table": "a=b.csv",
        "x": 1e-4,
        "device": "cuda",
        "empty": None,
        "splits": {"s": {"kind": "random", "folds": 2}},
    }
    with pytest.raises(ValueError, match="is no YAML; put it in quotes"):
        typed_values(["masks={source: unet"])


def test_near_targets_are_named():
    rules = ["all", "preflight", "zhao2024", "zhang2025", "report"]
    assert "did you mean all?" in near_targets("al", rules)
    assert "did you mean preflight?" in near_targets("prefligth", rules)
    assert "zhao2024" in near_targets("zhao", rules)
    assert "known are all, preflight" in near_targets("xyzzy", rules)
    assert "write --configfile mine.yaml" in near_targets("mine.yaml", rules)
    assert "write --config seed=3" in near_targets("seed=3", rules)
    assert "docs/architecture.md, section 2, lists" in near_targets("results/c/x.csv", rules)
    assert near_targets("demo_mr", rules, {"demo_mr": "a cohort"}).endswith("What to do: a cohort.")


def test_targets_are_told_from_the_values_of_options(here):
    known = {"all", "preflight"}
    assert typed_targets(["--configfile", "mine.yaml", "--cores", "8", "all"], known) == []
    assert typed_targets(["--configfile", "mine.yaml", "--cores", "all", "--", "al", "preflight"], known) == ["al"]
    assert typed_targets(["--jobname", "al", "all"], known) == []
    assert typed_targets(["all", "--until", "prefligth", "--cores", "1"], known) == ["prefligth"]
    assert [runs_jobs(w.split()) for w in ("all --cores 1", "-n all", "-pn", "--lint", "all -- -n")] == [
        *(True, False, False, False, True)
    ]


def test_folders_that_cannot_be_written_to(here, monkeypatch):
    (here / "results").write_text("a file")
    (here / "link").symlink_to(here / "nowhere")
    (here / "shut").mkdir()
    assert storage_problems({"results": "new/folder", "logs": "shut"}) == []
    ways = os.access
    monkeypatch.setattr(os, "access", lambda p, mode: not str(p).endswith("shut") and ways(p, mode))
    folders = dict(zip("abcd", ("results/x", "link", "shut/below", "new"), strict=True))
    found = {p.file: p.what for p in storage_problems(folders)}
    assert set(found) == {"results/x", "link", "shut/below"}
    assert found["results/x"].endswith("results is a file, where a folder is needed")
    assert found["link"] == "is a link to what is not there"
    assert "cannot be written to" in found["shut/below"]
    (full,) = storage_problems({"logs": "new"}, least_mb=1e12)
    assert "its disk is full" in full.what and "pathvars: {logs:" in full.remedy
    yaml.safe_load(full.remedy.split("disk: ")[1])


def test_images_masks_and_labels_need_no_split():
    for words in (
        ["--configfile", "mine.yaml", "--cores", "1", "preflight"],
        ["results/c/labels.csv", "results/c/images/native/P1", "--cores", "1"],
        ["/disk/out/c/masks/native/P1", "results/c/radiomics/zhao2024/portal.parquet"],
    ):
        assert asks_without_split(words)
    for words in (
        ["--cores", "1"],
        ["--cores", "1", "--forcerun", "preflight"],
        ["all", "preflight"],
        ["results/c/labels.csv", "results/c/splits/zhao2024.csv"],
        ["results/c/zhao2024/tables/metrics.csv"],
    ):
        assert not asks_without_split(words)
