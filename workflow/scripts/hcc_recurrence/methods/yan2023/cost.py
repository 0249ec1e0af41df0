"""How much the rules that this method alone has do (`cost.work`): rankings and cells of the grid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hcc_recurrence.cost.table import Unit
from hcc_recurrence.cost.work import Workload, models_of


def _grid(workload: Workload, cohort: str) -> tuple[dict[str, Any], int, int]:
    """Settings of the grid of a cohort or of its copy with permuted outcomes, its fits, and the patients of one."""
    name = cohort.split("/")[0]
    own = dict(workload.config["papers"]["yan2023"]["settings"])
    scheme = workload.plan.scheme("yan2023", name)
    split = workload.config["splits"][scheme]
    repeats = min(own["grid_repeats"], split["repeats"])
    if cohort != name:
        repeats, smaller = 1, own["permuted_grid"]
        own |= {key: value for key, value in smaller.items() if key not in ("selectors", "classifiers")}
        for key in ("selectors", "classifiers"):
            own[key] = {kind: own[key][kind] for kind in smaller.get(key, own[key])}
    return own, repeats * (split["folds"] + 1), workload.training_patients(name, scheme)


def ranking_work(workload: Workload, wildcards: Mapping[str, str]) -> list[Unit]:
    """Rankings by one selector in every fit and inner split."""
    own, fits, patients = _grid(workload, wildcards["cohort"])
    number = fits * (own["inner_folds"] * own["inner_repeats"] + 1)
    learn = patients * (1 - 1 / own["inner_folds"])
    return [Unit("rank_yan2023_features", 1), Unit("rank", number, "ranking", wildcards["selector"], (learn,))]


def cells_work(workload: Workload, wildcards: Mapping[str, str]) -> list[Unit]:
    """Models of all classifiers on one ranking, in every fit and inner split."""
    own, fits, patients = _grid(workload, wildcards["cohort"])
    splits, numbers = own["inner_folds"] * own["inner_repeats"], len(own["feature_numbers"])
    learn = patients * (1 - 1 / own["inner_folds"])
    found = [Unit("fit_yan2023_cells", 1)]
    for name, settings in own["classifiers"].items():
        inner = {**settings, **own["inner_classifiers"].get(name, {})}
        found.append(Unit("fit", fits * splits * numbers * models_of(name, inner), "model", name, (learn,)))
        found.append(Unit("fit", fits * models_of(name, settings), "model", name, (patients,)))
    return found
