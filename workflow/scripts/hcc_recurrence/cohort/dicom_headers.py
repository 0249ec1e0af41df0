"""What a DICOM file tells about its images, frame by frame, before a voxel is read. No identifier of a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hcc_recurrence.provenance import content_hash

if TYPE_CHECKING:
    from pydicom import Dataset

# Facts of another version are found anew.
HEADER_FACTS_VERSION = "4"
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

    `headers` is empty where the file is not DICOM, or holds no image.
    """
    data = read_header(file, ("BitsAllocated", "SamplesPerPixel"))
    headers = [] if data is None else image_headers(data)
    if headers and file.stat().st_size < _pixel_bytes(data):
        headers = [{**header, "Truncated": True} for header in headers]
    return {"hash": content_hash(file), "headers": headers}


def _pixel_bytes(data: Dataset) -> int:
    """Bytes that the pixels of a file take at least; 0 where they are compressed, or it is not known."""
    if str(data.file_meta.get("TransferSyntaxUID", "")) not in UNCOMPRESSED:
        return 0
    pixels = int(data.Rows) * int(data.get("Columns") or 0) * int(data.get("NumberOfFrames") or 1)
    return pixels * int(data.get("SamplesPerPixel") or 1) * int(data.get("BitsAllocated") or 0) // 8


def read_header(file: Path, more: Sequence[str] = ()) -> Dataset | None:
    """The tags of a file that decide geometry, and more; None where it is not DICOM."""
    import pydicom
    from pydicom.errors import InvalidDicomError

    tags = [*_NUMBERS, *_VECTORS, *_TEXTS, *_GROUPS, "NumberOfFrames", *more]
    try:
        return pydicom.dcmread(file, stop_before_pixels=True, specific_tags=tags)
    except (InvalidDicomError, EOFError, OSError):
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
