"""Cui 2022: what its exported model reads and consists of (`methods.exporting`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from hcc_recurrence.methods.contract import FittedMethod
from hcc_recurrence.methods.cui2022.deep import Boxes, CuiEnsemble
from hcc_recurrence.methods.exporting import HeatMap, Reads, Rows, image_input

PARTS: dict[str, type[FittedMethod]] = {"models": CuiEnsemble}


def training_features(
    files: Mapping[str, Sequence[str]], about: Mapping[str, Any], patients: Sequence[str]
) -> pd.DataFrame:
    """None: the networks read boxes alone."""
    return pd.DataFrame(index=pd.Index(list(patients), name="patient_id"))


def reads(parts: Mapping[str, Any], config: Mapping[str, Any]) -> Reads:
    """The box of each network."""
    own = parts["models"]
    return Reads(images=tuple(image_input(n, one.crops, len(own.phases), config) for n, one in own.networks.items()))


def data_of(parts: Mapping[str, Any], rows: Rows) -> dict[str, Any]:
    """What the networks take: boxes made as theirs."""
    own = parts["models"].networks
    of = {name: dict(zip(rows.patients, rows.images[name], strict=True)) for name in own}
    return {"models": Boxes(of, {name: one.definition for name, one in own.items()})}


def heat_maps(parts: Mapping[str, Any], images: Mapping[str, np.ndarray], config: Mapping[str, Any]) -> list[HeatMap]:
    """SS and NSS: mean of the maps of the networks of all folds, each as large as its relevance is."""
    import torch

    from hcc_recurrence.networks.box_cam import box_cam

    found = []
    for name, own in parts["models"].networks.items():
        box = torch.from_numpy(np.asarray(images[name], np.float32))[None]
        each = [box_cam(network.network, network.scaled(box))[0].numpy() for network in own.folds.values()]
        whole = np.mean(each, axis=0)
        shown = ((0, images[name].shape[1] // 2),)
        title = f"{parts['models'].phases[0]}, middle slice of the box"
        maps = (whole / max(float(whole.max()), 1e-12))[None]
        found.append(HeatMap(name, "Grad-CAM at the last pooling, seen from above", name, (title,), shown, maps))
    return found


def estimators(parts: Mapping[str, Any]) -> dict[str, list[Any]]:
    """None but networks."""
    return {}


def without(parts: Mapping[str, Any], models: Iterable[str]) -> dict[str, Any]:
    """No network holds a patient's row."""
    return dict(parts)


def readable(parts: Mapping[str, Any]) -> dict[str, Any]:
    """The fits whose networks' mean is reported."""
    return {"fits": {name: list(own.folds) for name, own in parts["models"].networks.items()}}


def nomograms(parts: Mapping[str, Any], distribution: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """None: the paper draws none."""
    return {}
