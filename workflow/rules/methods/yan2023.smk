# Yan 2023: VGG19 features of each phase, a grid of rankings and classifiers, mp-MR, nomograms. Needs crops, labels, a split
# and clinical variables; makes a job a ranking of the grid, the choice in both protocols, predictions, nomograms.

from functools import partial

from hcc_recurrence.methods.yan2023.cost import cells_work, ranking_work
from hcc_recurrence.methods.yan2023.declare import BEFORE, CLINICAL, DEEP
from hcc_recurrence.methods.yan2023.grid import feature_network, grid_of, smaller_words

WORKLOAD.of_rule["rank_yan2023_features"] = partial(ranking_work, WORKLOAD)
WORKLOAD.of_rule["fit_yan2023_cells"] = partial(cells_work, WORKLOAD)
YAN = FULL_CONFIG["papers"]["yan2023"]["settings"]
((YAN_NETWORK, YAN_OWN),) = YAN["networks"].items()
# Settings that every step of the grid reads.
YAN_INNER = ("feature_numbers", "inner_folds", "inner_repeats")
YAN_RANKING = "grid/{phase}.{selector}"
# The published fit, whose cells the validation patients choose.
YAN_PUBLISHED = Fit(AS_PUBLISHED, tuned_on=VALIDATION)


def yan2023_of_grid(*keys):
    """Some settings of the grid, as a function of the wildcards."""
    return lambda w: {key: grid_of(YAN, is_permuted(w.cohort))[key] for key in keys}


def yan2023_fit_settings(wildcards):
    """What a fit reads, and what decides which models it has."""
    own = ("clinical", "nominal", "clinical_p", "entry_p", "removal_p", "fusion")
    return {
        **study_settings("yan2023", *own)(wildcards),
        **yan2023_of_grid("classifiers")(wildcards),
        "phases": study_phases("yan2023")(wildcards),
        "after_operation": after_operation("yan2023")(wildcards),
    }


def yan2023_repeats(wildcards):
    """How many of the split's repeats the grid takes."""
    return min(YAN["grid_repeats"], study_repeats("yan2023")(wildcards))


def yan2023_grid(kind):
    """Files of one kind of all rankings of all phases of a study."""
    return lambda w: [
        f"<results>/{w.cohort}/yan2023/grid/{phase}.{selector}.{kind}"
        for phase in study_phases("yan2023")(w)
        for selector in yan2023_of_grid("selectors")(w)["selectors"]
    ]


METHODS["yan2023"] = {
    "fits": fits_of_study("yan2023", VALIDATION, at_most=YAN["grid_repeats"]),
    "inputs": lambda w: {
        "features": deep_features("yan2023")(w),
        "ranks": yan2023_grid("ranks.parquet")(w),
        "chosen": "<results>/{cohort}/yan2023/tables/chosen.csv",
        "fused": "<results>/{cohort}/yan2023/fits/signatures.csv",
    },
    "settings": yan2023_fit_settings,
    "clinical": study_clinical("yan2023"),
    "about": lambda w: {
        "phases": study_phases("yan2023")(w),
        "selectors": list(yan2023_of_grid("selectors")(w)["selectors"]),
        "network": feature_network(YAN, FULL_CONFIG),
        "definitions": clinical_meaning(study_clinical("yan2023"))(w),
    },
    "memory_mb": 2000,
    "minutes": 30,
}
EXPORTS["yan2023"] = {
    "models": exported_fit("yan2023"),
    "features": deep_features("yan2023"),
    # By the network's name, where a file is named; random ones are drawn.
    "weights": lambda cohort: {
        n: f for n, f in [(YAN_NETWORK, YAN_OWN["weights"])] if f
    },
}
OWN_TARGETS["yan2023"] = lambda cohort: crop_pages("yan2023", cohort)
SMALLER_COPIES["yan2023"] = smaller_words(YAN)
OWN_STEPS["yan2023"] = {
    "rank_yan2023_features": {
        "says": "Features of one phase in the order of one selector, in every fit and every inner split.",
        "input": {
            "features": lambda w: deep_features("yan2023", w.phase)(w),
            **outcomes("yan2023"),
        },
        "makes": [files_under(YAN_RANKING, "ranks.parquet", "steps.csv")],
        "params": {
            "settings": lambda w: {
                **yan2023_of_grid(*YAN_INNER, "spearman_p", "redundancy_r")(w),
                "selectors": {w.selector: YAN["selectors"][w.selector]},
            },
            "repeats": yan2023_repeats,
            "seed": FULL_CONFIG["seed"],
        },
        "each": "{phase}.{selector}",
        "group": "grid",
        "memory_mb": 2000,
        "minutes": "reckoned",
    },
    "fit_yan2023_cells": {
        "says": "All classifiers on the best features of one selector in one phase: the cells of a ranking, in every fit.",
        "input": {
            "features": lambda w: deep_features("yan2023", w.phase)(w),
            "ranks": f"{YAN_RANKING}.ranks.parquet",
            **outcomes("yan2023"),
        },
        "makes": [files_under(YAN_RANKING, "scores.csv", "choices.csv")],
        "params": {
            "settings": yan2023_of_grid(*YAN_INNER, "classifiers", "inner_classifiers"),
            "repeats": yan2023_repeats,
            "seed": FULL_CONFIG["seed"],
        },
        "each": "{phase}.{selector}",
        "group": "grid",
        "memory_mb": 2000,
        "minutes": "reckoned",
    },
    "choose_yan2023_signatures": {
        "says": "The cell of each phase in both protocols, mp-MR, and the tables of the grid.",
        "input": {
            **{
                kind: yan2023_grid(f"{kind}.csv")
                for kind in ("scores", "choices", "steps")
            },
            **outcomes("yan2023"),
        },
        "makes": [
            files(fused="fits/signatures.csv", chosen="tables/chosen.csv"),
            table("grid", "grid of signatures, table"),
            table("choices", "chosen cells"),
            table("signatures", "signatures by outcome"),
        ],
        "params": {"settings": yan2023_of_grid("selectors", "classifiers", "fusion")},
        "group": "choice",
        "memory_mb": 3000,
        "minutes": 20,
    },
    "plot_yan2023_grid": {
        "says": "Heat maps of all cells with intervals, and what choosing on the validation patients does to their AUC.",
        "input": {
            "grid": "tables/grid.csv",
            "metrics": "tables/metrics.csv",
            "best_auc": best_auc_file,
        },
        "makes": [
            figure("grid", "grid of signatures", protocols=True),
            figure("choice", "choosing on the validation patients"),
        ],
    },
    "write_yan2023_nomograms": {
        "says": "Regressions of the nomograms in every fit, and what the figures of those of all training patients draw.",
        "input": {
            "tables": tables_of_fits("yan2023"),
            "strict": f"models/{Fit()}",
            "as_published": f"models/{YAN_PUBLISHED}",
            "fused": "fits/signatures.csv",
            "labels": "<results>/{cohort}/labels.csv",
        },
        "makes": [
            table("nomograms", "regressions of the nomograms"),
            files(**NOMOGRAM_FILES),
        ],
        "params": {
            "settings": study_settings("yan2023", "clinical_p", "entry_p", "removal_p"),
            "resamples": calibration_resamples("yan2023"),
            **clinical_params("yan2023"),
            "seed": FULL_CONFIG["seed"],
            "endpoint": of_cohort("endpoint"),
        },
        "asked": if_variables("yan2023"),
        "minutes": 30,
    },
    "plot_yan2023_nomograms": nomograms_step(
        "yan2023",
        {
            "clinical": (CLINICAL, "clinical nomogram", False),
            "deep": (DEEP, "DL nomogram", True),
            "preoperative": (f"{DEEP} {BEFORE}", f"DL nomogram, {BEFORE}", True),
        },
        if_variables("yan2023"),
    ),
}
