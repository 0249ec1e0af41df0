"""The papers' pages name files that a run makes: a dry run of the demo knows all of them."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from paper_tables import lacking, pages, read_rows
from workflow_runner import REPOSITORY, SNAKEMAKE

# Of what a config asks for: the demo asks for every kind once.
OUTPUT = re.compile(r"^\s+output: (.*)$", re.MULTILINE)


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """Paths below `results/` that the demo of all five papers would make."""
    folder = tmp_path_factory.mktemp("demo")
    shutil.copytree(REPOSITORY / "config", folder / "config")
    command = [str(SNAKEMAKE), "--snakefile", str(REPOSITORY / "Snakefile"), "--dry-run", "all"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    made = {path.strip() for line in OUTPUT.findall(done.stdout) for path in line.split(", ")}
    assert len(made) > 3000
    return {path.removeprefix("results/") for path in made}


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_every_named_file_is_made_by_the_demo(planned, page):
    absent = [f"{row.item}: {name}" for row, name in lacking(read_rows(page), planned)]
    assert not absent


def test_a_file_that_nothing_makes_is_found(planned):
    rows = read_rows(pages()[0])
    assert lacking(rows, planned - {path for path in planned if path.endswith("tables/metrics.html")})
