"""Sheets of public collections, from their DICOM headers and their clinical tables.

None is a cohort of resected HCC; none is open. Colorectal-Liver-Metastases (doi 10.7937/QXK2-QG03): recurrence after
resection of metastases, one phase. HCC-TACE-Seg (doi 10.7937/TCIA.5FNA-0924): progression after TACE, several phases.
Soft-tissue-Sarcoma (doi 10.7937/K9/TCIA.2015.7GO2GSKS): lung metastasis, without times, MR T1 of limbs.
"""

from __future__ import annotations

import re
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

    sheet: of the clinical workbook; empty: its first. patient: pattern of a patient's number. time, event: columns of
    the outcome; without a time it has none. months: in one unit of time. is_original: whether a mask is one of the
    collection, and not made by a network later. phase: of the one series that is taken; empty: every series of the
    study whose phase is clear. label: the tumour's segments. centre: of all patients. modality: of the images. mask:
    DICOM modality of the masks. is_taken: whether a series is the one that is taken, where a study has several of the
    modality with masks of their own.
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
    modality: str = "CT"
    mask: str = "SEG"
    is_taken: Callable[[FoundSeries], bool] = lambda series: True


def _is_segmentation(mask: FoundSeries) -> bool:
    return mask.header.get("SeriesDescription", "").strip().lower() == "segmentation"


def _names_vessels(mask: FoundSeries) -> bool:
    labels = " ".join(mask.mask.get("labels", [])).lower()
    return "aorta" in labels and "portal" in labels


def _outlines_mass(mask: FoundSeries) -> bool:
    return any(label.lower().startswith("gtv_mass") for label in mask.mask.get("labels", []))


def _is_plain_t1(series: FoundSeries) -> bool:
    """T1 by its description."""
    words = re.split(r"[^a-z0-9]+", series.header.get("SeriesDescription", "").lower())
    return any(word.startswith("t1") for word in words)


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
    # One RTSTRUCT a scan, of the tumour (GTV_Mass) and of the oedema around it (GTV_Edema); T1 is taken. The outcome is
    # one column, without times.
    "soft_tissue_sarcoma": Collection(
        sheet="",
        patient=r"STS_\d+",
        time="",
        event="lung_metastasis",
        months=1.0,
        is_original=_outlines_mass,
        phase="precontrast",
        label="GTV_Mass*",
        centre="McGill",
        reader="McGill",
        modality="MR",
        mask="RTSTRUCT",
        is_taken=_is_plain_t1,
    ),
}


def build_sheets(
    found: Sequence[FoundSeries], root: Path, clinical: pd.DataFrame, collection: Collection
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """The three sheets of a collection, and who is left out of them.

    Args:
        found: of `group_series`, with phases guessed. clinical: text, as in the workbook.

    Returns: patients (all columns of the workbook, and patient_id, centre, rfs_months, rfs_event, or in their place the
    column of an outcome without times), series, masks;
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
    """The clinical table by patient with centre, rfs_months and rfs_event, or the column of an outcome without times;
    and patients without an outcome, with why.

    The column of the patients' numbers is known by what it holds: its name differs between versions of the workbook.

    Raises: ValueError where a column of the outcome, or that of the numbers, is not there.
    """
    columns = [c for c in (collection.time, collection.event) if c]
    lacking = [c for c in columns if c not in clinical]
    numbered = [c for c in clinical if clinical[c].str.fullmatch(collection.patient).any()]
    if lacking or not numbered:
        lacking += [] if numbered else [f"one with numbers like {collection.patient}"]
        raise ValueError(f"the clinical table has no column {', '.join(lacking)}; it has {', '.join(clinical.columns)}")
    table = clinical[clinical[numbered[0]].str.fullmatch(collection.patient)].set_index(numbered[0])
    months, events, left_out = {}, {}, {}
    for patient, row in table.iterrows():
        time = exact_number(row[collection.time]) if collection.time else 0.0
        happened = exact_number(row[collection.event])
        # 999 is the collections' code for missing.
        if time is None or time < 0 or time == 999 or happened not in (0, 1):
            cells = [f"{column} {row[column]!r}" for column in columns]
            left_out[patient] = f"no outcome: {', '.join(cells)}"
            continue
        months[patient], events[patient] = f"{time * collection.months:.3f}", str(int(happened))
    table = table.loc[list(months)]
    if not collection.time:
        return table.assign(centre=collection.centre, **{collection.event: pd.Series(events)}), left_out
    return table.assign(centre=collection.centre, rfs_months=pd.Series(months), rfs_event=pd.Series(events)), left_out


def _images_of(
    own: Sequence[FoundSeries], collection: Collection
) -> tuple[dict[str, FoundSeries], tuple[FoundSeries, Path]]:
    """Phase -> series of a patient; and the image that the tumour was drawn on, with the file of the mask.

    Raises: ValueError with the reason where that is not clear.
    """
    images = [s for s in own if s.modality == collection.modality and s.slices]
    if not images:
        raise ValueError(f"has no {collection.modality} in the folder")
    if collection.mask == "SEG":
        # Studies are in the order of time: the masks belong to the earliest, before the treatment.
        first = images[0].study
        masks = [s for s in own if s.modality == "SEG" and s.study == first and collection.is_original(s)]
        if len(masks) != 1:
            raise ValueError(f"has {len(masks)} segmentations of the collection in the first study; one is needed")
        mask = masks[0]
        image, labels = referenced_series(mask, images)
    else:
        image, mask, labels = _outlined(own, images, collection)
        first = image.study if image else ""
    if image is None:
        raise ValueError("the series that the tumour was drawn on is not in the folder, or unclear")
    if not matching_labels(labels, collection.label):
        raise ValueError(f"the segmentation holds no tumour: {', '.join(labels)}")
    if image.problem:
        raise ValueError(f"the series that the tumour was drawn on: {image.problem}")
    if collection.phase:
        return {collection.phase: image}, (image, mask.files[0])
    if not image.guess.phase:
        raise ValueError(f"the phase that the tumour was drawn on is unclear: {image.guess.evidence}")
    return {s.guess.phase: s for s in images if s.study == first and s.guess.phase}, (image, mask.files[0])


def _outlined(
    own: Sequence[FoundSeries], images: Sequence[FoundSeries], collection: Collection
) -> tuple[FoundSeries | None, FoundSeries, list[str]]:
    """The series to be taken, the one mask that was drawn on it, and the mask's labels.

    Each scan of a study has contours of its own: what a mask was drawn on is asked of the mask.

    Raises: ValueError where there is no such mask, or there are several.
    """
    masks = [s for s in own if s.modality == collection.mask and collection.is_original(s)]
    drawn = []
    for mask in masks:
        image, labels = referenced_series(mask, [s for s in images if collection.is_taken(s)])
        if image is not None:
            drawn.append((image, mask, labels))
    if len(drawn) != 1:
        raise ValueError(
            f"has {len(drawn)} contours of the tumour on a series of the kind that is taken (of {len(masks)} contours, "
            f"{len(images)} series of {collection.modality}); one is needed"
        )
    return drawn[0]


def read_clinical(file: Path, sheet: str = "") -> pd.DataFrame:
    """The clinical table of a collection as text: a sheet of its workbook (empty: the first), or a CSV.

    Raises: FileNotFoundError; ValueError where the workbook has no such sheet.
    """
    if file.suffix.lower() == ".csv":
        return read_sheet(file)
    return pd.read_excel(file, sheet_name=sheet or 0, dtype=str, keep_default_na=False)
