"""What the cuts of Yan 2023's grid cost and do: seconds a model, and the true AUC of what is chosen.

    python tests/benchmarks/yan2023_grid.py --cohorts 10

Simulated features of 195 patients (60 factors, of which eight carry a latent risk), and 4,000 further patients on which
the AUC of a model is known within 0.01. One phase, one ranking (ANOVA), the fit on all training patients. Takes a
minute of a processor a cohort.
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "workflow" / "scripts"))

from scipy.stats import t  # noqa: E402
from sklearn.metrics import roc_auc_score  # noqa: E402

from hcc_recurrence.learning.estimators import fit_predict  # noqa: E402
from hcc_recurrence.learning.folds import inner_splits  # noqa: E402
from hcc_recurrence.learning.scaling import MinMax  # noqa: E402
from hcc_recurrence.learning.signature_grid import rank_rows  # noqa: E402

PATIENTS, FURTHER, FEATURES, NUMBERS, REPEATS = 195, 4000, 1472, (10, 40, 100), 5


def simulate_risk(generator: np.random.Generator, total: int) -> tuple[np.ndarray, np.ndarray]:
    """A latent risk and the outcome that it makes likely, (total,) each."""
    risk = generator.normal(size=total)
    return risk, (generator.random(total) < 1 / (1 + np.exp(1.25 - 1.8 * risk))).astype(int)


def simulate_features(generator: np.random.Generator, risk: np.ndarray, effect: float) -> np.ndarray:
    """Features (patients, features) of which some factors carry the risk: correlated and positive as a network's."""
    total = len(risk)
    load = np.zeros(60)
    load[:8] = effect * np.array([0.55, 0.5, 0.45, 0.4, 0.35, 0.3, 0.3, 0.25])
    factors = generator.normal(size=(total, 60)) * np.sqrt(1 - load**2) + risk[:, None] * load
    weights = generator.normal(size=(60, FEATURES)) * (generator.random((60, FEATURES)) < 0.08)
    return np.log1p(np.exp(factors @ weights + 0.8 * generator.normal(size=(total, FEATURES))))


def simulate(seed: int, effect: float) -> tuple[np.ndarray, np.ndarray]:
    """Features of patients and further ones, and the outcome."""
    generator = np.random.default_rng(seed)
    risk, y = simulate_risk(generator, PATIENTS + FURTHER)
    return simulate_features(generator, risk, effect), y


def one_cohort(seed: int, settings: dict) -> pd.DataFrame:
    """Of every classifier and number of features the mean inner AUC of each repeat, and the true AUC of the model.

    Returns: cohort, classifier, k, true, seconds (of an inner model), seconds_of_the_whole, repeat, inner.
    """
    x, y = simulate(seed, (1.0, 0.6)[seed % 2])
    own, further, truth = x[:PATIENTS], x[PATIENTS:], y[PATIENTS:]
    y = y[:PATIENTS]
    splits = inner_splits(y, settings["inner_folds"], REPEATS, 100 + seed)
    filters = {key: settings[key] for key in ("spearman_p", "redundancy_r")}
    parts = [np.arange(PATIENTS), *(rows for rows, _ in splits)]
    orders = [rank_rows(own[rows], y[rows], "ANOVA", {}, filters)[0] for rows in parts]

    def predict(name: str, rows: np.ndarray, columns: np.ndarray, others: np.ndarray, changed: dict) -> np.ndarray:
        scale = MinMax(own[np.ix_(rows, columns)])
        learning = scale(own[np.ix_(rows, columns)])
        wanted = {**settings["classifiers"][name], **changed}
        return fit_predict(name, learning, y[rows], [scale(others[:, columns])], 100 + seed, **wanted)[0]

    found = []
    for name in settings["classifiers"]:
        for k in NUMBERS:
            areas, started = [], time.process_time()
            for (rows, held), order in zip(splits, orders[1:], strict=True):
                smaller = settings["inner_classifiers"].get(name, {})
                areas.append(roc_auc_score(y[held], predict(name, rows, order[:k], own[held], smaller)))
            seconds = (time.process_time() - started) / len(splits)
            started = time.process_time()
            true = roc_auc_score(truth, predict(name, parts[0], orders[0][:k], further, {}))
            about = {"cohort": seed, "classifier": name, "k": k, "true": true, "seconds": seconds}
            whole = {**about, "seconds_of_the_whole": time.process_time() - started}
            mean = np.reshape(areas, (REPEATS, -1)).mean(axis=1)
            found += [{**whole, "repeat": repeat, "inner": area} for repeat, area in enumerate(mean)]
    return pd.DataFrame(found)


def effect_of_repeats(table: pd.DataFrame, repeats: int) -> float:
    """True AUC of what so many of a cohort's repeats choose, the mean over all such sets, less that of all of them."""
    inner = table.pivot_table(index=["classifier", "k"], columns="repeat", values="inner")
    true = table.groupby(["classifier", "k"])["true"].first()
    chosen = [true[inner[list(some)].mean(axis=1).idxmax()] for some in combinations(range(REPEATS), repeats)]
    return float(np.mean(chosen) - true[inner.mean(axis=1).idxmax()])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", type=int, default=10)
    paper = yaml.safe_load((REPOSITORY / "config/papers/yan2023.yaml").read_text())["settings"]["published"]
    settings = {key: own["value"] for key, own in paper.items()}
    tables = []
    for seed in range(parser.parse_args().cohorts):
        tables.append(one_cohort(seed, settings))
        print(f"cohort {seed}", flush=True)
    print(pd.concat(tables).groupby("classifier")[["seconds", "seconds_of_the_whole"]].mean().round(3).to_string())
    for repeats in (1, 2, 3):
        change = np.array([effect_of_repeats(table, repeats) for table in tables])
        several = len(change) > 1
        half = t.ppf(0.975, len(change) - 1) * change.std(ddof=1) / np.sqrt(len(change)) if several else float("nan")
        print(f"{repeats} inner repeats instead of {REPEATS}: {change.mean():+.4f} (95 % interval +- {half:.4f})")


if __name__ == "__main__":
    main()
