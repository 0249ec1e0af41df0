"""A method of one's own is three files, and stands in all tables, figures and checklists without another edit."""

from __future__ import annotations

import os
import re
import subprocess

import pytest
import yaml
from example_method import NAME, copy_with_example, files_of_example
from workflow_runner import REPOSITORY, SNAKEMAKE

CONFIG = yaml.safe_load((REPOSITORY / "config/config.yaml").read_text())
OUTPUT = re.compile(r"^\s+output: (.*)$", re.MULTILINE)


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """Jobs and paths below `results/` of a dry run of the example beside Zhao 2024 without networks."""
    folder = tmp_path_factory.mktemp("own")
    copy_with_example(folder)
    cohort = {**CONFIG["cohorts"]["demo_mr"]}
    studies = [{"paper": "zhao2024", "cohort": "demo_mr", "networks": False}, {"paper": NAME, "cohort": "demo_mr"}]
    run = {**CONFIG, "studies": studies, "cohorts": {"demo_mr": cohort}}
    (folder / "config/config.yaml").write_text(yaml.safe_dump(run))
    words = [str(SNAKEMAKE), "--dry-run", "all"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "envs")}
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=900, env=environment)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return {path.strip() for line in OUTPUT.findall(done.stdout) for path in line.split(", ")}


def test_the_example_is_three_files_and_nothing_else():
    kinds = [file.parts[0:2] for file in files_of_example()]
    assert sorted(kinds) == [("config", "papers"), ("workflow", "rules"), ("workflow", "scripts")]


@pytest.mark.parametrize(
    "path",
    [
        f"{NAME}/models/strict.1.0",
        f"{NAME}/predictions.csv",
        f"{NAME}/tables/metrics.html",
        f"{NAME}/tables/delong.html",
        f"{NAME}/tables/optimism.html",
        f"{NAME}/tables/survival.html",
        f"{NAME}/tables/baseline_sets.html",
        f"{NAME}/tables/risk_factors.html",
        f"{NAME}/tables/coefficients.csv",
        f"{NAME}/figures/roc.strict.png",
        f"{NAME}/figures/calibration.as_published.png",
        f"{NAME}/figures/decision_curve.strict.svg",
        f"{NAME}/figures/kaplan_meier.strict.png",
        f"{NAME}/figures/flow_chart.png",
        *(f"{NAME}/checklists/checklist_{name}.html" for name in ("CLEAR", "METRICS", "RQS", "TRIPOD_AI")),
        "comparison/zhao2024_demo/predictions.csv",
    ],
)
def test_what_all_methods_have_it_has_without_another_edit(planned, path):
    assert f"results/demo_mr/{path}" in planned


def test_it_shares_the_files_of_other_methods(planned):
    assert not [path for path in planned if f"radiomics/{NAME}" in path or f"splits/{NAME}" in path]
