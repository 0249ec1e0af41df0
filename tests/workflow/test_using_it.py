"""Snakemake itself, as a new user would call it: each mistake is a line with its remedy, or it works; no traceback."""

from __future__ import annotations

import os
import re
import subprocess

import pytest
import yaml
from workflow_runner import REPOSITORY, SNAKEMAKE, copy_workflow

CONFIG = yaml.safe_load((REPOSITORY / "config/config.yaml").read_text())
SHEETS = ("simulation", "patients", "series", "masks")


@pytest.fixture
def here(tmp_path):
    """A folder, with a blank and letters beyond ASCII in its name, that holds a config of simulated patients."""
    folder = tmp_path / "Klinik Ödön 医院"
    folder.mkdir()
    cohort = CONFIG["cohorts"]["demo_ct"]
    cohort = {**cohort, **{key: str(REPOSITORY / cohort[key]) for key in SHEETS}}
    study = {"paper": "zhao2024", "cohort": "c", "phases": {"portal": "portal"}, "networks": False}
    (folder / "mine.yaml").write_text(yaml.safe_dump({"studies": [study], "cohorts": {"c": cohort}}))
    return folder


def snakemake(folder, *words, plugin=True, home=REPOSITORY):
    """Exit status and what is printed."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "envs") if plugin else ""}
    command = [str(SNAKEMAKE), "--snakefile", str(home / "Snakefile"), *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, env=environment)
    text = done.stdout + done.stderr
    assert "Traceback" not in text, text
    return done.returncode, text


def test_a_target_after_configfile_and_a_broken_file_are_said_before_anything_is_read(here):
    (here / "broken.yaml").write_text("studies: [\ncohorts: {}\n")
    status, text = snakemake(here, "--cores", "1", "--configfile", "mine.yaml", "broken.yaml", "all")
    assert status == 1 and "Nothing was run." in text and "SNAKEMAKE" not in text
    assert "1. broken.yaml: line 3" in text and "what is not closed begins in line 1" in text
    assert "2. --configfile takes every word up to the next option, so that 'all' is taken for a config file" in text
    assert "snakemake all --cores 8 --configfile mine.yaml" in text


def test_a_key_that_stands_twice_is_refused_without_the_plugin_too(here):
    with open(here / "mine.yaml", "a") as stream:
        stream.write("seed: 1\nseed: 2\n")
    status, text = snakemake(here, "-n", "all", "--configfile", "mine.yaml", plugin=False)
    assert status == 1 and "the key seed (lines" in text and "remove one of them" in text


def test_values_of_the_command_line_work_as_in_the_file(here):
    values = (
        "keep_going=true",
        "evaluation={resamples: 30}",
        "splits={'zhao2024_demo': {'repeats': 1}}",
        "preset=demo",
    )
    status, text = snakemake(here, "-n", "zhao2024", "--configfile", "mine.yaml", "--config", *values)
    assert status == 0 and "fit_method" in text, text


def test_no_target_is_the_target_all(here):
    """Snakemake forgets the default target of an included file: it said that there was nothing to be done."""
    counts = []
    for words in ((), ("all",)):
        status, text = snakemake(here, "-n", "--configfile", "mine.yaml", "--", *words)
        assert status == 0, text
        counts.append(dict(re.findall(r"^(\w+) +(\d+)$", text, re.MULTILINE)))
    bare, named = counts
    assert bare.pop("default") == named.pop("all") == "1" and bare == named and int(named["total"]) > 100


def test_an_unknown_target_names_the_near_ones(here):
    status, text = snakemake(here, "-n", "--configfile", "mine.yaml", "--", "zhao2025", "c", "yan2023", "results/x.csv")
    assert status == 1
    assert "nothing makes the target 'zhao2025'. What to do: did you mean zhao2024" in text
    assert "c is a cohort: ask for a method" in text
    assert "no study of this run uses yan2023" in text
    assert "nothing makes the target 'results/x.csv'" in text


def test_results_that_are_a_file_are_refused_before_the_first_job(here):
    (here / "results").write_text("")
    status, text = snakemake(here, "preflight", "--cores", "1", "--configfile", "mine.yaml")
    assert status == 1 and "is a file, where a folder is needed" in text and "localrule" not in text


OWN_DECLARATION = """
from hcc_recurrence.methods.contract import Method, ModelInfo

METHOD = Method("zhao2024b", lambda settings: {"CR": ModelInfo("main", "clinical")}, tables=())
"""
OWN_RULES = """
PREDICTION_PARTS["zhao2024b"] = lambda cohort: [f"<results>/{cohort}/zhao2024b/fits/all.predictions.csv"]
OWN_TARGETS["zhao2024b"] = lambda cohort: []


rule fit_zhao2024b:
    input:
        "<results>/{cohort}/labels.csv",
        split_file("zhao2024b"),
    output:
        "<results>/{cohort}/zhao2024b/fits/all.predictions.csv",
    script:
        "../../scripts/evaluation/gather_predictions.py"
"""


def test_a_second_paper_of_a_group_in_a_year_may_have_a_letter(here, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    copy_workflow(own)
    papers = own / "config/papers"
    (papers / "zhao2024b.yaml").write_text((papers / "zhao2024.yaml").read_text())
    (own / "workflow/rules/methods/zhao2024b.smk").write_text(OWN_RULES)
    module = own / "workflow/scripts/hcc_recurrence/methods/zhao2024b"
    module.mkdir()
    (module / "__init__.py").write_text("")
    (module / "declare.py").write_text(OWN_DECLARATION)
    config = yaml.safe_load((here / "mine.yaml").read_text())
    config["studies"][0]["paper"] = "zhao2024b"
    (here / "mine.yaml").write_text(yaml.safe_dump(config))
    target = "results/c/zhao2024b/tables/metrics.csv"
    status, text = snakemake(here, "-n", "--configfile", "mine.yaml", "--", target, home=own)
    assert status == 0, text
    made = {"fit_zhao2024b", "gather_predictions", "compute_metrics"}
    assert made <= set(re.findall(r"^(\w+) +1$", text, re.MULTILINE))
