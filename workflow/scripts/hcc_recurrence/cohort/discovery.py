"""What a folder of DICOM holds, by its headers: patients, studies, series with their phase, and masks.

What comes out is a draft for a person to check. Nothing is guessed silently: what is unclear stays empty, and sheets
with an empty cell are refused until someone fills it in.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from hcc_recurrence.cohort.descriptions import NAME_TAGS, without_persons
from hcc_recurrence.cohort.dicom_headers import image_headers, read_header
from hcc_recurrence.cohort.dicom_series import SeriesError, check_headers, check_spacing, is_stack, select_slices
from hcc_recurrence.cohort.facts import find_facts
from hcc_recurrence.cohort.found_patients import Owners
from hcc_recurrence.cohort.mask_formats import mask_facts, source_images
from hcc_recurrence.cohort.persons import PERSON_TAGS, person_facts, pseudonym, usable_id
from hcc_recurrence.cohort.phases import PhaseGuess, guess_phase, unclear_where_twice
from hcc_recurrence.cohort.stack_parts import Slice, stack_parts
from hcc_recurrence.provenance import FileCache

DISCOVERY_VERSION = "3"
_MORE = (
    *("StudyDate", "StudyTime", "SeriesNumber", "SeriesDescription", "ImageType"),
    *("ContrastBolusAgent", "ContrastBolusStartTime"),
)
MASK_MODALITIES = ("SEG", "RTSTRUCT")
# Files that a process reads at once.
CHUNK = 200
UNCLEAR = PhaseGuess("", "low", "")


@dataclass
class FoundSeries:
    """One series of a folder, or one stack of a series that holds several.

    patient: of `Owners`. header: of its first image by name. files: sorted. part: which stack, as the sheet names it.
    doubt: why it may be of another patient; empty where nothing is.
    """

    patient: str
    study: str
    series: str
    header: dict[str, Any]
    files: list[Path] = field(default_factory=list)
    slices: list[Slice] = field(default_factory=list)
    guess: PhaseGuess = UNCLEAR
    part: str = ""
    doubt: str = ""

    @property
    def modality(self) -> str:
        return str(self.header.get("Modality", ""))

    @property
    def is_mask(self) -> bool:
        return self.modality in MASK_MODALITIES

    @property
    def is_usable(self) -> bool:
        """Whether it is images that can be read as one stack."""
        return not self.is_mask and not self.problem

    # Both are asked for often, once all files are known.
    @cached_property
    def problem(self) -> str:
        """Why an image series cannot be read as one stack; empty where it can."""
        if self.is_mask:
            return ""
        if not self.slices:
            return "no images"
        try:
            slices = select_slices(self.slices)
            check_spacing([one.header for one in slices])
        except SeriesError as error:
            return f"{error.what} ({error.remedy})"
        if len({file.parent for file in self.files}) > 1:
            return "its files lie in several folders (bring them into one)"
        return ""

    @cached_property
    def mask(self) -> dict[str, Any]:
        """Of a mask `mask_facts`."""
        return mask_facts(self.files[0])


# What headers of the same bytes tell of persons, in this process.
_PERSONS: dict[tuple[bytes, str, str], dict[str, Any]] = {}


@cache
def _person_tags() -> tuple[int, ...]:
    from pydicom.tag import Tag

    return tuple(Tag(name) for name in ("PatientID", "PatientBirthDate", "PatientSex", *NAME_TAGS))


@dataclass(frozen=True)
class HeaderReader:
    """What discovery needs of a file: `headers` of its images, and `about` its series; empty where it is not DICOM.

    What it returns goes into a cache: patients by hashes, descriptions without names, no birth date.

    salt: of `secret_of`. Empty for a public collection, whose PatientIDs are taken as they are.
    """

    salt: bytes = b""
    # Of the cache, as of a function.
    __name__ = "header_facts"

    @property
    def version(self) -> str:
        """Facts of another salt are found anew."""
        return f"{DISCOVERY_VERSION} {hashlib.blake2b(self.salt, digest_size=8).hexdigest()}"

    def __call__(self, file: Path) -> dict[str, Any]:
        # A broken file is no series, whichever tag is broken; the check of the sheets names it.
        try:
            data = read_header(file, (*_MORE, *PERSON_TAGS, *NAME_TAGS))
            if data is None or not data.get("SeriesInstanceUID"):
                return {}
            about = {
                tag: str(data.get(tag))
                for tag in (*_MORE, "SeriesInstanceUID", "StudyInstanceUID", "Modality", "AcquisitionTime")
                if data.get(tag) not in (None, "")
            }
            about.update(self._person_of(data, about.get("SeriesDescription", "")))
            return {"about": about, "headers": image_headers(data)}
        except OSError as error:
            return {"unreadable": error.strerror or "no reason given"}
        except Exception:
            return {}

    def _person_of(self, data: Any, description: str) -> dict[str, Any]:
        """patient, name, person and SeriesDescription, as far as the header tells them."""
        # The slices of a series say the same: their bytes are compared, and looked into once.
        raw = tuple(getattr(data.get_item(tag), "value", None) if tag in data else None for tag in _person_tags())
        key = (self.salt, description, str(raw))
        if key not in _PERSONS:
            if len(_PERSONS) > CHUNK:
                _PERSONS.clear()
            _PERSONS[key] = self._told(data, description)
        return _PERSONS[key]

    def _told(self, data: Any, description: str) -> dict[str, Any]:
        told: dict[str, Any] = {}
        number = str(data.get("PatientID") or "").strip()
        if usable_id(number):
            told["patient"] = self.hashed(number)
            told["name"] = pseudonym(number, self.salt) if self.salt else number
        if self.salt:
            if description:
                told["SeriesDescription"] = without_persons(description, data)
            person = person_facts(data, self.salt)
            told["person"] = {what: person[what] for what in ("birth_year", "birth_day", "sex") if what in person}
        return told

    def hashed(self, patient_id: str) -> str:
        """What stands for a PatientID."""
        if not self.salt:
            return patient_id
        return hashlib.blake2b(patient_id.encode(), key=self.salt, digest_size=16).hexdigest()


def read_headers(
    files: Sequence[Path], cache: FileCache, workers: int, show: Callable[[int, int], None], reader: HeaderReader
) -> dict[Path, dict[str, Any]]:
    """Facts of all files, several found at a time and kept in the cache; `show` gets how many are done, of how many.

    Of a file that could not be read it is the reason, as `unreadable`. That is not kept: a right to read may come.
    """
    find_facts(files, reader, cache, workers, show, CHUNK)
    facts = {file: cache.get(file, reader) for file in files}
    for file, told in facts.items():
        if "unreadable" in told:
            cache.forget(file, reader)
    return facts


def group_series(facts: Mapping[Path, Mapping[str, Any]]) -> list[FoundSeries]:
    """Files by patient, study and series, in the order of patients and time, with a guess of each series' phase.

    Args:
        facts: of `read_headers`.
    """
    known = [(file, told) for file, told in facts.items() if "about" in told]
    owners = Owners((file, told["about"]) for file, told in known)
    found: dict[tuple[str, str, str], FoundSeries] = {}
    for file, told in known:
        about = told["about"]
        patient, doubt = owners.owner(file, about)
        key = (patient, about.get("StudyInstanceUID", ""), about["SeriesInstanceUID"])
        series = found.setdefault(key, FoundSeries(*key, about, doubt=doubt))
        series.files.append(file)
        for number, header in enumerate(told["headers"]):
            # An instance's own number stands for its bytes, which are not read here.
            frame = number if len(told["headers"]) > 1 else -1
            series.slices.append(Slice(file, header.get("SOPInstanceUID", str(file)), frame, header))
    ordered = [part for series in sorted(found.values(), key=_order) for part in _parts_of(series)]
    guess_phases(ordered, {})
    return ordered


def _parts_of(series: FoundSeries) -> list[FoundSeries]:
    """The series itself, or its stacks where it holds several phases."""
    if series.is_mask or not series.slices or not series.problem:
        return [series]
    try:
        check_headers([one.header for one in series.slices])
    except SeriesError:
        return [series]
    found = []
    for name, slices in stack_parts(series.slices, is_stack).items():
        # The time of the series is that of one of them.
        times = sorted(one.header["AcquisitionTime"] for one in slices if "AcquisitionTime" in one.header)
        header = {**series.header, **({"AcquisitionTime": times[0]} if times else {})}
        files = sorted({one.file for one in slices})
        found.append(replace(series, header=header, files=files, slices=slices, part=name))
    return found or [series]


def guess_phases(found: Sequence[FoundSeries], vessels: Mapping[tuple[str, str], tuple[float, float]]) -> None:
    """Guess the phase of each series that can be read, by its header and, where known, by its vessels.

    Args:
        vessels: (series, part) -> aorta and portal vein, HU, of `vessel_values`.
    """
    studies: dict[tuple[str, str], list[FoundSeries]] = defaultdict(list)
    for series in found:
        series.guess = UNCLEAR
        if not series.problem:
            studies[series.patient, series.study].append(series)
    for own in studies.values():
        guesses = [guess_phase(series.header, vessels.get((series.series, series.part))) for series in own]
        for series, guess in zip(own, unclear_where_twice(guesses), strict=True):
            series.guess = guess


def _order(series: FoundSeries) -> tuple:
    about = series.header
    number = int(about["SeriesNumber"]) if about.get("SeriesNumber", "").isdigit() else 10**6
    return series.patient, about.get("StudyDate", ""), about.get("StudyTime", ""), number, series.series


def referenced_series(mask: FoundSeries, images: Sequence[FoundSeries]) -> tuple[FoundSeries | None, list[str]]:
    """The image series, or stack, that a mask was drawn on (None where that is unclear), and the labels it holds."""
    facts = mask.mask
    own = [s for s in images if s.study == mask.study]
    named = [s for s in own if s.series in facts.get("series", [])]
    if len(named) != 1:
        drawn = source_images(mask.files[0])
        named = [s for s in named or own if drawn & {one.header.get("SOPInstanceUID") for one in s.slices}]
    return (named[0] if len(named) == 1 else None), facts.get("labels", [])
