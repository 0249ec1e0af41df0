"""Draft sheets and a summary from what a folder of DICOM holds. See `discovery`."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from hcc_recurrence.cohort.discovery import FoundSeries, referenced_series
from hcc_recurrence.cohort.sheets import DATE_COLUMNS

# Names of segments and ROIs that mean the tumour.
TUMOUR_WORDS = re.compile(r"tumou?r|\bmass\b|lesion|gtv|hcc|肿瘤|病灶", re.IGNORECASE)
NOTHING_WRONG = ""


def salt_of(file: Path) -> bytes:
    """The secret that pseudonyms are made with, drawn once; without it nobody can try all numbers of a hospital."""
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(secrets.token_hex(16))
    return file.read_text().strip().encode()


def pseudonym(patient: str, salt: bytes) -> str:
    """A patient's name in all sheets: the same whenever the same salt is used, whoever else is found."""
    return "P" + hashlib.blake2b(patient.encode(), key=salt, digest_size=4).hexdigest().upper()


def label_of(labels: Sequence[str]) -> str | None:
    """The cell `label` of a mask: empty where it holds one segment or ROI, a name or a pattern; None where unclear."""
    if len(labels) == 1:
        return ""
    tumours = [label for label in labels if TUMOUR_WORDS.search(label)]
    if len(tumours) == 1:
        return tumours[0]
    stems = {re.sub(r"[\s_-]*\d+$", "", label) for label in tumours}
    if len(stems) == 1 and len(tumours) > 1:
        return f"{stems.pop()}*"
    return None


def relative(path: Path, root: Path) -> str:
    """A path as the sheets name it, with forward slashes."""
    return path.relative_to(root).as_posix()


def draft_sheets(
    found: Sequence[FoundSeries], root: Path, names: Mapping[str, str]
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """The three sheets, and a row a series for the summary.

    Args:
        found: of `group_series`. names: PatientID -> pseudonym.

    Returns: patients, series, masks; the summary: patient, study (1 is the earliest), series, modality, files, size,
        description, phase, confidence, evidence, what looks wrong, folder.
    """
    images = [s for s in found if s.slices and not s.is_mask]
    in_folder = Counter(folder for s in found for folder in {f.parent for f in s.files})
    studies: dict[str, dict[str, int]] = {}
    rows, series_rows, mask_rows = [], [], []
    for one in found:
        own = studies.setdefault(one.patient, {})
        study = own.setdefault(one.study, len(own) + 1)
        row = {
            "patient": names[one.patient],
            "study": study,
            "series": one.header.get("SeriesNumber", ""),
            "modality": one.modality,
            "files": len(one.files),
            "size": _size(one),
            "description": one.header.get("SeriesDescription", "") + (f" ({one.part})" if one.part else ""),
            "phase": one.guess.phase,
            "confidence": one.guess.confidence if one.is_usable else "",
            "evidence": one.guess.evidence,
            "looks wrong": one.problem if one.modality in ("CT", "MR") else NOTHING_WRONG,
            "folder": relative(one.files[0].parent, root),
        }
        if one.is_usable and one.modality in ("CT", "MR"):
            path = relative(one.files[0].parent, root)
            uid = one.series if in_folder[one.files[0].parent] > 1 else ""
            where = {"path": path, "series_uid": uid, "part": one.part}
            series_rows.append({"patient_id": names[one.patient], "phase": one.guess.phase, **where})
            if study > 1:
                row["looks wrong"] = "a later study of the patient: remove its rows, or those of the other study"
        elif one.is_mask:
            mask_rows.append(_mask_row(one, images, root, names, row))
        rows.append(row)
    masks = pd.DataFrame(mask_rows, columns=["patient_id", "phase", "reader", "path", "label"])
    # Two masks of one phase: two readers, or a network's beside a person's. Only a person knows.
    twice = masks.duplicated(["patient_id", "phase"], keep=False)
    masks.loc[twice, "reader"] = ""
    patients = pd.DataFrame({"patient_id": sorted({names[s.patient] for s in found})})
    patients[["centre", *DATE_COLUMNS]] = ""
    series = pd.DataFrame(series_rows, columns=["patient_id", "phase", "path", "series_uid", "part"])
    return {"patients": patients, "series": series, "masks": masks}, pd.DataFrame(rows)


def _size(series: FoundSeries) -> str:
    if not series.slices:
        return ""
    header = series.slices[0].header
    spacing = header.get("PixelSpacing")
    inside = f", pixels of {spacing[0]:.2f} x {spacing[1]:.2f} mm" if spacing else ""
    return f"{header.get('Columns')} x {header.get('Rows')} x {len(series.slices)}{inside}"


def _mask_row(
    mask: FoundSeries,
    images: Sequence[FoundSeries],
    root: Path,
    names: Mapping[str, str],
    row: dict,
) -> dict[str, str]:
    series, labels = referenced_series(mask, images)
    phase = series.guess.phase if series else ""
    label = label_of(labels)
    found = [] if series else ["the series it was drawn on is not in the folder, or unclear"]
    if label is None:
        found.append(f"which of {labels} is the tumour? Fill in the column label")
    if len(mask.files) > 1:
        found.append(f"{len(mask.files)} files; the first is drafted")
    row.update({"phase": phase, "evidence": f"holds {', '.join(labels)}", "looks wrong": "; ".join(found)})
    path = relative(mask.files[0], root)
    return {
        "patient_id": names[mask.patient],
        "phase": phase,
        "reader": "R1",
        "path": path,
        "label": "?" if label is None else label,
    }
