from snakemake.utils import min_version

min_version("9.0")


configfile: "config/config.yaml"


# Of `snakemake --report`, which has the code and the time of every job; the run's own report is the rule `report`.
report: "workflow/report/workflow.rst"


include: "workflow/rules/input.smk"
include: "workflow/rules/preflight.smk"


# Sheets may be drafted before there are any.
if FULL_CONFIG:

    include: "workflow/rules/discovery.smk"


# Nothing but that and the list of problems where the input is refused.
if PLAN:

    # Functions first, each file using those before it; then the stages.
    for part in (
        *(
            "wildcards",
            "paths",
            "parameters",
            "clinical_parameters",
            "planned_cost",
            "resources",
        ),
        *("captions", "study_outputs"),
        *("start", "cohort", "images", "tumours", "segmentation", "crops"),
        *("radiomics", "why"),
        # Where exported models are applied, no rule is there that fits anything.
        "apply" if FULL_CONFIG["models"] else "studies",
    ):

        include: f"workflow/rules/{part}.smk"

    rule default:
        """What is made where no target is named. In this file, since Snakemake forgets the default of an included one."""
        default_target: True
        input:
            rules.all.input,

    remember_signatures(workflow.rules)
    refuse_unknown_targets(workflow.rules)
