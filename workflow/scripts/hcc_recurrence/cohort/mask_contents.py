"""How much of each label a mask holds, before any image is read: what is empty or too small is refused at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from hcc_recurrence.cohort.mask_labels import wanted_values
from hcc_recurrence.cohort.masks import GRID_TOLERANCE_VOXELS, REDRAW, MaskError, matching_labels
from hcc_recurrence.cohort.outline_planes import check_outlines
from hcc_recurrence.cohort.seg_contents import check_planes

if TYPE_CHECKING:
    pass

# A tumour that fills more of its image than this fraction is what lies around it.
MOST_OF_IMAGE = 0.5
# Whole organs: the one segment of a mask that is called so is taken for the tumour only when someone says so.
ORGANS = re.compile(
    r"[\s_-]*(whole[\s_-]*)?(liver|hepar|leber|foie|fegato|h[ií]gado|spleen|kidneys?|body|patient|torso|external|skin|aorta|"
    r"portal[\s_-]*veins?|肝|肝脏|脾|脾脏)([\s_-]*(seg(mentation)?|mask|roi|contour|\d+))?[\s_-]*",
    re.IGNORECASE,
)


def chosen_shapes(contents: Mapping[str, Any], label: str) -> list[dict[str, Any]]:
    """Shapes of the parts of a mask that a cell of the masks sheet means, where they are known."""
    by_name = contents.get("voxels") or contents.get("area_mm2") or {}
    names = matching_labels(list(by_name), label)
    if "rois" in contents:
        drawn = [np.array(roi["outlines"]) for roi in contents["rois"] if roi["name"] in names and roi["outlines"]]
        return [_roi_shape(rows) for rows in drawn]
    if not names and "values" in contents:
        names = [repr(v) for v in wanted_values([v for v, _ in contents["values"]], label, list(by_name))]
    return [contents["shapes"][name] for name in names if name in contents["shapes"]]


def _roi_shape(rows: np.ndarray) -> dict[str, Any]:
    low, high = rows[:, [0, 2, 4]].min(axis=0), rows[:, [0, 3, 5]].max(axis=0)
    run = max((rows[:, 3] - rows[:, 2]).max(), (rows[:, 5] - rows[:, 4]).max())
    return {"box": np.column_stack([low, high]).ravel().tolist(), "run": float(run), "every": 1}


def check_contents(
    contents: Mapping[str, Any],
    label: str,
    image: Mapping[str, Any],
    smallest_ml: float,
    tolerance: float = GRID_TOLERANCE_VOXELS,
) -> None:
    """Raise MaskError where a mask cannot be read, is empty, has slices left out, or holds too little or too much.

    What is kept of it in the end (the largest lesion, what lies inside the image) may be less: the job that converts it
    checks that again.

    Args:
        contents: of `mask_contents`. image: geometry of the image it lies on. smallest_ml: less is refused.
        tolerance: the cohort's mask_tolerance_voxels.
    """
    if "unreadable" in contents:
        raise MaskError(f"cannot be read ({contents['unreadable']})", REDRAW)
    spacing = image["spacing"]
    by_name = contents.get("voxels") or contents.get("area_mm2") or {}
    names = matching_labels(list(by_name), label)
    if not names and "values" not in contents:
        raise MaskError(f"has no segment called {label!r}; it has {list(by_name)}", "correct the label")
    if names and not label and ORGANS.fullmatch(names[0]):
        raise MaskError(
            f"has one segment or ROI, and it is called {names[0]!r}",
            "write its name in the column label if it is the tumour",
        )
    if names:
        chosen = sum(by_name[name] for name in names)
        kept = chosen * (np.prod(spacing) if "voxels" in contents else spacing[2])
    else:
        counts = dict(contents["values"])
        kept = sum(counts[v] for v in wanted_values(list(counts), label, list(by_name))) * np.prod(spacing)
    if kept == 0 and not any(roi["kinds"] for roi in contents.get("rois", []) if roi["name"] in names):
        raise MaskError(
            f"is empty{f' under the label {label!r}' if label else ''}", "check that the right file was saved"
        )
    for roi in contents.get("rois", []):
        # One of several ROIs may be empty.
        if roi["name"] in names and (roi["kinds"] or len(names) == 1):
            check_outlines(roi, image)
    if contents.get("planes"):
        check_planes(contents["planes"], image, tolerance)
    for shape in chosen_shapes(contents, label):
        check_slices(shape, image)
    check_volume(float(kept) / 1000, smallest_ml)
    check_fraction(float(kept) / float(np.prod(spacing)) / float(np.prod(image["size"])))


def check_slices(shape: Mapping[str, Any], image: Mapping[str, Any]) -> None:
    """Raise MaskError where a part of a mask has voxels on every second or third slice only, or lacks a single one."""
    every = max(shape["every"], round(shape.get("step", 0.0) / image["spacing"][2]))
    if every > 1:
        raise MaskError(
            f"is drawn on every {every} slices only, with empty slices between",
            "interpolate the slices between in the program that drew it, and save it again",
        )
    if gaps := shape.get("gaps"):
        shown = ", ".join(str(place + 1) for place in gaps[:8]) + (", ..." if len(gaps) > 8 else "")
        raise MaskError(
            f"has an empty slice between two that hold the same lesion ({shown}, counted from its first slice)",
            "draw or interpolate it in the program that drew the others, and save it again; two separate lesions one "
            "above the other are a label each, joined in the column label (1+2, or a pattern of names)",
        )


def check_fraction(fraction: float) -> None:
    """Raise MaskError where a mask fills most of its image, as one does whose 0 and 1 were exchanged."""
    if fraction > MOST_OF_IMAGE:
        raise MaskError(
            f"fills most of the image ({100 * fraction:.0f} %): it holds what lies around the tumour",
            "exchange inside and outside, or correct the label",
        )


def check_volume(volume_ml: float, smallest_ml: float) -> None:
    """Raise MaskError where a mask holds less than the cohort's smallest volume."""
    if volume_ml < smallest_ml:
        raise MaskError(
            f"holds {volume_ml:.3f} ml, less than smallest_mask_ml: {smallest_ml:g}",
            "check the mask, or lower smallest_mask_ml of the cohort",
        )
