"""Formats of masks, one class each (`base.MaskFormat`): a new one is its class and a name in FORMATS."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from hcc_recurrence.cohort.mask_formats.base import MaskFile, MaskFormat
from hcc_recurrence.cohort.mask_formats.label_image import LabelImage
from hcc_recurrence.cohort.mask_formats.rtstruct import RtStruct
from hcc_recurrence.cohort.mask_formats.seg import Seg
from hcc_recurrence.problems import last_line
from hcc_recurrence.provenance import content_hash

# In the order in which they are asked.
FORMATS: tuple[MaskFormat, ...] = (Seg(), RtStruct(), LabelImage())
UNREADABLE = "unreadable"


def format_of(file: MaskFile) -> MaskFormat | None:
    """The format of a file; None where it is none. Raises: whatever a broken file makes a library raise."""
    return next((known for known in FORMATS if known.matches(file)), None)


def format_named(kind: str) -> MaskFormat | None:
    """The format of that name in facts; None where there is none."""
    return next((known for known in FORMATS if known.kind == kind), None)


def mask_facts(path: Path) -> dict[str, Any]:
    """Content hash, kind, and `MaskFormat.facts`; no identifier of a person.

    Raises: nothing; `kind` is "unreadable" where the file is of no format, with a `reason` where a library gave one.
    """
    facts: dict[str, Any] = {"hash": content_hash(path), "kind": UNREADABLE}
    # What a broken file makes pydicom raise is not foreseeable: a tag that lacks, a length beyond the file.
    try:
        file = MaskFile(path)
        if known := format_of(file):
            facts.update(kind=known.kind, **known.facts(file))
    except Exception as error:
        facts["reason"] = last_line(error).replace(str(path), path.name)[:160]
    return facts


def mask_contents(path: Path) -> dict[str, Any]:
    """How much of each label a mask holds: see `MaskFormat.contents`.

    Raises: nothing; `unreadable` is the reason where the voxels cannot be read.
    """
    try:
        file = MaskFile(path, pixels=True)
        known = format_of(file)
        return known.contents(file) if known else {UNREADABLE: "it is DICOM, and no mask"}
    # Whatever a broken file makes a library raise, the file is refused with what it said.
    except Exception as error:
        return {UNREADABLE: last_line(error)[:160] or type(error).__name__}


def source_images(path: Path) -> set[str]:
    """SOP instances of the images that a SEG or RTSTRUCT was drawn on, frame by frame; empty where nothing tells."""
    with contextlib.suppress(Exception):
        file = MaskFile(path)
        if known := format_of(file):
            return known.source_images(file)
    return set()


def drawn_images(path: Path) -> list[str]:
    """The same as a list, in rising order, for a `FileCache`."""
    return sorted(source_images(path))
