"""Cui 2022: the networks of all folds of one protocol, kept and applied to boxes (docs/methods.md 1.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from hcc_recurrence.cohort.fit import Fit
from hcc_recurrence.files import as_written
from hcc_recurrence.learning.model_files import expect_keys
from hcc_recurrence.methods.contract import FittedMethod
from hcc_recurrence.methods.network_weights import fill_from, weights_of
from hcc_recurrence.networks.cui3d import CuiNetwork
from hcc_recurrence.networks.examples import UNSEEN, load_images
from hcc_recurrence.networks.training import Examples, load_weights, probabilities


@dataclass(frozen=True)
class Boxes:
    """Boxes of patients, and how they were made.

    of: network -> patient -> his box, (phase, z, y, x), as the file of the network's crops has it. definitions: network
    -> entry of `crops`, and under `grid` that of `grids`, which made them.
    """

    of: Mapping[str, Mapping[str, np.ndarray]]
    definitions: Mapping[str, Mapping[str, Any]]


def read_boxes(
    files: Mapping[str, str | Path],
    phases: Sequence[str],
    patients: Sequence[str],
    definitions: Mapping[str, Mapping[str, Any]],
) -> Boxes:
    """The boxes of patients, by network.

    Args:
        files: network -> stack of its crops. definitions: network -> what made them (`Boxes`).

    Raises: ValueError where a patient or a phase is not in a file.
    """
    of = {
        network: dict(zip(patients, load_images(file, phases, patients)[0], strict=True))
        for network, file in files.items()
    }
    return Boxes(of, definitions)


def refuse_other_definition(name: str, made: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Refuse boxes that were made otherwise than those that a network was trained with.

    Raises: ValueError naming each key that differs, with both values.
    """

    def flat(entry: Mapping[str, Any]) -> dict[str, Any]:
        grid = {f"grid.{key}": value for key, value in entry.get("grid", {}).items()}
        return {**{key: value for key, value in entry.items() if key != "grid"}, **grid}

    own, theirs = flat(made), flat(wanted)
    differ = [key for key in sorted({*own, *theirs}) if own.get(key) != theirs.get(key)]
    if differ:
        words = "; ".join(
            f"{key} is {own.get(key)!r}, the network was trained with {theirs.get(key)!r}" for key in differ
        )
        raise ValueError(
            f"{name}: the boxes are made otherwise than those of the training patients: {words}. What to do: make them "
            "with the entries of grids and crops that the model has"
        )


@dataclass(frozen=True)
class FoldNetworks:
    """SS or NSS: a network for each fold left out.

    crops: name of the crops that they take. definition: how these are made (`crop_definition`). shape: z, y, x of a
    box. folds: the network of each fit, by its name; how it scales grey values is kept with its weights.
    """

    crops: str
    definition: Mapping[str, Any]
    shape: tuple[int, int, int]
    folds: Mapping[str, CuiNetwork]

    def mean(
        self, name: str, boxes: Mapping[str, np.ndarray], made: Mapping[str, Any], patients: Sequence[str]
    ) -> pd.Series:
        """Mean probability of the networks, by patient.

        Args:
            name: of these networks, for the message. made: how the boxes are made.

        Raises: ValueError naming the patients that have no box, or one of another shape, or what was made otherwise.
        """
        refuse_other_definition(name, made, self.definition)
        if absent := [p for p in patients if p not in boxes]:
            raise ValueError(
                f"{name}: no box of {', '.join(absent[:5])} ({len(absent)} in all). What to do: make their crops "
                f"{self.crops}"
            )
        wanted = (1, *self.shape)
        if other := [p for p in patients if np.shape(boxes[p]) != wanted]:
            raise ValueError(
                f"{name}: the box of {other[0]} has the shape {np.shape(boxes[other[0]])}, the network takes {wanted} "
                f"({len(other)} in all). What to do: make their crops as {self.crops} is defined where it was trained"
            )
        number = len(patients)
        images = np.stack([boxes[p] for p in patients])
        examples = Examples.of(images, np.empty((number, 0)), np.zeros(number, int), np.full(number, UNSEEN))
        # As the tables of scores have them, whose mean is reported.
        scores = [as_written(probabilities(network, examples)) for network in self.folds.values()]
        table = pd.DataFrame({"patient_id": [*patients] * len(scores), "probability": np.concatenate(scores)})
        return table.groupby("patient_id")["probability"].mean()

    def state(self) -> dict[str, Any]:
        """For a model file."""
        folds = [{"fit": fit, "weights": weights_of(network)} for fit, network in self.folds.items()]
        return {"crops": self.crops, "definition": self.definition, "shape": list(self.shape), "folds": folds}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], where: str) -> Self:
        """From what `state` gave.

        Raises: ModelFileError for other keys or weights.
        """
        expect_keys(state, {"crops", "definition", "shape", "folds"}, where)
        folds = {}
        for row in state["folds"]:
            expect_keys(row, {"fit", "weights"}, where)
            folds[row["fit"]] = CuiNetwork(1, state["shape"])
            fill_from(folds[row["fit"]], row["weights"], f"{where}, {row['fit']}")
        return cls(state["crops"], state["definition"], tuple(state["shape"]), folds)


@dataclass(frozen=True)
class CuiEnsemble(FittedMethod):
    """SS and NSS of one protocol: the mean of the networks of all folds, as `fit.network_predictions` reports it.

    phases: of the boxes; the networks take one.
    """

    method: ClassVar[str] = "cui2022"
    learned: tuple[str, ...]
    phases: tuple[str, ...]
    networks: Mapping[str, FoldNetworks]

    def predict(self, data: Boxes, patients: Sequence[str]) -> pd.DataFrame:
        """Probability of early recurrence by SS and NSS; reads the boxes of these patients alone."""
        names = list(patients)
        found = {
            name: own.mean(name, data.of[name], data.definitions[name], names).loc[names]
            for name, own in self.networks.items()
        }
        return pd.DataFrame(found, index=pd.Index(names, name="patient_id"))

    def state(self) -> dict[str, Any]:
        """What a model file holds of it."""
        networks = [{"name": name, "networks": own.state()} for name, own in self.networks.items()]
        return {"learned": list(self.learned), "phases": list(self.phases), "networks": networks}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """From what `state` gave.

        Raises: ModelFileError for other keys or weights.
        """
        expect_keys(state, {"learned", "phases", "networks"}, cls.method)
        networks = {}
        for row in state["networks"]:
            expect_keys(row, {"name", "networks"}, cls.method)
            networks[row["name"]] = FoldNetworks.from_state(row["networks"], row["name"])
        return cls(tuple(state["learned"]), tuple(state["phases"]), networks)


def keep_ensemble(
    phases: Sequence[str],
    definitions: Mapping[str, Mapping[str, Any]],
    files: Mapping[str, Sequence[str | Path]],
    fit: Fit,
) -> CuiEnsemble:
    """What the trainings of the folds of one protocol and repeat left, as one model.

    Args:
        definitions: network -> how its boxes are made (`crop_definition`). files: network -> what the training without
            each fold left, in the order of the folds. fit: that the model stands for, with no fold left out.

    Raises: ValueError for a file of another protocol or repeat, without or with several folds left out, or of a fold
        that another file leaves out, too.
    """
    saw: set[str] = set()
    networks = {}
    for name, own in files.items():
        shape = tuple(definitions[name]["size_voxels"])
        folds, crops = {}, set()
        for file in own:
            network = CuiNetwork(len(phases), shape)
            about = load_weights(network, file)
            made = Fit.parse(about["fit"])
            same = (made.protocol, made.repeat, made.share) == (fit.protocol, fit.repeat, fit.share)
            if not same or len(made.left_out) != 1 or about["fit"] in folds:
                raise ValueError(f"{file}: {name} of the fit {about['fit']}, which has no place among those of {fit}")
            folds[about["fit"]] = network.eval()
            crops.add(about["settings"]["crops"])
            saw |= {*about["fitted"], *about["inner"]}
        if len(crops) != 1:
            raise ValueError(f"{name}: networks of several crops: {', '.join(sorted(crops))}")
        networks[name] = FoldNetworks(crops.pop(), dict(definitions[name]), shape, folds)
    return CuiEnsemble(tuple(sorted(saw)), tuple(phases), networks)
