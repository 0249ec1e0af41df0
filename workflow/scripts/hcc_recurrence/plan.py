"""What a run is made of, worked out from the config and the sheets before the first job.

The plan reads sheets and file headers and writes nothing but the header cache. Everything it returns to a
rule is a builtin type with a fixed order, so that equal input gives equal parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from hcc_recurrence.checked import Checked
from hcc_recurrence.cohort.checks import (
    Sources,
    check_sources,
    completeness_problems,
    excluded_patients,
)
from hcc_recurrence.cohort.clinical import empty_column_problems, threshold_problems
from hcc_recurrence.cohort.clinical_scores import INPUTS as SCORE_INPUTS
from hcc_recurrence.cohort.clinical_scores import STAGE_INPUTS, STAGE_THRESHOLDS
from hcc_recurrence.cohort.dates import date_fault
from hcc_recurrence.cohort.dicom_headers import HEADER_FACTS_VERSION
from hcc_recurrence.cohort.labels import has_dates, horizon_months, horizon_words, make_labels
from hcc_recurrence.cohort.numbers import missing_test, parse_number
from hcc_recurrence.cohort.outcome import decimal_comma, split_date_problems
from hcc_recurrence.cohort.sheets import (
    DATE_COLUMNS,
    MONTH_COLUMNS,
    Cohort,
    load_cohort,
    sheet_source,
)
from hcc_recurrence.cohort.splits import draw_sets, folds_fault, in_training
from hcc_recurrence.cohort.tables import read_sheet
from hcc_recurrence.cohort.units import in_standard_unit
from hcc_recurrence.configuration import FROM_SCRATCH, crops_of
from hcc_recurrence.plan_unets import UNET, UnetPlan
from hcc_recurrence.presets import preset_mark, with_thresholds
from hcc_recurrence.problems import InputError, Notice, Problem
from hcc_recurrence.provenance import FileCache, combine_hashes

# Keys of a clinical variable that change no value of it.
CHECKED_ONLY = ("readings", "plausible")
# A cross-validation has two folds or more.
LEAST_FOLDS = 2
# Keys of a cohort that name a sheet.
SHEETS = ("patients", "series", "masks", "simulation")


def _text_hash(rows: Sequence[Sequence[str]]) -> str:
    return combine_hashes("\x1f".join(row) for row in rows)


class Plan(UnetPlan):
    """Cohorts, studies and sources of one run.

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
        self.folder = folder
        self.studies: dict[tuple[str, str], Mapping[str, Any]] = {
            (s["paper"], s["cohort"]): s for s in config["studies"]
        }
        self.cohorts: dict[str, Cohort] = {}
        self.sources: dict[str, Sources] = {}
        self.simulation: dict[str, dict[str, dict[str, str]]] = {}
        self.excluded: dict[str, Mapping[str, str]] = {}
        self._used: dict[str, list[str]] = {}
        self._parts: dict[tuple[str, str], dict[str, str]] = {}
        self._contents: dict[str, str] = {}
        # What a person should look at, and which stops nothing.
        self.notices: list[Notice] = []
        # Problems of config and sheets. Images are looked at all the same: no problem hides another.
        self._broken: list[Problem] = self._load()
        problems = self._look(cache, checked, sent)
        whole = [p for p in problems if not p.patient]
        # Those of patients who are left out.
        self.problems: list[Problem] = sorted(set(problems))
        for name in self.cohorts:
            # A patient whose images are refused is left out wherever those images are used.
            related = {name, self.image_cohort(name)}
            self.excluded[name] = excluded_patients(p for p in problems if p.cohort in related)
        self._used = {name: self._usable(name) for name in self.cohorts}
        if problems and (whole or not config["keep_going"]):
            raise InputError(problems, self.notices, self._few_problems(problems, refused=True))
        empty = [c for c in sorted({cohort for _, cohort in self.studies}) if not self._used[c]]
        if empty:
            what, remedy = "no patient is left: all have a problem or no label", "see the other problems, or labels.csv"
            sheets = {c: self.cohorts[c].settings["patients"] for c in empty}
            raise InputError([*problems, *(Problem(c, "", sheets[c], what, remedy) for c in empty)])

        # Problems that stop what needs a split, and nothing else: images, masks and labels can be made.
        self.split_problems = self._few_problems(problems, refused=False)

    # -- loading and checking ------------------------------------------------------------------

    def _load(self) -> list[Problem]:
        problems: list[Problem] = []
        used = sorted({cohort for _, cohort in self.studies})
        parents = [self.config["cohorts"][c]["images_of"] for c in used]
        for name in sorted({*used, *(p for p in parents if p)}):
            cohort, found = load_cohort(name, self.config["cohorts"][name], self.folder)
            self.cohorts[name] = cohort
            problems += found
            sheet = cohort.settings["simulation"]
            if sheet:
                try:
                    rows = read_sheet(self.folder / sheet).to_dict("records")
                    self.simulation[name] = {row["patient_id"]: row for row in rows}
                except (OSError, ValueError, KeyError) as error:
                    what = f"cannot be read as the sheet of the simulator ({error})"
                    problems.append(Problem(name, "", sheet, what, f"correct cohorts.{name}.simulation"))
                    self.simulation[name] = {}
        for name, cohort in self.cohorts.items():
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
        for (paper, name), study in self.studies.items():
            problems += self._clinical_needs(paper, name, study)
            used = self.settings(paper, name).get("clinical", {})
            problems += threshold_problems(self.cohorts[name], f"{paper}'s threshold", used)
            problems += empty_column_problems(self.cohorts[name], used)
        for name in sorted({cohort for _, cohort in self.studies}):
            constants = self.config["cohorts"][name]["constants"]
            if set(STAGE_INPUTS) <= {*self.comparator_variables(name), *constants}:
                for thresholds in STAGE_THRESHOLDS:
                    problems += threshold_problems(self.cohorts[name], "a threshold of BCLC or CNLC,", thresholds)
        return problems

    def _clinical_needs(self, paper: str, name: str, study: Mapping[str, Any]) -> list[Problem]:
        settings = self.config["papers"][paper]["settings"]
        known = self.config["cohorts"][name]["clinical"]
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

    def _look(self, cache: Path | None, checked: Path | None, sent: bool) -> list[Problem]:
        """Problems of images and masks, from the files or, in a job, from what the run has found."""
        named = (cohort.settings[key] for cohort in self.cohorts.values() for key in SHEETS)
        # One that is not there is a problem already.
        sheets = [self.folder / sheet for sheet in named if sheet and (self.folder / sheet).is_file()]
        memory = Checked(checked, self.config, sheets) if checked else None
        known = memory.read() if memory and sent else None
        if known:
            problems, self.sources = known
            return problems
        facts = FileCache(cache, HEADER_FACTS_VERSION)
        problems = self._check(facts)
        facts.save()
        if memory and not sent:
            memory.write(problems, self.sources)
        return problems

    def _check(self, facts: FileCache) -> list[Problem]:
        problems = list(self._broken)
        for pair in self.comparisons():
            problems += self._split_problems(*pair) if "patients" in self.cohorts[pair[0]].read else []
        for name in sorted({self.image_cohort(c) for c in self.cohorts}):
            cohort = self.cohorts[name]
            phases = self.image_phases(name)
            wanted = sorted(
                {
                    patient
                    for other in self.cohorts
                    if self.image_cohort(other) == name
                    for patient in self._wanted(other)
                }
            )
            known = [p for p in wanted if p in cohort.patients.index]
            for patient in sorted(set(wanted) - set(known)):
                problems.append(
                    Problem(
                        name,
                        patient,
                        cohort.settings["patients"],
                        "has no images: the patient is not in this cohort",
                        "correct the sheet of the cohort that uses these images",
                    )
                )
            if "series" not in cohort.read:
                continue
            reader = "" if self.config["masks"]["source"] == UNET else cohort.settings["reader"]
            # Of a sheet that cannot be read, or has no rows, this is said, and not what each patient lacks in it.
            problems += completeness_problems(cohort, known, phases, reader if "masks" in cohort.read else "")
            problems += self._unet_problems(name, known) if "masks" in cohort.read else []
            if name in self.simulation:
                for patient in sorted(set(known) - set(self.simulation[name])):
                    problems.append(
                        Problem(
                            name,
                            patient,
                            cohort.settings["simulation"],
                            "has no row",
                            "add the row",
                        )
                    )
                continue
            root = self.folder / cohort.settings["data_root"]
            self.sources[name], found = check_sources(cohort, known, root, facts)
            problems += [p for p in found if not isinstance(p, Notice)]
            # In the order of what they may do to a result.
            self.notices += dict.fromkeys(p for p in found if isinstance(p, Notice))
        return problems

    def _labelled(self, name: str) -> list[str]:
        """Patients with a label, sorted, of those whose rows have no problem; all of them without an outcome."""
        cohort = self.cohorts[name]
        broken = {p.patient for p in self._broken if p.cohort == name}
        readable = cohort.patients.drop(index=sorted(broken & set(cohort.patients.index)))
        if not has_dates(readable) and not all(c in readable for c in MONTH_COLUMNS):
            return sorted(readable.index)
        labels = make_labels(
            readable,
            cohort.settings["er_days"],
            cohort.settings["er_inclusive"],
            decimal_comma=decimal_comma(cohort),
        )
        return sorted(labels.loc[labels["excluded_because"] == "", "patient_id"])

    def _wanted(self, name: str) -> list[str]:
        """Patients whose images are looked at: with a label, or with a row that is to be corrected."""
        broken = {p.patient for p in self._broken if p.cohort == name}
        return sorted({*self._labelled(name), *(broken & set(self.cohorts[name].patients.index))})

    def _usable(self, name: str) -> list[str]:
        return [p for p in self._labelled(name) if p not in self.excluded[name]]

    # -- what rules ask ------------------------------------------------------------------------

    def image_cohort(self, name: str) -> str:
        """The cohort whose images `name` uses (itself, unless images_of names another)."""
        return self.config["cohorts"][name]["images_of"] or name

    def is_simulated(self, name: str) -> bool:
        """True where the images come from the simulator."""
        return name in self.simulation

    def phases(self, paper: str, cohort: str) -> list[str]:
        """The cohort's phases that a study uses, in the paper's order."""
        study = self.studies[paper, cohort]
        order = self.config["papers"][paper]["settings"]["phases"]
        mapped = study["phases"] or {phase: phase for phase in order}
        return [mapped[phase] for phase in order if phase in mapped]

    def image_phases(self, name: str) -> list[str]:
        """Phases of a cohort's images that any study uses."""
        return sorted(
            {
                phase
                for paper, cohort in self.studies
                if self.image_cohort(cohort) == name
                for phase in self.phases(paper, cohort)
            }
        )

    def grid_phases(self, name: str, grid: str, patient: str) -> list[str]:
        """The phases of a patient that are brought onto a grid.

        All phases of the series sheet, whether a study uses them or not. But where the grid registers them or corrects
        their bias field, which is slow, those that a study takes from it, the one that the others are registered to
        first.
        """
        entry = self.config["grids"][grid]
        reference = entry["register_to"]
        listed = self.listed_phases(name, patient)
        if not reference and entry["bias_correction"] == "none":
            return listed
        wanted = set()
        for paper, cohort in self.studies:
            if self.image_cohort(cohort) == name and grid in self._grids_of(paper, cohort):
                wanted.update(self.phases(paper, cohort))
        ordered = [p for p in sorted(wanted or listed) if p != reference]
        return [reference, *ordered] if reference else ordered

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

    def grid_registrations(self, name: str, grid: str, patient: str) -> list[tuple[str, str]]:
        """Folder and phase of each registration that a grid takes of a patient."""
        reference = self.reference_of_grid(grid)
        return [(reference, p) for p in self.grid_phases(name, grid, patient)[1:]] if reference else []

    def registered_phases(self, name: str, reference: str, patient: str) -> list[str]:
        """The phases of a patient that studies take registered to one of them, sorted; all others if none does."""
        grids = {
            grid
            for paper, cohort in self.studies
            if self.image_cohort(cohort) == name
            for grid in self._grids_of(paper, cohort)
            if self.reference_of_grid(grid) == reference
        }
        found = {p for grid in grids for _, p in self.grid_registrations(name, grid, patient)}
        return sorted(found or {*self.listed_phases(name, patient)} - {self.registration(reference)["phase"]})

    def registration_readers(self, name: str, reference: str, patient: str, phase: str) -> dict[str, str]:
        """Of the two phases of a registration, whose mask is looked at."""
        readers = self.mask_readers(name, patient)
        pair = sorted({self.registration(reference)["phase"], phase})
        return {p: readers[p] for p in pair if p in readers}

    def _grids_of(self, paper: str, cohort: str) -> set[str]:
        settings = self.config["papers"][paper]["settings"]
        entries = [("radiomics", settings["radiomics"])] if settings.get("radiomics") else []
        if self.has_networks(paper, cohort) and "crops" in settings:
            entries += [("crops", crop) for crop in crops_of(settings)]
        return {self.config[kind][name]["grid"] for kind, name in entries}

    def has_networks(self, paper: str, cohort: str) -> bool:
        """Whether a study trains the paper's networks."""
        return bool(self.studies[paper, cohort]["networks"])

    def random_networks(self, paper: str, cohort: str) -> list[str]:
        """The networks of a study that no file of weights is named for, with the paper's title."""
        if not self.has_networks(paper, cohort):
            return []
        known = self.config["papers"][paper]
        networks = known["settings"].get("networks", {})
        drawn = [n for n, own in networks.items() if not own["weights"] and own["architecture"] not in FROM_SCRATCH]
        return [f"{known['title']} {name}" for name in drawn]

    def random_weights(self, papers: Sequence[str], cohort: str) -> str:
        """What every table and figure of studies must say: random weights, or the demo preset on real patients."""
        named: dict[str, list[str]] = {}
        for paper in papers:
            trained = "epochs" in self.config["papers"][paper]["settings"]
            words = "Trained from random weights" if trained else "Random weights, not ImageNet's"
            named.setdefault(words, []).extend(self.random_networks(paper, cohort))
        said = [f"{words}: {', '.join(names)}" for words, names in named.items() if names]
        return "; ".join(filter(None, [preset_mark(self.config, cohort), *said]))

    def _phases_of_entry(self, name: str, kind: str, entry: str) -> set[str]:
        """The phases of a cohort's images that studies take with a named entry of `radiomics` or `crops`."""
        return {
            phase
            for paper, cohort in self.studies
            if self.image_cohort(cohort) == name and entry in self._entries_of(paper, kind)
            for phase in self.phases(paper, cohort)
        }

    def _entries_of(self, paper: str, kind: str) -> list[str]:
        settings = self.config["papers"][paper]["settings"]
        if kind == "crops":
            return crops_of(settings) if "crops" in settings else []
        return [settings.get(kind, "")]

    def radiomics_phases(self, name: str, settings: str) -> list[str]:
        """The phases of a cohort's images that studies measure with an entry of `radiomics`, sorted; else all used."""
        used = self._phases_of_entry(name, "radiomics", settings)
        return sorted(used) or self.image_phases(name)

    def crop_phases(self, name: str, crop: str, patient: str) -> list[str]:
        """The phases of a crop, the one whose mask places it first: those named, or those that studies take from it.

        A phase that no study uses may lack its mask.
        """
        entry = self.config["crops"][crop]
        there = self.grid_phases(name, entry["grid"], patient)
        used = self._phases_of_entry(name, "crops", crop)
        return list(entry["phases"]) or [p for p in there if p in used] or there

    def scheme(self, paper: str, cohort: str) -> str:
        """The named split of a study: its own, or the paper's."""
        return self.studies[paper, cohort]["split"] or self.config["papers"][paper]["settings"]["split"]

    def comparisons(self) -> list[tuple[str, str]]:
        """Cohort and split of every comparison: each split that a study uses on a cohort."""
        return sorted({(cohort, self.scheme(paper, cohort)) for paper, cohort in self.studies})

    def papers_with_scheme(self, cohort: str, scheme: str) -> list[str]:
        """The papers whose study on a cohort uses a split, sorted."""
        return sorted(p for p, c in self.studies if c == cohort and self.scheme(p, c) == scheme)

    def comparator_variables(self, name: str) -> list[str]:
        """The cohort's pre-operative clinical variables that scores and stages are computed from."""
        known = self.config["cohorts"][name]["clinical"]
        wanted = {variable for inputs in SCORE_INPUTS.values() for variable in inputs}
        return sorted(v for v in wanted if v in known and known[v]["timing"] == "pre")

    def settings(self, paper: str, cohort: str) -> dict[str, Any]:
        """The paper's settings for one study: its clinical variables less `without`, with the cohort's `thresholds`."""
        settings = {**self.config["papers"][paper]["settings"], "split": self.scheme(paper, cohort)}
        without = self.studies[paper, cohort]["without"]
        if "clinical" in settings:
            clinical = with_thresholds(settings["clinical"], self.config["cohorts"][cohort]["thresholds"])
            settings["clinical"] = {v: rule for v, rule in clinical.items() if v not in without}
        return settings

    def patients(self, name: str) -> list[str]:
        """Patients of a cohort with a label and usable images, sorted."""
        return self._used[name]

    def centres(self, name: str) -> dict[str, str]:
        """Patient -> centre, of the patients in use, in the order of their names."""
        return {patient: str(self.cohorts[name].patients.at[patient, "centre"]) for patient in self.patients(name)}

    def listed_phases(self, name: str, patient: str) -> list[str]:
        """The phases of a patient in the series sheet, in the order of PHASES, whether a study uses them or not."""
        return self.cohorts[name].phases(patient)

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

    def data_root(self, name: str) -> str:
        """What relative paths of a real cohort's sheets start from."""
        return str(self.folder / self.cohorts[name].settings["data_root"])

    def fingerprint(self, name: str, patient: str) -> dict[str, str]:
        """Content of a patient's series and masks; constant for a simulated cohort: a rule makes its files."""
        cohort = self.cohorts[name]
        sources = self.sources.get(name)
        found = {}
        for phase in self.listed_phases(name, patient):
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
        images = self.image_cohort(name)
        return {patient: self.fingerprint(images, patient) for patient in self.patients(name)}

    def contents_hash(self, name: str) -> str:
        """Changes with any image or mask of a patient of a cohort in use."""
        if name not in self._contents:
            self._contents[name] = _text_hash(
                [[p, *(part for item in found.items() for part in item)] for p, found in self.contents(name).items()]
            )
        return self._contents[name]

    def used_variables(self, name: str) -> list[str]:
        """The clinical variables that studies, scores and stages take of a cohort, sorted."""
        used = set(self.comparator_variables(name))
        for paper, cohort in self.studies:
            if cohort == name:
                used.update(self.settings(paper, cohort).get("clinical", {}))
        return sorted(used)

    def schemes(self, name: str) -> list[str]:
        """The splits that studies use on a cohort, sorted."""
        return [scheme for cohort, scheme in self.comparisons() if cohort == name]

    def knows_best_auc(self, name: str) -> bool:
        """Whether the best reachable AUC is known: of simulated patients without a confounder beside the tumour."""
        return name in self.simulation and not any("marker" in row for row in self.simulation[name].values())

    def simulated_row(self, name: str, patient: str) -> dict[str, str]:
        """The patient's row of the simulation sheet."""
        return dict(sorted(self.simulation[name][patient].items()))

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

    def outcome_hash(self, name: str) -> str:
        """Changes with any outcome or centre, and with no clinical column."""
        # By patient: another order of the rows is no other outcome.
        frame = self.cohorts[name].patients.sort_index()
        columns = [c for c in ("patient_id", "centre", *DATE_COLUMNS, *MONTH_COLUMNS) if c in frame]
        return _text_hash([[c, *frame[c]] for c in columns])

    def clinical_hash(self, name: str, variables: Sequence[str]) -> str:
        """Changes with any value of the named clinical variables of patients in use, and no other."""
        cohort = self.cohorts[name]
        frame = cohort.patients.loc[self.patients(name)]
        definitions = cohort.settings["clinical"]
        rows = [[v, *frame[definitions[v]["column"]]] for v in sorted(variables)]
        # Where each centre has a unit of its own, a value depends on the patient's centre as well.
        if any(isinstance(definitions[v]["unit"], Mapping) for v in variables):
            rows.append(["centre", *frame["centre"]])
        return _text_hash(rows)

    def strata_hash(self, name: str) -> str:
        """Changes with the group of any patient in use."""
        cohort = self.cohorts[name]
        frame = cohort.patients.loc[self.patients(name)]
        return _text_hash([[v, *frame.index, *frame[c]] for v, c in sorted(cohort.settings["strata"].items())])

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

    def readings_hash(self, name: str, variables: Sequence[str]) -> str:
        """Changes with any reading of the named variables in patients in use."""
        frame = self.cohorts[name].patients.loc[self.patients(name)]
        rows = [[v, r, *frame[c]] for v, own in self.readings(name, variables).items() for r, c in own.items()]
        return _text_hash(rows)

    def _split_problems(self, name: str, scheme: str) -> list[Problem]:
        """What the sheet lacks of a split that is not drawn: the column, a known word in it, or the date."""
        cohort, rule = self.cohorts[name], self.config["splits"][scheme]
        path, frame = cohort.settings["patients"], cohort.patients
        if rule["kind"] == "column":
            if "split" not in frame:
                return [Problem(name, "", path, "has no column split", "add it, or use another split")]
            words = frame.loc[self._labelled(name), "split"]
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
            return split_date_problems(cohort, self._labelled(name))
        return []

    def _few_problems(self, problems: Sequence[Problem], refused: bool) -> list[Problem]:
        """Splits whose folds cannot be filled: an outcome has too few training patients.

        Args:
            problems: all others. refused: nothing is run, and patients who are corrected may fill the folds: then a
                split is named where even all of them, of either outcome, would not do.
        """
        broken = {p.cohort for p in problems if not p.patient}
        found = []
        for name, scheme in self.comparisons():
            cohort, rule = self.cohorts[name], self.config["splits"][scheme]
            if refused and broken & {"", name, self.image_cohort(name)}:
                continue
            left_out = set(self.excluded[name])
            if rule["without_unet"] and not refused:
                left_out |= set(self.unet_parts(self.image_cohort(name), rule["without_unet"]))
            settings = cohort.settings
            labels = make_labels(
                cohort.patients.loc[[p for p in self.patients(name) if p not in left_out]],
                settings["er_days"],
                settings["er_inclusive"],
                decimal_comma=decimal_comma(cohort),
            )
            fraction = rule["validation_fraction"] if rule["kind"] == "random" else 0.0
            split = draw_sets(labels, self.assigned_splits(name, scheme), fraction, self.config["seed"])
            more = len(self.excluded[name]) if refused else 0
            if fault := folds_fault(labels, split, rule["folds"], more):
                most = min(map(len, in_training(labels, split).values()))
                lower = f"lower splits.{scheme}.folds (to {most} at most), " if most >= LEAST_FOLDS else ""
                remedy = f"{lower}add patients, or name another split in the study"
                found.append(Problem(name, "", settings["patients"], f"split {scheme}: {fault}", remedy))
        return found

    def assigned_splits(self, name: str, scheme: str) -> dict[str, str]:
        """Patients whose split is not drawn: external centres, the sheet's column, or the date."""
        cohort, rule = self.cohorts[name], self.config["splits"][scheme]
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
