# Functions of the rules of Yan 2023: which files and settings the cells of its grid take.

from functools import partial

from hcc_recurrence.methods.yan2023.cost import cells_work, ranking_work

WORKLOAD.of_rule["rank_yan2023_features"] = partial(ranking_work, WORKLOAD)
WORKLOAD.of_rule["fit_yan2023_cells"] = partial(cells_work, WORKLOAD)
YAN = FULL_CONFIG["papers"]["yan2023"]["settings"]
# Settings that every step of the grid reads.
YAN_INNER = ("feature_numbers", "inner_folds", "inner_repeats")


def yan2023_of(cohort):
    """The settings of the grid of a study, or of its copies with permuted outcomes, which may have a smaller one."""
    if not is_permuted(cohort):
        return YAN
    smaller = dict(YAN["permuted_grid"])
    for key in ("selectors", "classifiers"):
        smaller[key] = {name: YAN[key][name] for name in smaller.get(key, YAN[key])}
    return {**YAN, **smaller}


def yan2023_grid_settings(*keys):
    """Some of them, as a function of the wildcards."""
    return lambda w: {key: yan2023_of(w.cohort)[key] for key in keys}


# The published fit, whose cells the validation patients choose.
YAN_PUBLISHED = Fit(AS_PUBLISHED, tuned_on=VALIDATION)
# Settings that the nomograms read.
YAN_NOMOGRAMS = ("clinical", "nominal", "clinical_p", "entry_p", "removal_p")


def yan2023_settings(wildcards, keys):
    """Some settings of the study, with the thresholds of its cohort."""
    settings = PLAN.settings("yan2023", base(wildcards.cohort))
    return {key: settings[key] for key in keys}


def yan2023_fit_settings(wildcards):
    """What a fit reads, and what decides which models it has."""
    definitions = clinical_definitions(study_clinical("yan2023"))(wildcards)
    return {
        **yan2023_settings(wildcards, (*YAN_NOMOGRAMS, "fusion")),
        "classifiers": yan2023_of(wildcards.cohort)["classifiers"],
        "phases": PLAN.phases("yan2023", base(wildcards.cohort)),
        "after_operation": [v for v, d in definitions.items() if d["timing"] != "pre"],
    }


def yan2023_about(wildcards):
    """What else a fit is told of its files, and of the network for patients who come later."""
    return {
        "phases": PLAN.phases("yan2023", base(wildcards.cohort)),
        "selectors": list(yan2023_of(wildcards.cohort)["selectors"]),
        "network": yan2023_network(wildcards),
        "definitions": clinical_meaning(study_clinical("yan2023"))(wildcards),
    }


def yan2023_fits(cohort):
    """Every strict fit of the grid, and the published one, whose cells the validation patients choose."""
    scheme = FULL_CONFIG["splits"][PLAN.scheme("yan2023", base(cohort))]
    repeats = repeats_of_split("yan2023", cohort)
    return main_fits(scheme["folds"], min(YAN["grid_repeats"], repeats), VALIDATION)


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


def yan2023_weights(cohort):
    """The file of the network's weights by its name, where one is named; random ones are drawn."""
    name, own = next(iter(YAN["networks"].items()))
    return {name: own["weights"]} if own["weights"] else {}


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
        selector=list(yan2023_of(w.cohort)["selectors"]),
        kind=kind,
    )


def yan2023_smaller():
    """What the grid of copies with permuted outcomes is, in words; empty where it is the study's."""
    smaller = YAN["permuted_grid"]
    if not smaller:
        return ""
    words = {
        "selectors": "rankings",
        "classifiers": "classifiers",
        "feature_numbers": "numbers of features",
        "inner_repeats": "repeats of the inner cross-validation",
    }
    said = [
        f"{words[k]} {', '.join(map(str, v)) if isinstance(v, list) else v}"
        for k, v in smaller.items()
    ]
    return "; ".join(said)


def yan2023_targets(cohort):
    """What of a study only this paper has."""
    folder = f"<results>/{cohort}/yan2023"
    tables = ("grid", "choices", "signatures")
    figures = ("grid.strict", "grid.as_published", "choice")
    if has_variables("yan2023", cohort):
        tables, figures = (*tables, "nomograms"), (*figures, "nomogram_clinical")
    return [
        *[f"{folder}/tables/{table}.html" for table in tables],
        *[f"{folder}/figures/{figure}.png" for figure in figures],
        *crop_pages("yan2023", cohort),
    ]
