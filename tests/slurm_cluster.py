"""A real SLURM of two nodes on this machine's loopback, from Debian's packages slurm-wlm and munge. Needs root."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psutil
from filelock import FileLock

PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch")
# Where SLURM looks when SLURM_CONF is not set: the job step of the executor drops it from its nested srun.
USUAL_PLACE = Path("/etc/slurm/slurm.conf")
NODES = ("n1", "n2")
DAEMONS = ("slurmctld", "slurmd", "slurmstepd", "munged")
# How the name of a cluster's folder begins: its daemons are known by it.
FOLDER = "hcc_slurm"
# Held while a cluster runs; the system lets it go with the process.
TURN = Path(tempfile.gettempdir()) / "hcc_slurm.lock"
CONFIG = """\
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=2
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=batch_sched_delay=0,sched_interval=2,sched_min_interval=0,bf_interval=2,defer_batch=0
MinJobAge=3600
KillWait=3
ReturnToService=2
SlurmdTimeout=20
SlurmdParameters=config_overrides
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=8 RealMemory=12000
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=8 RealMemory=12000
PartitionName=main Nodes=ALL Default=YES DefaultTime=10 MaxTime=UNLIMITED DefMemPerCPU=200 State=UP
"""


def why_not() -> str:
    """Why a cluster cannot be started here; empty where it can."""
    lacking = [program for program in PROGRAMS if not shutil.which(program)]
    if lacking:
        return f"{', '.join(lacking)} not installed (Debian: slurm-wlm munge)"
    if os.geteuid() != 0:
        return "a SLURM of one's own needs root"
    if USUAL_PLACE.exists() and not _is_ours(USUAL_PLACE):
        return f"{USUAL_PLACE} is there: this machine has a SLURM of its own"
    return ""


def _is_ours(conf: Path) -> bool:
    """Whether a configuration is that of a cluster of tests, perhaps of tests that were killed."""
    return conf.is_symlink() and (not conf.exists() or "ClusterName=tests\n" in conf.read_text())


def free_ports(number: int) -> list[int]:
    """Ports of the loopback that nobody listens on now, all different."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def left_daemons(folder: Path | None = None) -> list[psutil.Process]:
    """Daemons of the test cluster in `folder`; without one, of all whose folder is gone or whose tests have ended.

    Tests that are killed leave theirs, and the folder with the files of their ids may have been removed since.
    """
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name() not in DAEMONS:
                continue
            own = _folder_of(process)
            if own is not None and (own == folder if folder else not _is_alive(own)):
                found.append(process)
    return found


def _folder_of(daemon: psutil.Process) -> Path | None:
    """The folder of the test cluster that a daemon belongs to; None for one of another SLURM."""
    keys = [word.partition("=")[2] for word in daemon.cmdline() if word.startswith("--key-file=")]
    place = keys[0] if daemon.name() == "munged" and keys else daemon.environ().get("SLURM_CONF", "")
    folder = Path(place).parent
    return folder if folder.name.startswith(FOLDER) else None


def _is_alive(folder: Path) -> bool:
    """Whether the process that started a cluster, which it names in a file, still runs."""
    try:
        number, started = (folder / "owner").read_text().split()
        return psutil.Process(int(number)).create_time() == float(started)
    except (OSError, ValueError, psutil.Error):
        return False


def end(processes: list[psutil.Process]) -> None:
    """Ask them to end, and kill those that have not after five seconds."""
    for ask in (psutil.Process.terminate, psutil.Process.kill):
        for process in processes:
            with contextlib.suppress(psutil.Error):
                ask(process)
        processes = psutil.wait_procs(processes, timeout=5)[1]


class SlurmCluster:
    """Start with `with`; every daemon and the link are gone afterwards, also after an interrupt.

    Its ports are free ones. The link is one for the machine, so that clusters of two sessions take turns.
    """

    def __init__(self, folder: Path):
        assert folder.name.startswith(FOLDER), "its daemons could not be told from those of another SLURM"
        self.folder = folder
        self.conf = folder / "slurm.conf"
        self._turn = FileLock(TURN)

    def __enter__(self) -> SlurmCluster:
        self._turn.acquire()
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        try:
            self._stop()
        finally:
            self._turn.release()

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to find the cluster."""
        return {**os.environ, "SLURM_CONF": str(self.conf)}

    def call(self, *command: str) -> str:
        """What a command of SLURM prints; raises CalledProcessError where it fails."""
        done = subprocess.run(command, env=self.environment, check=True, capture_output=True, text=True, timeout=60)
        return done.stdout

    def jobs(self, *options: str) -> list[dict[str, str]]:
        """Jobs of the last hour: id, state and comment (rule and wildcards)."""
        lines = self.call("squeue", "--all", "-h", "-t", "all", "-o", "%i|%T|%k|%r", *options).splitlines()
        return [dict(zip(("id", "state", "comment", "reason"), line.split("|"), strict=True)) for line in lines]

    def logs(self) -> str:
        """What the daemons of the nodes have written."""
        return "".join(file.read_text() for file in self.folder.glob("slurmd.*.log"))

    def wait_for(self, condition, seconds: float, what: str) -> None:
        """Until `condition()` holds; raises TimeoutError."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"{what}: not within {seconds} s\n{self.call('squeue', '-t', 'all')}")
            time.sleep(0.5)

    def lose_node(self, node: str) -> None:
        """A node without power: its daemon, the daemons of its jobs and everything that runs there are killed."""
        daemon = int((self.folder / f"slurmd.{node}.pid").read_text())
        running = self.call("squeue", "-h", "-w", node, "-o", "%A").split()
        os.kill(daemon, signal.SIGKILL)
        daemons, below = self._processes_of(running)
        # The daemons first: one that sees its job die would report it, which a node without power does not.
        for one in [*daemons, *below]:
            with contextlib.suppress(psutil.Error):
                one.kill()

    def hold(self, job: str) -> None:
        """Stop the programs of a job where they are; for SLURM it goes on running, and it can be cancelled."""
        for one in self._processes_of([job])[1]:
            with contextlib.suppress(psutil.Error):
                if one.name().startswith("python") and not one.children():
                    one.suspend()

    @staticmethod
    def _processes_of(jobs: list[str]) -> tuple[list[psutil.Process], list[psutil.Process]]:
        """The daemons of the jobs' steps, and everything that runs below them."""
        daemons, below = [], []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if any(" ".join(process.cmdline()).startswith(f"slurmstepd: [{job}.") for job in jobs):
                    daemons.append(process)
                    below += process.children(recursive=True)
        return daemons, below

    def start_node(self, node: str) -> None:
        """The node's daemon, anew."""
        subprocess.run(["slurmd", "-N", node], env=self.environment, check=True, timeout=60)

    def _start(self) -> None:
        # Of tests that were killed; whoever runs now has the turn.
        end(left_daemons())
        if _is_ours(USUAL_PLACE):
            USUAL_PLACE.unlink()
        for name in ("state", *NODES):
            (self.folder / name).mkdir(parents=True)
        own = psutil.Process()
        (self.folder / "owner").write_text(f"{own.pid} {own.create_time()!r}")
        host = socket.gethostname().split(".")[0]
        self.conf.write_text(CONFIG.format(host=host, folder=self.folder, ports=free_ports(1 + len(NODES))))
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        munge = {"key-file": key, "socket": "munge.socket", "pid-file": "munge.pid", "log-file": "munge.log"}
        options = [f"--{name}={self.folder / file}" for name, file in {**munge, "seed-file": "munge.seed"}.items()]
        subprocess.run(["munged", "--force", *options], check=True, timeout=60)
        USUAL_PLACE.parent.mkdir(parents=True, exist_ok=True)
        USUAL_PLACE.symlink_to(self.conf)
        subprocess.run(["slurmctld", "-c"], env=self.environment, check=True, timeout=60)
        for node in NODES:
            self.start_node(node)
        self.wait_for(lambda: self.idle() == set(NODES), 60, "idle nodes")

    def idle(self) -> set[str]:
        """The nodes that are up and without a job."""
        done = subprocess.run(
            ["sinfo", "-h", "-N", "-o", "%N %T"], env=self.environment, capture_output=True, text=True, timeout=60
        )
        return {line.split()[0] for line in done.stdout.splitlines() if line.split()[1:] == ["idle"]}

    def _stop(self) -> None:
        if self.conf.exists():
            subprocess.run(
                ["scancel", "-u", "root"], env=self.environment, capture_output=True, timeout=60, check=False
            )
            time.sleep(1)
        end(left_daemons(self.folder))
        if USUAL_PLACE.is_symlink() and os.readlink(USUAL_PLACE) == str(self.conf):
            USUAL_PLACE.unlink()
