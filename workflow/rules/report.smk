# The report: one page with every table and figure of the run. What it shows is what the rules mark with `report()`.


rule list_report:
    """What the report shows, with captions, and the graph of the rules, from Snakemake itself."""
    input:
        run_targets,
    output:
        contents="<results>/report_contents.json",
        costs="<results>/costs.csv",
    log:
        "<logs>/list_report.log",
    benchmark:
        "<benchmarks>/list_report.tsv"
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
        plugin=untracked(lambda wildcards: str(REPORT_PLUGIN)),
        content=combine_hashes(map(content_hash, REPORT_PLUGIN.glob("*/*.py"))),
        costs=content_hash(COSTS),
        code=code("list_report"),
    script:
        "../scripts/report/list_report.py"


rule write_provenance:
    """What made the results: versions, config, digests of the inputs, processors, seed, studies.

    Written anew with every result that is, and never else: a change that makes no result again is none of them.
    """
    input:
        contents="<results>/report_contents.json",
        machines=machine_tables,
    output:
        "<results>/provenance.json",
    log:
        "<logs>/write_provenance.log",
    benchmark:
        "<benchmarks>/write_provenance.tsv"
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(5),
    params:
        facts=untracked(facts_of_provenance),
        home=untracked(lambda wildcards: str(HOME)),
        code=code("write_provenance"),
    script:
        "../scripts/report/write_provenance.py"


rule report:
    """The page of all studies, which opens without a network."""
    input:
        **report_inputs(),
    output:
        "<results>/report.html",
    log:
        "<logs>/report.log",
    benchmark:
        "<benchmarks>/report.tsv"
    localrule: True
    conda:
        "../../envs/environment.yaml"
    # The last job of a run has the machine to itself: pictures are made smaller four at a time.
    threads: 4
    resources:
        mem_mb=memory(2000),
        runtime=minutes(20),
    params:
        about=about_run,
        comparisons=about_comparisons,
        templates=untracked(lambda wildcards: str(REPORT_TEMPLATES)),
        content=combine_hashes(
            map(content_hash, sorted(REPORT_TEMPLATES.glob("report.*")))
        ),
        code=code("report"),
    script:
        "../scripts/report/report.py"


use rule report as zip_report with:
    # The same page beside its pictures and the files for print, for when one file is too large or is passed on.
    output:
        "<results>/report.zip",
    log:
        "<logs>/zip_report.log",
    benchmark:
        "<benchmarks>/zip_report.tsv"
