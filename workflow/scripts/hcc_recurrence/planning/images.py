"""Which phases, registrations and masks of a patient are made and taken, and the files that they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple

from hcc_recurrence.cohort.checks import Sources
from hcc_recurrence.cohort.sheets import Cohort
from hcc_recurrence.planning.studies import Studies
from hcc_recurrence.radiomics.tables import AUTOMATIC as UNET


class Images:
    """Questions about the images and masks of one run.

    Args: sources: cohort -> what was found of the files of its images.
    """

    def __init__(self, studies: Studies, cohorts: Mapping[str, Cohort], sources: Mapping[str, Sources]):
        self.studies = studies
        self.cohorts = cohorts
        self.sources = sources

    def listed_phases(self, name: str, patient: str) -> list[str]:
        """The phases of a patient in the series sheet, in the order of PHASES, whether a study uses them or not."""
        return self.cohorts[name].phases(patient)

    def grid_phases(self, name: str, grid: str, patient: str) -> list[str]:
        """The phases of a patient that are brought onto a grid.

        All phases of the series sheet, whether a study uses them or not. But where the grid registers them or corrects
        their bias field, which is slow, those that a study takes from it, the one that the others are registered to
        first.
        """
        entry = self.studies.config["grids"][grid]
        reference = entry["register_to"]
        listed = self.listed_phases(name, patient)
        if not reference and entry["bias_correction"] == "none":
            return listed
        wanted = set()
        for paper, cohort in self.studies.pairs:
            if self.studies.image_cohort(cohort) == name and grid in self.studies.grids_of(paper, cohort):
                wanted.update(self.studies.phases(paper, cohort))
        ordered = [p for p in sorted(wanted or listed) if p != reference]
        return [reference, *ordered] if reference else ordered

    def grid_registrations(self, name: str, grid: str, patient: str) -> list[tuple[str, str]]:
        """Folder and phase of each registration that a grid takes of a patient."""
        reference = self.studies.reference_of_grid(grid)
        return [(reference, p) for p in self.grid_phases(name, grid, patient)[1:]] if reference else []

    def registered_phases(self, name: str, reference: str, patient: str) -> list[str]:
        """The phases of a patient that studies take registered to one of them, sorted; all others if none does."""
        grids = {
            grid
            for paper, cohort in self.studies.pairs
            if self.studies.image_cohort(cohort) == name
            for grid in self.studies.grids_of(paper, cohort)
            if self.studies.reference_of_grid(grid) == reference
        }
        found = {p for grid in grids for _, p in self.grid_registrations(name, grid, patient)}
        return sorted(found or {*self.listed_phases(name, patient)} - {self.studies.registration(reference)["phase"]})

    def registration_readers(self, name: str, reference: str, patient: str, phase: str) -> dict[str, str]:
        """Of the two phases of a registration, whose mask is looked at."""
        readers = self.mask_readers(name, patient)
        pair = sorted({self.studies.registration(reference)["phase"], phase})
        return {p: readers[p] for p in pair if p in readers}

    def crop_phases(self, name: str, crop: str, patient: str) -> list[str]:
        """The phases of a crop, the one whose mask places it first: those named, or those that studies take from it.

        A phase that no study uses may lack its mask.
        """
        entry = self.studies.config["crops"][crop]
        there = self.grid_phases(name, entry["grid"], patient)
        used = self.studies.phases_of_entry(name, "crops", crop)
        return list(entry["phases"]) or [p for p in there if p in used] or there

    def mask_readers(self, name: str, patient: str) -> dict[str, str]:
        """Phase -> whose mask the methods take: the cohort's reader, or the network where that one is absent."""
        cohort = self.cohorts[name]
        reader = cohort.settings["reader"]
        automatic = self.studies.config["masks"]["source"] == UNET
        return {
            phase: UNET if automatic and not cohort.has_mask(patient, phase) else reader
            for phase in sorted(self.listed_phases(name, patient))
        }

    def other_readers(self, name: str, phases: Sequence[str], patients: Sequence[str]) -> dict[str, list[str]]:
        """Readers besides the cohort's own, each with those of the patients who were outlined in all of the phases."""
        cohort, found = self.cohorts[name], {}
        for patient in patients:
            both = set.intersection(*({*cohort.readers(patient, phase)} for phase in phases))
            for reader in sorted(both - {cohort.settings["reader"]}):
                found.setdefault(reader, []).append(patient)
        return dict(sorted(found.items()))

    def series_sources(self, name: str, patient: str) -> dict[str, list[str]]:
        """Phase -> path, series UID and part (for the script; not part of what triggers a rerun)."""
        series = self.cohorts[name].series
        return {phase: list(astuple(series[patient, phase])) for phase in self.listed_phases(name, patient)}

    def series_files(self, name: str, patient: str) -> dict[str, list[str]]:
        """Phase -> names of the files of its series, where its folder holds other things as well (for the script)."""
        known = self.sources[name].files if name in self.sources else {}
        return {phase: known.get((patient, phase), []) for phase in self.listed_phases(name, patient)}

    def mask_sources(self, name: str, patient: str) -> dict[str, list[str]]:
        """`phase.reader` -> path and label of each mask (for the script)."""
        cohort = self.cohorts[name]
        found = {}
        for phase in self.listed_phases(name, patient):
            for reader in cohort.readers(patient, phase):
                mask = cohort.masks[patient, phase, reader]
                found[f"{phase}.{reader}"] = [mask.path, mask.label]
        return found

    def carrying(self, name: str) -> dict[str, str]:
        """How masks of the cohort's reader are carried to phases without: `by` and `reader`; empty where not."""
        settings = self.cohorts[name].settings
        if settings["carry_masks"] == "refuse":
            return {}
        return {"by": settings["carry_masks"], "reader": settings["reader"]}
