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
import types

from hcc_recurrence.methods.run import main_fits

METHODS = {}


def fits_of_study(paper, tuned_on=TRAINING, cross_validated=False, at_most=None):
    """The fits of a method without networks, as a function of the cohort: those of all repeats (`at_most` so many), and
    the published one, which the outcomes of `tuned_on` tune, or also one without each fold (`cross_validated`).
    """

    def fits(cohort):
        scheme = FULL_CONFIG["splits"][PLAN.scheme(paper, base(cohort))]
        repeats = repeats_of_split(paper, cohort)
        repeats = min(at_most or repeats, repeats)
        return main_fits(scheme["folds"], repeats, tuned_on, cross_validated)

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


def tables_of_fits(paper):
    """The folders with the tables of all fits of a method, as a function of the wildcards."""
    return lambda wildcards: files_of_fits(paper, "")(wildcards.cohort)


def network_files(paper, kind, fits, networks=None):
    """Files of one kind that fits of a paper's networks leave, network by network, as a function of the wildcards.

    `fits`: another function of the wildcards; `networks`: names, all unless they are given.
    """
    if networks is None:
        networks = FULL_CONFIG["papers"][paper]["settings"]["networks"]
    return lambda wildcards: [
        f"<results>/{wildcards.cohort}/{paper}/networks/{network}/{fit}.{kind}"
        for network in networks
        for fit in fits(wildcards)
    ]


def fits_of_networks(paper):
    """The strict fits of a paper's networks that leave out one fold or none, as a function of the wildcards."""
    return lambda wildcards: network_fits(paper, wildcards.cohort)


def method_missing_codes(wildcards):
    """Codes of missing clinical values, where the method takes clinical variables."""
    if not METHODS[wildcards.paper]["clinical"](wildcards):
        return []
    return of_cohort("missing_codes")(wildcards)


def declared_models(paper, cohort):
    """What the method declares of the models of a study, by name.

    It is asked with the settings of the study, in which `phases` are the study's, `networks` is empty where the study
    trains none, and `after_operation` names the clinical variables that are known only after the operation.
    """
    method = declared(paper)
    known = PLAN.settings(paper, base(cohort))
    trained, study = trains_networks(paper, cohort), types.SimpleNamespace(
        cohort=cohort
    )
    return method.models(
        {
            **known,
            "phases": list(PLAN.phases(paper, base(cohort))),
            "networks": known.get("networks", {}) if trained else {},
            "after_operation": after_operation(paper)(study),
        }
    )


def main_of(paper, cohort):
    """Names of the main models of a study."""
    found = declared_models(paper, cohort)
    return [name for name, model in found.items() if model.role == "main"]


def has_pairs(paper, cohort):
    """Whether a study has two main models or more, which figures can set against each other."""
    return len(main_of(paper, cohort)) > 1


# Studies of one main model, as their paths begin.
WITHOUT_PAIRS = [
    f"{cohort}/{paper}"
    for paper, cohort in sorted(PLAN.studies)
    if not has_pairs(paper, cohort)
]


def study_main(wildcards):
    """Names of the main models of the study or the comparison that the wildcards name (`main_models`)."""
    if wildcards.paper.startswith("comparison"):
        return [*(f"{paper}:" for paper in papers_of(wildcards)), "Volume"]
    return main_of(wildcards.paper, wildcards.cohort)
