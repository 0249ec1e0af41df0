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
    said = metrics["remark"].fillna("").astype(str).str.startswith(NOTHING) if "remark" in metrics else False
    own = metrics[(metrics["protocol"] == "strict") & metrics["model"].str.contains(":") & said]
    names = [f"{titles[m.split(':')[0]]} {m.split(':')[1]}" for m in sorted(own["model"].unique())]
    if not names:
        return []
    return [Warning("Models without a variable", f"{where}: {', '.join(names)} give all patients the same score.")]


def identical_models(predictions: pd.DataFrame, titles: Mapping[str, str], where: str) -> list[Warning]:
    """Models that give each patient the same probability in the strict protocol: they are one model, not two.

    Args:
        predictions: of a comparison.
    """
    strict = predictions[predictions["protocol"] == "strict"]
    keys = ["split", "estimate", "repeat", "patient_id"]
    wide = strict.pivot_table(index=keys, columns="model", values="probability", aggfunc="first")
    groups: dict[bytes, list[str]] = {}
    for model in sorted(wide):
        values = wide[model].round(10)
        # One score for everyone is a warning of its own.
        if values.nunique() > 1:
            groups.setdefault(values.to_numpy().tobytes(), []).append(model)
    same = [" = ".join(_named(m, titles) for m in models) for models in groups.values() if len(models) > 1]
    return (
        [Warning("Identical models", f"{where}: {'; '.join(same)}: the same risks for every patient.")] if same else []
    )


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
