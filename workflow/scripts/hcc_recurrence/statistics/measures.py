"""Calibration and survival measures of every model, from the predictions table alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from hcc_recurrence.endpoint import endpoint
from hcc_recurrence.statistics.calibration import (
    Calibration,
    calibration_measures,
    certain_risks,
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
    FEW_IN_A_GROUP,
    LEAST_OF_EACH,
    NOTHING,
    NOTHING_VARIES,
    ONE_OUTCOME,
    PANEL_OF_MODEL,
    SAME_IN_RESAMPLES,
    TOO_FEW_TO_SMOOTH,
    few_around,
    few_events,
    kept,
    models_of_nothing,
    smoothed,
    why_no_interval,
)
from hcc_recurrence.statistics.single_models import first_repeat, mean_and_spread, rounded, training_cut_offs
from hcc_recurrence.statistics.survival import censor_at, kaplan_meier, log_rank_p, median_of_curve, on_curve

MEASURES = {"c": "C", "auc_t": "AUC at the horizon"}


def groups_for(n: int) -> int:
    """Groups of risk: 5 below 100 patients, 10 from there (docs/methods.md 1.6)."""
    return 5 if n < 100 else 10


def calibration_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Intercept, slope, Brier score, ICI and the Hosmer-Lemeshow test of each model and panel.

    The measures are means over the repeats of single models, with the standard deviation of the slopes beside them; one
    infinite slope leaves no mean. The test is that of the first repeat, because a P value has no mean. Degrees of
    freedom of the test: groups - 2 for apparent estimates, groups for all others. A model that tells nobody apart has a
    Brier score alone, and a handful of patients no test and no ICI (`degenerate`). Of one outcome alone there is no
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
            icis = [integrated_calibration_index(y, p) if smoothed(y) else np.nan for y, p in fits]
            ici = mean_and_spread(icis)[0]
        y, p = fits[0]
        test = hosmer_lemeshow(y, p, groups_for(len(y)), fitted_here=key[3] == "apparent")
        why = why_no_interval((int(y.sum()), int((1 - y).sum())), silent=nothing.get(key, ""))
        tested = not why and np.isfinite(test.p)
        if not why and not tested:
            why = "fewer than three groups of risk" if test.groups < 3 else "a group of risk 0 or 1"
        if why != ONE_OUTCOME and key not in nothing:
            slope = _certain_words(fits)
            if not slope.startswith("no ") and not all(np.isfinite(m.slope) for m in measures):
                slope = "; ".join(w for w in (f"no slope: {NOTHING_VARIES}", slope) if w)
            smooth = "" if smoothed(y) else f"no ICI: {TOO_FEW_TO_SMOOTH}"
            why = "; ".join(w for w in (why and f"no test: {why}", slope, smooth) if w)
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


def _certain_words(fits: Sequence[tuple[np.ndarray, np.ndarray]]) -> str:
    """What risks of exactly 0 and 1 do to intercept and slope; empty where there is none.

    Args:
        fits: y and probability of each repeat.
    """
    found = [certain_risks(y, p) for y, p in fits]
    wrong, left_out = sum(w for _, w in found), sum(int(c.sum()) for c, _ in found)
    of = f" in {len(fits)} repeats" if len(fits) > 1 else ""
    if wrong:
        return f"no intercept and slope: a risk of exactly 0 or 1 was wrong {wrong} times{of}"
    return f"intercept and slope without {left_out} risks of exactly 0 or 1{of}" if left_out else ""


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
    the weights for censoring come from all patients of the panel that the model is known in, and two models are
    compared on the patients that both are known in. A model that tells nobody apart has none of them, and
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
        measured: dict[str, dict[str, tuple[np.ndarray, str]]] = {}
        # Models that are known in the same patients share the resamples and the weights.
        shared: dict[tuple[str, ...], _Patients] = {}
        for model in [m for m in models if m in set(panel["model"])]:
            own = panel[panel["model"] == model]
            names = tuple(sorted(own["patient_id"].unique()))
            if names not in shared:
                shared[names] = _Patients(own, horizon, censored, resamples, seed)
            patients, words = shared[names], nothing.get((model, *key), "")
            measured[model] = patients.measure(own, words)
            line = {"model": model, **about, "repeats": own["repeat"].nunique()}
            line |= {"n": len(names), "events": int(patients.event.sum())}
            remarks = []
            for name, (found, why) in measured[model].items():
                low, high = kept(*percentile_interval(found[1:]), why)
                line |= {name: float(found[0]), f"{name}_low": low, f"{name}_high": high}
                remarks += [why if why == words else f"{MEASURES[name]}: {why}"] if why else []
            one = first_repeat(own).sort_values("patient_id")
            cut = np.nan if words else cuts[model, key[0], one["repeat"].iloc[0]]
            if np.isfinite(cut):
                high_risk = (one["probability"] >= cut).to_numpy()
                line |= _by_group(patients.months, patients.event, high_risk, horizon)
                if any(line[f"n_{g}"] and np.isnan(line[f"free_{g}"]) for g in ("high", "low")):
                    remarks.append("a risk group was not followed until the horizon")
                if np.isnan(line["log_rank_p"]):
                    none = f"no {endpoint().event}" if not patients.event.any() else FEW_IN_A_GROUP
                    remarks.append(f"log-rank test: {none}")
            elif not words:
                remarks.append("no risk groups: no cut-off could be taken from the training patients")
            rows.append({**line, "remark": "; ".join(dict.fromkeys(remarks))})
        for name in MEASURES:
            for model, other in combinations(measured, 2):
                two = [measured[m][name] for m in (model, other)]
                parts = [panel[panel["model"] == m] for m in (model, other)]
                common = set(parts[0]["patient_id"]) & set(parts[1]["patient_id"])
                if any(set(part["patient_id"]) != common for part in parts):
                    two = _on_common(parts, common, (horizon, censored, resamples, seed), name, [why for _, why in two])
                comparisons.append({**about, "measure": name, "model": model, "other": other, **_difference(*two)})
    groups = [f"{what}_{name}" for name in ("high", "low") for what in ("n", "median", "free")]
    measures = [f"{name}{end}" for name in MEASURES for end in ("", "_low", "_high")]
    columns = ["model", *PANEL, "repeats", "n", "events", *measures, "log_rank_p", *groups, "remark"]
    return pd.DataFrame(rows, columns=columns), pd.DataFrame(
        comparisons, columns=[*PANEL, "measure", "model", "other", "difference", "low", "high", "p", "remark"]
    )


def _by_group(months: np.ndarray, event: np.ndarray, high: np.ndarray, horizon: float) -> dict[str, float]:
    why = why_no_interval((int(high.sum()), int((~high).sum())), few=FEW_IN_A_GROUP)
    found: dict[str, float] = {"log_rank_p": float("nan") if why else log_rank_p(months, event, high)}
    for name, members in (("high", high), ("low", ~high)):
        some = bool(members.any())
        found[f"n_{name}"] = int(members.sum())
        curve = kaplan_meier(months[members], event[members]) if some else None
        found[f"median_{name}"] = median_of_curve(curve) if some else float("nan")
        found[f"free_{name}"] = on_curve(curve, horizon)[0] if some else float("nan")
    return found


class _Patients:
    """The patients that a model is known in: their times, the pairs that count, and the resamples.

    Args:
        rows: predictions of one model and panel; the other arguments of `survival_tables`.
    """

    def __init__(self, rows: pd.DataFrame, horizon: float, censored: bool, resamples: int, seed: int):
        patients = rows.drop_duplicates("patient_id").sort_values("patient_id")
        self.names = list(patients["patient_id"])
        months, event = patients["rfs_months"].to_numpy(float), patients["rfs_event"].to_numpy(int)
        self.months, self.event = censor_at(months, event, horizon) if censored else (months, event)
        within, beyond = int(((event == 1) & (months <= horizon)).sum()), int((months > horizon).sum())
        # Enough who recur, and as many others to set them against.
        self.numbers = {
            "c": ((int(self.event.sum()), len(self.names) - LEAST_OF_EACH), few_events()),
            "auc_t": ((within, beyond), few_around()),
        }
        self.pairs = {"c": survival_pairs(self.months, self.event)}
        if within and beyond:
            self.pairs["auc_t"] = dynamic_pairs(months, event, horizon)
        number = len(self.names)
        self.drawn = np.vstack([np.ones((1, number)), resample_counts(number, resamples, seed)])

    def measure(self, rows: pd.DataFrame, words: str) -> dict[str, tuple[np.ndarray, str]]:
        """C and AUC of a model, observed and in each resample, and why one has no interval.

        Args:
            rows: of the model, of these patients. words: of `nothing_learned`.
        """
        found = {}
        for name in MEASURES:
            values = np.full(len(self.drawn), np.nan)
            if name in self.pairs and not words:
                values = Panel(rows, self.names).values(self.pairs[name], self.drawn)
            numbers, few = self.numbers[name]
            found[name] = values, why_no_interval(numbers, variance_of(values[1:]), words, few, SAME_IN_RESAMPLES)
        return found


def _on_common(
    parts: Sequence[pd.DataFrame], common: set[str], settings: tuple, name: str, words: Sequence[str]
) -> list[tuple[np.ndarray, str]]:
    """A measure of two models on the patients that both are known in; a score may be known in half of them."""
    if not common:
        return [(np.full(1, np.nan), "no patient has both")] * 2
    parts = [part[part["patient_id"].isin(common)] for part in parts]
    patients = _Patients(parts[0], *settings)
    silent = [why if why.startswith(NOTHING) else "" for why in words]
    return [patients.measure(part, why)[name] for part, why in zip(parts, silent, strict=True)]


def _difference(first: tuple[np.ndarray, str], second: tuple[np.ndarray, str]) -> dict[str, float | str]:
    """The first less the second, from the same resamples, and why there is no interval and no P."""
    gap = compare_by_bootstrap(first[0], second[0])
    why = list(dict.fromkeys(w for w in (first[1], second[1]) if w))
    if not why and np.isnan(gap["p"]):
        why = [SAME_IN_RESAMPLES]
    if why:
        gap |= {"low": np.nan, "high": np.nan, "p": np.nan}
    return {**gap, "remark": "; ".join(why)}
