"""Thresholds of clinical variables, as a paper prints them, in the unit in which values are compared with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hcc_recurrence.cohort.units import UNITS, unit_factor

# How a threshold may be written.
FORMS = (
    "400 (1 above it), {at_least: 400} (1 from it on), either with the paper's unit, {above: 400, unit: IU/mL} and "
    "{at_least: 400, unit: IU/mL}, or null (the value as it is)"
)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def threshold_fault(variable: str, threshold: Any) -> tuple[str, str] | None:
    """What is wrong with a threshold, and what to do; None where nothing is."""
    if threshold is None or _is_number(threshold):
        return None
    if not isinstance(threshold, Mapping) or len(set(threshold) & {"above", "at_least"}) != 1:
        return f"{threshold!r} is no threshold", FORMS
    (key,) = set(threshold) & {"above", "at_least"}
    if set(threshold) - {key, "unit"} or not _is_number(threshold[key]):
        return f"{threshold!r} is no threshold", FORMS
    if "unit" in threshold:
        known = UNITS.get(variable)
        if known is None:
            return f"no unit of {variable} can be converted", "write the threshold without `unit`"
        if not isinstance(threshold["unit"], str) or unit_factor(variable, threshold["unit"]) is None:
            return f"unit {threshold['unit']!r} is unknown", f"write one of {', '.join(known)}"
    return None


def in_standard_units(clinical: Mapping[str, Any]) -> dict[str, Any]:
    """The thresholds of a paper in the first unit of `UNITS`, which tables print: a number, {at_least: number} or None.

    A value of the sheet is multiplied by the same factor, so that 400 IU/mL in the sheet lie on a threshold of 400
    IU/mL and not beside it.

    Args:
        clinical: variable -> threshold; one with a fault stays as it is.
    """
    found: dict[str, Any] = {}
    for variable, threshold in clinical.items():
        if not isinstance(threshold, Mapping) or threshold_fault(variable, threshold):
            found[variable] = threshold
            continue
        factor = unit_factor(variable, threshold["unit"]) if "unit" in threshold else 1
        number = threshold["above"] if "above" in threshold else threshold["at_least"]
        # Without a factor a whole number stays one.
        number = number if factor == 1 else number * (factor or 1.0)
        found[variable] = number if "above" in threshold else {"at_least": number}
    return found
