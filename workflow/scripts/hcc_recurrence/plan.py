"""What a run is made of, worked out from the config and the sheets before the first job.

The plan reads sheets and file headers and writes nothing but the header cache. Everything it returns to a
rule is a builtin type with a fixed order, so that equal input gives equal parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hcc_recurrence.cohort.checks import excluded_patients
from hcc_recurrence.cohort.outcome import first_day_notices
from hcc_recurrence.cohort.suspect import suspect_notices
from hcc_recurrence.planning.check import InputCheck, few_problems
from hcc_recurrence.planning.hashes import Hashes
from hcc_recurrence.planning.horizon import horizon_notices
from hcc_recurrence.planning.images import Images
from hcc_recurrence.planning.patients import Patients
from hcc_recurrence.planning.sheets import load_sheets
from hcc_recurrence.planning.studies import Studies
from hcc_recurrence.planning.unets import Unets
from hcc_recurrence.problems import InputError, Problem


class Plan:
    """Cohorts, studies and sources of one run: reads and checks them, and hands questions on to who knows.

    Args:
        config: from `load_configuration`. folder: what relative paths of the config start from.
        cache: file of the header cache; None keeps it in memory.
        checked: file of what was found, for the jobs that a run sends to a cluster; None keeps nothing.
        sent: True in such a job, which takes what the run has found and looks at no image.

    Raises: InputError listing every problem of every cohort that a study uses.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        folder: Path,
        cache: Path | None,
        checked: Path | None = None,
        sent: bool = False,
    ):
        self.config = config
        studies = Studies(config)
        sheets = load_sheets(studies, folder)
        found = InputCheck(studies, sheets, cache, checked, sent)
        self.studies, self.cohorts, self.notices = studies.pairs, sheets.cohorts, found.notices
        # A patient whose images are refused is left out wherever those images are used.
        self.excluded: dict[str, Mapping[str, str]] = {
            name: excluded_patients(p for p in found.problems if p.cohort in {name, studies.image_cohort(name)})
            for name in self.cohorts
        }
        patients = Patients(studies, sheets, self.excluded)
        unets = Unets(studies, sheets.cohorts, patients.patients)
        self._refuse(found.problems, patients, unets)
        # Of outcomes that can be read: where there is no sheet, or a column lacks, that has been said.
        if not sent:
            used = {name: patients.patients(name) for name in studies.cohorts}
            first_day = [n for name in used for n in first_day_notices(sheets.cohorts[name], used[name])]
            suspect = [n for name in used for n in suspect_notices(sheets.cohorts[name], used[name])]
            self.notices = [*self.notices, *horizon_notices(studies, sheets.cohorts, used), *first_day, *suspect]
        # Those of patients who are left out.
        self.problems: list[Problem] = sorted(set(found.problems))
        # Problems that stop what needs a split, and nothing else: images, masks and labels can be made.
        self.split_problems = few_problems(patients, unets, found.problems, refused=False)
        self._answer(studies, patients, Images(studies, sheets.cohorts, found.sources), unets)
        hashes = Hashes(patients, found.sources)
        self.fingerprint, self.contents, self.contents_hash = hashes.fingerprint, hashes.contents, hashes.contents_hash
        self.outcome_hash, self.clinical_hash = hashes.outcome_hash, hashes.clinical_hash
        self.strata_hash, self.readings_hash = hashes.strata_hash, hashes.readings_hash
        self.sites_hash = hashes.sites_hash

    def _refuse(self, problems: list[Problem], patients: Patients, unets: Unets) -> None:
        whole = [p for p in problems if not p.patient]
        if problems and (whole or not self.config["keep_going"]):
            raise InputError(problems, self.notices, few_problems(patients, unets, problems, refused=True))
        empty = [c for c in patients.studies.cohorts if not patients.patients(c)]
        if empty:
            what, remedy = "no patient is left: all have a problem or no label", "see the other problems, or labels.csv"
            sheets = {c: self.cohorts[c].settings["patients"] for c in empty}
            raise InputError([*problems, *(Problem(c, "", sheets[c], what, remedy) for c in empty)])

    def _answer(self, studies: Studies, patients: Patients, images: Images, unets: Unets) -> None:
        """What rules ask, by the part that knows it."""
        self.image_cohort, self.phases, self.image_phases = studies.image_cohort, studies.phases, studies.image_phases
        self.scheme, self.schemes, self.comparisons = studies.scheme, studies.schemes, studies.comparisons
        self.papers_with_scheme, self.settings = studies.papers_with_scheme, studies.settings
        self.has_networks, self.random_networks = studies.has_networks, studies.random_networks
        self.random_weights, self.used_variables = studies.random_weights, studies.used_variables
        self.comparator_variables, self.radiomics_phases = studies.comparator_variables, studies.radiomics_phases
        self.reference_of_grid, self.registration = studies.reference_of_grid, studies.registration
        self.unets, self.unet_phases = studies.unets, studies.unet_phases

        self.patients, self.imaged, self.is_simulated = patients.patients, patients.imaged, patients.is_simulated
        self.centres, self.has_outcomes = patients.centres, patients.has_outcomes
        self.without_label = patients.without_label
        self.has_second_reader = patients.has_second_reader
        self.external_patients, self.simulated_row = patients.external_patients, patients.simulated_row
        self.knows_best_auc, self.data_root = patients.knows_best_auc, patients.data_root
        self.sheet_files = patients.sheet_files
        self.horizon_months, self.horizon_words = patients.horizon_months, patients.horizon_words
        self.assigned_splits, self.tumour_numbers = patients.assigned_splits, patients.tumour_numbers
        self.patients_sheet, self.readings = patients.patients_sheet, patients.readings
        self.clinical_definitions = patients.clinical_definitions
        self.clinical_meaning = patients.clinical_meaning

        self.listed_phases, self.grid_phases = images.listed_phases, images.grid_phases
        self.crop_phases = images.crop_phases
        self.grid_registrations, self.registered_phases = images.grid_registrations, images.registered_phases
        self.registration_readers, self.mask_readers = images.registration_readers, images.mask_readers
        self.other_readers = images.other_readers
        self.series_sources, self.series_files = images.series_sources, images.series_files
        self.mask_sources, self.carrying = images.mask_sources, images.carrying

        self.unet_parts, self.has_predicted_masks = unets.unet_parts, unets.has_predicted_masks
