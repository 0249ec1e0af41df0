"""What rules compare of files and sheets: short texts that change where what they stand for does, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hcc_recurrence.cohort.checks import Sources
from hcc_recurrence.cohort.outcome import outcome_column
from hcc_recurrence.cohort.sheets import DATE_COLUMNS, MONTH_COLUMNS
from hcc_recurrence.planning.patients import Patients
from hcc_recurrence.provenance import combine_hashes, hash_of_parts


def _named_hash(kind: str, rows: Sequence[Sequence[str]]) -> str:
    """One hash of rows of texts, the first of each its name; `provenance.parts_of` knows that of each row."""
    texts: dict[str, list[str]] = {}
    for row in rows:
        texts.setdefault(row[0], []).append("\x1f".join(row))
    parts = {name: combine_hashes(own) for name, own in texts.items()}
    return hash_of_parts(kind, combine_hashes("\x1f".join(row) for row in rows), parts)


class Hashes:
    """Hashes of what the patients in use have in files and sheets.

    Args: sources: cohort -> what was found of the files of its images.
    """

    def __init__(self, patients: Patients, sources: Mapping[str, Sources]):
        self.patients = patients
        self.cohorts = patients.cohorts
        self.sources = sources
        self._contents: dict[str, str] = {}

    def fingerprint(self, name: str, patient: str) -> dict[str, str]:
        """Content of a patient's series and masks; constant for a simulated cohort: a rule makes its files."""
        cohort = self.cohorts[name]
        sources = self.sources.get(name)
        found = {}
        for phase in cohort.phases(patient):
            content = sources.series[patient, phase] if sources else "simulated"
            series = cohort.series[patient, phase]
            found[phase] = " ".join([content, series.series_uid, *filter(None, [series.part])])
            for reader in cohort.readers(patient, phase):
                content = sources.masks[patient, phase, reader] if sources else "simulated"
                label = cohort.masks[patient, phase, reader].label
                found[f"{phase}.{reader}"] = f"{content} {label}"
        return dict(sorted(found.items()))

    def contents(self, name: str) -> dict[str, dict[str, str]]:
        """`fingerprint` of every patient of a cohort in use, in the order of their names."""
        images = self.patients.studies.image_cohort(name)
        return {patient: self.fingerprint(images, patient) for patient in self.patients.patients(name)}

    def contents_hash(self, name: str) -> str:
        """Changes with any image or mask of a patient of a cohort in use."""
        if name not in self._contents:
            self._contents[name] = _named_hash(
                "patient",
                [[p, *(part for item in found.items() for part in item)] for p, found in self.contents(name).items()],
            )
        return self._contents[name]

    def outcome_hash(self, name: str) -> str:
        """Changes with any outcome or centre, and with no clinical column."""
        # By patient: another order of the rows is no other outcome.
        frame = self.cohorts[name].patients.sort_index()
        column = outcome_column(self.cohorts[name])
        outcome = [column] if column else [*DATE_COLUMNS, *MONTH_COLUMNS]
        columns = [c for c in ("patient_id", "centre", *outcome) if c in frame]
        return _named_hash("column", [[c, *frame[c]] for c in columns])

    def clinical_hash(self, name: str, variables: Sequence[str]) -> str:
        """Changes with any value of the named clinical variables of patients in use, and no other."""
        cohort = self.cohorts[name]
        frame = cohort.patients.loc[self.patients.patients(name)]
        definitions = cohort.settings["clinical"]
        rows = [[v, *frame[definitions[v]["column"]]] for v in sorted(variables)]
        # Where each centre has a unit of its own, a value depends on the patient's centre as well.
        if any(isinstance(definitions[v]["unit"], Mapping) for v in variables):
            rows.append(["centre", *frame["centre"]])
        return _named_hash("column", rows)

    def strata_hash(self, name: str) -> str:
        """Changes with the group of any patient in use."""
        cohort = self.cohorts[name]
        frame = cohort.patients.loc[self.patients.patients(name)]
        return _named_hash(
            "column", [[v, *frame.index, *frame[c]] for v, c in sorted(cohort.settings["strata"].items())]
        )

    def sites_hash(self, name: str) -> str:
        """Changes with the site of recurrence of any patient in use, and with the levels; empty without a column."""
        cohort = self.cohorts[name]
        sites = cohort.settings["recurrence_sites"]
        if not sites:
            return ""
        own = cohort.patients.loc[self.patients.patients(name), sites["column"]]
        rows = [[*sites["levels"]], *([patient, str(site)] for patient, site in own.items())]
        return _named_hash("column", [["recurrence_sites", *row] for row in rows])

    def readings_hash(self, name: str, variables: Sequence[str]) -> str:
        """Changes with any reading of the named variables in patients in use."""
        frame = self.cohorts[name].patients.loc[self.patients.patients(name)]
        rows = [[v, r, *frame[c]] for v, own in self.patients.readings(name, variables).items() for r, c in own.items()]
        return _named_hash("column", rows)
