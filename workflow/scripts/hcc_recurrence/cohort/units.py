"""Units of clinical variables: what a sheet may give them in, and the one in which the papers cut them.

A cut at 400 ng/mL or 50 mm means nothing to a column in another unit, so a unit that is not known here is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_CELLS = {"1e9/L": 1.0, "10e9/L": 1.0, "10^9/L": 1.0, "G/L": 1.0, "K/uL": 1.0, "1e3/uL": 1.0, "cells/uL": 0.001}
_ENZYME = {"U/L": 1.0, "IU/L": 1.0, "ukat/L": 60.0}
# Variable -> unit of the sheet -> factor to the first unit of each, which is the papers'.
UNITS: Mapping[str, Mapping[str, float]] = {
    "age": {"years": 1.0, "months": 1 / 12},
    # IU are those of WHO's standard 72/225. How many ng one has is a convention of the assays: 1.21 (FDA, decision
    # summary K213626 of 2022, VITROS AFP: 1.21 as other manufacturers have, before 1.04; K071597, Dimension Vista AFP:
    # 8.0 ng/mL are 6.6 IU/mL). A laboratory that has another factor gives its values in its own unit of IU.
    "afp": {"ng/mL": 1.0, "ug/L": 1.0, "ng/dL": 0.01, "IU/mL": 1.21, "kIU/L": 1.21},
    # Bilirubin 584.7 g/mol: docs/methods.md 6 has 17.1.
    "bilirubin": {"umol/L": 1.0, "mg/dL": 17.1, "mg/L": 1.71},
    "albumin": {"g/L": 1.0, "g/dL": 10.0},
    "diameter": {"mm": 1.0, "cm": 10.0},
    "alt": _ENZYME,
    "ast": _ENZYME,
    "ggt": _ENZYME,
    "platelets": _CELLS,
    "neutrophils": _CELLS,
    "lymphocytes": _CELLS,
    "monocytes": _CELLS,
    "hbv_dna": {"IU/mL": 1.0, "IU/L": 0.001},
}


def _plain(unit: str) -> str:
    # The micro sign and the Greek letter; capitals mean nothing here.
    return unit.replace("\u00b5", "u").replace("\u03bc", "u").replace(" ", "").lower()


def unit_factor(variable: str, unit: str) -> float | None:
    """What a value in the sheet's unit is multiplied by; None where the unit is not known for the variable.

    A variable that no paper cuts by a number may have any unit: 1.
    """
    if variable not in UNITS:
        return 1.0
    return {_plain(name): factor for name, factor in UNITS[variable].items()}.get(_plain(unit))


def in_standard_unit(variable: str, definition: Mapping[str, Any]) -> dict[str, Any]:
    """A variable's definition with the unit that its values will have, and the factor that brings them there.

    Where each centre has its own unit, `factor` is one of each centre, by its name.
    """
    declared = definition["unit"]
    unit = next(iter(UNITS[variable])) if variable in UNITS else declared
    if isinstance(declared, Mapping):
        factors = {centre: unit_factor(variable, own) or 1.0 for centre, own in sorted(declared.items())}
        # Without a known unit of the variable nothing can be converted, which the check of the sheet refuses.
        return {**definition, "unit": unit if isinstance(unit, str) else "", "factor": factors}
    factor = unit_factor(variable, declared)
    return {**definition, "unit": unit, "factor": 1.0 if factor is None else factor}
