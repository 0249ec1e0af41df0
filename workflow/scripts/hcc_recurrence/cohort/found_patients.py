"""Which patient a file belongs to, where PatientIDs are blank, starred or shared; and the names of all patients."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

from hcc_recurrence.cohort.persons import contradictions

NO_NUMBER = "no usable PatientID: each study counts as a patient; whose it is a person must say"
SHARED_NUMBER = "its PatientID is that of several persons by birth date or sex: each study counts as a patient"


class Owners:
    """Patients of files by their headers.

    A blank or starred PatientID makes nobody a patient: such files belong to the one patient whose number other files
    of the study have (segmentations are often saved without), else each study is a patient, or each folder where there
    is no study. The same where headers with one PatientID tell several persons.

    Args: files: with `about`, of `HeaderReader`.
    """

    def __init__(self, files: Iterable[tuple[Path, Mapping[str, Any]]]):
        in_study: dict[str, set[str]] = defaultdict(set)
        persons: dict[str, dict[str, Mapping[str, str]]] = defaultdict(dict)
        for _, about in files:
            if "patient" in about:
                in_study[about.get("StudyInstanceUID", "")].add(about["patient"])
                person = about.get("person", {})
                persons[about["patient"]].setdefault(str(sorted(person.items())), person)
        self._of_study = {study: next(iter(own)) for study, own in in_study.items() if study and len(own) == 1}
        self._shared = {
            patient
            for patient, told in persons.items()
            if any(contradictions(a, b) for a, b in combinations(told.values(), 2))
        }

    def owner(self, file: Path, about: Mapping[str, Any]) -> tuple[str, str]:
        """The patient of a file, and why that is in doubt; empty where it is not."""
        study = about.get("StudyInstanceUID", "")
        patient = about.get("patient") or self._of_study.get(study, "")
        if patient and patient not in self._shared:
            return patient, ""
        return (f"study {study}" if study else f"folder {file.parent}"), SHARED_NUMBER if patient else NO_NUMBER
