# The rules that fit, evaluate and compare what the studies of a run name, and what `all` asks for.

for part in (
    *("targets", "method_common", "export_common", "own_files", "own_steps_common"),
    "segmentation_training",
    *("networks", "evaluation", "figures", "comparison", "null_control"),
    *("checklists", "numerics_common", "numerics", "report", "cost", "leftovers"),
):

    include: f"{part}.smk"


for paper in PAPERS:

    include: f"methods/{paper}.smk"


include: "method.smk"
include: "own_steps.smk"
include: "export.smk"


rule all:
    input:
        run_targets,
        "<results>/report.html",


rule studies:
    input:
        run_targets,
