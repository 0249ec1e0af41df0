"""The first page of the report: what was run, on whom, and the headline table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from hcc_recurrence.endpoint import EARLY_RECURRENCE
from hcc_recurrence.figures.p_values import auc_text
from hcc_recurrence.presets import WARNING

COLUMNS = ("model", "patients", "strict", "as published")
KINDS = (
    ("training", "train", ("out_of_fold",), ("cross_validated", "apparent")),
    ("validation", "validation", ("held_out",), ("held_out",)),
    ("external", "external", ("held_out",), ("held_out",)),
)


def headline(metrics: pd.DataFrame, titles: Mapping[str, str], event: str = "ER") -> pd.DataFrame:
    """AUC of each paper's main models, strict beside as published, one row a model and kind of patients.

    Args:
        metrics: of a comparison, models as `paper:model`. titles: paper -> its name. event: how the endpoint is
            abbreviated.
    """
    keyed = metrics.set_index(["model", "protocol", "split", "estimate"])
    rows = []
    for model in sorted(m for m in metrics["model"].unique() if ":" in m):
        paper, _, name = model.partition(":")
        for words, split, strict, published in KINDS:
            cells = []
            for protocol, estimates in (("strict", strict), ("as_published", published)):
                keys = [(model, protocol, split, estimate) for estimate in estimates]
                there = [keyed.loc[key] for key in keys if key in keyed.index]
                cells.append(auc_text(there[0]) if there else "")
            if any(cells):
                n, events = keyed.loc[(model, "strict", split, strict[0]), ["n", "n_pos"]]
                rows.append((f"{titles[paper]} {name}", f"{words}, n = {n:.0f}, {events:.0f} {event}", *cells))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def list_table(table: pd.DataFrame, title: str) -> str:
    """A table in reStructuredText."""
    lines = [f".. list-table:: {title}", "   :header-rows: 1", ""]
    for cells in [list(table.columns), *table.astype(str).to_numpy().tolist()]:
        lines += [f"   {'*' if i == 0 else ' '} - {cell}" for i, cell in enumerate(cells)]
    return "\n".join(lines) + "\n"


def start_page(
    about: Mapping[str, Any], comparisons: Sequence[Mapping[str, Any]], metrics: Sequence[pd.DataFrame]
) -> str:
    """The page as reStructuredText.

    Args:
        about: preset, titles (paper -> name), citations (paper -> text), random_weights (networks by name).
        comparisons: one a cohort and split, beside its table in `metrics`: title, simulated, best_auc (or None),
            endpoint, split, used, left_out.
    """
    titles = about["titles"]
    parts = [
        "Published methods for predicting early recurrence of hepatocellular carcinoma after resection, run side by "
        "side on the same patients.\n",
        f"**Preset:** {about['preset']}. **Methods in this run:** {', '.join(titles[p] for p in sorted(titles))}.\n",
    ]
    if about["random_weights"]:
        named = ", ".join(about["random_weights"])
        parts.append(
            f"Networks that have, or start from, random weights, because no file of weights is named: {named}.\n"
        )
    for facts, table in zip(comparisons, metrics, strict=True):
        kind = "SIMULATED patients: numbers say that the software works, and nothing about people"
        text = (
            f"**{facts['title']}**: {kind if facts['simulated'] else 'real patients'}. {facts['used']} patients used, "
        )
        text += f"{facts['left_out']} left out (see Cohorts). Split: {facts['split']}."
        if about["preset"] == "demo" and not facts["simulated"]:
            text += f" **{WARNING}: these numbers are not those of the methods.**"
        if facts["best_auc"] is not None:
            text += f" The oracle AUC, which no method can pass here, is {facts['best_auc']:.3f}."
        outcome, words = facts["endpoint"], f"AUC (95% CI) on {facts['title']}"
        if outcome["name"] != EARLY_RECURRENCE.name:
            text += f" What is predicted is {outcome['name']}, not {EARLY_RECURRENCE.name} of a liver tumour."
            words += f", {outcome['name']}"
        parts += [text + "\n", list_table(headline(table, titles, outcome["abbreviation"]), words)]
    parts.append(
        "*Strict*: nothing is fitted or chosen on patients it is reported on; training AUCs are out of fold. "
        "*As published*: what the authors did; training AUCs are apparent, or "
        "cross-validated where the paper's are. The difference of the two is optimism. "
        "Validation sets of a few dozen patients leave an AUC uncertain by about 0.15 to either side.\n"
    )
    parts.append("Not a medical device. Cite the methods that you use:\n")
    parts += [f"* {about['citations'][paper]}" for paper in sorted(titles)]
    return "\n".join(parts) + "\n"
