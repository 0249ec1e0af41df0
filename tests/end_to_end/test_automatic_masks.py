"""A cohort of which some patients have no manual mask: a network draws theirs, and the methods run on them."""

from __future__ import annotations

import contextlib
import json
import os

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from tiny_cohort import CONFIG, WITHOUT
from workflow_runner import Workspace

from hcc_recurrence.learning.predictions import check_predictions

# Patients without a manual mask, and one who lacks that of one phase.
UNMASKED, HALF = ["T003", "T012", "T019"], "T007"
WANG_WITHOUT = [
    *("hepatitis", "hbv_dna", "bilirubin", "albumin", "alt", "ggt", "child_pugh", "heterogeneous", "tumour_vessels"),
    *("peritumoral_enhancement", "rim_enhancement", "margin_nonsmooth", "capsule", "cirrhosis"),
]
PHASES = {"arterial": "arterial", "portal": "portal"}
# Of Wang 2022: without each of three folds and whole, as published the same.
FITS = 2 * (3 + 1)


def configure(workspace) -> None:
    """The tiny cohort without some masks, Zhao 2024 without its networks, and Wang 2022."""
    config = yaml.safe_load(yaml.safe_dump(CONFIG))
    config["studies"] = [
        {"paper": "zhao2024", "cohort": "tiny", "phases": PHASES, "without": WITHOUT, "networks": False},
        {"paper": "wang2022", "cohort": "tiny", "without": WANG_WITHOUT},
    ]
    config["unets"] = {
        "tiny": {
            **{"side_pixels": 64, "channels": [6, 12, 24, 48, 96], "windows": {}, "fraction": 0.3333},
            **{"epochs": 10, "learning_rate": 0.005, "schedule": "cosine", "batch": 2, "smallest_pixels": 3},
            "augmentation": {"rotation_deg": 15, "scale": 0.1},
        }
    }
    # Other tests have all classifiers and repeats.
    config["overrides"]["zhao2024"]["classifiers"] = ["LR"]
    config["splits"]["tiny"]["repeats"] = 1
    config["splits"]["tiny_wang"] = {**config["splits"]["tiny"], "without_unet": "tiny"}
    own = {"split": "tiny_wang", "unet": "tiny", "feature_numbers": [3, 6], "inner_folds": 2}
    config["overrides"]["wang2022"] = own
    config["masks"] = {"source": "unet"}
    (workspace.folder / "tiny.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    sheet = workspace.folder / "sheets/masks.csv"
    masks = pd.read_csv(sheet, dtype=str)
    gone = masks["patient_id"].isin(UNMASKED) | ((masks["patient_id"] == HALF) & (masks["phase"] == "portal"))
    masks[~gone].to_csv(sheet, index=False)


# What is Wang 2022's own, and the metrics; the tables and figures that every method has are looked at for others.
OWN = [
    *(
        f"results/tiny/wang2022/figures/{name}.{protocol}.png"
        for name in ("nomogram", "hazards", "survival_calibration", "survival_decision_curve")
        for protocol in ("strict", "as_published")
    ),
    *(f"results/tiny/wang2022/{name}" for name in ("figures/feature_maps.png", "tables/metrics.csv")),
    *(f"results/tiny/segmentation/tiny/{name}" for name in ("dice.csv", "outlines.png")),
]


@pytest.fixture(scope="module")
def workspace(tiny_inputs, tmp_path_factory):
    """The cohort after what is Wang 2022's own, and of Zhao 2024 what depends on masks."""
    workspace = Workspace(tiny_inputs).copy_to(tmp_path_factory.mktemp("unmasked") / "run", results=False)
    configure(workspace)
    others = (
        *("zhao2024/predictions.csv", "zhao2024/tables/reproducibility.html", "comparison/tiny/comparators.csv"),
        "zhao2024/tables/selection.csv",
        # What a network of Zhao 2024 sees of a patient without a manual mask.
        f"crops/zhao2024_slices_demo/{UNMASKED[0]}.npz",
    )
    workspace.run(*OWN, *(f"results/tiny/{name}" for name in others))
    return workspace


@pytest.fixture(scope="module")
def results(workspace):
    return workspace.folder / "results/tiny"


@contextlib.contextmanager
def changed(workspace, path, change):
    """A file with other content, for dry runs."""
    file = workspace.folder / path
    before, times = file.read_bytes(), file.stat()
    file.write_text(change(before.decode()))
    yield
    file.write_bytes(before)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def config_changed(workspace, change):
    def edit(text):
        config = yaml.safe_load(text)
        change(config)
        return yaml.safe_dump(config, sort_keys=False)

    return changed(workspace, "tiny.yaml", edit)


def test_every_patient_has_radiomics_and_the_network_is_a_reader(results):
    table = pq.read_table(results / "radiomics/zhao2024_demo/portal.parquet").to_pandas()
    read = table.groupby("reader")["patient_id"].agg(set)
    assert set(UNMASKED) | {HALF} <= read["unet"] and not (set(UNMASKED) | {HALF}) & read["R1"]
    assert len(read["R1"] | read["unet"]) == 24
    trained = json.loads(torch.load(results / "segmentation/tiny/portal.pt", weights_only=True)["about"])["parts"]
    assert len(trained) == 8 and not set(trained) & read["unet"], "those that trained the network are not judged by it"
    assert read["unet"] == {f"T{i:03d}" for i in range(1, 25)} - set(trained)
    arterial = pq.read_table(results / "radiomics/zhao2024_demo/arterial.parquet").to_pandas()
    assert HALF in set(arterial.loc[arterial["reader"] == "R1", "patient_id"])
    for patient in UNMASKED:
        assert (results / f"masks/iso2/{patient}/portal.unet.nii.gz").is_file()
        assert not (results / f"masks/iso2/{patient}/portal.R1.nii.gz").exists()


def test_networks_of_other_methods_see_the_tumour_that_the_network_found(results):
    with np.load(results / f"crops/zhao2024_slices_demo/{UNMASKED[0]}.npz") as crop:
        assert crop["mask"].any() and crop["phases"].tolist() == ["arterial", "portal"]
    quality = pd.read_csv(results / f"registration/arterial/{UNMASKED[0]}/portal.csv")
    assert quality["dice_before"].notna().all(), "the masks of the network measure the overlap"


def test_both_methods_predict_every_patient_they_should(results):
    trained = json.loads(torch.load(results / "segmentation/tiny/portal.pt", weights_only=True)["about"])["parts"]
    for paper, scheme in (("zhao2024", "tiny"), ("wang2022", "tiny_wang")):
        predictions = pd.read_csv(results / paper / "predictions.csv", dtype={"patient_id": str})
        split = pd.read_csv(results / f"splits/{scheme}.csv", dtype={"patient_id": str})
        check_predictions(predictions, split)
        assert set(UNMASKED) <= set(predictions["patient_id"])
        if paper == "wang2022":
            assert len(split) == 16 and not set(trained) & set(predictions["patient_id"])


def test_volumes_of_patients_without_a_manual_mask_are_the_networks(results):
    volumes = pd.read_csv(results / "tumours.csv", dtype={"patient_id": str})
    own = volumes[volumes["patient_id"].isin(UNMASKED)]
    assert set(own["reader"]) == {"unet"} and (own["volume_ml"] > 0).all()
    comparators = pd.read_csv(results / "comparison/tiny/comparators.csv", dtype={"patient_id": str})
    assert set(UNMASKED) <= set(comparators.loc[comparators["model"] == "Volume", "patient_id"])


def test_dice_and_icc_against_manual_masks(results):
    dice = pd.read_csv(results / "segmentation/tiny/dice.csv", dtype={"patient_id": str})
    unseen = dice[(dice["part"] == "unseen") & dice["dice"].notna()]
    # By portable kernels 0.77; others train another network of these few images.
    assert len(unseen) == 2 * 12 + 1 and unseen["dice"].mean() > 0.5
    assert dice.loc[dice["patient_id"].isin(UNMASKED), "dice"].isna().all()
    table = pd.read_csv(results / "zhao2024/tables/reproducibility.csv")
    own = table[table["reader"] == "unet"]
    # 16 patients were new to the network; three have no manual mask, one lacks one phase's.
    assert own["patients"].unique().tolist() == [12] and len(own) == 2 * 1037
    assert 0.2 < own["icc_absolute"].median() < 1
    selection = pd.read_csv(results / "zhao2024/tables/selection.csv")
    assert not selection["step"].str.contains("unet").any(), "the network is no second reader of the published method"


def test_tables_and_figures_of_the_paper_are_there(results):
    folder = results / "wang2022"
    for name in ("nomogram", "hazards", "survival_calibration", "survival_decision_curve"):
        for protocol in ("strict", "as_published"):
            assert (folder / f"figures/{name}.{protocol}.png").stat().st_size > 5000
    assert (folder / "figures/feature_maps.png").stat().st_size > 5000
    models = set(pd.read_csv(folder / "tables/metrics.csv")["model"])
    assert {"DSFR", "DSFR-C", "Visual", "Nomogram", "DSFR portal", "DSFR both phases"} <= models
    assert (results / "segmentation/tiny/outlines.png").stat().st_size > 5000


def test_nothing_changed_runs_nothing(workspace):
    assert workspace.jobs(*OWN[:-1], target=OWN[-1]) == {}


def test_a_parameter_of_the_models_touches_no_network(workspace):
    with config_changed(workspace, lambda c: c["overrides"]["wang2022"].update(cox_p=0.3)):
        jobs = workspace.jobs(target="wang2022")
    assert jobs["fit_method"] == FITS and jobs["gather_wang2022"] == 1
    assert not {"train_unet", "segment_patients", "measure_segmentation", "write_splits"} & set(jobs)


def test_one_outcome_touches_no_network(workspace):
    def another(text):
        rows = text.splitlines()
        place = rows[0].split(",").index("recurrence_date")
        cells = rows[5].split(",")
        cells[place] = "" if cells[place] else cells[rows[0].split(",").index("last_follow_up_date")]
        return "\n".join([*rows[:5], ",".join(cells), *rows[6:]]) + "\n"

    with changed(workspace, "sheets/patients.csv", another):
        jobs = workspace.jobs(target="wang2022")
    # The page of what changed reads both splits of the cohort.
    assert jobs["fit_method"] == FITS and jobs["write_splits"] == 2
    assert not {"train_unet", "segment_patients", "measure_segmentation"} & set(jobs)


def test_a_parameter_of_the_network_trains_it_again_and_converts_nothing(workspace):
    with config_changed(workspace, lambda c: c["unets"]["tiny"].update(epochs=15)):
        jobs = workspace.jobs(target="wang2022")
    assert jobs["train_unet"] == 2 and jobs["segment_patients"] == 2 and jobs["fit_method"] == FITS
    assert "convert_patient" not in jobs


def test_another_manual_mask_is_another_cohort_for_the_network(workspace):
    def without_one(text):
        return "\n".join(row for row in text.splitlines() if not row.startswith("T010,arterial,R1")) + "\n"

    with changed(workspace, "sheets/masks.csv", without_one):
        jobs = workspace.jobs(target="wang2022")
    assert jobs["convert_patient"] == 1 and jobs["segment_patients"] >= 1 and jobs["fit_method"] == FITS


def test_what_cannot_work_is_refused_before_the_first_job(workspace):
    with config_changed(workspace, lambda c: c["unets"]["tiny"].update(fraction=0.1)):
        assert "2 patients would train the network tiny, 4 are needed" in workspace.refuse()
    with changed(workspace, "sheets/masks.csv", lambda text: text.replace(",R2,", ",unet,")):
        assert "has masks of a reader called unet" in workspace.refuse()
    with config_changed(workspace, lambda c: c["cohorts"]["tiny"].update(modality="CT")):
        assert "unets.tiny has no window for ['arterial', 'portal']" in workspace.refuse()
    with config_changed(workspace, lambda c: c.update(masks={"source": "manual"})):
        text = workspace.refuse()
    assert all(f"{patient}: has no mask of reader R1" in text or f"{patient}" in text for patient in UNMASKED)
    assert "let a network draw it with masks: {source: unet}" in text
