"""Zhang 2025 as a method: one fit of the signature DL_2.5D with its learners, of the clinical and the combined models.

The networks of images are trained by rules of their own, because a fit is fed the scores of several of them (see
`signature`); the fit on all training patients of repeat 1 keeps the weights of the ones it goes on with, so that it
scores a patient who was not there from crops, radiomics and clinical variables alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from hcc_recurrence.cohort.fit import PUBLISHED, Fit
from hcc_recurrence.learning.estimators import predicted
from hcc_recurrence.learning.folds import outer_fit
from hcc_recurrence.learning.model_files import expect_keys
from hcc_recurrence.learning.network_scores import choose_networks, read_fits
from hcc_recurrence.learning.predictions import outcome_of
from hcc_recurrence.learning.scaling import Standardiser
from hcc_recurrence.methods.contract import FittedMethod
from hcc_recurrence.methods.run import CROSS_VALIDATED, patients_of_split, tuning_patients
from hcc_recurrence.methods.zhang2025.declare import IMAGES_ALONE, SIGNATURE, VOLUME
from hcc_recurrence.methods.zhang2025.models import ClinicalModels, fit_models
from hcc_recurrence.methods.zhang2025.scoring import KeptNetwork
from hcc_recurrence.methods.zhang2025.signature import Signature, fit_fusion
from hcc_recurrence.radiomics.tables import join_phases


@dataclass(frozen=True)
class Data:
    """Everything the method takes.

    clinical: numbers, index patient_id. definitions: of the clinical variables. radiomics: index patient_id, columns
    `<phase>__<feature>`. scores: of single images by networks (model, fit, patient_id, role, image, probability).
    labels and split are read by `fit` alone; as published, `split` also says which patients are scaled together.
    networks: by name, what reads a trained network whose weights the fit may keep; volume: the chosen one of boxes.
    images, boxes: patient -> (phase, view, y, x) and (phase, z, y, x), of patients whom no network has scored yet.
    """

    clinical: pd.DataFrame
    definitions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    radiomics: pd.DataFrame | None = None
    scores: pd.DataFrame | None = None
    labels: pd.DataFrame | None = None
    split: pd.DataFrame | None = None
    networks: Mapping[str, Callable[[], KeptNetwork]] = field(default_factory=dict)
    volume: KeptNetwork | None = None
    images: Mapping[str, np.ndarray] = field(default_factory=dict)
    boxes: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Zhang(FittedMethod):
    """All models of one fit.

    network, source: whose scores of images are fused, by name and fit. kept: that network, where the fit keeps it.
    volume: the network of boxes, DL_3D, where the fit keeps it. by_set: as published, features of the signature are
    scaled by the patients of the same set (validation, external); who is in neither, such as a patient to whom the
    model is applied, is scaled by the training patients, as everybody is in the strict protocol. clinical: by the
    ending of the models' names.
    """

    method: ClassVar[str] = "zhang2025"
    learned: tuple[str, ...]
    network: str
    source: str
    by_set: bool
    signatures: Mapping[str, Signature]
    clinical: Mapping[str, ClinicalModels]
    kept: KeptNetwork | None = None
    volume: KeptNetwork | None = None

    def bags(self, data: Data, patients: Sequence[str]) -> dict[str, np.ndarray]:
        """Scores of the images of each patient by the network of this fit.

        Raises: ValueError naming a patient without scores and images.
        """
        known: dict[str, np.ndarray] = {}
        if data.scores is not None:
            own = data.scores[(data.scores["model"] == self.network) & (data.scores["fit"] == self.source)]
            own = own[own["patient_id"].isin(set(patients))].sort_values(["patient_id", "image"])
            known = {p: group.to_numpy() for p, group in own.groupby("patient_id")["probability"]}
        found = {}
        for patient in patients:
            if patient in known:
                found[patient] = known[patient]
            elif self.kept is not None and patient in data.images:
                found[patient] = self.kept.of_images(data.images[patient])
            else:
                what = (
                    "no crop of the patient is given" if self.kept else "this fit does not keep the network's weights"
                )
                raise ValueError(
                    f"{patient}: no scores of images by {self.network}, and {what}. What to do: apply the fit "
                    "strict.1.0 to the crops of the patient"
                )
        return found

    def signature_inputs(self, variant: str, data: Data, patients: Sequence[str]) -> np.ndarray:
        """Scaled features of one variant of the signature, (patients, columns); see `by_set`."""
        own = self.signatures[variant]
        x = own.features(self.bags(data, patients), data.radiomics)
        found = own.scale(x)
        if self.by_set and data.split is not None:
            for name in ("validation", "external"):
                members = patients_of_split(data.split, name)
                rows = [i for i, patient in enumerate(patients) if patient in set(members)]
                if rows:
                    scale = Standardiser(own.features(self.bags(data, members), data.radiomics))
                    found[rows] = scale(x[rows])
        return found

    def predict(self, data: Data, patients: Sequence[str]) -> pd.DataFrame:
        """Probability of early recurrence by each model; DL_3D where boxes are given and its network is kept.

        Reads the inputs of these patients alone, but see `by_set`.
        """
        found: dict[str, np.ndarray] = {}
        for variant in (SIGNATURE, IMAGES_ALONE) if self.signatures else ():
            own, z = self.signatures[variant], self.signature_inputs(variant, data, patients)
            found[variant] = predicted(own.learners[own.chosen], z)
            if variant == SIGNATURE:
                found |= {f"{variant} {name}": predicted(model, z) for name, model in own.learners.items()}
        for ending, models in self.clinical.items():
            of_these = models.predict(data.clinical.loc[list(patients)], found.get(SIGNATURE))
            found |= {f"{name}{ending}": probability for name, probability in of_these.items()}
        if self.volume is not None and data.boxes:
            found[VOLUME] = self.volume.of_boxes(np.stack([data.boxes[patient] for patient in patients]))
        return pd.DataFrame(found, index=pd.Index(list(patients), name="patient_id"))

    def state(self) -> dict[str, Any]:
        """What a model file holds of it."""
        return {
            "learned": list(self.learned),
            "network": self.network,
            "source": self.source,
            "by_set": self.by_set,
            "signatures": [{"variant": v, "signature": own.state()} for v, own in self.signatures.items()],
            "clinical": [{"ending": ending, "models": own.state()} for ending, own in self.clinical.items()],
            "kept": self.kept.state() if self.kept else None,
            "volume": self.volume.state() if self.volume else None,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """From what `state` gave.

        Raises: ModelFileError for other keys.
        """
        keys = {"learned", "network", "source", "by_set", "signatures", "clinical", "kept", "volume"}
        expect_keys(state, keys, cls.method)
        for row in state["signatures"]:
            expect_keys(row, {"variant", "signature"}, f"{cls.method}, signatures")
        for row in state["clinical"]:
            expect_keys(row, {"ending", "models"}, f"{cls.method}, clinical")
        kept, volume = (state[key] and KeptNetwork.from_state(state[key]) for key in ("kept", "volume"))
        return cls(
            tuple(state["learned"]),
            state["network"],
            state["source"],
            state["by_set"],
            {row["variant"]: Signature.from_state(row["signature"]) for row in state["signatures"]},
            {row["ending"]: ClinicalModels.from_state(row["models"]) for row in state["clinical"]},
            kept,
            volume,
        )


def read_data(
    files: Mapping[str, Sequence[str]],
    about: Mapping[str, Any],
    clinical: pd.DataFrame,
    labels: pd.DataFrame,
    split: pd.DataFrame,
) -> Data:
    """What the method takes, from the files of the rule `fit_method`.

    Args:
        files: scores of images and radiomics (a table a phase), none without networks; for the fit that keeps networks
            also networks, volumes (weights), and histories (of the networks of volumes).
        about: phases, reader, definitions of the clinical variables, and architectures of the networks by name.
    """
    radiomics = scores = volume = None
    if files.get("scores"):
        tables = dict(zip(about["phases"], map(pd.read_parquet, files["radiomics"]), strict=True))
        radiomics = join_phases(tables, list(split["patient_id"]), about["reader"]).values
        scores = read_fits(files["scores"])
    kept = {
        name: {file: about["architectures"][Path(file).parent.name] for file in files.get(name, [])}
        for name in ("networks", "volumes")
    }
    if kept["volumes"]:
        choices = choose_networks(read_fits(files["histories"]))
        best = choices.loc[choices["chosen"], "model"].item()
        file = next(file for file in kept["volumes"] if Path(file).parent.name == best)
        volume = KeptNetwork.of_file(best, kept["volumes"][file], file)
    # Only the one that is chosen is read: the four are a gigabyte.
    names = {file: Path(file).parent.name for file in kept["networks"]}
    networks = {names[f]: partial(KeptNetwork.of_file, names[f], a, f) for f, a in kept["networks"].items()}
    return Data(clinical, about["definitions"], radiomics, scores, labels, split, networks, volume)


def fit(data: Data, fit: Fit, settings: Mapping[str, Any], seed: int) -> tuple[Zhang, dict[str, pd.DataFrame]]:
    """Fit every model on the patients that learn in a fit.

    As published, the validation patients, where they have both outcomes, choose network and learner, and they chose the
    epoch of the networks whose scores are fused.

    Args:
        settings: of `signature.fit_fusion` and `models.fit_models`, and networks, the ones of single images; without
            any there are clinical models alone. seed: of the fit.

    Returns: the models; and choices, steps, grid (`Fusion`), regressions, curves and drawn (`Models`), empty where
        there is nothing to tell. As published also what the models give the patients that learn in the cross-validation
        of the learners, which becomes rows of the predictions.
    """
    outer, run_seed = outer_fit(data.split, fit), seed - fit.repeat
    signature, deep, choices = None, None, {"choices": [], "steps": [], "grid": []}
    if settings["networks"]:
        signature = fit_fusion(data.scores, data.labels, data.split, data.radiomics, settings, outer, run_seed)
        learned = signature.probabilities.query("part == 'learned'").set_index("patient_id")
        deep = learned[SIGNATURE]
        choices = {"choices": signature.choices, "steps": signature.steps, "grid": signature.grid}
    by_fold = signature.by_fold if signature else ()
    models = fit_models(
        outer, deep, data.clinical, data.definitions, data.labels, data.split, settings, run_seed, by_fold
    )
    tuning = tuning_patients(data.split, fit)
    decided = outcome_of(data.labels).loc[tuning].nunique() == 2
    used = tuning if signature is not None or decided else []
    kept = data.networks.get(signature.network) if signature else None
    fitted = Zhang(
        tuple(sorted({*outer.rows, *used})),
        signature.network if signature else "",
        signature.source if signature else "",
        fit.protocol == PUBLISHED,
        signature.signatures if signature else {},
        models.fitted,
        kept() if kept else None,
        data.volume,
    )
    tables = {name: pd.DataFrame(rows) for name, rows in choices.items()}
    tables |= {"regressions": models.regressions, "curves": models.curves}
    if fit.protocol == PUBLISHED:
        held = models.held if signature is None else signature.held.join(models.held)
        tables[CROSS_VALIDATED] = held.assign(fold=models.folds)
    tables["drawn"] = pd.DataFrame({"drawing": [json.dumps(one) for one in models.drawn]}, dtype=str)
    return fitted, tables
