"""The target `export` on a finished run: a job a study, and a study that is none."""

from __future__ import annotations

import pytest
import yaml


@pytest.fixture
def run(finished_copy):
    return finished_copy


def test_each_study_is_exported_and_nothing_else_is_made(run):
    studies = yaml.safe_load((run.folder / "tiny.yaml").read_text())["studies"]
    assert run.jobs(target="export") == {"export": 1, "export_model": len(studies)}
    # The option after it ends the words of --config.
    one = run.jobs("--config", "study=zhao2024:tiny", "--nolock", target="export")
    assert one == {"export": 1, "export_model": 1}
    wrong = run.snakemake("--dry-run", "--config", "study=zhao2024:tny", "--nolock", "export")
    said = wrong.stdout + wrong.stderr
    assert wrong.returncode != 0 and "Traceback" not in said
    assert "study: no study of this run is called 'zhao2024:tny'. What to do: did you mean 'zhao2024:tiny'?" in said
