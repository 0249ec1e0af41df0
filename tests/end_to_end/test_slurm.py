"""The workflow on a real SLURM of two nodes: end to end, and what clusters do to jobs.

Everything is compared with what an undisturbed local run left, byte by byte.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml
from slurm_cluster import FOLDER, NODES, USUAL_PLACE, SlurmCluster, left_daemons, why_not
from workflow_runner import REPOSITORY, Workspace

pytestmark = [pytest.mark.slurm, pytest.mark.skipif(bool(why_not()), reason=f"no SLURM: {why_not()}")]

# The executor looks ever less often, 10 s later each time, whatever is set: much of these tests would be waiting.
PROGRAM = """
import sys
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
RemoteExecutor.next_seconds_between_status_checks = property(lambda executor: 2, lambda executor, seconds: None)
from snakemake import cli
cli.main(sys.argv[1:])
"""
# Of the test cluster: two cores are all there is, and nobody waits for a poll. All else is the profile's.
OPTIONS = (
    *("--profile", "profiles/slurm", "--configfile", "tiny.yaml", "--cores", "2", "--jobs", "4"),
    *("--slurm-init-seconds-before-status-checks", "1", "--max-status-checks-per-second", "2"),
)
NETWORK = "results/tiny/zhao2024/networks/ResNet-10/strict.1.1"
TARGET, STATE = f"{NETWORK}.scores.csv", "results/tiny/zhao2024/networks/ResNet-10/state/strict.1.1.pt"
LOG = "logs/tiny/zhao2024/train_network/ResNet-10.strict.1.1.log"
# Some six seconds where nothing else runs: long enough to be met in the middle, a second after the first is kept.
EPOCHS = 150
# A cluster of tests that are then killed.
ABANDONED = """
import sys, time
from pathlib import Path
from slurm_cluster import SlurmCluster
with SlurmCluster(Path(sys.argv[1])):
    print("idle", flush=True)
    time.sleep(600)
"""


def test_a_cluster_that_killed_tests_have_left_is_in_nobodys_way(tmp_path):
    """Its daemons run on, and pytest may have removed its folder with the files of their ids."""
    left = tmp_path / f"{FOLDER}_left"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "tests")}
    with subprocess.Popen(
        [sys.executable, "-c", ABANDONED, str(left)], env=environment, stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdout.readline() == "idle\n"
        killed.kill()
    abandoned = left_daemons(left)
    assert {daemon.name() for daemon in abandoned} >= {"slurmctld", "slurmd", "munged"}
    shutil.rmtree(left)
    with SlurmCluster(tmp_path / f"{FOLDER}_next") as running:
        assert running.idle() == set(NODES)
        assert not any(daemon.is_running() for daemon in abandoned)
    assert not left_daemons(running.folder) and not USUAL_PLACE.is_symlink()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    # A socket's path may have 107 characters.
    with SlurmCluster(tmp_path_factory.mktemp(FOLDER)) as running:
        yield running


@pytest.fixture(scope="module")
def undisturbed(tiny_run, tmp_path_factory) -> Workspace:
    """The finished run, in which one network was then trained for more epochs, here and without a pause."""
    workspace = tiny_run.copy_to(tmp_path_factory.mktemp("slow") / "local")
    config = yaml.safe_load((workspace.folder / "tiny.yaml").read_text())
    config["overrides"]["zhao2024"].update(epochs=EPOCHS, patience=EPOCHS)
    # Of one study alone, which every job on the cluster works out again.
    workspace.config(overrides=config["overrides"], studies=config["studies"][:1])
    workspace.run(TARGET, cores=1)
    return workspace


@pytest.fixture
def disturbed(undisturbed, tmp_path) -> Workspace:
    """A copy of that run in which the network is yet to be trained."""
    workspace = undisturbed.copy_to(tmp_path / "disturbed")
    for suffix in ("pt", "scores.csv", "history.csv"):
        (workspace.folder / f"{NETWORK}.{suffix}").unlink()
    return workspace


class Run:
    """Snakemake for the cluster, in a workspace, until it is done or killed."""

    def __init__(self, workspace: Workspace, cluster: SlurmCluster, *arguments: str):
        self.cluster, self.output = cluster, workspace.folder / "run.txt"
        self.logs = workspace.folder / ".snakemake/log"
        self.known = {job["id"] for job in cluster.jobs()}
        self.old_logs = set(self.logs.glob("*"))
        with open(self.output, "w") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, *OPTIONS, *arguments],
                cwd=workspace.folder,
                env=cluster.environment,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self) -> str:
        """What it has printed, and what Snakemake wrote into its own log file."""
        logs = sorted(set(self.logs.glob("*")) - self.old_logs)
        return "".join(file.read_text() for file in [self.output, *logs])

    def end(self, seconds: float = 900) -> str:
        """What a run that must succeed has said."""
        code = self.process.wait(timeout=seconds)
        text = self.said()
        assert code == 0, text[-8000:]
        return text

    def jobs(self) -> list[dict[str, str]]:
        """The jobs that this run has submitted."""
        return [job for job in self.cluster.jobs() if job["id"] not in self.known]


def wait_for(condition, seconds: float, run: Run) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end and run.process.poll() is None, run.output.read_text()[-4000:]
        time.sleep(0.05)


def tables(workspace: Workspace) -> dict[str, bytes]:
    results = workspace.folder / "results"
    # What a run did cost differs between two equal runs.
    files = [f for f in results.rglob("*.csv") if "state" not in f.parts and f != results / "costs.csv"]
    return {str(f.relative_to(results)): f.read_bytes() for f in files}


def weights(workspace: Workspace) -> dict[str, torch.Tensor]:
    return torch.load(workspace.folder / f"{NETWORK}.pt", weights_only=True)["weights"]


def check_as_undisturbed(workspace: Workspace, undisturbed: Workspace, resumed: bool = True) -> None:
    """All tables and the weights are those of the local run; a training that was kept went on from there."""
    assert tables(workspace) == tables(undisturbed)
    own, other = weights(workspace), weights(undisturbed)
    assert own.keys() == other.keys() and all(torch.equal(own[name], other[name]) for name in own)
    log = (workspace.folder / LOG).read_text()
    assert f"epoch {EPOCHS} of {EPOCHS}" in log
    assert ("going on after epoch" in log and "epoch 1 of" not in log) == resumed, log
    assert not (workspace.folder / STATE).exists()


def submitted(text: str) -> int:
    return len(re.findall("has been submitted with SLURM jobid", text))


def same_rows(own: bytes, other: bytes, models: set[str]) -> bool:
    """Whether two tables say the same of these models, byte by byte; their other rows do not count."""

    def rows(table: bytes) -> list[list[str]]:
        first, *others = csv.reader(table.decode().splitlines())
        place = first.index("model")
        return [first, *(row for row in others if row[place] in models)]

    return rows(own) == rows(other) and len(rows(own)) > len(models)


def test_a_paper_end_to_end_through_the_profile(cluster, tiny_run, tiny_copy_alone):
    """From DICOM to the last figure: the tables of a local run, in as many jobs as the dry run says.

    Three patients from their DICOM files on, and everything that is made of all patients together. Without networks,
    which take a job each: those of the tests below are trained through the profile, too.
    """
    tiny_copy_alone.take_away("T001", "T002", "T018")
    config = yaml.safe_load((tiny_copy_alone.folder / "tiny.yaml").read_text())
    tiny_copy_alone.config(studies=[{**config["studies"][0], "networks": False}])
    study = "tiny/zhao2024"
    # The last tables and figures of the method; others come from rules of the same group, a job of the same submission.
    targets = [
        *(
            f"results/{study}/tables/{name}.html"
            for name in ("metrics", "survival", "baseline", "reproducibility", "selection")
        ),
        *(f"results/{study}/figures/{name}.png" for name in ("roc.strict", "coefficients.RCR.strict", "flow_chart")),
    ]
    plan = tiny_copy_alone.snakemake(*OPTIONS[:2], *OPTIONS[4:], "--dry-run", "--", *targets)
    said = re.search(r"Submissions to the cluster: (\d+), and (\d+) jobs", plan.stderr)
    run = Run(tiny_copy_alone, cluster, "--", *targets)
    text = run.end(1800)
    assert submitted(text) == int(said[1]) + int(said[2]) == len(run.jobs())
    assert 3 < int(said[1]) < 15
    own, other = tables(tiny_copy_alone), tables(tiny_run)
    assert {name.split("/")[1] for name in own} >= {"labels.csv", "splits", "zhao2024"} and len(own) > 40
    # What is said of all models of a study, and of its figures, is another where it has no networks.
    same = {name for name in own if own[name] == other.get(name)}
    assert same >= {name for name in own if not name.startswith(study)}
    assert same >= {f"{study}/tables/{name}.csv" for name in ("selection", "coefficients", "reproducibility")}
    models = {"CR", "RCR", "Radiomics", *(f"Radiomics {c}" for c in ("LR", "SVM", "KNN", "XGB", "MLP"))}
    for name in ("predictions", "tables/metrics", "tables/survival"):
        assert same_rows(own[f"{study}/{name}.csv"], other[f"{study}/{name}.csv"], models), name
    for phase in ("arterial", "portal"):
        table = f"results/tiny/radiomics/zhao2024_demo/{phase}.parquet"
        assert (tiny_copy_alone.folder / table).read_bytes() == (tiny_run.folder / table).read_bytes()
    again = Run(tiny_copy_alone, cluster, "--", *targets).end()
    assert "Nothing to be done" in again


def test_a_cancelled_job_goes_on_and_without_retries_left_a_plain_rerun_completes_it(cluster, disturbed, undisturbed):
    """Cancelled twice, of which one is made good; then a plain run completes it."""
    run, log = Run(disturbed, cluster, "--retries", "1", "--", TARGET), disturbed.folder / LOG
    wait_for((disturbed.folder / STATE).is_file, 300, run)
    (first,) = run.jobs()
    cluster.call("scancel", first["id"])
    # Snakemake takes the log of the first attempt away.
    wait_for(lambda: log.is_file() and "going on after epoch" in log.read_text(), 300, run)
    (second,) = (job for job in run.jobs() if job["id"] != first["id"])
    cluster.call("scancel", second["id"])
    assert run.process.wait(timeout=120) != 0
    text = run.said()
    assert "SLURM status is: 'CANCELLED'" in text and submitted(text) == 2
    Run(disturbed, cluster, "--", TARGET).end()
    check_as_undisturbed(disturbed, undisturbed)


def test_a_job_killed_for_memory_gets_more(cluster, disturbed, undisturbed):
    """300 MB are too few to import torch and train; 300 x 4 at the second attempt are enough."""
    more = "train_network:mem_mb=300*4**(attempt-1)"
    run = Run(disturbed, cluster, "--set-resources", more, "--", TARGET)
    text = run.end()
    first, second = sorted(run.jobs(), key=lambda job: int(job["id"]))
    assert first["state"] in ("OUT_OF_MEMORY", "FAILED") and second["state"] == "COMPLETED"
    assert re.search(rf"StepId={first['id']}\.0 exceeded memory limit", cluster.logs())
    assert submitted(text) == 2
    check_as_undisturbed(disturbed, undisturbed, resumed=False)


def test_a_lost_node_costs_the_epoch_it_was_in(cluster, disturbed, undisturbed):
    run = Run(disturbed, cluster, "--", TARGET)
    wait_for((disturbed.folder / STATE).is_file, 300, run)
    (job,) = run.jobs()
    node = cluster.call("squeue", "-h", "-j", job["id"], "-o", "%N").strip()
    cluster.lose_node(node)
    cluster.call("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")
    try:
        # SLURM waits two minutes before it starts a job again.
        cluster.call("scontrol", "update", f"JobId={job['id']}", "StartTime=now")
        text = run.end()
    finally:
        cluster.start_node(node)
    check_as_undisturbed(disturbed, undisturbed)
    assert submitted(text) == 1, "SLURM itself starts the job again"
    cluster.wait_for(lambda: node in cluster.idle(), 60, f"{node} back")


def test_snakemake_killed_and_started_again(cluster, disturbed, undisturbed):
    """Its job stays on the cluster; the next run ends it, so that no two write one file."""
    run = Run(disturbed, cluster, "--", TARGET)
    wait_for((disturbed.folder / STATE).is_file, 300, run)
    (left,) = run.jobs()
    # Held, so that it is not done before the two runs that follow have been planned.
    cluster.hold(left["id"])
    os.killpg(run.process.pid, signal.SIGKILL)
    run.process.wait()
    assert next(job["state"] for job in cluster.jobs() if job["id"] == left["id"]) == "RUNNING"
    refused = subprocess.run(
        [sys.executable, "-c", PROGRAM, *OPTIONS, "--", TARGET],
        cwd=disturbed.folder,
        env=cluster.environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert refused.returncode != 0 and "--unlock" in refused.stdout + refused.stderr
    disturbed.snakemake("--unlock")
    text = Run(disturbed, cluster, "--", TARGET).end()
    assert f"Cancelled jobs that an interrupted run had left on the cluster: {left['id']}" in text
    assert next(job["state"] for job in cluster.jobs() if job["id"] == left["id"]) == "CANCELLED"
    check_as_undisturbed(disturbed, undisturbed)


def test_a_full_disk_in_the_middle_of_a_training(cluster, disturbed, undisturbed):
    """The folder of the states has a disk of its own, which is full after some epochs; then there is room again."""
    folder = (disturbed.folder / STATE).parent
    folder.mkdir(exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        run = Run(disturbed, cluster, "--retries", "1", "--", TARGET)
        wait_for((disturbed.folder / STATE).is_file, 300, run)
        fill_up(folder)
        assert run.process.wait(timeout=300) != 0
        text, log = run.said(), (disturbed.folder / LOG).read_text()
        assert "No space left on device" in log and "make room on the disk" in log
        # An error that would come again is tried no second time: the other attempt ends at once.
        assert "none is made" in text
        assert (disturbed.folder / STATE).is_file() and not list(folder.glob("*.half"))
        (folder / "filler").unlink()
        Run(disturbed, cluster, "--", TARGET).end()
        check_as_undisturbed(disturbed, undisturbed)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def fill_up(folder: Path) -> None:
    with open(folder / "filler", "wb", buffering=0) as stream:
        block = b"x" * 65536
        try:
            while True:
                stream.write(block)
        except OSError:
            pass


def test_an_error_of_the_job_itself_is_not_repeated(cluster, disturbed):
    """A table that cannot be read: two submissions, of which the second ends at once."""
    split = disturbed.folder / "results/tiny/splits/tiny.csv"
    split.write_text(split.read_text().replace("patient_id", "patient", 1))
    # An edited table would be made again.
    run = Run(disturbed, cluster, "--rerun-triggers", "mtime", "--retries", "1", "--", TARGET)
    assert run.process.wait(timeout=300) != 0
    text = run.said()
    assert submitted(text) == 2
    log = (disturbed.folder / LOG).read_text()
    assert log.count("Traceback") == 1 and "none is made" in log
