"""What is wrong with the input: images and masks of all patients, and splits that these patients cannot fill."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from hcc_recurrence.checked import Checked
from hcc_recurrence.cohort.checks import Sources, check_sources, completeness_problems
from hcc_recurrence.cohort.dates import date_fault
from hcc_recurrence.cohort.dicom_headers import HEADER_FACTS_VERSION
from hcc_recurrence.cohort.labels import make_labels
from hcc_recurrence.cohort.outcome import decimal_comma, outcome_column, split_date_problems
from hcc_recurrence.cohort.splits import draw_sets, folds_fault, in_training
from hcc_recurrence.endpoint import Endpoint
from hcc_recurrence.planning.patients import Patients
from hcc_recurrence.planning.sheets import Sheets
from hcc_recurrence.planning.studies import Studies
from hcc_recurrence.planning.unets import Unets, unet_problems
from hcc_recurrence.problems import Notice, Problem
from hcc_recurrence.provenance import FileCache
from hcc_recurrence.radiomics.tables import AUTOMATIC as UNET

# A cross-validation has two folds or more.
LEAST_FOLDS = 2


class InputCheck:
    """One look at the images and masks of all patients whose rows can be read.

    Args:
        cache: file of the header cache; None keeps it in memory.
        checked: file of what was found, for the jobs that a run sends to a cluster; None keeps nothing.
        sent: True in such a job, which takes what the run has found and looks at no image.

    Attributes:
        problems: of config, sheets, images and masks: no problem hides another. notices: what a person should look at,
        and which stops nothing. sources: cohort -> what was found of the files of its images.
    """

    def __init__(self, studies: Studies, sheets: Sheets, cache: Path | None, checked: Path | None, sent: bool):
        self.studies, self.sheets = studies, sheets
        self.sources: dict[str, Sources] = {}
        self.notices: list[Notice] = []
        memory = Checked(checked, studies.config, sheets.files()) if checked else None
        known = memory.read() if memory and sent else None
        if known:
            self.problems, self.sources = known
            return
        facts = FileCache(cache, HEADER_FACTS_VERSION)
        self.problems: list[Problem] = self._look(facts)
        facts.save()
        if memory and not sent:
            memory.write(self.problems, self.sources)

    def _look(self, facts: FileCache) -> list[Problem]:
        problems, cohorts = list(self.sheets.problems), self.sheets.cohorts
        for name, scheme in self.studies.comparisons():
            problems += self._split_problems(name, scheme) if "patients" in cohorts[name].read else []
        for name in sorted({self.studies.image_cohort(c) for c in cohorts}):
            problems += self._image_problems(name, facts)
        return problems

    def _image_problems(self, name: str, facts: FileCache) -> list[Problem]:
        problems, cohort = [], self.sheets.cohorts[name]
        wanted = sorted(
            {
                patient
                for other in self.sheets.cohorts
                if self.studies.image_cohort(other) == name
                for patient in self.sheets.wanted(other)
            }
        )
        known = [p for p in wanted if p in cohort.patients.index]
        for patient in sorted(set(wanted) - set(known)):
            what, remedy = (
                "has no images: the patient is not in this cohort",
                "correct the sheet of the cohort that uses",
            )
            problems.append(Problem(name, patient, cohort.settings["patients"], what, f"{remedy} these images"))
        if "series" not in cohort.read:
            return problems
        reader = "" if self.studies.config["masks"]["source"] == UNET else cohort.settings["reader"]
        phases = self.studies.image_phases(name)
        # Of a sheet that cannot be read, or has no rows, this is said, and not what each patient lacks in it.
        problems += completeness_problems(cohort, known, phases, reader if "masks" in cohort.read else "")
        problems += unet_problems(self.studies, cohort, known) if "masks" in cohort.read else []
        if name in self.sheets.simulation:
            for patient in sorted(set(known) - set(self.sheets.simulation[name])):
                problems.append(Problem(name, patient, cohort.settings["simulation"], "has no row", "add the row"))
            return problems
        root = self.sheets.folder / cohort.settings["data_root"]
        self.sources[name], found = check_sources(cohort, known, root, facts)
        problems += [p for p in found if not isinstance(p, Notice)]
        # In the order of what they may do to a result.
        self.notices += dict.fromkeys(p for p in found if isinstance(p, Notice))
        return problems

    def _split_problems(self, name: str, scheme: str) -> list[Problem]:
        """What the sheet lacks of a split that is not drawn: the column, a known word in it, or the date."""
        cohort, rule = self.sheets.cohorts[name], self.studies.config["splits"][scheme]
        path, frame = cohort.settings["patients"], cohort.patients
        if rule["kind"] == "column":
            if "split" not in frame:
                return [Problem(name, "", path, "has no column split", "add it, or use another split")]
            words = frame.loc[self.sheets.labelled(name), "split"]
            wrong = words[~words.isin(["train", "validation", "external"])]
            remedy = "write train, validation or external"
            return [Problem(name, p, path, f"column split: {word!r} is unknown", remedy) for p, word in wrong.items()]
        if rule["kind"] == "temporal":
            if "resection_date" not in frame or not rule["validation_from"]:
                what = f"split {scheme} is temporal without resection_date or validation_from"
                return [Problem(name, "", path, what, "add the column, or set splits.<name>.validation_from")]
            if date_fault(rule["validation_from"], date.today()):
                what = f"splits.{scheme}.validation_from: {rule['validation_from']!r} is no date that has come"
                return [Problem(name, "", "config", what, "write it as YYYY-MM-DD")]
            return split_date_problems(cohort, self.sheets.labelled(name))
        return []


def few_problems(patients: Patients, unets: Unets, problems: Sequence[Problem], refused: bool) -> list[Problem]:
    """Splits whose folds cannot be filled: an outcome has too few training patients.

    Args:
        problems: all others. refused: nothing is run, and patients who are corrected may fill the folds: then a
            split is named where even all of them, of either outcome, would not do.
    """
    broken = {p.cohort for p in problems if not p.patient}
    found, studies = [], patients.studies
    for name, scheme in studies.comparisons():
        cohort, rule = patients.cohorts[name], studies.config["splits"][scheme]
        if refused and broken & {"", name, studies.image_cohort(name)}:
            continue
        left_out = set(patients.excluded[name])
        if rule["without_unet"] and not refused:
            left_out |= set(unets.unet_parts(studies.image_cohort(name), rule["without_unet"]))
        settings = cohort.settings
        labels = make_labels(
            cohort.patients.loc[[p for p in patients.patients(name) if p not in left_out]],
            settings["er_days"],
            settings["er_inclusive"],
            decimal_comma=decimal_comma(cohort),
            column=outcome_column(cohort),
        )
        fraction = rule["validation_fraction"] if rule["kind"] == "random" else 0.0
        split = draw_sets(labels, patients.assigned_splits(name, scheme), fraction, studies.config["seed"])
        more = len(patients.excluded[name]) if refused else 0
        if fault := folds_fault(labels, split, rule["folds"], more, Endpoint(**settings["endpoint"])):
            most = min(map(len, in_training(labels, split).values()))
            lower = f"lower splits.{scheme}.folds (to {most} at most), " if most >= LEAST_FOLDS else ""
            # What needs no split.
            page = f"results/{studies.image_cohort(name)}/quality/all_patients.html"
            remedy = f"{lower}add patients, or name another split in the study; the target {page} needs none"
            found.append(Problem(name, "", settings["patients"], f"split {scheme}: {fault}", remedy))
    return found
