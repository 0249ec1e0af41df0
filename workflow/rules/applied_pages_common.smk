# What the pages of applied models, their validation and DICOM objects take from the config and the plan.
from hcc_recurrence.exported.heat_maps import has_heat_maps

TEMPLATES = HOME / "workflow" / "report"
APPLIED_TEMPLATES = combine_hashes(
    content_hash(file) for file in sorted(TEMPLATES.glob("applied_*.html.j2"))
)


def files_of_bundles(name):
    """A file of each applied model on a cohort, in the order of the config, as a function of the wildcards."""
    return lambda wildcards: [
        f"<results>/{wildcards.cohort}/applied/{bundle}/{name}" for bundle in BUNDLES
    ]


def heat_map_folders(wildcards):
    """Heat maps of the applied models whose networks read images."""
    return [
        f"<results>/{wildcards.cohort}/applied/{bundle}/heat_maps"
        for bundle in BUNDLES
        if has_heat_maps(about_bundle(bundle))
    ]


def bundle_folders(wildcards):
    """Where the files of the applied models are; what they hold, `bundle_sums` says."""
    return [FULL_CONFIG["models"][bundle]["folder"] for bundle in BUNDLES]


def bundle_sums(wildcards):
    """Changes with any file of any applied model."""
    return [FULL_CONFIG["models"][bundle]["sums"] for bundle in BUNDLES]


def applied_page_targets(cohort):
    """What a person reads of models that were applied to a cohort."""
    patients = PLAN.patients(cohort)
    folder = f"<results>/{cohort}/applied"
    return [
        f"{folder}/overview.html",
        *[f"{folder}/patients/{patient}.html" for patient in patients],
        *[
            f"{folder}/{bundle}/evaluation"
            for bundle in BUNDLES
            if has_outcomes(cohort)
        ],
        *[
            f"{folder}/dicom/{patient}"
            for patient in patients
            if FULL_CONFIG["dicom_out"]
        ],
    ]
