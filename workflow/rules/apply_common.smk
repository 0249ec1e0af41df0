# Functions of the rules that apply exported models: which files a model reads, and where it lies.
from math import prod

from hcc_recurrence.exported.inputs import (
    CROPS,
    DEEP,
    NOTHING,
    RADIOMICS,
    source_of_features,
)
from hcc_recurrence.exported.needs import needed_variables_of

BUNDLES = sorted(FULL_CONFIG["models"])
# Segmentation network as the run calls it -> the model it comes in, and its name there.
BUNDLE_UNETS = {
    here: (bundle, theirs)
    for bundle, model in FULL_CONFIG["models"].items()
    for theirs, here in model["called"]["unets"].items()
}


def about_bundle(bundle):
    """What a model says of itself (model.json)."""
    return FULL_CONFIG["models"][bundle]["about"]


def bundle_settings(bundle):
    """The settings of a model's method, which name entries as they are called in this run."""
    return FULL_CONFIG["papers"][bundle]["settings"]


def of_bundle(key):
    """What is known of the model that the wildcards name."""
    return lambda wildcards: FULL_CONFIG["models"][wildcards.bundle][key]


def applied_cohorts():
    """The cohorts that models are applied to."""
    return sorted(PLAN.cohorts)


def has_outcomes(cohort):
    """Whether the sheet of a cohort has the columns of the outcome, of some patients at least."""
    return PLAN.has_outcomes(cohort)


def bundle_features(wildcards):
    """The files that a model's features come from."""
    bundle, cohort = wildcards.bundle, wildcards.cohort
    images, settings = PLAN.image_cohort(cohort), bundle_settings(bundle)
    kind = source_of_features(about_bundle(bundle))
    if kind == RADIOMICS:
        return collect(
            "<results>/{cohort}/radiomics/{settings}/{phase}.parquet",
            cohort=cohort,
            settings=settings["radiomics"],
            phase=PLAN.phases(bundle, cohort),
        )
    if kind == DEEP:
        return unet_batches(images, settings["unet"])
    if kind == CROPS:
        return [f"<results>/{cohort}/crops/{settings['crops']}.npz"]
    return []


def bundle_images(wildcards):
    """The stacks of crops that a model's networks read."""
    called = FULL_CONFIG["models"][wildcards.bundle]["called"]["crops"]
    return [
        f"<results>/{wildcards.cohort}/crops/{called[image['crops']]}.npz"
        for image in about_bundle(wildcards.bundle)["reads"]["images"]
    ]


def bundle_inputs(wildcards):
    """Everything that a model reads; of what it does not read, no name."""
    found = {
        "features": bundle_features(wildcards),
        "images": bundle_images(wildcards),
    }
    return {name: files for name, files in found.items() if files}


def bundle_clinical(wildcards):
    """The clinical variables that a model takes and the cohort has."""
    model = FULL_CONFIG["models"][wildcards.bundle]
    return [v for v in needed_variables_of(model["about"]) if v not in model["without"]]


def applied_memory(network_mb):
    """Memory for networks and the crops of all patients that they read, in MB; doubles with each attempt."""

    def needed(wildcards, attempt):
        reads = about_bundle(wildcards.bundle)["reads"]["images"]
        voxels = sum(prod(image["shape"]) for image in reads)
        # In single precision, with masks and one copy.
        stacks = 2.6 * 4 * voxels * len(PLAN.patients(wildcards.cohort)) / 1e6
        return round(network_mb + stacks) * 2 ** (attempt - 1)

    return needed


def heat_map_minutes(wildcards, attempt):
    """Run time of heat maps. Of the published sizes the longest are Zhao 2024's: Score-CAM of three phases of 256 x 256
    took 122 s of one core a patient (AMD EPYC, AVX2); Cui 2022's 6 s, Zhang 2025's 3 to 8 s.
    """
    return (20 + 4 * len(PLAN.patients(wildcards.cohort))) * attempt


def unet_source(wildcards):
    """The model that a segmentation network comes in, and the name of its weights there."""
    bundle, theirs = BUNDLE_UNETS[wildcards.unet]
    model = FULL_CONFIG["models"][bundle]
    back = {own: phase for phase, own in model["phases"].items()}
    phase = back.get(wildcards.phase, wildcards.phase)
    return {**model, "weights": f"{theirs}.{phase}"}


def applied_natives(kind):
    """Images or masks as acquired, a folder a patient."""
    return lambda wildcards: collect(
        "<results>/{cohort}/{kind}/native/{patient}",
        cohort=PLAN.image_cohort(wildcards.cohort),
        kind=kind,
        patient=PLAN.patients(wildcards.cohort),
    )


def applied_readers(wildcards):
    """Patient -> phase -> whose mask is used."""
    images = PLAN.image_cohort(wildcards.cohort)
    return {p: PLAN.mask_readers(images, p) for p in PLAN.patients(wildcards.cohort)}


def apply_targets(wildcards):
    """What is asked for of every model on every cohort."""
    tables = [
        f"<results>/{cohort}/applied/{bundle}/{table}.csv"
        for cohort in applied_cohorts()
        for bundle in BUNDLES
        for table in ("predictions", "outside")
    ]
    pages = [t for cohort in applied_cohorts() for t in applied_page_targets(cohort)]
    return [*tables, *pages]
