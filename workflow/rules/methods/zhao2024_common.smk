# Functions of the rules of Zhao 2024: which files and settings its networks and models take.

from functools import partial

from hcc_recurrence.methods.zhao2024.cost import fusion_work

WORKLOAD.of_rule["train_zhao2024_fusion"] = partial(fusion_work, WORKLOAD)
ZHAO_NETWORKS = FULL_CONFIG["papers"]["zhao2024"]["settings"]["networks"]
FUSION_NETWORK = FULL_CONFIG["papers"]["zhao2024"]["settings"]["fusion_network"]
# Those that DLRCR starts from one of, and that Score-CAM explains one of: all, or the one that is named.
FUSION_NETWORKS = {
    name: own["architecture"]
    for name, own in ZHAO_NETWORKS.items()
    if FUSION_NETWORK in ("best", name)
}
# Bytes that training keeps a pixel and phase (ResNet-34, the largest), measured by tests/unit/test_training.py.
TRAINING_BYTES = 800


def zhao2024_memory(network, batch, size):
    """MB for one batch through the largest network."""
    phases = len(FULL_CONFIG["papers"]["zhao2024"]["settings"]["phases"])
    return 2000 + batch * phases * size[1] * size[2] * TRAINING_BYTES / 1e6


def zhao2024_predictions(cohort):
    """Parts of the predictions; copies with permuted outcomes have networks only where the config asks for them."""
    trained = trains_networks("zhao2024", cohort)
    deep = (
        [f"<results>/{cohort}/zhao2024/fits/networks.predictions.csv"]
        if trained
        else []
    )
    return files_of_fits("zhao2024", ".predictions.csv")(cohort) + deep


def zhao2024_learning(wildcards):
    """The settings of all models without a network: another number of epochs selects no feature anew."""
    of_networks = {*TRAINING_KEYS, "crops", "networks", "network_repeats"}
    settings = PLAN.settings("zhao2024", base(wildcards.cohort))
    of_tables = {key for key in settings if key.startswith("baseline_")}
    of_tables |= {"risk_factor_model", "agreement_words"}
    unused = {*of_networks, *of_tables, "fusion_network", "fusion_layer_norm"}
    return {key: value for key, value in settings.items() if key not in unused}


def zhao2024_networks(kind):
    """Files of one kind that the fits of ResNet-10, -18, -34 leave, as a function of the wildcards."""
    return lambda w: [
        f"<results>/{w.cohort}/zhao2024/networks/{network}/{fit}.{kind}"
        for network in ZHAO_NETWORKS
        for fit in network_fits("zhao2024", w.cohort)
    ]


def zhao2024_fusions(kind):
    """Files of one kind that the fits of the fusion leave; as published there is one, on all training patients."""
    return lambda w: [
        f"<results>/{w.cohort}/zhao2024/networks/DLRCR/{fit}.{kind}"
        for fit in [*network_fits("zhao2024", w.cohort), Fit(AS_PUBLISHED)]
    ]


def zhao2024_trained(wildcards):
    """Files beside all networks of a study that say what they were trained on."""
    return zhao2024_networks("machine.json")(wildcards) + zhao2024_fusions(
        "machine.json"
    )(wildcards)


def zhao2024_inputs(wildcards):
    """The tables of the fit without a network whose selected variables a fusion takes."""
    return (
        f"<results>/{wildcards.cohort}/zhao2024/fits/{zhao2024_tables_fit(wildcards)}"
    )


def zhao2024_explained(kind):
    """Files of one kind of the networks that Score-CAM explains: one a fold, of the first repeat."""
    return lambda w: [
        f"<results>/{w.cohort}/zhao2024/networks/{network}/{fit}.{kind}"
        for fit in fits_of_first_repeat("zhao2024", w.cohort)
        for network in FUSION_NETWORKS
        if fit.fold
    ]


def zhao2024_networks_of_fit(kind, networks=ZHAO_NETWORKS):
    """Files of one kind that the networks of a fit leave: no step before the fusion differs between the protocols."""

    def files(wildcards):
        fit = Fit.parse(wildcards.fit)
        strict = Fit.without(STRICT, fit.repeat, fit.fold)
        return [
            f"<results>/{wildcards.cohort}/zhao2024/networks/{network}/{strict}.{kind}"
            for network in networks
        ]

    return files


def zhao2024_networks_again(kind):
    """Files of one kind of the networks that a fusion starts from, trained again, as a function of the wildcards."""
    return lambda w: [
        f"<results>/{w.cohort}/zhao2024/numerics/{network}/{w.fit}.{w.again}.{kind}"
        for network in FUSION_NETWORKS
    ]


def zhao2024_tables_fit(wildcards):
    """The fit without a network whose variables a fusion takes."""
    fit = Fit.parse(wildcards.fit)
    return fit if fit.protocol == STRICT else Fit(AS_PUBLISHED, tuned_on=VALIDATION)


def zhao2024_model_of_fit(wildcards):
    """The models without a network of the fit that a fusion takes its variables from."""
    return (
        f"<results>/{wildcards.cohort}/zhao2024/models/{zhao2024_tables_fit(wildcards)}"
    )


def zhao2024_mark_without_networks(wildcards):
    """What tables and figures must say in which no network has a part."""
    return PLAN.random_weights(["zhao2024"], base(wildcards.cohort), networks=False)


def zhao2024_exported(cohort):
    """The models without a network, and where the study trains networks these."""
    found = exported_fit("zhao2024")(cohort)
    if PLAN.has_networks("zhao2024", cohort):
        found["networks"] = f"<results>/{cohort}/zhao2024/models/networks/{Fit()}"
    return found
