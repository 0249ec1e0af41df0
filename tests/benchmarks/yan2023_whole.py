"""Yan 2023's published grid, whole, on simulated features of 195 patients: what it takes, beside the table of costs.

    python tests/benchmarks/yan2023_whole.py FOLDER            # goes on where it stopped; stop it when you like
    python tests/benchmarks/yan2023_whole.py FOLDER --processes 8
    python tests/benchmarks/yan2023_whole.py FOLDER --summary  # how far it is

Three phases, three rankings, five classifiers, five repeats of five folds and of all training patients: 45 rankings and
225 cells of a repeat, each a file of its own with the processor seconds that it took, written when it is finished. One
thread a process. The first repeat of everything comes first, so that the whole can be told from a part.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

# One thread, as the workflow's own jobs.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "workflow" / "scripts"), str(Path(__file__).parent)]

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import yaml  # noqa: E402
from yan2023_grid import FEATURES, PATIENTS, simulate_features, simulate_risk  # noqa: E402

from hcc_recurrence.cohort.splits import make_split  # noqa: E402
from hcc_recurrence.cost.table import CostTable, Unit  # noqa: E402
from hcc_recurrence.cost.work import models_of  # noqa: E402
from hcc_recurrence.learning.signature_grid import choose_by_validation, choose_cells, fit_cell, rank_fits  # noqa: E402

# How strongly each phase's features carry the risk.
EFFECTS = {"arterial": 1.0, "portal": 0.8, "hepatobiliary": 0.6}
SEED = 1


def published() -> tuple[dict, dict]:
    """Settings of the grid and of its split."""
    paper = yaml.safe_load((REPOSITORY / "config" / "papers" / "yan2023.yaml").read_text())
    settings = {key: own["value"] for key, own in paper["settings"]["published"].items()}
    return settings, {key: own["value"] for key, own in paper["entries"]["splits"]["yan2023"].items()}


def cohort(scheme: dict) -> tuple[dict[str, pd.DataFrame], pd.Series, pd.DataFrame]:
    """Features of each phase, the outcome, and the split, by patient."""
    risk, y = simulate_risk(np.random.default_rng(SEED), PATIENTS)
    names = pd.Index([f"P{i:03d}" for i in range(PATIENTS)], name="patient_id")
    columns = [f"f{i:04d}" for i in range(FEATURES)]
    features = {
        phase: pd.DataFrame(simulate_features(np.random.default_rng([SEED, i]), risk, effect), names, columns)
        for i, (phase, effect) in enumerate(EFFECTS.items())
    }
    labels = pd.DataFrame({"patient_id": names, "er": y, "excluded_because": ""})
    split = make_split(labels, {}, scheme["validation_fraction"], scheme["folds"], scheme["repeats"], SEED)
    return features, pd.Series(y, names), split


def parts(settings: dict, repeats: int) -> Iterator[tuple[str, str, str, int]]:
    """Phase, ranking, classifier (empty: the ranking itself) and repeat, in the order in which they are made."""
    for number in range(1, repeats + 1):
        for phase in EFFECTS:
            for selector in settings["selectors"]:
                for classifier in ("", *settings["classifiers"]):
                    yield phase, selector, classifier, number


def file_of(folder: Path, part: tuple[str, str, str, int]) -> Path:
    """Where the seconds of a part stand; its tables lie beside it. Written last."""
    phase, selector, classifier, repeat = part
    return folder / f"{phase}.{selector}.{classifier or 'ranking'}.{repeat}.json"


def one_repeat(split: pd.DataFrame, repeat: int) -> pd.DataFrame:
    """A split whose only repeat is this one."""
    return split[["patient_id", "split", f"fold_{repeat}"]].rename(columns={f"fold_{repeat}": "fold_1"})


def make_part(folder: Path, part: tuple[str, str, str, int], settings: dict, data: tuple) -> float:
    """Make one part as the workflow's jobs do, and write it. Returns the processor seconds it took."""
    phase, selector, classifier, repeat = part
    features, outcome, split = data
    # The repeat is added to the seed, so that a later one alone has the seed that it has among all of them.
    seed, own = SEED + repeat - 1, one_repeat(split, repeat)
    ranks = file_of(folder, (phase, selector, "", repeat)).with_suffix(".parquet")
    started = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        if classifier:
            read = pd.read_parquet(ranks)
            found = fit_cell(features[phase], outcome, own, read, classifier, settings, 1, seed)
        else:
            found = rank_fits(features[phase], outcome, own, selector, settings, 1, seed)
    if not classifier:
        found[0].to_parquet(ranks)
    for name, table in zip(("scores", "choices") if classifier else ("", "steps"), found, strict=True):
        if name:
            about = {"phase": phase, "selector": selector, "classifier": classifier}
            written = file_of(folder, part).with_suffix(f".{name}.csv")
            table.assign(**about, repeat=repeat).to_csv(written, index=False)
    seconds = time.process_time() - started
    half = file_of(folder, part).with_suffix(".half")
    half.write_text(json.dumps({"seconds": seconds}))
    half.rename(file_of(folder, part))
    return seconds


def reckoned(settings: dict, scheme: dict, table: CostTable, part: tuple[str, str, str, int], train: int) -> float:
    """Seconds of a part by the table of costs, counted as `methods/yan2023/cost.py` does."""
    _, selector, classifier, _ = part
    fits, splits = scheme["folds"] + 1, settings["inner_folds"] * settings["inner_repeats"]
    learn = train * (1 - 1 / settings["inner_folds"])
    if not classifier:
        return table.price(Unit("rank", fits * (splits + 1), "ranking", selector, (learn,))).seconds
    own = settings["classifiers"][classifier]
    inner = models_of(classifier, {**own, **settings["inner_classifiers"].get(classifier, {})})
    number = fits * splits * len(settings["feature_numbers"]) * inner
    of_inner = table.price(Unit("fit", number, "model", classifier, (learn,)))
    of_fits = table.price(Unit("fit", fits * models_of(classifier, own), "model", classifier, (train,)))
    return of_inner.seconds + of_fits.seconds


def summary(folder: Path, settings: dict, scheme: dict, data: tuple) -> None:
    """Print how far it is, the seconds beside the table, and what is chosen where a phase's first repeat is whole."""
    _, outcome, split = data
    table, train = CostTable.read(REPOSITORY / "workflow" / "costs.csv"), int((split["split"] == "train").sum())
    rows = []
    for part in parts(settings, scheme["repeats"]):
        file = file_of(folder, part)
        took = json.loads(file.read_text())["seconds"] if file.is_file() else np.nan
        kind = part[2] or f"ranking, {part[1]}"
        rows.append({"kind": kind, "seconds": took, "table": reckoned(settings, scheme, table, part, train)})
    found = pd.DataFrame(rows)
    done = found["seconds"].notna()
    by_kind = (
        found[done]
        .groupby("kind")
        .agg(parts=("seconds", "size"), seconds=("seconds", "sum"), of_table=("table", "sum"))
    )
    by_kind["ratio"] = by_kind["seconds"] / by_kind["of_table"]
    print(by_kind.round(2).to_string())
    took, wanted, whole = found["seconds"].sum(), found.loc[done, "table"].sum(), found["table"].sum()
    print(f"{done.sum()} of {len(found)} parts: {took:.0f} s of the processor, {wanted:.0f} s by the table")
    rate = whole * took / wanted / 3600 if wanted else float("nan")
    print(f"the whole grid: {whole / 3600:.2f} core-hours by the table, {rate:.2f} at the rate so far")
    for phase in EFFECTS:
        order = [(s, c) for s in settings["selectors"] for c in settings["classifiers"]]
        cells = [file_of(folder, (phase, *cell, 1)) for cell in order]
        if all(file.is_file() for file in cells):
            scores, choices = (
                pd.concat([pd.read_csv(f.with_suffix(f".{n}.csv")) for f in cells], ignore_index=True)
                for n in ("scores", "choices")
            )
            chosen = choose_cells(choices[choices["fold"] == 0], order).iloc[0]
            held = split.loc[split["split"] != "train", "patient_id"]
            best = choose_by_validation(scores, choices, outcome, list(held), order).iloc[0]
            print(
                f"{phase}, all training patients: {chosen['selector']} {chosen['classifier']}, {chosen['k']} features, "
                f"inner AUC {chosen['inner_auc']:.3f}; by validation {best['selector']} {best['classifier']}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--summary", action="store_true", help="only say how far it is")
    parser.add_argument("--processes", type=int, default=1)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    settings, scheme = published()
    data = cohort(scheme)
    wanted = list(parts(settings, scheme["repeats"]))
    # Cells read their ranking: all rankings come first where there are several processes.
    rounds = [wanted] if asked.processes == 1 else [[p for p in wanted if not p[2]], [p for p in wanted if p[2]]]
    for each in [] if asked.summary else rounds:
        left = [part for part in each if not file_of(asked.folder, part).is_file()]
        with ProcessPoolExecutor(asked.processes) as pool:
            made = pool.map(make_part, repeat(asked.folder), left, repeat(settings), repeat(data))
            for part, seconds in zip(left, made, strict=True):
                print(*part, f"{seconds:.1f}", flush=True)
    summary(asked.folder, settings, scheme, data)


if __name__ == "__main__":
    main()
