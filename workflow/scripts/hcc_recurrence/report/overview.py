"""The first page of the report: who was compared with whom, and what a reader must know before a number is believed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from hcc_recurrence.cohort.changes import FIRST, SAME
from hcc_recurrence.figures.p_values import auc_text
from hcc_recurrence.statistics.degenerate import NOTHING

# Fewer patients with, or without, the outcome than that leave an external validation uncertain (Collins, Ogundimu and
# Altman, Stat Med 2016;35:214: at least 100 events, better 200).
ENOUGH_OF_EACH = 100
KINDS = (
    ("training, out of fold", "strict", "train", ("out_of_fold",)),
    ("validation", "strict", "validation", ("held_out",)),
    ("external", "strict", "external", ("held_out",)),
    ("training, as published", "as_published", "train", ("cross_validated", "apparent")),
    ("validation, as published", "as_published", "validation", ("held_out",)),
    ("external, as published", "as_published", "external", ("held_out",)),
)


@dataclass(frozen=True)
class Warning:
    """A sentence that a reader must know, and the kind that it is of."""

    kind: str
    text: str


def comparison_table(metrics: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """AUC (95% CI) of each paper's main models, then of clinical scores and confounders such as the tumour's volume.

    Args:
        metrics: of a comparison, models of papers as `paper:model`. titles: paper -> its name.

    Returns: method, model, and a column a kind of patients that there are.
    """
    keyed = metrics.set_index(["model", "protocol", "split", "estimate"])
    rows = []
    for model in sorted(metrics["model"].unique(), key=lambda name: (":" not in name, name == "Centre", name)):
        paper, colon, name = model.partition(":")
        row = {"method": titles[paper], "model": name} if colon else {"method": _kind_of(model), "model": model}
        for words, protocol, split, estimates in KINDS:
            there = [(model, protocol, split, e) for e in estimates if (model, protocol, split, e) in keyed.index]
            row[words] = auc_text(keyed.loc[there[0]]) if there else ""
        # Sets of one centre each: nothing could be told apart by the centre, and there is nothing to read.
        if model != "Centre" or any(row[words] not in ("", NOTHING) for words, *_ in KINDS):
            rows.append(row)
    table = pd.DataFrame(rows, columns=["method", "model", *(kind[0] for kind in KINDS)])
    return table[[column for column in table if (table[column] != "").any()]]


def _kind_of(model: str) -> str:
    return {"Volume": "tumour volume", "Centre": "centre"}.get(model, "clinical score")


def sizes(metrics: pd.DataFrame) -> dict[str, tuple[int, int]]:
    """Patients, and those with the outcome, of each set of the strict protocol, by its words."""
    own = metrics[metrics["protocol"] == "strict"]
    largest = own.sort_values("n").groupby("split").last()
    names = {"train": "training", "validation": "validation", "external": "external"}
    return {
        name: (int(largest.at[split, "n"]), int(largest.at[split, "n_pos"]))
        for split, name in names.items()
        if split in largest.index
    }


def small_sets(metrics: pd.DataFrame, where: str, outcome: str) -> list[Warning]:
    """Sets of patients that leave an AUC uncertain, with how far: half the width of the median interval."""
    found = []
    strict = metrics[metrics["protocol"] == "strict"]
    for name, (n, events) in sizes(metrics).items():
        if min(events, n - events) < ENOUGH_OF_EACH:
            own = strict[strict["split"] == {"training": "train"}.get(name, name)]
            halves = ((own["auc_high"] - own["auc_low"]) / 2).dropna()
            width = f": an AUC is uncertain by about {halves.median():.2f} to either side" if len(halves) else ""
            found.append(f"{name} {n} patients, {events} with {outcome}{width}")
    return [Warning("Few patients", f"{where}: {'; '.join(found)}.")] if found else []


def models_of_nothing(metrics: pd.DataFrame, titles: Mapping[str, str], where: str) -> list[Warning]:
    """Models of papers that give all patients one score, such as a regression that selected no variable."""
    said = metrics["remark"].fillna("").astype(str).str.startswith(NOTHING) if "remark" in metrics else None
    strict = metrics[(metrics["protocol"] == "strict") & metrics["model"].str.contains(":")]
    silent = strict[said.loc[strict.index]] if "remark" in metrics else strict[:0]
    told = []
    for model in sorted(silent["model"].unique()):
        everywhere = (silent["model"] == model).sum() == (strict["model"] == model).sum()
        only = silent.loc[silent["model"] == model, "remark"].eq(NOTHING).all()
        told.append(f"{_named(model, titles)}{'' if everywhere and only else ' (in some sets or fits)'}")
    if not told:
        return []
    gives = "gives" if len(told) == 1 else "give"
    return [Warning("Models without a variable", f"{where}: {', '.join(told)} {gives} all patients the same score.")]


def identical_models(predictions: pd.DataFrame, titles: Mapping[str, str], where: str) -> list[Warning]:
    """Models that are one model, not two: the same probability or, with it the same AUC, the same order of patients.

    In the strict protocol, of each patient in each set, repeat and fold.

    Args:
        predictions: of a comparison.
    """
    strict = predictions[predictions["protocol"] == "strict"]
    fits = [column for column in ("split", "estimate", "repeat", "fold") if column in strict]
    strict = strict.assign(probability=strict["probability"].round(10))
    order = strict.groupby([*fits, "model"], dropna=False)["probability"].rank()
    same = _groups_of_one(strict, "probability", fits)
    alike = [g for g in _groups_of_one(strict.assign(order=order), "order", fits) if g not in same]
    said = [
        f"{'; '.join(' = '.join(_named(model, titles) for model in models) for models in groups)}: {words}."
        for groups, words in (
            (same, "the same risks for every patient"),
            (alike, "the same order of patients, and so the same AUC"),
        )
        if groups
    ]
    return [Warning("Identical models", f"{where}: {' '.join(said)}")] if said else []


def _groups_of_one(rows: pd.DataFrame, column: str, fits: list[str]) -> list[list[str]]:
    """Models with the same column for every patient; those of one value for everyone have a warning of their own."""
    wide = rows.pivot_table(
        index=[*fits, "patient_id"], columns="model", values=column, aggfunc="first", dropna=False
    ).dropna(how="all")
    varied = rows.groupby([*fits, "model"], dropna=False)["probability"].nunique().groupby("model").max() > 1
    groups: dict[bytes, list[str]] = {}
    for model in sorted(wide):
        if varied[model]:
            groups.setdefault(wide[model].to_numpy(float).tobytes(), []).append(model)
    return [models for models in groups.values() if len(models) > 1]


def _named(model: str, titles: Mapping[str, str]) -> str:
    paper, colon, name = model.partition(":")
    return f"{titles[paper]} {name}" if colon else model


def changes_of(changes: pd.DataFrame, where: str) -> list[Warning]:
    """What changed since the run before."""
    rows = changes[~changes["what"].isin([FIRST, SAME])] if len(changes) else changes
    if not len(rows):
        return []
    return [Warning("Changed since the last run", f"{where}: {'; '.join(map(str, rows['what']))}.")]


def warnings_of(parts: Iterable[Iterable[Warning]]) -> dict[str, list[str]]:
    """All warnings by kind, in the order in which kinds appear; each text once."""
    found: dict[str, list[str]] = {}
    for part in parts:
        for one in part:
            if one.text not in found.setdefault(one.kind, []):
                found[one.kind].append(one.text)
    return found
