"""A fit of Yan 2023 that is kept: it gives the tables' numbers again, in a fresh process, and for new patients."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rows_of_fits import rows_of_fits
from test_signature_grid import SETTINGS as GRID
from test_signature_grid import cohort
from test_yan2023_nomograms import DEFINITIONS, fit_nomograms
from test_yan2023_nomograms import SETTINGS as NOMOGRAMS

from hcc_recurrence.cohort.fit import Fit
from hcc_recurrence.files import as_written, read_csv, write_csv
from hcc_recurrence.learning.model_files import ModelFileError
from hcc_recurrence.learning.signature_grid import fit_cell, rank_fits
from hcc_recurrence.methods.check import check_method, other_values
from hcc_recurrence.methods.run import main_fits
from hcc_recurrence.methods.yan2023.declare import METHOD
from hcc_recurrence.methods.yan2023.fit import NETWORK_KEYS, Data, FittedYan, fit
from hcc_recurrence.methods.yan2023.signatures import choose_signatures, fuse, signatures_of

CLASSIFIERS = {
    "RF": {"n_estimators": 10},
    "SVM": {},
    "LASSO": {"penalties": 5, "folds": 3},
    "AdaBoost": {"n_estimators": 10},
    "GP": {},
}
NETWORK = {**dict.fromkeys(NETWORK_KEYS, ""), "name": "VGG19", "seed": 3, "highest": 255.0}
SEED = 3
PUBLISHED = "as_published.1.0.validation"


def settings_with(classifier, fusion="mean"):
    return {
        **GRID,
        **NOMOGRAMS,
        "selectors": {"ANOVA": {}},
        "classifiers": {classifier: CLASSIFIERS[classifier]},
        "inner_repeats": 1,
        "fusion": fusion,
        "phases": ["arterial", "hepatobiliary"],
        "after_operation": ["mvi"],
    }


def study(settings, folder, labels=None, changed=()):
    """What the grid's own rules leave of two phases, through files as in a run; and the predictions tables.

    changed: patients with other features.
    """
    ranks, features, scores, choices = {}, {}, [], []
    for number, phase in enumerate(("arterial", "hepatobiliary")):
        table, own, split = cohort(effect=0.7, seed=number)
        table = other_values(table, changed)
        labels = own if labels is None else labels
        features[phase], outcome = table.rename_axis("patient_id"), labels.set_index("patient_id")["er"]
        for selector in settings["selectors"]:
            ranks[phase, selector], _ = rank_fits(table, outcome, split, selector, settings, 1, SEED)
            for classifier in settings["classifiers"]:
                cell = {"phase": phase, "selector": selector, "classifier": classifier}
                found = fit_cell(table, outcome, split, ranks[phase, selector], classifier, settings, 1, SEED)
                scores.append(found[0].assign(**cell))
                choices.append(found[1].assign(**cell))
    tables = {"scores": pd.concat(scores), "choices": pd.concat(choices)}
    for name, table in tables.items():
        write_csv(table, folder / f"{name}.csv")
        tables[name] = read_csv(folder / f"{name}.csv")
    chosen = choose_signatures(tables["scores"], tables["choices"], labels, split, settings)
    write_csv(fuse(tables["scores"], chosen, labels, settings), folder / "signatures.csv")
    generator = np.random.default_rng(8)
    clinical = pd.DataFrame(
        {
            "ast": 40 + 12 * (own["er"] - 0.5) + generator.normal(0, 10, len(labels)),
            "age": generator.normal(55, 9, len(labels)).round(),
            "mvi": (generator.random(len(labels)) < 0.2 + 0.6 * own["er"]).astype(float),
        }
    ).set_index(pd.Index(labels["patient_id"]))
    clinical.iloc[[3, -1], 0] = np.nan
    fused = read_csv(folder / "signatures.csv")
    clinical = other_values(clinical, changed)
    return Data(features, clinical, DEFINITIONS, labels, split, ranks, chosen, fused, NETWORK)


def expected(data, settings):
    """Every probability that the study's predictions table has, by fit, patient and model."""
    nomograms = fit_nomograms(data.fused, data.clinical, DEFINITIONS, data.labels, settings, 1, SEED)
    signatures = rows_of_fits(data.fused, signatures_of(data.fused), data.labels, data.split, SEED)
    return pd.concat(
        [signatures, rows_of_fits(nomograms.probabilities, nomograms.models, data.labels, data.split, SEED)]
    )


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    """A study whose one classifier is the Gaussian process, and its settings."""
    settings = settings_with("GP")
    return study(settings, tmp_path_factory.mktemp("gp")), settings


@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_a_kept_fit_gives_the_bytes_of_the_predictions_table(classifier, tmp_path):
    settings = settings_with(classifier)
    data = study(settings, tmp_path)
    table = expected(data, settings)
    for name in ("strict.1.0", "strict.1.2", PUBLISHED):
        own = Fit.parse(name)
        fitted, _ = fit(data, own, settings, SEED + 1)
        fitted.save(tmp_path / name)
        again, _ = fit(data, own, settings, SEED + 1)
        again.save(tmp_path / f"{name}.again")
        for file in sorted((tmp_path / name).iterdir()):
            assert file.read_bytes() == (tmp_path / f"{name}.again" / file.name).read_bytes(), file.name
        kept = FittedYan.load(tmp_path / name)
        assert kept.learned == fitted.learned and kept.models == fitted.models
        rows = table[(table["protocol"] == own.protocol) & (table["fold"] == own.fold)]
        rows = rows[rows["estimate"] != "apparent"]
        wide = rows.pivot(index="patient_id", columns="model", values="probability")
        found = kept.predict(Data(data.features, data.clinical), list(wide.index))
        assert len(wide) and list(found.columns) == fitted.models and set(found.columns) == set(wide.columns)
        for model in fitted.models:
            assert as_written(found[model]) == as_written(wide[model]), (name, model)


def test_a_kept_fit_says_whose_outcomes_it_used(process):
    data, settings = process
    train = data.split.loc[data.split["split"] == "train"]
    assert fit(data, Fit(), settings, SEED + 1)[0].learned == tuple(sorted(train["patient_id"]))
    held = fit(data, Fit.parse("strict.1.2"), settings, SEED + 1)[0].learned
    assert held == tuple(sorted(train.loc[train["fold_1"] != 2, "patient_id"]))
    # The validation patients chose the cells as published.
    assert fit(data, Fit.parse(PUBLISHED), settings, SEED + 1)[0].learned == tuple(sorted(data.split["patient_id"]))


def test_predicting_needs_no_outcome_and_no_other_patient(tmp_path):
    settings = settings_with("GP", "logistic")
    data = study(settings, tmp_path)
    fitted, _ = fit(data, Fit(), settings, SEED + 1)
    patients = list(data.split.loc[data.split["split"] == "validation", "patient_id"])
    together = fitted.predict(Data(data.features, data.clinical), patients)
    one = patients[-1]
    # Here a value is missing, and the patient is called by another name.
    alone = fitted.predict(
        Data(
            {p: t.loc[[one]].rename({one: "007"}) for p, t in data.features.items()}, data.clinical.rename({one: "007"})
        ),
        ["007"],
    )
    assert alone.to_numpy()[0] == pytest.approx(together.loc[one].to_numpy(), abs=1e-9)
    assert alone.notna().all(axis=None)
    # The order of the features' columns says nothing.
    turned = {phase: table[table.columns[::-1]] for phase, table in data.features.items()}
    assert fitted.predict(Data(turned, data.clinical), patients).equals(together)


def test_a_kept_fit_loads_in_a_fresh_process_with_the_same_bytes(process, tmp_path):
    data, settings = process
    fitted, _ = fit(data, Fit(), settings, SEED + 1)
    fitted.save(tmp_path / "model")
    patients = list(data.split.loc[data.split["split"] == "validation", "patient_id"])
    fitted.predict(data, patients).to_csv(tmp_path / "here.csv", float_format="%.17g")
    for phase, table in data.features.items():
        table.to_parquet(tmp_path / f"{phase}.parquet")
    data.clinical.to_parquet(tmp_path / "clinical.parquet")
    program = (
        "import sys; from pathlib import Path; import pandas as pd\n"
        "from hcc_recurrence.methods.yan2023.fit import Data, FittedYan\n"
        "folder = Path(sys.argv[1]); phases = ('arterial', 'hepatobiliary')\n"
        "features = {p: pd.read_parquet(folder / f'{p}.parquet') for p in phases}\n"
        "data = Data(features, pd.read_parquet(folder / 'clinical.parquet'))\n"
        "found = FittedYan.load(folder / 'model').predict(data, sys.argv[2].split(','))\n"
        "found.to_csv(folder / 'there.csv', float_format='%.17g')\n"
    )
    scripts = Path(__file__).parents[2] / "workflow" / "scripts"
    subprocess.run([sys.executable, "-c", program, tmp_path, ",".join(patients)], check=True, cwd=scripts)
    assert (tmp_path / "there.csv").read_bytes() == (tmp_path / "here.csv").read_bytes()


def test_a_fit_that_is_not_the_grids_is_refused(process):
    data, settings = process
    fused = data.fused.copy()
    fused.loc[fused["part"] == "unseen", "AP"] += 0.001
    with pytest.raises(ValueError, match=r"AP of P\d+ is .*remove the folder grid"):
        fit(replace(data, fused=fused), Fit(), settings, SEED + 1)


def test_what_lacks_is_named(process):
    data, settings = process
    fitted, _ = fit(data, Fit(), settings, SEED + 1)
    patients = list(data.split["patient_id"][:2])
    with pytest.raises(ValueError, match="no features of the hepatobiliary phase"):
        fitted.predict(Data({"arterial": data.features["arterial"]}, data.clinical), patients)
    with pytest.raises(ValueError, match="arterial: there are no features of X9"):
        fitted.predict(data, [*patients, "X9"])
    with pytest.raises(ValueError, match="lacks ast"):
        fitted.predict(Data(data.features, data.clinical.drop(columns="ast")), patients)
    state = fitted.state()
    with pytest.raises(ModelFileError, match="unknown key extra"):
        FittedYan.from_state({**state, "extra": 1})
    with pytest.raises(ModelFileError, match="arterial: lacks the key scale"):
        cell = {k: v for k, v in state["cells"]["arterial"].items() if k != "scale"}
        FittedYan.from_state({**state, "cells": {**state["cells"], "arterial": cell}})


def test_features_of_crops_are_those_of_the_named_network(process, tmp_path):
    from hcc_recurrence.networks.features import features_of_crops

    data, settings = process
    network = {**NETWORK, "architecture": "vgg19", "pool": "mean", "tap": "relu"}
    fitted, _ = fit(replace(data, network=network), Fit(), settings, SEED + 1)
    generator = np.random.default_rng(1)
    images = generator.uniform(0, 255, (2, 2, 1, 32, 32)).astype(np.float32)
    phases = np.array(["arterial", "hepatobiliary"])
    np.savez(tmp_path / "crops.npz", image=images, mask=images > 128, patients=np.array(["a", "b"]), phases=phases)
    found = fitted.features_of(tmp_path / "crops.npz")
    wanted = features_of_crops(tmp_path / "crops.npz", "hepatobiliary", "", "mean", "relu", 255.0, 3)
    assert list(found) == ["arterial", "hepatobiliary"] and found["hepatobiliary"].equals(wanted)
    assert wanted.shape == (2, 1472)
    (tmp_path / "vgg19.pth").write_bytes(b"weights")
    with pytest.raises(ValueError, match="random weights, of no file"):
        fitted.features_of(tmp_path / "crops.npz", tmp_path / "vgg19.pth")


def test_declaring_is_light():
    program = (
        "import sys, hcc_recurrence.methods.yan2023.declare\n"
        "sys.exit(bool({'torch', 'sklearn', 'pandas', 'numpy'} & set(sys.modules)))"
    )
    scripts = Path(__file__).parents[2] / "workflow" / "scripts"
    assert subprocess.run([sys.executable, "-c", program], cwd=scripts).returncode == 0


def test_what_every_method_must_hold(tmp_path):
    settings = settings_with("SVM")
    _, labels, split = cohort(seed=1)
    made = {}

    def data_of(labels, changed):
        key = labels.to_csv(), tuple(changed)
        made[key] = made.get(key) or study(settings, tmp_path, labels, changed)
        return made[key]

    fits = main_fits(3, 1, "validation")
    runs = check_method(METHOD, fit, data_of, labels, split, settings, fits, tmp_path / "models", SEED)
    main = [m for m, own in METHOD.models(settings).items() if own.role == "main"]
    assert main == ["AP", "HBP", "mp-MR", "Clinical-nomogram", "DL-nomogram"]
    assert list(runs[0].predictions["model"].unique()) == list(METHOD.models(settings))


def test_without_clinical_variables_there_is_no_nomogram_and_of_one_phase_no_fusion(process):
    data, settings = process
    without = {**settings, "clinical": {}, "after_operation": []}
    alone = replace(data, clinical=data.clinical[[]], definitions={})
    fitted, tables = fit(alone, Fit(), without, SEED + 1)
    patients = list(data.split["patient_id"])
    found, whole = fitted.predict(alone, patients), fit(data, Fit(), settings, SEED + 1)[0].predict(data, patients)
    assert list(found) == list(METHOD.models(without)) == ["AP", "HBP", "mp-MR"]
    pd.testing.assert_frame_equal(found, whole[list(found)])
    assert tables["regressions"].empty and {"model", "step"} <= set(tables["regressions"])
    again = FittedYan.from_state(fitted.state())
    pd.testing.assert_frame_equal(again.predict(alone, patients), found)
    one = replace(fitted, cells={"arterial": fitted.cells["arterial"]})
    assert list(one.predict(alone, patients)) == one.models == ["AP"]
    assert list(METHOD.models({**without, "phases": ["arterial"]})) == ["AP"]
