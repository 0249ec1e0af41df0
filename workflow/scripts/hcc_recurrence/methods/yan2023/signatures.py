"""Yan 2023 (Eur Radiol 33:4949): a signature of each phase from VGG19 features, and their fusion mp-MR.

docs/methods.md 3. The grid of three rankings and five classifiers is `learning.signature_grid`; here each phase's
cell is chosen in both protocols, the phases are fused, and the grid becomes a table. The nomograms are in
`yan2023_nomograms`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hcc_recurrence.learning.estimators import predicted
from hcc_recurrence.learning.signature_grid import (
    CELL,
    FITTED,
    INNER,
    UNSEEN,
    choose_by_validation,
    choose_cells,
)
from hcc_recurrence.methods.yan2023.declare import FUSED, PHASE_NAMES
from hcc_recurrence.statistics.auc import auc_cross_validated, auc_delong

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

FIT = ["repeat", "fold"]


def cells_of(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Selector and classifier of every cell, in the order of the config."""
    return [(selector, classifier) for selector in settings["selectors"] for classifier in settings["classifiers"]]


def choose_signatures(
    scores: pd.DataFrame, choices: pd.DataFrame, labels: pd.DataFrame, split: pd.DataFrame, settings: Mapping[str, Any]
) -> pd.DataFrame:
    """The cell of each phase in every fit: by inner cross-validation (`strict`), by validation AUC (`as_published`).

    Args:
        scores, choices: of all cells of all phases (`fit_cell`), with the columns phase, selector, classifier.

    Returns: protocol, phase, repeat, fold, selector, classifier, k, features, inner_auc.
    """
    outcome = labels.set_index("patient_id")["er"]
    validation = sorted(split.loc[split["split"] == "validation", "patient_id"])
    order, found = cells_of(settings), []
    for phase, own in choices.groupby("phase", sort=False):
        mine = scores[scores["phase"] == phase]
        found.append(choose_cells(own, order).assign(protocol="strict", phase=phase))
        published = choose_by_validation(mine, own, outcome, validation, order)
        found.append(published.assign(protocol="as_published", phase=phase))
    return pd.concat(found, ignore_index=True)[["protocol", "phase", *FIT, *CELL, "k", "features", "inner_auc"]]


def fuse(scores: pd.DataFrame, chosen: pd.DataFrame, labels: pd.DataFrame, settings: Mapping[str, Any]) -> pd.DataFrame:
    """The signatures of all phases and mp-MR of every patient in every fit.

    `strict` learns later steps from `inner` probabilities of the training rows, `as_published` from `fitted` ones:
    those of the models that learned from the same rows.

    Args:
        chosen: from `choose_signatures`. settings: fusion, `mean` of the probabilities or `logistic` regression.

    Returns: protocol, repeat, fold, part (`learned` or `unseen`), patient_id, one column a phase name, mp-MR.

    Source: the mean follows from Yan 2023, Table 1 (docs/methods.md 3.5).
    """
    outcome, found = labels.set_index("patient_id")["er"], []
    keys = ["phase", *FIT, *CELL]
    for (protocol, repeat, fold), cells in chosen.groupby(["protocol", *FIT]):
        own = scores.merge(cells[keys], on=keys)
        learned = INNER if protocol == "strict" else FITTED
        wide = {}
        for part, name in ((learned, "learned"), (UNSEEN, "unseen")):
            rows = own[own["part"] == part].pivot(index="patient_id", columns="phase", values="probability")
            # Without patients outside training there is no column either.
            wide[name] = rows.reindex(columns=list(cells["phase"])).rename(columns=PHASE_NAMES)
        fused = {name: rows.mean(axis=1) for name, rows in wide.items()}
        if settings["fusion"] == "logistic":
            fused = _logistic_fusion(wide, outcome)
        for name, rows in wide.items():
            about = {"protocol": protocol, "repeat": repeat, "fold": fold, "part": name}
            found.append(rows.assign(**{FUSED: fused[name]}, **about).reset_index())
    table = pd.concat(found, ignore_index=True)
    first = ["protocol", *FIT, "part", "patient_id"]
    return table[[*first, *[c for c in table.columns if c not in first]]]


def fit_fusion(learned: pd.DataFrame, outcome: pd.Series) -> LogisticRegression:
    """mp-MR as a logistic regression on the signatures of the phases (`fusion: logistic`).

    Args:
        learned: index patient_id, a column a signature. outcome: er by patient.
    """
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=1000).fit(learned.to_numpy(), outcome.loc[learned.index].to_numpy(int))


def _logistic_fusion(wide: Mapping[str, pd.DataFrame], outcome: pd.Series) -> dict[str, pd.Series]:
    model = fit_fusion(wide["learned"], outcome)
    return {name: pd.Series(predicted(model, rows.to_numpy()), rows.index, dtype=float) for name, rows in wide.items()}


def grid_table(
    scores: pd.DataFrame, choices: pd.DataFrame, chosen: pd.DataFrame, labels: pd.DataFrame, split: pd.DataFrame
) -> pd.DataFrame:
    """AUC of every cell of every phase, with its interval, and how often it was chosen.

    Returns: phase, selector, classifier, estimate (`out_of_fold`: each fold by a model that never saw it;
    `validation`, `external`: by the models of all training patients, the mean over repeats; `apparent`: on the patients
    they learned from, repeat 1), n, auc, low, high, k (median over the fits), chosen_strict (share of the fits),
    chosen_as_published.
    """
    outcome = labels.set_index("patient_id")["er"]
    place = split.set_index("patient_id")["split"]
    numbers = choices[choices["chosen"]].groupby(["phase", *CELL])["k"].median()
    strict = chosen[chosen["protocol"] == "strict"]
    share = strict.groupby(["phase", *CELL]).size() / strict.groupby("phase").size().iloc[0]
    published = set(
        chosen.loc[chosen["protocol"] == "as_published", ["phase", *CELL]].itertuples(index=False, name=None)
    )
    rows = []
    for key, own in scores.groupby(["phase", *CELL], sort=False):
        unseen = own[own["part"] == UNSEEN]
        folds, whole = unseen[unseen["fold"] > 0], unseen[unseen["fold"] == 0]
        y = outcome.loc[folds["patient_id"]].to_numpy(int)
        area = auc_cross_validated(
            y, folds["probability"].to_numpy(), folds["fold"].to_numpy(), folds["repeat"].to_numpy()
        )
        areas = {"out_of_fold": (folds["patient_id"].nunique(), area)}
        groups = {name: whole[place.loc[whole["patient_id"]].to_numpy() == name] for name in ("validation", "external")}
        groups["apparent"] = own[(own["part"] == FITTED) & (own["fold"] == 0) & (own["repeat"] == 1)]
        for name, part in groups.items():
            mean = part.groupby("patient_id")["probability"].mean()
            truth = outcome.loc[mean.index].to_numpy(int)
            if len(set(truth.tolist())) == 2:
                areas[name] = (len(mean), auc_delong(truth, mean.to_numpy()))
        about = dict(zip(["phase", *CELL], key, strict=True))
        for estimate, (n, area) in areas.items():
            line = {"estimate": estimate, "n": n, "auc": area.auc, "low": area.low, "high": area.high}
            kept = {"k": numbers[key], "chosen_strict": share.get(key, 0.0), "chosen_as_published": key in published}
            rows.append({**about, **line, **kept})
    return pd.DataFrame(rows)


def signature_table(fused: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Yan's Table 1: each signature by outcome on the training patients, and its odds ratio.

    Strict: probabilities by inner cross-validation; as published: those of the models that learned from the patients.

    Returns: protocol, signature, n, early (median and IQR), none (the same), p (Mann-Whitney), odds_ratio, low, high
    per 0.1, odds_ratio_unit (per 1, as the paper prints it), p_odds, method.
    """
    from scipy.stats import mannwhitneyu

    from hcc_recurrence.statistics.logistic import logistic_table

    outcome, rows = labels.set_index("patient_id")["er"], []
    whole = fused[(fused["repeat"] == 1) & (fused["fold"] == 0) & (fused["part"] == "learned")]
    for protocol, own in whole.groupby("protocol", sort=False):
        y = outcome.loc[own["patient_id"]].to_numpy(int)
        for name in signatures_of(own):
            value = own[name].to_numpy(float)
            line = {"protocol": protocol, "signature": name, "n": len(y)}
            for words, group in (("early", value[y == 1]), ("none", value[y == 0])):
                low, middle, high = np.percentile(group, [25, 50, 75])
                line[words] = f"{middle:.3f} ({low:.3f}-{high:.3f})"
            ratio = logistic_table(y, pd.DataFrame({name: value * 10}), firth=True).iloc[0]
            line |= {"p": float(mannwhitneyu(value[y == 1], value[y == 0]).pvalue)}
            line |= {"odds_ratio": ratio["odds_ratio"], "low": ratio["low"], "high": ratio["high"]}
            with np.errstate(over="ignore"):
                line |= {"odds_ratio_unit": float(np.exp(10 * ratio["coefficient"]))}
            rows.append({**line, "p_odds": ratio["p"], "method": ratio["method"]})
    return pd.DataFrame(rows)


def signatures_of(table: pd.DataFrame) -> list[str]:
    """Names of the signatures among the columns, mp-MR last."""
    return [c for c in table.columns if c in PHASE_NAMES.values()] + [FUSED]


def choices_table(chosen: pd.DataFrame, steps: pd.DataFrame) -> pd.DataFrame:
    """The cell of each phase in the fit of all training patients, and what the selection left of its features.

    Args:
        steps: phase, repeat, fold, step, features (`rank_fits`).

    Returns: protocol, signature, selector, classifier, extracted, related, not redundant, features, inner_auc, fits (of
    the protocol), same cell (share of them that chose this cell).
    """
    left = steps[(steps["repeat"] == 1) & (steps["fold"] == 0)].drop_duplicates(["phase", "step"])
    left = left.pivot(index="phase", columns="step", values="features")
    rows = []
    for (protocol, phase), fits in chosen.groupby(["protocol", "phase"], sort=False):
        whole = fits[(fits["repeat"] == 1) & (fits["fold"] == 0)].iloc[0]
        same = (fits[CELL] == whole[CELL].to_numpy()).all(axis=1).mean()
        about = {"protocol": protocol, "signature": PHASE_NAMES[phase], **whole[CELL].to_dict()}
        counts = {step: int(left.loc[phase, step]) for step in ("extracted", "related", "not redundant")}
        numbers = {"features": int(whole["features"]), "inner_auc": float(whole["inner_auc"])}
        rows.append({**about, **counts, **numbers, "fits": len(fits), "same cell": float(same)})
    return pd.DataFrame(rows)
