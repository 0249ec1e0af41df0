"""Who trains the networks that find the tumour, and whose masks by them are used."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence

from hcc_recurrence.cohort.sheets import Cohort
from hcc_recurrence.planning.studies import Studies
from hcc_recurrence.problems import Problem
from hcc_recurrence.radiomics.tables import AUTOMATIC as UNET

# Fewer patients cannot train such a network and decide which epoch is kept.
LEAST_SEGMENTED = 4


def _candidates(studies: Studies, cohort: Cohort, unet: str, patients: Sequence[str]) -> list[str]:
    """Patients with a manual mask of every phase of the network, outside external centres."""
    reader, outside = cohort.settings["reader"], set(cohort.settings["external_centres"])
    return [
        p
        for p in patients
        if cohort.patients.loc[p, "centre"] not in outside
        and all((p, phase, reader) in cohort.masks for phase in studies.unet_phases(cohort.name, unet))
    ]


def _wanted(studies: Studies, cohort: Cohort, unet: str, patients: Sequence[str]) -> int:
    """How many patients train and choose the network: the fraction of all patients outside external centres.

    Not of those with manual masks: where only as many are delineated as the network is to have, it has them all, as the
    60 of 180 patients of Wang 2022 (4.3); where everybody is, the same number is drawn.
    """
    outside = set(cohort.settings["external_centres"])
    inside = [p for p in patients if cohort.patients.loc[p, "centre"] not in outside]
    return round(studies.config["unets"][unet]["fraction"] * len(inside))


def unet_problems(studies: Studies, cohort: Cohort, patients: Sequence[str]) -> list[Problem]:
    """Networks that the masks of these patients cannot train, and windows that they lack."""
    config, name, problems = studies.config, cohort.name, []
    sheet = cohort.settings["masks"]
    if config["masks"]["source"] == UNET and any(reader == UNET for _, _, reader in cohort.masks):
        what = f"has masks of a reader called {UNET}, which is what the network is called"
        problems.append(Problem(name, "", sheet, what, "rename that reader"))
    if studies.applied:
        # They come with their models.
        return problems
    for unet in studies.unets(name):
        entry = config["unets"][unet]
        lacking = [p for p in studies.unet_phases(name, unet) if p not in entry["windows"]]
        if lacking and cohort.settings["modality"] == "CT":
            what = f"unets.{unet} has no window for {lacking}"
            problems.append(Problem(name, "", "config", what, f"add unets.{unet}.windows"))
        number = min(_wanted(studies, cohort, unet, patients), len(_candidates(studies, cohort, unet, patients)))
        if number < LEAST_SEGMENTED:
            verb = "patient would" if number == 1 else "patients would"
            what = f"{number} {verb} train the network {unet}, {LEAST_SEGMENTED} are needed"
            drawn = len(_candidates(studies, cohort, unet, patients))
            more = "add patients with manual masks in all phases of the network"
            remedy = f"raise unets.{unet}.fraction, or {more}" if drawn >= LEAST_SEGMENTED else more
            remedy += "; or leave out the studies that need it"
            problems.append(Problem(name, "", sheet, what, remedy))
    return problems


class Unets:
    """Questions about entries of `unets` in one run.

    Args: patients: function of a cohort that returns its patients in use.
    """

    def __init__(self, studies: Studies, cohorts: Mapping[str, Cohort], patients: Callable[[str], list[str]]):
        self.studies = studies
        self.cohorts = cohorts
        self.patients = patients
        self._parts: dict[tuple[str, str], dict[str, str]] = {}

    def unet_parts(self, name: str, unet: str) -> dict[str, str]:
        """The patients that train the networks of an entry of `unets`: `fitted`, or `inner` (choose the epoch).

        Drawn by the hash of seed and name, so that another patient in the cohort changes at most one of them.
        """
        if self.studies.applied:
            return {}
        if (name, unet) not in self._parts:
            entry, seed = self.studies.config["unets"][unet], self.studies.config["seed"]
            candidates = _candidates(self.studies, self.cohorts[name], unet, self.patients(name))
            drawn = sorted(candidates, key=lambda p: hashlib.sha256(f"{seed} {unet} {p}".encode()).hexdigest())
            drawn = drawn[: max(_wanted(self.studies, self.cohorts[name], unet, self.patients(name)), LEAST_SEGMENTED)]
            inner = max(1, round(entry["inner_fraction"] * len(drawn)))
            parts = {p: "inner" if place < inner else "fitted" for place, p in enumerate(drawn)}
            self._parts[name, unet] = dict(sorted(parts.items()))
        return self._parts[name, unet]

    def has_predicted_masks(self, name: str, patient: str) -> bool:
        """Whether a patient's masks by the network are used, or compared with manual ones: not where these train it."""
        masks = self.studies.config["masks"]
        return masks["source"] == UNET and patient not in self.unet_parts(name, masks["unet"])
