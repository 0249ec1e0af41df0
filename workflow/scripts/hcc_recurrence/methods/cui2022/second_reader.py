"""Cui 2022, Supplementary Figure S1: the networks on the masks of another reader, against those of the study's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hcc_recurrence.statistics.auc import auc_delong
from hcc_recurrence.statistics.degenerate import kept, why_no_interval, why_none
from hcc_recurrence.statistics.delong import paired_table

COLUMNS: Sequence[str] = (
    *("reader", "protocol", "split", "model", "n", "events"),
    *("auc", "low", "high", "auc_other", "low_other", "high_other"),
    *("difference", "difference_low", "difference_high", "p", "median_change", "largest_change", "remark"),
)

# Scores where no other reader has outlined a patient outside training.
NOBODY = pd.DataFrame(columns=["reader", "protocol", "split", "model", "patient_id", "y", "own", "other"])


def nobody_outside(readers: Iterable[str]) -> pd.DataFrame:
    """The table of `reader_table` where no reader has outlined a patient outside training: a row a reader says so."""
    rows = [
        {"reader": reader, "n": 0, "events": 0, "remark": "outlined no patient outside training"} for reader in readers
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def reader_scores(
    reader: str, found: pd.DataFrame, own: pd.DataFrame, protocol: str, split: Mapping[str, str]
) -> pd.DataFrame:
    """Scores of the same patients and models by the study's masks and by another reader's.

    Args:
        found: by the other reader's masks; index patient_id, a column a model. own: rows of the predictions table.
        split: patient -> set; only patients outside training are compared, as in the paper.

    Returns: reader, protocol, split, model, patient_id, y, own, other.
    """
    rows = own[(own["protocol"] == protocol) & (own["estimate"] == "held_out") & (own["repeat"] == 1)]
    parts = []
    for model in found.columns:
        part = rows[(rows["model"] == model) & rows["patient_id"].isin(found.index)].sort_values("patient_id")
        parts.append(
            pd.DataFrame(
                {
                    "reader": reader,
                    "protocol": protocol,
                    "split": [split[p] for p in part["patient_id"]],
                    "model": model,
                    "patient_id": part["patient_id"].to_numpy(),
                    "y": part["y"].to_numpy(),
                    "own": part["probability"].to_numpy(),
                    "other": found.loc[part["patient_id"], model].to_numpy(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _groups(scores: pd.DataFrame) -> Iterator[tuple[dict[str, str], pd.DataFrame]]:
    keys = ["reader", "protocol", "split", "model"]
    for values, rows in scores.groupby(keys, sort=False):
        yield dict(zip(keys, values, strict=True)), rows


def reader_table(scores: pd.DataFrame) -> pd.DataFrame:
    """AUC by the masks of both readers, their difference by the paired DeLong test, and how far probabilities move.

    Args:
        scores: of `reader_scores`.

    Returns: reader, protocol, split, model, n, events, auc, low, high, auc_other, low_other, high_other, difference
        (own less other), difference_low, difference_high, p, median_change, largest_change (of a probability), remark.
    """
    rows = []
    for about, part in _groups(scores):
        y, fold = part["y"].to_numpy(int), np.zeros(len(part), int)
        row = {**about, "n": len(part), "events": int(y.sum())}
        moved = (part["own"] - part["other"]).abs()
        row |= {"median_change": moved.median(), "largest_change": moved.max()}
        if len(set(y.tolist())) < 2:
            rows.append({**row, "remark": why_no_interval((int(y.sum()), int((1 - y).sum())))})
            continue
        remarks = []
        for ending, column in (("", "own"), ("_other", "other")):
            area, why = auc_delong(y, part[column].to_numpy()), why_none(y, part[column].to_numpy(), fold, fold)
            low, high = kept(area.low, area.high, why)
            row |= {f"auc{ending}": area.auc, f"low{ending}": low, f"high{ending}": high}
            remarks += [why] if why else []
        test = paired_table(y, {"own": part["own"].to_numpy(), "other": part["other"].to_numpy()}).iloc[0]
        row |= {"difference": test["difference"], "difference_low": test["low"], "difference_high": test["high"]}
        rows.append({**row, "p": test["p"], "remark": "; ".join(dict.fromkeys(remarks))})
    return pd.DataFrame(rows, columns=COLUMNS)


def boxes_of_reader(
    folders: Mapping[str, tuple[Path, Path]],
    reader: str,
    phases: Sequence[str],
    crops: Mapping[str, Mapping[str, Any]],
) -> dict[str, dict[str, np.ndarray]]:
    """The boxes of patients about the tumour as a reader outlined it, by network and patient.

    Args:
        folders: patient -> folders of images and masks on the grid of the crops. crops: network -> its entry of
            `crops`.
    """
    import SimpleITK as sitk

    from hcc_recurrence.imaging.patient_crops import crop_of_patient, placing_phases

    found: dict[str, dict[str, np.ndarray]] = {network: {} for network in crops}
    for patient, (images, masks) in folders.items():
        for network, crop in crops.items():
            outlines = [f"{phase}.{reader}" for phase in placing_phases(crop, phases)]
            volumes = [sitk.ReadImage(str(images / f"{phase}.nii.gz")) for phase in phases]
            tumours = [sitk.ReadImage(str(masks / f"{name}.nii.gz")) for name in outlines]
            found[network][patient] = crop_of_patient(volumes, tumours, phases, crop)[0]
    return found


def scores_of(
    folder: Path,
    boxes: Mapping[str, Mapping[str, np.ndarray]],
    definitions: Mapping[str, Mapping[str, Any]],
    patients: Sequence[str],
) -> pd.DataFrame:
    """Probabilities by a kept model, as tables have them: index patient_id, a column a network.

    Args:
        definitions: network -> what made its boxes (`deep.Boxes`).
    """
    from hcc_recurrence.files import as_written
    from hcc_recurrence.methods.cui2022.deep import Boxes, CuiEnsemble

    found = CuiEnsemble.load(folder).predict(Boxes(boxes, definitions), patients)
    return found.apply(as_written)
