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

    include: "workflow/rules/common.smk"
    include: "workflow/rules/cohort.smk"
    include: "workflow/rules/images.smk"
    include: "workflow/rules/segmentation.smk"
    include: "workflow/rules/crops.smk"
    include: "workflow/rules/radiomics.smk"
    include: "workflow/rules/networks.smk"
    include: "workflow/rules/evaluation.smk"
    include: "workflow/rules/figures.smk"
    include: "workflow/rules/comparison.smk"
    include: "workflow/rules/null_control.smk"
    include: "workflow/rules/checklists.smk"
    include: "workflow/rules/report.smk"
    include: "workflow/rules/leftovers.smk"
    include: "workflow/rules/method_common.smk"

    for paper in PAPERS:

        include: f"workflow/rules/methods/{paper}.smk"
    include: "workflow/rules/method.smk"

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
