"""Early recurrence and recurrence-free survival from dates or months (docs/methods.md 0.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from hcc_recurrence.cohort.dates import DATE_COLUMNS
from hcc_recurrence.cohort.numbers import exact_number, zero_or_one
from hcc_recurrence.cohort.outcome import MOST_MONTHS
from hcc_recurrence.endpoint import endpoint
from hcc_recurrence.files import read_csv

DAYS_PER_MONTH = 365.25 / 12
LOST = "{}-free but followed for less than {}"


def has_dates(patients: pd.DataFrame) -> bool:
    """Whether the outcome of a patients sheet is given by dates; else it is in months."""
    return all(c in patients for c in DATE_COLUMNS)


def horizon_months(er_days: int, dates: bool) -> float:
    """The horizon of early recurrence in months, with three decimals as `rfs_months` has.

    Months of a sheet are compared with months: `er_days` within a day of whole months (30.4375 days each) are these
    months, so that 730 days are 24 and an event at exactly 24.0 months lies on the horizon, not half a day beyond it.

    Args:
        dates: the outcome is given by dates, whose days are compared with days.
    """
    whole = round(er_days / DAYS_PER_MONTH)
    if not dates and whole and abs(er_days - whole * DAYS_PER_MONTH) < 1:
        return float(whole)
    return round(er_days / DAYS_PER_MONTH, 3)


def horizon_words(er_days: int, dates: bool) -> str:
    """The horizon as it is compared with: `730 days` or `24 months`."""
    return f"{er_days} days" if dates else f"{horizon_months(er_days, False):g} months"


def make_labels(
    patients: pd.DataFrame,
    er_days: int = 730,
    inclusive: bool = True,
    excluded: Mapping[str, str] | None = None,
    decimal_comma: bool = False,
    column: str = "",
) -> pd.DataFrame:
    """Label each patient of a checked patients sheet.

    Early recurrence is a first recurrence within `er_days` of resection (`<=`, or `<` where `inclusive` is
    false); no early recurrence needs `er_days` of follow-up. Anyone else gets no label and a reason. Days are compared
    with days, and months of the sheet with months (`horizon_months`).

    Args:
        patients: text columns, index patient_id.
        excluded: patients left out for another reason, whose outcome may be unreadable: then they have none.
        decimal_comma: of the sheet's months. column: of the outcome as 0 or 1 where it has no times; then months and
            event are missing for everyone.

    Returns: patient_id, centre, er (1, 0 or NaN), rfs_months, rfs_event, excluded_because ("" if used).

    Raises: ValueError where the outcome of a patient who is not left out cannot be read.
    """
    reasons = dict(excluded or {})
    if column:
        return _labels_of_column(patients, column, reasons, decimal_comma)
    dates = has_dates(patients)
    if dates:
        start, recurrence, last = (
            pd.to_datetime(patients[c], format="%Y-%m-%d", errors="coerce") for c in DATE_COLUMNS
        )
        event = recurrence.notna()
        time = recurrence.where(event, last).sub(start).dt.days.astype(float)
        # A date that is no date must not count as no recurrence.
        unreadable = time.isna() | (patients["recurrence_date"].ne("") & ~event)
        horizon, months = float(er_days), (time / DAYS_PER_MONTH).round(3)
    else:
        readers = {"rfs_months": exact_number, "rfs_event": zero_or_one}
        numbers = {c: patients[c].map(lambda cell, read=read: read(cell, decimal_comma)) for c, read in readers.items()}
        time = months = numbers["rfs_months"].astype(float).round(3)
        event = numbers["rfs_event"] == 1
        unreadable = time.isna() | ~numbers["rfs_event"].isin([0, 1])
        horizon = horizon_months(er_days, False)
    unreadable |= (time < 0) | (months > MOST_MONTHS)
    _refuse_unreadable(patients.index[unreadable], reasons)
    early = event & ((time <= horizon) if inclusive else (time < horizon))
    # A recurrence after the horizon proves freedom until then.
    free = ~early & (time >= horizon)
    labels = pd.DataFrame(
        {
            "patient_id": patients.index,
            "centre": patients["centre"].to_numpy(),
            "er": early.astype(float).where((early | free) & ~unreadable).to_numpy(),
            "rfs_months": months.where(~unreadable).to_numpy(),
            "rfs_event": event.astype("Int64").where(~unreadable).to_numpy(),
        }
    )
    labels["rfs_event"] = labels["rfs_event"].astype("Int64" if unreadable.any() else int)
    labels["excluded_because"] = ""
    labels.loc[labels["er"].isna(), "excluded_because"] = LOST.format(endpoint().event, horizon_words(er_days, dates))
    return _with_reasons(labels, reasons)


def _labels_of_column(
    patients: pd.DataFrame, column: str, reasons: Mapping[str, str], decimal_comma: bool
) -> pd.DataFrame:
    """Labels of an outcome that is 0 or 1 in a column of the sheet; without times."""
    values = patients[column].map(lambda cell: zero_or_one(cell, decimal_comma)).astype(float)
    _refuse_unreadable(patients.index[values.isna()], reasons)
    labels = pd.DataFrame(
        {
            "patient_id": patients.index,
            "centre": patients["centre"].to_numpy(),
            "er": values.to_numpy(),
            "rfs_months": np.nan,
            "rfs_event": pd.array([pd.NA] * len(patients), "Int64"),
            "excluded_because": "",
        }
    )
    return _with_reasons(labels, reasons)


def _refuse_unreadable(unreadable: Iterable[str], reasons: Mapping[str, str]) -> None:
    lost = sorted(set(unreadable) - set(reasons))
    if lost:
        raise ValueError(f"the outcome of {', '.join(lost)} cannot be read")


def _with_reasons(labels: pd.DataFrame, reasons: Mapping[str, str]) -> pd.DataFrame:
    """The labels in the order of patients, with what else patients were left out for."""
    for patient, reason in sorted(reasons.items()):
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
        (f"used, {endpoint().name}", int((labels["er"] == 1)[used].sum())),
        (f"used, {endpoint().none}", int((labels["er"] == 0)[used].sum())),
    ]
    for reason, group in labels[~used].groupby("excluded_because"):
        rows.append((f"left out: {reason}", len(group)))
    return pd.DataFrame(rows, columns=["what", "patients"])


def permute_outcome(labels: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The labels with the outcomes of the used patients dealt out anew; er, months and event stay together.

    Over all centres at once: a centre that kept its share of events could be told from the images, and an honest
    method would then rightly find more than chance.
    """
    used = labels.index[labels["excluded_because"] == ""]
    columns = ["er", "rfs_months", "rfs_event"]
    permuted = labels.copy()
    dealt = used[np.random.default_rng(seed).permutation(len(used))]
    for column in columns:
        permuted.loc[used, column] = labels.loc[dealt, column].to_numpy()
    return permuted
