# What the file of a method says of it, for the rules of method.smk:
#
# METHODS[paper] = {
#     "fits": function of the cohort: its fits, in the order of its tables,
#     "inputs": function of the wildcards: name -> files that `read_data` of the method takes,
#     "settings": function of the wildcards: what decides its models, and nothing else,
#     "clinical": function of the wildcards: names of the clinical variables that its models take,
#     "about": function of the wildcards: what else `read_data` takes, such as phases and reader,
#     "memory_mb": of one fit (4000), "minutes": of one fit (60),
# }
from hcc_recurrence.methods.contract import declared
from hcc_recurrence.methods.run import main_fits

METHODS = {}


def fits_of_study(paper, tuned_on=TRAINING):
    """The fits of a method without networks, as a function of the cohort: those of all repeats, and the published one,
    which the outcomes of `tuned_on` tune."""

    def fits(cohort):
        scheme = FULL_CONFIG["splits"][PLAN.scheme(paper, base(cohort))]
        repeats = scheme["repeats"] if cohort == base(cohort) else 1
        return main_fits(scheme["folds"], repeats, tuned_on)

    return fits


def own_of_method(key):
    """What a method says under a key, as a function of the wildcards."""
    return lambda wildcards: METHODS[wildcards.paper][key](wildcards)


def files_of_fits(paper, kind):
    """What the fits of a method leave, as a function of the cohort: `kind` follows `fits/<fit>`."""
    return lambda cohort: [
        f"<results>/{cohort}/{paper}/fits/{fit}{kind}"
        for fit in METHODS[paper]["fits"](cohort)
    ]


def method_missing_codes(wildcards):
    """Codes of missing clinical values, where the method takes clinical variables."""
    if not METHODS[wildcards.paper]["clinical"](wildcards):
        return []
    return of_cohort("missing_codes")(wildcards)
