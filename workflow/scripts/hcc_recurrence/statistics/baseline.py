"""Table 1: patients by outcome within each split, by the tableone package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from hcc_recurrence.statistics.proportions import chi_square_or_fisher

COLUMNS = ("split", "variable", "level", "missing", "no early recurrence", "early recurrence", "p", "test")


def baseline_table(
    clinical: pd.DataFrame,
    labels: pd.DataFrame,
    split: pd.DataFrame,
    definitions: Mapping[str, Mapping[str, Any]],
    yates: bool = False,
) -> pd.DataFrame:
    """Clinical variables by early recurrence, one block a split.

    Continuous variables as mean (SD) with Welch's t test (tableone), the others as n (%) with the chi-square test, or
    Fisher's exact test where a 2 x 2 table expects fewer than 5 patients in a cell. The column `test` names it.

    Args:
        clinical: index patient_id, numbers. labels, split: from `make_labels`, `make_split`.
        definitions: kind, unit and levels of each variable.
        yates: continuity correction of 2 x 2 tables (Zhao and Zhang; Cui and Wang have none, METHODS.md 7).

    Returns: text columns split, variable, level, missing, no early recurrence, early recurrence, p, test.
    """
    from tableone import TableOne

    if not definitions:
        return pd.DataFrame(columns=list(COLUMNS))
    frame = clinical.join(split.set_index("patient_id")["split"], how="inner")
    frame["er"] = labels.set_index("patient_id")["er"].reindex(frame.index).astype(int)
    names = {v: f"{v} ({d['unit']})" if d["unit"] else v for v, d in definitions.items()}
    categorical = [v for v, d in definitions.items() if d["kind"] != "continuous"]
    for variable in categorical:
        levels = definitions[variable]["levels"] or ["0", "1"]
        frame[variable] = frame[variable].map(lambda code, levels=levels: None if pd.isna(code) else levels[int(code)])
    frame = frame.rename(columns=names)
    columns = list(names.values())
    parts = []
    for name in ("train", "validation", "external"):
        part = frame[frame["split"] == name]
        if part["er"].nunique() < 2:
            continue
        table = TableOne(
            part,
            columns=columns,
            categorical=[names[v] for v in categorical],
            groupby="er",
            pval=True,
            htest_name=True,
            overall=False,
            normal_test=False,
            tukey_test=False,
            dip_test=False,
        ).tableone
        table.columns = [c[-1] for c in table.columns]
        flat = table.reset_index()
        flat.columns = ["variable", "level", *flat.columns[2:]]
        flat.insert(0, "split", name)
        for variable in categorical:
            counts = pd.crosstab(part["er"], part[names[variable]]).to_numpy()
            p, test = chi_square_or_fisher(counts, yates)
            first = flat.index[flat["variable"].str.removesuffix(", n (%)") == names[variable]][0]
            flat.loc[first, "P-Value"] = "" if np.isnan(p) else "<0.001" if p < 0.0005 else f"{p:.3f}"
            flat.loc[first, "Test"] = "" if np.isnan(p) else test
        parts.append(flat)
    result = pd.concat(parts, ignore_index=True).rename(
        columns={
            "Missing": "missing",
            "0": "no early recurrence",
            "1": "early recurrence",
            "P-Value": "p",
            "Test": "test",
        }
    )
    result["variable"] = result["variable"].str.replace(r", (mean \(SD\)|n \(%\))$", "", regex=True)
    return result
