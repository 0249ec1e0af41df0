"""Comparisons, optimism, null control, checklists, start page: tables that follow from the predictions."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from figure_checks import unreadable
from workflow_runner import REPOSITORY

from hcc_recurrence.checklists import KNOWN_WORDS, SOURCES, Run, evidence, fill_checklist, read_checklist
from hcc_recurrence.cohort.labels import permute_outcome
from hcc_recurrence.figures.forest import plot_strata
from hcc_recurrence.figures.html import metrics_for_readers, readable, survival_for_readers
from hcc_recurrence.methods.contract import declared
from hcc_recurrence.statistics.auc import auc_cross_validated, auc_delong
from hcc_recurrence.statistics.classification import metrics_table
from hcc_recurrence.statistics.comparisons import (
    agreement_table,
    auc_by_seed,
    comparison_family,
    delong_pairs,
    optimism_table,
    strata_table,
    training_against_others,
)
from hcc_recurrence.statistics.count_solver import check_printed_table
from hcc_recurrence.statistics.degenerate import NOTHING_VARIES
from hcc_recurrence.statistics.delong import paired_test, unpaired_test
from hcc_recurrence.statistics.measures import calibration_table, survival_tables
from hcc_recurrence.statistics.null_control import summarise_null_control
from hcc_recurrence.statistics.survival import dynamic_auc, harrell_c

CHECKLISTS = REPOSITORY / "workflow" / "checklists"


def make_predictions(signal=1.0, seed=0):
    """Models a and b, strict (2 repeats of 2 folds) and as published, on 40 training and 30 validation patients."""
    generator = np.random.default_rng(seed)
    n = 70
    y = generator.permutation(np.tile([0, 1], n // 2))
    split = np.where(np.arange(n) < 40, "train", "validation")
    months = np.where(y == 1, generator.uniform(1, 23, n), generator.uniform(25, 60, n)).round(1)
    rows = []
    for model in ("a", "b"):
        for repeat in (1, 2):
            fold = generator.permutation(np.tile([1, 2], n // 2))
            p = 1 / (1 + np.exp(-(signal * (2 * y - 1) + generator.normal(size=n))))
            for i in range(n):
                base = {"patient_id": f"p{i:02d}", "model": model, "y": y[i], "split": split[i], "repeat": repeat}
                base["seed"] = 7 + repeat
                base |= {"rfs_months": months[i], "rfs_event": y[i], "probability": round(float(p[i]), 2)}
                train = split[i] == "train"
                kind = {"estimate": "out_of_fold" if train else "held_out", "fold": fold[i] if train else 0}
                # Every model has the same folds in a repeat, as in a real split.
                kind["fold"] = (i // 2 + repeat) % 2 + 1 if train else 0
                rows.append({**base, "protocol": "strict", **kind})
                if repeat == 1:
                    apparent = {"estimate": "apparent" if train else "held_out", "fold": 0}
                    better = float(y[i]) if train else base["probability"]
                    rows.append({**base, "protocol": "as_published", **apparent, "probability": better})
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def predictions():
    return make_predictions()


@pytest.fixture(scope="module")
def metrics(predictions):
    return metrics_table(predictions)


def test_delong_pairs_are_the_paired_test_of_the_same_rows(predictions):
    pairs = delong_pairs(predictions, ["a", "b"]).set_index(["protocol", "split", "estimate"])
    own = predictions[(predictions["protocol"] == "as_published") & (predictions["split"] == "validation")]
    wide = own.pivot(index="patient_id", columns="model", values="probability")
    y = own.drop_duplicates("patient_id").set_index("patient_id")["y"].loc[wide.index]
    expected = paired_test(y.to_numpy(), wide["a"].to_numpy(), wide["b"].to_numpy())
    found = pairs.loc[("as_published", "validation", "held_out")]
    assert (found["difference"], found["p"]) == pytest.approx((expected.difference, expected.p))
    folds = pairs.loc[("strict", "train", "out_of_fold")]
    for model, column in (("a", "auc"), ("b", "other_auc")):
        rows = predictions[(predictions["model"] == model) & (predictions["estimate"] == "out_of_fold")]
        area = auc_cross_validated(*(rows[c].to_numpy() for c in ("y", "probability", "fold", "repeat")))
        assert folds[column] == pytest.approx(area.auc)
    assert (pairs["n"] == [40, 30, 40, 30]).all() or set(pairs["n"]) == {30, 40}


def test_models_are_compared_on_the_patients_that_both_have(predictions):
    fewer = predictions[~((predictions["model"] == "b") & (predictions["patient_id"] < "p10"))]
    pairs = delong_pairs(fewer, ["a", "b"]).set_index(["protocol", "split", "estimate"])
    assert pairs.loc[("as_published", "train", "apparent"), "n"] == 30
    assert pairs.loc[("strict", "validation", "held_out"), "n"] == 30


def test_two_cross_validations_have_no_pairs_in_common(predictions):
    """Folds of one number of two methods are other patients: those who are in both by chance are no sample to test."""
    rows = predictions[(predictions["estimate"] == "out_of_fold") & (predictions["repeat"] == 1)]
    moved = rows.assign(fold=rows["fold"].where(rows["model"] != "b", np.roll(rows["fold"], 1) % 3 + 1))
    shared = moved.groupby("patient_id")["fold"].nunique().eq(1)
    assert 0 < shared.sum() < len(shared)
    line = delong_pairs(moved, ["a", "b"]).squeeze()
    assert line["n"] == 40 and "other folds" in line["remark"] and np.isnan(line["p"]) and np.isnan(line["difference"])
    assert np.isfinite(delong_pairs(rows, ["a", "b"]).squeeze()["p"])


def test_holm_is_over_all_pairs_of_a_panel(predictions):
    third = predictions[predictions["model"] == "a"].assign(model="c")
    third["probability"] = 1 - third["probability"]
    pairs = delong_pairs(pd.concat([predictions, third]), ["a", "b", "c"])
    panel = pairs[(pairs["protocol"] == "strict") & (pairs["split"] == "validation")].sort_values("p")
    p = panel["p"].to_numpy()
    expected = np.minimum(np.maximum.accumulate(p * [3, 2, 1]), 1)
    assert panel["p_holm"].to_numpy() == pytest.approx(expected)


def test_variants_are_compared_within_their_family_alone(predictions):
    """Holm counts the pairs of a family: 1 pair of models, 3 of DLRCR with its variants, none of two families."""
    renamed = {"a": ("DL", "DLRCR", "DLRCR without deep"), "b": ("DLRCR without clinical",)}
    rows = pd.concat([predictions[predictions["model"] == o].assign(model=n) for o, ns in renamed.items() for n in ns])
    deep = rows["model"] == "DL"
    rows.loc[deep, "probability"] = 1 - 0.5 * rows.loc[deep, "probability"]
    # A variant that ranks some patients otherwise: two of the same order could not be tested.
    other = (rows["model"] == "DLRCR without deep") & rows["patient_id"].str.endswith(("3", "6"))
    rows.loc[other, "probability"] = 0.5
    main = ["DL", "DLRCR"]
    pairs = delong_pairs(rows, sorted(rows["model"].unique()), main)
    panel = pairs[(pairs["protocol"] == "strict") & (pairs["split"] == "validation")]
    assert panel["family"].value_counts().to_dict() == {"DLRCR": 3, "models": 1}
    alone = panel[panel["family"] == "models"].iloc[0]
    assert {alone["model"], alone["other"]} == {"DL", "DLRCR"} and alone["p_holm"] == pytest.approx(alone["p"])
    own = panel[panel["family"] == "DLRCR"].sort_values("p")
    expected = np.minimum(np.maximum.accumulate(own["p"].to_numpy() * [3, 2, 1]), 1)
    assert own["p_holm"].to_numpy() == pytest.approx(expected)
    agreement = agreement_table(rows, sorted(rows["model"].unique()), main)
    assert len(agreement) == len(pairs)


def test_a_main_model_of_two_words_is_among_the_models():
    main = ["DL", "DLRCR", "Deep Radiomics"]
    assert comparison_family("DL", "Deep Radiomics", main) == "models"
    assert comparison_family("Deep Radiomics", "Deep Radiomics SVM", main) == "Deep Radiomics"
    assert comparison_family("DL", "DLRCR without deep", main) == ""
    # What a comparison takes of a paper, and clinical scores, are no variants.
    assert comparison_family("zhao2024:Deep Radiomics", "Volume", ["zhao2024:", "Volume"]) == "models"


def test_training_against_validation_is_the_unpaired_test(predictions, metrics):
    table = training_against_others(metrics, predictions).set_index(["model", "protocol"])
    rows = predictions[(predictions["model"] == "a") & (predictions["protocol"] == "strict")]
    training = rows[rows["split"] == "train"]
    training = auc_cross_validated(*(training[c].to_numpy() for c in ("y", "probability", "fold", "repeat")))
    held = rows[rows["split"] == "validation"]
    held = [auc_delong(part["y"], part["probability"]) for _, part in held.groupby("repeat")]
    area, variance = (np.mean([getattr(one, name) for one in held]) for name in ("auc", "variance"))
    expected = unpaired_test(training.auc, training.variance, area, variance)
    assert table.loc[("a", "strict"), "p"] == pytest.approx(expected.p)
    # As published every training pair is in the right order: an AUC without variance cannot be tested.
    assert np.isnan(table.loc[("a", "as_published"), "p"])
    assert table.loc[("a", "as_published"), "remark"] == f"training: {NOTHING_VARIES}"


def test_optimism_is_the_difference_of_the_two_tables(predictions, metrics):
    table = optimism_table(predictions, 200, 1).set_index(["model", "patients"])
    keyed = metrics.set_index(["model", "protocol", "split", "estimate"])["auc"]
    for model in ("a", "b"):
        row = table.loc[(model, "training (apparent; out of fold)")]
        assert row["as_published"] == pytest.approx(keyed[model, "as_published", "train", "apparent"]) == 1.0
        assert row["strict"] == pytest.approx(keyed[model, "strict", "train", "out_of_fold"])
        assert row["optimism"] == pytest.approx(row["as_published"] - row["strict"])
        assert 0 < row["low"] < row["optimism"] < row["high"]
        row = table.loc[(model, "validation")]
        assert row["strict"] == pytest.approx(keyed[model, "strict", "validation", "held_out"])
    same = optimism_table(predictions, 200, 1)
    pd.testing.assert_frame_equal(table.reset_index(), same)


def test_strata_are_aucs_of_the_group_and_the_unpaired_test():
    predictions = make_predictions(0.4, 3)
    patients = sorted(predictions["patient_id"].unique())
    strata = pd.DataFrame({"field": ["1.5", "3"] * 35, "centre": "A"}, index=patients)
    strata.iloc[-1, 0] = np.nan
    rows = predictions[predictions["repeat"] == 1]
    table = strata_table(rows, strata).set_index(["model", "protocol", "split", "variable", "level"])
    own = rows[(rows["model"] == "a") & (rows["protocol"] == "strict") & (rows["split"] == "validation")]
    parts = {}
    for level in ("1.5", "3"):
        group = own[own["patient_id"].map(strata["field"]) == level]
        parts[level] = auc_delong(group["y"], group["probability"])
        row = table.loc[("a", "strict", "validation", "field", level)]
        assert row["n"] == len(group) and row["auc"] == pytest.approx(parts[level].auc)
    gap = unpaired_test(parts["3"].auc, parts["3"].variance, parts["1.5"].auc, parts["1.5"].variance)
    row = table.loc[("a", "strict", "validation", "field", "3")]
    assert (row["difference"], row["p"]) == pytest.approx((gap.difference, gap.p)) and 0 < row["p"] < 1
    assert np.isnan(table.loc[("a", "strict", "validation", "field", "1.5"), "p"])
    assert table.loc[("a", "strict", "train", "centre", "A"), "n"] == 40
    for protocol in ("strict", "as_published"):
        assert unreadable(plot_strata(table.reset_index(), protocol, "cohort")) == []


def test_agreement_and_seeds(predictions, metrics):
    twin = pd.concat([predictions, predictions[predictions["model"] == "a"].assign(model="twin")])
    table = agreement_table(twin, ["a", "b", "twin"]).set_index(["model", "other", "split", "protocol"])
    row = table.loc[("a", "twin", "validation", "strict")]
    assert row["spearman"] == pytest.approx(1) and row["kappa"] == pytest.approx(1) and row["n"] == 30
    assert table.loc[("a", "b", "validation", "strict"), "spearman"] < 1
    seeds = auc_by_seed(predictions)
    spread = seeds[(seeds["model"] == "a") & (seeds["estimate"] == "out_of_fold")]["auc"]
    key = (metrics["model"] == "a") & (metrics["estimate"] == "out_of_fold")
    assert len(spread) == 2 and spread.std() == pytest.approx(metrics.loc[key, "auc_sd_over_repeats"].iloc[0])


def test_survival_measures_equal_the_libraries_where_there_are_no_folds(predictions, metrics):
    table, pairs = survival_tables(predictions, ["a", "b"], 24.0, 50, 1)
    row = table.set_index(["model", "protocol", "split"]).loc[("a", "strict", "validation")]
    rows = predictions[(predictions["model"] == "a") & (predictions["protocol"] == "strict")]
    fits = [own for _, own in rows[rows["split"] == "validation"].groupby("repeat")]
    arguments = [(own["rfs_months"], own["rfs_event"], own["probability"]) for own in fits]
    assert row["c"] == pytest.approx(np.mean([harrell_c(*a) for a in arguments]), abs=1e-9)
    assert row["auc_t"] == pytest.approx(np.mean([dynamic_auc(*a, 24.0) for a in arguments]), abs=1e-9)
    assert row["c_low"] < row["c"] < row["c_high"] and row["n_high"] + row["n_low"] == 30
    gap = pairs[(pairs["split"] == "validation") & (pairs["protocol"] == "strict") & (pairs["measure"] == "c")].iloc[0]
    other = table.set_index(["model", "protocol", "split"]).loc[("b", "strict", "validation"), "c"]
    assert gap["difference"] == pytest.approx(row["c"] - other) and 0 < gap["p"] <= 1


def test_calibration_table_has_the_degrees_of_freedom_of_its_estimate(predictions):
    table = calibration_table(make_predictions(0.5)).set_index(["model", "estimate", "protocol"])
    held = table.loc[("a", "held_out", "strict")]
    assert held["hl_df"] == held["hl_groups"] and held["n"] == 30
    fold = table.loc[("a", "out_of_fold", "strict")]
    assert fold["hl_df"] == fold["hl_groups"]


def test_every_printed_table_is_solved_for_its_counts(metrics):
    printed, _ = metrics_for_readers(metrics, None)
    text = printed.astype(str)
    checked = check_printed_table(text)
    assert len(checked) == len(metrics) and (checked["solutions"] >= 1).all()
    broken = text.copy()
    broken.loc[broken.index[0], "sensitivity"] = "0.333 (0.1-0.5)"
    with pytest.raises(ValueError, match="fit 0 confusion matrices"):
        check_printed_table(broken)
    moved = text.copy()
    first = moved.index[0]
    moved.loc[first, ["TP", "FN"]] = [str(float(moved.loc[first, "TP"]) - 1), str(float(moved.loc[first, "FN"]) + 1)]
    with pytest.raises(ValueError, match="and not the printed"):
        check_printed_table(moved)


def test_readable_tables_round_and_name():
    frame = pd.DataFrame({"split": ["held_out"], "p_holm": [0.0004], "auc_low": [0.12345], "n": [3]})
    shown = readable(frame)
    assert list(shown.columns) == ["split", "p holm", "auc low", "n"]
    assert shown.iloc[0].tolist() == ["held out", "<.001", "0.123", 3]
    # A number that is rounded to nothing has no sign.
    assert readable(pd.DataFrame({"intercept": [-0.0004, -0.0006]}))["intercept"].tolist() == ["0.000", "-0.001"]


def test_a_median_that_is_not_reached_says_so():
    measures = pd.DataFrame({"model": ["CR"], "median_high": [12.353], "median_low": [np.inf], "c": [0.61]})
    assert survival_for_readers(measures).iloc[0].tolist() == ["CR", "12.353", "not reached", "0.610"]


def test_permuted_outcomes_keep_what_belongs_together():
    labels = pd.DataFrame(
        {
            "patient_id": [f"p{i}" for i in range(40)],
            "centre": ["A", "B"] * 20,
            "er": [0.0, 1.0] * 19 + [np.nan, 1.0],
            "rfs_months": np.arange(40.0),
            "rfs_event": [0, 1] * 20,
            "excluded_because": [""] * 38 + ["short"] * 2,
        }
    )
    found = permute_outcome(labels, 3)
    columns = ["er", "rfs_months", "rfs_event"]
    pd.testing.assert_frame_equal(found[["patient_id", "centre"]], labels[["patient_id", "centre"]])
    pd.testing.assert_frame_equal(found.iloc[38:], labels.iloc[38:])
    before = labels.iloc[:38][columns].sort_values("rfs_months", ignore_index=True)
    after = found.iloc[:38][columns].sort_values("rfs_months", ignore_index=True)
    pd.testing.assert_frame_equal(before, after, check_dtype=False)
    assert (found["rfs_months"] != labels["rfs_months"]).sum() > 30
    pd.testing.assert_frame_equal(found, permute_outcome(labels, 3))
    assert not found.equals(permute_outcome(labels, 4))


def test_null_control_summary():
    keys = {"model": "a", "protocol": "strict", "split": "train", "estimate": "out_of_fold"}
    aucs = pd.DataFrame([{**keys, "permutation": k, "auc": v} for k, v in enumerate([0.4, 0.5, 0.6, 0.55])])
    row = summarise_null_control(aucs, pd.DataFrame([{**keys, "auc": 0.58}])).iloc[0]
    assert row["mean"] == pytest.approx(0.5125) and row["near_half"]
    assert row["standard_error"] == pytest.approx(np.std([0.4, 0.5, 0.6, 0.55], ddof=1) / 2)
    assert row["permutation_p"] == pytest.approx(2 / 5)
    biased = aucs.assign(auc=[0.70, 0.71, 0.72, 0.73])
    assert not summarise_null_control(biased, pd.DataFrame([{**keys, "auc": 0.58}]))["near_half"].iloc[0]


def make_run(predictions, metrics):
    patients = predictions.drop_duplicates("patient_id")
    labels = pd.DataFrame(
        {
            "patient_id": [*patients["patient_id"], "left"],
            "centre": "A",
            "er": [*patients["y"], np.nan],
            "excluded_because": [""] * len(patients) + ["too short"],
        }
    )
    comparison = metrics.assign(model="zhao2024:" + metrics["model"])
    volume = metrics[metrics["model"] == "a"].assign(model="Volume")
    return Run(
        folder="zhao2024",
        cohort={"title": "c", "horizon": "730 days", "er_inclusive": True, "reader": "R1"},
        settings={"icc_threshold": 0.9, "univariable_p": 0.05, "lasso_folds": 5},
        scheme={"kind": "random", "folds": 2, "repeats": 2},
        radiomics={
            "log_sigma_mm": [1.0, 3.0],
            "wavelet": "coif1",
            "expected_features": 1037,
            "normalise": True,
            "bin_width": 5,
        },
        crop={},
        grid={"spacing_mm": [1, 1, 1], "interpolator": "linear"},
        phases=["arterial", "portal"],
        definitions={"ast": {"timing": "pre"}},
        labels=labels,
        split=patients[["patient_id", "split"]],
        metrics=metrics,
        calibration=calibration_table(predictions),
        delong=delong_pairs(predictions, ["a", "b"]),
        baseline=pd.DataFrame(
            {
                "level": ["", "A", "None"],
                "missing": ["2", "", ""],
                "no early recurrence": ["1 (2)", "3 (60.0)", "1 (20.0)"],
                "early recurrence": ["2 (2)", "3 (60.0)", "0 (0.0)"],
            }
        ),
        comparison=pd.concat([comparison, volume]),
        acquisition=pd.DataFrame(
            {"parameter": ["Scanner", "Scanner", "Contrast agent"], "value": ["SIEMENS Force", "GE Revolution", np.nan]}
        ),
        readers={"R1": 70, "R2": 10},
        versions={"x": "1.0"},
        main=["a", "b"],
    )


def test_checklists_of_frozen_features_say_how_they_were_selected(predictions, metrics):
    run = make_run(predictions, metrics)
    run.radiomics, run.crop = {}, {"size_voxels": [1, 224, 224]}
    run.grid = {"spacing_mm": [], "bias_correction": "n4", "normalisation": "percentile_0_255"}
    networks = {"VGG19": {"architecture": "vgg19", "weights": ""}}
    grid = {"selectors": {"RFE": {}, "Relief": {}}, "classifiers": {"GP": {}}}
    run.settings = {"networks": networks, "spearman_p": 0.05, "redundancy_r": 0.9, **grid}
    facts = evidence(run, import_module(declared("yan2023").checklist_module).evidence(run))
    assert facts["reduction"].value.startswith("Spearman P < 0.05; |r| > 0.9 dropped; RFE, Relief; one of 2 cells")
    assert "n4" in facts["preprocessing"].value and "voxels as acquired" in facts["preprocessing"].value
    assert facts["image_types"].value.endswith("VGG19 with random weights")
    assert facts["dimensionality"].value == "2944 features before selection, 40 training patients"


def test_checklists_say_what_the_run_shows_and_leave_the_rest_to_the_authors(predictions, metrics):
    facts = evidence(make_run(predictions, metrics))
    sizes = {"TRIPOD_AI": 52, "CLEAR": 58, "METRICS": 30, "RQS": 16}
    for name in SOURCES:
        items = read_checklist(CHECKLISTS, name)
        assert len(items) == sizes[name] and items["item"].is_unique
        filled = fill_checklist(items, facts)
        assert set(filled["status"]) <= {"from the run", "author must fill", "not done"}
        answered = filled[filled["status"] == "from the run"]
        assert len(answered) > 4 and (answered["value"] != "").all() and (answered["file"] != "").all()
        assert set(items["evidence"]) <= set(facts) | KNOWN_WORDS | {"not_done"}
    assert facts["eligibility"].value == "71 in the sheet, 70 used; too short: 1"
    assert facts["outcome"].value == "first recurrence <= 730 days after resection"
    assert "train 40" in facts["split"].value and "3 missing" in facts["missing"].value
    assert facts["external"].status == "not done"
    assert facts["acquisition"].value == "scanners: GE Revolution, SIEMENS Force; contrast agents: not in the headers"
    for name, item in (("METRICS", "6"), ("CLEAR", "16"), ("RQS", "1")):
        row = fill_checklist(read_checklist(CHECKLISTS, name), facts).set_index("item").loc[item]
        assert row["file"] == "acquisition.csv" and "protocol" in row["text"].lower()
    assert facts["reliability"].value == "10 patients segmented again by R2"
    assert facts["feature_number"].value.startswith("1037 a phase x 2 phases")
    volume = metrics.set_index(["model", "protocol", "estimate"]).loc[("a", "strict", "out_of_fold"), "auc"]
    assert facts["confounders"].value.endswith(f"Volume AUC {volume:.3f}")
    trained = {
        **dict(networks={"ResNet-10": {"architecture": "resnet10_trunc", "weights": ""}}, class_weights=True),
        **dict(optimiser="sgd", learning_rate=1e-4, batch=64, epochs=200, inner_fraction=0.15),
    }
    run = make_run(predictions, metrics)
    deep = evidence(replace(run, settings={**run.settings, **trained}, networks=declared("zhao2024").networks))
    assert "ResNet-10 (resnet10_trunc, from random weights) by sgd, rate 0.0001" in deep["building"].value
    # What a method is, it declares: no settings key tells.
    assert evidence(replace(run, settings={**run.settings, **trained}))["building"] == facts["building"]
    assert "class weights" in deep["imbalance"].value and "networks" not in facts["building"].value
    with pytest.raises(ValueError, match="unknown"):
        fill_checklist(read_checklist(CHECKLISTS, "RQS").assign(evidence="guess"), facts)
