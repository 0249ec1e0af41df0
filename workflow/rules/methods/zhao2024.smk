# Zhao 2024: radiomics, clinical-radiological, deep and fused models. Needs radiomics, crops, labels and a split; makes
# predictions, coefficients, the number of features after each selection step, networks, the ablation and Score-CAM.

from functools import partial

from hcc_recurrence.methods.zhao2024.cost import fusion_work
from hcc_recurrence.methods.zhao2024.declare import (
    FUSION,
    start_networks,
    without_networks,
)

WORKLOAD.of_rule["train_zhao2024_fusion"] = partial(fusion_work, WORKLOAD)
ZHAO = FULL_CONFIG["papers"]["zhao2024"]["settings"]
# Those that DLRCR starts from one of, and that Score-CAM explains one of.
ZHAO_STARTS = start_networks(ZHAO)


def zhao2024_fusions(wildcards):
    """The fits of DLRCR; as published there is one, on all training patients."""
    return [*network_fits("zhao2024", wildcards.cohort), Fit(AS_PUBLISHED)]


def zhao2024_of_fit(kind, networks=ZHAO["networks"]):
    """Files of the networks of a fit: no step before the fusion differs between the protocols."""

    def fits(wildcards):
        fit = Fit.parse(wildcards.fit)
        return [Fit.without(STRICT, fit.repeat, fit.fold)]

    return network_files("zhao2024", kind, fits, networks)


def zhao2024_again(kind):
    """Files of the networks that a fusion starts from, trained again."""
    return lambda w: [
        f"<results>/{w.cohort}/zhao2024/numerics/{network}/{w.fit}.{w.again}.{kind}"
        for network in ZHAO_STARTS
    ]


def zhao2024_tables_fit(kind):
    """What the fit without a network left, `fits` or `models`, whose variables a fusion takes."""

    def folder(wildcards):
        fit = Fit.parse(wildcards.fit)
        if fit.protocol == AS_PUBLISHED:
            fit = Fit(AS_PUBLISHED, tuned_on=VALIDATION)
        return f"<results>/{wildcards.cohort}/zhao2024/{kind}/{fit}"

    return folder


def zhao2024_explained(kind):
    """Files of the networks that Score-CAM explains, one a fold, of the first repeat."""
    return lambda w: [
        f"<results>/{w.cohort}/zhao2024/networks/{network}/{fit}.{kind}"
        for fit in fits_of_first_repeat("zhao2024", w.cohort)
        for network in ZHAO_STARTS
        if fit.fold
    ]


def zhao2024_mark(wildcards):
    """What tables and figures must say in which no network has a part."""
    return PLAN.random_weights(["zhao2024"], base(wildcards.cohort), networks=False)


def zhao2024_logistic(cohort):
    """Its logistic models, whose coefficients are drawn."""
    return ["CR", "RCR"] if has_variables("zhao2024", cohort) else ["Radiomics"]


def zhao2024_exported(cohort):
    """The models without a network, and where the study trains networks these."""
    found = exported_fit("zhao2024")(cohort)
    if PLAN.has_networks("zhao2024", cohort):
        found["networks"] = f"<results>/{cohort}/zhao2024/models/networks/{Fit()}"
    return found


def zhao2024_fusion(folder, ending, files_of_starts):
    """The step that trains DLRCR."""
    return {
        "says": "DLRCR of one fold, whole and without each of its inputs; goes on where a killed job was.",
        "input": {
            "crops": study_crops("zhao2024"),
            **outcomes("zhao2024"),
            "inputs": zhao2024_tables_fit("fits"),
            "networks": files_of_starts("pt"),
            "network_scores": files_of_starts("scores.csv"),
            "histories": files_of_starts("history.csv"),
        },
        "makes": [trained_files(f"{folder}/{FUSION}/{{fit}}{ending}")],
        "params": {
            "phases": study_phases("zhao2024"),
            "networks": ZHAO_STARTS,
            "has_clinical": lambda w: has_variables("zhao2024", w.cohort),
            "layer_norm": ZHAO["fusion_layer_norm"],
            "training": training_settings("zhao2024"),
            "device": untracked(lambda w: FULL_CONFIG["device"]),
            "numerics": FULL_CONFIG["numerics"],
            "seed": FULL_CONFIG["seed"],
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
    "about": lambda w: {
        "phases": study_phases("zhao2024")(w),
        "reader": of_cohort("reader")(w),
    },
}
EXPORTS["zhao2024"] = {
    "models": zhao2024_exported,
    "features": radiomics_files("zhao2024"),
    "trained": lambda cohort: [(n, Fit()) for n in [*ZHAO["networks"], FUSION]],
}
TRAINED["zhao2024"] = lambda cohort: [
    *[(n, f) for n in ZHAO["networks"] for f in network_fits("zhao2024", cohort)],
    *[(FUSION, f) for f in zhao2024_fusions(types.SimpleNamespace(cohort=cohort))],
]
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
        "params": {"mark": zhao2024_mark},
    },
    "plot_coefficients": {
        "says": "Which variables a logistic model of the paper uses, and how often the folds chose them.",
        "input": "tables/coefficients.csv",
        "makes": [
            figure(
                "coefficients.{model}", "coefficients of {model}", "coefficients", True
            )
        ],
        "params": {"mark": zhao2024_mark, "endpoint": of_cohort("endpoint")},
        "each": ".{model}",
        "asked": lambda cohort: [
            {"model": model} for model in zhao2024_logistic(cohort)
        ],
    },
    "train_zhao2024_fusion": zhao2024_fusion(
        "networks", "", partial(zhao2024_of_fit, networks=ZHAO_STARTS)
    ),
    # Once more, from networks that were trained again (numerics.smk).
    "train_zhao2024_fusion_again": trained_again(
        zhao2024_fusion("numerics", ".{again}", zhao2024_again)
    ),
    "keep_zhao2024_networks": {
        "says": "DL, the networks that it is chosen from, and DLRCR of one fit as one model that can be applied.",
        "input": {
            "networks": zhao2024_of_fit("pt"),
            "scores": zhao2024_of_fit("scores.csv"),
            "histories": zhao2024_of_fit("history.csv"),
            "fusion": f"networks/{FUSION}/{{fit}}.pt",
            "model": zhao2024_tables_fit("models"),
            **outcomes("zhao2024"),
        },
        "makes": [kept_model("models/networks/{fit}")],
        "params": {
            "phases": study_phases("zhao2024"),
            "networks": ZHAO["networks"],
            "layer_norm": ZHAO["fusion_layer_norm"],
            "slices": lambda w: FULL_CONFIG["crops"][ZHAO["crops"]]["size_voxels"][0],
        },
        "each": "{fit}",
        # The weights of the other fits stay where they were trained: they are large.
        "asked": if_trained("zhao2024", {"fit": Fit()}, {"fit": Fit(AS_PUBLISHED)}),
        "memory_mb": 2000,
    },
    "gather_zhao2024_networks": {
        "says": "Predictions of all networks in both protocols, and which depth was chosen.",
        "input": {
            "scores": network_files(
                "zhao2024", "scores.csv", fits_of_networks("zhao2024")
            ),
            "histories": network_files(
                "zhao2024", "history.csv", fits_of_networks("zhao2024")
            ),
            "fusions": network_files(
                "zhao2024", "scores.csv", zhao2024_fusions, [FUSION]
            ),
            **outcomes("zhao2024"),
        },
        "makes": [
            files(predictions="fits/networks.predictions.csv"),
            table("networks", "networks", "networks"),
        ],
        "params": {
            "networks": ZHAO["networks"],
            "phases": study_phases("zhao2024"),
            "seed": FULL_CONFIG["seed"],
        },
        "asked": if_trained("zhao2024"),
    },
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
            "networks": zhao2024_explained("pt"),
            "scores": zhao2024_explained("scores.csv"),
            "histories": zhao2024_explained("history.csv"),
        },
        "makes": [
            figure("score_cam", "Score-CAM", "score_cam", pictures=True),
            files(csv="tables/score_cam.csv"),
        ],
        "params": {
            "phases": study_phases("zhao2024"),
            "networks": ZHAO_STARTS,
            "name": ", ".join(ZHAO_STARTS),
            "endpoint": of_cohort("endpoint"),
        },
        "asked": if_trained("zhao2024"),
        "memory_mb": 4000,
        "minutes": 60,
    },
}
