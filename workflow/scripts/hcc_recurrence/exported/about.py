"""model.json: what an exported model is, what it reads, how it was made, and the cut-off that it carries."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from hcc_recurrence.cohort.fit import STRICT, Fit
from hcc_recurrence.endpoint import Endpoint, endpoint
from hcc_recurrence.exported.bundle import SCHEMA_VERSION, exporting
from hcc_recurrence.methods.exporting import Reads, rows_in
from hcc_recurrence.problems import Refused
from hcc_recurrence.version import NAME, commit_and_changes, library_versions, workflow_version

# The fit that is exported: on all training patients, by the first draw of folds, nothing tuned on others.
FIT = Fit(STRICT)
# What probabilities can hang on, for model.json.
PACKAGES = (
    *("numpy", "scipy", "pandas", "scikit-learn", "torch", "lightgbm", "monai", "SimpleITK"),
    # Under the names of the builds that the environment has, or of the general ones.
    *("xgboost", "xgboost-cpu", "pyradiomics", "pyradiomics-bhklab"),
    *("pydicom", "safetensors", "skops"),
)
UNITS = {
    "features": "as extracted with the settings in `config`, before any scaling",
    "clinical": "the units in `config.clinical`",
    "images": "as made with the grids and crops in `config`; axes phase, z, y, x",
    "lengths": "mm",
    "volumes": "mL",
}


def bundle_name(method: str, cohort: str) -> str:
    """What a bundle is called."""
    return f"{method}.{cohort}"


def cut_offs(metrics: pd.DataFrame) -> dict[str, float]:
    """The cut-off of each model: Youden's on the out-of-fold probabilities of the training patients, strict protocol.

    Args:
        metrics: of `compute_metrics`.
    """
    own = metrics[(metrics["protocol"] == STRICT) & (metrics["estimate"] == "out_of_fold")]
    return {row.model: float(row.threshold) for row in own.itertuples() if pd.notna(row.threshold)}


def kept_rows(method: str, parts: Mapping[str, Any]) -> dict[str, int]:
    """Models whose classifier holds rows of training patients, such as support vectors, and how many of them."""
    found = {
        model: max((rows_in(own) for own in estimators), default=0)
        for model, estimators in exporting(method).estimators(parts).items()
    }
    return {model: rows for model, rows in found.items() if rows}


def without_kept_rows(method: str, parts: Mapping[str, Any], names: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """The parts without the models that hold rows of patients.

    Args:
        names: model -> what the method declares of it.

    Raises: Refused where a main model would be left out.
    """
    own = kept_rows(method, parts)
    if main := sorted(model for model in own if model in names and names[model]["role"] == "main"):
        raise Refused(
            f"export.training_rows is leave_out, and {', '.join(main)} {'is' if len(main) == 1 else 'are'} made by a "
            "classifier that holds rows of training patients",
            "name classifiers that hold none in the method's settings (no GP, KNN or SVM), or set "
            "export.training_rows: keep, which gives these rows away, without names",
        )
    return exporting(method).without(parts, sorted(own))


def of_what(outcome: Endpoint, horizon: str) -> str:
    """What a probability is of: `early recurrence (within 730 days)`; no horizon where the outcome has no times."""
    return f"{outcome.name} (within {horizon})" if outcome.has_times and horizon else outcome.name


def describe(
    about: Mapping[str, Any],
    parts: Mapping[str, Any],
    reads: Reads,
    made: Sequence[str],
    metrics: pd.DataFrame,
    learned: Mapping[str, Any],
    left_out: Sequence[str],
    weights: Mapping[str, str],
    distribution: Mapping[str, Any],
    machines: Sequence[str],
) -> dict[str, Any]:
    """The document model.json.

    Args:
        about: method, cohort, title, modality, phases, horizon_months, horizon, seed, marks, config, and declared:
            what the method says of each model. made: names of the
            models that the parts predict, in their order. learned: of `case_mix`. left_out: models that are not in the
            bundle because they hold rows of patients. weights: file of weights -> its SHA-256.
        distribution: training_distribution.json. machines: files in the bundle that say what a network was trained on.
    """
    module, cuts = exporting(about["method"]), cut_offs(metrics)
    names, outcome = about["declared"], endpoint()
    drawn = module.nomograms(parts, distribution)
    models = {
        model: {
            **names[model],
            "main": names[model]["role"] == "main",
            # None where every training patient has the same probability.
            "cutoff": cuts.get(model),
            "nomogram": drawn.get(model, {}).get("nomogram"),
            "axis_inputs": drawn.get(model, {}).get("axis_inputs"),
        }
        for model in made
    }
    return {
        "schema_version": SCHEMA_VERSION,
        "name": bundle_name(about["method"], about["cohort"]),
        "method": about["method"],
        "study": {"paper": about["method"], "cohort": about["cohort"]},
        "title": about["title"],
        "fit": str(FIT),
        "protocol": FIT.protocol,
        "endpoint": {
            "name": outcome.name,
            "words": asdict(outcome),
            # Without times there is no horizon.
            "horizon_months": about["horizon_months"] if outcome.has_times else None,
            "horizon": about["horizon"] if outcome.has_times else "",
            "inclusive": about["config"]["cohort"]["er_inclusive"],
        },
        "modality": about["modality"],
        "phases": list(about["phases"]),
        "units": {"probability": f"of {of_what(outcome, about['horizon'])}, 0 to 1", **UNITS},
        "config": about["config"],
        "models": models,
        "reads": {
            "features": list(reads.features),
            "clinical": list(reads.clinical),
            "images": [{**vars(image), "shape": list(image.shape)} for image in reads.images],
        },
        "selection": module.readable(parts),
        "training": dict(learned),
        "kept_rows": kept_rows(about["method"], parts),
        "left_out": list(left_out),
        "marks": list(about["marks"]),
        "weights": dict(weights),
        "versions": {"python": platform.python_version(), **library_versions(PACKAGES)},
        "seed": about["seed"],
        "created_by": {
            "workflow": NAME,
            "version": workflow_version(),
            "commit": commit_and_changes()[0],
            "machines": list(machines),
        },
    }
