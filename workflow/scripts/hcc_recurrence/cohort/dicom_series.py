"""One DICOM series: which files belong to it, whether its geometry can be trusted, and its voxels.

Headers decide, never file names. A series that is not an evenly spaced stack of parallel slices is
refused with the reason; nothing is repaired silently.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hcc_recurrence.provenance import FileCache, content_hash

if TYPE_CHECKING:
    import SimpleITK as sitk

HEADER_FACTS_VERSION = "1"
# Positions are compared with the spacing between neighbours; scanners write them to 0.01 mm or better.
SPACING_TOLERANCE = 0.02
ORIENTATION_TOLERANCE = 1e-3
_TAGS = [
    "SOPClassUID",
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "StudyInstanceUID",
    "FrameOfReferenceUID",
    "Modality",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "RescaleSlope",
    "RescaleIntercept",
    "GantryDetectorTilt",
    "AcquisitionNumber",
]


class SeriesError(ValueError):
    """The series cannot be used. Carries (what is wrong, what to do)."""

    def __init__(self, what: str, remedy: str):
        super().__init__(f"{what}. What to do: {remedy}.")
        self.what = what
        self.remedy = remedy


def file_facts(file: Path) -> dict[str, Any]:
    """Content hash and the header values that decide geometry; no identifier of a person.

    `header` is None where the file is not DICOM.
    """
    import pydicom
    from pydicom.errors import InvalidDicomError

    facts: dict[str, Any] = {"hash": content_hash(file), "header": None}
    try:
        data = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=_TAGS)
    except (InvalidDicomError, EOFError, OSError):
        return facts
    header: dict[str, Any] = {}
    for tag in _TAGS:
        value = data.get(tag)
        if value is None or value == "":
            continue
        if tag in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
            header[tag] = [float(v) for v in value]
        elif tag in ("Rows", "Columns", "NumberOfFrames", "AcquisitionNumber"):
            header[tag] = int(value)
        elif tag in ("RescaleSlope", "RescaleIntercept", "GantryDetectorTilt"):
            header[tag] = float(value)
        else:
            header[tag] = str(value)
    facts["header"] = header
    return facts


def list_series(folder: Path, cache: FileCache) -> list[tuple[Path, dict[str, Any]]]:
    """Every file of a folder (a series may also be one file) with its facts, sorted by name.

    Raises: SeriesError where the folder does not exist or is empty.
    """
    if not folder.exists():
        raise SeriesError("does not exist", "correct the path in the series sheet")
    files = [folder] if folder.is_file() else sorted(f for f in folder.iterdir() if f.is_file())
    if not files:
        raise SeriesError("holds no file", "correct the path in the series sheet")
    return [(file, cache.get(file, file_facts)) for file in files]


def select_slices(
    files: Sequence[tuple[Path, dict[str, Any]]], series_uid: str = ""
) -> list[tuple[Path, dict[str, Any]]]:
    """The files of one series in the order of their position along the slice normal.

    Exact copies of a file count once.

    Args:
        files: from `list_series`.
        series_uid: which SeriesInstanceUID, needed only where the folder holds several.

    Raises: SeriesError, see `check_stack`.
    """
    images = [(f, x) for f, x in files if x["header"] and "Rows" in x["header"]]
    uids = sorted({x["header"].get("SeriesInstanceUID", "") for _, x in images})
    if series_uid:
        images = [(f, x) for f, x in images if x["header"].get("SeriesInstanceUID") == series_uid]
        if not images:
            raise SeriesError(
                f"holds no image of series {series_uid}",
                "correct series_uid in the series sheet; the folder holds " + (", ".join(uids) or "no DICOM image"),
            )
    elif len(uids) > 1:
        raise SeriesError(
            f"holds {len(uids)} series",
            "name one of them in the column series_uid: " + ", ".join(uids),
        )
    if not images:
        raise SeriesError("holds no DICOM image", "correct the path in the series sheet")
    unique: dict[str, tuple[Path, dict[str, Any]]] = {}
    for file, facts in images:
        unique.setdefault(facts["hash"], (file, facts))
    slices = list(unique.values())
    check_stack([facts["header"] for _, facts in slices])
    normal = _normal(slices[0][1]["header"])
    return sorted(slices, key=lambda s: float(normal @ s[1]["header"]["ImagePositionPatient"]))


def _normal(header: dict[str, Any]) -> np.ndarray:
    orientation = np.array(header["ImageOrientationPatient"])
    return np.cross(orientation[:3], orientation[3:])


def check_stack(headers: Sequence[dict[str, Any]]) -> None:
    """Raise SeriesError unless the slices form one evenly spaced stack of parallel slices."""
    export = "export the series again from the archive"
    if any(h.get("NumberOfFrames", 1) > 1 for h in headers):
        raise SeriesError(
            "is an enhanced multi-frame object, which is not supported yet",
            "export it as classic single-frame DICOM",
        )
    for tag in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
        lacking = sum(tag not in h for h in headers)
        if lacking:
            raise SeriesError(f"{lacking} of {len(headers)} slices lack {tag}", export)
    for tag in ("Rows", "Columns"):
        sizes = sorted({h.get(tag) for h in headers})
        if len(sizes) > 1:
            raise SeriesError(f"slices differ in {tag}: {sizes}", "remove localisers or name series_uid")
    modalities = {h.get("Modality") for h in headers}
    if len(modalities) > 1:
        raise SeriesError(f"mixes modalities {sorted(map(str, modalities))}", "name series_uid")
    if "CT" in modalities and any("RescaleSlope" not in h or "RescaleIntercept" not in h for h in headers):
        raise SeriesError("CT without RescaleSlope or RescaleIntercept: Hounsfield units are unknown", export)
    orientations = np.array([h["ImageOrientationPatient"] for h in headers])
    if np.abs(orientations - orientations[0]).max() > ORIENTATION_TOLERANCE:
        raise SeriesError("slices are not parallel", "remove localisers or name series_uid")
    spacings = np.array([h["PixelSpacing"] for h in headers])
    if np.abs(spacings - spacings[0]).max() > 1e-4:
        raise SeriesError("slices differ in PixelSpacing", "name series_uid")
    if len(headers) < 3:
        raise SeriesError(f"has only {len(headers)} slices", export)

    normal = _normal(headers[0])
    positions = np.array([h["ImagePositionPatient"] for h in headers])
    along = positions @ normal
    order = np.argsort(along, kind="stable")
    gaps = np.diff(along[order])
    step = float(np.median(gaps))
    if step <= 0 or (gaps < 0.1 * step).any():
        count = int((gaps < 0.1 * max(step, 1e-6)).sum())
        raise SeriesError(
            f"{count} positions carry more than one slice (several phases or copies in one series)",
            "keep one phase, or split the series by AcquisitionNumber",
        )
    wrong = np.flatnonzero(np.abs(gaps - step) > SPACING_TOLERANCE * step)
    if len(wrong):
        missing = ", ".join(
            f"{gaps[i]:.2f} mm between {along[order[i]]:.2f} and {along[order[i + 1]]:.2f} mm" for i in wrong[:3]
        )
        raise SeriesError(
            f"slices are not evenly spaced ({step:.2f} mm expected, found {missing}): a slice is probably missing",
            export,
        )
    drift = positions[order] - positions[order[0]]
    sideways = drift - np.outer(drift @ normal, normal)
    if np.abs(sideways).max() > 0.05 * step + 0.01:
        raise SeriesError("slices are sheared (gantry tilt)", "export the series reformatted to a straight stack")


def stack_geometry(slices: Sequence[tuple[Path, dict[str, Any]]]) -> dict[str, Any]:
    """Size, spacing, origin (x, y, z; mm) and direction (row major 3 x 3) of a checked stack."""
    first, last = slices[0][1]["header"], slices[-1][1]["header"]
    orientation = np.array(first["ImageOrientationPatient"])
    normal = _normal(first)
    length = normal @ (np.array(last["ImagePositionPatient"]) - np.array(first["ImagePositionPatient"]))
    row, column = first["PixelSpacing"]
    return {
        "size": [first["Columns"], first["Rows"], len(slices)],
        "spacing": [column, row, float(length) / (len(slices) - 1)],
        "origin": list(first["ImagePositionPatient"]),
        "direction": np.column_stack([orientation[:3], orientation[3:], normal]).ravel().tolist(),
    }


def read_series(folder: Path, series_uid: str = "") -> sitk.Image:
    """Read one series as an image: int16 Hounsfield units for CT, stored values for MR.

    Raises: SeriesError where the stack cannot be trusted or the voxels do not match the headers.
    """
    import SimpleITK as sitk

    slices = select_slices(list_series(folder, FileCache(None, HEADER_FACTS_VERSION)), series_uid)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(file) for file, _ in slices])
    try:
        image = reader.Execute()
    except RuntimeError as error:
        raise SeriesError(
            f"cannot be decoded ({str(error).strip().splitlines()[-1][:200]})",
            "export it again uncompressed",
        ) from error
    geometry = stack_geometry(slices)
    # The headers' own geometry: the library takes the slice spacing from two slices only.
    image.SetSpacing(geometry["spacing"])
    image.SetOrigin(geometry["origin"])
    image.SetDirection(geometry["direction"])
    if list(image.GetSize()) != geometry["size"]:
        raise SeriesError("voxels and headers differ in size", "export the series again")
    if image.GetPixelIDTypeAsString().startswith("64-bit float"):
        return sitk.Cast(image, sitk.sitkFloat32)
    values = sitk.MinimumMaximumImageFilter()
    values.Execute(image)
    fits = values.GetMinimum() >= -32768 and values.GetMaximum() <= 32767
    return sitk.Cast(image, sitk.sitkInt16 if fits else sitk.sitkInt32)
