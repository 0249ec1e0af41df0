"""How far a network's numbers move when it is trained again: with other kernels of the libraries, or another seed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from hcc_recurrence.endpoint import endpoint
from hcc_recurrence.statistics.auc import auc_delong, youden_threshold
from hcc_recurrence.statistics.trained_again import KERNELS, SEED

UNSEEN = "unseen"
PERCENT = 95


def patients_of_fit(scores: pd.DataFrame) -> pd.DataFrame:
    """One row a patient of one fit: index patient_id; role, and the mean probability of the patient's images."""
    grouped = scores.groupby("patient_id")
    return pd.DataFrame({"role": grouped["role"].first(), "probability": grouped["probability"].mean()})


def bootstrap_interval(y: np.ndarray, score: np.ndarray, resamples: int, seed: int) -> tuple[float, float]:
    """The 95% percentile interval of an AUC over resampled patients; NaN where too few resamples have both outcomes.

    Args:
        y: (n,) 0/1. score: (n,).
    """
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(resamples):
        rows = generator.integers(0, len(y), len(y))
        if 0 < y[rows].sum() < len(y):
            found.append(auc_delong(y[rows], score[rows]).auc)
    if len(found) < resamples / 2:
        return float("nan"), float("nan")
    low, high = np.percentile(found, [(100 - PERCENT) / 2, (100 + PERCENT) / 2])
    return float(low), float(high)


def movement(
    first: pd.DataFrame, again: pd.DataFrame, outcome: pd.Series, resamples: int, seed: int
) -> tuple[dict[str, float], pd.DataFrame]:
    """What another training of the same fit moves, in the patients whom neither of the two saw.

    The risk group of a patient is told by each training's own cut-off: Youden's on its own training patients.

    Args:
        first, again: scores of the two trainings: patient_id, role, probability; one row an image or a patient.
        outcome: er by patient_id.

    Returns: patients, early_recurrence, median and largest movement of a probability, auc with the bootstrap interval
        (`auc_low`, `auc_high`), auc_again, auc_moved, changed_group; and the patients' rows: patient_id, probability,
        probability_again, changed_group.

    Raises: ValueError where the two have no patient in common whom neither saw.
    """
    both = patients_of_fit(first).join(patients_of_fit(again), rsuffix="_again", how="inner")
    both["er"] = outcome.reindex(both.index).astype(int)
    unseen = both[(both["role"] == UNSEEN) & (both["role_again"] == UNSEEN)].copy()
    if unseen.empty:
        raise ValueError("no patient whom neither training saw: which fit is this?")
    groups = {}
    for end in ("", "_again"):
        own = both[both[f"role{end}"] != UNSEEN]
        cut_off = youden_threshold(own["er"].to_numpy(), own[f"probability{end}"].to_numpy())
        groups[end] = unseen[f"probability{end}"] >= cut_off
    unseen["changed_group"] = groups[""] != groups["_again"]
    moved = (unseen["probability"] - unseen["probability_again"]).abs()
    y = unseen["er"].to_numpy()
    aucs, interval = [np.nan, np.nan], (np.nan, np.nan)
    if 0 < y.sum() < len(y):
        aucs = [auc_delong(y, unseen[column].to_numpy()).auc for column in ("probability", "probability_again")]
        interval = bootstrap_interval(y, unseen["probability"].to_numpy(), resamples, seed)
    summary = {
        "patients": len(unseen),
        "early_recurrence": int(y.sum()),
        "median_moved": float(moved.median()),
        "largest_moved": float(moved.max()),
        "auc": aucs[0],
        "auc_low": interval[0],
        "auc_high": interval[1],
        "auc_again": aucs[1],
        "auc_moved": aucs[1] - aucs[0],
        "changed_group": int(unseen["changed_group"].sum()),
    }
    columns = ["probability", "probability_again", "changed_group"]
    return summary, unseen[columns].rename_axis("patient_id").reset_index()


def methods_sentence(table: pd.DataFrame, kernels: tuple[str, str]) -> str:
    """A sentence for a methods section.

    Args:
        table: rows of `movement`, with columns model and again. kernels: those of the run and the others, in words.
    """
    parts = []
    for again, words in (
        (KERNELS, f"with other machine code of the numerical libraries ({kernels[1]} instead of {kernels[0]})"),
        (SEED, "with another random seed"),
    ):
        own = table[table["again"] == again]
        if own.empty:
            continue
        most = own["changed_group"] / own["patients"]
        parts.append(
            f"{words}: a patient's probability of {endpoint().name} outside training moved by a median of "
            f"{own['median_moved'].median():.2g} and at most {own['largest_moved'].max():.2g}, the AUC by at most "
            f"{own['auc_moved'].abs().max():.2g}, and at most {100 * most.max():.0f}% of patients changed risk group"
        )
    widths = (table["auc_high"] - table["auc_low"]).dropna()
    beside = f" The 95% bootstrap intervals of these AUCs are {widths.median():.2f} wide." if len(widths) else ""
    number = table["model"].nunique()
    networks = "The network was" if number == 1 else f"Each of the {number} networks was"
    return f"{networks} trained once more {'; once more '.join(parts)}.{beside}"


def beside_differences(
    pairs: pd.DataFrame,
    movements: Mapping[str, pd.DataFrame],
    main: Sequence[str],
    without_network: Collection[str] = (),
) -> pd.DataFrame:
    """Differences between methods beside what another seed moves.

    Args:
        pairs: DeLong tests of a comparison: protocol, split, estimate, model, other, difference, p; models are
            `paper:model`. movements: paper -> rows of `movement`. main: beginnings of the models that are compared.
        without_network: models of tables alone, which no seed of a network moves.

    Returns: strict pairs of two papers: split, estimate, model, other, difference, p, moved_by_seed (the largest of an
        AUC of a network of either paper, of models that rest on one), verdict: `no AUC` where there is no difference.
    """

    def paper(model: str) -> str:
        return model.split(":")[0] if ":" in model else ""

    rows = pairs[pairs["protocol"] == "strict"]
    of_two = rows["model"].map(paper) != rows["other"].map(paper)
    of_main = rows["model"].map(lambda m: m.startswith(tuple(main))) & rows["other"].map(
        lambda m: m.startswith(tuple(main))
    )
    rows = rows[of_two & of_main]
    by_seed = {name: float(own.loc[own["again"] == SEED, "auc_moved"].abs().max()) for name, own in movements.items()}
    found = rows[["split", "estimate", "model", "other", "difference", "p"]].copy()
    of_networks = [found[c].map(paper).where(~found[c].isin(without_network)) for c in ("model", "other")]
    found["moved_by_seed"] = pd.concat([p.map(by_seed) for p in of_networks], axis=1).max(axis=1)
    moved, difference = found["moved_by_seed"], found["difference"].abs()
    found["verdict"] = np.select(
        [difference.isna(), moved.isna(), difference <= moved],
        ["no AUC", "no network", "no larger than what another seed moves"],
        "larger than what another seed moves",
    )
    return found.reset_index(drop=True)
