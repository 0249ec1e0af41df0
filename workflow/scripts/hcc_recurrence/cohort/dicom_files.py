"""Whether a file is DICOM, also without its preamble, whether it is whole, and what else it may be."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.tag import BaseTag

# Implicit and explicit little endian, explicit big endian: a pixel takes the bytes that the header says.
IMPLICIT, EXPLICIT, BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
UNCOMPRESSED = (IMPLICIT, EXPLICIT, BIG_ENDIAN)
DEFLATED = "1.2.840.10008.1.2.1.99"
# Groups that a data set may begin with: of its file meta information, and of what identifies it.
_FIRST_GROUPS = (0x0002, 0x0008)
_LENGTH_UNKNOWN = 0xFFFFFFFF
_ITEM, _END_OF_ITEMS = (0xFFFE, 0xE000), (0xFFFE, 0xE0DD)
_PIXEL_DATA = (0x7FE0, 0x0010)
_PIXEL_WORDS = ("BitsAllocated", "BitsStored", "SamplesPerPixel", "PixelRepresentation")
# Placeholders of large files whose content stayed where it was.
_POINTERS = (b"version https://git-lfs", b"/annex/objects/", b"../.git/annex/", b".git/annex/objects/")
NAMES_OF_IMAGES = (".dcm", ".dicom", ".ima")


def read_dataset(file: Path | BinaryIO, tags: Sequence[str]) -> Dataset | None:
    """Some tags of a file, with its pixels left out; None where it is not DICOM.

    A data set that a receiver stored without preamble and file meta information is read as well, as GDCM does; its
    transfer syntax is then one of the uncompressed ones, as its first elements show.

    Raises: whatever pydicom raises where it is broken.
    """
    import pydicom
    from pydicom.errors import InvalidDicomError

    # Turned into numbers once and not for every file.
    numbers = [_tag_of(tag) for tag in tags]
    try:
        return pydicom.dcmread(file, stop_before_pixels=True, specific_tags=numbers)
    except InvalidDicomError:
        if not _begins_as_dataset(file):
            return None
    data = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=numbers, force=True)
    add_transfer_syntax(data)
    return data


def add_transfer_syntax(data: Dataset) -> None:
    """Fill in the transfer syntax of a data set without file meta information, as it was read."""
    if "TransferSyntaxUID" not in data.file_meta:
        is_implicit, is_little = data.original_encoding
        data.file_meta.TransferSyntaxUID = IMPLICIT if is_implicit else EXPLICIT if is_little else BIG_ENDIAN


def _begins_as_dataset(file: Path | BinaryIO) -> bool:
    if isinstance(file, Path):
        with open(file, "rb") as stream:
            return _begins_as_dataset(stream)
    file.seek(0)
    start = file.read(8)
    file.seek(0)
    # The first elements of a group have small numbers; text never begins so.
    return len(start) == 8 and any(
        group in _FIRST_GROUPS and element < 0x0100
        for group, element in (struct.unpack("<HH", start[:4]), struct.unpack(">HH", start[:4]))
    )


def texts_of(data: Dataset, tag: str | int) -> list[str]:
    """The values of a tag whose kind is text, such as a code, a UID or a decimal; empty where it is absent.

    As they stand in the file: pydicom's own conversion takes most of the time that a header takes.
    """
    if not holds(data, tag):
        return []
    value = data.get_item(_tag_of(tag)).value
    if isinstance(value, bytes):
        value = value.decode("latin-1").rstrip("\0 ").split("\\")
    elif value is None or isinstance(value, str) or not isinstance(value, Sequence):
        value = [] if value is None else [value]
    texts = [str(text).strip() for text in value]
    return texts if any(texts) else []


def word_of(data: Dataset, tag: str | int) -> Any:
    """The value of a tag whose kind is a whole number of 16 bits without a sign; None where it is absent.

    As `texts_of`, without pydicom's own conversion, which is left for what is stored in another way.
    """
    if not holds(data, tag):
        return None
    raw = data.get_item(_tag_of(tag))
    if raw.is_raw and raw.VR in (None, "US") and isinstance(raw.value, bytes) and len(raw.value) == 2:
        return int.from_bytes(raw.value, "little" if raw.is_little_endian else "big")
    return data[_tag_of(tag)].value


def holds(data: Dataset, tag: str | int) -> bool:
    """Whether a data set has a tag."""
    return _tag_of(tag) in data


@cache
def _tag_of(tag: str | int) -> BaseTag:
    from pydicom.tag import Tag

    return Tag(tag)


def frames_of(data: Dataset) -> int:
    """How many images a file holds, by its header."""
    return int(data.get("NumberOfFrames") or 1) if holds(data, "NumberOfFrames") else 1


def cut_off(stream: BinaryIO, data: Dataset) -> str:
    """Why the pixels of an image cannot all be there; empty where they can.

    Args:
        stream: where `read_dataset` has left it, before the pixels. data: with Rows, Columns, BitsAllocated and what
            else tells their number.
    """
    here = stream.tell()
    size = stream.seek(0, 2)
    stream.seek(here)
    syntax = str(data.file_meta.get("TransferSyntaxUID", ""))
    # Deflated data was unpacked as a whole.
    if syntax == DEFLATED:
        return ""
    if syntax not in UNCOMPRESSED:
        return "" if _items_are_whole(stream, size) else "it ends before its pixels do"
    pixels = int(word_of(data, "Rows") or 1) * int(word_of(data, "Columns") or 1) * frames_of(data)
    bits = pixels * int(word_of(data, "SamplesPerPixel") or 1) * int(word_of(data, "BitsAllocated") or 8)
    return "it ends before its pixels do" if size - here < bits // 8 else ""


def plain_pixels(stream: BinaryIO, data: Dataset) -> tuple[int, int] | None:
    """Where the pixels of a file start that stand in it as little endian words of 16 bits, in bytes, and how many of
    the bits count; None where it takes a decoder to read them.

    Args:
        stream, data: see `cut_off`; data also with what else says how pixels are stored.
    """
    syntax = {IMPLICIT: (True, True), EXPLICIT: (False, True)}.get(str(data.file_meta.get("TransferSyntaxUID", "")))
    if data.preamble is None or syntax is None or data.original_encoding != syntax:
        return None
    allocated, used, samples, sign = (word_of(data, tag) for tag in _PIXEL_WORDS)
    is_grey = texts_of(data, "PhotometricInterpretation") in (["MONOCHROME1"], ["MONOCHROME2"])
    if allocated != 16 or used not in range(1, 17) or samples != 1 or sign not in (0, 1) or not is_grey:
        return None
    here = stream.tell()
    head = stream.read(12)
    stream.seek(here)
    is_implicit = syntax[0]
    if len(head) < 12 or struct.unpack("<HH", head[:4]) != _PIXEL_DATA or not (is_implicit or head[4:6] == b"OW"):
        return None
    length = struct.unpack("<I", head[4:8] if is_implicit else head[8:])[0]
    pixels = int(word_of(data, "Rows") or 0) * int(word_of(data, "Columns") or 0) * frames_of(data)
    return (here + (8 if is_implicit else 12), int(used)) if pixels and length == 2 * pixels else None


def _items_are_whole(stream: BinaryIO, size: int) -> bool:
    """Whether the fragments of compressed pixels are all there; explicit little endian, as these always are."""
    head = stream.read(12)
    if len(head) < 12:
        return False
    if struct.unpack("<I", head[8:])[0] != _LENGTH_UNKNOWN:
        return True
    fragments = 0
    while True:
        item = stream.read(8)
        if len(item) < 8:
            # Some writers leave out the last delimiter; the fragments before it are whole.
            return not item and fragments > 1
        group, element, length = struct.unpack("<HHI", item)
        if (group, element) == _END_OF_ITEMS:
            return fragments > 1
        if (group, element) != _ITEM or stream.tell() + length > size:
            return False
        stream.seek(length, 1)
        # The first one is the table of offsets.
        fragments += 1


def what_else(stream: BinaryIO) -> str:
    """What a file that is no DICOM is: a placeholder, empty, nothing but zeros, or `no DICOM`."""
    stream.seek(0)
    start = stream.read(1024)
    if any(pointer in start for pointer in _POINTERS):
        return "pointer"
    if not start:
        return "it is empty"
    return "it holds nothing but zeros" if not any(start) else "it is no DICOM file"


def name_pattern(name: str) -> str:
    """A file's name without its numbers: what the names of the images of a series have in common."""
    return re.sub(r"\d+", "#", re.sub(r"[0-9a-fA-F]{4,}", "#", name))
