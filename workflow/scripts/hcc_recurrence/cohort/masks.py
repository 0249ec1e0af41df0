"""Tumour masks as readers export them (NIfTI, NRRD, DICOM SEG, RTSTRUCT), placed on an image's grid.

Physical space decides. A mask that was drawn on another image is refused, not resampled.
"""

from __future__ import annotations

import contextlib
import fnmatch
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hcc_recurrence.cohort.header_geometry import geometry_doubt
from hcc_recurrence.cohort.image_files import image_information
from hcc_recurrence.problems import Refused, last_line
from hcc_recurrence.provenance import content_hash

# Segmentations, and those whose frames hold the segments' numbers.
SEG_STORAGE, LABEL_MAP_STORAGE = "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"
RTSTRUCT_STORAGE = "1.2.840.10008.5.1.4.1.1.481.3"
# Files without preamble begin with the first element of the file meta information, or with one of group 8.
BARE_BEGINNINGS = (b"\2\0\0\0", b"\2\0\1\0", b"\2\0\2\0", *(bytes((8, 0, n, 0)) for n in (0, 1, 5, 8, 0x12, 0x16)))
KINDS = {SEG_STORAGE: "seg", LABEL_MAP_STORAGE: "seg", RTSTRUCT_STORAGE: "rtstruct"}
# Programs write single precision, or positions rounded to 0.01 mm. Up to half a voxel it is clear which voxel of the
# image is meant; what is off by more than a tenth was drawn elsewhere, unless mask_tolerance_voxels says otherwise.
GRID_TOLERANCE_VOXELS = 0.1
# Below it is clear which voxel is meant.
BETWEEN_VOXELS = 0.45


class MaskError(Refused):
    """The mask cannot be used."""


def is_dicom(path: Path) -> bool:
    """True where the file carries the DICOM preamble, or begins with DICOM's first elements as old exports do."""
    with open(path, "rb") as stream:
        head = stream.read(132)
    return head[128:] == b"DICM" or head[:4] in BARE_BEGINNINGS


def mask_facts(path: Path) -> dict[str, Any]:
    """Content hash, kind, what the mask was drawn on, and its labels; no identifier of a person.

    Raises: nothing; `kind` is "unreadable" where the file is neither DICOM nor a readable image. `doubt` is what is
        unclear in the header of an image, and what to do.
    """
    facts: dict[str, Any] = {"hash": content_hash(path), "kind": "unreadable"}
    # What a broken file makes pydicom raise is not foreseeable: a tag that lacks, a length beyond the file.
    try:
        if is_dicom(path):
            facts.update(_dicom_facts(path))
        else:
            own = image_information(path).geometry
            doubt = geometry_doubt(path, own)
            facts.update(kind="image", geometry=own, **({"doubt": list(doubt)} if doubt else {}))
    except Exception as error:
        facts["reason"] = last_line(error).replace(str(path), path.name)[:160]
    return facts


def _dicom_facts(path: Path) -> dict[str, Any]:
    import pydicom

    data = pydicom.dcmread(path, stop_before_pixels=True, force=True)
    kind = KINDS.get(str(data.SOPClassUID))
    if kind is None:
        return {}
    facts: dict[str, Any] = {"kind": kind, "study": str(data.get("StudyInstanceUID", ""))}
    referenced = (data.get("ReferencedFrameOfReferenceSequence") or [data])[0]
    facts["frame"] = str(referenced.get("FrameOfReferenceUID", ""))
    if kind == "seg":
        series = [s.SeriesInstanceUID for s in data.get("ReferencedSeriesSequence", [])]
        # Label maps may name their background, which is segment 0.
        labels = [str(s.get("SegmentLabel", "")) for s in data.SegmentSequence if int(s.SegmentNumber) > 0]
        if not series:
            facts["images"] = sorted(_derived_from(data))
    else:
        series = [
            s.SeriesInstanceUID
            for frame in data.get("ReferencedFrameOfReferenceSequence", [])
            for study in frame.get("RTReferencedStudySequence", [])
            for s in study.get("RTReferencedSeriesSequence", [])
        ]
        labels = [str(r.get("ROIName", "")) for r in data.StructureSetROISequence]
    return {**facts, "series": sorted(map(str, series)), "labels": labels}


def source_images(path: Path) -> set[str]:
    """SOP instances of the images that a SEG or RTSTRUCT was drawn on, frame by frame; empty where nothing tells."""
    import pydicom

    with contextlib.suppress(Exception):
        data = pydicom.dcmread(path, stop_before_pixels=True, force=True)
        contours = [c for roi in data.get("ROIContourSequence", []) for c in roi.get("ContourSequence", [])]
        drawn = {str(i.ReferencedSOPInstanceUID) for c in contours for i in c.get("ContourImageSequence", [])}
        return drawn | _derived_from(data)
    return set()


def _derived_from(data: Any) -> set[str]:
    """SOP instances of the images that the frames of a SEG without referenced series were drawn on."""
    groups = [*data.get("SharedFunctionalGroupsSequence", []), *data.get("PerFrameFunctionalGroupsSequence", [])]
    return {
        str(source.ReferencedSOPInstanceUID)
        for group in groups
        for derivation in group.get("DerivationImageSequence", [])
        for source in derivation.get("SourceImageSequence", [])
    }


def matching_labels(labels: Sequence[str], wanted: str) -> list[str]:
    """Names of segments or ROIs that a cell of the masks sheet means: itself, or a pattern such as `Tumor_*`.

    The empty cell means the only one there is. Upper and lower case are alike in patterns.
    """
    if not wanted:
        return list(labels) if len(labels) == 1 else []
    if wanted in labels:
        return [wanted]
    return [label for label in labels if fnmatch.fnmatch(label.lower(), wanted.lower())]


def tolerance_on(image: dict[str, Any], tolerance: float) -> float:
    """By how much of a voxel a mask may be off an image whose slices lie `off_mm` off a straight line, as rounded ones
    do: programs take step and first place of the stack from one slice or another."""
    rounded = 2 * image.get("off_mm", 0.0) / image["spacing"][2]
    return max(tolerance, min(tolerance + rounded, BETWEEN_VOXELS))


def grid_mismatch(mask: dict[str, Any], image: dict[str, Any], tolerance: float = GRID_TOLERANCE_VOXELS) -> str:
    """Why the mask's voxels are not all voxels of the image, however its axes are ordered; empty where they are.

    Args:
        tolerance: by how much of a voxel any of them may be off.
    """
    step, own = (np.array(g["direction"]).reshape(3, 3) * np.array(g["spacing"]) for g in (image, mask))
    # The mask's steps and its first voxel in steps of the image: each step is one along one axis, there or back.
    turned = np.linalg.solve(step, own)
    first = np.linalg.solve(step, np.array(mask["origin"]) - np.array(image["origin"]))
    along, last = np.rint(turned), np.array(mask["size"]) - 1
    if not (np.abs(along).sum(axis=0) == 1).all() or not (np.abs(along).sum(axis=1) == 1).all():
        return "its voxels have another size or direction"
    # At the far end of the mask no voxel is off by more than the tolerance.
    off = np.abs(first - np.rint(first)) + np.abs((turned - along) * last).sum(axis=1)
    if off.max() > tolerance:
        distance = float(np.linalg.norm(off * image["spacing"]))
        return f"its voxels are off by up to {off.max():.3g} of a voxel, {distance:.3g} mm, more than {tolerance:g}"
    corners = np.rint([first, first + along @ last])
    if corners.min() < 0 or (corners.max(axis=0) >= np.array(image["size"])).any():
        return "it reaches beyond the image, which may have lost slices at an end"
    return ""


def check_grid(mask: dict[str, Any], image: dict[str, Any], tolerance: float = GRID_TOLERANCE_VOXELS) -> None:
    """Raise MaskError, with both grids, unless the mask's voxels are voxels of the image; see `grid_mismatch`."""
    why = grid_mismatch(mask, image, tolerance)
    if why:
        raise MaskError(
            f"lies on another grid than the image, so it was drawn on another image (another patient or phase; {why}): "
            f"mask {describe_grid(mask)}; image {describe_grid(image)}",
            "correct the path in the masks sheet, or save the mask on the image's own grid; where your programs round "
            "positions, set mask_tolerance_voxels of the cohort",
        )


def describe_grid(geometry: dict[str, Any]) -> str:
    """A grid in one line for a message, with the digits in which two grids may differ."""
    size = " x ".join(str(n) for n in geometry["size"])
    spacing = " x ".join(f"{s:.7g}" for s in geometry["spacing"])
    origin = ", ".join(f"{round(o, 4) + 0.0:.8g}" for o in geometry["origin"])
    plain = np.allclose(geometry["direction"], np.eye(len(geometry["size"])).ravel(), atol=1e-6)
    axes = "" if plain else f", axes ({', '.join(f'{d + 0.0:.4g}' for d in geometry['direction'])})"
    return f"{size} voxels of {spacing} mm at ({origin}){axes}"


def check_certain(facts: dict[str, Any]) -> None:
    """Raise MaskError where the header of a mask does not say without doubt where it lies."""
    if facts.get("doubt"):
        raise MaskError(*facts["doubt"])


def check_mask(
    facts: dict[str, Any], image: dict[str, Any], label: str, tolerance: float = GRID_TOLERANCE_VOXELS
) -> None:
    """Raise MaskError unless the mask belongs to the image and holds the wanted label.

    Args:
        facts: from `mask_facts`.
        image: geometry of the image with `series_uid` and `study_uid` ("" where unknown).
        label: segment label or ROI name; for images a number or "" (checked when voxels are read).
        tolerance: the cohort's mask_tolerance_voxels, of grids that are one.
    """
    if facts["kind"] == "unreadable":
        reason = f" that can be read ({facts['reason']})" if facts.get("reason") else ""
        raise MaskError(
            f"is neither NIfTI, NRRD, DICOM SEG nor RTSTRUCT{reason}",
            "correct the path in the masks sheet, or copy or save the file again",
        )
    if facts["kind"] == "image":
        check_certain(facts)
        size = facts["geometry"]["size"]
        if len(size) != 3:
            raise MaskError(
                f"has {len(size)} dimensions ({' x '.join(map(str, size))}); a mask has three", "save one volume a file"
            )
        check_grid(facts["geometry"], image, tolerance_on(image, tolerance))
        return
    if image["study_uid"] and facts["study"] and facts["study"] != image["study_uid"]:
        raise MaskError(
            "was drawn on another study than the image (another patient, or another examination)",
            "correct the path in the masks sheet",
        )
    drawn, there = set(facts.get("images", [])), set(image.get("instances", []))
    if drawn and there and not drawn & there:
        raise MaskError("was drawn on images of another series (another phase)", "correct the phase in the masks sheet")
    frames = {facts["frame"], image.get("frame", "")} - {""}
    if not facts["series"] and not drawn and len(frames) > 1:
        raise MaskError(
            "lies in another frame of reference than the image, and names no image it was drawn on",
            "correct the path in the masks sheet, or export the mask with its references",
        )
    if image["series_uid"] and facts["series"] and image["series_uid"] not in facts["series"]:
        raise MaskError(
            "was drawn on another series of the same study (another phase)",
            "correct the phase in the masks sheet",
        )
    if not matching_labels(facts["labels"], label):
        what = f"has no segment or ROI called {label!r}; it has" if label else "has several segments or ROIs:"
        raise MaskError(
            f"{what} {facts['labels']}",
            "write one, or a pattern such as Tumor_*, in the column label of the masks sheet",
        )
