"""Distributions that name nobody, and what single methods say of their exported models."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

from hcc_recurrence.exported.distribution import (
    ball_diameter_mm,
    case_mix,
    category_item,
    clinical_items,
    numeric_item,
    tumour_items,
)
from hcc_recurrence.exported.reference import THROUGH_TOLERANCE, Reference, compared_scores, through_of
from hcc_recurrence.files import ModelFileError
from hcc_recurrence.learning.scaling import Imputer
from hcc_recurrence.methods.exporting import drawn_model
from hcc_recurrence.methods.yan2023 import export as yan
from hcc_recurrence.methods.yan2023.fit import FittedYan
from hcc_recurrence.methods.yan2023.nomograms import FittedNomograms
from hcc_recurrence.methods.zhang2025 import export as zhang
from hcc_recurrence.methods.zhang2025.fit import Zhang
from hcc_recurrence.methods.zhang2025.signature import Signature
from hcc_recurrence.networks.features import extract_features, feature_network
from hcc_recurrence.networks.weights import file_sha256
from hcc_recurrence.problems import Refused
from hcc_recurrence.statistics.logistic import LogisticModel
from hcc_recurrence.statistics.nomogram import NomogramModel

# -- distributions -----------------------------------------------------------------------------------------------------


def test_quantiles_are_rounded_outwards_and_are_nobodys_smallest_or_largest_value():
    # 0, 1, ..., 100: the quantiles are their percentages, of which 2.5 and 97.5 lie between two.
    item = numeric_item("age", "clinical", range(101), "years")
    assert item["quantiles"] == {"2.5": 2.5, "25": 25.0, "50": 50.0, "75": 75.0, "97.5": 97.5}
    assert (item["n"], item["missing"], item["mean"], item["unit"]) == (101, 0.0, 50.0, "years")
    assert item["sd"] == pytest.approx(29.2, abs=0.05)
    values = np.random.default_rng(0).normal(1000, 3, 40)
    own = numeric_item("f", "features", values)["quantiles"]
    exact = np.percentile(values, [2.5, 97.5])
    assert own["2.5"] <= exact[0] < own["2.5"] + 0.1 and own["97.5"] - 0.1 < exact[1] <= own["97.5"]
    assert not set(own.values()) & set(values)


def test_one_value_of_everybody_and_values_of_too_few():
    same = numeric_item("te", "acquisition", [1.8] * 20)
    assert set(same["quantiles"].values()) == {1.8}
    few = numeric_item("delay", "acquisition", [30.0, 31, 32, 33, None, None, None, None, None])
    assert few["quantiles"] == {} and few["mean"] is None and few["missing"] == pytest.approx(5 / 9, abs=0.001)


@pytest.mark.parametrize(("lacking", "n", "missing"), [(0, 20, 0.0), (1, 20, None), (4, 20, None), (5, 15, 0.25)])
def test_few_missing_values_are_not_counted(lacking, n, missing):
    item = numeric_item("afp", "clinical", [float(i) for i in range(20 - lacking)] + [float("nan")] * lacking)
    assert (item["n"], item["missing"]) == (n, missing)


def test_rare_levels_stand_together_or_nowhere():
    together = category_item("grade", "clinical", ["A"] * 10 + ["B"] * 3 + ["C"] * 2, ["A", "B", "C"])
    assert together["fractions"] == {"A": 0.667, "other": 0.333} and together["levels"] == ["A", "B", "C"]
    # Fewer than five together: of nobody it is said that they are there.
    assert category_item("grade", "clinical", ["A"] * 10 + ["B"] * 3, ["A", "B"])["fractions"] == {"A": 1.0}
    # A scanner of one patient is not named where no list of the config has it.
    assert category_item("scanner", "acquisition", ["GE"] * 9 + ["Rare"])["levels"] == ["GE"]


def test_clinical_codes_become_levels_again():
    table = pd.DataFrame({"sex": [0.0] * 6 + [1.0] * 6, "mvi": [1.0] * 11 + [np.nan], "afp": np.arange(12.0)})
    definitions = {
        "sex": {"kind": "categorical", "levels": ["F", "M"]},
        "mvi": {"kind": "binary", "levels": []},
        "afp": {"kind": "continuous", "unit": "ng/mL", "levels": []},
    }
    sex, mvi, afp = clinical_items(table, definitions)
    assert sex["fractions"] == {"F": 0.5, "M": 0.5} and mvi["fractions"] == {"1": 1.0} and mvi["missing"] is None
    assert afp["unit"] == "ng/mL" and afp["quantiles"]["50"] == 5.5


def test_sizes_of_tumours():
    # A ball of 20 mm has 4/3 pi 10^3 mm3 = 4.18879 mL.
    assert ball_diameter_mm(4.18879) == pytest.approx(20, abs=1e-4)
    table = pd.DataFrame({"phase": "arterial", "reader": ["R1", "R2"] * 6, "volume_ml": [4.18879, 99.0] * 6})
    volume, diameter = tumour_items(table, ["arterial", "portal"], "R1")
    assert volume["item"] == "arterial__volume_ml" and volume["unit"] == "mL" and volume["n"] == 6
    assert diameter["quantiles"]["50"] == pytest.approx(20, abs=0.001)


def test_counts_of_outcomes_below_five_are_not_said():
    labels = pd.DataFrame({"patient_id": [f"p{i}" for i in range(20)], "er": [1] * 4 + [0] * 16})
    assert case_mix(labels, labels["patient_id"]) == {"patients": 20, "early_recurrence": None, "none": 16}


# -- methods -----------------------------------------------------------------------------------------------------------


def test_a_logistic_model_is_drawn_between_quantiles_and_keeps_its_risk():
    model = LogisticModel({"AFP, ng/mL": 0.002, "Sex": 0.7, "Diameter > 50 mm": 1.1, "mp-MR": 0.3}, -2.0, "ML")
    inputs = {
        "AFP, ng/mL": {"variable": "afp", "cut": None, "code": None},
        "Sex": {"variable": "sex", "cut": None, "code": None},
        "Diameter > 50 mm": {"variable": "diameter", "cut": 50, "code": None},
        "mp-MR": {"model": "mp-MR"},
    }
    items = [
        numeric_item("afp", "clinical", range(101)),
        category_item("sex", "clinical", ["F", "M"] * 10, ["F", "M"]),
        numeric_item("diameter", "clinical", range(101)),
    ]
    drawn = drawn_model(model, inputs, {"inputs": items}, {"mp-MR": 10.0})
    axes = {a["name"]: (a["low"], a["high"], tuple(a["levels"])) for a in drawn["nomogram"]["axes"]}
    assert axes == {
        "AFP, ng/mL": (2.5, 97.5, ()),
        "Sex": (0.0, 1.0, ("F", "M")),
        "Diameter > 50 mm": (0.0, 1.0, ("no", "yes")),
        "mp-MR": (0.0, 1.0, ()),
    }
    assert drawn["axis_inputs"]["mp-MR"] == {"model": "mp-MR"}
    patient = {"AFP, ng/mL": 50, "Sex": 1, "Diameter > 50 mm": 0, "mp-MR": 0.4}
    # The model reads the signature in tenths: 0.002 * 50 + 0.7 + 0.3 * 4 - 2 = 0.
    assert NomogramModel.from_dict(drawn["nomogram"]).risk(patient) == pytest.approx(0.5)
    assert drawn_model(LogisticModel({}, 0.3, "ML"), inputs, {"inputs": items}, {}) is None


def yan_of(weights=""):
    network = {"name": "VGG19", "architecture": "vgg19", "crops": "c", "highest": 255.0, "pool": "mean", "seed": 7}
    network |= {"sha256": "", "tap": "relu", "weights": weights}
    return FittedYan((), {}, None, FittedNomograms([], Imputer(np.zeros((1, 0))), {}), network)


def test_random_weights_of_a_feature_network_travel_with_the_model(tmp_path):
    parts, sums = yan.with_weights({"models": yan_of()}, tmp_path)
    file = tmp_path / "VGG19.safetensors"
    drawn = feature_network("", 7).state_dict()
    stored = load_file(file)
    assert set(stored) == set(drawn) and all(torch.equal(stored[name], drawn[name]) for name in drawn)
    network = parts["models"].network
    assert sums == {"VGG19": file_sha256(file)} == {"VGG19": network["sha256"]}
    # With another seed the file decides, and no draw.
    other = feature_network(file, 8).state_dict()
    assert all(torch.equal(other[name], drawn[name]) for name in drawn)
    # The file that came is the one that the model asks for.
    assert network["weights"] == "VGG19.safetensors" and yan.PARTS["models"].method == "yan2023"


class OfOneFeature:
    """Stands for the models of Yan 2023: the mean of one feature of each phase, squeezed."""

    cells = dict.fromkeys(("arterial", "portal"))
    network = yan_of("VGG19.safetensors").network

    def predict(self, data, patients):
        middle = sum(table.iloc[:, 1400] for table in data.features.values()) / len(data.features)
        return pd.DataFrame({"AP": 1 / (1 + np.exp(-middle.loc[patients]))})


def test_images_of_the_self_test_of_yan_go_through_its_network(tmp_path):
    """From slices of noise, others in each phase, to probabilities; another network gives others."""
    yan.with_weights({"models": yan_of()}, tmp_path)
    rows = Reference(5, {}, {}, (), {}, {}).rows()
    stated = through_of("yan2023", {"models": OfOneFeature()}, rows, tmp_path, 5)
    file = tmp_path / "VGG19.safetensors"
    network, features = feature_network(file, 0), {}
    for phase, seed in (("arterial", 5), ("portal", 6)):
        # Squares of four pixels, by numpy's old generator.
        coarse = np.random.RandomState(seed).random_sample((3, 12, 12))
        noise = coarse.repeat(4, axis=1).repeat(4, axis=2).astype(np.float32)
        features[phase] = extract_features(network, 255.0 * noise, list(rows.patients), 255.0)
    by_hand = OfOneFeature().predict(SimpleNamespace(features=features), list(rows.patients))["AP"]
    assert stated == {"AP": by_hand.tolist()} and len(set(stated["AP"])) == 3
    assert through_of("cui2022", {}, rows, tmp_path, 5) == {}
    weights = load_file(file)
    weights["features.34.weight"] *= 1.1
    save_file(weights, file)
    found = through_of("yan2023", {"models": OfOneFeature()}, rows, tmp_path, 5)
    with pytest.raises(ModelFileError, match="AP gives the made-up images of its self-test other probabilities"):
        compared_scores(SimpleNamespace(folder="bundle"), found, stated, THROUGH_TOLERANCE, "images")


class Learner:
    """Stands for a classifier without rows."""


class Neighbours:
    """Stands for one with them."""

    def __init__(self):
        self._fit_X = np.zeros((12, 2))


def zhang_of(chosen):
    learners = {"LR": Learner(), "KNN": Neighbours()}
    signature = Signature(None, ("Histo_pred_0", "arterial__f1"), None, learners, chosen)
    return {"models": Zhang((), "net", "strict.1.0", False, {"DL_2.5D": signature}, {})}


def test_learners_with_rows_are_left_out_unless_the_signature_is_one():
    parts = zhang_of("LR")
    assert zhang.reads(parts, {"settings": {}, "phases": ["arterial"]}).features == ("arterial__f1",)
    kept = zhang.without(parts, ["DL_2.5D KNN"])["models"].signatures["DL_2.5D"]
    assert list(kept.learners) == ["LR"]
    with pytest.raises(Refused, match=r"DL_2.5D is made by a classifier that holds rows"):
        zhang.without(zhang_of("KNN"), ["DL_2.5D", "DL_2.5D KNN"])
