"""Wang 2022: the DSFR signature and clinical variables in a Cox model, and its nomogram for 24 months. docs/methods.md
2.6.

The rows that learn enter with signatures by folds that do not hold them: a Cox model fed with apparent signatures would
trust them too much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd

from hcc_recurrence.endpoint import endpoint
from hcc_recurrence.learning.model_files import expect_keys
from hcc_recurrence.learning.regressions import fits_of_variables
from hcc_recurrence.learning.risk_factors import cox_nomogram
from hcc_recurrence.methods.wang2022.declare import SIGNATURE
from hcc_recurrence.statistics.cox import cox_table, proportional_hazards_p, stepwise_aic, univariable_cox
from hcc_recurrence.statistics.nomogram import NomogramModel
from hcc_recurrence.statistics.survival import censor_at, survival_at


@dataclass(frozen=True)
class CoxRisk:
    """A Cox model that gives the risk of recurrence by the horizon.

    nomogram: coefficients, offset and baseline survival; none where there is no estimate. without: the Kaplan-Meier
    risk of the rows that learned, which everyone has then.
    """

    nomogram: NomogramModel | None
    without: float

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """Risk of each row, (rows,); `x` has the model's variables among its columns."""
        if self.nomogram is None:
            return np.full(len(x), self.without)
        # The exponential of an extreme patient's predictor may round to certainty.
        return np.clip([self.nomogram.risk(row) for row in x.to_dict("records")], 0, 1)

    def state(self) -> dict[str, Any]:
        """What a model file holds of it."""
        found = None
        if self.nomogram is not None:
            found = self.nomogram.to_dict()
            found["axes"] = [{**axis, "levels": list(axis["levels"])} for axis in found["axes"]]
        return {"nomogram": found, "without": self.without}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """From what `state` gave.

        Raises: ModelFileError for other keys.
        """
        expect_keys(state, {"nomogram", "without"}, "a Cox model of wang2022")
        own = state["nomogram"]
        return cls(None if own is None else NomogramModel.from_dict(own), state["without"])


def fit_risk(
    x: pd.DataFrame,
    months: np.ndarray,
    event: np.ndarray,
    variables: Sequence[str],
    drawing: Mapping[str, Any],
    horizon: float,
) -> CoxRisk:
    """A Cox model of named columns.

    Args:
        x: rows that learn. months, event: times censored at the horizon, and 0/1. drawing: kind and levels of each
            variable. horizon: months.
    """
    kinds = {**drawing, SIGNATURE: {"kind": "continuous", "levels": []}}
    nomogram = cox_nomogram(x, months, event, list(variables), kinds, horizon)
    if nomogram is not None:
        nomogram = replace(nomogram, outcome=f"{horizon:.0f}-month {endpoint().survival}", as_survival=True)
    return CoxRisk(nomogram, float(1 - survival_at(months, event, horizon)[0]))


def choose_variables(
    x: pd.DataFrame, months: np.ndarray, event: np.ndarray, limit: float
) -> tuple[list[str], pd.DataFrame]:
    """Univariable Cox regression, then steps by AIC among the variables below `limit` (4.5 of the paper).

    Args:
        x: rows that learn. months, event: times censored at the horizon, and 0/1.

    Returns: the variables, and the columns of `cox_table` with step (univariable, multivariable, nomogram) and ph_p.
    """
    alone = univariable_cox(months, event, x)
    candidates = list(alone.loc[alone["p"] < limit, "variable"])
    together = cox_table(months, event, x[candidates])
    chosen = stepwise_aic(months, event, x[candidates]) if candidates else []
    return chosen, pd.concat(
        [
            alone.assign(step="univariable"),
            together.assign(step="multivariable"),
            final_table(x, months, event, chosen),
        ],
        ignore_index=True,
    )


def final_table(x: pd.DataFrame, months: np.ndarray, event: np.ndarray, chosen: Sequence[str]) -> pd.DataFrame:
    """The nomogram's own rows of `choose_variables`, with the test of proportional hazards (ph_p)."""
    final = cox_table(months, event, x[list(chosen)])
    hazards = proportional_hazards_p(months, event, x[list(chosen)]).rename(columns={"p": "ph_p"})
    return final.merge(hazards).assign(step="nomogram")


def times_of(labels: pd.DataFrame, rows: Sequence[str], horizon: float) -> tuple[np.ndarray, np.ndarray]:
    """Times and recurrences of patients, censored at the horizon (months)."""
    outcome = labels.set_index("patient_id").loc[list(rows)]
    return censor_at(outcome["rfs_months"].to_numpy(), outcome["rfs_event"].to_numpy(), horizon)


def hazard_table(tables: pd.DataFrame) -> pd.DataFrame:
    """Hazard ratios of the fits on all training patients (repeat 1), and how often all fits chose a variable.

    Args:
        tables: protocol, repeat, fold, step, and the columns of `cox_table`.

    Returns: protocol, step, variable, coefficient, hazard_ratio, low, high, p, ph_p, fits (share of a protocol's fits
    whose nomogram has the variable; rows of the step `nomogram`).
    """
    table = fits_of_variables(tables, ["protocol", "step", "variable"], "nomogram")
    order = {"strict": 0, "as_published": 3, "univariable": 0, "multivariable": 1, "nomogram": 2}
    table["_key"] = table["protocol"].map(order) + table["step"].map(order)
    table = table.sort_values(["_key", "p", "variable"], kind="stable")
    columns = ["protocol", "step", "variable", "coefficient", "hazard_ratio", "low", "high", "p", "ph_p", "fits"]
    return table[columns].reset_index(drop=True)


def development_table(metrics: pd.DataFrame, printed: Mapping[str, float]) -> pd.DataFrame:
    """AUC of the development patients: apparent, cross-validated as published, and nested (strict), beside the paper's.

    Args:
        metrics: of `compute_metrics`. printed: our model -> the paper's AUC.

    Returns: model, n, apparent, cross_validated, cross_validated_low, cross_validated_high, nested, nested_low,
    nested_high, published.
    """
    kinds = {
        "apparent": ("as_published", "apparent"),
        "cross_validated": ("as_published", "cross_validated"),
        "nested": ("strict", "out_of_fold"),
    }
    keyed = metrics[metrics["split"] == "train"].set_index(["model", "protocol", "estimate"])
    rows = []
    for model in sorted(metrics["model"].unique()):
        line = {"model": model}
        for name, key in kinds.items():
            found = keyed.loc[(model, *key)]
            line |= {"n": int(found["n"]), name: found["auc"]}
            if name != "apparent":
                line |= {f"{name}_low": found["auc_low"], f"{name}_high": found["auc_high"]}
        rows.append({**line, "published": printed.get(model, np.nan)})
    return pd.DataFrame(rows)
