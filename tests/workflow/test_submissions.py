"""What a run for a cluster would submit, by dry runs with profiles/slurm."""

from __future__ import annotations

import os
import re

import pytest
from large_cohort import STUDIES, write_large_cohort
from workflow_runner import REPOSITORY, server


def plan(folder, patients, studies, *options, **config):
    """A dry run of all papers at the published settings: jobs submitted, those that train apart; the text."""
    write_large_cohort(folder, patients, studies, **config)
    words = ["--snakefile", str(REPOSITORY / "Snakefile"), "--profile"]
    words += [str(REPOSITORY / "profiles/slurm"), "--configfile", "big.yaml", "--dry-run", *options, "--", "all"]
    for name in ("config", "workflow"):
        (folder / name).symlink_to(REPOSITORY / name)
    done = server().call(words, folder, os.environ, 600)
    text = done.stdout + done.stderr
    assert done.returncode == 0, text[-6000:]
    said = re.search(r"Submissions to the cluster: (\d+), and (\d+) jobs that train", text)
    return int(said[1]), int(said[2]), text


@pytest.fixture(scope="module")
def all_papers(tmp_path_factory):
    return plan(tmp_path_factory.mktemp("big"), 300, STUDIES)


def test_300_patients_in_3_phases_by_2_readers_are_fewer_than_150_submissions(all_papers):
    submissions, training, text = all_papers
    counts = dict(re.findall(r"^(\w+) +(\d+)$", text.split("Job stats:")[1], re.MULTILINE))
    assert int(counts["total"]) > 5000 and int(counts["convert_patient"]) > 280
    # 91 as this was written.
    assert 60 < submissions < 150
    # One job a fold and network. Zhang 2025 trains its networks in one repeat: 82 of them.
    assert training == sum(int(n) for rule, n in counts.items() if rule.startswith("train_")) > 130


def test_what_is_submitted_alone_takes_long(all_papers):
    """Every cheap step goes with others, or stays where Snakemake runs."""
    single = re.search(r"single jobs: (.*)", all_papers[2])[1]
    assert re.sub(r"\d+ ", "", single) == "extract_deep_features, segment_patients"


def test_masks_by_a_network_come_between_a_patients_first_steps_and_those_on_a_grid(tmp_path):
    """Snakemake refuses groups that wait for themselves."""
    submissions, _, text = plan(tmp_path, 60, STUDIES[2:4], masks={"source": "unet"})
    together = re.search(r"steps together: (.*)", text)[1]
    assert "3 patients" in together and "grids" in together and submissions < 60


def test_networks_trained_on_permuted_outcomes_disturb_no_group(tmp_path):
    permuted = {"in_all": True, "networks": True, "permutations": 2}
    submissions, _, _ = plan(tmp_path, 60, STUDIES[:2], null_control=permuted)
    # Each copy's fits are submitted together, and so are its results: 64 as this was written.
    assert submissions < 70


def test_jobs_that_train_go_to_the_gpus_and_all_others_do_not(tmp_path):
    named = ("slurm_account=lab", "slurm_partition=short", "gpu_partition=a100")
    _, _, text = plan(tmp_path, 30, STUDIES[:1], "--default-resources", *named, device="cuda")
    seen: dict[str, set[tuple[str, ...]]] = {}
    for rule, resources in re.findall(r"^ *(?:local)?rule (\w+):\n(?:.*\n)*? *resources: (.*)$", text, re.MULTILINE):
        asked = dict(one.split("=", 1) for one in resources.split(", "))
        seen.setdefault(rule, set()).add((asked["slurm_partition"], asked.get("gpu", "0"), asked["slurm_account"]))
    training = {rule for rule in seen if rule.startswith("train_")}
    assert training and all(seen[rule] == {("a100", "1", "lab")} for rule in training)
    assert all(seen[rule] == {("short", "0", "lab")} for rule in seen if rule not in training)
