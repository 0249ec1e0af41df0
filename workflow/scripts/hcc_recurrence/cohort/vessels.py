"""The brightness of aorta and portal vein in the CT series of a study, where a segmentation of one of them names both.

What else tells the phase may be missing or wrong; contrast in the vessels cannot be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from hcc_recurrence.cohort.dicom_series import SeriesError
from hcc_recurrence.cohort.discovery import FoundSeries
from hcc_recurrence.cohort.mask_files import read_mask
from hcc_recurrence.cohort.masks import MaskError
from hcc_recurrence.cohort.series_voxels import read_series

AORTA, PORTAL_VEIN = (re.compile(words, re.IGNORECASE) for words in (r"aorta|主动脉", r"portal|门静?脉"))


def vessel_labels(labels: Sequence[str]) -> tuple[str, str] | None:
    """The segments of aorta and portal vein; None unless there is one of each."""
    found = [[label for label in labels if words.search(label)] for words in (AORTA, PORTAL_VEIN)]
    return (found[0][0], found[1][0]) if all(len(own) == 1 for own in found) else None


def vessel_values(
    found: Sequence[FoundSeries], show: Callable[[int, int], None]
) -> dict[tuple[str, str], tuple[float, float]]:
    """(series, part) -> median of aorta and of portal vein, HU, for every CT of a study whose SEG names both vessels.

    The segments are taken to the other series of the study by physical space: breathing moves the vessels by less than
    they are thick.
    """
    todo = []
    for mask in found:
        labels = vessel_labels(mask.mask.get("labels", [])) if mask.is_mask else None
        if labels:
            own = [s for s in found if s.study == mask.study and s.modality == "CT" and s.is_usable]
            todo += [(series, mask.files[0], labels) for series in own]
    values: dict[tuple[str, str], tuple[float, float]] = {}
    for number, (series, file, labels) in enumerate(todo, 1):
        measured = _measure(series, file, labels)
        if measured:
            values.setdefault((series.series, series.part), measured)
        show(number, len(todo))
    return values


def _measure(series: FoundSeries, mask: Path, labels: tuple[str, str]) -> tuple[float, float] | None:
    import SimpleITK as sitk

    names = [file.name for file in series.files]
    # The frames of one file are taken apart again; files of one stack are enough by themselves.
    part = series.part if series.slices[0].frame >= 0 else ""
    try:
        image = read_series(series.files[0].parent, series.series, part, only=names)
        vessels = [sitk.GetArrayFromImage(read_mask(mask, label, image).image) > 0 for label in labels]
    except (MaskError, SeriesError):
        # They lie outside this series, or it cannot be decoded, which the check of the sheets says.
        return None
    voxels = sitk.GetArrayViewFromImage(image)
    return float(np.median(voxels[vessels[0]])), float(np.median(voxels[vessels[1]]))
