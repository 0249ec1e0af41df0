"""A few slices of each series: hashes of their pixels that any copy has in common, whose headers say they are, and how
much neighbours differ.

What is kept is known by the content of the series, so that nothing is read twice, wherever the files lie.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hcc_recurrence.cohort.alternation import means_of_file, means_of_slice, middle_slices, neighbours_to_next
from hcc_recurrence.cohort.dicom_files import UNCOMPRESSED, add_transfer_syntax
from hcc_recurrence.cohort.dicom_series import Stack
from hcc_recurrence.cohort.facts import available_workers, find_facts, show_progress
from hcc_recurrence.cohort.persons import PERSON_TAGS, person_facts, secret_of
from hcc_recurrence.cohort.slice_hashes import hash_of_slice, sampled_slices
from hcc_recurrence.cohort.stack_parts import positions_along
from hcc_recurrence.files import write_in_one_rename
from hcc_recurrence.provenance import FileCache

VERSION = "3"
PIXEL_TAGS = (
    *("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel"),
    *("PhotometricInterpretation", "PixelData", "RescaleSlope", "RescaleIntercept", "NumberOfFrames"),
)


@dataclass(frozen=True)
class Sampler:
    """Hash of one image of a file, and whose its header says it is; nothing of what cannot be read.

    frame: of an enhanced object, -1 for the only one. key: of `secret_of`. pixels: whether those are looked at.
    """

    frame: int
    key: bytes
    pixels: bool = True

    @property
    def __name__(self) -> str:
        return f"sample {self.frame} {self.pixels}"

    def __call__(self, file: Path) -> dict[str, Any]:
        found: dict[str, Any] = {"pixels": "", "person": {}}
        # What cannot be decoded is said by `check_decoding`.
        with contextlib.suppress(Exception):
            import pydicom

            tags = [*PERSON_TAGS, *PIXEL_TAGS]
            whole = self.pixels and self.frame < 0
            # Also without preamble and file meta information.
            data = pydicom.dcmread(file, specific_tags=tags, stop_before_pixels=not whole, force=True)
            add_transfer_syntax(data)
            found["person"] = person_facts(data, self.key)
            if self.pixels:
                found["pixels"] = _hash_of_image(file, self.frame, data)
        return found


def _hash_of_image(file: Path, frame: int, data: Any) -> str:
    """Hash of one image, rescaled; `data` holds its pixels where the file has one."""
    slope, intercept = (float(data.get(tag, plain)) for tag, plain in (("RescaleSlope", 1), ("RescaleIntercept", 0)))
    if frame >= 0:
        from pydicom.pixels import pixel_array

        return hash_of_slice(pixel_array(file, index=frame))
    if str(data.file_meta.get("TransferSyntaxUID", "")) in UNCOMPRESSED:
        # In a quarter of GDCM's time.
        return hash_of_slice(data.pixel_array, slope, intercept)
    import SimpleITK as sitk

    return hash_of_slice(sitk.GetArrayFromImage(sitk.ReadImage(str(file), imageIO="GDCMImageIO"))[0])


@dataclass(frozen=True)
class Sample:
    """pixels: hashes of some slices. persons: of `person_facts`, of the same slices; none without headers. alternation:
    of `neighbours_to_next`."""

    pixels: frozenset[str]
    persons: tuple[Mapping[str, Any], ...]
    alternation: float = 0.0


def take_samples(stacks: Mapping[str, Stack], folder: Path | None, title: str = "") -> dict[str, Sample]:
    """A sample of each stack, by its fingerprint.

    Args:
        stacks: by fingerprint. folder: where samples and the key of their hashes are kept; None keeps nothing. title:
            of the bar.
    """
    key = secrets.token_hex(16).encode()
    # A read-only folder keeps nothing.
    with contextlib.suppress(OSError):
        key = secret_of(folder / "hcc_key") if folder else key
    version = f"{VERSION} {hashlib.blake2b(key, digest_size=8).hexdigest()}"
    path = folder / "hcc_samples.json" if folder else None
    known = _read(path, version)
    todo = {content: stack for content, stack in stacks.items() if content not in known and not stack.image}
    alternations = _alternations(todo, title)
    for content, found in _look(todo, key, title).items():
        pixels = sorted({one["pixels"] for one in found} - {""})
        # Most often all slices say the same.
        persons = {str(one["person"]): one["person"] for one in found}
        known[content] = {
            "pixels": pixels,
            "persons": list(persons.values()),
            "alternation": alternations[content],
        }
    if todo and path:
        with contextlib.suppress(OSError):
            write_in_one_rename(path, json.dumps({"version": version, "samples": known}))
    samples = {}
    for content, stack in stacks.items():
        if stack.image:
            samples[content] = Sample(
                frozenset(stack.facts.get("samples", [])), (), stack.facts.get("alternation", 0.0)
            )
        else:
            own = known[content]
            samples[content] = Sample(frozenset(own["pixels"]), tuple(own["persons"]), own["alternation"])
    return samples


def _read(path: Path | None, version: str) -> dict[str, Any]:
    if path:
        with contextlib.suppress(OSError, ValueError, KeyError):
            kept = json.loads(path.read_text())
            if kept["version"] == version:
                return kept["samples"]
    return {}


def _look(stacks: Mapping[str, Stack], key: bytes, title: str) -> dict[str, list[dict[str, Any]]]:
    """Facts of the sampled slices of each stack; files of one image are read by several processes."""
    wanted = {}
    for content, stack in stacks.items():
        own = stack.slices
        chosen = [(own[k], True) for k in sampled_slices(positions_along(own))]
        # Of the ends the headers alone: a series that mixes two persons.
        wanted[content] = chosen + [(one, False) for one in (own[0], own[-1]) if (one, True) not in chosen]
    cache = FileCache(None, VERSION)
    for pixels in (True, False):
        single = sorted({one.file for own in wanted.values() for one, p in own if one.frame < 0 and p is pixels})
        progress = show_progress(f"{title}: {'samples' if pixels else 'headers'}", 200)
        find_facts(single, Sampler(-1, key, pixels), cache, available_workers(), progress, chunk=20)
    return {
        content: [cache.get(one.file, Sampler(one.frame, key, pixels)) for one, pixels in own]
        for content, own in wanted.items()
    }


def _alternations(stacks: Mapping[str, Stack], title: str) -> dict[str, float]:
    """`neighbours_to_next` of each stack; 0 where a slice cannot be decoded, which is said by whoever reads it."""
    chosen = {content: [stack.slices[k] for k in middle_slices(len(stack.slices))] for content, stack in stacks.items()}
    cache = FileCache(None, VERSION)
    single = sorted({one.file for own in chosen.values() for one in own if one.frame < 0})
    find_facts(single, means_of_file, cache, available_workers(), show_progress(f"{title}: neighbours", 500), chunk=20)
    found = {}
    for content, own in chosen.items():
        means = [cache.get(one.file, means_of_file) if one.frame < 0 else means_of_slice(one) for one in own]
        known = [m for m in means if m is not None]
        found[content] = neighbours_to_next(known, stacks[content].modality == "CT") if len(known) == len(own) else 0.0
    return found
