"""Features of crops by a network that is not trained here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from hcc_recurrence.networks.examples import load_images
from hcc_recurrence.networks.imagenet import normalise
from hcc_recurrence.networks.laid_out import laid_out
from hcc_recurrence.networks.training import alone
from hcc_recurrence.networks.vgg import Vgg19Features, draw_convolutions, feature_names
from hcc_recurrence.networks.weights import fill_network, read_weights


def feature_network(weights: str | Path, seed: int, pool: str = "mean", tap: str = "relu") -> Vgg19Features:
    """VGG19 with taps, frozen: weights from a file with torchvision's names, or random ones where none is named.

    Random weights are drawn as torchvision draws them (He's normal by fan out, biases 0), from the seed. The file's
    classifier is not needed and may be absent.

    Raises: ValueError where names or shapes of the file do not fit.
    """
    network = Vgg19Features(pool, tap)
    if weights:
        own = {name: value for name, value in read_weights(weights).items() if not name.startswith("classifier.")}
        fill_network(network, own, weights, "VGG19")
    else:
        draw_convolutions(network.features, torch.Generator().manual_seed(seed))
    return network.eval().requires_grad_(False)


def network_input(images: np.ndarray, highest: float) -> torch.Tensor:
    """Grey slices (n, y, x) from 0 to `highest` as ImageNet colours (n, 3, y, x): three equal channels, normalised."""
    return normalise(torch.from_numpy(np.asarray(images, np.float32))[:, None] / highest)


def extract_features(network: Vgg19Features, images: np.ndarray, patients: list[str], highest: float) -> pd.DataFrame:
    """1472 named features of one slice of every patient, index patient_id; each slice alone (`training.probabilities`).

    Args:
        images: (patient, y, x), values from 0 to `highest`.

    Raises: ValueError where values lie outside that range.
    """
    if images.min() < 0 or images.max() > highest:
        raise ValueError(f"values from {images.min():g} to {images.max():g}; the network expects 0 to {highest:g}")
    found = []
    with laid_out(network):
        for number, image in enumerate(images, 1):
            found.append(network(alone(network_input(image[None], highest))).numpy())
            if number % 16 == 0 or number == len(images):
                print(f"{number} of {len(images)} patients")
    values = np.concatenate(found).astype(np.float64)
    return pd.DataFrame(values, index=pd.Index(patients, name="patient_id"), columns=feature_names())


def features_of_crops(
    crops: str | Path, phase: str, weights: str | Path, pool: str, tap: str, highest: float, seed: int
) -> pd.DataFrame:
    """Features of the middle slice of one phase of all patients of a stack of crops (`extract_features`).

    Args:
        crops: from `collect_crops`. weights: a file, or empty for random ones from the seed.
    """
    with np.load(crops, allow_pickle=False) as stack:
        patients = stack["patients"].tolist()
    images, _ = load_images(crops, [phase], patients)
    network = feature_network(weights, seed, pool, tap)
    return extract_features(network, images[:, 0, images.shape[2] // 2], patients, highest)
