# Evaluation: figures. Needs the tables of evaluation.smk; each job draws what comes from the same tables.


rule plot_roc:
    """ROC curves of the models of a study, and of their variants, one panel a split."""
    input:
        predictions="<results>/{cohort}/{paper}/predictions.csv",
        metrics="<results>/{cohort}/{paper}/tables/metrics.csv",
        best_auc=best_auc_file,
    output:
        **both_protocols(
            "<results>/{cohort}/{paper}/figures/roc",
            caption="../report/roc.rst",
            what="ROC curves",
            name="models",
        ),
        **both_protocols(
            "<results>/{cohort}/{paper}/figures/roc_variants",
            caption="../report/roc.rst",
            what="ROC curves of variants",
            name="variants",
        ),
    log:
        "<logs>/{cohort}/{paper}/plot_roc.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/plot_roc.tsv"
    group:
        "{paper}_results"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("plot_roc"),
        runtime=minutes(10),
    params:
        mark=study_mark,
        main=study_main,
        figures=figure_settings,
        endpoint=of_cohort("endpoint"),
        code=code("plot_roc"),
    script:
        "../scripts/figures/plot_roc.py"


rule plot_calibration:
    """Observed against predicted risk, with bootstrap bands."""
    input:
        predictions="<results>/{cohort}/{paper}/predictions.csv",
    output:
        **both_protocols(
            "<results>/{cohort}/{paper}/figures/calibration",
            caption="../report/calibration.rst",
            what="calibration",
        ),
        **both_protocols(
            "<results>/{cohort}/{paper}/figures/survival_calibration",
            caption="../report/survival_calibration.rst",
            what=of_survival("calibration"),
            name="survival",
        ),
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
        horizon=horizon_months,
        resamples=FULL_CONFIG["evaluation"]["resamples"],
        seed=FULL_CONFIG["seed"],
        mark=study_mark,
        main=study_main,
        figures=figure_settings,
        endpoint=of_cohort("endpoint"),
        code=code("plot_calibration"),
    script:
        "../scripts/figures/plot_calibration.py"


# The same job without its figures of survival, where the outcome has no times.
if WITHOUT_TIMES:

    use rule plot_calibration as plot_calibration_without_times with:
        output:
            **both_protocols(
                "<results>/{cohort}/{paper}/figures/calibration",
                caption="../report/calibration.rst",
                what="calibration",
            ),
        wildcard_constraints:
            cohort=cohort_in(WITHOUT_TIMES),


rule plot_decision_curve:
    """Net benefit over threshold probabilities."""
    input:
        predictions="<results>/{cohort}/{paper}/predictions.csv",
    output:
        **both_protocols(
            "<results>/{cohort}/{paper}/figures/decision_curve",
            caption="../report/decision_curve.rst",
            what="decision curve",
        ),
        **both_protocols(
            "<results>/{cohort}/{paper}/figures/survival_decision_curve",
            caption="../report/survival_decision_curve.rst",
            what="decision curve with censored times",
            name="survival",
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
        horizon=horizon_months,
        mark=study_mark,
        main=study_main,
        figures=figure_settings,
        endpoint=of_cohort("endpoint"),
        code=code("plot_decision_curve"),
    script:
        "../scripts/figures/plot_decision_curve.py"


# The same job without its figures of survival, where the outcome has no times.
if WITHOUT_TIMES:

    use rule plot_decision_curve as plot_decision_curve_without_times with:
        output:
            **both_protocols(
                "<results>/{cohort}/{paper}/figures/decision_curve",
                caption="../report/decision_curve.rst",
                what="decision curve",
            ),
        wildcard_constraints:
            cohort=cohort_in(WITHOUT_TIMES),


rule plot_risk_groups:
    """Confusion matrices, waterfall and Kaplan-Meier curves of the main models."""
    input:
        predictions="<results>/{cohort}/{paper}/predictions.csv",
    output:
        **both_protocols(
            "<results>/{cohort}/{paper}/figures/confusion",
            caption="../report/confusion.rst",
            what="confusion matrices",
            name="confusion",
        ),
        **both_protocols(
            "<results>/{cohort}/{paper}/figures/waterfall",
            caption="../report/waterfall.rst",
            what="waterfall of predicted risks",
            name="waterfall",
        ),
        **both_protocols(
            "<results>/{cohort}/{paper}/figures/kaplan_meier",
            caption="../report/kaplan_meier.rst",
            what="Kaplan-Meier by risk group",
            name="kaplan_meier",
        ),
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
        horizon=horizon_months,
        censored=censored_at_horizon,
        mark=study_mark,
        main=study_main,
        figures=figure_settings,
        endpoint=of_cohort("endpoint"),
        code=code("plot_risk_groups"),
    script:
        "../scripts/figures/plot_risk_groups.py"


# The same job without its figures of survival, where the outcome has no times.
if WITHOUT_TIMES:

    use rule plot_risk_groups as plot_risk_groups_without_times with:
        output:
            **both_protocols(
                "<results>/{cohort}/{paper}/figures/confusion",
                caption="../report/confusion.rst",
                what="confusion matrices",
                name="confusion",
            ),
            **both_protocols(
                "<results>/{cohort}/{paper}/figures/waterfall",
                caption="../report/waterfall.rst",
                what="waterfall of predicted risks",
                name="waterfall",
            ),
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
        **both_protocols(
            "<results>/{cohort}/{paper}/figures/aucs",
            caption="../report/aucs.rst",
            what="AUCs side by side",
            name="aucs",
        ),
        **both_protocols(
            "<results>/{cohort}/{paper}/figures/delong",
            caption="../report/delong.rst",
            what="DeLong P of every pair",
            name="delong",
        ),
        **both_protocols(
            "<results>/{cohort}/{paper}/figures/agreement",
            caption="../report/agreement.rst",
            what="agreement of models",
            name="agreement",
        ),
        **one_figure(
            "<results>/{cohort}/{paper}/figures/optimism",
            "../report/optimism.rst",
            "optimism of the published protocol",
            "optimism",
        ),
        **one_figure(
            "<results>/{cohort}/{paper}/figures/seeds",
            "../report/seeds.rst",
            "spread over seeds",
            "seeds",
        ),
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
            **both_protocols(
                "<results>/{cohort}/{paper}/figures/aucs",
                caption="../report/aucs.rst",
                what="AUCs side by side",
                name="aucs",
            ),
            **one_figure(
                "<results>/{cohort}/{paper}/figures/optimism",
                "../report/optimism.rst",
                "optimism of the published protocol",
                "optimism",
            ),
            **one_figure(
                "<results>/{cohort}/{paper}/figures/seeds",
                "../report/seeds.rst",
                "spread over seeds",
                "seeds",
            ),
        wildcard_constraints:
            cohort=cohort_in(WITHOUT_PAIRS),


rule plot_risk_factors:
    """Forest plots, both nomograms with a worked patient, optimism-corrected calibration."""
    input:
        table="<results>/{cohort}/{paper}/tables/risk_factors.csv",
        models="<results>/{cohort}/{paper}/tables/risk_factors.json",
        calibration="<results>/{cohort}/{paper}/tables/risk_factors_calibration.csv",
    output:
        **one_figure(
            "<results>/{cohort}/{paper}/figures/forest",
            "../report/forest.rst",
            "forest plot of clinical variables",
            "forest",
        ),
        **one_figure(
            "<results>/{cohort}/{paper}/figures/nomogram_logistic",
            "../report/nomogram.rst",
            "logistic nomogram",
            "logistic",
        ),
        **one_figure(
            "<results>/{cohort}/{paper}/figures/nomogram_cox",
            "../report/nomogram.rst",
            "Cox nomogram",
            "cox",
        ),
        **one_figure(
            "<results>/{cohort}/{paper}/figures/nomogram_calibration",
            "../report/nomogram_calibration.rst",
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
        code=code("plot_risk_factors"),
    script:
        "../scripts/figures/plot_risk_factors.py"


# The same job without its figures of survival, where the outcome has no times.
if VARIABLES_WITHOUT_TIMES:

    use rule plot_risk_factors as plot_risk_factors_without_times with:
        output:
            **one_figure(
                "<results>/{cohort}/{paper}/figures/forest",
                "../report/forest.rst",
                "forest plot of clinical variables",
                "forest",
            ),
            **one_figure(
                "<results>/{cohort}/{paper}/figures/nomogram_logistic",
                "../report/nomogram.rst",
                "logistic nomogram",
                "logistic",
            ),
            **one_figure(
                "<results>/{cohort}/{paper}/figures/nomogram_calibration",
                "../report/nomogram_calibration.rst",
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
        **one_figure(
            "<results>/{cohort}/{paper}/figures/flow_chart",
            "../report/flow_chart.rst",
            "flow chart of patients",
            "figure",
        ),
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
