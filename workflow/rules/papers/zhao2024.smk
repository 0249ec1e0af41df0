# Zhao 2024: radiomics, clinical-radiological and combined models. Needs radiomics, labels and a split; makes
# predictions, coefficients and the number of features after each selection step.


PREDICTION_PARTS["zhao2024"] = fits("zhao2024", "predictions")
OWN_TARGETS["zhao2024"] = lambda cohort: [
    f"<results>/{cohort}/zhao2024/tables/selection.html",
    f"<results>/{cohort}/zhao2024/figures/reproducibility.png",
    *[
        f"<results>/{cohort}/zhao2024/figures/coefficients.{model}.{protocol}.png"
        for model in ("CR", "RCR")
        for protocol in PROTOCOLS
    ],
]


rule zhao2024:
    input:
        paper_targets("zhao2024"),


rule fit_zhao2024:
    """All models of one protocol: selection, five classifiers, CR and RCR, fold by fold."""
    input:
        radiomics=radiomics_files("zhao2024"),
        labels="<results>/{cohort}/labels.csv",
        split=split_file("zhao2024"),
    output:
        predictions="<results>/{cohort}/zhao2024/fits/{protocol}.predictions.csv",
        coefficients="<results>/{cohort}/zhao2024/fits/{protocol}.coefficients.csv",
        selection="<results>/{cohort}/zhao2024/fits/{protocol}.selection.csv",
    log:
        "<logs>/{cohort}/zhao2024/fit_zhao2024.{protocol}.log",
    benchmark:
        "<benchmarks>/{cohort}/zhao2024/fit_zhao2024.{protocol}.tsv"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=60,
    params:
        phases=lambda wildcards: PLAN.phases("zhao2024", base(wildcards.cohort)),
        settings=lambda wildcards: PLAN.settings("zhao2024", base(wildcards.cohort)),
        reader=of_cohort("reader"),
        sheet=untracked(patients_sheet),
        clinical=clinical_hash(study_clinical("zhao2024")),
        definitions=clinical_definitions(study_clinical("zhao2024")),
        missing_codes=of_cohort("missing_codes"),
        repeats=study_repeats("zhao2024"),
        seed=FULL_CONFIG["seed"],
        code=code("fit_zhao2024"),
    script:
        "../../scripts/fit_zhao2024.py"


rule gather_zhao2024:
    """Coefficients and selection steps of all fits."""
    input:
        coefficients=lambda wildcards: fits("zhao2024", "coefficients")(
            wildcards.cohort
        ),
        selection=lambda wildcards: fits("zhao2024", "selection")(wildcards.cohort),
    output:
        coefficients="<results>/{cohort}/zhao2024/tables/coefficients.csv",
        selection="<results>/{cohort}/zhao2024/tables/selection.csv",
        html=report(
            "<results>/{cohort}/zhao2024/tables/selection.html",
            caption="../../report/zhao2024_selection.rst",
            category="Zhao 2024",
            labels={
                "cohort": "{cohort}",
                "protocol": "both",
                "what": "feature selection",
            },
        ),
    log:
        "<logs>/{cohort}/zhao2024/gather_zhao2024.log",
    benchmark:
        "<benchmarks>/{cohort}/zhao2024/gather_zhao2024.tsv"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=10,
    params:
        title=of_cohort("title"),
        code=code("gather_zhao2024"),
    script:
        "../../scripts/gather_zhao2024.py"


rule plot_coefficients:
    """Which variables a logistic model of the paper uses, and how often the folds chose them."""
    input:
        "<results>/{cohort}/zhao2024/tables/coefficients.csv",
    output:
        **both_protocols(
            "<results>/{cohort}/zhao2024/figures/coefficients.{model}",
            caption="../../report/coefficients.rst",
            what="coefficients of {model}",
            section="Zhao 2024",
        ),
    log:
        "<logs>/{cohort}/zhao2024/plot_coefficients.{model}.log",
    benchmark:
        "<benchmarks>/{cohort}/zhao2024/plot_coefficients.{model}.tsv"
    conda:
        "../../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=10,
    params:
        code=code("plot_coefficients"),
    script:
        "../../scripts/plot_coefficients.py"
