"""An exported model that says what it needs and holds no models: enough for everything before the first job."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from hcc_recurrence.exported.bundle import ABOUT, CARD, DISTRIBUTION, LICENCE, REFERENCE, SCHEMA_VERSION, write_bundle
from hcc_recurrence.exported.distribution import distribution

GRID = {
    "spacing_mm": [2.0, 2.0, 2.0],
    "interpolator": "linear",
    "bias_correction": "none",
    "n4_iterations": [50, 40, 30],
    "n4_convergence": 0.0001,
    "normalisation": "none",
    "register_to": "",
    "registration_engine": "simpleitk",
    "outside_hu": -1024,
}
RADIOMICS = {
    "grid": "iso2",
    "normalise": True,
    "normalise_scale": 100,
    "voxel_array_shift": 300,
    "bin_width": 25,
    "minimum_roi_dimensions": 2,
    "log_sigma_mm": [],
    "wavelet": "",
    "wavelet_level": 1,
    "expected_features": 107,
}
CROP = {
    "grid": "iso2",
    "fit": "voxels",
    "place": "reference",
    "nodule": "all",
    "views": [],
    "resize": "linear",
    "margin": 0.1,
    "size_voxels": [4, 32, 32],
    "phases": [],
    "window": [],
    "masked": False,
}
UNET = {
    "side_pixels": 64,
    "z_mm": 0,
    "windows": {},
    "outside_hu": -1024,
    "channels": [4, 4, 8, 8, 8],
    "fraction": 0.5,
    "epochs": 1,
    "layers": "hierarchical",
    "pool": "gap",
    "smallest_pixels": 10,
}
CLINICAL = {
    "afp": {"factor": 1.0, "kind": "continuous", "levels": [], "timing": "pre", "unit": "ng/mL"},
    "sex": {"factor": 1.0, "kind": "categorical", "levels": ["F", "M"], "timing": "pre", "unit": ""},
}


def about_of(name: str = "zhao2024.mine", **changes: Any) -> dict[str, Any]:
    """A model.json of radiomics of two phases and two clinical variables on MR; `config` is joined, not replaced."""
    method = name.split(".", maxsplit=1)[0]
    config = {
        "grids": {"iso2": copy.deepcopy(GRID)},
        "crops": {},
        "radiomics": {"zhao2024_demo": copy.deepcopy(RADIOMICS)},
        "unets": {},
        "masks": {"source": "manual", "unet": ""},
        "settings": {
            "phases": ["arterial", "portal"],
            "radiomics": "zhao2024_demo",
            "crops": "box",
            "networks": {},
            "clinical": {"afp": 400, "sex": None, "alt": 50},
            "split": "mine",
        },
        "clinical": copy.deepcopy(CLINICAL),
        "cohort": {"modality": "MR", "lesions": "largest", "er_days": 730, "er_inclusive": True, "reader": "R1"},
        "paper": {},
        "mark": "",
    }
    about = {
        "schema_version": SCHEMA_VERSION,
        "name": name,
        "method": method,
        "study": {"paper": method, "cohort": "mine"},
        "title": "mine",
        "fit": "strict.1.0",
        "protocol": "strict",
        "endpoint": {"name": "early recurrence", "horizon_months": 24.0, "horizon": "730 days", "inclusive": True},
        "modality": "MR",
        "phases": ["arterial", "portal"],
        "units": {},
        "config": config,
        "models": {"CR": {"role": "main", "family": "clinical", "main": True, "cutoff": 0.4, "nomogram": None}},
        "reads": {"features": ["arterial__a", "portal__b"], "clinical": ["afp", "sex"], "images": []},
        **{key: {} for key in ("selection", "training", "kept_rows", "weights", "versions", "created_by")},
        **{"left_out": [], "marks": [], "seed": 2024},
    }
    config |= changes.pop("config", {})
    return {**about, **changes}


def write_made(folder: Path, about: dict[str, Any], items: tuple[dict[str, Any], ...] = ()) -> Path:
    """Write it as `folder/<name>`, and the same as `folder/<name>.zip`, which is returned."""
    own = folder / about["name"]
    (own / "reference").mkdir(parents=True)
    (own / ABOUT).write_text(json.dumps(about))
    (own / DISTRIBUTION).write_text(json.dumps(distribution(items, {})))
    (own / REFERENCE).write_text("{}")
    (own / CARD).write_text("made for a test\n")
    (own / LICENCE).write_text("none\n")
    archive = folder / f"{about['name']}.zip"
    write_bundle(own, archive)
    return archive
