"""The self-test of an exported model: made-up patients, what the model gave them where it was exported, and the
comparison on another machine.

Their features and clinical values are drawn from the quantiles of the training patients, each by itself, and their
images are noise: none of them is like a patient.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hcc_recurrence.files import ModelFileError, write_in_one_rename

if TYPE_CHECKING:
    from hcc_recurrence.exported.bundle import Bundle
    from hcc_recurrence.methods.exporting import ImageInput, Reads, Rows

PATIENTS = ("made_up_1", "made_up_2", "made_up_3")
# How far a probability may be from the one where the model was exported, and a feature of a network, as a fraction of
# the largest of its kind. Other kernels moved them by 2.5e-7 and 4e-7 at most (docs/export.md).
TOLERANCE, FEATURE_TOLERANCE = 1e-5, 1e-5
# And a probability where images went through a network, and its features through selected ones and a classifier: other
# kernels moved those of patients by up to 1.7e-5 (docs/export.md).
THROUGH_TOLERANCE = 1e-4
# A disturbance of the images as large as what other kernels do, and how many draws are tried until it moves no score.
_DISTURBED, _DRAWS = 1e-6, 25
_KEYS = {"schema_version", "seed", "features", "clinical", "images", "scores", "extracted"}
_KEYS |= {"tolerance", "feature_tolerance"}
# Not in documents of version 1.
_LATER = {"through", "through_tolerance"}
# Pixels a side of the grain of made-up images.
_GRAIN = 4
SCHEMA_VERSION = 2


@dataclass(frozen=True)
class Reference:
    """Made-up patients and their scores.

    features, clinical: name -> a number a patient. images: what they are made like, from `seed`. scores: model -> a
    probability a patient. extracted: network that makes features -> features of made-up slices, (slice, feature).
    through: model -> a probability a patient, where a network that is not trained makes features of made-up slices and
    the models read these; empty of other methods, and of bundles that did not have it.
    """

    seed: int
    features: Mapping[str, list[float]]
    clinical: Mapping[str, list[float]]
    images: tuple[ImageInput, ...]
    scores: Mapping[str, list[float]]
    extracted: Mapping[str, list[list[float]]]
    tolerance: float = TOLERANCE
    feature_tolerance: float = FEATURE_TOLERANCE
    through: Mapping[str, list[float]] = field(default_factory=dict)
    through_tolerance: float = THROUGH_TOLERANCE

    def rows(self) -> Rows:
        """What the models read of them."""
        import pandas as pd

        from hcc_recurrence.methods.exporting import Rows

        index = pd.Index(PATIENTS, name="patient_id")
        features = pd.DataFrame(dict(self.features), index, dtype=float)
        clinical = pd.DataFrame(dict(self.clinical), index, dtype=float)
        return Rows(features, clinical, made_up_images(self.images, self.seed))

    def check(self, bundle: Bundle) -> float:
        """Score them with the models of a bundle: the largest difference of a probability.

        Raises: ModelFileError naming the model or network that is not the one of the bundle's export.
        """
        parts, weights = bundle.parts(), bundle.folder / "weights"
        worst = compared_scores(
            bundle, scores_of(bundle.method, parts, self.rows()), self.scores, self.tolerance, "patients"
        )
        if self.through:
            found = through_of(bundle.method, parts, self.rows(), weights, self.seed)
            worst = max(worst, compared_scores(bundle, found, self.through, self.through_tolerance, "images"))
        extracted = extracted_of(bundle.about, parts, weights, self.seed)
        for name, wanted in self.extracted.items():
            stated = np.array(wanted)
            difference = float(np.max(np.abs(extracted[name] - stated)) / max(np.max(np.abs(stated)), 1e-12))
            if not difference <= self.feature_tolerance:
                raise ModelFileError(
                    f"{bundle.folder}: the network {name} gives the made-up slices of its self-test other features "
                    f"than where it was exported (by a fraction of {difference:.2g}, allowed are "
                    f"{self.feature_tolerance:g}). {_REMEDY}"
                )
        return worst

    def write(self, file: Path) -> None:
        """As JSON, numbers with all digits."""
        images = [{**vars(image), "shape": list(image.shape)} for image in self.images]
        document = {"schema_version": SCHEMA_VERSION, **vars(self), "images": images}
        write_in_one_rename(file, json.dumps(document, indent=1, sort_keys=True, allow_nan=False) + "\n")

    @classmethod
    def read(cls, file: Path) -> Reference:
        """From what `write` wrote.

        Raises: ModelFileError for other keys.
        """
        from hcc_recurrence.learning.model_files import expect_keys
        from hcc_recurrence.methods.exporting import ImageInput

        stored = json.loads(file.read_text(encoding="utf-8"))
        expect_keys(stored, _KEYS | (_LATER if stored.get("schema_version") != 1 else set()), str(file))
        images = tuple(ImageInput(**{**image, "shape": tuple(image["shape"])}) for image in stored["images"])
        own = {key: value for key, value in stored.items() if key not in ("schema_version", "images")}
        return cls(images=images, **own)


def compared_scores(
    bundle: Bundle, found: Mapping[str, list[float]], stated: Mapping[str, list[float]], allowed: float, what: str
) -> float:
    """The largest difference of made-up patients' probabilities.

    Raises: ModelFileError naming a model beyond what is allowed, or that only one of both knows.
    """
    worst = 0.0
    if other := sorted(set(found) ^ set(stated)):
        raise ModelFileError(f"{bundle.folder}: the model {other[0]} is made or stated, and not both. {_REMEDY}")
    for model, wanted in stated.items():
        difference = float(np.max(np.abs(np.array(found[model]) - np.array(wanted))))
        worst = max(worst, difference)
        if not difference <= allowed:
            raise ModelFileError(
                f"{bundle.folder}: {model} gives the made-up {what} of its self-test other probabilities than "
                f"where it was exported (by {difference:.2g}, allowed are {allowed:g}). {_REMEDY}"
            )
    return worst


_REMEDY = (
    "What to do: compare the versions of the libraries with those in model.json; if they are the same, take the model "
    "from where it came from once more."
)


def make_reference(
    about: Mapping[str, Any],
    parts: Mapping[str, Any],
    reads: Reads,
    distribution: Mapping[str, Any],
    weights: Path,
    seed: int,
) -> Reference:
    """Made-up patients of a model that is being exported, and their scores.

    Scores may jump where a network's probability is rounded on the way to a feature. Images are drawn anew until no
    score moves with a disturbance as small as what other kernels do.

    Args:
        about: method and config of model.json. weights: folder of the bundle's weights.
    """
    by_item = {(item["group"], item["item"]): item for item in distribution["inputs"]}
    random = np.random.RandomState(seed)
    features = {name: _values(by_item.get(("features", name)), random) for name in reads.features}
    clinical = {name: _values(by_item.get(("clinical", name)), random) for name in reads.clinical}
    for draw in range(_DRAWS):
        made = Reference(seed + draw, features, clinical, reads.images, {}, {})
        rows = made.rows()
        scores = scores_of(about["method"], parts, rows)
        if not reads.images:
            break
        noise = np.random.RandomState(0)
        disturbed = {
            name: (image * (1 + _DISTURBED * noise.standard_normal(image.shape))).clip(0).astype(np.float32)
            for name, image in rows.images.items()
        }
        moved = scores_of(about["method"], parts, type(rows)(rows.features, rows.clinical, disturbed))
        if max(np.max(np.abs(np.array(moved[m]) - np.array(scores[m]))) for m in scores) < TOLERANCE / 2:
            break
    extracted = extracted_of(about, parts, weights, made.seed)
    own = {name: [[float(f"{v:.9g}") for v in row] for row in values] for name, values in extracted.items()}
    through = through_of(about["method"], parts, made.rows(), weights, made.seed)
    return Reference(made.seed, features, clinical, reads.images, scores, own, through=through)


def through_of(method: str, parts: Mapping[str, Any], rows: Rows, weights: Path, seed: int) -> dict[str, list[float]]:
    """Probabilities of made-up patients whose slices go through the network beside the models: model -> a number a
    patient; none of a method without such a network."""
    from hcc_recurrence.exported.bundle import exporting

    module = exporting(method)
    if not hasattr(module, "through"):
        return {}
    # Slices of another place are other noise.
    table = module.through(parts, rows, weights, lambda shape, place: _noise(shape, seed + place))
    return {model: [float(value) for value in table[model]] for model in table.columns}


def scores_of(method: str, parts: Mapping[str, Any], rows: Rows) -> dict[str, list[float]]:
    """Probabilities by all parts: model -> a number a patient."""
    from hcc_recurrence.exported.bundle import exporting

    data, found = exporting(method).data_of(parts, rows), {}
    for name, part in parts.items():
        table = part.predict(data[name], rows.patients)
        found |= {model: [float(value) for value in table[model]] for model in table.columns}
    return found


def extracted_of(about: Mapping[str, Any], parts: Mapping[str, Any], weights: Path, seed: int) -> dict[str, np.ndarray]:
    """Features of made-up slices by the networks that the bundle has beside its models, (slice, feature)."""
    from hcc_recurrence.exported.bundle import exporting

    found: dict[str, np.ndarray] = {}
    module = exporting(about["method"])
    if hasattr(module, "extract"):
        found |= module.extract(parts, about["config"], weights, lambda shape: _noise(shape, seed))
    for unet, entry in about["config"].get("unets", {}).items():
        for phase in about["phases"]:
            file = weights / f"{unet}.{phase}.safetensors"
            if file.is_file():
                found[f"{unet}.{phase}"] = _segmented(file, entry, seed)
    return found


def _segmented(file: Path, unet: Mapping[str, Any], seed: int) -> np.ndarray:
    from hcc_recurrence.networks.unet import build_unet, segment_slices
    from hcc_recurrence.networks.weights import fill_network, read_weights

    network = build_unet(unet["channels"])
    fill_network(network, read_weights(file), file, "the segmentation network")
    side = unet["side_pixels"]
    slices = _noise((len(PATIENTS), side, side), seed)
    # The network is to predict, whatever it was left as.
    _, features = segment_slices(network.eval(), slices, unet["layers"], "gap", unet["smallest_pixels"])
    return np.asarray(features, float)


def made_up_images(images: tuple[ImageInput, ...], seed: int) -> dict[str, np.ndarray]:
    """Noise of some grain from 0 to the largest value, (patient, phase, z, y, x) float32, by name.

    By numpy's RandomState, whose numbers no version changes.
    """
    return {
        image.name: (image.highest * _noise((len(PATIENTS), *image.shape), seed + place)).astype(np.float32)
        for place, image in enumerate(images)
    }


def _noise(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """From 0 to 1, in squares of the last two axes."""
    coarse = (*shape[:-2], -(-shape[-2] // _GRAIN), -(-shape[-1] // _GRAIN))
    values = np.random.RandomState(seed % 2**32).random_sample(coarse)
    fine = values.repeat(_GRAIN, axis=-2).repeat(_GRAIN, axis=-1)
    return fine[..., : shape[-2], : shape[-1]].astype(np.float32)


def _values(item: Mapping[str, Any] | None, random: np.random.RandomState) -> list[float]:
    """A number for each made-up patient, like those of an input's distribution."""
    positions = random.random_sample(len(PATIENTS))
    if item is None or (item["kind"] == "numeric" and not item["quantiles"]):
        return [0.0] * len(PATIENTS)
    if item["kind"] == "numeric":
        at = [float(p) / 100 for p in item["quantiles"]]
        return [float(value) for value in np.interp(positions, at, list(item["quantiles"].values()))]
    # Codes of levels are their places in the list of the config.
    return [float(int(position * len(item["levels"]))) for position in positions]
