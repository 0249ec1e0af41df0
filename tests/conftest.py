"""Fixtures. The tiny cohort is simulated, converted and modelled once for all processes of a session."""

from __future__ import annotations

import os

# As in a job of the workflow: one thread a library, before numpy and SimpleITK are loaded.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"):
    os.environ[_variable] = "1"

from hcc_recurrence.numerics import kernels

# And with the kernels that jobs have: else a process that a test starts would differ from the test's own in last bits.
os.environ.update(kernels("portable"))

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings
from workflow_runner import REPOSITORY, RestoredCopy, Workspace, copy_workflow

# Several tests at a time take as long as they take. How many examples a property is tried on where its test does not
# say: `--hypothesis-profile deep` tries more. CI tries the same ones each time.
UNHURRIED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow], "derandomize": "CI" in os.environ}
settings.register_profile("suite", max_examples=40, **UNHURRIED)
settings.register_profile("deep", max_examples=400, **UNHURRIED)
settings.load_profile("suite")

# What takes minutes starts first, and what waits beside what works: the shared run, a cohort with a run of its own, the
# cluster, whose jobs are mostly waited for. Then all else that runs Snakemake; tests of a second are left for the end.
LONG_FIRST = (
    *("test_tiny_run.py", "test_automatic_masks.py", "test_slurm.py", "test_cui2022_run.py", "test_discover.py"),
    "test_apply_run.py",
    *("test_public_collections.py", "test_real_ct.py", "test_report_in_browser.py", "test_invalidation.py"),
    *("test_results_elsewhere.py", "test_bad_input.py", "test_submissions.py", "test_leftovers.py"),
    *("test_needless_reruns.py", "test_using_it.py", "test_against_references.py"),
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order files by how long they take: pytest-xdist hands out the files of the first tests first."""
    items.sort(key=lambda item: LONG_FIRST.index(item.path.name) if item.path.name in LONG_FIRST else len(LONG_FIRST))


SHARED_DATA = REPOSITORY.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real test data beside the project; tests that need it are skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real test data is not beside the project (../shared/data)")
    return SHARED_DATA


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory) -> Path:
    """One folder for all processes of a session; each of pytest-xdist's has a folder of its own in it."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def once(mark: Path, make: Callable[[], None]) -> None:
    """Call `make` in the first process that asks; the others wait until it is done, and try it where it failed."""
    with FileLock(mark.with_suffix(".lock")):
        if not mark.exists():
            make()
            mark.touch()


@pytest.fixture(scope="session")
def tiny_inputs(session_folder) -> Path:
    """A copy of the workflow, and a cohort of 24 patients in two phases as DICOM with masks and sheets."""
    from tiny_cohort import build_tiny_cohort

    folder = session_folder / "tiny"

    def build() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        copy_workflow(folder)
        build_tiny_cohort(folder)
        # Every DICOM file is read here: copies know what was found.
        assert Workspace(folder).jobs()["convert_patient"] == 24

    once(session_folder / "tiny_inputs.made", build)
    return folder


@pytest.fixture(scope="session")
def tiny_run(session_folder, tiny_inputs) -> Workspace:
    """The tiny cohort after a complete run on all cores, two at least. Tests work on copies of it."""
    workspace = Workspace(tiny_inputs)
    cores = max(2, os.cpu_count() or 2)
    once(session_folder / "tiny_run.made", lambda: workspace.run("all", cores=cores, typed=True))
    return workspace


@pytest.fixture(scope="session")
def restored(tmp_path_factory) -> Callable[..., Workspace]:
    """One copy of each original for all tests of this process, put right for each of them."""
    copies: dict[Path, RestoredCopy] = {}

    def as_new(original: Path, name: str, results: bool = True) -> Workspace:
        key = original / name
        if key not in copies:
            copies[key] = RestoredCopy(Workspace(original), tmp_path_factory.mktemp(name) / "run", results)
        return copies[key].restored()

    return as_new


@pytest.fixture
def tiny_copy(tiny_run, restored) -> Workspace:
    """A private copy of the finished run, with all time stamps kept."""
    return restored(tiny_run.folder, "copy")


@pytest.fixture
def tiny_copy_alone(tiny_run, tmp_path) -> Workspace:
    """The same for a test that kills what writes to it, in a folder that no other test has."""
    return tiny_run.copy_to(tmp_path / "copy")


@pytest.fixture
def fresh_copy(tiny_inputs, restored) -> Workspace:
    """A private copy of the inputs, without results. The real run is in a session fixture."""
    return restored(tiny_inputs, "fresh", results=False)


@pytest.fixture
def finished_copy(finished_run, restored) -> Workspace:
    """A private copy of the pretended run, with its times, as `cp -a` makes."""
    return restored(finished_run.folder, "finished")


@pytest.fixture(scope="session")
def finished_run(session_folder, tiny_inputs) -> Workspace:
    """A run of one method without networks, pretended in seconds: its outputs say their names. Tests copy it."""
    from finished_cohort import finish

    folder = session_folder / "finished"

    def build() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        finish(Workspace(tiny_inputs).copy_to(folder, results=False))

    once(session_folder / "finished_run.made", build)
    return Workspace(folder)
