"""A method whose declaration lacks, or is broken, stops the run before its first job."""

from __future__ import annotations

import os
import subprocess

import pytest
from workflow_runner import REPOSITORY, SNAKEMAKE, copy_workflow

# A method that the shared rule of fits does not know: nothing but its models is asked of what it declares.
DECLARATION = "workflow/scripts/hcc_recurrence/methods/cui2022/declare.py"


def plan(folder) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "envs")}
    words = [str(SNAKEMAKE), "--dry-run", "--quiet", "all", "--", "results/demo_ct/cui2022/predictions.csv"]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=900, env=environment)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ("", "has no attribute 'METHOD'"),
        (None, "No module named 'hcc_recurrence.methods.cui2022.declare'"),
        ("from hcc_recurrence.methods.contract import Methods\n", "cannot import name 'Methods'"),
    ],
)
def test_it_is_an_error_and_no_other_models_stand_in(tmp_path, broken, says):
    copy_workflow(tmp_path)
    whole = plan(tmp_path)
    assert whole.returncode == 0, whole.stdout[-2000:] + whole.stderr[-2000:]
    if broken is None:
        (tmp_path / DECLARATION).unlink()
    else:
        (tmp_path / DECLARATION).write_text(broken)
    done = plan(tmp_path)
    assert done.returncode != 0 and says in done.stdout + done.stderr, done.stdout[-2000:] + done.stderr[-2000:]
