"""The sheets of the cohorts that a run needs, read, with what is wrong in them and in what studies ask of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hcc_recurrence.cohort.clinical import empty_column_problems, threshold_problems
from hcc_recurrence.cohort.clinical_scores import STAGE_INPUTS, STAGE_THRESHOLDS
from hcc_recurrence.cohort.labels import has_dates, make_labels
from hcc_recurrence.cohort.outcome import decimal_comma, outcome_column
from hcc_recurrence.cohort.sheets import MONTH_COLUMNS, Cohort, load_cohort
from hcc_recurrence.cohort.tables import read_sheet
from hcc_recurrence.planning.studies import Studies
from hcc_recurrence.problems import Problem

# Keys of a cohort that name a sheet.
SHEETS = ("patients", "series", "masks", "simulation")


@dataclass
class Sheets:
    """What was read.

    folder: what relative paths of the config start from. cohorts: by name; also those whose images another one uses.
    simulation: cohort -> patient -> row of the simulator's sheet. problems: of config and sheets.
    """

    folder: Path
    cohorts: dict[str, Cohort] = field(default_factory=dict)
    simulation: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def files(self) -> list[Path]:
        """The sheets that are there; one that is not is a problem already."""
        named = (cohort.settings[key] for cohort in self.cohorts.values() for key in SHEETS)
        return [self.folder / sheet for sheet in named if sheet and (self.folder / sheet).is_file()]

    def faulty(self, name: str) -> set[str]:
        """Patients of a cohort whose rows have a problem; an empty name is a problem of the whole cohort."""
        return {p.patient for p in self.problems if p.cohort == name}

    def labelled(self, name: str) -> list[str]:
        """Patients with a label, sorted, of those whose rows have no problem; all where none is needed or there."""
        cohort = self.cohorts[name]
        readable = cohort.patients.drop(index=sorted(self.faulty(name) & set(cohort.patients.index)))
        if not cohort.settings.get("outcome_needed", True):
            return sorted(readable.index)
        column = outcome_column(cohort)
        known = [column] if column else MONTH_COLUMNS
        if (column or not has_dates(readable)) and not all(c in readable for c in known):
            return sorted(readable.index)
        labels = make_labels(
            readable,
            cohort.settings["er_days"],
            cohort.settings["er_inclusive"],
            decimal_comma=decimal_comma(cohort),
            column=column,
        )
        return sorted(labels.loc[labels["excluded_because"] == "", "patient_id"])

    def wanted(self, name: str) -> list[str]:
        """Patients whose images are looked at: with a label, or with a row that is to be corrected."""
        return sorted({*self.labelled(name), *(self.faulty(name) & set(self.cohorts[name].patients.index))})


def load_sheets(studies: Studies, folder: Path) -> Sheets:
    """Read the sheets of all cohorts that studies use. What is wrong is in `problems` of what is returned."""
    config, found_sheets = studies.config, Sheets(folder)
    parents = [config["cohorts"][c]["images_of"] for c in studies.cohorts]
    for name in sorted({*studies.cohorts, *(p for p in parents if p)}):
        cohort, found = load_cohort(name, config["cohorts"][name], folder)
        found_sheets.cohorts[name] = cohort
        found_sheets.problems += found
        sheet = cohort.settings["simulation"]
        if sheet:
            try:
                rows = read_sheet(folder / sheet).to_dict("records")
                found_sheets.simulation[name] = {row["patient_id"]: row for row in rows}
            except (OSError, ValueError, KeyError) as error:
                what = f"cannot be read as the sheet of the simulator ({error})"
                found_sheets.problems.append(Problem(name, "", sheet, what, f"correct cohorts.{name}.simulation"))
                found_sheets.simulation[name] = {}
    found_sheets.problems += _needs_of_studies(studies, found_sheets.cohorts)
    return found_sheets


def _needs_of_studies(studies: Studies, cohorts: Mapping[str, Cohort]) -> list[Problem]:
    """What studies and the comparison take of the patients sheets, and do not find there."""
    problems = []
    for name, cohort in cohorts.items():
        problems += [
            Problem(
                name,
                "",
                cohort.settings["patients"],
                f"strata: {variable!r} names the column {column!r}, which the sheet does not have",
                f"the sheet has {', '.join(cohort.patients.columns)}",
            )
            for variable, column in cohort.settings["strata"].items()
            if column not in cohort.patients and "patients" in cohort.read
        ]
    if studies.applied:
        # What a model takes of the clinical variables was asked when it was read.
        return problems
    for (paper, name), study in studies.pairs.items():
        problems += _clinical_needs(studies.config, paper, name, study)
        used = studies.settings(paper, name).get("clinical", {})
        problems += threshold_problems(cohorts[name], f"{paper}'s threshold", used)
        problems += empty_column_problems(cohorts[name], paper, used)
    for name in studies.cohorts:
        constants = studies.config["cohorts"][name]["constants"]
        if set(STAGE_INPUTS) <= {*studies.comparator_variables(name), *constants}:
            for thresholds in STAGE_THRESHOLDS:
                problems += threshold_problems(cohorts[name], "a threshold of BCLC or CNLC,", thresholds)
    return problems


def _clinical_needs(config: Mapping[str, Any], paper: str, name: str, study: Mapping[str, Any]) -> list[Problem]:
    """Clinical variables of a paper that a cohort lacks, or knows too late."""
    settings = config["papers"][paper]["settings"]
    known = config["cohorts"][name]["clinical"]
    where, problems = f"study {paper} on {name}", []
    wanted = settings.get("clinical", {})
    for variable in sorted(set(study["without"]) - set(wanted)):
        problems.append(
            Problem(
                name,
                "",
                "config",
                f"{where}: without names {variable!r}, which the paper does not use",
                f"the paper's variables are {sorted(wanted)}",
            )
        )
    for variable in wanted:
        if variable in study["without"]:
            continue
        if variable not in known:
            problems.append(
                Problem(
                    name,
                    "",
                    "config",
                    f"{where}: the cohort has no clinical variable {variable!r}",
                    f"add it to cohorts.{name}.clinical, or to the study's `without`",
                )
            )
        elif settings.get("timing") == "pre" and known[variable]["timing"] == "post":
            problems.append(
                Problem(
                    name,
                    "",
                    "config",
                    f"{where}: {variable!r} is known only after the operation, the model is preoperative",
                    "add the variable to the study's `without`, or correct its timing",
                )
            )
    return problems
