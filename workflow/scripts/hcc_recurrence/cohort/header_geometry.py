"""Whether the header of a NIfTI, NRRD or MetaImage says without doubt where its voxels lie.

SimpleITK reads a NIfTI whose two transforms contradict each other by one of them, and a file without any as if it lay
at the origin, and does not say so. The headers are therefore read here a second time.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hcc_recurrence.cohort.nifti_files import read_nifti_header

# The two transforms of a NIfTI are one where no corner differs by more than this fraction of a voxel.
AGREEMENT_VOXELS = 0.1
# Voxels of a CT or MR of the abdomen, mm: beyond these the unit of the header is wrong.
SMALLEST_VOXEL_MM, LARGEST_VOXEL_MM = 0.05, 50.0
# Names of spaces that say where left is, and their abbreviations.
NRRD_SPACES = (*("left-posterior-superior", "lps", "right-anterior-superior", "ras", "left-anterior-superior", "las"),)
SAVE_AGAIN = "save it again from the program that knows where it lies"
# NIfTI holds x to the right and y to the front; LPS to the left and to the back.
TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


class Doubt(NamedTuple):
    """Why a header does not say where the voxels lie, and what to do."""

    what: str
    remedy: str


def geometry_doubt(path: Path, geometry: dict[str, Any]) -> Doubt | None:
    """What makes the place of an image's voxels doubtful; None where its header is clear.

    Args:
        geometry: as SimpleITK reads it (`image_information`).

    Raises: OSError, EOFError, struct.error where the header is cut off.
    """
    largest, smallest = max(geometry["spacing"][:3]), min(geometry["spacing"][:3])
    if not (smallest >= SMALLEST_VOXEL_MM and largest <= LARGEST_VOXEL_MM):
        shown = " x ".join(f"{s:.6g}" for s in geometry["spacing"][:3])
        return Doubt(f"has a wrong unit or voxel size in its header ({shown} mm)", SAVE_AGAIN)
    if len(geometry["size"]) < 3:
        return None
    name = path.name.lower()
    if name.endswith((".nii", ".nii.gz", ".hdr", ".img", ".img.gz", ".hdr.gz")):
        return _nifti_doubt(path, geometry, AGREEMENT_VOXELS * smallest)
    if name.endswith((".nrrd", ".nhdr")):
        return _nrrd_doubt(_text_header(path))
    if name.endswith((".mha", ".mhd")):
        return _metaimage_doubt(_text_header(path))
    return None


def _nifti_doubt(path: Path, geometry: dict[str, Any], tolerance_mm: float) -> Doubt | None:
    header = read_nifti_header(path)
    if header is None or header.is_analyze:
        return Doubt("is an Analyze file, which does not say where left is", "save it again as NIfTI")
    if not (header.pixdim[1:4] > 0).all():
        shown = " x ".join(f"{s:g}" for s in header.pixdim[1:4])
        return Doubt(f"has a voxel size in its header that is not positive (pixdim {shown})", SAVE_AGAIN)
    if header.qform is None and header.sform is None:
        return Doubt(
            "does not say where it lies: neither qform_code nor sform_code is set in its header",
            "save it again as NIfTI with the geometry of the image",
        )
    read = np.eye(4)
    read[:3, :3] = np.array(geometry["direction"]).reshape(len(geometry["size"]), -1)[:3, :3] * geometry["spacing"][:3]
    read[:3, 3] = geometry["origin"][:3]
    scale = {1: 1000.0, 3: 0.001}.get(header.units, 1.0)
    both = {"qform": header.qform, "sform": header.sform}
    placed = {name: TO_LPS @ np.diag([scale] * 3 + [1]) @ form for name, form in both.items() if form is not None}
    if len(placed) == 2:
        off = corner_distance(placed["qform"], placed["sform"], geometry["size"])
        if off > tolerance_mm:
            return Doubt(
                f"has two places in its header (they differ by up to {off:.3g} mm, LPS: "
                f"qform {_show(placed['qform'])}; sform {_show(placed['sform'])})",
                "find out which is right, set the other alike, and save it again",
            )
    for name, form in placed.items():
        off = corner_distance(form, read, geometry["size"])
        if off > tolerance_mm:
            return Doubt(
                f"has a {name} that is no spacing and direction (sheared, or another voxel size than pixdim)",
                SAVE_AGAIN,
            )
    return None


def corner_distance(first: np.ndarray, second: np.ndarray, size: list[int]) -> float:
    """Largest distance in mm between the corner voxels of a grid under two affines, 4 x 4."""
    corners = np.array(np.meshgrid(*[[0, n - 1] for n in size[:3]], [1], indexing="ij")).reshape(4, -1)
    return float(np.linalg.norm(((first - second) @ corners)[:3], axis=0).max())


def _show(affine: np.ndarray) -> str:
    steps = " and ".join(" ".join(f"{v + 0.0:.4g}" for v in column) for column in affine[:3, :3].T)
    return f"starts at {', '.join(f'{v:.6g}' for v in affine[:3, 3])} with the steps {steps}"


def _text_header(path: Path) -> dict[str, str]:
    """The fields before the voxels of an NRRD or MetaImage file, names in lower case."""
    fields: dict[str, str] = {}
    with open(path, "rb") as stream:
        for line in stream:
            text = line.decode("latin-1").strip()
            if not text:
                break
            match = re.match(r"([A-Za-z ]+?)\s*(?::(?!=)|=)\s*(.*)", text)
            if match:
                fields[match[1].lower()] = match[2]
            if fields.get("elementdatafile"):
                break
    return fields


def _nrrd_doubt(fields: dict[str, str]) -> Doubt | None:
    space = fields.get("space", "").lower()
    if space not in NRRD_SPACES or "space directions" not in fields:
        why = f"its space is {space!r}" if space and space not in NRRD_SPACES else "it names no space and directions"
        return Doubt(f"does not say where left is: {why}", "save it again with the space left-posterior-superior")
    units = set(re.findall(r'"([^"]*)"', fields.get("space units", ""))) - {"mm", ""}
    if units:
        return Doubt(f"is in {', '.join(sorted(units))} instead of mm", SAVE_AGAIN)
    return None


def _metaimage_doubt(fields: dict[str, str]) -> Doubt | None:
    if not {"elementspacing", "elementsize"} & set(fields):
        return Doubt("does not say how large its voxels are (no ElementSpacing in its header)", SAVE_AGAIN)
    return None
