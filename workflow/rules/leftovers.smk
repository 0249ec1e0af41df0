# Results of patients, phases, readers, grids, settings or studies that are gone. Needs nothing and makes nothing: both
# targets say what they found, and the log holds it as well. Not part of any other target.


rule leftovers:
    """List what the results hold that the config and the sheets no longer ask for."""
    log:
        "<logs>/leftovers.log",
    benchmark:
        "<benchmarks>/leftovers.tsv"
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
        remove=False,
        code=code("list_leftovers"),
    script:
        "../scripts/list_leftovers.py"


use rule leftovers as remove_leftovers with:
    log:
        "<logs>/remove_leftovers.log",
    benchmark:
        "<benchmarks>/remove_leftovers.tsv"
    params:
        snakefile=untracked(lambda wildcards: workflow.main_snakefile),
        config=untracked(lambda wildcards: config),
        results=untracked(lambda wildcards: workflow.pathvars.apply("<results>")),
        remove=True,
        code=code("list_leftovers"),
