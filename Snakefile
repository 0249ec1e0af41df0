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
    for rules in (
        *("wildcards", "paths", "parameters", "resources", "captions"),
        *("start", "cohort", "images", "tumours", "segmentation", "crops"),
        *("radiomics", "leftovers"),
    ):

        include: f"workflow/rules/{rules}.smk"

    if FULL_CONFIG["models"]:

        # Exported models are applied: no rule is there that fits anything.
        include: "workflow/rules/apply.smk"

        rule all:
            default_target: True
            input:
                apply_targets,

    else:
        for rules in (
            *("targets", "method_common", "export_common", "segmentation_training"),
            *("networks", "evaluation", "figures", "comparison", "null_control"),
            *("checklists", "report"),
        ):

            include: f"workflow/rules/{rules}.smk"

        for paper in PAPERS:

            include: f"workflow/rules/methods/{paper}.smk"
        include: "workflow/rules/method.smk"
        include: "workflow/rules/export.smk"

        rule all:
            default_target: True
            input:
                run_targets,
                "<results>/report.html",

        rule studies:
            input:
                run_targets,

    remember_signatures(workflow.rules)
    refuse_unknown_targets(workflow.rules)
