"""Tumour masks as readers export them: whether one belongs to an image, whatever its format (`mask_formats`).

Physical space decides. A mask that was drawn on another image is refused, not resampled.
"""

from __future__ import annotations

import fnmatch
import unicodedata
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from hcc_recurrence.problems import Refused

# Programs write single precision, or positions rounded to 0.01 mm. Up to half a voxel it is clear which voxel of the
# image is meant; what is off by more than a tenth was drawn elsewhere, unless mask_tolerance_voxels says otherwise.
GRID_TOLERANCE_VOXELS = 0.1
# Below it is clear which voxel is meant.
BETWEEN_VOXELS = 0.45


# What to do with a mask that cannot be read.
REDRAW = "save or export the mask again"


class MaskError(Refused):
    """The mask cannot be used."""


def _plain(name: str) -> str:
    """A name as it looks on a screen: its spaces single, its letters composed."""
    return unicodedata.normalize("NFC", " ".join(name.split()))


def matching_labels(labels: Sequence[str], wanted: str) -> list[str]:
    """Names of segments or ROIs that a cell of the masks sheet means: itself, or a pattern such as `Tumor_*`.

    The empty cell means the only one there is. Upper and lower case are alike in patterns. Spaces around a name, and
    the two ways in which Unicode writes an umlaut (Mac and Windows write it differently), are no difference.
    """
    if not wanted:
        return list(labels) if len(labels) == 1 else []
    if wanted in labels:
        return [wanted]
    plain = _plain(wanted)
    if alike := [label for label in labels if _plain(label) == plain]:
        return list(dict.fromkeys(alike))
    return [label for label in labels if fnmatch.fnmatch(_plain(label).lower(), plain.lower())]


def taken_together(labels: Sequence[str], wanted: str) -> str:
    """Says that segments or ROIs of one name are joined: lesions, or one lesion drawn twice; empty where none are."""
    names = matching_labels(labels, wanted)
    several = [f"{labels.count(name)} segments or ROIs called {name!r}" for name in names if labels.count(name) > 1]
    return f"holds {' and '.join(several)}, which are taken together" if several else ""


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
        facts: from `mask_formats.mask_facts`.
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
    if "geometry" in facts:
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
    names = matching_labels(facts["labels"], label)
    if not names:
        what = f"has no segment or ROI called {label!r}; it has" if label else "has several segments or ROIs:"
        raise MaskError(
            f"{what} {facts['labels']}",
            "write one, or a pattern such as Tumor_*, in the column label of the masks sheet",
        )
    for name in names:
        _check_drawn(name, facts.get("drawn", {}).get(name, {}), image)


def check_part(drawn: Collection[str], image: dict[str, Any]) -> None:
    """Raise MaskError where a mask was drawn on another part of the image's series: it may hold two phases.

    Args:
        drawn: SOP instances that the mask names. image: geometry with `instances`, and `others` of the series.
    """
    if set(drawn) & set(image["others"]) and not set(drawn) & set(image["instances"]):
        raise MaskError(
            "was drawn on another part of the same series (another phase)",
            "correct the phase in the masks sheet, or the part in the series sheet",
        )


def _check_drawn(name: str, drawn: dict[str, list[str]], image: dict[str, Any]) -> None:
    """Raise MaskError where one ROI of a file that names several series was drawn on another one of them."""
    series, images, own = drawn.get("series"), set(drawn.get("images", [])), set(image.get("instances", []))
    other_frame = series and image["series_uid"] and image["series_uid"] not in series
    if other_frame or (images and own and not images & own):
        where = "lies in the frame of reference of another series" if other_frame else "was drawn on another series"
        raise MaskError(
            f"holds outlines of several series, and its ROI {name!r} {where} than the image's",
            "name the ROI of this image in the column label, or correct the phase in the masks sheet",
        )
