# Null control: the outcomes permuted, everything learned anew. Needs labels and what a paper learns from; makes
# copies of the cohort under null/<permutation>/, which the papers' own rules fill, and their summary.


rule permute_labels:
    """The outcomes of a cohort permuted; copy 0 has the real ones."""
    input:
        "<results>/{cohort}/labels.csv",
    output:
        "<results>/{cohort}/null/{permutation}/labels.csv",
    log:
        "<logs>/{cohort}/null/{permutation}/permute_labels.log",
    benchmark:
        "<benchmarks>/{cohort}/null/{permutation}/permute_labels.tsv"
    wildcard_constraints:
        cohort=COHORT_NAME,
    group:
        "labels"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("permute_labels"),
        runtime=minutes(5),
    params:
        seed=FULL_CONFIG["seed"],
        code=code("permute_labels"),
    script:
        "../scripts/evaluation/permute_labels.py"


rule summarise_null_control:
    """AUCs of a study on all permuted outcomes."""
    input:
        permuted=lambda wildcards: collect(
            "<results>/{cohort}/null/{permutation}/{paper}/predictions.csv",
            cohort=wildcards.cohort,
            paper=wildcards.paper,
            permutation=range(1, FULL_CONFIG["null_control"]["permutations"] + 1),
        ),
        observed=lambda w: (
            "<results>/{cohort}/null/0/{paper}/predictions.csv"
            if SMALLER_COPIES.get(w.paper)
            else "<results>/{cohort}/{paper}/predictions.csv"
        ),
    output:
        **study_figure("null_control", "null control"),
        **study_table("null_control", "null control, table"),
        aucs="<results>/{cohort}/{paper}/tables/null_control_aucs.csv",
    log:
        "<logs>/{cohort}/{paper}/summarise_null_control.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/summarise_null_control.tsv"
    wildcard_constraints:
        paper=PAPER_NAME,
    group:
        "{paper}_results"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("summarise_null_control"),
        runtime=minutes(10),
    params:
        title=of_cohort("title"),
        mark=study_mark,
        smaller=lambda w: SMALLER_COPIES.get(w.paper, ""),
        figures=figure_settings,
        code=code("summarise_null_control"),
    script:
        "../scripts/evaluation/summarise_null_control.py"


rule null_control:
    input:
        all_null_controls,
