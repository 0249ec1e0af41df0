"""What the cuts of the strict protocol do to estimates and choices, on simulated patients with a known answer.

    python tests/benchmarks/cut_protocols.py repeats --cohorts 100     # network_repeats: 1 instead of 5
    python tests/benchmarks/cut_protocols.py learners --cohorts 8      # the grids of Zhang 2025's learners
    python tests/benchmarks/cut_protocols.py learners --names RF --cohorts 10 --to FILE  # goes on where it stopped

**repeats**: 150 patients with ten variables of which three carry risk; a small perceptron with random weights stands
for a network (it varies by its folds and by its weights, as a network does). Its AUC by five-fold cross-validation, of
one repeat of the folds and of five, beside the AUC of the same fits on 4,000 further patients. A second one sees the
same variables with noise: which of the two is better is the choice.

**learners**: what cross-validation chooses from the former grids and from the present ones, and its AUC on further
patients.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "workflow" / "scripts"))

from scipy.stats import t  # noqa: E402
from sklearn.exceptions import ConvergenceWarning  # noqa: E402
from sklearn.metrics import roc_auc_score  # noqa: E402
from sklearn.model_selection import ParameterGrid  # noqa: E402
from sklearn.neural_network import MLPClassifier  # noqa: E402
from statsmodels.stats.proportion import proportion_confint  # noqa: E402

from hcc_recurrence.learning.estimators import fit_estimator, predicted  # noqa: E402
from hcc_recurrence.learning.folds import stratified_folds  # noqa: E402
from hcc_recurrence.learning.learners import Cut, held_predictions, plain_cuts  # noqa: E402

PATIENTS, FURTHER, VARIABLES, REPEATS, FOLDS = 150, 4000, 10, 5, 5
# Of the settings before they were cut.
BEFORE = {
    "RF": {"n_estimators": [50, 100, 200, 500], "max_depth": [2, 3, 4, 6, None], "min_samples_leaf": [1, 3, 5, 10]},
    "ExtraTrees": {
        "n_estimators": [50, 100, 200, 500],
        "max_depth": [2, 3, 4, 6, None],
        "min_samples_leaf": [1, 3, 5, 10],
    },
    "LightGBM": {
        "n_estimators": [50, 100, 200],
        "max_depth": [2, 3, 4],
        "learning_rate": [0.01, 0.05, 0.1],
        "min_child_samples": [1, 5, 10],
    },
    "XGBoost": {
        "n_estimators": [50, 100, 200],
        "max_depth": [2, 3, 4],
        "learning_rate": [0.01, 0.05, 0.1],
        "min_child_weight": [1, 5, 10],
    },
}


def simulate(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Variables (patients, variables) and outcome of the patients and the further ones; the best AUC is about 0.75."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(PATIENTS + FURTHER, VARIABLES))
    risk = 0.8 * x[:, 0] + 0.6 * x[:, 1] + 0.4 * x[:, 2]
    return x, (generator.random(len(x)) < 1 / (1 + np.exp(-risk))).astype(int)


def mean_interval(values: np.ndarray) -> str:
    """A mean with its 95 % t interval."""
    half = t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():+.4f} ({values.mean() - half:+.4f} to {values.mean() + half:+.4f})"


def sd_interval(values: np.ndarray, seed: int = 0) -> str:
    """A standard deviation with its 95 % bootstrap interval."""
    drawn = np.random.default_rng(seed).choice(values, (2000, len(values)))
    low, high = np.percentile(drawn.std(axis=1, ddof=1), [2.5, 97.5])
    return f"{values.std(ddof=1):.4f} ({low:.4f} to {high:.4f})"


def repeats(cohorts: int) -> None:
    """Print bias and spread of the estimate, and how often the better network is chosen, by the number of repeats."""
    error, better = np.zeros((cohorts, REPEATS)), np.zeros((cohorts, REPEATS))
    for cohort in range(cohorts):
        x, y = simulate(cohort)
        noisy = x + np.random.default_rng(1000 + cohort).normal(scale=0.7, size=x.shape)
        own, truth = y[:PATIENTS], y[PATIENTS:]
        for repeat in range(REPEATS):
            found: dict[int, list[tuple[float, float]]] = {0: [], 1: []}
            for learn, held in stratified_folds(own, FOLDS, repeat).split(x[:PATIENTS], own):
                for which, seen in enumerate((x, noisy)):
                    model = MLPClassifier((16,), max_iter=40, learning_rate_init=0.01, random_state=repeat)
                    model.fit(seen[learn], own[learn])
                    pairs = ((own[held], seen[held]), (truth, seen[PATIENTS:]))
                    estimate, true = (roc_auc_score(t_, model.predict_proba(s)[:, 1]) for t_, s in pairs)
                    found[which].append((estimate, true))
            estimates, trues = np.mean(found[0], axis=0)
            error[cohort, repeat] = estimates - trues
            better[cohort, repeat] = estimates - np.mean(found[1], axis=0)[0]
    for number in (1, REPEATS):
        errors, chosen = error[:, :number].mean(axis=1), better[:, :number].mean(axis=1) > 0
        low, high = proportion_confint(chosen.sum(), cohorts, method="wilson")
        print(
            f"{number} of {REPEATS} repeats, {cohorts} cohorts: estimate less truth {mean_interval(errors)}; its "
            f"standard deviation {sd_interval(errors)}; the better network is ahead in {chosen.sum()} of {cohorts} "
            f"({100 * low:.0f} to {100 * high:.0f} %)"
        )
    ratio = error[:, 0].std(ddof=1) / error.mean(axis=1).std(ddof=1)
    print(f"an interval of one repeat would be {ratio:.3f} times as wide as of {REPEATS}")


def fold_areas(name: str, every: Sequence[Mapping[str, Any]], cut: Cut, part: Path | None, seed: int) -> np.ndarray:
    """AUC in the held rows of a fold with each of some settings, (settings,); kept in a file where one is given."""
    if part and part.is_file():
        return np.loadtxt(part)
    held = held_predictions(name, every, cut, seed)
    found = np.array([roc_auc_score(cut.y_held, predictions) for predictions in held])
    if part:
        np.savetxt(part, found)
    return found


def learners(cohorts: Sequence[int], names: Sequence[str], to: Path | None) -> None:
    """Print the true AUC of what the present grids choose less that of what the former ones choose.

    Args:
        to: a CSV that rows of cohorts are added to; what is printed is then of all cohorts in it. Folds of a cohort
            that is not done are kept beside it.
    """
    paper = yaml.safe_load((REPOSITORY / "config/papers/zhang2025.yaml").read_text())["settings"]["published"]
    after = {name: paper["learners"]["value"][name] for name in names}
    rows = pd.read_csv(to).to_dict("records") if to and to.is_file() else []
    known = {(row["learner"], row["cohort"]) for row in rows}
    for cohort in cohorts:
        x, y = simulate(cohort)
        own, truth = y[:PATIENTS], y[PATIENTS:]
        cuts = plain_cuts(x[:PATIENTS], own, FOLDS, cohort)
        for name in names:
            if (name, cohort) in known:
                continue
            every = list(ParameterGrid(BEFORE[name]))
            # A fold of a grid of forests takes a minute or two: each is kept.
            parts = [to.with_suffix(f".{name}.{cohort}.{i}.csv") if to else None for i in range(len(cuts))]
            area = np.mean([fold_areas(name, every, *own_cut, cohort) for own_cut in zip(cuts, parts, strict=True)], 0)
            now = list(ParameterGrid(after[name]))
            true = []
            for allowed in (range(len(every)), [every.index(settings) for settings in now]):
                best = max(allowed, key=lambda i: area[i])
                model = fit_estimator(name, x[:PATIENTS], own, cohort, **every[best])
                true.append((roc_auc_score(truth, predicted(model, x[PATIENTS:])), area[best]))
            (before_true, before_inner), (now_true, now_inner) = true
            changes = {"true": now_true - before_true, "inner": now_inner - before_inner}
            rows.append({"learner": name, "cohort": cohort, **changes, "before": before_true})
            if to:
                pd.DataFrame(rows).to_csv(to, index=False)
        print(f"cohort {cohort}", flush=True)
    table = pd.DataFrame(rows)
    for name in names:
        sizes, mine = (
            (len(ParameterGrid(BEFORE[name])), len(ParameterGrid(after[name]))),
            table[table["learner"] == name],
        )
        print(
            f"{name}: {sizes[0]} settings before, {sizes[1]} now, {len(mine)} cohorts: true AUC of the chosen "
            f"{mean_interval(mine['true'].to_numpy())} of {mine['before'].mean():.4f}, AUC that chose it "
            f"{mean_interval(mine['inner'].to_numpy())}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cut", choices=("repeats", "learners"))
    parser.add_argument("--cohorts", type=int, default=20)
    parser.add_argument("--names", nargs="+", default=list(BEFORE), choices=list(BEFORE), help="of the learners")
    parser.add_argument("--first", type=int, default=0, help="the first cohort of the learners' grids")
    parser.add_argument("--to", type=Path, help="a CSV that cohorts of the learners' grids are added to")
    asked = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    if asked.cut == "repeats":
        repeats(asked.cohorts)
    else:
        learners(range(asked.first, asked.first + asked.cohorts), asked.names, asked.to)


if __name__ == "__main__":
    main()
