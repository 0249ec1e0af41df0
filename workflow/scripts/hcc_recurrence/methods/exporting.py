"""What a method says of its exported model: what that reads, and which of its estimators hold rows of patients.

Each method says it in `methods/<method>/export.py`:
- `PARTS`: part of the model -> its class, `models` first; networks that are kept apart are `networks`.
- `reads(parts, config)`: what the models read of a patient. config: the bundle's fragment of the configuration.
- `data_of(parts, rows)`: part -> what its `predict` takes, of made-up patients.
- `estimators(parts)`: model -> the estimators that its probability comes from.
- `without(parts, models)`: the parts without some models.
- `readable(parts)`: coefficients and what else of the models a person can read, for model.json.
- `nomograms(parts, distribution)`: model -> `nomogram` and `axis_inputs` (`drawn_model`) where the model is drawn as
  one.
- `heat_maps(parts, images, config)`, where networks read images: `HeatMap` of one patient, of his images by name.
- `training_features(files, about, patients)`: features of the training patients, of the files that the rule names.
- `with_weights(parts, folder)`, where a network beside the models makes features: it is written into the folder.
- `extract(parts, config, folder, noise)`, there as well: features of made-up slices, for the self-test.
- `through(parts, rows, folder, noise)`, there as well: probabilities of made-up patients by features of such slices.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hcc_recurrence.networks.architectures import highest_value
from hcc_recurrence.problems import Refused

if TYPE_CHECKING:
    import pandas as pd

    from hcc_recurrence.statistics.logistic import LogisticModel

# Attributes under which scikit-learn's estimators keep the rows that they learned from.
_ROWS = ("_fit_X", "support_vectors_", "X_train_")


@dataclass(frozen=True)
class ImageInput:
    """An image that networks read. crops: entry of the config. shape: phase, z, y, x. highest: the largest value, from
    0."""

    name: str
    crops: str
    shape: tuple[int, ...]
    highest: float


@dataclass(frozen=True)
class HeatMap:
    """Where a network's score of one patient comes from, for his page.

    model: whose score it stands behind. method: how it is made. image: name of `ImageInput` whose voxels are shown.
    titles: of the pictures. shown: phase and z of each in the image. maps: (picture, y, x), from 0 to 1.
    """

    model: str
    method: str
    image: str
    titles: tuple[str, ...]
    shown: tuple[tuple[int, int], ...]
    maps: np.ndarray


@dataclass(frozen=True)
class Reads:
    """What the models of a bundle read of a patient. features: `<phase>__<feature>`, in their order. clinical: names of
    the config."""

    features: tuple[str, ...] = ()
    clinical: tuple[str, ...] = ()
    images: tuple[ImageInput, ...] = ()


@dataclass(frozen=True)
class Rows:
    """Inputs of patients, whichever method reads them: features and clinical numbers, index patient_id; images by
    name of `ImageInput`, (patient, phase, z, y, x)."""

    features: pd.DataFrame
    clinical: pd.DataFrame
    images: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def patients(self) -> list[str]:
        """Their names."""
        return list(self.features.index)


def image_input(name: str, crops: str, phases: int, config: Mapping[str, Any]) -> ImageInput:
    """An image by the entry of crops that it is made with."""
    crop = config["crops"][crops]
    highest = highest_value(crop, config["grids"][crop["grid"]])
    return ImageInput(name, crops, (phases, *crop["size_voxels"]), 1.0 if highest is None else float(highest))


def rows_in(estimator: Any) -> int:
    """How many rows of patients a fitted estimator holds, such as support vectors; 0 for those of coefficients or
    trees.

    Looked for at any depth: an estimator may be made of others.
    """
    seen: set[int] = set()

    def most(value: Any) -> int:
        if id(value) in seen:
            return 0
        seen.add(id(value))
        if isinstance(value, list | tuple):
            return max(map(most, value), default=0)
        if isinstance(value, dict):
            return max(map(most, value.values()), default=0)
        if not hasattr(value, "__dict__") or isinstance(value, type | np.ndarray):
            return 0
        own = vars(value)
        kept = [len(own[name]) for name in _ROWS if name in own]
        return max([*kept, *map(most, own.values())], default=0)

    return most(estimator)


def refuse_without(models: Iterable[str], needed: Iterable[str]) -> None:
    """Refuse to leave out models that others are built on.

    Raises: Refused naming them, and what to do.
    """
    if main := sorted(set(models) & set(needed)):
        raise Refused(
            f"export.training_rows is leave_out, and {', '.join(main)} {'is' if len(main) == 1 else 'are'} made by a "
            "classifier that holds rows of training patients",
            "name classifiers that hold none in the method's settings (no GP, KNN or SVM), or set export."
            "training_rows: keep, which gives these rows away without names",
        )


def logistic_words(model: LogisticModel) -> dict[str, Any]:
    """A logistic model as names and numbers."""
    coefficients = {name: float(value) for name, value in model.coefficients.items()}
    return {"intercept": float(model.intercept), "coefficients": coefficients}


def linear_words(estimator: Any, names: Sequence[str]) -> dict[str, Any] | None:
    """Coefficients of z-scores of a linear classifier; None of another one."""
    own = getattr(estimator, "model_", estimator)
    if not hasattr(own, "coef_") or np.size(own.coef_) != len(names):
        return None
    values = map(float, np.ravel(own.coef_))
    return {"intercept": float(np.ravel(own.intercept_)[0]), "coefficients": dict(zip(names, values, strict=True))}


def drawn_model(
    model: LogisticModel,
    inputs: Mapping[str, Mapping[str, Any]],
    distribution: Mapping[str, Any],
    scaled: Mapping[str, float],
) -> dict[str, Any] | None:
    """A logistic model as a nomogram whose axes reach from the 2.5 % to the 97.5 % quantile of the training patients.

    Args:
        inputs: column of the model -> `variable` of the config, with its `cut` and the `code` of its category, each
            None where there is none; or `model`, whose probability it is. distribution: training_distribution.json.
        scaled: column -> by what it was multiplied, to be drawn in its own unit again.

    Returns: `nomogram` (`NomogramModel.to_dict`) and `axis_inputs` (`inputs` of its axes); None without a variable.
    """
    from hcc_recurrence.statistics.nomogram import Axis, NomogramModel

    items = {item["item"]: item for item in distribution["inputs"] if item["group"] == "clinical"}
    axes = []
    for name, coefficient in model.coefficients.items():
        own = inputs[name]
        low, high, levels = 0.0, 1.0, ("no", "yes")
        if own.get("model"):
            levels = ()
        elif own["cut"] is None and own["code"] is None:
            item = items[own["variable"]]
            if item["kind"] == "numeric":
                known = list(item["quantiles"].values()) or [0.0, 1.0]
                low, high, levels = known[0], known[-1], ()
            elif item["kind"] == "categorical":
                high, levels = float(len(item["levels"]) - 1), tuple(item["levels"])
        axes.append(Axis(name, float(coefficient) * scaled.get(name, 1.0), low, high, levels))
    if not axes:
        return None
    drawn = NomogramModel("logistic", tuple(axes), float(model.intercept))
    return {"nomogram": drawn.to_dict(), "axis_inputs": {axis.name: dict(inputs[axis.name]) for axis in axes}}
