"""Wang 2022: the DSFR signature and clinical variables in a Cox model, and its nomogram for 24 months.

The rows that learn enter with signatures by folds that do not hold them: a Cox model fed with apparent signatures would
trust them too much. docs/methods.md 2.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from hcc_recurrence.learning.regressions import fits_of_variables
from hcc_recurrence.learning.risk_factors import cox_nomogram, middle_patient
from hcc_recurrence.methods.wang2022.declare import SIGNATURE
from hcc_recurrence.methods.wang2022.signature import Fitted, impute
from hcc_recurrence.statistics.cox import cox_table, proportional_hazards_p, stepwise_aic, univariable_cox
from hcc_recurrence.statistics.nomogram import NomogramModel
from hcc_recurrence.statistics.survival import censor_at, survival_at


@dataclass(frozen=True)
class Integrated:
    """The Cox model of one fit: risk of recurrence by the horizon of every patient, its tables, and the nomogram."""

    risk: pd.Series
    table: pd.DataFrame
    nomogram: NomogramModel | None
    patient: str
    values: dict[str, float]

    def drawn(self) -> dict[str, Any]:
        """What the figure needs, as plain values."""
        nomogram = self.nomogram.to_dict() if self.nomogram else None
        return {"nomogram": nomogram, "patient": self.patient, "values": self.values}


def fit_nomogram(
    fitted: Fitted,
    clinical: pd.DataFrame,
    labels: pd.DataFrame,
    drawing: Mapping[str, Any],
    limit: float,
    horizon: float,
) -> Integrated:
    """Univariable Cox regression, then steps by AIC among those below `limit`; times censored at the horizon.

    Where no variable is left, everyone has the Kaplan-Meier risk of the rows that learn.

    Args:
        clinical: numbers, gaps allowed, index patient_id. labels: patient_id, rfs_months, rfs_event. drawing: kind and
            levels of each variable. horizon: months.
    """
    one, rows = fitted.signatures[SIGNATURE], fitted.fit.rows
    x = impute(clinical, rows)
    signature = one.probability.reindex(x.index)
    if one.weights:
        signature.loc[rows] = one.out_of_fold
    x = x.assign(**{SIGNATURE: signature})
    learning = x.loc[rows]
    outcome = labels.set_index("patient_id").loc[rows]
    months, event = censor_at(outcome["rfs_months"].to_numpy(), outcome["rfs_event"].to_numpy(), horizon)
    alone = univariable_cox(months, event, learning)
    candidates = list(alone.loc[alone["p"] < limit, "variable"])
    together = cox_table(months, event, learning[candidates])
    chosen = stepwise_aic(months, event, learning[candidates]) if candidates else []
    final = cox_table(months, event, learning[chosen])
    final = final.merge(proportional_hazards_p(months, event, learning[chosen]).rename(columns={"p": "ph_p"}))
    table = pd.concat(
        [
            alone.assign(step="univariable"),
            together.assign(step="multivariable"),
            final.assign(step="nomogram"),
        ],
        ignore_index=True,
    )
    kinds = {**drawing, SIGNATURE: {"kind": "continuous", "levels": []}}
    nomogram = cox_nomogram(learning, months, event, chosen, kinds, horizon)
    if nomogram is None:
        risk = np.full(len(x), 1 - survival_at(months, event, horizon)[0])
    else:
        nomogram = replace(nomogram, outcome=f"{horizon:.0f}-month recurrence-free survival", as_survival=True)
        risk = np.array([nomogram.risk(row) for row in x.to_dict("records")])
    patient = middle_patient(learning, nomogram, rows)
    values = {name: float(value) for name, value in learning.loc[patient].items()}
    # The exponential of an extreme patient's predictor may round to certainty.
    return Integrated(pd.Series(np.clip(risk, 0, 1), x.index), table, nomogram, patient, values)


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


def development_table(out_of_fold: pd.DataFrame, metrics: pd.DataFrame, printed: Mapping[str, float]) -> pd.DataFrame:
    """AUC of the development patients: apparent, cross-validated as published, and nested (strict), beside the paper's.

    Args:
        out_of_fold: model, y, probability, variables (0 where none was selected) of the fit as published on all
            training patients. metrics: of `compute_metrics`. printed: our model -> the paper's AUC.

    Returns: model, n, apparent, cross_validated, cv_low, cv_high (DeLong), nested, nested_low, nested_high, published.
    """
    from hcc_recurrence.statistics.auc import AucResult, auc_delong

    keyed = metrics[metrics["split"] == "train"].set_index(["model", "protocol", "estimate"])
    rows = []
    for model, own in out_of_fold.groupby("model", sort=True):
        area = auc_delong(own["y"].to_numpy(), own["probability"].to_numpy())
        if not own["variables"].any():
            # The folds' constants are no scores, and pooled they would look like some.
            area = AucResult(*[np.nan] * 4)
        nested = keyed.loc[(model, "strict", "out_of_fold")]
        rows.append(
            {
                "model": model,
                "n": len(own),
                "apparent": keyed.loc[(model, "as_published", "apparent"), "auc"],
                "cross_validated": area.auc,
                "cross_validated_low": area.low,
                "cross_validated_high": area.high,
                "nested": nested["auc"],
                "nested_low": nested["auc_low"],
                "nested_high": nested["auc_high"],
                "published": printed.get(model, np.nan),
            }
        )
    return pd.DataFrame(rows)
