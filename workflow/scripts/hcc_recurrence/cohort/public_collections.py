"""Sheets of two public collections, from their DICOM headers and their clinical tables.

Neither is a cohort of resected HCC; none is open. Colorectal-Liver-Metastases (doi 10.7937/QXK2-QG03): recurrence after
resection of metastases, one phase. HCC-TACE-Seg (doi 10.7937/TCIA.5FNA-0924): progression after TACE, several phases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from hcc_recurrence.cohort.discovery import FoundSeries, referenced_series
from hcc_recurrence.cohort.drafting import relative
from hcc_recurrence.cohort.masks import matching_labels
from hcc_recurrence.cohort.numbers import exact_number
from hcc_recurrence.cohort.tables import read_sheet

MONTHS_A_WEEK = 7 / (365.25 / 12)


@dataclass(frozen=True)
class Collection:
    """What a collection's sheets are made of.

    sheet: of the clinical workbook. patient: pattern of a patient's number. time, event: columns of the outcome;
    months: in one unit of time. is_original: whether a SEG is one of the collection, and not made by a network later.
    phase: of the one series that is taken; empty: every series of the study whose phase is clear. label: the tumour's
    segments.
    """

    sheet: str
    patient: str
    time: str
    event: str
    months: float
    is_original: Callable[[FoundSeries], bool]
    phase: str
    label: str
    centre: str
    reader: str


def _is_segmentation(mask: FoundSeries) -> bool:
    return mask.header.get("SeriesDescription", "").strip().lower() == "segmentation"


def _names_vessels(mask: FoundSeries) -> bool:
    labels = " ".join(mask.mask.get("labels", [])).lower()
    return "aorta" in labels and "portal" in labels


COLLECTIONS: Mapping[str, Collection] = {
    # Its SEG are called Segmentation; those of networks are not. Several tumours, which may overlap: their union.
    "colorectal_liver_metastases": Collection(
        sheet="TCIA_n=197",
        patient=r"CRLM-CT-\d+",
        time="months_to_DFS_progression",
        event="progression_or_recurrence",
        months=1.0,
        is_original=_is_segmentation,
        phase="portal",
        label="Tumor_*",
        centre="MSKCC",
        reader="MSKCC",
    ),
    # Its SEG name aorta and portal vein; those of networks do not. The tumour is its living part and its necrosis.
    "hcc_tace_seg": Collection(
        sheet="data table",
        patient=r"HCC_\d+",
        time="TTP",
        event="Censored_0_progressed_1",
        months=MONTHS_A_WEEK,
        is_original=_names_vessels,
        phase="",
        label="[MN]*",
        centre="MDACC",
        reader="MDACC",
    ),
}


def build_sheets(
    found: Sequence[FoundSeries], root: Path, clinical: pd.DataFrame, collection: Collection
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """The three sheets of a collection, and who is left out of them.

    Args:
        found: of `group_series`, with phases guessed. clinical: text, as in the workbook.

    Returns: patients (all columns of the workbook, and patient_id, centre, rfs_months, rfs_event), series, masks;
    patient_id and reason of those left out.

    Raises: ValueError where the workbook lacks a column, or no column holds the patients' numbers.
    """
    outcomes, left_out = read_outcomes(clinical, collection)
    series_rows, mask_rows = [], []
    for patient in sorted({s.patient for s in found}):
        own = [s for s in found if s.patient == patient]
        try:
            if patient not in outcomes.index:
                raise ValueError(left_out.pop(patient, "has no row in the clinical table"))
            series, mask = _images_of(own, collection)
        except ValueError as error:
            left_out[patient] = str(error)
            continue
        for phase, one in series.items():
            folder = relative(one.files[0].parent, root)
            row = {"path": folder, "series_uid": one.series, "part": one.part}
            series_rows.append({"patient_id": patient, "phase": phase, **row})
        image, file = mask
        row = {"reader": collection.reader, "path": relative(file, root), "label": collection.label}
        mask_rows.append({"patient_id": patient, "phase": collection.phase or image.guess.phase, **row})
    for patient in set(outcomes.index) - {s.patient for s in found}:
        left_out[patient] = "has no images in the folder"
    used = [row["patient_id"] for row in mask_rows]
    sheets = {
        "patients": outcomes.loc[used].rename_axis("patient_id").reset_index(),
        "series": pd.DataFrame(series_rows, columns=["patient_id", "phase", "path", "series_uid", "part"]),
        "masks": pd.DataFrame(mask_rows, columns=["patient_id", "phase", "reader", "path", "label"]),
    }
    return sheets, pd.DataFrame(sorted(left_out.items()), columns=["patient_id", "reason"])


def read_outcomes(clinical: pd.DataFrame, collection: Collection) -> tuple[pd.DataFrame, dict[str, str]]:
    """The clinical table by patient with centre, rfs_months and rfs_event; and patients without an outcome, with why.

    The column of the patients' numbers is known by what it holds: its name differs between versions of the workbook.

    Raises: ValueError where a column of the outcome, or that of the numbers, is not there.
    """
    lacking = [c for c in (collection.time, collection.event) if c not in clinical]
    numbered = [c for c in clinical if clinical[c].str.fullmatch(collection.patient).any()]
    if lacking or not numbered:
        lacking += [] if numbered else [f"one with numbers like {collection.patient}"]
        raise ValueError(f"the clinical table has no column {', '.join(lacking)}; it has {', '.join(clinical.columns)}")
    table = clinical[clinical[numbered[0]].str.fullmatch(collection.patient)].set_index(numbered[0])
    months, events, left_out = {}, {}, {}
    for patient, row in table.iterrows():
        time, event = exact_number(row[collection.time]), exact_number(row[collection.event])
        # 999 is the collections' code for missing.
        if time is None or time < 0 or time == 999 or event not in (0, 1):
            cells = [f"{column} {row[column]!r}" for column in (collection.time, collection.event)]
            left_out[patient] = f"no outcome: {', '.join(cells)}"
            continue
        months[patient], events[patient] = f"{time * collection.months:.3f}", str(int(event))
    table = table.loc[list(months)]
    return table.assign(centre=collection.centre, rfs_months=pd.Series(months), rfs_event=pd.Series(events)), left_out


def _images_of(
    own: Sequence[FoundSeries], collection: Collection
) -> tuple[dict[str, FoundSeries], tuple[FoundSeries, Path]]:
    """Phase -> series of a patient; and the image that the tumour was drawn on, with the file of the mask.

    Raises: ValueError with the reason where that is not clear.
    """
    images = [s for s in own if s.modality == "CT" and s.slices]
    if not images:
        raise ValueError("has no CT in the folder")
    # Studies are in the order of time: the masks belong to the earliest, before the treatment.
    first = images[0].study
    masks = [s for s in own if s.modality == "SEG" and s.study == first and collection.is_original(s)]
    if len(masks) != 1:
        raise ValueError(f"has {len(masks)} segmentations of the collection in the first study; one is needed")
    image, labels = referenced_series(masks[0], images)
    if image is None:
        raise ValueError("the series that the tumour was drawn on is not in the folder, or unclear")
    if not matching_labels(labels, collection.label):
        raise ValueError(f"the segmentation holds no tumour: {', '.join(labels)}")
    if image.problem:
        raise ValueError(f"the series that the tumour was drawn on: {image.problem}")
    if collection.phase:
        return {collection.phase: image}, (image, masks[0].files[0])
    if not image.guess.phase:
        raise ValueError(f"the phase that the tumour was drawn on is unclear: {image.guess.evidence}")
    return {s.guess.phase: s for s in images if s.study == first and s.guess.phase}, (image, masks[0].files[0])


def read_clinical(file: Path, collection: Collection) -> pd.DataFrame:
    """The clinical table of a collection as text: a sheet of its workbook, or a CSV.

    Raises: FileNotFoundError; ValueError where the workbook has no such sheet.
    """
    if file.suffix.lower() == ".csv":
        return read_sheet(file)
    return pd.read_excel(file, sheet_name=collection.sheet, dtype=str, keep_default_na=False)
