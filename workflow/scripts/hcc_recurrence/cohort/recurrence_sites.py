"""Where a tumour recurred, as a column of the patients sheet says: for the tables of patients, never for a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from hcc_recurrence.cohort.numbers import missing_test
from hcc_recurrence.cohort.outcome import own_name
from hcc_recurrence.cohort.tables import read_patients
from hcc_recurrence.problems import Problem

if TYPE_CHECKING:
    from hcc_recurrence.cohort.sheets import Cohort


def read_sites(source: Mapping[str, Any], sites: Mapping[str, Any], missing_codes: Sequence[str]) -> pd.Series:
    """The site of each patient as a categorical in the declared order; missing where the cell says nothing.

    Args: source: of `sheet_source`. sites: column and levels, the cohort's `recurrence_sites`.
    """
    frame = read_patients(source, ()).drop_duplicates("patient_id").set_index("patient_id")
    is_missing = missing_test(missing_codes)
    cells = frame[sites["column"]].map(lambda cell: None if is_missing(cell) else cell)
    return cells.astype(pd.CategoricalDtype(list(sites["levels"]), ordered=True))


def site_problems(cohort: Cohort) -> list[Problem]:
    """A column that is not there, and cells that are none of the levels; a recurrence without a site is no problem."""
    sites = cohort.settings.get("recurrence_sites")
    if not sites or "patients" not in cohort.read:
        return []
    path, column, key = cohort.settings["patients"], sites["column"], f"cohorts.{cohort.name}.recurrence_sites"
    if column not in cohort.patients:
        what = f"has no column {own_name(cohort, column)!r}, which recurrence_sites names"
        return [Problem(cohort.name, "", path, what, f"correct {key}.column")]
    is_missing, known = missing_test(cohort.settings["missing_codes"]), set(sites["levels"])
    return [
        Problem(
            cohort.name,
            patient,
            path,
            f"column {own_name(cohort, column)}: {text!r} is not one of {', '.join(sites['levels'])}",
            f"correct the cell, or add the level to {key}.levels",
        )
        for patient, text in cohort.patients[column].items()
        if text not in known and not is_missing(text)
    ]
