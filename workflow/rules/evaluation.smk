# Evaluation. Needs a study's predictions; makes its tables and figures, the same for every paper.


rule gather_predictions:
    """One predictions table of a study, checked against the written split."""
    input:
        parts=lambda wildcards: PREDICTION_PARTS[wildcards.paper](wildcards.cohort),
        split=study_split,
    output:
        ensure("<results>/{cohort}/{paper}/predictions.csv", non_empty=True),
    log:
        "<logs>/{cohort}/{paper}/gather_predictions.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/gather_predictions.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=10,
    params:
        code=code("gather_predictions"),
    script:
        "../scripts/gather_predictions.py"


rule compute_metrics:
    """AUC with DeLong interval, cut-off carried over from training, counts and rates of every model."""
    input:
        predictions="<results>/{cohort}/{paper}/predictions.csv",
        best_auc=best_auc_file,
    output:
        csv="<results>/{cohort}/{paper}/tables/metrics.csv",
        html=report(
            "<results>/{cohort}/{paper}/tables/metrics.html",
            caption="../report/metrics.rst",
            category="{paper}",
            labels={
                "cohort": "{cohort}",
                "protocol": "both",
                "what": "performance table",
            },
        ),
    log:
        "<logs>/{cohort}/{paper}/compute_metrics.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/compute_metrics.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=10,
    params:
        title=lookup("cohorts/{cohort}/title", within=FULL_CONFIG),
        code=code("compute_metrics"),
    script:
        "../scripts/compute_metrics.py"


rule write_baseline_table:
    """Table 1: the study's clinical variables by outcome, in each split."""
    input:
        labels="<results>/{cohort}/labels.csv",
        split=study_split,
    output:
        csv="<results>/{cohort}/{paper}/tables/baseline.csv",
        html=report(
            "<results>/{cohort}/{paper}/tables/baseline.html",
            caption="../report/baseline.rst",
            category="{paper}",
            labels={
                "cohort": "{cohort}",
                "protocol": "both",
                "what": "patient characteristics",
            },
        ),
    log:
        "<logs>/{cohort}/{paper}/write_baseline_table.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/write_baseline_table.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=10,
    params:
        sheet=untracked(patients_sheet),
        clinical=lambda w: PLAN.clinical_hash(w.cohort, study_clinical(w.paper)(w)),
        definitions=lambda w: PLAN.clinical_definitions(
            w.cohort, study_clinical(w.paper)(w)
        ),
        missing_codes=lookup("cohorts/{cohort}/missing_codes", within=FULL_CONFIG),
        title=lookup("cohorts/{cohort}/title", within=FULL_CONFIG),
        code=code("write_baseline_table"),
    script:
        "../scripts/write_baseline_table.py"


rule plot_roc:
    """ROC curves of all models of a study, one panel a split."""
    input:
        predictions="<results>/{cohort}/{paper}/predictions.csv",
        metrics="<results>/{cohort}/{paper}/tables/metrics.csv",
        best_auc=best_auc_file,
    output:
        **both_protocols(
            "<results>/{cohort}/{paper}/figures/roc",
            caption="../report/roc.rst",
            category="{paper}",
            what="ROC curves",
        ),
    log:
        "<logs>/{cohort}/{paper}/plot_roc.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/plot_roc.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=10,
    params:
        code=code("plot_roc"),
    script:
        "../scripts/plot_roc.py"


rule plot_calibration:
    """Observed against predicted risk."""
    input:
        predictions="<results>/{cohort}/{paper}/predictions.csv",
    output:
        **both_protocols(
            "<results>/{cohort}/{paper}/figures/calibration",
            caption="../report/calibration.rst",
            category="{paper}",
            what="calibration",
        ),
    log:
        "<logs>/{cohort}/{paper}/plot_calibration.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/plot_calibration.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=10,
    params:
        code=code("plot_calibration"),
    script:
        "../scripts/plot_calibration.py"


rule plot_decision_curve:
    """Net benefit over threshold probabilities."""
    input:
        predictions="<results>/{cohort}/{paper}/predictions.csv",
    output:
        **both_protocols(
            "<results>/{cohort}/{paper}/figures/decision_curve",
            caption="../report/decision_curve.rst",
            category="{paper}",
            what="decision curve",
        ),
    log:
        "<logs>/{cohort}/{paper}/plot_decision_curve.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/plot_decision_curve.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=10,
    params:
        code=code("plot_decision_curve"),
    script:
        "../scripts/plot_decision_curve.py"
