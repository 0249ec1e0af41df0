"""The workflow as part of another, as snakedeploy writes it: an empty folder, a Snakefile of a few lines, config/."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import yaml
from workflow_runner import REPOSITORY, SNAKEMAKE

# What `snakedeploy deploy-workflow` writes, with the workflow's place in that of its address.
DEPLOYED = """
configfile: "config/config.yaml"


module hcc:
    snakefile:
        {snakefile!r}
    config:
        config


use rule * from hcc
"""


def test_deployed_into_an_empty_folder_it_plans_the_same_jobs(tmp_path):
    shutil.copytree(REPOSITORY / "config", tmp_path / "config")
    own = tmp_path / "config/config.yaml"
    config = yaml.safe_load(own.read_text())
    study = {"paper": "zhao2024", "cohort": "demo_ct", "phases": {"portal": "portal"}, "networks": False}
    own.write_text(yaml.safe_dump({**config, "studies": [study], "cohorts": {"demo_ct": config["cohorts"]["demo_ct"]}}))
    (tmp_path / "workflow").mkdir()
    (tmp_path / "workflow/Snakefile").write_text(DEPLOYED.format(snakefile=str(REPOSITORY / "workflow/Snakefile")))
    target = "results/demo_ct/labels.csv"
    # No network: an address of no host, should anything ask for one.
    environment = {**os.environ, "https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    done = subprocess.run(
        [str(SNAKEMAKE), "--dry-run", "--cores", "1", target],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout + done.stderr, re.MULTILINE))
    assert jobs == {"write_labels": "1", "total": "1"}
