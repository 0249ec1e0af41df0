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
    variance_of,
)
from hcc_recurrence.statistics.degenerate import (
    FEW_AROUND,
    FEW_IN_A_GROUP,
    FEW_RECURRENCES,
    LEAST_OF_EACH,
    NOTHING_VARIES,
    ONE_OUTCOME,
    PANEL_OF_MODEL,
    SAME_IN_RESAMPLES,
    kept,
    models_of_nothing,
    why_no_interval,
)
from hcc_recurrence.statistics.single_models import first_repeat, mean_and_spread, rounded, training_cut_offs
from hcc_recurrence.statistics.survival import censor_at, log_rank_p, median_survival, survival_at

MEASURES = {"c": "C", "auc_t": "AUC at the horizon"}


def groups_for(n: int) -> int:
    """Groups of risk: 5 below 100 patients, 10 from there (docs/methods.md 1.6)."""
    return 5 if n < 100 else 10


def calibration_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Intercept, slope, Brier score, ICI and the Hosmer-Lemeshow test of each model and panel.

    The measures are means over the repeats of single models, with the standard deviation of the slopes beside them; one
    infinite slope leaves no mean. The test is that of the first repeat, because a P value has no mean. Degrees of
    freedom of the test: groups - 2 for apparent estimates, groups for all others. A model that tells nobody apart has a
    Brier score alone, and a handful of patients no test (`degenerate`). Of one outcome alone there is no
    intercept and no slope, and where every pair is in one order no slope. `remark` says why something is missing.
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
        why = why_no_interval((int(y.sum()), int((1 - y).sum())), silent=nothing.get(key, ""))
        tested = not why and np.isfinite(test.p)
        if not why and not tested:
            why = "no Hosmer-Lemeshow test: fewer than three groups of risk"
        if why != ONE_OUTCOME and key not in nothing and any(np.isnan(m.slope) for m in measures):
            why = "; ".join(w for w in (why, f"no slope: {NOTHING_VARIES}") if w)
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
                "remark": why,
            }
        )
    return pd.DataFrame(rows)


def survival_tables(
    predictions: pd.DataFrame,
    models: Sequence[str],
    horizon: float,
    resamples: int,
    seed: int,
    censored: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Harrell's C, time-dependent AUC at the horizon, and survival by risk group of each model and panel.

    C and AUC are means over folds and repeats of single models, as the AUC of the metrics table is; the risk groups,
    with their log-rank test, are those of the first repeat at its own cut-off. Intervals are bootstraps over patients;
    the weights for censoring come from all patients of the panel. A model that tells nobody apart has none of them, and
    `remark` says so. There is no interval and no comparison of C where fewer than 5 patients recur or there are fewer
    than 10, nor of the AUC where fewer than 5 recur until the horizon or are followed beyond it, nor a log-rank P where
    a group has fewer than 5 patients (`degenerate`).

    Args:
        censored: times are censored at the horizon, as Wang 2022 does (4.2): C, log-rank test, medians and events know
            nothing of what comes later. The AUC at the horizon is the same either way: its controls are those who were
            followed beyond it, and its weights come from earlier times.

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
        known_months, known_event = censor_at(months, event, horizon) if censored else (months, event)
        drawn = np.vstack([np.ones((1, len(names))), resample_counts(len(names), resamples, seed)])
        within = event.astype(bool) & (months <= horizon)
        # Enough who recur, and as many others to set them against.
        sizes = {
            "c": ((int(known_event.sum()), len(names) - LEAST_OF_EACH), FEW_RECURRENCES),
            "auc_t": ((int(within.sum()), int((months > horizon).sum())), FEW_AROUND),
        }
        pairs = {"c": survival_pairs(known_months, known_event)}
        if within.any() and (months > horizon).any():
            pairs["auc_t"] = dynamic_pairs(months, event, horizon)
        values: dict[tuple[str, str], np.ndarray] = {}
        reasons: dict[tuple[str, str], str] = {}
        for model in [m for m in models if m in set(panel["model"])]:
            own = panel[panel["model"] == model]
            line = {"model": model, **about, "repeats": own["repeat"].nunique()}
            line |= {"n": len(names), "events": int(known_event.sum())}
            words, remarks = nothing.get((model, *key), ""), []
            for name in ("c", "auc_t"):
                numbers, few = sizes[name]
                known = name in pairs and not words
                found = Panel(own, names).values(pairs[name], drawn) if known else np.full(len(drawn), np.nan)
                why = why_no_interval(numbers, variance_of(found[1:]), words, few, SAME_IN_RESAMPLES)
                values[model, name], reasons[model, name] = found, why
                low, high = kept(*percentile_interval(found[1:]), why)
                line |= {name: float(found[0]), f"{name}_low": low, f"{name}_high": high}
                remarks += [why if why == words else f"{MEASURES[name]}: {why}"] if why else []
            one = first_repeat(own).sort_values("patient_id")
            cut = np.nan if words else cuts[model, key[0], one["repeat"].iloc[0]]
            if np.isfinite(cut):
                line |= _by_group(known_months, known_event, (one["probability"] >= cut).to_numpy(), horizon)
                if np.isnan(line["log_rank_p"]):
                    remarks.append(f"log-rank test: {FEW_IN_A_GROUP}")
            elif not words:
                remarks.append("no risk groups: no cut-off could be taken from the training patients")
            rows.append({**line, "remark": "; ".join(dict.fromkeys(remarks))})
        comparisons += _pairwise(values, reasons, about)
    groups = [f"{what}_{name}" for name in ("high", "low") for what in ("n", "median", "free")]
    measured = [f"{name}{end}" for name in ("c", "auc_t") for end in ("", "_low", "_high")]
    columns = ["model", *PANEL, "repeats", "n", "events", *measured, "log_rank_p", *groups, "remark"]
    return pd.DataFrame(rows, columns=columns), pd.DataFrame(
        comparisons, columns=[*PANEL, "measure", "model", "other", "difference", "low", "high", "p", "remark"]
    )


def _by_group(months: np.ndarray, event: np.ndarray, high: np.ndarray, horizon: float) -> dict[str, float]:
    why = why_no_interval((int(high.sum()), int((~high).sum())), few=FEW_IN_A_GROUP)
    found: dict[str, float] = {"log_rank_p": float("nan") if why else log_rank_p(months, event, high)}
    for name, members in (("high", high), ("low", ~high)):
        some = bool(members.any())
        found[f"n_{name}"] = int(members.sum())
        found[f"median_{name}"] = median_survival(months[members], event[members]) if some else float("nan")
        found[f"free_{name}"] = survival_at(months[members], event[members], horizon)[0] if some else float("nan")
    return found


def _pairwise(
    values: dict[tuple[str, str], np.ndarray], reasons: dict[tuple[str, str], str], about: dict[str, str]
) -> list[dict]:
    rows = []
    for measure in ("c", "auc_t"):
        models = [m for m, name in values if name == measure]
        for i, model in enumerate(models):
            for other in models[i + 1 :]:
                gap = compare_by_bootstrap(values[model, measure], values[other, measure])
                why = dict.fromkeys(reasons[m, measure] for m in (model, other) if reasons[m, measure])
                if not why and np.isnan(gap["p"]):
                    why = {SAME_IN_RESAMPLES: None}
                if why:
                    gap |= {"low": np.nan, "high": np.nan, "p": np.nan}
                rows.append(
                    {**about, "measure": measure, "model": model, "other": other, **gap, "remark": "; ".join(why)}
                )
    return rows
