"""Snakemake, imported once and forked for each call: of a dry run in a small folder importing is a large part.

A call goes through the same `snakemake.cli.main`, with its own words, folder, environment and files for what it prints,
in a process of its own. Nothing of the workflow is imported before the fork, since tests edit their copies of it.
What users type, the command itself, is run by `conftest.tiny_run`, test_using_it.py and test_slurm.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

SNAKEMAKE = Path(sys.executable).with_name("snakemake")
# What a run of the workflow imports besides Snakemake, none of it ours.
LIBRARIES = (
    *("numpy", "pandas", "yaml", "fastjsonschema", "SimpleITK", "pydicom", "dpath", "docutils.core", "jinja2"),
    *("docutils.parsers.rst.roles", "docutils.writers.html4css1", "nbformat", "pygments.formatters", "pygments.lexers"),
    *("smart_open", "yte", "packaging.version", "platformdirs", "snakemake.report", "snakemake.assets"),
    *("snakemake.profiles", "snakemake_executor_plugin_slurm"),
)
RULES = Path(__file__).resolve().parents[1] / "workflow" / "rules"
# Where the path of a file of rules stands in what it is translated to.
PLACE = "/the/place/of/this/file"


class SnakemakeServer:
    """One process that waits for calls; it ends with the process that started it."""

    def __init__(self):
        # With a thread more, what is forked could wait for a lock that nobody holds.
        single = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        single.pop("PYTHONDONTWRITEBYTECODE", None)
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=single,
        )

    def call(
        self, words: list[str], folder: Path, environment: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess:
        """As subprocess.run([snakemake, *words]) with captured text; raises TimeoutExpired after `timeout` seconds."""
        with tempfile.TemporaryDirectory() as place:
            files = [str(Path(place, name)) for name in ("stdout", "stderr")]
            request = {"words": words, "folder": str(folder), "environment": dict(environment), "files": files}
            self._process.stdin.write(json.dumps({**request, "timeout": timeout}) + "\n")
            self._process.stdin.flush()
            status = json.loads(self._process.stdout.readline())
            if status is None:
                raise subprocess.TimeoutExpired(words, timeout)
            out, err = (Path(file).read_text() for file in files)
        return subprocess.CompletedProcess([str(SNAKEMAKE), *words], status, out, err)


def translate_rules_once() -> None:
    """Have Snakemake translate our files of rules to Python now: calls find those that their tests have not changed."""
    import io
    from types import SimpleNamespace

    from snakemake import workflow as snakemake_workflow

    translate, known = snakemake_workflow.parse, {}

    def opened(path):
        return io.StringIO(path.text)

    anyone = SimpleNamespace(sourcecache=SimpleNamespace(open=opened))
    for file in [*RULES.rglob("*.smk"), RULES.parents[1] / "Snakefile"]:
        text, lines = file.read_text(encoding="utf-8"), {}
        source = SimpleNamespace(text=text, get_path_or_uri=lambda secret_free: PLACE)
        code, rules = translate(source, anyone, lines)
        # Rules without a name are called by how many there were before.
        if translate(source, anyone, {}, rulecount=1)[0] == code:
            known[text] = code, rules, lines

    def parse(path, workflow, linemap, overwrite_shellcmd=None, rulecount=0):
        with workflow.sourcecache.open(path) as stream:
            text = stream.read()
        if text not in known or overwrite_shellcmd:
            return translate(path, workflow, linemap, overwrite_shellcmd, rulecount)
        code, rules, lines = known[text]
        linemap.update(lines)
        return code.replace(repr(PLACE), repr(path.get_path_or_uri(secret_free=True))), rulecount + rules

    snakemake_workflow.parse = parse


def run_in_child(request: dict) -> None:
    """Become `snakemake` in the folder and environment of a request; never returns."""
    import atexit
    import threading
    import traceback

    status = 1
    try:
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        for number, file in enumerate(request["files"], 1):
            os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        os.chdir(request["folder"])
        os.environ.clear()
        os.environ.update(request["environment"])
        sys.argv = [str(SNAKEMAKE), *request["words"]]
        from snakemake.cli import main
        from snakemake.workflow import Workflow

        # Taken when the module is imported.
        Workflow._rundir = str(Path.cwd())
        try:
            main()
            status = 0
        except SystemExit as end:
            if isinstance(end.code, str):
                print(end.code, file=sys.stderr)
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        threading._shutdown()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def wait(child: int, seconds: float, tests: int) -> int | None:
    """Exit status of a child as subprocess gives it; None, and the child killed, where it takes longer.

    Where the tests, a process, have been killed it is told to end, and this process ends with it.
    """
    import signal
    import time

    end = time.monotonic() + seconds
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if os.getppid() != tests:
            os.kill(child, signal.SIGTERM)
            os.waitpid(child, 0)
            sys.exit()
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return None
        time.sleep(0.01)


def serve(tests: int) -> None:
    """Answer requests of a process, a line each, until there are no more."""
    import gc
    import importlib

    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    # As where the command itself is started.
    sys.path[0] = str(SNAKEMAKE.parent)
    for name in ("snakemake.cli", "snakemake.workflow", "snakemake.dag", *LIBRARIES):
        importlib.import_module(name)
    translate_rules_once()
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            replies.detach()
            run_in_child(request)
        print(json.dumps(wait(child, request["timeout"], tests)), file=replies, flush=True)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
