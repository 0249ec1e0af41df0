"""Tiny trees with the quirks of public collections, and their clinical tables. No network in tests."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pandas as pd
from exports import describe, make_series, rtstruct_of, save_series, seg_of
from pydicom import dcmread
from pydicom.uid import generate_uid

SHAPE = (10, 24, 28)
NETWORK = "AIMI liver-tumor AI segmentation"


def box(z, y, x) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[slice(*z), slice(*y), slice(*x)] = True
    return mask


LIVER, AORTA, VEIN = box((1, 9), (4, 18), (2, 16)), box((0, 10), (18, 21), (18, 21)), box((2, 8), (12, 15), (10, 14))
FIRST, SECOND, NECROSIS = box((3, 7), (6, 11), (4, 9)), box((5, 8), (9, 13), (7, 12)), box((4, 6), (7, 9), (5, 7))


def abdomen(seed: int, aorta: float, vein: float, tumour: float = 60.0) -> np.ndarray:
    """A body in HU whose vessels are as bright as asked."""
    voxels = np.full(SHAPE, -1000.0, np.float32)
    voxels[:, 2:22, 1:26] = 40
    for mask, value in ((LIVER, 90), (FIRST | SECOND, tumour), (NECROSIS, 20), (AORTA, aorta), (VEIN, vein)):
        voxels[mask] = value
    return (voxels + np.random.default_rng(seed).normal(0, 4, SHAPE)).round().astype(np.float32)


def make_metastases(root: Path, patients: int = 14) -> None:
    """Colorectal-Liver-Metastases: one CT without a description, one SEG of its own, one of a network, overlapping
    tumours; patient 1 has the network's alone, patient 2 no follow-up (999), patient 3 no row, the last no images."""
    rows = []
    for number in range(1, patients + 1):
        name, folder = f"CRLM-CT-{1000 + number}", root / "dicom" / f"{number:02d}"
        slices = make_series(abdomen(number, 150, 170), describe(phase="portal", patient=name), root / "unused")
        for data in slices:
            data.SeriesDescription = ""
        save_series(slices, folder / "ct", names=[f"{7 * k % 10}" for k in range(len(slices))])
        shift = number % 3
        tumours = {"Tumor_1": np.roll(FIRST, shift, 2), "Tumor_2": np.roll(SECOND, shift, 2)}
        if number > 1:
            vessels = {"Liver": LIVER, "Liver_Remnant": LIVER, "Hepatic": VEIN, "Portal": VEIN}
            seg_of({**vessels, **tumours}, slices, folder / "a", description="Segmentation")
        seg_of({"Liver": LIVER, "Mass": SECOND}, slices, folder / "b", description=NETWORK)
        event, months = ("1", 4 + number) if number % 2 else ("0", 30 + number)
        if number != 3:
            months = 999 if number == 2 else months
            outcome = {"progression_or_recurrence": event, "months_to_DFS_progression": months}
            sizes = {"age": 40 + number, "max_tumor_size": 2.5, "carcinoembryonic_antigen": 999}
            rows.append({"Patient-ID": name, **sizes, **outcome})
    rows.append({**rows[-1], "Patient-ID": "CRLM-CT-1999"})
    pd.DataFrame(rows).to_excel(root / "clinical.xlsx", sheet_name="TCIA_n=197", index=False)


def make_chemoembolisations(root: Path, patients: int = 3) -> None:
    """HCC-TACE-Seg: a plain series, two phases stacked in one series without words, a SEG on the second of them, a
    network's SEG, a later study; patient 2's SEG holds no tumour."""
    rows = []
    for number in range(1, patients + 1):
        name, folder = f"HCC_{number:03d}", root / "dicom" / f"p{number}"
        made = {}
        for phase, aorta, vein in (("precontrast", 45, 42), ("arterial", 320, 110), ("portal", 150, 175)):
            seed = 10 * number + len(made)
            made[phase] = make_series(abdomen(seed, aorta, vein), describe(phase=phase, patient=name), root / "unused")
            for data in made[phase]:
                data.SeriesDescription = "PRE LIVER" if phase == "precontrast" else "2.5 STANDARD"
                if "ContrastBolusStartTime" in data:
                    del data.ContrastBolusStartTime
        stacked = made["arterial"] + made["portal"]
        for k, data in enumerate(stacked):
            data.SeriesInstanceUID = stacked[0].SeriesInstanceUID
            data.AcquisitionNumber, data.InstanceNumber = 1 + k // SHAPE[0], k + 1
        save_series(made["precontrast"], folder / "pre")
        save_series(stacked, folder / "liver")
        parts = {"Liver": LIVER, "Mass": FIRST, "Necrosis": NECROSIS, "Portal vein": VEIN, "Abdominal aorta": AORTA}
        if number == 2:
            parts = {k: v for k, v in parts.items() if k not in ("Mass", "Necrosis")}
        seg_of(parts, made["portal"], folder / "seg", description="Segmentation")
        seg_of({"Liver": LIVER, "Mass": SECOND}, made["portal"], folder / "ai", description=NETWORK)
        later = copy.deepcopy(made["portal"])
        study, series = generate_uid(), generate_uid()
        for data in later:
            data.StudyInstanceUID, data.SeriesInstanceUID, data.SOPInstanceUID = study, series, generate_uid()
            data.StudyDate = "20210909"
        save_series(later, folder / "later")
        seg_of(parts, later, folder / "later_seg", description="Segmentation")
        outcome = {"TTP": 10 * number, "Censored_0_progressed_1": number % 2}
        rows.append({"TCIA_ID": name, "age": 60, "AFP": "12", **outcome})
    pd.DataFrame(rows).to_csv(root / "clinical.csv", index=False)


def rectangles(mask: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """The contours around a mask, a rectangle a slice, in mm of `describe`."""
    header, found = describe(), []
    for z in np.flatnonzero(mask.any(axis=(1, 2))):
        y, x = (np.flatnonzero(mask[z].any(axis=axis)) for axis in (1, 0))
        corners = [(x[0] - 0.5, y[0] - 0.5), (x[-1] + 0.5, y[0] - 0.5), (x[-1] + 0.5, y[-1] + 0.5),
                   (x[0] - 0.5, y[-1] + 0.5)]  # fmt: skip
        step = np.array(header.spacing[::-1])
        points = [np.array(header.origin) + step * (*corner, z) for corner in corners]
        found.append(("CLOSED_PLANAR", np.array(points)))
    return found


def make_sarcomas(root: Path) -> None:
    """Soft-tissue-Sarcoma as a download has it: T1 and T2 of one study, an RTSTRUCT of each with tumour and oedema;
    patient 2 without the contours of T1, patient 3 without an outcome."""
    for number in range(1, 4):
        name, folder = f"STS_{number:03d}", root / "dicom" / f"STS_{number:03d}"
        study = None
        # A phase each, from which their UIDs are made.
        for sequence, phase in (("T1", "arterial"), ("T2FS", "portal")):
            slices = make_series(abdomen(number, 150, 170), describe("MR", phase, patient=name), root / "unused")
            study = study or slices[0].StudyInstanceUID
            for data in slices:
                data.SeriesDescription, data.StudyInstanceUID = f"AXIAL {sequence}", study
            save_series(slices, folder / sequence)
            if (number, sequence) != (2, "T1"):
                outlines = {"GTV_Mass": rectangles(FIRST), "GTV_Edema": rectangles(FIRST | SECOND)}
                data = dcmread(rtstruct_of(outlines, slices, folder / f"{sequence}_contours.dcm"))
                data.PatientID, data.StudyDate = name, slices[0].StudyDate
                data.save_as(folder / f"{sequence}_contours.dcm")
    rows = [{"patient": f"STS_{n:03d}", "lung_metastasis": v} for n, v in ((1, "1"), (2, "0"), (3, ""))]
    pd.DataFrame(rows).to_csv(root / "outcome.csv", index=False)


def make_chemoembolisations_as_nifti(root: Path, patients: int = 12) -> None:
    """WAW-TACE: four phases a patient as NIfTI, a file a lesion, drawn on one phase; patient 2 has no lesion, patient 3
    no time, patient 4 no plain scan, the last no images."""
    import SimpleITK as sitk

    (root / "images").mkdir(parents=True)
    rows = []

    def save(voxels: np.ndarray, name: str, number: int) -> None:
        image = sitk.GetImageFromArray(voxels)
        image.SetSpacing((2.0, 2.0, 3.0))
        image.SetOrigin((0.0, 0.0, 10.0 * number))
        sitk.WriteImage(image, str(root / "images" / name), useCompression=True)

    for number in range(1, patients + 1):
        for phase, (aorta, vein) in enumerate(((45, 42), (320, 110), (150, 175), (110, 120))):
            if (number, phase) != (4, 0):
                voxels = abdomen(10 * number + phase, aorta, vein).astype(np.int16)
                save(voxels, f"{number}_{phase}_scan.nii.gz", number)
        # The first lesion is the larger one, and drawn on another phase than the second.
        for lesion, (mask, phase) in enumerate(((FIRST, 1), (NECROSIS, 2)), 1):
            if number != 2:
                save(mask.astype(np.uint8), f"{number}_{phase}_{lesion}_tumor_seg.nrrd", number)
        days = "" if number == 3 else 200 + 60 * number if number % 2 else 900 + number
        rows.append({"PATPRI": number, "age": 50 + number, "lab_albumin": 3.1 + number / 10, "survival_time": days,
                     "death": number % 2})  # fmt: skip
    rows.append({**rows[-1], "PATPRI": 99})
    pd.DataFrame(rows).to_excel(root / "clinical.xlsx", index=False)
