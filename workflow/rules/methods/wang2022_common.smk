# Functions of the rules of Wang 2022: which files its models take and leave.

WANG = FULL_CONFIG["papers"]["wang2022"]["settings"]
# What the models read besides the network's features.
WANG_MODELS = (
    *("feature_selection", "constant_below", "correlation_r", "feature_numbers"),
    *("inner_folds", "regression_grid", "cox_p", "visual", "explained_features"),
)


def wang2022_learning(wildcards):
    """What decides the models, with the thresholds of the cohort."""
    settings = PLAN.settings("wang2022", base(wildcards.cohort))
    return {key: settings[key] for key in (*WANG_MODELS, "clinical")}


def wang2022_features(wildcards):
    """Masks and features of all patients, in batches."""
    images = PLAN.image_cohort(base(wildcards.cohort))
    return unet_batches(images, WANG["unet"])


def wang2022_networks(wildcards):
    """The network of each phase that features come from."""
    images = PLAN.image_cohort(base(wildcards.cohort))
    folder = f"<results>/{images}/segmentation/{WANG['unet']}"
    return [
        f"{folder}/{phase}.pt"
        for phase in PLAN.phases("wang2022", base(wildcards.cohort))
    ]


def wang2022_targets(cohort):
    """What the paper makes besides what every study has."""
    folder = f"<results>/{cohort}/wang2022"
    figures = ("nomogram", "hazards")
    return [
        *[f"{folder}/figures/{f}.{p}.png" for f in figures for p in PROTOCOLS],
        f"{folder}/figures/feature_maps.png",
        *[
            f"{folder}/tables/{table}.html"
            for table in (
                "choices",
                "weights",
                "correlations",
                "hazards",
                "development",
            )
        ],
    ]
