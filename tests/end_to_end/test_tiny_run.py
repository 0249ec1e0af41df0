"""The tiny cohort from DICOM to figures: what must hold of the results of any run."""

from __future__ import annotations

import base64
import gzip
import os
import re
import signal
import subprocess
import time
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pydicom
import pytest
import yaml
from printed_names import pages_with_raw_names
from tiny_cohort import BIRTH, FILE_NAME, HOSPITAL, NAME, NUMBER, PRIVATE
from workflow_runner import SNAKEMAKE

from hcc_recurrence.cohort.fit import Fit
from hcc_recurrence.learning.predictions import check_predictions
from hcc_recurrence.statistics.single_models import training_cut_offs


@pytest.fixture(scope="module")
def study(tiny_run):
    return tiny_run.folder / "results/tiny/zhao2024"


def test_predictions_keep_their_promises(study, tiny_run):
    predictions = pd.read_csv(study / "predictions.csv", dtype={"patient_id": str})
    split = pd.read_csv(tiny_run.folder / "results/tiny/splits/tiny.csv", dtype={"patient_id": str})
    check_predictions(predictions, split)
    assert set(predictions["protocol"]) == {"strict", "as_published"}
    assert set(predictions["model"]) == {
        "CR",
        "RCR",
        "Radiomics",
        *(f"Radiomics {c}" for c in ("LR", "SVM", "KNN", "XGB", "MLP")),
        "DL",
        "DL ResNet-10",
        "DL ResNet-18",
        "DLRCR",
        *(f"DLRCR without {i}" for i in ("deep", "radiomics", "clinical")),
    }
    out_of_fold = predictions[predictions["estimate"] == "out_of_fold"].merge(split, on="patient_id")
    for repeat in (1, 2):
        rows = out_of_fold[out_of_fold["repeat"] == repeat]
        assert len(rows) and (rows["fold"] == rows[f"fold_{repeat}"]).all() and (rows["seed"] == 5 + repeat).all()


def test_no_network_saw_a_patient_whose_score_is_out_of_fold(study):
    """From the kept networks themselves: who trained them, and the scores that became predictions."""
    import json

    import torch

    predictions = pd.read_csv(study / "predictions.csv", dtype={"patient_id": str})
    rows = predictions[(predictions["estimate"] == "out_of_fold") & (predictions["model"] == "DL ResNet-18")]
    assert len(rows) == 18
    for fold, held in rows.groupby("fold"):
        kept = torch.load(study / f"networks/ResNet-18/strict.1.{fold}.pt", weights_only=True)
        about = json.loads(kept["about"])
        assert about["fit"] == f"strict.1.{fold}" and not {*about["fitted"], *about["inner"]} & set(held["patient_id"])
        assert len(about["fitted"]) + len(about["inner"]) + len(held) == 18
        fused = json.loads(torch.load(study / f"networks/DLRCR/strict.1.{fold}.pt", weights_only=True)["about"])
        # The fusion starts from the deep model: the patients that decide when it stops must be new to that one too.
        assert fused["fitted"] == about["fitted"] and fused["inner"] == about["inner"]
    assert not list((study / "networks").rglob("*.half")) and not list((study / "networks").rglob("state/*.pt"))


def test_a_killed_training_goes_on_where_it_was(tiny_copy_alone):
    """SIGKILL while one network trains; the next run goes on after the epoch that was kept."""
    config = yaml.safe_load((tiny_copy_alone.folder / "tiny.yaml").read_text())["overrides"]
    config["zhao2024"].update(epochs=150, patience=150)
    tiny_copy_alone.config(overrides=config)
    target = "results/tiny/zhao2024/networks/ResNet-10/strict.1.1.pt"
    state = tiny_copy_alone.folder / "results/tiny/zhao2024/networks/ResNet-10/state/strict.1.1.pt"
    command = [str(SNAKEMAKE), "--configfile", "tiny.yaml", "--cores", "1", target]
    with open(os.devnull, "w") as nowhere:
        process = subprocess.Popen(
            command, cwd=tiny_copy_alone.folder, stdout=nowhere, stderr=nowhere, start_new_session=True
        )
    deadline = time.time() + 300
    while not state.is_file() and time.time() < deadline:
        time.sleep(0.05)
    assert state.is_file() and process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    tiny_copy_alone.snakemake("--unlock")
    tiny_copy_alone.run(target, cores=1)
    log = (tiny_copy_alone.folder / "logs/tiny/zhao2024/train_network/ResNet-10.strict.1.1.log").read_text()
    assert "going on after epoch" in log and "epoch 1 of" not in log and "epoch 150 of 150" in log
    assert not state.exists()


def test_metrics_follow_from_predictions(study):
    """Counts recomputed by hand: the mean over the repeats of single models' counts, each at its own cut-off."""
    predictions = pd.read_csv(study / "predictions.csv")
    metrics = pd.read_csv(study / "tables/metrics.csv")
    keys = ["model", "protocol", "split", "estimate"]
    assert not metrics.duplicated(keys).any()
    for row in metrics.itertuples():
        if pd.isna(row.tp):
            # No variable was selected, here or where the threshold would have been taken: no counts and no rates.
            assert pd.isna([row.fp, row.sensitivity, row.specificity, row.accuracy]).all() and row.remark == row.remark
            continue
        own = predictions[(predictions[keys] == [getattr(row, k) for k in keys]).all(axis=1)]
        assert row.repeats == own["repeat"].nunique()
        cuts = training_cut_offs(predictions)[row.model, row.protocol]
        assert row.threshold == pytest.approx(cuts.loc[sorted(own["repeat"].unique())].mean())
        called = own["probability"] >= own["repeat"].map(cuts) - 1e-10
        assert row.tp == pytest.approx((called & (own["y"] == 1)).sum() / row.repeats)
        assert row.fp == pytest.approx((called & (own["y"] == 0)).sum() / row.repeats)
        assert row.tp + row.fn + row.tn + row.fp == pytest.approx(row.n) and row.n == own["patient_id"].nunique()


def test_radiomics_has_1037_features_a_phase_and_both_readers(tiny_run):
    table = pq.read_table(tiny_run.folder / "results/tiny/radiomics/zhao2024_demo/portal.parquet").to_pandas()
    assert table.shape[1] == 3 + 1037
    assert table.groupby("reader")["patient_id"].nunique().to_dict() == {"R1": 24, "R2": 10}
    assert table.notna().all().all()


def test_every_target_is_there_and_figures_are_not_empty(study):
    names = ("roc", "calibration", "decision_curve", "kaplan_meier", "confusion", "waterfall", "aucs", "delong")
    for name in names:
        for protocol in ("strict", "as_published"):
            assert (study / f"figures/{name}.{protocol}.png").stat().st_size > 5000
            assert (study / f"figures/{name}.{protocol}.svg").read_text().startswith("<?xml")


def test_every_printed_metrics_table_was_solved_for_its_counts(study, tiny_run):
    for folder in (study, tiny_run.folder / "results/tiny/comparison/tiny"):
        checked = pd.read_csv(folder / "tables/metrics_checked.csv")
        metrics = pd.read_csv(folder / "tables/metrics.csv")
        # A model without a variable has no counts to solve for.
        assert len(checked) == len(metrics) and (checked["solutions"] >= 0).all()
        assert (checked["solutions"] == 0).sum() == metrics["tp"].isna().sum() < len(metrics) / 2


def test_a_metrics_table_that_fits_no_counts_stops_the_run(tiny_copy):
    """A printed sensitivity is changed by hand: the check fails, and says which row."""
    path = "results/tiny/zhao2024/tables/metrics_printed.csv"
    text = (tiny_copy.folder / path).read_text()
    # The first row that has rates: a model without a variable has none.
    rates = pd.read_csv(tiny_copy.folder / path, dtype=str)["specificity"]
    row = int(rates.str.match(r"[01]\.", na=False).argmax())
    first = text.splitlines()[1 + row]
    (tiny_copy.folder / path).write_text(text.replace(first, first.replace(rates[row], "0.123 (0.1-0.2)", 1)))
    target = "results/tiny/zhao2024/tables/metrics_checked.csv"
    # Of a file that was edited Snakemake would take note, and make it again.
    options = ("--cores", "1", "--rerun-triggers", "mtime", "--forcerun", "check_metrics_table")
    result = tiny_copy.snakemake(*options, target)
    assert result.returncode != 0
    assert "the rates fit 0 confusion matrices" in result.stdout + result.stderr


def test_the_comparison_holds_the_papers_models_scores_and_confounders(tiny_run):
    folder = tiny_run.folder / "results/tiny/comparison/tiny"
    metrics = pd.read_csv(folder / "tables/metrics.csv")
    # The tiny cohort lacks what BCLC, ALBI and the ratios need: they are left out, and the log says why.
    assert set(metrics["model"]) == {
        *(f"zhao2024:{m}" for m in ("CR", "RCR", "Radiomics", "DL", "DLRCR")),
        *(f"yan2023:{m}" for m in ("AP", "PVP", "mp-MR", "Clinical-nomogram", "DL-nomogram")),
        *(f"zhang2025:{m}" for m in ("DL_2.5D", "DL_3D", "Clinical", "Combined")),
        *("Volume", "Centre"),
    }
    log = (tiny_run.folder / "logs/tiny/comparison/tiny/fit_comparators.log").read_text()
    assert "ALBI is not computed: needs bilirubin, albumin" in log
    own = pd.read_csv(tiny_run.folder / "results/tiny/zhao2024/tables/metrics.csv").set_index(
        ["model", "protocol", "split", "estimate"]
    )
    for row in metrics[metrics["model"] == "zhao2024:RCR"].itertuples():
        assert row.auc == own.loc[("RCR", row.protocol, row.split, row.estimate), "auc"]
    volumes = pd.read_csv(tiny_run.folder / "results/tiny/tumours.csv")
    assert len(volumes) == (24 + 10) * 2 and (volumes["volume_ml"] > 0.1).all()


def test_tumour_volumes_are_those_of_the_masks(tiny_run):
    import SimpleITK as sitk

    row = pd.read_csv(tiny_run.folder / "results/tiny/tumours.csv").iloc[0]
    file = tiny_run.folder / f"results/tiny/masks/native/{row['patient_id']}/{row['phase']}.{row['reader']}.nii.gz"
    statistics = sitk.LabelShapeStatisticsImageFilter()
    statistics.Execute(sitk.ReadImage(str(file)))
    assert row["volume_ml"] == pytest.approx(statistics.GetPhysicalSize(1) / 1000)


def test_the_null_control_runs_and_reports_every_model(tiny_copy):
    """Of a method with classifiers and of one with a grid; the models of the third are trained as the first's are."""
    studies = yaml.safe_load((tiny_copy.folder / "tiny.yaml").read_text())["studies"]
    tiny_copy.config(null_control={"permutations": 2}, studies=studies[:2])
    tiny_copy.run("null_control", cores=2)
    folder = tiny_copy.folder / "results/tiny/zhao2024"
    table = pd.read_csv(folder / "tables/null_control.csv")
    observed = pd.read_csv(folder / "tables/metrics.csv")
    # Networks are trained again only where the config asks for it, and the page names what is left out.
    deep = observed["model"].str.startswith("DL")
    assert len(table) == (~deep).sum() > 0 and (table["permutations"] == 2).all()
    assert "DLRCR without deep" in (folder / "tables/null_control.html").read_text()
    labels = [
        pd.read_csv(tiny_copy.folder / f"results/tiny/{where}labels.csv")["er"].tolist()
        for where in ("", "null/1/", "null/2/")
    ]
    assert sorted(labels[0]) == sorted(labels[1]) == sorted(labels[2])
    assert labels[0] != labels[1] != labels[2]
    assert tiny_copy.jobs(target="null_control") == {}


def test_every_job_left_a_log_and_a_benchmark(tiny_run):
    logs = {
        str(f.relative_to(tiny_run.folder / "logs").with_suffix("")) for f in (tiny_run.folder / "logs").rglob("*.log")
    }
    tables = {
        str(f.relative_to(tiny_run.folder / "benchmarks").with_suffix(""))
        for f in (tiny_run.folder / "benchmarks").rglob("*.tsv")
    }
    assert logs == tables and len(logs) > 24 * 4


def contents_of(file):
    """The bytes of a file, and of what is packed in it."""
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as packed:
            # Without the weights of networks, hundreds of megabytes of numbers.
            yield from (packed.read(name) for name in packed.namelist() if "/data/" not in name)
        return
    data = file.read_bytes()
    yield gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def test_no_identifier_of_a_person_leaves_the_headers(tiny_run):
    """What stands in headers, private tags and file names is in no file of the results and logs."""
    image = next((tiny_run.folder / "hospital/T001/arterial").iterdir())
    header = pydicom.dcmread(image)
    assert str(header.PatientName) == NAME and FILE_NAME in image.name
    assert header.private_block(0x0099, "HOSPITAL")[0x01].value == PRIVATE
    parts = {*NAME.replace("^", "=").split("="), NUMBER, HOSPITAL, *PRIVATE.split()}
    codes = ("utf-8", "latin-1", "gb18030", "utf-16-le")
    # Fewer bytes stand by chance in the weights of networks.
    secrets = {s for part in parts for code in codes if len(s := part.encode(code, "ignore")) > 4}
    assert len(secrets) > 15
    packed = 0
    for place in ("results", "logs", "benchmarks", ".snakemake"):
        # The cache of headers, which stays on the machine, knows files by their paths.
        own = secrets if place == ".snakemake" else secrets | {FILE_NAME.encode()}
        for file in (tiny_run.folder / place).rglob("*"):
            if file.is_file() and file.name != "hcc_headers.json":
                packed += file.suffix in (".gz", ".npz", ".pt")
                for data in contents_of(file):
                    found = [secret for secret in own if secret in data]
                    # Not the digits of another number.
                    found += re.findall(rb"(?<![\d.])" + BIRTH.encode() + rb"(?!\d)", data)
                    assert not found, (file, found)
    assert packed > 100
    # The search finds what is there.
    assert any(secret in image.read_bytes() for secret in secrets)


def test_tables_for_print_have_names_for_print(tiny_run):
    assert pages_with_raw_names(tiny_run.folder / "results") == {}


def half_made(folder: Path) -> set[str]:
    """Outputs of jobs that were killed, by Snakemake's own marks: they run again when somebody asks for them."""
    marks = folder / ".snakemake/incomplete"
    return {
        base64.b64decode("".join(file.relative_to(marks).parts), altchars=b"-_").decode()
        for file in marks.rglob("*")
        if file.is_file() and file.name != "migration_underway"
    }


def test_a_killed_run_is_completed_with_the_same_bytes_on_one_core_as_on_all(tiny_run, tiny_copy_alone):
    """SIGKILL to the whole process group in the middle; then a plain run. The session's run used all cores.

    Three patients from their DICOM files on, and everything that is made of all patients together.
    """
    results = tiny_copy_alone.folder / "results/tiny"
    tiny_copy_alone.take_away("T001", "T002", "T003")
    process = subprocess.Popen(
        [str(SNAKEMAKE), "--configfile", "tiny.yaml", "--cores", "4", "all"],
        cwd=tiny_copy_alone.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.time() + 300
    while not list(results.glob("radiomics/*/T00[123]/*.feather")) and time.time() < deadline:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (results / "zhao2024/predictions.csv").exists()
    assert len(list(results.glob("crops/*/T00[123].npz"))) < 12
    tiny_copy_alone.snakemake("--unlock")
    # All predictions, and of each kind of table and figure one: the others come from the same rules.
    zhao, yan, zhang = (f"results/tiny/{paper}" for paper in ("zhao2024", "yan2023", "zhang2025"))
    targets = [
        *(f"{zhao}/tables/{table}.html" for table in ("metrics", "delong", "calibration", "survival")),
        # Of Zhang one fit of each kind of network, and the contact sheets: all fits would take minutes on one core.
        *(
            f"{zhang}/networks/{n}.scores.csv"
            for n in ("DenseNet121-16/strict.1.1-2", "DenseNet121/as_published.1.0.validation")
        ),
        f"{zhang}/networks/3D-DenseNet121/strict.1.1.scores.csv",
        "results/tiny/crops/tiny_views.page3.png",
        *(f"{zhao}/{name}" for name in ("tables/risk_factors.csv", "figures/score_cam.png", "figures/roc.strict.png")),
        *(f"{yan}/figures/{name}.png" for name in ("grid.strict", "nomogram_deep.strict", "calibration.strict")),
    ]
    tiny_copy_alone.run(*targets, cores=1)
    kinds, left = {}, half_made(tiny_copy_alone.folder)
    assert not left & set(targets)
    for pattern in (
        "tiny/radiomics/**/*.parquet",
        "tiny/radiomics/**/*.feather",
        "tiny/*/features/*.parquet",
        "tiny/**/*.csv",
        "tiny/**/*.svg",
        "tiny/**/*.png",
        "tiny/images/**/*.nii.gz",
        "tiny/crops/*.npz",
    ):
        for file in (tiny_copy_alone.folder / "results").glob(pattern):
            name = file.relative_to(tiny_copy_alone.folder)
            if str(name) in left:
                continue
            assert file.read_bytes() == (tiny_run.folder / name).read_bytes(), file
            kinds[pattern] = kinds.get(pattern, 0) + 1
    assert kinds["tiny/**/*.csv"] > 60 and kinds["tiny/images/**/*.nii.gz"] == 24 * 2 * 4 and len(kinds) == 8
    for name in (
        "zhao2024/predictions.csv",
        "yan2023/predictions.csv",
        "zhang2025/networks/DenseNet121-16/strict.1.1-2.scores.csv",
    ):
        assert (tiny_copy_alone.folder / "results/tiny" / name).is_file()


def test_a_crop_can_be_made_from_a_named_entry_with_its_bias_field_corrected(tiny_copy):
    """With the phases of the cohort's sheet, none being named; beside it the same box without N4."""
    import numpy as np

    config = yaml.safe_load((tiny_copy.folder / "tiny.yaml").read_text())
    box = {"size_voxels": [12, 20, 20]}
    config["grids"]["iso2_n4"] = {"spacing_mm": [2, 2, 2], "bias_correction": "n4"}
    config["crops"] |= {"box": {**box, "grid": "iso2"}, "box_n4": {**box, "grid": "iso2_n4"}}
    tiny_copy.config(grids=config["grids"], crops=config["crops"])
    crops = {name: tiny_copy.folder / f"results/tiny/crops/{name}/T001.npz" for name in ("box", "box_n4")}
    tiny_copy.run(*(str(file.relative_to(tiny_copy.folder)) for file in crops.values()))
    images = {}
    for name, file in crops.items():
        with np.load(file, allow_pickle=False) as crop:
            assert crop["image"].shape == (2, 12, 20, 20) and crop["image"].dtype == np.float32
            assert list(crop["axes"]) == ["phase", "z", "y", "x"]
            assert list(crop["phases"]) == ["arterial", "portal"]
            assert crop["image"].std() > 0 and crop["mask"].shape == (12, 20, 20) and crop["mask"].any()
            images[name] = crop["image"]
    for plain, corrected in zip(images["box"], images["box_n4"], strict=True):
        # What N4 divides by varies, and less from voxel to voxel than the image does.
        image, field = np.log(plain), np.log(plain) - np.log(corrected)
        assert field.std() > 0.01
        for axis in range(3):
            assert np.abs(np.diff(field, axis=axis)).mean() < 0.5 * np.abs(np.diff(image, axis=axis)).mean()


def test_each_phase_of_yan_has_its_own_slice_as_acquired(tiny_run):
    import numpy as np
    import SimpleITK as sitk

    with np.load(tiny_run.folder / "results/tiny/crops/yan2023_demo.npz", allow_pickle=False) as stack:
        assert stack["image"].shape == (24, 2, 1, 48, 48) and stack["mask"].shape == (24, 2, 1, 48, 48)
        assert stack["image"].min() >= 0 and 200 < stack["image"].max() <= 255
        # The square is 1.2 times the tumour in each phase.
        assert (stack["mask"].mean(axis=(2, 3, 4)) > 0.3).all()
        assert (stack["mask"][:, 0] != stack["mask"][:, 1]).any()
    folder = tiny_run.folder / "results/tiny/images"
    native, kept = (sitk.ReadImage(str(folder / grid / "T007/portal.nii.gz")) for grid in ("native", "yan2023"))
    assert native.GetSize() == kept.GetSize() and native.GetSpacing() == kept.GetSpacing()
    features = pq.read_table(tiny_run.folder / "results/tiny/yan2023/features/VGG19.portal.parquet").to_pandas()
    assert features.shape == (24, 1472) and features.to_numpy().std() > 0


def test_yan_is_whole_in_both_protocols(tiny_run):
    folder = tiny_run.folder / "results/tiny/yan2023"
    predictions = pd.read_csv(folder / "predictions.csv", dtype={"patient_id": str})
    check_predictions(predictions, pd.read_csv(tiny_run.folder / "results/tiny/splits/tiny.csv"))
    nomograms = [f"{n}{w}" for n in ("Clinical-nomogram", "DL-nomogram") for w in ("", " preoperative")]
    assert set(predictions["model"]) == {"AP", "PVP", "mp-MR", *nomograms}
    wide = predictions.pivot_table(
        index=["patient_id", "protocol", "estimate", "repeat"], columns="model", values="probability"
    )
    assert (wide["mp-MR"] - (wide["AP"] + wide["PVP"]) / 2).abs().max() < 1e-9
    regressions = pd.read_csv(folder / "tables/nomograms.csv")
    before = regressions[regressions["model"].str.endswith("preoperative")]
    late = "Microvascular invasion (post-op)"
    assert late in set(regressions["variable"]) and late not in set(before["variable"])
    # As published each phase is the cell that is best on the validation patients.
    grid = pd.read_csv(folder / "tables/grid.csv")
    held = grid[grid["estimate"] == "validation"]
    best = held.groupby("phase")["auc"].transform("max")
    assert (held.loc[held["chosen_as_published"], "auc"] == best[held["chosen_as_published"]]).all()
    readings = pd.read_csv(folder / "tables/readings.csv").set_index(["variable", "compared"])
    assert readings.loc[("necrosis", "all readers"), "measure"] == "Fleiss' kappa"
    assert readings.loc[("diameter", "same reader twice"), "measure"] == "ICC(2,1)"
    assert readings["value"].between(0.3, 1).all() and (readings["n"] == 24).all()


def test_zhang_is_whole_in_both_protocols(tiny_run):
    folder = tiny_run.folder / "results/tiny/zhang2025"
    predictions = pd.read_csv(folder / "predictions.csv", dtype={"patient_id": str})
    split = pd.read_csv(tiny_run.folder / "results/tiny/splits/tiny.csv", dtype={"patient_id": str})
    check_predictions(predictions, split)
    deep = ["DL_2.5D", "DL_2.5D LR", "DL_2.5D ExtraTrees", "DL_2.5D without radiomics", "DL_3D", "DL_3D 3D-DenseNet121"]
    clinical = [f"{n}{w}" for n in ("Clinical", "Combined") for w in ("", " preoperative")]
    assert set(predictions["model"]) == {*deep, *clinical}
    slices = pd.read_csv(folder / "tables/slices.csv")
    assert len(slices) == 2 * 2 * 2 and (slices["n"] == slices["patients"] * 5).all()
    inflation = pd.read_csv(folder / "tables/inflation.csv").set_index(["learner", "protocol"])
    metrics = pd.read_csv(folder / "tables/metrics.csv")
    own = metrics[metrics["estimate"] != "cross_validated"].set_index(["model", "protocol", "split"])
    for (learner, protocol), row in inflation.iterrows():
        assert row["train"] == own.loc[(f"DL_2.5D {learner}", protocol, "train"), "auc"]
    # What the learners' own cross-validation says is an estimate of the shared tables, as published alone.
    crossed = metrics[metrics["estimate"] == "cross_validated"]
    assert set(crossed["protocol"]) == {"as_published"} and set(crossed["split"]) == {"train"}
    assert set(crossed["model"]) == {m for m in predictions["model"] if not m.startswith("DL_3D")}


def test_networks_of_images_saw_neither_the_patient_nor_the_fold_they_score_for(tiny_run):
    import json

    import torch

    folder = tiny_run.folder / "results/tiny/zhang2025"
    folds = pd.read_csv(tiny_run.folder / "results/tiny/splits/tiny.csv").set_index("patient_id")["fold_1"]
    for network in ("DenseNet121", "DenseNet121-16"):
        fits = sorted(f.name.removesuffix(".scores.csv") for f in (folder / "networks" / network).glob("*.scores.csv"))
        strict = [f"strict.1.{folds}" for folds in ("0", "1", "1-2", "1-3", "2", "2-3", "3")]
        assert fits == ["as_published.1.0.validation", *strict]
        for fit in map(Fit.parse, fits):
            scores = pd.read_csv(folder / f"networks/{network}/{fit}.scores.csv")
            assert len(scores) == 24 * 5 and (scores.groupby("patient_id")["role"].nunique() == 1).all()
            seen = set(scores.loc[scores["role"] != "unseen", "patient_id"])
            trained = {p for p, fold in folds.dropna().items() if int(fold) not in fit.left_out}
            assert seen == (trained if fit.protocol == "strict" else set(folds.index))
            kept = folder / f"networks/{network}/{fit}.pt"
            # Networks without two folds only score.
            assert kept.exists() == (len(fit.left_out) < 2)
            if kept.exists():
                about = json.loads(torch.load(kept, weights_only=True)["about"])
                assert {*about["fitted"], *about["inner"]} == seen
    explained = pd.read_csv(folder / "tables/grad_cam.csv")
    assert (explained["kind"].str.endswith("right")).sum() <= 2 and explained["network"].isin(
        ["DenseNet121", "DenseNet121-16"]
    ).all()


def test_every_table_figure_and_caption_says_that_the_weights_are_random(tiny_run):
    """docs/architecture.md 6: without a file of weights every table and figure of the study says so."""
    words = {
        "yan2023": "Random weights, not ImageNet's: Yan 2023 VGG19",
        "zhao2024": "Trained from random weights",
        # DL_3D is trained from scratch in the paper, too.
        "zhang2025": "Trained from random weights: Zhang 2025 DenseNet121",
    }
    # What shows patients and clinical variables alone, or features of radiomics.
    without = {"baseline", "baseline_sets", "risk_factors", "flow_chart", "forest"}
    without |= {f"nomogram_{kind}" for kind in ("logistic", "cox", "calibration")}
    of_radiomics = {"zhao2024": {"selection", "coefficients", "reproducibility"}}
    for paper, text in words.items():
        folder, clinical = tiny_run.folder / "results/tiny" / paper, without | of_radiomics.get(paper, set())
        figures, tables = sorted(folder.glob("figures/*.svg")), sorted(folder.glob("*/*.html"))
        assert len(figures) > 30 and len(tables) > 10
        for table in tables:
            said = text in table.read_text().replace("&#x27;", "'")
            assert said == (table.name.split(".")[0] not in clinical), table
        for figure in figures:
            # A long one is wrapped.
            words_of = " ".join(re.findall(r"<text[^>]*>(.*?)</text>", figure.read_text()))
            said = text in words_of.replace("&#39;", "'").replace("&apos;", "'")
            assert said == (figure.name.split(".")[0] not in clinical), figure
    report = (tiny_run.folder / "results/report.html").read_text()
    assert report.count("Random weights, not ImageNet") > 30


def test_crops_of_networks_are_registered_normalised_slices(tiny_run):
    import numpy as np

    with np.load(tiny_run.folder / "results/tiny/crops/zhao2024_slices_demo.npz", allow_pickle=False) as stack:
        assert stack["image"].shape == (24, 2, 3, 24, 24) and stack["phases"].tolist() == ["arterial", "portal"]
        assert 0 <= stack["image"].min() < stack["image"].max() <= 1
        # The square is 1.2 times the tumour, which is round.
        assert 0.3 < stack["mask"][:, 1].mean() < 0.75
    quality = pd.read_csv(tiny_run.folder / "results/tiny/registration/arterial.csv")
    assert len(quality) == 24 and set(quality["phase"]) == {"portal"}
    used = quality[quality["failed"].isna()]
    assert len(used) >= 12 and (used["metric_after"] < used["metric_before"]).all()
    assert used["dice_after"].mean() > used["dice_before"].mean()
    folder = tiny_run.folder / "results/tiny/images/iso2_to_arterial/T007"
    assert sorted(f.name for f in folder.iterdir() if not f.name.startswith(".")) == [
        "arterial.nii.gz",
        "portal.nii.gz",
    ]
    # Found once, whatever grids there are.
    registered = sorted(f.name for f in (tiny_run.folder / "results/tiny/registration/arterial/T007").iterdir())
    assert registered == ["portal.csv", "portal.tfm"]


def test_the_report_is_one_file_with_every_figure(tiny_run):
    text = (tiny_run.folder / "results/report.html").read_text()
    assert "roc.strict.png" in text and "performance table" in text
    assert 'src="http' not in text and 'href="http://' not in text.split("<body")[0]
