"""Values that no patient has, and columns in another unit than the config says.

A wrong unit or a lost decimal point goes through every model without a word: 41 g/L of albumin typed as 4.1.
The limits are wide: they are to catch slips, and not unusual patients. A cohort sets its own with `plausible`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hcc_recurrence.cohort.units import UNITS, unit_factor

# So few values have no typical median.
FEWEST = 5


@dataclass(frozen=True)
class Range:
    """Limits of a variable in the papers' unit (the first of UNITS).

    `low` to `high` is what a single patient may have; `usual` is where the median of a centre's patients before
    resection lies, None where that says nothing of the unit. `reason` is where the limits come from.
    """

    low: float
    high: float
    usual: tuple[float, float] | None
    reason: str


_ENZYME = "assays begin at about 3 U/L; acute liver failure reaches 10 000"
PLAUSIBLE: Mapping[str, Range] = {
    "age": Range(10, 110, (18, 90), "a human life; HCC is a tumour of adults"),
    # Beyond 10 million ng/mL nothing is reported; the median of a centre ranges over two decades.
    "afp": Range(0, 1e7, None, "the highest reported are some million ng/mL"),
    "bilirubin": Range(1.5, 1000, (5, 60), "assays begin at 0.1 mg/dL, 1.7 umol/L; 1000 umol/L is 58 mg/dL"),
    "albumin": Range(10, 70, (20, 55), "below 10 g/L nobody is operated on; 35 to 55 g/L is normal"),
    "diameter": Range(5, 300, (10, 200), "an HCC of less than 5 mm is not diagnosed; a liver is about 300 mm wide"),
    "alt": Range(3, 20000, (8, 300), _ENZYME),
    "ast": Range(3, 20000, (8, 300), _ENZYME),
    "ggt": Range(3, 10000, (8, 500), _ENZYME),
    "platelets": Range(3, 2000, (50, 600), "150 to 400e9/L is normal; more than 2000 is not seen"),
    "neutrophils": Range(0.05, 60, (1, 15), "2 to 7.5e9/L is normal; as a percentage it would be above 40"),
    "lymphocytes": Range(0.02, 20, (0.4, 6), "1 to 4e9/L is normal; as a percentage it would be above 20"),
    "monocytes": Range(0, 5, (0.1, 2), "0.2 to 0.8e9/L is normal; as a percentage it would be above 2"),
    "hbv_dna": Range(0, 1e12, None, "the highest reported are about 1e10 IU/mL"),
    "inr": Range(0.5, 20, None, "0.9 to 1.2 is normal; assays end at about 20"),
    "tumour_number": Range(1, 100, None, "a count of tumours"),
}


def limits_of(variable: str, own: Sequence[float]) -> tuple[float, float] | None:
    """Lowest and highest plausible value of a variable in the papers' unit; None where nothing is known.

    Args:
        own: `plausible` of the config, [] for the table's.
    """
    if own:
        return float(own[0]), float(own[1])
    known = PLAUSIBLE.get(variable)
    return (known.low, known.high) if known else None


def fitting_unit(variable: str, values: Sequence[float], unit: str) -> str | None:
    """Another unit that a centre's values fit, where they do not fit the declared one; None where they do.

    They do not where at least half of two or more lie outside the plausible limits, or the median of five or more is
    no usual one. The other unit must have a usual median, and nine in ten values within the limits.

    Args:
        values: as they stand in the sheet, in `unit`.
    """
    known, factor = PLAUSIBLE.get(variable), unit_factor(variable, unit)
    if known is None or known.usual is None or factor is None or len(values) < 2:
        return None

    def inside(by: float) -> float:
        return sum(known.low <= value * by <= known.high for value in values) / len(values)

    def usual(by: float) -> bool:
        return known.usual[0] <= np.median(values) * by <= known.usual[1]

    if inside(factor) > 0.5 and (usual(factor) or len(values) < FEWEST):
        return None
    for other, by in UNITS[variable].items():
        if by != factor and usual(by) and inside(by) >= 0.9:
            return other
    return None


def unusual_median(variable: str, values: Sequence[float], unit: str) -> bool:
    """Whether the median of five values or more is twice the highest usual one, or half the lowest, though most of them
    are within the limits: no unit that is known fits, such as percentages in place of counts of cells."""
    known, factor = PLAUSIBLE.get(variable), unit_factor(variable, unit)
    if known is None or known.usual is None or factor is None or len(values) < FEWEST:
        return False
    standard = np.array(values) * factor
    within = np.mean((standard >= known.low) & (standard <= known.high)) > 0.5
    return bool(within) and not known.usual[0] / 2 <= np.median(standard) <= known.usual[1] * 2


def other_readings(variable: str, value: float, unit: str) -> list[str]:
    """Units, besides the declared one, in which one value would be plausible, with the value in the papers' unit."""
    known, factor = PLAUSIBLE.get(variable), unit_factor(variable, unit)
    if known is None or variable not in UNITS:
        return []
    standard = next(iter(UNITS[variable]))
    low, high = known.usual or (known.low, known.high)
    found: dict[float, str] = {}
    for other, by in UNITS[variable].items():
        if by != factor and by not in found and low <= value * by <= high:
            found[by] = f"in {other} it would be {value * by:.4g} {standard}"
    return list(found.values())
