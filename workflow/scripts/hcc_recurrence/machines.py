"""What all networks of a run were trained on, and what a reader is told where that was more than one kind."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

# Which network; the words about it, and what makes it one kind.
NAMES = ["cohort", "paper", "network", "fit"]
COLUMNS = [*NAMES, "kind", "numerics", "processor", "gpu", "system"]
WHAT_TO_DO = (
    "Their numbers differ by rounding that training amplifies: `snakemake numerics` measures how far. What to do: hold "
    "the run to one kind of node (docs/slurm.md, constraint), delete the networks of the other kind and run again, or "
    "report the spread."
)
NOT_SHOWN = (
    "portable is meant to give the same numbers on all of them; docs/numerics.md says for which that was shown. "
)


def machines_table(files: Iterable[str | Path]) -> pd.DataFrame:
    """One row a network: what it is, and what it was trained on; of several kinds each has a number, the commonest 1.

    Args: files: `<network>.machine.json`.

    Returns: COLUMNS, then a column a library's kernels (`kernels ATen`) and build (`torch`).
    """
    rows = []
    for file in files:
        facts = json.loads(Path(file).read_text())
        kernels = {f"kernels {name}": value for name, value in facts.pop("kernels").items()}
        rows.append({**facts, **kernels, **facts.pop("versions")})
    found = pd.DataFrame(rows).drop(columns="versions", errors="ignore")
    of_kind = [column for column in found.columns if column not in NAMES]
    found[of_kind] = found[of_kind].astype(object).fillna("")
    words = found[of_kind].astype(str).agg("|".join, axis=1)
    counts = words.value_counts(sort=False).sort_values(ascending=False, kind="stable")
    found["kind"] = words.map({kind: number + 1 for number, kind in enumerate(counts.index)})
    rest = [column for column in found.columns if column not in COLUMNS]
    return found[[*COLUMNS, *rest]].sort_values(NAMES, ignore_index=True)


def kinds_table(table: pd.DataFrame) -> pd.DataFrame:
    """The kinds of a table of `machines_table`, one row each: number of networks, and what they were trained on."""
    rest = [column for column in table.columns if column not in (*NAMES, "kind")]
    kinds = table.groupby("kind").agg(networks=("fit", "size"), **{column: (column, "first") for column in rest})
    return kinds.reset_index()


def kinds_warning(table: pd.DataFrame) -> str:
    """What the report warns of: networks of more than one kind; empty where all are of one.

    Args: table: from `machines_table`, or its CSV.
    """
    kinds = kinds_table(table.astype(object).fillna(""))
    if len(kinds) < 2:
        return ""
    differ = [c for c in kinds.columns if c not in ("kind", "networks") and kinds[c].astype(str).nunique() > 1]
    each = "; ".join(
        f"{row['networks']} on " + ", ".join(f"{column}: {row[column] or 'none'}" for column in differ)
        for _, row in kinds.iterrows()
    )
    processors_alone = differ == ["processor"] and set(kinds["numerics"]) == {"portable"} and not any(kinds["gpu"])
    return (
        f"The networks of these results were trained on {len(kinds)} kinds of machine ({each}). "
        f"{NOT_SHOWN if processors_alone else ''}{WHAT_TO_DO}"
    )
