"""What studies take, as the config alone says it: phases, splits, settings, networks, grids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hcc_recurrence.cohort.clinical_scores import INPUTS as SCORE_INPUTS
from hcc_recurrence.methods.contract import FEATURES, declared
from hcc_recurrence.networks.architectures import FROM_SCRATCH, crops_of
from hcc_recurrence.presets import preset_mark, with_thresholds
from hcc_recurrence.radiomics.tables import AUTOMATIC as UNET


class Studies:
    """Questions about the studies of one run.

    Args: config: from `load_configuration`.

    Attributes: pairs: paper and cohort of each study -> what the config says of it. applied: whether exported models
    stand in place of papers, so that nothing is fitted or split.
    """

    def __init__(self, config: Mapping[str, Any]):
        self.config, self.applied = config, bool(config.get("models"))
        self.pairs: dict[tuple[str, str], Mapping[str, Any]] = {(s["paper"], s["cohort"]): s for s in config["studies"]}

    @property
    def cohorts(self) -> list[str]:
        """The cohorts that studies name, sorted."""
        return sorted({cohort for _, cohort in self.pairs})

    def image_cohort(self, name: str) -> str:
        """The cohort whose images `name` uses (itself, unless images_of names another)."""
        return self.config["cohorts"][name]["images_of"] or name

    def scheme(self, paper: str, cohort: str) -> str:
        """The named split of a study: its own, or the paper's."""
        return self.pairs[paper, cohort]["split"] or self.config["papers"][paper]["settings"]["split"]

    def schemes(self, name: str) -> list[str]:
        """The splits that studies use on a cohort, sorted."""
        return [scheme for cohort, scheme in self.comparisons() if cohort == name]

    def comparisons(self) -> list[tuple[str, str]]:
        """Cohort and split of every comparison: each split that a study uses on a cohort."""
        pairs = [] if self.applied else self.pairs
        return sorted({(cohort, self.scheme(paper, cohort)) for paper, cohort in pairs})

    def papers_with_scheme(self, cohort: str, scheme: str) -> list[str]:
        """The papers whose study on a cohort uses a split, sorted."""
        return sorted(p for p, c in self.pairs if c == cohort and self.scheme(p, c) == scheme)

    def settings(self, paper: str, cohort: str) -> dict[str, Any]:
        """The paper's settings for one study: its clinical variables less `without`, with the cohort's `thresholds`."""
        settings = {**self.config["papers"][paper]["settings"], "split": self.scheme(paper, cohort)}
        without = self.pairs[paper, cohort]["without"]
        if "clinical" in settings:
            clinical = with_thresholds(settings["clinical"], self.config["cohorts"][cohort]["thresholds"])
            settings["clinical"] = {v: rule for v, rule in clinical.items() if v not in without}
        return settings

    def phases(self, paper: str, cohort: str) -> list[str]:
        """The cohort's phases that a study uses, in the paper's order."""
        study = self.pairs[paper, cohort]
        order = self.config["papers"][paper]["settings"]["phases"]
        mapped = study["phases"] or {phase: phase for phase in order}
        return [mapped[phase] for phase in order if phase in mapped]

    def image_phases(self, name: str) -> list[str]:
        """Phases of a cohort's images that any study uses."""
        return sorted(
            {
                phase
                for paper, cohort in self.pairs
                if self.image_cohort(cohort) == name
                for phase in self.phases(paper, cohort)
            }
        )

    def has_networks(self, paper: str, cohort: str) -> bool:
        """Whether a study trains the paper's networks."""
        return bool(self.pairs[paper, cohort]["networks"])

    def random_networks(self, paper: str, cohort: str) -> list[str]:
        """The networks of a study that no file of weights is named for, with the paper's title."""
        if not self.has_networks(paper, cohort):
            return []
        known = self.config["papers"][paper]
        networks = known["settings"].get("networks", {})
        drawn = [n for n, own in networks.items() if not own["weights"] and own["architecture"] not in FROM_SCRATCH]
        return [f"{known['title']} {name}" for name in drawn]

    def random_weights(self, papers: Sequence[str], cohort: str, networks: bool = True) -> str:
        """What every table and figure of studies must say: random weights, the demo preset on real patients, notices
        that settings demand.

        Args:
            networks: False for what no network has a part in.
        """
        named: dict[str, list[str]] = {}
        for paper in papers:
            trained = declared(paper).networks != FEATURES
            words = "Trained from random weights" if trained else "Random weights, not ImageNet's"
            named.setdefault(words, []).extend(self.random_networks(paper, cohort))
        said = [f"{words}: {', '.join(names)}" for words, names in named.items() if names]
        notices = self._notices(papers, "notices")
        if networks:
            drawn = [paper for paper in papers if self.random_networks(paper, cohort)]
            notices = [*said, *notices, *self._notices(drawn, "network_notices")]
        return "; ".join(filter(None, [preset_mark(self.config, cohort), *notices]))

    def _notices(self, papers: Sequence[str], kind: str) -> list[str]:
        """What the settings of papers demand to be said, with the paper's title (`kind` of its file)."""
        known = [self.config["papers"][paper] for paper in papers]
        return [
            f"{paper['title']}: {texts[value]}"
            for paper in known
            for key, texts in sorted(paper[kind].items())
            if (value := paper["settings"][key]) in texts
        ]

    def comparator_variables(self, name: str) -> list[str]:
        """The cohort's pre-operative clinical variables that scores and stages are computed from."""
        known = self.config["cohorts"][name]["clinical"]
        wanted = {variable for inputs in SCORE_INPUTS.values() for variable in inputs}
        return sorted(v for v in wanted if v in known and known[v]["timing"] == "pre")

    def used_variables(self, name: str) -> list[str]:
        """The clinical variables that studies, scores and stages take of a cohort, sorted."""
        used = set(self.comparator_variables(name))
        for paper, cohort in self.pairs:
            if cohort == name:
                used.update(self.settings(paper, cohort).get("clinical", {}))
        return sorted(used)

    def reference_of_grid(self, grid: str) -> str:
        """The folder of registrations that a grid takes: the phase and, but for SimpleITK, the engine; empty: none."""
        entry = self.config["grids"][grid]
        if not entry["register_to"]:
            return ""
        engine = entry["registration_engine"]
        return entry["register_to"] + ("" if engine == "simpleitk" else f"_{engine}")

    def registration(self, reference: str) -> dict[str, str]:
        """What such a folder's name says: `phase`, that the others are registered to, and `engine`."""
        phase, _, engine = reference.partition("_")
        return {"engine": engine or "simpleitk", "phase": phase}

    def grids_of(self, paper: str, cohort: str) -> set[str]:
        """The grids that the features and networks of a study are measured on."""
        settings = self.config["papers"][paper]["settings"]
        entries = [("radiomics", settings["radiomics"])] if settings.get("radiomics") else []
        if self.has_networks(paper, cohort) and "crops" in settings:
            entries += [("crops", crop) for crop in crops_of(settings)]
        return {self.config[kind][name]["grid"] for kind, name in entries}

    def _entries_of(self, paper: str, kind: str) -> list[str]:
        settings = self.config["papers"][paper]["settings"]
        if kind == "crops":
            return crops_of(settings) if "crops" in settings else []
        return [settings.get(kind, "")]

    def phases_of_entry(self, name: str, kind: str, entry: str) -> set[str]:
        """The phases of a cohort's images that studies take with a named entry of `radiomics` or `crops`."""
        return {
            phase
            for paper, cohort in self.pairs
            if self.image_cohort(cohort) == name and entry in self._entries_of(paper, kind)
            for phase in self.phases(paper, cohort)
        }

    def radiomics_phases(self, name: str, settings: str) -> list[str]:
        """The phases of a cohort's images that studies measure with an entry of `radiomics`, sorted; else all used."""
        used = self.phases_of_entry(name, "radiomics", settings)
        return sorted(used) or self.image_phases(name)

    def unets(self, name: str) -> list[str]:
        """Entries of `unets` that are trained on a cohort's images, sorted."""
        used = set()
        for paper, cohort in self.pairs:
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
            for paper, cohort in self.pairs
            if self.image_cohort(cohort) == name and self.config["papers"][paper]["settings"].get("unet") == unet
            for phase in self.phases(paper, cohort)
        }
        return sorted(found) or self.image_phases(name)
