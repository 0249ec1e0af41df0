"""Wang 2022 on noise: what cross-validation as published says of features without any link to the outcome.

1984 features (one phase of the U-Net), 120 patients (as Table 2 of the paper), 20 seeds, the published settings. With
features selected inside each fold the mean AUC must lie within 3 standard errors of 0.5 for one number of features and
one penalty; the best of all 50 by the same cross-validation is somewhat above that by the choice alone. The worst-case
reading, selection on all patients before the folds, stands beside them. Minutes.

    python tests/benchmarks/wang_noise.py [seeds]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow" / "scripts"))

from hcc_recurrence.configuration import plain_values
from hcc_recurrence.methods.wang2022.declare import INSIDE_FOLDS, ON_ALL
from hcc_recurrence.methods.wang2022.signature import fit_signature

REPOSITORY = Path(__file__).resolve().parents[2]
FEATURES, PATIENTS = 1984, 120


def main() -> None:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    paper = plain_values(yaml.safe_load((REPOSITORY / "config" / "papers" / "wang2022.yaml").read_text()))
    published = paper["settings"]["published"]
    # The ten penalties; the other 190 points stop the same regressions at limits that they do not reach.
    grid = {"C": published["regression_grid"]["C"], "max_iter": [500], "tol": [1e-4]}
    one = {"feature_numbers": [6], "regression_grid": {**grid, "C": [1.0]}}
    kinds = {
        "inside the folds, 6 features, C = 1": {**published, **one, "feature_selection": INSIDE_FOLDS},
        "inside the folds, best of 50 settings": {
            **published,
            "regression_grid": grid,
            "feature_selection": INSIDE_FOLDS,
        },
        "on all patients, 6 features, C = 1": {**published, **one, "feature_selection": ON_ALL},
        "on all patients, best of 50 settings": {**published, "regression_grid": grid, "feature_selection": ON_ALL},
    }
    found: dict[str, list[float]] = {kind: [] for kind in kinds}
    for seed in range(seeds):
        generator = np.random.default_rng(seed)
        x = pd.DataFrame(generator.normal(size=(PATIENTS, FEATURES))).add_prefix("f")
        y = generator.permutation(np.arange(PATIENTS) % 2)
        for kind, settings in kinds.items():
            signature = fit_signature(x, x[[]], list(x.index), y, settings, "as_published", seed)
            found[kind].append(signature.learned.auc)
        print(seed, *(f"{values[-1]:.3f}" for values in found.values()), flush=True)
    for kind, values in found.items():
        error = np.std(values, ddof=1) / np.sqrt(seeds)
        away = (np.mean(values) - 0.5) / error
        print(f"selection {kind}: mean AUC {np.mean(values):.3f}, standard error {error:.3f}, {away:+.1f} of them")


if __name__ == "__main__":
    main()
