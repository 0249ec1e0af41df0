"""SS and NSS of Cui 2022 as a model that is kept: the mean that the predictions table has, and the patients it saw."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from hcc_recurrence.cohort.fit import LEFT_OUT, PUBLISHED, Fit
from hcc_recurrence.files import read_csv, write_csv
from hcc_recurrence.learning.model_files import ModelFileError
from hcc_recurrence.learning.network_scores import read_fits
from hcc_recurrence.methods.check import check_method
from hcc_recurrence.methods.cui2022.declare import METHOD, crop_definition
from hcc_recurrence.methods.cui2022.deep import Boxes, CuiEnsemble, keep_ensemble, read_boxes
from hcc_recurrence.methods.cui2022.fit import network_predictions
from hcc_recurrence.networks.build import build_network
from hcc_recurrence.networks.fits import about_fit, fit_examples, patients_of, run_fit
from hcc_recurrence.networks.training import load_weights, save_network

REPOSITORY = Path(__file__).parents[2]
SETTINGS = {
    **{"optimiser": "adam", "learning_rate": 3e-4, "momentum": 0.9, "weight_decay": 0.0, "epochs": 1, "batch": 8},
    **{"patience": 5, "class_weights": True, "augmentation": {}, "standardise": True},
}
TRAINING, OTHERS, FOLDS = 18, 6, 2
PATIENTS = [f"P{i:02d}" for i in range(TRAINING + OTHERS)]
SHAPES = {"SS": (2, 8, 8), "NSS": (2, 10, 10)}
DEFINITIONS = {
    name: crop_definition({"size_voxels": list(shape), "masked": name == "SS"}, {"spacing_mm": [1, 1, 1]})
    for name, shape in SHAPES.items()
}
FITS = {
    "strict": [Fit(left_out=(fold,)) for fold in range(1, FOLDS + 1)],
    "as_published": [Fit(PUBLISHED, 1, (fold,), LEFT_OUT) for fold in range(1, FOLDS + 1)],
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Both networks of all folds in both protocols, as the jobs train them; what the predictions table is made of."""
    folder = tmp_path_factory.mktemp("boxes")
    outcome = np.arange(len(PATIENTS)) % 2
    folds = pd.array([1 + i // 2 % FOLDS for i in range(TRAINING)] + [pd.NA] * OTHERS, dtype="Int64")
    place = ["train"] * TRAINING + ["validation"] * 4 + ["external"] * 2
    split = pd.DataFrame({"patient_id": PATIENTS, "split": place, "fold_1": folds})
    labels = pd.DataFrame({"patient_id": PATIENTS, "er": outcome, "rfs_months": 10.0 + outcome, "rfs_event": 1})
    files, scores = {}, []
    for number, (name, shape) in enumerate(SHAPES.items()):
        images = np.random.default_rng(number).normal(3, 2, (len(PATIENTS), 1, *shape)).astype(np.float32)
        crops = folder / f"{name}.npz"
        masks = np.ones((len(PATIENTS), *shape), np.uint8)
        np.savez(crops, image=images, mask=masks, patients=np.array(PATIENTS), phases=np.array(["arterial"]))
        for fit in (*FITS["strict"], *FITS["as_published"]):
            roles, examples = fit_examples(crops, ["arterial"], labels, split, fit, 0.2, 0)
            made = {"architecture": "cui3d", "crops": f"boxes_{name.lower()}", "weights": ""}
            network, table, _ = run_fit(
                lambda made=made, shape=shape: build_network(made, 1, shape, False),
                *(examples, patients_of(roles), SETTINGS, fit, 0, None, ""),
            )
            files[name, str(fit)] = folder / f"{name}.{fit}.pt"
            save_network(network, about_fit(roles, {**SETTINGS, **made}, fit, 0), files[name, str(fit)])
            scores.append(folder / f"{name}.{fit}.scores.csv")
            write_csv(table.assign(model=name, fit=str(fit)), scores[-1])
    write_csv(labels, folder / "labels.csv")
    write_csv(split, folder / "split.csv")
    tables = read_csv(folder / "labels.csv"), read_csv(folder / "split.csv"), read_fits(scores)
    return folder, files, tables


@dataclass(frozen=True)
class Learning(Boxes):
    """Boxes, and the outcomes and files of crops that trainings read."""

    labels: pd.DataFrame
    crops: dict[str, Path]


def test_what_every_method_must_hold(trained, tmp_path):
    """The jobs of Cui 2022 train a network a fold; here one function does what they do for each fit: a fit without a
    fold is that fold's network, one on all training patients the mean of all folds' networks."""
    folder, _, (labels, split, _) = trained
    trainings = count()

    def data_of(own, changed):
        """Crops of which those of some patients are other ones."""
        files = {name: tmp_path / f"{name}.{next(trainings)}.npz" for name in SHAPES}
        for name, file in files.items():
            with np.load(folder / f"{name}.npz") as stored:
                parts = dict(stored)
            parts["image"][np.isin(parts["patients"], list(changed))] *= -5
            np.savez(file, **parts)
        boxes = read_boxes(files, ["arterial"], PATIENTS, DEFINITIONS)
        return Learning(boxes.of, boxes.definitions, own, files)

    def fit(data, fit, settings, seed):
        files = {}
        for name, shape in SHAPES.items():
            made = {"architecture": "cui3d", "crops": f"boxes_{name.lower()}", "weights": ""}
            for one in [fit] if fit.left_out else FITS[fit.protocol]:
                roles, examples = fit_examples(data.crops[name], ["arterial"], data.labels, split, one, 0.2, seed)
                network, _, _ = run_fit(
                    lambda made=made, shape=shape: build_network(made, 1, shape, False),
                    *(examples, patients_of(roles), settings, one, seed, None, ""),
                )
                file = tmp_path / f"{next(trainings)}.pt"
                save_network(network, about_fit(roles, {**settings, **made}, one, seed), file)
                files.setdefault(name, []).append(file)
        return keep_ensemble(["arterial"], DEFINITIONS, files, replace(fit, left_out=())), {}

    fits = [*FITS["strict"], Fit(), Fit(PUBLISHED)]
    settings = {**SETTINGS, "networks": dict.fromkeys(SHAPES)}
    runs = check_method(
        METHOD,
        fit,
        data_of,
        labels,
        split,
        settings,
        fits,
        tmp_path / "models",
    )
    folds = split.set_index("patient_id")["fold_1"]
    assert not {*runs[0].fitted.learned} & {*folds.index[folds == 1]} and len(runs[2].fitted.learned) == TRAINING


def kept_of(files, protocol):
    own = {name: [files[name, str(fit)] for fit in FITS[protocol]] for name in SHAPES}
    return keep_ensemble(["arterial"], DEFINITIONS, own, Fit(protocol))


def boxes_of(folder):
    return read_boxes({name: folder / f"{name}.npz" for name in SHAPES}, ["arterial"], PATIENTS, DEFINITIONS)


@pytest.mark.parametrize(
    ("protocol", "estimates"), [("strict", ["held_out"]), ("as_published", ["apparent", "held_out"])]
)
def test_a_kept_ensemble_gives_the_bytes_of_the_predictions_table(trained, protocol, estimates):
    folder, files, tables = trained
    table = network_predictions(*tables, 7)
    kept = kept_of(files, protocol)
    found = kept.predict(boxes_of(folder), PATIENTS)
    assert list(found.columns) == ["SS", "NSS"] and list(found.index) == PATIENTS
    rows = table[(table["protocol"] == protocol) & table["estimate"].isin(estimates)]
    assert len(rows) == 2 * (OTHERS if protocol == "strict" else len(PATIENTS))
    for name in SHAPES:
        own = rows[rows["model"] == name].set_index("patient_id")["probability"]
        assert found.loc[own.index, name].to_numpy().tobytes() == own.to_numpy().tobytes(), name
    assert found["SS"].nunique() == len(PATIENTS), "networks tell patients apart"
    assert kept.learned == tuple(PATIENTS[:TRAINING])


def test_each_network_scales_as_its_training_did(trained):
    folder, files, _ = trained
    kept = kept_of(files, "strict")
    means = {float(n.mean) for own in kept.networks.values() for n in own.folds.values()}
    assert len(means) == 2 * FOLDS and all(2 < mean < 4 for mean in means)
    own = kept.networks["NSS"]
    assert own.crops == "boxes_nss" and list(own.folds) == ["strict.1.1", "strict.1.2"]
    boxes = boxes_of(folder).of["NSS"]
    by_hand = []
    for file in (files["NSS", str(fit)] for fit in FITS["strict"]):
        network = build_network({"architecture": "cui3d", "weights": ""}, 1, SHAPES["NSS"], False).eval()
        load_weights(network, file)
        image = torch.from_numpy(boxes["P20"][None])
        with torch.no_grad():
            logits = network.network((image - network.mean) / network.sd).double()
        by_hand.append(float(torch.softmax(logits, dim=1)[0, 1]))
    found = kept.predict(boxes_of(folder), ["P20"]).loc["P20", "NSS"]
    # Scores are written with ten digits, and of one box or of many a sum is rounded apart.
    assert found == pytest.approx(np.mean(by_hand), abs=1e-6)


def test_another_process_reads_the_same_bytes_and_writes_them_again(trained, tmp_path):
    folder, files, _ = trained
    kept = kept_of(files, "strict")
    kept.save(tmp_path / "model")
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from hcc_recurrence.methods.cui2022.deep import CuiEnsemble, read_boxes\n"
        "model, folder, out = map(Path, sys.argv[1:])\n"
        "kept = CuiEnsemble.load(model)\n"
        "patients = [f'P{i:02d}' for i in range(24)]\n"
        "boxes = read_boxes({n: folder / f'{n}.npz' for n in kept.networks}, kept.phases, patients, "
        "{n: own.definition for n, own in kept.networks.items()})\n"
        "out.write_bytes(kept.predict(boxes, patients).to_numpy().tobytes())\n"
        "kept.save(out.parent / 'again')\n"
    )
    command = [sys.executable, "-c", program, tmp_path / "model", folder, tmp_path / "scores"]
    subprocess.run(command, cwd=REPOSITORY / "workflow/scripts", check=True)
    assert (tmp_path / "scores").read_bytes() == kept.predict(boxes_of(folder), PATIENTS).to_numpy().tobytes()
    names = sorted(file.name for file in (tmp_path / "model").iterdir())
    assert names == ["SHA256SUMS", "arrays.safetensors", "model.json"]
    for name in names:
        assert (tmp_path / "model" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert json.loads((tmp_path / "model/model.json").read_text())["state"]["learned"] == PATIENTS[:TRAINING]


def test_what_does_not_fit_is_refused_by_name(trained):
    folder, files, _ = trained
    kept, boxes = kept_of(files, "strict"), boxes_of(folder)
    with pytest.raises(ValueError, match=r"SS: no box of P99 \(1 in all\). What to do: make their crops boxes_ss"):
        kept.predict(boxes, ["P01", "P99"])
    other = replace(boxes, of={**boxes.of, "NSS": {**boxes.of["NSS"], "P03": boxes.of["SS"]["P03"]}})
    with pytest.raises(ValueError, match=r"NSS: the box of P03 has the shape \(1, 2, 8, 8\), the network takes"):
        kept.predict(other, ["P01", "P03"])
    own = {name: [files[name, str(fit)] for fit in FITS["strict"]] for name in SHAPES}
    with pytest.raises(ValueError, match=r"SS of the fit strict.1.1, which has no place among those of as_published"):
        keep_ensemble(["arterial"], DEFINITIONS, own, Fit(PUBLISHED))
    with pytest.raises(ValueError, match=r"NSS of the fit strict.1.2, which has no place"):
        keep_ensemble(["arterial"], DEFINITIONS, {**own, "NSS": [*own["NSS"], own["NSS"][-1]]}, Fit())
    state = kept.state()
    state["networks"][1]["networks"]["folds"][1]["weights"].pop("mean")
    with pytest.raises(ModelFileError, match=r"NSS, strict.1.2: the weights mean \(1 in all\) do not fit"):
        CuiEnsemble.from_state(state)
    with pytest.raises(ModelFileError, match="unknown key other"):
        CuiEnsemble.from_state({**kept.state(), "other": 1})


def test_boxes_of_another_definition_are_refused_however_well_their_shape_fits(trained):
    folder, files, _ = trained
    kept, boxes = kept_of(files, "strict"), boxes_of(folder)
    for key, value, words in (
        ("masked", True, "masked is True, the network was trained with False"),
        (
            "grid",
            {"spacing_mm": [2, 2, 2]},
            r"grid.spacing_mm is \[2, 2, 2\], the network was trained with \[1, 1, 1\]",
        ),
        ("window", [0, 100], r"window is \[0, 100\], the network was trained with None"),
    ):
        other = {**DEFINITIONS, "NSS": {**DEFINITIONS["NSS"], key: value}}
        with pytest.raises(ValueError, match=f"NSS: the boxes are made otherwise .*: {words}. What to do"):
            kept.predict(replace(boxes, definitions=other), PATIENTS[:2])


def test_the_models_that_it_declares_are_the_papers_and_declaring_is_light():
    paper = yaml.safe_load((REPOSITORY / "config/papers/cui2022.yaml").read_text())
    networks = paper["settings"]["published"]["networks"]["value"]
    found = METHOD.models({"networks": networks})
    assert {name: own.published_name for name, own in found.items()} == paper["published_names"]
    assert {(own.role, own.family) for own in found.values()} == {("main", "deep")}
    assert METHOD.models({"networks": {}}) == {}
    program = (
        "import sys, hcc_recurrence.methods.cui2022.declare\n"
        "sys.exit(bool({'torch', 'sklearn', 'pandas', 'numpy'} & set(sys.modules)))"
    )
    scripts = REPOSITORY / "workflow/scripts"
    assert subprocess.run([sys.executable, "-c", program], cwd=scripts).returncode == 0
