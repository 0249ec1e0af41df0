"""Weights of networks as plain arrays, for model files: nothing of torch is pickled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from hcc_recurrence.files import ModelFileError


def weights_of(network: nn.Module) -> dict[str, np.ndarray]:
    """Parameters and running means by name. A single number, such as a count of batches, is an array of one: a model
    file has no array without an axis."""
    return {name: np.atleast_1d(value.cpu().numpy()) for name, value in network.state_dict().items()}


def fill_from(network: nn.Module, weights: Mapping[str, Any], where: str) -> None:
    """Fill a network with what `weights_of` gave of one like it, and set it to predict.

    Args:
        where: what the network is, for the message.

    Raises: ModelFileError where names or shapes do not fit.
    """
    own = network.state_dict()
    differ = sorted(set(own) ^ set(weights))
    differ += [
        name
        for name, value in own.items()
        if name in weights and np.shape(weights[name]) != np.atleast_1d(value.numpy()).shape
    ]
    if differ:
        raise ModelFileError(
            f"{where}: the weights {', '.join(differ[:3])} ({len(differ)} in all) do not fit the network. What to do: "
            "use the version of the workflow that wrote the model, or export it anew."
        )
    # A copy: what safetensors reads may not be written to.
    filled = {name: torch.from_numpy(np.array(weights[name])).reshape(value.shape) for name, value in own.items()}
    network.load_state_dict(filled)
    network.eval()
