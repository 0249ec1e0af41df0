"""The inputs of an exported model, from the files that the steps between DICOM and models leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hcc_recurrence.problems import Refused

if TYPE_CHECKING:
    import pandas as pd

    from hcc_recurrence.exported.bundle import Bundle
    from hcc_recurrence.methods.exporting import Rows

RADIOMICS, DEEP, CROPS, NOTHING = "radiomics", "deep", "crops", "nothing"


def source_of_features(about: Mapping[str, Any]) -> str:
    """What the features of a model are measured on: masks (radiomics), the segmentation network (deep), crops by a
    network that is not trained (crops), or nothing."""
    settings = about["config"]["settings"]
    if not about["reads"]["features"]:
        return NOTHING
    if settings.get("unet"):
        return DEEP
    return RADIOMICS if settings.get("radiomics") else CROPS


def read_rows(
    bundle: Bundle,
    files: Mapping[str, Sequence[str]],
    images: Mapping[str, str],
    phases: Sequence[str],
    reader: str,
    clinical: pd.DataFrame,
) -> Rows:
    """Everything that a model reads of some patients, under the names that it has for phases and features.

    Args:
        files: features: a table a phase of `phases` (radiomics), a folder a batch of patients (deep), or the stack of
            crops. images: name of what networks read -> stack of crops. phases: of the cohort, in the order of the
            model's. reader: whose masks are used. clinical: index patient_id, in the papers' units; of a variable that
            no patient has there is no column.

    Raises: Refused where a crop is not what the network takes.
    """
    from hcc_recurrence.methods.exporting import Rows
    from hcc_recurrence.networks.examples import load_images

    about, patients = bundle.about, list(clinical.index)
    found = {}
    for image in about["reads"]["images"]:
        found[image["name"]], _ = load_images(images[image["name"]], phases[: image["shape"][0]], patients)
        if (shape := found[image["name"]].shape[1:]) != tuple(image["shape"]):
            raise Refused(
                f"{image['name']}: crops of phases, z, y, x {shape}, and the model takes {tuple(image['shape'])}",
                "use the version of the workflow that wrote the model, or have it exported anew",
            )
    features = _features(bundle, files.get("features", []), phases, reader, patients)
    # Missing in all patients: what the models put in the place of a gap.
    wanted = dict.fromkeys([*about["reads"]["clinical"], *clinical.columns])
    return Rows(features, clinical.reindex(columns=list(wanted)).astype(float), found)


def _features(
    bundle: Bundle, files: Sequence[str], phases: Sequence[str], reader: str, patients: list[str]
) -> pd.DataFrame:
    from hcc_recurrence.exported.bundle import exporting

    own = list(bundle.about["phases"])
    if source_of_features(bundle.about) == CROPS:
        return _features_of_crops(bundle, files[0], dict(zip(own, phases, strict=True)), patients)
    about = {"phases": list(phases), "reader": reader}
    found = exporting(bundle.method).training_features({"features": files} if files else {}, about, patients)
    # Under the model's names of the phases.
    called = dict(zip(phases, own, strict=True))
    return found.rename(columns={c: _of_the_model(c, called) for c in found.columns})


def _of_the_model(column: str, called: Mapping[str, str]) -> str:
    phase, between, feature = column.partition("__")
    return f"{called.get(phase, phase)}{between}{feature}"


def _features_of_crops(bundle: Bundle, crops: str, phases: Mapping[str, str], patients: list[str]) -> pd.DataFrame:
    import pandas as pd

    from hcc_recurrence.networks.features import features_of_crops

    # What the features were made with stands in the model, not in the settings of this run.
    network = bundle.fitted().network
    weights = bundle.weights(network["name"])
    settings = {key: network[key] for key in ("pool", "tap", "highest", "seed")}
    parts = [
        features_of_crops(crops, here, weights, **settings).loc[patients].add_prefix(f"{phase}__")
        for phase, here in phases.items()
    ]
    return pd.concat(parts, axis=1)
