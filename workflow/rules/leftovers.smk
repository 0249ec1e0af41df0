# What the results hold of patients, phases, readers, grids, settings or studies that are gone. Needs nothing and makes
# nothing: the targets say what they found, and the log holds it as well. Not part of any other target. Without a
# benchmark, which Snakemake would take for what they make: they would run once and never again.


rule leftovers:
    """List what the results hold that the config and the sheets no longer ask for."""
    log:
        "<logs>/leftovers.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    params:
        snakefile=untracked(lambda wildcards: workflow.main_snakefile),
        config=untracked(lambda wildcards: config),
        results=untracked(lambda wildcards: workflow.pathvars.apply("<results>")),
        delete=False,
        code=code("list_leftovers"),
    script:
        "../scripts/input/list_leftovers.py"


use rule leftovers as remove_leftovers with:
    log:
        "<logs>/remove_leftovers.log",
    params:
        snakefile=untracked(lambda wildcards: workflow.main_snakefile),
        config=untracked(lambda wildcards: config),
        results=untracked(lambda wildcards: workflow.pathvars.apply("<results>")),
        delete=True,
        code=code("list_leftovers"),
