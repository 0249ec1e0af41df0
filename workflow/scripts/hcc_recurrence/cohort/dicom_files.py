"""Whether a file is DICOM, also without its preamble, whether it is whole, and what else it may be."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

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

    try:
        return pydicom.dcmread(file, stop_before_pixels=True, specific_tags=list(tags))
    except InvalidDicomError:
        if not _begins_as_dataset(file):
            return None
    data = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=list(tags), force=True)
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
    if _tag_of(tag) not in data:
        return []
    value = data.get_item(_tag_of(tag)).value
    if isinstance(value, bytes):
        value = value.decode("latin-1").rstrip("\0 ").split("\\")
    elif value is None or isinstance(value, str) or not isinstance(value, Sequence):
        value = [] if value is None else [value]
    texts = [str(text).strip() for text in value]
    return texts if any(texts) else []


@cache
def _tag_of(tag: str | int) -> BaseTag:
    from pydicom.tag import Tag

    return Tag(tag)


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
    pixels = int(data.get("Rows") or 1) * int(data.get("Columns") or 1) * int(data.get("NumberOfFrames") or 1)
    bits = pixels * int(data.get("SamplesPerPixel") or 1) * int(data.get("BitsAllocated") or 8)
    return "it ends before its pixels do" if size - here < bits // 8 else ""


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
