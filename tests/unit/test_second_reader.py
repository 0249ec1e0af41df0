"""Cui 2022 on the masks of a second reader: whom it compares, and with which numbers."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from figure_checks import shown_text
from sklearn.metrics import roc_auc_score

from hcc_recurrence.endpoint import EARLY_RECURRENCE, use_endpoint
from hcc_recurrence.figures.second_reader import plot_second_reader
from hcc_recurrence.imaging.patient_crops import crop_of_patient
from hcc_recurrence.methods.cui2022.second_reader import (
    NOBODY,
    boxes_of_reader,
    nobody_outside,
    reader_scores,
    reader_table,
)

CROP = {
    **{"fit": "voxels", "size_voxels": [4, 10, 10], "window": [-160, 240], "masked": True},
    **{"nodule": "all", "place": "reference"},
}


def scored(number=40, seed=0):
    """Rows of the predictions table, and the same patients by another reader, a little off; P000 has no second mask."""
    rng = np.random.default_rng(seed)
    y = np.arange(number) % 2
    own = pd.DataFrame(
        {
            "patient_id": [f"P{i:03d}" for i in range(number)],
            **{"model": "SS", "protocol": "strict", "estimate": "held_out", "repeat": 1, "y": y},
            "probability": np.clip(0.5 + 0.2 * (y - 0.5) + rng.normal(0, 0.15, number), 0, 1),
        }
    )
    other = own.assign(repeat=2, probability=0.5)
    found = own.set_index("patient_id")[["probability"]].set_axis(["SS"], axis=1).iloc[1:]
    return pd.concat([own, other]), found + rng.normal(0, 0.02, (number - 1, 1))


def test_aucs_of_both_readers_are_of_the_same_patients():
    own, found = scored()
    split = dict.fromkeys(own["patient_id"], "validation")
    scores = reader_scores("R2", found, own, "strict", split)
    assert len(scores) == 39 and "P000" not in set(scores["patient_id"]), "who has no second mask is in neither AUC"
    (row,) = reader_table(scores).itertuples()
    assert row.auc == pytest.approx(roc_auc_score(scores["y"], scores["own"]))
    assert row.auc_other == pytest.approx(roc_auc_score(scores["y"], found["SS"]))
    assert row.difference == pytest.approx(row.auc - row.auc_other) and 0 < row.p < 1
    assert row.largest_change == pytest.approx((scores["own"] - scores["other"]).abs().max())


def test_equal_masks_differ_in_nothing_and_a_handful_has_no_interval():
    own, _ = scored(8)
    found = own[own["repeat"] == 1].set_index("patient_id")[["probability"]].set_axis(["SS"], axis=1)
    scores = reader_scores("R2", found, own, "strict", dict.fromkeys(own["patient_id"], "validation"))
    (row,) = reader_table(scores).itertuples()
    assert row.difference == 0 and row.largest_change == 0
    assert np.isnan([row.low, row.high, row.low_other, row.p]).all() and "fewer than 5" in row.remark


def test_one_outcome_has_no_auc_and_the_reason():
    own, found = scored()
    scores = reader_scores("R2", found, own, "strict", dict.fromkeys(own["patient_id"], "validation"))
    (row,) = reader_table(scores[scores["y"] == 1]).itertuples()
    assert np.isnan(row.auc) and row.remark == "patients of one outcome only"
    figure = plot_second_reader(scores, reader_table(scores), "Simulated")
    assert len([line for line in figure.axes[0].lines if len(line.get_xdata())]) == 3
    few = scores.groupby("y").head(4)
    figure = plot_second_reader(few, reader_table(few), "Simulated")
    drawn = [line for line in figure.axes[0].lines if len(line.get_xdata())]
    assert len(drawn) == 1, "the diagonal alone: eight patients have no curve"


def test_a_reader_who_outlined_training_patients_alone_stops_no_run():
    """All of them trained the networks: a table and a figure that say so, instead of an error at the end of a run."""
    table = nobody_outside(["R2", "R3"])
    assert list(table["reader"]) == ["R2", "R3"] and set(table["n"]) == {0} and table["auc"].isna().all()
    words = shown_text(plot_second_reader(NOBODY, table, "Simulated"))
    assert "R2: outlined no patient outside training" in words and "R3: outlined" in words


def test_the_outcome_is_called_by_its_own_name():
    own, found = scored()
    scores = reader_scores("R2", found, own, "strict", dict.fromkeys(own["patient_id"], "validation"))
    use_endpoint({**asdict(EARLY_RECURRENCE), "name": "lung metastasis", "abbreviation": "LM"})
    try:
        words = shown_text(plot_second_reader(scores, reader_table(scores), "Simulated"))
    finally:
        use_endpoint(asdict(EARLY_RECURRENCE))
    assert "(n = 39, 20 LM)" in words


def test_boxes_are_those_of_the_readers_own_outline(tmp_path):
    """The other reader outlines two slices more: his box holds them, and is what the crops rule makes of his mask."""
    image = sitk.GetImageFromArray(np.full((8, 30, 30), 40, np.int16))
    folders = {kind: tmp_path / kind for kind in ("images", "masks")}
    for folder in folders.values():
        folder.mkdir()
    sitk.WriteImage(image, str(folders["images"] / "arterial.nii.gz"))
    masks = {}
    for reader, last in (("R1", 4), ("R2", 6)):
        mask = np.zeros((8, 30, 30), np.uint8)
        mask[2:last, 10:15, 10:15] = 1
        masks[reader] = sitk.GetImageFromArray(mask)
        sitk.WriteImage(masks[reader], str(folders["masks"] / f"arterial.{reader}.nii.gz"))
    made = boxes_of_reader({"P1": (folders["images"], folders["masks"])}, "R2", ["arterial"], {"SS": CROP})
    expected, inside = crop_of_patient([image], [masks["R2"]], ["arterial"], CROP)
    assert np.array_equal(made["SS"]["P1"], expected) and inside.sum() == 4 * 25
    first, _ = crop_of_patient([image], [masks["R1"]], ["arterial"], CROP)
    assert not np.array_equal(first, expected)
