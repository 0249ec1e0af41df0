"""Cui 2022 joins a finished run of other methods: it makes its crops and networks, and no image anew."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from sklearn.metrics import roc_auc_score
from tiny_cohort import CONFIG
from workflow_runner import REPOSITORY

from hcc_recurrence.files import read_csv
from hcc_recurrence.learning.predictions import check_predictions
from hcc_recurrence.numerics import kernels

WITHOUT = ["hepatitis", "child_pugh", "cirrhosis", "differentiation_poor", "alt"]
# Folds of the split `tiny`, with a strict network, one whose fold decides when to stop, and one of half the patients.
FOLDS = 3


# What is this method's own; the tables and figures that every method has are made and looked at for others.
TABLES = ("curve", "relevance", "ensemble", "second_reader")
FIGURES = ("boxes.page1", "grad_cam", "relevance", "learning_curve", "training", "second_reader", "roc.strict")
OWN = [
    *(f"results/tiny/cui2022/tables/{name}.csv" for name in TABLES),
    *(f"results/tiny/cui2022/figures/{name}.png" for name in FIGURES),
    *(f"results/tiny/cui2022/models/{protocol}.1.0" for protocol in ("strict", "as_published")),
    "results/tiny/cui2022/predictions.csv",
]


@pytest.fixture(scope="module")
def joined(tiny_run, tmp_path_factory):
    """The tiny cohort with the study, and the jobs that it needs."""
    workspace = tiny_run.copy_to(tmp_path_factory.mktemp("cui") / "run")
    config = yaml.safe_load(yaml.safe_dump(CONFIG))
    config["studies"].append({"paper": "cui2022", "cohort": "tiny", "without": WITHOUT})
    box = {"grid": "iso2_to_arterial", "size_voxels": [4, 24, 24]}
    config["crops"] |= {"tiny_ss": {**box, "masked": True}, "tiny_nss": box}
    networks = {n: {"architecture": "cui3d", "crops": f"tiny_{n.lower()}"} for n in ("SS", "NSS")}
    config["overrides"]["cui2022"] = {"split": "tiny", "crops": "tiny_ss", "networks": networks, "epochs": 1}
    (workspace.folder / "tiny.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    jobs = workspace.jobs(target="cui2022")
    workspace.run(*OWN)
    return workspace, jobs


@pytest.fixture(scope="module")
def results(joined):
    return joined[0].folder / "results/tiny/cui2022"


def test_only_what_the_method_brings_is_made(joined):
    _, jobs = joined
    assert jobs["train_network"] == 2 * 2 * FOLDS and jobs["train_scoring_network"] == 2 * FOLDS
    assert jobs["keep_cui2022_networks"] == 2 and jobs["gather_cui2022"] == 1
    assert jobs["crop_patient"] == 2 * 24 and jobs["collect_crops"] == 2
    assert not {"convert_patient", "resample_patient", "write_splits", "write_labels", "extract_radiomics"} & set(jobs)


def test_both_networks_predict_every_patient_in_both_protocols(joined, results):
    split = pd.read_csv(joined[0].folder / "results/tiny/splits/tiny.csv", dtype={"patient_id": str})
    predictions = pd.read_csv(results / "predictions.csv", dtype={"patient_id": str})
    check_predictions(predictions, split)
    counted = predictions.groupby(["model", "protocol", "estimate"])["patient_id"].nunique()
    for model in ("SS", "NSS"):
        assert counted[model, "strict", "out_of_fold"] == 18 and counted[model, "as_published", "apparent"] == 18
        assert counted[model, "strict", "held_out"] == counted[model, "as_published", "held_out"] == 6


def test_a_held_out_patient_has_the_mean_of_the_networks_of_all_folds(results):
    predictions = pd.read_csv(results / "predictions.csv", dtype={"patient_id": str})
    held = predictions.query("model == 'SS' and protocol == 'strict' and estimate == 'held_out'")
    scores = [
        pd.read_csv(results / f"networks/SS/strict.1.{fold}.scores.csv", dtype={"patient_id": str}).set_index(
            "patient_id"
        )
        for fold in range(1, FOLDS + 1)
    ]
    for row in held.itertuples():
        mean = np.mean([table.loc[row.patient_id, "probability"] for table in scores])
        assert row.probability == pytest.approx(mean, abs=1e-9)


# A process of its own, which takes the kernels that the run's jobs had: others differ in the eighth digit.
SCORE = """
import json, sys
from pathlib import Path
from hcc_recurrence.files import as_written
from hcc_recurrence.methods.cui2022.deep import CuiEnsemble, read_boxes
folder, patients = Path(sys.argv[1]), json.loads(sys.argv[2])
kept = CuiEnsemble.load(folder)
stacks = {name: folder.parents[2] / f"crops/{own.crops}.npz" for name, own in kept.networks.items()}
definitions = {name: own.definition for name, own in kept.networks.items()}
found = kept.predict(read_boxes(stacks, kept.phases, patients, definitions), patients)
print(json.dumps({name: as_written(found[name]) for name in found}))
"""


@pytest.mark.parametrize(("protocol", "number"), [("strict", 6), ("as_published", 24)])
def test_the_kept_model_gives_the_scores_of_the_predictions_table(joined, results, protocol, number):
    predictions = read_csv(results / "predictions.csv")
    rows = predictions[(predictions["protocol"] == protocol) & (predictions["fold"] == 0)]
    patients = sorted(read_csv(joined[0].folder / "results/tiny/splits/tiny.csv")["patient_id"])
    environment = {**os.environ, **kernels("portable"), "PYTHONPATH": str(REPOSITORY / "workflow/scripts")}
    words = [sys.executable, "-c", SCORE, str(results / f"models/{protocol}.1.0"), json.dumps(patients)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    for name in ("SS", "NSS"):
        own = rows[rows["model"] == name].set_index("patient_id")["probability"]
        scored = dict(zip(patients, found[name], strict=True))
        assert len(own) == number and [scored[p] for p in own.index] == own.tolist(), name


def test_networks_name_their_patients_and_keep_how_they_scale(results):
    file = torch.load(results / "networks/NSS/strict.1.2.pt", weights_only=True)
    about = json.loads(file["about"])
    assert about["settings"]["standardise"] and len(about["fitted"]) + len(about["inner"]) == 12
    assert float(file["weights"]["sd"]) > 0 and float(file["weights"]["mean"]) != 0
    masked = torch.load(results / "networks/SS/strict.1.2.pt", weights_only=True)
    assert float(masked["weights"]["mean"]) != float(file["weights"]["mean"])


def test_curve_relevance_and_figures(results):
    curve = pd.read_csv(results / "tables/curve.csv")
    # Where a network gives everyone one score, or every pair is in the same order, there is no test.
    assert curve["share"].tolist() == [0.5, 0.5, 1, 1] and (curve["p"].dropna().between(0, 1)).all()
    assert curve["p"].notna().any()
    assert curve["trained"].iloc[0] < curve["trained"].iloc[-1]
    relevance = pd.read_csv(results / "tables/relevance.csv")
    assert len(relevance) == 18 and relevance[["SS", "NSS"]].stack().between(0, 1).all()
    ensemble = pd.read_csv(results / "tables/ensemble.csv")
    assert ensemble["model"].tolist() == ["NSS", "SS"] and ensemble["strict"].between(0, 1).all()
    for name in ("boxes.page1", "grad_cam", "relevance", "learning_curve", "training"):
        assert (results / f"figures/{name}.png").stat().st_size > 5000
    # SS and NSS are its main models: no figure of variants repeats their curves.
    assert (results / "figures/roc.strict.png").is_file() and not list(results.glob("figures/roc_variants.*"))


def test_a_second_readers_masks_are_scored_by_the_same_networks(joined, results):
    """Figure S1: of the six patients outside training another reader outlined five."""
    table = pd.read_csv(results / "tables/second_reader.csv")
    assert table[["reader", "split"]].drop_duplicates().to_numpy().tolist() == [["R2", "validation"]]
    assert len(table) == 4 and (table["n"] == 5).all() and (table["largest_change"] > 0).all()
    predictions = read_csv(results / "predictions.csv")
    masks = pd.read_csv(joined[0].folder / "sheets/masks.csv", dtype=str)
    again = set(masks.loc[masks["reader"] == "R2", "patient_id"])
    for row in table.itertuples():
        own = predictions.query("model == @row.model and protocol == @row.protocol and estimate == 'held_out'")
        own = own[own["patient_id"].isin(again)]
        assert roc_auc_score(own["y"], own["probability"]) == pytest.approx(row.auc, abs=1e-9)
        assert row.auc - row.auc_other == pytest.approx(row.difference, abs=1e-9)
    assert (results / "figures/second_reader.png").stat().st_size > 5000


def test_nothing_changed_runs_nothing(joined):
    assert joined[0].jobs(*OWN[:-1], target=OWN[-1]) == {}


@pytest.mark.parametrize(
    ("key", "value", "trained"),
    [
        ("training_shares", [0.4], {"train_scoring_network": 2 * FOLDS}),
        ("patience", 9, {"train_network": 4 * FOLDS, "train_scoring_network": 2 * FOLDS}),
    ],
)
def test_a_setting_repeats_what_depends_on_it(joined, key, value, trained):
    workspace = joined[0]
    file = workspace.folder / "tiny.yaml"
    before = file.read_text()
    config = yaml.safe_load(before)
    config["overrides"]["cui2022"][key] = value
    file.write_text(yaml.safe_dump(config, sort_keys=False))
    jobs = workspace.jobs(target="cui2022")
    file.write_text(before)
    assert {rule: n for rule, n in jobs.items() if rule.startswith("train_")} == trained
    assert jobs["compare_cui2022"] == 1 and "crop_patient" not in jobs and "collect_crops" not in jobs
    assert ("gather_cui2022" in jobs) == ("keep_cui2022_networks" in jobs) == (key == "patience")
