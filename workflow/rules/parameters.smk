# Parameters that several rules take from the config and the sheets: builtin types, so that Snakemake compares them.
from hcc_recurrence.endpoint import EARLY_RECURRENCE
from hcc_recurrence.networks.architectures import (
    TRAINING_KEYS,
    highest_value,
    slice_networks,
    volume_networks,
)
from hcc_recurrence.provenance import combine_hashes, content_hash


def entry(section, wildcard):
    """The entry of a section of the config that a wildcard names. `lookup` walks all of the config for each of
    thousands of jobs."""
    return lambda wildcards: FULL_CONFIG[section][wildcards[wildcard]]


def of_cohort(key):
    """A setting of the cohort, as a function of the wildcards."""
    return lambda wildcards: FULL_CONFIG["cohorts"][base(wildcards.cohort)][key]


def study_repeats(paper):
    """How often a study repeats its folds, as a function of the wildcards."""
    return lambda wildcards: repeats_of_split(paper, wildcards.cohort)


def censored_at_horizon(wildcards):
    """Whether a study censors recurrence-free survival at its horizon, as its paper does (`censor_at_horizon`)."""
    paper = FULL_CONFIG["papers"].get(wildcards.paper, {"settings": {}})
    return bool(paper["settings"].get("censor_at_horizon", False))


def horizon_months(wildcards):
    """The horizon of early recurrence in months, as the cohort's outcome is compared with it."""
    return PLAN.horizon_months(base(wildcards.cohort))


def grid_of_crop(crop):
    """The grid that an entry of crops names."""
    return FULL_CONFIG["grids"][FULL_CONFIG["crops"][crop]["grid"]]


def crop_highest(wildcards):
    """The largest value of the crops that a paper's networks read."""
    crop = FULL_CONFIG["crops"][
        FULL_CONFIG["papers"][wildcards.paper]["settings"]["crops"]
    ]
    return highest_value(crop, FULL_CONFIG["grids"][crop["grid"]])


def training_settings(paper, network=""):
    """What decides how a paper's networks are trained, and nothing else of its settings; a network may have its own."""
    settings = FULL_CONFIG["papers"][paper]["settings"]
    own = settings["networks"].get(network, {})
    merged = {**settings, **own}
    return {key: merged[key] for key in TRAINING_KEYS if key in merged}


def training_params(paper, network=lambda wildcards: ""):
    """Parameters of a training besides what is trained; the paper and the network are functions of the wildcards."""
    return {
        "phases": lambda w: PLAN.phases(paper(w), base(w.cohort)),
        "training": lambda w: training_settings(paper(w), network(w)),
        "device": untracked(lambda w: FULL_CONFIG["device"]),
        "numerics": FULL_CONFIG["numerics"],
        "seed": FULL_CONFIG["seed"],
    }


def run_weights(wildcards):
    """About the files of ImageNet weights that the networks of the run's papers could start from."""
    wanted = {
        network["architecture"]
        for paper, _ in PLAN.studies
        for network in FULL_CONFIG["papers"][paper]["settings"]
        .get("networks", {})
        .values()
    }
    return [row for row in KNOWN_WEIGHTS if row["architecture"] in wanted]


def split_left_out(cohort, scheme):
    """The patients that a split leaves out, because they train a network that finds the tumour."""
    unet = FULL_CONFIG["splits"][scheme]["without_unet"]
    return list(PLAN.unet_parts(PLAN.image_cohort(cohort), unet)) if unet else []


def needed_masks(cohort, unet, batch):
    """Phases, by patient of a batch, whose only mask is the network's."""
    masks = FULL_CONFIG["masks"]
    if masks["source"] != "unet" or masks["unet"] != unet:
        return {}
    used = {
        p: [
            phase
            for phase, reader in sorted(PLAN.mask_readers(cohort, p).items())
            if reader == "unet" and phase in PLAN.image_phases(cohort)
        ]
        for p in patients_of_batch(cohort, batch)
    }
    return {p: phases for p, phases in used.items() if phases}


def study_settings(paper, *keys):
    """Some settings of a paper in one study, with the thresholds of its cohort, as a function of the wildcards."""

    def settings(wildcards):
        known = PLAN.settings(paper, base(wildcards.cohort))
        return {key: known[key] for key in keys}

    return settings


def study_phases(paper):
    """The phases that a paper reads in one study, as a function of the wildcards."""
    return lambda wildcards: PLAN.phases(paper, base(wildcards.cohort))


def study_setting(key):
    """A setting of the study that the wildcards name, with the thresholds of its cohort."""
    return lambda w: PLAN.settings(w.paper, base(w.cohort))[key]


def compared_papers(wildcards):
    """The papers that use one split on a cohort."""
    return PLAN.papers_with_scheme(wildcards.cohort, wildcards.scheme)


def mark_of(paper, networks=True):
    """What tables and figures of a study must say of its networks' weights, as a function of the wildcards; `networks`:
    whether any has a part in them."""
    return lambda w: PLAN.random_weights([paper], base(w.cohort), networks=networks)


def mark_without_networks(wildcards):
    """What tables and figures of a study must say in which no network has a part."""
    cohort = base(wildcards.cohort)
    return PLAN.random_weights(papers_of(wildcards), cohort, networks=False)


def study_mark(wildcards):
    """The same for the study, or for all studies of the comparison, that the wildcards name."""
    return PLAN.random_weights(papers_of(wildcards), base(wildcards.cohort))


def published_names(wildcards):
    """The papers of a study or comparison: our model name to the paper's own, for the printed AUCs; none where the
    cohort's outcome is another one than the papers'."""
    own = FULL_CONFIG["cohorts"][base(wildcards.cohort)]["endpoint"]["name"]
    papers = papers_of(wildcards) if own == EARLY_RECURRENCE.name else []
    return {p: FULL_CONFIG["papers"][p]["published_names"] for p in papers}
