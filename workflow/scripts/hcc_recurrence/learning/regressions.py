"""The table of the regressions of all fits of a study."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd


def fits_of_variables(regressions: pd.DataFrame, keys: list[str], step: str) -> pd.DataFrame:
    """Rows of the fits on all training patients (repeat 1), with the share of a protocol's fits whose model has the
    variable, `fits`: counted in rows of one step.

    A variable that folds chose and the fit on all training patients did not has a row without estimates.

    Args:
        regressions: protocol, repeat, fold, and keys, which name a row of one fit. step: the one of final models.
    """
    counts = regressions[["protocol", "repeat", "fold"]].drop_duplicates().groupby("protocol").size()
    times = regressions[regressions["step"] == step].groupby(keys).size()
    whole = regressions[(regressions["repeat"] == 1) & (regressions["fold"] == 0)]
    table = whole.merge(times.rename("times").reset_index(), on=keys, how="outer")
    return table.assign(fits=table["times"] / table["protocol"].map(counts))


def regression_table(regressions: pd.DataFrame, renamed: Mapping[str, str]) -> pd.DataFrame:
    """Odds ratios of the fits on all training patients (repeat 1), and how often all fits chose a variable.

    Yan 2023, Table 3 and Supplementary Tables 3 and 4; Zhang 2025, Table 2.

    Args:
        regressions: protocol, repeat, fold, model, step (`univariable`, `multivariable`), and the columns of
            `logistic_table`; with vif, tolerance and flag where there are any. renamed: variables to be shown under
            another name, such as a signature with its unit.

    Returns: protocol, model, step, variable, odds_ratio, low, high, p, method, vif, tolerance, flag (collinear), fits
    (share of a protocol's fits whose model has the variable; `multivariable` rows).
    """
    table = fits_of_variables(regressions, ["protocol", "model", "step", "variable"], "multivariable")
    table["variable"] = table["variable"].replace(dict(renamed))
    order = {"strict": 0, "as_published": 1, "univariable": 0, "multivariable": 1}
    table["_key"] = table["protocol"].map(order) * 2 + table["step"].map(order)
    table = table.sort_values(["model", "_key", "p", "variable"], kind="stable")
    for column in ("vif", "tolerance", "flag"):
        table[column] = table.get(column)
    columns = ["protocol", "model", "step", "variable", "odds_ratio", "low", "high", "p", "method"]
    return table[[*columns, "vif", "tolerance", "flag", "fits"]].reset_index(drop=True)
