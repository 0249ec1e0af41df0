# Zhang 2025: slice-level networks on 2.5D images, fusion of a patient's images, clinical and combined models, networks of
# volumes. Needs crops, radiomics, labels and a split; makes predictions, tables, nomograms and Grad-CAM.

from functools import partial

from hcc_recurrence.methods.zhang2025 import fits as zhang2025

ZHANG = FULL_CONFIG["papers"]["zhang2025"]["settings"]
ZHANG_SLICES, ZHANG_VOLUMES = slice_networks(ZHANG), volume_networks(ZHANG)
zhang2025_files = partial(network_files, "zhang2025")
# Fits of networks as functions of the wildcards: those that score, and those whose patients Grad-CAM explains.
ZHANG_SCORED = fits_of_networks("zhang2025", zhang2025.scored_fits)
ZHANG_FIRST = fits_of_networks("zhang2025", zhang2025.explained_fits)


def zhang2025_inputs(wildcards):
    """What one fit learns from: scores of images and radiomics; the fit that is applied later also the networks that it
    keeps."""
    cohort, fit = wildcards.cohort, Fit.parse(wildcards.fit)
    if not trains_networks("zhang2025", cohort):
        return {}
    kept = fit == Fit() and not is_permuted(cohort)
    fits = network_fits("zhang2025", cohort)
    wanted = zhang2025.learned_from(ZHANG, fits, fit, kept)
    files = {name: zhang2025_files(*own)(wildcards) for name, own in wanted.items()}
    return {"radiomics": radiomics_files("zhang2025")(wildcards), **files}


METHODS["zhang2025"] = {
    # As many repeats as the networks have seeds.
    "fits": lambda cohort: (
        ZHANG_SCORED(types.SimpleNamespace(cohort=cohort))
        if trains_networks("zhang2025", cohort)
        else fits_of_study("zhang2025", VALIDATION)(cohort)
    ),
    "inputs": zhang2025_inputs,
    # Another number of epochs comes with other scores.
    "settings": lambda w: {
        **study_settings("zhang2025", *zhang2025.FITTED)(w),
        "calibration_resamples": calibration_resamples("zhang2025")(w),
        "networks": zhang2025.learned(ZHANG, trains_networks("zhang2025", w.cohort)),
        "after_operation": after_operation("zhang2025")(w),
    },
    "clinical": study_clinical("zhang2025"),
    "about": lambda w: {
        **about_data("zhang2025", "phases", "reader", "definitions")(w),
        "architectures": zhang2025.architectures(ZHANG),
    },
    # The weights of a VGG19, 560 MB, are read and written once more.
    "memory_mb": 6000,
    "minutes": 480,
}
EXPORTS["zhang2025"] = {
    "models": exported_fit("zhang2025"),
    "features": where_networks("zhang2025", radiomics_files("zhang2025")),
    "trained": lambda fits: [(n, Fit()) for n in ZHANG_SLICES + ZHANG_VOLUMES],
}
TRAINED["zhang2025"] = partial(zhang2025.trained, ZHANG)
OWN_TARGETS["zhang2025"] = partial(crop_pages, "zhang2025")
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
            "scores": zhang2025_files("scores.csv", ZHANG_SCORED, ZHANG_SLICES),
            "volumes": zhang2025_files("scores.csv", ZHANG_SCORED, ZHANG_VOLUMES),
            "histories": zhang2025_files("history.csv", fits_of_networks("zhang2025")),
            **outcomes("zhang2025"),
        },
        "makes": [
            figure("roc_images", "ROC of single images", "zhang2025_slices", True),
            files(predictions="fits/volumes.predictions.csv"),
            table("slices", "single images"),
            table("networks", "networks", "networks"),
        ],
        "params": {**about_networks("zhang2025"), "seed": FULL_CONFIG["seed"]},
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
            "rule_of_choice": study_settings("zhang2025", *zhang2025.RULE),
            "definitions": clinical_meaning(study_clinical("zhang2025")),
        },
    },
    "plot_zhang2025_nomograms": nomograms_step(
        "zhang2025", zhang2025.NOMOGRAMS, if_trained("zhang2025")
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
            "predictions": tables_of_fits("zhang2025", ".predictions.csv", ZHANG_FIRST),
            "choices": "fits/choices.csv",
            "networks": zhang2025_files("pt", ZHANG_FIRST, ZHANG_SLICES),
        },
        "makes": [
            figure("grad_cam", "Grad-CAM", "grad_cam", pictures=True),
            files(csv="tables/grad_cam.csv"),
        ],
        "params": {
            **about_networks("zhang2025"),
            "files": lambda w: zhang2025.explaining(ZHANG, ZHANG_FIRST(w)),
            **zhang2025.explained(ZHANG, FULL_CONFIG),
            "endpoint": of_cohort("endpoint"),
        },
        "asked": if_trained("zhang2025"),
        "memory_mb": 6000,
        "minutes": 60,
    },
}
