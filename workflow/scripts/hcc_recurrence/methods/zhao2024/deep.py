"""Zhao 2024: what the networks of one fit left, kept and applied to crops (docs/methods.md 4.4, 4.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from hcc_recurrence.learning.model_files import expect_keys
from hcc_recurrence.methods.contract import FittedMethod
from hcc_recurrence.methods.network_weights import fill_from, weights_of
from hcc_recurrence.methods.zhao2024.declare import DEEP, FUSION, FUSIONS
from hcc_recurrence.methods.zhao2024.networks import fusion_variables
from hcc_recurrence.methods.zhao2024.variables import Data, Variables
from hcc_recurrence.networks.examples import UNSEEN, load_images
from hcc_recurrence.networks.phase_network import PhaseNetwork
from hcc_recurrence.networks.training import Examples, about_training, load_weights, probabilities


@dataclass(frozen=True)
class DeepData:
    """What the networks take: a stack of crops, or patient -> his crops (phase, z, y, x); and for the fusion what the
    models without a network take."""

    crops: str | Path | Mapping[str, np.ndarray]
    tables: Data


@dataclass(frozen=True)
class KeptNetwork:
    """A network and how it is made: phases and slices of a phase are numbers, as is that of the other variables."""

    network: PhaseNetwork
    architecture: str
    phases: int
    slices: int
    variables: int = 0
    layer_norm: bool = False

    @classmethod
    def made(cls, **shape: Any) -> Self:
        """One whose weights are not yet filled in."""
        parts = ("architecture", "phases", "slices", "variables", "layer_norm")
        return cls(PhaseNetwork(*(shape[part] for part in parts)), **shape)

    def state(self) -> dict[str, Any]:
        """For a model file."""
        return {**self.shape(), "weights": weights_of(self.network)}

    def shape(self) -> dict[str, Any]:
        """How it is made."""
        return {key: value for key, value in vars(self).items() if key != "network"}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], where: str) -> Self:
        """From what `state` gave.

        Raises: ModelFileError for other keys or weights.
        """
        keys = {"architecture", "phases", "slices", "variables", "layer_norm", "weights"}
        expect_keys(state, keys, where)
        kept = cls.made(**{key: value for key, value in state.items() if key != "weights"})
        fill_from(kept.network, state["weights"], where)
        return kept

    @classmethod
    def from_training(cls, file: str | Path, **shape: Any) -> tuple[Self, dict[str, Any]]:
        """From a file that a training left; also what made it: fit, and the patients that it saw."""
        kept = cls.made(**shape)
        about = load_weights(kept.network, file)
        kept.network.eval()
        return kept, about


@dataclass(frozen=True)
class ZhaoNetworks(FittedMethod):
    """DL, the networks that it is chosen from, and DLRCR, of one fit.

    phases: of the crops, in their order. networks: by name. chosen: which of them is DL; empty where the fit has the
    fusion alone. fusion: DLRCR. variables: what it takes beside the crops; columns: their kind and name, in its order.
    """

    method: ClassVar[str] = "zhao2024.networks"
    learned: tuple[str, ...]
    phases: tuple[str, ...]
    networks: Mapping[str, KeptNetwork]
    chosen: str
    fusion: KeptNetwork
    variables: Variables
    columns: tuple[tuple[str, str], ...]

    def predict(self, data: DeepData, patients: Sequence[str]) -> pd.DataFrame:
        """Probability of early recurrence by each network; reads crops, features and clinical variables of these
        patients alone."""
        names = list(patients)
        if isinstance(data.crops, Mapping):
            images = np.stack([data.crops[name] for name in names])
        else:
            images, _ = load_images(data.crops, self.phases, names)
        nobody = np.zeros(len(names), int)
        examples = Examples.of(images, np.empty((len(names), 0)), nobody, np.full(len(names), UNSEEN))
        found = {f"{DEEP} {name}": probabilities(kept.network, examples) for name, kept in self.networks.items()}
        if self.chosen:
            found[DEEP] = found[f"{DEEP} {self.chosen}"]
        table = fusion_variables(self.variables.table(data.tables, names), FUSIONS[FUSION])
        values = table[list(self.columns)].loc[names].to_numpy() if self.columns else np.empty((len(names), 0))
        found[FUSION] = probabilities(self.fusion.network, examples.with_variables(values))
        return pd.DataFrame(found, index=pd.Index(names, name="patient_id"))

    def state(self) -> dict[str, Any]:
        """What a model file holds of it."""
        return {
            "learned": list(self.learned),
            "phases": list(self.phases),
            "networks": [{"name": name, "network": kept.state()} for name, kept in self.networks.items()],
            "chosen": self.chosen,
            "fusion": self.fusion.state(),
            "variables": self.variables.state(),
            "columns": [list(column) for column in self.columns],
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """From what `state` gave.

        Raises: ModelFileError for other keys or weights.
        """
        keys = {"learned", "phases", "networks", "chosen", "fusion", "variables", "columns"}
        expect_keys(state, keys, cls.method)
        return cls(
            tuple(state["learned"]),
            tuple(state["phases"]),
            {row["name"]: KeptNetwork.from_state(row["network"], row["name"]) for row in state["networks"]},
            state["chosen"],
            KeptNetwork.from_state(state["fusion"], FUSION),
            Variables.from_state(state["variables"]),
            tuple((kind, name) for kind, name in state["columns"]),
        )


def keep_networks(
    phases: Sequence[str],
    slices: int,
    networks: Mapping[str, tuple[str, str | Path]],
    chosen: str,
    fusion: str | Path,
    layer_norm: bool,
    variables: Variables,
    learned: Sequence[str] = (),
) -> ZhaoNetworks:
    """What the trainings of one fit left, as one model.

    Args:
        slices: of a phase. networks: name -> architecture and the file that its training left. fusion: that of DLRCR,
            which says its architecture. variables: of the models without a network of the same fit. learned: patients
            whose outcomes these models, or the choice of a network, used.

    Returns: the model, which also knows whom its networks saw.
    """
    shape = {"phases": len(phases), "slices": slices}
    saw, kept = set(learned), {}
    for name, (architecture, file) in networks.items():
        kept[name], about = KeptNetwork.from_training(
            file, architecture=architecture, variables=0, layer_norm=False, **shape
        )
        saw |= {*about["fitted"], *about["inner"]}
    made = about_training(fusion)
    columns = tuple((kind, name) for kind, name in made["variables"])
    architecture = made["settings"]["architecture"]
    joined, about = KeptNetwork.from_training(
        fusion, architecture=architecture, variables=len(columns), layer_norm=layer_norm, **shape
    )
    saw |= {*about["fitted"], *about["inner"]}
    return ZhaoNetworks(tuple(sorted(saw)), tuple(phases), kept, chosen, joined, variables, columns)
