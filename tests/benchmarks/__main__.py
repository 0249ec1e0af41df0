"""All benchmarks that have a goal, one after another: `make bench`.

Each is measured beside its reference in the same run; docs/speed.md explains them. Prints a table of ratios and writes
`results/benchmarks.json`. Nothing else should run meanwhile. Hours where the whole demo is run (`workflow_overhead`).

    python tests/benchmarks                                 all
    python tests/benchmarks radiomics training              some of them; the file keeps the others' last numbers
    python tests/benchmarks overhead --tiny                 on the tests' cohort and not on the demo
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from runs import DCM2NIIX

RESULTS = Path(__file__).resolve().parents[2] / "results" / "benchmarks.json"
# The reference over ours: the higher the better. All others are ours over the reference.
HIGHER_IS_BETTER = ("radiomics_", "registration_")


def benchmarks(folder: Path, asked: argparse.Namespace) -> dict[str, Callable[[], dict[str, dict]]]:
    """The measuring function of each benchmark, by a short name; the quick ones first."""
    import idle_dag
    import ingestion
    import one_patient
    import radiomics_features
    import registration
    import same_numbers
    import training_loop
    import workflow_overhead

    runs = asked.runs

    return {
        "radiomics": lambda: radiomics_features.measure(runs),
        "registration": registration.measure,
        "ingestion": lambda: ingestion.measure(asked.dcm2niix, runs),
        "training": training_loop.measure,
        "one_patient": lambda: one_patient.measure(folder / "one_patient"),
        "idle": lambda: idle_dag.measure(folder / "idle_dag"),
        # First on a new processor: whether it gives the numbers of the committed digests.
        "numerics": lambda: same_numbers.measure(folder / "numerics"),
        "overhead": lambda: workflow_overhead.measure(folder / "overhead", asked.tiny),
    }


def machine() -> str:
    """What was measured on: processor, cores used, memory."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{names[0] if names else platform.processor()}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB"


def is_met(name: str, found: dict) -> bool:
    """Whether a ratio is as good as its goal."""
    if name.startswith(HIGHER_IS_BETTER):
        return found["ratio"] >= found["goal"]
    return found["ratio"] <= found["goal"]


def print_table(results: dict[str, dict]) -> None:
    """A row a benchmark."""
    print(f"\n{'benchmark':28} {'ratio':>8} {'goal':>8}")
    for name, found in results.items():
        sign = ">=" if name.startswith(HIGHER_IS_BETTER) else "<="
        print(f"{name:28} {found['ratio']:8.3f} {sign}{found['goal']:6.2f}  {'' if is_met(name, found) else 'NOT MET'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", nargs="*", help="radiomics, registration, ingestion, training, and so on")
    parser.add_argument("--dcm2niix", default=str(DCM2NIIX))
    parser.add_argument("--runs", type=int, default=3, help="of radiomics and ingestion; the median counts")
    parser.add_argument("--tiny", action="store_true")
    asked = parser.parse_args()
    RESULTS.parent.mkdir(exist_ok=True)
    kept = json.loads(RESULTS.read_text()) if RESULTS.is_file() and asked.which else {}
    with tempfile.TemporaryDirectory(prefix="hcc_bench_") as name:
        for short, measure in benchmarks(Path(name), asked).items():
            if not asked.which or short in asked.which:
                print(f"== {short}", flush=True)
                found = measure()
                kept |= {what: {**one, "machine": machine()} for what, one in found.items()}
                # After each: a long run that is stopped keeps what it has.
                RESULTS.write_text(json.dumps(kept, indent=2) + "\n")
    print_table(kept)


if __name__ == "__main__":
    main()
