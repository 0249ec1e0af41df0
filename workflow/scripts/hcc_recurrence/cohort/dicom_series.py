"""One series: which images belong to it, whether its geometry can be trusted, and where its voxels lie.

Headers decide, never file names. A series that is not an evenly spaced stack of parallel slices is
refused with the reason; nothing is repaired silently.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hcc_recurrence.cohort.dicom_headers import file_facts
from hcc_recurrence.cohort.image_files import image_information
from hcc_recurrence.cohort.slice_hashes import hashes_of_volume, places_of_slices
from hcc_recurrence.cohort.stack_parts import WHOLE, Slice, acquisitions_alternate, normal_of, stack_parts
from hcc_recurrence.problems import Refused, last_line
from hcc_recurrence.provenance import FileCache, combine_hashes, content_hash

# Positions are compared with the spacing between neighbours; scanners write them to 0.01 mm or better.
SPACING_TOLERANCE = 0.02
ORIENTATION_TOLERANCE = 1e-3
# Images that are no DICOM.
IMAGE_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".mha", ".mhd")
# A CT of a body holds air or fat below this; an image without is no image in Hounsfield units.
LOWEST_MUST_BE_BELOW_HU = -50
EXPORT = "export the series again from the archive"


class SeriesError(Refused):
    """The series cannot be used."""


@dataclass(frozen=True)
class Stack:
    """A series that can be read: its slices in order along their normal, or the one image file that it is.

    gap: number of slices before a missing one that is to be interpolated; 0 for none.
    """

    slices: list[Slice]
    gap: int = 0
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
        frame, instances (empty where unknown)."""
        if self.image:
            return {**self.facts["geometry"], "series_uid": "", "study_uid": "", "frame": ""}
        header = self.slices[0].header
        names = {"series_uid": "SeriesInstanceUID", "study_uid": "StudyInstanceUID", "frame": "FrameOfReferenceUID"}
        uids = {key: header.get(tag, "") for key, tag in names.items()}
        instances = [one.header.get("SOPInstanceUID", "") for one in self.slices]
        return {**stack_geometry(self.slices, int(self.gap > 0)), **uids, "instances": instances}

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
) -> Stack:
    """The stack that a row of the series sheet names.

    Args:
        path: folder, one DICOM file, or a NIfTI, NRRD or MetaImage file. series_uid: which series of the folder.
        part: which stack of a series that holds several; see `stack_parts`. interpolate: one missing slice is allowed.
        listed: folders that were looked through before; a hospital's one folder for all is looked through once.
        only: names of the files of the folder that are looked at; empty for all.

    Raises: SeriesError.
    """
    if is_image_file(path):
        if not path.is_file():
            raise SeriesError("does not exist", "correct the path in the series sheet")
        return Stack([], image=path, facts=cache.get(path, image_facts))
    listed = {} if listed is None else listed
    if path not in listed:
        listed[path] = list_series(path, cache, only)
    slices = select_slices(listed[path].of_series(series_uid), part)
    return Stack(slices, gap=check_spacing([one.header for one in slices], interpolate))


def image_facts(path: Path) -> dict[str, Any]:
    """Content hash, geometry and lowest value of an image file that is no DICOM.

    Raises: SeriesError where it cannot be read, or is no volume.
    """
    import SimpleITK as sitk

    try:
        geometry, components = image_information(path)
        # A file that ends too early has a header as well.
        image = sitk.ReadImage(str(path))
        array = sitk.GetArrayViewFromImage(image)
        lowest = float(array.min())
    except RuntimeError as error:
        raise SeriesError(f"cannot be read as an image ({last_line(error)[:160]})", "save it again as NIfTI") from error
    if len(geometry["size"]) != 3 or components != 1 or min(geometry["size"]) < 3:
        size = " x ".join(map(str, geometry["size"]))
        raise SeriesError(
            f"is no volume of grey values: {size}, {components} values a voxel",
            "save one phase a file, in three dimensions",
        )
    samples = hashes_of_volume(array, places_of_slices(geometry))
    return {"hash": content_hash(path), "geometry": geometry, "lowest": lowest, "samples": samples}


def check_hounsfield(lowest: float) -> None:
    """Raise SeriesError where the lowest value of a CT that is no DICOM shows that it was windowed or scaled before."""
    if lowest >= LOWEST_MUST_BE_BELOW_HU:
        raise SeriesError(
            f"is no CT in Hounsfield units: no voxel lies below {LOWEST_MUST_BE_BELOW_HU} (windowed or scaled before?)",
            "save the image as acquired",
        )


@dataclass(frozen=True)
class Listing:
    """The images of a folder: by series, and files that are broken; files: how many of both there are."""

    series: dict[str, list[Slice]]
    broken: list[Slice]
    files: int

    def of_series(self, series_uid: str) -> list[Slice]:
        """The images of one series; the empty UID means the only one.

        Raises: SeriesError where there is none, or a file that could be of it is broken.
        """
        if not series_uid and len(self.series) > 1:
            remedy = f"name one of them in the column series_uid: {self._known()}"
            raise SeriesError(f"holds {len(self.series)} series", remedy)
        wanted = series_uid or "".join(self.series)
        # A broken file that does not tell its series could be of any.
        broken = [o for o in self.broken if o.header["SeriesInstanceUID"] in ("", wanted) or not self.series]
        if broken:
            named = "; ".join(f"{one.file.name}: {one.header['Broken']}" for one in broken[:3])
            raise SeriesError(f"holds {len(broken)} broken files ({named})", EXPORT)
        own = self.series.get(wanted, [])
        if not own:
            remedy = f"correct series_uid in the series sheet; the folder holds {self._known()}"
            raise SeriesError(f"holds no image of series {series_uid}", remedy)
        return own

    def _known(self) -> str:
        uids = sorted(self.series)
        return ", ".join([*uids[:5], *(["..."] if len(uids) > 5 else [])])


def files_of(folder: Path) -> list[Path]:
    """The files of a folder, sorted; a series may also be one file. Empty where there is none."""
    if folder.is_dir():
        with os.scandir(folder) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.is_file())
    return [folder] if folder.is_file() else []


def list_series(folder: Path, cache: FileCache, only: Sequence[str] = ()) -> Listing:
    """Every image of a folder (a series may also be one file), by the name of its file.

    Args:
        only: names of the files that are looked at; empty for all.

    Raises: SeriesError where the folder does not exist, is empty or holds no DICOM image.
    """
    if not folder.exists():
        raise SeriesError("does not exist", "correct the path in the series sheet")
    files = [folder / name for name in only] if only and folder.is_dir() else files_of(folder)
    if not files:
        raise SeriesError("holds no file", "correct the path in the series sheet")
    series: dict[str, list[Slice]] = {}
    broken, images = [], 0
    for file in files:
        facts = cache.get(file, file_facts)
        several = len(facts["headers"]) > 1
        images += bool(facts["headers"])
        for number, header in enumerate(facts["headers"]):
            one = Slice(file, facts["hash"], number if several else -1, header)
            if "Broken" in header:
                broken.append(one)
            else:
                series.setdefault(header.get("SeriesInstanceUID", ""), []).append(one)
    if not images:
        raise SeriesError("holds no DICOM image", "correct the path in the series sheet")
    return Listing(series, broken, images)


def select_slices(slices: Sequence[Slice], part: str = "") -> list[Slice]:
    """The images of one stack of a series, in the order of their position along the slice normal.

    Exact copies of a file count once.

    Args:
        slices: of one series. part: where it holds several stacks: `acquisition 2`, `time 1`, `repeat 2`; `all` takes
            all as one.

    Raises: SeriesError.
    """
    unique: dict[tuple[str, int], Slice] = {}
    for one in slices:
        unique.setdefault((one.hash, one.frame), one)
    slices = list(unique.values())
    check_headers([one.header for one in slices])
    slices = _take_part(slices, part)
    normal = normal_of(slices[0].header)
    return sorted(slices, key=lambda one: float(normal @ one.header["ImagePositionPatient"]))


def _take_part(slices: list[Slice], part: str) -> list[Slice]:
    if part == WHOLE:
        return slices
    # Taking a stack apart is only looked at where there is a sign of several.
    if not part and is_stack(slices) and not acquisitions_alternate(slices):
        return slices
    parts = stack_parts(slices, is_stack)
    known = ", ".join(f"{name} ({len(found)} slices)" for name, found in parts.items())
    if part:
        if part not in parts:
            remedy = f"it holds {known}" if parts else "leave the column part empty: the series is one stack, or none"
            raise SeriesError(f"holds no part {part!r}", remedy)
        return parts[part]
    if parts:
        raise SeriesError(
            f"holds {len(parts)} stacks (several phases in one series)", f"name one in the column part: {known}"
        )
    return slices


def is_stack(slices: Sequence[Slice]) -> bool:
    """Whether slices whose headers were checked are one evenly spaced stack."""
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
    orientations = np.array([h["ImageOrientationPatient"] for h in headers])
    if np.abs(orientations - orientations[0]).max() > ORIENTATION_TOLERANCE:
        raise SeriesError("slices are not parallel", "remove localisers or name series_uid")
    spacings = np.array([h["PixelSpacing"] for h in headers])
    if np.abs(spacings - spacings[0]).max() > 1e-4:
        raise SeriesError("slices differ in PixelSpacing", "name series_uid")


def check_stack(headers: Sequence[dict[str, Any]], interpolate: bool = False) -> int:
    """Raise SeriesError unless the slices form one evenly spaced stack of parallel slices; see `check_spacing`."""
    check_headers(headers)
    return check_spacing(headers, interpolate)


def check_spacing(headers: Sequence[dict[str, Any]], interpolate: bool = False) -> int:
    """Raise SeriesError unless slices that `check_headers` has passed are evenly spaced and straight above each other.

    Returns: the number of slices before the one that is missing, where `interpolate` allows one; 0 where none is.
    """
    if len(headers) < 3:
        raise SeriesError(f"has only {len(headers)} slices", EXPORT)
    normal = normal_of(headers[0])
    positions = np.array([h["ImagePositionPatient"] for h in headers])
    along = positions @ normal
    order = np.argsort(along, kind="stable")
    gaps = np.diff(along[order])
    step = float(np.median(gaps))
    if step <= 0 or (gaps < 0.1 * step).any():
        count = int((gaps < 0.1 * max(step, 1e-6)).sum())
        raise SeriesError(
            f"{count} positions carry more than one slice, and nothing in the headers tells several stacks apart",
            "export the phases as series of their own",
        )
    wrong = np.flatnonzero(np.abs(gaps - step) > SPACING_TOLERANCE * step)
    one_missing = len(wrong) == 1 and abs(gaps[wrong[0]] - 2 * step) <= 2 * SPACING_TOLERANCE * step
    if len(wrong) and not (interpolate and one_missing):
        missing = ", ".join(
            f"{gaps[i]:.2f} mm between {along[order[i]]:.2f} and {along[order[i + 1]]:.2f} mm" for i in wrong[:3]
        )
        remedy = f"{EXPORT}, or let the one slice be interpolated with interpolate_missing: true"
        raise SeriesError(
            f"slices are not evenly spaced ({step:.2f} mm expected, found {missing}): a slice is probably missing",
            remedy if one_missing else EXPORT,
        )
    drift = positions[order] - positions[order[0]]
    sideways = drift - np.outer(drift @ normal, normal)
    if np.abs(sideways).max() > 0.05 * step + 0.01:
        raise SeriesError("slices are sheared (gantry tilt)", "export the series reformatted to a straight stack")
    return int(wrong[0]) + 1 if len(wrong) else 0


def stack_geometry(slices: Sequence[Slice], missing: int = 0) -> dict[str, Any]:
    """Size, spacing, origin (x, y, z; mm) and direction (row major 3 x 3) of a checked stack.

    Args:
        missing: slices that will be interpolated; they count.
    """
    first, last = slices[0].header, slices[-1].header
    orientation = np.array(first["ImageOrientationPatient"])
    normal = normal_of(first)
    length = normal @ (np.array(last["ImagePositionPatient"]) - np.array(first["ImagePositionPatient"]))
    row, column = first["PixelSpacing"]
    number = len(slices) + missing
    return {
        "size": [first["Columns"], first["Rows"], number],
        "spacing": [column, row, float(length) / (number - 1)],
        "origin": list(first["ImagePositionPatient"]),
        "direction": np.column_stack([orientation[:3], orientation[3:], normal]).ravel().tolist(),
    }
