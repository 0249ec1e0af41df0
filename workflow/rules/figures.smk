# Evaluation: figures. Needs the tables of evaluation.smk; each job draws what comes from the same tables.

# Parameters of figures in which models stand side by side.
OF_MODELS = {
    **{"mark": study_mark, "main": study_main, "figures": figure_settings},
    "endpoint": of_cohort("endpoint"),
}


rule plot_roc:
    """ROC curves of the models of a study, and of their variants, one panel a split."""
    input:
        predictions="<results>/{cohort}/{paper}/predictions.csv",
        metrics="<results>/{cohort}/{paper}/tables/metrics.csv",
        best_auc=best_auc_file,
    output:
        **study_figures("roc", "ROC curves", "models"),
        **study_figures(
            "roc_variants", "ROC curves of variants", "variants", caption="roc"
        ),
    log:
        "<logs>/{cohort}/{paper}/plot_roc.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/plot_roc.tsv"
    wildcard_constraints:
        cohort=cohort_in(WITHOUT_VARIANTS, False),
    group:
        "{paper}_results"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("plot_roc"),
        runtime=minutes(10),
    params:
        **OF_MODELS,
        code=code("plot_roc"),
    script:
        "../scripts/figures/plot_roc.py"


# The same job without the figure of variants, where a study has none.
if WITHOUT_VARIANTS:

    use rule plot_roc as plot_roc_without_variants with:
        output:
            **study_figures("roc", "ROC curves", "models"),
        wildcard_constraints:
            cohort=cohort_in(WITHOUT_VARIANTS),


rule plot_calibration:
    """Observed against predicted risk, with bootstrap bands."""
    input:
        predictions="<results>/{cohort}/{paper}/predictions.csv",
    output:
        **study_figures("calibration", "calibration"),
        **study_figures("survival_calibration", of_survival("calibration"), "survival"),
    log:
        "<logs>/{cohort}/{paper}/plot_calibration.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/plot_calibration.tsv"
    wildcard_constraints:
        cohort=COHORT_WITH_TIMES,
    group:
        "{paper}_results"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("plot_calibration"),
        runtime=minutes(30),
    params:
        **OF_MODELS,
        horizon=horizon_months,
        resamples=FULL_CONFIG["evaluation"]["resamples"],
        seed=FULL_CONFIG["seed"],
        code=code("plot_calibration"),
    script:
        "../scripts/figures/plot_calibration.py"


# The same job without its figures of survival, where the outcome has no times.
if WITHOUT_TIMES:

    use rule plot_calibration as plot_calibration_without_times with:
        output:
            **study_figures("calibration", "calibration"),
        wildcard_constraints:
            cohort=cohort_in(WITHOUT_TIMES),


rule plot_decision_curve:
    """Net benefit over threshold probabilities."""
    input:
        predictions="<results>/{cohort}/{paper}/predictions.csv",
    output:
        **study_figures("decision_curve", "decision curve"),
        **study_figures(
            "survival_decision_curve", "decision curve with censored times", "survival"
        ),
    log:
        "<logs>/{cohort}/{paper}/plot_decision_curve.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/plot_decision_curve.tsv"
    wildcard_constraints:
        cohort=COHORT_WITH_TIMES,
    group:
        "{paper}_results"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("plot_decision_curve"),
        runtime=minutes(10),
    params:
        **OF_MODELS,
        horizon=horizon_months,
        code=code("plot_decision_curve"),
    script:
        "../scripts/figures/plot_decision_curve.py"


# The same job without its figures of survival, where the outcome has no times.
if WITHOUT_TIMES:

    use rule plot_decision_curve as plot_decision_curve_without_times with:
        output:
            **study_figures("decision_curve", "decision curve"),
        wildcard_constraints:
            cohort=cohort_in(WITHOUT_TIMES),


rule plot_risk_groups:
    """Confusion matrices, waterfall and Kaplan-Meier curves of the main models."""
    input:
        predictions="<results>/{cohort}/{paper}/predictions.csv",
    output:
        **study_figures("confusion", "confusion matrices", "confusion"),
        **study_figures("waterfall", "waterfall of predicted risks", "waterfall"),
        **study_figures("kaplan_meier", "Kaplan-Meier by risk group", "kaplan_meier"),
    log:
        "<logs>/{cohort}/{paper}/plot_risk_groups.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/plot_risk_groups.tsv"
    wildcard_constraints:
        cohort=COHORT_WITH_TIMES,
    group:
        "{paper}_results"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("plot_risk_groups"),
        runtime=minutes(10),
    params:
        **OF_MODELS,
        horizon=horizon_months,
        censored=censored_at_horizon,
        code=code("plot_risk_groups"),
    script:
        "../scripts/figures/plot_risk_groups.py"


# The same job without its figures of survival, where the outcome has no times.
if WITHOUT_TIMES:

    use rule plot_risk_groups as plot_risk_groups_without_times with:
        output:
            **study_figures("confusion", "confusion matrices", "confusion"),
            **study_figures("waterfall", "waterfall of predicted risks", "waterfall"),
        wildcard_constraints:
            cohort=cohort_in(WITHOUT_TIMES),


rule plot_comparison:
    """AUCs side by side, DeLong P, agreement, optimism and spread over seeds."""
    input:
        metrics="<results>/{cohort}/{paper}/tables/metrics.csv",
        delong="<results>/{cohort}/{paper}/tables/delong.csv",
        agreement="<results>/{cohort}/{paper}/tables/agreement.csv",
        optimism="<results>/{cohort}/{paper}/tables/optimism.csv",
        seeds="<results>/{cohort}/{paper}/tables/auc_by_seed.csv",
        best_auc=best_auc_file,
    output:
        **study_figures("aucs", "AUCs side by side", "aucs"),
        **study_figures("delong", "DeLong P of every pair", "delong"),
        **study_figures("agreement", "agreement of models", "agreement"),
        **study_figure("optimism", "optimism of the published protocol", "optimism"),
        **study_figure("seeds", "spread over seeds", "seeds"),
    log:
        "<logs>/{cohort}/{paper}/plot_comparison.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/plot_comparison.tsv"
    wildcard_constraints:
        cohort=cohort_in(WITHOUT_PAIRS, False),
    group:
        "{paper}_results"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("plot_comparison"),
        runtime=minutes(10),
    params:
        title=of_cohort("title"),
        published=untracked(lambda w: str(PUBLISHED)),
        printed=content_hash(PUBLISHED / "intervals.csv"),
        papers=published_names,
        mark=study_mark,
        figures=figure_settings,
        code=code("plot_comparison"),
    script:
        "../scripts/figures/plot_comparison.py"


# The same job without its figures of pairs, where a study has one main model.
if WITHOUT_PAIRS:

    use rule plot_comparison as plot_comparison_of_one_model with:
        output:
            **study_figures("aucs", "AUCs side by side", "aucs"),
            **study_figure("optimism", "optimism of the published protocol", "optimism"),
            **study_figure("seeds", "spread over seeds", "seeds"),
        wildcard_constraints:
            cohort=cohort_in(WITHOUT_PAIRS),


rule plot_risk_factors:
    """Forest plots, both nomograms with a worked patient, optimism-corrected calibration."""
    input:
        table="<results>/{cohort}/{paper}/tables/risk_factors.csv",
        models="<results>/{cohort}/{paper}/tables/risk_factors.json",
        calibration="<results>/{cohort}/{paper}/tables/risk_factors_calibration.csv",
    output:
        **study_figure("forest", "forest plot of clinical variables", "forest"),
        **study_figure(
            "nomogram_logistic", "logistic nomogram", "logistic", caption="nomogram"
        ),
        **study_figure("nomogram_cox", "Cox nomogram", "cox", caption="nomogram"),
        **study_figure(
            "nomogram_calibration",
            "calibration of the logistic nomogram",
            "calibration",
        ),
    log:
        "<logs>/{cohort}/{paper}/plot_risk_factors.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/plot_risk_factors.tsv"
    wildcard_constraints:
        cohort=STUDY_WITH_BOTH,
        paper=PAPER_NAME,
    group:
        "{paper}_results"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("plot_risk_factors"),
        runtime=minutes(10),
    params:
        title=of_cohort("title"),
        mark=mark_without_networks,
        figures=figure_settings,
        endpoint=of_cohort("endpoint"),
        # Of the refits, for the caption.
        resamples=FULL_CONFIG["evaluation"]["resamples"],
        code=code("plot_risk_factors"),
    script:
        "../scripts/figures/plot_risk_factors.py"


# The same job without its figures of survival, where the outcome has no times.
if VARIABLES_WITHOUT_TIMES:

    use rule plot_risk_factors as plot_risk_factors_without_times with:
        output:
            **study_figure("forest", "forest plot of clinical variables", "forest"),
            **study_figure(
                "nomogram_logistic",
                "logistic nomogram",
                "logistic",
                caption="nomogram",
            ),
            **study_figure(
                "nomogram_calibration",
                "calibration of the logistic nomogram",
                "calibration",
            ),
        wildcard_constraints:
            cohort=cohort_in(VARIABLES_WITHOUT_TIMES),
            paper=PAPER_NAME,


rule plot_flow_chart:
    """Who is in the analysis, from the sheet to the splits."""
    input:
        labels="<results>/{cohort}/labels.csv",
        split=study_split,
    output:
        **study_figure("flow_chart", "flow chart of patients"),
    log:
        "<logs>/{cohort}/{paper}/plot_flow_chart.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/plot_flow_chart.tsv"
    wildcard_constraints:
        paper=PAPER_NAME,
    group:
        "{paper}_results"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("plot_flow_chart"),
        runtime=minutes(10),
    params:
        title=of_cohort("title"),
        mark=mark_without_networks,
        figures=figure_settings,
        endpoint=of_cohort("endpoint"),
        code=code("plot_flow_chart"),
    script:
        "../scripts/figures/plot_flow_chart.py"
