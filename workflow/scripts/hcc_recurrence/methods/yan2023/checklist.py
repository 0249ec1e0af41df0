"""What the checklists say of Yan 2023: features of a network that is not trained, and the grid that they go through."""

from __future__ import annotations

from hcc_recurrence.checklists import Evidence, Run

# A phase: one a channel of the last convolutions of the five blocks (`networks/vgg.py`), whatever is pooled.
FEATURES = 64 + 128 + 256 + 512 + 512


def evidence(run: Run) -> dict[str, Evidence]:
    """Facts by the names that the checklists give them."""
    training = int((run.split["split"] == "train").sum())
    chosen, crop, here = run.settings, run.crop, run.folder
    network = ", ".join(
        f"{name} with {'weights from a file' if n['weights'] else 'random weights'}"
        for name, n in chosen["networks"].items()
    )
    spacing = " x ".join(f"{v:g}" for v in run.grid["spacing_mm"])
    size = " x ".join(map(str, crop["size_voxels"]))
    cells = len(chosen["selectors"]) * len(chosen["classifiers"])
    others = {r: n for r, n in run.readers.items() if r != run.cohort["reader"]}
    repeated = ", ".join(f"{n} patients segmented again by {r}" for r, n in others.items()) or "one reader's masks only"
    return {
        "preprocessing": Evidence(
            "config",
            f"bias field correction: {run.grid['bias_correction']}; values: {run.grid['normalisation']}; "
            f"{'resampled to ' + spacing + ' mm' if spacing else 'voxels as acquired'}; slices {size}",
        ),
        "image_types": Evidence("config", f"largest slice of each phase, {network}"),
        "feature_number": Evidence(
            f"{here}/features", f"{FEATURES} a phase x {len(run.phases)} phases ({', '.join(run.phases)})"
        ),
        "reliability": Evidence(
            f"{here}/tables", f"{repeated}; readers of findings: tables/readings.csv where the sheet has them"
        ),
        "scaling": Evidence(f"{here}/predictions.csv", "minimum to maximum of the training rows of each fold"),
        "reduction": Evidence(
            f"{here}/tables/choices.csv",
            f"Spearman P < {chosen['spearman_p']}; |r| > {chosen['redundancy_r']} dropped; "
            f"{', '.join(chosen['selectors'])}; one of {cells} cells a phase by inner cross-validation, inside folds",
        ),
        "dimensionality": Evidence(
            f"{here}/features",
            f"{FEATURES * len(run.phases)} features before selection, {training} training patients",
        ),
    }
