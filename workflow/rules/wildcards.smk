# What methods, cohorts and fits are called in paths, and what each method says of itself to the rules that all share.
import re

from hcc_recurrence.cohort.fit import (
    LEFT_OUT,
    PROTOCOLS,
    PUBLISHED as AS_PUBLISHED,
    STRICT,
    TRAINING,
    VALIDATION,
    Fit,
)

PAPERS = sorted(FULL_CONFIG["papers"])
# Patterns of a cohort of the config and of a paper, for rules that take neither copies nor comparisons. A paper is
# called as its file of settings is.
COHORT_NAME = "[A-Za-z0-9][A-Za-z0-9_]*"
PAPER_NAME = "|".join(map(re.escape, PAPERS))
NETWORKS = sorted(
    {
        name
        for paper in FULL_CONFIG["papers"].values()
        for name in paper["settings"].get("networks", {})
    }
)
# The rules of each paper say what its predictions are gathered from, and what else it makes:
# paper -> function of the cohort that returns paths.
PREDICTION_PARTS = {}
OWN_TARGETS = {}
# How much memory training takes, where a paper trains: paper -> function of the network's name, the batch and the size
# z, y, x of a crop in voxels that returns MB.
TRAINING_MEMORY = {}
# Papers whose networks of the folds together stand for all training patients: none is trained on all of them.
FOLDS_ALONE = set()
# Papers that have nothing to learn without their networks.
NETWORKS_ALONE = set()


wildcard_constraints:
    # A cohort, or one of its copies with permuted outcomes.
    cohort=f"{COHORT_NAME}(/null/[0-9]+)?",
    permutation="[0-9]+",
    patient="[A-Za-z0-9][A-Za-z0-9_-]*",
    phase="precontrast|arterial|portal|delayed|hepatobiliary",
    grid="[A-Za-z0-9_]+",
    # The phase that others are registered to, and what registers where that is not SimpleITK.
    reference="(precontrast|arterial|portal|delayed|hepatobiliary)(_ants)?",
    crop="[A-Za-z0-9_]+",
    settings="[A-Za-z0-9_]+",
    scheme="[A-Za-z0-9_]+",
    # What has a predictions table: a paper, or the comparison of all papers that share a split.
    paper=f"{PAPER_NAME}|comparison/[A-Za-z0-9_]+",
    protocol="strict|as_published",
    model="[A-Za-z0-9]+",
    # Those of the papers' settings: what else lies beside them, such as a fusion, has rules of its own.
    network="|".join(map(re.escape, NETWORKS)),
    # A cell of a grid of signatures.
    selector="[A-Za-z]+",
    classifier="[A-Za-z]+",
    # An entry of unets, and a batch of patients that it segments.
    unet="[A-Za-z0-9_]+",
    batch="[0-9]+",
    fit=Fit.PATTERN,


def base(cohort):
    """The cohort of the config behind a copy with permuted outcomes."""
    return cohort.split("/")[0]


def papers_of(wildcards):
    """The paper of a study, or the papers of a comparison."""
    if not wildcards.paper.startswith("comparison"):
        return [wildcards.paper]
    return PLAN.papers_with_scheme(
        base(wildcards.cohort), wildcards.paper.split("/")[1]
    )


def network_fits(paper, cohort):
    """Every strict fit of a study's networks that leaves out one fold or none."""
    split = FULL_CONFIG["splits"][PLAN.scheme(paper, base(cohort))]
    wanted = (
        1 if cohort != base(cohort) else PLAN.settings(paper, cohort)["network_repeats"]
    )
    repeats = range(1, min(wanted, split["repeats"]) + 1)
    first = int(paper in FOLDS_ALONE)
    return [
        Fit.without(STRICT, repeat, fold)
        for repeat in repeats
        for fold in range(first, split["folds"] + 1)
    ]


def fits_of_first_repeat(paper, cohort):
    """Those of the first repeat."""
    return [fit for fit in network_fits(paper, cohort) if fit.repeat == 1]
