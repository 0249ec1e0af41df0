"""Tiny trees of DICOM with the quirks of two public collections, and their clinical tables. No network in tests."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pandas as pd
from exports import describe, make_series, save_series, seg_of
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
