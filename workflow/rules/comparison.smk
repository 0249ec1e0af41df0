# Comparison of all methods on one cohort. Needs the predictions of every paper that uses a split; makes one
# predictions table of their main models, clinical scores and confounders, which evaluation.smk takes from there.


rule fit_comparators:
    """Clinical scores and stages, tumour volume and centre, each as a model of its own."""
    input:
        labels="<results>/{cohort}/labels.csv",
        split="<results>/{cohort}/splits/{scheme}.csv",
        volumes="<results>/{cohort}/tumours.csv",
    output:
        "<results>/{cohort}/comparison/{scheme}/comparators.csv",
    log:
        "<logs>/{cohort}/comparison/{scheme}/fit_comparators.log",
    benchmark:
        "<benchmarks>/{cohort}/comparison/{scheme}/fit_comparators.tsv"
    group:
        "collected"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("fit_comparators"),
        runtime=minutes(10),
    params:
        **clinical_params(comparator_variables),
        constants=of_cohort("constants"),
        reader=of_cohort("reader"),
        repeats=lookup("splits/{scheme}/repeats", within=FULL_CONFIG),
        seed=FULL_CONFIG["seed"],
        code=code("fit_comparators"),
    script:
        "../scripts/evaluation/fit_comparators.py"


rule gather_comparison:
    """Main models of all papers, clinical scores and confounders in one predictions table."""
    input:
        papers=lambda wildcards: collect(
            "<results>/{cohort}/{paper}/predictions.csv",
            cohort=wildcards.cohort,
            paper=compared_papers(wildcards),
        ),
        comparators="<results>/{cohort}/comparison/{scheme}/comparators.csv",
    output:
        "<results>/{cohort}/comparison/{scheme}/predictions.csv",
    log:
        "<logs>/{cohort}/comparison/{scheme}/gather_comparison.log",
    benchmark:
        "<benchmarks>/{cohort}/comparison/{scheme}/gather_comparison.tsv"
    group:
        "comparison/{scheme}_results"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("gather_comparison"),
        runtime=minutes(10),
    params:
        main=lambda w: {p: main_of(p, w.cohort) for p in compared_papers(w)},
        code=code("gather_comparison"),
    script:
        "../scripts/evaluation/gather_comparison.py"


rule check_published_tables:
    """The arithmetic of the papers' own tables."""
    output:
        csv="<results>/published/tables.csv",
        html=report(
            "<results>/published/tables.html",
            caption="../report/published.rst",
            category="Published tables",
            labels={"cohort": "the papers", "what": "what the printed tables say"},
        ),
    log:
        "<logs>/check_published_tables.log",
    benchmark:
        "<benchmarks>/check_published_tables.tsv"
    group:
        "labels"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("check_published_tables"),
        runtime=minutes(10),
    params:
        folder=untracked(lambda w: str(PUBLISHED)),
        content=combine_hashes(map(content_hash, PUBLISHED.glob("*.csv"))),
        code=code("check_published_tables"),
    script:
        "../scripts/evaluation/check_published_tables.py"
