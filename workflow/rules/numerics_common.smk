# Functions of what is measured about numerics: which networks are trained again, and what is read of them.
from hcc_recurrence.numerics import KERNEL_WORDS, OTHER, OTHER_KERNELS, kernel_words
from hcc_recurrence.statistics.trained_again import AGAIN_TEXT, KERNELS, SEED


def machines_of_run(wildcards):
    """The files beside all networks of the run that say what they were trained on."""
    found = [
        f"<results>/{cohort}/{paper}/networks/{network}/{fit}.machine.json"
        for paper, cohort in trained_studies()
        for network, fit in TRAINED[paper](network_fits(paper, cohort))
    ]
    return found + [
        f"<results>/{cohort}/segmentation/{unet}/{phase}.machine.json"
        for cohort, unet in used_unets()
        for phase in PLAN.unet_phases(cohort, unet)
    ]


def machine_targets():
    """What the networks of the run were trained on, where there are any."""
    return ["<results>/machines/networks.html"] if machines_of_run(None) else []


def machine_tables(wildcards):
    """The same as a table for the report's warnings."""
    return ["<results>/machines/networks.csv"] if machine_targets() else []


def trained_studies():
    """The studies that train networks which predict the outcome."""
    return [s for s in PLAN.studies if s[0] in TRAINED and PLAN.has_networks(*s)]


def used_unets():
    """Cohort of images and segmentation network of all that the run trains, each once."""
    return sorted(
        {
            (PLAN.image_cohort(cohort), unet)
            for paper, cohort in PLAN.studies
            for unet in study_unets(paper)
        }
    )


def networks_trained_again(paper):
    """Names of a paper's networks that predict the outcome."""
    networks = FULL_CONFIG["papers"][paper]["settings"].get("networks", {})
    return [*networks, *declared(paper).own_networks]


def fit_trained_again(wildcards):
    """The strict fit that is trained again: without the first fold of the first repeat."""
    fits = fits_of_first_repeat(wildcards.paper, wildcards.cohort)
    return next(fit for fit in fits if fit.fold == 1)


def scores_of_fit(wildcards):
    """Scores of the networks of a study in that fit."""
    return [
        f"<results>/{wildcards.cohort}/{wildcards.paper}/networks/{network}/{fit_trained_again(wildcards)}.scores.csv"
        for network in networks_trained_again(wildcards.paper)
    ]


def scores_of_again(again):
    """The same of the networks that were trained again, as a function of the wildcards."""
    return lambda wildcards: [
        f"<results>/{wildcards.cohort}/{wildcards.paper}/numerics/{network}/"
        f"{fit_trained_again(wildcards)}.{again}.scores.csv"
        for network in networks_trained_again(wildcards.paper)
    ]


def kernels_of_again(wildcards):
    """Variables of the environment of a network that is trained again by other kernels."""
    return OTHER_KERNELS if wildcards.again == KERNELS else {}


def seed_of_again(wildcards):
    """The seed of a network that is trained again."""
    return FULL_CONFIG["seed"] + int(wildcards.again == SEED)


def movement_targets(wildcards):
    """How far the networks of all studies move, and what that means for comparisons of methods."""
    trained = trained_studies()
    compared = [
        (cohort, scheme)
        for cohort, scheme in PLAN.comparisons()
        if len(PLAN.papers_with_scheme(cohort, scheme)) > 1
        and set(trained)
        & {(p, cohort) for p in PLAN.papers_with_scheme(cohort, scheme)}
    ]
    return [
        *[
            f"<results>/{cohort}/{paper}/tables/movement.html"
            for paper, cohort in trained
        ],
        *[
            f"<results>/{cohort}/comparison/{scheme}/tables/movement.html"
            for cohort, scheme in compared
        ],
        *machine_targets(),
    ]


def movements_of_comparison(wildcards):
    """The tables of the papers of a comparison that train networks."""
    return [
        f"<results>/{wildcards.cohort}/{paper}/tables/movement.csv"
        for paper in papers_of_movement(wildcards)
    ]


def papers_of_movement(wildcards):
    """The papers of a comparison that train networks."""
    cohort = wildcards.cohort
    papers = PLAN.papers_with_scheme(cohort, wildcards.scheme)
    return [paper for paper in papers if (paper, cohort) in trained_studies()]


def models_of_tables(wildcards):
    """The models of a comparison that rest on clinical variables or radiomics alone, as `paper:model`."""
    cohort = wildcards.cohort
    return [
        f"{paper}:{name}"
        for paper in PLAN.papers_with_scheme(cohort, wildcards.scheme)
        for name, model in declared_models(paper, cohort).items()
        if model.family in ("clinical", "radiomics")
    ]
