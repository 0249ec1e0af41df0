"""Yan 2023: what its exported model reads and consists of (`methods.exporting`). Its features come from VGG19, which
the bundle has beside it, whether its weights are those of a file or random ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hcc_recurrence.methods.contract import FittedMethod
from hcc_recurrence.methods.exporting import Reads, Rows, drawn_model, linear_words, logistic_words, refuse_without
from hcc_recurrence.methods.yan2023.declare import FUSED, PHASE_NAMES
from hcc_recurrence.methods.yan2023.fit import Data, FittedYan
from hcc_recurrence.methods.yan2023.nomograms import PER

PARTS: dict[str, type[FittedMethod]] = {"models": FittedYan}
# Made-up slices of the self-test, and their side in pixels.
_SLICES, _SIDE = 3, 48


def training_features(
    files: Mapping[str, Sequence[str]], about: Mapping[str, Any], patients: Sequence[str]
) -> pd.DataFrame:
    """Features of some patients, `<phase>__<feature>`.

    Args:
        files: features: a table a phase. about: phases.
    """
    tables = zip(about["phases"], files["features"], strict=True)
    return pd.concat([pd.read_parquet(file).loc[list(patients)].add_prefix(f"{p}__") for p, file in tables], axis=1)


def reads(parts: Mapping[str, Any], config: Mapping[str, Any]) -> Reads:
    """Selected features of VGG19 in each phase, and clinical variables."""
    own = parts["models"]
    features = [f"{phase}__{name}" for phase, cell in own.cells.items() for name in cell.features]
    return Reads(tuple(features), tuple(dict.fromkeys(v["variable"] for v in own.nomograms.variables)))


def data_of(parts: Mapping[str, Any], rows: Rows) -> dict[str, Any]:
    """What the models take: a table a phase."""
    features = {
        phase: rows.features.filter(regex=f"^{phase}__").rename(columns=lambda c: c.partition("__")[2])
        for phase in parts["models"].cells
    }
    return {"models": Data(features, rows.clinical)}


def estimators(parts: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The classifier of each phase; all of them stand behind mp-MR and what is made of it."""
    own = parts["models"]
    found = {PHASE_NAMES[phase]: [cell.estimator] for phase, cell in own.cells.items()}
    every = [one for estimators in found.values() for one in estimators]
    with_signature = [name for name, model in own.nomograms.models.items() if FUSED in model.coefficients]
    return {**found, **{name: every for name in (FUSED, *with_signature)}}


def without(parts: Mapping[str, Any], models: Iterable[str]) -> dict[str, Any]:
    """Each phase's signature is a part of the others: none can be left out.

    Raises: Refused where one is to be.
    """
    refuse_without(models, estimators(parts))
    return dict(parts)


def readable(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Features of each phase in their order, coefficients of linear classifiers (of features from 0 to 1),
    nomograms."""
    own = parts["models"]
    cells = {PHASE_NAMES[phase]: cell for phase, cell in own.cells.items()}
    linear = {name: linear_words(cell.estimator, cell.features) for name, cell in cells.items()}
    return {
        "features": {name: list(cell.features) for name, cell in cells.items()},
        "classifiers": {name: type(cell.estimator).__name__ for name, cell in cells.items()},
        "coefficients": {name: words for name, words in linear.items() if words},
        "nomograms": {name: logistic_words(model) for name, model in own.nomograms.models.items()},
        "network": dict(own.network),
    }


def nomograms(parts: Mapping[str, Any], distribution: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The clinical and the DL nomogram."""
    own = parts["models"].nomograms
    inputs: dict[str, dict[str, Any]] = {
        v["name"]: {key: v[key] for key in ("variable", "cut", "code")} for v in own.variables
    }
    inputs[FUSED] = {"model": FUSED}
    found = {name: drawn_model(model, inputs, distribution, {FUSED: PER}) for name, model in own.models.items()}
    return {name: drawn for name, drawn in found.items() if drawn}


def with_weights(parts: Mapping[str, Any], folder: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The models with the network that makes their features, written into the folder of weights.

    Random weights are written, too: the numbers that a seed gives are those of one version of a library.

    Args:
        folder: has the file of weights where the study names one, without which they are drawn.

    Returns: also the file's SHA-256, by the network's name.
    """
    from safetensors.torch import save_file

    from hcc_recurrence.networks.features import feature_network
    from hcc_recurrence.networks.weights import file_sha256

    own = parts["models"].network
    file = folder / f"{own['name']}.safetensors"
    network = feature_network(file if file.is_file() else "", own["seed"], own["pool"], own["tap"])
    # Without the classifier of a file of ImageNet's weights, which makes no feature.
    save_file({name: value.contiguous() for name, value in sorted(network.state_dict().items())}, file)
    digest = file_sha256(file)
    kept = replace(parts["models"], network={**own, "weights": file.name, "sha256": digest})
    return {**parts, "models": kept}, {own["name"]: digest}


def extract(
    parts: Mapping[str, Any], config: Mapping[str, Any], folder: Path, noise: Callable[[tuple[int, ...]], np.ndarray]
) -> dict[str, np.ndarray]:
    """Features of made-up slices by the network, (slice, feature), by its name."""
    from hcc_recurrence.networks.features import extract_features, feature_network

    own = parts["models"].network
    network = feature_network(folder / f"{own['name']}.safetensors", own["seed"], own["pool"], own["tap"])
    slices = own["highest"] * noise((_SLICES, _SIDE, _SIDE))
    names = [f"made_up_{number + 1}" for number in range(_SLICES)]
    return {own["name"]: extract_features(network, slices, names, own["highest"]).to_numpy()}


def through(
    parts: Mapping[str, Any], rows: Rows, folder: Path, noise: Callable[[tuple[int, ...], int], np.ndarray]
) -> pd.DataFrame:
    """Probabilities of made-up patients by all models, of features that the network makes of a slice a phase.

    Args:
        rows: their clinical values. noise: of a shape and a number: from 0 to 1.
    """
    from hcc_recurrence.networks.features import extract_features, feature_network

    models, own = parts["models"], parts["models"].network
    network = feature_network(folder / f"{own['name']}.safetensors", own["seed"], own["pool"], own["tap"])
    features = {}
    for place, phase in enumerate(models.cells):
        slices = own["highest"] * noise((len(rows.patients), _SIDE, _SIDE), place)
        features[phase] = extract_features(network, slices, rows.patients, own["highest"])
    return models.predict(Data(features, rows.clinical), rows.patients)
