import os

from snakemake.utils import min_version

min_version("9.0")


configfile: "config/config.yaml"


# The rule `report` gives the page that it wrote for this run; `snakemake --report` by hand has a general one.
report: os.environ.get("HCC_START_PAGE", "workflow/report/workflow.rst")


include: "workflow/rules/input.smk"
include: "workflow/rules/preflight.smk"


# Sheets may be drafted before there are any.
if FULL_CONFIG:

    include: "workflow/rules/discovery.smk"


# Nothing but that and the list of problems where the input is refused.
if PLAN:

    # Functions first, each file using those before it; then the stages.
    for rules in (
        *("wildcards", "paths", "parameters", "planned_cost", "resources"),
        "captions",
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
            *("checklists", "numerics_common", "numerics", "report", "cost"),
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
