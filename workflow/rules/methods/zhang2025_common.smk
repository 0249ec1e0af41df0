# Functions of the rules of Zhang 2025: which files its networks, fusions and models take.

ZHANG = FULL_CONFIG["papers"]["zhang2025"]["settings"]
ZHANG_SLICES, ZHANG_VOLUMES = slice_networks(ZHANG), volume_networks(ZHANG)
# Settings that the fusion of images reads, and those of the clinical models.
ZHANG_FUSION = (
    *("decimals", "normality_alpha", "univariable_p", "correlation_r"),
    *("lasso_folds", "lasso_penalties", "learner_folds", "learners"),
)
ZHANG_CLINICAL = (
    "clinical",
    "clinical_p",
    "none_significant",
    "learner_folds",
    "learners",
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


def zhang2025_repeats(wildcards):
    """How many of the split's repeats are fitted: as many as the networks have seeds."""
    if trains_networks("zhang2025", wildcards.cohort):
        return max(fit.repeat for fit in network_fits("zhang2025", wildcards.cohort))
    return study_repeats("zhang2025")(wildcards)


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


def zhang2025_scores(wildcards):
    """The scores of images that one fusion takes: see `methods.zhang2025.signature.network_sources`."""
    fit = Fit.parse(wildcards.fit)
    folds = {f.fold for f in network_fits("zhang2025", wildcards.cohort)}
    others = folds - {0, fit.fold}
    names = [Fit.without(STRICT, fit.repeat, fit.fold)]
    names += [
        Fit(STRICT, fit.repeat, tuple(sorted({fit.fold, other} - {0})))
        for other in sorted(others)
    ]
    return collect(
        "<results>/{cohort}/zhang2025/networks/{network}/{name}.scores.csv",
        cohort=wildcards.cohort,
        network=ZHANG_SLICES,
        name=names if fit.protocol == STRICT else [BY_VALIDATION],
    )


def zhang2025_fusions(kind):
    """Files of one kind of all fusions, as a function of the wildcards; none without networks."""

    def files(wildcards):
        if not trains_networks("zhang2025", wildcards.cohort):
            return []
        folder = f"<results>/{wildcards.cohort}/zhang2025/fusion"
        fits = [*network_fits("zhang2025", wildcards.cohort), Fit(AS_PUBLISHED)]
        return [f"{folder}/{fit}.{kind}.csv" for fit in fits]

    return files


def zhang2025_predictions(cohort):
    """Parts of the predictions."""
    names = ["models"]
    names += (
        ["volumes"] if trains_networks("zhang2025", cohort) and ZHANG_VOLUMES else []
    )
    return [
        f"<results>/{cohort}/zhang2025/fits/{name}.predictions.csv" for name in names
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
    figures = ("nomogram_combined.strict", "grad_cam", "training", "inflation")
    return [
        *[f"{folder}/tables/{table}.html" for table in tables],
        *[f"{folder}/figures/{figure}.png" for figure in figures],
        *crop_pages("zhang2025", cohort),
    ]
