"""Zhang 2025: from the scores of images to DL_2.5D, without a look at those it is reported on."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from rows_of_fits import rows_of_fits
from sklearn.metrics import roc_auc_score
from workflow_runner import REPOSITORY

from hcc_recurrence import configuration
from hcc_recurrence.cohort.fit import Fit
from hcc_recurrence.cohort.variable_labels import term
from hcc_recurrence.learning import network_scores
from hcc_recurrence.learning.clinical import coded, dichotomise, drawn_definition
from hcc_recurrence.learning.estimators import ESTIMATORS
from hcc_recurrence.learning.folds import OuterFit
from hcc_recurrence.learning.folds import outer_fit as patients_of_fit
from hcc_recurrence.learning.learners import Cut, plain_cuts, search
from hcc_recurrence.learning.multi_instance import BagFeatures
from hcc_recurrence.learning.network_scores import with_fits
from hcc_recurrence.learning.predictions import check_predictions
from hcc_recurrence.learning.selection import drop_most_connected, lasso_coefficients
from hcc_recurrence.methods.check import check_method, other_values
from hcc_recurrence.methods.contract import declared
from hcc_recurrence.methods.run import cross_validated_rows, run_method
from hcc_recurrence.methods.zhang2025.declare import models as declared_models
from hcc_recurrence.methods.zhang2025.fit import Data
from hcc_recurrence.methods.zhang2025.fit import fit as zhang_fit
from hcc_recurrence.methods.zhang2025.models import fit_models, variants_of
from hcc_recurrence.methods.zhang2025.networks import (
    explained_patients,
    slice_rows,
    slice_table,
    volume_predictions,
)
from hcc_recurrence.methods.zhang2025.scoring import KeptNetwork
from hcc_recurrence.methods.zhang2025.signature import (
    BY_VALIDATION,
    choose_learner,
    chosen_networks,
    fit_fusion,
    fits_of,
    image_scores,
    inflation_table,
    network_sources,
    scaled,
    select_features,
)
from hcc_recurrence.networks import architectures, examples
from hcc_recurrence.networks.architectures import slice_networks, volume_networks
from hcc_recurrence.networks.slice_network import SliceNetwork
from hcc_recurrence.networks.training import save_network
from hcc_recurrence.networks.volume_network import VolumeNetwork
from hcc_recurrence.statistics.auc import auc_clustered, auc_cross_validated, auc_delong
from hcc_recurrence.statistics.classification import metrics_table
from hcc_recurrence.statistics.comparisons import delong_pairs
from hcc_recurrence.statistics.single_models import training_cut_offs

TRAINING, VALIDATION, EXTERNAL, IMAGES = 60, 16, 14, 10
PATIENTS = [f"P{i:03d}" for i in range(TRAINING + VALIDATION + EXTERNAL)]
FOLDS = ((), (1,), (2,), (3,), (1, 2), (1, 3), (2, 3))
SETTINGS = {
    **{"decimals": 2, "normality_alpha": 0.05, "univariable_p": 0.05, "correlation_r": 0.9, "lasso_folds": 5},
    **{"lasso_penalties": [-3, 0, 10], "learner_folds": 4},
    "learners": {"LR": {"C": [0.1, 1.0]}, "RF": {"n_estimators": [20], "max_depth": [2], "min_samples_leaf": [3]}},
}


def make_split() -> pd.DataFrame:
    generator = np.random.default_rng(1)
    columns = {"patient_id": PATIENTS}
    columns["split"] = ["train"] * TRAINING + ["validation"] * VALIDATION + ["external"] * EXTERNAL
    for repeat in (1, 2):
        folds = np.repeat([1, 2, 3], TRAINING // 3)
        # Both outcomes in each fold alike: outcomes alternate.
        folds = np.ravel(generator.permutation(np.stack([folds[::2], folds[1::2]]), axis=1), order="F")
        columns[f"fold_{repeat}"] = pd.array([*folds, *[pd.NA] * (VALIDATION + EXTERNAL)], dtype="Int64")
    return pd.DataFrame(columns)


SPLIT = make_split()
LABELS = pd.DataFrame(
    {
        "patient_id": PATIENTS,
        "er": np.arange(len(PATIENTS)) % 2,
        "rfs_months": 10.0,
        "rfs_event": np.arange(len(PATIENTS)) % 2,
    }
)
# As in every real cohort: someone without a label, who is in no split.
LABELS = pd.concat([LABELS, pd.DataFrame({"patient_id": ["lost"], "er": [np.nan]})], ignore_index=True)


def scores_of(learned: float, memorised: float, seed: int = 0, repeats: tuple[int, ...] = (1,)) -> pd.DataFrame:
    """Scores of two networks: what they learned shows in all patients, what they memorised in those they fitted.

    Network A learned half as much.
    """
    generator, rows = np.random.default_rng(seed), []
    index = SPLIT.set_index("patient_id")
    for repeat in repeats:
        folds = index[f"fold_{repeat}"]
        fits = [Fit(repeat=repeat, left_out=out) for out in FOLDS]
        for fit in [*fits, *([BY_VALIDATION] if repeat == 1 else [])]:
            for i, patient in enumerate(PATIENTS):
                role = "fitted" if i < TRAINING and folds[patient] not in fit.left_out else "unseen"
                if fit == BY_VALIDATION and TRAINING <= i < TRAINING + VALIDATION:
                    role = "inner"
                for model, share in (("A", 0.5), ("B", 1.0)):
                    pull = share * learned + (memorised if role == "fitted" else 0)
                    logit = pull * (1 if i % 2 else -1) + generator.normal(0, 1.2) + generator.normal(0, 0.5, IMAGES)
                    probability = 1 / (1 + np.exp(-logit))
                    rows += [(model, str(fit), patient, role, k, p) for k, p in enumerate(probability)]
    columns = ["model", "fit", "patient_id", "role", "image", "probability"]
    return with_fits(pd.DataFrame(rows, columns=columns))


def bag_features(bags, training, decimals):
    fitted = BagFeatures({p: bags[p] for p in training}, decimals)
    return fitted(bags), fitted.words


def outer_fit(fold: int, protocol: str = "strict", repeat: int = 1) -> OuterFit:
    return patients_of_fit(SPLIT, Fit.without(protocol, repeat, fold))


@pytest.fixture(scope="module")
def signal():
    return scores_of(0.8, 2.0)


# Where a test is about images: radiomics of which none tells the outcomes apart, so that none is selected.
SILENT = pd.DataFrame({"portal__silent": 1.0}, PATIENTS)


def fused(scores, protocol="strict", fold=0, labels=LABELS, radiomics=SILENT, settings=SETTINGS, repeat=1):
    return fit_fusion(scores, labels, SPLIT, radiomics, settings, outer_fit(fold, protocol, repeat), 5)


def models_of_fits(fits, signature, clinical, labels=LABELS, settings=None, resamples=10):
    """Clinical and combined models of several fits: probabilities as `rows_of_fits` takes them, and what is left."""
    tables, regressions, curves, drawn = [], [], [], []
    for fit in fits:
        deep = everyone = None
        if signature is not None:
            about = fit.fit.about
            own = signature[(signature[list(about)] == list(about.values())).all(axis=1)]
            everyone = own.set_index("patient_id")["DL_2.5D"]
            deep = everyone.loc[fit.rows]
        own = {**(settings or CLINICAL), "calibration_resamples": resamples}
        found = fit_models(fit, deep, clinical, DEFINITIONS, labels, SPLIT, own, 5)
        for part, patients in (("learned", fit.rows), ("unseen", fit.unseen)):
            columns = {}
            for ending, models in found.fitted.items():
                score = None if everyone is None else everyone.loc[patients].to_numpy()
                columns |= {f"{n}{ending}": p for n, p in models.predict(clinical.loc[patients], score).items()}
            tables.append(pd.DataFrame({"patient_id": patients, **columns}).assign(part=part, **fit.fit.about))
        regressions.append(found.regressions.assign(**fit.fit.about))
        curves.append(found.curves)
        drawn += found.drawn
    names = [c for c in tables[0] if c.startswith(("Clinical", "Combined"))]
    return SimpleNamespace(
        models=names,
        probabilities=pd.concat(tables, ignore_index=True),
        regressions=pd.concat(regressions, ignore_index=True),
        curves=pd.concat(curves, ignore_index=True),
        drawn=drawn,
    )


# -- whose scores ------------------------------------------------------------------------------


def test_strict_scores_come_from_networks_that_saw_neither_the_patient_nor_the_fold_reported_on():
    folds = SPLIT.set_index("patient_id")["fold_1"]
    for fold in (0, 1, 2, 3):
        fit = outer_fit(fold)
        sources = network_sources(fit, SPLIT)
        assert sorted(p for members in sources.values() for p in members) == sorted([*fit.rows, *fit.unseen])
        for source, members in sources.items():
            out = set(source.left_out)
            if members == fit.unseen:
                assert source == fit.fit
                continue
            assert out == {int(folds[members[0]]), fold} - {0} and {int(folds[p]) for p in members} <= out
    published = network_sources(outer_fit(0, "as_published"), SPLIT)
    assert {str(k): len(v) for k, v in published.items()} == {"as_published.1.0.validation": len(PATIENTS)}
    assert network_scores.UNSEEN == examples.UNSEEN


def test_a_score_of_a_network_that_saw_the_patient_is_refused(signal):
    fit = outer_fit(2)
    assert set(image_scores(signal, "B", fit, SPLIT)["source"]) == {f"strict.1.{f}" for f in ("1-2", "2-3", "2")}
    leaked = signal.copy()
    leaked.loc[(leaked["fit"] == "strict.1.1-2") & (leaked["patient_id"] == fit.unseen[0]), "role"] = "inner"
    # That fit scores fold 1 here: the wrong role of a patient of fold 2 does no harm.
    image_scores(leaked, "B", fit, SPLIT)
    first = next(p for p in fit.rows if SPLIT.set_index("patient_id").loc[p, "fold_1"] == 1)
    leaked.loc[(leaked["fit"] == "strict.1.1-2") & (leaked["patient_id"] == first), "role"] = "inner"
    with pytest.raises(ValueError, match=f"strict.1.1-2 saw .*{first}"):
        image_scores(leaked, "B", fit, SPLIT)
    with pytest.raises(ValueError, match="has no scores of"):
        image_scores(signal[signal["patient_id"] != first], "B", fit, SPLIT)


def test_the_label_of_a_patient_has_no_say_in_the_scores_of_the_fold_that_holds_it_out(signal):
    held = outer_fit(1).unseen[0]
    other = LABELS.assign(er=np.where(LABELS["patient_id"] == held, 1 - LABELS["er"], LABELS["er"]))
    before, after = (fused(signal, fold=1, labels=labels).probabilities for labels in (LABELS, other))
    pd.testing.assert_frame_equal(before, after)
    learning = outer_fit(2)
    assert held in learning.rows
    before, after = (fused(signal, fold=2, labels=labels) for labels in (LABELS, other))
    unseen = [f.probabilities.query("part == 'unseen'")["DL_2.5D"].to_numpy() for f in (before, after)]
    assert not np.allclose(*unseen)


def test_words_and_scales_are_those_of_the_patients_that_learn(signal):
    """Another score of a patient outside training changes nothing of the others."""
    fit = outer_fit(0)
    stranger = fit.unseen[-1]
    changed = signal.copy()
    rows = (changed["patient_id"] == stranger) & (changed["fit"] == "strict.1.0")
    changed.loc[rows, "probability"] = 0.123456
    before, after = (fused(s).probabilities.set_index(["part", "patient_id"]) for s in (signal, changed))
    pd.testing.assert_frame_equal(before.drop(("unseen", stranger)), after.drop(("unseen", stranger)))
    # As published each cohort has its own mean and deviation, so that one patient moves the others of the cohort.
    rows = (changed["patient_id"] == stranger) & (changed["fit"] == str(BY_VALIDATION))
    changed.loc[rows, "probability"] = 0.99
    before, after = (fused(s, "as_published").probabilities.set_index("patient_id") for s in (signal, changed))
    moved = (before["DL_2.5D LR"] - after["DL_2.5D LR"]).abs() > 1e-9
    place = SPLIT.set_index("patient_id")["split"].loc[moved.index]
    assert moved[place == "external"].sum() > 5 and not moved[place != "external"].any()


# -- what feeding apparent scores does ---------------------------------------------------------


def test_memorised_scores_inflate_the_published_protocol_and_not_the_strict_one():
    """Networks that learned nothing and memorised their patients."""
    null = scores_of(0.0, 2.5, seed=4)
    fits = [fused(null, fold=fold) for fold in (0, 1, 2, 3)]
    published = fused(null, "as_published")
    chosen = pd.DataFrame([row for f in (*fits, published) for row in f.choices])
    means = chosen.groupby("protocol")["cv_auc"].mean()
    assert means["as_published"] > 0.9 and 0.3 < means["strict"] < 0.68
    outcome = LABELS.set_index("patient_id")["er"]
    unseen = pd.concat([f.probabilities.query("part == 'unseen' and fold > 0") for f in fits])
    honest = auc_cross_validated(
        outcome[unseen["patient_id"]].to_numpy(), unseen["DL_2.5D"].to_numpy(), unseen["fold"], np.ones(len(unseen))
    )
    learned = published.probabilities.query("part == 'learned'")
    apparent = auc_delong(outcome[learned["patient_id"]].to_numpy(), learned["DL_2.5D"].to_numpy())
    assert apparent.auc > 0.9 and 0.3 < honest.auc < 0.7
    held = published.probabilities.query("part == 'unseen'")
    assert auc_delong(outcome[held["patient_id"]].to_numpy(), held["DL_2.5D"].to_numpy()).auc < 0.75


def test_what_networks_learned_reaches_the_signature_and_the_better_network_is_chosen(signal):
    found = fused(signal)
    chosen = pd.DataFrame(found.choices)
    assert set(chosen["network"]) == {"B"} and chosen.groupby("variant")["chosen"].sum().tolist() == [1, 1]
    outcome = LABELS.set_index("patient_id")["er"]
    for part in ("unseen", "learned"):
        rows = found.probabilities.query(f"part == '{part}'")
        assert auc_delong(outcome[rows["patient_id"]].to_numpy(), rows["DL_2.5D"].to_numpy()).auc > 0.65
    assert set(found.probabilities.query("part == 'learned'")["patient_id"]) == set(outer_fit(0).rows)
    steps = {row["step"]: row["features"] for row in found.steps if row["variant"] == "DL_2.5D"}
    assert steps["extracted"] > steps["different"] >= steps["not correlated"] >= steps["LASSO"] > 0
    again = fused(signal)
    pd.testing.assert_frame_equal(found.probabilities, again.probabilities)


@pytest.fixture(scope="module")
def telling_radiomics():
    """Five features of the portal phase, of which the first tells the outcomes apart."""
    values = np.random.default_rng(3).normal(size=(len(PATIENTS), 5))
    values[:, 0] += 3 * (np.arange(len(PATIENTS)) % 2)
    return pd.DataFrame(values, PATIENTS, [f"portal__f{i}" for i in range(5)])


def test_the_signature_fuses_radiomics_with_the_images_and_a_variant_goes_without(signal, telling_radiomics):
    """Zhang 2025, "Multi-instance learning fusion", 3: "features from both the above techniques with radiomics"."""
    found = fused(signal, radiomics=telling_radiomics)
    chosen = pd.DataFrame(found.choices)
    own, without = (chosen[chosen["variant"] == v] for v in ("DL_2.5D", "DL_2.5D without radiomics"))
    assert own["features"].str.contains("portal__f0").all() and own["chosen"].sum() == 1
    assert own["features"].str.contains("Histo_|BoW_").all()
    assert not without["features"].str.contains("portal__").any() and without["chosen"].sum() == 1
    models = [c for c in found.probabilities if c.startswith("DL_")]
    assert models == ["DL_2.5D", "DL_2.5D LR", "DL_2.5D RF", "DL_2.5D without radiomics"]
    # The learners are those of the fused signature: the chosen one is it.
    best = own.loc[own["chosen"], "learner"].item()
    table = found.probabilities.query("part == 'unseen'")
    assert (table["DL_2.5D"] == table[f"DL_2.5D {best}"]).all()
    # The variant knows nothing of radiomics.
    other = fused(signal, radiomics=telling_radiomics * np.linspace(-1, 2, len(PATIENTS))[:, None]).probabilities
    pd.testing.assert_series_equal(table["DL_2.5D without radiomics"], other.loc[table.index, models[-1]])
    assert (table["DL_2.5D"] - other.loc[table.index, "DL_2.5D"]).abs().max() > 0.05


def test_radiomics_that_tell_the_outcome_reach_the_signature_and_the_combined_model_where_images_tell_nothing(
    telling_radiomics, clinical
):
    silent = scores_of(0.0, 0.0, seed=2)
    fits = fits_of(SPLIT, 1)
    parts = [fused(silent, f.fit.protocol, f.fold, radiomics=telling_radiomics) for f in fits]
    table = pd.concat([part.probabilities for part in parts])
    outcome = LABELS.set_index("patient_id")["er"]
    held = table.query("protocol == 'strict' and fold == 0 and part == 'unseen'")
    y = outcome[held["patient_id"]].to_numpy()
    fusion, images = (auc_delong(y, held[m].to_numpy()).auc for m in ("DL_2.5D", "DL_2.5D without radiomics"))
    # 3 SD between the outcomes: the best AUC is 0.983.
    assert fusion > 0.93 and 0.3 < images < 0.72
    # Clinical variables of noise alone: what the combined model knows is the signature's.
    noise = clinical.assign(age=50.0, ki67=0.0)
    found = models_of_fits(fits, table, noise)
    own = found.probabilities.query("protocol == 'strict' and fold == 0 and part == 'unseen'").set_index("patient_id")
    assert auc_delong(y, own.loc[held["patient_id"], "Combined"].to_numpy()).auc == pytest.approx(fusion, abs=0.05)


def test_the_declared_models_are_those_that_fits_leave_and_the_main_ones_those_of_table_5(signal, clinical):
    settings = {**SETTINGS, "networks": {"v": {"architecture": "vgg19"}, "box": {"architecture": "resnet18_3d"}}}
    known = declared_models({**settings, "after_operation": ["ki67"]})
    signature = fused(signal).probabilities
    made = [c for c in signature if c.startswith("DL_")]
    made += models_of_fits([outer_fit(0)], signature, clinical, resamples=1).models
    assert set(known) == {*made, "DL_3D", "DL_3D box"}
    main = {name: info.published_name for name, info in known.items() if info.role == "main"}
    # Zhang 2025, Table 5.
    assert main == {n: n for n in ("Clinical", "DL_2.5D", "DL_3D", "Combined")}
    assert known["DL_2.5D without radiomics"].role == "ablation" and known["DL_2.5D RF"].published_name == "RF"
    assert set(declared_models({**settings, "networks": {}, "after_operation": []})) == {"Clinical"}


def test_predictions_of_all_fits_are_a_whole_table(signal):
    parts = [fused(signal, fit.fit.protocol, fit.fold).probabilities for fit in fits_of(SPLIT, 1)]
    table = pd.concat(parts)
    models = [c for c in table if c.startswith("DL_")]
    rows = rows_of_fits(table, models, LABELS, SPLIT, 5)
    check_predictions(rows, SPLIT)
    assert set(rows["model"]) == {"DL_2.5D", "DL_2.5D LR", "DL_2.5D RF", "DL_2.5D without radiomics"}
    assert rows["probability"].notna().all()
    assert not len(rows.query("protocol == 'strict' and estimate == 'apparent'"))


# -- the toy bag of docs/methods.md 8, item 6, and TF-IDF -------------------------------------------


def test_the_toy_bag_has_the_stated_features():
    table, words = bag_features({"a": [0.12, 0.12, 0.87], "b": [0.5, 0.494, 0.4]}, ["a", "b"], 2)
    row = table.loc["a"]
    assert row["Histo_prob_0.12"] == pytest.approx(2 / 3) and row["Histo_prob_0.87"] == pytest.approx(1 / 3)
    assert row.filter(like="Histo_prob").sum() == pytest.approx(1) and len(row.filter(like="Histo_prob")) == 101
    assert row["Histo_pred_0"] == pytest.approx(2 / 3) and row["Histo_pred_1"] == pytest.approx(1 / 3)
    assert words == ["prob_012", "prob_040", "prob_049", "prob_050", "prob_087", "pred_0", "pred_1"]
    # Twice one word and once another, each in one of two documents: equal weights, so 2 to 1 on a circle.
    assert row["BoW_prob_012"] == pytest.approx(2 / np.sqrt(5)) and row["BoW_prob_087"] == pytest.approx(1 / np.sqrt(5))
    assert table.loc["b", "Histo_pred_1"] == pytest.approx(1 / 3)


def test_a_validation_patient_with_a_new_word_leaves_the_training_features_unchanged():
    bags = {"a": [0.12, 0.12, 0.87], "b": [0.5, 0.49, 0.4]}
    before, words = bag_features(bags, ["a", "b"], 2)
    after, more = bag_features({**bags, "v": [0.33, 0.33, 0.12]}, ["a", "b"], 2)
    assert words == more
    pd.testing.assert_frame_equal(before, after.loc[["a", "b"]])
    assert after.loc["v", "BoW_prob_012"] == pytest.approx(1) and after.loc["v", "Histo_prob_0.33"] > 0.6
    fitted_on_all, _ = bag_features({**bags, "v": [0.33, 0.33, 0.12]}, ["a", "b", "v"], 2)
    assert not np.allclose(fitted_on_all.loc["a", before.columns], before.loc["a"])


# -- selection and learners --------------------------------------------------------------------


def test_the_most_connected_feature_goes_first():
    generator = np.random.default_rng(0)
    a, b = generator.normal(size=(2, 400))
    noise = generator.normal(size=(4, 400)) * 0.3
    # The second is close to the first and the third, which are not close to each other.
    x = np.column_stack([a + noise[0], a, a + noise[1], b, b + 0.01 * noise[2], b])
    r = np.abs(np.corrcoef(x, rowvar=False))
    assert r[0, 1] > 0.93 and r[1, 2] > 0.93 and r[0, 2] < 0.93
    assert drop_most_connected(x, 0.93).tolist() == [0, 2, 3]
    assert drop_most_connected(x[:, :1], 0.9).tolist() == [0] and drop_most_connected(x[:, :0], 0.9).tolist() == []
    kept = drop_most_connected(x, 0.5)
    assert np.abs(np.corrcoef(x[:, kept], rowvar=False) - np.eye(len(kept))).max() <= 0.5


def test_lasso_takes_the_penalties_of_the_platform():
    generator = np.random.default_rng(1)
    y = np.arange(60) % 2
    x = generator.normal(size=(60, 3))
    x[:, 0] += y
    assert (lasso_coefficients(x, y, 10, 1, [1.0]) == 0).all()
    weights = lasso_coefficients(x, y, 10, 1, np.logspace(-3, 0, 50))
    assert np.abs(weights).argmax() == 0


def test_selection_steps_and_scales():
    generator = np.random.default_rng(2)
    y = np.arange(40) % 2
    x = pd.DataFrame(generator.normal(size=(50, 6)), [f"p{i}" for i in range(50)], list("abcdef"))
    x["a"] += np.arange(50) % 2 * 2
    x["b"] = x["a"] * 2 + 0.01 * x["f"]
    rows = list(x.index[:40])
    found = select_features(x, rows, y, SETTINGS, 1)
    assert found.columns in (["a"], ["b"]) and found.steps["different"] >= 2
    none = select_features(x[["c"]], rows, y, {**SETTINGS, "univariable_p": 1e-9}, 1)
    assert none.columns == [] and none.steps["LASSO"] == 0
    groups = {"rows": rows, "held": list(x.index[40:])}
    strict, own = scaled(x, groups, rows, "strict"), scaled(x, groups, rows, "as_published")
    assert strict.loc[rows].mean().abs().max() < 1e-12 < strict.loc[groups["held"]].mean().abs().max()
    assert own.loc[groups["held"]].mean().abs().max() < 1e-12


@pytest.mark.parametrize("name", ("LR", "RF", "ExtraTrees", "XGBoost", "LightGBM"))
def test_every_learner_takes_the_published_parameters_and_learns(name):
    raw = yaml.safe_load((REPOSITORY / "config/papers/zhang2025.yaml").read_text())
    grid = configuration.plain_values(raw)["settings"]["published"]["learners"][name]
    assert set(grid) <= set(ESTIMATORS[name].settings)
    generator = np.random.default_rng(5)
    y = np.arange(60) % 2
    x = generator.normal(size=(60, 4))
    x[:, 0] += 2 * y
    # The ends of each parameter; the whole grid takes minutes.
    ends = {key: [values[0], values[-1]][: 1 + (key != "n_estimators")] for key, values in grid.items()}
    found = search(name, ends, plain_cuts(x, y, 3, 1), x, y, 1)
    assert found.auc > 0.8 and set(found.settings) == set(grid)
    assert found.predict(x[:0]).shape == (0,) and [len(h) for h in found.held] == [20, 20, 20]
    again = search(name, ends, plain_cuts(x, y, 3, 1), x, y, 1)
    assert np.array_equal(found.predict(x), again.predict(x))


def test_a_search_is_scikit_learns_grid_search_where_folds_share_their_features():
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import GridSearchCV

    from hcc_recurrence.learning.folds import stratified_folds

    generator = np.random.default_rng(6)
    y = np.arange(50) % 2
    x = generator.normal(size=(50, 4)) + 0.5 * y[:, None]
    grid = {"n_estimators": [10], "max_depth": [1, 3], "min_samples_leaf": [1, 8]}
    found = search("RF", grid, plain_cuts(x, y, 4, 9), x, y, 9)
    forest = RandomForestClassifier(random_state=9)
    reference = GridSearchCV(forest, grid, scoring="roc_auc", cv=stratified_folds(y, 4, 9)).fit(x, y)
    assert found.auc == pytest.approx(reference.best_score_) and found.settings == reference.best_params_
    assert np.allclose(found.predict(x), reference.predict_proba(x)[:, 1])


def test_without_a_feature_everyone_has_the_prevalence():
    y = np.array([0, 1, 1, 0, 1])
    cut = Cut(np.empty((3, 0)), y[:3], np.empty((2, 0)), y[3:])
    found = search("LR", {"C": [1]}, [cut], np.empty((5, 0)), y, 1)
    assert found.auc == 0.5 and found.predict(np.empty((2, 0))).tolist() == [0.6, 0.6]


def test_the_learner_is_chosen_inside_training_or_by_validation():
    y = np.array([0, 1, 0, 1])
    generator = np.random.default_rng(7)
    rows = np.arange(40) % 2
    weak, strong = generator.normal(size=(2, 40, 1))
    strong = strong + 3 * rows[:, None]
    made = {
        "LR": search("LR", {"C": [1]}, plain_cuts(strong, rows, 4, 1), strong, rows, 1),
        "RF": search("RF", {"n_estimators": [5]}, plain_cuts(weak, rows, 4, 1), weak, rows, 1),
    }
    probability = {"LR": np.array([0.9, 0.1, 0.8, 0.2]), "RF": np.array([0.1, 0.9, 0.2, 0.8])}
    assert choose_learner(made, probability, y, "strict") == "LR"
    assert choose_learner(made, probability, y, "as_published") == "RF"
    assert choose_learner(made, probability, np.array([1, 1, 1, 1]), "as_published") == "LR"


# -- tables ------------------------------------------------------------------------------------


def test_clustered_intervals_know_that_images_of_a_patient_belong_together():
    generator = np.random.default_rng(8)
    y = np.repeat(np.arange(60) % 2, 10)
    patient = np.repeat(np.arange(60), 10)
    score = np.repeat(generator.normal(size=60), 10) + 0.3 * generator.normal(size=600) + 0.8 * y
    whole, single = auc_clustered(y, score, patient), auc_delong(y, score)
    assert whole.auc == pytest.approx(single.auc) and whole.variance > 5 * single.variance
    # A patient with one image each: DeLong's own.
    alone, plain = auc_clustered(y[::10], score[::10], patient[::10]), auc_delong(y[::10], score[::10])
    assert (alone.low, alone.high) == pytest.approx((plain.low, plain.high))
    # Resampled patients as a reference.
    areas = []
    rows = {p: np.flatnonzero(patient == p) for p in range(60)}
    early, late = np.arange(1, 60, 2), np.arange(0, 60, 2)
    for _ in range(400):
        drawn = np.concatenate([rows[p] for group in (early, late) for p in generator.choice(group, 30)])
        areas.append(auc_delong(y[drawn], score[drawn]).auc)
    assert np.sqrt(whole.variance) == pytest.approx(np.std(areas), rel=0.15)
    folds = np.repeat(np.arange(60) // 2 % 3, 10)
    repeats = np.zeros(600)
    inside = auc_clustered(y, score, patient, folds, repeats)
    assert inside.auc == pytest.approx(auc_cross_validated(y, score, folds, repeats).auc)
    with pytest.raises(ValueError, match="a cluster has both outcomes"):
        auc_clustered(y, score, np.zeros(600))


def test_the_slice_table_counts_images_and_keeps_patients_apart():
    scores = scores_of(0.8, 2.0, repeats=(1, 2))
    rows = slice_rows(scores, LABELS, SPLIT, ["A", "B"])
    own = rows[(rows["model"] == "A") & (rows["protocol"] == "strict")]
    counts = own.groupby(["split", "estimate", "repeat"]).size()
    # Out of fold an image has a score a repeat; outside training the mean of the repeats.
    assert counts["train", "out_of_fold"].tolist() == [TRAINING * IMAGES] * 2
    assert counts["external", "held_out"].tolist() == [EXTERNAL * IMAGES] and own["patient_id"].str.contains(".").all()
    table = slice_table(rows).set_index(["model", "protocol", "split"])
    assert len(table) == 12
    assert table.loc[("B", "strict", "train"), "n"] == TRAINING * IMAGES
    assert table.loc[("B", "as_published", "external"), "n"] == EXTERNAL * IMAGES
    assert (table["tp"] + table["fn"] == table["n_pos"]).all() and (table["patients"] * IMAGES == table["n"]).all()
    apparent, honest = (table.loc[("B", p, "train"), "auc"] for p in ("as_published", "strict"))
    assert apparent > 0.95 and 0.6 < honest < 0.85
    wide, narrow = table["auc_high"] - table["auc_low"], table["high_images"] - table["low_images"]
    # Nearly perfect scores leave no room for either.
    assert (wide > 1.4 * narrow)[table["auc"] < 0.95].all() and (table["auc"] < 0.95).sum() >= 8
    # The cut-off of training is carried.
    assert table.groupby(["model", "protocol"])["threshold"].nunique().tolist() == [1] * 4
    assert table.loc[("A", "strict", "train"), "auc"] < honest


def test_images_of_four_patients_of_an_outcome_have_no_interval():
    """Forty images with the outcome are four patients: neither interval, and the reason."""
    rows = slice_rows(scores_of(0.8, 2.0), LABELS, SPLIT, ["A"])
    external = rows["split"] == "external"
    positive = sorted(rows.loc[external & (rows["y"] == 1), "patient"].unique())
    assert len(positive) > 4
    rows = rows[~(external & rows["patient"].isin(positive[4:]))]
    table = slice_table(rows).set_index(["protocol", "split"])
    few = table.loc[("strict", "external")]
    assert few[["auc_low", "auc_high", "low_images", "high_images"]].isna().all() and np.isfinite(few["auc"])
    assert few["remark"] == "fewer than 5 patients of an outcome"
    assert np.isfinite(table.loc[("strict", "train"), "auc_low"]) and table.loc[("strict", "train"), "remark"] == ""


def test_models_of_volumes_in_both_protocols():
    base = scores_of(0.8, 2.0)
    scores = base[(base["image"] == 0) & (base["fold"] >= 0)].drop(columns="image")
    choices = pd.DataFrame(
        [(m, 1, f, m == ("A" if f == 2 else "B")) for m in "AB" for f in range(4)],
        columns=["model", "repeat", "fold", "chosen"],
    )
    found = volume_predictions(LABELS, SPLIT, scores, choices, 5)
    check_predictions(found, SPLIT)
    assert set(found["model"]) == {"DL_3D", "DL_3D A", "DL_3D B"}
    strict = found[found["protocol"] == "strict"].set_index(["model", "patient_id"])["probability"]
    folds = SPLIT.set_index("patient_id")["fold_1"]
    for patient in PATIENTS:
        own = "A" if patient in folds.dropna().index and folds[patient] == 2 else "B"
        assert strict["DL_3D", patient] == strict[f"DL_3D {own}", patient]
    seen = (scores["fit"] == "strict.1.0") & (scores["patient_id"] == "P070")
    leaked = scores.assign(role=np.where(seen, "inner", scores["role"]))
    with pytest.raises(ValueError, match="P070"):
        volume_predictions(LABELS, SPLIT, leaked, choices, 5)


def test_the_patients_explained_are_two_right_ones_and_every_confident_wrong_one():
    probability = [0.9, 0.2, 0.7, 0.1, 0.95, 0.85, 0.06, 0.6, 0.2]
    rows = pd.DataFrame({"patient_id": [f"p{i}" for i in range(9)], "y": [1, 0, 1, 0, 0, 0, 1, 0, 1]})
    rows = rows.assign(probability=probability, model="DL_2.5D", protocol="strict", split="train", repeat=1, fold=1)
    rows = rows.assign(estimate="out_of_fold")
    others = rows.assign(repeat=2, probability=0.5)
    found = explained_patients(pd.concat([rows, others]), "DL_2.5D", 0.8)
    assert found["patient_id"].tolist() == ["p0", "p3", "p4", "p6", "p5", "p8"]
    right = ["recurrence, predicted right", "no recurrence, predicted right"]
    assert found["kind"].tolist()[:3] == [*right, "no recurrence, predicted wrong"]
    assert len(explained_patients(rows, "DL_2.5D", 0.94)) == 4


def test_right_and_wrong_are_by_the_cut_off_of_the_tables():
    """Youden's cut-off here is 0.3: who has 0.35 is called a recurrence, and was called right."""
    probability = [0.35, 0.3, 0.9, 0.1, 0.25, 0.85, 0.2, 0.15]
    rows = pd.DataFrame({"patient_id": [f"p{i}" for i in range(8)], "y": [1, 1, 1, 0, 0, 0, 0, 1]})
    rows = rows.assign(probability=probability, model="DL_2.5D", protocol="strict", split="train", repeat=1, fold=1)
    rows = rows.assign(estimate="out_of_fold")
    assert training_cut_offs(rows).item() == 0.3
    held = rows.iloc[[0]].assign(patient_id="v", split="validation", estimate="held_out", y=0, probability=0.4)
    found = explained_patients(pd.concat([rows, held]), "DL_2.5D", 0.6)
    kinds = found.set_index("patient_id")["kind"].to_dict()
    # 0.4 of the validation patient is a wrong call of recurrence, though not a confident one.
    assert kinds == {
        "p2": "recurrence, predicted right",
        "p3": "no recurrence, predicted right",
        "p5": "no recurrence, predicted wrong",
        "p7": "recurrence, predicted wrong",
    }
    # Files of several fits, one below the other: nobody stands twice.
    several = pd.concat([rows.iloc[:4], rows.iloc[4:].reset_index(drop=True), held])
    pd.testing.assert_frame_equal(explained_patients(several, "DL_2.5D", 0.6), found)
    same = rows.assign(probability=0.5)
    assert set(explained_patients(same, "DL_2.5D", 0.6)["kind"]) == {
        "recurrence, not called",
        "no recurrence, not called",
    }


def test_inflation_puts_what_learners_say_beside_what_is_true(signal):
    fits = [fused(signal, fit.fit.protocol, fit.fold) for fit in fits_of(SPLIT, 1)]
    choices = pd.DataFrame([row for f in fits for row in f.choices])
    metrics = pd.DataFrame(
        [
            (f"DL_2.5D {learner}", protocol, split, 0.5 + 0.1 * (protocol == "strict") + 0.01 * (learner == "LR"))
            for learner in ("LR", "RF")
            for protocol in ("strict", "as_published")
            for split in ("train", "validation")
        ],
        columns=["model", "protocol", "split", "auc"],
    ).assign(estimate="any")
    # The learners' own cross-validation has rows in the metrics as well; `train` is not these.
    metrics = pd.concat([metrics, metrics.query("split == 'train'").assign(estimate="cross_validated", auc=0.99)])
    table = inflation_table(choices, metrics).set_index(["learner", "protocol"])
    assert table.loc[("LR", "strict"), "train"] == pytest.approx(0.61) and table["external"].isna().all()
    assert table.loc[("RF", "as_published"), "fed"] == "apparent"
    own = choices.query("protocol == 'strict' and fold == 0 and learner == 'RF'")["cv_auc"]
    assert table.loc[("RF", "strict"), "cv_auc"] == pytest.approx(own.mean())
    assert chosen_networks(choices) == dict.fromkeys((1, 2, 3, 0), "B")


# -- clinical and combined models --------------------------------------------------------------

DEFINITIONS = {
    "age": {"kind": "continuous", "unit": "years", "levels": [], "timing": "pre"},
    "ki67": {"kind": "binary", "unit": "", "levels": [], "timing": "post"},
    "noise": {"kind": "continuous", "unit": "", "levels": [], "timing": "pre"},
}
CLINICAL = {
    "clinical": {"age": {"at_least": 60}, "ki67": None, "noise": None},
    **{"clinical_p": 0.05, "none_significant": "no_variable", "learner_folds": 3, "learners": SETTINGS["learners"]},
}


@pytest.fixture(scope="module")
def clinical():
    generator = np.random.default_rng(9)
    er = LABELS["er"].to_numpy()[:-1]
    ki67 = np.where(generator.random(len(er)) < 0.85, er, 1 - er).astype(float)
    age = np.where(generator.random(len(er)) < 0.75, 62.0, 55.0) * 1.0
    age = np.where(generator.random(len(er)) < 0.75, np.where(er == 1, 60.0, 59.9), age)
    ki67[3] = np.nan
    return pd.DataFrame({"age": age, "ki67": ki67, "noise": generator.normal(size=len(er))}, PATIENTS)


def test_a_cut_may_count_itself(clinical):
    table = dichotomise(pd.DataFrame({"age": [59.9, 60.0, np.nan]}), {"age": {"at_least": 60}})["age"]
    assert table.tolist()[:2] == [0, 1] and np.isnan(table[2])
    assert dichotomise(pd.DataFrame({"age": [60.0]}), {"age": 60})["age"].tolist() == [0]
    assert drawn_definition("age", DEFINITIONS["age"], {"at_least": 60})["name"] == "Age ≥ 60 years"


def test_child_pugh_is_a_and_b_against_c_as_in_table_1():
    raw = yaml.safe_load((REPOSITORY / "config/papers/zhang2025.yaml").read_text())
    cut = configuration.plain_values(raw)["settings"]["published"]["clinical"]["child_pugh"]
    definition = {"kind": "categorical", "unit": "", "levels": ["A", "B", "C"], "timing": "pre"}
    # Table 1, training cohort: 57 without and 105 with recurrence, C 9 and 18.
    classes = pd.DataFrame({"child_pugh": [0.0] * 100 + [1.0] * 35 + [2.0] * 27 + [np.nan]})
    values, about = coded(classes, {"child_pugh": definition}, {"child_pugh": cut})
    assert values["child_pugh"].value_counts().to_dict() == {0: 135, 1: 27} and values["child_pugh"].isna().sum() == 1
    assert about["child_pugh"]["levels"] == ["A/B", "C"] and about["child_pugh"]["kind"] == "binary"
    assert term("child_pugh", definition, cut) == "Child-Pugh class (C vs A/B)"
    # A sheet without class C: nothing to name.
    assert term("child_pugh", {**definition, "levels": ["A", "B"]}, cut) == "Child-Pugh class ≥ 2"


def test_marks_of_the_networks_say_which_are_ours():
    """Slice-level model training names the four; what DL_3D is, is in a supplement that was not available."""
    raw = yaml.safe_load((REPOSITORY / "config/papers/zhang2025.yaml").read_text())
    marks = {r["key"].removeprefix("settings.published."): r["source"] for r in configuration.sourced_values(raw)}
    assert marks["networks"] == "stated"
    assert {k: v for k, v in marks.items() if k.startswith("networks.")} == {
        "networks.3D-ResNet18": "chosen",
        "networks.3D-DenseNet121": "chosen",
    }
    settings = configuration.plain_values(raw)["settings"]["published"]
    assert architectures.slice_networks(settings) == ["DenseNet121", "ResNet50", "ResNet101", "VGG19"]
    assert architectures.volume_networks(settings) == ["3D-ResNet18", "3D-DenseNet121"]
    assert settings["networks"]["3D-ResNet18"]["batch"] == 8


def test_combined_models_learn_from_out_of_fold_signatures_and_know_what_comes_after_the_operation(signal, clinical):
    fits = fits_of(SPLIT, 1)
    signature = pd.concat([fused(signal, fit.fit.protocol, fit.fold).probabilities for fit in fits])
    found = models_of_fits(fits, signature, clinical)
    assert found.models == ["Clinical", "Combined", "Clinical preoperative", "Combined preoperative"]
    rows = rows_of_fits(found.probabilities, found.models, LABELS, SPLIT, 5)
    check_predictions(rows, SPLIT)
    after = found.regressions[found.regressions["model"].str.endswith("preoperative")]
    assert not after["variable"].str.contains("post-op").any()
    combined = found.regressions.query("model == 'Combined' and repeat == 1 and fold == 0")
    assert {"Ki67 (post-op)", "DL_2.5D"} <= set(combined["variable"])
    strict, published = (combined[combined["protocol"] == p] for p in ("strict", "as_published"))
    of_signature = [t.set_index("variable").loc["DL_2.5D", "coefficient"] for t in (strict, published)]
    # Apparent signatures separate the patients they learned from: their odds ratio is far larger.
    assert of_signature[1] > 1.5 * of_signature[0] > 0
    assert {(d["model"], d["protocol"]) for d in found.drawn} == {
        (m, p) for m in ("Combined", "Combined preoperative") for p in ("strict", "as_published")
    }
    # A worked patient has the same risk on paper as in the table.
    from hcc_recurrence.statistics.nomogram import NomogramModel

    drawn = next(d for d in found.drawn if d["protocol"] == "strict" and d["model"] == "Combined")
    nomogram = NomogramModel.from_dict(drawn["nomogram"])
    own = found.probabilities.query("protocol == 'strict' and repeat == 1 and fold == 0 and part == 'learned'")
    risk = own.set_index("patient_id").loc[drawn["patient"], "Combined"]
    assert nomogram.risk(drawn["values"]) == pytest.approx(risk, abs=1e-6)


def test_without_networks_there_is_the_clinical_signature_alone(clinical):
    found = models_of_fits(fits_of(SPLIT, 2), None, clinical, resamples=1)
    assert found.models == ["Clinical", "Clinical preoperative"] and found.drawn == [] and found.curves.empty
    rows = rows_of_fits(found.probabilities, found.models, LABELS, SPLIT, 5)
    check_predictions(rows, SPLIT)
    assert rows.query("protocol == 'strict'")["repeat"].nunique() == 2
    before = {v: d for v, d in DEFINITIONS.items() if d["timing"] == "pre"}
    assert list(variants_of(before)) == [""] and list(variants_of(DEFINITIONS)) == ["", " preoperative"]


def test_a_clinical_label_has_no_say_in_its_own_fold(clinical):
    fits = [outer_fit(1)]
    held = fits[0].unseen[0]
    other = LABELS.assign(er=np.where(LABELS["patient_id"] == held, 1 - LABELS["er"], LABELS["er"]))
    before, after = (
        models_of_fits(fits, None, clinical, labels, resamples=1).probabilities for labels in (LABELS, other)
    )
    pd.testing.assert_frame_equal(before, after)


def test_the_page_says_how_many_trainings_the_published_settings_take():
    raw = yaml.safe_load((REPOSITORY / "config/papers/zhang2025.yaml").read_text())
    plain = configuration.plain_values(raw)
    settings, folds = plain["settings"]["published"], plain["entries"]["splits"]["zhang2025"]["folds"]
    images, volumes = (len(f(settings)) for f in (slice_networks, volume_networks))

    def trainings(folds, repeats):
        pairs = folds * (folds - 1) // 2
        return images * (repeats * (1 + folds + pairs) + 1) + volumes * (repeats * (1 + folds) + 1)

    page = (REPOSITORY / "docs/methods/zhang2025.md").read_text()
    assert f"= {trainings(folds, settings['network_repeats'])} trainings" in page
    assert f"five repeats are {trainings(folds, 5)} trainings" in page and trainings(folds, 5) == 386
    assert f"three folds ({trainings(3, 1)} trainings)" in page
    # At most a third (docs/methods/zhang2025.md).
    assert trainings(folds, settings["network_repeats"]) <= 386 / 3
    combinations = sum(np.prod([len(v) for v in grid.values()]) for grid in settings["learners"].values())
    assert f"try {combinations} combinations" in page


# -- one fit, kept and applied -----------------------------------------------------------------

METHOD_SETTINGS = {
    **CLINICAL,
    **SETTINGS,
    "calibration_resamples": 5,
    "networks": {"A": {"architecture": "densenet121"}, "B": {"architecture": "densenet121"}},
    "after_operation": ["ki67"],
}
ALL_FITS = [Fit(left_out=(1,)), Fit(left_out=(2,)), Fit(left_out=(3,)), Fit(), BY_VALIDATION]


@pytest.fixture(scope="module")
def data(signal, telling_radiomics, clinical):
    return Data(clinical, DEFINITIONS, telling_radiomics, signal, LABELS, SPLIT)


def with_changes(data, labels, changed):
    """The data with other outcomes, and other features of some patients."""
    tables = {name: getattr(data, name) for name in ("clinical", "radiomics")}
    found = {name: other_values(table, changed) for name, table in tables.items() if table is not None}
    if data.scores is not None:
        own, probability = data.scores["patient_id"].isin(set(changed)), data.scores["probability"]
        found["scores"] = data.scores.assign(probability=probability.mask(own, 1 - probability))
    return replace(data, labels=labels, **found)


def test_what_every_method_must_hold(data, tmp_path):
    labels = LABELS.dropna()
    runs = check_method(
        declared("zhang2025"),
        zhang_fit,
        partial(with_changes, data),
        labels,
        SPLIT,
        METHOD_SETTINGS,
        ALL_FITS,
        tmp_path,
        together=[BY_VALIDATION],
    )
    validation = PATIENTS[TRAINING : TRAINING + VALIDATION]
    assert runs[-1].fitted.learned == tuple(PATIENTS[:TRAINING] + validation), "the authors chose by the validation set"
    assert runs[-2].fitted.learned == tuple(PATIENTS[:TRAINING])
    grid = runs[-2].tables["grid"].query("variant == 'DL_2.5D'")
    # Two settings of C and one of the forest, four folds each; the chosen one's mean is what the choices say.
    assert grid.groupby("learner").size().to_dict() == {"LR": 8, "RF": 4}
    means = grid[grid["chosen"]].groupby("learner")["auc"].mean()
    said = runs[-2].tables["choices"].query("variant == 'DL_2.5D'").set_index("learner")["cv_auc"]
    assert means.to_dict() == pytest.approx(said.to_dict())


def test_the_cross_validation_of_the_learners_is_an_estimate_of_its_own(data):
    """Zhang 2025, Statistical methods: five-fold cross-validation within the training patients; one kind of estimate a
    panel. The AUC of its rows is the mean over the folds that the grid search says."""
    labels = LABELS.dropna()
    runs = {fit: run_method(zhang_fit, data, fit, METHOD_SETTINGS, 5, SPLIT, labels) for fit in (Fit(), BY_VALIDATION)}
    assert "cross_validated" not in set(runs[Fit()].predictions["estimate"])
    run = runs[BY_VALIDATION]
    assert set(run.tables) == set(declared("zhang2025").tables)
    rows = run.predictions.query("estimate == 'cross_validated'")
    assert set(rows["model"]) == set(run.predictions["model"]) and set(rows["split"]) == {"train"}
    assert rows.groupby("model")["patient_id"].apply(sorted).map(lambda own: own == PATIENTS[:TRAINING]).all()
    areas = {
        model: np.mean([roc_auc_score(f["y"], f["probability"]) for _, f in own.groupby("fold")])
        for model, own in rows.groupby("model")
    }
    choices = run.tables["choices"]
    said = choices.query("variant == 'DL_2.5D'").set_index("learner")["cv_auc"]
    assert {n: areas[f"DL_2.5D {n}"] for n in said.index} == pytest.approx(said.to_dict(), abs=1e-12)
    chosen = choices[choices["chosen"]].set_index("variant")["cv_auc"]
    assert {variant: areas[variant] for variant in chosen.index} == pytest.approx(chosen.to_dict(), abs=1e-12)
    metrics = metrics_table(run.predictions).query("estimate == 'cross_validated'").set_index("model")
    assert metrics["auc"].to_dict() == pytest.approx(areas, abs=1e-12)
    below = metrics[metrics["auc"] < 1]
    assert len(below) and (below["auc_low"] < below["auc"]).all() and metrics["auc_ci"].str.contains("within").all()
    # All models that are fitted have such rows with the same folds, so that a pair is compared on one kind of estimate.
    pairs = delong_pairs(run.predictions, ["DL_2.5D", "Clinical", "Combined"]).query("estimate == 'cross_validated'")
    assert len(pairs) == 3 and (pairs["n"] == TRAINING).all()


def test_a_combined_model_of_the_signature_alone_is_the_signature_in_every_fold(data):
    """Without a clinical variable the combined model only rescales DL_2.5D: where one were cross-validated and the
    other apparent, they would differ (as DSFR and a nomogram of DSFR alone did)."""
    settings = {**METHOD_SETTINGS, "clinical_p": 0.0}
    run = run_method(zhang_fit, data, BY_VALIDATION, settings, 5, SPLIT, LABELS.dropna())
    pairs = delong_pairs(run.predictions, ["DL_2.5D", "Combined"])
    assert set(pairs["estimate"]) == {"apparent", "cross_validated", "held_out"}
    assert pairs["difference"].abs().max() < 1e-12


def test_cross_validated_rows_are_of_the_patients_that_learned_in_the_published_fit():
    train, labels = PATIENTS[:TRAINING], LABELS.dropna()
    held = pd.DataFrame({"m": 0.5, "fold": 1}, train)
    assert len(cross_validated_rows(held, BY_VALIDATION, SPLIT, labels, 6)) == TRAINING
    with pytest.raises(ValueError, match="only a published fit"):
        cross_validated_rows(held, Fit(), SPLIT, labels, 6)
    with pytest.raises(ValueError, match="no cross-validated score for some"):
        cross_validated_rows(held.iloc[1:], BY_VALIDATION, SPLIT, labels, 6)
    with pytest.raises(ValueError, match="no cross-validated score for some"):
        cross_validated_rows(held.assign(m=[np.nan, *[0.5] * (TRAINING - 1)]), BY_VALIDATION, SPLIT, labels, 6)


def test_without_networks_it_holds_too(data, tmp_path):
    settings = {**METHOD_SETTINGS, "networks": {}, "after_operation": ["ki67"]}
    alone = Data(data.clinical, DEFINITIONS, labels=LABELS, split=SPLIT)
    runs = check_method(
        declared("zhang2025"),
        zhang_fit,
        partial(with_changes, alone),
        LABELS.dropna(),
        SPLIT,
        settings,
        [*ALL_FITS[:2], Fit(left_out=(3,)), Fit(), BY_VALIDATION],
        tmp_path,
    )
    assert list(runs[0].fitted.predict(alone, PATIENTS[:2])) == ["Clinical", "Clinical preoperative"]


def test_one_fit_predicts_what_the_fusion_and_the_models_of_all_patients_predicted(data, signal, telling_radiomics):
    """Split into fit and predict, it is the arithmetic of the fusion of all patients at once."""
    for fit in (Fit(left_out=(2,)), Fit(), BY_VALIDATION):
        fitted, _ = zhang_fit(data, fit, METHOD_SETTINGS, 6)
        fusion = fit_fusion(signal, LABELS, SPLIT, telling_radiomics, SETTINGS, patients_of_fit(SPLIT, fit), 5)
        wide = fusion.probabilities.query("part == 'unseen'").set_index("patient_id")
        found = fitted.predict(data, list(wide.index))
        for model in ("DL_2.5D", "DL_2.5D LR", "DL_2.5D RF", "DL_2.5D without radiomics"):
            assert np.allclose(found[model], wide[model], rtol=0, atol=1e-14), (fit, model)


def test_who_the_published_protocol_scales_by_and_a_patient_who_was_not_there(data):
    fitted, _ = zhang_fit(data, BY_VALIDATION, METHOD_SETTINGS, 6)
    external = PATIENTS[TRAINING + VALIDATION :]
    by_set = fitted.signature_inputs("DL_2.5D", data, external)
    assert np.abs(by_set.mean(axis=0)).max() < 1e-12
    # Applied elsewhere there is no set: the scale of the training patients.
    applied = fitted.signature_inputs("DL_2.5D", replace(data, split=None), external)
    own = fitted.signatures["DL_2.5D"]
    x = own.features(fitted.bags(data, external), data.radiomics)
    assert np.array_equal(applied, (x - own.scale.mean) / own.scale.scale)
    assert np.abs(applied - by_set).max() > 0.1
    strict, _ = zhang_fit(data, Fit(), METHOD_SETTINGS, 6)
    same = [strict.predict(d, external) for d in (data, replace(data, split=None, labels=None))]
    pd.testing.assert_frame_equal(*same)


def test_a_kept_fit_scores_a_new_patient_from_crops_radiomics_and_clinical_variables_in_another_process(data, tmp_path):
    torch.manual_seed(3)
    network, volume = SliceNetwork("densenet121"), VolumeNetwork("densenet121_3d", 3)
    for name, made in (("B", network), ("box", volume)):
        (tmp_path / name).mkdir()
        save_network(made, {}, tmp_path / name / "strict.1.0.pt")
    generator = np.random.default_rng(5)
    image, box = generator.random((3, IMAGES, 32, 32), np.float32), generator.random((3, 32, 32, 32), np.float32)
    kept = replace(
        data,
        networks={"B": partial(KeptNetwork.of_file, "B", "densenet121", tmp_path / "B/strict.1.0.pt")},
        volume=KeptNetwork.of_file("box", "densenet121_3d", tmp_path / "box/strict.1.0.pt"),
    )
    fitted, _ = zhang_fit(kept, Fit(), METHOD_SETTINGS, 6)
    fitted.save(tmp_path / "model")
    np.savez(tmp_path / "crops.npz", image=image, box=box)
    row = data.radiomics.iloc[[0]].set_axis(["new"])
    clinical = pd.DataFrame({"age": [62.0], "ki67": [1.0], "noise": [0.3]}, ["new"])
    row.to_parquet(tmp_path / "x.parquet")
    clinical.to_parquet(tmp_path / "c.parquet")
    code = f"""
import sys; sys.path.insert(0, {str(REPOSITORY / "workflow/scripts")!r})
from pathlib import Path
import numpy as np, pandas as pd
from hcc_recurrence.methods.zhang2025.fit import Data, Zhang
here = Path({str(tmp_path)!r})
crops = np.load(here / "crops.npz")
data = Data(pd.read_parquet(here / "c.parquet"), radiomics=pd.read_parquet(here / "x.parquet"),
            images={{"new": crops["image"]}}, boxes={{"new": crops["box"]}})
found = Zhang.load(here / "model").predict(data, ["new"])
print(found.to_json(orient="columns", double_precision=15))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found = {model: row["new"] for model, row in json.loads(done.stdout).items()}
    # By hand: each view through the network, then the very model with these scores.
    with torch.no_grad():
        logits = network.eval()(torch.from_numpy(image.swapaxes(0, 1)[:, :, None].copy()))
        boxed = volume.eval()(torch.from_numpy(box[None]), torch.empty(1, 0))
    scores = torch.softmax(logits.double(), 1)[:, 1].numpy()
    rows = {"model": "B", "fit": "strict.1.0", "patient_id": "new", "image": range(IMAGES), "probability": scores}
    scored = Data(clinical, radiomics=row, scores=pd.DataFrame(rows))
    expected = fitted.predict(scored, ["new"]).loc["new"]
    assert set(found) == {*expected.index, "DL_3D"} and len(expected) == 8
    assert {m: found[m] for m in expected.index} == pytest.approx(expected.to_dict(), abs=1e-12)
    assert found["DL_3D"] == pytest.approx(torch.softmax(boxed.double(), 1)[0, 1].item(), abs=1e-6)
    with pytest.raises(ValueError, match=r"new: no scores of images by B, and no crop of the patient is given"):
        fitted.predict(replace(scored, scores=None), ["new"])
    without, _ = zhang_fit(data, Fit(left_out=(1,)), METHOD_SETTINGS, 6)
    with pytest.raises(ValueError, match=r"this fit does not keep the network's weights"):
        without.predict(replace(scored, images={"new": image}), ["new"])
