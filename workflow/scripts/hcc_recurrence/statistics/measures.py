"""Calibration and survival measures of every model, from the predictions table alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from hcc_recurrence.statistics.calibration import (
    Calibration,
    calibration_measures,
    hosmer_lemeshow,
    integrated_calibration_index,
)
from hcc_recurrence.statistics.comparisons import PANEL, Panel, compare_by_bootstrap
from hcc_recurrence.statistics.concordance import (
    dynamic_pairs,
    percentile_interval,
    resample_counts,
    survival_pairs,
)
from hcc_recurrence.statistics.degenerate import FEW, LEAST_PATIENTS, PANEL_OF_MODEL, enough, models_of_nothing
from hcc_recurrence.statistics.single_models import first_repeat, mean_and_spread, rounded, training_cut_offs
from hcc_recurrence.statistics.survival import log_rank_p, median_survival, survival_at


def groups_for(n: int) -> int:
    """Groups of risk: 5 below 100 patients, 10 from there (docs/methods.md 1.6)."""
    return 5 if n < 100 else 10


def calibration_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Intercept, slope, Brier score, ICI and the Hosmer-Lemeshow test of each model and panel.

    The measures are means over the repeats of single models, with the standard deviation of the slopes beside them; one
    infinite slope leaves no mean. The test is that of the first repeat, because a P value has no mean. Degrees of
    freedom of the test: groups - 2 for apparent estimates, groups for all others. A model that tells nobody apart has a
    Brier score alone, and a handful of patients no test (`degenerate`).
    """
    rows, nothing = [], models_of_nothing(predictions)
    for key, part in rounded(predictions).groupby(PANEL_OF_MODEL, sort=False):
        fits = [(own["y"].to_numpy(), own["probability"].to_numpy()) for _, own in part.groupby("repeat")]
        if key in nothing:
            measures = [Calibration(np.nan, np.nan, float(np.mean((p - y) ** 2))) for y, p in fits]
            ici = np.nan
        else:
            measures = [calibration_measures(y, p) for y, p in fits]
            ici = mean_and_spread([integrated_calibration_index(y, p) for y, p in fits])[0]
        y, p = fits[0]
        test = hosmer_lemeshow(y, p, groups_for(len(y)), fitted_here=key[3] == "apparent")
        few = not enough(int(y.sum()), int((1 - y).sum()))
        tested = not few and key not in nothing
        slope, spread = mean_and_spread([m.slope for m in measures])
        rows.append(
            {
                **dict(zip(PANEL_OF_MODEL, key, strict=True)),
                "repeats": len(fits),
                "n": len(y),
                "observed": float(y.mean()),
                "predicted": float(part["probability"].mean()),
                "intercept": mean_and_spread([m.intercept for m in measures])[0],
                "slope": slope,
                "slope_sd_over_repeats": spread,
                "brier": mean_and_spread([m.brier for m in measures])[0],
                "ici": ici,
                "hl_chi_square": test.chi_square if tested else np.nan,
                "hl_df": test.df if tested else 0,
                "hl_p": test.p if tested else np.nan,
                "hl_groups": test.groups,
                "remark": nothing.get(key, FEW if few else ""),
            }
        )
    return pd.DataFrame(rows)


def survival_tables(
    predictions: pd.DataFrame,
    models: Sequence[str],
    horizon: float,
    resamples: int,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Harrell's C, time-dependent AUC at the horizon, and survival by risk group of each model and panel.

    C and AUC are means over folds and repeats of single models, as the AUC of the metrics table is; the risk groups,
    with their log-rank test, are those of the first repeat at its own cut-off. Intervals are bootstraps over patients;
    the weights for censoring come from all patients of the panel. A model that tells nobody apart has none of them, and
    `remark` says so. There is no interval and no comparison of C where fewer than 5 patients recur or there are fewer
    than 10, nor of the AUC where fewer than 5 recur until the horizon or are followed beyond it, nor a log-rank P where
    a group has fewer than 5 patients (`degenerate`).

    Returns: one table a model and panel, and the paired comparisons of every two models.
    """
    rows, comparisons = [], []
    chosen = rounded(predictions[predictions["model"].isin(models)])
    cuts, nothing = training_cut_offs(chosen), models_of_nothing(chosen)
    for key, panel in chosen.groupby(PANEL, sort=False):
        about = dict(zip(PANEL, key, strict=True))
        patients = panel.drop_duplicates("patient_id").sort_values("patient_id")
        names = list(patients["patient_id"])
        months, event = patients["rfs_months"].to_numpy(float), patients["rfs_event"].to_numpy(int)
        drawn = np.vstack([np.ones((1, len(names))), resample_counts(len(names), resamples, seed)])
        within = event.astype(bool) & (months <= horizon)
        sizes = {
            "c": enough(int(event.sum())) and len(names) >= LEAST_PATIENTS,
            "auc_t": enough(int(within.sum()), int((months > horizon).sum())),
        }
        pairs = {"c": survival_pairs(months, event)}
        if within.any() and (months > horizon).any():
            pairs["auc_t"] = dynamic_pairs(months, event, horizon)
        values: dict[tuple[str, str], np.ndarray] = {}
        for model in [m for m in models if m in set(panel["model"])]:
            own = panel[panel["model"] == model]
            line = {"model": model, **about, "repeats": own["repeat"].nunique()}
            line |= {"n": len(names), "events": int(event.sum())}
            words = nothing.get((model, *key), "")
            for name in ("c", "auc_t"):
                known = name in pairs and not words
                found = Panel(own, names).values(pairs[name], drawn) if known else np.full(1, np.nan)
                values[model, name] = found if sizes[name] else found[:1]
                low, high = percentile_interval(values[model, name][1:])
                line |= {name: float(found[0]), f"{name}_low": low, f"{name}_high": high}
            one = first_repeat(own).sort_values("patient_id")
            cut = np.nan if words else cuts[model, key[0], one["repeat"].iloc[0]]
            if np.isfinite(cut):
                line |= _by_group(one, (one["probability"] >= cut).to_numpy(), horizon)
            few = "" if all(sizes.values()) else "too few patients for an interval"
            rows.append({**line, "remark": words or few})
        comparisons += _pairwise(values, about)
    groups = [f"{what}_{name}" for name in ("high", "low") for what in ("n", "median", "free")]
    measured = [f"{name}{end}" for name in ("c", "auc_t") for end in ("", "_low", "_high")]
    columns = ["model", *PANEL, "repeats", "n", "events", *measured, "log_rank_p", *groups, "remark"]
    return pd.DataFrame(rows, columns=columns), pd.DataFrame(
        comparisons, columns=[*PANEL, "measure", "model", "other", "difference", "low", "high", "p"]
    )


def _by_group(rows: pd.DataFrame, high: np.ndarray, horizon: float) -> dict[str, float]:
    months, event = rows["rfs_months"].to_numpy(float), rows["rfs_event"].to_numpy(int)
    tested = enough(int(high.sum()), int((~high).sum()))
    found: dict[str, float] = {"log_rank_p": log_rank_p(months, event, high) if tested else float("nan")}
    for name, members in (("high", high), ("low", ~high)):
        some = bool(members.any())
        found[f"n_{name}"] = int(members.sum())
        found[f"median_{name}"] = median_survival(months[members], event[members]) if some else float("nan")
        found[f"free_{name}"] = survival_at(months[members], event[members], horizon)[0] if some else float("nan")
    return found


def _pairwise(values: dict[tuple[str, str], np.ndarray], about: dict[str, str]) -> list[dict]:
    rows = []
    for measure in ("c", "auc_t"):
        models = [m for m, name in values if name == measure]
        for i, model in enumerate(models):
            for other in models[i + 1 :]:
                first, second = values[model, measure], values[other, measure]
                kept = min(len(first), len(second))
                gap = compare_by_bootstrap(first[:kept], second[:kept])
                rows.append({**about, "measure": measure, "model": model, "other": other, **gap})
    return rows
