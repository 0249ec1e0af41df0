# Functions of the rules of Zhao 2024: which files and settings its networks and models take.

ZHAO_NETWORKS = FULL_CONFIG["papers"]["zhao2024"]["settings"]["networks"]
FUSION_NETWORK = FULL_CONFIG["papers"]["zhao2024"]["settings"]["fusion_network"]


def zhao2024_predictions(cohort):
    """Parts of the predictions; copies with permuted outcomes have networks only where the config asks for them."""
    wanted = cohort == base(cohort) or FULL_CONFIG["null_control"]["networks"]
    trained = wanted and PLAN.has_networks("zhao2024", base(cohort))
    deep = (
        [f"<results>/{cohort}/zhao2024/fits/networks.predictions.csv"]
        if trained
        else []
    )
    return fits("zhao2024", "predictions")(cohort) + deep


def zhao2024_learning(wildcards):
    """The settings of all models without a network: another number of epochs selects no feature anew."""
    of_networks = {*TRAINING_KEYS, "crops", "networks", "network_repeats"}
    settings = PLAN.settings("zhao2024", base(wildcards.cohort))
    unused = {*of_networks, "fusion_network", "fusion_layer_norm"}
    return {key: value for key, value in settings.items() if key not in unused}


def zhao2024_networks(kind):
    """Files of one kind that the fits of ResNet-10, -18, -34 leave, as a function of the wildcards."""
    return lambda w: [
        f"<results>/{w.cohort}/zhao2024/networks/{network}/{repeat}.{fold}.{kind}"
        for network in ZHAO_NETWORKS
        for repeat, fold in network_fits("zhao2024", w.cohort)
    ]


def zhao2024_fusions(kind):
    """Files of one kind that the fits of the fusion leave; as published there is one, on all training patients."""
    folder = "zhao2024/networks/DLRCR"
    return lambda w: [
        *[
            f"<results>/{w.cohort}/{folder}/strict.{repeat}.{fold}.{kind}"
            for repeat, fold in network_fits("zhao2024", w.cohort)
        ],
        f"<results>/{w.cohort}/{folder}/as_published.1.0.{kind}",
    ]


def zhao2024_explained(kind):
    """Files of one kind of the networks that Score-CAM explains: one a fold, of the first repeat."""
    return lambda w: [
        f"<results>/{w.cohort}/zhao2024/networks/{FUSION_NETWORK}/1.{fold}.{kind}"
        for repeat, fold in network_fits("zhao2024", w.cohort)
        if repeat == 1 and fold
    ]
