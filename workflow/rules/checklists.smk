# Reporting checklists. Needs the tables of a study and of its comparison; makes TRIPOD+AI, CLEAR, METRICS and RQS.


rule fill_checklists:
    """Checklists with what the run can show; the rest is the author's to fill."""
    input:
        labels="<results>/{cohort}/labels.csv",
        split=study_split,
        metrics="<results>/{cohort}/{paper}/tables/metrics.csv",
        calibration="<results>/{cohort}/{paper}/tables/calibration.csv",
        delong="<results>/{cohort}/{paper}/tables/delong.csv",
        baseline=lambda w: (
            f"<results>/{w.cohort}/{w.paper}/tables/baseline.csv"
            if has_variables(w.paper, w.cohort)
            else []
        ),
        comparators=study_comparators,
        masks=tumour_table,
        acquisition="<results>/{cohort}/acquisition.csv",
    output:
        **{
            f"{name}_csv": f"<results>/{{cohort}}/{{paper}}/checklists/checklist_{name}.csv"
            for name in CHECKLIST_NAMES
        },
        **{name: checklist_page(name) for name in CHECKLIST_NAMES},
    log:
        "<logs>/{cohort}/{paper}/fill_checklists.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/fill_checklists.tsv"
    wildcard_constraints:
        paper=PAPER_NAME,
    group:
        "{paper}_results"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("fill_checklists"),
        runtime=minutes(10),
    params:
        folder=untracked(lambda w: str(CHECKLISTS)),
        content=combine_hashes(map(content_hash, CHECKLISTS.glob("*.csv"))),
        about=about_study,
        main=study_main,
        networks=networks_of_study,
        module=lambda wildcards: declared(wildcards.paper).checklist_module,
        mark=study_mark,
        endpoint=of_cohort("endpoint"),
        code=lambda wildcards: code(
            "fill_checklists",
            *filter(None, [declared(wildcards.paper).checklist_module]),
        ),
    script:
        "../scripts/report/fill_checklists.py"
