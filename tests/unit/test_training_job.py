"""What jobs that train networks begin with and leave, against the steps that they are made of."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd

from hcc_recurrence.cohort.fit import Fit
from hcc_recurrence.files import read_csv, write_csv
from hcc_recurrence.methods.gathering import network_sizes
from hcc_recurrence.networks.build import build_network
from hcc_recurrence.networks.fits import fit_examples, patients_of, run_fit
from hcc_recurrence.networks.training import about_training
from hcc_recurrence.networks.training_job import TrainingJob

SHAPE, PATIENTS = (2, 8, 8), [f"P{i:02d}" for i in range(12)]
TRAINING = {
    **{"optimiser": "adam", "learning_rate": 3e-4, "momentum": 0.9, "weight_decay": 0.0, "epochs": 1, "batch": 8},
    **{"patience": 5, "class_weights": True, "augmentation": {}, "standardise": True, "inner_fraction": 0.25},
}
FIT = Fit(left_out=(2,))


def test_a_job_trains_what_its_steps_train_and_leaves_four_files(tmp_path):
    images = np.random.default_rng(0).normal(3, 2, (len(PATIENTS), 1, *SHAPE)).astype(np.float32)
    masks, names = np.ones((len(PATIENTS), *SHAPE), np.uint8), np.array(PATIENTS)
    np.savez(tmp_path / "crops.npz", image=images, mask=masks, patients=names, phases=np.array(["arterial"]))
    labels = pd.DataFrame({"patient_id": PATIENTS, "er": np.arange(len(PATIENTS)) % 2})
    split = pd.DataFrame({"patient_id": PATIENTS, "split": "train", "fold_1": [1 + i // 2 % 2 for i in range(12)]})
    asked = SimpleNamespace(crops=tmp_path / "crops.npz", labels=tmp_path / "labels.csv", split=tmp_path / "split.csv")
    write_csv(labels, asked.labels)
    write_csv(split, asked.split)
    ends = {"network": "pt", "scores": "scores.csv", "history": "history.csv", "machine": "machine.json"}
    output = SimpleNamespace(**{name: str(tmp_path / f"{FIT}.{end}") for name, end in ends.items()})
    params = SimpleNamespace(
        phases=["arterial"], training=TRAINING, numerics="portable", device="cpu", seed=4, code="of the rule"
    )
    made = {"architecture": "cui3d", "weights": ""}

    def make():
        return build_network(made, 1, SHAPE, False)

    job = TrainingJob.begin(params, asked, output, 1, str(FIT))
    rows = patients_of(job.roles)
    network, scores, history = job.train(make, job.examples, rows, "SS", ".0")
    job.keep(network, made, output.network, variables=["a"])
    job.write({"cohort": "c", "paper": "p", "network": "SS"}, scores, history)

    roles, examples = fit_examples(asked.crops, ["arterial"], labels, split, FIT, 0.25, 4)
    _, expected, losses = run_fit(make, examples, patients_of(roles), TRAINING, FIT, 4, None, "", "cpu")
    write_csv(expected.assign(model="SS", fit="strict.1.2"), tmp_path / "expected.csv")
    pd.testing.assert_frame_equal(read_csv(output.scores), read_csv(tmp_path / "expected.csv"))
    assert read_csv(output.history)["inner_loss"].tolist() == np.round(losses["inner_loss"], 10).tolist()
    about = about_training(output.network)
    assert about["fit"] == "strict.1.2" and about["variables"] == ["a"] and about["settings"]["architecture"] == "cui3d"
    held = {p for p, fold in zip(PATIENTS, split["fold_1"], strict=True) if fold == 2}
    assert {*about["fitted"], *about["inner"]} == set(PATIENTS) - held
    machine = json.loads((tmp_path / "strict.1.2.machine.json").read_text())
    assert [machine[k] for k in ("cohort", "paper", "network", "fit")] == ["c", "p", "SS", "strict.1.2"]


def test_a_slice_more_is_a_channel_more_of_the_first_convolution():
    """ResNet: 64 filters of 7 by 7 (He 2016, Table 1); the phases share the backbone, the last layer reads each."""
    networks = {n: {"architecture": "resnet18", "weights": "not read"} for n in ("three", "four")}
    found = network_sizes(networks, 2, {"three": (3, 24, 24), "four": (4, 24, 24)})
    assert found["four"] - found["three"] == 64 * 7 * 7
    more = network_sizes({"three": networks["three"]}, 3, {"three": (3, 24, 24)})["three"]
    assert more - found["three"] == 512 * 2
