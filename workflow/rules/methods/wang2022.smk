# Wang 2022: models of a segmentation network's features, with clinical variables, and of visual findings; Cox nomogram.
# Needs segmentation/<unet>/, labels and a split without the patients that trained the network; makes predictions,
# tables, nomograms and maps of features.
WANG = FULL_CONFIG["papers"]["wang2022"]["settings"]


def wang2022_features(wildcards):
    """Masks and features of all patients, in batches."""
    return unet_batches(PLAN.image_cohort(base(wildcards.cohort)), WANG["unet"])


def wang2022_networks(wildcards):
    """The network of each phase that features come from."""
    images = PLAN.image_cohort(base(wildcards.cohort))
    return [
        f"<results>/{images}/segmentation/{WANG['unet']}/{phase}.pt"
        for phase in study_phases("wang2022")(wildcards)
    ]


METHODS["wang2022"] = {
    "fits": fits_of_study("wang2022", cross_validated=True),
    "inputs": lambda w: {"features": wang2022_features(w)},
    # What the models read besides the network's features.
    "settings": study_settings(
        *("wang2022", "feature_selection", "constant_below", "correlation_r"),
        *("feature_numbers", "inner_folds", "regression_grid", "cox_p", "visual"),
        *("explained_features", "clinical"),
    ),
    "clinical": study_clinical("wang2022"),
    "about": about_data("wang2022", "phases", "definitions", "horizon"),
    "minutes": 120,
}
EXPORTS["wang2022"] = {
    "models": exported_fit("wang2022"),
    "features": wang2022_features,
}
OWN_STEPS["wang2022"] = {
    "gather_wang2022": {
        "says": "What all fits chose, and the nomograms and hazard ratios of those on all training patients.",
        "input": {
            "fits": tables_of_fits("wang2022"),
            "choices": "tables/choices.csv",
            "weights": "tables/weights.csv",
            "correlations": "tables/correlations.csv",
            "strict": "models/strict.1.0",
            "as_published": "models/as_published.1.0",
        },
        "makes": [
            figure("nomogram", of_survival("nomogram"), protocols=True),
            figure("hazards", "hazard ratios with the signature", protocols=True),
            table("choices", "phases, features and settings chosen", written=False),
            table("weights", "weights of the features", written=False),
            table(
                "correlations",
                "features of the phases against one another",
                written=False,
            ),
            table("hazards", "hazard ratios with the signature, table"),
        ],
        "params": {
            "horizon": horizon_months,
            "limit": WANG["cox_p"],
            "endpoint": of_cohort("endpoint"),
        },
        "minutes": 20,
    },
    "write_wang2022_development": {
        "says": "AUC of the development patients three ways: apparent, cross-validated as published, nested.",
        "input": {"metrics": "tables/metrics.csv"},
        "makes": [table("development", "development AUC three ways")],
        "params": {
            "published": untracked(lambda w: str(PUBLISHED)),
            "names": FULL_CONFIG["papers"]["wang2022"]["published_names"],
        },
    },
    "plot_wang2022_features": {
        "says": "Maps of the deep features with the largest weights, on patients of both outcomes.",
        "input": {
            "features": wang2022_features,
            "networks": wang2022_networks,
            "weights": "tables/weights.csv",
            "predictions": "predictions.csv",
        },
        "makes": [
            figure(
                "feature_maps",
                "maps of the features with the largest weights",
                "wang2022_features",
                pictures=True,
            )
        ],
        "params": {
            "phases": study_phases("wang2022"),
            "channels": FULL_CONFIG["unets"].get(WANG["unet"], {}).get("channels", []),
            "number": WANG["explained_features"],
            "endpoint": of_cohort("endpoint"),
        },
        "memory_mb": 4000,
        "minutes": 20,
    },
}
