"""One series: which images belong to it, whether its geometry can be trusted, and where its voxels lie.

Headers decide, never file names. A series that is not an evenly spaced stack of parallel slices is
refused with the reason; nothing is repaired silently.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from hcc_recurrence.cohort.dicom_headers import file_facts
from hcc_recurrence.cohort.header_geometry import geometry_doubt
from hcc_recurrence.cohort.image_files import image_information, image_values
from hcc_recurrence.cohort.image_kinds import mixed_kinds
from hcc_recurrence.cohort.series_listing import Listing, lacking, list_series
from hcc_recurrence.cohort.slice_hashes import hashes_of_volume, places_of_slices
from hcc_recurrence.cohort.stack_geometry import check_spacing, stack_geometry
from hcc_recurrence.cohort.stack_parts import (
    EXPORT,
    WHOLE,
    SeriesError,
    Slice,
    acquisitions_alternate,
    find_part,
    normal_of,
    numbers_in_turns,
    slices_that_stand_twice,
    stack_parts,
    stacks_in_turns,
)
from hcc_recurrence.cohort.volume_values import value_facts
from hcc_recurrence.problems import last_line
from hcc_recurrence.provenance import FileCache, combine_hashes, content_hash

ORIENTATION_TOLERANCE = 1e-3
# Direction cosines rounded to two digits are off by so much from length one, and from a right angle.
LENGTH_TOLERANCE, ANGLE_TOLERANCE = 0.01, 0.02
# Images that are no DICOM.
IMAGE_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".mha", ".mhd")


@dataclass(frozen=True)
class Stack:
    """A series that can be read: its slices in order along their normal, or the one image file that it is.

    gap: number of slices before a missing one that is to be interpolated; 0 for none. others: SOP instances of the
    series that are in other parts of it.
    """

    slices: list[Slice]
    gap: int = 0
    others: tuple[str, ...] = ()
    image: Path | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """What the voxels are made of, wherever the files lie."""
        if self.image:
            return self.facts["hash"]
        frames = [one.hash if one.frame < 0 else f"{one.hash}.{one.frame}" for one in self.slices]
        return combine_hashes([*frames, *([f"gap {self.gap}"] if self.gap else [])])

    @property
    def geometry(self) -> dict[str, Any]:
        """Size, spacing, origin (x, y, z; mm), direction (row major 3 x 3), and for masks: series_uid, study_uid,
        frame, instances and others (empty where unknown)."""
        if self.image:
            return {**self.facts["geometry"], "series_uid": "", "study_uid": "", "frame": ""}
        header = self.slices[0].header
        names = {"series_uid": "SeriesInstanceUID", "study_uid": "StudyInstanceUID", "frame": "FrameOfReferenceUID"}
        uids = {key: header.get(tag, "") for key, tag in names.items()}
        instances = [one.header.get("SOPInstanceUID", "") for one in self.slices]
        return {
            **stack_geometry(self.slices, int(self.gap > 0)),
            **uids,
            "instances": instances,
            "others": list(self.others),
        }

    @property
    def modality(self) -> str:
        """As the header says; empty where nothing does."""
        return "" if self.image else self.slices[0].header.get("Modality", "")


def is_image_file(path: Path) -> bool:
    """Whether a path names an image that is no DICOM, by its ending."""
    return path.name.lower().endswith(IMAGE_SUFFIXES)


def find_stack(
    path: Path,
    series_uid: str,
    part: str,
    interpolate: bool,
    cache: FileCache,
    listed: dict[Path, Listing] | None = None,
    only: Sequence[str] = (),
    look: Callable[[Path], dict[str, Any]] = file_facts,
) -> Stack:
    """The stack that a row of the series sheet names.

    Args:
        path: folder, one DICOM file, or a NIfTI, NRRD or MetaImage file. series_uid: which series of the folder.
        part: which stack of a series that holds several; see `stack_parts`. interpolate: one missing slice is allowed.
        listed: folders that were looked through before; a hospital's one folder for all is looked through once.
        only: names of the files of the folder that are looked at; empty for all. look: `file_facts`; for a stack whose
            fingerprint nobody asks for `facts_without_hash`.

    Raises: SeriesError.
    """
    if is_image_file(path):
        if not path.is_file():
            raise SeriesError(*lacking(path, "series"))
        return Stack([], image=path, facts=cache.get(path, image_facts))
    listed = {} if listed is None else listed
    if path not in listed:
        listed[path] = list_series(path, cache, only, look)
    series = listed[path].of_series(series_uid)
    slices = select_slices(series, part)
    own, whole = ({one.header.get("SOPInstanceUID", "") for one in some} for some in (slices, series))
    others = tuple(sorted(whole - own)) if part else ()
    return Stack(slices, gap=check_spacing([one.header for one in slices], interpolate), others=others)


def image_facts(path: Path) -> dict[str, Any]:
    """Content hash, geometry and `value_facts` of an image file that is no DICOM.

    Raises: SeriesError where it cannot be read, or is no volume.
    """
    try:
        information = image_information(path)
        geometry, components, nifti = information
        doubt = geometry_doubt(path, geometry)
        # A file that ends too early has a header as well.
        values = image_values(path, information)
    except RuntimeError as error:
        raise SeriesError(
            f"cannot be read as an image ({last_line(error)[:160]})", "copy it again, or save it again as NIfTI"
        ) from error
    if len(geometry["size"]) != 3 or components != 1 or min(geometry["size"]) < 3:
        size = " x ".join(map(str, geometry["size"]))
        raise SeriesError(
            f"is no volume of grey values: {size}, {components} values a voxel",
            "save one phase a file, in three dimensions",
        )
    if doubt:
        raise SeriesError(*doubt)
    samples = hashes_of_volume(values, places_of_slices(geometry))
    facts = value_facts(values, nifti.stored_floats() if nifti is not None else None)
    return {"hash": content_hash(path), "geometry": geometry, "samples": samples, **facts}


def select_slices(slices: Sequence[Slice], part: str = "") -> list[Slice]:
    """The images of one stack of a series, in the order of their position along the slice normal.

    Exact copies of a file count once.

    Args:
        slices: of one series. part: where it holds several stacks: `acquisition 2`, `time 1`, `repeat 2`; `all` takes
            all as one.

    Raises: SeriesError.
    """
    slices = _without_copies(slices)
    check_headers([one.header for one in slices])
    slices = _take_part(slices, part)
    mixed = mixed_kinds([one.header.get("Kind", "") for one in slices])
    if mixed:
        raise SeriesError(
            f"mixes images of different kinds: {'; '.join(mixed)}",
            "name series_uid or a part, or export each kind as a series of its own",
        )
    frames = Counter(one.header.get("FrameOfReferenceUID", "") for one in slices)
    # Anonymisers that write another one into each slice tell nothing.
    if 1 < len(frames) <= len(slices) // 2:
        raise SeriesError(
            f"lies in {len(frames)} frames of reference ({', '.join(str(n) for n in frames.values())} slices): places "
            "of one are none of the other",
            "export each examination as a series of its own, or name series_uid or a part",
        )
    normal = normal_of(slices[0].header)
    return sorted(slices, key=lambda one: float(normal @ one.header["ImagePositionPatient"]))


def _without_copies(slices: Sequence[Slice]) -> list[Slice]:
    """The images less exact copies of a file. Where the hash was not taken, it is of those alone whose headers are the
    same: bytes that are the same have the same headers."""
    alike = Counter(str(one.header) for one in slices if not one.hash)
    hash_of = cache(content_hash)
    unique: dict[tuple[str, int], Slice] = {}
    for one in slices:
        content = one.hash or (hash_of(one.file) if alike[str(one.header)] > 1 else str(one.file))
        unique.setdefault((content, one.frame), one)
    return list(unique.values())


def _take_part(slices: list[Slice], part: str) -> list[Slice]:
    if part == WHOLE:
        return slices
    # Taking a stack apart is only looked at where there is a sign of several.
    whole = not part and is_stack(slices)
    if whole and not acquisitions_alternate(slices) and not stacks_in_turns(slices, is_stack):
        if number := numbers_in_turns(slices, is_stack):
            raise SeriesError(
                f"holds {number} stacks that take turns: each InstanceNumber stands {number} times, and no other tag "
                "tells them apart",
                f"export the phases as series of their own; or name {WHOLE} in the column part, if they are one stack",
            )
        return slices
    if part and (found := find_part(slices, part, is_stack)):
        return found
    parts = stack_parts(slices, is_stack)
    known = ", ".join(f"{name} ({len(found)} slices)" for name, found in parts.items())
    if part:
        remedy = f"it holds {known}" if parts else "leave the column part empty: the series is one stack, or none"
        raise SeriesError(f"holds no part {part!r}", remedy)
    pairs = slices_that_stand_twice(slices, is_stack)
    if pairs:
        named = "; ".join(f"{_name(a)} and {_name(b)}: {_compared(a, b)}" for a, b in pairs[:3])
        more = "; ..." if len(pairs) > 3 else ""
        remedy = "remove one of each" + (f", or name in the column part: {known}" if parts else "")
        raise SeriesError(f"holds {len(pairs)} slices twice, at the same place ({named}{more})", remedy)
    if parts:
        remedy = f"name one in the column part: {known}"
        # Slices of a stack that was acquired in turns.
        if is_stack(slices):
            remedy += f"; or {WHOLE}, if they are one stack of {len(slices)} slices that was acquired in turns"
        raise SeriesError(f"holds {len(parts)} stacks (several phases in one series)", remedy)
    return slices


def _name(one: Slice) -> str:
    return one.file.name if one.frame < 0 else f"frame {one.frame + 1} of {one.file.name}"


def _compared(a: Slice, b: Slice) -> str:
    from hcc_recurrence.cohort.slice_pixels import slice_values

    try:
        return "the same pixels" if np.array_equal(slice_values(a)[0], slice_values(b)[0]) else "other pixels"
    except SeriesError as error:
        return error.what


def is_stack(slices: Sequence[Slice]) -> bool:
    """Whether slices whose headers were checked are one evenly spaced stack of one kind of image."""
    if mixed_kinds([one.header.get("Kind", "") for one in slices]):
        return False
    try:
        check_spacing([one.header for one in slices])
    except SeriesError:
        return False
    return True


def check_headers(headers: Sequence[dict[str, Any]]) -> None:
    """Raise SeriesError unless all images are parallel, of one size and pixel spacing, and their values have a unit."""
    for tag in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
        lacking = sum(tag not in h for h in headers)
        if lacking:
            raise SeriesError(
                f"{lacking} of {len(headers)} slices lack {tag}",
                f"{EXPORT}; scouts and screen shots have none: name another series_uid",
            )
    for tag in ("Rows", "Columns"):
        sizes = sorted({h.get(tag) for h in headers})
        if len(sizes) > 1:
            raise SeriesError(f"slices differ in {tag}: {sizes}", "remove localisers or name series_uid")
    modalities = {h.get("Modality") for h in headers}
    if len(modalities) > 1:
        raise SeriesError(f"mixes modalities {sorted(map(str, modalities))}", "name series_uid")
    if "CT" in modalities and any("RescaleSlope" not in h or "RescaleIntercept" not in h for h in headers):
        raise SeriesError("CT without RescaleSlope or RescaleIntercept: Hounsfield units are unknown", EXPORT)
    scaled = sum("RescaleSlope" in h for h in headers)
    if 0 < scaled < len(headers):
        raise SeriesError(
            f"{len(headers) - scaled} of {len(headers)} slices lack RescaleSlope, the others have it", EXPORT
        )
    unusable = [h["Unusable"] for h in headers if "Unusable" in h]
    if unusable:
        all_or_some = "" if len(unusable) == len(headers) else f"{len(unusable)} of {len(headers)} slices: "
        raise SeriesError(
            f"{all_or_some}{unusable[0]}", "export the series as acquired, without loss, or name another one"
        )
    orientations = np.array([h["ImageOrientationPatient"] for h in headers])
    _check_cosines(orientations)
    if np.abs(orientations - orientations[0]).max() > ORIENTATION_TOLERANCE:
        raise SeriesError("slices are not parallel", "remove localisers or name series_uid")
    spacings = np.array([h["PixelSpacing"] for h in headers])
    if np.abs(spacings - spacings[0]).max() > 1e-4:
        raise SeriesError("slices differ in PixelSpacing", "name series_uid")


def check_stack(headers: Sequence[dict[str, Any]], interpolate: bool = False) -> int:
    """Raise SeriesError unless the slices form one evenly spaced stack of parallel slices; see `check_spacing`."""
    check_headers(headers)
    return check_spacing(headers, interpolate)


def _check_cosines(orientations: np.ndarray) -> None:
    x, y = orientations[:, :3], orientations[:, 3:]
    off = max(np.abs(np.linalg.norm(v, axis=1) - 1).max() for v in (x, y))
    if off > LENGTH_TOLERANCE or np.abs((x * y).sum(axis=1)).max() > ANGLE_TOLERANCE:
        raise SeriesError("ImageOrientationPatient is no pair of perpendicular unit vectors", EXPORT)
