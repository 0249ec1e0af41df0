# Why a result was made, and would be made again. Needs nothing and makes nothing: the target says what it found, and the
# log holds it as well. Not part of any other target. Without a benchmark: see leftovers.smk.


rule why:
    """Why a result was last made, and would be made again: which module, column, file or setting is another."""
    log:
        "<logs>/why.log",
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
        output=untracked(lambda wildcards: FULL_CONFIG["job"]),
        code=code("explain_job"),
    script:
        "../scripts/input/explain_job.py"
