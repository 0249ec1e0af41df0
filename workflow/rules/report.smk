# The report: one HTML file with every table and figure of the run, made by Snakemake itself.


rule report:
    """Snakemake's own report of all studies, which opens without a network."""
    input:
        run_targets,
    output:
        "<results>/report.html",
    log:
        "<logs>/report.log",
    benchmark:
        "<benchmarks>/report.tsv"
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=20,
    params:
        snakefile=untracked(lambda wildcards: workflow.main_snakefile),
        # What of the config matters has changed one of the inputs.
        config=untracked(lambda wildcards: config),
        code=code("report"),
    script:
        "../scripts/report.py"
