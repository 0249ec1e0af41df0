"""Cui 2022: which patients a fit takes, seven versions, the mean of all folds, relevance, the learning curve."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from figure_checks import shown_text
from precision import assert_same_rounding
from training_checks import declared_bytes, kept_for_gradient

from hcc_recurrence.cohort.fit import LEFT_OUT, PUBLISHED, Fit
from hcc_recurrence.figures.learning_curve import plot_learning_curve
from hcc_recurrence.figures.relevance import plot_relevance
from hcc_recurrence.learning.network_scores import with_fits
from hcc_recurrence.learning.predictions import check_predictions
from hcc_recurrence.methods.cui2022.fit import (
    compare_shares,
    ensemble,
    ensemble_table,
    learning_curve,
    network_predictions,
    relevance_share,
)
from hcc_recurrence.networks.augmentation import seven_versions
from hcc_recurrence.networks.box_cam import box_cam
from hcc_recurrence.networks.build import build_network
from hcc_recurrence.networks.cui3d import Cui3D
from hcc_recurrence.networks.examples import FITTED, INNER, UNSEEN, fit_roles, keep_share
from hcc_recurrence.networks.fits import run_fit, with_versions
from hcc_recurrence.networks.training import Examples
from hcc_recurrence.statistics.auc import auc_cross_validated, auc_delong
from hcc_recurrence.statistics.classification import metrics_table
from hcc_recurrence.statistics.delong import paired_table

TRAINING, VALIDATION, EXTERNAL = 30, 10, 8
PATIENTS = [f"P{i:03d}" for i in range(TRAINING + VALIDATION + EXTERNAL)]
ER = np.arange(len(PATIENTS)) % 2


def make_split() -> pd.DataFrame:
    split = pd.DataFrame({"patient_id": PATIENTS})
    split["split"] = ["train"] * TRAINING + ["validation"] * VALIDATION + ["external"] * EXTERNAL
    folds = [1 + i // 2 % 3 for i in range(TRAINING)]
    for repeat in (1, 2):
        split[f"fold_{repeat}"] = pd.array([*folds, *[pd.NA] * (VALIDATION + EXTERNAL)], dtype="Int64")
    return split


SPLIT = make_split()
OUTCOME = pd.Series(ER, index=PATIENTS)
LABELS = pd.DataFrame({"patient_id": PATIENTS, "er": ER, "rfs_months": 10.0 + ER, "rfs_event": 1})


def make_scores() -> pd.DataFrame:
    """Scores of SS, which knows a little, and of NSS, which knows nothing but what it was trained with."""
    generator = np.random.default_rng(1)
    tables = []
    for model, knows in (("SS", 1.2), ("NSS", 0.0)):
        for repeat in (1, 2):
            fits = [Fit(repeat=repeat, left_out=(fold,)) for fold in (1, 2, 3)]
            fits += [Fit(PUBLISHED, 1, fit.left_out, LEFT_OUT) for fit in fits] if repeat == 1 else []
            for fit in fits:
                roles = fit_roles(SPLIT, OUTCOME, fit, 0.2, 5)
                own = knows * (ER - 0.5) + generator.normal(0, 0.7, len(PATIENTS))
                seen = (roles.loc[PATIENTS] == FITTED).to_numpy()
                own = np.where(seen, 3 * (ER - 0.5), own)
                about = {"model": model, "fit": str(fit)}
                table = pd.DataFrame({"patient_id": PATIENTS, "role": roles.loc[PATIENTS].to_numpy()})
                tables.append(table.assign(probability=1 / (1 + np.exp(-own)), **about))
    return with_fits(pd.concat(tables, ignore_index=True))


def test_a_held_fold_decides_when_to_stop_and_all_others_fit():
    roles = fit_roles(SPLIT, OUTCOME, Fit(PUBLISHED, 1, (2,), LEFT_OUT), 0.2, 5)
    fold = SPLIT.set_index("patient_id")["fold_1"]
    assert set(roles.index[roles == INNER]) == set(fold.index[fold == 2])
    assert set(roles.index[roles == FITTED]) == set(fold.index[fold.isin([1, 3])])
    assert (roles[PATIENTS[TRAINING:]] == UNSEEN).all()


def test_shares_are_nested_stratified_and_never_bring_a_patient_in():
    roles = fit_roles(SPLIT, OUTCOME, Fit(left_out=(2,)), 0.2, 5)
    sets = [set(), *({*(kept := keep_share(roles, OUTCOME, s, 3)).index[kept == FITTED]} for s in (0.25, 0.5, 0.75, 1))]
    for smaller, larger in pairwise(sets):
        assert smaller < larger
    assert sets[-1] == set(roles.index[roles == FITTED])
    half = keep_share(roles, OUTCOME, 0.5, 3)
    assert OUTCOME[half.index[half == FITTED]].value_counts().to_dict() == {0: 4, 1: 4}
    assert (half[roles == UNSEEN] == UNSEEN).all() and (half == INNER).sum() >= 2
    assert keep_share(roles, OUTCOME, 0.5, 3).equals(half) and not keep_share(roles, OUTCOME, 0.5, 4).equals(half)


def test_patients_that_fit_have_seven_versions_and_no_other():
    generator = np.random.default_rng(2)
    images = generator.random((5, 1, 4, 8, 8)).astype(np.float32)
    role = np.array([FITTED, INNER, FITTED, UNSEEN, FITTED])
    examples = Examples.of(images, np.empty((5, 0)), [0, 1, 1, 0, 1], role)
    assert with_versions(examples, {"rotation_deg": 5, "scale": 0, "shift": 0}, 1) is examples
    more = with_versions(examples, {"largest_shift": 2}, 1)
    assert len(more.images) == 5 + 6 * 3 and (more.role == FITTED).sum() == 3 * 7
    assert torch.equal(more.images[:5], examples.images) and more.role[:5].tolist() == role.tolist()
    expected = seven_versions(images[0, 0], 2, np.random.default_rng(1))[1:]
    assert np.array_equal(more.images[5:11, 0].numpy(), np.stack(expected))
    assert more.outcome[5:].tolist() == [0] * 6 + [1] * 12
    again = with_versions(examples, {"largest_shift": 2}, 1)
    assert torch.equal(again.images, more.images)


def test_predictions_are_of_folds_never_seen_and_of_the_mean_of_all():
    scores = make_scores()
    predictions = network_predictions(LABELS, SPLIT, scores, 7)
    check_predictions(predictions, SPLIT)
    assert set(predictions["model"]) == {"SS", "NSS"} and set(predictions["seed"]) == {8, 9}
    strict = scores[(scores["model"] == "SS") & (scores["repeat"] == 2)]
    patient = PATIENTS[TRAINING]
    mean = strict.loc[strict["patient_id"] == patient, "probability"].mean()
    keys = {"model": "SS", "protocol": "strict", "repeat": 2, "patient_id": patient}
    row = predictions[(predictions[list(keys)] == list(keys.values())).all(axis=1)]
    assert row["probability"].item() == pytest.approx(mean) and row["estimate"].item() == "held_out"
    held = scores[(scores["model"] == "SS") & (scores["tuned_on"] == LEFT_OUT) & (scores["patient_id"] == "P003")]
    keys = {"model": "SS", "protocol": "as_published", "estimate": "apparent", "patient_id": "P003"}
    row = predictions[(predictions[list(keys)] == list(keys.values())).all(axis=1)]
    assert row["probability"].item() == pytest.approx(held["probability"].mean()) and len(held) == 3
    leaking = scores.copy()
    leaking.loc[(leaking["patient_id"] == patient) & (leaking["fold"] == 1), "role"] = FITTED
    with pytest.raises(ValueError, match=f"trained with .*{patient}"):
        network_predictions(LABELS, SPLIT, leaking, 7)


def test_apparent_scores_of_a_network_that_knows_nothing_are_high_and_strict_ones_are_not():
    scores = make_scores()
    predictions = network_predictions(LABELS, SPLIT, scores, 7)
    table = ensemble_table(LABELS, scores, metrics_table(predictions)).set_index("model")
    assert table.loc["NSS", "apparent"] > 0.95 and table.loc["NSS", "strict"] < 0.75
    assert table.loc["SS", "strict"] > table.loc["NSS", "strict"] and table["n"].tolist() == [TRAINING] * 2
    own = scores[(scores["model"] == "SS") & (scores["role"] == INNER) & (scores["tuned_on"] == LEFT_OUT)]
    y, fold = OUTCOME[own["patient_id"]].to_numpy(), own["fold"].to_numpy()
    area = auc_cross_validated(y, own["probability"].to_numpy(), fold, own["repeat"].to_numpy())
    assert table.loc["SS", "deciding_folds"] == area.auc
    mean = ensemble(scores.merge(SPLIT[["patient_id", "split"]], on="patient_id"))
    assert set(mean.loc[mean["split"] == "train", "role"]) == {"seen"}
    assert set(mean.loc[mean["split"] != "train", "role"]) == {UNSEEN}


def test_relevance_inside_the_tumour():
    maps = np.zeros((3, 4, 4))
    maps[0, 0, 0], maps[0, 3, 3], maps[1, 1, 1] = 1, 3, 2
    masks = np.zeros((3, 2, 4, 4))
    masks[0, 1, 3, 3] = masks[1, 0, 0, 0] = 1
    share = relevance_share(maps, masks)
    assert share[:2].tolist() == [0.75, 0.0] and np.isnan(share[2])


def test_shares_are_compared_by_wilcoxon_in_the_same_patients():
    from scipy.stats import wilcoxon

    generator = np.random.default_rng(3)
    table = pd.DataFrame({"SS": generator.uniform(0.3, 1, 20), "NSS": generator.uniform(0, 0.6, 20)})
    table.loc[4, "NSS"] = np.nan
    found = compare_shares(table)
    known = table.dropna()
    assert found["n"] == 19 and found["p"] == wilcoxon(known["SS"], known["NSS"]).pvalue
    assert found["median_ss"] == known["SS"].median()
    assert compare_shares(table.assign(NSS=table["SS"]))["p"] == 1.0
    figure = plot_relevance(table.assign(tumour_area=0.1), found, "title")
    assert "n = 19" in figure.axes[0].get_title()
    # One network without any map above 0, as on real patients: nothing to compare, and no median or P of nobody.
    none = compare_shares(table.assign(NSS=np.nan))
    assert none["n"] == 0 and np.isnan([none["p"], none["median_ss"]]).all()
    words = shown_text(plot_relevance(table.assign(NSS=np.nan, tumour_area=0.1), none, "title"))
    assert "No patient has a map above 0" in words and "nan" not in words


def test_the_learning_curve_is_a_paired_test_within_folds():
    scores = make_scores()
    whole = scores[~(scores["tuned_on"] == LEFT_OUT) & (scores["repeat"] == 1)]
    half = whole[whole["role"] != FITTED].assign(share=0.5)
    some = whole[whole["role"] == FITTED].groupby(["model", "fold"]).head(6).assign(share=0.5)
    curve = learning_curve(LABELS, SPLIT, pd.concat([half, some, whole.assign(share=1.0)]), [0.5, 1.0])
    assert curve["share"].tolist() == [0.5, 0.5, 1.0, 1.0]
    assert curve.loc[curve["share"] == 0.5, "trained"].tolist() == [6, 6]
    held = whole.merge(SPLIT, on="patient_id")
    held = held[held["fold"] == held["fold_1"]]
    wide = held.pivot(index=["fold", "patient_id"], columns="model", values="probability").reset_index()
    y, fold = OUTCOME[wide["patient_id"]].to_numpy(), wide["fold"].to_numpy()
    test = paired_table(y, {m: wide[m].to_numpy() for m in ("SS", "NSS")}, fold, np.ones(len(y), int)).iloc[0]
    last = curve[curve["share"] == 1.0].set_index("model")
    assert last.loc["SS", "difference"] == pytest.approx(test["difference"])
    assert last.loc["SS", "p"] == pytest.approx(test["p"])
    per_fold = [auc_delong(y[fold == f], wide["SS"].to_numpy()[fold == f]).auc for f in (1, 2, 3)]
    assert last.loc["SS", "auc"] == pytest.approx(np.mean(per_fold))
    figure = plot_learning_curve(curve, 0.9, "title")
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["SS", "NSS", "oracle AUC 0.90"]
    # Without smaller trainings (`training_shares: []`) the curve is a point, on an axis that says which.
    alone = learning_curve(LABELS, SPLIT, whole, [1.0])
    pd.testing.assert_frame_equal(alone, curve[curve["share"] == 1.0].reset_index(drop=True))
    axis = plot_learning_curve(alone, None, "title").axes[0]
    assert len(axis.get_xticks()) == 1 and axis.get_xlim()[1] - axis.get_xlim()[0] == pytest.approx(2)


def test_grad_cam_of_a_linear_network_is_known():
    """With one linear layer the gradient is its weight: the map is the sum of mean weight times map, above 0."""
    torch.manual_seed(4)
    network = Cui3D((6, 32, 32)).eval()
    channels, *size = network.final_shape
    network.dense = torch.nn.Sequential(torch.nn.Linear(channels * int(np.prod(size)), 2))
    with torch.no_grad():
        # Positive, or the map may be below 0 everywhere and nothing is compared.
        network.dense[0].weight.abs_()
    images = torch.rand(2, 1, 6, 32, 32)
    found = box_cam(network, images)
    weight = network.dense[0].weight[1].reshape(channels, *size).detach().mean(dim=(1, 2, 3))
    with torch.no_grad():
        maps = network.maps(images)["pool4"]
    expected = torch.einsum("c,nczyx->nzyx", weight, maps).clamp_min(0).sum(dim=1)
    expected = torch.nn.functional.interpolate(expected[:, None], (32, 32), mode="bilinear", align_corners=False)[:, 0]
    assert found.shape == (2, 32, 32)
    assert_same_rounding(found, expected)


def test_one_training_step_at_the_published_size_and_its_memory():
    network = build_network({"architecture": "cui3d", "weights": ""}, 1, (10, 150, 150), False)
    images = torch.rand(1, 1, 10, 150, 150)
    torch.nn.functional.cross_entropy(network(images), torch.tensor([1])).backward()
    a_voxel = kept_for_gradient(network, lambda: network(images)) / images.numel()
    declared = declared_bytes("CUI_BYTES")
    print(f"{a_voxel:.0f} bytes a voxel are kept for the gradient; {declared} are asked for")
    assert a_voxel < declared < 2 * a_voxel
    with pytest.raises(ValueError, match="takes one phase, not 2"):
        build_network({"architecture": "cui3d", "weights": ""}, 2, (10, 150, 150), False)


def test_boxes_are_scaled_by_those_that_fit_and_the_network_keeps_how():
    generator = np.random.default_rng(7)
    images = generator.normal(0.6, 0.1, (6, 1, 4, 8, 8)).astype(np.float32)
    # Patients outside the fit are brighter: they must not count.
    images[4:] += 5
    role = np.array([FITTED, FITTED, FITTED, INNER, UNSEEN, UNSEEN])
    examples = Examples.of(images, np.empty((6, 0)), [0, 1, 0, 1, 0, 1], role)
    settings = {
        **{"optimiser": "adam", "learning_rate": 1e-4, "momentum": 0.9, "weight_decay": 0.0, "epochs": 1, "batch": 2},
        **{"patience": 1, "class_weights": True, "augmentation": {}, "standardise": True},
    }
    rows = pd.DataFrame({"patient_id": PATIENTS[:6], "role": role})

    def fit(standardise: bool):
        own = {**settings, "standardise": standardise}
        made = build_network({"architecture": "cui3d", "weights": ""}, 1, (4, 8, 8), False)
        return run_fit(lambda: made, examples, rows, own, Fit(left_out=(1,)), 3, None, "")[0]

    network = fit(True)
    assert float(network.mean) == pytest.approx(images[:3].mean(), abs=1e-6)
    assert float(network.sd) == pytest.approx(images[:3].std(ddof=1), abs=1e-6)
    scaled = network.scaled(torch.from_numpy(images[:3]))
    assert float(scaled.mean()) == pytest.approx(0, abs=1e-5) and float(scaled.std()) == pytest.approx(1, abs=1e-5)
    assert {"mean", "sd"} <= set(network.state_dict()), "kept with the weights"
    assert torch.equal(network(torch.from_numpy(images)), network.network(network.scaled(torch.from_numpy(images))))
    plain = fit(False)
    assert (float(plain.mean), float(plain.sd)) == (0, 1)
