"""Zhang 2025: networks inside a kept model, which score the images and the box of a patient who was not there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from hcc_recurrence.learning.model_files import expect_keys


@dataclass(frozen=True)
class KeptNetwork:
    """A trained network: its name in the settings, its architecture, and its weights by name."""

    name: str
    architecture: str
    weights: Mapping[str, np.ndarray]

    @classmethod
    def of_file(cls, name: str, architecture: str, file: str | Path) -> Self:
        """From a file of the rule `train_network`."""
        import torch

        stored = torch.load(file, weights_only=True)["weights"]
        return cls(name, architecture, {key: value.numpy() for key, value in stored.items()})

    def of_images(self, images: np.ndarray) -> np.ndarray:
        """P(early recurrence) of each image of one patient, (view,).

        Args:
            images: (phase, view, y, x), from 0 to 1, phases and views as in the settings.
        """
        # Each view an example of one slice.
        return self._scores(self.network(), images.swapaxes(0, 1)[:, :, None], each=images.shape[1])

    def network(self) -> Any:
        """The network of single images, with its weights, set to predict."""
        import torch

        from hcc_recurrence.networks.slice_network import SliceNetwork

        network = SliceNetwork(self.architecture)
        network.load_state_dict({key: torch.from_numpy(np.array(value)) for key, value in self.weights.items()})
        return network.eval()

    def of_boxes(self, boxes: np.ndarray) -> np.ndarray:
        """P(early recurrence) of each patient, (patient,).

        Args:
            boxes: (patient, phase, z, y, x), from 0 to 1.
        """
        from hcc_recurrence.networks.volume_network import VolumeNetwork

        return self._scores(VolumeNetwork(self.architecture, boxes.shape[1]), boxes)

    def _scores(self, network: Any, examples: np.ndarray, each: int = 1) -> np.ndarray:
        import torch

        from hcc_recurrence.networks.training import Examples, probabilities

        network.load_state_dict({key: torch.from_numpy(np.array(value)) for key, value in self.weights.items()})
        number = len(examples)
        nothing = (np.empty((number, 0)), np.zeros(number, int), np.full(number, "unseen"))
        return probabilities(network, Examples.of(examples, *nothing), each)

    def state(self) -> dict[str, Any]:
        """What a model file holds of it."""
        return {"name": self.name, "architecture": self.architecture, "weights": dict(self.weights)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """From what `state` gave.

        Raises: ModelFileError for other keys.
        """
        expect_keys(state, {"name", "architecture", "weights"}, cls.__name__)
        return cls(state["name"], state["architecture"], state["weights"])
