# Functions of the rules of Zhang 2025: which files its networks, fusions and models take.

ZHANG = FULL_CONFIG["papers"]["zhang2025"]["settings"]
ZHANG_SLICES, ZHANG_VOLUMES = slice_networks(ZHANG), volume_networks(ZHANG)
# Settings that the fusion of images reads, and those of the clinical models.
ZHANG_FUSION = (
    *("decimals", "normality_alpha", "univariable_p", "correlation_r"),
    *("lasso_folds", "lasso_penalties", "learner_folds", "learners"),
)
ZHANG_CLINICAL = (
    *("clinical", "clinical_p", "none_significant", "learner_folds", "learners"),
    "calibration_resamples",
)
# Bytes that training keeps a pixel of three phases (DenseNet121, measured by tests/unit/test_slice_networks.py) and a
# voxel of all phases (ResNet-18 in 3D, measured once, 972).
SLICE_BYTES = 2800
VOLUME_BYTES = 1100
# Networks whose epoch the validation patients chose, as published.
BY_VALIDATION = Fit(AS_PUBLISHED, tuned_on=VALIDATION)


def zhang2025_memory(network, batch, size):
    """MB to train a network: the images or boxes of 300 patients, twice; weights, momentum and the best weights (of a
    VGG19 where images are read); a batch. Of 60 patients 5897 MB were measured (ResNet101).
    """
    z, y, x = size
    if network in ZHANG_SLICES:
        return 4500 + (300 * z * 24 + batch * SLICE_BYTES) * y * x / 1e6
    return 3000 + (300 * 12 + batch * VOLUME_BYTES) * z * y * x / 1e6


def zhang2025_files(networks, kind, validation=True):
    """Files of one kind of the fits of some networks that leave one fold out or none, as a function of the wildcards.

    `validation`: also of those whose epoch the validation patients chose.
    """

    def files(wildcards):
        fits = network_fits("zhang2025", wildcards.cohort)
        return collect(
            "<results>/{cohort}/zhang2025/networks/{network}/{fit}.{kind}",
            cohort=wildcards.cohort,
            network=networks,
            fit=[*fits, BY_VALIDATION] if validation else fits,
            kind=kind,
        )

    return files


def zhang2025_fits(cohort):
    """All fits of signature, clinical and combined models: as many repeats as the networks have seeds."""
    if not trains_networks("zhang2025", cohort):
        return fits_of_study("zhang2025", VALIDATION)(cohort)
    return [*network_fits("zhang2025", cohort), BY_VALIDATION]


def zhang2025_inputs(wildcards):
    """What one fit learns from: scores of images (see `methods.zhang2025.signature.network_sources`) and radiomics; the
    fit that is applied later also the networks that it keeps."""
    cohort, fit = wildcards.cohort, Fit.parse(wildcards.fit)
    if not trains_networks("zhang2025", cohort):
        return {}
    folder = f"<results>/{cohort}/zhang2025/networks"
    folds = {f.fold for f in network_fits("zhang2025", cohort)} - {0, fit.fold}
    names = [Fit.without(STRICT, fit.repeat, fit.fold)]
    names += [
        Fit(STRICT, fit.repeat, tuple(sorted({fit.fold, other} - {0})))
        for other in sorted(folds)
    ]
    names = names if fit.protocol == STRICT else [BY_VALIDATION]
    found = {
        "scores": [
            f"{folder}/{network}/{name}.scores.csv"
            for network in ZHANG_SLICES
            for name in names
        ],
        "radiomics": radiomics_files("zhang2025")(wildcards),
    }
    if fit == Fit() and not is_permuted(cohort):
        found["networks"] = [f"{folder}/{n}/{fit}.pt" for n in ZHANG_SLICES]
        found["volumes"] = [f"{folder}/{n}/{fit}.pt" for n in ZHANG_VOLUMES]
        found["histories"] = [f"{folder}/{n}/{fit}.history.csv" for n in ZHANG_VOLUMES]
    return found


def zhang2025_trained(wildcards):
    """Files beside all networks of a study that say what they were trained on."""
    first = zhang2025_files([*ZHANG_SLICES, *ZHANG_VOLUMES], "machine.json")(wildcards)
    folds = sorted(network_fits("zhang2025", wildcards.cohort))
    pairs = [
        Fit(STRICT, one.repeat, (one.fold, other.fold))
        for one in folds
        for other in folds
        if one.repeat == other.repeat and 0 < one.fold < other.fold
    ]
    folder = f"<results>/{wildcards.cohort}/zhang2025/networks"
    return first + [
        f"{folder}/{network}/{fit}.machine.json"
        for network in ZHANG_SLICES
        for fit in pairs
    ]


def zhang2025_definitions(wildcards):
    """What the clinical variables of a study mean."""
    return clinical_meaning(study_clinical("zhang2025"))(wildcards)


def zhang2025_settings(wildcards):
    """What decides the models of a fit: another number of epochs comes with other scores."""
    cohort = wildcards.cohort
    settings = PLAN.settings("zhang2025", base(cohort))
    found = {key: settings[key] for key in (*ZHANG_FUSION, *ZHANG_CLINICAL)}
    found["calibration_resamples"] = calibration_resamples("zhang2025")(wildcards)
    deep = ZHANG_SLICES if trains_networks("zhang2025", cohort) else []
    found["networks"] = {
        n: {"architecture": ZHANG["networks"][n]["architecture"]} for n in deep
    }
    definitions = zhang2025_definitions(wildcards)
    found["after_operation"] = sorted(
        v for v, own in definitions.items() if own["timing"] != "pre"
    )
    return found


def zhang2025_about(wildcards):
    """What else is read: phases, reader, what clinical variables mean, and what the networks are."""
    return {
        "phases": PLAN.phases("zhang2025", base(wildcards.cohort)),
        "reader": of_cohort("reader")(wildcards),
        "definitions": zhang2025_definitions(wildcards),
        "architectures": {
            name: network["architecture"] for name, network in ZHANG["networks"].items()
        },
    }


def zhang2025_folders(wildcards):
    """The tables of all fits."""
    return files_of_fits("zhang2025", "")(wildcards.cohort)


def zhang2025_predictions(cohort):
    """Parts of the predictions: of all fits, and of the networks of volumes."""
    found = files_of_fits("zhang2025", ".predictions.csv")(cohort)
    if trains_networks("zhang2025", cohort) and ZHANG_VOLUMES:
        found.append(f"<results>/{cohort}/zhang2025/fits/volumes.predictions.csv")
    return found


def zhang2025_explained_predictions(wildcards):
    """Predictions of the strict fits of the first repeat, whose patients Grad-CAM explains."""
    return [
        f"<results>/{wildcards.cohort}/zhang2025/fits/{fit}.predictions.csv"
        for fit in fits_of_first_repeat("zhang2025", wildcards.cohort)
    ]


def zhang2025_explained(cohort):
    """Network and fit of every network that Grad-CAM may have to explain: repeat 1."""
    fits = fits_of_first_repeat("zhang2025", cohort)
    return [(network, fit) for network in ZHANG_SLICES for fit in fits]


def zhang2025_targets(cohort):
    """What of a study only this paper has."""
    folder = f"<results>/{cohort}/zhang2025"
    if not trains_networks("zhang2025", cohort):
        return [f"{folder}/tables/regressions.html"]
    tables = ("regressions", "slices", "networks", "learners", "selection", "inflation")
    figures = (
        *("nomogram_combined.strict", "grad_cam", "inflation"),
        "grid_search",
    )
    return [
        *[f"{folder}/tables/{table}.html" for table in tables],
        *[f"{folder}/figures/{figure}.png" for figure in figures],
        *crop_pages("zhang2025", cohort),
    ]
