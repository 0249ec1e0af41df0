# Evaluation: tables. Needs a predictions table, of a paper or of a comparison; makes its tables, the same for all.


rule gather_predictions:
    """One predictions table of a study, checked against the written split."""
    input:
        parts=lambda wildcards: prediction_parts(wildcards.paper, wildcards.cohort),
        split=study_split,
    output:
        ensure("<results>/{cohort}/{paper}/predictions.csv", non_empty=True),
    log:
        "<logs>/{cohort}/{paper}/gather_predictions.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/gather_predictions.tsv"
    wildcard_constraints:
        paper=PAPER_NAME,
    group:
        "{paper}_results"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("gather_predictions"),
        runtime=minutes(10),
    params:
        models=lambda w: list(declared_models(w.paper, w.cohort)),
        code=code("gather_predictions"),
    script:
        "../scripts/evaluation/gather_predictions.py"


rule compute_metrics:
    """AUC with DeLong interval, cut-off taken from training, counts and rates of every model."""
    input:
        predictions="<results>/{cohort}/{paper}/predictions.csv",
        best_auc=best_auc_file,
    output:
        **study_table("metrics", "performance table"),
        printed="<results>/{cohort}/{paper}/tables/metrics_printed.csv",
    log:
        "<logs>/{cohort}/{paper}/compute_metrics.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/compute_metrics.tsv"
    group:
        "{paper}_results"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("compute_metrics"),
        runtime=minutes(10),
    params:
        title=of_cohort("title"),
        mark=study_mark,
        endpoint=of_cohort("endpoint"),
        code=code("compute_metrics"),
    script:
        "../scripts/evaluation/compute_metrics.py"


rule check_metrics_table:
    """Solve every printed row of the metrics table for its counts; a row that fits none stops the run."""
    input:
        "<results>/{cohort}/{paper}/tables/metrics_printed.csv",
    output:
        "<results>/{cohort}/{paper}/tables/metrics_checked.csv",
    log:
        "<logs>/{cohort}/{paper}/check_metrics_table.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/check_metrics_table.tsv"
    group:
        "{paper}_results"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("check_metrics_table"),
        runtime=minutes(10),
    params:
        code=code("check_metrics_table"),
    script:
        "../scripts/evaluation/check_metrics_table.py"


rule compare_models:
    """DeLong tests with Holm correction, agreement, optimism of the published protocol, AUC by seed."""
    input:
        predictions="<results>/{cohort}/{paper}/predictions.csv",
        metrics="<results>/{cohort}/{paper}/tables/metrics.csv",
    output:
        **study_table("delong", "DeLong tests", caption="delong_table", name="delong"),
        **study_table(
            "training_against_others", "training against others", name="training"
        ),
        **study_table("optimism", "optimism", caption="optimism_table", name="optimism"),
        agreement="<results>/{cohort}/{paper}/tables/agreement.csv",
        seeds="<results>/{cohort}/{paper}/tables/auc_by_seed.csv",
    log:
        "<logs>/{cohort}/{paper}/compare_models.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/compare_models.tsv"
    group:
        "{paper}_results"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("compare_models"),
        runtime=minutes(30),
    params:
        title=of_cohort("title"),
        resamples=FULL_CONFIG["evaluation"]["resamples"],
        seed=FULL_CONFIG["seed"],
        main=study_main,
        mark=study_mark,
        code=code("compare_models"),
    script:
        "../scripts/evaluation/compare_models.py"


rule measure_calibration:
    """Intercept, slope, Brier score, ICI and Hosmer-Lemeshow test of every model."""
    input:
        predictions="<results>/{cohort}/{paper}/predictions.csv",
    output:
        **study_table(
            "calibration", "calibration measures", caption="calibration_table"
        ),
    log:
        "<logs>/{cohort}/{paper}/measure_calibration.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/measure_calibration.tsv"
    group:
        "{paper}_results"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("measure_calibration"),
        runtime=minutes(10),
    params:
        title=of_cohort("title"),
        mark=study_mark,
        code=code("measure_calibration"),
    script:
        "../scripts/evaluation/measure_calibration.py"


rule measure_survival:
    """Harrell's C, time-dependent AUC and survival by risk group of the main models."""
    input:
        predictions="<results>/{cohort}/{paper}/predictions.csv",
    output:
        **study_table("survival", "survival measures", caption="survival_table"),
        pairs="<results>/{cohort}/{paper}/tables/survival_pairs.csv",
    log:
        "<logs>/{cohort}/{paper}/measure_survival.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/measure_survival.tsv"
    wildcard_constraints:
        cohort=COHORT_WITH_TIMES,
    group:
        "{paper}_results"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("measure_survival"),
        runtime=minutes(30),
    params:
        title=of_cohort("title"),
        horizon=horizon_months,
        censored=censored_at_horizon,
        resamples=FULL_CONFIG["evaluation"]["resamples"],
        seed=FULL_CONFIG["seed"],
        mark=study_mark,
        main=study_main,
        endpoint=of_cohort("endpoint"),
        code=code("measure_survival"),
    script:
        "../scripts/evaluation/measure_survival.py"


rule measure_time_auc:
    """Time-dependent AUC of the main models at several times, and month by month."""
    input:
        predictions="<results>/{cohort}/{paper}/predictions.csv",
    output:
        **study_figures("time_auc", "time-dependent AUC"),
        **study_table("time_auc", "time-dependent AUC, table"),
        curve="<results>/{cohort}/{paper}/tables/time_auc_by_month.csv",
    log:
        "<logs>/{cohort}/{paper}/measure_time_auc.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/measure_time_auc.tsv"
    wildcard_constraints:
        cohort=COHORT_WITH_TIMES,
    group:
        "{paper}_results"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("measure_time_auc"),
        runtime=minutes(30),
    params:
        title=of_cohort("title"),
        times=FULL_CONFIG["evaluation"]["auc_months"],
        horizon=horizon_months,
        censored=censored_at_horizon,
        resamples=FULL_CONFIG["evaluation"]["resamples"],
        seed=FULL_CONFIG["seed"],
        main=study_main,
        mark=study_mark,
        figures=figure_settings,
        endpoint=of_cohort("endpoint"),
        code=code("measure_time_auc"),
    script:
        "../scripts/evaluation/measure_time_auc.py"


rule write_baseline_table:
    """Table 1: the study's clinical variables by outcome in each split, and the splits against each other."""
    input:
        labels="<results>/{cohort}/labels.csv",
        split=study_split,
    output:
        **study_table("baseline", "patient characteristics"),
        **study_table(
            "baseline_sets", "patient characteristics, sets compared", name="sets"
        ),
    log:
        "<logs>/{cohort}/{paper}/write_baseline_table.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/write_baseline_table.tsv"
    wildcard_constraints:
        cohort=STUDY_WITH_VARIABLES,
        paper=PAPER_NAME,
    group:
        "{paper}_results"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("write_baseline_table"),
        runtime=minutes(10),
    params:
        **clinical_params(of_study),
        coding=study_setting("clinical"),
        continuous=study_setting("baseline_continuous"),
        yates=study_setting("baseline_yates"),
        fisher_below=study_setting("baseline_fisher_below"),
        rfs=study_setting("baseline_rfs"),
        sites=untracked(of_cohort("recurrence_sites")),
        of_sites=lambda w: PLAN.sites_hash(w.cohort),
        study=category,
        title=of_cohort("title"),
        mark=mark_without_networks,
        endpoint=of_cohort("endpoint"),
        code=code("write_baseline_table"),
    script:
        "../scripts/evaluation/write_baseline_table.py"


# The same job without its table of clinical variables, where a study has none.
if WITHOUT_VARIABLES:

    use rule write_baseline_table as write_sets_table with:
        output:
            **study_table("baseline_sets", "sets compared", name="sets"),
        wildcard_constraints:
            cohort=cohort_in(WITHOUT_VARIABLES),
            paper=PAPER_NAME,


rule fit_risk_factors:
    """Univariable and multivariable logistic and Cox regression of the clinical variables, training patients."""
    input:
        labels="<results>/{cohort}/labels.csv",
        split=study_split,
    output:
        **study_table("risk_factors", "clinical risk factors"),
        models="<results>/{cohort}/{paper}/tables/risk_factors.json",
        calibration="<results>/{cohort}/{paper}/tables/risk_factors_calibration.csv",
    log:
        "<logs>/{cohort}/{paper}/fit_risk_factors.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/fit_risk_factors.tsv"
    wildcard_constraints:
        cohort=STUDY_WITH_VARIABLES,
        paper=PAPER_NAME,
    group:
        "{paper}_results"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("fit_risk_factors"),
        runtime=minutes(30),
    params:
        **clinical_params(of_study),
        title=of_cohort("title"),
        own=own_risk_factors,
        settings=FULL_CONFIG["evaluation"],
        horizon=horizon_months,
        seed=FULL_CONFIG["seed"],
        study=category,
        mark=mark_without_networks,
        endpoint=of_cohort("endpoint"),
        code=code("fit_risk_factors"),
    script:
        "../scripts/evaluation/fit_risk_factors.py"


rule compare_strata:
    """AUCs of the main models within groups of patients: centres, field strengths, scanners."""
    input:
        predictions="<results>/{cohort}/{paper}/predictions.csv",
    output:
        **study_figures("strata", "AUC within groups"),
        **study_table("strata", "AUC within groups, table"),
    log:
        "<logs>/{cohort}/{paper}/compare_strata.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/compare_strata.tsv"
    wildcard_constraints:
        paper=PAPER_NAME,
    group:
        "{paper}_results"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("compare_strata"),
        runtime=minutes(10),
    params:
        sheet=untracked(patients_sheet),
        columns=untracked(of_cohort("strata")),
        groups=lambda w: list(FULL_CONFIG["cohorts"][w.cohort]["strata"]),
        content=lambda w: PLAN.strata_hash(w.cohort),
        missing_codes=of_cohort("missing_codes"),
        title=of_cohort("title"),
        mark=study_mark,
        main=study_main,
        figures=figure_settings,
        endpoint=of_cohort("endpoint"),
        code=code("compare_strata"),
    script:
        "../scripts/evaluation/compare_strata.py"


rule measure_readings:
    """Agreement of readers on the findings that the sheet holds more than once."""
    output:
        **study_table("readings", "readers' agreement on findings"),
        **study_table("readings_by_reader", "findings of each reader", name="by_reader"),
    log:
        "<logs>/{cohort}/{paper}/measure_readings.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/measure_readings.tsv"
    wildcard_constraints:
        cohort=COHORT_NAME,
        paper=PAPER_NAME,
    group:
        "{paper}_results"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("measure_readings"),
        runtime=minutes(10),
    params:
        **clinical_params(read_variables),
        readings=untracked(lambda w: PLAN.readings(w.cohort, of_study(w))),
        content=lambda w: PLAN.readings_hash(w.cohort, of_study(w)),
        bands=lambda w: PLAN.settings(w.paper, w.cohort).get(
            "agreement_words", "five_words"
        ),
        patients=lambda w: PLAN.patients(w.cohort),
        title=of_cohort("title"),
        mark=study_mark,
        code=code("measure_readings"),
    script:
        "../scripts/evaluation/measure_readings.py"
