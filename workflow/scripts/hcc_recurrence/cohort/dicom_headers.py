"""What a DICOM file tells about its images, frame by frame, before a voxel is read. No identifier of a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from hcc_recurrence.problems import last_line
from hcc_recurrence.provenance import content_hash

if TYPE_CHECKING:
    from pydicom import Dataset

# Facts of another version are found anew.
HEADER_FACTS_VERSION = "7"
_NUMBERS = {
    "Rows": int,
    "Columns": int,
    "AcquisitionNumber": int,
    "InstanceNumber": int,
    "TemporalPositionIdentifier": int,
    # Without it the sign of the padding value is unknown.
    "PixelRepresentation": int,
    "PixelPaddingValue": int,
    "RescaleSlope": float,
    "RescaleIntercept": float,
}
_VECTORS = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
_TEXTS = (
    *("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID", "Modality"),
    *("AcquisitionTime", "ContentTime"),
)
# Implicit and explicit little endian, explicit big endian: a pixel takes the bytes that the header says.
UNCOMPRESSED = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")
DEFLATED = "1.2.840.10008.1.2.1.99"
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


def file_facts(file: Path) -> dict[str, Any]:
    """Content hash, and a header for each image of the file: one, or as many as an enhanced object has frames.

    `headers` is empty where the file is not DICOM, or holds no image. DICOM that cannot be trusted has one header with
    the reason as `Broken`, and its series where that can be read: a slice that nobody can read must not be taken for
    one that was never there.
    """
    headers: list[dict[str, Any]] = []
    # What a broken file makes pydicom raise is not foreseeable: a length beyond the file, letters in a number.
    try:
        with open(file, "rb") as stream:
            data = read_header(stream, ("BitsAllocated", "SamplesPerPixel"))
            left = file.stat().st_size - stream.tell()
        if data is not None:
            kind = str(data.get("SOPClassUID") or data.file_meta.get("MediaStorageSOPClassUID", ""))
            headers = image_headers(data)
            is_of_series = bool(data.get("SeriesInstanceUID")) or kind == DIRECTORY_STORAGE
            if not is_of_series or (kind in IMAGE_STORAGE and left < _pixel_bytes(data)):
                # Tags stand in order: the UID was not cut itself where one behind it was read.
                is_whole = max(data.keys(), default=0) > SERIES_TAG
                series = str(data.get("SeriesInstanceUID", "")) if is_whole else ""
                reason = "it ends before its pixels do" if is_of_series else "it does not say what it is"
                headers = [{"SeriesInstanceUID": series, "Broken": reason}]
    except Exception as error:
        reason = last_line(error)[:120] or type(error).__name__
        headers = [{"SeriesInstanceUID": "", "Broken": reason}]
    return {"hash": content_hash(file), "headers": headers}


def _pixel_bytes(data: Dataset) -> int:
    """Bytes that the pixels of a file take at least: 1 where they are compressed, 0 where all of it was unpacked."""
    syntax = str(data.file_meta.get("TransferSyntaxUID", ""))
    if syntax not in UNCOMPRESSED:
        return int(syntax != DEFLATED)
    pixels = int(data.get("Rows") or 1) * int(data.get("Columns") or 1) * int(data.get("NumberOfFrames") or 1)
    return pixels * int(data.get("SamplesPerPixel") or 1) * int(data.get("BitsAllocated") or 8) // 8


def read_header(file: Path | BinaryIO, more: Sequence[str] = ()) -> Dataset | None:
    """The tags of a file that decide geometry, and more; None where it is not DICOM.

    Raises: whatever pydicom raises where it is broken.
    """
    import pydicom
    from pydicom.errors import InvalidDicomError

    tags = [*_NUMBERS, *_VECTORS, *_TEXTS, *_GROUPS, "NumberOfFrames", *more]
    try:
        return pydicom.dcmread(file, stop_before_pixels=True, specific_tags=tags)
    except InvalidDicomError:
        return None


def image_headers(data: Dataset) -> list[dict[str, Any]]:
    """A header for each image of a file; none where it holds no image."""
    common = _values(data)
    if "Rows" not in common:
        return []
    frames = data.get("PerFrameFunctionalGroupsSequence") or []
    if not frames:
        # Frames that say nothing of where they lie, such as a film of screen shots.
        return [common] * int(data.get("NumberOfFrames") or 1)
    shared = (data.get("SharedFunctionalGroupsSequence") or [None])[0]
    return [
        {**common, "InstanceNumber": number, **_of_frame(shared), **_of_frame(frame)}
        for number, frame in enumerate(frames, 1)
    ]


def _values(data: Dataset) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for tag in (*_NUMBERS, *_VECTORS, *_TEXTS):
        value = data.get(tag)
        if value is not None and value != "":
            _keep(found, tag, value)
    return found


def _of_frame(group: Dataset | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for sequence, attribute, name in _OF_FRAMES:
        items = group.get(sequence) if group is not None else None
        if items and items[0].get(attribute) not in (None, ""):
            _keep(found, name, items[0].get(attribute))
    return found


def _keep(found: dict[str, Any], tag: str, value: Any) -> None:
    if tag in _VECTORS:
        found[tag] = [float(v) for v in value]
    else:
        found[tag] = _NUMBERS.get(tag, str)(value)


def rescaled(header: Mapping[str, Any], stored: float) -> float:
    """A stored value as the image has it."""
    return header.get("RescaleSlope", 1.0) * stored + header.get("RescaleIntercept", 0.0)
