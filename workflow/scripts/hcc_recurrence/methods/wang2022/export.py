"""Wang 2022: what its exported model reads and consists of (`methods.exporting`). Its features come from the U-Nets,
which the bundle has beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from hcc_recurrence.methods.contract import FittedMethod
from hcc_recurrence.methods.exporting import Reads, Rows, linear_words, refuse_without
from hcc_recurrence.methods.wang2022.declare import SIGNATURE
from hcc_recurrence.methods.wang2022.fit import Data, Wang
from hcc_recurrence.methods.wang2022.signature import deep_table

PARTS: dict[str, type[FittedMethod]] = {"models": Wang}


def training_features(
    files: Mapping[str, Sequence[str]], about: Mapping[str, Any], patients: Sequence[str]
) -> pd.DataFrame:
    """Features of some patients, `<phase>__<feature>`.

    Args:
        files: features: a folder a batch of patients. about: phases.
    """
    tables = [pd.read_parquet(f"{folder}/features.parquet") for folder in files["features"]]
    return deep_table(tables, about["phases"], patients)


def reads(parts: Mapping[str, Any], config: Mapping[str, Any]) -> Reads:
    """Selected features of the segmentation networks, clinical variables and visual findings."""
    own = parts["models"]
    features = dict.fromkeys(name for one in own.regressions.values() for name in one.features)
    settings = own.variables.settings
    return Reads(tuple(features), tuple(dict.fromkeys([*settings["clinical"], *settings["visual"]])))


def data_of(parts: Mapping[str, Any], rows: Rows) -> dict[str, Any]:
    """What the models take; they read neither outcomes nor the horizon."""
    nothing = rows.clinical[[]]
    return {"models": Data(rows.features, rows.clinical, {}, nothing, nothing, [], float("nan"))}


def estimators(parts: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The logistic regressions."""
    return {name: [one.model] for name, one in parts["models"].regressions.items()}


def without(parts: Mapping[str, Any], models: Iterable[str]) -> dict[str, Any]:
    """All of its models are regressions, none of which holds a patient's row."""
    refuse_without(models, parts["models"].regressions)
    return dict(parts)


def readable(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Coefficients of z-scores; of the Cox models their coefficients and the survival of who has only zeros."""
    own = parts["models"]
    of = {name: linear_words(one.model, [*one.features, *one.others]) for name, one in own.regressions.items()}
    hazards = {name: cox.state()["nomogram"] for name, cox in own.cox.items()}
    return {"phases": own.phases, "coefficients": {name: words for name, words in of.items() if words}, "cox": hazards}


def nomograms(parts: Mapping[str, Any], distribution: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The Cox models, as they were kept: their axes reach from the 1 % to the 99 % quantile."""
    own = parts["models"]
    inputs: dict[str, dict[str, Any]] = {
        name: {"variable": variable, "cut": cut, "code": None}
        for name, (variable, cut) in zip(
            own.variables.drawing(), own.variables.settings["clinical"].items(), strict=True
        )
    }
    inputs[SIGNATURE] = {"model": SIGNATURE}
    found = {}
    for name, cox in own.cox.items():
        if drawn := cox.state()["nomogram"]:
            found[name] = {
                "nomogram": drawn,
                "axis_inputs": {axis["name"]: inputs[axis["name"]] for axis in drawn["axes"]},
            }
    return found
