"""Clinical variables as a model takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from hcc_recurrence.cohort.variable_labels import heading, label_of, level_text, sides_of, term, threshold_of
from hcc_recurrence.statistics.logistic import logistic_table, univariable_table

# A number: 1 above it. {at_least: a number}: 1 from it on. None: the value as it is.
Cut = float | Mapping[str, float] | None
NONE_SIGNIFICANT = ("no_variable", "candidates")


def dichotomise(clinical: pd.DataFrame, cuts: Mapping[str, Cut]) -> pd.DataFrame:
    """1 where a variable is beyond its cut, 0 where not, NaN where missing; unchanged without a cut.

    Source: Zhao 2024, Table 1 (AFP > 400, ALT > 50, AST > 40, GGT > 60, TBIL > 19, diameter > 5 cm); Zhang 2025,
    Table 1 (from the cut on).
    """
    result = clinical[list(cuts)].copy()
    for variable, cut in cuts.items():
        if cut is not None:
            column = result[variable]
            beyond = column >= cut["at_least"] if isinstance(cut, Mapping) else column > cut
            result[variable] = beyond.astype(float).where(column.notna())
    return result


def by_category(
    clinical: pd.DataFrame, definitions: Mapping[str, Mapping[str, Any]], nominal: Sequence[str]
) -> tuple[pd.DataFrame, dict[str, Mapping[str, Any]]]:
    """Variables whose categories have no order as one variable a category, each 1 in it and 0 in any other.

    Args:
        clinical: numbers, index patient_id; of a category its place among the levels. nominal: such variables; others
            stay as they are.

    Returns: the numbers and the definitions, `enhancement_type=3` in the place of `enhancement_type`.
    """
    columns, found = {}, {}
    for variable in clinical.columns:
        own, values = definitions[variable], clinical[variable]
        if variable not in nominal or own["kind"] != "categorical":
            columns[variable], found[variable] = values, own
            continue
        for code, level in enumerate(own["levels"]):
            name = f"{variable}={level}"
            columns[name] = (values == code).astype(float).where(values.notna())
            found[name] = {**own, "kind": "binary", "levels": []}
    return pd.DataFrame(columns, index=clinical.index), found


def coded(
    clinical: pd.DataFrame, definitions: Mapping[str, Mapping[str, Any]], cuts: Mapping[str, Cut]
) -> tuple[pd.DataFrame, dict[str, dict[str, Any]]]:
    """Variables as a study codes them, and how tables name them and their levels.

    Args:
        clinical: numbers, index patient_id. cuts: variable -> threshold or none, the study's `clinical`.

    Returns: the numbers (`dichotomise`), and of each variable kind, levels (`≤ 400`, `> 400`; no, yes) and label.
    """
    found = {}
    for variable, cut in cuts.items():
        own = definitions[variable]
        levels = [level_text(level) for level in own["levels"]]
        if cut is not None:
            within, beyond, number = threshold_of(cut)
            sides = sides_of(levels, cut)
            levels = [*sides] if sides else [f"{within} {number:g}", f"{beyond} {number:g}"]
            levels = ["solitary", "multiple"] if (variable, cut) == ("tumour_number", 1) else levels
        elif own["kind"] != "continuous" and not levels:
            levels = ["no", "yes"]
        kind = "binary" if cut is not None else own["kind"]
        found[variable] = {**own, "kind": kind, "levels": levels, "label": heading(variable, own)}
    return dichotomise(clinical, cuts), found


def drawn_definition(variable: str, definition: Mapping[str, Any], cut: Cut) -> dict[str, Any]:
    """How a variable is named and drawn: with its cut it is binary, and its name says where, and when it is known."""
    own = {**definition, "levels": [level_text(level) for level in definition["levels"]]}
    if cut is not None:
        own |= {"kind": "binary", "levels": []}
    return {**own, "name": term(variable, definition, cut)}


def select_clinical(
    x: pd.DataFrame, y: np.ndarray, limit: float, none_significant: str = "no_variable"
) -> tuple[list[str], pd.DataFrame]:
    """Variables with a univariable P below the limit, of these the ones with such a P in the multivariable model.

    Args:
        none_significant: what is kept where no variable is significant in the second step: `no_variable`, or
            `candidates`, all of the first but those that say the same as others. Where none is in the first, none is
            kept.

    Returns: the variables, and the table of both steps (Zhao 2024, Table 3; Zhang 2025, Table 2).

    Raises: ValueError for another `none_significant`.
    """
    if none_significant not in NONE_SIGNIFICANT:
        raise ValueError(f"none_significant: {none_significant!r} is none of {', '.join(NONE_SIGNIFICANT)}")
    alone = univariable_table(y, x).assign(step="univariable")
    candidates = list(alone.loc[alone["p"] < limit, "variable"])
    if not candidates:
        return [], alone
    together = logistic_table(y, x[candidates]).assign(step="multivariable")
    kept = list(together.loc[together["p"] < limit, "variable"])
    if not kept and none_significant == "candidates":
        kept = list(together.loc[together["method"] != "collinear", "variable"])
    return kept, pd.concat([alone, together], ignore_index=True)


def timing_note(definitions: Mapping[str, Mapping[str, Any]]) -> str:
    """A sentence that names the variables known only after the operation; empty where there is none."""
    late = sorted(label_of(v) for v, definition in definitions.items() if definition["timing"] == "post")
    return f" Known only after the operation: {', '.join(late)}." if late else ""
