"""Wang 2022 on noise: what cross-validation as published says of features without any link to the outcome.

1984 features (one phase of the U-Net), 120 patients (as Table 2 of the paper), 20 seeds, five folds, the published
settings. With features selected inside the folds the mean AUC of the cross-validated rows must lie within 3 standard
errors of 0.5. Beside it the worst-case reading, selection on all patients before the folds, and the AUC by which the
settings are chosen, which is the best of 50 and above 0.5 by that alone. Minutes.

    python tests/benchmarks/wang_noise.py [seeds] [first seed]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from hcc_recurrence.configuration import plain_values
from hcc_recurrence.learning.folds import inner_splits
from hcc_recurrence.methods.wang2022.declare import SELECTIONS
from hcc_recurrence.methods.wang2022.signature import as_chosen, fit_signature, select_order
from hcc_recurrence.statistics.auc import auc_delong

PAPER = Path(__file__).resolve().parents[2] / "config" / "papers" / "wang2022.yaml"
FEATURES, PATIENTS, FOLDS = 1984, 120, 5


def measure(seed: int, settings: dict, selection: str) -> tuple[float, float]:
    """AUC by which the settings were chosen, and that of the cross-validated rows, mean over the folds."""
    generator = np.random.default_rng(seed)
    names = [f"P{i:03d}" for i in range(PATIENTS)]
    x = pd.DataFrame(generator.normal(size=(PATIENTS, FEATURES)), names).add_prefix("f")
    y = generator.permutation(np.arange(PATIENTS) % 2)
    order = select_order(x.to_numpy(), y, settings) if selection == "on_all_patients" else None
    chosen = fit_signature(x, x[[]], names, y, settings, seed, order)
    areas = []
    for learn, held in inner_splits(y, FOLDS, 1, 1000 + seed):
        rows = [names[i] for i in learn]
        one = fit_signature(x, x[[]], rows, y[learn], as_chosen(settings, chosen), seed, order)
        areas.append(auc_delong(y[held], one.regression.predict(x.iloc[held], x.iloc[held][[]])).auc)
    return chosen.learned.auc, float(np.mean(areas))


def main() -> None:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    settings = plain_values(yaml.safe_load(PAPER.read_text()))["settings"]["published"]
    # The ten penalties; the other 190 points stop the same regressions at limits that they do not reach.
    settings["regression_grid"] = {"C": settings["regression_grid"]["C"], "max_iter": [500], "tol": [1e-4]}
    for selection in SELECTIONS:
        found = np.array([measure(seed, settings, selection) for seed in range(first, first + seeds)])
        for name, values in zip(("choosing", "cross_validated"), found.T, strict=True):
            error = values.std(ddof=1) / np.sqrt(seeds)
            away = (values.mean() - 0.5) / error
            print(f"{selection}, {name}: mean AUC {values.mean():.3f}, standard error {error:.3f}, {away:+.1f} of them")


if __name__ == "__main__":
    main()
