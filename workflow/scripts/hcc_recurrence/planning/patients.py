"""The patients in use of each cohort, and what rules take from the patients sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hcc_recurrence.cohort.labels import has_dates, horizon_months, horizon_words
from hcc_recurrence.cohort.numbers import missing_test, parse_number
from hcc_recurrence.cohort.outcome import decimal_comma, known_outcomes
from hcc_recurrence.cohort.sheets import sheet_source
from hcc_recurrence.cohort.units import in_standard_unit
from hcc_recurrence.planning.sheets import SHEETS, Sheets
from hcc_recurrence.planning.studies import Studies
from hcc_recurrence.radiomics.tables import AUTOMATIC as UNET

# Why a patient to whom models are applied has no label.
NO_OUTCOME = "no outcome in the patients sheet"
# Keys of a clinical variable that change no value of it.
CHECKED_ONLY = ("readings", "plausible")


class Patients:
    """Questions about the patients of one run.

    Args: excluded: cohort -> patient -> why a patient with a label is left out.
    """

    def __init__(self, studies: Studies, sheets: Sheets, excluded: Mapping[str, Mapping[str, str]]):
        self.studies = studies
        self.cohorts = sheets.cohorts
        self.simulation = sheets.simulation
        self.excluded = excluded
        self._data_folder = sheets.folder
        self._used = {name: [p for p in sheets.labelled(name) if p not in excluded[name]] for name in sheets.cohorts}

    def patients(self, name: str) -> list[str]:
        """Patients of a cohort with a label and usable images, sorted."""
        return self._used[name]

    def imaged(self, name: str) -> list[str]:
        """Patients whose images of a cohort any study uses, sorted."""
        return sorted({p for c in self.cohorts if self.studies.image_cohort(c) == name for p in self.patients(c)})

    def has_outcomes(self, name: str) -> bool:
        """Whether the patients sheet of a cohort has the outcome of any patient in use."""
        _, known = known_outcomes(self.cohorts[name])
        return bool(known.loc[self.patients(name)].any())

    def without_label(self, name: str) -> dict[str, str]:
        """Patient -> why he has no label: a problem of his; or, where models are applied, no outcome in the sheet."""
        found, cohort = dict(self.excluded[name]), self.cohorts[name]
        if not cohort.settings.get("outcome_needed", True):
            _, known = known_outcomes(cohort)
            found = dict.fromkeys(cohort.patients.index[~known], NO_OUTCOME) | found
        return dict(sorted(found.items()))

    def has_second_reader(self, name: str) -> bool:
        """Whether another reader than the cohort's own, or a network, has drawn a mask of any patient in use."""
        if self.studies.config["masks"]["source"] == UNET:
            return True
        images = self.cohorts[self.studies.image_cohort(name)]
        used, own = set(self.patients(name)), images.settings["reader"]
        return any(patient in used and reader != own for patient, _, reader in images.masks)

    def centres(self, name: str) -> dict[str, str]:
        """Patient -> centre, of the patients in use, in the order of their names."""
        return {patient: str(self.cohorts[name].patients.at[patient, "centre"]) for patient in self.patients(name)}

    def external_patients(self, name: str) -> list[str]:
        """Patients of a cohort's external centres whose images any study uses, sorted."""
        outside = set(self.cohorts[name].settings["external_centres"])
        return [p for p in self.imaged(name) if self.cohorts[name].patients.loc[p, "centre"] in outside]

    def is_simulated(self, name: str) -> bool:
        """True where the images come from the simulator."""
        return name in self.simulation

    def simulated_row(self, name: str, patient: str) -> dict[str, str]:
        """The patient's row of the simulation sheet."""
        return dict(sorted(self.simulation[name][patient].items()))

    def knows_best_auc(self, name: str) -> bool:
        """Whether the oracle AUC is known: of simulated patients without a confounder beside the tumour."""
        return name in self.simulation and not any("marker" in row for row in self.simulation[name].values())

    def sheet_files(self, name: str) -> list[Path]:
        """The sheets of a cohort, that of the simulator among them."""
        settings = self.cohorts[name].settings
        named = (settings.get(key) for key in SHEETS)
        return [Path(self._data_folder, sheet) for sheet in named if sheet]

    def data_root(self, name: str) -> str:
        """What relative paths of a real cohort's sheets start from."""
        return str(self._data_folder / self.cohorts[name].settings["data_root"])

    def horizon_months(self, name: str) -> float:
        """The last time that counts as early, in months with the three decimals of `rfs_months`.

        Where a recurrence on the horizon itself is not early, one step before it: labels and survival agree.
        """
        settings = self.cohorts[name].settings
        horizon = horizon_months(settings["er_days"], has_dates(self.cohorts[name].patients))
        return horizon if settings["er_inclusive"] else round(horizon - 0.001, 3)

    def horizon_words(self, name: str) -> str:
        """The horizon of early recurrence in the unit of the cohort's outcome: `730 days` or `24 months`."""
        return horizon_words(self.cohorts[name].settings["er_days"], has_dates(self.cohorts[name].patients))

    def assigned_splits(self, name: str, scheme: str) -> dict[str, str]:
        """Patients whose split is not drawn: external centres, the sheet's column, or the date."""
        cohort, rule = self.cohorts[name], self.studies.config["splits"][scheme]
        frame = cohort.patients.loc[self.patients(name)]
        assigned: dict[str, str] = {}
        if rule["kind"] == "column":
            assigned = frame["split"].to_dict()
        elif rule["kind"] == "temporal":
            first = pd.Timestamp(rule["validation_from"])
            for patient, date in frame["resection_date"].items():
                assigned[patient] = "train" if pd.Timestamp(date) < first else "validation"
        outside = set(cohort.settings["external_centres"])
        for patient, centre in frame["centre"].items():
            if centre in outside:
                assigned[patient] = "external"
        return dict(sorted(assigned.items()))

    def patients_sheet(self, name: str) -> dict[str, Any]:
        """How the patients sheet of a cohort is read."""
        return sheet_source(self.cohorts[name].settings)

    def clinical_definitions(self, name: str, variables: Sequence[str]) -> dict[str, Any]:
        """The config's definitions of the named variables, in the papers' units."""
        definitions = self.cohorts[name].settings["clinical"]
        found = {}
        for variable in variables:
            own = in_standard_unit(variable, definitions[variable])
            found[variable] = {key: value for key, value in sorted(own.items()) if key not in CHECKED_ONLY}
        return found

    def clinical_meaning(self, name: str, variables: Sequence[str]) -> dict[str, Any]:
        """The definitions without the names of columns, which say where a value is and not what it means."""
        found = self.clinical_definitions(name, variables)
        return {v: {key: value for key, value in own.items() if key != "column"} for v, own in found.items()}

    def readings(self, name: str, variables: Sequence[str]) -> dict[str, dict[str, str]]:
        """Variable -> reading -> column, of the named variables that were read more than once."""
        definitions = self.cohorts[name].settings["clinical"]
        return {
            v: dict(sorted(definitions[v]["readings"].items())) for v in sorted(variables) if definitions[v]["readings"]
        }

    def tumour_numbers(self, name: str) -> dict[str, int]:
        """Patient -> number of tumours in the sheet, of those who have one, in the order of their names."""
        definition = self.cohorts[name].settings["clinical"].get("tumour_number")
        if definition is None or definition["kind"] == "categorical":
            return {}
        cells = self.cohorts[name].patients.loc[self.patients(name), definition["column"]]
        comma = decimal_comma(self.cohorts[name])
        is_missing = missing_test(self.cohorts[name].settings["missing_codes"], comma)
        numbers = {p: parse_number(c, comma) for p, c in cells.items() if not is_missing(c)}
        return {p: round(n) for p, n in sorted(numbers.items()) if n is not None}
