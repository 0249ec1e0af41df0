"""The diameter in the patients sheet beside the tumour in the mask: another unit or another patient's mask shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hcc_recurrence.cohort.clinical import unit_of
from hcc_recurrence.cohort.mask_contents import chosen_shapes
from hcc_recurrence.cohort.mask_shapes import check_diameter
from hcc_recurrence.cohort.numbers import exact_number, missing_test
from hcc_recurrence.cohort.outcome import decimal_comma, own_name
from hcc_recurrence.cohort.sheets import Cohort
from hcc_recurrence.cohort.units import unit_factor

DIAMETER = "diameter"


def check_sheet_diameter(cohort: Cohort, patient: str, contents: Mapping[str, Any], label: str) -> None:
    """Raise MaskError where the patient's diameter in the sheet cannot be that of the tumour in a mask.

    A bound (`>50`) and a cell that is missing or no number say nothing here.

    Args:
        contents: of `mask_contents`. label: the cell of the masks sheet.
    """
    definition = cohort.settings["clinical"].get(DIAMETER)
    shapes = chosen_shapes(contents, label) if definition else []
    if not shapes or definition["kind"] != "continuous" or definition["column"] not in cohort.patients:
        return
    cell, comma = cohort.patients.at[patient, definition["column"]], decimal_comma(cohort)
    unit = unit_of(definition, cohort.patients.at[patient, "centre"])
    value, factor = exact_number(cell, comma), unit_factor(DIAMETER, unit)
    if value is None or factor is None or missing_test(cohort.settings["missing_codes"], comma)(cell):
        return
    check_diameter(shapes, value * factor, f"column {own_name(cohort, definition['column'])}: {cell!r} {unit}")
