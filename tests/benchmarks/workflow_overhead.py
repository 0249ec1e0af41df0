"""`snakemake --cores 2 all` beside one Python program that calls the same functions in a loop on two cores.

    python tests/benchmarks/workflow_overhead.py /tmp/overhead            the default demo, about an hour in all
    python tests/benchmarks/workflow_overhead.py /tmp/overhead --tiny     the tests' cohort, minutes

The first run is Snakemake's, and notes what it hands to each script. The second runs the same scripts, with the same
inputs, outputs and parameters, in two processes that were started once and import everything once: no workflow, no
start of a job, nothing looked at again. A job starts there when what it reads is made. The CSV of both are compared.
"""

from __future__ import annotations

import argparse
import os
import pickle
import sys
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path

from runs import ONE_THREAD, run

GOAL = 1.5
# Beside Snakemake's own main: every object that a script gets is kept, in the order of their starts.
RECORDER = """
import pickle, sys
from snakemake import cli
from snakemake.script import PythonScript
before = PythonScript.generate_preamble
def noting(path, cache_path, source, basedir, *given, **named):
    # Input, output, params, wildcards, threads, resources, log; config; name of the rule; and more.
    with open("recorded.pickle", "ab") as stream:
        pickle.dump((path.get_filename(), given[:7], given[7], given[8]), stream)
    return before(path, cache_path, source, basedir, *given, **named)
PythonScript.generate_preamble = staticmethod(noting)
cli.main(sys.argv[1:])
"""


def read_recorded(file: Path) -> list[tuple]:
    """(script, the object's parts, config, rule) of each job, in the order in which they were started."""
    found = []
    with open(file, "rb") as stream:
        while True:
            try:
                found.append(pickle.load(stream))
            except EOFError:
                return found


def warm_up() -> None:
    """Import once what the scripts import."""
    sys.path.insert(0, "workflow/scripts")
    import importlib

    for name in (
        "SimpleITK",
        "pandas",
        "torch",
        "radiomics",
        "matplotlib.pyplot",
        "seaborn",
        "sklearn.linear_model",
        "statsmodels.api",
        "lifelines",
        "sksurv.metrics",
        "dcurves",
        "tableone",
        "pyarrow.parquet",
        "pydicom",
    ):
        importlib.import_module(name)


def run_script(script: str, given: tuple, config: dict, rule: str) -> None:
    """What Snakemake does for a script, in this process."""
    from snakemake.iocontainers import Snakemake

    handed = Snakemake(*given, config, rule, None, "workflow/scripts")
    for path in [*handed.output, *handed.log]:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    file = next(Path("workflow/scripts").glob(f"*/{Path(script).name}"))
    with open(os.devnull, "w") as nowhere:
        kept = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = nowhere
        try:
            exec(compile(file.read_text(), str(file), "exec"), {"snakemake": handed, "__name__": "__main__"})
        finally:
            sys.stdout, sys.stderr = kept
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


def run_loop(recorded: list[tuple]) -> None:
    """All jobs on two processes; a job is begun when what makes its inputs has ended."""
    maker = {str(path): number for number, job in enumerate(recorded) for path in job[1][1]}
    needs = [{maker[str(p)] for p in job[1][0] if str(p) in maker} for job in recorded]
    done: set[int] = set()
    waiting, running = list(range(len(recorded))), {}
    with ProcessPoolExecutor(2, mp_context=get_context("fork"), initializer=warm_up) as pool:
        while waiting or running:
            ready = [n for n in waiting if needs[n] <= done][: 2 - len(running)]
            for number in ready:
                waiting.remove(number)
                running[pool.submit(run_script, *recorded[number])] = number
            finished: set[Future] = wait(running, return_when=FIRST_COMPLETED).done
            for future in finished:
                future.result()
                done.add(running.pop(future))


def tables(folder: Path) -> dict[str, bytes]:
    """All CSV under results, by name, but for what the run did cost."""
    files = [f for f in sorted((folder / "results").rglob("*.csv")) if f.name != "costs.csv"]
    return {str(f.relative_to(folder)): f.read_bytes() for f in files}


def measure(folder: Path, tiny: bool) -> dict[str, dict]:
    """Ratio of the seconds of both runs; whether their CSV are the same."""
    from workflow_runner import copy_workflow

    workflow, loop = folder / "workflow_run", folder / "loop_run"
    options: list[str] = []
    for one in (workflow, loop):
        one.mkdir(parents=True)
        copy_workflow(one)
        if tiny:
            from tiny_cohort import build_tiny_cohort

            build_tiny_cohort(one)
            options = ["--configfile", "tiny.yaml"]
    command = [sys.executable, "-c", RECORDER, *options, "--cores", "2", "--quiet", "all", "--", "all"]
    _, by_workflow = run(command, workflow, ONE_THREAD)
    recorded = read_recorded(workflow / "recorded.pickle")
    print(f"snakemake: {by_workflow:.0f} s, {len(recorded)} scripts", flush=True)
    again = [sys.executable, __file__, "--loop", str(workflow / "recorded.pickle")]
    # As many threads as the workflow gives its jobs, and the kernels: other ones train other networks.
    from hcc_recurrence.numerics import kernels

    _, by_loop = run(again, loop, {**ONE_THREAD, **kernels("portable")})
    print(f"loop: {by_loop:.0f} s; ratio {by_workflow / by_loop:.2f}", flush=True)
    ours, theirs = tables(workflow), tables(loop)
    differing = sorted(name for name in ours if theirs.get(name) != ours[name])
    print(f"{len(ours)} CSV, {len(differing)} of them not the same: {differing[:5]}")
    about = {"snakemake_s": round(by_workflow, 1), "loop_s": round(by_loop, 1), "scripts": len(recorded)}
    what = {"cohort": "tiny" if tiny else "demo", "csv": len(ours), "csv_differing": len(differing)}
    return {"workflow_overhead": {"ratio": by_workflow / by_loop, "goal": GOAL, **about, **what}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--loop", type=Path, help="run what was noted in a file, here")
    asked = parser.parse_args()
    if asked.loop:
        run_loop(read_recorded(asked.loop))
    else:
        measure(asked.folder.resolve(), asked.tiny)


if __name__ == "__main__":
    main()
