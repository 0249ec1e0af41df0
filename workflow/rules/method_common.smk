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


def files_of_fits(paper, kind, fits=None):
    """What the fits of a method leave, all or the given ones, as a function of the cohort: `kind` follows `fits/<fit>`."""
    return lambda cohort: [
        f"<results>/{cohort}/{paper}/fits/{fit}{kind}"
        for fit in fits or METHODS[paper]["fits"](cohort)
    ]


def tables_of_fits(paper, kind="", fits=None):
    """The folders with the tables of all fits of a method, or other files of theirs, as a function of the wildcards, as
    `fits` is, which are not all."""
    return lambda w: files_of_fits(paper, kind, fits and fits(w))(w.cohort)


def network_files(paper, kind, fits, networks=None, folder="networks"):
    """Files of one kind that fits of a paper's networks leave, network by network, as a function of the wildcards.

    `fits`: a list, or another function of the wildcards; `networks`: names, all unless they are given.
    """
    if networks is None:
        networks = FULL_CONFIG["papers"][paper]["settings"]["networks"]
    return lambda wildcards: [
        f"<results>/{wildcards.cohort}/{paper}/{folder}/{network}/{fit}.{kind}"
        for network in networks
        for fit in (fits(wildcards) if callable(fits) else fits)
    ]


def trained_inputs(paper, *of_files):
    """Networks, scores and histories, as inputs; arguments as those of `network_files` after the kind."""
    kinds = {"networks": "pt", "scores": "scores.csv", "histories": "history.csv"}
    return {n: network_files(paper, kind, *of_files) for n, kind in kinds.items()}


def fits_of_networks(paper, chosen=list):
    """The strict fits of a paper's networks that leave out one fold or none, or what `chosen` makes of them, as a
    function of the wildcards."""
    return lambda wildcards: chosen(network_fits(paper, wildcards.cohort))


def about_networks(paper):
    """Parameters of a step that reads a method's networks: what these are, and the phases that they see."""
    networks = FULL_CONFIG["papers"][paper]["settings"]["networks"]
    return {"networks": networks, "phases": study_phases(paper)}


def where_networks(paper, files):
    """Files of a study, a function of the wildcards, where it trains networks; elsewhere none."""
    return lambda w: files(w) if PLAN.has_networks(paper, base(w.cohort)) else []


def about_data(paper, *names):
    """What `read_data` of a method takes besides files, as a function of the wildcards: some of `phases`, `reader`,
    `definitions` of the clinical variables and `horizon` in months, in the given order.
    """
    known = {
        "phases": study_phases(paper),
        "reader": of_cohort("reader"),
        "definitions": clinical_meaning(study_clinical(paper)),
        "horizon": horizon_months,
    }
    return lambda wildcards: {name: known[name](wildcards) for name in names}


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


def has_variants(paper, cohort):
    """Whether a study has models besides its main ones, which figures of their own show."""
    return len(declared_models(paper, cohort)) > len(main_of(paper, cohort))


# Studies without variants, and those of one main model, as their paths begin.
WITHOUT_VARIANTS = [
    f"{cohort}/{paper}"
    for paper, cohort in sorted(PLAN.studies)
    if not has_variants(paper, cohort)
]
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
