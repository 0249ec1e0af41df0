"""Models against one another, protocols against one another: tables from the predictions table alone.

Everywhere one fitted model is the unit (`single_models`): repeat beside repeat, then the mean over the repeats.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from hcc_recurrence.statistics.auc import auc_cross_validated
from hcc_recurrence.statistics.classification import auc_of_repeat, both_outcomes
from hcc_recurrence.statistics.concordance import (
    Pairs,
    bootstrap_p,
    concordance,
    outcome_pairs,
    percentile_interval,
    resample_counts,
    variance_of,
)
from hcc_recurrence.statistics.degenerate import (
    NOTHING_VARIES,
    ONE_OUTCOME,
    PANEL_OF_MODEL,
    SAME_IN_RESAMPLES,
    SAME_ORDER,
    kept,
    models_of_nothing,
    nothing_learned,
    outcome_numbers,
    why_no_interval,
)
from hcc_recurrence.statistics.delong import PAIR, holm, paired_rows, unpaired_test, variance_of_interval
from hcc_recurrence.statistics.reliability import cohen_kappa
from hcc_recurrence.statistics.score_columns import ScoreColumns
from hcc_recurrence.statistics.single_models import (
    mean_and_spread,
    rounded,
    single_fits_beside_all,
    training_cut_offs,
    training_rows,
)

PANEL = ["protocol", "split", "estimate"]
# Cross-validations of two methods: scores of different fits are no scale, so that pairs are formed within folds alone.
OTHER_FOLDS = "their cross-validations have other folds: no pairs in common"
# What stands for one kind of patients in the two protocols.
KINDS = {
    "training (apparent; out of fold)": (("train", "apparent"), ("train", "out_of_fold")),
    "training (cross-validated; out of fold)": (("train", "cross_validated"), ("train", "out_of_fold")),
    "validation": (("validation", "held_out"), ("validation", "held_out")),
    "external": (("external", "held_out"), ("external", "held_out")),
}


def comparison_family(model: str, other: str, main: Sequence[str] = ()) -> str:
    """The family of pairs that two models are compared in; empty where a comparison would say nothing.

    What papers are about is one family, `models`. Variants of a main model bear its name and words of their own
    (`Radiomics SVM`, `DLRCR without deep`); they are compared with one another and with it, as a family of its name.

    Args:
        main: names of the main models that have variants; a name of several words is one name.
    """

    def origin(name: str) -> str:
        return max((m for m in main if name == m or name.startswith(f"{m} ")), key=len, default=name)

    first, second = origin(model), origin(other)
    if (first, second) == (model, other):
        return "models"
    return first if first == second else ""


def _families(models: Sequence[str], main: Sequence[str]) -> list[tuple[str, str, str]]:
    pairs = [(m, o, comparison_family(m, o, main)) for i, m in enumerate(models) for o in models[i + 1 :]]
    return [pair for pair in pairs if pair[2]]


def delong_pairs(predictions: pd.DataFrame, models: Sequence[str], main: Sequence[str] = ()) -> pd.DataFrame:
    """Paired DeLong test of the pairs of each family in each protocol, split and estimate, on the patients both have.

    With several repeats a model's repeat stands beside the other's, a model that was fitted once beside each of them;
    the AUCs, their difference and its variance are means over the repeats (repeats share their patients, so that the
    variance of the mean is at most that). P values are corrected by Holm over the pairs of a family in a panel. A pair
    with a model that tells nobody apart has no difference, interval or P, and one of a handful of patients no interval
    or P; `remark` says why.

    Returns: protocol, split, estimate, n, family, the columns of `paired_table`, and remark; one row a pair.
    """
    known = predictions[predictions["model"].isin(models)]
    rows, nothing = rounded(known), models_of_nothing(known)
    parts = []
    for key, panel in rows.groupby(PANEL, sort=False):
        wide = single_fits_beside_all(panel).pivot(
            index=["patient_id", "repeat", "fold", "y"], columns="model", values="probability"
        )
        found = []
        columns = ScoreColumns(wide)
        for model, other, family in _families([m for m in models if m in wide], main):
            about = {"model": model, "other": other, "family": family}
            both, common = columns.rows_of_both(model, other)
            # Of two cross-validations some patients have a fold of the same number by chance: they are no sample.
            other_folds = both.sum() < common.sum()
            usable = both & columns.in_folds_of_both_outcomes(both)
            if other_folds or not usable.any():
                n = columns.patients_of(common)
                words = OTHER_FOLDS if other_folds else ONE_OUTCOME if n else "no patient has both"
                found.append({**about, "n": n, "remark": words})
                continue
            y, fold, repeat = (part[usable] for part in (columns.y, columns.fold, columns.repeat))
            scores = {m: columns.scores[m][usable] for m in (model, other)}
            pair = paired_rows(y, scores, fold, repeat)[0]
            words = "; ".join(f"{m}: {nothing[m, *key]}" for m in scores if (m, *key) in nothing)
            if words:
                pair |= dict.fromkeys(PAIR[2:], np.nan)
            same = SAME_ORDER if abs(pair["difference"]) < 1e-12 else NOTHING_VARIES
            variance = variance_of_interval(pair["low"], pair["high"])
            words = why_no_interval(outcome_numbers(y, repeat), variance, words, same=same)
            found.append({**pair, **about, "n": len(np.unique(columns.patient[usable])), "remark": words})
        if not found:
            continue
        table = pd.DataFrame(found, columns=[*PAIR, "n", "family", "remark"])
        table = table.astype(dict.fromkeys(PAIR[2:], float))
        table["p_holm"] = table.groupby("family")["p"].transform(holm)
        parts.append(table.assign(**dict(zip(PANEL, key, strict=True))))
    if not parts:
        return pd.DataFrame(columns=[*PANEL, "n", "family", "model", "other", "p", "p_holm", "remark"])
    result = pd.concat(parts, ignore_index=True)
    first = [*PANEL, "n", "family"]
    return result[[*first, *[c for c in result.columns if c not in first]]]


def training_against_others(metrics: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """Unpaired DeLong test of each model's training AUC against its AUC in the other splits (Zhao 2024, Table 4).

    In the strict protocol the training AUC is the out-of-fold one, as published the cross-validated one where there is
    such, with their variance within folds, else the apparent one. Both AUCs and their
    variances are those of the metrics table: means over the repeats of single models.

    No test where one of the two has no interval; no difference either where a model tells nobody apart.

    Returns: model, protocol, split, difference, low, high, z, p, remark.
    """
    rows, nothing = [], models_of_nothing(predictions)
    for (model, protocol), group in metrics.groupby(["model", "protocol"]):
        own = training_rows(group, protocol)
        if own.empty:
            # A model that was fitted elsewhere has no training patients here.
            continue
        for other in group[group["split"] != "train"].to_dict("records"):
            training = own.iloc[0]
            areas = (training["auc"], training["auc_variance"], other["auc"], other["auc_variance"])
            found = unpaired_test(*areas).__dict__
            words = nothing.get((model, protocol, "train", training["estimate"])) or nothing.get(
                (model, protocol, other["split"], other["estimate"]), ""
            )
            if words:
                found = {}
            elif np.isnan(found["p"]):
                # The metrics table says why one of the two has no interval.
                parts = {"training": training["remark"], other["split"]: other["remark"]}
                words = "; ".join(f"{name}: {why}" for name, why in parts.items() if isinstance(why, str) and why)
                words = words or "no interval of one of the two"
            rows.append({"model": model, "protocol": protocol, "split": other["split"], **found, "remark": words})
    return pd.DataFrame(rows, columns=["model", "protocol", "split", "difference", "low", "high", "z", "p", "remark"])


class Panel:
    """One model's rows of one panel, ready for bootstraps over patients.

    Args:
        rows: predictions of one model, protocol, split and estimate. patients: order of the resampled counts.
    """

    def __init__(self, rows: pd.DataFrame, patients: Sequence[str]):
        position = {p: i for i, p in enumerate(patients)}
        self.members, self.scores = [], []
        for _, part in rounded(rows).groupby(["repeat", "fold"]):
            self.members.append(np.array([position[p] for p in part["patient_id"]]))
            self.scores.append(part["probability"].to_numpy(float))

    def values(self, pairs: Pairs, drawn: np.ndarray) -> np.ndarray:
        """The measure that `pairs` (over all patients) defines, for each resample; mean over folds and repeats."""
        groups = [Pairs(pairs.weight[np.ix_(m, m)]) for m in self.members]
        return concordance(groups, self.scores, [drawn[:, m] for m in self.members])


def optimism_table(predictions: pd.DataFrame, resamples: int, seed: int) -> pd.DataFrame:
    """AUC as published minus strict, for each model and kind of patients, with a bootstrap over patients.

    One fitted model against one fitted model: the strict AUC is the mean over the repeats of single models' AUCs. The
    fitted models are taken as they are: the interval holds the chance of the patients, not of the training. The chance
    of the training is `strict_sd_over_repeats`: an optimism no larger than that may be another draw of random numbers.

    Returns: model, patients, n, repeats (of the strict protocol), strict, strict_sd_over_repeats, as_published,
    optimism, low, high, remark.
    """
    rows, nothing = [], models_of_nothing(predictions)
    for model, own in predictions.groupby("model"):
        for kind, ((split, published), (_, strict)) in KINDS.items():
            mine = own[own["split"] == split]
            parts = {
                "as_published": mine[(mine["protocol"] == "as_published") & (mine["estimate"] == published)],
                "strict": mine[(mine["protocol"] == "strict") & (mine["estimate"] == strict)],
            }
            if any(part.empty for part in parts.values()):
                continue
            # An optimism is of the same patients: a protocol may know a score in fewer of them.
            common = set(parts["strict"]["patient_id"]) & set(parts["as_published"]["patient_id"])
            parts = {name: part[part["patient_id"].isin(common)] for name, part in parts.items()}
            mine = mine[mine["patient_id"].isin(common)]
            if not common:
                rows.append({"model": model, "patients": kind, "n": 0, "remark": "no patient has both"})
                continue
            keys = ((model, "as_published", split, published), (model, "strict", split, strict))
            words = "; ".join(f"{key[1].replace('_', ' ')}: {nothing[key]}" for key in keys if key in nothing)
            patients = mine.drop_duplicates("patient_id").sort_values("patient_id")
            names, y = list(patients["patient_id"]), patients["y"].to_numpy()
            repeats = parts["strict"]["repeat"].nunique()
            if len(set(y.tolist())) < 2:
                about = {"model": model, "patients": kind, "n": len(names), "repeats": repeats}
                rows.append({**about, "remark": ONE_OUTCOME})
                continue
            pairs = outcome_pairs(y)
            drawn = np.vstack([np.ones((1, len(names))), resample_counts(len(names), resamples, seed)])
            values = {name: Panel(part, names).values(pairs, drawn) for name, part in parts.items()}
            gap = values["as_published"] - values["strict"]
            strict_rows = both_outcomes(rounded(parts["strict"]))
            singles = [auc_of_repeat(part) for _, part in strict_rows.groupby("repeat")]
            numbers = (int(y.sum()), int((1 - y).sum()))
            why = why_no_interval(numbers, variance_of(gap[1:]), words, same=SAME_IN_RESAMPLES)
            low, high = kept(*percentile_interval(gap[1:]), why)
            if words:
                # Nothing learned in one of the protocols is no optimism of the other.
                gap = np.full(1, np.nan)
            rows.append(
                {
                    "model": model,
                    "patients": kind,
                    "n": len(names),
                    "repeats": repeats,
                    "strict": values["strict"][0],
                    "strict_sd_over_repeats": np.nan if words else mean_and_spread(singles)[1],
                    "as_published": values["as_published"][0],
                    "optimism": gap[0],
                    "low": low,
                    "high": high,
                    "remark": why,
                }
            )
    columns = ["model", "patients", "n", "repeats", "strict", "strict_sd_over_repeats", "as_published"]
    columns += ["optimism", "low", "high", "remark"]
    return pd.DataFrame(rows, columns=columns)


def agreement_table(predictions: pd.DataFrame, models: Sequence[str], main: Sequence[str] = ()) -> pd.DataFrame:
    """How far two models say the same of the same patients.

    Spearman's correlation of the probabilities, and Cohen's kappa of the classes at each model's own cut-off, of each
    repeat by itself, and their means over the repeats; none with a model that tells nobody apart.

    Returns: protocol, split, estimate, model, other, n, spearman, kappa.
    """
    known = rounded(predictions[predictions["model"].isin(models)])
    cuts, nothing = training_cut_offs(known), models_of_nothing(known)
    rows = []
    for key, panel in known.groupby(PANEL, sort=False):
        own_cuts = [cuts[m, p, r] for m, p, r in zip(panel["model"], panel["protocol"], panel["repeat"], strict=True)]
        panel = single_fits_beside_all(panel.assign(cut_off=own_cuts))
        wide = panel.pivot(index=["repeat", "patient_id"], columns="model", values=["probability", "cut_off"])
        names = list(wide["probability"].columns)
        scores, limits = (wide[c].to_numpy(float).T for c in ("probability", "cut_off"))
        repeat, patient = (wide.index.get_level_values(level).to_numpy() for level in ("repeat", "patient_id"))
        present = [m for m in models if m in names]
        for model, other, _ in _families(present, main):
            two = [names.index(model), names.index(other)]
            both = ~np.isnan(scores[two]).any(axis=0)
            told = all((m, *key) not in nothing for m in (model, other))
            parts = [both & (repeat == one) for one in np.unique(repeat[both])] if told else []
            pairs = [_agreement(*(values[two][:, part] for values in (scores, limits))) for part in parts]
            rows.append(
                {
                    **dict(zip(PANEL, key, strict=True)),
                    "model": model,
                    "other": other,
                    "n": len(set(patient[both])),
                    "spearman": float(np.mean([rho for rho, _ in pairs])) if pairs else np.nan,
                    "kappa": float(np.mean([kappa for _, kappa in pairs])) if pairs else np.nan,
                }
            )
    return pd.DataFrame(rows, columns=[*PANEL, "model", "other", "n", "spearman", "kappa"])


def _agreement(scores: np.ndarray, cuts: np.ndarray) -> tuple[float, float]:
    """Spearman's correlation and kappa of two fitted models; NaN where one has a single score, or no cut-off.

    Args:
        scores, cuts: (2, patients); each model's cut-off, the same for all patients.
    """
    from scipy.stats import spearmanr

    varied = scores.shape[1] > 2 and (np.ptp(scores, axis=1) > 0).all()
    rho = float(spearmanr(*scores).statistic) if varied else float("nan")
    if np.isnan(cuts).any():
        return rho, float("nan")
    return rho, cohen_kappa(*(scores >= cuts).astype(int)).kappa


def auc_by_seed(predictions: pd.DataFrame) -> pd.DataFrame:
    """AUC of each repeat of each model in the strict protocol; NaN where the repeat's fits tell nobody apart.

    Returns: model, split, estimate, repeat, seed, auc.
    """
    rows = []
    strict = rounded(predictions[predictions["protocol"] == "strict"])
    keys = ["model", "split", "estimate", "repeat", "seed"]
    for key, part in strict.groupby(keys):
        usable = both_outcomes(part)
        if len(usable):
            silent = nothing_learned(*(usable[c].to_numpy() for c in ("probability", "fold", "repeat")))
            area = float("nan") if silent else auc_of_repeat(usable)
            rows.append({**dict(zip(keys, key, strict=True)), "auc": area})
    return pd.DataFrame(rows, columns=[*keys, "auc"])


def compare_by_bootstrap(first: np.ndarray, second: np.ndarray) -> dict[str, float]:
    """Difference of a measure of two models from the same resamples; the first entry is the observed value."""
    gap = first - second
    low, high = percentile_interval(gap[1:])
    return {"difference": float(gap[0]), "low": low, "high": high, "p": bootstrap_p(gap[1:])}


def strata_table(predictions: pd.DataFrame, strata: pd.DataFrame) -> pd.DataFrame:
    """AUC of each model within groups of patients, and the unpaired DeLong test of each group against the first.

    The first is the first that has an AUC; remarks name it where it is another, and where it has no interval.
    Zhao 2024 compares field strengths so (docs/methods.md 4.3). Out of fold, AUCs are means over the folds that hold
    both outcomes in the group; with several repeats the mean of single models. Groups without both outcomes have no
    AUC; a handful of patients has no interval and no test.

    Args:
        strata: index patient_id, one column a variable, text (missing: the patient is in no group).

    Returns: model, protocol, split, estimate, variable, level, n, n_pos, auc, auc_low, auc_high, difference, low,
    high, p, remark.
    """
    rows = []
    comparable, nothing = rounded(predictions), models_of_nothing(predictions)
    for variable in strata.columns:
        groups = comparable["patient_id"].map(strata[variable])
        for key, panel in comparable.groupby(PANEL_OF_MODEL):
            reference, against = None, ""
            levels = sorted(groups.loc[panel.index].dropna().unique())
            for level in levels:
                own = panel[groups.loc[panel.index] == level]
                patients = own.drop_duplicates("patient_id")
                line = {
                    **dict(zip(["model", *PANEL], key, strict=True)),
                    "variable": variable,
                    "level": level,
                    "n": len(patients),
                    "n_pos": int(patients["y"].sum()),
                }
                usable = both_outcomes(own)
                if len(usable) and key not in nothing:
                    columns = [usable[c].to_numpy() for c in ("y", "probability", "fold", "repeat")]
                    area = auc_cross_validated(*columns)
                    line |= {"auc": area.auc, "auc_low": area.low, "auc_high": area.high}
                    line["remark"] = area.why
                    if reference is None:
                        reference, against = area, level
                    else:
                        gap = unpaired_test(area.auc, area.test_variance, reference.auc, reference.test_variance)
                        line |= {"difference": gap.difference, "low": gap.low, "high": gap.high, "p": gap.p}
                        words = [area.why, f"compared with {against}" if against != levels[0] else ""]
                        words.append(f"no test: {against} has no interval" if reference.why else "")
                        line["remark"] = "; ".join(w for w in words if w)
                else:
                    line["remark"] = nothing.get(key, ONE_OUTCOME)
                rows.append(line)
    numbers = ["auc", "auc_low", "auc_high", "difference", "low", "high", "p", "remark"]
    return pd.DataFrame(rows, columns=["model", *PANEL, "variable", "level", "n", "n_pos", *numbers])
