"""How the inputs of the training patients were distributed, so coarse that no patient can be read out of it.

Quantiles from 2.5 to 97.5 %, never the smallest and the largest value; rounded to about three digits of their spread,
the outer ones outwards; no count below five patients; no row of a patient.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

SCHEMA_VERSION = 1
QUANTILES = (2.5, 25.0, 50.0, 75.0, 97.5)
# Patients below whom a count is not given, and a distribution neither.
SMALLEST_CELL = 5
OTHER = "other"


def numeric_item(item: str, group: str, values: Iterable[Any], unit: str = "") -> dict[str, Any]:
    """Distribution of a number.

    Args:
        group: features, acquisition, tumour, or clinical. values: of each training patient, NaN or None where missing.

    Returns: item, group, kind, unit, n (patients with a value, rounded so that no few lack), missing (fraction; None of
    one to four patients), quantiles by percent, mean and sd; these are empty where fewer than SMALLEST_CELL have a
    value.
    """
    numbers = pd.to_numeric(pd.Series(list(values), dtype=object), errors="coerce").to_numpy(float)
    known = numbers[np.isfinite(numbers)]
    found = {"item": item, "group": group, "kind": "numeric", "unit": unit, **_counts(len(numbers), len(known))}
    if len(known) < SMALLEST_CELL:
        return {**found, "quantiles": {}, "mean": None, "sd": None}
    exact = np.percentile(known, QUANTILES)
    step = _step(exact)
    # What is a whole number of steps but for its last bits is one.
    low, *middle, high = exact / step
    rounded = [np.floor(low + 1e-6), *np.round(middle), np.ceil(high - 1e-6)]
    # As text and back: without the last bits of a product.
    quantiles = {f"{p:g}": float(f"{value * step:.10g}") for p, value in zip(QUANTILES, rounded, strict=True)}
    return {**found, "quantiles": quantiles, "mean": float(f"{known.mean():.4g}"), "sd": float(f"{known.std():.3g}")}


def category_item(
    item: str, group: str, values: Iterable[Any], levels: Sequence[str] = (), kind: str = "categorical"
) -> dict[str, Any]:
    """Distribution of a category.

    Args:
        values: names of levels, None where missing. levels: all there are, in the order of their codes; those that
            occur where none is given.

    Returns: as `numeric_item`, with fractions by level; levels of fewer than SMALLEST_CELL patients stand together as
    `other`, or nowhere where together they are as few.
    """
    series = pd.Series(list(values), dtype=object)
    known = series.dropna().astype(str)
    counts = known.value_counts()
    names = list(levels) or sorted(counts[counts >= SMALLEST_CELL].index)
    large = {name: int(counts[name]) for name in names if counts.get(name, 0) >= SMALLEST_CELL}
    others = len(known) - sum(large.values())
    if others >= SMALLEST_CELL:
        large[OTHER] = others
    total = sum(large.values())
    return {
        **{"item": item, "group": group, "kind": kind, "unit": ""},
        **_counts(len(series), len(known)),
        "levels": [str(name) for name in names],
        "fractions": {name: round(count / total, 3) for name, count in large.items()} if total else {},
    }


def clinical_items(clinical: pd.DataFrame, definitions: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Distributions of the clinical variables of the training patients.

    Args:
        clinical: of `clinical_table`. definitions: kind, unit and levels of each variable.
    """
    found = []
    for variable, own in definitions.items():
        if variable not in clinical:
            continue
        values = clinical[variable]
        if own["kind"] == "continuous":
            found.append(numeric_item(variable, "clinical", values, own.get("unit", "")))
            continue
        levels = [str(level) for level in own.get("levels", [])] if own["kind"] == "categorical" else ["0", "1"]
        names = [None if pd.isna(value) else levels[int(value)] for value in values]
        found.append(category_item(variable, "clinical", names, levels, own["kind"]))
    return found


def acquisition_items(series: pd.DataFrame, phases: Sequence[str], modality: str) -> list[dict[str, Any]]:
    """Distributions of scan parameters, an item `<phase>__<parameter>`.

    Args:
        series: patient_id, and the columns of `cohort.acquisition`, of the training patients.
    """
    from hcc_recurrence.cohort.acquisition import FIELDS

    found = []
    for phase in phases:
        own = series[series["phase"] == phase]
        for field in FIELDS:
            if field.modality not in ("", modality) or field.name not in own:
                continue
            name, values = f"{phase}__{field.name}", own[field.name]
            if field.decimals is None:
                found.append(category_item(name, "acquisition", [None if pd.isna(v) else v for v in values]))
            else:
                unit = field.label.rpartition(", ")[2] if ", " in field.label else ""
                found.append(numeric_item(name, "acquisition", values, unit))
    return found


def tumour_items(tumours: pd.DataFrame, phases: Sequence[str], reader: str) -> list[dict[str, Any]]:
    """Distributions of the tumour's size in each phase: volume, and the diameter of a ball of that volume.

    Args:
        tumours: patient_id, phase, reader, volume_ml, of the training patients.
    """
    found = []
    for phase in phases:
        own = tumours[(tumours["phase"] == phase) & (tumours["reader"] == reader)]["volume_ml"]
        if own.empty:
            continue
        found.append(numeric_item(f"{phase}__volume_ml", "tumour", own, "mL"))
        found.append(numeric_item(f"{phase}__ball_diameter_mm", "tumour", ball_diameter_mm(own), "mm"))
    return found


def ball_diameter_mm(volume_ml: Any) -> Any:
    """Diameter of a ball of a volume."""
    return (6 * volume_ml * 1000 / np.pi) ** (1 / 3)


def case_mix(labels: pd.DataFrame, patients: Sequence[str]) -> dict[str, Any]:
    """How many patients learned, and how many of them had early recurrence; counts below SMALLEST_CELL are None."""
    er = labels.set_index("patient_id").loc[list(patients), "er"].dropna()
    counts = {"patients": len(patients), "early_recurrence": int((er == 1).sum()), "none": int((er == 0).sum())}
    return {name: count if count == 0 or count >= SMALLEST_CELL else None for name, count in counts.items()}


def distribution(items: Iterable[Mapping[str, Any]], mix: Mapping[str, Any]) -> dict[str, Any]:
    """The document training_distribution.json."""
    return {
        "schema_version": SCHEMA_VERSION,
        "smallest_cell": SMALLEST_CELL,
        "case_mix": dict(mix),
        "inputs": [dict(item) for item in items],
    }


def _counts(total: int, known: int) -> dict[str, Any]:
    lacking = total - known
    few = 0 < lacking < SMALLEST_CELL
    return {"n": total if few else known, "missing": None if few or not total else round(lacking / total, 3)}


def _step(exact: np.ndarray) -> float:
    """What quantiles are rounded to: three digits of their spread, or six of the value where all have the same."""
    spread = float(exact[-1] - exact[0])
    size = float(np.max(np.abs(exact)))
    # A spread at the level of rounding is none.
    if spread > 1e-9 * size:
        return 10.0 ** (np.floor(np.log10(spread)) - 2)
    return 10.0 ** (np.floor(np.log10(size)) - 5) if size > 0 else 1.0
