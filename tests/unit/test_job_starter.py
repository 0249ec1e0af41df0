"""Scripts started as copies of one process behave as scripts of a process of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from workflow_runner import REPOSITORY

from hcc_recurrence.job_starter import WITHOUT_THREADS, Ended, JobStarter
from hcc_recurrence.snakemake_inside import start_scripts_from_one_process

SCRIPTS = REPOSITORY / "workflow" / "scripts"
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="copies of a process are made on Linux only")

TELL = """
import json, os, sys
before = "colorsys" in sys.modules
import colorsys, random, tempfile
import numpy
json.dump({
    "imported_before": before, "argv": sys.argv, "path": sys.path, "name": __name__, "file": __file__,
    "variable": os.environ.get("OF_THE_JOB"), "home": os.environ.get("HOME"), "folder": os.getcwd(),
    "temporary": tempfile.gettempdir(), "drawn": [random.random(), numpy.random.random()], "pid": os.getpid(),
    "main": sys.modules["__main__"].__file__, "statistics": __import__("statistics").__file__,
}, open(sys.argv[0] + ".json", "w"))
"""

LATE = """
import threading, time
def late():
    time.sleep(0.3)
    print("waited for")
threading.Thread(target=late).start()
"""


@pytest.fixture
def starter():
    starter = JobStarter(SCRIPTS)
    yield starter
    starter.close()


def started(starter: JobStarter, folder: Path, text: str, name: str = "script.py", **environment: str) -> Ended:
    script = folder / name
    script.write_text(text)
    ended = starter.run(str(script), "kind", {**os.environ, **environment})
    assert ended is not None
    return ended


def told(folder: Path, name: str = "script.py") -> dict:
    return json.loads((folder / f"{name}.json").read_text())


def test_a_script_finds_what_it_would_find_in_a_process_of_its_own(starter, tmp_path):
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "script.py").write_text(TELL)
    # As in a run (`prepare_process`).
    environment = {**os.environ, "OF_THE_JOB": "one", "TMPDIR": str(tmp_path), "PYTHONPATH": str(SCRIPTS)}
    subprocess.run([sys.executable, str(plain / "script.py")], check=True, env=environment)
    assert started(starter, tmp_path, TELL, OF_THE_JOB="one", TMPDIR=str(tmp_path)).returncode == 0
    own, theirs = told(tmp_path), told(plain)
    for key in ("variable", "home", "folder", "temporary", "name", "statistics"):
        assert own[key] == theirs[key], key
    assert own["file"] == own["main"] == own["argv"][0] == str(tmp_path / "script.py") and len(own["argv"]) == 1
    assert own["path"] == [str(tmp_path), *theirs["path"][1:]]
    # A variable of one job is not the next one's.
    assert started(starter, tmp_path, TELL).returncode == 0 and told(tmp_path)["variable"] is None


def test_the_second_job_of_a_kind_finds_the_libraries_of_the_first(starter, tmp_path):
    found = []
    for _ in range(3):
        started(starter, tmp_path, TELL)
        found.append(told(tmp_path))
    assert [one["imported_before"] for one in found] == [False, True, True]
    # And nothing else of it: each is a process with draws of its own.
    assert len({one["pid"] for one in found}) == len({tuple(one["drawn"]) for one in found}) == 3


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("raise ValueError('no such phase')", 1, "ValueError: no such phase"),
        ("import sys; sys.exit('refused in words')", 1, "refused in words"),
        ("import sys; sys.exit(7)", 7, ""),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, ""),
        ("this is no python", 1, "SyntaxError"),
        # Not closed, and whole all the same.
        ("stream = open('left_open.txt', 'w'); stream.write('all of it')", 0, ""),
        ("import atexit; atexit.register(print, 'said at the end')", 0, "said at the end"),
        (LATE, 0, "waited for"),
        ("import sys; sys.exit(None)", 0, ""),
        ("raise KeyboardInterrupt", 130, ""),
    ],
)
def test_how_a_script_ends_is_told(tmp_path, capfd, monkeypatch, text, status, said):
    monkeypatch.chdir(tmp_path)
    starter = JobStarter(SCRIPTS)
    assert started(starter, tmp_path, text).returncode == status
    starter.close()
    out, error = capfd.readouterr()
    assert said in out + error and "job_starter.py" not in error
    if "left_open" in text:
        assert (tmp_path / "left_open.txt").read_text() == "all of it"


def test_many_jobs_at_a_time_are_told_apart(starter, tmp_path):
    def one(number: int) -> tuple[int, int]:
        text = f"import time; time.sleep({0.3 - 0.03 * number}); raise SystemExit({number})"
        return number, started(starter, tmp_path, text, f"script{number}.py").returncode

    with ThreadPoolExecutor(10) as pool:
        assert all(number == status for number, status in pool.map(one, range(10)))


def test_what_a_job_used_is_told(starter, tmp_path):
    text = "import time\nfilled = bytearray(300_000_000)\nwhile time.process_time() < 0.5: pass\ntime.sleep(0.3)"
    ended = started(starter, tmp_path, text)
    assert 0.5 <= ended.cpu_seconds < 3 and ended.seconds >= 0.75 and 280 < ended.max_rss_mb < 900


def test_where_that_process_is_killed_its_jobs_die_and_later_ones_start_otherwise(tmp_path):
    starter = JobStarter(SCRIPTS)
    started(starter, tmp_path, "pass")
    text = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(started, starter, tmp_path, text)
        number = wait_for(tmp_path / "pid")
        starter._process.kill()
        with pytest.raises(RuntimeError, match="was killed, perhaps for lack of memory"):
            job.result()
    wait_until_gone(number)
    assert starter.run(str(tmp_path / "script.py"), "kind", dict(os.environ)) is None


def wait_for(file: Path) -> int:
    for _ in range(200):
        if file.is_file() and file.read_text():
            return int(file.read_text())
        time.sleep(0.05)
    raise AssertionError(f"{file} was not written")


def wait_until_gone(number: int) -> None:
    for _ in range(200):
        try:
            state = Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return
        if state == "Z":
            return
        time.sleep(0.05)
    raise AssertionError(f"process {number} still runs")


def test_no_job_outlives_its_run(tmp_path):
    job = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    (tmp_path / "job.py").write_text(job)
    run = (
        f"import os, sys; sys.path.append({str(SCRIPTS)!r}); from hcc_recurrence.job_starter import JobStarter; "
        f"JobStarter({str(SCRIPTS)!r}).run({str(tmp_path / 'job.py')!r}, 'kind', dict(os.environ))"
    )
    process = subprocess.Popen([sys.executable, "-c", run])
    number = wait_for(tmp_path / "pid")
    process.kill()
    process.wait()
    wait_until_gone(number)


def test_no_library_of_the_workflow_starts_a_thread_when_it_is_imported(tmp_path):
    """Or no job could be started as a copy of a process that has imported it."""
    names = [
        *("numpy", "scipy.stats", "scipy.ndimage", "pandas", "pyarrow.parquet", "openpyxl", "yaml", "tableone"),
        *("SimpleITK", "pydicom", "highdicom", "radiomics", "torch", "safetensors.torch", "monai.networks.nets"),
        *(
            "monai.transforms",
            "sklearn.ensemble",
            "sklearn.linear_model",
            "xgboost",
            "lightgbm",
            "skrebate",
            "pingouin",
        ),
        *("statsmodels.api", "statsmodels.formula.api", "lifelines", "sksurv.metrics", "dcurves"),
        *("matplotlib.pyplot", "seaborn"),
    ]
    script = (
        "import importlib, os, sys\n"
        f"for name in {names!r}:\n"
        "    try: importlib.import_module(name)\n"
        "    except ImportError: continue\n"
        "    assert len(os.listdir('/proc/self/task')) == 1, name\n"
        "assert 'torch' in sys.modules and 'xgboost' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, env={**os.environ, **WITHOUT_THREADS})


def test_a_library_that_starts_a_thread_makes_jobs_start_as_before(tmp_path):
    (tmp_path / "threaded.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n"
    )
    starter = JobStarter(SCRIPTS)
    text = f"import sys; sys.path.append({str(tmp_path)!r}); import threaded"
    script = tmp_path / "script.py"
    script.write_text(text)
    # The process that holds the libraries finds the module too.
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    os.environ["PYTHONPATH"] = str(tmp_path)
    try:
        first = starter.run(str(script), "kind", environment)
        again = starter.run(str(script), "kind", environment)
    finally:
        del os.environ["PYTHONPATH"]
        starter.close()
    assert first is not None and first.returncode == 0
    assert again is None


class Script:
    """What Snakemake's class has of what is used here."""

    def __init__(
        self,
        path=None,
        threads=1,
        resources=None,
        conda_env=None,
        container_img=None,
        env_modules=None,
        shadow_dir=None,
        bench_record=None,
    ):
        self.path = path or SimpleNamespace(get_filename=lambda: "script.py")
        self.threads, self.resources = threads, resources or {"tmpdir": "/tmp"}
        self.conda_env, self.container_img, self.env_modules = conda_env, container_img, env_modules
        self.shadow_dir, self.bench_record = shadow_dir, bench_record
        self.plain = 0

    def execute_script(self, fname, edit=False):
        self.plain += 1


class Starter:
    def __init__(self, ended: Ended | None):
        self.ended, self.got = ended, []

    def run(self, script, kind, environment):
        self.got.append((script, kind, environment))
        return self.ended


def hooked(ended: Ended | None) -> tuple[type, Starter]:
    kind, starter = type("Hooked", (Script,), dict(vars(Script))), Starter(ended)
    assert start_scripts_from_one_process(starter, kind) and start_scripts_from_one_process(starter, kind)
    return kind, starter


def test_only_plain_jobs_of_one_thread_are_started_so():
    kind, starter = hooked(Ended(0, 2.0, 1.5, 100.0))
    others = [
        {"threads": 2},
        {"conda_env": "env"},
        {"container_img": "image"},
        {"env_modules": "m"},
        {"shadow_dir": "s"},
    ]
    for named in [*others, {"resources": {"shell_exec": "zsh"}}]:
        script = kind(**named)
        script.execute_script("file.py")
        assert script.plain == 1 and starter.got == [], named
    script = kind()
    script.execute_script("file.py")
    assert script.plain == 0
    [(file, name, environment)] = starter.got
    assert (file, name) == ("file.py", "script.py")
    assert environment["OMP_NUM_THREADS"] == environment["MKL_NUM_THREADS"] == "1" and environment["TMPDIR"] == "/tmp"
    assert environment["PATH"] == os.environ["PATH"]


def test_a_job_that_cannot_be_started_so_starts_as_before():
    kind, _ = hooked(None)
    script = kind()
    script.execute_script("file.py")
    assert script.plain == 1


def test_a_failed_job_fails_as_snakemake_expects_and_figures_are_kept():
    kind, _ = hooked(Ended(1, 2.0, 1.5, 100.0))
    record = SimpleNamespace()
    with pytest.raises(subprocess.CalledProcessError, match="returned non-zero exit status 1"):
        kind(bench_record=record).execute_script("file.py")
    assert (record.running_time, record.cpu_time, record.max_rss, record.data_collected) == (2.0, 1.5, 100.0, True)


def test_snakemake_still_has_what_is_replaced_in_scripts():
    import inspect

    from snakemake.benchmark import BenchmarkRecord
    from snakemake.script import PythonScript, ScriptBase
    from snakemake.shell import shell

    assert list(inspect.signature(PythonScript.execute_script).parameters) == ["self", "fname", "edit"]
    source = inspect.getsource(ScriptBase)
    for name in ("conda_env", "container_img", "env_modules", "shadow_dir", "resources", "threads", "bench_record"):
        assert f"self.{name} = {name}" in source
    assert {"running_time", "max_rss", "cpu_time", "cpu_usage", "data_collected"} <= set(vars(BenchmarkRecord()))
    # The variables that a job gets.
    own = inspect.getsource(shell)
    for variable in ("OMP", "GOTO", "OPENBLAS", "MKL", "NUMEXPR"):
        assert f'envvars["{variable}_NUM_THREADS"] = threads' in own
    assert 'envvars["VECLIB_MAXIMUM_THREADS"] = threads' in own and 'envvars["TEMPDIR"]' in own
    assert own.count('envvars["') == 10
    assert start_scripts_from_one_process(Starter(None), type("Changed", (), {})) is False
