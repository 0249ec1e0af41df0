# Yan 2023: VGG19 features of each phase, a grid of rankings and classifiers, mp-MR, nomograms. Needs crops, labels, a split
# and clinical variables; makes a job a ranking of the grid, the choice in both protocols, predictions, nomograms.

from hcc_recurrence.methods.yan2023 import fits as yan2023
from hcc_recurrence.methods.yan2023.cost import cells_work, ranking_work
from hcc_recurrence.methods.yan2023.grid import feature_network, grid_of, smaller_words

WORKLOAD.of_rule["rank_yan2023_features"] = lambda w: ranking_work(WORKLOAD, w)
WORKLOAD.of_rule["fit_yan2023_cells"] = lambda w: cells_work(WORKLOAD, w)
YAN = FULL_CONFIG["papers"]["yan2023"]["settings"]


def yan2023_of_grid(*keys):
    """Some settings of the grid, as a function of the wildcards."""
    return lambda w: {key: grid_of(YAN, is_permuted(w.cohort))[key] for key in keys}


def yan2023_grid(kind):
    """Files of one kind of all rankings of all phases of a study."""
    return lambda w: [
        f"<results>/{w.cohort}/yan2023/grid/{phase}.{selector}.{kind}"
        for phase in study_phases("yan2023")(w)
        for selector in yan2023_of_grid("selectors")(w)["selectors"]
    ]


def yan2023_of_ranking(says, made, settings, ranks={}):
    """A step on one ranking of the features of a phase."""
    return {
        "says": says,
        "input": {
            "features": lambda w: deep_features("yan2023", w.phase)(w),
            **ranks,
            **outcomes("yan2023"),
        },
        "makes": [files_under(yan2023.RANKING, *made)],
        "params": {
            "settings": settings,
            "repeats": lambda w: min(YAN["grid_repeats"], study_repeats("yan2023")(w)),
            "seed": FULL_CONFIG["seed"],
        },
        "each": "{phase}.{selector}",
        "group": "grid",
        "memory_mb": 2000,
        "minutes": "reckoned",
    }


METHODS["yan2023"] = {
    "fits": fits_of_study("yan2023", VALIDATION, at_most=YAN["grid_repeats"]),
    "inputs": lambda w: {
        "features": deep_features("yan2023")(w),
        "ranks": yan2023_grid("ranks.parquet")(w),
        "chosen": "<results>/{cohort}/yan2023/tables/chosen.csv",
        "fused": "<results>/{cohort}/yan2023/fits/signatures.csv",
    },
    # What a fit reads, and what decides which models it has.
    "settings": lambda w: {
        **study_settings("yan2023", *yan2023.FITTED)(w),
        **yan2023_of_grid("classifiers")(w),
        "phases": study_phases("yan2023")(w),
        "after_operation": after_operation("yan2023")(w),
    },
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
    "weights": lambda cohort: yan2023.named_weights(YAN),
}
OWN_TARGETS["yan2023"] = lambda cohort: crop_pages("yan2023", cohort)
SMALLER_COPIES["yan2023"] = smaller_words(YAN)
OWN_STEPS["yan2023"] = {
    "rank_yan2023_features": yan2023_of_ranking(
        "Features of one phase in the order of one selector, in every fit and every inner split.",
        ("ranks.parquet", "steps.csv"),
        lambda w: yan2023.ranked(yan2023_of_grid(*yan2023.ORDER)(w), YAN, w.selector),
    ),
    "fit_yan2023_cells": yan2023_of_ranking(
        "All classifiers on the best features of one selector in one phase: the cells of a ranking, in every fit.",
        ("scores.csv", "choices.csv"),
        yan2023_of_grid(*yan2023.CELLS),
        {"ranks": f"{yan2023.RANKING}.ranks.parquet"},
    ),
    "choose_yan2023_signatures": {
        "says": "The cell of each phase in both protocols, mp-MR, and the tables of the grid.",
        "input": {
            **{kind: yan2023_grid(f"{kind}.csv") for kind in yan2023.TABLES},
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
            "as_published": f"models/{yan2023.PUBLISHED_FIT}",
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
            **clinical_params(study_clinical("yan2023")),
            "seed": FULL_CONFIG["seed"],
            "endpoint": of_cohort("endpoint"),
        },
        "asked": if_variables("yan2023"),
        "minutes": 30,
    },
    "plot_yan2023_nomograms": nomograms_step(
        "yan2023", yan2023.NOMOGRAMS, if_variables("yan2023")
    ),
}
