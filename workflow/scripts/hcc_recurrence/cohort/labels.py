"""Early recurrence and recurrence-free survival from dates or months (METHODS.md 0.2)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from hcc_recurrence.cohort.sheets import DATE_COLUMNS
from hcc_recurrence.files import read_csv

DAYS_PER_MONTH = 365.25 / 12
LOST = "recurrence-free but followed for less than {days} days"


def make_labels(
    patients: pd.DataFrame,
    er_days: int = 730,
    inclusive: bool = True,
    excluded: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Label each patient of a checked patients sheet.

    Early recurrence is a first recurrence within `er_days` of resection (`<=`, or `<` where `inclusive` is
    false); no early recurrence needs `er_days` of follow-up. Anyone else gets no label and a reason.

    Args:
        patients: text columns, index patient_id.
        excluded: patients left out for another reason.

    Returns: patient_id, centre, er (1, 0 or NaN), rfs_months, rfs_event, excluded_because ("" if used).
    """
    if all(c in patients for c in DATE_COLUMNS):
        start, recurrence, last = (pd.to_datetime(patients[c], format="%Y-%m-%d") for c in DATE_COLUMNS)
        event = recurrence.notna()
        days = recurrence.where(event, last).sub(start).dt.days.astype(float)
    else:
        event = patients["rfs_event"] == "1"
        days = patients["rfs_months"].astype(float) * DAYS_PER_MONTH
    early = event & ((days <= er_days) if inclusive else (days < er_days))
    # A recurrence after the horizon proves freedom until then.
    free = ~early & (days >= er_days)
    labels = pd.DataFrame(
        {
            "patient_id": patients.index,
            "centre": patients["centre"].to_numpy(),
            "er": early.astype(float).where(early | free).to_numpy(),
            "rfs_months": (days / DAYS_PER_MONTH).round(3).to_numpy(),
            "rfs_event": event.astype(int).to_numpy(),
        }
    )
    labels["excluded_because"] = ""
    labels.loc[labels["er"].isna(), "excluded_because"] = LOST.format(days=er_days)
    for patient, reason in sorted((excluded or {}).items()):
        labels.loc[labels["patient_id"] == patient, "excluded_because"] = reason
    return labels.sort_values("patient_id", ignore_index=True)


def read_labels(path: str | Path) -> pd.DataFrame:
    """A written labels table; no reason to be left out is "" again, and not missing."""
    return read_csv(path).fillna({"excluded_because": ""})


def summarise_labels(labels: pd.DataFrame) -> pd.DataFrame:
    """How many patients were used and how many left out, by reason."""
    used = labels["excluded_because"] == ""
    rows = [
        ("patients in the sheet", len(labels)),
        ("used", int(used.sum())),
        ("used, early recurrence", int((labels["er"] == 1)[used].sum())),
        ("used, no early recurrence", int((labels["er"] == 0)[used].sum())),
    ]
    for reason, group in labels[~used].groupby("excluded_because"):
        rows.append((f"left out: {reason}", len(group)))
    return pd.DataFrame(rows, columns=["what", "patients"])


def permute_outcome(labels: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The labels with the outcomes of the used patients dealt out anew; er, months and event stay together.

    Over all centres at once: a centre that kept its share of events could be told from the images, and an honest
    method would then rightly find more than chance.
    """
    import numpy as np

    used = labels.index[labels["excluded_because"] == ""]
    columns = ["er", "rfs_months", "rfs_event"]
    permuted = labels.copy()
    dealt = used[np.random.default_rng(seed).permutation(len(used))]
    for column in columns:
        permuted.loc[used, column] = labels.loc[dealt, column].to_numpy()
    return permuted
