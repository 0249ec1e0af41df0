"""Everything that can be known to be wrong before the first job: files, geometry, masks, completeness."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hcc_recurrence.cohort import mask_sides
from hcc_recurrence.cohort.cross_checks import SeenMask, cross_check
from hcc_recurrence.cohort.dicom_headers import file_facts
from hcc_recurrence.cohort.dicom_series import (
    SeriesError,
    Stack,
    find_stack,
    is_image_file,
)
from hcc_recurrence.cohort.facts import available_workers, find_facts, show_progress
from hcc_recurrence.cohort.hounsfield import check_hounsfield
from hcc_recurrence.cohort.mask_contents import check_contents, chosen_shapes
from hcc_recurrence.cohort.mask_diameters import check_sheet_diameter
from hcc_recurrence.cohort.mask_formats import drawn_images, mask_contents, mask_facts
from hcc_recurrence.cohort.masks import MaskError, check_mask, check_part, taken_together
from hcc_recurrence.cohort.series_listing import Listing, files_of, lacking
from hcc_recurrence.cohort.series_voxels import check_decoding
from hcc_recurrence.cohort.sheets import Cohort
from hcc_recurrence.cohort.stack_parts import one_above_the_other
from hcc_recurrence.cohort.volume_values import check_no_ct, check_numbers
from hcc_recurrence.problems import Notice, Problem
from hcc_recurrence.provenance import FileCache


@dataclass
class Sources:
    """Fingerprints of a cohort's source files: by (patient, phase) and (patient, phase, reader)."""

    series: dict[tuple[str, str], str] = field(default_factory=dict)
    masks: dict[tuple[str, str, str], str] = field(default_factory=dict)
    # Names of the files of a series whose folder holds other things as well; a job need not look at those.
    files: dict[tuple[str, str], list[str]] = field(default_factory=dict)


def completeness_problems(cohort: Cohort, patients: Iterable[str], phases: Sequence[str], reader: str) -> list[Problem]:
    """Patients who lack a phase that a study needs, or the reader's mask of it; no mask where `reader` is empty.

    Where masks are carried from one phase to the others, one of any phase is enough.
    """
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
            elif reader and not cohort.has_mask(patient, phase):
                problems.append(
                    Problem(
                        cohort.name,
                        patient,
                        cohort.settings["masks"],
                        f"has no mask of reader {reader} on the {phase} phase",
                        "add a row, leave the patient out with keep_going: true, take that of another phase with "
                        "carry_masks, or let a network draw it with masks: {source: unet}",
                    )
                )
    return problems


def check_sources(
    cohort: Cohort,
    patients: Iterable[str],
    root: Path,
    cache: FileCache,
) -> tuple[Sources, list[Problem]]:
    """Fingerprint every listed series and mask of the patients, and check what their headers tell, and files of
    different phases and patients beside one another (see `cross_checks`; some of those problems are a `Notice`).

    All phases of the sheet count, also those that no study uses yet: a patient is converted as a
    whole, so that a paper added later finds its phase there and disturbs nothing.

    Args:
        root: what relative paths of the series and masks sheets start from.
        cache: keeps hashes and headers of unchanged files, so that a second look costs a stat each.
    """
    sources, problems = Sources(), []
    listed: dict[Path, Listing] = {}
    stacks: dict[tuple[str, str], Stack] = {}
    seen_masks: dict[tuple[str, str, str], SeenMask] = {}
    sides: dict[str, dict[str, bool]] = {}
    modality, interpolate = cohort.settings["modality"], cohort.settings["interpolate_missing"]
    smallest_ml, tolerance = cohort.settings["smallest_mask_ml"], cohort.settings["mask_tolerance_voxels"]
    wanted = set(patients)
    todo = sorted(key for key in cohort.series if key[0] in wanted)
    _read_files(cohort, todo, root, cache)
    for patient, phase in todo:
        series = cohort.series[patient, phase]
        geometry: dict[str, Any] | None = None
        try:
            stack = find_stack(root / series.path, series.series_uid, series.part, interpolate, cache, listed)
            geometry = stack.geometry
            if stack.image:
                drawn = [(r, cohort.masks[patient, phase, r]) for r in cohort.readers(patient, phase)]
                check_numbers(stack.facts, stack.image, [(r, root / m.path, m.label) for r, m in drawn])
                if modality == "CT":
                    check_hounsfield(stack.facts["doubt"])
                else:
                    check_no_ct(stack.facts)
            if not stack.image and stack.modality != modality:
                raise SeriesError(
                    f"has modality {stack.modality or 'unknown'}, the cohort is {modality}",
                    "correct the path, or the cohort's modality",
                )
            check_decoding(stack, cache)
            fingerprint = stack.fingerprint
            sources.series[patient, phase] = fingerprint
            if not stack.image:
                listing = listed[root / series.path]
                # Of a series that holds several stacks all files: where a stack begins, its neighbours tell.
                own = {one.file.name for one in listing.of_series(series.series_uid)}
                if len(own) < listing.files:
                    sources.files[patient, phase] = sorted(own)
            stacks[patient, phase] = stack
            if found := one_above_the_other(stack.slices):
                remedy = "look at it: an upper and a lower half of two contrast phases are no phase"
                problems.append(Notice(cohort.name, patient, f"{phase} series {series.path}", found, remedy))
        except SeriesError as error:
            problems.append(Problem(cohort.name, patient, f"{phase} series {series.path}", error.what, error.remedy))
        for reader in cohort.readers(patient, phase):
            mask = cohort.masks[patient, phase, reader]
            where = f"{phase} mask of {reader} {mask.path}"
            try:
                path = root / mask.path
                if not path.is_file():
                    raise MaskError(*lacking(path, "masks"))
                facts = cache.get(path, mask_facts)
                sources.masks[patient, phase, reader] = facts["hash"]
                contents = cache.get(path, mask_contents)
                seen_masks[patient, phase, reader] = SeenMask(facts["hash"], contents.get("content", ""), mask.label)
                if geometry is not None:
                    check_mask(facts, geometry, mask.label, tolerance)
                    if joined := taken_together(facts.get("labels", []), mask.label):
                        remedy = "make sure that they are lesions, and not one lesion drawn twice"
                        problems.append(Notice(cohort.name, patient, where, joined, remedy))
                    if geometry.get("others"):
                        check_part(cache.get(path, drawn_images), geometry)
                    check_contents(contents, mask.label, geometry, smallest_ml, tolerance)
                    check_sheet_diameter(cohort, patient, contents, mask.label)
                    shapes = chosen_shapes(contents, mask.label) if "geometry" in facts else []
                    if shapes and patient not in sides.setdefault(reader, {}):
                        sides[reader][patient] = mask_sides.lies_left(shapes, facts["geometry"], geometry)
            except MaskError as error:
                problems.append(Problem(cohort.name, patient, where, error.what, error.remedy))
    for reader, known in sorted(sides.items()):
        if said := mask_sides.said_of_sides(list(known.values()), reader):
            problems.append(Notice(cohort.name, "", cohort.settings["masks"], said, mask_sides.REMEDY))
    kept = cache.path.parent if cache.path else None
    problems += cross_check(cohort, stacks, sources.series, seen_masks, kept)
    return sources, problems


def _read_files(cohort: Cohort, series: Sequence[tuple[str, str]], root: Path, cache: FileCache) -> None:
    """Read what is not known yet of all files of some series and of their masks, by several processes."""
    workers = available_workers()
    places = {root / cohort.series[key].path for key in series}
    images = sorted({file for place in places if not is_image_file(place) for file in files_of(place)})
    find_facts(images, file_facts, cache, workers, show_progress(f"{cohort.name}: images", 500), chunk=100)
    masks = {
        root / cohort.masks[patient, phase, reader].path
        for patient, phase in series
        for reader in cohort.readers(patient, phase)
    }
    there = sorted(path for path in masks if path.is_file())
    for what, compute in (("masks", mask_facts), ("voxels of masks", mask_contents)):
        find_facts(there, compute, cache, workers, show_progress(f"{cohort.name}: {what}", 20), chunk=4)


def excluded_patients(problems: Iterable[Problem]) -> Mapping[str, str]:
    """Patients to leave out under `keep_going`, each with the first of its reasons."""
    reasons: dict[str, str] = {}
    for problem in sorted(problems):
        if problem.patient:
            reasons.setdefault(problem.patient, problem.what)
    return reasons
