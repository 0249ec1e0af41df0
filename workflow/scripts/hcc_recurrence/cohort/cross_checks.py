"""What no file tells alone: phases of two persons, one series for two phases, two names for one examination or mask.

Headers of two persons in one patient are refused. The same pixels or the same person under two patients are named, and
refused where they are the same bytes: the sheets may be right, and only a person can tell which of the two has to go.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

from hcc_recurrence.cohort import alternation
from hcc_recurrence.cohort.dicom_series import Stack
from hcc_recurrence.cohort.persons import SAME_EXAMINATION_DAYS, contradictions, days_apart
from hcc_recurrence.cohort.samples import Sample, take_samples
from hcc_recurrence.cohort.sheets import Cohort
from hcc_recurrence.cohort.stack_parts import times_in_turns
from hcc_recurrence.problems import Notice, Problem

# Other patients that a message names.
MOST_NAMED = 3
ANOTHER = "correct the path: one of them is another patient's"
OWN = "make sure that each is the patient's own"
CHECKED = "write yes in the column checked of their rows in the series sheet if a person has made sure that it is right"
LEAKS = "a patient who is in training and in validation makes every score too good"


class SeenMask(NamedTuple):
    """hash: of the file's bytes. content: of `hash_of_mask`, empty where unknown. label: as in the masks sheet."""

    hash: str
    content: str
    label: str


def cross_check(
    cohort: Cohort,
    stacks: Mapping[tuple[str, str], Stack],
    contents: Mapping[tuple[str, str], str],
    masks: Mapping[tuple[str, str, str], SeenMask],
    folder: Path | None,
) -> list[Problem]:
    """Problems, and notices, of series and masks that can be read.

    Args:
        stacks: by patient and phase. contents: their fingerprints. masks: by patient, phase and reader. folder: see
            `take_samples`.
    """
    samples = take_samples({contents[key]: stack for key, stack in stacks.items()}, folder, cohort.name)
    of_series = {key: samples[contents[key]] for key in stacks}
    phases: dict[str, list[str]] = defaultdict(list)
    for patient, phase in stacks:
        phases[patient].append(phase)
    problems: list[Problem] = []
    for patient, own in phases.items():
        for phase in own:
            problems += _mixed_persons(cohort, patient, phase, of_series[patient, phase])
            if said := alternation.said_of(of_series[patient, phase].alternation):
                said = "; ".join(filter(None, (said, times_in_turns(stacks[patient, phase].slices))))
                problems.append(
                    Notice(cohort.name, patient, _of_series(cohort, patient, phase), said, alternation.REMEDY)
                )
        for one, other in combinations(own, 2):
            pair, taken = ([known[patient, p] for p in (one, other)] for known in (stacks, of_series))
            # Where one series stands for two phases, nothing else is worth saying.
            checked = {(patient, one), (patient, other)} & cohort.checked
            same = contents[patient, one] == contents[patient, other]
            found = _one_series(pair, same, taken) or (None if checked else _two_persons(taken))
            if found:
                where, what = _of_series(cohort, patient, other), found[0].format(_of_series(cohort, patient, one))
                problems.append(Problem(cohort.name, patient, where, what, found[1]))
    problems += _same_bytes(cohort, contents, masks)
    problems += _twins(cohort, contents, of_series)
    problems += _one_person_twice(cohort, of_series)
    problems += _masks_of_readers(cohort, masks)
    problems += _masks_of_phases(cohort, masks)
    problems += _same_masks(cohort, masks)
    return problems


def _of_series(cohort: Cohort, patient: str, phase: str) -> str:
    return f"{phase} series {cohort.series[patient, phase].path}"


def _of_mask(cohort: Cohort, key: tuple[str, str, str]) -> str:
    return f"{key[1]} mask of {key[2]} {cohort.masks[key].path}"


def _one_series(pair: Sequence[Stack], same: bool, samples: Sequence[Sample]) -> tuple[str, str] | None:
    """What is wrong, `{}` for the other series, and what to do, where two phases are the same images."""
    remedy = "correct path, series_uid or part: two phases are two series, or two parts of one"
    one, other = pair
    if same:
        return "its images are those of the {}", remedy
    if not one.image and not other.image and _series_uid(one) == _series_uid(other):
        shared = len({(s.hash, s.frame) for s in one.slices} & {(s.hash, s.frame) for s in other.slices})
        if shared:
            return f"{shared} of its {len(other.slices)} images are those of the {{}}", remedy
    if samples[0].pixels & samples[1].pixels:
        return "its pixels are those of the {}, in other files", "correct the path: one of the two is a copy"
    return None


def _series_uid(stack: Stack) -> str:
    return stack.slices[0].header.get("SeriesInstanceUID", "")


def _two_persons(samples: Sequence[Sample]) -> tuple[str, str] | None:
    """The same, where the headers of two phases are of two persons, or of examinations on two days."""
    pairs = [(a, b) for a in samples[0].persons for b in samples[1].persons]
    differing = list(dict.fromkeys(name for a, b in pairs for name in contradictions(a, b)))
    if differing:
        what = f"{' and '.join(differing)} in its headers {'are' if len(differing) > 1 else 'is'} not that of the {{}}"
        return what, f"correct the path: it is another person's; or {CHECKED}"
    days = max((days_apart(a, b) for a, b in pairs), default=0)
    if days > SAME_EXAMINATION_DAYS:
        return f"its study lies {days} days from that of the {{}}", f"name series of one examination; or {CHECKED}"
    return None


def _mixed_persons(cohort: Cohort, patient: str, phase: str, sample: Sample) -> list[Problem]:
    """Slices of one series whose headers are of two persons."""
    if len(sample.persons) < 2 or (patient, phase) in cohort.checked:
        return []
    differing = list(dict.fromkeys(n for a, b in combinations(sample.persons, 2) for n in contradictions(a, b)))
    if not differing:
        return []
    what = f"its slices differ in {' and '.join(differing)}: it mixes two persons"
    remedy = f"export the series again; or {CHECKED}"
    return [Problem(cohort.name, patient, _of_series(cohort, patient, phase), what, remedy)]


def _same_bytes(
    cohort: Cohort, contents: Mapping[tuple[str, str], str], masks: Mapping[tuple[str, str, str], SeenMask]
) -> list[Problem]:
    """One file, or copies of it, for two patients."""
    users: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for (patient, phase), content in contents.items():
        users[content].append((patient, _of_series(cohort, patient, phase)))
    for key, mask in masks.items():
        users[mask.hash].append((key[0], _of_mask(cohort, key)))
    what = "is byte for byte the same as a file of {}"
    return _shared(cohort, users, Problem, what, ANOTHER)


def _twins(
    cohort: Cohort, contents: Mapping[tuple[str, str], str], samples: Mapping[tuple[str, str], Sample]
) -> list[Problem]:
    """The same pixels under two patients, in files that differ."""
    users: dict[str, list[tuple[str, str]]] = defaultdict(list)
    bytes_of: dict[str, set[str]] = defaultdict(set)
    for (patient, phase), sample in samples.items():
        for pixels in sorted(sample.pixels):
            users[pixels].append((patient, _of_series(cohort, patient, phase)))
            bytes_of[pixels].add(contents[patient, phase])
    # Files of the same bytes are refused already.
    users = {pixels: own for pixels, own in users.items() if len(bytes_of[pixels]) > 1}
    what = "has the same pixels as a series of {}, in other files: probably one examination under two names"
    return _shared(cohort, users, Notice, what, f"keep one of them: {LEAKS}")


def _one_person_twice(cohort: Cohort, samples: Mapping[tuple[str, str], Sample]) -> list[Problem]:
    """One PatientID under two patients, whose birth date and sex do not tell them apart."""
    users: dict[str, list[tuple[str, str]]] = defaultdict(list)
    persons: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for (patient, phase), sample in samples.items():
        for person in sample.persons[:1]:
            if "id" in person and patient not in persons[person["id"]]:
                persons[person["id"]][patient] = person
                users[person["id"]].append((patient, _of_series(cohort, patient, phase)))
    for number, known in persons.items():
        # Two hospitals may count alike.
        if any(contradictions(a, b) for a, b in combinations(known.values(), 2)):
            users[number] = []
    what = "has the PatientID of {} in its headers: probably one person under two names"
    return _shared(cohort, users, Notice, what, f"keep one of them if it is one person: {LEAKS}")


def _masks_of_readers(cohort: Cohort, masks: Mapping[tuple[str, str, str], SeenMask]) -> list[Problem]:
    """One file for two readers of an image is refused; two files with the same voxels are named."""
    readers: dict[tuple[str, str], list[tuple[str, str, str]]] = defaultdict(list)
    for key in masks:
        readers[key[:2]].append(key)
    problems: list[Problem] = []
    for own in readers.values():
        for one, other in combinations(sorted(own), 2):
            a, b = masks[one], masks[other]
            if a.label != b.label:
                continue
            where = _of_mask(cohort, other)
            if a.hash == b.hash:
                what = f"is the mask of reader {one[2]} as well: agreement of readers would be perfect"
                remedy = f"name the file that {other[2]} drew, or remove the row"
                problems.append(Problem(cohort.name, other[0], where, what, remedy))
            elif a.content and a.content == b.content:
                what = f"is voxel by voxel the mask of reader {one[2]}: agreement of readers is perfect there"
                problems.append(Notice(cohort.name, other[0], where, what, "make sure that two readers drew it"))
    return problems


def _masks_of_phases(cohort: Cohort, masks: Mapping[tuple[str, str, str], SeenMask]) -> list[Problem]:
    """One file for two phases: the tumour moves between them, and a mask is drawn on one."""
    phases: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for (patient, phase, reader), mask in masks.items():
        phases[patient, reader, mask.hash, mask.label].append(phase)
    problems: list[Problem] = []
    remedy = "list it with the phase that it was drawn on alone, and let carry_masks take it to the others"
    for (patient, reader, _, _), own in phases.items():
        for other in own[1:]:
            what = f"is the mask of the {own[0]} phase as well: probably drawn on one of them alone"
            problems.append(Notice(cohort.name, patient, _of_mask(cohort, (patient, other, reader)), what, remedy))
    return problems


def _same_masks(cohort: Cohort, masks: Mapping[tuple[str, str, str], SeenMask]) -> list[Problem]:
    """The same voxels in the masks of two patients, in files that differ."""
    users: dict[str, list[tuple[str, str]]] = defaultdict(list)
    bytes_of: dict[str, set[str]] = defaultdict(set)
    for key, mask in masks.items():
        if mask.content:
            users[mask.content].append((key[0], _of_mask(cohort, key)))
            bytes_of[mask.content].add(mask.hash)
    users = {content: own for content, own in users.items() if len(bytes_of[content]) > 1}
    return _shared(cohort, users, Notice, "has the voxels of a mask of {}, in another file", OWN)


def _shared(
    cohort: Cohort,
    users: Mapping[str, Sequence[tuple[str, str]]],
    kind: Callable[..., Problem],
    what: str,
    remedy: str,
) -> list[Problem]:
    """A problem for each patient and file of what several patients share; `{}` in `what` is the other patients."""
    problems = {}
    for same in users.values():
        owners = sorted({patient for patient, _ in same})
        if len(owners) < 2:
            continue
        for patient, where in same:
            others = [o for o in owners if o != patient]
            more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
            named = f"patient {', '.join(others[:MOST_NAMED])}{more}"
            problems[kind(cohort.name, patient, where, what.format(named), remedy)] = None
    return list(problems)
