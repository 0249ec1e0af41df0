# What a run costs, before it begins. Needs nothing and makes nothing: the target says what it found, and the log holds it
# as well. Not part of any other target. Without a benchmark: it would run once and never again.


rule cost:
    """Jobs, core-hours, memory, disk and time of this config on this machine, by method and stage."""
    log:
        "<logs>/cost.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(20),
    params:
        snakefile=untracked(lambda wildcards: workflow.main_snakefile),
        config=untracked(lambda wildcards: config),
        cores=untracked(lambda wildcards: workflow.cores or 1),
        gpus=untracked(lambda wildcards: gpus_of_run()),
        numerics=untracked(lambda wildcards: FULL_CONFIG["numerics"]),
        costs=untracked(lambda wildcards: str(COSTS)),
        code=code("estimate_cost"),
    script:
        "../scripts/input/estimate_cost.py"
