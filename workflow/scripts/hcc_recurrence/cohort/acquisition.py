"""How each series was acquired, as its headers say: what a table of scan parameters needs, and no identifier or date.

Cui 2022, Supplementary Table 1; Wang 2022, Table S2; CLEAR 16; METRICS 6.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hcc_recurrence.cohort.dicom_files import read_dataset
from hcc_recurrence.cohort.dicom_series import Stack

if TYPE_CHECKING:
    from pydicom import Dataset

# Headers of so many slices are read, evenly spaced: the current of a CT follows the body.
SAMPLED = 9
# From injection to the hepatobiliary phase; more is the clock of another device.
LONGEST_DELAY_S = 3600
LONGEST_TEXT = 64
DICOM, OTHER = "DICOM", "other"


class Field(NamedTuple):
    """A row of the table: column of a patient's file, printed name, decimals of a number (None: text), and which
    modality has it (empty: both)."""

    name: str
    label: str
    decimals: int | None = None
    modality: str = ""


FIELDS = (
    Field("scanner", "Scanner"),
    Field("kvp", "Tube voltage, kVp", 0, "CT"),
    Field("mas", "Exposure, mAs", 0, "CT"),
    Field("kernel", "Reconstruction kernel", None, "CT"),
    Field("field_t", "Field strength, T", 2, "MR"),
    Field("tr_ms", "Repetition time, ms", 2, "MR"),
    Field("te_ms", "Echo time, ms", 2, "MR"),
    Field("flip_deg", "Flip angle, degrees", 0, "MR"),
    Field("thickness_mm", "Slice thickness, mm", 2),
    Field("spacing_mm", "Distance of slices, mm", 2),
    Field("pixel_mm", "Pixel size, mm", 3),
    Field("matrix", "Matrix"),
    Field("slices", "Slices", 0),
    Field("agent", "Contrast agent"),
    Field("delay_s", "Delay after injection, s", 0),
)
# Those that an image without a DICOM header has as well.
GEOMETRY = ("spacing_mm", "pixel_mm", "matrix", "slices")
COLUMNS = ("phase", "format", "modality", *(field.name for field in FIELDS))

# Column -> attributes that may hold it, and the sequences of a functional group (of an enhanced object) or of the data
# set itself that these may lie in.
_NUMBERS: dict[str, tuple[str, ...]] = {
    "kvp": ("KVP",),
    "field_t": ("MagneticFieldStrength",),
    "tr_ms": ("RepetitionTime",),
    "te_ms": ("EchoTime", "EffectiveEchoTime"),
    "flip_deg": ("FlipAngle",),
    "thickness_mm": ("SliceThickness",),
}
_EXPOSURE = ("Exposure", "ExposureInmAs", "ExposureInuAs", "XRayTubeCurrent", "XRayTubeCurrentInmA", "ExposureTime")
_EXPOSURE += ("ExposureTimeInms",)
_SEQUENCES = (
    *("CTXRayDetailsSequence", "CTExposureSequence", "CTReconstructionSequence", "PixelMeasuresSequence"),
    *("MRTimingAndRelatedParametersSequence", "MREchoSequence", "FrameContentSequence", "ContrastBolusAgentSequence"),
)
_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
_TEXTS = ("Manufacturer", "ManufacturerModelName", "ConvolutionKernel", "ContrastBolusAgent", "CodeMeaning", "Modality")
_TIMES = ("AcquisitionTime", "ContrastBolusStartTime", "FrameAcquisitionDateTime", "AcquisitionDateTime")
# Compared with free text, and never kept.
_IDENTIFIERS = ("PatientName", "PatientID", "AccessionNumber", "OtherPatientIDs", "PatientBirthDate")
_TAGS = (
    *(tag for tags in _NUMBERS.values() for tag in tags),
    *(*_EXPOSURE, *_SEQUENCES, *_GROUPS, *_TEXTS, *_TIMES, *_IDENTIFIERS),
)


def acquisition_facts(stack: Stack) -> dict[str, Any]:
    """COLUMNS of one series, without `phase`; None where it is unknown.

    Of an image that is no DICOM the geometry alone. Numbers are the medians of up to SAMPLED slices; free text that
    holds an identifier of the patient or something like a date is not kept.
    """
    geometry = stack.geometry
    facts: dict[str, Any] = dict.fromkeys(COLUMNS[1:])
    facts |= {
        "format": OTHER if stack.image else DICOM,
        "modality": stack.modality or None,
        "spacing_mm": round(float(geometry["spacing"][2]), 4),
        # As a rule both are the same.
        "pixel_mm": round(float(np.mean(geometry["spacing"][:2])), 4),
        "matrix": " x ".join(str(n) for n in geometry["size"][:2]),
        "slices": int(geometry["size"][2]),
    }
    if stack.image:
        return facts
    headers = _sampled(stack)
    for name, tags in _NUMBERS.items():
        facts[name] = _median([_number(header, tags) for header in headers])
    facts["mas"] = _median([_exposure(header) for header in headers])
    facts["delay_s"] = _delay(headers)
    first = headers[0]
    private = _private_words(first.data)
    facts["kernel"] = _harmless(_text(first, "ConvolutionKernel"), private)
    facts["agent"] = _harmless(_text(first, "ContrastBolusAgent") or _agent_code(first), private)
    named = [_harmless(_text(first, tag), private) for tag in ("Manufacturer", "ManufacturerModelName")]
    facts["scanner"] = " ".join(dict.fromkeys(filter(None, named))) or None
    return facts


class _Header(NamedTuple):
    """The tags of a slice's file, and of an enhanced object its functional groups, that of the frame first."""

    data: Dataset
    groups: list[Dataset]


def _sampled(stack: Stack) -> list[_Header]:
    numbers = np.unique(np.linspace(0, len(stack.slices) - 1, SAMPLED).round().astype(int))
    read: dict[Path, Dataset] = {}
    headers = []
    for one in (stack.slices[n] for n in numbers):
        if one.file not in read:
            found = read_dataset(one.file, _TAGS)
            if found is None:
                raise ValueError(f"{one.file} is no DICOM any more")
            read[one.file] = found
        data = read[one.file]
        shared, frames = (data.get(name) or [] for name in _GROUPS)
        own = [frames[one.frame]] if 0 <= one.frame < len(frames) else []
        headers.append(_Header(data, [*own, *shared[:1]]))
    return headers


def _values(header: _Header, tag: str) -> list[Any]:
    """Values of a tag: of the frame, of what all frames share, then of the file itself."""
    places = [item for group in header.groups for name in _SEQUENCES for item in (group.get(name) or [])[:1]]
    for place in (*places, header.data):
        # A value that cannot be read is one that the header does not have.
        with contextlib.suppress(Exception):
            value = place.get(tag)
            if value not in (None, ""):
                return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return []


def _number(header: _Header, tags: Sequence[str]) -> float | None:
    for tag in tags:
        for value in _values(header, tag)[:1]:
            with contextlib.suppress(ValueError, TypeError):
                number = float(value)
                if np.isfinite(number) and number > 0:
                    return number
    return None


def _exposure(header: _Header) -> float | None:
    """mAs of a slice: as written, from uAs, or current (mA) times time (ms)."""
    if (written := _number(header, ("Exposure", "ExposureInmAs"))) is not None:
        return written
    if (micro := _number(header, ("ExposureInuAs",))) is not None:
        return micro / 1000
    current = _number(header, ("XRayTubeCurrent", "XRayTubeCurrentInmA"))
    time = _number(header, ("ExposureTime", "ExposureTimeInms"))
    return None if current is None or time is None else current * time / 1000


def _median(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return round(float(np.median(known)), 4) if known else None


def _text(header: _Header, tag: str) -> str:
    return " ".join(str(v).strip() for v in _values(header, tag)).strip()


def _agent_code(header: _Header) -> str:
    for item in (header.data.get("ContrastBolusAgentSequence") or [])[:1]:
        return str(item.get("CodeMeaning") or "").strip()
    return ""


def _clock(text: str) -> float | None:
    """Seconds of the day of a DICOM time or date with time."""
    found = re.fullmatch(r"(?:\d{8})?(\d\d)(\d\d)(\d\d(?:\.\d*)?)(?:[+-]\d{4})?", text.strip())
    return int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3]) if found else None


def _delay(headers: Sequence[_Header]) -> float | None:
    """Seconds from the injection to the first slice; None where the headers lack either, or differ in clocks."""
    tags = ("FrameAcquisitionDateTime", "AcquisitionTime", "AcquisitionDateTime")
    taken = [next((t for tag in tags if (t := _clock(_text(h, tag))) is not None), None) for h in headers]
    injected = _clock(_text(headers[0], "ContrastBolusStartTime"))
    known = [t for t in taken if t is not None]
    if injected is None or not known:
        return None
    delay = round(min(known) - injected, 1)
    return delay if 0 < delay <= LONGEST_DELAY_S else None


def _private_words(data: Dataset) -> set[str]:
    words: set[str] = set()
    for tag in _IDENTIFIERS:
        words |= {w.lower() for w in re.split(r"[\W_]+", str(data.get(tag) or "")) if len(w) > 2}
    return words


def _harmless(text: str, private: set[str]) -> str | None:
    """A text without anything of the patient; None where there is none, or it may hold such."""
    words = {w.lower() for w in re.split(r"[\W_]+", text)}
    if words & private or re.search(r"\d{6}|\d{1,4}[-./]\d{1,2}[-./]\d{2,4}", text):
        return None
    # Control characters, and what is no name of anything.
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain[:LONGEST_TEXT] or None
