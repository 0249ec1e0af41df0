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
from hcc_recurrence.methods.contract import TRAINED as TRAINED_HERE, declared

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
# What the predictions of a paper are gathered from where own_steps_common.smk does not find it, and what it makes that
# its own steps do not: paper -> function of the cohort that returns paths.
PREDICTION_PARTS = {}
OWN_TARGETS = {}
# All networks that a study trains, where a paper trains any: paper -> function of the strict fits of its networks that
# leave out one fold or none, which returns pairs of a network's name and a fit.
TRAINED = {}
# What a method does less of on copies with permuted outcomes: paper -> words for the table of the null control. Its
# observed values are then those of copy 0, which has the real outcomes.
SMALLER_COPIES = {}


wildcard_constraints:
    # A cohort, or one of its copies with permuted outcomes.
    cohort=f"{COHORT_NAME}(/null/[0-9]+)?",
    permutation="[0-9]+",
    page="[0-9]+",
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


def has_times(cohort):
    """Whether the outcome of a cohort has times."""
    return not FULL_CONFIG["cohorts"][base(cohort)]["endpoint"]["column"]


def has_variables(paper, cohort):
    """Whether a study has clinical variables."""
    return bool(PLAN.settings(paper, base(cohort)).get("clinical"))


def cohort_in(listed, there=True):
    """The pattern of a cohort in paths that begin with one of the given ones, or that begin with none of them."""
    others = "|".join(map(re.escape, listed))
    before = f"(?{'=' if there else '!'}(?:{others})/)" if listed else ""
    return f"{before}{COHORT_NAME}(/null/[0-9]+)?"


# What of figures and tables is not there, rather than empty: those of survival where the outcome has no times, those of
# clinical variables where a study has none.
WITHOUT_TIMES = [cohort for cohort in sorted(PLAN.cohorts) if not has_times(cohort)]
WITHOUT_VARIABLES = [
    f"{cohort}/{paper}"
    for paper, cohort in sorted(PLAN.studies)
    if not has_variables(paper, cohort)
]
COHORT_WITH_TIMES = cohort_in(WITHOUT_TIMES, False)
STUDY_WITH_VARIABLES = cohort_in(WITHOUT_VARIABLES, False)
STUDY_WITH_BOTH = cohort_in([*WITHOUT_TIMES, *WITHOUT_VARIABLES], False)
VARIABLES_WITHOUT_TIMES = [
    f"{cohort}/{paper}"
    for paper, cohort in sorted(PLAN.studies)
    if cohort in WITHOUT_TIMES and has_variables(paper, cohort)
]


# What copies with permuted outcomes do without: the null control has one network and one repeat of each study where it
# has any, and no figures for readers.


def is_permuted(cohort):
    """Whether a cohort is a copy with permuted outcomes."""
    return cohort != base(cohort)


def trains_networks(paper, cohort):
    """Whether a study trains networks; with permuted outcomes only where the config asks for it."""
    wanted = not is_permuted(cohort) or FULL_CONFIG["null_control"]["networks"]
    return wanted and PLAN.has_networks(paper, base(cohort))


def repeats_of_split(paper, cohort):
    """How often a study repeats its folds."""
    scheme = PLAN.scheme(paper, base(cohort))
    return 1 if is_permuted(cohort) else FULL_CONFIG["splits"][scheme]["repeats"]


def calibration_resamples(paper):
    """Resamples of a paper's own calibration, which is for readers, as a function of the wildcards."""
    number = FULL_CONFIG["papers"][paper]["settings"]["calibration_resamples"]
    return lambda wildcards: 1 if is_permuted(wildcards.cohort) else number


def network_fits(paper, cohort):
    """Every strict fit of a study's networks that leaves out one fold or none."""
    split = FULL_CONFIG["splits"][PLAN.scheme(paper, base(cohort))]
    networks = 1
    if not is_permuted(cohort):
        networks = min(
            PLAN.settings(paper, cohort)["network_repeats"], split["repeats"]
        )
    first = int(declared(paper).folds_alone(FULL_CONFIG["papers"][paper]["settings"]))
    return [
        Fit.without(STRICT, repeat + 1, fold)
        for repeat in range(networks)
        for fold in range(first, split["folds"] + 1)
    ]


def fits_of_first_repeat(paper, cohort):
    """Those of the first repeat."""
    return [fit for fit in network_fits(paper, cohort) if fit.repeat == 1]
