"""Everything that can be known to be wrong before the first job: files, geometry, masks, completeness."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hcc_recurrence.cohort.dicom_series import (
    SeriesError,
    find_stack,
)
from hcc_recurrence.cohort.masks import MaskError, check_mask, mask_facts
from hcc_recurrence.cohort.sheets import Cohort
from hcc_recurrence.cohort.stack_parts import Slice
from hcc_recurrence.problems import Problem
from hcc_recurrence.provenance import FileCache


@dataclass
class Sources:
    """Fingerprints of a cohort's source files: by (patient, phase) and (patient, phase, reader)."""

    series: dict[tuple[str, str], str] = field(default_factory=dict)
    masks: dict[tuple[str, str, str], str] = field(default_factory=dict)
    # Names of the files of a series whose folder holds other things as well; a job need not look at those.
    files: dict[tuple[str, str], list[str]] = field(default_factory=dict)


def completeness_problems(cohort: Cohort, patients: Iterable[str], phases: Sequence[str], reader: str) -> list[Problem]:
    """Patients who lack a phase, or the reference reader's mask of it, that a study needs; no mask where `reader` is
    empty."""
    problems = []
    for patient in patients:
        for phase in phases:
            if (patient, phase) not in cohort.series:
                problems.append(
                    Problem(
                        cohort.name,
                        patient,
                        cohort.settings["series"],
                        f"has no {phase} series",
                        "add a row, or leave the patient out with keep_going: true",
                    )
                )
            elif reader and (patient, phase, reader) not in cohort.masks:
                problems.append(
                    Problem(
                        cohort.name,
                        patient,
                        cohort.settings["masks"],
                        f"has no mask of reader {reader} on the {phase} phase",
                        "add a row, leave the patient out with keep_going: true, or let a network draw it with "
                        "masks: {source: unet}",
                    )
                )
    return problems


def check_sources(
    cohort: Cohort,
    patients: Iterable[str],
    root: Path,
    cache: FileCache,
) -> tuple[Sources, list[Problem]]:
    """Fingerprint every listed series and mask of the patients, and check what their headers tell.

    All phases of the sheet count, also those that no study uses yet: a patient is converted as a
    whole, so that a paper added later finds its phase there and disturbs nothing.

    Args:
        root: what relative paths of the series and masks sheets start from.
        cache: keeps hashes and headers of unchanged files, so that a second look costs a stat each.
    """
    sources, problems = Sources(), []
    listed: dict[Path, list[Slice]] = {}
    users: dict[str, list[tuple[str, str]]] = defaultdict(list)
    modality, interpolate = cohort.settings["modality"], cohort.settings["interpolate_missing"]
    wanted = set(patients)
    todo = sorted(key for key in cohort.series if key[0] in wanted)
    for number, (patient, phase) in enumerate(todo):
        series = cohort.series[patient, phase]
        geometry: dict[str, Any] | None = None
        before = cache.computed
        try:
            stack = find_stack(root / series.path, series.series_uid, series.part, interpolate, cache, listed)
            geometry = stack.geometry
            if not stack.image and stack.modality != modality:
                raise SeriesError(
                    f"has modality {stack.modality or 'unknown'}, the cohort is {modality}",
                    "correct the path, or the cohort's modality",
                )
            fingerprint = stack.fingerprint
            sources.series[patient, phase] = fingerprint
            if len(stack.files) < len({one.file for one in listed.get(root / series.path, [])}):
                sources.files[patient, phase] = stack.files
            users[fingerprint].append((patient, f"{phase} series {series.path}"))
        except SeriesError as error:
            problems.append(Problem(cohort.name, patient, f"{phase} series {series.path}", error.what, error.remedy))
        for reader in cohort.readers(patient, phase):
            mask = cohort.masks[patient, phase, reader]
            where = f"{phase} mask of {reader} {mask.path}"
            try:
                path = root / mask.path
                if not path.is_file():
                    raise MaskError("does not exist", "correct the path in the masks sheet")
                facts = cache.get(path, mask_facts)
                sources.masks[patient, phase, reader] = facts["hash"]
                users[facts["hash"]].append((patient, where))
                if geometry is not None:
                    check_mask(facts, geometry, mask.label)
            except MaskError as error:
                problems.append(Problem(cohort.name, patient, where, error.what, error.remedy))
        if cache.computed > before and (number + 1) % 20 == 0:
            print(f"checked {number + 1} of {len(todo)} series of {cohort.name}", file=sys.stderr)
    for same in users.values():
        owners = sorted({patient for patient, _ in same})
        if len(owners) > 1:
            for patient, where in same:
                others = ", ".join(o for o in owners if o != patient)
                problems.append(
                    Problem(
                        cohort.name,
                        patient,
                        where,
                        f"is byte for byte the same as a file of patient {others}",
                        "correct the path: one of them is another patient's",
                    )
                )
    return sources, problems


def excluded_patients(problems: Iterable[Problem]) -> Mapping[str, str]:
    """Patients to leave out under `keep_going`, each with the first of its reasons."""
    reasons: dict[str, str] = {}
    for problem in sorted(problems):
        if problem.patient:
            reasons.setdefault(problem.patient, problem.what)
    return reasons
