"""The networks of Zhao 2024 as a model that is kept: the scores that training wrote, and the patients it saw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from zhao_cohort import SETTINGS, make_data

from hcc_recurrence.cohort.fit import Fit
from hcc_recurrence.learning.model_files import ModelFileError
from hcc_recurrence.methods.check import flipped
from hcc_recurrence.methods.zhao2024.declare import FUSION, FUSIONS
from hcc_recurrence.methods.zhao2024.deep import DeepData, ZhaoNetworks, keep_networks
from hcc_recurrence.methods.zhao2024.fit import fit
from hcc_recurrence.methods.zhao2024.networks import chosen_network, fusion_variables
from hcc_recurrence.networks.fits import about_fit, fit_examples, patients_of, run_fit
from hcc_recurrence.networks.phase_network import PhaseNetwork
from hcc_recurrence.networks.training import load_weights, save_network

PHASES = ["arterial", "portal"]
TRAINING = {
    **{"optimiser": "adam", "learning_rate": 0.003, "momentum": 0.9, "weight_decay": 1e-4, "epochs": 2, "batch": 16},
    **{"patience": 5, "class_weights": True, "augmentation": {}},
}
DATA = make_data()
OWN = Fit()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """DL and DLRCR of all training patients, as the jobs train them: the crops, the files and the scores."""
    folder = tmp_path_factory.mktemp("networks")
    patients = list(DATA.split["patient_id"])
    images = np.random.default_rng(0).normal(size=(len(patients), 2, 3, 16, 16)).astype(np.float32)
    masks = np.ones((len(patients), 3, 16, 16), np.uint8)
    np.savez(folder / "crops.npz", image=images, mask=masks, patients=np.array(patients), phases=np.array(PHASES))
    roles, examples = fit_examples(folder / "crops.npz", PHASES, DATA.labels, DATA.split, OWN, 0.2, 0)
    model, tables = fit(DATA, OWN, SETTINGS, 1)

    def train(make, examples, file, **about):
        network, scores, _ = run_fit(make, examples, patients_of(roles), TRAINING, OWN, 0, None, "")
        made = {**TRAINING, "architecture": "resnet10_trunc"}
        save_network(network, {**about_fit(roles, made, OWN, 0), **about}, folder / file)
        return scores.set_index("patient_id")["probability"]

    deep = train(lambda: PhaseNetwork("resnet10_trunc", 2), examples, "deep.pt")
    variables = fusion_variables(tables["inputs"], FUSIONS[FUSION]).loc[roles.index]

    def make():
        start = PhaseNetwork("resnet10_trunc", 2)
        load_weights(start, folder / "deep.pt")
        network = PhaseNetwork("resnet10_trunc", 2, 3, variables.shape[1])
        network.start_from(start)
        return network

    columns = [list(c) for c in variables.columns]
    fused = train(make, examples.with_variables(variables.to_numpy()), "fusion.pt", variables=columns)
    kept = keep_networks(
        PHASES,
        3,
        {"ResNet-10": ("resnet10_trunc", folder / "deep.pt")},
        "ResNet-10",
        folder / "fusion.pt",
        False,
        model.variables,
        model.learned,
    )
    return folder, kept, {"DL ResNet-10": deep, "DL": deep, FUSION: fused}


def test_a_kept_network_gives_the_scores_that_training_wrote(trained):
    folder, kept, scores = trained
    assert len(kept.columns) > 1, "the fusion reads features and clinical variables"
    found = kept.predict(DeepData(folder / "crops.npz", DATA), list(scores["DL"].index))
    assert list(found.columns) == list(scores)
    for model, expected in scores.items():
        assert found[model].to_numpy().tobytes() == expected.to_numpy().tobytes(), model
    assert kept.learned == tuple(f"p{i:02d}" for i in range(44))


def test_it_is_read_again_with_the_same_bytes_and_knows_no_outcome(trained, tmp_path):
    folder, kept, _ = trained
    kept.save(tmp_path / "model")
    patients = [f"p{i}" for i in range(44, 60)]
    again = ZhaoNetworks.load(tmp_path / "model")
    other = replace(DATA, labels=flipped(DATA.labels, DATA.labels["patient_id"]))
    found = again.predict(DeepData(folder / "crops.npz", other), patients).to_numpy()
    assert found.tobytes() == kept.predict(DeepData(folder / "crops.npz", DATA), patients).to_numpy().tobytes()
    assert again.learned == kept.learned
    again.save(tmp_path / "again")
    names = sorted(p.name for p in (tmp_path / "model").iterdir())
    assert names == ["SHA256SUMS", "arrays.safetensors", "model.json"]
    for name in names:
        assert (tmp_path / "model" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_weights_that_do_not_fit_are_refused(trained):
    _, kept, _ = trained
    state = kept.state()
    state["fusion"]["weights"].pop("fc.bias")
    with pytest.raises(ModelFileError, match=r"DLRCR: the weights fc.bias \(1 in all\) do not fit the network"):
        ZhaoNetworks.from_state(state)
    state = kept.state()
    state["networks"][0]["network"]["weights"]["fc.weight"] = np.zeros((2, 3), np.float32)
    with pytest.raises(ModelFileError, match=r"ResNet-10: the weights fc.weight \(1 in all\)"):
        ZhaoNetworks.from_state(state)


def test_the_network_of_a_fit_is_chosen_by_its_inner_loss_or_as_the_authors_did():
    rows = [(m, f, c) for f in (0, 1) for m, c in (("A", f == 0), ("B", f == 1))]
    choices = pd.DataFrame(rows, columns=["model", "fold", "chosen"]).assign(repeat=1)
    patients = list(DATA.split["patient_id"])[44:54]
    truth = DATA.outcome(patients)
    scores = pd.concat(
        [
            pd.DataFrame({"model": m, "repeat": 1, "fold": 0, "patient_id": patients, "probability": p})
            for m, p in (("A", 0.5 - 0.1 * truth), ("B", 0.5 + 0.1 * truth))
        ]
    )

    def chosen(name, labels=DATA.labels):
        return chosen_network(labels, DATA.split, scores, choices, Fit.parse(name))

    assert chosen("strict.1.0") == ("A", []) and chosen("strict.1.1") == ("B", [])
    assert chosen("as_published.1.0") == ("B", patients)
    one = DATA.labels.assign(er=1.0)
    assert chosen("as_published.1.0", one) == ("A", []), "validation patients of one outcome choose nothing"
