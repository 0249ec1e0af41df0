"""What the networks that find the tumour make of patients: masks, features, and the agreement with manual masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import SimpleITK as sitk
from torch import nn

from hcc_recurrence.imaging.crops import mask_volume_ml
from hcc_recurrence.imaging.planes import Planes, axial_planes, mask_planes
from hcc_recurrence.imaging.registration import overlap
from hcc_recurrence.networks.unet import case_slices, segment_slices

Case = tuple[str, str]


@dataclass
class Segmented:
    """Rows of a batch of patients, collected case by case; a case is (patient, phase).

    names: of the features of a slice.
    """

    names: Sequence[str]
    _features: list[dict[str, Any]] = field(default_factory=list)
    _patients: list[dict[str, Any]] = field(default_factory=list)
    _slices: list[dict[str, Any]] = field(default_factory=list)
    _pictures: dict[str, np.ndarray] = field(default_factory=dict)
    _empty: list[str] = field(default_factory=list)

    def add(
        self, case: Case, planes: np.ndarray, found: np.ndarray, truth: np.ndarray | None, mean: np.ndarray
    ) -> None:
        """One case: slices, predicted and reference mask of them (z, y, x), and its features; empty where none."""
        about = dict(zip(("patient_id", "phase"), case, strict=True))
        if len(mean):
            self._features.append({**about, **dict(zip(self.names, mean, strict=True))})
        drawn = np.zeros_like(found) if truth is None else truth
        # The slice with most of the manual mask, else of the predicted one.
        shown = drawn if drawn.any() else found
        middle = int(shown.reshape(len(shown), -1).sum(axis=1).argmax())
        picture = np.stack([planes[middle], drawn[middle], found[middle]]).astype(np.float32)
        self._pictures[".".join(case)] = picture
        if truth is None:
            return
        both = truth.reshape(len(truth), -1).any(axis=1) | found.reshape(len(found), -1).any(axis=1)
        for z in np.flatnonzero(both):
            row = {"slice": int(z), "manual_pixels": int(truth[z].sum()), "unet_pixels": int(found[z].sum())}
            self._slices.append({**about, **row, "dice": overlap(found[z], truth[z])})

    def compare(self, mask: sitk.Image, reference: sitk.Image | None, case: Case, needed: bool) -> None:
        """One case on the grid of its series; `needed`: the patient has no other mask."""
        values = sitk.GetArrayViewFromImage(mask)
        if needed and not values.any():
            self._empty.append(" ".join(case))
        row = {"unet_ml": mask_volume_ml(values, mask.GetSpacing()), "manual_ml": np.nan, "dice": np.nan}
        if reference is not None:
            truth = sitk.GetArrayViewFromImage(reference)
            row |= {"manual_ml": mask_volume_ml(truth, reference.GetSpacing()), "dice": overlap(values, truth)}
        self._patients.append({**dict(zip(("patient_id", "phase"), case, strict=True)), **row})
        print(f"{' '.join(case)}: {row['unet_ml']:.1f} mL, Dice {row['dice']:.3f}")

    def refuse_empty(self) -> None:
        """Raises: ValueError naming every case without any mask."""
        if self._empty:
            raise ValueError(
                f"the network found no tumour in {', '.join(self._empty)}, and there is no manual mask. What to do: "
                "draw one and add it to the masks sheet, or remove the patient from the patients sheet"
            )

    def features(self) -> pd.DataFrame:
        """patient_id, phase, and the mean of every feature over the slices of a case."""
        return pd.DataFrame(self._features, columns=["patient_id", "phase", *self.names])

    def patients(self) -> pd.DataFrame:
        """patient_id, phase, unet_ml, manual_ml, dice (of whole volumes, on the series' own voxels)."""
        return pd.DataFrame(self._patients, columns=["patient_id", "phase", "unet_ml", "manual_ml", "dice"])

    def slices(self) -> pd.DataFrame:
        """patient_id, phase, slice (from the feet), manual_pixels, unet_pixels, dice, where either mask has a pixel."""
        columns = ["patient_id", "phase", "slice", "manual_pixels", "unet_pixels", "dice"]
        return pd.DataFrame(self._slices, columns=columns)

    def save_pictures(self, path: Path) -> None:
        """`patient.phase` -> image, manual and predicted mask of the slice with most tumour, (3, y, x)."""
        np.savez_compressed(path, **self._pictures)


def case_planes(image: sitk.Image, unet: Mapping[str, Any], modality: str, case: Case) -> Planes:
    """Slices of a series as an entry of `unets` takes them: CT in the window of its phase, MR scaled by itself.

    Raises: ValueError naming the case whose slices cannot be used.
    """
    window = unet["windows"].get(case[1], []) if modality == "CT" else []
    try:
        return axial_planes(image, window, unet["side_pixels"], unet["z_mm"], unet["outside_hu"])
    except ValueError as error:
        raise ValueError(f"{' '.join(case)}: {error}") from error


def segment_case(
    found: Segmented,
    network: nn.Module,
    image: sitk.Image,
    reference: sitk.Image | None,
    unet: Mapping[str, Any],
    modality: str,
    case: Case,
    device: str = "cpu",
) -> tuple[Planes, np.ndarray]:
    """Segment a series and add its features; returns its slices and the probability of each pixel, (z, y, x).

    Args:
        unet: an entry of the config's `unets`. modality: CT or MR.

    Raises: ValueError naming the case whose slices cannot be used.
    """
    planes = case_planes(image, unet, modality, case)
    smallest = unet["smallest_pixels"]
    probability, features = segment_slices(
        network, planes.values, unet["layers"], unet["pool"], smallest, device=device
    )
    predicted = (probability >= 0.5).astype(np.uint8)
    truth = mask_planes(reference, planes) if reference is not None else None
    chosen = case_slices(predicted, truth, smallest)
    mean = features[chosen].mean(axis=0) if len(chosen) else np.zeros(0)
    found.add(case, planes.values, predicted, truth, mean)
    return planes, probability


def part_of(patients: pd.Series, parts: Mapping[str, str], external: Sequence[str]) -> pd.Series:
    """What each patient was to the networks: trained them, chose the epoch, unseen, or unseen and of another centre."""
    words = {"fitted": "trained with", "inner": "chose the epoch"}
    others = {p: "unseen, external" for p in external}
    return patients.map(lambda p: words.get(parts.get(p, ""), others.get(p, "unseen")))


PARTS = ("trained with", "chose the epoch", "unseen", "unseen, external")


def dice_table(patients: pd.DataFrame, slices: pd.DataFrame) -> pd.DataFrame:
    """Dice by phase and part: of whole volumes, and of single slices that hold tumour in the manual mask.

    Args:
        patients: phase, part, dice. slices: phase, part, manual_pixels, dice.

    Returns: phase, patients, n, dice_mean, dice_sd, dice_median, dice_lowest, nothing_found, slice_dice_mean.
    """
    known = patients.dropna(subset=["manual_ml"])
    rows = []
    for phase in sorted(known["phase"].unique()):
        for part in PARTS:
            own = known[(known["phase"] == phase) & (known["part"] == part)]
            if own.empty:
                continue
            cut = slices[(slices["phase"] == phase) & (slices["part"] == part) & (slices["manual_pixels"] > 0)]
            rows.append(
                {
                    "phase": phase,
                    "patients": part,
                    "n": len(own),
                    "dice_mean": own["dice"].mean(),
                    "dice_sd": own["dice"].std(),
                    "dice_median": own["dice"].median(),
                    "dice_lowest": own["dice"].min(),
                    "nothing_found": int((own["unet_ml"] == 0).sum()),
                    "slice_dice_mean": cut["dice"].mean(),
                }
            )
    return pd.DataFrame(rows)
