"""What SEG and RTSTRUCT say in common of the images that they were drawn on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def drawn_on(data: Any, series: Iterable[Any]) -> dict[str, Any]:
    """Study, frame of reference and series of the images, "" and [] where nothing tells."""
    referenced = (data.get("ReferencedFrameOfReferenceSequence") or [data])[0]
    return {
        "study": str(data.get("StudyInstanceUID", "")),
        "frame": str(referenced.get("FrameOfReferenceUID", "")),
        "series": sorted(map(str, series)),
    }
