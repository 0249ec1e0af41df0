"""Names, units and levels of clinical variables as tables and figures print them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

LABELS: Mapping[str, str] = {
    "afp": "AFP",
    "age": "Age",
    "albi_grade": "ALBI grade",
    "albumin": "Albumin",
    "alt": "ALT",
    "ast": "AST",
    "bclc": "BCLC stage",
    "bilirubin": "Total bilirubin",
    "capsule": "Tumour capsule",
    "capsule_type": "Capsule appearance",
    "child_pugh": "Child-Pugh class",
    "cirrhosis": "Cirrhosis",
    "diameter": "Tumour diameter",
    "differentiation_poor": "Poor differentiation",
    "ecog_ps": "ECOG performance status",
    "enhancement_type": "Arterial enhancement type",
    "ggt": "GGT",
    "haemorrhage": "Intratumoral haemorrhage",
    "halo": "Hypodense halo",
    "hbv_dna": "HBV-DNA",
    "hepatitis": "Hepatitis B or C",
    "heterogeneous": "Heterogeneous tumour",
    "inr": "INR",
    "ki67_high": "High Ki-67 index",
    "lymphocytes": "Lymphocytes",
    "margin_nonsmooth": "Non-smooth tumour margin",
    "monocytes": "Monocytes",
    "mvi": "Microvascular invasion",
    "near_vessels": "Adjacent to major vessels",
    "necrosis": "Intratumoral necrosis",
    "neutrophils": "Neutrophils",
    "peritumoral_enhancement": "Arterial peritumoral enhancement",
    "peritumoral_hypointensity": "Peritumoral hypointensity",
    "platelets": "Platelets",
    "rim_enhancement": "Irregular rim-like enhancement",
    "satellite_nodules": "Satellite nodules",
    "sex": "Sex",
    "tumour_number": "Number of tumours",
    "tumour_vessels": "Vessels in tumour",
}
_LEVELS: Mapping[str, str] = {"F": "Female", "M": "Male"}
_UNITS: Mapping[str, str] = {"umol/L": "µmol/L", "1e9/L": "×10⁹/L", "ug/L": "µg/L", "ukat/L": "µkat/L"}


def label_of(variable: str) -> str:
    """The printed name of a variable; one that is not known has its underscores as spaces.

    `enhancement_type=3` is the category 3 of a variable (`learning.clinical.by_category`).
    """
    if "=" in variable:
        whole, category = variable.split("=", 1)
        return f"{label_of(whole)}: {level_text(category)}"
    known = LABELS.get(variable)
    return known or (variable[:1].upper() + variable[1:]).replace("_", " ")


def unit_text(unit: str) -> str:
    """A unit as print has it."""
    return _UNITS.get(unit, unit)


def level_text(level: str) -> str:
    """A level of a categorical variable as print has it."""
    return _LEVELS.get(level, level)


def threshold_of(cut: float | Mapping[str, float]) -> tuple[str, str, float]:
    """Signs at and beyond a threshold, and its number: `≤`, `>`, 400, or `<`, `≥`, 60."""
    return ("<", "≥", cut["at_least"]) if isinstance(cut, Mapping) else ("≤", ">", cut)


def sides_of(levels: Sequence[str], cut: float | Mapping[str, float]) -> tuple[str, str] | None:
    """The levels at both sides of a threshold, as print has them: A/B and C; none where a side has no level.

    Args:
        levels: of a categorical variable, whose numbers are 0, 1, 2 ...
    """
    _, beyond, number = threshold_of(cut)
    above = [n >= number if beyond == "≥" else n > number for n in range(len(levels))]
    sides = ["/".join(x for x, high in zip(levels, above, strict=True) if high == side) for side in (False, True)]
    return (sides[0], sides[1]) if all(sides) else None


def heading(variable: str, definition: Mapping[str, Any]) -> str:
    """`AFP, ng/mL`: name and unit, as at the head of a row or an axis; when it is known only after the operation."""
    unit = unit_text(definition["unit"] or "")
    late = " (post-op)" if definition.get("timing") == "post" else ""
    return f"{label_of(variable)}{', ' if unit else ''}{unit}{late}"


def term(variable: str, definition: Mapping[str, Any], cut: float | Mapping[str, float] | None) -> str:
    """What a ratio, or an axis of a nomogram, belongs to: `AFP > 400 ng/mL`, `Sex (Male vs Female)`, `ALT, U/L`.

    Args:
        definition: kind, unit, timing and levels of the variable before it is dichotomised.
    """
    late = " (post-op)" if definition.get("timing") == "post" else ""
    name, levels = label_of(variable), [level_text(level) for level in definition["levels"]]
    if cut is not None and (sides := sides_of(levels, cut)):
        return f"{name} ({sides[1]} vs {sides[0]}){late}"
    if cut is not None:
        _, beyond, number = threshold_of(cut)
        return f"{name} {beyond} {number:g} {unit_text(definition['unit'] or '')}".rstrip() + late
    if definition["kind"] == "continuous":
        return heading(variable, definition)
    if len(levels) == 2:
        return f"{name} ({levels[1]} vs {levels[0]}){late}"
    return f"{name}, per level{late}" if levels else f"{name}{late}"
