"""Draft sheets and a summary from what a folder of DICOM holds. See `discovery`."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from hcc_recurrence.cohort.dicom_folders import NAME_IT, Delivery
from hcc_recurrence.cohort.discovery import FoundSeries, referenced_series
from hcc_recurrence.cohort.phases import seconds_of
from hcc_recurrence.cohort.sheets import DATE_COLUMNS, NOTES
from hcc_recurrence.problems import Refused, counted

# Names of segments and ROIs that mean the tumour.
TUMOUR_WORDS = re.compile(r"tumou?r|\bmass\b|lesion|gtv|hcc|肿瘤|病灶", re.IGNORECASE)
NOTHING_WRONG = ""

# Of names in small letters.
ARCHIVES = (".zip", ".rar", ".7z", ".tar", ".tgz", ".tar.gz", ".iso")
VOLUMES = (".nii", ".nii.gz", ".nrrd", ".mha", ".mhd")


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
        found: of `group_series`. names: patient of `found` -> pseudonym.

    Returns: patients, series (a row a stack that can be read), masks, whose index says what each row is of, wherever
        the files lie; the summary: patient, study (1 is the earliest), series, modality, files, size,
        description, phase, confidence, evidence, what looks wrong, folder.
    """
    images = [s for s in found if s.slices and not s.is_mask]
    in_folder = Counter(folder for s in found for folder in {f.parent for f in s.files})
    studies: dict[str, dict[str, int]] = {}
    turns = _turns(found)
    rows, series_rows, mask_rows = [], {}, {}
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
            series_rows[_identity(one)] = {
                **{"patient_id": names[one.patient], "phase": one.guess.phase, "path": path},
                **{"series_uid": uid, "part": one.part, "study": study, "order": turns[_identity(one)]},
                **{"series_number": row["series"], "modality": one.modality, "slices": len(one.slices)},
                **{"description": one.header.get("SeriesDescription", "")},
                **{"confidence": one.guess.confidence, "evidence": one.guess.evidence},
            }
            if study > 1:
                row["looks wrong"] = "a later study of the patient: remove its rows, or those of the other study"
        elif one.is_mask:
            mask_rows[_identity(one)] = _mask_row(one, images, root, names, row)
        row["looks wrong"] = "; ".join(filter(None, [row["looks wrong"], one.doubt]))
        rows.append(row)
    masks = _frame(mask_rows, ["patient_id", "phase", "reader", "path", "label"])
    # Two masks of one phase: two readers, or a network's beside a person's. Only a person knows.
    twice = masks.duplicated(["patient_id", "phase"], keep=False)
    masks.loc[twice, "reader"] = ""
    everybody = sorted({names[s.patient] for s in found})
    patients = pd.DataFrame({"patient_id": everybody}, index=everybody)
    patients[["centre", *DATE_COLUMNS]] = ""
    series = _frame(series_rows, ["patient_id", "phase", "path", "series_uid", "part", *NOTES])
    return {"patients": patients, "series": series, "masks": masks}, pd.DataFrame(rows)


def _frame(rows: Mapping[str, dict], columns: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(list(rows.values()), index=list(rows), columns=columns, dtype=object)


def _identity(series: FoundSeries) -> str:
    """What a row of a draft is of: the same wherever the files lie."""
    return hashlib.blake2b(f"{series.series} {series.part}".encode(), digest_size=8).hexdigest()


def _turns(found: Sequence[FoundSeries]) -> dict[str, int]:
    """Identity of each stack -> its turn in the order of acquisition within its study, from 1: no date is told."""
    studies: dict[tuple[str, str], list[FoundSeries]] = {}
    for one in found:
        if one.is_usable:
            studies.setdefault((one.patient, one.study), []).append(one)
    turns = {}
    for own in studies.values():
        times = {_identity(s): seconds_of(s.header.get("AcquisitionTime", "")) for s in own}
        ordered = sorted(times, key=lambda key, times=times: (times[key] is None, times[key] or 0.0))
        turns.update({key: turn for turn, key in enumerate(ordered, 1)})
    return turns


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


def check_found(found: Sequence[FoundSeries], delivery: Delivery, unreadable: Mapping[Path, str], root: Path) -> None:
    """Raise Refused where a folder holds no series at all: sheets without a row are of no use."""
    if not found:
        what = f"dicom_root {root} holds {counted(len(delivery.files), 'file')} and no DICOM series"
        hidden = [*(f"{file} ({reason})" for file, reason in unreadable.items()), *delivery.unreadable]
        more = f"; {len(hidden)} cannot be read, such as {hidden[0]}" if hidden else ""
        raise Refused(what + more, "; or ".join([*_other_kinds(delivery.files), NAME_IT]))


def _other_kinds(files: Sequence[Path]) -> list[str]:
    """What to do with files of a delivery that are no DICOM by their names: archives, and images without a patient."""
    packed = [file.name for file in files if file.name.lower().endswith(ARCHIVES)]
    volumes = [file.name for file in files if file.name.lower().endswith(VOLUMES)]
    said = [f"unpack the archives ({counted(len(packed), 'file')}, such as {packed[0]})"] if packed else []
    if volumes:
        said.append(
            f"write the sheets yourself for images that name no patient ({counted(len(volumes), 'file')}, such as "
            f"{volumes[0]})"
        )
    return said


def describe_delivery(
    found: Sequence[FoundSeries],
    sheets: Mapping[str, pd.DataFrame],
    delivery: Delivery,
    unreadable: Mapping[Path, str],
) -> list[str]:
    """What a person should know of a delivery, in sentences."""
    patients, used = {s.patient for s in found}, {file for s in found for file in s.files}
    said = [f"{counted(len(delivery.files), 'file')}, {counted(len(patients), 'patient')}, {len(found)} series"]
    hidden = [*(f"{file} ({reason})" for file, reason in unreadable.items()), *delivery.unreadable]
    if hidden:
        said.append(f"{counted(len(hidden), 'file or folder')} cannot be read: {', '.join(hidden[:5])}")
    other = len(delivery.files) - len(used) - len(unreadable)
    if other:
        said.append("; ".join([f"{counted(other, 'file')} not DICOM, or broken", *_other_kinds(delivery.files)]))
    for doubt in sorted({s.doubt for s in found} - {""}):
        said.append(f"{counted(len({s.patient for s in found if s.doubt == doubt}), 'patient')}: {doubt}")
    series = sheets["series"]
    unusable = sum(s.modality in ("CT", "MR") and bool(s.problem) for s in found)
    if unusable:
        said.append(f"{unusable} series of CT or MR that cannot be read as a stack, not drafted: summary.html says why")
    later = series.loc[series["study"] > 1, "patient_id"].nunique()
    if later:
        said.append(f"{counted(later, 'patient')} with several studies: keep the rows of one in series.csv")
    unclear = int((series["phase"] == "").sum())
    if unclear:
        said.append(f"{unclear} series without a clear phase: fill in the cell in series.csv, or delete the row")
    said.append("key_private.csv and salt.txt tell who is who: keep them to yourself")
    return said
