"""What is read from which column of the sheet: an outcome as a variable, one column for two, codes as values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hcc_recurrence.cohort.dates import DATE_COLUMNS
from hcc_recurrence.cohort.numbers import missing_test
from hcc_recurrence.cohort.outcome import MONTH_COLUMNS, decimal_comma, outcome_column, own_name
from hcc_recurrence.problems import Problem

if TYPE_CHECKING:
    from hcc_recurrence.cohort.sheets import Cohort


def column_use_problems(cohort: Cohort) -> list[Problem]:
    """Every use of a column that makes numbers wrong, whatever stands in its cells."""
    return [*_outcomes_as_variables(cohort), *_columns_of_two(cohort), *_codes_that_are_values(cohort)]


def _read_columns(cohort: Cohort) -> Iterator[tuple[str, str]]:
    """Key of the config below the cohort, and the column of our names that it reads."""
    for variable, definition in cohort.settings["clinical"].items():
        yield f"clinical.{variable}.column", definition["column"]
        for reader, column in definition.get("readings", {}).items():
            yield f"clinical.{variable}.readings.{reader}", column
    for name, column in cohort.settings.get("strata", {}).items():
        yield f"strata.{name}", column


def _outcomes_as_variables(cohort: Cohort) -> list[Problem]:
    """Variables and strata that are the outcome, or follow from it: a model would read what it predicts.

    The day of the operation is known before it; of the two sets of columns of an outcome both are meant, also the one
    that is not in use.
    """
    outcomes = {column for column in (*DATE_COLUMNS[1:], *MONTH_COLUMNS, outcome_column(cohort)) if column}
    if sites := cohort.settings.get("recurrence_sites"):
        outcomes.add(sites["column"])
    problems = []
    for key, column in _read_columns(cohort):
        if column in outcomes and column in cohort.patients:
            what = (
                f"cohorts.{cohort.name}.{key} reads the column {own_name(cohort, column)!r}, which is the outcome "
                "itself, or known with it alone"
            )
            problems.append(Problem(cohort.name, "", "config", what, "remove it, or name its own column"))
    return problems


def _columns_of_two(cohort: Cohort) -> list[Problem]:
    """One column of numbers for two variables, and one for two readers of a variable."""
    problems, seen = [], {}
    for variable, definition in cohort.settings["clinical"].items():
        path, column = f"cohorts.{cohort.name}.clinical.{variable}", definition["column"]
        if definition["kind"] == "continuous":
            other = seen.setdefault(column, variable)
            if other != variable:
                what = f"{path}.column names {own_name(cohort, column)!r}, which is the column of {other} as well"
                problems.append(Problem(cohort.name, "", "config", what, f"name the column of {variable} itself"))
        columns = [column, *definition.get("readings", {}).values()]
        if twice := sorted({c for c in columns if columns.count(c) > 1}):
            what = f"{path}.readings names {own_name(cohort, twice[0])!r} twice, or names its own column: agreement of "
            remedy = "name the column of each reader"
            problems.append(Problem(cohort.name, "", "config", f"{what}readers would be perfect", remedy))
    return problems


def _codes_that_are_values(cohort: Cohort) -> list[Problem]:
    """A code for missing that is a yes or a no, or a level: all who have it would be filled in as missing."""
    codes = cohort.settings["missing_codes"]
    is_missing, problems = missing_test([code for code in codes if code], decimal_comma(cohort)), []
    for variable, definition in cohort.settings["clinical"].items():
        values = {"binary": ["0", "1"], "categorical": definition.get("levels", [])}.get(definition["kind"], [])
        # Levels are compared as text.
        taken = [v for v in values if (v in codes if definition["kind"] == "categorical" else is_missing(v)) and v]
        if taken:
            what = (
                f"cohorts.{cohort.name}.missing_codes has {taken[0]!r}, which is a value of the clinical variable "
                f"{variable}: all who have it would count as missing"
            )
            remedy = "remove the code, and leave cells empty where a value is missing"
            problems.append(Problem(cohort.name, "", "config", what, remedy))
    return problems
