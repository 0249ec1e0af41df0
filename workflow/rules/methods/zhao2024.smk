# Zhao 2024: radiomics, clinical-radiological, deep and fused models. Needs radiomics, crops, labels and a split; makes
# predictions, coefficients, the number of features after each selection step, networks, the ablation and Score-CAM.

from functools import partial

from hcc_recurrence.methods.zhao2024 import fits as zhao2024
from hcc_recurrence.methods.zhao2024.cost import fusion_work
from hcc_recurrence.methods.zhao2024.declare import start_networks, without_networks

WORKLOAD.of_rule["train_zhao2024_fusion"] = partial(fusion_work, WORKLOAD)
ZHAO, ZHAO_FUSION = FULL_CONFIG["papers"]["zhao2024"]["settings"], [zhao2024.FUSION]
# Those that DLRCR starts from one of, and that Score-CAM explains one of.
ZHAO_STARTS = start_networks(ZHAO)
# Fits as functions of the wildcards: of all networks, of DLRCR, of what Score-CAM explains and DLRCR starts from.
ZHAO_FITS = fits_of_networks("zhao2024")
ZHAO_FUSED = fits_of_networks("zhao2024", zhao2024.fused_fits)
ZHAO_EXPLAINED = fits_of_networks("zhao2024", zhao2024.explained_fits)
ZHAO_STARTED = lambda w: [zhao2024.started_from(Fit.parse(w.fit))]
ZHAO_MARK = mark_of("zhao2024", networks=False)


def zhao2024_before(kind):
    """What the fit without a network left, `fits` or `models`, whose variables a fusion takes."""
    fit = lambda w: zhao2024.variables_of(Fit.parse(w.fit))
    return lambda w: f"<results>/{w.cohort}/zhao2024/{kind}/{fit(w)}"


def zhao2024_fusion(folder, ending, fits):
    """The step that trains DLRCR from networks in a folder."""
    return {
        "says": "DLRCR of one fold, whole and without each of its inputs; goes on where a killed job was.",
        "input": {
            "crops": study_crops("zhao2024"),
            **outcomes("zhao2024"),
            "inputs": zhao2024_before("fits"),
            **trained_inputs("zhao2024", fits, ZHAO_STARTS, folder),
        },
        "makes": [trained_files(f"{folder}/{zhao2024.FUSION}/{{fit}}{ending}")],
        "params": {
            **training_params(lambda w: "zhao2024"),
            "networks": ZHAO_STARTS,
            "has_clinical": lambda w: has_variables("zhao2024", w.cohort),
            "layer_norm": ZHAO["fusion_layer_norm"],
        },
        "each": f"{{fit}}{ending}",
        "script": "train_zhao2024_fusion",
        "trains": True,
    }


METHODS["zhao2024"] = {
    # As published the validation patients choose the classifier.
    "fits": fits_of_study("zhao2024", VALIDATION),
    "inputs": lambda w: {"radiomics": radiomics_files("zhao2024")(w)},
    "settings": lambda w: without_networks(PLAN.settings("zhao2024", base(w.cohort))),
    "clinical": study_clinical("zhao2024"),
    "about": about_data("zhao2024", "phases", "reader"),
}
EXPORTS["zhao2024"] = {
    "models": exported_fit("zhao2024", networks="models/networks"),
    "features": radiomics_files("zhao2024"),
    "trained": lambda fits: [(n, Fit()) for n in [*ZHAO["networks"], *ZHAO_FUSION]],
}
TRAINED["zhao2024"] = partial(zhao2024.trained, ZHAO)
OWN_TARGETS["zhao2024"] = lambda cohort: (
    [f"<results>/{cohort}/zhao2024/figures/reproducibility.png"]
    if PLAN.has_second_reader(base(cohort))
    else []
)
OWN_STEPS["zhao2024"] = {
    "summarise_selection": {
        "says": "The number of features that each selection step left, over all fits.",
        "input": "tables/selection.csv",
        "makes": [table("selection", "feature selection", written=False)],
        "params": {"mark": ZHAO_MARK},
    },
    "plot_coefficients": {
        "says": "Which variables a logistic model of the paper uses, and how often the folds chose them.",
        "input": "tables/coefficients.csv",
        "makes": [
            figure(
                "coefficients.{model}", "coefficients of {model}", "coefficients", True
            )
        ],
        "params": {"mark": ZHAO_MARK, "endpoint": of_cohort("endpoint")},
        "each": ".{model}",
        "asked": lambda cohort: zhao2024.drawn(has_variables("zhao2024", cohort)),
    },
    "train_zhao2024_fusion": zhao2024_fusion("networks", "", ZHAO_STARTED),
    "train_zhao2024_fusion_again": trained_again(
        zhao2024_fusion("numerics", ".{again}", lambda w: [f"{w.fit}.{w.again}"])
    ),
    "keep_zhao2024_networks": {
        "says": "DL, the networks that it is chosen from, and DLRCR of one fit as one model that can be applied.",
        "input": {
            **trained_inputs("zhao2024", ZHAO_STARTED),
            "fusion": f"networks/{zhao2024.FUSION}/{{fit}}.pt",
            "model": zhao2024_before("models"),
            **outcomes("zhao2024"),
        },
        "makes": [kept_model("models/networks/{fit}")],
        "params": {
            **about_networks("zhao2024"),
            "layer_norm": ZHAO["fusion_layer_norm"],
            "slices": lambda w: FULL_CONFIG["crops"][ZHAO["crops"]]["size_voxels"][0],
        },
        "each": "{fit}",
        # The weights of the other fits stay where they were trained: they are large.
        "asked": if_trained("zhao2024", {"fit": Fit()}, {"fit": Fit(AS_PUBLISHED)}),
        "memory_mb": 2000,
    },
    "gather_zhao2024_networks": networks_step(
        "zhao2024",
        "Predictions of all networks in both protocols, and which depth was chosen.",
        {
            "scores": lambda w: [
                *network_files("zhao2024", "scores.csv", ZHAO_FITS)(w),
                *network_files("zhao2024", "scores.csv", ZHAO_FUSED, ZHAO_FUSION)(w),
            ],
            "histories": network_files("zhao2024", "history.csv", ZHAO_FITS),
        },
    ),
    "write_ablation": {
        "says": "The fusion with all its inputs and without each.",
        "input": {"metrics": "tables/metrics.csv", "pairs": "tables/delong.csv"},
        "makes": [table("ablation", "ablation of DLRCR", "ablation")],
        "asked": if_trained("zhao2024"),
    },
    "plot_score_cam": {
        "says": "Score-CAM of the patients that the network was most certain of, by networks that never saw them.",
        "input": {
            "crops": study_crops("zhao2024"),
            **outcomes("zhao2024"),
            **trained_inputs("zhao2024", ZHAO_EXPLAINED, ZHAO_STARTS),
        },
        "makes": [
            figure("score_cam", "Score-CAM", "score_cam", pictures=True),
            files(csv="tables/score_cam.csv"),
        ],
        "params": {
            "phases": study_phases("zhao2024"),
            "networks": ZHAO_STARTS,
            "endpoint": of_cohort("endpoint"),
        },
        "asked": if_trained("zhao2024"),
        "memory_mb": 4000,
        "minutes": 60,
    },
}
