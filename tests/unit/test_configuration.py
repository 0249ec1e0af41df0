"""The config, the papers' files and the demo sheets."""

from __future__ import annotations

import copy
import re
from itertools import takewhile

import pandas as pd
import pytest
import yaml
from workflow_runner import REPOSITORY

from hcc_recurrence.configuration import load_configuration, plain_values, sourced_values
from hcc_recurrence.imaging.view_names import parse_view
from hcc_recurrence.learning.estimators import ESTIMATORS
from hcc_recurrence.learning.selection import RANKINGS
from hcc_recurrence.methods.yan2023.settings import GRID
from hcc_recurrence.networks.architectures import FEATURE_ARCHITECTURES, highest_value
from hcc_recurrence.plan import Plan
from hcc_recurrence.problems import InputError
from hcc_recurrence.simulation.risk import RiskModel, best_reachable_auc
from hcc_recurrence.simulation.sheets import PLANS, draw_sheets

PAPERS, SCHEMAS = REPOSITORY / "config/papers", REPOSITORY / "workflow/schemas"
CONFIG = yaml.safe_load((REPOSITORY / "config/config.yaml").read_text())


def load(change=None):
    config = copy.deepcopy(CONFIG)
    if change:
        change(config)
    return load_configuration(config, PAPERS, SCHEMAS)


def test_published_and_demo_of_yan_differ_only_in_sizes():
    published = load(lambda c: c.update(preset="published"))["papers"]["yan2023"]["settings"]
    demo = load()["papers"]["yan2023"]["settings"]
    assert {k for k in published if published[k] != demo[k]} == {
        *("crops", "feature_numbers", "inner_folds", "inner_repeats", "grid_repeats", "calibration_resamples"),
        *("classifiers", "inner_classifiers", "permuted_grid"),
    }
    assert set(published["classifiers"]) == set(demo["classifiers"])
    crops, grids = load()["crops"], load()["grids"]
    assert crops["yan2023"]["size_voxels"] == [1, 224, 224] and grids["yan2023"]["spacing_mm"] == []
    assert {k for k, v in crops["yan2023"].items() if crops["yan2023_demo"][k] != v} == {"size_voxels"}
    assert highest_value(crops["yan2023"], grids["yan2023"]) == 255
    assert (
        highest_value({"window": [0, 1]}, grids["iso1"]) == 1 and highest_value({"window": []}, grids["iso1"]) is None
    )


def test_a_window_in_values_of_a_normalised_grid_is_for_mr_too():
    def change(config):
        grid = {"spacing_mm": [2, 2, 2], "normalisation": "zscore_body"}
        config["grids"] = {"cui2022_demo": grid}
        config["crops"] = {f"cui2022_{name}_demo": {"window": [-3, 3]} for name in ("ss", "nss")}
        config["studies"].append(CUI_ON_MR)

    crop = load(change)["crops"]["cui2022_ss_demo"]
    assert crop["window"] == [-3, 3] and crop["masked"] is True


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("inner_classifiers", {"KNN": {}}, "classifiers of the grid: RF, SVM, LASSO, AdaBoost, GP"),
        ("inner_classifiers", {"RF": {"trees": 5}}, "RF has trees; RF takes n_estimators"),
        ("permuted_grid", {"fusion": "mean"}, "selectors, classifiers, feature_numbers or inner_repeats"),
        ("permuted_grid", {"classifiers": ["KNN"]}, "a list of some of RF, SVM, LASSO, AdaBoost, GP"),
        ("permuted_grid", {"inner_repeats": 0}, "a whole number from 1 upwards"),
    ],
)
def test_smaller_grids_of_yan_are_parts_of_the_grid(key, value, said):
    with pytest.raises(InputError) as caught:
        load(lambda c: c.update(overrides={"yan2023": {key: value}}))
    assert said in str(caught.value)


def test_the_order_of_keys_means_nothing():
    """Jobs carry such entries as parameters: in another order they would run again."""
    entry = {"kind": "random", "folds": 3, "validation_fraction": 0.2}
    first, second = (
        load(lambda c, own=own: c.update(splits={"s": own}))["splits"]["s"]
        for own in (entry, dict(reversed(list(entry.items()))))
    )
    assert list(first.items()) == list(second.items())


def test_published_and_demo_differ_only_in_sizes():
    published = load(lambda c: c.update(preset="published"))["papers"]["zhao2024"]["settings"]
    demo = load()["papers"]["zhao2024"]["settings"]
    assert {k for k in published if published[k] != demo[k]} == {
        *("radiomics", "l1_penalties", "crops", "networks", "epochs", "batch", "patience", "split"),
        # In so few epochs the published rate would leave random weights as they are.
        *("optimiser", "learning_rate"),
    }
    splits = load()["splits"]
    assert {k for k, v in splits["zhao2024"].items() if splits["zhao2024_demo"][k] != v} == {"repeats"}
    assert load()["evaluation"]["resamples"] == 200
    assert load(lambda c: c.update(preset="published"))["evaluation"]["resamples"] == 1000
    assert load(lambda c: c.update(evaluation={"resamples": 50}))["evaluation"]["resamples"] == 50
    slices = load()["crops"]
    assert slices["zhao2024_slices"]["size_voxels"] == [3, 256, 256]
    assert {k for k, v in slices["zhao2024_slices"].items() if slices["zhao2024_slices_demo"][k] != v} == {
        "grid",
        "size_voxels",
    }
    assert published["clinical"]["diameter"] == 50 and published["radiomics"] == "zhao2024"
    entries = load()["radiomics"]
    different = {k for k, v in entries["zhao2024"].items() if entries["zhao2024_demo"][k] != v}
    assert different == {"grid"}
    assert load()["grids"]["iso1"]["spacing_mm"] == [1, 1, 1]


def test_the_demo_of_cui_changes_sizes_and_numbers_alone():
    published = load(lambda c: c.update(preset="published"))["papers"]["cui2022"]["settings"]
    demo = load()["papers"]["cui2022"]["settings"]
    assert {k for k, v in published.items() if demo[k] != v} == {
        *("split", "crops", "networks", "epochs", "augmentation"),
        "learning_rate",
    }
    assert (published["learning_rate"], published["epochs"], published["batch"]) == (1e-5, 100, 8)
    entries = load()
    assert entries["crops"]["cui2022_ss"]["size_voxels"] == [10, 150, 150]
    for name in ("ss", "nss"):
        own, small = (entries["crops"][f"cui2022_{name}{end}"] for end in ("", "_demo"))
        assert {k for k, v in own.items() if small[k] != v} == {"grid", "size_voxels"}
    split, small = (entries["splits"][name] for name in ("cui2022", "cui2022_demo"))
    assert split["kind"] == "temporal" and {k for k, v in split.items() if small[k] != v} == {"folds", "repeats"}


def test_the_demo_of_zhang_changes_sizes_and_numbers_alone():
    published = load(lambda c: c.update(preset="published"))["papers"]["zhang2025"]["settings"]
    demo = load()["papers"]["zhang2025"]["settings"]
    assert {k for k, v in published.items() if demo[k] != v} == {
        *("split", "crops", "radiomics", "networks", "epochs", "lasso_penalties", "lasso_folds"),
        *("learner_folds", "learners", "calibration_resamples"),
        # As for Zhao: random weights in so few epochs.
        *("optimiser", "learning_rate"),
    }
    assert published["phases"] == ["arterial", "precontrast", "portal"] and set(published["learners"]) <= set(
        ESTIMATORS
    )
    entries = load()
    views = entries["crops"]["zhang2025_views"]
    assert views["window"] == [-75, 175] and views["size_voxels"] == [10, 224, 224] and len(views["views"]) == 10
    assert sum(isinstance(v, int) for v in views["views"]) == 7 and views["resize"] == "nearest"
    # "10 distinct 2D regions", neighbours at 1, 2 and 4 along both axes, three planes (2.5D Image cropping).
    places = [parse_view(view) for view in views["views"]]
    assert len(set(places)) == 10 and {plane for plane, _ in places} == {"axial", "sagittal", "coronal"}
    assert {abs(n) for _, n in places} == {0, 1, 2, 4} and {p for p, n in places if n} == {"axial", "coronal"}
    for name in ("views", "box"):
        own, small = (entries["crops"][f"zhang2025_{name}{end}"] for end in ("", "_demo"))
        assert {k for k, v in own.items() if small[k] != v} == {"grid", "size_voxels"}
    assert entries["grids"]["zhang2025"]["register_to"] == "arterial"
    assert published["networks"]["3D-ResNet18"]["crops"] == "zhang2025_box"


def zhao(config, **changes):
    config["overrides"] = {"zhao2024": changes}


def yan(config, **changes):
    """Settings of Yan 2023 changed; with crops `b` on a grid that maps no grey values."""
    config["crops"] = {"b": {"grid": "iso1", "size_voxels": [1, 32, 32], "fit": "slices"}}
    config["overrides"] = {"yan2023": changes}


def zhang(config, crop=None, **changes):
    """Settings of Zhang 2025 changed; with crops `b`, changed too."""
    views = {
        "grid": "zhang2025",
        "fit": "views",
        "views": [0, "coronal"],
        "size_voxels": [2, 64, 64],
        "window": [-75, 175],
    }
    config["crops"] = {"b": {**views, **(crop or {})}}
    config["overrides"] = {"zhang2025": {"crops": "b", **changes}}


def cui(config, **changes):
    """Settings of Cui 2022 changed."""
    config["overrides"] = {"cui2022": changes}


def box(**changes):
    return {"architecture": "cui3d", "crops": "cui2022_nss_demo", **changes}


# A method of CT on MR, with its published window.
CUI_ON_MR = {"paper": "cui2022", "cohort": "demo_mr", "phases": {"arterial": "arterial"}, "split": "zhao2024_demo"}
VGG = {"networks": {"A": {"architecture": "vgg19"}}}


def wang(config, **changes):
    """Settings of Wang 2022."""
    config["overrides"] = {"wang2022": changes}


UNET = {"side_pixels": 64, "channels": [1, 2, 3, 4, 5], "windows": {}, "fraction": 0.5, "epochs": 1}


def networks(config, **changes):
    """One network, changed."""
    zhao(config, networks={"ResNet-10": {"architecture": "resnet10_trunc", **changes}})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.update(sed=1), "unknown key 'sed' in the top level"),
        (
            lambda c: c["studies"].append({"paper": "zhao", "cohort": "demo_mr"}),
            "paper.*did you mean 'zhao2024'",
        ),
        (lambda c: c["studies"].append({"paper": "zhao2024", "cohort": "x"}), "unknown cohort"),
        (lambda c: c["studies"].append(c["studies"][0]), "stands twice"),
        (
            lambda c: c["crops"].update(b={"grid": "no", "size_voxels": [1, 1, 1], "phases": ["portal"]}),
            "not in grids",
        ),
        (lambda c: c.update(overrides={"zhao2024": {"split": "no"}}), "which splits does not have"),
        (lambda c: c["studies"][0].update(split="no"), "split names 'no', which splits does not have"),
        (lambda c: c.update(evaluation={"resample": 5}), "did you mean 'resamples'"),
        (lambda c: c["cohorts"]["demo_mr"].update(modality="PET"), "'PET' is not one of"),
        (lambda c: zhao(c, optimiser="sdg"), "optimiser: 'sdg' cannot be used"),
        (lambda c: zhao(c, learning_rate="1e-4"), "in YAML write 1.0e-4"),
        (lambda c: zhao(c, epochs=0), "a whole number from 1 upwards"),
        (lambda c: zhao(c, crops="no"), "crops names 'no', which crops does not have"),
        (lambda c: zhao(c, fusion_network="ResNet-50"), "fusion_network: 'ResNet-50' cannot be used"),
        (lambda c: networks(c, architecture="resnet9"), "known: resnet10_trunc, resnet10_std"),
        (lambda c: networks(c, weights="no.pt"), "no such file; leave it empty"),
        (lambda c: networks(c, weights=str(REPOSITORY / "LICENSE"), sha256="0"), "use the file that was meant"),
        (lambda c: c["studies"][0].update(phases={"portal": "portal"}), "register to the arterial phase"),
        (lambda c: yan(c, classifiers={"Forest": {}}), "at least one of LR, SVM, KNN"),
        (
            lambda c: yan(c, classifiers={"SVM": {"falling_sigmoid": "up"}}),
            "sigmoid: up; it is prevalence or keep",
        ),
        (lambda c: yan(c, classifiers={"RF": {"trees": 500}}), "RF has trees; RF takes n_estimators"),
        (lambda c: yan(c, classifiers={"RF": {}}), "RF lacks n_estimators"),
        (lambda c: yan(c, selectors={}), "selectors: {} cannot be used"),
        (lambda c: yan(c, feature_numbers=[0]), "whole numbers from 1 upwards"),
        (lambda c: yan(c, inner_folds=1), "inner_folds: 1 cannot be used"),
        (lambda c: yan(c, fusion="median"), "mean or logistic"),
        (lambda c: yan(c, networks={"VGG19": {"architecture": "resnet18"}}), "known: vgg19"),
        (lambda c: yan(c, networks={"VGG19": {"architecture": "vgg19", "weights": "no"}}), "no such file"),
        (lambda c: yan(c, crops="b"), "values have no known range"),
        (
            lambda c: c["studies"].append(
                {"paper": "yan2023", "cohort": "demo_ct", "phases": {"arterial": "arterial"}, "split": "zhao2024"}
            ),
            "corrects the bias field, which CT does not have",
        ),
        (lambda c: c["studies"].append(CUI_ON_MR), r"window \[-160, 240\] on MR, whose values have no unit as HU are"),
        (lambda c: c["studies"][2].update(networks=False), "the method is nothing without its network"),
        (lambda c: zhang(c, learners={"Tree": {}}), "at least one of LR, SVM"),
        (lambda c: zhang(c, learners={"KNN": {"C": [1]}}), "lists of values of nothing: it has no settings"),
        (lambda c: zhang(c, learners={"SVM": {"falling_sigmoid": ["up"]}}), "a list of prevalence or keep"),
        (lambda c: zhang(c, learners={"LR": {"penalty": [1]}}), "learners.LR.penalty: .* lists of values of C"),
        (lambda c: zhang(c, learners={"LR": {"C": 1}}), "learners.LR.C: 1 cannot be used"),
        (lambda c: zhang(c, decimals=4), "decimals: 4 cannot be used"),
        (lambda c: zhang(c, networks={"A": {"architecture": "resnet18"}}), "known: densenet121, resnet50"),
        (lambda c: zhang(c, networks={"A": {"architecture": "resnet18_3d"}}), "at least one of densenet121"),
        (lambda c: zhang(c, networks={"A": {"architecture": "vgg19", "crops": "no"}}), "networks.A.crops: 'no' cannot"),
        (lambda c: zhang(c, {"fit": "slices"}, **VGG), "fit is slices, and A needs views"),
        (lambda c: zhang(c, {"size_voxels": [3, 64, 64]}, **VGG), "another number than that of the views"),
        (lambda c: zhang(c, {"size_voxels": [2, 24, 64]}, **VGG), "too small for A"),
        (lambda c: zhang(c, {"views": [0, "axial"]}, **VGG), "views has axial twice"),
        (lambda c: zhang(c, {"views": [0, "coronal4"]}, **VGG), "views"),
        (lambda c: zhang(c, {"window": []}, **VGG), "its values do not go from 0 to 1"),
        (
            lambda c: c.update(
                splits={"two": {"kind": "random", "folds": 2}}, overrides={"zhang2025": {"split": "two"}}
            ),
            "networks that leave two of them out need three",
        ),
        (lambda c: cui(c, training_shares=[1.5]), "numbers between 0 and 1"),
        (lambda c: cui(c, networks={"GTV": box()}), "SS and NSS"),
        (lambda c: cui(c, networks={"SS": box()}), "masked: false or bounding_box for NSS"),
        (
            lambda c: c.update(overrides={"zhao2024": {"classifier_settings": {"LR": {"penalty": 2}}}}),
            "classifier_settings.LR.*LR has penalty; LR takes C, max_iter, tol",
        ),
        (
            lambda c: c.update(overrides={"zhao2024": {"classifier_settings": {"RF": {}}}}),
            "classifier_settings.RF.*classifiers of the method: LR, SVM",
        ),
        (lambda c: cui(c, class_weights="by_batch"), "class_weights.*true, false, or per_patient"),
        (lambda c: zhang(c, {"masked": "bounding_box"}, **VGG), "which boxes of voxels alone know"),
        (lambda c: cui(c, networks={"NSS": box(crops="cui2022_nss")}), "boxes of one size, square in plane"),
        (lambda c: cui(c, networks={"NSS": box(weights="imagenet.pth")}), "this network always starts anew"),
        (lambda c: cui(c, networks={"NSS": box(architecture="resnet34")}), "known: cui3d"),
        (lambda c: cui(c, networks={"NSS": box(crops="none")}), "networks.NSS.crops"),
        (lambda c: cui(c, standardise="yes"), "standardise.*true or false"),
        (lambda c: cui(c, augmentation={"largest_shift": -1}), "a whole number of voxels from 0, below the box's 32"),
        (lambda c: cui(c, augmentation={"largest_shift": 40}), "below the box's 32"),
        (lambda c: cui(c, phases=["arterial", "portal"]), "one phase"),
        (lambda c: c["studies"][6].update(networks=False), r"\(cui2022 on demo_ct\): networks is false"),
        (
            lambda c: c["studies"][4].update(phases={"arterial": "arterial"}),
            r"does not map \['precontrast', 'portal'\]",
        ),
        (lambda c: c["studies"][5].update(networks=False), "wang2022 on demo_ct.: networks is false"),
        (
            lambda c: c["studies"][5].update(split="zhang2025_demo"),
            "its split keeps the patients that train wang2022_demo",
        ),
        (lambda c: wang(c, unet="no"), "overrides.wang2022.unet names 'no', which unets does not have"),
        (lambda c: wang(c, feature_numbers=[]), "whole numbers from 1 upwards"),
        (lambda c: wang(c, regression_grid={"C": [1], "penalty": ["l1"]}), "lists of C, max_iter and tol"),
        (lambda c: wang(c, regression_grid={"C": []}), "lists of C, max_iter and tol"),
        (lambda c: wang(c, feature_selection="outside"), "'outside' cannot be used.*inside_folds or on_all_patients"),
        (lambda c: wang(c, visual=["halo"]), r"visual: \['halo'\] cannot be used"),
        (lambda c: c.update(masks={"source": "unet", "unet": "no"}), "masks.unet names 'no'"),
        (lambda c: c.update(masks={"source": "network"}), "'network' is not one of"),
        (lambda c: c.update(unets={"u": {**UNET, "side_pixels": 50}}), "50 is not a multiple of 16"),
        (lambda c: c.update(grids={"g": {"spacing_mm": [1, 1]}}), "spacing_mm"),
        (
            lambda c: c.update(grids={"g": {"spacing_mm": [1, 1, 1], "registration_engine": "ants"}}),
            "antspyx is not installed",
        ),
    ],
)
def test_wrong_configs_are_refused_in_words(change, words):
    with pytest.raises(InputError, match=words):
        load(change)


def test_a_method_without_a_setting_that_all_rules_read_is_refused_by_the_keys_name(tmp_path):
    for file in PAPERS.glob("*.yaml"):
        text = file.read_text()
        if file.stem == "zhao2024":
            text, number = re.subn(r"    baseline_rfs: .*\n", "", text)
            assert number == 1
        (tmp_path / file.name).write_text(text)
    with pytest.raises(InputError, match=r"zhao2024.yaml.*lacks the key 'baseline_rfs'"):
        load_configuration(copy.deepcopy(CONFIG), tmp_path, SCHEMAS)


@pytest.mark.parametrize("paper", sorted(file.stem for file in PAPERS.glob("*.yaml")))
def test_every_number_of_a_paper_has_a_source(paper):
    raw = yaml.safe_load((PAPERS / f"{paper}.yaml").read_text())
    rows = list(sourced_values(raw))
    assert len(rows) > 30
    assert {r["source"] for r in rows} <= {"stated", "inferred", "chosen"}
    assert all(r["where"] for r in rows if r["key"].startswith("settings.published"))
    assert all(r["where"] for r in rows if r["key"].startswith("entries"))
    assert not set(raw["settings"]["demo"]) - set(raw["settings"]["published"])
    plain = plain_values(raw)["settings"]["published"]
    known = {"zhao2024": ("icc_threshold", 0.9), "yan2023": ("redundancy_r", 0.9), "cui2022": ("learning_rate", 1e-5)}
    key, value = known.get(paper, ("correlation_r", 0.9))
    assert plain[key] == value


def test_words_of_the_config_are_those_of_the_code():
    """The config names them without importing what they stand for."""
    assert FEATURE_ARCHITECTURES == ("vgg19",)
    assert set(GRID["selectors"]) == set(RANKINGS)
    assert set(plain_values(yaml.safe_load((PAPERS / "yan2023.yaml").read_text()))["settings"]["published"]) > set(GRID)


def test_every_key_is_described_in_the_schema_and_in_the_readme():
    schema = yaml.safe_load((SCHEMAS / "config.schema.yaml").read_text())
    readme = (REPOSITORY / "config/README.md").read_text()
    documented = set(re.findall(r"^\| `([a-z0-9_]+)`", readme, re.MULTILINE))

    def keys(part):
        for name, below in part.get("properties", {}).items():
            yield name, below
            yield from keys(below)
            yield from keys(below.get("items", {}))

    found = dict(keys(schema))
    for definition in schema["$defs"].values():
        found.update(keys(definition))
    assert all("description" in below for below in found.values())
    assert set(found) <= documented, set(found) - documented


def test_the_committed_demo_sheets_are_what_the_risk_model_draws():
    for cohort, plan in PLANS.items():
        for name, sheet in draw_sheets(plan).items():
            path = REPOSITORY / "config" / cohort / f"{name}.csv"
            text = sheet.to_csv(index=False, float_format="%.10g", lineterminator="\n")
            assert path.read_text() == text, path


def test_the_demo_cohorts_have_the_promised_sizes():
    ct, mr = (pd.read_csv(REPOSITORY / f"config/{c}/patients.csv") for c in ("demo_ct", "demo_mr"))
    assert ct["centre"].value_counts().to_dict() == {"A": 60, "B": 20}
    assert len(mr) == 80 and set(mr["field_strength_t"]) == {1.5, 3.0}
    masks = pd.read_csv(REPOSITORY / "config/demo_mr/masks.csv")
    assert masks.groupby("reader")["patient_id"].nunique().to_dict() == {"R1": 80, "R2": 30}
    assert set(masks["path"].str.split(".", n=2).str[2]) == {"seg.dcm", "rtstruct.dcm", "nii.gz"}


def test_best_reachable_auc_equals_a_large_simulation():
    import numpy as np
    from sklearn.metrics import roc_auc_score

    model, generator = RiskModel(), np.random.default_rng(0)
    z = generator.normal(size=200_000)
    early = model.draw_months(z, generator) <= 24
    assert best_reachable_auc(model) == pytest.approx(roc_auc_score(early, z), abs=0.003)
    assert best_reachable_auc(RiskModel(effect=0.0)) == pytest.approx(0.5, abs=1e-9)


def test_the_plan_of_the_demo():
    plan = Plan(load(), REPOSITORY, None)
    assert plan.phases("zhao2024", "demo_mr") == ["arterial", "portal", "delayed"]
    assert plan.phases("zhao2024", "demo_ct") == ["arterial", "portal"]
    assert plan.image_cohort("demo_mr_null") == "demo_mr"
    assert plan.image_phases("demo_mr") == ["arterial", "delayed", "hepatobiliary", "portal"]
    # Registration is slow: only what the study takes. The other grid holds whatever the sheet lists.
    assert plan.grid_phases("demo_mr", "iso2_to_arterial", "MR001") == ["arterial", "delayed", "portal"]
    assert plan.grid_phases("demo_mr", "iso2", "MR001") == ["arterial", "portal", "delayed", "hepatobiliary"]
    assert plan.crop_phases("demo_mr", "zhao2024_slices_demo", "MR001") == ["arterial", "delayed", "portal"]
    assert plan.has_networks("zhao2024", "demo_mr") and not plan.has_networks("zhao2024", "demo_ct")
    # A phase is registered once for all grids of a cohort, and a folder holds what one engine found.
    assert plan.reference_of_grid("iso2_to_arterial") == plan.reference_of_grid("zhang2025_demo") == "arterial"
    assert plan.reference_of_grid("iso2") == "" and plan.grid_registrations("demo_mr", "iso2", "MR001") == []
    assert plan.registered_phases("demo_mr", "arterial", "MR001") == ["delayed", "portal"]
    pairs = plan.grid_registrations("demo_mr", "iso2_to_arterial", "MR001")
    assert pairs == [("arterial", "delayed"), ("arterial", "portal")]
    assert plan.registration("arterial") == {"engine": "simpleitk", "phase": "arterial"}
    assert plan.registration_readers("demo_mr", "arterial", "MR001", "portal") == {"arterial": "R1", "portal": "R1"}
    plan.config["grids"]["zhang2025_demo"]["registration_engine"] = "ants"
    assert plan.reference_of_grid("zhang2025_demo") == "arterial_ants"
    assert plan.registration("arterial_ants") == {"engine": "ants", "phase": "arterial"}
    plan.config["grids"]["zhang2025_demo"]["registration_engine"] = "simpleitk"
    # So is N4. The crops have the phases that studies take from them: another may lack its mask.
    for phases in (plan.grid_phases, plan.crop_phases):
        name = "yan2023" if phases == plan.grid_phases else "yan2023_demo"
        assert phases("demo_mr", name, "MR001") == ["arterial", "hepatobiliary", "portal"]
    assert plan.random_weights(["zhao2024", "yan2023"], "demo_mr") == (
        "Trained from random weights: Zhao 2024 ResNet-10, Zhao 2024 ResNet-18; "
        "Random weights, not ImageNet's: Yan 2023 VGG19"
    )
    assert plan.random_weights(["zhao2024"], "demo_ct") == ""
    assert plan.random_weights(["cui2022"], "demo_ct") == "", "the paper's network starts so, too"
    assert plan.random_weights(["wang2022"], "demo_ct") == "", "features are selected inside the folds"
    plan.config["papers"]["wang2022"]["settings"]["feature_selection"] = "on_all_patients"
    said = plan.random_weights(["cui2022", "wang2022"], "demo_ct")
    assert said.startswith(
        "Wang 2022: Worst-case reading: as published, features were selected on all training patients"
    )
    plan.config["papers"]["wang2022"]["settings"]["feature_selection"] = "inside_folds"
    read = plan.readings("demo_mr", ["age", "halo"])
    assert read == {"halo": {"R2": "halo_r2", "R3": "halo_r3", "again": "halo_r1_again"}}
    assert plan.clinical_definitions("demo_mr", ["halo"])["halo"].keys() == {
        *("column", "unit", "timing", "kind", "levels", "factor"),
    }
    split = plan.assigned_splits("demo_ct", "zhao2024")
    assert set(split.values()) == {"external"} and len(split) <= 20
    assert plan.outcome_hash("demo_mr") != plan.outcome_hash("demo_mr_null")
    assert plan.clinical_hash("demo_mr", ["afp"]) != plan.clinical_hash("demo_mr", ["ast"])


def test_splits_by_date_by_centre_and_by_column():
    def temporal(c):
        c["splits"] = {
            "t": {"kind": "temporal", "validation_from": "2018-01-01", "folds": 5},
            "c": {"kind": "column", "folds": 5},
        }
        c["overrides"] = {"zhao2024": {"split": "t"}}

    plan = Plan(load(temporal), REPOSITORY, None)
    assigned = plan.assigned_splits("demo_ct", "t")
    sheet = plan.cohorts["demo_ct"].patients
    assert set(assigned) == set(plan.patients("demo_ct"))
    for patient, split in assigned.items():
        late = sheet.loc[patient, "resection_date"] >= "2018-01-01"
        expected = "external" if sheet.loc[patient, "centre"] == "B" else ("validation" if late else "train")
        assert split == expected
    # A column that is not there, or words in it, are refused with the other problems: test_bad_input.py.
    by_column = sheet["centre"].map(lambda centre: "validation" if centre == "A" else "train")
    sheet["split"] = by_column
    assigned = plan.assigned_splits("demo_ct", "c")
    outside = sheet["centre"] == "B"
    assert {p for p, split in assigned.items() if split == "external"} == set(assigned) & set(sheet.index[outside])
    assert {split for p, split in assigned.items() if not outside[p]} == {"validation"}


def test_the_example_for_own_patients_is_a_valid_config():
    example = yaml.safe_load((REPOSITORY / "config/example_own_patients.yaml").read_text())
    full = load_configuration(example, PAPERS, SCHEMAS)
    assert full["papers"]["zhao2024"]["settings"]["radiomics"] == "zhao2024"
    assert full["cohorts"]["ours"]["er_days"] == 730


def test_the_readmes_commands_do_not_let_configfile_swallow_the_target():
    """Snakemake takes every word after --configfile for a file, up to the next option or the end: all are files."""
    files = [REPOSITORY / "README.md", *(REPOSITORY / "config").glob("*.*"), *(REPOSITORY / "docs").glob("*.md")]
    commands = [line for f in files for line in f.read_text().splitlines() if "snakemake " in line]
    after = [line.split("--configfile", 1)[1].split("`")[0] for line in commands if "--configfile " in line]
    named = [list(takewhile(lambda word: not word.startswith("-"), words.split()))[1:] for words in after]
    assert len(named) >= 5 and all(word.endswith(".yaml") for words in named for word in words), named
