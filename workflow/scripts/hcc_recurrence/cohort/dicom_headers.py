"""What a DICOM file tells about its images, frame by frame, before a voxel is read. No identifier of a person."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from hcc_recurrence.cohort.dicom_files import (
    DEFLATED,
    UNCOMPRESSED,
    cut_off,
    frames_of,
    holds,
    plain_pixels,
    read_dataset,
    texts_of,
    what_else,
    word_of,
)
from hcc_recurrence.cohort.image_kinds import KIND_TAGS, PIXEL_TAGS, kind_of, unusable_pixels
from hcc_recurrence.problems import last_line
from hcc_recurrence.provenance import content_hash

if TYPE_CHECKING:
    from pydicom import Dataset

# Facts of another version are found anew.
HEADER_FACTS_VERSION = "14"
# Written in digits, and in bytes.
_DECIMALS = {
    "AcquisitionNumber": int,
    "InstanceNumber": int,
    "TemporalPositionIdentifier": int,
    "RescaleSlope": float,
    "RescaleIntercept": float,
}
# Without the last of these the sign of the padding value is unknown.
_WORDS = {"Rows": int, "Columns": int, "PixelRepresentation": int, "BitsStored": int}
_PADDING = {"PixelPaddingValue": int, "PixelPaddingRangeLimit": int}
_NUMBERS = {**_DECIMALS, **_WORDS, **_PADDING}
# Numbers each must have; one with another count, or that is not finite, counts as lacking.
_VECTORS = {"ImagePositionPatient": 3, "ImageOrientationPatient": 6, "PixelSpacing": 2}
# Tells phases apart where it is a number, and nothing where it is not.
_TRIGGER = "TriggerTime"
_TEXTS = (
    *("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID", "Modality"),
    *("AcquisitionTime", "ContentTime", "MRAcquisitionType"),
)
# Of SeriesInstanceUID.
SERIES_TAG = 0x0020000E
# The table of contents of a disc, the one kind of file that is of no series.
DIRECTORY_STORAGE = "1.2.840.10008.1.3.10"
# CT and MR, classic and enhanced.
IMAGE_STORAGE = tuple(f"1.2.840.10008.5.1.4.1.1.{kind}" for kind in ("2", "2.1", "4", "4.1"))
_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
# Of an enhanced object: sequence of a frame's functional group, its attribute, and the name it has in a classic header.
_OF_FRAMES = (
    ("PlanePositionSequence", "ImagePositionPatient", "ImagePositionPatient"),
    ("PlaneOrientationSequence", "ImageOrientationPatient", "ImageOrientationPatient"),
    ("PixelMeasuresSequence", "PixelSpacing", "PixelSpacing"),
    ("PixelValueTransformationSequence", "RescaleSlope", "RescaleSlope"),
    ("PixelValueTransformationSequence", "RescaleIntercept", "RescaleIntercept"),
    ("FrameContentSequence", "FrameAcquisitionNumber", "AcquisitionNumber"),
    ("FrameContentSequence", "FrameAcquisitionDateTime", "AcquisitionTime"),
    ("FrameContentSequence", "TemporalPositionIndex", "TemporalPositionIdentifier"),
)
# The same of what tells kinds of images apart.
_KINDS_OF_FRAMES = (
    ("MREchoSequence", "EffectiveEchoTime", "EchoTime"),
    ("MRImageFrameTypeSequence", "FrameType", "ImageType"),
    ("MRImageFrameTypeSequence", "ComplexImageComponent", "ComplexImageComponent"),
    ("CTImageFrameTypeSequence", "FrameType", "ImageType"),
    ("MRDiffusionSequence", "DiffusionBValue", "DiffusionBValue"),
    ("CTReconstructionSequence", "ConvolutionKernel", "ConvolutionKernel"),
    ("CTXRayDetailsSequence", "KVP", "KVP"),
    ("PixelValueTransformationSequence", "RescaleType", "RescaleType"),
)


def file_facts(file: Path) -> dict[str, Any]:
    """Content hash, and a header for each image of the file: one, or as many as an enhanced object has frames.

    See `facts_without_hash`.
    """
    facts = facts_without_hash(file)
    try:
        return {**facts, "hash": content_hash(file)}
    except OSError as error:
        return {"hash": "", "headers": [_unreadable(error)]}


def facts_without_hash(file: Path) -> dict[str, Any]:
    """A header for each image of a file, as `file_facts` has them; the hash, which takes reading all of it, is empty.

    `headers` is empty where the file is not DICOM, or holds no image. DICOM that cannot be trusted has one header with
    the reason as `Broken`, and its series where that can be read: a slice that nobody can read must not be taken for
    one that was never there. For the same reason `other` says of a file that is no DICOM what it is.
    """
    headers: list[dict[str, Any]] = []
    other = ""
    # What a broken file makes pydicom raise is not foreseeable: a length beyond the file, letters in a number.
    try:
        with open(file, "rb") as stream:
            data = read_header(stream, ("BitsAllocated",))
            if data is None:
                other = what_else(stream)
            else:
                headers = image_headers(data)
                reason = _reason_of_mistrust(stream, data, bool(headers))
                if reason:
                    # Tags stand in order: the UID was not cut itself where one behind it was read.
                    is_whole = max(data.keys(), default=0) > SERIES_TAG
                    series = str(data.get("SeriesInstanceUID", "")) if is_whole else ""
                    headers = [{"SeriesInstanceUID": series, "Broken": reason}]
                elif headers and (plain := plain_pixels(stream, data)):
                    headers = [{**header, "Pixels": list(plain)} for header in headers]
    except OSError as error:
        return {"hash": "", "headers": [_unreadable(error)]}
    except Exception as error:
        headers = [_broken(last_line(error)[:120] or type(error).__name__)]
    return {"hash": "", "headers": headers, **({"other": other} if other else {})}


def _broken(reason: str) -> dict[str, str]:
    return {"SeriesInstanceUID": "", "Broken": reason}


def _unreadable(error: OSError) -> dict[str, str]:
    return _broken(f"it cannot be read: {error.strerror or type(error).__name__}")


def _reason_of_mistrust(stream: BinaryIO, data: Dataset, has_images: bool) -> str:
    kind = "".join(texts_of(data, "SOPClassUID")) or str(data.file_meta.get("MediaStorageSOPClassUID", ""))
    if not texts_of(data, "SeriesInstanceUID"):
        return "" if kind == DIRECTORY_STORAGE else "it does not say what it is"
    # A frame that is not described would be left out without a word.
    described = len(data.get(_GROUPS[1]) or []) if has_images and holds(data, _GROUPS[1]) else 0
    if described and holds(data, "NumberOfFrames") and described != frames_of(data):
        return f"it holds {frames_of(data)} images and describes {described}"
    # A file that was cut off may end before the tags that say it holds an image.
    return cut_off(stream, data) if has_images or kind in IMAGE_STORAGE else ""


def read_header(file: Path | BinaryIO, more: Sequence[str] = ()) -> Dataset | None:
    """The tags of a file that decide geometry and the kind of image, and more; None where it is not DICOM.

    Raises: whatever pydicom raises where it is broken.
    """
    tags = [*_NUMBERS, *_VECTORS, *_TEXTS, *_GROUPS, *KIND_TAGS, *PIXEL_TAGS, _TRIGGER, "NumberOfFrames", *more]
    return read_dataset(file, tags)


def image_headers(data: Dataset) -> list[dict[str, Any]]:
    """A header for each image of a file; none where it holds no image.

    Besides tags it holds `Kind`, see `kind_of`; where its pixels cannot be used the reason as `Unusable`; and, where
    they are true, `Compressed`, `Inverted` (MONOCHROME1) and `Packed` (deflated, or without preamble).
    """
    common = _values(data)
    if "Rows" not in common:
        return []
    frames = holds(data, _GROUPS[1]) and data.get(_GROUPS[1])
    if not frames:
        # Frames that say nothing of where they lie, such as a film of screen shots.
        return [_with_kind(common, data, {})] * frames_of(data)
    shared = (data.get("SharedFunctionalGroupsSequence") or [None])[0]
    of_shared, kind_of_shared = _of_frame(shared), _kind_of_frame(shared)
    return [
        _with_kind(
            {**common, "InstanceNumber": number, **of_shared, **_of_frame(frame)},
            data,
            {**kind_of_shared, **_kind_of_frame(frame)},
        )
        for number, frame in enumerate(frames, 1)
    ]


def _with_kind(header: dict[str, Any], data: Dataset, of_frame: Mapping[str, Any]) -> dict[str, Any]:
    found = {**header, "Kind": kind_of(data, of_frame)}
    reason = unusable_pixels(data, of_frame, header)
    if reason:
        found["Unusable"] = reason
    if str(data.file_meta.get("TransferSyntaxUID", "")) not in (*UNCOMPRESSED, DEFLATED):
        found["Compressed"] = True
    if texts_of(data, "PhotometricInterpretation") == ["MONOCHROME1"]:
        found["Inverted"] = True
    # Deflated, or stored without preamble and file meta information: it has to be unpacked before its pixels are found.
    if data.preamble is None or str(data.file_meta.get("TransferSyntaxUID", "")) == DEFLATED:
        found["Packed"] = True
    return found


def _values(data: Dataset) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for tag in (*_DECIMALS, *_VECTORS):
        if texts := texts_of(data, tag):
            _keep(found, tag, texts if tag in _VECTORS else texts[0])
    for tag in _WORDS:
        if (value := word_of(data, tag)) not in (None, ""):
            _keep(found, tag, value)
    for tag in _PADDING:
        if holds(data, tag) and (value := data.get(tag)) not in (None, ""):
            _keep(found, tag, value)
    for tag in _TEXTS:
        if texts := texts_of(data, tag):
            found[tag] = "\\".join(texts)
    if texts := texts_of(data, _TRIGGER):
        with contextlib.suppress(ValueError):
            found[_TRIGGER] = float(texts[0])
    return found


def _of_frame(group: Dataset | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for sequence, attribute, name in _OF_FRAMES:
        items = group.get(sequence) if group is not None else None
        if items and items[0].get(attribute) not in (None, ""):
            _keep(found, name, items[0].get(attribute))
    return found


def _kind_of_frame(group: Dataset | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for sequence, attribute, name in _KINDS_OF_FRAMES:
        items = group.get(sequence) if group is not None else None
        if items and items[0].get(attribute) not in (None, ""):
            found[name] = items[0].get(attribute)
    return found


def _keep(found: dict[str, Any], tag: str, value: Any) -> None:
    if tag in _VECTORS:
        numbers = [float(v) for v in value] if isinstance(value, Sequence) and not isinstance(value, str) else []
        if len(numbers) == _VECTORS[tag] and all(math.isfinite(v) for v in numbers):
            found[tag] = numbers
        if tag == "PixelSpacing" and min(numbers, default=0) <= 0:
            found.pop(tag, None)
    elif _NUMBERS.get(tag) is int and isinstance(value, str):
        # Some writers give whole numbers as 12.0.
        found[tag] = int(value) if "." not in value else int(float(value))
    else:
        found[tag] = _NUMBERS.get(tag, str)(value)


def rescaled(header: Mapping[str, Any], stored: float) -> float:
    """A stored value as the image has it."""
    return header.get("RescaleSlope", 1.0) * stored + header.get("RescaleIntercept", 0.0)
