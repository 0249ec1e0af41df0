"""Zhao 2024: what its exported model reads and consists of (`methods.exporting`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from hcc_recurrence.methods.contract import FittedMethod
from hcc_recurrence.methods.exporting import (
    HeatMap,
    Reads,
    Rows,
    image_input,
    linear_words,
    logistic_words,
    refuse_without,
)
from hcc_recurrence.methods.zhao2024.declare import CLINICAL, COMBINED, DEEP, RADIOMICS
from hcc_recurrence.methods.zhao2024.deep import DeepData, ZhaoNetworks
from hcc_recurrence.methods.zhao2024.fit import Zhao
from hcc_recurrence.methods.zhao2024.variables import Data
from hcc_recurrence.radiomics.tables import RadiomicsTable, join_phases

PARTS: dict[str, type[FittedMethod]] = {"models": Zhao, "networks": ZhaoNetworks}
IMAGES = "crops"


def training_features(
    files: Mapping[str, Sequence[str]], about: Mapping[str, Any], patients: Sequence[str]
) -> pd.DataFrame:
    """Features of some patients, `<phase>__<feature>`.

    Args:
        files: features: a table a phase. about: phases, and reader.
    """
    tables = dict(zip(about["phases"], map(pd.read_parquet, files["features"]), strict=True))
    return join_phases(tables, patients, about["reader"]).values


def reads(parts: Mapping[str, Any], config: Mapping[str, Any]) -> Reads:
    """Selected features of all phases, clinical variables, and where there are networks the crops."""
    variables = [part.variables for part in parts.values()]
    features = dict.fromkeys(name for own in variables for name in own.features)
    clinical = dict.fromkeys(name for own in variables for name in own.cuts)
    images = ()
    if "networks" in parts:
        images = (image_input(IMAGES, config["settings"]["crops"], len(parts["networks"].phases), config),)
    return Reads(tuple(features), tuple(clinical), images)


def data_of(parts: Mapping[str, Any], rows: Rows) -> dict[str, Any]:
    """What each part takes."""
    tables = Data(RadiomicsTable(rows.features, {}), rows.clinical, rows.clinical[[]], rows.clinical[[]])
    found: dict[str, Any] = {"models": tables}
    if "networks" in parts:
        found["networks"] = DeepData(dict(zip(rows.patients, rows.images[IMAGES], strict=True)), tables)
    return found


def heat_maps(parts: Mapping[str, Any], images: Mapping[str, np.ndarray], config: Mapping[str, Any]) -> list[HeatMap]:
    """DL: Score-CAM of each phase by the network that was chosen; none without networks."""
    own = parts.get("networks")
    if own is None or not own.chosen:
        return []
    import torch

    from hcc_recurrence.networks.score_cam import score_cam

    image = torch.from_numpy(np.asarray(images[IMAGES], np.float32))
    network = own.networks[own.chosen].network
    maps = np.stack([score_cam(network, image, phase).numpy() for phase in range(len(own.phases))])
    shown = tuple((phase, image.shape[1] // 2) for phase in range(len(own.phases)))
    return [HeatMap(DEEP, "Score-CAM at the last stage", IMAGES, own.phases, shown, np.nan_to_num(maps))]


def estimators(parts: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The classifiers of the models that have one."""
    own = parts["models"]
    found = {f"{RADIOMICS} {name}": [model] for name, model in own.classifiers.items()}
    return {**found, RADIOMICS: [own.classifiers[own.chosen]], COMBINED: [own.combined]}


def without(parts: Mapping[str, Any], models: Iterable[str]) -> dict[str, Any]:
    """Without some of the other classifiers.

    Raises: Refused where the radiomics model or RCR is to be left out.
    """
    refuse_without(models, (RADIOMICS, COMBINED))
    own = parts["models"]
    kept = {name: model for name, model in own.classifiers.items() if f"{RADIOMICS} {name}" not in set(models)}
    return {**parts, "models": replace(own, classifiers=kept)}


def readable(parts: Mapping[str, Any]) -> dict[str, Any]:
    """CR's coefficients (of z-scores), those of linear classifiers, and what was chosen."""
    own = parts["models"]
    names, both = list(own.variables.features), [*own.variables.features, *own.variables.clinical_names]
    of = {f"{RADIOMICS} {name}": linear_words(model, names) for name, model in own.classifiers.items()}
    of |= {CLINICAL: logistic_words(own.clinical), COMBINED: linear_words(own.combined, both)}
    found = {"chosen_classifier": own.chosen, "coefficients": {name: words for name, words in of.items() if words}}
    if "networks" in parts:
        found["chosen_network"] = parts["networks"].chosen
    return found


def nomograms(parts: Mapping[str, Any], distribution: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """None: the paper draws none."""
    return {}
