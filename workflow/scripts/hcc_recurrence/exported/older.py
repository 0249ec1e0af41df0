"""Exported models of earlier versions, read as what they meant there.

A key that came into the config after a model was exported has a default today, and that need not be what the model's
images were made with. So nothing is filled in by the schema: each key that decides an input either was there from the
first bundle on, or stands in MEANT_BEFORE with what was done before it existed; a bundle without the key is refused
otherwise.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hcc_recurrence.endpoint import EARLY_RECURRENCE
from hcc_recurrence.files import ModelFileError

# Keys of each kind of entry that decide what a model reads, since the first bundle. Of a segmentation network those of
# its training decide nothing where it is applied.
ENTRY_KEYS = {
    "grids": (
        *("spacing_mm", "interpolator", "bias_correction", "normalisation", "register_to", "registration_engine"),
        *("outside_hu", "n4_iterations", "n4_convergence"),
    ),
    "crops": (
        *("grid", "fit", "place", "nodule", "views", "resize", "margin", "size_voxels", "phases", "window", "masked"),
    ),
    "radiomics": (
        *("grid", "normalise", "normalise_scale", "voxel_array_shift", "bin_width", "minimum_roi_dimensions"),
        *("log_sigma_mm", "wavelet", "wavelet_level", "expected_features"),
    ),
    "unets": ("side_pixels", "z_mm", "windows", "outside_hu", "channels", "layers", "pool", "smallest_pixels"),
}
TRAINING_KEYS = {
    "unets": (
        *("fraction", "inner_fraction", "reach_mm", "optimiser", "learning_rate", "momentum", "weight_decay"),
        *("epochs", "schedule", "batch", "augmentation"),
    )
}
# (kind, key) -> what was done where the key did not exist yet: N4 as ITK has it by itself.
MEANT_BEFORE: Mapping[tuple[str, str], Any] = {
    ("grids", "n4_iterations"): [50, 50, 50, 50],
    ("grids", "n4_convergence"): 0.001,
}


def as_today(about: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """model.json with everything that today's version of it has.

    Schema version 1 had no words of the endpoint but its name: its pages spoke of recurrence after resection, and of a
    horizon.

    Args: file: model.json, for the message.

    Raises: ModelFileError for an entry without a key that decides an input.
    """
    found = copy.deepcopy(dict(about))
    outcome = found.get("endpoint")
    if isinstance(outcome, dict) and "words" not in outcome:
        words = asdict(EARLY_RECURRENCE)
        outcome["words"] = {**words, "name": str(outcome.get("name") or words["name"]).replace("_", " ")}
    for kind, keys in ENTRY_KEYS.items():
        for name, entry in found.get("config", {}).get(kind, {}).items():
            for key in [key for key in keys if key not in entry]:
                if (kind, key) not in MEANT_BEFORE:
                    raise ModelFileError(
                        f"{file}: config.{kind}.{name} does not say {key}, which decides what the model reads. What "
                        "to do: use the version of the workflow that wrote the model, or have it exported anew."
                    )
                entry[key] = copy.deepcopy(MEANT_BEFORE[kind, key])
    return found
