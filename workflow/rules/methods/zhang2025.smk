# Zhang 2025: slice-level networks on 2.5D images, fusion of a patient's images, clinical and combined models, networks of
# volumes. Needs crops, radiomics, labels and a split; makes predictions, tables, nomograms and Grad-CAM.

from hcc_recurrence.methods.zhang2025.declare import BEFORE, COMBINED
from hcc_recurrence.methods.zhang2025.fits import (
    BY_VALIDATION,
    fits_without_two,
    scoring_fits,
)

ZHANG = FULL_CONFIG["papers"]["zhang2025"]["settings"]
ZHANG_SLICES, ZHANG_VOLUMES = slice_networks(ZHANG), volume_networks(ZHANG)
# Settings that the fusion of images reads, and those of the clinical models.
ZHANG_FITTED = (
    *("decimals", "normality_alpha", "univariable_p", "correlation_r"),
    *("lasso_folds", "lasso_penalties", "learner_folds", "learners"),
    *("clinical", "clinical_p", "none_significant"),
)


def zhang2025_fits(cohort):
    """All fits of signature, clinical and combined models: as many repeats as the networks have seeds."""
    if not trains_networks("zhang2025", cohort):
        return fits_of_study("zhang2025", VALIDATION)(cohort)
    return zhang2025_scored(types.SimpleNamespace(cohort=cohort))


def zhang2025_files(networks, kind, fits):
    """Files of one kind that fits of some networks leave, as a function of the wildcards, as `fits` is."""
    return network_files("zhang2025", kind, fits, networks)


def zhang2025_scored(wildcards):
    """The fits of networks that leave one fold out or none, and that whose epoch the validation patients chose."""
    return [*network_fits("zhang2025", wildcards.cohort), BY_VALIDATION]


def zhang2025_first(wildcards):
    """The strict fits of the first repeat, whose patients Grad-CAM explains."""
    return fits_of_first_repeat("zhang2025", wildcards.cohort)


def zhang2025_inputs(wildcards):
    """What one fit learns from: scores of images and radiomics; the fit that is applied later also the networks that it
    keeps."""
    cohort, fit = wildcards.cohort, Fit.parse(wildcards.fit)
    if not trains_networks("zhang2025", cohort):
        return {}
    sources = scoring_fits(network_fits("zhang2025", cohort), fit)
    wanted = {"scores": (ZHANG_SLICES, "scores.csv", sources)}
    if fit == Fit() and not is_permuted(cohort):
        wanted["networks"] = (ZHANG_SLICES, "pt", [fit])
        wanted["volumes"] = (ZHANG_VOLUMES, "pt", [fit])
        wanted["histories"] = (ZHANG_VOLUMES, "history.csv", [fit])
    return {
        "radiomics": radiomics_files("zhang2025")(wildcards),
        **{
            name: network_files("zhang2025", kind, lambda w: fits, networks)(wildcards)
            for name, (networks, kind, fits) in wanted.items()
        },
    }


def zhang2025_settings(wildcards):
    """What decides the models of a fit: another number of epochs comes with other scores."""
    deep = ZHANG_SLICES if trains_networks("zhang2025", wildcards.cohort) else []
    return {
        **study_settings("zhang2025", *ZHANG_FITTED)(wildcards),
        "calibration_resamples": calibration_resamples("zhang2025")(wildcards),
        "networks": {
            n: {"architecture": ZHANG["networks"][n]["architecture"]} for n in deep
        },
        "after_operation": after_operation("zhang2025")(wildcards),
    }


def zhang2025_trained(cohort):
    """All networks of a study."""
    fits = network_fits("zhang2025", cohort)
    first = [
        (n, f) for n in ZHANG_SLICES + ZHANG_VOLUMES for f in [*fits, BY_VALIDATION]
    ]
    return first + [(n, f) for n in ZHANG_SLICES for f in fits_without_two(fits)]


METHODS["zhang2025"] = {
    "fits": zhang2025_fits,
    "inputs": zhang2025_inputs,
    "settings": zhang2025_settings,
    "clinical": study_clinical("zhang2025"),
    "about": lambda w: {
        "phases": study_phases("zhang2025")(w),
        "reader": of_cohort("reader")(w),
        "definitions": clinical_meaning(study_clinical("zhang2025"))(w),
        "architectures": {n: o["architecture"] for n, o in ZHANG["networks"].items()},
    },
    # The weights of a VGG19, 560 MB, are read and written once more.
    "memory_mb": 6000,
    "minutes": 480,
}
EXPORTS["zhang2025"] = {
    "models": exported_fit("zhang2025"),
    "features": lambda w: (
        radiomics_files("zhang2025")(w)
        if PLAN.has_networks("zhang2025", w.cohort)
        else []
    ),
    "trained": lambda cohort: [(n, Fit()) for n in ZHANG_SLICES + ZHANG_VOLUMES],
}
TRAINED["zhang2025"] = zhang2025_trained
OWN_TARGETS["zhang2025"] = lambda cohort: (
    crop_pages("zhang2025", cohort) if trains_networks("zhang2025", cohort) else []
)
OWN_STEPS["zhang2025"] = {
    "gather_zhang2025_fusion": {
        "says": "What all fits of DL_2.5D chose, and the grid search of the fits on all training patients (Figure 6).",
        "input": tables_of_fits("zhang2025"),
        "makes": [
            figure("grid_search", "grid search of the learners"),
            files(choices="fits/choices.csv", grid="tables/grid_search.csv"),
            table("learners", "learners and networks chosen"),
            table("selection", "feature selection"),
        ],
        "asked": if_trained("zhang2025"),
    },
    "gather_zhang2025_networks": {
        "says": "The slice-level table, the models of the networks of volumes, and what all networks are.",
        "input": {
            "scores": zhang2025_files(ZHANG_SLICES, "scores.csv", zhang2025_scored),
            "volumes": zhang2025_files(ZHANG_VOLUMES, "scores.csv", zhang2025_scored),
            "histories": zhang2025_files(
                ZHANG_SLICES + ZHANG_VOLUMES,
                "history.csv",
                fits_of_networks("zhang2025"),
            ),
            **outcomes("zhang2025"),
        },
        "makes": [
            figure(
                "roc_images", "ROC of single images", "zhang2025_slices", protocols=True
            ),
            files(predictions="fits/volumes.predictions.csv"),
            table("slices", "single images"),
            table("networks", "networks", "networks"),
        ],
        "params": {
            "networks": ZHANG["networks"],
            "phases": study_phases("zhang2025"),
            "seed": FULL_CONFIG["seed"],
        },
        "asked": if_trained("zhang2025"),
        "memory_mb": 4000,
        "minutes": 20,
    },
    "gather_zhang2025_models": {
        "says": "The regressions of clinical and combined models of all fits, and what the nomograms draw.",
        "input": tables_of_fits("zhang2025"),
        "makes": [
            table("regressions", "clinical regressions"),
            files(**NOMOGRAM_FILES),
        ],
        "params": {
            "rule_of_choice": study_settings(
                "zhang2025", "clinical_p", "none_significant"
            ),
            "definitions": clinical_meaning(study_clinical("zhang2025")),
        },
    },
    "plot_zhang2025_nomograms": nomograms_step(
        "zhang2025",
        {
            "combined": (COMBINED, "combined nomogram", True),
            "preoperative": (
                f"{COMBINED} {BEFORE}",
                f"combined nomogram, {BEFORE}",
                True,
            ),
        },
        if_trained("zhang2025"),
    ),
    "write_zhang2025_inflation": {
        "says": "How much feeding apparent scores of images to the learners inflates what they say of themselves.",
        "input": {
            "choices": "fits/choices.csv",
            "metrics": "tables/metrics.csv",
            "best_auc": best_auc_file,
        },
        "makes": [
            figure("inflation", "what apparent scores inflate, figure"),
            table("inflation", "what apparent scores inflate"),
        ],
        "asked": if_trained("zhang2025"),
    },
    "plot_grad_cam": {
        "says": "Grad-CAM of two patients called right and of all confident wrong calls, by networks that never saw them.",
        "input": {
            "crops": study_crops("zhang2025"),
            "predictions": lambda w: [
                f"<results>/{w.cohort}/zhang2025/fits/{fit}.predictions.csv"
                for fit in zhang2025_first(w)
            ],
            "choices": "fits/choices.csv",
            "networks": zhang2025_files(ZHANG_SLICES, "pt", zhang2025_first),
        },
        "makes": [
            figure("grad_cam", "Grad-CAM", "grad_cam", pictures=True),
            files(csv="tables/grad_cam.csv"),
        ],
        "params": {
            "phases": study_phases("zhang2025"),
            "networks": ZHANG["networks"],
            "files": lambda w: [
                f"{network}.{fit.fold}"
                for network in ZHANG_SLICES
                for fit in zhang2025_first(w)
            ],
            "views": FULL_CONFIG["crops"].get(ZHANG["crops"], {}).get("views", []),
            "shown": [-4, 0, 4, "sagittal", "coronal"],
            "confident": ZHANG["confident"],
            "endpoint": of_cohort("endpoint"),
        },
        "asked": if_trained("zhang2025"),
        "memory_mb": 6000,
        "minutes": 60,
    },
}
