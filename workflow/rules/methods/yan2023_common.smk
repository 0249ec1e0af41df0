# Functions of the rules of Yan 2023: which files and settings the cells of its grid take.

YAN = FULL_CONFIG["papers"]["yan2023"]["settings"]
# Settings that every step of the grid reads.
YAN_INNER = ("feature_numbers", "inner_folds", "inner_repeats")
# Settings that the nomograms read.
YAN_NOMOGRAMS = ("clinical", "clinical_p", "entry_p", "removal_p")


def yan2023_settings(wildcards, keys):
    """Some settings of the study, with the thresholds of its cohort."""
    settings = PLAN.settings("yan2023", base(wildcards.cohort))
    return {key: settings[key] for key in keys}


def yan2023_fit_settings(wildcards):
    """What a fit of everything reads."""
    return yan2023_settings(wildcards, (*YAN_NOMOGRAMS, "classifiers", "fusion"))


def yan2023_network(wildcards):
    """What makes the features of a patient's crops, for a model that is kept."""
    name, own = next(iter(YAN["networks"].items()))
    crop = FULL_CONFIG["crops"][YAN["crops"]]
    return {
        "name": name,
        "architecture": own["architecture"],
        "weights": Path(own["weights"]).name if own["weights"] else "",
        "sha256": own["sha256"] or "",
        "pool": YAN["pool"],
        "tap": YAN["tap"],
        "crops": YAN["crops"],
        "highest": highest_value(crop, grid_of_crop(YAN["crops"])),
        "seed": FULL_CONFIG["seed"],
    }


def yan2023_repeats(wildcards):
    """How many of the split's repeats the grid takes."""
    return min(YAN["grid_repeats"], study_repeats("yan2023")(wildcards))


def yan2023_features(wildcards):
    """The features of one phase; those of the cohort itself where outcomes are permuted."""
    folder = f"<results>/{base(wildcards.cohort)}/yan2023/features"
    return f"{folder}/{next(iter(YAN['networks']))}.{wildcards.phase}.parquet"


def yan2023_phase_features(wildcards):
    """The features of every phase of a study."""
    folder = f"<results>/{base(wildcards.cohort)}/yan2023/features"
    network = next(iter(YAN["networks"]))
    phases = PLAN.phases("yan2023", base(wildcards.cohort))
    return [f"{folder}/{network}.{phase}.parquet" for phase in phases]


def yan2023_grid(kind):
    """Files of one kind of all rankings of all phases of a study."""
    return lambda w: collect(
        "<results>/{cohort}/yan2023/grid/{phase}.{selector}.{kind}",
        cohort=w.cohort,
        phase=PLAN.phases("yan2023", base(w.cohort)),
        selector=list(YAN["selectors"]),
        kind=kind,
    )


def yan2023_predictions(cohort):
    """Parts of the predictions."""
    return [
        f"<results>/{cohort}/yan2023/fits/{name}.predictions.csv"
        for name in ("signatures", "nomograms")
    ]


def yan2023_targets(cohort):
    """What of a study only this paper has."""
    folder = f"<results>/{cohort}/yan2023"
    tables = ("grid", "choices", "signatures", "nomograms")
    figures = ("grid.strict", "grid.as_published", "choice", "nomogram_clinical")
    return [
        *[f"{folder}/tables/{table}.html" for table in tables],
        *[f"{folder}/figures/{figure}.png" for figure in figures],
        # The fit to apply to other patients.
        f"{folder}/models/{Fit()}",
        *crop_pages("yan2023", cohort),
    ]
