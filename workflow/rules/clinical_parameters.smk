# Parameters of clinical variables: which a study has, what they mean, and what changes with their values.


def patients_sheet(wildcards):
    """How the patients sheet is read; what matters of its content is hashed by other parameters."""
    return PLAN.patients_sheet(base(wildcards.cohort))


def study_clinical(paper):
    """Names of the clinical variables of a paper in one study."""
    return lambda w: list(PLAN.settings(paper, base(w.cohort))["clinical"])


def clinical_hash(variables):
    """Changes with any value of the clinical variables that a function of the wildcards names."""
    return lambda w: PLAN.clinical_hash(base(w.cohort), variables(w))


def clinical_definitions(variables):
    """The config's definitions of the clinical variables that a function of the wildcards names."""
    return lambda w: PLAN.clinical_definitions(base(w.cohort), variables(w))


def clinical_meaning(variables):
    """The same without the names of the sheet's columns: what a value means does not change with them."""
    return lambda w: PLAN.clinical_meaning(base(w.cohort), variables(w))


def clinical_params(variables, missing_codes=of_cohort("missing_codes")):
    """How the values of the clinical variables are read that a function of the wildcards names: a value of another one
    runs nothing again."""
    return {
        "sheet": untracked(patients_sheet),
        "clinical": clinical_hash(variables),
        "definitions": untracked(clinical_definitions(variables)),
        "meaning": clinical_meaning(variables),
        "missing_codes": missing_codes,
    }


def after_operation(paper):
    """A paper's clinical variables in one study that are known only after the operation, as a function of the wildcards."""
    return lambda wildcards: sorted(
        variable
        for variable, own in clinical_meaning(study_clinical(paper))(wildcards).items()
        if own["timing"] != "pre"
    )


def of_study(wildcards):
    """The clinical variables of the study that the wildcards name."""
    return study_clinical(wildcards.paper)(wildcards)


def read_variables(wildcards):
    """The clinical variables of a study that were read more than once."""
    return list(PLAN.readings(wildcards.cohort, of_study(wildcards)))


def comparator_variables(wildcards):
    """The cohort's clinical variables that scores and stages are computed from."""
    return PLAN.comparator_variables(base(wildcards.cohort))


def own_risk_factors(wildcards):
    """What a study's own regression of its clinical variables reads: coding, rule and limits."""
    limits = (
        *("clinical_p", "none_significant", "entry_p", "removal_p", "cox_p"),
        "nominal",
    )
    settings = PLAN.settings(wildcards.paper, base(wildcards.cohort))
    return {
        key: settings[key]
        for key in ("clinical", "risk_factor_model", *limits)
        if key in settings
    }
