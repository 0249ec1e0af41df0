"""Zhang 2025: what its exported model reads and consists of (`methods.exporting`)."""

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
    drawn_model,
    image_input,
    linear_words,
    logistic_words,
    refuse_without,
)
from hcc_recurrence.methods.zhang2025.declare import CLINICAL, COMBINED, IMAGES_ALONE, SIGNATURE, VOLUME
from hcc_recurrence.methods.zhang2025.fit import Data, Zhang
from hcc_recurrence.methods.zhang2025.models import PER
from hcc_recurrence.networks.architectures import network_crop
from hcc_recurrence.radiomics.tables import join_phases

PARTS: dict[str, type[FittedMethod]] = {"models": Zhang}
IMAGES, BOX = "images", "box"
# How columns begin that are made of the scores of a patient's images.
_OF_SCORES = ("Histo_", "BoW_")


def training_features(
    files: Mapping[str, Sequence[str]], about: Mapping[str, Any], patients: Sequence[str]
) -> pd.DataFrame:
    """Radiomics of some patients, `<phase>__<feature>`; no column without networks.

    Args:
        files: features: a table a phase. about: phases, and reader.
    """
    if not files.get("features"):
        return pd.DataFrame(index=pd.Index(list(patients), name="patient_id"))
    tables = dict(zip(about["phases"], map(pd.read_parquet, files["features"]), strict=True))
    return join_phases(tables, patients, about["reader"]).values


def reads(parts: Mapping[str, Any], config: Mapping[str, Any]) -> Reads:
    """Selected radiomics, clinical variables, the images in three planes and the box."""
    own, settings, phases = parts["models"], config["settings"], len(config["phases"])
    columns = dict.fromkeys(c for signature in own.signatures.values() for c in signature.columns)
    images = []
    if own.kept is not None:
        images.append(image_input(IMAGES, settings["crops"], phases, config))
    if own.volume is not None:
        images.append(image_input(BOX, network_crop(settings, own.volume.name), phases, config))
    return Reads(
        tuple(c for c in columns if not c.startswith(_OF_SCORES)),
        tuple(dict.fromkeys(variable for models in own.clinical.values() for variable in models.cuts)),
        tuple(images),
    )


def data_of(parts: Mapping[str, Any], rows: Rows) -> dict[str, Any]:
    """What the models take."""
    images, boxes = (
        dict(zip(rows.patients, rows.images[name], strict=True)) if name in rows.images else {}
        for name in (IMAGES, BOX)
    )
    return {"models": Data(rows.clinical, radiomics=rows.features, images=images, boxes=boxes)}


def heat_maps(parts: Mapping[str, Any], images: Mapping[str, np.ndarray], config: Mapping[str, Any]) -> list[HeatMap]:
    """DL_2.5D: Grad-CAM of the middle view of each plane by the network of images. DL_3D: of the box, from above."""
    own, found = parts["models"], []
    import torch

    from hcc_recurrence.imaging.view_names import parse_view
    from hcc_recurrence.networks.grad_cam import grad_cam
    from hcc_recurrence.networks.volume_cam import volume_cam
    from hcc_recurrence.networks.volume_network import VolumeNetwork

    if own.kept is not None:
        image = torch.from_numpy(np.asarray(images[IMAGES], np.float32))
        named = [parse_view(view) for view in config["crops"][config["settings"]["crops"]]["views"]]
        middle = [number for number, (_, distance) in enumerate(named) if not distance]
        maps = grad_cam(own.kept.network(), image.transpose(0, 1)[middle].unsqueeze(2).clone()).detach().numpy()
        titles = tuple(f"{config['phases'][0]}, {named[number][0]}" for number in middle)
        how, shown = "Grad-CAM at the last convolution", tuple((0, number) for number in middle)
        found.append(HeatMap(SIGNATURE, how, IMAGES, titles, shown, maps))
    if own.volume is not None:
        box = torch.from_numpy(np.asarray(images[BOX], np.float32))
        network = VolumeNetwork(own.volume.architecture, len(box))
        network.load_state_dict({name: torch.from_numpy(np.array(v)) for name, v in own.volume.weights.items()})
        maps = volume_cam(network, box).numpy()[None]
        title = f"{config['phases'][0]}, middle slice of the box"
        how = "Grad-CAM of the box in all phases, seen from above"
        found.append(HeatMap(VOLUME, how, BOX, (title,), ((0, box.shape[1] // 2),), maps))
    return found


def estimators(parts: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The learners: those of the signature stand behind the combined model as well."""
    own = parts["models"]
    found: dict[str, list[Any]] = {}
    for variant, signature in own.signatures.items():
        found[variant] = [signature.learners[signature.chosen]]
    if SIGNATURE in own.signatures:
        found |= {f"{SIGNATURE} {name}": [model] for name, model in own.signatures[SIGNATURE].learners.items()}
    for ending, models in own.clinical.items():
        found[f"{CLINICAL}{ending}"] = [models.signature]
        if models.combined is not None:
            found[f"{COMBINED}{ending}"] = found[SIGNATURE]
    return found


def without(parts: Mapping[str, Any], models: Iterable[str]) -> dict[str, Any]:
    """Without some of the other learners of the signature.

    Raises: Refused where any other model is to be left out.
    """
    own, gone = parts["models"], set(models)
    others = {f"{SIGNATURE} {name}" for name in own.signatures[SIGNATURE].learners} if own.signatures else set()
    refuse_without(gone, set(estimators(parts)) - others)
    if not own.signatures:
        return dict(parts)
    signature = own.signatures[SIGNATURE]
    kept = {name: model for name, model in signature.learners.items() if f"{SIGNATURE} {name}" not in gone}
    signatures = {**own.signatures, SIGNATURE: replace(signature, learners=kept)}
    # The variant of the images alone has learners of its own, of which one is applied.
    if IMAGES_ALONE in signatures:
        alone = signatures[IMAGES_ALONE]
        signatures[IMAGES_ALONE] = replace(alone, learners={alone.chosen: alone.learners[alone.chosen]})
    return {**parts, "models": replace(own, signatures=signatures)}


def readable(parts: Mapping[str, Any]) -> dict[str, Any]:
    """What was selected and chosen, and the coefficients of what is linear (of z-scores; of the combined model as they
    are, DL_2.5D in tenths)."""
    own = parts["models"]
    of: dict[str, Any] = {}
    for variant, signature in own.signatures.items():
        of[variant] = linear_words(signature.learners[signature.chosen], list(signature.columns))
    for ending, models in own.clinical.items():
        of[f"{CLINICAL}{ending}"] = linear_words(models.signature, list(models.names))
        if models.combined is not None:
            of[f"{COMBINED}{ending}"] = logistic_words(models.combined)
    return {
        "network": own.network,
        "volume_network": own.volume.name if own.volume else "",
        "features": {variant: list(signature.columns) for variant, signature in own.signatures.items()},
        "learners": {variant: signature.chosen for variant, signature in own.signatures.items()},
        "coefficients": {name: words for name, words in of.items() if words},
    }


def nomograms(parts: Mapping[str, Any], distribution: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The combined models."""
    found = {}
    for ending, models in parts["models"].clinical.items():
        if models.combined is None:
            continue
        inputs: dict[str, dict[str, Any]] = {
            name: {"variable": variable, "cut": cut, "code": None}
            for name, (variable, cut) in zip(models.names, models.cuts.items(), strict=True)
        }
        inputs[SIGNATURE] = {"model": SIGNATURE}
        found[f"{COMBINED}{ending}"] = drawn_model(models.combined, inputs, distribution, {SIGNATURE: PER})
    return {name: drawn for name, drawn in found.items() if drawn}
