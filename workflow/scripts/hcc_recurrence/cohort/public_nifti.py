"""Sheets of WAW-TACE: NIfTI of four phases, one file a lesion, and a clinical table.

WAW-TACE (doi 10.5281/zenodo.12741586): 233 patients with HCC before TACE; survival. Scans are called
`<patient>_<phase>_scan.nii.gz`, lesions `<patient>_<phase>_<lesion>_tumor_seg.nrrd`; a lesion is mostly drawn on one
phase.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from hcc_recurrence.cohort.drafting import relative
from hcc_recurrence.cohort.numbers import exact_number

DAYS_A_MONTH = 365.25 / 12
PHASES = {"0": "precontrast", "1": "arterial", "2": "portal", "3": "delayed"}
_SCAN = re.compile(r"(\d+)_([0-3])_scan\.nii(?:\.gz)?")
_LESION = re.compile(r"(\d+)_([0-3])_(\d+)_tumor_seg\.nrrd")


@dataclass(frozen=True)
class NiftiCollection:
    """Where a collection of NIfTI keeps its outcome.

    patient, time, event: columns of the clinical table; the time is in days. prefix: of our names of patients. centre,
    reader: of all of them.
    """

    patient: str
    time: str
    event: str
    prefix: str
    centre: str
    reader: str


NIFTI_COLLECTIONS: Mapping[str, NiftiCollection] = {
    "waw_tace": NiftiCollection("PATPRI", "survival_time", "death", "WAW_", "Warsaw", "Warsaw"),
}


def build_nifti_sheets(
    files: list[Path], root: Path, clinical: pd.DataFrame, collection: NiftiCollection
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """The three sheets, and who is left out of them.

    Of several lesions the largest is taken, on the phase that it was drawn on; other phases have no mask of their own.

    Args:
        files: all files of the folder. clinical: text.

    Returns: patients (all columns of the table, and patient_id, centre, rfs_months and rfs_event, whose event is that
    of the collection), series, masks; patient_id and reason of those left out.

    Raises: ValueError where the table lacks a column.
    """
    wanted = (collection.patient, collection.time, collection.event)
    if lacking := [c for c in wanted if c not in clinical]:
        raise ValueError(f"the clinical table has no column {', '.join(lacking)}; it has {', '.join(clinical.columns)}")
    scans: dict[str, dict[str, Path]] = {}
    lesions: dict[str, list[tuple[str, Path]]] = {}
    for file in sorted(files):
        if found := _SCAN.fullmatch(file.name):
            scans.setdefault(found[1], {})[PHASES[found[2]]] = file
        elif found := _LESION.fullmatch(file.name):
            lesions.setdefault(found[1], []).append((PHASES[found[2]], file))
    rows = {str(row[collection.patient]).strip(): row for row in clinical.to_dict("records")}
    patients, series, masks, left_out = [], [], [], {}
    for number in sorted({*scans, *rows}, key=lambda text: (len(text), text)):
        name = f"{collection.prefix}{number}"
        try:
            row = _outcome(rows, number, collection)
            phase, lesion = _largest(lesions.get(number, []), scans.get(number, {}))
        except ValueError as error:
            left_out[name] = str(error)
            continue
        patients.append({"patient_id": name, "centre": collection.centre, **rows[number], **row})
        series += [{"patient_id": name, "phase": p, "path": relative(file, root)} for p, file in scans[number].items()]
        masks.append({"patient_id": name, "phase": phase, "reader": collection.reader, "path": relative(lesion, root)})
    sheets = {
        "patients": pd.DataFrame(patients),
        "series": pd.DataFrame(series, columns=["patient_id", "phase", "path"]),
        "masks": pd.DataFrame(masks, columns=["patient_id", "phase", "reader", "path"]),
    }
    return sheets, pd.DataFrame(left_out.items(), columns=["patient_id", "reason"])


def _outcome(rows: Mapping[str, Mapping[str, str]], number: str, collection: NiftiCollection) -> dict[str, str]:
    """Months and event of a patient.

    Raises: ValueError with the reason where there are none.
    """
    if number not in rows:
        raise ValueError("has no row in the clinical table")
    cells = {column: rows[number][column] for column in (collection.time, collection.event)}
    time, event = (exact_number(cell) for cell in cells.values())
    if time is None or time < 0 or event not in (0, 1):
        raise ValueError(f"no outcome: {', '.join(f'{column} {cell!r}' for column, cell in cells.items())}")
    return {"rfs_months": f"{time / DAYS_A_MONTH:.3f}", "rfs_event": str(int(event))}


def _largest(lesions: list[tuple[str, Path]], scans: Mapping[str, Path]) -> tuple[str, Path]:
    """Phase and file of the largest lesion, in ml, of those that were drawn on a scan that is there.

    Raises: ValueError where there is none.
    """
    import SimpleITK as sitk

    if not scans:
        raise ValueError("has no images in the folder")
    volumes = []
    for phase, file in lesions:
        if phase in scans:
            mask = sitk.ReadImage(str(file))
            x, y, z = mask.GetSpacing()
            volumes.append((float((sitk.GetArrayViewFromImage(mask) > 0).sum()) * x * y * z / 1000, phase, file))
    if not volumes or not max(volumes)[0]:
        raise ValueError("has no lesion that was drawn on a scan of the folder")
    _, phase, file = max(volumes, key=lambda one: one[0])
    return phase, file
