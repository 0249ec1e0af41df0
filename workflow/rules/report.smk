# The report: one HTML file with every table and figure of the run, made by Snakemake itself.


rule write_start_page:
    """What was run, on whom, and the headline table."""
    input:
        metrics=[
            f"<results>/{cohort}/comparison/{scheme}/tables/metrics.csv"
            for cohort, scheme in PLAN.comparisons()
        ],
        labels=[f"<results>/{cohort}/labels.csv" for cohort, _ in PLAN.comparisons()],
        best_auc=[
            f"<results>/{cohort}/simulated/best_auc.csv"
            for cohort in sorted(PLAN.cohorts)
            if PLAN.knows_best_auc(cohort)
        ],
    output:
        "<results>/start_page.rst",
    log:
        "<logs>/write_start_page.log",
    benchmark:
        "<benchmarks>/write_start_page.tsv"
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(5),
    params:
        about=about_run,
        comparisons=about_comparisons,
        code=code("write_start_page"),
    script:
        "../scripts/write_start_page.py"


rule report:
    """Snakemake's own report of all studies, which opens without a network."""
    input:
        run_targets,
        start_page="<results>/start_page.rst",
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
        runtime=minutes(20),
    params:
        snakefile=untracked(lambda wildcards: workflow.main_snakefile),
        # What of the config matters has changed one of the inputs.
        config=untracked(lambda wildcards: config),
        code=code("report"),
    script:
        "../scripts/report.py"
