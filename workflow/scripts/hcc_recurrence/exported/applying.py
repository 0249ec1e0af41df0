"""Probabilities of patients by an exported model, with the cut-off that it carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hcc_recurrence.files import as_written
from hcc_recurrence.problems import Refused

if TYPE_CHECKING:
    import pandas as pd

    from hcc_recurrence.exported.bundle import Bundle
    from hcc_recurrence.methods.exporting import Rows

COLUMNS = ("patient_id", "model", "probability", "cutoff", "risk_group")
HIGH, LOW = "high", "low"


def predict_rows(bundle: Bundle, rows: Rows) -> pd.DataFrame:
    """COLUMNS, model by model in the bundle's order, patients in that of the rows.

    The risk group is high from the cut-off on, which is that of the training patients; empty where the model has none.

    Raises: Refused where the models give no probability for a patient.
    """
    from hcc_recurrence.exported.bundle import exporting

    parts, patients = bundle.parts(), rows.patients
    data = exporting(bundle.method).data_of(parts, rows)
    scores = {}
    for name, part in parts.items():
        found = part.predict(data[name], patients)
        if found.isna().any(axis=None):
            lost = found.index[found.isna().any(axis=1)].tolist()
            raise Refused(
                f"{bundle.name} gives no probability for {', '.join(lost[:5])} ({len(lost)} in all)",
                "look at the inputs of these patients in outside.csv, and leave them out of the patients sheet",
            )
        scores |= {model: found[model] for model in found.columns}
    return risk_table(bundle.about, scores)


def risk_table(about: Mapping[str, Any], scores: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Probabilities beside cut-offs, as tables of results are written.

    Args: about: model.json, whose `models` have a `cutoff` each (None where there is none). scores: model -> of each
        patient.
    """
    import pandas as pd

    parts = []
    for model, own in about["models"].items():
        if model not in scores:
            continue
        # With the digits of the table: no patient may be on another side of the cut-off there.
        values = pd.Series(as_written(scores[model]), index=scores[model].index)
        cut = own["cutoff"]
        # Cut-offs and counts are of risks of ten decimals (`rounded`), of which small ones have more digits.
        group = "" if cut is None else (values.round(10) >= cut).map({True: HIGH, False: LOW}).to_numpy()
        parts.append(
            pd.DataFrame(
                {
                    "patient_id": values.index,
                    "model": model,
                    "probability": values.to_numpy(),
                    "cutoff": float("nan") if cut is None else cut,
                    "risk_group": group,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]
