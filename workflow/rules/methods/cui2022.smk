# Cui 2022: a 3D network on the segmented tumour (SS) and on the box about it (NSS). Needs crops, labels and a split;
# makes predictions, models, the learning curve of both, Grad-CAM side by side and the share of it inside the tumour.

from functools import partial

from hcc_recurrence.methods.cui2022 import fits as cui2022
from hcc_recurrence.methods.cui2022.declare import box_definitions

CUI = FULL_CONFIG["papers"]["cui2022"]["settings"]
CUI_BOXES = box_definitions(CUI, FULL_CONFIG)


def cui2022_fits(use):
    """The fits of one use (`methods.cui2022.fits`), or of the model that the wildcards name, as a function of these."""
    return lambda w: cui2022.fits_by_use(
        network_fits("cui2022", w.cohort), CUI["training_shares"]
    )[use or Fit.parse(w.fit).protocol]


def cui2022_files(kind, use=""):
    """Files of one kind that these fits leave, SS then NSS."""
    return network_files("cui2022", kind, cui2022_fits(use))


EXPORTS["cui2022"] = {
    "models": exported_fit("cui2022"),
    "trained": partial(cui2022.trained, CUI, [STRICT]),
}
TRAINED["cui2022"] = partial(cui2022.trained, CUI, [cui2022.SCORED, cui2022.CURVE])
OWN_STEPS["cui2022"] = {
    "keep_cui2022_networks": {
        "says": "SS and NSS of all folds of the first repeat as one model that can be applied to other patients.",
        "input": {"networks": cui2022_files("pt")},
        "makes": [kept_model("models/{fit}")],
        "params": {"phases": study_phases("cui2022"), "definitions": CUI_BOXES},
        "each": "{fit}",
        "only": {"fit": "|".join(re.escape(str(fit)) for fit in cui2022.ENSEMBLES)},
        "asked": lambda cohort: [{"fit": fit} for fit in cui2022.ENSEMBLES],
        "memory_mb": 4000,
    },
    "gather_cui2022": networks_step(
        "cui2022",
        "Predictions of both networks, and what they are.",
        {
            "scores": cui2022_files("scores.csv", cui2022.SCORED),
            "histories": cui2022_files("history.csv", cui2022.HELD_OUT),
        },
        memory_mb=3000,
        minutes=20,
    ),
    "compare_cui2022": {
        "says": "Training AUC three ways, and SS against NSS by the number of patients that train.",
        "input": {
            "scores": cui2022_files("scores.csv", cui2022.SCORED),
            "curve": cui2022_files("scores.csv", cui2022.CURVE),
            "metrics": "tables/metrics.csv",
            **outcomes("cui2022"),
            "best_auc": best_auc_file,
        },
        "makes": [
            figure(
                "learning_curve", "SS against NSS by training size", "cui2022_curve"
            ),
            table("ensemble", "training AUC three ways"),
            table("curve", "SS against NSS by training size, table"),
        ],
        "params": {"shares": [*CUI["training_shares"], 1.0]},
        "minutes": 20,
    },
    "plot_cui2022_boxes": {
        "says": "The box with and without segmentation of some patients, side by side.",
        "input": all_crops("cui2022"),
        "makes": [
            figure("boxes.page{page}", "SS beside NSS, page {page}", pictures=True)
        ],
        "params": {
            "phases": study_phases("cui2022"),
            "networks": list(CUI["networks"]),
            "patients": patients_on_page("cui2022"),
        },
        "each": ".page{page}",
        "asked": asked_pages("cui2022"),
        "memory_mb": 4000,
    },
    "plot_cui2022_grad_cam": {
        "says": "Grad-CAM of SS beside NSS for the same patients, and how much of it lies inside the tumour.",
        "input": {
            "crops": all_crops("cui2022"),
            "networks": cui2022_files("pt", STRICT),
            "predictions": "predictions.csv",
            "split": split_file("cui2022"),
        },
        "makes": [
            figure("grad_cam", "Grad-CAM, SS beside NSS", pictures=True),
            figure("relevance", "relevance inside the tumour"),
            table("relevance", "relevance inside the tumour, table"),
        ],
        "params": {
            "phases": study_phases("cui2022"),
            "networks": list(CUI["networks"]),
            "folds": lambda w: [fit.fold for fit in cui2022_fits(STRICT)(w)],
            "endpoint": of_cohort("endpoint"),
        },
        "memory_mb": 6000,
        "minutes": 60,
    },
    "compare_cui2022_readers": {
        "says": "The networks on the masks of other readers, against those of the study's own.",
        "input": {
            "models": [
                f"<results>/{{cohort}}/cui2022/models/{f}" for f in cui2022.ENSEMBLES
            ],
            "images": files_of_outlined_again("cui2022", "images"),
            "masks": files_of_outlined_again("cui2022", "masks"),
            "predictions": "predictions.csv",
            "split": split_file("cui2022"),
        },
        "makes": [
            figure("second_reader", "masks of a second reader"),
            table("second_reader", "masks of a second reader, table"),
        ],
        "params": {
            "readers": lambda w: other_readers("cui2022", w.cohort),
            "patients": outlined_again("cui2022"),
            "phases": study_phases("cui2022"),
            "crops": CUI_BOXES,
            "endpoint": of_cohort("endpoint"),
        },
        "asked": lambda cohort: [{}] if other_readers("cui2022", cohort) else [],
        "memory_mb": 4000,
        "minutes": 60,
    },
}
