"""Fixtures. The tiny cohort is simulated, converted and modelled once for the whole session."""

from __future__ import annotations

import os

# As in a job of the workflow: one thread a library, before numpy and SimpleITK are loaded.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"):
    os.environ[_variable] = "1"

from pathlib import Path

import pytest
from workflow_runner import REPOSITORY, Workspace, copy_workflow

SHARED_DATA = REPOSITORY.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real test data beside the project; tests that need it are skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real test data is not beside the project (../shared/data)")
    return SHARED_DATA


@pytest.fixture(scope="session")
def tiny_inputs(tmp_path_factory) -> Path:
    """A copy of the workflow, and a cohort of 24 patients in two phases as DICOM with masks and sheets."""
    from tiny_cohort import build_tiny_cohort

    folder = tmp_path_factory.mktemp("tiny")
    copy_workflow(folder)
    build_tiny_cohort(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_run(tiny_inputs) -> Workspace:
    """The tiny cohort after a complete run with --cores 8. Tests work on copies of it."""
    workspace = Workspace(tiny_inputs)
    workspace.run("all", cores=8)
    return workspace


@pytest.fixture
def tiny_copy(tiny_run, tmp_path) -> Workspace:
    """A private copy of the finished run, with all time stamps kept."""
    return tiny_run.copy_to(tmp_path / "copy")


@pytest.fixture
def fresh_copy(tiny_inputs, tmp_path) -> Workspace:
    """A private copy of the inputs, without results. The real run is in a session fixture."""
    return Workspace(tiny_inputs).copy_to(tmp_path / "fresh", results=False)
