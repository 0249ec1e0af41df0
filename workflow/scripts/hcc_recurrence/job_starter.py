"""Starts the scripts of jobs as copies of one process in which their libraries are imported already.

Most jobs of a run take less time than the import of what they need: pandas half a second, statsmodels or scikit-learn
one and a half. A process that has imported them forks in a hundredth of that. What a script needs is learned from the
script: it imports as ever, says what it imported, and the next job of that script finds it there. Everything else is as
in a process of its own: environment, arguments, search path, standard streams, exit status.

Linux only, one thread a job. Where it cannot work (`JobStarter.run` returns None), jobs start as Snakemake starts them.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import random
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

# The longest request: a job's environment.
LONGEST = 1 << 20
SET_PARENT_DEATH_SIGNAL = 1
INTERRUPTED = 128 + signal.SIGINT
# A copy of a process has one thread, and what another one held stays locked: no library may start a thread when it is
# imported. These do not, then. The last is of the memory allocator in Arrow, which gives memory back in a thread.
WITHOUT_THREADS = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"),
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}


@dataclass(frozen=True)
class Ended:
    """How a job ended: exit status as of `subprocess`, seconds, processor seconds, largest resident memory in MB.

    The memory counts the libraries that the job shares with others, as it would in a process of its own.
    """

    returncode: int
    seconds: float
    cpu_seconds: float
    max_rss_mb: float


class JobStarter:
    """The side of the run: starts the process when the first job comes, and hands it one script after another.

    Args: scripts: the folder in which the package lies.
    """

    def __init__(self, scripts: Path):
        self._scripts = scripts
        self._guard = threading.Lock()
        self._requests: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._works = sys.platform == "linux"

    def run(self, script: str, kind: str, environment: Mapping[str, str]) -> Ended | None:
        """Run a script to its end; safe to call from many threads.

        Args:
            script: file. kind: what jobs that import the same have in common, the name of their script.
            environment: of the job, whole.

        Returns: None where the script was not started, and has to be started otherwise.

        Raises: RuntimeError where the process that holds the libraries ended under the job.
        """
        answers, answer_here = os.pipe()
        with os.fdopen(answers, "rb") as stream:
            try:
                request = {"script": script, "kind": kind, "environment": dict(environment), "folder": str(Path.cwd())}
                if not self._send(json.dumps(request).encode(), answer_here):
                    return None
            finally:
                os.close(answer_here)
            answer = stream.read()
        if not answer:
            self._works = False
            raise RuntimeError(f"{kind}: the process that starts jobs was killed, perhaps for lack of memory")
        told = json.loads(answer)
        if "refused" in told:
            self._works = False
            return None
        return Ended(**told)

    def _send(self, request: bytes, answer_here: int) -> bool:
        with self._guard:
            if not self._works or len(request) > LONGEST:
                return False
            try:
                if self._requests is None:
                    self._start()
                assert self._requests is not None
                socket.send_fds(self._requests, [request], [answer_here])
            except OSError:
                self._works = False
        return self._works

    def _start(self) -> None:
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Not run as a file: names in its folder would hide modules of Python's own, such as `statistics`.
        program = (
            f"import sys; scripts = {str(self._scripts)!r}; "
            "sys.path[:] = [scripts, *(path for path in sys.path if path != scripts)]; "
            f"from hcc_recurrence.job_starter import serve; serve({there.fileno()})"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", program],
            pass_fds=[there.fileno()],
            stdin=subprocess.DEVNULL,
            env={**os.environ, **WITHOUT_THREADS},
        )
        there.close()
        self._requests = here

    def close(self) -> None:
        """End the process, and every job that still runs in it."""
        with self._guard:
            self._works = False
            if self._requests is not None:
                self._requests.close()
            if self._process is not None:
                self._process.wait()


# -- the side of the process that holds the libraries ------------------------------------------------------------------


@dataclass
class _Job:
    kind: str
    answer: int
    started: float
    # Where the job writes what it imported.
    imported: IO[str]


class _Libraries:
    """What jobs of each kind imported, and what of it is imported here: from the second job of a kind on.

    The first job of a kind may be the only one: nothing is imported here for it.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, list[str]] = {}

    def learn(self, job: _Job) -> None:
        job.imported.seek(0)
        with contextlib.suppress(ValueError):
            self._waiting.setdefault(job.kind, []).extend(json.load(job.imported))

    def bring(self, kind: str) -> None:
        for name in self._waiting.pop(kind, []):
            if name not in sys.modules:
                # What cannot be imported by itself, the job imports as it did before.
                with contextlib.suppress(Exception):
                    importlib.import_module(name)
        # Copies share memory until somebody writes to it, and Python's garbage collector would.
        gc.freeze()


def serve(requests_here: int) -> None:
    """Start a copy of this process for each request, until the run ends. Returns in copies, at their end.

    Args: requests_here: descriptor of a socket of `JobStarter`.
    """
    requests = socket.socket(fileno=requests_here)
    # The run and its jobs hear Ctrl-C as well. This process ends when the run does.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    wake, woken = socket.socketpair()
    wake.setblocking(False)
    woken.setblocking(False)
    signal.set_wakeup_fd(wake.fileno())
    running: dict[int, _Job] = {}
    libraries = _Libraries()
    search_path = [p for p in sys.path if p]
    with selectors.DefaultSelector() as selector:
        selector.register(requests, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is woken:
                    with contextlib.suppress(BlockingIOError):
                        woken.recv(4096)
                    _answer_ended(running, libraries)
                    continue
                message, descriptors, *_ = socket.recv_fds(requests, LONGEST, 1)
                if not message:
                    _kill(running)
                    return
                request = json.loads(message)
                libraries.bring(request["kind"])
                if _thread_count() > 1:
                    _tell(descriptors[0], {"refused": "a library has started a thread"})
                    continue
                job = _Job(request["kind"], descriptors[0], time.monotonic(), tempfile.TemporaryFile("w+"))  # noqa: SIM115
                pid = os.fork()
                if pid == 0:
                    break
                running[pid] = job
            else:
                continue
            break
    # A copy from here on.
    signal.set_wakeup_fd(-1)
    for end in (requests, wake, woken):
        end.close()
    for other in [job, *running.values()]:
        os.close(other.answer)
    for other in running.values():
        other.imported.close()
    _run_job(request, search_path, job.imported)


def _thread_count() -> int:
    return len(os.listdir("/proc/self/task"))


def _tell(answer: int, told: Mapping[str, Any]) -> None:
    # The run may have ended meanwhile.
    with contextlib.suppress(OSError):
        os.write(answer, json.dumps(told).encode())
    os.close(answer)


def _ended() -> Iterator[tuple[int, int, Any]]:
    """Process number, status and use of every copy that has ended."""
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status, use = os.wait4(-1, os.WNOHANG)
            if not pid:
                return
            yield pid, status, use


def _answer_ended(running: dict[int, _Job], libraries: _Libraries) -> None:
    for pid, status, use in _ended():
        job = running.pop(pid)
        code = os.waitstatus_to_exitcode(status)
        ended = Ended(code, time.monotonic() - job.started, use.ru_utime + use.ru_stime, use.ru_maxrss / 1024)
        if code == 0:
            libraries.learn(job)
        job.imported.close()
        _tell(job.answer, vars(ended))


def _kill(running: Mapping[int, _Job]) -> None:
    """No job outlives its run: the next one could find it writing."""
    for pid in running:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for pid in running:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


def _run_job(request: Mapping[str, Any], search_path: list[str], imported: IO[str]) -> NoReturn:
    """The script as the main program of this copy, to its end."""
    _die_with_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    tempfile.tempdir = None
    # Or all copies would draw the same "random" numbers.
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    script = request["script"]
    sys.argv = [script]
    sys.path[:] = [str(Path(script).resolve().parent), *search_path]
    main = types.ModuleType("__main__")
    main.__file__ = script
    sys.modules["__main__"] = main
    before = set(sys.modules)
    try:
        exec(compile(Path(script).read_bytes(), script, "exec"), vars(main))
        code = 0
    except SystemExit as end:
        code = _status(end)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:
        # Without the lines of this file.
        inner = error.__traceback__.tb_next if error.__traceback__ else None
        traceback.print_exception(type(error), error, inner)
        del inner
        code = 1
    json.dump([name for name in sys.modules if name not in before and _is_library(name)], imported)
    imported.flush()
    _leave(code, main)


def _status(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    print(end.code, file=sys.stderr)
    return 1


def _leave(code: int, main: types.ModuleType) -> NoReturn:
    """What Python does at its end, but for taking down every library, which took 0.3 s of a core.

    Threads are waited for, functions that were registered for the end are called, and files that the script left open
    are written out, for nothing refers to them any more.
    """
    with contextlib.suppress(AttributeError):
        # Not public; it also ends the pools of `concurrent.futures`.
        threading._shutdown()
    # Only what this job made: what was there before is frozen.
    gc.collect()
    with contextlib.suppress(Exception):
        atexit._run_exitfuncs()
    vars(main).clear()
    for stream in (sys.stdout, sys.stderr):
        # The run may have closed its end.
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _is_library(name: str) -> bool:
    spec = getattr(sys.modules[name], "__spec__", None)
    return spec is not None and spec.name == name and bool(spec.origin)


def _die_with_parent() -> None:
    """Where the process that holds the libraries is killed, its copies are too: nobody would wait for them."""
    import ctypes

    parent = os.getppid()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)
