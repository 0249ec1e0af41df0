"""The table of scan parameters of a cohort, by phase and centre."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from hcc_recurrence.cohort.acquisition import DICOM, FIELDS, GEOMETRY, Field

TOTAL = "total"
NOTHING = "-"
NOTE = (
    "As the headers of the series say it: median (range) of numbers, n (% of the series that say it) of the others. A "
    "dash: no series says it, and the remark says why. Exposure is the median of up to nine slices of a series: the "
    "current follows the body; the delay is from the start of the injection to the first slice. There are no dates "
    "here, and nothing of a person."
)


def acquisition_table(
    series: pd.DataFrame, centres: Mapping[str, str], modality: str, phases: list[str]
) -> pd.DataFrame:
    """Scan parameters of each phase: counts of texts, median and range of numbers.

    Args:
        series: patient_id, and the columns of `acquisition_facts`. centres: patient -> centre. modality: of the cohort,
            which decides the rows. phases: in the order of the table.

    Returns: text columns phase, parameter, value (of a text), total, one column a centre where there are several, and
    remark: how many series say nothing, and why.
    """
    fields = [field for field in FIELDS if field.modality in ("", modality)]
    place = series["patient_id"].map(dict(centres))
    names = sorted(place.dropna().unique())
    columns = {TOTAL: pd.Series(True, index=series.index)}
    if len(names) > 1:
        columns |= {name: place == name for name in names}
    rows = []
    for phase in phases:
        own = series[series["phase"] == phase]
        if not len(own):
            continue
        groups = {name: own[member[own.index]] for name, member in columns.items()}
        counts = {name: str(group["patient_id"].nunique()) for name, group in groups.items()}
        rows.append({"phase": phase, "parameter": "Patients", "value": "", **counts, "remark": ""})
        for field in fields:
            rows += [{"phase": phase, **row} for row in _rows_of(field, own, groups)]
    return pd.DataFrame(rows, columns=["phase", "parameter", "value", *columns, "remark"]).fillna("")


def _rows_of(field: Field, own: pd.DataFrame, groups: Mapping[str, pd.DataFrame]) -> list[dict[str, str]]:
    remark = _lacking(field, own)
    known = own[field.name].dropna()
    if field.decimals is not None or known.empty:
        cells = {name: _range(group[field.name].dropna(), field.decimals) for name, group in groups.items()}
        return [{"parameter": field.label, "value": "", **cells, "remark": remark}]
    rows = []
    # The most frequent first; of equal ones by name.
    for value in sorted(known.unique(), key=lambda v: (-(known == v).sum(), str(v))):
        cells = {name: _count(group[field.name], value) for name, group in groups.items()}
        rows.append({"parameter": field.label, "value": str(value), **cells, "remark": remark if not rows else ""})
    return rows


def _range(values: pd.Series, decimals: int | None) -> str:
    """`120`, or `5 (1-8)`: median and range."""
    if values.empty or decimals is None:
        return NOTHING
    median, low, high = (_rounded(float(v), decimals) for v in (values.median(), values.min(), values.max()))
    return median if low == high else f"{median} ({low}-{high})"


def _rounded(value: float, decimals: int) -> str:
    return f"{round(value, decimals):g}"


def _count(values: pd.Series, value: object) -> str:
    known = values.dropna()
    if known.empty:
        return NOTHING
    number = int((known == value).sum())
    return f"{number} ({100 * number / len(known):.1f})"


def _lacking(field: Field, own: pd.DataFrame) -> str:
    """Why series do not tell a parameter."""
    lacking = own[own[field.name].isna()]
    other = 0 if field.name in GEOMETRY else int((lacking["format"] != DICOM).sum())
    silent = len(lacking) - other
    reasons = []
    if other:
        reasons.append(f"{other} of {len(own)} came without a DICOM header (NIfTI, NRRD or MetaImage)")
    if silent:
        reasons.append(f"{silent} of {len(own)} headers do not say")
    return "; ".join(reasons)


def for_readers(table: pd.DataFrame) -> pd.DataFrame:
    """The table for print: phase and parameter are named once; no remarks where there are none."""
    shown = table.drop(columns="remark") if (table["remark"] == "").all() else table.copy()
    shown.loc[table.duplicated(["phase", "parameter"]), "parameter"] = ""
    shown.loc[table.duplicated("phase"), "phase"] = ""
    centres = [c for c in shown.columns if c not in ("phase", "parameter", "value", TOTAL, "remark")]
    return shown.rename(columns={centre: f"centre {centre}" for centre in centres})


def acquisition_words(table: pd.DataFrame) -> str:
    """Scanners and contrast agents of a cohort, for a checklist."""
    words = []
    for name, label in (("Scanner", "scanners"), ("Contrast agent", "contrast agents")):
        found = table.loc[(table["parameter"] == name) & (table["value"].fillna("") != ""), "value"]
        values = sorted(set(found))
        words.append(f"{label}: {', '.join(values) if values else 'not in the headers'}")
    return "; ".join(words)
