"""Cui 2022: what its exported model reads and consists of (`methods.exporting`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from hcc_recurrence.methods.contract import FittedMethod
from hcc_recurrence.methods.cui2022.deep import Boxes, CuiEnsemble
from hcc_recurrence.methods.exporting import Reads, Rows, image_input

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
