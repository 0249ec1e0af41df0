"""Names of the planes through a tumour that networks of images take; read by the check of the config as well."""

from __future__ import annotations

import re
from collections.abc import Sequence

# The axis of (z, y, x) that a plane stands across.
PLANES = {"axial": 0, "coronal": 1, "sagittal": 2}
# What of a box of voxels is kept, besides all of it (false) and the tumour alone (true).
BOUNDING_BOX = "bounding_box"
_VIEW = re.compile(f"(?P<plane>{'|'.join(PLANES)})(?P<offset>[+-][1-9][0-9]*)?")


def parse_view(view: int | str) -> tuple[str, int]:
    """Plane and offset of a view: `coronal+4` is the coronal slice 4 behind the largest coronal section.

    A number is an axial slice. Offsets count slices along the axes of LPS: axial upwards, coronal backwards, sagittal
    to the patient's left.

    Raises: ValueError where no view is called so.
    """
    if isinstance(view, int) and not isinstance(view, bool):
        return "axial", view
    found = _VIEW.fullmatch(str(view))
    if not found:
        raise ValueError(
            f"{view!r} is no view; a whole number (an axial slice), {', '.join(PLANES)}, or one of these with an "
            "offset such as coronal+4"
        )
    return found["plane"], int(found["offset"] or 0)


def repeated_views(views: Sequence[int | str]) -> list[int | str]:
    """Those that are the same plane as an earlier one."""
    places = [parse_view(view) for view in views]
    return [view for i, view in enumerate(views) if places[i] in places[:i]]
