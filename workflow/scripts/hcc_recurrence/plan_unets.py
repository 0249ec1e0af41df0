"""What a run needs of networks that find the tumour: who trains them, on which phases, and whose masks are used."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from hcc_recurrence.cohort.sheets import Cohort
from hcc_recurrence.problems import Problem
from hcc_recurrence.radiomics.tables import AUTOMATIC as UNET

# Fewer patients cannot train such a network and decide which epoch is kept.
LEAST_SEGMENTED = 4


class UnetPlan:
    """The part of `plan.Plan` about entries of `unets`."""

    config: Mapping[str, Any]
    studies: Mapping[tuple[str, str], Mapping[str, Any]]
    cohorts: Mapping[str, Cohort]
    _parts: dict[tuple[str, str], dict[str, str]]

    def unets(self, name: str) -> list[str]:
        """Entries of `unets` that are trained on a cohort's images, sorted."""
        used = set()
        for paper, cohort in self.studies:
            if self.image_cohort(cohort) == name:
                used.add(self.config["papers"][paper]["settings"].get("unet", ""))
                used.add(self.config["splits"][self.scheme(paper, cohort)]["without_unet"])
        if self.config["masks"]["source"] == UNET:
            used.add(self.config["masks"]["unet"])
        return sorted(used - {""})

    def unet_phases(self, name: str, unet: str) -> list[str]:
        """The phases of a cohort's images that have a network of an entry of `unets`, sorted."""
        if self.config["masks"]["source"] == UNET and self.config["masks"]["unet"] == unet:
            return self.image_phases(name)
        found = {
            phase
            for paper, cohort in self.studies
            if self.image_cohort(cohort) == name and self.config["papers"][paper]["settings"].get("unet") == unet
            for phase in self.phases(paper, cohort)
        }
        return sorted(found) or self.image_phases(name)

    def _unet_candidates(self, name: str, unet: str, patients: Sequence[str]) -> list[str]:
        """Patients with a manual mask of every phase of the network, outside external centres."""
        cohort = self.cohorts[name]
        reader, outside = cohort.settings["reader"], set(cohort.settings["external_centres"])
        return [
            p
            for p in patients
            if cohort.patients.loc[p, "centre"] not in outside
            and all((p, phase, reader) in cohort.masks for phase in self.unet_phases(name, unet))
        ]

    def _unet_problems(self, name: str, patients: Sequence[str]) -> list[Problem]:
        problems, cohort = [], self.cohorts[name]
        sheet = cohort.settings["masks"]
        if self.config["masks"]["source"] == UNET and any(reader == UNET for _, _, reader in cohort.masks):
            what = f"has masks of a reader called {UNET}, which is what the network is called"
            problems.append(Problem(name, "", sheet, what, "rename that reader"))
        for unet in self.unets(name):
            entry = self.config["unets"][unet]
            lacking = [p for p in self.unet_phases(name, unet) if p not in entry["windows"]]
            if lacking and cohort.settings["modality"] == "CT":
                what = f"unets.{unet} has no window for {lacking}"
                problems.append(Problem(name, "", "config", what, f"add unets.{unet}.windows"))
            number = round(entry["fraction"] * len(self._unet_candidates(name, unet, patients)))
            if number < LEAST_SEGMENTED:
                what = f"{number} patients would train the network {unet}, {LEAST_SEGMENTED} are needed"
                remedy = f"add manual masks, or raise unets.{unet}.fraction"
                problems.append(Problem(name, "", sheet, what, remedy))
        return problems

    def unet_parts(self, name: str, unet: str) -> dict[str, str]:
        """The patients that train the networks of an entry of `unets`: `fitted`, or `inner` (choose the epoch).

        Drawn by the hash of seed and name, so that another patient in the cohort changes at most one of them.
        """
        if (name, unet) not in self._parts:
            entry, seed = self.config["unets"][unet], self.config["seed"]
            candidates = self._unet_candidates(name, unet, self.patients(name))
            drawn = sorted(candidates, key=lambda p: hashlib.sha256(f"{seed} {unet} {p}".encode()).hexdigest())
            drawn = drawn[: max(round(entry["fraction"] * len(drawn)), LEAST_SEGMENTED)]
            inner = max(1, round(entry["inner_fraction"] * len(drawn)))
            parts = {p: "inner" if place < inner else "fitted" for place, p in enumerate(drawn)}
            self._parts[name, unet] = dict(sorted(parts.items()))
        return self._parts[name, unet]

    def external_patients(self, name: str) -> list[str]:
        """Patients of a cohort's external centres whose images any study uses, sorted."""
        outside = set(self.cohorts[name].settings["external_centres"])
        return [p for p in self.imaged(name) if self.cohorts[name].patients.loc[p, "centre"] in outside]

    def imaged(self, name: str) -> list[str]:
        """Patients whose images of a cohort any study uses, sorted."""
        return sorted({p for c in self.cohorts if self.image_cohort(c) == name for p in self.patients(c)})

    def mask_readers(self, name: str, patient: str) -> dict[str, str]:
        """Phase -> whose mask the methods take: the cohort's reader, or the network where that one is absent."""
        cohort = self.cohorts[name]
        reader = cohort.settings["reader"]
        automatic = self.config["masks"]["source"] == UNET
        return {
            phase: UNET if automatic and not cohort.has_mask(patient, phase) else reader
            for phase in sorted(self.listed_phases(name, patient))
        }

    def has_predicted_masks(self, name: str, patient: str) -> bool:
        """Whether a patient's masks by the network are used, or compared with manual ones: not where these train it."""
        masks = self.config["masks"]
        return masks["source"] == UNET and patient not in self.unet_parts(name, masks["unet"])
